//===- CopyHarness.h - Kernels that copy to shared memory ----- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_UNITTESTS_EMULATOR_COPYHARNESS_H
#define SPARSEATTN_UNITTESTS_EMULATOR_COPYHARNESS_H

#include "HopperHarness.h"

namespace sparse_attn::emulator::test::copying {

inline const char *const shared = ".shared .align 8 .b64 bar;\n"
                                  ".shared .align 1024 .b8 buf[16384];\n";

inline const std::string initialise =
    "  setp.eq.u32 %p8, %t, 0;\n"
    "  @%p8 mbarrier.init.shared::cta.b64 [bar], 1;\n"
    "  @%p8 fence.mbarrier_init.release.cluster;\n  bar.sync 0;\n";
inline const std::string waitPhase =
    "W:\n  mbarrier.try_wait.parity.shared::cta.b64 %p1, [bar], 0;\n"
    "  @!%p1 bra W;\n";

inline std::string expect(unsigned bytes) {
  return "  @%p8 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], " +
         std::to_string(bytes) + ";\n";
}

/// Copies `bytes` of `buf` to the output.
inline std::string dump(unsigned bytes) {
  return "  mov.u32 %r40, %t;\nDUMP:\n  shl.b32 %r41, %r40, 2;\n"
         "  mov.u32 %r42, buf;\n  add.u32 %r42, %r42, %r41;\n"
         "  ld.shared.u32 %r43, [%r42]; // HERE\n"
         "  cvt.u64.u32 %rd20, %r41;\n  add.u64 %rd20, %rd20, %out;\n"
         "  st.global.u32 [%rd20], %r43;\n  add.u32 %r40, %r40, 32;\n"
         "  setp.lt.u32 %p7, %r40, " +
         std::to_string(bytes / 4) + ";\n  @%p7 bra DUMP;\n";
}

inline std::vector<uint32_t> counting(unsigned count) {
  std::vector<uint32_t> values(count);
  for (unsigned i = 0; i < count; ++i)
    values[i] = i + 1;
  return values;
}

} // namespace sparse_attn::emulator::test::copying

#endif // SPARSEATTN_UNITTESTS_EMULATOR_COPYHARNESS_H
