//===- TokenOrder.h - Orders of the tokens of a video -----------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tokens of a video lie on a grid of frames, rows and columns. Which order they
// have decides how compact a block of neighbours is, and with it how much of
// the attention falls into few pairs of blocks. Needs neither MLIR nor LLVM.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LAYOUT_TOKENORDER_H
#define SPARSEATTN_LAYOUT_TOKENORDER_H

#include <cstdint>
#include <vector>

namespace mlir::sparse_attn {

/// Sizes of a grid, or a place on it.
struct Grid {
  int64_t frames = 1, rows = 1, columns = 1;

  int64_t count() const { return frames * rows * columns; }
  friend bool operator==(const Grid &a, const Grid &b) {
    return a.frames == b.frames && a.rows == b.rows && a.columns == b.columns;
  }
};

enum class Curve {
  Raster,  // frame by frame, row by row
  Hilbert, // the power-of-two cube around the grid, what lies outside left out
  Gilbert, // generalised Hilbert: halves of any box, no power of two
  Morton,  // bits of column, row and frame in turn, left out as for Hilbert
  Box      // box by box in raster order, and so within each box
};

/// An order of the tokens of a grid, followed by `tail` tokens of no place
/// (text) that stay where they are.
struct TokenOrder {
  Curve curve = Curve::Raster;
  Grid grid;
  Grid box;
  int64_t tail = 0;

  int64_t count() const { return grid.count() + tail; }
};

/// The most tokens of an order.
constexpr int64_t maxTokens = int64_t(1) << 30;

/// perm[p] is the index, in raster order, of the token at position p. The
/// order must have 1 to `maxTokens` tokens, its grid and box positive sizes.
std::vector<int32_t> getPermutation(const TokenOrder &order);

/// inverse[perm[p]] = p.
std::vector<int32_t> invertPermutation(const std::vector<int32_t> &perm);

/// The position of a place along Hilbert's curve through the cube of 2^bits
/// cells a side (Skilling, AIP Conf. Proc. 707, 2004; column, row, frame).
uint64_t getHilbertCode(const Grid &place, unsigned bits);

/// How compact blocks of neighbours are.
struct Locality {
  /// Neighbours in the order that are no neighbours on the grid.
  int64_t breaks = 0;
  /// Mean number of grid cells in the bounding box of a block.
  double cells = 0;
};

/// Over the grid's tokens in blocks of `blockTokens`, the tail left out.
Locality measureLocality(const TokenOrder &order, int64_t blockTokens);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LAYOUT_TOKENORDER_H
