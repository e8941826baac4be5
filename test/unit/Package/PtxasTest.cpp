//===- PtxasTest.cpp - What ptxas prints --------------------------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/Ptxas.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;

TEST(PtxasTest, ReadsItsWords) {
  std::optional<PtxasUsage> usage = parsePtxasOutput(
      "ptxas info    : 0 bytes gmem\n"
      "ptxas info    : Compiling entry function 'attention_0' for 'sm_80'\n"
      "ptxas info    : Function properties for attention_0\n"
      "    16 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads\n"
      "ptxas info    : Used 210 registers, used 1 barriers, 4096 bytes smem, "
      "432 bytes cmem[0]\n");
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->registers, 210u);
  EXPECT_EQ(usage->spillStores, 8u);
  EXPECT_EQ(usage->spillLoads, 4u);
  EXPECT_EQ(usage->stackBytes, 16u);
  EXPECT_EQ(usage->sharedBytes, 4096u);
}

TEST(PtxasTest, TakesWhatIsMissingForNone) {
  std::optional<PtxasUsage> usage =
      parsePtxasOutput("ptxas info    : Used 8 registers, 352 bytes cmem[0]\n");
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->registers, 8u);
  EXPECT_EQ(usage->sharedBytes, 0u);
  EXPECT_EQ(usage->spillStores, 0u);
}

TEST(PtxasTest, RefusesOtherText) {
  EXPECT_FALSE(parsePtxasOutput(""));
  EXPECT_FALSE(parsePtxasOutput("ptxas fatal   : Unresolved extern"));
  EXPECT_FALSE(parsePtxasOutput("Used many registers"));
}

TEST(PtxasTest, SaysWhyItCannotRun) {
  llvm::Expected<PtxasUsage> usage =
      runPtxas("/nowhere/ptxas", "sm_80", "/nowhere/x.ptx");
  ASSERT_FALSE(static_cast<bool>(usage));
  EXPECT_NE(llvm::toString(usage.takeError()).find("/nowhere/ptxas failed"),
            std::string::npos);
}
