//===- CpuExecutionTest.cpp - Running functions on the CPU ----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Execution/CpuExecution.h"
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {

class CpuExecution : public ::testing::Test {
protected:
  CpuExecution() {
    context.loadDialect<arith::ArithDialect, func::FuncDialect,
                        linalg::LinalgDialect, math::MathDialect,
                        tensor::TensorDialect>();
  }

  void parse(StringRef text) {
    module = parseSourceString<ModuleOp>(text, ParserConfig(&context));
    ASSERT_TRUE(module);
  }

  HostTensor f32(ArrayRef<int64_t> shape, ArrayRef<double> values) {
    return HostTensor::fromDoubles(shape, Float32Type::get(&context), values);
  }

  std::vector<HostTensor> run(ArrayRef<HostTensor> inputs,
                              StringRef name = "main") {
    auto results = runOnCpu(*module, name, inputs);
    if (!results) {
      ADD_FAILURE() << llvm::toString(results.takeError());
      return {};
    }
    return std::move(*results);
  }

  std::string fault(ArrayRef<HostTensor> inputs, StringRef name = "main") {
    auto results = runOnCpu(*module, name, inputs);
    return results ? "" : llvm::toString(results.takeError());
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(CpuExecution, RunsArithmeticOfEveryType) {
  parse(R"(
    func.func @main(%a: tensor<?xf32>, %b: tensor<?xf16>, %c: tensor<?xbf16>,
                    %d: tensor<?xi32>) -> (tensor<?xf32>, tensor<?xf16>,
                    tensor<?xbf16>, tensor<?xi32>) {
      %w = arith.addf %a, %a : tensor<?xf32>
      %x = arith.mulf %b, %b : tensor<?xf16>
      %y = math.exp %c : tensor<?xbf16>
      %z = arith.addi %d, %d : tensor<?xi32>
      return %w, %x, %y, %z : tensor<?xf32>, tensor<?xf16>, tensor<?xbf16>,
                              tensor<?xi32>
    })");
  Type types[] = {Float32Type::get(&context), Float16Type::get(&context),
                  BFloat16Type::get(&context), IntegerType::get(&context, 32)};
  std::vector<HostTensor> inputs;
  for (Type type : types)
    inputs.push_back(HostTensor::fromDoubles({3}, type, {1.0, -2.0, 3.0}));
  std::vector<HostTensor> results = run(inputs);
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0].toDoubles(), (std::vector<double>{2, -4, 6}));
  EXPECT_EQ(results[1].toDoubles(), (std::vector<double>{1, 4, 9}));
  // e, 1/e² and e³ in 8 bits.
  EXPECT_EQ(results[2].toDoubles(),
            (std::vector<double>{2.71875, 0.1357421875, 20.125}));
  EXPECT_EQ(results[3].toDoubles(), (std::vector<double>{2, -4, 6}));
}

TEST_F(CpuExecution, CallsAndReturnsWhatItWasGiven) {
  parse(R"(
    func.func private @twice(%a: tensor<2x2xf32>) -> tensor<2x2xf32> {
      %x = arith.addf %a, %a : tensor<2x2xf32>
      return %x : tensor<2x2xf32>
    }
    func.func @main(%a: tensor<2x2xf32>)
        -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
      %x = call @twice(%a) : (tensor<2x2xf32>) -> tensor<2x2xf32>
      return %a, %x, %x : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
    })");
  HostTensor input = f32({2, 2}, {1, 2, 3, 4});
  std::vector<HostTensor> results = run({input});
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].bytes, input.bytes);
  EXPECT_EQ(results[1].toDoubles(), (std::vector<double>{2, 4, 6, 8}));
  EXPECT_EQ(results[2].bytes, results[1].bytes);
}

TEST_F(CpuExecution, LeavesInputsAndModuleAlone) {
  parse(R"(
    func.func @main(%a: tensor<4xf32>) -> tensor<4xf32> {
      %zero = arith.constant 0.0 : f32
      %x = linalg.fill ins(%zero : f32) outs(%a : tensor<4xf32>) -> tensor<4xf32>
      return %x : tensor<4xf32>
    })");
  std::string before, after;
  llvm::raw_string_ostream(before) << *module;
  HostTensor input = f32({4}, {1, 2, 3, 4});
  std::vector<HostTensor> results = run({input});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].toDoubles(), (std::vector<double>(4, 0.0)));
  EXPECT_EQ(input.toDoubles(), (std::vector<double>{1, 2, 3, 4}));
  llvm::raw_string_ostream(after) << *module;
  EXPECT_EQ(before, after);
}

TEST_F(CpuExecution, RunsOneFunctionAndEmptyTensors) {
  parse(R"(
    func.func @main(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
      %x = arith.addf %a, %a : tensor<?x3xf32>
      return %x : tensor<?x3xf32>
    })");
  auto function = module->lookupSymbol<func::FuncOp>("main");
  auto results = runOnCpu(function, {f32({0, 3}, {})});
  ASSERT_TRUE(bool(results));
  EXPECT_EQ((*results)[0].shape, (SmallVector<int64_t>{0, 3}));
}

TEST_F(CpuExecution, RunsAttention) {
  context.loadDialect<SparseAttnDialect>();
  parse(R"(
    func.func @main(%x: tensor<2x1xf32>, %v: tensor<2x1xf32>) -> tensor<2x1xf32> {
      %o = tensor.empty() : tensor<2x1xf32>
      %r = sparse_attn.attention
          ins(%x, %x, %v : tensor<2x1xf32>, tensor<2x1xf32>, tensor<2x1xf32>)
          outs(%o : tensor<2x1xf32>)
          {indexing_maps = [affine_map<(m, n, d, k) -> (m, d)>,
                            affine_map<(m, n, d, k) -> (k, d)>,
                            affine_map<(m, n, d, k) -> (k, n)>,
                            affine_map<(m, n, d, k) -> (m, n)>],
           scale = 1.0 : f64} -> tensor<2x1xf32>
      return %r : tensor<2x1xf32>
    })");
  std::vector<HostTensor> results =
      run({f32({2, 1}, {0, 1}), f32({2, 1}, {2, 4})});
  ASSERT_EQ(results.size(), 1u);
  std::vector<double> values = results[0].toDoubles();
  EXPECT_DOUBLE_EQ(values[0], 3.0);
  EXPECT_NEAR(values[1], (2 + 4 * std::exp(1.0)) / (1 + std::exp(1.0)), 1e-6);
}

TEST_F(CpuExecution, SaysWhatDoesNotFit) {
  parse(R"(
    func.func @main(%a: tensor<2x?xf32>) -> tensor<2x?xf32> {
      return %a : tensor<2x?xf32>
    }
    func.func private @declared(tensor<2xf32>)
    func.func @scalar(%a: f32) { return }
    func.func @result(%a: tensor<2xf32>) -> index {
      %x = arith.constant 0 : index
      return %x : index
    })");
  HostTensor good = f32({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(fault({good}), "");
  EXPECT_EQ(fault({good}, "other"), "expected a function 'other', found none");
  EXPECT_EQ(fault({good}, "declared"),
            "expected a body of function 'declared', found a declaration");
  EXPECT_EQ(fault({}), "expected 1 inputs of function 'main', found 0");
  EXPECT_EQ(fault({f32({3, 2}, {1, 2, 3, 4, 5, 6})}),
            "expected shape [2, ?] of input 0, found [3, 2]");
  EXPECT_EQ(fault({f32({2}, {1, 2})}),
            "expected shape [2, ?] of input 0, found [2]");
  HostTensor half = HostTensor::zeros({2, 3}, Float16Type::get(&context));
  EXPECT_EQ(fault({half}), "expected input 0 of f32, found f16");
  HostTensor cut = good;
  cut.bytes.pop_back();
  EXPECT_EQ(fault({cut}), "expected 24 bytes in input 0, found 23");
  EXPECT_EQ(fault({good}, "scalar"),
            "expected a ranked tensor of numbers as argument 0, found f32");
  EXPECT_EQ(fault({f32({2}, {1, 2})}, "result"),
            "expected a ranked tensor of numbers as result 0, found index");
}

TEST_F(CpuExecution, NamesWhatHasNoLowering) {
  context.allowUnregisteredDialects();
  parse(R"(
    func.func @main(%a: tensor<2xf32>) -> tensor<2xf32> {
      %x = "other.op"(%a) : (tensor<2xf32>) -> tensor<2xf32>
      return %x : tensor<2xf32>
    })");
  std::string text = fault({f32({2}, {1, 2})});
  EXPECT_NE(text.find("cannot lower function 'main' to the CPU: "),
            std::string::npos)
      << text;
}

} // namespace
