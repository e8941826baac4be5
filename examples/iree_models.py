#!/usr/bin/env python3
# ===- iree_models.py - Models of JAX through IREE with our kernels --------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Exports small transformers from JAX, compiles them for CUDA with our kernels, and
compares what the programs compute with JAX: a vision transformer, a step of a
decoder with a cache of keys and values, and an encoder of padded texts.

Runs on the stand-in for the CUDA driver; --gpu takes a GPU. Needs JAX
(`pip install jax`) and IREE 3.13 (docs/Iree.md)."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from sparse_attn import tools  # noqa: E402
from sparse_attn.iree import compiler  # noqa: E402
from sparse_attn.iree.installation import find  # noqa: E402

WIDTH, HEADS, LAYERS = 128, 4, 2


def draw(generator, *shape):
    return jnp.asarray(generator.standard_normal(shape) * shape[-2] ** -0.5, jnp.float32)


def make_layers(seed: int) -> list:
    generator = np.random.default_rng(seed)
    return [
        {"qkv": draw(generator, WIDTH, 3 * WIDTH), "out": draw(generator, WIDTH, WIDTH),
         "up": draw(generator, WIDTH, 2 * WIDTH), "down": draw(generator, 2 * WIDTH, WIDTH)}
        for _ in range(LAYERS)
    ]  # fmt: skip


def normalize(x):
    x = x - x.mean(-1, keepdims=True)
    return x / jnp.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)


def split(x):
    """[batch, tokens, 3 * width] as query, key and value [batch, tokens, heads, size]."""
    return (part.reshape(*x.shape[:2], HEADS, WIDTH // HEADS) for part in jnp.split(x, 3, -1))


def finish(x, attended, layer):
    x = x + attended.reshape(x.shape) @ layer["out"]
    return x + jax.nn.gelu(normalize(x) @ layer["up"]) @ layer["down"]


def vision(layers, patches):
    """Patches [1, n, width] and a class token to the class token's features."""
    x = jnp.concatenate([jnp.ones((1, 1, WIDTH), jnp.float32), patches], 1)
    for layer in layers:
        query, key, value = split(normalize(x) @ layer["qkv"])
        x = finish(x, jax.nn.dot_product_attention(query, key, value), layer)
    return normalize(x)[:, 0]


def decode(layers, token, keys, values, position):
    """One token [1, 1, width] at `position`, with caches [layers, 1, n, heads, size]."""
    x = token
    seen = jnp.arange(keys.shape[2])[None, None, None, :] <= position
    for number, layer in enumerate(layers):
        query, key, value = split(normalize(x) @ layer["qkv"])
        place = (0, position, 0, 0)
        key = jax.lax.dynamic_update_slice(keys[number], key, place)
        value = jax.lax.dynamic_update_slice(values[number], value, place)
        x = finish(x, jax.nn.dot_product_attention(query, key, value, mask=seen), layer)
    return normalize(x)


def encode(layers, tokens, lengths):
    """Texts [batch, n, width] of `lengths` tokens each."""
    x = tokens
    seen = (jnp.arange(tokens.shape[1])[None] < lengths[:, None])[:, None, None]
    for layer in layers:
        query, key, value = split(normalize(x) @ layer["qkv"])
        x = finish(x, jax.nn.dot_product_attention(query, key, value, mask=seen), layer)
    return normalize(x)


def models() -> dict:
    """Functions with arguments for them, by name."""
    generator = np.random.default_rng(3)

    def array(*shape):
        return generator.standard_normal(shape).astype("f4")

    cache = (LAYERS, 1, 96, HEADS, WIDTH // HEADS)
    return {
        "vision": (vision, [array(1, 64, WIDTH)]),
        "decoder": (decode, [array(1, 1, WIDTH), array(*cache), array(*cache), np.int32(70)]),
        "encoder": (encode, [array(2, 64, WIDTH), np.array([64, 37], "i4")]),
    }


def check(name: str, function, arguments: list, folder: Path, gpu: bool) -> dict:
    """Attentions found, launches of our kernels, and the largest difference."""
    iree, layers = find(), make_layers(7)
    model = jax.jit(lambda *inputs: function(layers, *inputs))
    expected = np.asarray(model(*arguments))
    source = folder / f"{name}.mlir"
    source.write_text(model.trace(*arguments).lower(lowering_platforms=("cuda",)).as_text())
    program, log = folder / f"{name}.vmfb", folder / "launches.log"
    request, _ = compiler.parse([str(source), "-o", str(program), "--ptxas=none",
                                 f"--expect-attention={LAYERS}"])  # fmt: skip
    compiler.compile_module(iree, request, folder)
    flags = []
    for number, array in enumerate(arguments):
        np.save(folder / f"{number}.npy", array)
        flags.append(f"--input=@{folder / f'{number}.npy'}")
    emulated = {} if gpu else {
        "LD_LIBRARY_PATH": str(tools.find_built("lib", "cuda-emulator")),
        "SPARSE_ATTN_EMULATOR_DEVICE": "sm_80", "SPARSE_ATTN_EMULATOR_ON_ERROR": "exit",
        "SPARSE_ATTN_EMULATOR_LOG": str(log),
    }  # fmt: skip
    done = subprocess.run(
        [iree.runner, "--device=cuda", f"--module={program}", "--function=main", *flags,
         f"--output=@{folder / 'output.npy'}"],
        env=os.environ | emulated, capture_output=True, text=True)  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"iree-run-module: {done.stderr.strip()[-2000:]}")
    found = np.load(folder / "output.npy")
    launches = [] if gpu else [line.split()[0] for line in log.read_text().splitlines()]
    return {"ours": sum(kernel.startswith("attention_") for kernel in launches),
            "launches": len(launches), "difference": float(np.abs(found - expected).max())}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gpu", action="store_true", help="run on a GPU")
    parser.add_argument("--json", type=Path, help="write what came out there")
    parser.add_argument("--model", choices=list(models()), help="only this one")
    options = parser.parse_args()
    print(f"{'model':10}{'attentions':12}{'launches (ours)':18}largest difference from JAX")
    results = []
    for name, (function, arguments) in models().items():
        if options.model in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                row = check(name, function, arguments, Path(folder), options.gpu)
            results.append({"model": name, "attentions": LAYERS, **row})
            launches = "-" if options.gpu else f"{row['launches']} ({row['ours']})"
            print(f"{name:10}{LAYERS:<12}{launches:18}{row['difference']:.1e}", flush=True)
    if options.json:
        tools.write_results(options.json, results)
    return 0


if __name__ == "__main__":
    tools.run_main(main)
