//===- IreeFunction.cpp - State of functions in IREE's programs -----------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program that IREE 3.13 has taken to --compile-to=preprocessing has
// functions of two forms. What StableHLO, ONNX and linalg become is called as
// it is:
//
//   util.func @main(%x: !hal.buffer_view) -> !hal.buffer_view {
//     %t = hal.tensor.import %x : !hal.buffer_view -> tensor<..>
//     ...
//     %r = hal.tensor.export %u : tensor<..> -> !hal.buffer_view
//     util.return %r
//   }
//
// What torch becomes waits for one fence and signals another, and a function
// around it, its only caller, makes the fences:
//
//   util.func @main$async(%x: !hal.buffer_view, %wait: !hal.fence,
//                         %signal: !hal.fence) -> !hal.buffer_view {
//     %t = hal.tensor.import wait(%wait) => %x : ...
//     ...
//     %u = hal.tensor.barrier join(%v : tensor<..>) => %signal : !hal.fence
//     %r = hal.tensor.export %u : ...
//     util.return %r
//   }
//   util.func @main(%x: !hal.buffer_view) -> !hal.buffer_view {
//     ...
//     %r = util.call @main$async(%x, %none, %fence) : ...
//     util.return %r
//   }
//
//===----------------------------------------------------------------------===//

#include "StatefulFunction.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::sparse_attn;

static constexpr StringLiteral asyncSuffix = "$async";

static bool isNamed(Operation *op, StringRef name) {
  return op && op->getName().getStringRef() == name;
}

namespace {
class IreeFunction : public StatefulFunction {
public:
  explicit IreeFunction(Operation *op) : StatefulFunction(op) {}

  StringRef getName() const override {
    StringRef name = StatefulFunction::getName();
    name.consume_back(asyncSuffix);
    return name;
  }
  LogicalResult verifyForm(ArrayRef<Operation *> users) override;
  SmallVector<Value> addArguments(ArrayRef<StateEntry> entries) override;
  void addResults(ArrayRef<StateEntry> entries, ValueRange values) override;
  void createInitialState(ArrayRef<StateEntry> entries) override;

private:
  Type getArrayType() const {
    return parseType("!hal.buffer_view", op->getContext());
  }
  /// Exports `values` and adds them to what `function` returns.
  void addExports(OpBuilder &b, Operation *function,
                  ArrayRef<StateEntry> entries, ValueRange values);

  // Of the form with fences.
  Value wait, signal;
  Operation *barrier = nullptr, *call = nullptr, *caller = nullptr;
};
} // namespace

//===----------------------------------------------------------------------===//
// Operations of IREE
//===----------------------------------------------------------------------===//

static Operation *build(OpBuilder &b, Location loc, StringRef name,
                        ArrayRef<NamedAttribute> properties,
                        ValueRange operands, TypeRange results) {
  OperationState state(loc, name, operands, results);
  if (!properties.empty())
    state.propertiesAttr = b.getDictionaryAttr(properties);
  return b.create(state);
}

/// `op` with more operands, inserted at `position`, and results. The old one is
/// gone.
static Operation *rebuild(Operation *op, unsigned position, ValueRange operands,
                          TypeRange results) {
  OpBuilder b(op);
  OperationState state(op->getLoc(), op->getName());
  state.addOperands(op->getOperands().take_front(position));
  state.addOperands(operands);
  state.addOperands(op->getOperands().drop_front(position));
  state.addTypes(op->getResultTypes());
  state.addTypes(results);
  state.propertiesAttr = op->getPropertiesAsAttribute();
  state.addAttributes(llvm::to_vector(op->getDiscardableAttrs()));
  Operation *made = b.create(state);
  op->replaceAllUsesWith(made->getResults().take_front(op->getNumResults()));
  op->erase();
  return made;
}

static void updateType(Operation *function) {
  Block &body = function->getRegion(0).front();
  auto type = FunctionType::get(function->getContext(), body.getArgumentTypes(),
                                body.getTerminator()->getOperandTypes());
  function->setAttr("function_type", TypeAttr::get(type));
}

/// Puts `entries` behind the last of the list that ends at `end` of `text`.
static void extendList(std::string &text, size_t end,
                       ArrayRef<StateEntry> entries) {
  bool isFirst = text[end - 1] == '(';
  std::string added;
  for (const StateEntry &entry : entries) {
    llvm::raw_string_ostream os(added);
    os << (isFirst ? "%" : ", %") << entry.name << ": " << entry.type;
    isFirst = false;
  }
  text.insert(end, added);
}

/// The declaration that tools of IREE show to a reader, with the entries added
/// to its arguments, or to its results.
static void updateDeclaration(Operation *function, ArrayRef<StateEntry> entries,
                              bool ofResults) {
  constexpr StringLiteral outer = "iree.reflection",
                          inner = "iree.abi.declaration", arrow = ") -> (";
  auto reflection = function->getAttrOfType<DictionaryAttr>(outer);
  auto declaration =
      reflection ? reflection.getAs<StringAttr>(inner) : StringAttr();
  if (!declaration)
    return;
  std::string text = declaration.str();
  size_t end = ofResults ? text.rfind(')') : text.find(arrow);
  if (end == std::string::npos || end == 0)
    return;
  extendList(text, end, entries);
  NamedAttrList attributes(reflection);
  attributes.set(inner, StringAttr::get(function->getContext(), text));
  function->setAttr(outer, attributes.getDictionary(function->getContext()));
}

//===----------------------------------------------------------------------===//
// The two forms
//===----------------------------------------------------------------------===//

LogicalResult IreeFunction::verifyForm(ArrayRef<Operation *> users) {
  Operation *end = getBody().empty() ? nullptr : &getBody().back();
  if (!isNamed(end, "util.return") || !op->hasAttr("function_type"))
    return emitError() << "expected a util.func with a type and a util.return "
                          "to keep its lists as state";
  Type fence = parseType("!hal.fence", op->getContext());
  ArrayRef<BlockArgument> arguments = getBody().getArguments();
  auto isFence = [&](Value value) { return value.getType() == fence; };
  unsigned fences = llvm::count_if(arguments, isFence);
  if (!fences && users.empty())
    return success();

  auto fail = [&](Operation *found, const Twine &expected) -> LogicalResult {
    InFlightDiagnostic error = emitError();
    error << "expected " << expected << " to keep the lists of a util.func as "
          << "state";
    if (found)
      error.attachNote(found->getLoc()) << "found this operation";
    return error;
  };
  if (fences != 2 || !llvm::all_of(arguments.take_back(2), isFence))
    return fail(nullptr, "no callers and no fences, or two fences as the last "
                         "arguments");
  wait = arguments.take_back(2)[0];
  signal = arguments.back();
  if (!signal.hasOneUse())
    return fail(nullptr, "one hal.tensor.barrier at the end");
  barrier = *signal.user_begin();
  if (!isNamed(barrier, "hal.tensor.barrier") ||
      barrier->getBlock() != &getBody())
    return fail(barrier, "one hal.tensor.barrier at the end");
  if (users.size() > 1 ||
      (users.size() == 1 && !isNamed(users.front(), "util.call")))
    return fail(users.back(), "one util.call of the function, or none");
  if (users.empty())
    return success();
  call = users.front();
  caller = call->getParentOp();
  if (!isNamed(caller, "util.func") || !caller->getRegion(0).hasOneBlock() ||
      !isNamed(&call->getBlock()->back(), "util.return") ||
      call->getNumOperands() != arguments.size())
    return fail(caller, "the call in the body of a util.func");
  if (SmallVector<Operation *> others = findUsers(caller); !others.empty())
    return fail(others.front(), "no caller of the function that calls it");
  return success();
}

SmallVector<Value> IreeFunction::addArguments(ArrayRef<StateEntry> entries) {
  Location loc = op->getLoc();
  OpBuilder b = OpBuilder::atBlockBegin(&getBody());
  unsigned fences = wait ? 2 : 0;
  unsigned position = getBody().getNumArguments() - fences;
  SmallVector<Value> added, outer;
  for (const StateEntry &entry : entries) {
    SmallVector<Value> operands = {
        getBody().insertArgument(position++, getArrayType(), loc)};
    if (wait)
      operands.push_back(wait);
    // Source, sizes, fence, device.
    auto segments = b.getDenseI32ArrayAttr({1, 0, wait ? 1 : 0, 0});
    added.push_back(
        build(b, loc, "hal.tensor.import",
              {b.getNamedAttr("name", b.getStringAttr(entry.name)),
               b.getNamedAttr("operandSegmentSizes", segments),
               b.getNamedAttr("target_encoding", TypeAttr::get(entry.type))},
              operands, entry.type)
            ->getResult(0));
    if (call)
      outer.push_back(
          call->getBlock()->addArgument(getArrayType(), caller->getLoc()));
  }
  updateType(op);
  updateDeclaration(op, entries, /*ofResults=*/false);
  if (call) {
    call = rebuild(call, call->getNumOperands() - fences, outer, {});
    updateType(caller);
    updateDeclaration(caller, entries, /*ofResults=*/false);
  }
  return added;
}

void IreeFunction::addExports(OpBuilder &b, Operation *function,
                              ArrayRef<StateEntry> entries, ValueRange values) {
  Location loc = function->getLoc();
  SmallVector<Value> arrays;
  for (auto [entry, value] : llvm::zip_equal(entries, values))
    arrays.push_back(
        build(b, loc, "hal.tensor.export",
              {b.getNamedAttr("name", b.getStringAttr(entry.name)),
               b.getNamedAttr("source_encoding", TypeAttr::get(entry.type))},
              value, getArrayType())
            ->getResult(0));
  Operation *end = function->getRegion(0).front().getTerminator();
  end->insertOperands(end->getNumOperands(), arrays);
  updateType(function);
}

void IreeFunction::addResults(ArrayRef<StateEntry> entries, ValueRange values) {
  SmallVector<Value> ready(values);
  if (barrier) {
    barrier = rebuild(barrier, barrier->getNumOperands() - 1, values,
                      values.getTypes());
    llvm::copy(barrier->getResults().take_back(values.size()), ready.begin());
  }
  OpBuilder b(getBody().getTerminator());
  addExports(b, op, entries, ready);
  updateDeclaration(op, entries, /*ofResults=*/true);
  if (!call)
    return;
  SmallVector<Type> types(entries.size(), getArrayType());
  call = rebuild(call, call->getNumOperands(), {}, types);
  Operation *end = call->getBlock()->getTerminator();
  end->insertOperands(end->getNumOperands(),
                      call->getResults().take_back(entries.size()));
  updateType(caller);
  updateDeclaration(caller, entries, /*ofResults=*/true);
}

void IreeFunction::createInitialState(ArrayRef<StateEntry> entries) {
  OpBuilder b(op->getContext());
  b.setInsertionPointAfter(op);
  Location loc = op->getLoc();
  OperationState state(loc, "util.func");
  Block *body = &state.addRegion()->emplaceBlock();
  state.propertiesAttr = b.getDictionaryAttr(
      {b.getNamedAttr("function_type",
                      TypeAttr::get(b.getFunctionType({}, {}))),
       b.getNamedAttr("sym_name", b.getStringAttr(getInitialStateName()))});
  state.addAttribute("iree.abi.stub", b.getUnitAttr());
  Operation *initial = b.create(state);
  b.setInsertionPointToStart(body);
  Operation *end = build(b, loc, "util.return", {}, {}, {});
  b.setInsertionPoint(end);
  SmallVector<Value> zeros;
  for (const StateEntry &entry : entries)
    zeros.push_back(
        arith::ConstantOp::create(b, loc, b.getZeroAttr(entry.type)));
  addExports(b, initial, entries, zeros);
}

std::unique_ptr<StatefulFunction>
sparse_attn::createIreeFunction(Operation *op) {
  if (!isNamed(op, "util.func") || op->getNumRegions() != 1 ||
      op->getRegion(0).empty() || !op->getAttrOfType<StringAttr>("sym_name"))
    return nullptr;
  return std::make_unique<IreeFunction>(op);
}
