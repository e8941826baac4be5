//===- StatsTest.cpp - Tests of statistics --------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/Stats.h"
#include "llvm/Support/JSON.h"
#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

using namespace sparse_attn::runtime;
using llvm::toString;

template <typename T>
static Tensor tensor(ElementType type, std::vector<int64_t> shape,
                     std::vector<T> values) {
  Tensor result;
  result.type = type;
  result.shape = std::move(shape);
  result.data.resize(values.size() * sizeof(T));
  std::memcpy(result.data.data(), values.data(), result.data.size());
  return result;
}

TEST(Stats, TileCounts) {
  Tensor counts = tensor<int32_t>(ElementType::I32, {2, 2}, {3, 1, 5, 7});
  llvm::Expected<TileCounts> sums = sumTileCounts(counts);
  ASSERT_TRUE(bool(sums));
  EXPECT_EQ(sums->visited, 8U);
  EXPECT_EQ(sums->skipped, 8U);
  EXPECT_EQ(sums->sparsity(), 0.5);
  counts.written = {true, true, false, false};
  EXPECT_EQ(sumTileCounts(counts)->visited, 3U);
  EXPECT_EQ(sumTileCounts(counts)->sparsity(), 0.25);
  EXPECT_EQ(TileCounts().sparsity(), 0.0);
  Tensor negative = tensor<int32_t>(ElementType::I32, {2, 2}, {3, 1, 5, -7});
  EXPECT_EQ(toString(sumTileCounts(negative).takeError()),
            "statistic 'tile_counts': expected counts of at least 0, found -7 "
            "at [1, 1]");
}

TEST(Stats, Recall) {
  Tensor bounds = tensor<float>(ElementType::F32, {3}, {1.0F, 0.5F, 0.75F});
  EXPECT_EQ(summarizeRecall(bounds)->minimum, 0.5);
  EXPECT_EQ(summarizeRecall(bounds)->mean, 0.75);
  bounds.written = {true, false, false};
  EXPECT_EQ(summarizeRecall(bounds)->minimum, 1.0);
  bounds.written = {false, false, false};
  EXPECT_FALSE(summarizeRecall(bounds));
  // Wherever it stands, a NaN is not hidden.
  for (std::vector<float> values :
       {std::vector<float>{NAN, 0.5F}, std::vector<float>{0.5F, NAN}})
    EXPECT_TRUE(std::isnan(
        summarizeRecall(tensor(ElementType::F32, {2}, values))->minimum));
}

TEST(Stats, Json) {
  KernelStats dense, sparse;
  dense.name = "dense";
  dense.target = "sm_80";
  dense.launches = 1;
  sparse = dense;
  sparse.name = "sparse";
  sparse.tiles = TileCounts{6, 2};
  sparse.recall = RecallBound{NAN, 0.5};
  sparse.milliseconds = 1.5;
  sparse.counters = {{"mma", 12}};
  llvm::Expected<llvm::json::Value> value =
      llvm::json::parse(statsJson("a \"GPU\"", {dense, sparse}));
  ASSERT_TRUE(bool(value));
  llvm::json::Object first{{"name", "dense"},
                           {"target", "sm_80"},
                           {"launches", 1},
                           {"tiles_visited", nullptr},
                           {"tiles_skipped", nullptr},
                           {"sparsity", nullptr},
                           {"recall_bound", nullptr}};
  llvm::json::Object second{
      {"name", "sparse"},
      {"target", "sm_80"},
      {"launches", 1},
      {"tiles_visited", 6},
      {"tiles_skipped", 2},
      {"sparsity", 0.25},
      {"recall_bound", llvm::json::Object{{"minimum", nullptr}, {"mean", 0.5}}},
      {"time_ms", 1.5},
      {"emulator", llvm::json::Object{{"mma", 12}}}};
  llvm::json::Value expected = llvm::json::Object{
      {"device", "a \"GPU\""},
      {"kernels", llvm::json::Array{std::move(first), std::move(second)}}};
  EXPECT_EQ(*value, expected);
}
