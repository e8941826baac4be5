//===- OutlineKernels.cpp - Attention becomes calls of kernels ------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each attention, and each operation around it, is first built as a function of
// its own; functions are then found equal by a hash over their bodies and one
// comparison. So the cost is linear in the graph however many equal layers it
// has.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

//===----------------------------------------------------------------------===//
// Equality of kernels
//===----------------------------------------------------------------------===//

namespace {
/// Kernel functions by what they compute; names and locations do not count.
struct KernelInfo {
  using Kernel = func::FuncOp;
  static Kernel getEmptyKey() {
    return Kernel::getFromOpaquePointer(
        llvm::DenseMapInfo<void *>::getEmptyKey());
  }
  static Kernel getTombstoneKey() {
    return Kernel::getFromOpaquePointer(
        llvm::DenseMapInfo<void *>::getTombstoneKey());
  }
  static bool isReal(Kernel kernel) {
    return kernel != getEmptyKey() && kernel != getTombstoneKey();
  }
  static unsigned getHashValue(Kernel kernel) {
    llvm::hash_code hash =
        llvm::hash_value(kernel.getFunctionType().getAsOpaquePointer());
    // Operands by their number in the body, so that equal bodies hash equal.
    DenseMap<Value, unsigned> numbers;
    auto number = [&](Value value) {
      return numbers.try_emplace(value, numbers.size()).first->second;
    };
    kernel.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
      hash = llvm::hash_combine(
          hash,
          OperationEquivalence::computeHash(
              op, [&](Value value) { return number(value); },
              [](Value) { return 0; }, OperationEquivalence::IgnoreLocations));
      for (Value result : op->getResults())
        number(result);
    });
    return static_cast<unsigned>(static_cast<size_t>(hash));
  }
  static bool isEqual(Kernel a, Kernel b) {
    if (a == b)
      return true;
    // Kernels of different modules cannot stand for each other.
    return isReal(a) && isReal(b) && a->getParentOp() == b->getParentOp() &&
           a.getFunctionType() == b.getFunctionType() &&
           OperationEquivalence::isRegionEquivalentTo(
               &a.getBody(), &b.getBody(),
               OperationEquivalence::IgnoreLocations);
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// What a score region reads from outside
//===----------------------------------------------------------------------===//

/// Orders the pure computations on constants that `values` stand for, operands
/// first. Returns the value that is something else, if there is one.
static Value sliceOfConstants(ArrayRef<Value> values,
                              llvm::SetVector<Operation *> &slice) {
  // Depth-first with an explicit stack: chains in a graph may be long.
  llvm::SmallDenseSet<Operation *> open;
  for (Value root : values) {
    SmallVector<Value> stack = {root};
    while (!stack.empty()) {
      Value value = stack.back();
      Operation *op = value.getDefiningOp();
      if (!op || !isPure(op) || op->getNumRegions() != 0)
        return value;
      if (slice.contains(op)) {
        stack.pop_back();
        continue;
      }
      if (!open.insert(op).second) {
        slice.insert(op);
        stack.pop_back();
        continue;
      }
      llvm::append_range(stack, op->getOperands());
    }
  }
  return {};
}

/// How many operations a kernel may copy; what needs more is no score.
static constexpr size_t maxCopied = 256;

namespace {
class OutlineKernelsPass
    : public sparse_attn::impl::OutlineKernelsBase<OutlineKernelsPass> {
public:
  using OutlineKernelsBase::OutlineKernelsBase;
  void runOnOperation() override;

private:
  func::FuncOp buildKernel(AttentionOp op, ModuleOp module);
  func::FuncOp buildKernel(KernelOpInterface op, ModuleOp module);
  void replaceByCall(Operation *op, func::FuncOp kernel);
  std::string nextName(Operation *op);

  llvm::StringSet<> symbols;
  llvm::DenseSet<func::FuncOp, KernelInfo> kernels;
  llvm::StringMap<unsigned> nameCounts;
};
} // namespace

std::string OutlineKernelsPass::nextName(Operation *op) {
  StringRef kind = op->getName().stripDialect();
  std::string name;
  do
    name = kind.str() + "_" + std::to_string(nameCounts[kind]++);
  while (!symbols.insert(name).second);
  return name;
}

/// The function of `op` with these arguments, without a name of its own yet,
/// and `builder` in its body.
static func::FuncOp createKernel(OpBuilder &builder, Operation *op,
                                 ArrayRef<Type> types) {
  auto type = builder.getFunctionType(types, op->getResultTypes());
  auto kernel = func::FuncOp::create(builder, op->getLoc(), "kernel", type);
  kernel.setPrivate();
  kernel->setAttr(kernelAttrName, builder.getUnitAttr());
  builder.setInsertionPointToStart(kernel.addEntryBlock());
  return kernel;
}

/// Builds the function of `op` at the end of `module`. Returns null, after a
/// remark, where it cannot be.
func::FuncOp OutlineKernelsPass::buildKernel(AttentionOp op, ModuleOp module) {
  // Tensors whose elements the region reads become arguments; what else it
  // reads must be computed from constants.
  SmallVector<Value> tensors = op.getCapturedTensors();
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  captured.remove_if(
      [&](Value value) { return llvm::is_contained(tensors, value); });
  llvm::SetVector<Operation *> slice;
  if (Value other = sliceOfConstants(captured.getArrayRef(), slice)) {
    InFlightDiagnostic remark =
        op.emitRemark("not compiled: its score region reads a "
                      "value of type ")
        << other.getType()
        << " from outside that is no computation on constants";
    remark.attachNote(other.getLoc()) << "the value is defined here";
    return {};
  }
  if (slice.size() > maxCopied) {
    op.emitRemark("not compiled: its score region reads the "
                  "results of ")
        << slice.size() << " operations from outside, expected at most "
        << maxCopied;
    return {};
  }

  OpBuilder builder(&getContext());
  builder.setInsertionPointToEnd(module.getBody());
  SmallVector<Type> types(op->getOperandTypes());
  llvm::append_range(types, ValueRange(tensors).getTypes());
  func::FuncOp kernel = createKernel(builder, op, types);
  Block *body = &kernel.getBody().front();
  // Operands are set by position: one value may be several of them.
  auto clone = cast<AttentionOp>(builder.clone(*op));
  auto arguments = body->getArguments();
  clone->setOperands(arguments.take_front(op->getNumOperands()));
  for (auto [tensor, argument] :
       llvm::zip_equal(tensors, arguments.drop_front(op->getNumOperands())))
    replaceAllUsesInRegionWith(tensor, argument, clone.getScore());
  clone->setDiscardableAttrs(DictionaryAttr::get(&getContext()));
  if (!slice.empty()) {
    builder.setInsertionPointToStart(&clone.getScore().front());
    IRMapping copies;
    for (Operation *computation : slice)
      builder.clone(*computation, copies);
    clone.getScore().walk([&](Operation *inner) {
      for (OpOperand &operand : inner->getOpOperands())
        if (Value copy = copies.lookupOrNull(operand.get()))
          operand.set(copy);
    });
    builder.setInsertionPointAfter(clone);
  }
  func::ReturnOp::create(builder, op.getLoc(), clone.getResults());
  return kernel;
}

func::FuncOp OutlineKernelsPass::buildKernel(KernelOpInterface op,
                                             ModuleOp module) {
  OpBuilder builder(&getContext());
  builder.setInsertionPointToEnd(module.getBody());
  func::FuncOp kernel =
      createKernel(builder, op, SmallVector<Type>(op->getOperandTypes()));
  Operation *clone = builder.clone(*op);
  clone->setOperands(kernel.getArguments());
  clone->setDiscardableAttrs(DictionaryAttr::get(&getContext()));
  func::ReturnOp::create(builder, op->getLoc(), clone->getResults());
  return kernel;
}

void OutlineKernelsPass::replaceByCall(Operation *op, func::FuncOp kernel) {
  OpBuilder builder(op);
  SmallVector<Value> operands(op->getOperands());
  if (auto attention = dyn_cast<AttentionOp>(op))
    llvm::append_range(operands, attention.getCapturedTensors());
  // Inside an op of an unregistered dialect, which may be a symbol table for
  // all that upstream knows, a func.call does not verify.
  Operation *call;
  if (SymbolTable::getNearestSymbolTable(op) == kernel->getParentOp())
    call = func::CallOp::create(builder, op->getLoc(), kernel, operands);
  else
    call = CallKernelOp::create(builder, op->getLoc(), op->getResultTypes(),
                                kernel.getSymName(), operands);
  call->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  op->replaceAllUsesWith(call->getResults());
  op->erase();
}

/// The module whose body will hold the kernel of `op`, or null if an operation
/// between them keeps symbols of its own.
static ModuleOp getKernelModule(Operation *op) {
  for (Operation *parent = op->getParentOp(); parent;
       parent = parent->getParentOp()) {
    if (auto module = dyn_cast<ModuleOp>(parent))
      return module;
    if (parent->hasTrait<OpTrait::SymbolTable>())
      return {};
  }
  return {};
}

void OutlineKernelsPass::runOnOperation() {
  symbols.clear();
  kernels.clear();
  nameCounts.clear();
  SmallVector<Operation *> found;
  getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto name =
            op->getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName()))
      symbols.insert(name.getValue());
    if (isa<AttentionOp, KernelOpInterface>(op) &&
        !op->getParentOp()->hasAttr(kernelAttrName))
      found.push_back(op);
    // A second run of the pass finds its own kernels.
    return op->hasAttr(kernelAttrName) ? WalkResult::skip()
                                       : WalkResult::advance();
  });

  for (Operation *op : found) {
    ModuleOp module = getKernelModule(op);
    if (!module) {
      op->emitRemark("not compiled: an operation around it "
                     "keeps symbols of its own");
      continue;
    }
    auto attention = dyn_cast<AttentionOp>(op);
    func::FuncOp built = attention
                             ? buildKernel(attention, module)
                             : buildKernel(cast<KernelOpInterface>(op), module);
    if (!built)
      continue;
    auto [found, isNew] = kernels.insert(built);
    func::FuncOp kernel = *found;
    if (isNew) {
      kernel.setSymName(nextName(op));
      ++kernelsCreated;
    } else {
      built->erase();
    }
    replaceByCall(op, kernel);
    attentionsOutlined += attention ? 1 : 0;
  }
  kernels.clear();
}
