//===- IreeSpec.cpp - A transform spec for stock iree-compile ------------ ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/IreeSpec.h"
#include "IreeOps.h"
#include "SparseAttn/Package/IreeProgram.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Transform/IR/TransformDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::sparse_attn;

static constexpr StringLiteral siteName = "attention_site_";

//===----------------------------------------------------------------------===//
// Attentions by themselves
//===----------------------------------------------------------------------===//

/// A function of `op`, its constants and its empty tensors; what else these
/// take are its arguments.
static func::FuncOp buildSite(OpBuilder &builder, Operation *op) {
  SmallVector<Operation *> body;
  llvm::SetVector<Value> arguments;
  for (Value operand : op->getOperands()) {
    Operation *source = operand.getDefiningOp();
    if (!isa_and_nonnull<arith::ConstantOp, tensor::EmptyOp>(source)) {
      arguments.insert(operand);
      continue;
    }
    arguments.insert(source->operand_begin(), source->operand_end());
    if (!llvm::is_contained(body, source))
      body.push_back(source);
  }
  auto type = builder.getFunctionType(
      TypeRange(ValueRange(arguments.getArrayRef())), op->getResultTypes());
  auto site = func::FuncOp::create(builder, op->getLoc(), siteName, type);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(site.addEntryBlock());
  IRMapping mapping;
  mapping.map(arguments.getArrayRef(), site.getArguments());
  for (Operation *source : body)
    builder.clone(*source, mapping);
  Operation *copy = builder.clone(*op, mapping);
  func::ReturnOp::create(builder, op->getLoc(), copy->getResults());
  return site;
}

LogicalResult sparse_attn::isolateAttentions(ModuleOp graph,
                                             DiagnosticCollector &diagnostics) {
  // IREE's programs have functions of their own.
  graph.getContext()->getOrLoadDialect<func::FuncDialect>();
  SmallVector<Operation *> found;
  graph.walk([&](Operation *op) {
    if (op->getName().getStringRef() == "iree_linalg_ext.attention")
      found.push_back(op);
  });
  OwningOpRef<ModuleOp> isolated = ModuleOp::create(graph.getLoc());
  OpBuilder builder(isolated->getBodyRegion());
  llvm::StringSet<> seen;
  for (Operation *op : found) {
    SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    if (!captured.empty()) {
      // IREE's matcher compares regions, and gives up on such values.
      op->emitWarning("not in the spec: the region of this attention reads "
                      "values from outside");
      continue;
    }
    func::FuncOp site = buildSite(builder, op);
    std::string text;
    llvm::raw_string_ostream(text) << site;
    if (!seen.insert(text).second) {
      site.erase();
      continue;
    }
    site.setSymName((siteName + Twine(seen.size() - 1)).str());
  }
  if (seen.empty()) {
    diagnostics.error("expected an iree_linalg_ext.attention that stands alone "
                      "to make a spec for, found none; --emit=iree takes every "
                      "form");
    return failure();
  }
  graph.getBodyRegion().takeBody(isolated->getBodyRegion());
  return success();
}

//===----------------------------------------------------------------------===//
// The spec
//===----------------------------------------------------------------------===//

namespace {
class SpecBuilder : public iree::Builder {
public:
  SpecBuilder(MLIRContext *context)
      : Builder(context), op(parseType("!transform.any_op", context)),
        value(parseType("!transform.any_value", context)) {}

  /// A function of IREE with the body of `site`, named `name`.
  void buildCall(func::FuncOp site, StringRef name);
  /// A sequence that matches the operation of `site`.
  void buildMatch(func::FuncOp site, StringRef name);
  /// A sequence that replaces what was matched by a call of `callee`, which
  /// dispatches `executable`.
  void buildReplacement(Location loc, StringRef name, StringRef callee,
                        StringRef executable);
  /// The sequence that iree-compile runs.
  void buildMain(Location loc, ArrayRef<Attribute> matches,
                 ArrayRef<Attribute> replacements);

private:
  /// Goes on inside of a new sequence.
  Block *startSequence(Location loc, StringRef name, TypeRange arguments,
                       TypeRange results, bool readOnly);
  NamedAttribute symbol(StringRef key, StringRef name) {
    return getNamedAttr(key, FlatSymbolRefAttr::get(getContext(), name));
  }

  Type op, value;
};
} // namespace

void SpecBuilder::buildCall(func::FuncOp site, StringRef name) {
  InsertionGuard guard(*this);
  setInsertionPoint(site);
  SmallVector<int64_t> tied(site.getNumResults(), -1);
  Operation *function = build(
      site.getLoc(), "util.func",
      {getNamedAttr("function_type", TypeAttr::get(site.getFunctionType())),
       this->name(name),
       getNamedAttr("sym_visibility", getStringAttr("private")),
       getNamedAttr("tied_operands", getIndices(tied))},
      1);
  function->getRegion(0).takeBody(site.getBody());
  Operation *end = &function->getRegion(0).front().back();
  setInsertionPoint(end);
  build(end->getLoc(), "util.return", {}, 0, end->getOperands());
  end->erase();
}

Block *SpecBuilder::startSequence(Location loc, StringRef name,
                                  TypeRange arguments, TypeRange results,
                                  bool readOnly) {
  SmallVector<NamedAttribute> properties = {
      getNamedAttr("function_type",
                   TypeAttr::get(getFunctionType(arguments, results))),
      this->name(name)};
  if (readOnly)
    properties.push_back(getNamedAttr(
        "arg_attrs",
        getArrayAttr(SmallVector<Attribute>(
            arguments.size(), getDictionaryAttr(getNamedAttr(
                                  "transform.readonly", getUnitAttr()))))));
  return enter(build(loc, "transform.named_sequence", properties, 1), 0,
               arguments);
}

void SpecBuilder::buildMatch(func::FuncOp site, StringRef name) {
  Location loc = site.getLoc();
  InsertionGuard guard(*this);
  Block *block = startSequence(loc, name, op, {value, value}, true);
  Operation *match =
      build(loc, "transform.iree.match.cast_compatible_dag_from_root", {}, 1,
            block->getArgument(0), {value, value});
  build(loc, "transform.yield", {}, 0, match->getResults());
  match->getRegion(0).takeBody(site.getBody());
  Operation *end = &match->getRegion(0).front().back();
  setInsertionPoint(end);
  build(end->getLoc(), "transform.yield", {});
  end->erase();
}

void SpecBuilder::buildReplacement(Location loc, StringRef name,
                                   StringRef callee, StringRef executable) {
  InsertionGuard guard(*this);
  Block *block = startSequence(loc, name, {value, value}, {}, true);
  Value inputs = block->getArgument(0), outputs = block->getArgument(1);
  Value root =
      build(loc, "transform.get_defining_op", {}, 0, outputs, op)->getResult(0);
  Value table =
      build(loc, "transform.util.get_nearest_symbol_table", {}, 0, root, op)
          ->getResult(0);
  auto import = [&](StringRef imported) {
    return build(loc, "transform.util.import_symbol",
                 {getNamedAttr("if_undefined", getUnitAttr()),
                  symbol("symbol", imported)},
                 0, table, op)
        ->getResult(0);
  };
  import(executable);
  Value function = import(callee);
  Operation *call = build(
      loc, "transform.util.cast_and_call",
      {getNamedAttr("insert_after", getUnitAttr()),
       getNamedAttr("operandSegmentSizes", getDenseI32ArrayAttr({1, 1, 1, 1}))},
      1, {root, inputs, outputs, function}, op);
  build(loc, "transform.yield", {});
  enter(call, 0);
  build(loc, "transform.type_conversion.tensor.cast_shape_dynamic_dims", {});
}

void SpecBuilder::buildMain(Location loc, ArrayRef<Attribute> matches,
                            ArrayRef<Attribute> replacements) {
  InsertionGuard guard(*this);
  Block *block = startSequence(loc, "__transform_main", op, {}, false);
  Operation *each = build(loc, "transform.foreach_match",
                          {getNamedAttr("actions", getArrayAttr(replacements)),
                           getNamedAttr("matchers", getArrayAttr(matches))},
                          0, block->getArgument(0), op);
  build(loc, "transform.apply_dce", {}, 0, each->getResults());
  build(loc, "transform.yield", {});
}

/// The executable that `site` dispatches, if it became a dispatch.
static std::optional<StringRef> findExecutable(func::FuncOp site) {
  std::optional<StringRef> name;
  site.walk([&](Operation *op) {
    if (op->getName().getStringRef() != "flow.dispatch")
      return;
    auto properties = cast<DictionaryAttr>(op->getPropertiesAsAttribute());
    auto entries = properties.getAs<ArrayAttr>("entry_points");
    name = cast<SymbolRefAttr>(entries[0]).getRootReference().getValue();
  });
  return name;
}

Outcome sparse_attn::buildIreeSpec(Compilation &compilation, ModuleOp sites,
                                   DiagnosticCollector &diagnostics) {
  if (Outcome outcome = buildIreeProgram(compilation, diagnostics);
      outcome != Outcome::Success)
    return outcome;
  ModuleOp graph = *compilation.graph;
  MLIRContext *context = graph.getContext();
  context->getOrLoadDialect<transform::TransformDialect>();
  SpecBuilder builder(context);
  SymbolTable symbols(graph);
  SmallVector<Attribute> matches, replacements;
  for (auto original : sites.getOps<func::FuncOp>()) {
    auto site = symbols.lookup<func::FuncOp>(original.getSymName());
    std::optional<StringRef> executable = findExecutable(site);
    if (executable) {
      std::string number = std::to_string(matches.size());
      std::string match = "match_" + number, replace = "replace_" + number,
                  call = "call_attention_" + number;
      builder.setInsertionPointToEnd(graph.getBody());
      builder.buildMatch(original, match);
      builder.buildReplacement(site.getLoc(), replace, call, *executable);
      builder.buildCall(site, call);
      matches.push_back(FlatSymbolRefAttr::get(context, match));
      replacements.push_back(FlatSymbolRefAttr::get(context, replace));
    }
    site.erase();
  }
  if (matches.empty()) {
    diagnostics.error("no attention could be compiled, so there is nothing to "
                      "put into a spec");
    return Outcome::UserError;
  }
  builder.setInsertionPointToEnd(graph.getBody());
  builder.buildMain(graph.getLoc(), matches, replacements);
  graph->setDiscardableAttrs(builder.getDictionaryAttr(builder.getNamedAttr(
      "transform.with_named_sequence", builder.getUnitAttr())));
  return Outcome::Success;
}
