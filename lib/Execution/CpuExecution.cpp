//===- CpuExecution.cpp - Runs a function on tensors on the CPU -----------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Execution/CpuExecution.h"
#include "CpuPipeline.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/Support/TargetSelect.h"
#include <cstdlib>
#include <cstring>
#include <mutex>

using namespace mlir;
using namespace mlir::sparse_attn;

/// MLIR's runtime: copies between strided buffers, called by lowered code.
extern "C" void memrefCopy(int64_t elementSize, void *from, void *to);

static llvm::Error fault(const Twine &text) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), text);
}

static std::string shapeText(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << '[';
  llvm::interleaveComma(shape, stream, [&](int64_t size) {
    if (ShapedType::isDynamic(size))
      stream << '?';
    else
      stream << size;
  });
  stream << ']';
  return text;
}

static std::string typeText(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

//===----------------------------------------------------------------------===//
// What a function takes and gives
//===----------------------------------------------------------------------===//

static llvm::Error checkType(Type type, const Twine &what) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !getHostElementSize(tensor.getElementType()))
    return fault("expected a ranked tensor of numbers as " + what + ", found " +
                 typeText(type));
  return llvm::Error::success();
}

static llvm::Error checkInput(const HostTensor &input, RankedTensorType type,
                              unsigned number) {
  std::string what = "input " + std::to_string(number);
  if (input.elementType != type.getElementType())
    return fault("expected " + what + " of " + typeText(type.getElementType()) +
                 ", found " + typeText(input.elementType));
  bool fits = llvm::equal(
      input.shape, type.getShape(), [](int64_t found, int64_t expected) {
        return found >= 0 &&
               (ShapedType::isDynamic(expected) || found == expected);
      });
  if (!fits)
    return fault("expected shape " + shapeText(type.getShape()) + " of " +
                 what + ", found " + shapeText(input.shape));
  uint64_t expected =
      input.getNumElements() * getHostElementSize(type.getElementType());
  if (input.bytes.size() != expected)
    return fault("expected " + Twine(expected) + " bytes in " + what +
                 ", found " + Twine(input.bytes.size()));
  return llvm::Error::success();
}

static llvm::Error checkSignature(func::FuncOp function,
                                  ArrayRef<HostTensor> inputs) {
  if (function.isExternal())
    return fault("expected a body of function '" + function.getName() +
                 "', found a declaration");
  if (inputs.size() != function.getNumArguments())
    return fault("expected " + Twine(function.getNumArguments()) +
                 " inputs of function '" + function.getName() + "', found " +
                 Twine(inputs.size()));
  for (auto [number, type] : llvm::enumerate(function.getArgumentTypes())) {
    if (llvm::Error error = checkType(type, "argument " + Twine(number)))
      return error;
    if (llvm::Error error =
            checkInput(inputs[number], cast<RankedTensorType>(type), number))
      return error;
  }
  for (auto [number, type] : llvm::enumerate(function.getResultTypes()))
    if (llvm::Error error = checkType(type, "result " + Twine(number)))
      return error;
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// The call
//===----------------------------------------------------------------------===//

namespace {

/// A memref as generated code passes it: allocated and aligned pointer, offset,
/// sizes, strides; all of 8 bytes.
class Descriptor {
public:
  static size_t wordsFor(int64_t rank) { return 3 + 2 * rank; }

  static SmallVector<int64_t> make(void *data, ArrayRef<int64_t> shape) {
    SmallVector<int64_t> words(wordsFor(shape.size()));
    words[0] = words[1] = reinterpret_cast<intptr_t>(data);
    int64_t stride = 1;
    for (size_t dim = shape.size(); dim-- > 0;) {
      words[3 + dim] = shape[dim];
      words[3 + shape.size() + dim] = stride;
      stride *= shape[dim];
    }
    return words;
  }

  Descriptor(const int64_t *words, int64_t rank) : words(words), rank(rank) {}
  void *allocated() const { return reinterpret_cast<void *>(words[0]); }
  const uint8_t *data(unsigned elementSize) const {
    return reinterpret_cast<const uint8_t *>(words[1]) +
           words[2] * static_cast<int64_t>(elementSize);
  }
  ArrayRef<int64_t> shape() const { return {words + 3, size_t(rank)}; }

private:
  const int64_t *words;
  int64_t rank;
};

} // namespace

static llvm::Error call(ExecutionEngine &engine, StringRef name,
                        ArrayRef<Type> resultTypes, ArrayRef<HostTensor> inputs,
                        std::vector<HostTensor> &results) {
  // The function may write its arguments, so it gets copies.
  std::vector<std::vector<uint8_t>> buffers;
  std::vector<SmallVector<int64_t>> descriptors;
  SmallVector<void *> pointers;
  size_t words = 0;
  for (Type type : resultTypes)
    words += Descriptor::wordsFor(cast<RankedTensorType>(type).getRank());
  std::vector<int64_t> returned(words);
  void *returnedPointer = returned.data();
  if (!resultTypes.empty())
    pointers.push_back(static_cast<void *>(&returnedPointer));
  for (const HostTensor &input : inputs) {
    buffers.push_back(input.bytes);
    descriptors.push_back(Descriptor::make(buffers.back().data(), input.shape));
  }
  SmallVector<void *> descriptorPointers;
  for (SmallVector<int64_t> &descriptor : descriptors)
    descriptorPointers.push_back(descriptor.data());
  for (void *&pointer : descriptorPointers)
    pointers.push_back(static_cast<void *>(&pointer));
  if (llvm::Error error =
          engine.invokePacked(("_mlir_ciface_" + name).str(), pointers))
    return error;

  const int64_t *at = returned.data();
  SmallVector<void *> owned;
  for (Type type : resultTypes) {
    auto tensor = cast<RankedTensorType>(type);
    Descriptor descriptor(at, tensor.getRank());
    at += Descriptor::wordsFor(tensor.getRank());
    HostTensor result =
        HostTensor::zeros(descriptor.shape(), tensor.getElementType());
    if (!result.bytes.empty())
      std::memcpy(result.bytes.data(),
                  descriptor.data(getHostElementSize(tensor.getElementType())),
                  result.bytes.size());
    results.push_back(std::move(result));
    if (!llvm::is_contained(owned, descriptor.allocated()))
      owned.push_back(descriptor.allocated());
  }
  // The caller owns what a function returns.
  for (void *pointer : owned)
    std::free(pointer);
  return llvm::Error::success();
}

llvm::Expected<std::vector<HostTensor>>
sparse_attn::runOnCpu(ModuleOp module, StringRef name,
                      ArrayRef<HostTensor> inputs, bool optimize) {
  auto function = module.lookupSymbol<func::FuncOp>(name);
  if (!function)
    return fault("expected a function '" + name + "', found none");
  if (llvm::Error error = checkSignature(function, inputs))
    return std::move(error);

  static std::once_flag initialized;
  std::call_once(initialized, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
  MLIRContext *context = module.getContext();
  registerCpuPipelineDialects(*context);
  registerBuiltinDialectTranslation(*context);
  registerLLVMDialectTranslation(*context);

  OwningOpRef<ModuleOp> lowered(module.clone());
  lowered->lookupSymbol<func::FuncOp>(name)->setAttr(
      LLVM::LLVMDialect::getEmitCWrapperAttrName(), UnitAttr::get(context));
  std::string reason;
  {
    ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
      if (reason.empty() &&
          diagnostic.getSeverity() == DiagnosticSeverity::Error)
        reason = diagnostic.str();
      return success();
    });
    PassManager passes(context);
    buildCpuPipeline(passes);
    if (failed(passes.run(*lowered)))
      return fault("cannot lower function '" + name + "' to the CPU" +
                   (reason.empty() ? "" : ": " + reason));
  }

  auto transformer = makeOptimizingTransformer(optimize ? 2 : 0,
                                               /*sizeLevel=*/0,
                                               /*targetMachine=*/nullptr);
  ExecutionEngineOptions options;
  options.transformer = transformer;
  options.jitCodeGenOptLevel =
      optimize ? llvm::CodeGenOptLevel::Default : llvm::CodeGenOptLevel::None;
  options.enableGDBNotificationListener = false;
  options.enablePerfNotificationListener = false;
  auto engine = ExecutionEngine::create(*lowered, options);
  if (!engine)
    return engine.takeError();
  (*engine)->registerSymbols([](llvm::orc::MangleAndInterner interner) {
    llvm::orc::SymbolMap symbols;
    symbols[interner("memrefCopy")] = {
        llvm::orc::ExecutorAddr::fromPtr(&memrefCopy),
        llvm::JITSymbolFlags::Exported};
    return symbols;
  });
  std::vector<HostTensor> results;
  if (llvm::Error error =
          call(**engine, name, function.getResultTypes(), inputs, results))
    return std::move(error);
  return results;
}

llvm::Expected<std::vector<HostTensor>>
sparse_attn::runOnCpu(func::FuncOp function, ArrayRef<HostTensor> inputs) {
  OpBuilder builder(function.getContext());
  OwningOpRef<ModuleOp> module(ModuleOp::create(function.getLoc()));
  builder.setInsertionPointToEnd(module->getBody());
  builder.clone(*function.getOperation());
  return runOnCpu(*module, function.getName(), inputs);
}
