#!/usr/bin/env bash
#===- fuzz.sh - Runs every fuzzer for a while ------------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
# usage: scripts/fuzz.sh [SECONDS]    for each fuzzer (60)
#
# Begins with files of the tests and goes on from what earlier runs found, in
# build/fuzz/corpus. An input that crashes is kept in build/fuzz/found.
#
#===------------------------------------------------------------------------===#
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
scripts/build.sh fuzz
python=.venv/bin/python
[[ -x $python ]] || python=python3

seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
mkdir -p "$seeds"/{manifest,npy,ptx} build/fuzz/corpus/{manifest,npy,ptx} build/fuzz/found
testpackage=test/Tools/sparse-attn-run/Inputs/testpackage.py
"$python" $testpackage package "$seeds/package"
cp "$seeds/package/manifest.json" "$seeds/manifest"
for type in f2 f4 i4 u1; do
  "$python" $testpackage npy "$seeds/npy/$type.npy" $type 2x3
done
for file in test/Tools/*/Inputs/*.ptx test/numerics/kernels/*.ptx; do
  cp "$file" "$seeds/ptx/${file//\//-}"
done

for name in manifest npy ptx; do
  echo "== $name, $seconds s"
  build/fuzz/test/fuzz/$name-fuzzer -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
    -artifact_prefix=build/fuzz/found/$name- build/fuzz/corpus/$name "$seeds/$name"
done
echo "3 fuzzers ran $seconds s each, nothing was found"
