//===- PolicySpelling.cpp - Policies as the command line spells them ----- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Pipelines/PolicySpelling.h"
#include "SparseAttn/Dialect/SparseAttn/IR/RealText.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;

using EmitError = function_ref<InFlightDiagnostic()>;

static FailureOr<double> parseReal(StringRef text, StringRef what,
                                   StringRef spelling, EmitError emitError) {
  double value;
  if (text.empty() || text.getAsDouble(value)) {
    emitError() << "expected a number as the " << what << " of filter '"
                << spelling << "', found '" << text << "'";
    return failure();
  }
  return value;
}

/// An attribute whose verifier has had its say.
template <typename Attr, typename... Args>
static FailureOr<FilterAttrInterface>
getFilter(MLIRContext *context, EmitError emitError, Args... args) {
  Attr attr = Attr::getChecked(emitError, context, args...);
  if (!attr)
    return failure();
  return FilterAttrInterface(attr);
}

static FailureOr<FilterAttrInterface> parseThreshold(MLIRContext *context,
                                                     StringRef spelling,
                                                     StringRef value,
                                                     EmitError emitError) {
  bool perKey = value.consume_back("/L");
  FailureOr<double> real =
      parseReal(value, perKey ? "numerator" : "threshold", spelling, emitError);
  if (failed(real))
    return failure();
  return getFilter<ThresholdFilterAttr>(context, emitError, APFloat(*real),
                                        perKey);
}

static FailureOr<FilterAttrInterface> parseEnergy(MLIRContext *context,
                                                  StringRef spelling,
                                                  StringRef value,
                                                  EmitError emitError) {
  bool isBudget = value.consume_front("P=");
  FailureOr<double> real =
      parseReal(value, isBudget ? "budget" : "threshold", spelling, emitError);
  if (failed(real))
    return failure();
  return getFilter<EnergyFilterAttr>(context, emitError, APFloat(*real),
                                     isBudget);
}

static FailureOr<FilterAttrInterface> parseRecall(MLIRContext *context,
                                                  StringRef spelling,
                                                  StringRef value,
                                                  EmitError emitError) {
  SmallVector<StringRef> words;
  value.split(words, ',');
  FailureOr<double> real =
      parseReal(words.front(), "recall", spelling, emitError);
  if (failed(real))
    return failure();
  std::optional<bool> perTile;
  std::optional<int64_t> groups;
  for (StringRef word : ArrayRef(words).drop_front()) {
    bool known = true, repeated = false;
    if (word == "row" || word == "tile") {
      repeated = perTile.has_value();
      perTile = word == "tile";
    } else if (word == "exact") {
      repeated = groups.has_value();
      groups = 0;
    } else if (StringRef count = word; count.consume_front("groups=")) {
      int64_t parsed = 0;
      // Zero means exact in the attribute, so it is no number of groups here.
      known = !count.getAsInteger(10, parsed) && parsed > 0;
      repeated = groups.has_value();
      groups = parsed;
    } else {
      known = false;
    }
    if (!known) {
      emitError() << "expected 'row', 'tile', 'exact' or 'groups=' with a "
                     "positive number in filter '"
                  << spelling << "', found '" << word << "'";
      return failure();
    }
    if (repeated) {
      emitError() << "expected one granularity and one bound in filter '"
                  << spelling << "', found '" << word << "' as a second one";
      return failure();
    }
  }
  return getFilter<RecallFilterAttr>(context, emitError, APFloat(*real),
                                     perTile.value_or(false),
                                     groups.value_or(0));
}

FailureOr<FilterAttrInterface>
sparse_attn::parseFilterSpelling(MLIRContext *context, StringRef spelling,
                                 EmitError emitError) {
  context->loadDialect<SparseAttnDialect>();
  if (spelling == "dense")
    return FilterAttrInterface(DenseFilterAttr::get(context));
  auto [kind, value] = spelling.split(':');
  if (kind == "threshold")
    return parseThreshold(context, spelling, value, emitError);
  if (kind == "energy")
    return parseEnergy(context, spelling, value, emitError);
  if (kind == "recall")
    return parseRecall(context, spelling, value, emitError);
  emitError() << "expected a filter 'dense', 'threshold:', 'energy:' or "
                 "'recall:' with a number, found '"
              << spelling << "'";
  return failure();
}

/// Three sizes with an x between them; none if the text is anything else.
static std::optional<SmallVector<int64_t>> parseSizes(StringRef text) {
  SmallVector<StringRef> words;
  text.split(words, 'x');
  SmallVector<int64_t> sizes;
  for (StringRef word : words)
    if (word.getAsInteger(10, sizes.emplace_back()))
      return std::nullopt;
  if (sizes.size() != 3)
    return std::nullopt;
  return sizes;
}

FailureOr<LayoutAttrInterface>
sparse_attn::parseLayoutSpelling(MLIRContext *context, StringRef spelling,
                                 EmitError emitError) {
  context->loadDialect<SparseAttnDialect>();
  auto [curve, rest] = spelling.split(':');
  auto [sizes, tailText] = rest.split('+');
  StringRef boxText;
  if (curve == "box")
    std::tie(boxText, sizes) = sizes.split('@');
  std::optional<SmallVector<int64_t>> grid = parseSizes(sizes), box;
  int64_t tail = 0;
  bool known = grid && !(rest.contains('+') &&
                         (tailText.getAsInteger(10, tail) || tail < 0));
  if (curve == "box")
    known &= (box = parseSizes(boxText)).has_value();
  LayoutAttrInterface layout;
  if (!known)
    curve = "";
  if (curve == "raster")
    layout =
        RasterLayoutAttr::getChecked(emitError, context, ArrayRef(*grid), tail);
  else if (curve == "hilbert")
    layout = HilbertLayoutAttr::getChecked(emitError, context, ArrayRef(*grid),
                                           tail);
  else if (curve == "gilbert")
    layout = GilbertLayoutAttr::getChecked(emitError, context, ArrayRef(*grid),
                                           tail);
  else if (curve == "morton")
    layout =
        MortonLayoutAttr::getChecked(emitError, context, ArrayRef(*grid), tail);
  else if (curve == "box")
    layout = BoxLayoutAttr::getChecked(emitError, context, ArrayRef(*box),
                                       ArrayRef(*grid), tail);
  else
    emitError() << "expected a layout 'raster:', 'hilbert:', 'gilbert:' or "
                   "'morton:' with TxHxW[+TAIL], or 'box:' with "
                   "AxBxC@TxHxW[+TAIL], found '"
                << spelling << "'";
  if (!layout)
    return failure();
  return layout;
}

FailureOr<SelectionSpelling>
sparse_attn::parseSelectionSpelling(MLIRContext *context, StringRef spelling,
                                    EmitError emitError) {
  context->loadDialect<SparseAttnDialect>();
  SelectionSpelling result;
  if (spelling == "none")
    return result;
  SmallVector<StringRef> words;
  spelling.split(words, ',');
  auto [kind, value] = words.front().split(':');
  double number = 0;
  bool known = !value.empty() && !value.getAsDouble(number);
  for (StringRef word : ArrayRef(words).drop_front()) {
    if (word == "order=score" && !result.byScore)
      result.byScore = true;
    else if (word.consume_front("block=") && !result.block)
      known &= !word.getAsInteger(10, result.block.emplace());
    else
      known = false;
  }
  Builder b(context);
  if (known && kind == "recall") {
    if (!(number > 0.0 && number < 1.0)) {
      emitError() << "expected a recall above 0 and below 1 in selection '"
                  << spelling << "', found " << spellReal(number);
      return failure();
    }
    result.recall = number;
    return result;
  }
  FloatAttr real = b.getF64FloatAttr(number);
  if (known && kind == "top-k")
    result.selection = TopKSelectionAttr::getChecked(emitError, context, real);
  else if (known && kind == "top-p")
    result.selection = TopPSelectionAttr::getChecked(emitError, context, real);
  else if (known && kind == "cutoff")
    result.selection =
        CutoffSelectionAttr::getChecked(emitError, context, real);
  else
    emitError() << "expected a selection 'none', or 'top-k:', 'top-p:', "
                   "'cutoff:' or 'recall:' with a number and perhaps "
                   "',order=score' and ',block=128', found '"
                << spelling << "'";
  if (!result.selection)
    return failure();
  return result;
}

FailureOr<CacheSpelling> sparse_attn::parseCacheSpelling(MLIRContext *context,
                                                         StringRef spelling,
                                                         EmitError emitError) {
  context->loadDialect<SparseAttnDialect>();
  std::optional<int64_t> warmup, interval, steps;
  SmallVector<double> ratios;
  SmallVector<int64_t> dense;
  FloatAttr target;
  Builder b(context);
  SmallVector<StringRef> words;
  spelling.split(words, ',');
  bool known = true;
  auto takeInteger = [&](StringRef value, std::optional<int64_t> &to) {
    known &= !to && !value.getAsInteger(10, to.emplace());
  };
  for (StringRef word : words) {
    auto [name, value] = word.split('=');
    double number = 0;
    if (name == "warmup") {
      takeInteger(value, warmup);
    } else if (name == "interval") {
      takeInteger(value, interval);
    } else if (name == "steps") {
      takeInteger(value, steps);
    } else if (name == "target") {
      known &= !target && !value.getAsDouble(number);
      target = b.getF64FloatAttr(number);
    } else if (name == "ratios") {
      SmallVector<StringRef> texts;
      value.split(texts, '/');
      known &= ratios.empty();
      for (StringRef text : texts)
        known &= !text.getAsDouble(ratios.emplace_back());
    } else if (name == "dense") {
      SmallVector<StringRef> texts;
      value.split(texts, '/');
      known &= dense.empty();
      for (StringRef text : texts)
        known &= !text.getAsInteger(10, dense.emplace_back());
    } else {
      known = false;
    }
  }
  if (!known || !warmup || !interval || !steps || ratios.empty()) {
    emitError() << "expected a schedule such as "
                   "'warmup=12,interval=12,ratios=0.3/0.2/0.1,steps=50' and "
                   "perhaps ',target=0.9' and ',dense=0/3', found '"
                << spelling << "'";
    return failure();
  }
  auto schedule = CacheScheduleAttr::getChecked(
      emitError, context, *warmup, *interval, b.getDenseF64ArrayAttr(ratios),
      *steps, target);
  if (!schedule)
    return failure();
  return CacheSpelling{schedule, dense};
}

FailureOr<Precision> sparse_attn::parsePrecisionSpelling(StringRef spelling,
                                                         EmitError emitError) {
  auto precision = llvm::StringSwitch<std::optional<Precision>>(spelling)
                       .Case("3xtf32", Precision::tf32x3)
                       .Case("tf32", Precision::tf32)
                       .Case("bf16", Precision::bf16)
                       .Default(std::nullopt);
  if (precision)
    return *precision;
  emitError() << "expected an f32 precision '3xtf32', 'tf32' or 'bf16', found '"
              << spelling << "'";
  return failure();
}

std::string sparse_attn::spellFilter(FilterAttrInterface filter) {
  if (auto threshold = dyn_cast<ThresholdFilterAttr>(filter))
    return "threshold:" + spellReal(threshold.getReal()) +
           (threshold.getPerKey() ? "/L" : "");
  if (auto energy = dyn_cast<EnergyFilterAttr>(filter))
    return (energy.getIsBudget() ? "energy:P=" : "energy:") +
           spellReal(energy.getReal());
  if (auto recall = dyn_cast<RecallFilterAttr>(filter))
    return "recall:" + spellReal(recall.getReal()) +
           (recall.getPerTile() ? ",tile" : "") +
           (recall.isExact() ? ""
                             : ",groups=" + std::to_string(recall.getGroups()));
  return filter.getPolicy().str();
}

StringRef sparse_attn::spellPrecision(Precision precision) {
  return precision == Precision::tf32x3 ? "3xtf32"
                                        : stringifyPrecision(precision);
}
