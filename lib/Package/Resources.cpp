//===- Resources.cpp - Constants that lie behind a module
//------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Resources.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// The elements themselves; null where their data is missing, or another number
/// of bytes than the type has.
static DenseElementsAttr inlineResource(DenseResourceElementsAttr resource) {
  const AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  if (!blob)
    return nullptr;
  ShapedType type = resource.getType();
  ArrayRef<char> data = blob->getData();
  // A bool is a byte there and a bit here.
  if (type.getElementType().isInteger(1)) {
    if (static_cast<int64_t>(data.size()) != type.getNumElements())
      return nullptr;
    auto bools = llvm::map_to_vector(data, [](char x) { return x != 0; });
    return DenseElementsAttr::get(type, ArrayRef<bool>(bools));
  }
  bool isSplat = false;
  if (!DenseElementsAttr::isValidRawBuffer(type, data, isSplat))
    return nullptr;
  return DenseElementsAttr::getFromRawBuffer(type, data);
}

LogicalResult sparse_attn::inlineResources(ModuleOp module) {
  Operation *current = nullptr;
  bool fine = true;
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](DenseResourceElementsAttr resource) -> Attribute {
    DenseElementsAttr elements = inlineResource(resource);
    if (elements)
      return elements;
    fine = false;
    current->emitError("expected the data of resource '")
        << resource.getRawHandle().getKey() << "' behind the module, in "
        << "'{-# dialect_resources: ... #-}', found none of that type";
    return resource;
  });
  module->walk([&](Operation *op) {
    current = op;
    replacer.replaceElementsIn(op);
    // What is in the properties of an operation that nobody registered.
    if (op->isRegistered())
      return;
    if (Attribute old = op->getPropertiesAsAttribute())
      if (Attribute replaced = replacer.replace(old); replaced != old)
        fine &= succeeded(op->setPropertiesFromAttribute(
            replaced, [&] { return op->emitError(); }));
  });
  return success(fine);
}
