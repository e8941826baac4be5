//===- sparse-attn-test-cpu.cpp - Runs a function of a module on the CPU --===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For tests: gives .npy files to a function on tensors and writes its results,
// attention by its reference semantics. bf16 is f32 in the files.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Execution/CpuExecution.h"
#include "SparseAttn/Runtime/NpyFile.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ToolOutputFile.h"
#include <cstring>

using namespace mlir;
using namespace mlir::sparse_attn;
namespace cl = llvm::cl;
namespace runtime = ::sparse_attn::runtime;

static cl::opt<std::string> moduleFile(cl::Positional, cl::Required,
                                       cl::desc("<module>"));
static cl::opt<std::string> functionName("function", cl::init("main"),
                                         cl::desc("The function to run"));
static cl::list<std::string> inputFiles("input", cl::CommaSeparated,
                                        cl::desc("A .npy for each argument"));
static cl::list<std::string> outputFiles("output", cl::CommaSeparated,
                                         cl::desc("A .npy for each result"));
static cl::opt<bool> optimize("optimize", cl::init(true),
                              cl::desc("Optimize the machine code"));

static llvm::ExitOnError exitOnError("error: ");

static Type typeOf(runtime::NpyType type, Builder &b) {
  switch (type) {
  case runtime::NpyType::F2:
    return b.getF16Type();
  case runtime::NpyType::F4:
    return b.getF32Type();
  case runtime::NpyType::F8:
    return b.getF64Type();
  case runtime::NpyType::I1:
  case runtime::NpyType::U1:
    return b.getI8Type();
  case runtime::NpyType::I2:
  case runtime::NpyType::U2:
    return b.getI16Type();
  case runtime::NpyType::I4:
  case runtime::NpyType::U4:
    return b.getI32Type();
  case runtime::NpyType::I8:
  case runtime::NpyType::U8:
    return b.getI64Type();
  case runtime::NpyType::B1:
    return b.getI1Type();
  }
  return {};
}

static HostTensor read(StringRef path, Type expected, Builder &b) {
  runtime::NpyArray array = exitOnError(runtime::readNpyFile(path));
  HostTensor tensor{SmallVector<int64_t>(ArrayRef<int64_t>(array.shape)),
                    typeOf(array.type, b), array.data};
  if (tensor.elementType == expected)
    return tensor;
  return HostTensor::fromDoubles(tensor.shape, expected, tensor.toDoubles());
}

static void write(StringRef path, HostTensor tensor, Builder &b) {
  if (tensor.elementType.isBF16())
    tensor = HostTensor::fromDoubles(tensor.shape, b.getF32Type(),
                                     tensor.toDoubles());
  for (auto type :
       {runtime::NpyType::F2, runtime::NpyType::F4, runtime::NpyType::F8,
        runtime::NpyType::I4, runtime::NpyType::I8, runtime::NpyType::U1,
        runtime::NpyType::B1})
    if (typeOf(type, b) == tensor.elementType) {
      runtime::NpyArray array{
          type, {tensor.shape.begin(), tensor.shape.end()}, tensor.bytes};
      exitOnError(runtime::writeNpyFile(path, array));
      return;
    }
  exitOnError(llvm::createStringError("no .npy form of a result"));
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv);
  DialectRegistry registry;
  registry.insert<affine::AffineDialect, arith::ArithDialect,
                  cf::ControlFlowDialect, func::FuncDialect,
                  linalg::LinalgDialect, math::MathDialect, scf::SCFDialect,
                  SparseAttnDialect, tensor::TensorDialect>();
  MLIRContext context(registry);
  OwningOpRef<ModuleOp> module =
      parseSourceFile<ModuleOp>(moduleFile, ParserConfig(&context));
  if (!module)
    return 1;
  Builder b(&context);
  auto function = module->lookupSymbol<func::FuncOp>(functionName);
  std::vector<HostTensor> inputs;
  for (auto [number, path] : llvm::enumerate(inputFiles)) {
    Type element;
    if (function && number < function.getNumArguments())
      element = getElementTypeOrSelf(function.getArgumentTypes()[number]);
    inputs.push_back(read(path, element, b));
  }
  std::vector<HostTensor> results =
      exitOnError(runOnCpu(*module, functionName, inputs, optimize));
  for (auto [path, result] : llvm::zip(outputFiles, results))
    write(path, std::move(result), b);
  return 0;
}
