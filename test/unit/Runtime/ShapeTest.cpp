//===- ShapeTest.cpp - Tests of shapes and grids --------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/Shape.h"
#include "gtest/gtest.h"

using namespace sparse_attn::runtime;
using llvm::toString;

static Rule constant(int64_t value) {
  return {Rule::Form::Constant, value, {}};
}
static Rule any() { return {Rule::Form::Any, -1, {}}; }
static Rule dim(unsigned argument, unsigned index) {
  return {Rule::Form::Dim, 0, {{argument, index}}};
}
static Rule ceilDiv(unsigned argument, unsigned index, int64_t by) {
  return {Rule::Form::CeilDiv, by, {{argument, index}}};
}
static Rule product(std::vector<DimRef> of) {
  return {Rule::Form::Product, 0, std::move(of)};
}

static Argument tensor(const char *name, Argument::Role role,
                       std::vector<Rule> shape) {
  Argument argument;
  argument.name = name;
  argument.role = role;
  argument.shape = std::move(shape);
  return argument;
}

/// query [2, any, 4], value [any, same as query's], output, query_length.
static Kernel attention() {
  Kernel kernel;
  kernel.name = "attention";
  Argument length;
  length.name = "query_length";
  length.kind = Argument::Kind::Dim;
  length.of = {0, 1};
  kernel.arguments = {
      tensor("query", Argument::Role::Input, {constant(2), any(), constant(4)}),
      tensor("value", Argument::Role::Input, {any(), dim(0, 1)}),
      tensor("output", Argument::Role::Output,
             {ceilDiv(0, 1, 32), product({{0, 0}, {1, 0}}), constant(3)}),
      length};
  kernel.grid = {ceilDiv(0, 1, 128), product({}), constant(5)};
  return kernel;
}

static std::string fault(const Kernel &kernel, ArgumentShapes shapes) {
  return toString(resolveShapes(kernel, shapes));
}

TEST(Shape, Resolves) {
  Kernel kernel = attention();
  for (auto [length, tiles] :
       {std::pair(0, 0), std::pair(1, 1), std::pair(32, 1), std::pair(33, 2)}) {
    ArgumentShapes shapes = {{2, length, 4}, {7, length}, {}, {}};
    ASSERT_FALSE(bool(resolveShapes(kernel, shapes)));
    EXPECT_EQ(shapes[2], (Shape{tiles, 14, 3}));
  }
}

TEST(Shape, Faults) {
  Kernel kernel = attention();
  EXPECT_EQ(fault(kernel, {{2, 5}, {7, 5}, {}, {}}),
            "input 'query': expected rank 3, [2, ?, 4], found rank 2, [2, 5]");
  EXPECT_EQ(fault(kernel, {{2, 5, 8}, {7, 5}, {}, {}}),
            "input 'query': expected 4 in dimension 2, found [2, 5, 8]");
  EXPECT_EQ(fault(kernel, {{2, 5, 4}, {7, 6}, {}, {}}),
            "input 'value': expected 5 in dimension 1 to agree with the other "
            "inputs, found [7, 6]");
  int64_t large = int64_t(1) << 31;
  EXPECT_EQ(fault(kernel, {{2, large, 4}, {7, large}, {}, {}}),
            "argument 'query_length': expected an extent below 2^31, found "
            "2147483648");
  EXPECT_EQ(fault(kernel, {{2, 5, 4}, {INT64_MAX, 5}, {}, {}}),
            "kernel 'attention': expected a product of extents below 2^63, "
            "found a larger one");
}

TEST(Shape, Grid) {
  Kernel kernel = attention();
  ArgumentShapes shapes = {{2, 129, 4}, {7, 129}, {}, {}};
  ASSERT_FALSE(bool(resolveShapes(kernel, shapes)));
  llvm::Expected<std::array<uint32_t, 3>> grid = evaluateGrid(kernel, shapes);
  ASSERT_TRUE(bool(grid));
  EXPECT_EQ(*grid, (std::array<uint32_t, 3>{2, 1, 5}));
  // The limits are CUDA's, and both sides of them are tried.
  for (auto [axis, limit] :
       {std::pair(0U, int64_t(INT32_MAX)), std::pair(1U, int64_t(65535)),
        std::pair(2U, int64_t(65535))}) {
    Kernel other = attention();
    other.grid[axis] = constant(limit);
    EXPECT_FALSE(bool(evaluateGrid(other, shapes).takeError()));
    other.grid[axis] = constant(limit + 1);
    EXPECT_EQ(toString(evaluateGrid(other, shapes).takeError()),
              "kernel 'attention': expected at most " + std::to_string(limit) +
                  " thread blocks along " + "xyz"[axis] + ", found " +
                  std::to_string(limit + 1));
  }
}

TEST(Shape, Bytes) {
  Kernel kernel = attention();
  ArgumentShapes shapes = {{2, 5, 4}, {7, 5}, {}, {}};
  ASSERT_FALSE(bool(resolveShapes(kernel, shapes)));
  llvm::Expected<uint64_t> bytes = tensorBytes(kernel, 0, shapes, 160);
  ASSERT_TRUE(bool(bytes));
  EXPECT_EQ(*bytes, 160U);
  EXPECT_EQ(toString(tensorBytes(kernel, 0, shapes, 159).takeError()),
            "input 'query': expected at most 159 bytes, found the shape "
            "[2, 5, 4] of f32");
  shapes[2] = {int64_t(1) << 40, int64_t(1) << 40};
  EXPECT_EQ(toString(tensorBytes(kernel, 2, shapes, UINT64_MAX).takeError()),
            "output 'output': expected at most 18446744073709551615 bytes, "
            "found the shape [1099511627776, 1099511627776] of f32");
}
