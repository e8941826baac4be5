//===- Gilbert.cpp - Generalised Hilbert curves ---------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A box is given by a corner and three edges, vectors along the axes. The curve
// enters it at the corner and leaves it at the other end of the first edge. It
// is cut into boxes that are entered and left at neighbouring cells; sizes are
// halved to even numbers where possible, because a path between the ends of an
// edge of odd length needs no diagonal step then. The scheme is J. Červený's
// (github.com/jakubcerveny/gilbert).
//
//===----------------------------------------------------------------------===//

#include "Gilbert.h"
#include <algorithm>
#include <array>
#include <cstdlib>

namespace mlir::sparse_attn {
namespace {

using Vector = std::array<int64_t, 3>; // frames, rows, columns

Vector operator+(const Vector &a, const Vector &b) {
  return {a[0] + b[0], a[1] + b[1], a[2] + b[2]};
}
Vector operator-(const Vector &a) { return {-a[0], -a[1], -a[2]}; }
Vector operator-(const Vector &a, const Vector &b) { return a + -b; }

/// Cells along an edge.
int64_t length(const Vector &edge) {
  return std::abs(edge[0] + edge[1] + edge[2]);
}
/// One cell along it.
Vector unit(const Vector &edge) {
  int64_t cells = length(edge);
  return {edge[0] / cells, edge[1] / cells, edge[2] / cells};
}
/// About half of it, of even length if that is more than nothing.
Vector half(const Vector &edge) {
  int64_t cells = length(edge), wanted = cells / 2;
  if (wanted % 2 && cells > 2)
    ++wanted;
  Vector step = unit(edge);
  return {step[0] * wanted, step[1] * wanted, step[2] * wanted};
}

class Path {
public:
  explicit Path(const Grid &grid) : grid(grid) {
    indices.reserve(grid.count());
  }
  void visit(Vector corner, Vector a, Vector b, Vector c);

  std::vector<int32_t> indices;

private:
  void visitLine(Vector corner, const Vector &edge);
  Grid grid;
};

void Path::visitLine(Vector corner, const Vector &edge) {
  Vector step = unit(edge);
  for (int64_t cell = 0; cell < length(edge); ++cell) {
    indices.push_back(static_cast<int32_t>(
        (corner[0] * grid.rows + corner[1]) * grid.columns + corner[2]));
    corner = corner + step;
  }
}

void Path::visit(Vector corner, Vector a, Vector b, Vector c) {
  int64_t width = length(a), height = length(b), depth = length(c);
  if (height == 1 && depth == 1)
    return visitLine(corner, a);
  if (width == 1 && depth == 1)
    return visitLine(corner, b);
  if (width == 1 && height == 1)
    return visitLine(corner, c);

  Vector a2 = half(a), b2 = half(b), c2 = half(c);
  Vector aLast = a - unit(a), bLast = b2 - unit(b), cLast = c - unit(c);
  // A long box: two, one after the other.
  if (2 * width > 3 * height && 2 * width > 3 * depth) {
    visit(corner, a2, b, c);
    visit(corner + a2, a - a2, b, c);
    return;
  }
  // A flat one: up one side, along the other half, and down again.
  if (3 * height > 4 * depth) {
    visit(corner, b2, c, a2);
    visit(corner + b2, a, b - b2, c);
    visit(corner + aLast + bLast, -b2, c, a2 - a);
    return;
  }
  if (3 * depth > 4 * height) {
    visit(corner, c2, a2, b);
    visit(corner + c2, a, b, c - c2);
    visit(corner + aLast + (c2 - unit(c)), -c2, a2 - a, b);
    return;
  }
  // About a cube: five boxes around the corners of the first edge.
  visit(corner, b2, c2, a2);
  visit(corner + b2, c, a2, b - b2);
  visit(corner + bLast + cLast, a, -b2, c2 - c);
  visit(corner + aLast + b2 + cLast, -c, a2 - a, b - b2);
  visit(corner + aLast + bLast, -b2, c2, a2 - a);
}

} // namespace

std::vector<int32_t> orderByHalves(const Grid &grid) {
  // The longest edge first; of equal ones the columns.
  std::array<Vector, 3> edges = {
      {{0, 0, grid.columns}, {0, grid.rows, 0}, {grid.frames, 0, 0}}};
  auto longest = std::max_element(
      edges.begin(), edges.end(),
      [](const Vector &a, const Vector &b) { return length(a) < length(b); });
  std::rotate(edges.begin(), longest, longest + 1);
  Path path(grid);
  path.visit({0, 0, 0}, edges[0], edges[1], edges[2]);
  return std::move(path.indices);
}

} // namespace mlir::sparse_attn
