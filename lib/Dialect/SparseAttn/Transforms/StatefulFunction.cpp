//===- StatefulFunction.cpp - Functions that gain state
//--------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StatefulFunction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::sparse_attn;

StringRef StatefulFunction::getName() const {
  return op->getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName())
      .getValue();
}

std::string StatefulFunction::getInitialStateName() const {
  return (getName() + "_initial_state").str();
}

SmallVector<Operation *> StatefulFunction::findUsers(Operation *function) {
  auto name =
      function->getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName());
  SmallVector<Operation *> users;
  // Upstream's search for uses gives up on unregistered operations, whose
  // dictionary lacks what is in their properties.
  function->getParentOp()->walk([&](Operation *other) {
    bool names = false;
    auto look = [&](Attribute attributes) {
      attributes.walk([&](SymbolRefAttr reference) {
        names |= reference.getRootReference() == name;
      });
    };
    look(other->getAttrDictionary());
    if (Attribute properties = other->getPropertiesAsAttribute())
      look(properties);
    if (names && other != function)
      users.push_back(other);
  });
  return users;
}

LogicalResult StatefulFunction::verify() {
  Operation *module = op->getParentOp();
  if (module && module->hasTrait<OpTrait::SymbolTable>() &&
      SymbolTable::lookupSymbolIn(module, getInitialStateName()))
    return emitError() << "expected '" << getInitialStateName()
                       << "' to be free for the first state, found a symbol";
  if (!op->getRegion(0).hasOneBlock())
    return emitError() << "expected a function of one block to keep its lists "
                          "as state";
  return verifyForm(module ? findUsers(op) : SmallVector<Operation *>());
}

//===----------------------------------------------------------------------===//
// Functions of func
//===----------------------------------------------------------------------===//

namespace {
class PlainFunction : public StatefulFunction {
public:
  explicit PlainFunction(func::FuncOp function) : StatefulFunction(function) {}

  LogicalResult verifyForm(ArrayRef<Operation *> users) override {
    if (!isa<func::ReturnOp>(getBody().getTerminator()))
      return emitError() << "expected a function that returns to keep its "
                            "lists as state";
    if (!users.empty())
      return emitError() << "expected a function that nothing calls, whose "
                            "arguments may change, to keep its lists as state";
    return success();
  }

  SmallVector<Value> addArguments(ArrayRef<StateEntry> entries) override {
    SmallVector<Value> added;
    for (const StateEntry &entry : entries)
      added.push_back(getBody().addArgument(entry.type, op->getLoc()));
    updateType();
    return added;
  }

  void addResults(ArrayRef<StateEntry> /*entries*/,
                  ValueRange values) override {
    Operation *end = getBody().getTerminator();
    end->insertOperands(end->getNumOperands(), values);
    updateType();
  }

  void createInitialState(ArrayRef<StateEntry> entries) override {
    OpBuilder b(op->getContext());
    b.setInsertionPointAfter(op);
    auto types = llvm::map_to_vector(
        entries, [](const StateEntry &entry) -> Type { return entry.type; });
    Location loc = op->getLoc();
    auto initial = func::FuncOp::create(b, loc, getInitialStateName(),
                                        b.getFunctionType({}, types));
    b.setInsertionPointToStart(initial.addEntryBlock());
    SmallVector<Value> zeros;
    for (const StateEntry &entry : entries)
      zeros.push_back(
          arith::ConstantOp::create(b, loc, b.getZeroAttr(entry.type)));
    func::ReturnOp::create(b, loc, zeros);
  }

private:
  void updateType() {
    auto function = cast<func::FuncOp>(op);
    function.setType(
        FunctionType::get(op->getContext(), getBody().getArgumentTypes(),
                          getBody().getTerminator()->getOperandTypes()));
  }
};
} // namespace

std::unique_ptr<StatefulFunction> StatefulFunction::create(Operation *op) {
  if (auto function = dyn_cast<func::FuncOp>(op))
    return function.isExternal() ? nullptr
                                 : std::make_unique<PlainFunction>(function);
  return createIreeFunction(op);
}
