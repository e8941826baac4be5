//===- BlockListOps.cpp - Which blocks of keys to visit -------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::sparse_attn;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Kernels and references walk these tensors with sizes known in advance.
static LogicalResult verifyStatic(Operation *op) {
  for (Value operand : op->getOperands())
    if (auto type = dyn_cast<RankedTensorType>(operand.getType());
        !type || !type.hasStaticShape())
      return op->emitOpError("expected tensors of static sizes, found ")
             << operand.getType();
  return success();
}

static LogicalResult verifyShape(Operation *op, StringRef what, Value value,
                                 ArrayRef<int64_t> shape) {
  if (typeOf(value).getShape() == shape)
    return success();
  Type expected = RankedTensorType::get(shape, typeOf(value).getElementType());
  return op->emitOpError("expected ")
         << expected << " as " << what << ", found " << value.getType();
}

/// A dimension of `source` other than its last.
static LogicalResult verifyTokenDim(Operation *op, Value source, int64_t dim) {
  if (dim >= 0 && dim + 1 < typeOf(source).getRank())
    return success();
  return op->emitOpError("expected a dimension before the last one of ")
         << source.getType() << ", found " << dim;
}

/// A number that kernels compute with in 32 bits.
static LogicalResult verifyPositive(Operation *op, StringRef what,
                                    int64_t value) {
  if (value > 0 && value <= INT32_MAX)
    return success();
  return op->emitOpError("expected a positive ")
         << what << " of at most " << INT32_MAX << ", found " << value;
}

//===----------------------------------------------------------------------===//
// pool_tokens
//===----------------------------------------------------------------------===//

SmallVector<StringRef> PoolTokensOp::getArgumentNames() {
  return {"source", "output"};
}

LogicalResult PoolTokensOp::verify() {
  if (failed(verifyStatic(*this)) ||
      failed(verifyTokenDim(*this, getSource(), getDim())) ||
      failed(verifyPositive(*this, "tile", getTile())))
    return failure();
  if (getVariance() && getZeroPadded())
    return emitOpError("expected a variance over the tokens there are, found "
                       "'zero_padded'");
  SmallVector<int64_t> shape(typeOf(getSource()).getShape());
  shape[getDim()] = llvm::divideCeil(shape[getDim()], getTile());
  return verifyShape(*this, "init", getInit(), shape);
}

//===----------------------------------------------------------------------===//
// block_scores
//===----------------------------------------------------------------------===//

/// Finds the roles of the dimensions, or says why the maps have none.
static FailureOr<BlockScoresOp::Dims>
inferDims(AffineMap query, AffineMap key, AffineMap result,
          function_ref<InFlightDiagnostic()> emitError) {
  for (AffineMap map : {query, key, result})
    if (!map.isProjectedPermutation() ||
        map.getNumDims() != result.getNumDims() || map.getNumSymbols()) {
      emitError() << "expected projected permutations of one iteration space "
                     "as indexing maps, found "
                  << AffineMapAttr::get(map);
      return failure();
    }
  BlockScoresOp::Dims dims;
  unsigned rank = result.getNumResults();
  if (rank < 2) {
    emitError() << "expected queries and keys as the last two dimensions of "
                   "the result, found "
                << AffineMapAttr::get(result);
    return failure();
  }
  for (unsigned i = 0; i + 2 < rank; ++i)
    dims.batch.push_back(result.getDimPosition(i));
  dims.queries = result.getDimPosition(rank - 2);
  dims.keys = result.getDimPosition(rank - 1);
  std::optional<unsigned> features;
  bool fine = query.isFunctionOfDim(dims.queries) &&
              !key.isFunctionOfDim(dims.queries) &&
              key.isFunctionOfDim(dims.keys) &&
              !query.isFunctionOfDim(dims.keys);
  for (unsigned dim = 0; dim < result.getNumDims(); ++dim) {
    if (result.isFunctionOfDim(dim))
      continue;
    fine &= !features && query.isFunctionOfDim(dim) && key.isFunctionOfDim(dim);
    features = dim;
  }
  if (!fine || !features) {
    emitError() << "expected the result's last two dimensions in the query and "
                   "in the key alone, and one dimension that only query and "
                   "key have, found "
                << AffineMapAttr::get(query) << ", " << AffineMapAttr::get(key)
                << " and " << AffineMapAttr::get(result);
    return failure();
  }
  for (unsigned dim : dims.batch)
    if (!query.isFunctionOfDim(dim) && !key.isFunctionOfDim(dim)) {
      emitError() << "expected every batch dimension in query or key, found "
                  << AffineMapAttr::get(result);
      return failure();
    }
  dims.features = *features;
  return dims;
}

/// Checks the operands against the maps and gives the sizes of the iteration
/// space by the operands, in order; queries and keys as these have them.
static FailureOr<SmallVector<int64_t>>
inferSizes(Operation *op, ArrayRef<std::pair<Value, AffineMap>> operands) {
  SmallVector<int64_t> sizes(operands.front().second.getNumDims(), -1);
  for (auto [operand, map] : operands) {
    RankedTensorType type = typeOf(operand);
    if (type.getRank() != map.getNumResults())
      return op->emitOpError("expected a tensor of rank ")
             << map.getNumResults() << " by its indexing map, found " << type;
    for (auto [index, size] : llvm::enumerate(type.getShape())) {
      int64_t &known = sizes[map.getDimPosition(index)];
      if (known >= 0 && known != size)
        return op->emitOpError("expected size ")
               << known << " in dimension " << index << " of " << type
               << ", as another operand has";
      known = size;
    }
  }
  return sizes;
}

SmallVector<StringRef> BlockScoresOp::getArgumentNames() {
  return {"query", "key", "output"};
}

AffineMap BlockScoresOp::getQueryMap() {
  return cast<AffineMapAttr>(getIndexingMaps()[0]).getValue();
}
AffineMap BlockScoresOp::getKeyMap() {
  return cast<AffineMapAttr>(getIndexingMaps()[1]).getValue();
}
AffineMap BlockScoresOp::getResultMap() {
  return cast<AffineMapAttr>(getIndexingMaps()[2]).getValue();
}

BlockScoresOp::Dims BlockScoresOp::getDims() {
  return *inferDims(getQueryMap(), getKeyMap(), getResultMap(),
                    [&] { return emitOpError(); });
}

int64_t BlockScoresOp::getDimSize(unsigned dim) {
  for (auto [operand, map] :
       {std::pair(getQuery(), getQueryMap()), std::pair(getKey(), getKeyMap())})
    if (auto position =
            map.getResultPosition(getAffineDimExpr(dim, map.getContext())))
      return typeOf(operand).getDimSize(*position);
  llvm_unreachable("every dimension is one of query or key");
}

LogicalResult BlockScoresOp::verify() {
  auto error = [&] { return emitOpError(); };
  if (failed(verifyStatic(*this)))
    return failure();
  if (getIndexingMaps().size() != 3)
    return emitOpError("expected three indexing maps, for query, key and "
                       "result, found ")
           << getIndexingMaps().size();
  if (getBlock().size() != 2)
    return emitOpError("expected two sizes of a block, queries and keys, "
                       "found ")
           << getBlock().size();
  for (int64_t size : getBlock())
    if (failed(verifyPositive(*this, "size of a block", size)))
      return failure();
  if (failed(verifyPositive(*this, "tile", getTile())))
    return failure();
  for (int64_t size : getBlock())
    if (size % getTile())
      return emitOpError("expected blocks of whole tiles of ")
             << getTile() << " tokens, found " << size;
  if (getElementTypeOrSelf(getQuery()) != getElementTypeOrSelf(getKey()))
    return emitOpError("expected query and key of one element type, found ")
           << getQuery().getType() << " and " << getKey().getType();
  FailureOr<Dims> dims =
      inferDims(getQueryMap(), getKeyMap(), getResultMap(), error);
  if (failed(dims))
    return failure();
  FailureOr<SmallVector<int64_t>> sizes =
      inferSizes(*this, {{getQuery(), getQueryMap()}, {getKey(), getKeyMap()}});
  if (failed(sizes))
    return failure();
  SmallVector<int64_t> shape;
  for (unsigned dim : dims->batch)
    shape.push_back((*sizes)[dim]);
  shape.push_back(llvm::divideCeil((*sizes)[dims->queries], getBlock()[0]));
  shape.push_back(llvm::divideCeil((*sizes)[dims->keys], getBlock()[1]));
  return verifyShape(*this, "init", getInit(), shape);
}

//===----------------------------------------------------------------------===//
// gaussian_scores
//===----------------------------------------------------------------------===//

SmallVector<StringRef> GaussianScoresOp::getArgumentNames() {
  return {"query_mean", "query_variance", "key_mean", "key_variance", "output"};
}

LogicalResult GaussianScoresOp::verify() {
  if (failed(verifyStatic(*this)) ||
      failed(verifyPositive(*this, "number of keys", getKeys())) ||
      failed(
          verifyPositive(*this, "number of keys of a block", getBlockKeys())))
    return failure();
  if (getIndexingMaps().size() != 3)
    return emitOpError("expected three indexing maps, for query, key and "
                       "result, found ")
           << getIndexingMaps().size();
  auto map = [&](unsigned index) {
    return cast<AffineMapAttr>(getIndexingMaps()[index]).getValue();
  };
  FailureOr<BlockScoresOp::Dims> dims =
      inferDims(map(0), map(1), map(2), [&] { return emitOpError(); });
  if (failed(dims))
    return failure();
  FailureOr<SmallVector<int64_t>> sizes =
      inferSizes(*this, {{getQueryMean(), map(0)},
                         {getQueryVariance(), map(0)},
                         {getKeyMean(), map(1)},
                         {getKeyVariance(), map(1)},
                         {getInit(), map(2)}});
  if (failed(sizes))
    return failure();
  int64_t blocks = llvm::divideCeil(getKeys(), getBlockKeys());
  if ((*sizes)[dims->keys] != blocks)
    return emitOpError("expected ")
           << blocks << " blocks of keys, for " << getKeys() << " keys in "
           << "blocks of " << getBlockKeys() << ", found "
           << (*sizes)[dims->keys];
  return success();
}

//===----------------------------------------------------------------------===//
// select_blocks
//===----------------------------------------------------------------------===//

SmallVector<StringRef> SelectBlocksOp::getArgumentNames() {
  if (getValue())
    return {"scores", "value", "block_counts", "block_indices"};
  return {"scores", "block_counts", "block_indices"};
}

MutableOperandRange SelectBlocksOp::getDpsInitsMutable() {
  return MutableOperandRange(*this, getNumOperands() - 2, 2);
}

LogicalResult SelectBlocksOp::verify() {
  if (failed(verifyStatic(*this)))
    return failure();
  ArrayRef<int64_t> shape = typeOf(getScores()).getShape();
  if (shape.size() < 2 || shape.back() == 0)
    return emitOpError("expected scores of blocks of queries by at least one "
                       "block of keys as the last two dimensions, found ")
           << getScores().getType();
  if (failed(
          verifyShape(*this, "counts", getCountsInit(), shape.drop_back())) ||
      failed(verifyShape(*this, "indices", getIndicesInit(), shape)))
    return failure();
  if (!getSelection().getNumber() && !getValue())
    return emitOpError("expected a 'value' for a selection whose number is a "
                       "runtime value, found none");
  if (getSelection().getNumber() && getValue())
    return emitOpError("expected a selection whose number is a runtime value "
                       "beside 'value', found ")
           << getSelection();
  if (Value value = getValue(); value && typeOf(value).getRank() != 0)
    if (failed(verifyShape(*this, "value", value, shape.drop_back(2))))
      return failure();
  for (auto from : {getForcedFrom(), getDenseFrom()})
    if (from && static_cast<int64_t>(*from) < 0)
      return emitOpError("expected an index of a block of at least 0, found ")
             << static_cast<int64_t>(*from);
  return success();
}

//===----------------------------------------------------------------------===//
// What a list recalls
//===----------------------------------------------------------------------===//

SmallVector<StringRef> SampleTokensOp::getArgumentNames() {
  return {"source", "rows", "output"};
}

/// A list of positions.
static LogicalResult verifyRows(Operation *op, Value rows) {
  if (typeOf(rows).getRank() == 1)
    return success();
  return op->emitOpError("expected rows of rank 1, found ") << rows.getType();
}

LogicalResult SampleTokensOp::verify() {
  if (failed(verifyStatic(*this)) ||
      failed(verifyTokenDim(*this, getSource(), getDim())) ||
      failed(verifyRows(*this, getRows())))
    return failure();
  if (getElementTypeOrSelf(getSource()) != getElementTypeOrSelf(getInit()))
    return emitOpError("expected source and init of one element type, found ")
           << getSource().getType() << " and " << getInit().getType();
  SmallVector<int64_t> shape(typeOf(getSource()).getShape());
  if (shape[getDim()] == 0)
    return emitOpError("expected at least one token, found ")
           << getSource().getType();
  shape[getDim()] = typeOf(getRows()).getDimSize(0);
  return verifyShape(*this, "init", getInit(), shape);
}

SmallVector<StringRef> ListRecallOp::getArgumentNames() {
  return {"masses", "rows", "block_counts", "block_indices", "output"};
}

LogicalResult ListRecallOp::verify() {
  if (failed(verifyStatic(*this)) || failed(verifyRows(*this, getRows())) ||
      failed(
          verifyPositive(*this, "number of rows of a block", getBlockRows())))
    return failure();
  ArrayRef<int64_t> shape = typeOf(getMasses()).getShape();
  int64_t samples = typeOf(getRows()).getDimSize(0);
  if (shape.size() < 2 || shape[shape.size() - 2] != samples ||
      shape.back() == 0)
    return emitOpError("expected masses of ")
           << samples << " rows by blocks of keys as the last two dimensions, "
           << "found " << getMasses().getType();
  SmallVector<int64_t> list(shape.drop_back(2));
  ArrayRef<int64_t> counts = typeOf(getCounts()).getShape();
  ArrayRef<int64_t> indices = typeOf(getIndices()).getShape();
  if (counts.empty() || counts.drop_back() != ArrayRef(list) ||
      indices.empty() || indices.drop_back() != counts || counts.back() == 0)
    return emitOpError("expected counts for the batch of the masses and at "
                       "least one block of queries, and indices with one more "
                       "dimension, found ")
           << getCounts().getType() << " and " << getIndices().getType();
  return verifyShape(*this, "init", getInit(), shape.drop_back());
}

SmallVector<StringRef> CertifyRecallOp::getArgumentNames() {
  return {"recalls", "output"};
}

LogicalResult CertifyRecallOp::verify() {
  if (failed(verifyStatic(*this)))
    return failure();
  ArrayRef<int64_t> shape = typeOf(getRecalls()).getShape();
  if (shape.empty() || shape.back() < 2)
    return emitOpError("expected the recalls of at least two queries in the "
                       "last dimension, found ")
           << getRecalls().getType();
  double confidence = getConfidence().convertToDouble();
  if (!(confidence > 0.0 && confidence < 1.0))
    return emitOpError("expected a confidence between 0 and 1, found ")
           << getConfidenceAttr();
  return verifyShape(*this, "init", getInit(), shape.drop_back());
}
