//===- SparseAttnToAttnTile.cpp - Attention functions become kernels ------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockKernel.h"
#include "FlashLoop.h"
#include "SparseAttn/Analysis/KernelSignature.h"
#include "SparseAttn/Analysis/ModuleTarget.h"
#include "SparseAttn/Analysis/TileShape.h"
#include "SparseAttn/Conversion/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_CONVERTSPARSEATTNTOATTNTILE
#include "SparseAttn/Conversion/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::attn_tile;
using namespace mlir::sparse_attn;

//===----------------------------------------------------------------------===//
// The kernel around the loop
//===----------------------------------------------------------------------===//

namespace {

class KernelBuilder {
public:
  KernelBuilder(func::FuncOp function)
      : function(function), op(getKernelAttention(function)),
        dims(op.getDims()), b(op.getLoc(), op.getContext()) {}
  void build();

private:
  void createFunction();
  void createIndices();
  Value size(unsigned dim);
  /// The argument of that name, null if there is none.
  Value lengthNamed(StringRef name);
  /// The sizes of the captured tensor of that number.
  SmallVector<Value> sizesOf(Value tensor, unsigned number);
  /// The sizes of the counts or the indices of the block list.
  SmallVector<Value> sizesOfList(Value list);
  Value pointer(Value operand) {
    return kernel.getArgument(cast<BlockArgument>(operand).getArgNumber());
  }
  /// Offset, in elements, of this block's batch entry of an operand.
  Value batchOffset(Value operand, AffineMap map);
  /// The rows `rowDim` of an operand whose columns are adjacent.
  Value rowsView(Value operand, AffineMap map, unsigned rowDim, int64_t columns,
                 Value count);
  Value maskView();
  void store(Value tile, Value operand, AffineMap map, int64_t columns);
  void createEpilogue(const FlashResults &results);

  func::FuncOp function;
  AttentionOp op;
  AttentionOp::Dims dims;
  TileBuilder b;
  gpu::GPUFuncOp kernel;
  KernelSignature signature;
  DenseMap<unsigned, Value> sizes;
  SmallVector<Value> batch;
  Value queryTile, batchNumber, firstQuery;
};

void KernelBuilder::createFunction() {
  signature = getKernelSignature(function);
  kernel = createKernelFunction(b, function, signature);

  // Lengths arrive under the dimension that they measure.
  sizes[dims.m] = lengthNamed("query_length");
  sizes[dims.k2] = lengthNamed("key_length");
  for (auto [index, dim] : llvm::enumerate(dims.batch))
    sizes[dim] = lengthNamed("batch_" + std::to_string(index));
  for (unsigned dim : llvm::concat<unsigned>(
           SmallVector<unsigned>{dims.m, dims.k2, dims.k1, dims.n}, dims.batch))
    if (!sizes[dim])
      sizes[dim] = b.i32(op.getDimSize(dim));
}

Value KernelBuilder::size(unsigned dim) { return sizes.lookup(dim); }

Value KernelBuilder::lengthNamed(StringRef name) {
  for (auto [index, argument] : llvm::enumerate(signature.arguments))
    if (!argument.type && argument.name == name)
      return kernel.getArgument(index);
  return {};
}

SmallVector<Value> KernelBuilder::sizesOf(Value tensor, unsigned number) {
  SmallVector<Value> found;
  auto type = cast<RankedTensorType>(tensor.getType());
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    found.push_back(ShapedType::isDynamic(size)
                        ? lengthNamed(getCapturedSizeName(number, dim))
                        : b.i32(size));
  return found;
}

SmallVector<Value> KernelBuilder::sizesOfList(Value list) {
  SmallVector<Value> found;
  for (unsigned dim : dims.batch)
    found.push_back(size(dim));
  Value rows = b.i32((*op.getBlockShape())[0]);
  found.push_back(b.divi(b.addi(size(dims.m), b.subi(rows, b.i32(1))), rows));
  auto type = cast<RankedTensorType>(list.getType());
  for (int64_t size : type.getShape().drop_front(found.size()))
    found.push_back(ShapedType::isDynamic(size)
                        ? lengthNamed(blockListLengthName)
                        : b.i32(size));
  return found;
}

void KernelBuilder::createIndices() {
  queryTile = createBlockIndex(b, gpu::Dimension::x);
  firstQuery = b.muli(queryTile, b.i32((*op.getDecisionTile())[0]));
  batch.resize(dims.batch.size());
  auto split = [&](Value number, ArrayRef<unsigned> positions) {
    SmallVector<Value> counts;
    for (unsigned position : positions)
      counts.push_back(size(dims.batch[position]));
    for (auto [position, index] :
         llvm::zip_equal(positions, splitIndex(b, number, counts)))
      batch[position] = index;
  };
  SmallVector<unsigned> plain, shares;
  for (auto [position, dim] : llvm::enumerate(dims.batch))
    (isShare(op, dim) ? shares : plain).push_back(position);
  batchNumber = createBlockIndex(b, gpu::Dimension::y);
  split(batchNumber, plain);
  if (shares.empty())
    return;
  split(createBlockIndex(b, gpu::Dimension::z), shares);
  // The number among all of them, in the order of the output.
  batchNumber = batch.front();
  for (unsigned position = 1; position < batch.size(); ++position)
    batchNumber = b.addi(b.muli(batchNumber, size(dims.batch[position])),
                         batch[position]);
}

Value KernelBuilder::batchOffset(Value operand, AffineMap map) {
  auto type = cast<RankedTensorType>(operand.getType());
  Value offset;
  for (auto [index, dim] : llvm::zip_equal(batch, dims.batch)) {
    auto position = getPosition(map, dim);
    if (!position)
      continue;
    Value term = b.extend64(index);
    int64_t known = 1;
    for (unsigned inner = *position + 1; inner < type.getRank(); ++inner) {
      unsigned innerDim =
          cast<AffineDimExpr>(map.getResult(inner)).getPosition();
      int64_t innerSize = op.getDimSize(innerDim);
      if (ShapedType::isDynamic(innerSize))
        term = b.muli(term, b.extend64(size(innerDim)));
      else
        known *= innerSize;
    }
    if (known != 1)
      term = b.muli(term, b.i64(known));
    offset = offset ? b.addi(offset, term) : term;
  }
  return offset ? offset : b.i64(0);
}

Value KernelBuilder::rowsView(Value operand, AffineMap map, unsigned rowDim,
                              int64_t columns, Value count) {
  auto type = cast<RankedTensorType>(operand.getType());
  auto matrix = MatrixType::get(b.getContext(), columns, type.getElementType(),
                                *getPitch(type, *getPosition(map, rowDim)), 1);
  return ViewOp::create(b, matrix, pointer(operand), batchOffset(operand, map),
                        count);
}

Value KernelBuilder::maskView() {
  auto type = cast<RankedTensorType>(op.getMask().getType());
  AffineMap map = op.getMaskMap();
  // A dimension that the mask lacks repeats: pitch 0.
  auto pitch = [&](unsigned dim) -> int64_t {
    auto position = getPosition(map, dim);
    return position ? getPitch(type, *position).value_or(ShapedType::kDynamic)
                    : 0;
  };
  auto matrix =
      MatrixType::get(b.getContext(), op.getDimSize(dims.k2),
                      type.getElementType(), pitch(dims.m), pitch(dims.k2));
  return ViewOp::create(b, matrix, pointer(op.getMask()),
                        batchOffset(op.getMask(), map), size(dims.m));
}

void KernelBuilder::store(Value tile, Value operand, AffineMap map,
                          int64_t columns) {
  StoreOp::create(b, tile,
                  rowsView(operand, map, dims.m, columns, size(dims.m)),
                  firstQuery);
}

void KernelBuilder::createEpilogue(const FlashResults &results) {
  using Predicate = arith::CmpFPredicate;
  int64_t width = getTileColumns(op.getDimSize(dims.n));
  // An empty row kept nothing: its sum is 0 and its output must be 0.
  Value empty = b.compare(Predicate::OEQ, results.rowSum, b.f32(0.0));
  Value divisor = b.select(empty, b.f32(1.0), results.rowSum);
  Value inverse =
      b.div(b.full(cast<RankedTensorType>(divisor.getType()), 1.0), divisor);
  Value output = b.mul(results.accumulator, b.expandRows(inverse, width));
  auto outputType = cast<RankedTensorType>(op.getOutput().getType());
  if (!outputType.getElementType().isF32())
    output = arith::TruncFOp::create(b,
                                     cast<RankedTensorType>(output.getType())
                                         .clone(outputType.getElementType()),
                                     output);
  store(output, op.getOutput(), op.getOutputMap(), op.getDimSize(dims.n));

  if (Value target = op.getLogSumExp()) {
    constexpr double ln2 = 0.6931471805599453;
    Value lse = b.mul(b.add(b.log2(divisor), results.rowMax), b.f32(ln2));
    lse = b.select(empty, b.f32(-TileBuilder::infinity), lse);
    store(lse, target, op.getRowMap(), 1);
  }
  if (Value target = op.getRecallBound()) {
    Value bound;
    if (results.skippedMass) {
      // What rounding may have lost of the skipped mass counts as skipped.
      Value mass =
          b.mul(results.skippedMass, b.f32(1.0 + RecallFilterAttr::epsilon));
      bound = b.div(results.rowSum, b.add(divisor, mass));
      bound = b.select(empty, b.f32(1.0), bound);
    } else {
      bound = b.full(cast<RankedTensorType>(divisor.getType()), 1.0);
    }
    store(bound, target, op.getRowMap(), 1);
  }
  if (Value target = op.getTileCounts()) {
    Value tiles = arith::IndexCastOp::create(
        b, b.getI32Type(), gpu::GridDimOp::create(b, gpu::Dimension::x));
    // Each value has a name: the order in which arguments are evaluated, and
    // with it the order of the operations, is the compiler's choice.
    Value wideBatch = b.extend64(batchNumber), wideTiles = b.extend64(tiles);
    Value before = b.muli(wideBatch, wideTiles);
    Value entry = b.addi(before, b.extend64(queryTile));
    Value index = b.muli(entry, b.i64(2));
    StoreScalarOp::create(b, results.visited, pointer(target), index);
    StoreScalarOp::create(b, results.skipped, pointer(target),
                          b.addi(index, b.i64(1)));
  }
}

void KernelBuilder::build() {
  createFunction();
  createIndices();
  FlashInputs inputs;
  inputs.op = op;
  inputs.structure = analyzeScore(op);
  inputs.rows = (*op.getDecisionTile())[0];
  inputs.keys = (*op.getDecisionTile())[1];
  int64_t head = op.getDimSize(dims.k1), valueHead = op.getDimSize(dims.n);
  Value query =
      rowsView(op.getQuery(), op.getQueryMap(), dims.m, head, size(dims.m));
  inputs.query = LoadOp::create(b,
                                b.tile({inputs.rows, getTileColumns(head)},
                                       getElementTypeOrSelf(op.getQuery())),
                                query, firstQuery, /*in_bounds=*/false);
  inputs.key =
      rowsView(op.getKey(), op.getKeyMap(), dims.k2, head, size(dims.k2));
  inputs.value = rowsView(op.getValue(), op.getValueMap(), dims.k2, valueHead,
                          size(dims.k2));
  if (op.getMask()) {
    inputs.mask = maskView();
    inputs.maskRows = size(dims.m);
    inputs.maskColumns = size(dims.k2);
  }
  inputs.batch = batch;
  for (auto [index, tensor] : llvm::enumerate(op.getCapturedTensors()))
    inputs.captured.tensors[tensor] = {pointer(tensor), sizesOf(tensor, index)};
  if (op.getBlockCounts())
    for (Value list : {op.getBlockCounts(), op.getBlockIndices()})
      inputs.captured.tensors[list] = {pointer(list), sizesOfList(list)};
  inputs.firstQuery = firstQuery;
  inputs.queryLength = size(dims.m);
  inputs.keyLength = size(dims.k2);
  createEpilogue(buildFlashLoop(b, inputs));
  gpu::ReturnOp::create(b, ValueRange());
}

std::string findObstacleOf(Operation *op) {
  if (auto attention = dyn_cast<AttentionOp>(op))
    return attn_tile::findObstacle(attention);
  const TargetInfo &target = getModuleTarget(op->getParentOfType<ModuleOp>());
  return findKernelObstacle(cast<KernelOpInterface>(op), target.maxSharedBytes);
}

struct ConvertSparseAttnToAttnTile
    : sparse_attn::impl::ConvertSparseAttnToAttnTileBase<
          ConvertSparseAttnToAttnTile> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<func::FuncOp> kernels;
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr("sparse_attn.kernel"))
        kernels.push_back(function);
    bool found = false;
    for (func::FuncOp function : kernels) {
      Operation *op = getKernelOp(function);
      if (!op) {
        function.emitRemark("not compiled: expected exactly one attention, or "
                            "one operation around it, in a kernel function");
        continue;
      }
      if (std::string obstacle = findObstacleOf(op); !obstacle.empty()) {
        op->emitRemark("not compiled: ") << obstacle;
        ++numRefused;
        continue;
      }
      if (isa<AttentionOp>(op))
        KernelBuilder(function).build();
      else if (auto scores = dyn_cast<BlockScoresOp>(op))
        buildBlockScoresKernel(function, scores);
      else
        buildWarpKernel(function, cast<KernelOpInterface>(op));
      function.erase();
      ++numKernels;
      found = true;
    }
    // Statistics do not count in builds of LLVM without them.
    if (found)
      module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                      UnitAttr::get(&getContext()));
  }
};

} // namespace
