//===- Report.cpp - What a compilation found and chose ------------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/Report.h"
#include "SparseAttn/Analysis/KernelSignature.h"
#include "SparseAttn/Analysis/ScoreStructure.h"
#include "SparseAttn/Package/KernelManifest.h"
#include "SparseAttn/Pipelines/PolicySpelling.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using llvm::json::Array;
using llvm::json::Object;

//===----------------------------------------------------------------------===//
// Words for a kernel
//===----------------------------------------------------------------------===//

static std::string spellSize(int64_t size) {
  return ShapedType::isDynamic(size) ? "?" : std::to_string(size);
}

static std::string spellSizes(ArrayRef<int64_t> sizes) {
  std::string text;
  for (int64_t size : sizes)
    text += (text.empty() ? "" : "x") + spellSize(size);
  return text.empty() ? "1" : text;
}

namespace {
/// The sizes of an attention by role.
struct Sizes {
  SmallVector<int64_t> batch;
  int64_t queries, keys, headDim, valueDim;

  explicit Sizes(AttentionOp op) {
    AttentionOp::Dims dims = op.getDims();
    for (unsigned dim : dims.batch)
      batch.push_back(op.getDimSize(dim));
    queries = op.getDimSize(dims.m);
    keys = op.getDimSize(dims.k2);
    headDim = op.getDimSize(dims.k1);
    valueDim = op.getDimSize(dims.n);
  }
};
} // namespace

static Type elementType(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

static std::string spell(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

static std::string spellType(AttentionOp op) {
  Type type = elementType(op.getQuery());
  if (!type.isF32())
    return spell(type);
  return "f32/" + spellPrecision(op.getPrecisionOrDefault()).str();
}

/// The kinds of masks, in words; empty if there is none.
static SmallVector<std::string> spellMasks(AttentionOp op) {
  SmallVector<std::string> words;
  ScoreStructure score = analyzeScore(op);
  if (std::optional<int64_t> last = getCausalOffset(score))
    words.push_back(*last ? "causal" + std::string(*last > 0 ? "+" : "") +
                                std::to_string(*last)
                          : "causal");
  else if (auto window = getWindow(op, score))
    words.push_back("window:" + std::to_string(window->first) + ".." +
                    std::to_string(window->second));
  else if (score.masks())
    words.push_back("region");
  if (op.getMask())
    words.push_back("mask:" + spell(elementType(op.getMask())));
  if (op.getBlockCounts())
    words.push_back("blocks");
  return words;
}

/// Whether the region changes scores that it keeps.
static bool modifiesScores(AttentionOp op) {
  return analyzeScore(op).modifies();
}

/// What stands between the product and the softmax.
static std::string spellScore(AttentionOp op) {
  SmallVector<std::string> words = spellMasks(op);
  if (modifiesScores(op))
    words.push_back("modified");
  return words.empty() ? "-" : llvm::join(words, ",");
}

static std::string spellScale(AttentionOp op) {
  std::string text;
  llvm::raw_string_ostream(text)
      << llvm::format("%.4g", op.getScale().convertToDouble());
  return text;
}

/// How many query heads share a key.
static int64_t getGroup(AttentionOp op) {
  int64_t group = 1;
  for (unsigned dim : op.getDims().batch) {
    if (op.getKeyMap().isFunctionOfDim(dim))
      continue;
    int64_t size = op.getDimSize(dim);
    if (ShapedType::isDynamic(size))
      return size;
    group *= size;
  }
  return group;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

namespace {
/// Left-aligned columns, as wide as their widest cell.
class Table {
public:
  void add(std::vector<std::string> cells) { rows.push_back(std::move(cells)); }
  void print(raw_ostream &os) const {
    std::vector<size_t> widths(rows.front().size());
    for (const auto &row : rows)
      for (auto [width, cell] : llvm::zip_equal(widths, row))
        width = std::max(width, cell.size());
    for (const auto &row : rows) {
      std::string line;
      for (auto [width, cell] : llvm::zip_equal(widths, row))
        line += cell + std::string(width - cell.size() + 2, ' ');
      os << StringRef(line).rtrim(' ') << '\n';
    }
  }

private:
  std::vector<std::vector<std::string>> rows;
};
} // namespace

static std::string count(size_t number, StringRef noun) {
  return std::to_string(number) + " " + noun.str() + (number == 1 ? "" : "s");
}

static std::vector<std::string> describeRow(const Compilation &compilation,
                                            const CompiledTarget &target,
                                            const CompiledKernel &kernel) {
  AttentionOp op =
      getKernelAttention(const_cast<CompiledKernel &>(kernel).function);
  auto compiled = [&](auto value) {
    return kernel.ptx.empty() ? "-" : std::to_string(value);
  };
  std::string registers =
      kernel.usage ? std::to_string(kernel.usage->registers) : "-";
  std::string spills =
      kernel.usage
          ? std::to_string(kernel.usage->spillStores + kernel.usage->spillLoads)
          : "-";
  if (!op) {
    std::vector<std::string> row = {
        kernel.name, target.chip,
        std::to_string(compilation.countCalls(kernel.name))};
    // What only attention has.
    row.resize(13, "-");
    llvm::append_range(row, ArrayRef<std::string>{compiled(kernel.threads),
                                                  compiled(kernel.sharedMemory),
                                                  registers, spills});
    return row;
  }
  Sizes sizes(op);
  std::string dim = spellSize(sizes.headDim);
  if (sizes.valueDim != sizes.headDim)
    dim += "/" + spellSize(sizes.valueDim);
  return {kernel.name,
          target.chip,
          std::to_string(compilation.countCalls(kernel.name)),
          spellSizes(sizes.batch),
          spellSize(getGroup(op)),
          spellSize(sizes.queries),
          spellSize(sizes.keys),
          dim,
          spellType(op),
          spellScale(op),
          spellScore(op),
          spellFilter(op.getFilterOrDefault()),
          op.getDecisionTile() ? spellSizes(*op.getDecisionTile()) : "-",
          compiled(kernel.threads),
          compiled(kernel.sharedMemory),
          registers,
          spills};
}

namespace {
/// A softmax of the graph and what became of it.
struct Fate {
  std::string place;
  /// "compiled", "not compiled" or "not raised".
  StringRef status;
  std::string kernel, reason;

  std::string spell() const {
    if (kernel.empty())
      return status.str() + ": " + reason;
    return reason.empty() ? kernel
                          : kernel + ", " + status.str() + ": " + reason;
  }
};
} // namespace

/// Why no target has `kernel`; empty if one has.
static std::string getRefusal(const Compilation &compilation,
                              StringRef kernel) {
  std::string reason;
  for (const CompiledTarget &target : compilation.targets)
    for (const CompiledKernel &compiled : target.kernels)
      if (compiled.name == kernel) {
        if (compiled.refusal.empty())
          return "";
        reason = compiled.refusal;
      }
  return reason;
}

static std::vector<Fate> listSoftmaxes(const Compilation &compilation) {
  std::vector<Fate> fates;
  for (const FoundAttention &attention : compilation.attentions) {
    if (attention.kernel.empty())
      continue;
    std::string reason = getRefusal(compilation, attention.kernel);
    fates.push_back({attention.place,
                     reason.empty() ? "compiled" : "not compiled",
                     attention.kernel, reason});
  }
  for (const Refusal &refusal : compilation.notOutlined)
    fates.push_back(
        {formatPlace(refusal.loc), "not compiled", "", refusal.reason});
  for (const Refusal &refusal : compilation.notRaised)
    fates.push_back(
        {formatPlace(refusal.loc), "not raised", "", refusal.reason});
  return fates;
}

void sparse_attn::printReport(raw_ostream &os, const Compilation &compilation,
                              bool hasPtxas) {
  size_t kernels =
      compilation.targets.empty() ? 0 : compilation.targets[0].kernels.size();
  os << "found " << count(compilation.attentions.size(), "attention");
  if (!compilation.targets.empty())
    os << ", " << count(kernels, "distinct kernel");
  os << '\n';
  if (kernels) {
    Table table;
    table.add({"kernel", "target", "calls", "batch", "group", "queries", "keys",
               "dim", "type", "scale", "score", "filter", "tile", "threads",
               "shared", "registers", "spills"});
    for (const CompiledTarget &target : compilation.targets)
      for (const CompiledKernel &kernel : target.kernels)
        table.add(describeRow(compilation, target, kernel));
    table.print(os);
    if (!hasPtxas)
      os << "ptxas not found: registers and spills are unknown\n";
  }
  for (const CompiledTarget &target : compilation.targets)
    for (const CompiledKernel &kernel : target.kernels)
      if (!kernel.refusal.empty())
        os << "not compiled for " << target.chip << ": " << kernel.name << ": "
           << kernel.refusal << '\n';
  std::vector<Fate> fates = listSoftmaxes(compilation);
  if (fates.empty())
    return;
  Table softmaxes;
  softmaxes.add({"softmax at", "became"});
  for (const Fate &fate : fates)
    softmaxes.add({fate.place.empty() ? "?" : fate.place, fate.spell()});
  softmaxes.print(os);
}

void sparse_attn::printPhases(raw_ostream &os, const Compilation &compilation) {
  llvm::ListSeparator comma;
  for (const auto &[name, time] : compilation.phases)
    os << comma << name << ' ' << llvm::format("%.0f", time) << " ms";
  os << '\n';
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

/// A size, null where it is any.
static llvm::json::Value sizeValue(int64_t size) {
  if (ShapedType::isDynamic(size))
    return nullptr;
  return size;
}

/// `result` with what the compiled kernel takes up, or why there is none.
static Object describeUse(Object result, const CompiledKernel &kernel) {
  if (kernel.ptx.empty()) {
    result["not_compiled"] = kernel.refusal;
    return result;
  }
  result["threads"] = kernel.threads;
  result["shared_memory"] = kernel.sharedMemory;
  if (kernel.usage) {
    result["registers"] = kernel.usage->registers;
    result["spill_stores"] = kernel.usage->spillStores;
    result["spill_loads"] = kernel.usage->spillLoads;
    result["stack"] = kernel.usage->stackBytes;
    result["static_shared_memory"] = kernel.usage->sharedBytes;
  }
  return result;
}

static Object describe(const Compilation &compilation,
                       const CompiledTarget &target,
                       const CompiledKernel &kernel) {
  AttentionOp op =
      getKernelAttention(const_cast<CompiledKernel &>(kernel).function);
  if (!op)
    return describeUse(
        Object{{"name", kernel.name},
               {"operation",
                getKernelOp(const_cast<CompiledKernel &>(kernel).function)
                    ->getName()
                    .stripDialect()},
               {"target", target.chip},
               {"calls", compilation.countCalls(kernel.name)}},
        kernel);
  Sizes sizes(op);
  Array batch;
  for (int64_t size : sizes.batch)
    batch.push_back(sizeValue(size));
  Array masks;
  for (std::string &word : spellMasks(op))
    masks.push_back(std::move(word));
  bool isDynamic = llvm::any_of(
      llvm::seq<unsigned>(0, op.getQueryMap().getNumDims()),
      [&](unsigned dim) { return ShapedType::isDynamic(op.getDimSize(dim)); });
  Object result{{"name", kernel.name},
                {"operation", "attention"},
                {"target", target.chip},
                {"calls", compilation.countCalls(kernel.name)},
                {"batch", std::move(batch)},
                {"queries", sizeValue(sizes.queries)},
                {"keys", sizeValue(sizes.keys)},
                {"head_dim", sizeValue(sizes.headDim)},
                {"value_head_dim", sizeValue(sizes.valueDim)},
                {"type", spell(elementType(op.getQuery()))},
                {"group", sizeValue(getGroup(op))},
                {"dynamic", isDynamic},
                {"scale", op.getScale().convertToDouble()},
                {"mask", std::move(masks)},
                {"modified", modifiesScores(op)},
                {"filter", describeFilter(op.getFilterOrDefault())}};
  if (elementType(op.getQuery()).isF32())
    result["precision"] = spellPrecision(op.getPrecisionOrDefault());
  if (op.getDecisionTile())
    result["decision_tile"] = Array(*op.getDecisionTile());
  return describeUse(std::move(result), kernel);
}

Object sparse_attn::buildReport(const Compilation &compilation, bool hasPtxas) {
  Array softmaxes, kernels;
  for (Fate &fate : listSoftmaxes(compilation)) {
    Object entry{{"place", fate.place}, {"status", fate.status}};
    if (!fate.kernel.empty())
      entry["kernel"] = fate.kernel;
    if (!fate.reason.empty())
      entry["reason"] = fate.reason;
    softmaxes.push_back(std::move(entry));
  }
  for (const CompiledTarget &target : compilation.targets)
    for (const CompiledKernel &kernel : target.kernels)
      kernels.push_back(describe(compilation, target, kernel));
  Object phases;
  for (const auto &[name, time] : compilation.phases)
    phases[name] = time;
  return Object{{"softmaxes", std::move(softmaxes)},
                {"kernels", std::move(kernels)},
                {"ptxas", hasPtxas},
                {"milliseconds", std::move(phases)}};
}
