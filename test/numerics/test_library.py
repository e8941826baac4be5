# ===- test_library.py - The C ABI, from Python ---------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""What the shared libraries do is what the tools do: the same packages, arrays
and statistics."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sparse_attn
from sparse_attn import LibraryError, tools
from sparse_attn.filters import Filter
from sparse_attn.modules import Attention, print_module

SPEC = Attention(100, 80, 32, batch=(2,), rule=Filter.parse("recall:0.9"), dynamic=True)


def make_arrays(spec=SPEC):
    generator = np.random.default_rng(5)
    shapes = {"query": (2, spec.rows, 32), "key": (2, spec.keys, 32), "value": (2, spec.keys, 32)}
    return {name: generator.standard_normal(shape).astype("f4") for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    return sparse_attn.compile_mlir(print_module(SPEC), folder / "package")


def test_the_package_is_that_of_the_tool(package, tmp_path):
    other = tools.compile_text(print_module(SPEC), tmp_path / "package")
    assert package.manifest == other.manifest
    assert json.loads(package.report)["kernels"]


def test_options_are_the_flags(tmp_path):
    text = (tools.ROOT / "examples" / "models" / "torch_sdpa_f16_causal.mlir").read_text()
    package = sparse_attn.compile_mlir(text, tmp_path / "package", targets=("sm_80", "sm_89"),
                                       filter="energy:-3")  # fmt: skip
    kernels = package.manifest["kernels"]
    assert [kernel["target"] for kernel in kernels] == ["sm_80", "sm_89"]
    assert {kernel["filter"]["kind"] for kernel in kernels} == {"energy"}


def test_lists_and_their_cache_are_options_too(tmp_path):
    text = print_module(Attention(256, 256, 32, batch=(2,)))
    package = sparse_attn.compile_mlir(text, tmp_path / "package", select="top-k:0.5,block=64",
                                       cache="warmup=1,interval=2,ratios=0.5,steps=8")  # fmt: skip
    operations = {kernel["operation"] for kernel in package.manifest["kernels"]}
    assert {"pool_tokens", "block_scores", "select_blocks", "attention"} == operations
    assert "_initial_state" in (package.path / "graph.mlir").read_text()
    for wrong in ({"select": "best"}, {"select": "top-k:0.5", "cache": "warmup=1"}):
        with pytest.raises(LibraryError, match="expected a s(election|chedule)"):
            sparse_attn.compile_mlir(text, tmp_path / "other", **wrong)


def test_a_run_is_that_of_the_tool(package):
    arrays = make_arrays()
    ours = sparse_attn.run(package, arrays, check_races=True, jobs=1)
    theirs = tools.run(package, arrays, "--check=races", "--jobs=1")
    assert ours.arrays.keys() == theirs.arrays.keys()
    for name, array in theirs.arrays.items():
        assert np.array_equal(ours.arrays[name], array), name
    assert ours.stats == theirs.stats
    assert ours.stats["tiles_visited"] > 0


def test_bf16(tmp_path):
    spec = Attention(64, 64, 32, batch=(2,), element="bf16")
    package = sparse_attn.compile_mlir(print_module(spec), tmp_path / "package")
    ours = sparse_attn.run(package, make_arrays(spec), jobs=1).arrays["output"]
    theirs = tools.run(package, make_arrays(spec), "--jobs=1").arrays["output"]
    assert ours.dtype == np.float32 and np.array_equal(ours, theirs)


def test_errors(package, tmp_path):
    arrays = make_arrays()
    with pytest.raises(LibraryError, match="text:1:1: error: "):
        sparse_attn.compile_mlir("frobnicate", tmp_path / "none")
    with pytest.raises(LibraryError, match="expected a graph with attention, found none"):
        sparse_attn.compile_mlir("module {}", tmp_path / "none")
    with pytest.raises(LibraryError, match="expected one of the targets sm_80, .*, found 'sm_12'"):
        sparse_attn.compile_mlir("module {}", tmp_path / "none", targets=["sm_12"])
    assert not (tmp_path / "none").exists()
    with pytest.raises(LibraryError, match="manifest.json"):
        sparse_attn.run(tmp_path, arrays)
    with pytest.raises(LibraryError, match="expected the device emulator or cuda, found 'tpu'"):
        sparse_attn.run(package, arrays, device="tpu")
    with pytest.raises(LibraryError, match="nothing"):
        sparse_attn.run(package, arrays, function="nothing")
    with pytest.raises(LibraryError, match=r"expected the inputs \['query', 'key', 'value'\]"):
        sparse_attn.run(package, {"q": arrays["query"]})
    with pytest.raises(LibraryError, match="input 'key': expected the type f16, found int32"):
        sparse_attn.run(package, arrays | {"key": np.zeros((2, 80, 32), "i4")})
    with pytest.raises(LibraryError, match="value"):
        sparse_attn.run(package, arrays | {"value": arrays["value"][:, :50]})
    with pytest.raises(LibraryError, match="expected a GPU for a launch on a stream"):
        kernel = sparse_attn.Kernel(package)
        shapes = [(2, 100, 32), (2, 80, 32), (2, 80, 32), (2, 100, 32), (2, 100), (2, 1, 2)]
        kernel.launch(0, [(0, shape) for shape in shapes])


LAUNCH = """
import ctypes, sys
import numpy as np
import sparse_attn

driver = ctypes.CDLL("libcuda.so.1")
kernel = sparse_attn.Kernel(sys.argv[1], "cuda")
arrays = np.load(sys.argv[2])
stream = ctypes.c_void_p()
assert driver.cuStreamCreate(ctypes.byref(stream), 0) == 0
tensors, results = [], {}
for name, role, kind in kernel.arguments:
    if role == "size":
        continue
    if role == "input":
        array = arrays[name].astype("f2")
    elif name == "tile_counts":
        array = np.zeros((2, int(sys.argv[4]), 2), "i4")
    else:
        array = np.zeros((2, 100, 32) if role == "output" else (2, 100),
                         "f2" if role == "output" else "f4")
        results[name] = array
    address = ctypes.c_uint64()
    assert driver.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(array.nbytes)) == 0
    assert driver.cuMemcpyHtoD_v2(address, array.ctypes.data_as(ctypes.c_void_p),
                                  ctypes.c_size_t(array.nbytes)) == 0
    tensors.append((address.value, array.shape))
    if role == "output":
        output = address, array
try:
    kernel.launch(stream.value, tensors[:-1])
except sparse_attn.LibraryError as error:
    assert "arrays, found" in str(error), error
else:
    sys.exit("an array too few was taken")
try:
    kernel.launch(stream.value, [(tensors[0][0] + 8, tensors[0][1]), *tensors[1:]])
except sparse_attn.LibraryError as error:
    assert "multiple of 16" in str(error), error
else:
    sys.exit("a misaligned array was taken")
try:
    kernel.launch(stream.value, [*tensors[:3], (tensors[3][0], (2, 99, 32)), *tensors[4:]])
except sparse_attn.LibraryError as error:
    assert "'output': expected the shape [2, 100, 32], found [2, 99, 32]" in str(error), error
else:
    sys.exit("a result of the wrong shape was taken")
kernel.launch(stream.value, tensors)
assert driver.cuStreamSynchronize(stream) == 0
address, array = output
assert driver.cuMemcpyDtoH_v2(array.ctypes.data_as(ctypes.c_void_p), address,
                              ctypes.c_size_t(array.nbytes)) == 0
np.save(sys.argv[3], array)
"""


def test_launch_on_a_stream(package, tmp_path):
    """On the stand-in for the CUDA driver, with a stream and memory of the caller."""
    arrays = make_arrays()
    np.savez(tmp_path / "arrays.npz", **arrays)
    build = Path(os.environ.get("SPARSE_ATTN_BUILD", tools.ROOT / "build"))
    expected = sparse_attn.run(package, arrays, jobs=1)
    tiles = expected.arrays["tile_counts"].shape[1]
    environment = os.environ | {"LD_LIBRARY_PATH": str(build / "lib" / "cuda-emulator"),
                                "PYTHONPATH": str(tools.ROOT / "python")}  # fmt: skip
    command = [sys.executable, "-c", LAUNCH, package.path, tmp_path / "arrays.npz",
               tmp_path / "output.npy", str(tiles)]  # fmt: skip
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(tmp_path / "output.npy"), expected.arrays["output"])


def test_permutations():
    """A small grid by hand, and one that is a permutation of neighbours."""
    assert sparse_attn.hilbert_permutation((1, 2, 2)).tolist() in ([0, 1, 3, 2], [0, 2, 3, 1])
    assert sparse_attn.permutation("raster", (2, 2, 2), tail=3).tolist() == list(range(11))
    order = sparse_attn.hilbert_permutation((8, 8, 8), tail=5)
    assert sorted(order) == list(range(517)) and order[-5:].tolist() == list(range(512, 517))
    # In a cube of a power of two every step is to a neighbour.
    places = np.array(np.unravel_index(order[:512], (8, 8, 8)))
    assert np.abs(np.diff(places)).sum(0).max() == 1
    with pytest.raises(LibraryError, match="expected three extents of at least 1"):
        sparse_attn.hilbert_permutation((0, 2, 2))
    with pytest.raises(LibraryError, match="expected one of the curves raster, hilbert, "):
        sparse_attn.permutation("peano", (2, 2, 2))


def test_import_is_quick():
    """No library and no NumPy is loaded before something needs it."""
    check = "import sys, sparse_attn; sys.exit('numpy' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(tools.ROOT / "python")}
    assert subprocess.run([sys.executable, "-c", check], env=environment).returncode == 0
