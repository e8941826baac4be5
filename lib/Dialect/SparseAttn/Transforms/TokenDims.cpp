//===- TokenDims.cpp - Operations that treat all tokens alike -------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TokenDims.h"
#include "SparseAttn/Analysis/KernelSignature.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {

/// Where the search begins: dimension `dim` of an operand or of a result.
struct Start {
  bool isResult;
  unsigned number;
  int64_t dim;
};

class Finder {
public:
  Finder(Operation *op, Start start, std::string &reason)
      : op(op), start(start), reason(reason) {
    dims.operands.resize(op->getNumOperands());
    dims.results.resize(op->getNumResults());
  }
  FailureOr<TokenDims> find();

private:
  LogicalResult refuse(const Twine &text) {
    reason = text.str();
    return failure();
  }
  LogicalResult visit(linalg::LinalgOp linalgOp);
  LogicalResult visit(AttentionOp attention);
  LogicalResult visitReshape(ArrayRef<ReassociationIndices> groups,
                             RankedTensorType expanded, bool expands);
  LogicalResult visit(tensor::ExtractSliceOp slice);
  LogicalResult visit(tensor::InsertSliceOp slice);
  LogicalResult visit(tensor::ConcatOp concat);
  LogicalResult visitElementwise();

  Operation *op;
  Start start;
  std::string &reason;
  TokenDims dims;
};

} // namespace

/// By the maps: the tokens are one parallel loop.
LogicalResult Finder::visit(linalg::LinalgOp linalgOp) {
  auto mapOf = [&](unsigned operand) {
    return linalgOp.getMatchingIndexingMap(&op->getOpOperand(operand));
  };
  unsigned firstInit = op->getNumOperands() - linalgOp.getNumDpsInits();
  unsigned from = start.isResult ? firstInit + start.number : start.number;
  auto loop = dyn_cast<AffineDimExpr>(mapOf(from).getResult(start.dim));
  if (!loop)
    return refuse("combines tokens with their neighbours");
  if (linalgOp.getIteratorTypesArray()[loop.getPosition()] !=
      utils::IteratorType::parallel)
    return refuse("combines all tokens");
  bool asksIndex = false;
  linalgOp->walk([&](linalg::IndexOp index) {
    asksIndex |= index.getDim() == loop.getPosition();
  });
  if (asksIndex)
    return refuse("looks at the position of a token");
  for (unsigned operand = 0; operand < op->getNumOperands(); ++operand) {
    AffineMap map = mapOf(operand);
    for (auto [position, expr] : llvm::enumerate(map.getResults())) {
      if (!expr.isFunctionOfDim(loop.getPosition()))
        continue;
      if (expr != loop || dims.operands[operand])
        return refuse("combines tokens with their neighbours");
      dims.operands[operand] = position;
    }
  }
  for (unsigned result = 0; result < op->getNumResults(); ++result) {
    dims.results[result] = dims.operands[firstInit + result];
    OpOperand *init = linalgOp.getDpsInitOperand(result);
    if (!linalgOp.payloadUsesValueFromOperand(init))
      dims.operands[firstInit + result] = std::nullopt;
  }
  return success();
}

/// In its queries, each of which is a row of its own.
LogicalResult Finder::visit(AttentionOp attention) {
  AttentionOp::Dims roles = attention.getDims();
  std::optional<unsigned> query = getPosition(attention.getQueryMap(), roles.m);
  AffineMap map = start.isResult ? start.number == 0 ? attention.getOutputMap()
                                                     : attention.getRowMap()
                                 : attention.getQueryMap();
  if ((!start.isResult && start.number != 0) ||
      map.getDimPosition(start.dim) != roles.m)
    return refuse("has the tokens as keys");
  if (attention.getBlockCounts() || attention.getTileCounts() ||
      attention.getDecisionTile())
    return refuse("has settled which tokens share a tile");
  if (attention.hasScore()) {
    Block &region = attention.getScore().front();
    if (!region.getArgument(region.getNumArguments() - 2).use_empty())
      return refuse("looks at the position of a token");
  }
  dims.operands[0] = query;
  if (AffineMap mask = attention.getMaskMap())
    dims.operands[3] = getPosition(mask, roles.m);
  for (unsigned result = 0; result < op->getNumResults(); ++result)
    dims.results[result] = getPosition(result == 0 ? attention.getOutputMap()
                                                   : attention.getRowMap(),
                                       roles.m);
  return success();
}

/// Beside the tokens a group has nothing but ones.
LogicalResult Finder::visitReshape(ArrayRef<ReassociationIndices> groups,
                                   RankedTensorType expanded, bool expands) {
  bool fromExpanded = expands == start.isResult;
  for (auto [collapsed, group] : llvm::enumerate(groups)) {
    if (fromExpanded ? !llvm::is_contained(group, start.dim)
                     : static_cast<int64_t>(collapsed) != start.dim)
      continue;
    std::optional<int64_t> tokens;
    for (int64_t dim : group) {
      bool single = expanded.getDimSize(dim) == 1;
      if (fromExpanded ? dim == start.dim : !single && !tokens)
        tokens = dim;
      else if (!single)
        return refuse("splits the tokens or joins them with another dimension");
    }
    if (!tokens)
      tokens = group.front();
    dims.operands[0] = expands ? int64_t(collapsed) : *tokens;
    dims.results[0] = expands ? *tokens : int64_t(collapsed);
    return success();
  }
  return refuse("splits the tokens or joins them with another dimension");
}

/// Whether a slice takes dimension `dim` whole, in order.
static bool isWhole(OffsetSizeAndStrideOpInterface slice, int64_t dim,
                    int64_t size) {
  return isConstantIntValue(slice.getMixedOffsets()[dim], 0) &&
         isConstantIntValue(slice.getMixedSizes()[dim], size) &&
         isConstantIntValue(slice.getMixedStrides()[dim], 1);
}

/// The dimension of the whole tensor that is number `dim` of a slice without
/// the dimensions in `dropped`, or the other way around; none if it is dropped.
static std::optional<int64_t> translate(const llvm::SmallBitVector &dropped,
                                        int64_t dim, bool toWhole) {
  int64_t kept = 0;
  for (unsigned whole = 0; whole < dropped.size(); ++whole) {
    if (dropped.test(whole))
      continue;
    if (toWhole ? kept == dim : static_cast<int64_t>(whole) == dim)
      return toWhole ? whole : kept;
    ++kept;
  }
  return std::nullopt;
}

LogicalResult Finder::visit(tensor::ExtractSliceOp slice) {
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  std::optional<int64_t> other = translate(dropped, start.dim, start.isResult);
  if (!other || (!start.isResult && start.number != 0))
    return refuse("takes some of the tokens");
  int64_t whole = start.isResult ? *other : start.dim;
  if (!isWhole(slice, whole, slice.getSourceType().getDimSize(whole)))
    return refuse("takes some of the tokens");
  dims.operands[0] = whole;
  dims.results[0] = start.isResult ? start.dim : *other;
  return success();
}

LogicalResult Finder::visit(tensor::InsertSliceOp slice) {
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  bool fromSource = !start.isResult && start.number == 0;
  std::optional<int64_t> other = translate(dropped, start.dim, fromSource);
  if (!other || (!start.isResult && start.number > 1))
    return refuse("writes some of the tokens");
  int64_t whole = fromSource ? *other : start.dim;
  if (!isWhole(slice, whole, slice.getDestType().getDimSize(whole)))
    return refuse("writes some of the tokens");
  dims.operands[0] = fromSource ? start.dim : *other;
  dims.operands[1] = dims.results[0] = whole;
  return success();
}

LogicalResult Finder::visit(tensor::ConcatOp concat) {
  if (static_cast<int64_t>(concat.getDim()) == start.dim)
    return refuse("joins sequences of tokens");
  return visitElementwise();
}

LogicalResult Finder::visitElementwise() {
  for (auto [number, operand] : llvm::enumerate(op->getOperands()))
    if (isa<RankedTensorType>(operand.getType()))
      dims.operands[number] = start.dim;
  for (std::optional<int64_t> &result : dims.results)
    result = start.dim;
  return success();
}

FailureOr<TokenDims> Finder::find() {
  LogicalResult result =
      llvm::TypeSwitch<Operation *, LogicalResult>(op)
          .Case<AttentionOp, tensor::ExtractSliceOp, tensor::InsertSliceOp,
                tensor::ConcatOp, linalg::LinalgOp>(
              [&](auto known) { return visit(known); })
          .Case<tensor::ExpandShapeOp>([&](auto reshape) {
            return visitReshape(reshape.getReassociationIndices(),
                                reshape.getResultType(), /*expands=*/true);
          })
          .Case<tensor::CollapseShapeOp>([&](auto reshape) {
            return visitReshape(reshape.getReassociationIndices(),
                                reshape.getSrcType(), /*expands=*/false);
          })
          .Default([&](Operation *other) {
            if (OpTrait::hasElementwiseMappableTraits(other) &&
                other->getNumResults() == 1)
              return visitElementwise();
            return refuse("is not known to treat tokens alike");
          });
  if (failed(result))
    return failure();
  return dims;
}

FailureOr<TokenDims>
mlir::sparse_attn::findTokensFromOperand(Operation *op, unsigned operand,
                                         int64_t dim, std::string &reason) {
  return Finder(op, {/*isResult=*/false, operand, dim}, reason).find();
}

FailureOr<TokenDims>
mlir::sparse_attn::findTokensFromResult(Operation *op, unsigned result,
                                        int64_t dim, std::string &reason) {
  return Finder(op, {/*isResult=*/true, result, dim}, reason).find();
}
