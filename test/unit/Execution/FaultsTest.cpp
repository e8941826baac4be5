//===- FaultsTest.cpp - What the tile interpreter refuses -----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"
#include "gtest/gtest.h"

using namespace sparse_attn_test;
using mlir::attn_tile::KernelBuffer;

namespace {

const std::string prologue = R"mlir(
    %at = arith.constant 0 : i64
    %c0 = arith.constant 0 : i32
    %c8 = arith.constant 8 : i32
    %c9 = arith.constant 9 : i32
    %one = arith.constant 1 : i32
    %minus = arith.constant -1 : i32
    %m = attn_tile.view %in[%at], %c8 : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = 16>
    %s = attn_tile.alloc_shared : !attn_tile.shared<8x16xf32>
)mlir";

/// The fault of `body` on a buffer `%in` of 8 x 16 x f32, in view `%m`.
std::string faultOf(const std::string &body) {
  Buffer<float> in{std::vector<float>(128)};
  TileKernel kernel(kernelText("%in: !llvm.ptr<1>", prologue + body));
  return kernel.run({in.argument(mlir::Float32Type::get(&getContext()))});
}

/// The fault, without the place, which must be in the kernel's text.
std::string expectPlace(const std::string &fault) {
  EXPECT_EQ(fault.rfind("kernel.mlir:", 0), 0u) << fault;
  size_t space = fault.find(' ');
  return space == std::string::npos ? fault : fault.substr(space + 1);
}

const std::string matrix = "!attn_tile.matrix<16xf32, rows = 16>";
const std::string copy = "attn_tile.copy_async %m[%c0], %s : " + matrix +
                         " to !attn_tile.shared<8x16xf32>\n";
const std::string read =
    "%x = attn_tile.load_shared %s : !attn_tile.shared<8x16xf32> -> "
    "tensor<8x16xf32>\n";
const std::string wait = "attn_tile.wait_copies\n";

TEST(Faults, UnknownOperationsAreNamedWithTheirPlace) {
  EXPECT_EQ(faultOf("%t = gpu.thread_id x"),
            "kernel.mlir:12:6: gpu.thread_id: the interpreter does not know "
            "this operation");
  EXPECT_EQ(expectPlace(faultOf("%e = tensor.empty() : tensor<4xf32>")),
            "tensor.empty: the interpreter does not know this operation");
}

TEST(Faults, UnknownTypes) {
  EXPECT_EQ(expectPlace(faultOf("%x = arith.constant 0.0 : f64")),
            "arith.constant: expected a number or a static tile of at most "
            "16777216 elements of f16, bf16, f32, i1, i8, i16, i32, i64 or "
            "index, found f64");
  for (auto [value, type] :
       {std::pair("0", "tensor<4xi4>"), {"0.0", "tensor<100000x100000xf32>"}})
    EXPECT_NE(faultOf("%x = arith.constant dense<" + std::string(value) +
                      "> : " + type)
                  .find(std::string("found ") + type),
              std::string::npos)
        << type;
  EXPECT_EQ(
      expectPlace(faultOf("%x = attn_tile.view %in[%at], %c8 : !llvm.ptr<1> -> "
                          "!attn_tile.matrix<16xf64, rows = 16>")),
      "attn_tile.view: expected elements of f16, bf16, f32, i1, i8, i16, i32 "
      "or i64, found f64");
  EXPECT_EQ(
      expectPlace(faultOf("%yes = arith.constant true\n"
                          "%x = arith.select %yes, %in, %in : !llvm.ptr<1>")),
      "arith.select: expected tiles and numbers as operands, found "
      "!llvm.ptr<1>");
}

TEST(Faults, OutOfBounds) {
  auto view = [](const std::string &offset, const std::string &rows,
                 const std::string &pitch = "16") {
    return "%off = arith.constant " + offset + " : i64\n%v = attn_tile.view " +
           "%in[%off], " + rows +
           " : !llvm.ptr<1> -> !attn_tile.matrix<16xf32, rows = " + pitch +
           ">\n";
  };
  std::string type = "!attn_tile.matrix<16xf32, rows = 16>";
  std::string load =
      "%x = attn_tile.load %v[%c0] : " + type + " -> tensor<16x16xf32>";
  EXPECT_EQ(expectPlace(faultOf(view("0", "%c9") + load)),
            "attn_tile.load: 16 elements from 128 on are out of bounds of "
            "argument 0, which has 128");
  EXPECT_EQ(expectPlace(faultOf(view("-1", "%c8") + load)),
            "attn_tile.load: 16 elements from -1 on are out of bounds of "
            "argument 0, which has 128");
  EXPECT_EQ(expectPlace(faultOf(view("9223372036854775807", "%c8") + load)),
            "attn_tile.load: 16 elements from 9223372036854775807 on are out "
            "of bounds of argument 0, which has 128");
  std::string steep = "9223372036854775807";
  EXPECT_EQ(
      expectPlace(faultOf(
          view("1", "%c8", steep) +
          "%x = attn_tile.load %v[%one] : !attn_tile.matrix<16xf32, rows = " +
          steep + "> -> tensor<1x16xf32>")),
      "attn_tile.load: the address of element (1, 0) does not fit 64 bits");
  EXPECT_EQ(
      expectPlace(faultOf(
          view("0", "%c9") +
          "%t = arith.constant dense<0.0> : tensor<16x16xf32>\nattn_tile.store "
          "%t, %v[%c0] : tensor<16x16xf32>, " +
          type)),
      "attn_tile.store: 16 elements from 128 on are out of bounds of argument "
      "0, which has 128");
  EXPECT_EQ(
      expectPlace(faultOf(
          "%x = attn_tile.load_elements %m[%c8, %c0] bounds(%c9, %one) : " +
          type + " -> tensor<2x2xf32>")),
      "attn_tile.load_elements: 1 elements from 128 on are out of bounds of "
      "argument 0, which has 128");
  EXPECT_EQ(expectPlace(faultOf(view("8", "%c8") +
                                "attn_tile.copy_async %v[%c0], %s : " + type +
                                " to !attn_tile.shared<8x16xf32>")),
            "attn_tile.copy_async: 16 elements from 120 on are out of bounds "
            "of argument 0, which has 128");
  EXPECT_EQ(
      expectPlace(faultOf(
          "%far = arith.constant 128 : i64\n%x = arith.constant 0.0 : "
          "f32\nattn_tile.store_scalar %x, %in[%far] : f32, !llvm.ptr<1>")),
      "attn_tile.store_scalar: 1 elements from 128 on are out of bounds of "
      "argument 0, which has 128");
}

TEST(Faults, NegativeRows) {
  EXPECT_EQ(expectPlace(faultOf("%x = attn_tile.load %m[%minus] : " + matrix +
                                " -> tensor<8x16xf32>")),
            "attn_tile.load: expected a row of at least 0, found -1");
  EXPECT_EQ(expectPlace(faultOf("%x = attn_tile.load_elements %m[%minus, %c0] "
                                "bounds(%c8, %c8) : " +
                                matrix + " -> tensor<8x16xf32>")),
            "attn_tile.load_elements: expected a row and a column of at least "
            "0, found -1 and 0");
  EXPECT_EQ(expectPlace(faultOf("%x = attn_tile.view %in[%at], %minus : "
                                "!llvm.ptr<1> -> " +
                                matrix)),
            "attn_tile.view: expected at least 0 rows, found -1");
}

TEST(Faults, BrokenPromises) {
  EXPECT_EQ(expectPlace(faultOf("%x = attn_tile.load %m[%one] in_bounds : " +
                                matrix + " -> tensor<8x16xf32>")),
            "attn_tile.load: promises to be in bounds, found rows 1 to 8 of 8");
  EXPECT_EQ(expectPlace(faultOf("attn_tile.copy_async %m[%one], %s in_bounds "
                                ": " +
                                matrix + " to !attn_tile.shared<8x16xf32>")),
            "attn_tile.copy_async: promises to be in bounds, found rows 1 to 8 "
            "of 8");
}

TEST(Faults, OtherElementType) {
  EXPECT_EQ(expectPlace(faultOf(
                "%v = attn_tile.view %in[%at], %c8 : !llvm.ptr<1> -> "
                "!attn_tile.matrix<16xf16, rows = 16>\n"
                "%x = attn_tile.load %v[%c0] : "
                "!attn_tile.matrix<16xf16, rows = 16> -> tensor<8x16xf16>")),
            "attn_tile.load: expected argument 0 to be a buffer of f16, found "
            "f32");
}

TEST(Faults, SharedMemoryTooEarly) {
  EXPECT_EQ(faultOf(copy + wait + read), "");
  EXPECT_EQ(expectPlace(faultOf(read)),
            "attn_tile.load_shared: reads a shared tile that nothing was "
            "copied to");
  std::string fault = expectPlace(faultOf(copy + read));
  EXPECT_EQ(fault.rfind("attn_tile.load_shared: reads a shared tile before a "
                        "wait_copies after the copy that began at kernel.mlir:",
                        0),
            0u)
      << fault;
  // What was there before does not make it right.
  EXPECT_NE(faultOf(copy + wait + copy + read), "");
  std::string product =
      "%a = arith.constant dense<0.0> : tensor<16x16xf32>\n"
      "%z = arith.constant dense<0.0> : tensor<16x8xf32>\n"
      "%p = attn_tile.mma %a, %s, %z transpose_b {precision = "
      "#sparse_attn.precision<tf32>} : tensor<16x16xf32>, "
      "!attn_tile.shared<8x16xf32> -> tensor<16x8xf32>\n";
  EXPECT_EQ(faultOf(copy + wait + product), "");
  EXPECT_NE(faultOf(copy + product)
                .find("attn_tile.mma: reads a shared tile "
                      "before a wait_copies"),
            std::string::npos);
}

TEST(Faults, SharedMemoryOverwritten) {
  std::string busy = "attn_tile.copy_async: other threads may still read the "
                     "tile: expected a barrier between its last use and this "
                     "copy";
  EXPECT_EQ(expectPlace(faultOf(copy + wait + read + copy)), busy);
  EXPECT_EQ(faultOf(copy + wait + read + wait + copy), "");
  EXPECT_EQ(faultOf(copy + wait + read +
                    "%rows = arith.constant dense<true> : tensor<16xi1>\n"
                    "%any = attn_tile.any_row %rows : tensor<16xi1>\n" +
                    copy),
            "");
  EXPECT_NE(
      faultOf(copy + copy)
          .find("attn_tile.copy_async: expected a tile that no copy is under "
                "way to, found the copy that began at kernel.mlir:"),
      std::string::npos);
}

TEST(Faults, Steps) {
  EXPECT_EQ(expectPlace(faultOf("scf.for %i = %c0 to %c8 step %minus : i32 "
                                "{\n}")),
            "scf.for: expected a step above 0, found -1");
  EXPECT_EQ(expectPlace(faultOf("scf.for unsigned %i = %c0 to %c8 step %c0 : "
                                "i32 {\n}")),
            "scf.for: expected a step above 0, found 0");
}

TEST(Faults, ReductionsOfBooleansAndOddPairs) {
  EXPECT_EQ(expectPlace(faultOf(
                "%t = arith.constant dense<true> : tensor<2x2xi1>\n"
                "%x = attn_tile.reduce_rows <max> %t : tensor<2x2xi1> -> "
                "tensor<2xi1>")),
            "attn_tile.reduce_rows: expected floats or integers of more than "
            "one bit");
  EXPECT_EQ(expectPlace(faultOf(
                "%t = arith.constant dense<0.0> : tensor<2x3xf32>\n"
                "%x = attn_tile.fold_pairs <max> %t : tensor<2x3xf32>")),
            "attn_tile.fold_pairs: expected an even number of columns of "
            "floats or integers of more than one bit");
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

TEST(Faults, Arguments) {
  mlir::Type f32 = mlir::Float32Type::get(&getContext());
  Buffer<float> memory{std::vector<float>(4)};
  TileKernel kernel(kernelText("%p: !llvm.ptr<1>, %n: i32", ""));
  KernelBuffer good = memory.argument(f32), number = KernelBuffer::number(3);
  EXPECT_EQ(kernel.run({good, number}), "");
  auto expect = [&](llvm::ArrayRef<KernelBuffer> arguments,
                    const std::string &message) {
    EXPECT_EQ(expectPlace(kernel.run(arguments)), "gpu.func: " + message);
  };
  expect({good}, "expected 2 arguments, found 1");
  expect({number, number},
         "expected memory for argument 0 of type !llvm.ptr<1>");
  expect({good, good}, "expected a number for argument 1 of type i32");
  expect({memory.argument(mlir::Float64Type::get(&getContext())), number},
         "expected argument 0 to hold f16, bf16, f32, i1, i8, i16, i32 or i64, "
         "found f64");
  expect({memory.argument(mlir::IndexType::get(&getContext())), number},
         "expected argument 0 to hold f16, bf16, f32, i1, i8, i16, i32 or i64, "
         "found index");
  std::vector<uint8_t> odd(7);
  expect({KernelBuffer::memory(f32, odd), number},
         "expected argument 0 to hold whole elements of 4 bytes, found 7 "
         "bytes");
  TileKernel wide(kernelText("%n: i64", ""));
  EXPECT_EQ(expectPlace(wide.run({number})),
            "gpu.func: expected argument 0 to be a pointer or an i32, found "
            "i64");
}

TEST(Faults, Kernels) {
  TileKernel branches(kernelText("", "cf.br ^bb1\n^bb1:\n"));
  EXPECT_EQ(expectPlace(branches.run()),
            "gpu.func: expected structured control flow, found 2 blocks");
  TileKernel empty(kernelText("", ""));
  uint32_t many = UINT32_MAX;
  EXPECT_EQ(expectPlace(empty.run({}, {many, many, many})),
            "gpu.func: expected fewer than 2^64 thread blocks");
  EXPECT_EQ(empty.run({}, {0, 1, 1}), "");
}

TEST(Faults, PlacesWithoutALine) {
  TileKernel kernel("gpu.module @m {\ngpu.func @k() kernel {\n"
                    "%t = gpu.thread_id x loc(\"here\")\ngpu.return\n}\n}");
  EXPECT_EQ(kernel.run(), "loc(\"here\"): gpu.thread_id: the interpreter does "
                          "not know this operation");
}

} // namespace
