#!/usr/bin/env python3
# ===- iree_video_transformer.py - A whole model through IREE -------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Compiles a small video transformer by IREE with our kernels, weights in a
parameter archive, and takes steps of its denoising: every attention ours, all else
IREE's.

By default tokens lie along a Hilbert curve, and attentions visit blocks of keys whose
recall is certified and which are kept as state from step to step. Other flags are
those of sparse-attn-iree-compile. Runs on the stand-in for the CUDA driver with
weights drawn at random; with --model=DIR the weights.safetensors of a trained one,
with --gpu on a GPU. Each velocity is compared with that of stock IREE on the CPU,
whose attention is dense. Needs IREE 3.13 (docs/Iree.md) and the package safetensors.

examples:
  iree_video_transformer.py --steps=4
  iree_video_transformer.py --layout=hilbert:2x8x8 --filter=recall:0.95
  export_video_transformer.py --grid=8x16x24 -o dit.mlir
  iree_video_transformer.py --graph=dit.mlir --model=DIR --gpu --steps=20 \\
      --layout=hilbert:8x16x24 --select=recall:0.9 \\
      --cache=warmup=4,interval=4,ratios=1,steps=20,target=0.85"""

import argparse
import re
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

import whole_models
from whole_models import Program, call, compiler, tools

INPUTS = tools.ROOT / "test" / "Integration" / "Inputs"
GRAPH = INPUTS / "tiny-video-dit" / "dit_2x8x8.linalg.mlir"
FLAGS = ("--layout=hilbert:2x8x8", "--select=recall:0.9,block=32",
         "--cache=warmup=1,interval=2,ratios=1,steps=8")  # fmt: skip


def read_types(text: str) -> list:
    """The extents of main's arguments, all of them f32."""
    signature = re.search(r"func\.func (?:public )?@main\((.*?)\) ->", text, re.S).group(1)
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
    """The weights of a trained model; main takes them in the order of their names."""
    stored = load_file(str(model / "weights.safetensors"))
    return {name: stored[name].astype("f4") for name in sorted(stored)}


def write_model(folder: Path, graph: Path = GRAPH, model=None) -> tuple:
    """The graph with its weights as parameters, the archive that holds these, and the
    shape of the tokens."""
    text = graph.read_text()
    shapes = read_types(text)
    weights = load_weights(model) if model else draw_weights(shapes[:-2])
    source = folder / "model.mlir"
    source.write_text(whole_models.weights_as_parameters(text, list(weights)))
    archive = whole_models.archive(whole_models.find_iree(), weights, folder)
    return source, archive, shapes[-2]


def compile_ours(source: Path, folder: Path, flags: tuple) -> tuple:
    """The program, the report, and of how many arrays its state is."""
    output = folder / "ours.vmfb"
    request, _ = compiler.parse([str(source), "-o", str(output), "--ptxas=none",
                                 "--expect-attention=6", *flags])  # fmt: skip
    report = compiler.compile_module(whole_models.find_iree(), request, folder)
    initial = re.search(r'function_type = \(\) -> (.*), sym_name = "main_initial_state"',
                        (folder / "2-kernels.mlir").read_text())  # fmt: skip
    return output, report, initial.group(1).count("!hal.buffer_view") if initial else 0


def compile_stock(source: Path, folder: Path) -> Path:
    output = folder / "stock.vmfb"
    call([whole_models.find_iree().compiler, source, "--iree-hal-target-device=local",
          "--iree-hal-local-target-device-backends=llvm-cpu",
          "--iree-llvmcpu-target-cpu=host", "-o", output])  # fmt: skip
    return output


def times(steps: int) -> np.ndarray:
    """From noise, 1, to the clip, 0: `steps` intervals, longer ones at the end."""
    s = np.linspace(1, 0, steps + 1)
    return (3 * s / (1 + 2 * s)).astype("f4")


def denoise(program: Program, tokens: np.ndarray, steps: int, total: int, state: int):
    """Takes the first `steps` of `total` from `tokens`: pairs of tokens and velocity.
    A program with a state of that many arrays gets it back in every step."""
    arrays = program.call("main_initial_state", [], state) if state else []
    points = times(total)
    for step in range(steps):
        number = [np.int32(step)] if state else []
        inputs = [tokens, points[step], *number, *arrays]
        velocity, *arrays = program.call("main", inputs, 1 + state)
        yield tokens, velocity
        tokens = tokens + velocity * (points[step + 1] - points[step])


def run(folder: Path, graph: Path = GRAPH, model=None, gpu: bool = False, flags: tuple = FLAGS,
        steps: int = 1) -> dict:  # fmt: skip
    """What came out: velocities of both programs step by step, and launches by kernel."""
    iree = whole_models.find_iree()
    source, archive, shape = write_model(folder, graph, model)
    file, report, state = compile_ours(source, folder, flags)
    log = folder / "launches.log"
    ours = Program(iree, file, archive, environment={} if gpu else whole_models.stand_in(log))
    stock = Program(iree, compile_stock(source, folder), archive, "local-task")
    schedule = re.search(r"--cache=.*\bsteps=(\d+)", " ".join(flags))
    total = max(steps, int(schedule.group(1)) if schedule else 0)
    noise = np.random.default_rng(5).standard_normal(shape).astype("f4")
    found = {"ours": [], "stock": [], "launches": [], "report": report,
             "program": file.stat().st_size, "archive": archive.stat().st_size}  # fmt: skip
    for step, (tokens, velocity) in enumerate(denoise(ours, noise, steps, total, state)):
        found["ours"].append(velocity)
        found["stock"] += stock.call("main", [tokens, times(total)[step]], 1)
        found["launches"].append(whole_models.read_launches(log))
        log.unlink(missing_ok=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--graph", type=Path, default=GRAPH,
                        help="export of the model (default: on a grid of 2x8x8)")  # fmt: skip
    parser.add_argument("--model", type=Path, help="folder of a trained model")
    parser.add_argument("--gpu", action="store_true", help="run on a GPU")
    parser.add_argument("--steps", type=int, default=1, help="steps to take (default 1)")
    options, flags = parser.parse_known_args()
    if not flags and options.graph != GRAPH:
        parser.error("expected flags for this graph, such as --layout=hilbert:8x16x24, found none")
    flags = flags or FLAGS
    print(f"sparse-attn-iree-compile {' '.join(flags)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), options.graph, options.model, options.gpu, tuple(flags),
                    options.steps)  # fmt: skip
    print(found["report"])
    print(f"program {found['program'] / 1e6:.1f} MB, weights {found['archive'] / 1e6:.1f} MB")
    print(f"{'step':6}{'attentions':12}{'launches':10}difference from dense, of the velocity's norm")
    for step, launches in enumerate(found["launches"]):
        ours, stock = found["ours"][step], found["stock"][step]
        error = np.linalg.norm(ours - stock) / np.linalg.norm(stock)
        counts = ("-", "-") if options.gpu else (launches["attention_0"], launches.total())
        print(f"{step:<6}{counts[0]:<12}{counts[1]:<10}{error:.1e}")
    return 0


if __name__ == "__main__":
    tools.run_main(main)
