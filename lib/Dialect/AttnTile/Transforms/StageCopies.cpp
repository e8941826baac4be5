//===- StageCopies.cpp - Operands of products in shared memory ------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/AttnTile/Transforms/Passes.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::attn_tile {
#define GEN_PASS_DEF_STAGECOPIES
#include "SparseAttn/Dialect/AttnTile/Transforms/Passes.h.inc"
} // namespace mlir::attn_tile

using namespace mlir;
using namespace mlir::attn_tile;

namespace {

/// A loop over key tiles and the loads of its iteration's tile, in order.
struct TileLoop {
  scf::ForOp loop;
  SmallVector<LoadOp> loads;
  /// What computes the tile's first row from the induction variable, in order;
  /// nothing where it is the variable itself.
  SmallVector<Operation *> rowSlice;

  /// The first row of iteration `index`, computed at `b`.
  Value cloneRow(OpBuilder &b, Value index) {
    IRMapping map;
    map.map(loop.getInductionVar(), index);
    for (Operation *op : rowSlice)
      b.clone(*op, map);
    return map.lookup(loads.front().getRow());
  }
  /// Goes on where the loop before ended, with the same matrices.
  bool chained = false;
  /// No loop goes on where this one ends.
  bool last = true;
};

struct StageCopies : attn_tile::impl::StageCopiesBase<StageCopies> {
  using StageCopiesBase::StageCopiesBase;
  void runOnOperation() override;

private:
  /// The shared tile for loads of this shape from this matrix.
  Value buffer(LoadOp load);
  /// Lets the users of `load` read shared memory instead.
  void replaceByShared(LoadOp load, Value shared);
  void stageInvariant(LoadOp load, bool inRegisters);
  void pipeline(TileLoop &tileLoop);
  void stageInPlace(LoadOp load);

  DenseMap<std::pair<Value, Type>, Value> buffers;
};

} // namespace

Value StageCopies::buffer(LoadOp load) {
  auto tile = cast<RankedTensorType>(load.getResult().getType());
  Value &shared = buffers[{load.getMatrix(), tile}];
  if (!shared) {
    OpBuilder b(&getContext());
    b.setInsertionPointToStart(&getOperation().getBody().front());
    shared = AllocSharedOp::create(
        b, load.getLoc(),
        SharedType::get(&getContext(), tile.getDimSize(0), tile.getDimSize(1),
                        tile.getElementType()));
  }
  return shared;
}

void StageCopies::replaceByShared(LoadOp load, Value shared) {
  bool onlyProducts = llvm::all_of(
      load->getUsers(), [](Operation *user) { return isa<MmaOp>(user); });
  Value replacement = shared;
  if (!onlyProducts) {
    OpBuilder b(load);
    replacement = LoadSharedOp::create(b, load.getLoc(),
                                       load.getResult().getType(), shared);
  }
  load.getResult().replaceAllUsesWith(replacement);
  load.erase();
}

/// What computes `row` in an iteration of `loop`; none if that depends on the
/// iterations before it.
static std::optional<SmallVector<Operation *>> findRowSlice(scf::ForOp loop,
                                                            Value row) {
  Block *body = loop.getBody();
  SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.filter = [&](Operation *op) { return op->getBlock() == body; };
  if (failed(getBackwardSlice(row, &slice, options)))
    return std::nullopt;
  for (Operation *op : slice)
    if (llvm::any_of(op->getOperands(), [&](Value operand) {
          return llvm::is_contained(loop.getRegionIterArgs(), operand);
        }))
      return std::nullopt;
  SmallVector<Operation *> ordered = slice.takeVector();
  llvm::sort(ordered,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return ordered;
}

/// A tile that no loop changes: the query. Copied where it is loaded; the
/// first wait after it makes it visible.
void StageCopies::stageInvariant(LoadOp load, bool inRegisters) {
  ImplicitLocOpBuilder b(load.getLoc(), load);
  Value shared = buffer(load);
  CopyAsyncOp::create(b, load.getMatrix(), load.getRow(), shared,
                      load.getInBounds());
  if (!inRegisters)
    return replaceByShared(load, shared);
  WaitCopiesOp::create(b);
  Value tile = LoadSharedOp::create(b, load.getResult().getType(), shared);
  load.getResult().replaceAllUsesWith(tile);
  load.erase();
}

void StageCopies::pipeline(TileLoop &tileLoop) {
  scf::ForOp loop = tileLoop.loop;
  ArrayRef<LoadOp> loads = tileLoop.loads;
  LoadOp ahead = loads.front();
  ImplicitLocOpBuilder b(ahead.getLoc(), loop);
  Value aheadBuffer = buffer(ahead);
  bool computed = !tileLoop.rowSlice.empty();
  auto isLess = [&](Value x, Value y) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, x, y);
  };
  // A loop that goes on where the one before ended finds its tile on the way.
  if (computed) {
    // There may be no iteration that a row could be computed for.
    auto branch = scf::IfOp::create(
        b, isLess(loop.getLowerBound(), loop.getUpperBound()));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    CopyAsyncOp::create(b, ahead.getMatrix(),
                        tileLoop.cloneRow(b, loop.getLowerBound()), aheadBuffer,
                        ahead.getInBounds());
  } else if (!tileLoop.chained) {
    CopyAsyncOp::create(b, ahead.getMatrix(), loop.getLowerBound(), aheadBuffer,
                        ahead.getInBounds() && tileLoop.last);
  }

  // The next tile. Nothing follows the last one: copy that once more rather
  // than look at every row's number.
  bool inBounds = ahead.getInBounds() && tileLoop.last;
  auto findNext = [&] {
    Value next =
        arith::AddIOp::create(b, loop.getInductionVar(), loop.getStep());
    if (computed || inBounds)
      next = arith::SelectOp::create(b, isLess(next, loop.getUpperBound()),
                                     next, loop.getInductionVar());
    return next;
  };
  // Where it is looked up, that is begun long before it is needed.
  b.setInsertionPointToStart(loop.getBody());
  Value next;
  if (computed)
    next = tileLoop.cloneRow(b, findNext());

  // The tile copied ahead is here, and nobody reads the others any more.
  WaitCopiesOp::create(b);
  if (computed)
    b.setInsertionPointAfterValue(ahead.getRow());
  for (LoadOp load : loads.drop_front()) {
    b.setLoc(load.getLoc());
    CopyAsyncOp::create(b, load.getMatrix(), load.getRow(), buffer(load),
                        load.getInBounds());
  }

  // Behind its last reader the next one may come.
  Operation *lastReader = ahead;
  for (Operation *user : ahead->getUsers()) {
    Operation *inBody = loop.getBody()->findAncestorOpInBlock(*user);
    if (lastReader->isBeforeInBlock(inBody))
      lastReader = inBody;
  }
  b.setLoc(ahead.getLoc());
  b.setInsertionPointAfter(lastReader);
  WaitCopiesOp::create(b);
  if (!next)
    next = findNext();
  CopyAsyncOp::create(b, ahead.getMatrix(), next, aheadBuffer, inBounds);

  for (LoadOp load : loads)
    replaceByShared(load, buffer(load));
}

/// Everything else: copy and wait where the tile is needed.
void StageCopies::stageInPlace(LoadOp load) {
  ImplicitLocOpBuilder b(load.getLoc(), load);
  Value shared = buffer(load);
  WaitCopiesOp::create(b); // others may still read the buffer
  CopyAsyncOp::create(b, load.getMatrix(), load.getRow(), shared,
                      load.getInBounds());
  WaitCopiesOp::create(b);
  replaceByShared(load, shared);
}

void StageCopies::runOnOperation() {
  buffers.clear();
  gpu::GPUFuncOp kernel = getOperation();
  Block &body = kernel.getBody().front();

  SmallVector<TileLoop> loops;
  for (auto loop : body.getOps<scf::ForOp>()) {
    TileLoop found;
    found.loop = loop;
    // The tile that is copied ahead must be read on every path.
    auto loads = loop.getBody()->getOps<LoadOp>();
    if (loads.empty())
      continue;
    Value row = (*loads.begin()).getRow();
    if (row.getParentBlock() != loop.getBody())
      continue;
    std::optional<SmallVector<Operation *>> slice = findRowSlice(loop, row);
    if (!slice)
      continue;
    found.rowSlice = *slice;
    loop.walk([&](LoadOp load) {
      if (load.getRow() == row)
        found.loads.push_back(load);
    });
    loops.push_back(found);
  }

  int64_t count = chooseWarps(kernel, warps);
  int64_t accumulators = countAccumulators(kernel, count);
  for (LoadOp load : llvm::to_vector(body.getOps<LoadOp>())) {
    bool usedInLoops = llvm::all_of(load->getUsers(), [&](Operation *user) {
      return llvm::any_of(loops, [&](const TileLoop &tileLoop) {
        return tileLoop.loop->isProperAncestor(user);
      });
    });
    if (loops.empty() || !usedInLoops)
      continue;
    auto tile = cast<RankedTensorType>(load.getResult().getType());
    int64_t registers = tile.getNumElements() * tile.getElementTypeBitWidth() /
                        (32 * 32 * count);
    // Operands that are rounded to bf16 on the way have their fragments cut
    // from shared memory by other lanes than ldmatrix serves.
    bool narrowed = llvm::any_of(load->getUsers(), [](Operation *user) {
      auto mma = dyn_cast<MmaOp>(user);
      return mma && mma.getPrecision() == sparse_attn::Precision::bf16;
    });
    stageInvariant(load, !narrowed && accumulators + registers <=
                                          RegisterBudget::maxWithQuery);
  }

  // Links between loops, before their loads are gone.
  auto continues = [](TileLoop &next, TileLoop &before) {
    return next.loop.getLowerBound() == before.loop.getUpperBound() &&
           next.loads.front().getMatrix() == before.loads.front().getMatrix();
  };
  for (size_t index = 0; index + 1 < loops.size(); ++index)
    if (continues(loops[index + 1], loops[index])) {
      loops[index].last = false;
      loops[index + 1].chained = true;
    }
  for (TileLoop &tileLoop : loops) {
    pipeline(tileLoop);
    if (tileLoop.last) {
      // The copy ahead of the last iteration must not outlive the kernel.
      ImplicitLocOpBuilder b(tileLoop.loop.getLoc(), tileLoop.loop);
      b.setInsertionPointAfter(tileLoop.loop);
      WaitCopiesOp::create(b);
    }
  }

  SmallVector<LoadOp> rest;
  kernel.walk([&](LoadOp load) { rest.push_back(load); });
  for (LoadOp load : rest)
    stageInPlace(load);
}
