//===- TokenOrder.cpp - Orders of the tokens of a video -------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Layout/TokenOrder.h"
#include "Gilbert.h"
#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <utility>

namespace mlir::sparse_attn {

/// Bits of a coordinate in the cube around the grid.
static unsigned countBits(const Grid &grid) {
  int64_t longest = std::max({grid.frames, grid.rows, grid.columns});
  unsigned bits = 1;
  while ((int64_t(1) << bits) < longest)
    ++bits;
  return bits;
}

/// The bits of all coordinates in turn, the first one's first.
static uint64_t interleave(const std::array<uint64_t, 3> &x, unsigned bits) {
  uint64_t code = 0;
  for (unsigned bit = bits; bit-- > 0;)
    for (uint64_t coordinate : x)
      code = code << 1 | (coordinate >> bit & 1);
  return code;
}

static std::array<uint64_t, 3> coordinates(const Grid &place) {
  return {static_cast<uint64_t>(place.columns),
          static_cast<uint64_t>(place.rows),
          static_cast<uint64_t>(place.frames)};
}

uint64_t getHilbertCode(const Grid &place, unsigned bits) {
  std::array<uint64_t, 3> x = coordinates(place);
  // From the largest cubes to the smallest: undo the reflection of a half, or
  // the exchange of two axes.
  for (unsigned bit = bits; bit-- > 0;) {
    uint64_t low = (uint64_t(1) << bit) - 1;
    for (uint64_t &coordinate : x)
      if (coordinate >> bit & 1) {
        x[0] ^= low;
      } else {
        uint64_t exchanged = (x[0] ^ coordinate) & low;
        x[0] ^= exchanged;
        coordinate ^= exchanged;
      }
  }
  // What is left is the Gray code of the position.
  uint64_t code = interleave(x, bits);
  for (unsigned shift = 1; shift < 3 * bits; shift *= 2)
    code ^= code >> shift;
  return code;
}

static std::vector<Grid> listPlaces(const Grid &grid) {
  std::vector<Grid> places;
  places.reserve(grid.count());
  for (int64_t frame = 0; frame < grid.frames; ++frame)
    for (int64_t row = 0; row < grid.rows; ++row)
      for (int64_t column = 0; column < grid.columns; ++column)
        places.push_back({frame, row, column});
  return places;
}

/// The raster indices sorted by what `key` gives for a place.
template <typename Key>
static std::vector<int32_t> sortBy(const Grid &grid, Key key) {
  std::vector<Grid> places = listPlaces(grid);
  using Entry = std::pair<decltype(key(places.front())), int32_t>;
  std::vector<Entry> entries;
  entries.reserve(places.size());
  for (const Grid &place : places)
    entries.push_back({key(place), static_cast<int32_t>(entries.size())});
  std::sort(entries.begin(), entries.end());
  std::vector<int32_t> perm;
  perm.reserve(entries.size());
  for (const Entry &entry : entries)
    perm.push_back(entry.second);
  return perm;
}

static std::vector<int32_t> orderGrid(const TokenOrder &order) {
  unsigned bits = countBits(order.grid);
  const Grid &box = order.box;
  switch (order.curve) {
  case Curve::Raster: {
    std::vector<int32_t> perm(order.grid.count());
    std::iota(perm.begin(), perm.end(), 0);
    return perm;
  }
  case Curve::Hilbert:
    return sortBy(order.grid, [&](const Grid &place) {
      return getHilbertCode(place, bits);
    });
  case Curve::Gilbert:
    return orderByHalves(order.grid);
  case Curve::Morton:
    return sortBy(order.grid, [&](const Grid &place) {
      return interleave(coordinates(place), bits);
    });
  case Curve::Box:
    // Within a box places stay in raster order, which the sort keeps.
    return sortBy(order.grid, [&](const Grid &place) {
      return std::array<int64_t, 3>{place.frames / box.frames,
                                    place.rows / box.rows,
                                    place.columns / box.columns};
    });
  }
  std::abort(); // all curves are covered
}

std::vector<int32_t> getPermutation(const TokenOrder &order) {
  std::vector<int32_t> perm = orderGrid(order);
  perm.reserve(order.count());
  for (int64_t index = order.grid.count(); index < order.count(); ++index)
    perm.push_back(static_cast<int32_t>(index));
  return perm;
}

std::vector<int32_t> invertPermutation(const std::vector<int32_t> &perm) {
  std::vector<int32_t> inverse(perm.size());
  for (size_t position = 0; position < perm.size(); ++position)
    inverse[perm[position]] = static_cast<int32_t>(position);
  return inverse;
}

Locality measureLocality(const TokenOrder &order, int64_t blockTokens) {
  const Grid &grid = order.grid;
  std::vector<Grid> places;
  places.reserve(grid.count());
  for (int32_t index : orderGrid(order))
    places.push_back({index / (grid.rows * grid.columns),
                      index / grid.columns % grid.rows, index % grid.columns});
  Locality locality;
  for (size_t next = 1; next < places.size(); ++next) {
    const Grid &a = places[next - 1], &b = places[next];
    locality.breaks += std::abs(a.frames - b.frames) +
                           std::abs(a.rows - b.rows) +
                           std::abs(a.columns - b.columns) !=
                       1;
  }
  int64_t blocks = 0;
  for (size_t first = 0; first < places.size(); first += blockTokens) {
    Grid low = places[first], high = low;
    size_t end = std::min<size_t>(places.size(), first + blockTokens);
    for (size_t at = first; at < end; ++at) {
      const Grid &place = places[at];
      low = {std::min(low.frames, place.frames), std::min(low.rows, place.rows),
             std::min(low.columns, place.columns)};
      high = {std::max(high.frames, place.frames),
              std::max(high.rows, place.rows),
              std::max(high.columns, place.columns)};
    }
    locality.cells +=
        Grid{high.frames - low.frames + 1, high.rows - low.rows + 1,
             high.columns - low.columns + 1}
            .count();
    ++blocks;
  }
  locality.cells /= blocks;
  return locality;
}

} // namespace mlir::sparse_attn
