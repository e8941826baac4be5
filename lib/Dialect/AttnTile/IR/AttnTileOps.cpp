//===- AttnTileOps.cpp - Verification of tile operations ------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/AttnTile/IR/AttnTile.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::attn_tile;

#define GET_OP_CLASSES
#include "SparseAttn/Dialect/AttnTile/IR/AttnTileOps.cpp.inc"

/// Dynamic sizes are refused: they would compare equal to each other.
static LogicalResult verifyStatic(Operation *op, RankedTensorType tile) {
  if (!tile.hasStaticShape())
    return op->emitOpError("expected a tile of static size, found ") << tile;
  return success();
}

/// Checks that whole rows of `matrix` fit tiles of `columns` x `element`, which
/// may be wider.
static LogicalResult verifyRows(Operation *op, MatrixType matrix,
                                int64_t columns, Type element) {
  if (matrix.getColumnPitch() != 1)
    return op->emitOpError("expected a matrix of adjacent columns, found a "
                           "column pitch of ")
           << matrix.getColumnPitch();
  if (ShapedType::isDynamic(matrix.getRowPitch()))
    return op->emitOpError("expected a matrix of a static row pitch, found ")
           << matrix;
  if (ShapedType::isDynamic(matrix.getColumns()) ||
      matrix.getColumns() > columns || matrix.getElementType() != element)
    return op->emitOpError("expected a matrix of at most ")
           << columns << " columns of " << element << ", found " << matrix;
  return success();
}

LogicalResult LoadOp::verify() {
  auto tile = cast<RankedTensorType>(getResult().getType());
  if (failed(verifyStatic(*this, tile)))
    return failure();
  return verifyRows(*this, getMatrix().getType(), tile.getDimSize(1),
                    tile.getElementType());
}

LogicalResult LoadElementsOp::verify() {
  auto tile = cast<RankedTensorType>(getResult().getType());
  if (failed(verifyStatic(*this, tile)))
    return failure();
  if (getMatrix().getType().getElementType() != tile.getElementType())
    return emitOpError("expected a matrix of ")
           << tile.getElementType() << ", found " << getMatrix().getType();
  return success();
}

LogicalResult GatherOp::verify() {
  Type offset = getOffset().getType(), result = getResult().getType();
  if (!getElementTypeOrSelf(result).isIntOrFloat())
    return emitOpError("expected numbers as elements, found ") << result;
  if (!isa<RankedTensorType>(offset))
    return isa<ShapedType>(result)
               ? emitOpError("expected one number for one offset, found ")
                     << result
               : success();
  auto tile = dyn_cast<RankedTensorType>(result);
  auto offsets = cast<RankedTensorType>(offset);
  if (!tile || tile.getShape() != offsets.getShape() ||
      tile.getEncoding() != offsets.getEncoding())
    return emitOpError("expected a tile like that of the offsets, ")
           << offset << ", found " << result;
  return success();
}

LogicalResult StoreOp::verify() {
  auto tile = cast<RankedTensorType>(getTile().getType());
  if (tile.getRank() == 0 || tile.getRank() > 2)
    return emitOpError("expected a tile of rank 1 or 2, found ")
           << tile.getRank();
  return verifyRows(*this, getMatrix().getType(),
                    tile.getRank() == 1 ? 1 : tile.getDimSize(1),
                    tile.getElementType());
}

LogicalResult StoreBlockSumsOp::verify() {
  auto tile = cast<RankedTensorType>(getTile().getType());
  ArrayRef<int64_t> block = getBlock();
  auto isPower = [](int64_t n) { return n > 0 && llvm::isPowerOf2_64(n); };
  if (block.size() != 2 || !isPower(block[0]) || block[0] > 8 ||
      !isPower(block[1]) || block[1] < 2 || tile.getDimSize(0) % block[0] ||
      tile.getDimSize(1) % block[1])
    return emitOpError("expected blocks of 1, 2, 4 or 8 rows by a power of 2 "
                       "of at least 2 columns that divide ")
           << tile << ", found [" << block << "]";
  if (!tile.getElementType().isF32() ||
      !getMatrix().getType().getElementType().isF32())
    return emitOpError("expected f32, found ")
           << tile << " and " << getMatrix().getType();
  return success();
}

LogicalResult CopyAsyncOp::verify() {
  SharedType tile = getTile().getType();
  return verifyRows(*this, getMatrix().getType(), tile.getColumns(),
                    tile.getElementType());
}

LogicalResult LoadSharedOp::verify() {
  auto result = cast<RankedTensorType>(getResult().getType());
  SharedType tile = getTile().getType();
  if (result.getShape() !=
          ArrayRef<int64_t>{tile.getRows(), tile.getColumns()} ||
      result.getElementType() != tile.getElementType())
    return emitOpError("expected a result of ")
           << tile.getRows() << "x" << tile.getColumns() << "x"
           << tile.getElementType() << ", found " << result;
  return success();
}

/// Rows, columns and element type of an operand, wherever it lies.
static std::tuple<int64_t, int64_t, Type> describe(Type type) {
  if (auto shared = dyn_cast<SharedType>(type))
    return {shared.getRows(), shared.getColumns(), shared.getElementType()};
  auto tensor = cast<RankedTensorType>(type);
  return {tensor.getDimSize(0), tensor.getDimSize(1), tensor.getElementType()};
}

LogicalResult MmaOp::verify() {
  auto [m, k, aType] = describe(getA().getType());
  auto [bRows, bColumns, bType] = describe(getB().getType());
  int64_t bk = getTransposeB() ? bColumns : bRows;
  int64_t n = getTransposeB() ? bRows : bColumns;
  auto result = cast<RankedTensorType>(getResult().getType());
  for (Type type : std::initializer_list<Type>{
           getA().getType(), getB().getType(), getResult().getType()})
    if (auto tile = dyn_cast<RankedTensorType>(type);
        tile && failed(verifyStatic(*this, tile)))
      return failure();
  if (aType != bType)
    return emitOpError("expected operands of one element type, found ")
           << aType << " and " << bType;
  if (!aType.isF16() && !aType.isBF16() && !aType.isF32())
    return emitOpError("expected operands of f16, bf16 or f32, found ")
           << aType;
  if (aType.isF32() != getPrecision().has_value())
    return emitOpError(aType.isF32() ? "expected a precision for f32 operands"
                                     : "expected no precision for operands "
                                       "other than f32");
  if (k != bk)
    return emitOpError("expected operands that agree in the contracted size, "
                       "found ")
           << k << " and " << bk;
  if (result.getDimSize(0) != m || result.getDimSize(1) != n ||
      !result.getElementType().isF32())
    return emitOpError("expected an accumulator of ")
           << m << "x" << n << "xf32, found " << result;
  return success();
}

/// Checks rows against the tile that they belong to, layout included.
static LogicalResult verifyRowsOf(Operation *op, RankedTensorType rows,
                                  RankedTensorType tile) {
  if (failed(verifyStatic(op, rows)) || failed(verifyStatic(op, tile)))
    return failure();
  if (rows.getElementType() != tile.getElementType())
    return op->emitOpError("expected rows of ")
           << tile.getElementType() << ", found " << rows;
  if (rows.getDimSize(0) != tile.getDimSize(0))
    return op->emitOpError("expected ")
           << tile.getDimSize(0) << " rows, found " << rows.getDimSize(0);
  Attribute expected;
  if (auto layout = dyn_cast_or_null<AccumulatorAttr>(tile.getEncoding()))
    expected = RowsAttr::get(op->getContext(), layout.getWarps());
  if (rows.getEncoding() != expected)
    return op->emitOpError("expected rows in the layout of the tile, found ")
           << rows << " and " << tile;
  return success();
}

LogicalResult ReduceRowsOp::verify() {
  return verifyRowsOf(*this, cast<RankedTensorType>(getResult().getType()),
                      cast<RankedTensorType>(getTile().getType()));
}

LogicalResult ExpandRowsOp::verify() {
  return verifyRowsOf(*this, cast<RankedTensorType>(getRows().getType()),
                      cast<RankedTensorType>(getResult().getType()));
}

LogicalResult FoldColumnsOp::verify() {
  auto tile = cast<RankedTensorType>(getTile().getType());
  auto result = cast<RankedTensorType>(getResult().getType());
  if (failed(verifyStatic(*this, tile)) || failed(verifyStatic(*this, result)))
    return failure();
  if (tile.getEncoding() != result.getEncoding() ||
      tile.getElementType() != result.getElementType() ||
      tile.getDimSize(0) != result.getDimSize(0))
    return emitOpError("expected a result of the tile's rows, element type and "
                       "layout, found ")
           << result << " and " << tile;
  if (result.getDimSize(1) <= 0 || tile.getDimSize(1) % result.getDimSize(1))
    return emitOpError("expected a width that divides ")
           << tile.getDimSize(1) << ", found " << result.getDimSize(1);
  return success();
}
