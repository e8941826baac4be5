//===- LayoutAttrs.cpp - Token layouts: text form and limits --------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/InterleavedRange.h"

using namespace mlir;
using namespace mlir::sparse_attn;

using EmitError = function_ref<InFlightDiagnostic()>;

static Grid toGrid(ArrayRef<int64_t> sizes) {
  return {sizes[0], sizes[1], sizes[2]};
}

TokenOrder RasterLayoutAttr::getTokenOrder() const {
  return {Curve::Raster, toGrid(getGrid()), {}, getTail()};
}
TokenOrder HilbertLayoutAttr::getTokenOrder() const {
  return {Curve::Hilbert, toGrid(getGrid()), {}, getTail()};
}
TokenOrder GilbertLayoutAttr::getTokenOrder() const {
  return {Curve::Gilbert, toGrid(getGrid()), {}, getTail()};
}
TokenOrder MortonLayoutAttr::getTokenOrder() const {
  return {Curve::Morton, toGrid(getGrid()), {}, getTail()};
}
TokenOrder BoxLayoutAttr::getTokenOrder() const {
  return {Curve::Box, toGrid(getGrid()), toGrid(getBox()), getTail()};
}

//===----------------------------------------------------------------------===//
// Limits
//===----------------------------------------------------------------------===//

static LogicalResult verifySizes(EmitError emitError, StringRef what,
                                 ArrayRef<int64_t> sizes) {
  if (sizes.size() == 3 &&
      llvm::all_of(sizes, [](int64_t size) { return size > 0; }))
    return success();
  return emitError() << "expected three positive sizes (frames, rows, columns) "
                        "of a "
                     << what << ", found " << llvm::interleaved(sizes, "x");
}

static LogicalResult verifyLayout(EmitError emitError, ArrayRef<int64_t> grid,
                                  int64_t tail) {
  if (failed(verifySizes(emitError, "grid", grid)))
    return failure();
  if (tail < 0)
    return emitError() << "expected a tail of at least 0 tokens, found "
                       << tail;
  int64_t tokens = tail;
  if (llvm::MulOverflow(grid[0], grid[1], tokens) ||
      llvm::MulOverflow(tokens, grid[2], tokens) ||
      llvm::AddOverflow(tokens, tail, tokens) || tokens > maxTokens)
    return emitError() << "expected a layout of at most " << maxTokens
                       << " tokens, found " << llvm::interleaved(grid, "x")
                       << " and a tail of " << tail;
  return success();
}

LogicalResult RasterLayoutAttr::verify(EmitError emitError,
                                       ArrayRef<int64_t> grid, int64_t tail) {
  return verifyLayout(emitError, grid, tail);
}
LogicalResult HilbertLayoutAttr::verify(EmitError emitError,
                                        ArrayRef<int64_t> grid, int64_t tail) {
  return verifyLayout(emitError, grid, tail);
}
LogicalResult GilbertLayoutAttr::verify(EmitError emitError,
                                        ArrayRef<int64_t> grid, int64_t tail) {
  return verifyLayout(emitError, grid, tail);
}
LogicalResult MortonLayoutAttr::verify(EmitError emitError,
                                       ArrayRef<int64_t> grid, int64_t tail) {
  return verifyLayout(emitError, grid, tail);
}
LogicalResult BoxLayoutAttr::verify(EmitError emitError, ArrayRef<int64_t> box,
                                    ArrayRef<int64_t> grid, int64_t tail) {
  if (failed(verifySizes(emitError, "box", box)))
    return failure();
  return verifyLayout(emitError, grid, tail);
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static ParseResult parseSizes(AsmParser &parser, SmallVector<int64_t> &sizes) {
  return parser.parseDimensionList(sizes, /*allowDynamic=*/false,
                                   /*withTrailingX=*/false);
}

/// layout-end ::= sizes (`,` `tail` `=` integer)? `>`
static ParseResult parseGrid(AsmParser &parser, SmallVector<int64_t> &grid,
                             int64_t &tail) {
  if (parseSizes(parser, grid))
    return failure();
  tail = 0;
  if (succeeded(parser.parseOptionalComma()) &&
      (parser.parseKeyword("tail") || parser.parseEqual() ||
       parser.parseInteger(tail)))
    return failure();
  return parser.parseGreater();
}

static void printGrid(AsmPrinter &printer, ArrayRef<int64_t> grid,
                      int64_t tail) {
  printer.printDimensionList(grid);
  if (tail)
    printer << ", tail = " << tail;
  printer << '>';
}

template <typename Layout>
static Attribute parseLayout(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<int64_t> grid;
  int64_t tail;
  if (parser.parseLess() || parseGrid(parser, grid, tail))
    return {};
  auto emitError = [&] { return parser.emitError(loc); };
  return Layout::getChecked(EmitError(emitError), parser.getContext(),
                            ArrayRef<int64_t>(grid), tail);
}

Attribute RasterLayoutAttr::parse(AsmParser &parser, Type) {
  return parseLayout<RasterLayoutAttr>(parser);
}
Attribute HilbertLayoutAttr::parse(AsmParser &parser, Type) {
  return parseLayout<HilbertLayoutAttr>(parser);
}
Attribute GilbertLayoutAttr::parse(AsmParser &parser, Type) {
  return parseLayout<GilbertLayoutAttr>(parser);
}
Attribute MortonLayoutAttr::parse(AsmParser &parser, Type) {
  return parseLayout<MortonLayoutAttr>(parser);
}
Attribute BoxLayoutAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  SmallVector<int64_t> box, grid;
  int64_t tail;
  if (parser.parseLess() || parseSizes(parser, box) ||
      parser.parseKeyword("in") || parseGrid(parser, grid, tail))
    return {};
  auto emitError = [&] { return parser.emitError(loc); };
  return BoxLayoutAttr::getChecked(EmitError(emitError), parser.getContext(),
                                   ArrayRef<int64_t>(box),
                                   ArrayRef<int64_t>(grid), tail);
}

template <typename Layout>
static void printLayout(AsmPrinter &printer, Layout layout) {
  printer << '<';
  printGrid(printer, layout.getGrid(), layout.getTail());
}

void RasterLayoutAttr::print(AsmPrinter &printer) const {
  printLayout(printer, *this);
}
void HilbertLayoutAttr::print(AsmPrinter &printer) const {
  printLayout(printer, *this);
}
void GilbertLayoutAttr::print(AsmPrinter &printer) const {
  printLayout(printer, *this);
}
void MortonLayoutAttr::print(AsmPrinter &printer) const {
  printLayout(printer, *this);
}
void BoxLayoutAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printer.printDimensionList(getBox());
  printer << " in ";
  printGrid(printer, getGrid(), getTail());
}
