//===- SparseAttnAttrs.cpp - Filters: text form and limits ----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/RealText.h"
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Target/TargetInfo.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::sparse_attn;

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnAttrInterfaces.cpp.inc"
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnAttrs.cpp.inc"

void SparseAttnDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnAttrs.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// dense
//===----------------------------------------------------------------------===//

StringRef DenseFilterAttr::getPolicy() const { return getMnemonic(); }
bool DenseFilterAttr::canSkip() const { return false; }

//===----------------------------------------------------------------------===//
// threshold
//===----------------------------------------------------------------------===//

StringRef ThresholdFilterAttr::getPolicy() const { return getMnemonic(); }
bool ThresholdFilterAttr::canSkip() const { return getReal() > 0.0; }

LogicalResult
ThresholdFilterAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                            APFloat real, bool) {
  double value = real.convertToDouble();
  if (!(value >= 0.0) || std::isinf(value))
    return emitError() << "expected a finite threshold of at least 0, found "
                       << spellReal(value);
  return success();
}

Attribute ThresholdFilterAttr::parse(AsmParser &parser, Type) {
  double value = 0;
  bool perKey = false;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parseReal(parser, value))
    return {};
  if (succeeded(parser.parseOptionalSlash())) {
    if (parser.parseKeyword("keys"))
      return {};
    perKey = true;
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<ThresholdFilterAttr>(loc, parser.getContext(),
                                                APFloat(value), perKey);
}

void ThresholdFilterAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printReal(printer, getReal());
  if (getPerKey())
    printer << " / keys";
  printer << '>';
}

//===----------------------------------------------------------------------===//
// energy
//===----------------------------------------------------------------------===//

StringRef EnergyFilterAttr::getPolicy() const { return getMnemonic(); }
bool EnergyFilterAttr::canSkip() const {
  return getIsBudget() ? getReal() > 0.0 : !std::isinf(getReal());
}

LogicalResult
EnergyFilterAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                         APFloat real, bool isBudget) {
  double value = real.convertToDouble();
  if (isBudget && (!(value >= 0.0) || std::isinf(value)))
    return emitError()
           << "expected a finite energy budget of at least 0, found "
           << spellReal(value);
  if (std::isnan(value) || value == std::numeric_limits<double>::infinity())
    return emitError() << "expected an energy threshold below inf, found "
                       << spellReal(value);
  return success();
}

Attribute EnergyFilterAttr::parse(AsmParser &parser, Type) {
  double value = 0;
  bool isBudget = false;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess())
    return {};
  if (succeeded(parser.parseOptionalKeyword("budget"))) {
    isBudget = true;
    if (parser.parseEqual())
      return {};
  }
  if (parseReal(parser, value) || parser.parseGreater())
    return {};
  return parser.getChecked<EnergyFilterAttr>(loc, parser.getContext(),
                                             APFloat(value), isBudget);
}

void EnergyFilterAttr::print(AsmPrinter &printer) const {
  printer << '<';
  if (getIsBudget())
    printer << "budget = ";
  printReal(printer, getReal());
  printer << '>';
}

//===----------------------------------------------------------------------===//
// recall
//===----------------------------------------------------------------------===//

StringRef RecallFilterAttr::getPolicy() const { return getMnemonic(); }
bool RecallFilterAttr::canSkip() const { return getReal() < 1.0; }

LogicalResult
RecallFilterAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                         APFloat real, bool, int64_t groups) {
  double recall = real.convertToDouble();
  if (!(recall > 0.0 && recall <= 1.0))
    return emitError() << "expected a recall above 0 and at most 1, found "
                       << spellReal(recall);
  if (groups != 0 && groups != 4 && groups != 8 && groups != 16 && groups != 32)
    return emitError() << "expected 4, 8, 16 or 32 groups, found " << groups;
  return success();
}

Attribute RecallFilterAttr::parse(AsmParser &parser, Type) {
  double recall = 0;
  bool perTile = false;
  int64_t groups = 0;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parseReal(parser, recall))
    return {};
  while (succeeded(parser.parseOptionalComma())) {
    StringRef word;
    SMLoc wordLoc = parser.getCurrentLocation();
    if (parser.parseKeyword(&word))
      return {};
    if (word == "groups") {
      SMLoc countLoc;
      if (parser.parseEqual())
        return {};
      countLoc = parser.getCurrentLocation();
      if (parser.parseInteger(groups))
        return {};
      if (groups == 0) {
        parser.emitError(countLoc, "expected 4, 8, 16 or 32 groups, found 0");
        return {};
      }
    } else if (word == "row" || word == "tile") {
      perTile = word == "tile";
    } else if (word == "exact") {
      groups = 0;
    } else {
      parser.emitError(wordLoc, "expected 'row', 'tile', 'exact' or 'groups', "
                                "found '")
          << word << "'";
      return {};
    }
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<RecallFilterAttr>(loc, parser.getContext(),
                                             APFloat(recall), perTile, groups);
}

void RecallFilterAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printReal(printer, getReal());
  if (getPerTile())
    printer << ", tile";
  if (!isExact())
    printer << ", groups = " << getGroups();
  printer << '>';
}

//===----------------------------------------------------------------------===//
// target
//===----------------------------------------------------------------------===//

LogicalResult TargetAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StringRef chip) {
  if (!TargetInfo::lookup(chip))
    return emitError() << "expected one of the targets " << TargetInfo::names()
                       << ", found \"" << chip << "\"";
  return success();
}
