#!/usr/bin/env bash
#===- tidy.sh - clang-tidy over the project's C++ --------------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
# usage: scripts/tidy.sh BUILD_FOLDER [FILE...]
#
# The build folder must be one that clang built.
#
#===------------------------------------------------------------------------===#
set -euo pipefail
cd "$(dirname "$0")/.."

build=$1
shift
files=("$@")
((${#files[@]})) || mapfile -t files < <(git ls-files 'lib/*.cpp' 'tools/*.cpp')
printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy-22 --quiet -p "$build"
