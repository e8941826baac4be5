//===- Package.h - A kernel package on disk ---------------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A directory of manifest.json, PTX files and the rewritten graph. Loading
// checks every file against its size and sha256 and keeps the PTX that was
// checked, so that what runs is what was hashed.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_RUNTIME_PACKAGE_H
#define SPARSEATTN_RUNTIME_PACKAGE_H

#include "SparseAttn/Runtime/Manifest.h"
#include "llvm/Support/MemoryBuffer.h"

#include <map>
#include <memory>

namespace sparse_attn::runtime {

/// The largest PTX file, and the largest other file, of a package.
constexpr uint64_t maximumPtxBytes = uint64_t(64) << 20;
constexpr uint64_t maximumFileBytes = uint64_t(4) << 30;

class Package {
public:
  /// Loads and checks the package in `directory`. Loading executes nothing.
  static llvm::Expected<Package> load(llvm::StringRef directory);

  const Manifest &manifest() const { return contents; }
  /// The PTX text of `kernel`, which belongs to this package.
  llvm::StringRef ptx(const Kernel &kernel) const;

  /// The names of the kernels, each once, in the manifest's order.
  std::vector<llvm::StringRef> functions() const;

  /// The kernel `function` for the target that `accepts` (given a target,
  /// returns how much it is liked, 0 for not at all) likes best. `function` may
  /// be empty when the package has one only. `device` completes the sentence
  /// "no kernel for ..." of the error.
  llvm::Expected<const Kernel *>
  select(llvm::StringRef function,
         llvm::function_ref<unsigned(llvm::StringRef)> accepts,
         llvm::StringRef device) const;

private:
  Manifest contents;
  std::map<std::string, std::unique_ptr<llvm::MemoryBuffer>> texts;
};

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_RUNTIME_PACKAGE_H
