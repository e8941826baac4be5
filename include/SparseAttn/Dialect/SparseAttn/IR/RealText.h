//===- RealText.h - Real numbers in text -----------------------*- C++ -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_SPARSEATTN_IR_REALTEXT_H
#define SPARSEATTN_DIALECT_SPARSEATTN_IR_REALTEXT_H

#include "mlir/IR/OpImplementation.h"
#include <string>

namespace mlir::sparse_attn {

/// The shortest decimal form that reads back equal; `inf`, `-inf` or `nan`.
std::string spellReal(double value);

/// Prints `value` as MLIR's lexer wants it: with a decimal point.
void printReal(AsmPrinter &printer, double value);

/// number ::= float-literal | integer-literal | `-`? `inf`
ParseResult parseReal(AsmParser &parser, double &value);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_DIALECT_SPARSEATTN_IR_REALTEXT_H
