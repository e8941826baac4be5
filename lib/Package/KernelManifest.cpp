//===- KernelManifest.cpp - What the manifest says of a kernel ----------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/KernelManifest.h"
#include "SparseAttn/Analysis/KernelSignature.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace mlir;
using namespace mlir::sparse_attn;
using llvm::json::Array;
using llvm::json::Object;
using Json = llvm::json::Value;

/// JSON has no infinities; a string stands for them.
static Json number(double value) {
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  return value;
}

Object sparse_attn::describeFilter(FilterAttrInterface filter) {
  Object result{{"kind", filter.getPolicy()}};
  if (auto threshold = dyn_cast<ThresholdFilterAttr>(filter)) {
    // Over the number of keys if `per_key`.
    result["threshold"] = number(threshold.getReal());
    result["per_key"] = threshold.getPerKey();
  } else if (auto energy = dyn_cast<EnergyFilterAttr>(filter)) {
    result[energy.getIsBudget() ? "budget" : "energy"] =
        number(energy.getReal());
  } else if (auto recall = dyn_cast<RecallFilterAttr>(filter)) {
    result["recall"] = number(recall.getReal());
    result["granularity"] = recall.getPerTile() ? "tile" : "row";
    result["bound"] = recall.isExact() ? "exact" : "groups";
    if (!recall.isExact())
      result["groups"] = recall.getGroups();
  }
  return result;
}

static Array describe(DimRef ref) { return Array{ref.argument, ref.dim}; }

static Object describe(const Extent &extent) {
  switch (extent.form) {
  case Extent::Form::Constant:
    return Object{{"form", "constant"}, {"value", extent.value}};
  case Extent::Form::CeilDiv:
    return Object{{"form", "ceildiv"},
                  {"of", describe(extent.of.front())},
                  {"by", extent.value}};
  case Extent::Form::Product: {
    Array of;
    for (DimRef ref : extent.of)
      of.push_back(describe(ref));
    return Object{{"form", "product"}, {"of", std::move(of)}};
  }
  }
  llvm_unreachable("all forms are described");
}

static std::string spellElement(Type type) {
  // Masks are bytes in memory; the manifest names what they mean.
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// The size of each dimension of an output: a number, or how it follows from
/// the inputs.
static Array describeOutputShape(AttentionOp op,
                                 const KernelArgument &argument) {
  Array shape;
  auto dimension = [&](unsigned dim) -> Json {
    return Object{{"form", "dim"}, {"of", describe(getInputDim(op, dim))}};
  };
  AttentionOp::Dims dims = op.getDims();
  if (argument.name == "tile_counts") {
    for (auto [size, dim] : llvm::zip(argument.type.getShape(), dims.batch))
      shape.push_back(ShapedType::isDynamic(size) ? dimension(dim)
                                                  : Json(size));
    int64_t tiles = argument.type.getDimSize(dims.batch.size());
    if (ShapedType::isDynamic(tiles))
      shape.push_back(Object{{"form", "ceildiv"},
                             {"of", describe(getInputDim(op, dims.m))},
                             {"by", (*op.getDecisionTile())[0]}});
    else
      shape.push_back(tiles);
    shape.push_back(2);
    return shape;
  }
  AffineMap map =
      argument.name == "output" ? op.getOutputMap() : op.getRowMap();
  for (auto [size, expr] :
       llvm::zip_equal(argument.type.getShape(), map.getResults()))
    shape.push_back(ShapedType::isDynamic(size)
                        ? dimension(cast<AffineDimExpr>(expr).getPosition())
                        : Json(size));
  return shape;
}

/// The size of each dimension of an input: a number, -1 where any will do, or
/// where the kernel reads the length that this one must agree with.
static Array describeInputShape(AttentionOp op, const KernelArgument &argument,
                                unsigned number) {
  AffineMap map = StringSwitch<AffineMap>(argument.name)
                      .Case("query", op.getQueryMap())
                      .Case("key", op.getKeyMap())
                      .Case("value", op.getValueMap())
                      .Case("mask", op.getMaskMap())
                      .Default(AffineMap());
  auto extent = [&](unsigned index) -> Json {
    int64_t size = argument.type.getDimSize(index);
    if (!ShapedType::isDynamic(size))
      return size;
    if (!map)
      return -1;
    // Another operand's type may tell what this one's leaves open.
    unsigned dim = map.getDimPosition(index);
    if (int64_t known = op.getDimSize(dim); !ShapedType::isDynamic(known))
      return known;
    DimRef source = getInputDim(op, dim);
    if (source.argument == number && source.dim == index)
      return -1;
    return Object{{"form", "dim"}, {"of", describe(source)}};
  };
  Array shape;
  for (unsigned index = 0; index < argument.type.getRank(); ++index)
    shape.push_back(extent(index));
  return shape;
}

/// The sizes of a tensor whose type says them all.
static Array describeStaticShape(const KernelArgument &argument) {
  return Array(argument.type.getShape());
}

/// `op` is null for kernels other than attention.
static Object describe(AttentionOp op, const KernelArgument &argument,
                       unsigned number) {
  using Role = KernelArgument::Role;
  if (argument.role == Role::Length)
    return Object{{"name", argument.name},
                  {"kind", "dim"},
                  {"of", describe(argument.of)}};
  Array shape = !op ? describeStaticShape(argument)
                : argument.role == Role::Input
                    ? describeInputShape(op, argument, number)
                    : describeOutputShape(op, argument);
  StringRef role = argument.role == Role::Input    ? "input"
                   : argument.role == Role::Output ? "output"
                                                   : "statistic";
  return Object{{"name", argument.name},
                {"kind", "tensor"},
                {"role", role},
                {"type", spellElement(argument.type.getElementType())},
                {"shape", std::move(shape)}};
}

Object sparse_attn::describeKernel(func::FuncOp kernel, int64_t threads,
                                   int64_t sharedMemory) {
  AttentionOp op = getKernelAttention(kernel);
  KernelSignature signature = getKernelSignature(kernel);
  Array arguments;
  for (auto [number, argument] : llvm::enumerate(signature.arguments))
    arguments.push_back(describe(op, argument, number));
  Json tile = nullptr, filter = nullptr, lists = nullptr;
  if (op) {
    tile = Array(*op.getDecisionTile());
    filter = describeFilter(op.getFilterOrDefault());
    if (op.getBlockShape())
      lists = Object{{"block_shape", Array((*op.getBlockShape()))}};
  }
  return Object{
      {"name", kernel.getSymName()},
      {"operation", getKernelOp(kernel)->getName().stripDialect()},
      {"threads", threads},
      {"shared_memory", sharedMemory},
      {"grid", Object{{"x", describe(signature.gridX)},
                      {"y", describe(signature.gridY)},
                      {"z", describe(signature.gridZ)}}},
      {"arguments", std::move(arguments)},
      {"decision_tile", std::move(tile)},
      {"filter", std::move(filter)},
      {"lists", std::move(lists)},
  };
}
