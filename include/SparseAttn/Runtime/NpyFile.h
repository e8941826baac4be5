//===- NpyFile.h - Reads and writes .npy arrays -----------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// NumPy's array format, versions 1 to 3, for plain little-endian numbers.
// Objects, structures and pickles are refused, never evaluated.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_RUNTIME_NPYFILE_H
#define SPARSEATTN_RUNTIME_NPYFILE_H

#include "SparseAttn/Runtime/Support.h"

#include <vector>

namespace sparse_attn::runtime {

enum class NpyType { F2, F4, F8, I1, I2, I4, I8, U1, U2, U4, U8, B1 };

/// NumPy's spelling without the byte order: "f2", "i8", "b1".
llvm::StringRef npyTypeName(NpyType type);
std::optional<NpyType> parseNpyType(llvm::StringRef name);
unsigned npyTypeBytes(NpyType type);

/// An array in row-major order.
struct NpyArray {
  NpyType type = NpyType::F4;
  std::vector<int64_t> shape;
  std::vector<uint8_t> data;
};

/// Parses a whole file. Column-major arrays are converted. The messages name
/// what was expected and found, not the file.
llvm::Expected<NpyArray> parseNpy(llvm::StringRef contents);

/// The array as file contents, version 1.
std::string serializeNpy(const NpyArray &array);

/// Reads the file at `path`; messages name it.
llvm::Expected<NpyArray> readNpyFile(llvm::StringRef path,
                                     uint64_t limit = defaultByteLimit);

/// Replaces the file at `path` in one step.
llvm::Error writeNpyFile(llvm::StringRef path, const NpyArray &array);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_RUNTIME_NPYFILE_H
