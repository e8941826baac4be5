//===- Stats.cpp - What a run reports -------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/Stats.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using namespace llvm;

namespace sparse_attn::runtime {

double TileCounts::sparsity() const {
  uint64_t total = visited + skipped;
  return total ? double(skipped) / double(total) : 0.0;
}

Expected<TileCounts> sumTileCounts(const Tensor &counts) {
  TileCounts sums;
  for (uint64_t i = 0; i < counts.size(); ++i) {
    if (!counts.isWritten(i))
      continue;
    double count = counts.element(i);
    if (count < 0)
      return fail("statistic 'tile_counts': expected counts of at least 0, "
                  "found " +
                  Twine(int64_t(count)) + " at " + counts.position(i));
    (i % 2 == 0 ? sums.visited : sums.skipped) += uint64_t(count);
  }
  return sums;
}

std::optional<RecallBound> summarizeRecall(const Tensor &bounds) {
  RecallBound result;
  result.minimum = INFINITY;
  double sum = 0;
  uint64_t count = 0;
  for (uint64_t i = 0; i < bounds.size(); ++i) {
    if (!bounds.isWritten(i))
      continue;
    double bound = bounds.element(i);
    // A bound that is no number must not hide behind a minimum over the rest.
    result.minimum = std::isnan(bound) || std::isnan(result.minimum)
                         ? NAN
                         : std::min(result.minimum, bound);
    sum += bound;
    ++count;
  }
  if (count == 0)
    return std::nullopt;
  result.mean = sum / double(count);
  return result;
}

/// JSON has no NaN and no infinity.
static json::Value number(double value) {
  return std::isfinite(value) ? json::Value(value) : json::Value(nullptr);
}

static void writeKernel(json::OStream &json, const KernelStats &kernel) {
  json.object([&] {
    json.attribute("name", kernel.name);
    json.attribute("target", kernel.target);
    json.attribute("launches", kernel.launches);
    const std::optional<TileCounts> &tiles = kernel.tiles;
    json.attribute("tiles_visited",
                   tiles ? json::Value(tiles->visited) : json::Value(nullptr));
    json.attribute("tiles_skipped",
                   tiles ? json::Value(tiles->skipped) : json::Value(nullptr));
    json.attribute("sparsity", tiles ? json::Value(tiles->sparsity())
                                     : json::Value(nullptr));
    if (kernel.recall)
      json.attributeObject("recall_bound", [&] {
        json.attribute("minimum", number(kernel.recall->minimum));
        json.attribute("mean", number(kernel.recall->mean));
      });
    else
      json.attribute("recall_bound", nullptr);
    if (kernel.milliseconds)
      json.attribute("time_ms", number(*kernel.milliseconds));
    if (!kernel.counters.empty())
      json.attributeObject("emulator", [&] {
        for (const auto &[name, count] : kernel.counters)
          json.attribute(name, count);
      });
  });
}

std::string statsJson(StringRef device, ArrayRef<KernelStats> kernels) {
  std::string text;
  raw_string_ostream os(text);
  json::OStream json(os, /*IndentSize=*/2);
  json.object([&] {
    json.attribute("device", device);
    json.attributeArray("kernels", [&] {
      for (const KernelStats &kernel : kernels)
        writeKernel(json, kernel);
    });
  });
  os << '\n';
  return text;
}

} // namespace sparse_attn::runtime
