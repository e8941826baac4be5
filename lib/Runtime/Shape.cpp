//===- Shape.cpp - Shapes and grids from inputs ---------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/Shape.h"

#include "SparseAttn/Runtime/Support.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace sparse_attn::runtime {

Expected<int64_t> evaluate(const Rule &rule, const Kernel &kernel,
                           const ArgumentShapes &shapes) {
  auto extent = [&](DimRef ref) { return shapes[ref.argument][ref.dim]; };
  switch (rule.form) {
  case Rule::Form::Any:
    break;
  case Rule::Form::Constant:
    return rule.value;
  case Rule::Form::Dim:
    return extent(rule.of[0]);
  case Rule::Form::CeilDiv:
    return divideCeil(uint64_t(extent(rule.of[0])), uint64_t(rule.value));
  case Rule::Form::Product: {
    int64_t product = 1;
    for (DimRef ref : rule.of)
      if (MulOverflow(product, extent(ref), product))
        return fail("kernel '" + kernel.name +
                    "': expected a product of extents below 2^63, found a "
                    "larger one");
    return product;
  }
  }
  llvm_unreachable("all forms that have a value are handled");
}

/// Messages about one argument name it and how the manifest calls it.
static Error argumentError(const Argument &argument, const Twine &message) {
  StringRef role = argument.role == Argument::Role::Input    ? "input"
                   : argument.role == Argument::Role::Output ? "output"
                                                             : "statistic";
  return fail(role + " '" + argument.name + "': " + message);
}

/// The shape as the manifest states it, "?" for what it leaves open.
static std::string expectedShape(const Argument &argument) {
  std::string text = "[";
  for (auto [index, extent] : enumerate(argument.shape)) {
    if (index)
      text += ", ";
    text += extent.form == Rule::Form::Constant ? std::to_string(extent.value)
                                                : "?";
  }
  return text + "]";
}

static Error checkInput(const Argument &argument, const Shape &shape) {
  if (shape.size() != argument.shape.size())
    return argumentError(argument,
                         "expected rank " + Twine(argument.shape.size()) +
                             ", " + expectedShape(argument) + ", found rank " +
                             Twine(shape.size()) + ", " + shapeText(shape));
  for (auto [dim, extent] : enumerate(argument.shape))
    if (extent.form == Rule::Form::Constant && extent.value != shape[dim])
      return argumentError(argument, "expected " + Twine(extent.value) +
                                         " in dimension " + Twine(dim) +
                                         ", found " + shapeText(shape));
  return Error::success();
}

Error resolveShapes(const Kernel &kernel, ArgumentShapes &shapes) {
  for (auto [argument, shape] : zip_equal(kernel.arguments, shapes))
    if (argument.isTensor(Argument::Role::Input))
      if (Error error = checkInput(argument, shape))
        return error;
  // Only now are all extents that rules refer to known to exist.
  for (auto [argument, shape] : zip_equal(kernel.arguments, shapes)) {
    if (argument.kind == Argument::Kind::Dim) {
      int64_t extent = shapes[argument.of.argument][argument.of.dim];
      if (extent > INT32_MAX)
        return fail("argument '" + argument.name +
                    "': expected an extent below 2^31, found " + Twine(extent));
      continue;
    }
    bool isInput = argument.role == Argument::Role::Input;
    for (auto [dim, rule] : enumerate(argument.shape)) {
      if (rule.form == Rule::Form::Any)
        continue;
      Expected<int64_t> extent = evaluate(rule, kernel, shapes);
      if (!extent)
        return extent.takeError();
      if (!isInput)
        shape.push_back(*extent);
      else if (*extent != shape[dim])
        return argumentError(
            argument,
            "expected " + Twine(*extent) + " in dimension " + Twine(dim) +
                " to agree with the other inputs, found " + shapeText(shape));
    }
  }
  return Error::success();
}

Expected<std::array<uint32_t, 3>> evaluateGrid(const Kernel &kernel,
                                               const ArgumentShapes &shapes) {
  constexpr int64_t limits[] = {INT32_MAX, 65535, 65535};
  std::array<uint32_t, 3> grid;
  for (unsigned axis = 0; axis < 3; ++axis) {
    Expected<int64_t> blocks = evaluate(kernel.grid[axis], kernel, shapes);
    if (!blocks)
      return blocks.takeError();
    if (*blocks > limits[axis])
      return fail("kernel '" + kernel.name + "': expected at most " +
                  Twine(limits[axis]) + " thread blocks along " +
                  StringRef("xyz").substr(axis, 1) + ", found " +
                  Twine(*blocks));
    grid[axis] = uint32_t(*blocks);
  }
  return grid;
}

Expected<uint64_t> tensorBytes(const Kernel &kernel, size_t index,
                               const ArgumentShapes &shapes, uint64_t limit) {
  const Argument &argument = kernel.arguments[index];
  const Shape &shape = shapes[index];
  unsigned bytes = elementBytes(argument.type);
  std::optional<uint64_t> count = elementCount(shape);
  if (!count || *count > limit / bytes)
    return argumentError(argument, "expected at most " + Twine(limit) +
                                       " bytes, found the shape " +
                                       shapeText(shape) + " of " +
                                       elementName(argument.type));
  return *count * bytes;
}

} // namespace sparse_attn::runtime
