//===- IreeProgram.cpp - A compilation as a program of IREE -------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/IreeProgram.h"
#include "Backend.h"
#include "IreeOps.h"
#include "Resources.h"
#include "SparseAttn/Analysis/KernelSignature.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "SparseAttn/Target/TargetInfo.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using Role = KernelArgument::Role;

//===----------------------------------------------------------------------===//
// Executables
//===----------------------------------------------------------------------===//

namespace {
/// A kernel that every target has, newest target first.
struct Program {
  struct Variant {
    const TargetInfo *target;
    const CompiledKernel *kernel;
    func::FuncOp function;
    KernelSignature signature;
  };
  std::vector<Variant> variants;
  /// Dynamic sizes that grids are computed from: the dispatch's workload.
  SmallVector<DimRef> workload;

  ArrayRef<KernelArgument> getArguments() const {
    return variants.front().signature.arguments;
  }
};
} // namespace

/// Whether IREE's order of bindings, operands before results, is not the
/// kernel's: an output then has to be given as an operand too.
static bool needsTiedResults(ArrayRef<KernelArgument> arguments) {
  auto isOutput = [](const KernelArgument &argument) {
    return argument.role == Role::Output;
  };
  auto first = llvm::find_if(arguments, isOutput);
  return llvm::any_of(llvm::make_range(first, arguments.end()),
                      [](const KernelArgument &argument) {
                        return argument.role == Role::Input;
                      });
}

static RankedTensorType getType(func::FuncOp kernel, DimRef ref) {
  return cast<RankedTensorType>(kernel.getArgument(ref.argument).getType());
}

/// Adds the dynamic sizes behind `extent` to `workload`.
static void collectWorkload(func::FuncOp kernel, const Extent &extent,
                            SmallVectorImpl<DimRef> &workload) {
  for (DimRef ref : extent.of)
    if (getType(kernel, ref).isDynamicDim(ref.dim) &&
        llvm::none_of(workload, [&](DimRef known) {
          return known.argument == ref.argument && known.dim == ref.dim;
        }))
      workload.push_back(ref);
}

/// Builds the number of blocks that `extent` stands for; `sizes` are the values
/// of `workload`.
static Value buildExtent(OpBuilder &builder, Location loc, func::FuncOp kernel,
                         const Extent &extent, ArrayRef<DimRef> workload,
                         ValueRange sizes) {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  auto size = [&](DimRef ref) {
    for (auto [known, value] : llvm::zip_equal(workload, sizes))
      if (known.argument == ref.argument && known.dim == ref.dim)
        return value;
    return constant(getType(kernel, ref).getDimSize(ref.dim));
  };
  switch (extent.form) {
  case Extent::Form::Constant:
    return constant(extent.value);
  case Extent::Form::CeilDiv:
    return arith::CeilDivUIOp::create(builder, loc, size(extent.of.front()),
                                      constant(extent.value));
  case Extent::Form::Product: {
    Value product = constant(1);
    for (DimRef ref : extent.of)
      product = arith::MulIOp::create(builder, loc, product, size(ref));
    return product;
  }
  }
  llvm_unreachable("all forms are built");
}

/// Builds `kernel`'s executable at the end of `module`.
static void buildExecutable(iree::Builder &builder, Program &program) {
  StringRef name = program.variants.front().kernel->name;
  Location loc = program.variants.front().function.getLoc();
  OpBuilder::InsertionGuard guard(builder);
  builder.startExecutable(loc, name);
  for (Program::Variant &variant : program.variants) {
    OpBuilder::InsertionGuard guard(builder);
    builder.startVariant(loc, variant.target->chip,
                         variant.kernel->fileName(variant.target->chip),
                         variant.kernel->ptx);
    builder.buildCondition(loc, variant.target->getCapability(),
                           variant.target->isOnlyForItself());
    SmallVector<bool> readOnly;
    unsigned constants = 0;
    for (const KernelArgument &argument : program.getArguments())
      if (argument.role == Role::Length)
        ++constants;
      else
        readOnly.push_back(argument.role == Role::Input);
    builder.buildExport(loc,
                        {name, constants, readOnly, variant.kernel->threads,
                         variant.kernel->sharedMemory},
                        program.workload.size(), [&](ValueRange sizes) {
                          auto build = [&](const Extent &extent) {
                            return buildExtent(builder, loc, variant.function,
                                               extent, program.workload, sizes);
                          };
                          return std::array<Value, 3>{
                              build(variant.signature.gridX),
                              build(variant.signature.gridY),
                              build(variant.signature.gridZ)};
                        });
  }
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// Replaces a call of `program` by its dispatch.
static void replaceCall(iree::Builder &builder, Operation *call,
                        const Program &program) {
  Location loc = call->getLoc();
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(call);
  auto dim = [&](DimRef ref) -> Value {
    return tensor::DimOp::create(builder, loc, call->getOperand(ref.argument),
                                 ref.dim);
  };
  auto dims = [&](Value value) {
    SmallVector<Value> sizes;
    auto type = cast<RankedTensorType>(value.getType());
    for (int64_t index = 0; index < type.getRank(); ++index)
      if (type.isDynamicDim(index))
        sizes.push_back(
            tensor::DimOp::create(builder, loc, value, index).getResult());
    return sizes;
  };
  iree::Dispatch dispatch;
  dispatch.name = program.variants.front().kernel->name;
  for (const Program::Variant &variant : program.variants)
    dispatch.variants.push_back(variant.target->chip);
  for (DimRef ref : program.workload)
    dispatch.workload.push_back(dim(ref));
  bool tied = needsTiedResults(program.getArguments());
  for (auto [number, argument] : llvm::enumerate(program.getArguments())) {
    if (argument.role == Role::Length) {
      dispatch.operands.push_back(arith::IndexCastOp::create(
          builder, loc, builder.getI32Type(), dim(argument.of)));
      continue;
    }
    Value operand = call->getOperand(number);
    SmallVector<Value> sizes = dims(operand);
    if (argument.role == Role::Output) {
      dispatch.results.push_back(operand.getType());
      llvm::append_range(dispatch.resultSizes, sizes);
      dispatch.tied.push_back(
          tied ? static_cast<int64_t>(dispatch.operands.size()) : -1);
      if (!tied)
        continue;
      // Kernels do not read what outputs begin as.
      auto type = cast<RankedTensorType>(operand.getType());
      operand = tensor::EmptyOp::create(builder, loc, type, sizes);
    }
    dispatch.operands.push_back(operand);
    llvm::append_range(dispatch.operandSizes, sizes);
  }
  call->replaceAllUsesWith(builder.buildDispatch(loc, dispatch)->getResults());
  call->erase();
}

/// Puts the operation of `kernel` in the place of a call of it.
static void inlineCall(OpBuilder &builder, Operation *call,
                       func::FuncOp kernel) {
  builder.setInsertionPoint(call);
  IRMapping mapping;
  mapping.map(kernel.getArguments(), call->getOperands());
  Operation *inlined = builder.clone(*getKernelOp(kernel), mapping);
  call->replaceAllUsesWith(inlined->getResults());
  call->erase();
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

/// Why `program` cannot be in a program of IREE; empty if it can.
static std::string findRefusal(const Program &program) {
  for (const Program::Variant &variant : program.variants)
    if (variant.kernel->ptx.empty())
      return ("no kernel for " + variant.target->chip + ": " +
              variant.kernel->refusal)
          .str();
  size_t constants = llvm::count_if(program.getArguments(),
                                    [](const KernelArgument &argument) {
                                      return argument.role == Role::Length;
                                    });
  size_t bindings = program.getArguments().size() - constants;
  if (bindings > iree::maxBindings || constants > iree::maxConstants)
    return llvm::formatv("its kernel takes {0} arrays and {1} sizes, and IREE "
                         "passes {2} and {3}",
                         bindings, constants, iree::maxBindings,
                         iree::maxConstants);
  return "";
}

/// The kernels that every target has, by name.
static llvm::MapVector<StringRef, Program>
findPrograms(const Compilation &compilation, DiagnosticCollector &diagnostics) {
  llvm::MapVector<StringRef, Program> programs;
  for (const CompiledTarget &target : llvm::reverse(compilation.targets))
    for (const CompiledKernel &kernel : target.kernels)
      programs[kernel.name].variants.push_back(
          {TargetInfo::lookup(target.chip), &kernel, kernel.function,
           getKernelSignature(kernel.function)});
  for (auto &[name, program] : programs) {
    // The first variant whose condition holds is taken. Of equal capabilities
    // the one with a letter, which is for that GPU alone, comes first.
    llvm::sort(program.variants, [](const Program::Variant &a,
                                    const Program::Variant &b) {
      return std::pair(a.target->getCapability(), StringRef(a.target->chip)) >
             std::pair(b.target->getCapability(), StringRef(b.target->chip));
    });
    for (const Program::Variant &variant : program.variants)
      for (const Extent *extent :
           {&variant.signature.gridX, &variant.signature.gridY,
            &variant.signature.gridZ})
        collectWorkload(variant.function, *extent, program.workload);
  }
  programs.remove_if([&](const auto &entry) {
    std::string reason = findRefusal(entry.second);
    if (!reason.empty())
      diagnostics.warning("IREE compiles the attention of '" + entry.first +
                          "' itself: " + reason);
    return !reason.empty();
  });
  return programs;
}

/// Removes what is ours from `op`: IREE does not know the dialect.
static void dropOwnAttributes(Operation *op) {
  for (NamedAttribute attribute : llvm::to_vector(op->getDiscardableAttrs()))
    if (attribute.getName().getValue().starts_with("sparse_attn."))
      op->removeDiscardableAttr(attribute.getName());
}

Outcome sparse_attn::buildIreeProgram(Compilation &compilation,
                                      DiagnosticCollector &diagnostics) {
  ModuleOp graph = *compilation.graph;
  if (failed(inlineResources(graph)))
    return Outcome::UserError;
  llvm::MapVector<StringRef, Program> programs =
      findPrograms(compilation, diagnostics);
  iree::Builder builder(graph.getContext());
  // Executables come first, for IREE reads modules from the top.
  builder.setInsertionPointToStart(graph.getBody());
  llvm::StringMap<func::FuncOp> kernels;
  SmallVector<std::pair<Operation *, StringRef>> calls;
  graph.walk([&](Operation *op) {
    if (auto function = dyn_cast<func::FuncOp>(op);
        function && function->hasAttr(kernelAttrName))
      kernels[function.getSymName()] = function;
    else if (auto call = dyn_cast<func::CallOp>(op))
      calls.emplace_back(op, call.getCallee());
    else if (auto call = dyn_cast<CallKernelOp>(op))
      calls.emplace_back(op, call.getCallee());
  });
  for (auto &[name, program] : programs)
    buildExecutable(builder, program);
  for (auto [call, callee] : calls) {
    if (auto program = programs.find(callee); program != programs.end())
      replaceCall(builder, call, program->second);
    else if (auto kernel = kernels.find(callee); kernel != kernels.end())
      inlineCall(builder, call, kernel->second);
  }
  for (auto &[name, kernel] : kernels)
    kernel.erase();
  graph.walk(dropOwnAttributes);

  PassManager pm(graph.getContext());
  backend::addReference(pm);
  if (failed(pm.run(graph))) {
    diagnostics.error("internal: what has no kernel did not become linalg");
    return Outcome::InternalError;
  }
  return Outcome::Success;
}

std::string sparse_attn::printIreeProgram(const Compilation &compilation) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  OpPrintingFlags flags;
  // Hexadecimal i1 constants have another form in newer parsers.
  flags.printGenericOpForm().useLocalScope().printLargeElementsAttrWithHex(-1);
  compilation.graph.get().getOperation()->print(stream, flags);
  stream << '\n';
  return text;
}
