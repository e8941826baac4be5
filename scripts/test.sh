#!/usr/bin/env bash
#===- test.sh - Runs every test suite on one build folder ------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
# usage: scripts/test.sh [BUILD_FOLDER]    (default: build)
#
# Every suite runs, also after one failed; the last line adds them up. A skipped
# test counts as failed unless the reason matches $SPARSE_ATTN_MAY_SKIP: by
# default NVIDIA's assembler, a model of tensor cores and IREE, the only things
# that a machine may lack.
#
#===------------------------------------------------------------------------===#
set -uo pipefail
cd "$(dirname "$0")/.."

build=$(realpath "${1:-build}")
results=$build/test-results
lit=/usr/lib/llvm-22/bin/lit
python=.venv/bin/python
[[ -x $python ]] || python=python3

# libMLIR.so is not instrumented: it keeps what it allocates for a process, and
# its allocators do not unpoison what instrumented code has poisoned in them.
export ASAN_OPTIONS=${ASAN_OPTIONS-detect_leaks=0:allow_user_poisoning=0}

rm -rf "$results"
mkdir -p "$results"

echo "== Compiler (lit)"
"$lit" -sv --no-progress-bar --show-unsupported \
  --xunit-xml-output="$results/lit.xml" "$build/test"
echo "== Units (GoogleTest)"
"$lit" -sv --no-progress-bar --xunit-xml-output="$results/unit.xml" "$build/test/unit"
echo "== Numerics (pytest)"
LD_PRELOAD=${SPARSE_ATTN_PRELOAD-} SPARSE_ATTN_BUILD=$build "$python" -m pytest -q --no-header -n auto \
  -p no:cacheprovider --junitxml="$results/numerics.xml" test/numerics

exec "$python" scripts/summarize.py --may-skip "${SPARSE_ATTN_MAY_SKIP-ptxas|mmaemu|IREE}" \
  compiler="$results/lit.xml" units="$results/unit.xml" \
  numerics="$results/numerics.xml"
