//===- Arguments.h - Values for the parameters of a kernel ---- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_TOOLS_EMULATE_ARGUMENTS_H
#define SPARSEATTN_TOOLS_EMULATE_ARGUMENTS_H

#include "SparseAttn/Emulator/Emulator.h"
#include "SparseAttn/Emulator/TensorMap.h"
#include "SparseAttn/Runtime/NpyFile.h"

namespace sparse_attn::emulate {

/// How a parameter describes its buffer instead of pointing to it.
struct MapShape {
  std::vector<uint32_t> box; // as the array's shape: the last is innermost
  emulator::TensorMap::Swizzle swizzle = emulator::TensorMap::Swizzle::None;
};

/// What the parameter buffer holds for one parameter.
struct Argument {
  /// The value; for a buffer, its address or tensor map once it is allocated.
  std::vector<uint8_t> value;
  bool isBuffer = false;
  runtime::NpyArray array;
  bool initialised = true; // `array` holds values, not only a shape
  std::string writeTo;     // the file that receives the buffer, or empty
  std::optional<MapShape> map;

  /// Fills `value` for a buffer that lies at `address`.
  llvm::Error place(uint64_t address);
};

/// Reads one argument for each parameter of `entry`, files too, at most
/// `memoryLimit` bytes in all.
llvm::Expected<std::vector<Argument>>
parseArguments(llvm::ArrayRef<std::string> texts,
               const emulator::EntryPoint &entry, uint64_t memoryLimit);

/// "2: .u64 .ptr copy_param_2 (8 bytes)", counted from 1.
std::string describeParameter(const emulator::EntryPoint &entry, size_t index);

} // namespace sparse_attn::emulate

#endif // SPARSEATTN_TOOLS_EMULATE_ARGUMENTS_H
