//===- OpTable.h - The operations that the interpreter knows ----*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_EXECUTION_TILE_OPTABLE_H
#define SPARSEATTN_LIB_EXECUTION_TILE_OPTABLE_H

#include "TileValue.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <functional>

namespace mlir::attn_tile {

class Interpreter;
using OpHandler = llvm::Error (*)(Interpreter &, Operation *);
/// Computes `result`, a tile of zeros of the type of the op's one result.
using TileHandler = std::function<llvm::Error(
    Operation *, ArrayRef<const Tile *> operands, Tile &result)>;

/// What the interpreter knows, by operation name.
struct OpTable {
  llvm::StringMap<OpHandler> ops;
  /// Operations from tiles and numbers to one tile or number.
  llvm::StringMap<TileHandler> tileOps;
};
void addControlOps(OpTable &table);
void addMemoryOps(OpTable &table);
void addTileOps(OpTable &table);
void addFloatOps(OpTable &table);
void addIntegerOps(OpTable &table);
void addConversionOps(OpTable &table);

/// "file:line:column", or as MLIR prints a location that has none.
std::string describe(Location location);
/// How MLIR prints a type.
std::string describe(Type type);
/// "<location>: <operation>: <message>".
llvm::Error fault(Operation *op, const Twine &message);

} // namespace mlir::attn_tile

#endif // SPARSEATTN_LIB_EXECUTION_TILE_OPTABLE_H
