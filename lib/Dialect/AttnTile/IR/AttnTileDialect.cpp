//===- AttnTileDialect.cpp - Layouts, types and registration --------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/AttnTile/IR/AttnTile.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::attn_tile;

#include "SparseAttn/Dialect/AttnTile/IR/AttnTileAttrInterfaces.cpp.inc"
#include "SparseAttn/Dialect/AttnTile/IR/AttnTileDialect.cpp.inc"
#include "SparseAttn/Dialect/AttnTile/IR/AttnTileEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "SparseAttn/Dialect/AttnTile/IR/AttnTileAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "SparseAttn/Dialect/AttnTile/IR/AttnTileTypes.cpp.inc"

void AttnTileDialect::initialize() {
  registerAttributes();
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "SparseAttn/Dialect/AttnTile/IR/AttnTileOps.cpp.inc"
      >();
}

void AttnTileDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "SparseAttn/Dialect/AttnTile/IR/AttnTileAttrs.cpp.inc"
      >();
}

void AttnTileDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "SparseAttn/Dialect/AttnTile/IR/AttnTileTypes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

using EmitError = function_ref<InFlightDiagnostic()>;

static LogicalResult verifyWarps(EmitError emitError, int64_t warps) {
  if (warps < 1 || warps > 32)
    return emitError() << "expected 1 to 32 warps, found " << warps;
  return success();
}
LogicalResult AccumulatorAttr::verify(EmitError emitError, int64_t warps) {
  return verifyWarps(emitError, warps);
}
LogicalResult RowsAttr::verify(EmitError emitError, int64_t warps) {
  return verifyWarps(emitError, warps);
}
LogicalResult OperandAttr::verify(EmitError emitError, int64_t warps) {
  return verifyWarps(emitError, warps);
}

/// Checks a 2-D tile whose rows are spread over warps in pieces of 16.
/// Dynamic sizes are refused by name: they would pass a test by remainder.
static LogicalResult verifyTile(EmitError emitError, StringRef name,
                                ArrayRef<int64_t> shape, int64_t warps,
                                int64_t columns) {
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape) ||
      shape[0] % (16 * warps) || shape[1] % columns)
    return emitError() << "expected a static 2-D tile with a multiple of "
                       << 16 * warps << " rows and of " << columns
                       << " columns for #attn_tile." << name;
  return success();
}

int64_t AccumulatorAttr::getElementsPerThread(ArrayRef<int64_t> shape) const {
  return shape[0] * shape[1] / (32 * getWarps());
}
int64_t AccumulatorAttr::getNumWarps() const { return getWarps(); }
LogicalResult AccumulatorAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                                              EmitError emitError) const {
  return verifyTile(emitError, getMnemonic(), shape, getWarps(), 8);
}

int64_t RowsAttr::getElementsPerThread(ArrayRef<int64_t> shape) const {
  return shape[0] / (8 * getWarps());
}
int64_t RowsAttr::getNumWarps() const { return getWarps(); }
LogicalResult RowsAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                                       EmitError emitError) const {
  if (shape.size() != 1 || ShapedType::isDynamicShape(shape) ||
      shape[0] % (16 * getWarps()))
    return emitError() << "expected a static 1-D tile with a multiple of "
                       << 16 * getWarps() << " rows for #attn_tile.rows";
  return success();
}

int64_t OperandAttr::getElementsPerThread(ArrayRef<int64_t> shape) const {
  return shape[0] * shape[1] / (32 * getWarps());
}
int64_t OperandAttr::getNumWarps() const { return getWarps(); }
LogicalResult OperandAttr::verifyEncoding(ArrayRef<int64_t> shape, Type element,
                                          EmitError emitError) const {
  if (!element.isF16() && !element.isBF16() && !element.isF32())
    return emitError() << "expected f16, bf16 or f32 elements for "
                          "#attn_tile.operand, found "
                       << element;
  return verifyTile(emitError, getMnemonic(), shape, getWarps(), 16);
}

//===----------------------------------------------------------------------===//
// !attn_tile.matrix<64xf16, rows = 64, columns = 1>
//===----------------------------------------------------------------------===//

Type MatrixType::parse(AsmParser &parser) {
  SmallVector<int64_t> columns;
  Type element;
  int64_t rowPitch = 0, columnPitch = 1;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(columns, /*allowDynamic=*/true) ||
      parser.parseType(element) || parser.parseComma() ||
      parser.parseKeyword("rows") || parser.parseEqual())
    return {};
  if (succeeded(parser.parseOptionalQuestion()))
    rowPitch = ShapedType::kDynamic;
  else if (parser.parseInteger(rowPitch))
    return {};
  if (succeeded(parser.parseOptionalComma()) &&
      (parser.parseKeyword("columns") || parser.parseEqual() ||
       parser.parseInteger(columnPitch)))
    return {};
  if (parser.parseGreater())
    return {};
  if (columns.size() != 1) {
    parser.emitError(loc, "expected one size (columns) of a matrix, found ")
        << columns.size();
    return {};
  }
  return parser.getChecked<MatrixType>(loc, parser.getContext(), columns[0],
                                       element, rowPitch, columnPitch);
}

void MatrixType::print(AsmPrinter &printer) const {
  printer << '<';
  printer.printDimensionList({getColumns()});
  printer << 'x' << getElementType() << ", rows = ";
  if (ShapedType::isDynamic(getRowPitch()))
    printer << '?';
  else
    printer << getRowPitch();
  if (getColumnPitch() != 1)
    printer << ", columns = " << getColumnPitch();
  printer << '>';
}

LogicalResult MatrixType::verify(EmitError emitError, int64_t columns,
                                 Type element, int64_t rowPitch,
                                 int64_t columnPitch) {
  if (columns < 0 && !ShapedType::isDynamic(columns))
    return emitError() << "expected at least 0 columns of a matrix, found "
                       << columns;
  if (!element.isIntOrFloat())
    return emitError() << "expected a matrix of numbers, found " << element;
  if ((rowPitch < 0 && !ShapedType::isDynamic(rowPitch)) || columnPitch < 0)
    return emitError() << "expected pitches of at least 0, found " << rowPitch
                       << " and " << columnPitch;
  return success();
}

//===----------------------------------------------------------------------===//
// !attn_tile.shared<64x128xf16>
//===----------------------------------------------------------------------===//

Type SharedType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(element) || parser.parseGreater())
    return {};
  if (shape.size() != 2) {
    parser.emitError(loc, "expected two sizes (rows, columns) of a shared "
                          "tile, found ")
        << shape.size();
    return {};
  }
  return parser.getChecked<SharedType>(loc, parser.getContext(), shape[0],
                                       shape[1], element);
}

void SharedType::print(AsmPrinter &printer) const {
  printer << '<';
  printer.printDimensionList({getRows(), getColumns()});
  printer << 'x' << getElementType() << '>';
}

int64_t SharedType::getRowBytes() const {
  return getColumns() * getElementType().getIntOrFloatBitWidth() / 8;
}

LogicalResult SharedType::verify(EmitError emitError, int64_t rows,
                                 int64_t columns, Type element) {
  if (!element.isF16() && !element.isBF16() && !element.isF32())
    return emitError() << "expected f16, bf16 or f32 elements of a shared "
                          "tile, found "
                       << element;
  // Far above what any thread block has: sizes in bytes must not overflow.
  constexpr int64_t limit = 1 << 20;
  if (rows > limit || columns > limit)
    return emitError() << "expected at most " << limit
                       << " rows and columns of a shared tile, found " << rows
                       << " and " << columns;
  int64_t bytes = columns * element.getIntOrFloatBitWidth() / 8;
  if (rows <= 0 || rows % 8 || columns <= 0 || bytes % 32)
    return emitError() << "expected a multiple of 8 rows and of 32 bytes a row "
                          "of a shared tile, found "
                       << rows << " rows of " << bytes << " bytes";
  return success();
}
