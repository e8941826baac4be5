//===- IreeOps.cpp - Operations of IREE in the generic form -------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IreeOps.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// An attribute of a dialect that is not there, which keeps its text.
static Attribute opaque(MLIRContext *context, const Twine &text) {
  Attribute attribute = parseAttribute(text.str(), context);
  assert(attribute && "attributes of unknown dialects keep any balanced text");
  return attribute;
}

Operation *iree::Builder::build(Location loc, StringRef name,
                                ArrayRef<NamedAttribute> properties,
                                unsigned regions, ValueRange operands,
                                TypeRange results) {
  OperationState state(loc, name, operands, results);
  // IREE wants inherent attributes between <{ and }>, and none of these around
  // nothing.
  if (!properties.empty())
    state.propertiesAttr = getDictionaryAttr(properties);
  for (unsigned index = 0; index < regions; ++index)
    state.addRegion();
  return create(state);
}

Block *iree::Builder::enter(Operation *op, unsigned number,
                            TypeRange arguments) {
  SmallVector<Location> locations(arguments.size(), op->getLoc());
  return createBlock(&op->getRegion(number), {}, arguments, locations);
}

ArrayAttr iree::Builder::getIndices(ArrayRef<int64_t> values) {
  return getArrayAttr(llvm::map_to_vector(
      values, [&](int64_t value) -> Attribute { return getIndexAttr(value); }));
}

void iree::Builder::startExecutable(Location loc, StringRef name) {
  Operation *executable =
      build(loc, "hal.executable",
            {this->name(name),
             getNamedAttr("sym_visibility", getStringAttr("private"))},
            1);
  enter(executable, 0);
  Operation *end = build(loc, "hal.executable_end", {});
  setInsertionPoint(end);
}

void iree::Builder::startVariant(Location loc, StringRef name, StringRef file,
                                 StringRef ptx) {
  // The driver takes a string: the zero byte at its end is part of the data.
  std::string data = llvm::toHex(ptx) + "00";
  Attribute object = opaque(getContext(), "#hal.executable.object<{path = \"" +
                                              file + "\", data = dense<\"0x" +
                                              data + "\"> : vector<" +
                                              Twine(ptx.size() + 1) + "xi8>}>");
  Attribute target = opaque(
      getContext(), "#hal.executable.target<\"cuda\", \"cuda-nvptx-fb\">");
  Operation *variant = build(loc, "hal.executable.variant",
                             {getNamedAttr("objects", getArrayAttr({object})),
                              this->name(name), getNamedAttr("target", target)},
                             1);
  enter(variant, 0);
  Operation *end = build(loc, "hal.executable.variant_end", {});
  setInsertionPoint(end);
}

void iree::Builder::buildCondition(Location loc, unsigned capability,
                                   bool exactly) {
  Type device = parseType("!hal.device", getContext());
  Type number = getI32Type();
  Operation *condition =
      build(loc, "hal.executable.condition",
            {getNamedAttr("function_type",
                          TypeAttr::get(getFunctionType(device, getI1Type())))},
            1);
  OpBuilder::InsertionGuard guard(*this);
  Block *block = enter(condition, 0, device);
  auto query = [&](StringRef key) {
    return build(loc, "hal.device.query",
                 {getNamedAttr("category", getStringAttr("cuda.device")),
                  getNamedAttr("key", getStringAttr(key)),
                  getNamedAttr("default_value", getI32IntegerAttr(0))},
                 0, block->getArgument(0), {getI1Type(), number})
        ->getResult(1);
  };
  Value major = query("compute_capability_major");
  Value minor = query("compute_capability_minor");
  auto constant = [&](int32_t value) -> Value {
    return arith::ConstantIntOp::create(*this, loc, number, value);
  };
  Value tens = arith::MulIOp::create(*this, loc, major, constant(10));
  Value found = arith::AddIOp::create(*this, loc, tens, minor);
  Value fits = arith::CmpIOp::create(*this, loc,
                                     exactly ? arith::CmpIPredicate::eq
                                             : arith::CmpIPredicate::sge,
                                     found, constant(capability));
  build(loc, "hal.return", {}, 0, fits);
}

void iree::Builder::buildExport(
    Location loc, const Export &exported, unsigned workload,
    function_ref<std::array<Value, 3>(ValueRange workload)> count) {
  std::string bindings;
  for (bool readOnly : exported.readOnly)
    bindings += std::string(bindings.empty() ? "" : ", ") +
                "#hal.pipeline.binding<storage_buffer" +
                (readOnly ? ", ReadOnly>" : ">");
  Attribute layout =
      opaque(getContext(),
             "#hal.pipeline.layout<constants = " + Twine(exported.constants) +
                 ", bindings = [" + bindings + "]>");
  // The second region is the one of a condition, and empty.
  Operation *op = build(
      loc, "hal.executable.export",
      {getNamedAttr("layout", layout), getNamedAttr("ordinal", getIndexAttr(0)),
       getNamedAttr("subgroup_size", getIndexAttr(32)), name(exported.name),
       getNamedAttr("workgroup_local_memory",
                    getIndexAttr(exported.sharedMemory)),
       getNamedAttr("workgroup_size", getIndices({exported.threads, 1, 1}))},
      2);
  OpBuilder::InsertionGuard guard(*this);
  SmallVector<Type> types = {parseType("!hal.device", getContext())};
  types.append(workload, getIndexType());
  Block *block = enter(op, 0, types);
  build(loc, "hal.return", {}, 0, count(block->getArguments().drop_front()));
}

Operation *iree::Builder::buildDispatch(Location loc,
                                        const Dispatch &dispatch) {
  auto count = [](const auto &values) {
    return static_cast<int32_t>(values.size());
  };
  SmallVector<Attribute> entries;
  for (StringRef variant : dispatch.variants)
    entries.push_back(SymbolRefAttr::get(
        getContext(), dispatch.name,
        {FlatSymbolRefAttr::get(getContext(), variant),
         FlatSymbolRefAttr::get(getContext(), dispatch.name)}));
  SmallVector<Value> operands(dispatch.workload);
  llvm::append_range(operands, dispatch.operands);
  llvm::append_range(operands, dispatch.operandSizes);
  llvm::append_range(operands, dispatch.resultSizes);
  return build(
      loc, "flow.dispatch",
      {getNamedAttr("entry_points", getArrayAttr(entries)),
       getNamedAttr("operandSegmentSizes",
                    getDenseI32ArrayAttr({count(dispatch.workload),
                                          count(dispatch.operands),
                                          count(dispatch.operandSizes),
                                          count(dispatch.resultSizes)})),
       getNamedAttr("tied_operands", getIndices(dispatch.tied))},
      0, operands, dispatch.results);
}
