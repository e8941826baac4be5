#!/usr/bin/env bash
#===- check-all.sh - Everything that is checked before a release -----------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
# usage: scripts/check-all.sh [STEP...]
#
# Steps: see below. All of them unless named. Runs every step, also after one
# failed, and names the failed ones at the end. What each came to is kept in
# benchmarks/results/check_all.jsonl.
#
# mutants, schedules, mmaemu and sass take the tools that gcc has built, or build
# them. $SPARSE_ATTN_FUZZ_SECONDS (60) is the time of each fuzzer.
#
#===------------------------------------------------------------------------===#
set -uo pipefail
cd "$(dirname "$0")/.."

results=benchmarks/results/check_all.jsonl
log=$(mktemp)
trap 'rm -f "$log"' EXIT

failed=()
# Runs a step; its outcome and what it printed last replace the step's line of
# the results.
step() {
  local name=$1 begin=$SECONDS outcome=passed
  shift
  echo "==== $name"
  "$@" 2>&1 | tee "$log"
  if ((PIPESTATUS[0])); then
    outcome=failed
    failed+=("$name")
  fi
  touch "$results"
  sed -i "/\"step\": \"$name\"/d" "$results"
  printf '{"step": "%s", "outcome": "%s", "commit": "%s", "seconds": %d, "last_line": "%s"}\n' \
    "$name" "$outcome" "$(git describe --always --dirty --exclude '*')" \
    $((SECONDS - begin)) "$(tail -1 "$log" | tr -d '"\\')" >>"$results"
}

run_gcc() {
  scripts/build.sh release -DCMAKE_COMPILE_WARNING_AS_ERROR=ON &&
    SPARSE_ATTN_LONG=1 scripts/test.sh build
}
run_clang() {
  scripts/build.sh clang -DCMAKE_COMPILE_WARNING_AS_ERROR=ON &&
    scripts/test.sh build/clang
}
run_asan() {
  # Programs without the sanitizer load libraries with it, and throw. Another
  # project is not built against ours there.
  local preload
  preload="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libstdc++.so)"
  scripts/build.sh asan &&
    SPARSE_ATTN_PRELOAD=$preload SPARSE_ATTN_MAY_SKIP='ptxas|mmaemu|IREE|Unsupported' \
      scripts/test.sh build/asan
}
run_tidy() {
  scripts/build.sh clang && scripts/tidy.sh build/clang
}
run_mutants() {
  scripts/build.sh release && .venv/bin/python benchmarks/mutation_score.py
}
run_schedules() {
  scripts/build.sh release && .venv/bin/python benchmarks/schedules.py
}
run_mmaemu() {
  scripts/setup.sh --mmaemu ||
    echo "mmaemu does not install here: its tests are skipped"
  scripts/build.sh release &&
    .venv/bin/python -m pytest -q -rs -p no:cacheprovider \
      test/numerics/test_tensor_core_models.py
}

all=(format tidy gcc mutants schedules mmaemu clang asan fuzz sass)
steps=("$@")
((${#steps[@]})) || steps=("${all[@]}")
for name in "${steps[@]}"; do
  case $name in
  format) step format scripts/format.sh --check ;;
  tidy) step tidy run_tidy ;;
  gcc) step gcc run_gcc ;;
  clang) step clang run_clang ;;
  asan) step asan run_asan ;;
  mutants) step mutants run_mutants ;;
  schedules) step schedules run_schedules ;;
  mmaemu) step mmaemu run_mmaemu ;;
  fuzz) step fuzz scripts/fuzz.sh "${SPARSE_ATTN_FUZZ_SECONDS:-60}" ;;
  sass) step sass make --no-print-directory sass ;;
  *)
    echo "error: unknown step '$name': expected one of ${all[*]}" >&2
    exit 1
    ;;
  esac
done

if ((${#failed[@]})); then
  echo "check-all: failed: ${failed[*]}"
  exit 1
fi
echo "check-all: passed: ${steps[*]}"
