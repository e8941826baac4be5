#!/usr/bin/env python3
# ===- iree_video_transformer.py - A whole model through IREE -------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Compiles a small video transformer by IREE with our kernels, weights in a
parameter archive, and runs it: every attention ours, all else IREE's.

By default on the stand-in for the CUDA driver with weights drawn at random; with
--model=DIR the weights.safetensors and arguments.json of a trained one, with --gpu
on a GPU. The result is compared with that of stock IREE on the CPU. Needs IREE
3.13 (docs/Iree.md) and the package safetensors."""

import argparse
import json
import re
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

import whole_models
from whole_models import SCOPE, call, compiler, tools

INPUTS = tools.ROOT / "test" / "Integration" / "Inputs"
GRAPH = INPUTS / "tiny-video-dit" / "dit_2x8x8.linalg.mlir"


def read_types(text: str) -> list:
    """The extents of main's arguments, all of them f32."""
    signature = re.search(r"func\.func @main\((.*?)\) ->", text, re.S).group(1)
    kinds = re.findall(r"tensor<([0-9x]*)f32>", signature)
    return [tuple(int(extent) for extent in kind.split("x") if extent) for kind in kinds]


def draw_weights(shapes: list) -> dict:
    """Weights that keep activations near 1 through all layers."""
    generator = np.random.default_rng(11)
    return {
        f"weight.{n}": np.array(
            generator.standard_normal(shape) * (shape[0] ** -0.5 if len(shape) == 2 else 1), "f4"
        )
        for n, shape in enumerate(shapes)
    }


def load_weights(model: Path) -> dict:
    """The weights of a trained model, in the order of main's arguments."""
    order = json.loads((model / "arguments.json").read_text())["argument_order"]
    stored = load_file(str(model / "weights.safetensors"))
    return {name: stored[name].astype("f4") for name in order if name in stored}


def run(folder: Path, model=None, gpu: bool = False, flags: tuple = ()) -> dict:
    """What came out: the results of both programs, and launches by kernel."""
    iree = whole_models.find_iree()
    text = GRAPH.read_text()
    shapes = read_types(text)
    weights = load_weights(model) if model else draw_weights(shapes[:-2])
    archive = whole_models.archive(iree, weights, folder)
    source = folder / "model.mlir"
    source.write_text(whole_models.weights_as_parameters(text, list(weights)))
    generator = np.random.default_rng(5)
    np.save(folder / "tokens.npy", generator.standard_normal(shapes[-2]).astype("f4"))
    np.save(folder / "time.npy", np.float32(0.6))

    ours, stock = folder / "ours.vmfb", folder / "stock.vmfb"
    request, _ = compiler.parse([str(source), "-o", str(ours), "--ptxas=none",
                                 "--expect-attention=6", *flags])  # fmt: skip
    report = compiler.compile_module(iree, request, folder)
    call([iree.compiler, source, "--iree-hal-target-device=local",
          "--iree-hal-local-target-device-backends=llvm-cpu",
          "--iree-llvmcpu-target-cpu=host", "-o", stock])  # fmt: skip
    log = folder / "launches.log"
    emulated = {} if gpu else whole_models.stand_in(log)
    results = {}
    for name, device, program, environment in (
        ("ours", "cuda", ours, emulated), ("stock", "local-task", stock, {}),
    ):  # fmt: skip
        call([iree.runner, f"--device={device}", f"--module={program}", "--function=main",
              f"--parameters={SCOPE}={archive}", f"--input=@{folder / 'tokens.npy'}",
              f"--input=@{folder / 'time.npy'}", f"--output=@{folder / name}.npy"],
             environment)  # fmt: skip
        results[name] = np.load(folder / f"{name}.npy")
    return {**results, "launches": whole_models.read_launches(log), "report": report,
            "program": ours.stat().st_size, "archive": archive.stat().st_size}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, help="folder of a trained model")
    parser.add_argument("--gpu", action="store_true", help="run on a GPU")
    options, flags = parser.parse_known_args()
    flags = flags or ["--layout=hilbert:2x8x8", "--filter=recall:0.95"]
    print(f"sparse-attn-iree-compile {' '.join(flags)}")
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), options.model, options.gpu, tuple(flags))
    print(found["report"])
    print(f"program {found['program'] / 1e6:.1f} MB, weights {found['archive'] / 1e6:.1f} MB")
    ours = whole_models.count_ours(found["launches"])
    if not options.gpu:
        print(f"launches: {ours} of our kernels, {found['launches'].total() - ours} of IREE's")
    error = np.linalg.norm(found["ours"] - found["stock"]) / np.linalg.norm(found["stock"])
    print(f"difference from stock IREE on the CPU: {error:.1e} of the result's norm")
    return 0


if __name__ == "__main__":
    tools.run_main(main)
