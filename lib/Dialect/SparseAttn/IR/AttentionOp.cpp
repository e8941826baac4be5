//===- AttentionOp.cpp - Structure and verification of attention ----------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/InterleavedRange.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnOpInterfaces.cpp.inc"
#define GET_OP_CLASSES
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Dimensions
//===----------------------------------------------------------------------===//

static llvm::SmallBitVector dimsOf(AffineMap map) {
  llvm::SmallBitVector dims(map.getNumDims());
  for (AffineExpr expr : map.getResults())
    dims.set(cast<AffineDimExpr>(expr).getPosition());
  return dims;
}

FailureOr<AttentionOp::Dims>
AttentionOp::inferDims(AffineMap query, AffineMap key, AffineMap value,
                       AffineMap output,
                       function_ref<void(const Twine &)> emit) {
  auto fault = [&](const Twine &text) {
    if (emit)
      emit(text);
    return failure();
  };
  unsigned count = query.getNumDims();
  for (AffineMap map : {query, key, value, output})
    if (!map.isProjectedPermutation() || map.getNumDims() != count ||
        map.getNumSymbols())
      return fault("expected projected permutations of one iteration space as "
                   "indexing maps");
  llvm::SmallBitVector q = dimsOf(query), k = dimsOf(key), v = dimsOf(value),
                       o = dimsOf(output);
  // The one dimension that the first two sets share and the others lack.
  auto contracted =
      [&](const llvm::SmallBitVector &a, const llvm::SmallBitVector &b,
          const llvm::SmallBitVector &c, const llvm::SmallBitVector &d,
          StringRef role, unsigned &dim) -> LogicalResult {
    llvm::SmallBitVector found = a;
    found &= b;
    found.reset(c);
    found.reset(d);
    if (found.count() != 1)
      return fault("expected exactly one " + role + " dimension, found " +
                   Twine(found.count()));
    dim = found.find_first();
    return success();
  };
  Dims dims;
  if (failed(
          contracted(q, k, v, o, "head_dim (query and key only)", dims.k1)) ||
      failed(contracted(k, v, q, o, "key (key and value only)", dims.k2)) ||
      failed(contracted(v, o, q, k, "value head_dim (value and output only)",
                        dims.n)))
    return failure();

  // Everything else is a query dimension or a batch dimension.
  std::optional<unsigned> m;
  for (AffineExpr expr : output.getResults()) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    if (dim == dims.n)
      continue;
    bool ofKeys = k.test(dim) || v.test(dim);
    if (!q.test(dim) && ofKeys)
      return fault("expected dimension " + Twine(dim) +
                   " of the output in the query as well");
    if (q.test(dim) && !ofKeys)
      m = std::max(m.value_or(dim), dim);
  }
  if (!m)
    return fault("expected a query dimension (query and output only), found "
                 "none");
  dims.m = *m;
  for (AffineExpr expr : output.getResults()) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    if (dim != dims.n && dim != dims.m)
      dims.batch.push_back(dim);
  }
  for (unsigned dim = 0; dim < count; ++dim) {
    if (dim == dims.k1 || dim == dims.k2 || dim == dims.n)
      continue;
    if (!o.test(dim))
      return fault("expected dimension " + Twine(dim) +
                   " of the iteration space in the output");
    if (k.test(dim) != v.test(dim))
      return fault("expected batch dimension " + Twine(dim) +
                   " in both key and value or in neither");
  }
  return dims;
}

AttentionOp::Dims AttentionOp::getDims() {
  return *inferDims(getQueryMap(), getKeyMap(), getValueMap(), getOutputMap());
}

static AffineMap mapAt(AttentionOp op, unsigned index) {
  return cast<AffineMapAttr>(op.getIndexingMaps()[index]).getValue();
}
AffineMap AttentionOp::getQueryMap() { return mapAt(*this, 0); }
AffineMap AttentionOp::getKeyMap() { return mapAt(*this, 1); }
AffineMap AttentionOp::getValueMap() { return mapAt(*this, 2); }
AffineMap AttentionOp::getMaskMap() {
  return getMask() ? mapAt(*this, 3) : AffineMap();
}
AffineMap AttentionOp::getOutputMap() {
  return mapAt(*this, getIndexingMaps().size() - 1);
}
AffineMap AttentionOp::getRowMap() {
  AffineMap output = getOutputMap();
  unsigned n = getDims().n;
  return output.dropResult(
      *output.getResultPosition(getAffineDimExpr(n, getContext())));
}

std::pair<Value, unsigned> AttentionOp::getDimSource(unsigned dim) {
  std::pair<Value, AffineMap> sources[] = {{getQuery(), getQueryMap()},
                                           {getKey(), getKeyMap()},
                                           {getValue(), getValueMap()},
                                           {getOutput(), getOutputMap()}};
  std::pair<Value, unsigned> found;
  for (auto [operand, map] : sources) {
    auto position = map.getResultPosition(getAffineDimExpr(dim, getContext()));
    if (!position)
      continue;
    if (!found.first)
      found = {operand, *position};
    // A static size anywhere is better than a dynamic one.
    if (!cast<RankedTensorType>(operand.getType()).isDynamicDim(*position))
      return {operand, *position};
  }
  return found;
}

int64_t AttentionOp::getDimSize(unsigned dim) {
  auto [operand, position] = getDimSource(dim);
  return cast<RankedTensorType>(operand.getType()).getDimSize(position);
}

//===----------------------------------------------------------------------===//
// Accessors and interfaces
//===----------------------------------------------------------------------===//

Precision AttentionOp::getPrecisionOrDefault() {
  return getPrecision().value_or(Precision::tf32x3);
}

FilterAttrInterface AttentionOp::getFilterOrDefault() {
  if (std::optional<FilterAttrInterface> filter = getFilter())
    return *filter;
  return DenseFilterAttr::get(getContext());
}

Value AttentionOp::getLogSumExpResult() {
  return getLogSumExp() ? getResult(1) : Value();
}
Value AttentionOp::getRecallBoundResult() {
  return getRecallBound() ? getResult(1 + (getLogSumExp() ? 1 : 0)) : Value();
}
Value AttentionOp::getTileCountsResult() {
  return getTileCounts() ? getResult(getNumResults() - 1) : Value();
}

MutableOperandRange AttentionOp::getDpsInitsMutable() {
  unsigned first = getODSOperandIndexAndLength(6).first;
  return MutableOperandRange(*this, first, getNumOperands() - first);
}

SmallVector<AffineMap> AttentionOp::getIndexingMapsArray() {
  MLIRContext *context = getContext();
  Dims dims = getDims();
  unsigned count = getQueryMap().getNumDims();
  SmallVector<AffineMap> maps = {getQueryMap(), getKeyMap(), getValueMap()};
  if (getMask())
    maps.push_back(getMaskMap());
  auto tiled = [&](int64_t rows, ArrayRef<AffineExpr> tail) {
    SmallVector<AffineExpr> exprs;
    for (unsigned dim : dims.batch)
      exprs.push_back(getAffineDimExpr(dim, context));
    exprs.push_back(getAffineDimExpr(dims.m, context).floorDiv(rows));
    llvm::append_range(exprs, tail);
    return AffineMap::get(count, 0, exprs, context);
  };
  AffineExpr zero = getAffineConstantExpr(0, context);
  if (getBlockCounts()) {
    int64_t rows = (*getBlockShape())[0];
    maps.push_back(tiled(rows, {}));
    maps.push_back(
        tiled(rows, SmallVector<AffineExpr>(hasBlockFlags() ? 2 : 1, zero)));
  }
  maps.push_back(getOutputMap());
  if (getLogSumExp())
    maps.push_back(getRowMap());
  if (getRecallBound())
    maps.push_back(getRowMap());
  if (getTileCounts())
    maps.push_back(tiled((*getDecisionTile())[0], {zero}));
  return maps;
}

AffineMap AttentionOp::getMatchingIndexingMap(OpOperand *operand) {
  return getIndexingMapsArray()[operand->getOperandNumber()];
}

LogicalResult
AttentionOp::reifyResultShapes(OpBuilder &builder,
                               ReifiedRankedShapedTypeDims &shapes) {
  for (Value init : getDpsInits())
    shapes.push_back(tensor::getMixedSizes(builder, getLoc(), init));
  return success();
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

static LogicalResult verifyTypes(AttentionOp op) {
  auto element = [](Value value) {
    return cast<RankedTensorType>(value.getType()).getElementType();
  };
  for (Value operand : op->getOperands())
    if (Attribute encoding =
            cast<RankedTensorType>(operand.getType()).getEncoding())
      return op.emitOpError("expected tensors without an encoding, found ")
             << encoding;
  Type type = element(op.getQuery());
  if (!type.isF16() && !type.isBF16() && !type.isF32())
    return op.emitOpError("expected a query of f16, bf16 or f32, found ")
           << type;
  for (auto [name, operand] :
       {std::pair<StringRef, Value>{"key", op.getKey()},
        std::pair<StringRef, Value>{"value", op.getValue()}})
    if (element(operand) != type)
      return op.emitOpError("expected the element type of the query, ")
             << type << ", for the " << name << ", found " << element(operand);
  Type output = element(op.getOutput());
  if (output != type && !output.isF32())
    return op.emitOpError("expected an output of ")
           << type << " or f32, found " << output;
  if (op.getPrecision() && !type.isF32())
    return op.emitOpError("precision applies to f32 operands, found ") << type;
  if (op.getMask()) {
    Type mask = element(op.getMask());
    if (!mask.isInteger(1) && !mask.isF16() && !mask.isBF16() && !mask.isF32())
      return op.emitOpError("expected a mask of i1, f16, bf16 or f32, found ")
             << mask;
  }
  return success();
}

/// Checks each operand's rank and sizes against its map.
static LogicalResult verifyShapes(AttentionOp op) {
  SmallVector<int64_t> sizes(op.getQueryMap().getNumDims(),
                             ShapedType::kDynamic);
  auto check = [&](StringRef name, Value operand,
                   AffineMap map) -> LogicalResult {
    auto type = cast<RankedTensorType>(operand.getType());
    if (type.getRank() != map.getNumResults())
      return op.emitOpError("expected rank ")
             << map.getNumResults() << " for the " << name
             << " by its indexing map, found " << type.getRank();
    for (auto [expr, size] :
         llvm::zip_equal(map.getResults(), type.getShape())) {
      unsigned dim = cast<AffineDimExpr>(expr).getPosition();
      if (ShapedType::isDynamic(size))
        continue;
      if (!ShapedType::isDynamic(sizes[dim]) && sizes[dim] != size)
        return op.emitOpError("expected size ")
               << sizes[dim] << " of dimension " << dim << " in the " << name
               << ", found " << size;
      sizes[dim] = size;
    }
    return success();
  };
  if (failed(check("query", op.getQuery(), op.getQueryMap())) ||
      failed(check("key", op.getKey(), op.getKeyMap())) ||
      failed(check("value", op.getValue(), op.getValueMap())) ||
      failed(check("output", op.getOutput(), op.getOutputMap())))
    return failure();
  if (op.getMask() && failed(check("mask", op.getMask(), op.getMaskMap())))
    return failure();
  for (auto [name, operand] :
       {std::pair<StringRef, Value>{"log_sum_exp", op.getLogSumExp()},
        std::pair<StringRef, Value>{"recall_bound", op.getRecallBound()}}) {
    if (!operand)
      continue;
    if (!cast<RankedTensorType>(operand.getType()).getElementType().isF32())
      return op.emitOpError("expected ")
             << name << " of f32, found " << operand.getType();
    if (failed(check(name, operand, op.getRowMap())))
      return failure();
  }
  return success();
}

/// Checks a tensor of i32 over batch dimensions, query blocks of `rows`, and
/// `tail` more dimensions.
static LogicalResult verifyTiled(AttentionOp op, StringRef name, Value operand,
                                 int64_t rows, unsigned tail) {
  AttentionOp::Dims dims = op.getDims();
  auto type = cast<RankedTensorType>(operand.getType());
  if (!type.getElementType().isInteger(32))
    return op.emitOpError("expected ")
           << name << " of i32, found " << type.getElementType();
  int64_t rank = dims.batch.size() + 1 + tail;
  if (type.getRank() != rank)
    return op.emitOpError("expected rank ")
           << rank << " for " << name << ", found " << type.getRank();
  auto match = [&](unsigned position, int64_t expected) -> LogicalResult {
    int64_t found = type.getDimSize(position);
    if (ShapedType::isDynamic(expected) || ShapedType::isDynamic(found) ||
        expected == found)
      return success();
    return op.emitOpError("expected size ")
           << expected << " of dimension " << position << " of " << name
           << ", found " << found;
  };
  for (auto [position, dim] : llvm::enumerate(dims.batch))
    if (failed(match(position, op.getDimSize(dim))))
      return failure();
  int64_t queries = op.getDimSize(dims.m);
  return match(dims.batch.size(), ShapedType::isDynamic(queries)
                                      ? queries
                                      : llvm::divideCeilSigned(queries, rows));
}

static LogicalResult verifyTile(AttentionOp op, StringRef name,
                                std::optional<ArrayRef<int64_t>> tile) {
  if (!tile)
    return success();
  if (tile->size() != 2 || (*tile)[0] <= 0 || (*tile)[1] <= 0)
    return op.emitOpError("expected two positive sizes (query rows, keys) for ")
           << name << ", found [" << llvm::interleaved(*tile) << "]";
  return success();
}

LogicalResult AttentionOp::verify() {
  unsigned expected = getMask() ? 5 : 4;
  if (getIndexingMaps().size() != expected)
    return emitOpError("expected ")
           << expected << " indexing maps (query, key, value, "
           << (getMask() ? "mask, " : "") << "output), found "
           << getIndexingMaps().size();
  auto emit = [&](const Twine &text) { emitOpError(text); };
  FailureOr<Dims> dims = inferDims(getQueryMap(), getKeyMap(), getValueMap(),
                                   getOutputMap(), emit);
  if (failed(dims))
    return failure();
  if (AffineMap mask = getMaskMap()) {
    if (!mask.isProjectedPermutation() || mask.getNumSymbols() ||
        mask.getNumDims() != getQueryMap().getNumDims())
      return emitOpError("expected a projected permutation of the iteration "
                         "space as the mask's indexing map");
    llvm::SmallBitVector used = dimsOf(mask);
    if (used.test(dims->k1) || used.test(dims->n))
      return emitOpError("expected a mask over batch, query and key "
                         "dimensions, found one over a head_dim");
  }
  if (!std::isfinite(getScale().convertToDouble()))
    return emitOpError("expected a finite scale");
  if (failed(verifyTile(*this, "decision_tile", getDecisionTile())) ||
      failed(verifyTile(*this, "block_shape", getBlockShape())) ||
      failed(verifyTypes(*this)) || failed(verifyShapes(*this)))
    return failure();
  for (unsigned dim : dims->batch)
    if (!getQueryMap().isFunctionOfDim(dim) &&
        ShapedType::isDynamic(getDimSize(dim)))
      return emitOpError("expected a static size of dimension ")
             << dim << ", which the output alone has";

  if (static_cast<bool>(getBlockCounts()) !=
      static_cast<bool>(getBlockIndices()))
    return emitOpError("expected block counts and block indices together, "
                       "found only block ")
           << (getBlockCounts() ? "counts" : "indices");
  if (static_cast<bool>(getBlockCounts()) != getBlockShape().has_value())
    return emitOpError(getBlockShape()
                           ? "expected a block list beside block_shape"
                           : "expected block_shape beside a block list");
  if (getBlockCounts()) {
    int64_t rows = (*getBlockShape())[0];
    if (getDecisionTile() && rows % (*getDecisionTile())[0])
      return emitOpError("expected a decision_tile whose rows divide those of "
                         "block_shape, ")
             << rows << ", found " << (*getDecisionTile())[0];
    if (failed(verifyTiled(*this, "block counts", getBlockCounts(), rows, 0)) ||
        failed(verifyTiled(*this, "block indices", getBlockIndices(), rows,
                           hasBlockFlags() ? 2 : 1)))
      return failure();
    auto indices = cast<RankedTensorType>(getBlockIndices().getType());
    if (hasBlockFlags() && indices.getShape().back() != 2)
      return emitOpError("expected 2 (block, flag) as the last size of block "
                         "indices, found ")
             << indices.getShape().back();
  }
  if (getTileCounts()) {
    if (!getDecisionTile())
      return emitOpError("expected a decision_tile beside tile_counts");
    if (failed(verifyTiled(*this, "tile_counts", getTileCounts(),
                           (*getDecisionTile())[0], 1)))
      return failure();
    auto type = cast<RankedTensorType>(getTileCounts().getType());
    if (type.getShape().back() != 2)
      return emitOpError("expected 2 (visited, skipped) as the last size of "
                         "tile_counts, found ")
             << type.getShape().back();
  }
  if (auto recall = dyn_cast_or_null<RecallFilterAttr>(getFilterAttr()))
    if (getDecisionTile() && !recall.isExact() &&
        (*getDecisionTile())[1] % (2 * recall.getGroups()))
      return emitOpError("expected a decision tile of a multiple of ")
             << 2 * recall.getGroups() << " keys for " << recall.getGroups()
             << " groups, found " << (*getDecisionTile())[1];

  if (getNumResults() != static_cast<unsigned>(getNumDpsInits()))
    return emitOpError("expected one result for each init, ")
           << getNumDpsInits() << ", found " << getNumResults();
  for (auto [result, init] : llvm::zip_equal(getResultTypes(), getDpsInits()))
    if (result != init.getType())
      return emitOpError("expected results of their inits' types, ")
             << init.getType() << ", found " << result;
  return success();
}

bool AttentionOp::hasBlockFlags() {
  auto rank = [](Value list) {
    return cast<RankedTensorType>(list.getType()).getRank();
  };
  return getBlockCounts() &&
         rank(getBlockIndices()) == rank(getBlockCounts()) + 2;
}

SmallVector<Value> AttentionOp::getCapturedTensors() {
  llvm::SetVector<Value> captured;
  getScore().walk([&](tensor::ExtractOp extract) {
    if (!getScore().isAncestor(extract.getTensor().getParentRegion()))
      captured.insert(extract.getTensor());
  });
  return captured.takeVector();
}

LogicalResult AttentionOp::verifyRegions() {
  if (!hasScore())
    return success();
  Block &block = getScore().front();
  size_t expected = 1 + getDims().batch.size() + 2;
  if (block.getNumArguments() != expected)
    return emitOpError("expected ")
           << expected
           << " arguments of the score region (score, batch indices, query, "
              "key), found "
           << block.getNumArguments();
  if (!block.getArgument(0).getType().isF32())
    return emitOpError("expected the score of the region as f32, found ")
           << block.getArgument(0).getType();
  for (BlockArgument index : block.getArguments().drop_front())
    if (!index.getType().isIndex())
      return emitOpError(
                 "expected indices of the score region as index, found ")
             << index.getType();
  if (!isa<YieldOp>(block.getTerminator()))
    return emitOpError("expected the score region to end in sparse_attn.yield");
  return success();
}
