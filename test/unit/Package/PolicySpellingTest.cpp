//===- PolicySpellingTest.cpp - Flags and attributes agree --------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Pipelines/PolicySpelling.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::sparse_attn;

static std::string respell(MLIRContext &context, StringRef spelling) {
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  FailureOr<FilterAttrInterface> filter = parseFilterSpelling(
      &context, spelling, [&] { return emitError(UnknownLoc::get(&context)); });
  return failed(filter) ? "<error>" : spellFilter(*filter);
}

TEST(PolicySpellingTest, ComesBackTheSame) {
  MLIRContext context;
  for (const char *spelling :
       {"dense", "threshold:0", "threshold:0.1", "threshold:12.5/L",
        "energy:-6", "energy:-inf", "energy:0.5", "energy:P=1.46", "recall:1",
        "recall:0.95", "recall:0.9,tile", "recall:0.95,groups=8",
        "recall:0.95,tile,groups=32", "threshold:1e-05",
        "recall:0.10000000000000001"})
    EXPECT_EQ(respell(context, spelling),
              StringRef(spelling) == "recall:0.10000000000000001" ? "recall:0.1"
                                                                  : spelling);
}

TEST(PolicySpellingTest, KnowsDefaultsAndOrder) {
  MLIRContext context;
  EXPECT_EQ(respell(context, "recall:0.9,row,exact"), "recall:0.9");
  EXPECT_EQ(respell(context, "recall:0.9,groups=8,tile"),
            "recall:0.9,tile,groups=8");
}

TEST(PolicySpellingTest, RefusesTheRest) {
  MLIRContext context;
  for (const char *spelling :
       {"", "Dense", "dense ", "recall", "recall:0", "recall:-0.5",
        "recall:0.9,", "recall:0.9,groups=-8", "recall:0.9;row", "energy:nan",
        "energy:P=inf", "threshold:inf", "threshold:0.1/K", "threshold:/L",
        "energy:p=1", "energy: -6", "sparge:0.5"})
    EXPECT_EQ(respell(context, spelling), "<error>") << spelling;
}

TEST(PolicySpellingTest, Precisions) {
  MLIRContext context;
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  auto emit = [&] { return emitError(UnknownLoc::get(&context)); };
  for (const char *spelling : {"3xtf32", "tf32", "bf16"}) {
    FailureOr<Precision> precision = parsePrecisionSpelling(spelling, emit);
    ASSERT_TRUE(succeeded(precision));
    EXPECT_EQ(spellPrecision(*precision), spelling);
  }
  EXPECT_TRUE(failed(parsePrecisionSpelling("tf32x3", emit)));
}

TEST(PolicySpellingTest, Selections) {
  MLIRContext context;
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  auto parse = [&](StringRef spelling) {
    return parseSelectionSpelling(&context, spelling, [&] {
      return emitError(UnknownLoc::get(&context));
    });
  };
  auto selection = parse("top-k:0.3,order=score");
  ASSERT_TRUE(succeeded(selection));
  EXPECT_TRUE(isa<TopKSelectionAttr>(selection->selection));
  EXPECT_EQ(selection->selection.getNumber(), 0.3);
  EXPECT_TRUE(selection->byScore);
  EXPECT_TRUE(isa<TopPSelectionAttr>(parse("top-p:1")->selection));
  EXPECT_TRUE(isa<CutoffSelectionAttr>(parse("cutoff:0")->selection));
  EXPECT_EQ(parse("recall:0.9")->recall, 0.9);
  EXPECT_FALSE(parse("none")->selection);
  EXPECT_FALSE(selection->block);
  auto fine = parse("recall:0.9,block=64,order=score");
  ASSERT_TRUE(succeeded(fine));
  EXPECT_TRUE(fine->byScore);
  EXPECT_EQ(fine->block, 64);
  for (const char *spelling :
       {"", "top-k", "top-k:", "top-k:0", "top-p:1.1", "cutoff:-1", "recall:1",
        "top-k:0.3,", "top-k:0.3,order=rank", "none,order=score", "top_k:0.3",
        "top-k:nan", "top-k:0.3,block=", "top-k:0.3,block=8,block=8",
        "top-k:0.3,order=score,order=score", "block=64"})
    EXPECT_TRUE(failed(parse(spelling))) << spelling;
}

TEST(PolicySpellingTest, Schedules) {
  MLIRContext context;
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  auto parse = [&](StringRef spelling) {
    return parseCacheSpelling(&context, spelling, [&] {
      return emitError(UnknownLoc::get(&context));
    });
  };
  auto cache = parse("warmup=12,interval=12,ratios=0.3/0.2/0.1,steps=50,"
                     "target=0.9,dense=0/3");
  ASSERT_TRUE(succeeded(cache));
  EXPECT_EQ(cache->schedule.getWarmup(), 12);
  EXPECT_EQ(cache->schedule.getInterval(), 12);
  EXPECT_EQ(cache->schedule.getSteps(), 50);
  EXPECT_EQ(cache->schedule.getRatios(), (ArrayRef<double>{0.3, 0.2, 0.1}));
  EXPECT_EQ(cache->schedule.getTarget(), 0.9);
  EXPECT_EQ(cache->denseLayers, (SmallVector<int64_t>{0, 3}));
  for (const char *spelling :
       {"", "warmup=12", "warmup=1,warmup=1,interval=1,ratios=0.3,steps=4",
        "warmup=1,interval=0,ratios=0.3,steps=4",
        "warmup=1,interval=1,ratios=,steps=4",
        "warmup=1,interval=1,ratios=0.3/2,steps=4",
        "warmup=1,interval=1,ratios=0.3,steps=4,when=1",
        "warmup=-1,interval=1,ratios=0.3,steps=4",
        "warmup=1,interval=1,ratios=0.3,steps=4,target=0",
        "warmup=1,interval=1,ratios=0.3,steps=4,dense=first"})
    EXPECT_TRUE(failed(parse(spelling))) << spelling;
}
