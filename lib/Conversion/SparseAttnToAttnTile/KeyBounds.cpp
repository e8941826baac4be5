//===- KeyBounds.cpp - Which keys the loops run over ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FlashLoop.h"
#include "SparseAttn/Analysis/BlockPlan.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::attn_tile;
using namespace mlir::sparse_attn;

bool attn_tile::isEmptyRange(Value from, Value to) {
  APInt first, last;
  return from == to ||
         (matchPattern(from, m_ConstantInt(&first)) &&
          matchPattern(to, m_ConstantInt(&last)) && first.sge(last));
}

KeyBounds attn_tile::findKeyBounds(TileBuilder &b, const FlashInputs &in) {
  NumberMath math(&b);
  auto number = [&](Value value) -> Number {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant)))
      return constant.getSExtValue();
    return b.extend64(value);
  };
  // Equal numbers become one value: loops that follow each other share it.
  SmallVector<std::pair<Value, Value>> known;
  auto toI32 = [&](const Number &x) -> Value {
    if (!x.value)
      return b.i32(x.constant);
    for (auto [wide, narrow] : known)
      if (wide == x.value)
        return narrow;
    Value narrow = arith::TruncIOp::create(b, b.getI32Type(), x.value);
    known.push_back({x.value, narrow});
    return narrow;
  };
  Number length = number(in.keyLength);
  VisibleKeys keys;
  if (in.structure.masks()) {
    QueryTile tile;
    Value last = b.mini(b.addi(in.firstQuery, b.i32(in.rows)), in.queryLength);
    tile.firstQuery = number(in.firstQuery);
    tile.lastQuery = number(b.subi(last, b.i32(1)));
    for (Value index : in.batch)
      tile.batch.push_back(number(index));
    // A length that the region looks up is a bound like any other.
    auto load = [&](tensor::ExtractOp extract,
                    ArrayRef<Number> indices) -> std::optional<Number> {
      SmallVector<Value> positions;
      for (const Number &index : indices)
        positions.push_back(toI32(index));
      Value element =
          readElements(b, in.captured, extract.getTensor(), positions);
      if (!element.getType().isInteger(64))
        element = b.extend64(element);
      // No position is beyond these, and no sum with one overflows.
      constexpr int64_t far = int64_t(1) << 40;
      return Number(b.maxi(b.mini(element, b.i64(far)), b.i64(-far)));
    };
    keys = findVisibleKeys(in.op, in.structure, tile, math, load);
  }
  if (!mayHaveFullTiles(in.op))
    keys.every = KeyRange::none();
  TileRanges tiles = roundToTiles(keys, length, in.keys, math);

  return {toI32(tiles.begin), toI32(tiles.fullBegin), toI32(tiles.fullEnd),
          toI32(tiles.end)};
}
