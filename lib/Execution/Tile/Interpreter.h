//===- Interpreter.h - State of a thread block while it runs ----*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_EXECUTION_TILE_INTERPRETER_H
#define SPARSEATTN_LIB_EXECUTION_TILE_INTERPRETER_H

#include "OpTable.h"
#include "SparseAttn/Dialect/AttnTile/IR/AttnTile.h"
#include "SparseAttn/Execution/TileInterpreter.h"
#include <memory>
#include <variant>

namespace mlir::attn_tile {

/// A pointer: the buffer that is argument number `argument`.
struct Pointer {
  unsigned argument;
};

/// An `!attn_tile.matrix`; `offset` and the type's pitches count elements.
struct Matrix {
  unsigned argument;
  int64_t offset;
  int64_t rows;
  MatrixType type;
};

/// A tile in shared memory.
struct SharedTile {
  Tile contents;
  /// A copy has arrived at least once.
  bool filled = false;
  /// Other threads may still read it: it was read since the last barrier.
  bool inUse = false;
  /// The copy that has begun and not arrived.
  struct Copy {
    Matrix matrix;
    int64_t row;
    Operation *op;
  };
  std::optional<Copy> pending = std::nullopt;
};

/// What an SSA value holds. Tiles are shared, as values never change.
using RuntimeValue = std::variant<std::shared_ptr<const Tile>, Pointer, Matrix,
                                  std::shared_ptr<SharedTile>>;

/// Executes one thread block at a time.
class Interpreter {
public:
  Interpreter(Region &body, std::array<uint32_t, 3> grid,
              ArrayRef<KernelBuffer> arguments);

  llvm::Error runBlock(std::array<uint32_t, 3> block);
  /// Executes the operations of a region's one block. The terminator is left to
  /// the caller.
  llvm::Error runRegion(Region &region);

  std::array<uint32_t, 3> getGrid() const { return grid; }
  std::array<uint32_t, 3> getBlock() const { return block; }

  const RuntimeValue &get(Value value) const;
  void set(Value value, RuntimeValue content);
  /// Gives `targets` what `sources` hold, as if all at once.
  void assign(ValueRange targets, ValueRange sources);

  const Tile &getTile(Value value) const;
  /// The value of an integer, sign-extended; i1 is 0 or 1.
  int64_t getNumber(Value value) const;
  void setTile(Value value, Tile tile);
  /// A tile of zeros of the value's type; an error that names `op` when the
  /// type is none that the interpreter holds.
  llvm::Expected<Tile> makeTile(Operation *op, Value value) const;

  /// The `count` elements of the buffer from element `first` on; an error when
  /// they are not all in it.
  llvm::Expected<uint8_t *> access(Operation *op, unsigned argument,
                                   int64_t first, int64_t count, Type element);

  /// Shared memory that `op` allocates: the same each time.
  std::shared_ptr<SharedTile> allocate(Operation *op, Tile contents);
  /// All shared tiles of the block.
  ArrayRef<std::shared_ptr<SharedTile>> getSharedTiles() const {
    return sharedTiles;
  }
  /// All threads of the block have met: none still reads shared memory.
  void barrier();

private:
  llvm::Error execute(Operation &op);

  Region &body;
  std::array<uint32_t, 3> grid;
  std::array<uint32_t, 3> block = {};
  ArrayRef<KernelBuffer> arguments;
  DenseMap<Value, RuntimeValue> values;
  DenseMap<Operation *, std::shared_ptr<SharedTile>> allocations;
  SmallVector<std::shared_ptr<SharedTile>> sharedTiles;
};

/// The tile that an operand of a product holds, wherever it lies; an error when
/// it lies in shared memory and has not arrived.
llvm::Expected<const Tile *> readOperand(Interpreter &state, Operation *op,
                                         Value value);

} // namespace mlir::attn_tile

#endif // SPARSEATTN_LIB_EXECUTION_TILE_INTERPRETER_H
