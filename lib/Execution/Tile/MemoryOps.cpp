//===- MemoryOps.cpp - Global and shared memory ---------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An asynchronous copy takes effect at the next wait_copies, its latest moment,
// so that a kernel that reads too early is found however fast the copy would
// be.
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::attn_tile;

//===----------------------------------------------------------------------===//
// Global memory
//===----------------------------------------------------------------------===//

/// The number of the matrix's element (row, column) in its buffer.
static llvm::Expected<int64_t> locate(Operation *op, const Matrix &matrix,
                                      int64_t row, int64_t column) {
  int64_t rowPart, columnPart, sum;
  if (llvm::MulOverflow(row, matrix.type.getRowPitch(), rowPart) ||
      llvm::MulOverflow(column, matrix.type.getColumnPitch(), columnPart) ||
      llvm::AddOverflow(rowPart, columnPart, sum) ||
      llvm::AddOverflow(sum, matrix.offset, sum))
    return fault(op, "the address of element (" + Twine(row) + ", " +
                         Twine(column) + ") does not fit 64 bits");
  return sum;
}

/// What `in_bounds` promises.
static llvm::Error checkPromise(Operation *op, bool inBounds,
                                const Matrix &matrix, int64_t row,
                                int64_t rows) {
  if (inBounds && row + rows > matrix.rows)
    return fault(op, "promises to be in bounds, found rows " + Twine(row) +
                         " to " + Twine(row + rows - 1) + " of " +
                         Twine(matrix.rows));
  return llvm::Error::success();
}

/// Calls `each(bytes, first element of the tile, count)` for the rows of a
/// tile of `rows` x `columns` that lie in the matrix, from `row` on. Columns
/// past the matrix's are left out.
template <typename Each>
static llvm::Error forEachRow(Interpreter &state, Operation *op,
                              const Matrix &matrix, int64_t row, int64_t rows,
                              int64_t columns, Each each) {
  if (row < 0)
    return fault(op, "expected a row of at least 0, found " + Twine(row));
  int64_t present = std::min(rows, matrix.rows - row);
  int64_t count = std::min(columns, matrix.type.getColumns());
  for (int64_t i = 0; i < present; ++i) {
    llvm::Expected<int64_t> first = locate(op, matrix, row + i, 0);
    if (!first)
      return first.takeError();
    llvm::Expected<uint8_t *> bytes = state.access(
        op, matrix.argument, *first, count, matrix.type.getElementType());
    if (!bytes)
      return bytes.takeError();
    each(*bytes, i * columns, count);
  }
  return llvm::Error::success();
}

static llvm::Error readRows(Interpreter &state, Operation *op,
                            const Matrix &matrix, int64_t row, Tile &tile) {
  return forEachRow(state, op, matrix, row, tile.shape[0], tile.shape[1],
                    [&](const uint8_t *bytes, int64_t first, int64_t count) {
                      tile.decode(bytes, first, count);
                    });
}

static llvm::Error runView(Interpreter &state, Operation *op) {
  auto view = cast<ViewOp>(op);
  MatrixType type = view.getType();
  if (!Element::of(type.getElementType()))
    return fault(op, "expected elements of f16, bf16, f32, i1, i8, i16, i32 or "
                     "i64, found " +
                         describe(type.getElementType()));
  int64_t rows = state.getNumber(view.getRows());
  if (rows < 0)
    return fault(op, "expected at least 0 rows, found " + Twine(rows));
  auto pointer = std::get<Pointer>(state.get(view.getPointer()));
  state.set(view, Matrix{pointer.argument, state.getNumber(view.getOffset()),
                         rows, type});
  return llvm::Error::success();
}

static llvm::Error runLoad(Interpreter &state, Operation *op) {
  auto load = cast<LoadOp>(op);
  llvm::Expected<Tile> tile = state.makeTile(op, load);
  if (!tile)
    return tile.takeError();
  const auto &matrix = std::get<Matrix>(state.get(load.getMatrix()));
  int64_t row = state.getNumber(load.getRow());
  if (llvm::Error error =
          checkPromise(op, load.getInBounds(), matrix, row, tile->shape[0]))
    return error;
  if (llvm::Error error = readRows(state, op, matrix, row, *tile))
    return error;
  state.setTile(load, std::move(*tile));
  return llvm::Error::success();
}

static llvm::Error runLoadElements(Interpreter &state, Operation *op) {
  auto load = cast<LoadElementsOp>(op);
  llvm::Expected<Tile> tile = state.makeTile(op, load);
  if (!tile)
    return tile.takeError();
  Matrix matrix = std::get<Matrix>(state.get(load.getMatrix()));
  int64_t row = state.getNumber(load.getRow());
  int64_t column = state.getNumber(load.getColumn());
  if (row < 0 || column < 0)
    return fault(op, "expected a row and a column of at least 0, found " +
                         Twine(row) + " and " + Twine(column));
  MatrixType type = matrix.type;
  if (ShapedType::isDynamic(type.getRowPitch()))
    matrix.type = MatrixType::get(
        type.getContext(), type.getColumns(), type.getElementType(),
        state.getNumber(load.getColumns()), type.getColumnPitch());
  int64_t rows =
      std::min(tile->shape[0], state.getNumber(load.getRows()) - row);
  int64_t columns =
      std::min(tile->shape[1], state.getNumber(load.getColumns()) - column);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      llvm::Expected<int64_t> first = locate(op, matrix, row + i, column + j);
      if (!first)
        return first.takeError();
      llvm::Expected<uint8_t *> bytes = state.access(
          op, matrix.argument, *first, 1, matrix.type.getElementType());
      if (!bytes)
        return bytes.takeError();
      tile->decode(*bytes, i * tile->shape[1] + j, 1);
    }
  state.setTile(load, std::move(*tile));
  return llvm::Error::success();
}

static llvm::Error runGather(Interpreter &state, Operation *op) {
  auto gather = cast<GatherOp>(op);
  auto pointer = std::get<Pointer>(state.get(gather.getPointer()));
  llvm::Expected<Tile> tile = state.makeTile(op, gather);
  if (!tile)
    return tile.takeError();
  const Tile &offsets = state.getTile(gather.getOffset());
  for (auto [i, offset] : llvm::enumerate(offsets.integers)) {
    llvm::Expected<uint8_t *> bytes =
        state.access(op, pointer.argument, offset, 1,
                     getElementTypeOrSelf(gather.getResult()));
    if (!bytes)
      return bytes.takeError();
    tile->decode(*bytes, i, 1);
  }
  state.setTile(gather, std::move(*tile));
  return llvm::Error::success();
}

static llvm::Error runStore(Interpreter &state, Operation *op) {
  auto store = cast<StoreOp>(op);
  const Tile &tile = state.getTile(store.getTile());
  int64_t columns = tile.shape.size() == 1 ? 1 : tile.shape[1];
  return forEachRow(state, op, std::get<Matrix>(state.get(store.getMatrix())),
                    state.getNumber(store.getRow()), tile.shape[0], columns,
                    [&](uint8_t *bytes, int64_t first, int64_t count) {
                      tile.encode(bytes, first, count);
                    });
}

static llvm::Error runStoreScalar(Interpreter &state, Operation *op) {
  auto store = cast<StoreScalarOp>(op);
  auto pointer = std::get<Pointer>(state.get(store.getPointer()));
  llvm::Expected<uint8_t *> bytes =
      state.access(op, pointer.argument, state.getNumber(store.getIndex()), 1,
                   store.getValue().getType());
  if (!bytes)
    return bytes.takeError();
  state.getTile(store.getValue()).encode(*bytes, 0, 1);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

static llvm::Error runAllocShared(Interpreter &state, Operation *op) {
  SharedType type = cast<AllocSharedOp>(op).getType();
  auto shape = RankedTensorType::get({type.getRows(), type.getColumns()},
                                     type.getElementType());
  std::optional<Tile> contents = Tile::of(shape);
  if (!contents)
    return fault(op,
                 "expected at most " + Twine(Tile::maxElements) + " elements");
  state.set(op->getResult(0), state.allocate(op, std::move(*contents)));
  return llvm::Error::success();
}

static std::string describeBegin(const SharedTile::Copy &copy) {
  return "the copy that began at " + describe(copy.op->getLoc());
}

static llvm::Error runCopyAsync(Interpreter &state, Operation *op) {
  auto copy = cast<CopyAsyncOp>(op);
  auto &tile =
      *std::get<std::shared_ptr<SharedTile>>(state.get(copy.getTile()));
  if (tile.pending)
    return fault(op, "expected a tile that no copy is under way to, found " +
                         describeBegin(*tile.pending));
  if (tile.inUse)
    return fault(op, "other threads may still read the tile: expected a "
                     "barrier between its last use and this copy");
  const auto &matrix = std::get<Matrix>(state.get(copy.getMatrix()));
  int64_t row = state.getNumber(copy.getRow());
  if (llvm::Error error = checkPromise(op, copy.getInBounds(), matrix, row,
                                       tile.contents.shape[0]))
    return error;
  // What is out of bounds is found where the copy begins.
  auto ignore = [](const uint8_t *, int64_t, int64_t) {};
  if (llvm::Error error =
          forEachRow(state, op, matrix, row, tile.contents.shape[0],
                     tile.contents.shape[1], ignore))
    return error;
  tile.pending = SharedTile::Copy{matrix, row, op};
  return llvm::Error::success();
}

static llvm::Error runWaitCopies(Interpreter &state, Operation *) {
  for (const std::shared_ptr<SharedTile> &tile : state.getSharedTiles()) {
    if (!tile->pending)
      continue;
    tile->contents = Tile(tile->contents.element, tile->contents.shape);
    if (llvm::Error error =
            readRows(state, tile->pending->op, tile->pending->matrix,
                     tile->pending->row, tile->contents))
      return error;
    tile->pending.reset();
    tile->filled = true;
  }
  state.barrier();
  return llvm::Error::success();
}

llvm::Expected<const Tile *>
attn_tile::readOperand(Interpreter &state, Operation *op, Value value) {
  const RuntimeValue &held = state.get(value);
  if (auto *tile = std::get_if<std::shared_ptr<const Tile>>(&held))
    return tile->get();
  SharedTile &shared = *std::get<std::shared_ptr<SharedTile>>(held);
  if (shared.pending)
    return fault(op, "reads a shared tile before a wait_copies after " +
                         describeBegin(*shared.pending));
  if (!shared.filled)
    return fault(op, "reads a shared tile that nothing was copied to");
  shared.inUse = true;
  return &shared.contents;
}

static llvm::Error runLoadShared(Interpreter &state, Operation *op) {
  auto load = cast<LoadSharedOp>(op);
  llvm::Expected<const Tile *> tile = readOperand(state, op, load.getTile());
  if (!tile)
    return tile.takeError();
  state.setTile(load, **tile);
  return llvm::Error::success();
}

void attn_tile::addMemoryOps(OpTable &table) {
  table.ops["attn_tile.view"] = runView;
  table.ops["attn_tile.load"] = runLoad;
  table.ops["attn_tile.load_elements"] = runLoadElements;
  table.ops["attn_tile.gather"] = runGather;
  table.ops["attn_tile.store"] = runStore;
  table.ops["attn_tile.store_scalar"] = runStoreScalar;
  table.ops["attn_tile.alloc_shared"] = runAllocShared;
  table.ops["attn_tile.copy_async"] = runCopyAsync;
  table.ops["attn_tile.wait_copies"] = runWaitCopies;
  table.ops["attn_tile.load_shared"] = runLoadShared;
}
