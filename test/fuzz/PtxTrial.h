//===- PtxTrial.h - Hostile PTX for the emulator -------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared by the fuzzer and the unit test: PTX that is almost right, and a run
// of whatever parses, on a small launch.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TEST_FUZZ_PTXTRIAL_H
#define SPARSEATTN_TEST_FUZZ_PTXTRIAL_H

#include <cstdint>
#include <string>
#include <string_view>

namespace sparse_attn::emulator {

/// How far a text came.
struct TrialResult {
  bool parsed = false;
  unsigned launches = 0, succeeded = 0;
};

/// Parses the text and launches its entry points. `seed` chooses threads,
/// checks and the order of warps. Errors are fine; crashes are not.
TrialResult tryPtx(std::string_view text, uint64_t seed);

/// A copy with a few lines and words removed, repeated or exchanged.
std::string mutatePtx(std::string_view text, uint64_t seed);

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_TEST_FUZZ_PTXTRIAL_H
