//===- SmallKernel.cpp - A kernel cut down for a check ------------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmallKernel.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

using namespace mlir;
using namespace mlir::sparse_attn;

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// At most `tiles` whole tiles and the remainder that `size` has; a length that
/// is not known is ragged.
static int64_t shrink(int64_t size, int64_t tile, int64_t tiles) {
  if (ShapedType::isDynamic(size))
    return tiles * tile + 5;
  return std::min(size, tiles * tile + size % tile);
}

/// The chosen size of every dimension of the iteration space.
static SmallVector<int64_t> chooseSizes(AttentionOp op) {
  AttentionOp::Dims dims = op.getDims();
  SmallVector<int64_t> sizes(op.getQueryMap().getNumDims());
  for (unsigned dim : dims.batch) {
    int64_t size = op.getDimSize(dim);
    sizes[dim] = ShapedType::isDynamic(size) ? 2 : std::min<int64_t>(size, 2);
  }
  ArrayRef<int64_t> tile = *op.getDecisionTile();
  int64_t queries = op.getDimSize(dims.m);
  // A second query tile, whole or ragged as in the original.
  bool ragged = ShapedType::isDynamic(queries) || queries % tile[0] != 0;
  sizes[dims.m] = shrink(queries, tile[0], ragged ? 1 : 2);
  sizes[dims.k2] = shrink(op.getDimSize(dims.k2), tile[1], 3);
  for (unsigned dim : {dims.k1, dims.n}) {
    int64_t size = op.getDimSize(dim);
    sizes[dim] = ShapedType::isDynamic(size) ? 64 : size;
  }
  return sizes;
}

/// The sizes of each operand for `sizes` of the iteration space.
static SmallVector<SmallVector<int64_t>> chooseShapes(AttentionOp op,
                                                      ArrayRef<int64_t> sizes) {
  AttentionOp::Dims dims = op.getDims();
  auto mapped = [&](AffineMap map) {
    SmallVector<int64_t> shape;
    for (AffineExpr expr : map.getResults())
      shape.push_back(sizes[cast<AffineDimExpr>(expr).getPosition()]);
    return shape;
  };
  auto tiled = [&](int64_t rows) {
    SmallVector<int64_t> shape;
    for (unsigned dim : dims.batch)
      shape.push_back(sizes[dim]);
    shape.push_back(llvm::divideCeilSigned(sizes[dims.m], rows));
    return shape;
  };
  SmallVector<SmallVector<int64_t>> shapes = {mapped(op.getQueryMap()),
                                              mapped(op.getKeyMap()),
                                              mapped(op.getValueMap())};
  if (op.getMask())
    shapes.push_back(mapped(op.getMaskMap()));
  if (op.getBlockCounts()) {
    ArrayRef<int64_t> block = *op.getBlockShape();
    shapes.push_back(tiled(block[0]));
    shapes.push_back(tiled(block[0]));
    shapes.back().push_back(llvm::divideCeilSigned(sizes[dims.k2], block[1]));
    if (op.hasBlockFlags())
      shapes.back().push_back(2);
  }
  shapes.push_back(mapped(op.getOutputMap()));
  if (op.getLogSumExp())
    shapes.push_back(mapped(op.getRowMap()));
  if (op.getRecallBound())
    shapes.push_back(mapped(op.getRowMap()));
  if (op.getTileCounts()) {
    shapes.push_back(tiled((*op.getDecisionTile())[0]));
    shapes.back().push_back(2);
  }
  return shapes;
}

/// The arguments of the kernel in the order of the op: its operands, then what
/// its region reads. Statistics, which are operands, are the last arguments.
static SmallVector<BlockArgument> listTensors(AttentionOp op) {
  SmallVector<BlockArgument> tensors;
  for (Value operand : op->getOperands())
    tensors.push_back(cast<BlockArgument>(operand));
  for (Value captured : op.getCapturedTensors())
    tensors.push_back(cast<BlockArgument>(captured));
  return tensors;
}

SmallKernel::SmallKernel(func::FuncOp kernel) {
  module = ModuleOp::create(kernel.getLoc());
  if (auto parent = kernel->getParentOfType<ModuleOp>())
    (*module)->setDiscardableAttrs(parent->getDiscardableAttrDictionary());
  OpBuilder builder(module->getBodyRegion());
  function = cast<func::FuncOp>(builder.clone(*kernel));
  AttentionOp op = getKernelAttention(function);
  SmallVector<SmallVector<int64_t>> chosen = chooseShapes(op, chooseSizes(op));
  // What the region reads keeps its size: any will do, as reads are clamped.
  for (Value tensor : op.getCapturedTensors()) {
    chosen.emplace_back();
    for (int64_t size : cast<RankedTensorType>(tensor.getType()).getShape())
      chosen.back().push_back(ShapedType::isDynamic(size) ? 100 : size);
  }

  shapes.resize(function.getNumArguments());
  for (auto [argument, shape] : llvm::zip_equal(listTensors(op), chosen)) {
    auto type = cast<RankedTensorType>(argument.getType());
    SmallVector<int64_t> typed;
    for (auto [size, old] : llvm::zip_equal(shape, type.getShape()))
      typed.push_back(ShapedType::isDynamic(old) ? old : size);
    argument.setType(type.clone(typed));
    shapes[argument.getArgNumber()] = std::move(shape);
  }
  for (auto [result, init] : llvm::zip_equal(op.getResults(), op.getDpsInits()))
    result.setType(init.getType());
  function.setType(FunctionType::get(function.getContext(),
                                     function.getBody().getArgumentTypes(),
                                     op->getResultTypes()));
}

int64_t SmallKernel::evaluate(const Extent &extent) const {
  switch (extent.form) {
  case Extent::Form::Constant:
    return extent.value;
  case Extent::Form::CeilDiv:
    return llvm::divideCeilSigned(getSize(extent.of.front()), extent.value);
  case Extent::Form::Product:
    return std::accumulate(
        extent.of.begin(), extent.of.end(), int64_t(1),
        [&](int64_t product, DimRef ref) { return product * getSize(ref); });
  }
  llvm_unreachable("all forms are evaluated");
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

namespace {
/// Numbers that are the same with every standard library: distributions of
/// <random> are not.
class Random {
public:
  explicit Random(uint64_t seed) : engine(seed) {}
  /// In [0, 1).
  double uniform() { return (engine() >> 11) * 0x1p-53; }
  /// About normal, within ±6.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i)
      sum += uniform();
    return sum;
  }
  uint64_t below(uint64_t bound) { return engine() % bound; }

private:
  std::mt19937_64 engine;
};
} // namespace

/// Rounds to the fraction bits that the tensor cores keep, so that products of
/// inputs are exact on every floor.
static double roundTo(double value, int bits) {
  int exponent;
  double fraction = std::frexp(value, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, bits)),
                    exponent - bits);
}

/// Fraction bits (the leading one included) of the operands of `op`.
static int fractionBits(AttentionOp op) {
  Type type = cast<RankedTensorType>(op.getQuery().getType()).getElementType();
  if (type.isBF16())
    return 8;
  if (type.isF16())
    return 11;
  switch (op.getPrecisionOrDefault()) {
  case Precision::bf16:
    return 8;
  case Precision::tf32:
    return 11;
  case Precision::tf32x3:
    return 20;
  }
  llvm_unreachable("all precisions have bits");
}

/// A tensor of `shape` whose element at each index is `value(index)`.
static HostTensor fill(ArrayRef<int64_t> shape, Type type,
                       function_ref<double(ArrayRef<int64_t> index)> value) {
  int64_t count = std::accumulate(shape.begin(), shape.end(), int64_t(1),
                                  std::multiplies<int64_t>());
  std::vector<double> values;
  SmallVector<int64_t> index(shape.size());
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i;
    for (size_t dim = shape.size(); dim-- > 0; rest /= shape[dim])
      index[dim] = rest % shape[dim];
    values.push_back(value(index));
  }
  return HostTensor::fromDoubles(shape, type, values);
}

std::vector<HostTensor> SmallKernel::makeInputs(uint64_t seed) const {
  AttentionOp op = getKernelAttention(function);
  AttentionOp::Dims dims = op.getDims();
  Random random(seed);
  int bits = fractionBits(op);
  int64_t headDim = op.getDimSize(dims.k1);
  if (ShapedType::isDynamic(headDim))
    headDim = 64;
  double scale = op.getScale().convertToDouble();
  int64_t tileKeys = (*op.getDecisionTile())[1];

  // Queries share a direction with the keys of even tiles and oppose those of
  // odd ones: scores of the two differ by about 2 · reach.
  constexpr double reach = 8;
  double length = std::sqrt(reach / std::max(1e-6, std::abs(scale) * headDim));
  double sign = scale < 0 ? -1 : 1;
  unsigned keyPosition = *getPosition(op.getKeyMap(), dims.k2);
  auto round = [&](double value) { return roundTo(value, bits); };

  // In the order of the op; in that of the arguments at the end.
  SmallVector<BlockArgument> tensors = listTensors(op);
  auto shapeOf = [&](size_t i) {
    return ArrayRef(shapes[tensors[i].getArgNumber()]);
  };
  std::vector<HostTensor> inputs;
  auto element = [&](size_t i) {
    return cast<RankedTensorType>(op->getOperand(i).getType()).getElementType();
  };
  auto add = [&](function_ref<double(ArrayRef<int64_t>)> value) {
    size_t i = inputs.size();
    inputs.push_back(fill(shapeOf(i), element(i), value));
  };
  add([&](ArrayRef<int64_t>) {
    return round(length * (1 + 0.1 * random.normal()));
  });
  add([&](ArrayRef<int64_t> index) {
    double direction = (index[keyPosition] / tileKeys) % 2 ? -1 : 1;
    return round(sign * direction * length * (1 + 0.1 * random.normal()));
  });
  add([&](ArrayRef<int64_t>) { return round(random.normal()); });
  if (op.getMask()) {
    bool isBool = element(inputs.size()).isInteger(1);
    std::optional<unsigned> row = getPosition(op.getMaskMap(), dims.m);
    add([&](ArrayRef<int64_t> index) {
      // One row that sees nothing, and holes elsewhere.
      bool seen = !(row && index[*row] == 3) && random.below(5) != 0;
      if (isBool)
        return seen ? 1.0 : 0.0;
      return seen ? round(random.normal())
                  : -std::numeric_limits<double>::infinity();
    });
  }
  if (op.getBlockCounts()) {
    size_t position = shapeOf(inputs.size()).size(); // of the entry's number
    int64_t most = shapeOf(inputs.size() + 1)[position];
    add([&](ArrayRef<int64_t>) {
      return static_cast<double>(1 + random.below(most));
    });
    // Ascending from a random first block, around the end: no block twice.
    int64_t first = 0;
    add([&](ArrayRef<int64_t> index) {
      if (op.hasBlockFlags() && index.back() == 1)
        return static_cast<double>(random.below(2));
      if (index[position] == 0)
        first = random.below(most);
      return static_cast<double>((first + index[position]) % most);
    });
  }
  while (inputs.size() < op->getNumOperands())
    inputs.push_back(
        HostTensor::zeros(shapeOf(inputs.size()), element(inputs.size())));
  // What the region reads: few values, so that some of them are equal.
  for (Value tensor : op.getCapturedTensors()) {
    Type type = cast<RankedTensorType>(tensor.getType()).getElementType();
    inputs.push_back(
        fill(shapeOf(inputs.size()), type, [&](ArrayRef<int64_t>) -> double {
          return random.below(type.isInteger(1) ? 2 : 40);
        }));
  }
  std::vector<HostTensor> arguments(inputs.size());
  for (auto [tensor, input] : llvm::zip_equal(tensors, inputs))
    arguments[tensor.getArgNumber()] = std::move(input);
  return arguments;
}
