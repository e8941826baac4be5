//===- PackageWriter.h - Packages on disk --------------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_PACKAGEWRITER_H
#define SPARSEATTN_PACKAGE_PACKAGEWRITER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <string>

namespace mlir::sparse_attn {

/// A file of a package.
struct PackageFile {
  std::string name;
  std::string contents;
};

inline constexpr llvm::StringLiteral manifestName = "manifest.json";
inline constexpr llvm::StringLiteral packageFormat = "sparse-attn-package";

/// The text of the manifest: what `kernels` says, and the size and sha256 of
/// every file.
std::string buildManifest(llvm::json::Array kernels,
                          llvm::ArrayRef<PackageFile> files);

/// Writes a package into `directory`, all of it or nothing. The directory is
/// created, or replaced where it is empty or holds a package and nothing else;
/// anything else there is an error.
llvm::Error writePackage(llvm::StringRef directory,
                         llvm::ArrayRef<PackageFile> files,
                         llvm::StringRef manifest);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PACKAGE_PACKAGEWRITER_H
