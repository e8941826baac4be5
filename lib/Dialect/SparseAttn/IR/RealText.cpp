//===- RealText.cpp - Real numbers in text --------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/RealText.h"
#include "llvm/Support/Format.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

using namespace mlir;

std::string sparse_attn::spellReal(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  std::string text;
  for (int digits = 1; digits <= 17; ++digits) {
    text.clear();
    llvm::raw_string_ostream(text) << llvm::format("%.*g", digits, value);
    if (std::strtod(text.c_str(), nullptr) == value)
      break;
  }
  return text;
}

void sparse_attn::printReal(AsmPrinter &printer, double value) {
  std::string text = spellReal(value);
  if (!std::isinf(value) && text.find('.') == std::string::npos)
    text.insert(std::min(text.find('e'), text.size()), ".0");
  printer << text;
}

ParseResult sparse_attn::parseReal(AsmParser &parser, double &value) {
  bool negative = succeeded(parser.parseOptionalMinus());
  if (succeeded(parser.parseOptionalKeyword("inf"))) {
    value = std::numeric_limits<double>::infinity();
  } else {
    int64_t integer;
    OptionalParseResult whole = parser.parseOptionalInteger(integer);
    if (whole.has_value()) {
      if (failed(*whole))
        return failure();
      value = static_cast<double>(integer);
    } else if (parser.parseFloat(value)) {
      return failure();
    }
  }
  if (negative)
    value = -value;
  return success();
}
