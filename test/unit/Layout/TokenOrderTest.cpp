//===- TokenOrderTest.cpp - Orders of the tokens of a video ---------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Layout/TokenOrder.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cstdlib>
#include <numeric>

using namespace mlir::sparse_attn;

namespace {

TokenOrder orderOf(Curve curve, Grid grid, int64_t tail = 0) {
  return {curve, grid, {2, 3, 4}, tail};
}

constexpr Curve curves[] = {Curve::Raster, Curve::Hilbert, Curve::Gilbert,
                            Curve::Morton, Curve::Box};

// The codes and orders of DFSAttn's reference implementation.
TEST(TokenOrder, HilbertCodes) {
  EXPECT_EQ(getHilbertCode({0, 0, 0}, 7), 0u);
  EXPECT_EQ(getHilbertCode({3, 2, 1}, 7), 36u);
  EXPECT_EQ(getHilbertCode({10, 22, 40}, 7), 104934u);
  EXPECT_EQ(getHilbertCode({20, 44, 79}, 7), 2011629u);
  EXPECT_EQ(getHilbertCode({32, 44, 79}, 7), 1920393u);
}

TEST(TokenOrder, SmallHilbertCurves) {
  EXPECT_EQ(getPermutation(orderOf(Curve::Hilbert, {2, 2, 2})),
            (std::vector<int32_t>{0, 4, 6, 2, 3, 7, 5, 1}));
  EXPECT_EQ(getPermutation(orderOf(Curve::Hilbert, {3, 4, 5})),
            (std::vector<int32_t>{
                0,  1,  21, 20, 25, 26, 6,  5,  10, 15, 35, 30, 31, 36, 16,
                11, 12, 17, 18, 13, 33, 38, 37, 32, 27, 7,  8,  28, 23, 3,
                2,  22, 42, 43, 48, 47, 52, 57, 58, 53, 56, 51, 50, 55, 46,
                45, 40, 41, 54, 59, 49, 44, 4,  24, 29, 9,  39, 34, 14, 19}));
}

// Every curve visits every token once, on boxes of all kinds of sizes.
TEST(TokenOrder, PermutationsOfAnyBox) {
  for (Curve curve : curves)
    for (int64_t frames = 1; frames <= 6; ++frames)
      for (int64_t rows = 1; rows <= 7; ++rows)
        for (int64_t columns = 1; columns <= 9; ++columns) {
          TokenOrder order = orderOf(curve, {frames, rows, columns}, 3);
          std::vector<int32_t> perm = getPermutation(order);
          ASSERT_EQ(static_cast<int64_t>(perm.size()), order.count());
          // The tail stays.
          for (int64_t at = order.grid.count(); at < order.count(); ++at)
            ASSERT_EQ(perm[at], at);
          std::vector<int32_t> inverse = invertPermutation(perm);
          for (size_t at = 0; at < perm.size(); ++at)
            ASSERT_EQ(perm[inverse[at]], static_cast<int32_t>(at));
          std::sort(perm.begin(), perm.end());
          for (size_t at = 0; at < perm.size(); ++at)
            ASSERT_EQ(perm[at], static_cast<int32_t>(at));
        }
}

TEST(TokenOrder, RasterIsTheIdentity) {
  std::vector<int32_t> expected(60);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(getPermutation(orderOf(Curve::Raster, {3, 4, 5})), expected);
}

TEST(TokenOrder, MortonTakesBitsInTurn) {
  // Columns are the most significant of each three bits.
  EXPECT_EQ(getPermutation(orderOf(Curve::Morton, {2, 2, 2})),
            (std::vector<int32_t>{0, 4, 2, 6, 1, 5, 3, 7}));
}

TEST(TokenOrder, BoxesAtTheEdgesAreSmaller) {
  TokenOrder order{Curve::Box, {1, 2, 5}, {1, 2, 3}, 0};
  EXPECT_EQ(getPermutation(order),
            (std::vector<int32_t>{0, 1, 2, 5, 6, 7, 3, 4, 8, 9}));
}

/// The longest step along any axis between tokens that follow each other.
int64_t longestStep(const TokenOrder &order) {
  const Grid &grid = order.grid;
  std::vector<int32_t> perm = getPermutation(order);
  int64_t longest = 0;
  for (size_t next = 1; next < perm.size(); ++next) {
    int64_t a = perm[next - 1], b = perm[next],
            plane = grid.rows * grid.columns;
    longest = std::max(
        {longest, std::abs(a / plane - b / plane),
         std::abs(a / grid.columns % grid.rows - b / grid.columns % grid.rows),
         std::abs(a % grid.columns - b % grid.columns)});
  }
  return longest;
}

TEST(TokenOrder, GilbertGoesFromNeighbourToNeighbour) {
  for (int64_t frames = 1; frames <= 7; ++frames)
    for (int64_t rows = 1; rows <= 7; ++rows)
      for (int64_t columns = 2; columns <= 11; ++columns) {
        TokenOrder order = orderOf(Curve::Gilbert, {frames, rows, columns});
        EXPECT_EQ(longestStep(order), 1);
        // Across corners only where a size is odd.
        if (frames % 2 == 0 && rows % 2 == 0 && columns % 2 == 0) {
          EXPECT_EQ(measureLocality(order, 8).breaks, 0);
        }
      }
}

// A video of 81 frames of 1280x720: blocks of 128 tokens.
TEST(TokenOrder, LocalityOfAVideo) {
  Grid grid{21, 45, 80};
  Locality raster = measureLocality(orderOf(Curve::Raster, grid), 128);
  Locality hilbert = measureLocality(orderOf(Curve::Hilbert, grid), 128);
  EXPECT_EQ(hilbert.breaks, 577);
  EXPECT_NEAR(hilbert.cells, 184, 0.5);
  EXPECT_NEAR(raster.cells, 405, 0.5);
  EXPECT_EQ(raster.breaks, 21 * 45 - 1);
  Locality gilbert = measureLocality(orderOf(Curve::Gilbert, grid), 128);
  EXPECT_EQ(gilbert.breaks, 552);
  EXPECT_NEAR(gilbert.cells, 212, 0.5);
}

TEST(TokenOrder, LocalityOfOneBlock) {
  // Two rows of three in one block, and a line of two in the next.
  Locality locality =
      measureLocality({Curve::Raster, {1, 2, 4}, {}, 5}, /*blockTokens=*/6);
  EXPECT_EQ(locality.breaks, 1);
  EXPECT_DOUBLE_EQ(locality.cells, (8 + 2) / 2.0);
}

} // namespace
