//===- FilterReference.cpp - Filtered attention in double -----------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FilterReference.h"
#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"
#include "TileKernel.h"
#include "mlir/AsmParser/AsmParser.h"
#include <cmath>

using namespace sparse_attn_test;
using namespace mlir;

namespace {

/// What a row carries from tile to tile.
struct Row {
  double max = -INFINITY, sum = 0, skippedMass = 0;
  std::vector<double> output;
};

/// A row's view of one key tile.
struct TileRow {
  std::vector<double> scores; // -inf where masked or past the last key
  double max = -INFINITY;
};

class Reference {
public:
  Reference(const AttentionCase &shape, Attribute filter, ArrayRef<float> query,
            ArrayRef<float> key, ArrayRef<float> value)
      : shape(shape), filter(filter), query(query), key(key), value(value) {
    result.margin = INFINITY;
  }

  FilterReference run() {
    for (int64_t head = 0; head < shape.heads; ++head)
      for (int64_t first = 0; first < shape.queries; first += shape.tileRows)
        runQueryTile(head, first);
    return std::move(result);
  }

private:
  TileRow score(int64_t head, int64_t row, int64_t firstKey) const;
  /// Positive where the row wants the tile, by how much; `mass` is what a skip
  /// adds to the skipped mass.
  double want(const Row &row, const TileRow &tile, double &mass) const;
  void merge(Row &row, const TileRow &tile, int64_t head,
             int64_t firstKey) const;
  void runQueryTile(int64_t head, int64_t first);

  const AttentionCase &shape;
  Attribute filter;
  ArrayRef<float> query, key, value;
  FilterReference result;
};

TileRow Reference::score(int64_t head, int64_t row, int64_t firstKey) const {
  TileRow tile;
  for (int64_t j = firstKey; j < firstKey + shape.tileKeys; ++j) {
    double sum = -INFINITY;
    if (j < shape.keys && (!shape.causal || j <= row)) {
      sum = 0;
      for (int64_t i = 0; i < shape.depth; ++i)
        sum += static_cast<double>(
                   query[(head * shape.queries + row) * shape.depth + i]) *
               key[(head * shape.keys + j) * shape.depth + i];
      sum *= shape.scale;
    }
    tile.scores.push_back(sum);
    tile.max = std::max(tile.max, sum);
  }
  return tile;
}

double Reference::want(const Row &row, const TileRow &tile,
                       double &mass) const {
  mass = 0;
  auto recall = dyn_cast<sparse_attn::RecallFilterAttr>(filter);
  bool perTile = recall && recall.getPerTile();
  if (tile.max == -INFINITY)
    return !perTile ? -INFINITY : row.sum == 0 ? 0 : row.skippedMass / row.sum;
  if (row.sum == 0)
    return INFINITY;
  if (auto threshold = dyn_cast<sparse_attn::ThresholdFilterAttr>(filter)) {
    double limit = threshold.getReal();
    if (threshold.getPerKey())
      limit /= static_cast<double>(shape.keys);
    return tile.max - row.max - std::log(limit);
  }
  if (auto energy = dyn_cast<sparse_attn::EnergyFilterAttr>(filter)) {
    double limit = energy.getReal();
    if (energy.getIsBudget())
      limit = std::log(limit * static_cast<double>(shape.tileKeys) /
                       static_cast<double>(shape.keys));
    return tile.max - row.max - std::log(row.sum) - limit;
  }
  if (recall.isExact()) {
    for (double score : tile.scores)
      mass += std::exp(score - row.max);
  } else {
    std::vector<double> maxima(recall.getGroups(), -INFINITY);
    for (size_t c = 0; c < tile.scores.size(); ++c) {
      double &max = maxima[c % (2 * maxima.size()) / 2];
      max = std::max(max, tile.scores[c]);
    }
    for (double max : maxima)
      mass += std::exp(max - row.max) * static_cast<double>(shape.tileKeys) /
              static_cast<double>(maxima.size());
  }
  if (perTile)
    return (row.skippedMass + mass) / row.sum;
  return std::log((row.skippedMass + mass) / (recall.getAllowance() * row.sum));
}

void Reference::merge(Row &row, const TileRow &tile, int64_t head,
                      int64_t firstKey) const {
  double max = std::max(row.max, tile.max);
  if (max == -INFINITY)
    return;
  double decay = std::exp(row.max - max);
  row.sum *= decay;
  row.skippedMass *= decay;
  for (double &number : row.output)
    number *= decay;
  for (size_t j = 0; j < tile.scores.size(); ++j) {
    double weight = std::exp(tile.scores[j] - max);
    if (weight == 0)
      continue;
    row.sum += weight;
    for (int64_t i = 0; i < shape.depth; ++i)
      row.output[i] +=
          weight * value[(head * shape.keys + firstKey + j) * shape.depth + i];
  }
  row.max = max;
}

void Reference::runQueryTile(int64_t head, int64_t first) {
  int64_t last = std::min(first + shape.tileRows, shape.queries);
  int64_t end = shape.causal ? std::min(last, shape.keys) : shape.keys;
  std::vector<Row> rows(last - first);
  // The mass of all keys, by the maximum of all scores.
  std::vector<Row> all(last - first);
  for (size_t i = 0; i < rows.size(); ++i)
    rows[i].output.resize(shape.depth), all[i].output.resize(shape.depth);

  int32_t visited = 0, skipped = 0;
  for (int64_t firstKey = 0; firstKey < end; firstKey += shape.tileKeys) {
    ++visited;
    std::vector<TileRow> tile;
    std::vector<double> masses(rows.size());
    double most = -INFINITY, sum = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      tile.push_back(score(head, first + i, firstKey));
      merge(all[i], tile[i], head, firstKey);
      if (isa<sparse_attn::DenseFilterAttr>(filter))
        continue;
      double wish = want(rows[i], tile[i], masses[i]);
      most = std::max(most, wish);
      sum += std::max(wish, 0.0);
    }
    auto recall = dyn_cast<sparse_attn::RecallFilterAttr>(filter);
    if (recall && recall.getPerTile())
      most = std::log(
          sum / (recall.getAllowance() * static_cast<double>(rows.size())));
    bool skip = !isa<sparse_attn::DenseFilterAttr>(filter) && most < 0;
    result.margin = std::min(result.margin, std::fabs(most));
    skipped += skip;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (skip)
        rows[i].skippedMass += masses[i];
      else
        merge(rows[i], tile[i], head, firstKey);
    }
  }
  result.counts.insert(result.counts.end(), {visited, skipped});
  for (size_t i = 0; i < rows.size(); ++i) {
    for (double number : rows[i].output)
      result.output.push_back(number / rows[i].sum);
    result.recall.push_back(rows[i].sum * std::exp(rows[i].max - all[i].max) /
                            all[i].sum);
  }
}

} // namespace

int64_t FilterReference::totalSkipped() const {
  int64_t total = 0;
  for (size_t i = 1; i < counts.size(); i += 2)
    total += counts[i];
  return total;
}

FilterReference sparse_attn_test::computeReference(const AttentionCase &shape,
                                                   StringRef filter,
                                                   ArrayRef<float> query,
                                                   ArrayRef<float> key,
                                                   ArrayRef<float> value) {
  return Reference(shape, parseAttribute(filter, &getContext()), query, key,
                   value)
      .run();
}
