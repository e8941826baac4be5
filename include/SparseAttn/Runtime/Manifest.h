//===- Manifest.h - What a kernel package contains --------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The parsed form of a package's manifest.json. docs/Package.md describes the
// format. Parsing checks everything that can be checked without the package's
// other files and without input arrays.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_RUNTIME_MANIFEST_H
#define SPARSEATTN_RUNTIME_MANIFEST_H

#include "SparseAttn/Runtime/Element.h"
#include "llvm/Support/Error.h"

#include <array>
#include <string>
#include <vector>

namespace sparse_attn::runtime {

/// The extent `dim` of the tensor argument `argument`.
struct DimRef {
  unsigned argument = 0;
  unsigned dim = 0;
};

/// How a number follows from the extents of the inputs. An enumeration of
/// forms instead of a formula, so that nothing in a package is evaluated.
struct Rule {
  enum class Form {
    Any,      // any length (in shapes of inputs)
    Constant, // value
    Dim,      // of[0]
    CeilDiv,  // of[0] divided by value, rounded up
    Product   // of all of `of`; 1 when there are none
  };
  Form form = Form::Constant;
  int64_t value = 0;
  std::vector<DimRef> of;
};

/// One parameter of a kernel.
struct Argument {
  enum class Kind { Tensor, Dim };
  enum class Role { Input, Output, Statistic };

  std::string name;
  Kind kind = Kind::Tensor;
  /// Tensors: who provides it, the element type, and the extents.
  Role role = Role::Input;
  ElementType type = ElementType::F32;
  std::vector<Rule> shape;
  /// Dims: the extent passed by value as i32.
  DimRef of;

  bool isTensor(Role wanted) const {
    return kind == Kind::Tensor && role == wanted;
  }
};

/// One kernel for one target.
struct Kernel {
  std::string name;
  std::string target;
  std::string file;
  uint32_t threads = 0;
  uint32_t sharedMemory = 0;
  std::array<Rule, 3> grid;
  std::vector<Argument> arguments;
  /// Query rows and keys that one decision to skip covers.
  std::array<int64_t, 2> decisionTile = {0, 0};
  std::string filter;
  int64_t calls = 0;
};

/// A file of the package beside the manifest.
struct FileEntry {
  std::string name;
  std::string sha256;
  uint64_t bytes = 0;
};

struct Manifest {
  std::string producer;
  std::vector<FileEntry> files;
  std::vector<Kernel> kernels;
};

/// The version of the format that this runtime reads and the compiler writes.
constexpr int64_t packageVersion = 1;

/// Limits of the format; larger values are errors.
constexpr uint64_t maximumManifestBytes = uint64_t(16) << 20;
constexpr unsigned maximumManifestDepth = 64;
constexpr unsigned maximumThreads = 1024;
constexpr unsigned maximumSharedMemory = 227 * 1024;
constexpr unsigned maximumTensorRank = 8;

/// Parses the text of manifest.json. The messages name the field, what was
/// expected, and what was found.
llvm::Expected<Manifest> parseManifest(llvm::StringRef text);

/// True for names of kernels and arguments: [a-z0-9_]+, at most 128 of them.
bool isValidName(llvm::StringRef name);
/// True for names of files: [a-z0-9_.]+ that does not begin with a dot, at
/// most 200 of them.
bool isValidFileName(llvm::StringRef name);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_RUNTIME_MANIFEST_H
