#!/usr/bin/env python3
# ===- export_video_transformer.py - A video transformer from JAX ----------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Exports a small video diffusion transformer from JAX to StableHLO, on any grid:

    func.func public @main(weights..., tokens [N, 96], time) -> velocity [N, 96]

6 blocks of attention (4 heads of 64, RMS norm and 3-D RoPE on query and key) and
MLP, under adaLN modulation by time. The N = T*H*W tokens are patches of 2x4x4 rgb
pixels, patches and pixels in raster order. The weights are arguments, sorted by
name; the RoPE tables of the grid are constants. Needs JAX (`pip install jax`).

As a module it gives forward, weight_shapes, load_weights and export."""

import argparse
import math
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from sparse_attn import tools  # noqa: E402

FEATURES = 2 * 4 * 4 * 3
HEAD = 64
FREQUENCIES = 32  # of the time
PAIRS, BASE = (10, 11, 11), 100.0  # of RoPE, over t, y and x
EPSILON = 1e-6


def weight_shapes(blocks: int = 6, width: int = 256) -> dict:
    """Shapes by name, in the order of main's arguments; matrices are [in, out]."""
    block = {
        "attn.k_norm": (HEAD,), "attn.out": (width, width), "attn.q_norm": (HEAD,),
        "attn.qkv": (width, 3 * width), "mlp.down": (4 * width, width), "mlp.up": (width, 4 * width),
        "modulation.bias": (6, width), "modulation.weight": (width, 6 * width),
    }  # fmt: skip
    shapes = {
        "final_modulation": (width, 2 * width), "patch_in": (FEATURES, width),
        "patch_out": (width, FEATURES), "time.0": (2 * FREQUENCIES, width), "time.1": (width, width),
    }  # fmt: skip
    for number in range(blocks):
        shapes |= {f"blocks.{number}.{name}": shape for name, shape in block.items()}
    return dict(sorted(shapes.items()))


def load_weights(model: Path) -> dict:
    """The f32 arrays by name of `model`/weights.safetensors, of any depth and width."""
    from safetensors.numpy import load_file

    path = model / "weights.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"expected {path}")
    weights = load_file(str(path))
    found = {name: array.shape for name, array in weights.items()}
    blocks = sum(name.endswith(".attn.qkv") for name in found)
    expected = weight_shapes(blocks, found.get("patch_in", (0, 0))[-1])
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise RuntimeError(f"{path}: {name}: expected {expected.get(name, 'nothing')}, "
                               f"found {found.get(name, 'nothing')}")  # fmt: skip
    return {name: weights[name].astype("f4") for name in expected}


def rope_tables(grid: tuple) -> tuple:
    """Cosines and sines [N, HEAD / 2] of the angles of the tokens of `grid` (T, H, W)."""
    places = np.indices(grid).reshape(3, -1, 1)
    angles = np.concatenate(
        [place * BASE ** (-np.arange(n) / n) for place, n in zip(places, PAIRS)], axis=1
    )
    return np.cos(angles).astype("f4"), np.sin(angles).astype("f4")


def rotate(x, cosine, sine):
    """RoPE of [heads, N, HEAD]: pairs are one element of either half."""
    first, second = jnp.split(x, 2, -1)
    return jnp.concatenate([first * cosine - second * sine, first * sine + second * cosine], -1)


def rms_norm(x):
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + EPSILON)


def modulate(x, scale, shift):
    """adaLN: the layer norm of [N, width] under a scale and a shift [width]."""
    return rms_norm(x - x.mean(-1, keepdims=True)) * (1 + scale) + shift


def embed(time, first, second):
    """The time, a scalar, as the features [width] that modulate all blocks."""
    frequencies = jnp.exp(-jnp.log(1e4) * jnp.arange(FREQUENCIES) / FREQUENCIES)
    angles = 1000 * time * frequencies
    waves = jnp.concatenate([jnp.cos(angles), jnp.sin(angles)])
    return jax.nn.silu(jax.nn.silu(waves @ first) @ second)


def attend(x, weights, cosine, sine):
    """Self-attention of [N, width] in width / HEAD heads."""
    qkv = (x @ weights["attn.qkv"]).reshape(len(x), 3, -1, HEAD)
    query, key, value = qkv.transpose(1, 2, 0, 3)
    query = rotate(rms_norm(query) * weights["attn.q_norm"], cosine, sine)
    key = rotate(rms_norm(key) * weights["attn.k_norm"], cosine, sine)
    scores = query @ key.swapaxes(1, 2) / math.sqrt(HEAD)
    attended = jax.nn.softmax(scores) @ value
    return attended.swapaxes(0, 1).reshape(x.shape) @ weights["attn.out"]


def forward(weights: dict, tokens, time, grid: tuple):
    """The velocity [N, FEATURES] of `tokens` [N, FEATURES] of `grid` (T, H, W) at `time`
    from 0 (video) to 1 (noise)."""
    cosine, sine = rope_tables(grid)
    features = embed(time, weights["time.0"], weights["time.1"])
    x = tokens @ weights["patch_in"]
    for number in range(sum(name.endswith(".attn.qkv") for name in weights)):
        prefix = f"blocks.{number}."
        block = {
            name.removeprefix(prefix): weights[name] for name in weights if name.startswith(prefix)
        }
        modulation = block["modulation.bias"] + (features @ block["modulation.weight"]).reshape(6, -1)
        scale, shift, gate, mlp_scale, mlp_shift, mlp_gate = modulation
        x = x + gate * attend(modulate(x, scale, shift), block, cosine, sine)
        hidden = jax.nn.gelu(modulate(x, mlp_scale, mlp_shift) @ block["mlp.up"])
        x = x + mlp_gate * (hidden @ block["mlp.down"])
    scale, shift = (features @ weights["final_modulation"]).reshape(2, -1)
    return modulate(x, scale, shift) @ weights["patch_out"]


def export(shapes: dict, grid: tuple) -> str:
    """StableHLO text of `forward` on `grid` with weights of `shapes`."""

    def argument(*shape):
        return jax.ShapeDtypeStruct(shape, jnp.float32)

    weights = {name: argument(*shape) for name, shape in shapes.items()}
    traced = jax.jit(forward, static_argnames="grid").trace(
        weights, argument(math.prod(grid), FEATURES), argument(), grid=grid
    )
    return traced.lower(lowering_platforms=("cuda",)).as_text()


def parse_grid(text: str) -> tuple:
    extents = text.split("x")
    if len(extents) != 3 or not all(extent.isdecimal() and int(extent) for extent in extents):
        raise argparse.ArgumentTypeError(f"expected TxHxW, such as 2x16x16, found '{text}'")
    return tuple(int(extent) for extent in extents)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--grid", type=parse_grid, default=(4, 16, 16), metavar="TxHxW",
                        help="tokens over time, height and width; a clip has 2T x 4H x 4W "
                        "pixels (default: 4x16x16)")  # fmt: skip
    parser.add_argument("--model", type=Path, metavar="DIR",
                        help="take depth and width from DIR/weights.safetensors (needs safetensors)")  # fmt: skip
    parser.add_argument("-o", dest="output", type=Path, required=True, metavar="FILE",
                        help="write the StableHLO there")  # fmt: skip
    options = parser.parse_args()
    shapes = weight_shapes()
    if options.model:
        shapes = {name: weight.shape for name, weight in load_weights(options.model).items()}
    options.output.write_text(export(shapes, options.grid))
    tokens = [math.prod(options.grid), FEATURES]
    print(f"{options.output}: {len(shapes)} weights, tokens {tokens}, time")
    return 0


if __name__ == "__main__":
    tools.run_main(main)
