//===- SelectionAttrs.cpp - Selections and schedules: text and limits -----===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/RealText.h"
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::sparse_attn;

using EmitError = function_ref<InFlightDiagnostic()>;

//===----------------------------------------------------------------------===//
// Selections: number ::= real | `runtime`
//===----------------------------------------------------------------------===//

template <typename Selection>
static Attribute parseSelection(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  std::optional<double> number;
  if (parser.parseLess())
    return {};
  if (failed(parser.parseOptionalKeyword("runtime")) &&
      parseReal(parser, number.emplace()))
    return {};
  if (parser.parseGreater())
    return {};
  FloatAttr real;
  if (number)
    real = parser.getBuilder().getF64FloatAttr(*number);
  return parser.getChecked<Selection>(loc, parser.getContext(), real);
}

static std::optional<double> toNumber(FloatAttr real) {
  if (!real)
    return std::nullopt;
  return real.getValueAsDouble();
}

static void printSelection(AsmPrinter &printer, std::optional<double> number) {
  printer << '<';
  if (number)
    printReal(printer, *number);
  else
    printer << "runtime";
  printer << '>';
}

/// A share that is kept.
static LogicalResult verifyShare(EmitError emitError, StringRef what,
                                 std::optional<double> share) {
  if (!share || (*share > 0.0 && *share <= 1.0))
    return success();
  return emitError() << "expected a " << what
                     << " above 0 and at most 1, found " << spellReal(*share);
}

StringRef TopKSelectionAttr::getPolicy() const { return getMnemonic(); }
std::optional<double> TopKSelectionAttr::getNumber() const {
  return toNumber(getReal());
}
Attribute TopKSelectionAttr::parse(AsmParser &parser, Type) {
  return parseSelection<TopKSelectionAttr>(parser);
}
void TopKSelectionAttr::print(AsmPrinter &printer) const {
  printSelection(printer, getNumber());
}
LogicalResult TopKSelectionAttr::verify(EmitError emitError, FloatAttr real) {
  return verifyShare(emitError, "share of the blocks", toNumber(real));
}

StringRef TopPSelectionAttr::getPolicy() const { return getMnemonic(); }
std::optional<double> TopPSelectionAttr::getNumber() const {
  return toNumber(getReal());
}
Attribute TopPSelectionAttr::parse(AsmParser &parser, Type) {
  return parseSelection<TopPSelectionAttr>(parser);
}
void TopPSelectionAttr::print(AsmPrinter &printer) const {
  printSelection(printer, getNumber());
}
LogicalResult TopPSelectionAttr::verify(EmitError emitError, FloatAttr real) {
  return verifyShare(emitError, "share of the scores", toNumber(real));
}

StringRef CutoffSelectionAttr::getPolicy() const { return getMnemonic(); }
std::optional<double> CutoffSelectionAttr::getNumber() const {
  return toNumber(getReal());
}
Attribute CutoffSelectionAttr::parse(AsmParser &parser, Type) {
  return parseSelection<CutoffSelectionAttr>(parser);
}
void CutoffSelectionAttr::print(AsmPrinter &printer) const {
  printSelection(printer, getNumber());
}
LogicalResult CutoffSelectionAttr::verify(EmitError emitError, FloatAttr real) {
  std::optional<double> number = toNumber(real);
  if (!number || *number >= 0.0)
    return success();
  return emitError() << "expected a score of at least 0, found "
                     << spellReal(*number);
}

//===----------------------------------------------------------------------===//
// cache
//===----------------------------------------------------------------------===//

LogicalResult CacheScheduleAttr::verify(EmitError emitError, int64_t warmup,
                                        int64_t interval,
                                        DenseF64ArrayAttr ratios, int64_t steps,
                                        FloatAttr target) {
  if (warmup < 0 || interval < 1 || steps < 1 || warmup > INT32_MAX ||
      interval > INT32_MAX || steps > INT32_MAX)
    return emitError() << "expected a warm-up of at least 0 steps, an interval "
                          "and a number of steps of at least 1, found "
                       << warmup << ", " << interval << " and " << steps;
  if (ratios.empty())
    return emitError() << "expected at least one keep ratio, found none";
  for (double ratio : ratios.asArrayRef())
    if (failed(verifyShare(emitError, "keep ratio", ratio)))
      return failure();
  return verifyShare(emitError, "recall as the target", toNumber(target));
}

std::optional<double> CacheScheduleAttr::getTarget() const {
  return toNumber(getTargetRecall());
}

/// cache ::= `<` (name `=` value) (`,` name `=` value)* `>`
Attribute CacheScheduleAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  std::optional<int64_t> warmup, interval, steps;
  SmallVector<double> ratios;
  std::optional<double> target;
  llvm::StringSet<> seen;
  auto parseField = [&]() -> ParseResult {
    SMLoc nameLoc = parser.getCurrentLocation();
    StringRef name;
    if (parser.parseKeyword(&name) || parser.parseEqual())
      return failure();
    if (!seen.insert(name).second)
      return parser.emitError(nameLoc, "expected each field once, found '")
             << name << "' again";
    if (name == "warmup")
      return parser.parseInteger(warmup.emplace());
    if (name == "interval")
      return parser.parseInteger(interval.emplace());
    if (name == "steps")
      return parser.parseInteger(steps.emplace());
    if (name == "target")
      return parseReal(parser, target.emplace());
    if (name == "ratios")
      return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
        return parseReal(parser, ratios.emplace_back());
      });
    return parser.emitError(nameLoc, "expected 'warmup', 'interval', 'ratios', "
                                     "'steps' or 'target', found '")
           << name << "'";
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater,
                                     parseField))
    return {};
  if (!warmup || !interval || !steps) {
    parser.emitError(loc, "expected 'warmup', 'interval', 'ratios' and "
                          "'steps', found too few of them");
    return {};
  }
  Builder &b = parser.getBuilder();
  return parser.getChecked<CacheScheduleAttr>(
      loc, parser.getContext(), *warmup, *interval,
      b.getDenseF64ArrayAttr(ratios), *steps,
      target ? b.getF64FloatAttr(*target) : FloatAttr());
}

void CacheScheduleAttr::print(AsmPrinter &printer) const {
  printer << "<warmup = " << getWarmup() << ", interval = " << getInterval()
          << ", ratios = [";
  llvm::interleaveComma(getRatios(), printer.getStream(),
                        [&](double ratio) { printReal(printer, ratio); });
  printer << "], steps = " << getSteps();
  if (getTarget()) {
    printer << ", target = ";
    printReal(printer, *getTarget());
  }
  printer << '>';
}
