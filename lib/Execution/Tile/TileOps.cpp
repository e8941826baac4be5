//===- TileOps.cpp - Products, reductions, votes --------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn_tile;
using sparse_attn::Precision;

//===----------------------------------------------------------------------===//
// Matrix product
//===----------------------------------------------------------------------===//

/// `sum += a · b` in f32, with `a` of m x k and `b` of k x n. Products of f16,
/// bf16 and tf32 numbers are exact in f32.
static void multiply(const std::vector<float> &a, const std::vector<float> &b,
                     std::vector<float> &sum, int64_t m, int64_t n, int64_t k) {
  for (int64_t i = 0; i < m; ++i) {
    float *row = sum.data() + i * n;
    for (int64_t l = 0; l < k; ++l) {
      float factor = a[i * k + l];
      const float *other = b.data() + l * n;
      for (int64_t j = 0; j < n; ++j)
        row[j] += factor * other[j];
    }
  }
}

static std::vector<float> transpose(const std::vector<float> &values,
                                    int64_t rows, int64_t columns) {
  std::vector<float> result(values.size());
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      result[j * rows + i] = values[i * columns + j];
  return result;
}

/// Splits every number into its tf32 part, which stays, and the tf32 part of
/// the rest, which is returned.
static std::vector<float> split(std::vector<float> &values) {
  std::vector<float> rest(values.size());
  for (auto [value, low] : llvm::zip_equal(values, rest)) {
    float high = roundToTF32(value);
    low = roundToTF32(value - high);
    value = high;
  }
  return rest;
}

static llvm::Error runMma(Interpreter &state, Operation *op) {
  auto mma = cast<MmaOp>(op);
  llvm::Expected<const Tile *> aTile = readOperand(state, op, mma.getA());
  if (!aTile)
    return aTile.takeError();
  llvm::Expected<const Tile *> bTile = readOperand(state, op, mma.getB());
  if (!bTile)
    return bTile.takeError();

  std::vector<float> a = (*aTile)->floats;
  std::vector<float> b =
      mma.getTransposeB()
          ? transpose((*bTile)->floats, (*bTile)->shape[0], (*bTile)->shape[1])
          : (*bTile)->floats;
  Tile result = state.getTile(mma.getAccumulator());
  int64_t m = result.shape[0], n = result.shape[1], k = (*aTile)->shape[1];

  std::optional<Precision> precision = mma.getPrecision();
  if (precision == Precision::tf32x3) {
    // The small products first, so that they are not lost in the sum.
    std::vector<float> aRest = split(a), bRest = split(b);
    multiply(aRest, b, result.floats, m, n, k);
    multiply(a, bRest, result.floats, m, n, k);
  } else if (precision == Precision::tf32) {
    llvm::transform(a, a.begin(), roundToTF32);
    llvm::transform(b, b.begin(), roundToTF32);
  } else if (precision == Precision::bf16) {
    Element bf16{Element::Kind::BF16, 16};
    auto round = [&](float value) { return bf16.round(value); };
    llvm::transform(a, a.begin(), round);
    llvm::transform(b, b.begin(), round);
  }
  multiply(a, b, result.floats, m, n, k);
  state.setTile(mma, std::move(result));
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// A maximum ignores NaN, as max.f32 does.
static float combine(ReduceKind kind, float left, float right) {
  return kind == ReduceKind::max ? std::fmax(left, right) : left + right;
}
static int64_t combine(ReduceKind kind, int64_t left, int64_t right) {
  return kind == ReduceKind::max
             ? std::max(left, right)
             : static_cast<int64_t>(static_cast<uint64_t>(left) + right);
}

/// `into = combine(into, from)`, in the precision of the elements.
static void accumulate(ReduceKind kind, Tile &target, size_t into,
                       const Tile &source, size_t from) {
  const Element &element = target.element;
  if (element.isFloat())
    target.floats[into] =
        element.round(combine(kind, target.floats[into], source.floats[from]));
  else
    target.integers[into] = element.wrap(
        combine(kind, target.integers[into], source.integers[from]));
}

static void copyElement(Tile &target, size_t into, const Tile &source,
                        size_t from) {
  if (target.element.isFloat())
    target.floats[into] = source.floats[from];
  else
    target.integers[into] = source.integers[from];
}

/// Column c of the result, of `width` columns, combines the columns c,
/// c + width, c + 2 width, ... A width of 1 reduces rows.
static llvm::Error fold(Operation *op, ReduceKind kind, const Tile &tile,
                        int64_t width, Tile &result) {
  int64_t rows = tile.shape[0], columns = tile.shape[1];
  if (tile.element.width == 1)
    return fault(op, "expected floats or integers of more than one bit");
  if (tile.element.kind != result.element.kind ||
      tile.element.width != result.element.width || columns == 0)
    return fault(op, "expected a tile of at least one column and a result of "
                     "its element type");
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      size_t from = i * columns + j, into = i * width + j % width;
      if (j < width)
        copyElement(result, into, tile, from);
      else
        accumulate(kind, result, into, tile, from);
    }
  return llvm::Error::success();
}

static llvm::Error reduceRows(Operation *op, ArrayRef<const Tile *> operands,
                              Tile &result) {
  return fold(op, cast<ReduceRowsOp>(op).getKind(), *operands[0], 1, result);
}

static llvm::Error foldColumns(Operation *op, ArrayRef<const Tile *> operands,
                               Tile &result) {
  return fold(op, cast<FoldColumnsOp>(op).getKind(), *operands[0],
              result.shape[1], result);
}

static llvm::Error foldPairs(Operation *op, ArrayRef<const Tile *> operands,
                             Tile &result) {
  const Tile &tile = *operands[0];
  if (tile.shape[1] % 2 || tile.element.width == 1)
    return fault(op, "expected an even number of columns of floats or integers "
                     "of more than one bit");
  for (size_t i = 0; i < tile.size(); i += 2) {
    copyElement(result, i, tile, i);
    accumulate(cast<FoldPairsOp>(op).getKind(), result, i, tile, i + 1);
    copyElement(result, i + 1, result, i);
  }
  return llvm::Error::success();
}

static llvm::Error expandRows(Operation *op, ArrayRef<const Tile *> operands,
                              Tile &result) {
  const Tile &rows = *operands[0];
  if (rows.element.kind != result.element.kind ||
      rows.element.width != result.element.width)
    return fault(op, "expected a result of the rows' element type");
  int64_t columns = result.shape[1];
  for (int64_t i = 0; i < result.shape[0]; ++i)
    for (int64_t j = 0; j < columns; ++j)
      copyElement(result, i * columns + j, rows, i);
  return llvm::Error::success();
}

static llvm::Error rowIndex(Operation *, ArrayRef<const Tile *> operands,
                            Tile &result) {
  for (size_t i = 0; i < result.size(); ++i)
    result.integers[i] =
        result.element.wrap(operands[0]->integers[0] + static_cast<int64_t>(i));
  return llvm::Error::success();
}

static llvm::Error columnIndex(Operation *, ArrayRef<const Tile *> operands,
                               Tile &result) {
  for (size_t i = 0; i < result.size(); ++i)
    result.integers[i] = result.element.wrap(
        operands[0]->integers[0] + static_cast<int64_t>(i) % result.shape[1]);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// What the block agrees on
//===----------------------------------------------------------------------===//

static llvm::Error runAnyRow(Interpreter &state, Operation *op) {
  auto any = cast<AnyRowOp>(op);
  llvm::Expected<Tile> result = state.makeTile(op, any);
  if (!result)
    return result.takeError();
  result->integers[0] = llvm::any_of(state.getTile(any.getRows()).integers,
                                     [](int64_t row) { return row != 0; });
  state.setTile(any, std::move(*result));
  state.barrier();
  return llvm::Error::success();
}

static llvm::Error runSumRows(Interpreter &state, Operation *op) {
  auto sum = cast<SumRowsOp>(op);
  llvm::Expected<Tile> result = state.makeTile(op, sum);
  if (!result)
    return result.takeError();
  for (float row : state.getTile(sum.getRows()).floats)
    result->floats[0] += row;
  state.setTile(sum, std::move(*result));
  state.barrier();
  return llvm::Error::success();
}

void attn_tile::addTileOps(OpTable &table) {
  table.ops["attn_tile.mma"] = runMma;
  table.ops["attn_tile.any_row"] = runAnyRow;
  table.ops["attn_tile.sum_rows"] = runSumRows;
  table.tileOps["attn_tile.reduce_rows"] = reduceRows;
  table.tileOps["attn_tile.fold_columns"] = foldColumns;
  table.tileOps["attn_tile.fold_pairs"] = foldPairs;
  table.tileOps["attn_tile.expand_rows"] = expandRows;
  table.tileOps["attn_tile.row_index"] = rowIndex;
  table.tileOps["attn_tile.column_index"] = columnIndex;
}
