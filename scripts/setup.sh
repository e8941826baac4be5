#!/usr/bin/env bash
#===- setup.sh - Installs what a bare Debian 12 lacks ----------------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
# usage: scripts/setup.sh [--cuda | --mmaemu]
#
# Debian packages are installed only when missing; Python packages go into
# .venv. A second run does nothing and takes no time. --cuda adds NVIDIA's
# ptxas and nvdisasm to .venv unless a CUDA toolkit has them, --mmaemu a model of
# tensor cores and PyTorch.
#
#===------------------------------------------------------------------------===#
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  cmake ninja-build g++ git
  libmlir-22-dev llvm-22-dev mlir-22-tools llvm-22-tools
  clang-22 lld-22 clang-format-22 clang-tidy-22 libclang-rt-22-dev
  libgtest-dev python3-venv python3-dev
)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [[ $status == "install ok installed" ]] || missing+=("$package")
done

if ((${#missing[@]})); then
  echo "Installing Debian packages: ${missing[*]}"
  if [[ $(id -u) == 0 ]]; then
    as_root=()
  elif command -v sudo >/dev/null; then
    as_root=(sudo)
  else
    echo "error: these Debian packages are missing, and neither root nor sudo" \
         "is there to install them: ${missing[*]}" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"
fi

# A stamp with the hash of the requirements tells whether .venv is current.
install_requirements() {
  local file=$1 stamp=.venv/.installed-$1
  if ! sha256sum --check --status "$stamp" 2>/dev/null; then
    echo "Installing Python packages of $file into .venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$file"
    sha256sum "$file" >"$stamp"
  fi
}

[[ -x .venv/bin/python ]] || python3 -m venv .venv
install_requirements requirements.txt
# Not every machine has wheels of IREE; its tests say so then.
install_requirements requirements-iree.txt ||
  echo "IREE was not installed: sparse-attn-iree-compile needs it" >&2

if [[ ${1:-} == --cuda ]]; then
  if ! PATH=$PATH:/usr/local/cuda/bin command -v ptxas >/dev/null ||
     ! PATH=$PATH:/usr/local/cuda/bin command -v nvdisasm >/dev/null; then
    install_requirements requirements-cuda.txt
  fi
fi

if [[ ${1:-} == --mmaemu ]]; then
  install_requirements requirements-mmaemu.txt
fi
