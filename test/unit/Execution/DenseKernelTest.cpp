//===- DenseKernelTest.cpp - A flash loop on the three floors -------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace sparse_attn_test;
using namespace mlir;
using attn_tile::KernelBuffer;

namespace {

enum class Floor { Fused, Staged, LaidOut };

struct Shape {
  int64_t heads, queries, keys, depth, tileRows, tileColumns;
};

/// Replaces every `$NAME` of the text.
std::string fill(std::string text,
                 ArrayRef<std::pair<std::string, std::string>> names) {
  for (const auto &[name, value] : names)
    for (size_t at; (at = text.find("$" + name)) != std::string::npos;)
      text.replace(at, name.size() + 1, value);
  return text;
}

std::string getKernel(Floor floor, Type element, const Shape &shape) {
  std::string type;
  llvm::raw_string_ostream(type) << element;
  auto number = [](int64_t value) { return std::to_string(value); };
  bool laidOut = floor == Floor::LaidOut;
  std::string accumulator =
      laidOut ? ", #attn_tile.accumulator<warps = 2>" : "";
  std::string rows = laidOut ? ", #attn_tile.rows<warps = 2>" : "";
  std::string m = number(shape.tileRows), n = number(shape.tileColumns),
              d = number(shape.depth);
  bool isF32 = element.isF32();

  std::string begin = R"mlir(
    %q_tile = attn_tile.load %q_rows[%first] : $MATRIX -> tensor<$Mx$Dx$T>)mlir";
  std::string keys = R"mlir(
      %k_tile = attn_tile.load %k_rows[%j] : $MATRIX -> tensor<$Nx$Dx$T>)mlir";
  std::string values = R"mlir(
      %v_tile = attn_tile.load %v_rows[%j] : $MATRIX -> tensor<$Nx$Dx$T>)mlir";
  std::string end;
  std::string qType = "tensor<$Mx$Dx$T>", kvType = "tensor<$Nx$Dx$T>";
  if (floor != Floor::Fused) {
    qType = "!attn_tile.shared<$Mx$Dx$T>";
    kvType = "!attn_tile.shared<$Nx$Dx$T>";
    begin = R"mlir(
    %q_tile = attn_tile.alloc_shared : $QTYPE
    %k_tile = attn_tile.alloc_shared : $KVTYPE
    %v_tile = attn_tile.alloc_shared : $KVTYPE
    attn_tile.copy_async %q_rows[%first], %q_tile : $MATRIX to $QTYPE
    attn_tile.copy_async %k_rows[%c0], %k_tile : $MATRIX to $KVTYPE)mlir";
    keys = R"mlir(
      attn_tile.wait_copies
      attn_tile.copy_async %v_rows[%j], %v_tile : $MATRIX to $KVTYPE)mlir";
    values = R"mlir(
      attn_tile.wait_copies
      %next = arith.addi %j, %step : i32
      %more = arith.cmpi slt, %next, %n : i32
      scf.if %more {
        attn_tile.copy_async %k_rows[%next], %k_tile : $MATRIX to $KVTYPE
      })mlir";
  }

  std::string body = R"mlir(
    %c0 = arith.constant 0 : i32
    %step = arith.constant $N : i32
    %height = arith.constant $M : i32
    %depth = arith.constant $D : i64
    %x = gpu.block_id x
    %y = gpu.block_id y
    %x32 = arith.index_cast %x : index to i32
    %y64 = arith.index_cast %y : index to i64
    %first = arith.muli %x32, %height : i32
    %m64 = arith.extsi %m : i32 to i64
    %n64 = arith.extsi %n : i32 to i64
    %q_size = arith.muli %m64, %depth : i64
    %k_size = arith.muli %n64, %depth : i64
    %q_at = arith.muli %y64, %q_size : i64
    %k_at = arith.muli %y64, %k_size : i64
    %q_rows = attn_tile.view %q[%q_at], %m : !llvm.ptr<1> -> $MATRIX
    %k_rows = attn_tile.view %k[%k_at], %n : !llvm.ptr<1> -> $MATRIX
    %v_rows = attn_tile.view %v[%k_at], %n : !llvm.ptr<1> -> $MATRIX
    %o_rows = attn_tile.view %o[%q_at], %m : !llvm.ptr<1> -> $MATRIX
    %zero = arith.constant dense<0.0> : $SCORES
    %scale = arith.constant dense<$SCALE> : $SCORES
    %masked = arith.constant dense<0xFF800000> : $SCORES
    %no_max = arith.constant dense<0xFF800000> : $ROWS
    %no_sum = arith.constant dense<0.0> : $ROWS
    %no_out = arith.constant dense<0.0> : $OUT
    %limit = tensor.splat %n : $COLUMNS)mlir" +
                     begin + R"mlir(
    %r:3 = scf.for %j = %c0 to %n step %step
        iter_args(%out = %no_out, %max = %no_max, %sum = %no_sum)
        -> ($OUT, $ROWS, $ROWS) : i32 {)mlir" +
                     keys + R"mlir(
      %raw = attn_tile.mma %q_tile, %k_tile, %zero transpose_b $PRECISION
          : $QTYPE, $KVTYPE -> $SCORES
      %scaled = arith.mulf %raw, %scale : $SCORES
      %column = attn_tile.column_index %j : $COLUMNS
      %inside = arith.cmpi slt, %column, %limit : $COLUMNS
      %s = arith.select %inside, %scaled, %masked : $INSIDE, $SCORES
      %tile_max = attn_tile.reduce_rows <max> %s : $SCORES -> $ROWS
      %new_max = arith.maxnumf %max, %tile_max : $ROWS
      %shift = attn_tile.expand_rows %new_max : $ROWS -> $SCORES
      %below = arith.subf %s, %shift : $SCORES
      %p = math.exp2 %below : $SCORES
      %moved = arith.subf %max, %new_max : $ROWS
      %decay = math.exp2 %moved : $ROWS
      %tile_sum = attn_tile.reduce_rows <add> %p : $SCORES -> $ROWS
      %kept_sum = arith.mulf %sum, %decay : $ROWS
      %new_sum = arith.addf %kept_sum, %tile_sum : $ROWS
      %decays = attn_tile.expand_rows %decay : $ROWS -> $OUT
      %kept_out = arith.mulf %out, %decays : $OUT
      $TRUNCATE)mlir" +
                     values + R"mlir(
      %new_out = attn_tile.mma %weights, %v_tile, %kept_out $PRECISION
          : $WEIGHTS, $KVTYPE -> $OUT
      scf.yield %new_out, %new_max, %new_sum : $OUT, $ROWS, $ROWS
    }
    %sums = attn_tile.expand_rows %r#2 : $ROWS -> $OUT
    %o_f32 = arith.divf %r#0, %sums : $OUT
    $FINISH
    attn_tile.store %o_tile, %o_rows[%first] : $STORED, $MATRIX)mlir";
  char scale[32];
  std::snprintf(scale, sizeof(scale), "%.9e",
                1.4426950408889634 /
                    std::sqrt(static_cast<double>(shape.depth)));
  return kernelText(
      "%q: !llvm.ptr<1>, %k: !llvm.ptr<1>, %v: !llvm.ptr<1>, "
      "%o: !llvm.ptr<1>, %m: i32, %n: i32",
      fill(body, {{"TRUNCATE",
                   isF32 ? "%weights = arith.addf %p, %zero : $SCORES"
                         : "%weights = arith.truncf %p : $SCORES to $WEIGHTS"},
                  {"FINISH",
                   isF32 ? "%o_tile = arith.addf %o_f32, %no_out : $OUT"
                         : "%o_tile = arith.truncf %o_f32 : $OUT to $STORED"},
                  {"PRECISION",
                   isF32 ? "{precision = #sparse_attn.precision<tf32x3>}" : ""},
                  {"QTYPE", qType},
                  {"KVTYPE", kvType},
                  {"MATRIX", "!attn_tile.matrix<$Dx$T, rows = $D>"},
                  {"SCORES", "tensor<$Mx$Nxf32" + accumulator + ">"},
                  {"COLUMNS", "tensor<$Mx$Nxi32" + accumulator + ">"},
                  {"INSIDE", "tensor<$Mx$Nxi1" + accumulator + ">"},
                  {"WEIGHTS", "tensor<$Mx$Nx$T" + accumulator + ">"},
                  {"ROWS", "tensor<$Mxf32" + rows + ">"},
                  {"OUT", "tensor<$Mx$Dxf32" + accumulator + ">"},
                  {"STORED", "tensor<$Mx$Dx$T" + accumulator + ">"},
                  {"SCALE", scale},
                  {"M", m},
                  {"N", n},
                  {"D", d},
                  {"T", type}}));
}

std::vector<float> random(size_t size, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(size);
  for (float &value : values)
    value = normal(engine);
  return values;
}

/// softmax(q·k' / sqrt(depth))·v in double.
std::vector<double> reference(const Shape &shape, ArrayRef<float> q,
                              ArrayRef<float> k, ArrayRef<float> v) {
  std::vector<double> out(q.size());
  int64_t depth = shape.depth;
  for (int64_t row = 0; row < shape.heads * shape.queries; ++row) {
    int64_t keys = row / shape.queries * shape.keys;
    std::vector<double> scores(shape.keys);
    double max = -INFINITY, sum = 0;
    for (int64_t key = 0; key < shape.keys; ++key) {
      for (int64_t i = 0; i < depth; ++i)
        scores[key] += static_cast<double>(q[row * depth + i]) *
                       k[(keys + key) * depth + i];
      scores[key] /= std::sqrt(static_cast<double>(depth));
      max = std::max(max, scores[key]);
    }
    for (double &score : scores)
      sum += score = std::exp(score - max);
    for (int64_t key = 0; key < shape.keys; ++key)
      for (int64_t i = 0; i < depth; ++i)
        out[row * depth + i] += scores[key] / sum * v[(keys + key) * depth + i];
  }
  return out;
}

struct Case {
  Floor floor;
  const char *type;
  Shape shape;
  double tolerance;
};

class DenseKernel : public testing::TestWithParam<Case> {};

TEST_P(DenseKernel, ComputesAttention) {
  const auto &[floor, name, shape, tolerance] = GetParam();
  auto type = getFloatType(name);
  int64_t depth = shape.depth;
  size_t qSize = shape.heads * shape.queries * depth;
  size_t kSize = shape.heads * shape.keys * depth;
  FloatBuffer q(type, random(qSize, 1)), k(type, random(kSize, 2)),
      v(type, random(kSize, 3)), o(type, std::vector<float>(qSize, 7));

  TileKernel kernel(getKernel(floor, type, shape));
  ASSERT_TRUE(kernel.isValid());
  auto tiles =
      static_cast<uint32_t>(llvm::divideCeil(shape.queries, shape.tileRows));
  ASSERT_EQ(kernel.run({q.argument(), k.argument(), v.argument(), o.argument(),
                        KernelBuffer::number(shape.queries),
                        KernelBuffer::number(shape.keys)},
                       {tiles, static_cast<uint32_t>(shape.heads), 1}),
            "");
  std::vector<double> expected =
      reference(shape, q.values(), k.values(), v.values());
  std::vector<float> found = o.values();
  for (size_t i = 0; i < qSize; ++i)
    ASSERT_NEAR(found[i], expected[i], tolerance) << "at element " << i;
}

INSTANTIATE_TEST_SUITE_P(
    Floors, DenseKernel,
    testing::Values(
        Case{Floor::Fused, "f16", {2, 70, 37, 32, 32, 16}, 2e-3},
        Case{Floor::Fused, "bf16", {1, 33, 128, 64, 32, 64}, 2e-2},
        Case{Floor::Fused, "f32", {1, 1, 1, 32, 16, 16}, 1e-6},
        Case{Floor::Fused, "f32", {2, 31, 65, 128, 16, 64}, 2e-6},
        Case{Floor::Staged, "f16", {2, 70, 37, 32, 32, 16}, 2e-3},
        Case{Floor::Staged, "f32", {1, 17, 40, 64, 16, 16}, 2e-6},
        Case{Floor::LaidOut, "f16", {1, 70, 37, 64, 32, 16}, 2e-3},
        Case{Floor::LaidOut, "bf16", {1, 5, 100, 32, 32, 32}, 2e-2}));

TEST(DenseKernel, FloorsAgreeBitForBit) {
  Shape shape{1, 50, 45, 64, 32, 16};
  auto type = cast<FloatType>(Float16Type::get(&getContext()));
  std::vector<std::vector<uint8_t>> results;
  for (Floor floor : {Floor::Fused, Floor::Staged, Floor::LaidOut}) {
    FloatBuffer q(type, random(50 * 64, 1)), k(type, random(45 * 64, 2)),
        v(type, random(45 * 64, 3)), o(type, std::vector<float>(50 * 64));
    TileKernel kernel(getKernel(floor, type, shape));
    ASSERT_EQ(
        kernel.run({q.argument(), k.argument(), v.argument(), o.argument(),
                    KernelBuffer::number(50), KernelBuffer::number(45)},
                   {2, 1, 1}),
        "");
    results.push_back(o.bytes);
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST(DenseKernel, OnlyBlocksLeaveTheRestAlone) {
  Shape shape{2, 64, 16, 32, 32, 16};
  auto type = cast<FloatType>(Float32Type::get(&getContext()));
  FloatBuffer q(type, random(2 * 64 * 32, 1)), k(type, random(2 * 16 * 32, 2)),
      v(type, random(2 * 16 * 32, 3)),
      o(type, std::vector<float>(2 * 64 * 32, 7));
  TileKernel kernel(getKernel(Floor::Fused, type, shape));
  attn_tile::TileKernelOptions options;
  options.onlyBlocks = {1, 2}; // (1, 0) and (0, 1)
  std::vector<KernelBuffer> arguments = {q.argument(),
                                         k.argument(),
                                         v.argument(),
                                         o.argument(),
                                         KernelBuffer::number(64),
                                         KernelBuffer::number(16)};
  ASSERT_EQ(kernel.run(arguments, {2, 2, 1}, options), "");
  std::vector<float> found = o.values();
  for (int64_t tile = 0; tile < 4; ++tile)
    EXPECT_EQ(found[tile * 32 * 32] == 7, tile == 0 || tile == 3);

  options.onlyBlocks = {4};
  EXPECT_NE(kernel.run(arguments, {2, 2, 1}, options)
                .find("thread block 4 is out of bounds, the grid has 4 blocks"),
            std::string::npos);
}

} // namespace
