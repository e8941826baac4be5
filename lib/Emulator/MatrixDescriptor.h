//===- MatrixDescriptor.h - Operands of wgmma in shared memory  -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// PTX ISA, "Matrix Descriptor Format" and "Shared Memory Matrix Layout". A
// matrix is made of chunks of 16 bytes along its contiguous dimension.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_EMULATOR_MATRIXDESCRIPTOR_H
#define SPARSEATTN_LIB_EMULATOR_MATRIXDESCRIPTOR_H

#include <cstdint>

namespace sparse_attn::emulator {

struct MatrixDescriptor {
  uint32_t start, leading, stride; // bytes
  uint32_t base;                   // where the swizzle begins, in 128 bytes
  unsigned swizzle;                // 0: none, 1 to 3: over 32, 64, 128 bytes

  explicit MatrixDescriptor(uint64_t bits)
      : start(field(bits, 0)), leading(field(bits, 16)),
        stride(field(bits, 32)), base(bits >> 49 & 7),
        swizzle(bits >> 62 ? 4 - unsigned(bits >> 62) : 0) {}

  /// The shared address of 16 bytes. K-major: of `row` of M or N, the
  /// `chunk`-th along K. MN-major: of `row` of K, the `chunk`-th along M or N.
  uint32_t chunkAddress(bool isKMajor, unsigned row, unsigned chunk) const {
    uint32_t span = 16u << swizzle; // bytes of a row that are swizzled together
    uint32_t address = start + row % 8 * span;
    if (swizzle == 0 && isKMajor)
      address += row / 8 * stride + chunk * leading;
    else if (swizzle == 0)
      address += row / 8 * leading + chunk * stride;
    else if (isKMajor)
      address += row / 8 * stride + chunk * 16;
    else
      address +=
          row / 8 * stride + chunk * 16 / span * leading + chunk * 16 % span;
    uint32_t pattern = (address - base * 128) >> 7 & ((1u << swizzle) - 1);
    return address ^ pattern << 4;
  }

private:
  /// Of 14 bits, in units of 16 bytes.
  static uint32_t field(uint64_t bits, unsigned first) {
    return static_cast<uint32_t>(bits >> first & 0x3fff) * 16;
  }
};

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_MATRIXDESCRIPTOR_H
