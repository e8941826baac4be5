//===- TileOpsTest.cpp - Memory, products, reductions, control flow -------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace sparse_attn_test;
using mlir::attn_tile::KernelBuffer;

namespace {

using Row = std::vector<float>;
using Ints = std::vector<int32_t>;

mlir::Type f32() { return mlir::Float32Type::get(&getContext()); }
mlir::Type i32() { return mlir::IntegerType::get(&getContext(), 32); }

/// Runs `body` on a matrix `%m` of 3 columns with the numbers 0, 1, 2, ..., of
/// which `rows` rows are there, and a buffer `%out` of -1.
Row runOnMatrix(
    const std::string &body, int rows, size_t outSize,
    const std::string &type = "!attn_tile.matrix<3xf32, rows = 3>") {
  Buffer<float> in, out{Row(outSize, -1)};
  for (int i = 0; i < 3 * rows; ++i)
    in.data.push_back(i);
  TileKernel kernel(
      kernelText("%in: !llvm.ptr<1>, %out: !llvm.ptr<1>, %rows: i32",
                 "%at = arith.constant 0 : i64\n%c0 = arith.constant 0 : i32\n"
                 "%c1 = arith.constant 1 : i32\n%c2 = arith.constant 2 : i32\n"
                 "%m = attn_tile.view %in[%at], %rows : !llvm.ptr<1> -> " +
                     type + "\n" + body));
  EXPECT_EQ(kernel.run({in.argument(f32()), out.argument(f32()),
                        KernelBuffer::number(rows)}),
            "");
  return out.data;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

TEST(TileOps, LoadFillsRowsPastTheEnd) {
  Row found = runOnMatrix(
      R"mlir(
    %c9 = arith.constant 9 : i32
    %o = attn_tile.view %out[%at], %c9 : !llvm.ptr<1> -> !attn_tile.matrix<3xf32, rows = 3>
    %t = attn_tile.load %m[%c1] : !attn_tile.matrix<3xf32, rows = 3> -> tensor<3x3xf32>
    attn_tile.store %t, %o[%c0] : tensor<3x3xf32>, !attn_tile.matrix<3xf32, rows = 3>)mlir",
      2, 9);
  EXPECT_EQ(found, Row({3, 4, 5, 0, 0, 0, 0, 0, 0}));
}

TEST(TileOps, StoreLeavesOutRowsPastTheEnd) {
  Row found = runOnMatrix(
      R"mlir(
    %o = attn_tile.view %out[%at], %c2 : !llvm.ptr<1> -> !attn_tile.matrix<3xf32, rows = 4>
    %t = attn_tile.load %m[%c0] : !attn_tile.matrix<3xf32, rows = 3> -> tensor<3x3xf32>
    attn_tile.store %t, %o[%c1] : tensor<3x3xf32>, !attn_tile.matrix<3xf32, rows = 4>)mlir",
      3, 9);
  EXPECT_EQ(found, Row({-1, -1, -1, -1, 0, 1, 2, -1, -1}));
}

TEST(TileOps, ViewBeginsAtItsOffset) {
  Row found = runOnMatrix(
      R"mlir(
    %five = arith.constant 5 : i64
    %v = attn_tile.view %in[%five], %c1 : !llvm.ptr<1> -> !attn_tile.matrix<3xf32, rows = 0>
    %t = attn_tile.load %v[%c0] in_bounds : !attn_tile.matrix<3xf32, rows = 0> -> tensor<1x3xf32>
    %o = attn_tile.view %out[%at], %c1 : !llvm.ptr<1> -> !attn_tile.matrix<3xf32, rows = 4>
    attn_tile.store %t, %o[%c0] : tensor<1x3xf32>, !attn_tile.matrix<3xf32, rows = 4>)mlir",
      3, 3);
  EXPECT_EQ(found, Row({5, 6, 7}));
}

TEST(TileOps, RowsStoreAsAColumn) {
  Row found = runOnMatrix(
      R"mlir(
    %t = attn_tile.load %m[%c0] : !attn_tile.matrix<3xf32, rows = 3> -> tensor<2x3xf32>
    %s = attn_tile.reduce_rows <add> %t : tensor<2x3xf32> -> tensor<2xf32>
    %o = attn_tile.view %out[%at], %c2 : !llvm.ptr<1> -> !attn_tile.matrix<1xf32, rows = 2>
    attn_tile.store %s, %o[%c0] : tensor<2xf32>, !attn_tile.matrix<1xf32, rows = 2>)mlir",
      2, 4);
  EXPECT_EQ(found, Row({3, -1, 12, -1}));
}

TEST(TileOps, LoadElementsWithinBounds) {
  std::string store = R"mlir(
    %o = attn_tile.view %out[%at], %c2 : !llvm.ptr<1> -> !attn_tile.matrix<3xf32, rows = 3>
    attn_tile.store %t, %o[%c0] : tensor<2x3xf32>, !attn_tile.matrix<3xf32, rows = 3>)mlir";
  EXPECT_EQ(runOnMatrix(R"mlir(
    %t = attn_tile.load_elements %m[%c1, %c1] bounds(%c2, %rows)
        : !attn_tile.matrix<3xf32, rows = 3> -> tensor<2x3xf32>)mlir" +
                            store,
                        3, 6),
            Row({4, 5, 0, 0, 0, 0}));
  // Pitches of 0 repeat.
  EXPECT_EQ(runOnMatrix(R"mlir(
    %t = attn_tile.load_elements %m[%c1, %c0] bounds(%rows, %rows)
        : !attn_tile.matrix<3xf32, rows = 0, columns = 2> -> tensor<2x3xf32>)mlir" +
                            store,
                        3, 6,
                        "!attn_tile.matrix<3xf32, rows = 0, columns = 2>"),
            Row({0, 2, 4, 0, 2, 4}));
}

TEST(TileOps, ScalarsAreStored) {
  Buffer<int32_t> counts{Ints(3, -1)};
  TileKernel kernel(kernelText("%out: !llvm.ptr<1>, %n: i32",
                               "%at = arith.constant 2 : i64\n"
                               "attn_tile.store_scalar %n, %out[%at] : i32, "
                               "!llvm.ptr<1>"));
  EXPECT_EQ(kernel.run({counts.argument(i32()), KernelBuffer::number(-7)}), "");
  EXPECT_EQ(counts.data, Ints({-1, -1, -7}));
}

/// Masks are bytes, whether their type says i1 or i8.
TEST(TileOps, BooleansAreBytes) {
  Buffer<uint8_t> in{{0, 1, 2, 255}}, out{std::vector<uint8_t>(4)};
  for (const char *type : {"i1", "i8"}) {
    std::string matrix =
        "!attn_tile.matrix<4x" + std::string(type) + ", rows = 4>";
    std::string tile = "tensor<1x4x" + std::string(type) + ">";
    TileKernel kernel(kernelText(
        "%in: !llvm.ptr<1>, %out: !llvm.ptr<1>",
        "%at = arith.constant 0 : i64\n%c0 = arith.constant 0 : i32\n"
        "%c1 = arith.constant 1 : i32\n"
        "%a = attn_tile.view %in[%at], %c1 : !llvm.ptr<1> -> " +
            matrix + "\n%b = attn_tile.view %out[%at], %c1 : !llvm.ptr<1> -> " +
            matrix + "\n%t = attn_tile.load %a[%c0] : " + matrix + " -> " +
            tile + "\nattn_tile.store %t, %b[%c0] : " + tile + ", " + matrix));
    mlir::Type i1 = mlir::IntegerType::get(&getContext(), 1);
    ASSERT_EQ(kernel.run({in.argument(i1), out.argument(i1)}), "");
    EXPECT_EQ(out.data, type == std::string("i1")
                            ? std::vector<uint8_t>({0, 1, 1, 1})
                            : in.data);
  }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// a · b with one number each, in f32 by some precision.
float multiply(float a, float b, const std::string &precision) {
  Buffer<float> in{{a, b}}, out{{0}};
  std::string matrix = "!attn_tile.matrix<1xf32, rows = 1>";
  TileKernel kernel(kernelText(
      "%in: !llvm.ptr<1>, %out: !llvm.ptr<1>",
      "%at = arith.constant 0 : i64\n%c0 = arith.constant 0 : i32\n"
      "%c1 = arith.constant 1 : i32\n%c2 = arith.constant 2 : i32\n"
      "%v = attn_tile.view %in[%at], %c2 : !llvm.ptr<1> -> " +
          matrix + "\n%o = attn_tile.view %out[%at], %c1 : !llvm.ptr<1> -> " +
          matrix + "\n%a = attn_tile.load %v[%c0] : " + matrix +
          " -> tensor<1x1xf32>" + "\n%b = attn_tile.load %v[%c1] : " + matrix +
          " -> tensor<1x1xf32>" +
          "\n%z = arith.constant dense<0.0> : tensor<1x1xf32>"
          "\n%p = attn_tile.mma %a, %b, %z {precision = "
          "#sparse_attn.precision<" +
          precision +
          ">} : tensor<1x1xf32>, tensor<1x1xf32> -> tensor<1x1xf32>"
          "\nattn_tile.store %p, %o[%c0] : tensor<1x1xf32>, " +
          matrix));
  EXPECT_EQ(kernel.run({in.argument(f32()), out.argument(f32())}), "");
  return out.data[0];
}

TEST(TileOps, PrecisionOfProducts) {
  // The last bit of 11 survives tf32, the last of 12 is a tie: away from 0.
  EXPECT_EQ(multiply(1 + 0x1p-10f, 1, "tf32"), 1 + 0x1p-10f);
  EXPECT_EQ(multiply(1 + 0x1p-11f, 1, "tf32"), 1 + 0x1p-10f);
  EXPECT_EQ(multiply(-1 - 0x1p-11f, 1, "tf32"), -1 - 0x1p-10f);
  EXPECT_EQ(multiply(1 + 0x1p-12f, 1, "tf32"), 1);
  // bf16 rounds a tie to even.
  EXPECT_EQ(multiply(1 + 0x1p-7f, 1, "bf16"), 1 + 0x1p-7f);
  EXPECT_EQ(multiply(1 + 0x1p-8f, 1, "bf16"), 1);
  EXPECT_EQ(multiply(1, 1 + 0x3p-8f, "bf16"), 1 + 0x1p-6f);
  // Three products keep 21 bits of each operand.
  EXPECT_EQ(multiply(1 + 0x1p-20f, 1, "tf32x3"), 1 + 0x1p-20f);
  EXPECT_EQ(multiply(1, 1 + 0x1p-20f, "tf32x3"), 1 + 0x1p-20f);
  EXPECT_EQ(multiply(1 + 0x1p-20f, 1 + 0x1p-19f, "tf32x3"), 1 + 0x3p-20f);
}

TEST(TileOps, ProductsWithAndWithoutTransposition) {
  std::string rest = R"mlir(
    %z = arith.constant dense<[[100.0, 200.0, 300.0]]> : tensor<1x3xf32>
    %a = attn_tile.load %m[%c0] : !attn_tile.matrix<3xf32, rows = 3> -> tensor<1x3xf32>
    %b = attn_tile.load %m[%c0] : !attn_tile.matrix<3xf32, rows = 3> -> tensor<3x3xf32>
    %p = attn_tile.mma %a, %b, %z $T {precision = #sparse_attn.precision<tf32x3>}
        : tensor<1x3xf32>, tensor<3x3xf32> -> tensor<1x3xf32>
    %o = attn_tile.view %out[%at], %c1 : !llvm.ptr<1> -> !attn_tile.matrix<3xf32, rows = 3>
    attn_tile.store %p, %o[%c0] : tensor<1x3xf32>, !attn_tile.matrix<3xf32, rows = 3>)mlir";
  std::string plain = rest, transposed = rest;
  plain.replace(plain.find("$T"), 2, "");
  transposed.replace(transposed.find("$T"), 2, "transpose_b");
  EXPECT_EQ(runOnMatrix(plain, 3, 3), Row({115, 218, 321}));
  EXPECT_EQ(runOnMatrix(transposed, 3, 3), Row({105, 214, 323}));
}

//===----------------------------------------------------------------------===//
// Reductions, indices, votes
//===----------------------------------------------------------------------===//

const std::string tile =
    "%t = arith.constant dense<[[1.0, 8.0, 3.0, 4.0]]> : tensor<1x4xf32>\n";

TEST(TileOps, Reductions) {
  auto reduce = [](const std::string &op) {
    return evaluate<float>(
        tile + "%s = attn_tile.reduce_rows " + op +
            " %t : tensor<1x4xf32> -> tensor<1xf32>\n"
            "%r = attn_tile.expand_rows %s : tensor<1xf32> -> tensor<1x2xf32>",
        "f32", 2);
  };
  EXPECT_EQ(reduce("<max>"), Row({8, 8}));
  EXPECT_EQ(reduce("<add>"), Row({16, 16}));
  auto fold = [](const std::string &op) {
    return evaluate<float>(tile + "%r = attn_tile.fold_columns " + op +
                               " %t : tensor<1x4xf32> -> tensor<1x2xf32>",
                           "f32", 2);
  };
  EXPECT_EQ(fold("<max>"), Row({3, 8}));
  EXPECT_EQ(fold("<add>"), Row({4, 12}));
  auto pairs = [](const std::string &op) {
    return evaluate<float>(tile + "%r = attn_tile.fold_pairs " + op +
                               " %t : tensor<1x4xf32>",
                           "f32", 4);
  };
  EXPECT_EQ(pairs("<max>"), Row({8, 8, 4, 4}));
  EXPECT_EQ(pairs("<add>"), Row({9, 9, 7, 7}));
  // Numbers that are not there do not count; integers compare by sign.
  EXPECT_EQ(
      evaluate<float>("%t = arith.constant dense<[[0x7FC00000, -2.0]]> : "
                      "tensor<1x2xf32>\n%r = attn_tile.fold_pairs <max> %t : "
                      "tensor<1x2xf32>",
                      "f32", 2),
      Row({-2, -2}));
  EXPECT_EQ(evaluate<int32_t>("%t = arith.constant dense<[[-5, 3]]> : "
                              "tensor<1x2xi32>\n%r = attn_tile.fold_pairs "
                              "<max> %t : tensor<1x2xi32>",
                              "i32", 2),
            Ints({3, 3}));
}

TEST(TileOps, Indices) {
  EXPECT_EQ(evaluate<int32_t>(
                "%base = arith.constant 10 : i32\n%r = attn_tile.column_index "
                "%base : tensor<1x3xi32>",
                "i32", 3),
            Ints({10, 11, 12}));
  Buffer<int32_t> out{Ints(3)};
  TileKernel kernel(
      kernelText("%out: !llvm.ptr<1>, %n: i32",
                 "%at = arith.constant 0 : i64\n%c0 = arith.constant 0 : i32\n"
                 "%rows = attn_tile.row_index %n : tensor<3xi32>\n"
                 "%o = attn_tile.view %out[%at], %n : !llvm.ptr<1> -> "
                 "!attn_tile.matrix<1xi32, rows = 1>\n"
                 "attn_tile.store %rows, %o[%c0] : tensor<3xi32>, "
                 "!attn_tile.matrix<1xi32, rows = 1>"));
  EXPECT_EQ(kernel.run({out.argument(i32()), KernelBuffer::number(3)}), "");
  EXPECT_EQ(out.data, Ints({3, 4, 5}));
}

TEST(TileOps, Votes) {
  auto any = [](const std::string &rows) {
    return evaluate<int32_t>("%t = arith.constant dense<" + rows +
                                 "> : tensor<2xi1>\n"
                                 "%any = attn_tile.any_row %t : tensor<2xi1>\n"
                                 "%n = arith.extui %any : i1 to i32\n"
                                 "%r = tensor.splat %n : tensor<1x1xi32>",
                             "i32", 1);
  };
  EXPECT_EQ(any("[false, true]"), Ints({1}));
  EXPECT_EQ(any("[false, false]"), Ints({0}));
  EXPECT_EQ(evaluate<float>("%t = arith.constant dense<[1.5, 2.0]> : "
                            "tensor<2xf32>\n%s = attn_tile.sum_rows %t : "
                            "tensor<2xf32>\n%r = tensor.splat %s : "
                            "tensor<1x1xf32>",
                            "f32", 1),
            Row({3.5}));
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

/// The sum of the induction variable and the number of trips.
Ints loop(const std::string &lower, const std::string &upper,
          const std::string &step, const std::string &type = "i32",
          const std::string &keyword = "scf.for") {
  bool cast = type != "i32";
  return evaluate<int32_t>(
      "%l = arith.constant " + lower + " : " + type + "\n%u = arith.constant " +
          upper + " : " + type + "\n%s = arith.constant " + step + " : " +
          type +
          "\n%c0 = arith.constant 0 : i32\n%c1 = arith.constant 1 : i32\n"
          "%x:2 = " +
          keyword +
          " %i = %l to %u step %s iter_args(%a = %c0, %n = %c0) -> (i32, "
          "i32) " +
          (type == "index" ? "" : ": " + type) + " {\n" +
          (cast ? "%i32 = arith.index_cast %i : " + type + " to i32\n"
                : "%i32 = arith.addi %i, %c0 : i32\n") +
          "%b = arith.addi %a, %i32 : i32\n%k = arith.addi %n, %c1 : i32\n"
          "scf.yield %b, %k : i32, i32\n}\n"
          "%first = arith.constant dense<[[true, false]]> : tensor<1x2xi1>\n"
          "%y = tensor.splat %x#0 : tensor<1x2xi32>\n"
          "%z = tensor.splat %x#1 : tensor<1x2xi32>\n"
          "%r = arith.select %first, %y, %z : tensor<1x2xi1>, tensor<1x2xi32>",
      "i32", 2);
}

TEST(TileOps, Loops) {
  EXPECT_EQ(loop("0", "10", "4"), Ints({12, 3}));
  EXPECT_EQ(loop("-3", "3", "2"), Ints({-3, 3}));
  EXPECT_EQ(loop("5", "5", "1"), Ints({0, 0}));
  EXPECT_EQ(loop("6", "5", "1"), Ints({0, 0}));
  EXPECT_EQ(loop("0", "10", "4", "index"), Ints({12, 3}));
  // As unsigned numbers, -2 lies below -1; the last step does not wrap around.
  EXPECT_EQ(loop("-2", "-1", "1", "i32", "scf.for unsigned"), Ints({-2, 1}));
  EXPECT_EQ(loop("2147483646", "2147483647", "2147483647"),
            Ints({2147483646, 1}));
}

TEST(TileOps, BranchesAndWhile) {
  auto branch = [](const std::string &condition) {
    return evaluate<int32_t>(
        "%c = arith.constant " + condition +
            "\n%x = scf.if %c -> (tensor<1x1xi32>) {\n"
            "%a = arith.constant dense<1> : tensor<1x1xi32>\n"
            "scf.yield %a : tensor<1x1xi32>\n} else {\n"
            "%b = arith.constant dense<2> : tensor<1x1xi32>\n"
            "scf.yield %b : tensor<1x1xi32>\n}\n"
            "scf.if %c {\n}\n%r = arith.addi %x, %x : tensor<1x1xi32>",
        "i32", 1);
  };
  EXPECT_EQ(branch("true"), Ints({2}));
  EXPECT_EQ(branch("false"), Ints({4}));
  // Powers of 2 until one is above 100.
  EXPECT_EQ(evaluate<int32_t>(R"mlir(
    %one = arith.constant 1 : i32
    %limit = arith.constant 100 : i32
    %w = scf.while (%x = %one) : (i32) -> i32 {
      %more = arith.cmpi sle, %x, %limit : i32
      scf.condition(%more) %x : i32
    } do {
    ^bb0(%x: i32):
      %y = arith.addi %x, %x : i32
      scf.yield %y : i32
    }
    %r = tensor.splat %w : tensor<1x1xi32>)mlir",
                              "i32", 1),
            Ints({128}));
}

TEST(TileOps, LoopCarriedValuesMoveAtOnce) {
  EXPECT_EQ(evaluate<int32_t>(R"mlir(
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c3 = arith.constant 3 : i32
    %x:2 = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %c0, %b = %c1) -> (i32, i32) : i32 {
      scf.yield %b, %a : i32, i32
    }
    %r = tensor.splat %x#0 : tensor<1x1xi32>)mlir",
                              "i32", 1),
            Ints({1}));
}

TEST(TileOps, EveryBlockKnowsItsPlace) {
  Buffer<int32_t> out{Ints(12, -1)};
  TileKernel kernel(kernelText("%out: !llvm.ptr<1>", R"mlir(
    %x = gpu.block_id x
    %y = gpu.block_id y
    %z = gpu.block_id z
    %nx = gpu.grid_dim x
    %ny = gpu.grid_dim y
    %a = arith.muli %z, %ny : index
    %b = arith.addi %a, %y : index
    %c = arith.muli %b, %nx : index
    %d = arith.addi %c, %x : index
    %at = arith.index_cast %d : index to i64
    %n = arith.trunci %at : i64 to i32
    attn_tile.store_scalar %n, %out[%at] : i32, !llvm.ptr<1>)mlir"));
  EXPECT_EQ(kernel.run({out.argument(i32())}, {3, 2, 2}), "");
  for (int i = 0; i < 12; ++i)
    EXPECT_EQ(out.data[i], i);
}

} // namespace
