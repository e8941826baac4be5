//===- HostileTest.cpp - Tests of PTX that is almost right ----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "../../fuzz/PtxTrial.h"

#include "gtest/gtest.h"

#include <fstream>
#include <sstream>

using namespace sparse_attn::emulator;

namespace {

/// Hundreds of damaged copies of each text: an error or a result, never a
/// crash. Some must still run, or the damage is too great to reach anything.
TEST(Hostile, DamagedPtx) {
  for (const char *file :
       {"ptx-emulate/Inputs/kernels.ptx", "ptx-emulate/Inputs/iree.ptx",
        "sparse-attn-run/Inputs/kernels.ptx"}) {
    std::ifstream stream(std::string(TEST_TOOLS) + "/" + file);
    ASSERT_TRUE(stream) << file;
    std::stringstream text;
    text << stream.rdbuf();
    ASSERT_TRUE(tryPtx(text.str(), 1).parsed) << file;
    unsigned parsed = 0, succeeded = 0, failed = 0;
    for (uint64_t seed = 0; seed < 300; ++seed) {
      SCOPED_TRACE(seed);
      TrialResult result = tryPtx(mutatePtx(text.str(), seed), seed);
      parsed += result.parsed;
      succeeded += result.succeeded;
      failed += result.launches - result.succeeded;
    }
    EXPECT_GT(parsed, 20u) << file;
    EXPECT_LT(parsed, 300u) << file;
    EXPECT_GT(succeeded + failed, 40u) << file;
  }
}

/// Short texts of every byte, and the beginnings of a good one.
TEST(Hostile, Fragments) {
  for (unsigned byte = 0; byte < 256; ++byte)
    tryPtx(std::string(3, char(byte)), byte);
  std::string text = ".version 7.0\n.target sm_80\n.address_size 64\n"
                     ".visible .entry k(.param .u64 x)\n{\n"
                     ".reg .b32 %r<4>;\nmov.u32 %r1, %tid.x;\nret;\n}\n";
  for (size_t length = 0; length <= text.size(); ++length)
    EXPECT_EQ(tryPtx(std::string_view(text).substr(0, length), 0).launches,
              length >= text.size() - 1 ? 1u : 0u)
        << length;
}

} // namespace
