# ===- lit.cfg.py - How the tests of the compiler run ---------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Tools are called by their names in RUN lines. Substitutions beside lit's own:
#
#   %python        Python with numpy (.venv where `make setup` made it)
#   %plugin        SparseAttnPlugin.so
#   %mlir_lib_dir  where MLIR's runner libraries lie
#   %source_dir    the root of the project
#   %build_dir     the build folder; %tools_dir: the tools in it
#
# Features: `ptxas` when NVIDIA's assembler is found; `sanitized` in a build
# with sanitizers, where time limits do not hold.
#
# ===----------------------------------------------------------------------===#

import os
import shutil
import subprocess
import sys

import lit.formats

config.name = "sparse-attn"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".ptx"]
config.excludes = ["Inputs", "numerics", "unit"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.build_dir, "test")


def find_python():
    """.venv's interpreter, else the one that runs lit."""
    own = os.path.join(config.source_dir, ".venv", "bin", "python")
    return own if os.path.exists(own) else sys.executable


def find_ptxas():
    """ptxas of a toolkit on PATH, at its usual place, or from .venv."""
    places = [os.environ.get("PATH", ""), "/usr/local/cuda/bin"]
    for root, _, files in os.walk(os.path.join(config.source_dir, ".venv", "lib")):
        if root.endswith("bin") and "ptxas" in files:
            places.append(root)
    return shutil.which("ptxas", path=os.pathsep.join(places))


# The project's tools come first; the unversioned names of the LLVM package
# (FileCheck, not, split-file, mlir-opt, mlir-runner) second.
config.environment["PATH"] = os.pathsep.join(
    [config.tools_dir, config.llvm_tools_dir, "/usr/bin", "/bin"]
)
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "HOME", "TMPDIR"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

# Programs that are not instrumented need the sanitizer's runtime beforehand.
preload = ""
if config.sanitizer:
    config.available_features.add("sanitized")
    runtime = subprocess.check_output(["g++", "-print-file-name=libasan.so"], text=True)
    preload = f"env LD_PRELOAD={runtime.strip()}"

config.substitutions += [
    ("%preload", preload),
    ("%python", find_python()),
    ("%plugin", os.path.join(config.library_dir, "SparseAttnPlugin.so")),
    ("%mlir_lib_dir", config.llvm_library_dir),
    ("%source_dir", config.source_dir),
    ("%build_dir", config.build_dir),
    ("%tools_dir", config.tools_dir),
]

ptxas = find_ptxas()
if ptxas:
    config.available_features.add("ptxas")
    config.substitutions.append(("%ptxas", ptxas))
