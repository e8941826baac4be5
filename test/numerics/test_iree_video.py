# ===- test_iree_video.py - A whole video transformer through IREE ---------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""The video transformer of examples/iree_video_transformer.py with its weights in an
archive and its tokens along a Hilbert curve: every attention ours, all else IREE's,
on the stand-in for the CUDA driver."""

import subprocess
import sys

import numpy as np

import programs
from sparse_attn import tools

sys.path.insert(0, str(tools.ROOT / "examples"))
import iree_video_transformer as example  # noqa: E402
import whole_models  # noqa: E402

LAYERS, STEPS, SCHEDULED = 6, 3, 8
SELECT = "recall:0.5,block=32"
SCHEDULE = f"warmup=1,interval=2,ratios=1,steps={SCHEDULED}"
LAYOUT = "hilbert:2x8x8"


def difference(found, wanted) -> float:
    return np.linalg.norm(found - wanted) / np.linalg.norm(wanted)


def test_dense_model_agrees_with_iree_on_the_cpu(tmp_path):
    programs.installation()
    found = example.run(tmp_path, flags=(f"--layout={LAYOUT}",))
    # 14 MB of weights are neither in the program nor in the texts.
    assert found["archive"] > 1e7 and found["program"] < 1e6
    assert all(path.stat().st_size < 2e6 for path in tmp_path.glob("*.mlir"))
    (launches,) = found["launches"]
    assert launches["attention_0"] == LAYERS and launches.total() > 100
    (ours,), (stock,) = found["ours"], found["stock"]
    assert np.abs(stock).max() > 0.1 and difference(ours, stock) <= 1e-5


def compile_decided(source, folder):
    """The same decisions without a kernel of ours: passes make linalg of them, and
    IREE a program for the CPU."""
    iree = programs.installation()
    flags = ["--iree-hal-target-device=local", "--iree-hal-local-target-device-backends=llvm-cpu",
             "--iree-llvmcpu-target-cpu=x86-64-v3"]  # fmt: skip
    before, after, output = (folder / f"decided.{kind}" for kind in ("1.mlir", "2.mlir", "vmfb"))
    subprocess.run([iree.compiler, source, *flags, "--compile-to=preprocessing",
                    *programs.compiler.GENERIC, "-o", before], check=True)  # fmt: skip
    passes = ("convert-linalg-to-sparse-attn", f"sparse-attn-assign-layout{{layout={LAYOUT}}}",
              "sparse-attn-propagate-layouts",
              f"sparse-attn-assign-selection{{selection={SELECT} layout={LAYOUT}}}",
              f"sparse-attn-cache-lists{{schedule={SCHEDULE}}}",
              "convert-sparse-attn-to-linalg")  # fmt: skip
    tools.call("sparse-attn-opt", before, "-allow-unregistered-dialect", *programs.compiler.GENERIC,
               f"--pass-pipeline=builtin.module({','.join(passes)})", "-o", after)  # fmt: skip
    assert "sparse_attn" not in after.read_text()
    subprocess.run([iree.compiler, after, *flags, "--compile-from=preprocessing", "-o", output],
                   check=True)  # fmt: skip
    return output


def test_certified_lists_are_kept_over_steps(tmp_path):
    """Layout, certified lists and cache in one program, over steps of denoising, beside
    the same decisions executed by another compiler on another device."""
    iree = programs.installation()
    source, archive, shape = example.write_model(tmp_path)
    file, report, state = example.compile_ours(
        source, tmp_path,
        (f"--layout={LAYOUT}", f"--select={SELECT}", f"--cache={SCHEDULE}"))  # fmt: skip
    assert report.count("attention_0") == 1 + LAYERS and state == 1 + 2 * LAYERS
    log = tmp_path / "launches.log"
    # IREE's own copy kernels write equal bytes from several threads: no race checks.
    ours = whole_models.Program(iree, file, archive, environment=whole_models.stand_in(log))
    other = whole_models.Program(iree, compile_decided(source, tmp_path), archive, "local-task")
    noise = np.random.default_rng(5).standard_normal(shape).astype("f4")
    states = [program.call("main_initial_state", [], state) for program in (ours, other)]
    tokens, points = noise, example.times(SCHEDULED)
    for step in range(STEPS):
        log.unlink(missing_ok=True)
        velocities = []
        for number, program in enumerate((ours, other)):
            inputs = [tokens, points[step], np.int32(step), *states[number]]
            velocity, *states[number] = program.call("main", inputs, 1 + state)
            velocities.append(velocity)
        launches = whole_models.read_launches(log)
        assert launches["attention_0"] == LAYERS
        # Lists are made and certified in step 1, and cost nothing in step 2.
        made = LAYERS if step == 1 else 0
        assert launches["select_blocks_1"] == made and launches["block_scores_0"] == made
        for found, wanted in zip(states[0][1:], states[1][1:]):
            assert np.array_equal(found, wanted)
        blocks = np.sum(states[0][1::2])
        assert blocks == LAYERS * 4 * 16 if step == 0 else blocks < LAYERS * 4 * 14, blocks
        assert np.abs(velocities[0]).max() > 0.1 and difference(*velocities) <= 1e-5
        tokens = tokens + velocities[0] * (points[step + 1] - points[step])
