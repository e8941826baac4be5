//===- StatefulFunction.h - Functions that gain state ---------- -*- C++
//-*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_DIALECT_SPARSEATTN_TRANSFORMS_STATEFULFUNCTION_H
#define SPARSEATTN_LIB_DIALECT_SPARSEATTN_TRANSFORMS_STATEFULFUNCTION_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include <memory>

namespace mlir::sparse_attn {

/// A tensor that a function takes, gives, or both.
struct StateEntry {
  std::string name;
  RankedTensorType type;
};

/// A function that takes and gives more tensors than before: one of `func`, or
/// a `util.func` of IREE, whose arrays come and go as `!hal.buffer_view`.
class StatefulFunction {
public:
  /// The function that `op` is; null if it is none, or has no body.
  static std::unique_ptr<StatefulFunction> create(Operation *op);
  virtual ~StatefulFunction() = default;

  Operation *getOperation() const { return op; }
  Block &getBody() const { return op->getRegion(0).front(); }
  /// The name under which the function is called from outside.
  virtual StringRef getName() const;
  /// What the function that gives the first state is called.
  std::string getInitialStateName() const;

  /// Whether arguments and results can be added; reports why not.
  LogicalResult verify();
  /// Adds arguments behind those that are there.
  virtual SmallVector<Value> addArguments(ArrayRef<StateEntry> entries) = 0;
  /// Adds results behind those that are there.
  virtual void addResults(ArrayRef<StateEntry> entries, ValueRange values) = 0;
  /// Builds a function beside this one that gives zeros for `entries`.
  virtual void createInitialState(ArrayRef<StateEntry> entries) = 0;

protected:
  explicit StatefulFunction(Operation *op) : op(op) {}
  InFlightDiagnostic emitError() const { return op->emitError(); }
  /// Operations beside `function` that name it.
  static SmallVector<Operation *> findUsers(Operation *function);
  /// What `verify` checks of one kind of functions, which `users` name.
  virtual LogicalResult verifyForm(ArrayRef<Operation *> users) = 0;

  Operation *op;
};

/// The `util.func` that `op` is; null if it is none.
std::unique_ptr<StatefulFunction> createIreeFunction(Operation *op);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_DIALECT_SPARSEATTN_TRANSFORMS_STATEFULFUNCTION_H
