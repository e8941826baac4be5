//===- ListedTiles.cpp - Which keys a block list names
//----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FlashLoop.h"

using namespace mlir;
using namespace mlir::attn_tile;
using namespace mlir::sparse_attn;

using Predicate = arith::CmpIPredicate;

Value ListedTiles::read(Value tensor, ValueRange at) {
  SmallVector<Value> indices = position;
  llvm::append_range(indices, at);
  return readElements(b, in.captured, tensor, indices);
}

ListedTiles::ListedTiles(TileBuilder &b, const FlashInputs &inputs,
                         const KeyBounds &bounds)
    : b(b), in(inputs), bounds(bounds) {
  AttentionOp op = in.op;
  ArrayRef<int64_t> block = *op.getBlockShape();
  tilesPerBlock = block[1] / in.keys;
  position = in.batch;
  position.push_back(b.divi(in.firstQuery, b.i32(block[0])));
  Value room = in.captured.tensors.find(op.getBlockIndices())
                   ->second.sizes[position.size()];
  Value entries = b.mini(read(op.getBlockCounts(), {}), room);
  count = b.muli(entries, b.i32(tilesPerBlock));
}

KeyTile ListedTiles::at(Value number) {
  AttentionOp op = in.op;
  int64_t blockKeys = (*op.getBlockShape())[1];
  bool flagged = op.hasBlockFlags();
  Value entry = b.divi(number, b.i32(tilesPerBlock));
  Value within = b.muli(b.remi(number, b.i32(tilesPerBlock)), b.i32(in.keys));
  SmallVector<Value> at = {entry};
  if (flagged)
    at.push_back(b.i32(0));
  Value block = read(op.getBlockIndices(), at);
  // Compared before the multiplication, which then overflows for none.
  Value rounded = b.addi(in.keyLength, b.i32(blockKeys - 1));
  Value listed =
      b.compare(Predicate::ult, block, b.divi(rounded, b.i32(blockKeys)));
  Value first = b.addi(b.muli(block, b.i32(blockKeys)), within);
  auto require = [&](Value &condition, Predicate predicate, Value x, Value y) {
    condition = b.andi(condition, b.compare(predicate, x, y));
  };
  if (in.structure.masks())
    require(listed, Predicate::sge, first, bounds.begin);
  require(listed, Predicate::slt, first, bounds.end);

  KeyTile tile;
  tile.listed = listed;
  // Behind the last key a tile is empty.
  tile.firstKey = b.select(listed, first, in.keyLength);
  if (in.mask && flagged) {
    at.back() = b.i32(1);
    tile.masked =
        b.compare(Predicate::ne, read(op.getBlockIndices(), at), b.i32(0));
  }
  if (isEmptyRange(bounds.fullBegin, bounds.fullEnd))
    return tile;
  tile.full = b.compare(Predicate::slt, tile.firstKey, bounds.fullEnd);
  if (in.structure.masks())
    require(tile.full, Predicate::sge, tile.firstKey, bounds.fullBegin);
  if (tile.masked)
    require(tile.full, Predicate::eq, tile.masked, b.i1(false));
  return tile;
}
