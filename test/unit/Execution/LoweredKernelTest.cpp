//===- LoweredKernelTest.cpp - Fused kernels on the three floors ----------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Takes attention through the passes from one floor to the next and executes
// what comes out of each, against the filters' rules in double.
//
//===----------------------------------------------------------------------===//

#include "FilterReference.h"
#include "SparseAttn/Conversion/Passes.h"
#include "SparseAttn/Dialect/AttnTile/Transforms/Passes.h"
#include "SparseAttn/Dialect/SparseAttn/Transforms/Passes.h"
#include "TileKernel.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace sparse_attn_test;
using namespace mlir;
using attn_tile::KernelBuffer;

namespace {

enum class Floor { Fused, Staged, LaidOut };

struct Case {
  const char *type;
  AttentionCase attention;
  const char *filter;
  double tolerance;
  /// Tiles that the filter must skip at least, for it is its test.
  int64_t mustSkip;
};

std::string getModule(const Case &test) {
  const AttentionCase &shape = test.attention;
  auto tensor = [&](const std::string &length) {
    return "tensor<" + std::to_string(shape.heads) + "x" + length + "x" +
           std::to_string(shape.depth) + "x" + test.type + ">";
  };
  std::string q = tensor("?"), k = tensor("?");
  std::string text = R"mlir(
#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
func.func private @attention(%q: $Q, %k: $K, %v: $K, %init: $Q) -> $Q
    attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention ins(%q, %k, %v : $Q, $K, $K) outs(%init : $Q) $SCORE
      {indexing_maps = [#q, #k, #v, #o], scale = $SCALE : f64,
       filter = $FILTER, decision_tile = array<i64: $ROWS, $KEYS>} -> $Q
  return %o : $Q
})mlir";
  std::string causal = R"mlir(score {
  ^bb0(%s: f32, %b: index, %i: index, %j: index):
    %masked = arith.constant 0xFF800000 : f32
    %seen = arith.cmpi sle, %j, %i : index
    %r = arith.select %seen, %s, %masked : f32
    sparse_attn.yield %r : f32
  })mlir";
  for (auto [name, value] : {std::pair<std::string, std::string>{
                                 "$SCORE", shape.causal ? causal : ""},
                             {"$SCALE", std::to_string(shape.scale)},
                             {"$FILTER", test.filter},
                             {"$ROWS", std::to_string(shape.tileRows)},
                             {"$KEYS", std::to_string(shape.tileKeys)},
                             {"$Q", q},
                             {"$K", k}})
    for (size_t at; (at = text.find(name)) != std::string::npos;)
      text.replace(at, name.size(), value);
  return text;
}

bool lower(ModuleOp module, Floor floor) {
  PassManager pm(&getContext());
  pm.addPass(sparse_attn::createRequestStatistics());
  pm.addPass(sparse_attn::createConvertSparseAttnToAttnTile());
  pm.addPass(createCSEPass());
  OpPassManager &kernel = pm.nest<gpu::GPUModuleOp>().nest<gpu::GPUFuncOp>();
  if (floor != Floor::Fused)
    kernel.addPass(attn_tile::createStageCopies());
  if (floor == Floor::LaidOut)
    kernel.addPass(attn_tile::createAssignLayouts());
  return succeeded(pm.run(module));
}

/// Keys whose first tile draws most of the attention, so that filters have
/// something to skip.
struct Data {
  std::vector<float> query, key, value;

  explicit Data(const AttentionCase &shape) {
    std::mt19937 engine(17);
    std::normal_distribution<float> normal;
    auto fill = [&](std::vector<float> &target, int64_t rows, auto towards) {
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t i = 0; i < shape.depth; ++i)
          target.push_back(normal(engine) + towards(row));
    };
    fill(query, shape.heads * shape.queries, [](int64_t) { return 1.0f; });
    fill(key, shape.heads * shape.keys, [&](int64_t row) {
      int64_t at = row % shape.keys;
      return at < 5 ? 1.0f : at == 60 ? 0.9f : -0.4f;
    });
    fill(value, shape.heads * shape.keys, [](int64_t) { return 0.0f; });
  }
};

/// Runs the kernel of a case on a floor.
std::string runFloor(const Case &test, Floor floor, FloatBuffer &output,
                     FloatBuffer &bound, Buffer<int32_t> &counts) {
  const AttentionCase &shape = test.attention;
  FloatType type = getFloatType(test.type);
  Data data(shape);
  FloatBuffer q(type, data.query), k(type, data.key), v(type, data.value);
  TileKernel kernel(getModule(test));
  if (!kernel.isValid() || !lower(kernel.getModule(), floor))
    return "no kernel";

  std::vector<KernelBuffer> arguments;
  kernel.getModule().walk([&](gpu::GPUFuncOp function) {
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      StringRef name =
          function.getArgAttrOfType<StringAttr>(i, "sparse_attn.name");
      arguments.push_back(
          name == "query"          ? q.argument()
          : name == "key"          ? k.argument()
          : name == "value"        ? v.argument()
          : name == "output"       ? output.argument()
          : name == "recall_bound" ? bound.argument()
          : name == "tile_counts"  ? counts.argument(getType("i32"))
          : name == "query_length" ? KernelBuffer::number(shape.queries)
                                   : KernelBuffer::number(shape.keys));
    }
  });
  return kernel.run(arguments, {static_cast<uint32_t>(shape.getQueryTiles()),
                                static_cast<uint32_t>(shape.heads), 1});
}

class LoweredKernel : public testing::TestWithParam<Case> {};

TEST_P(LoweredKernel, MeansTheSameOnEveryFloor) {
  const Case &test = GetParam();
  const AttentionCase &shape = test.attention;
  FloatType type = getFloatType(test.type);
  Data data(shape);
  // What the kernel sees is rounded already.
  FilterReference expected = computeReference(
      shape, test.filter, FloatBuffer(type, data.query).values(),
      FloatBuffer(type, data.key).values(),
      FloatBuffer(type, data.value).values());
  ASSERT_GT(expected.margin, 1e-3) << "a decision is too close to call";
  ASSERT_GE(expected.totalSkipped(), test.mustSkip);

  std::vector<uint8_t> first;
  for (Floor floor : {Floor::Fused, Floor::Staged, Floor::LaidOut}) {
    SCOPED_TRACE(static_cast<int>(floor));
    size_t rows = shape.heads * shape.queries;
    FloatBuffer output(type, std::vector<float>(data.query.size(), 7));
    FloatBuffer bound(getFloatType("f32"), std::vector<float>(rows, 7));
    Buffer<int32_t> counts{
        std::vector<int32_t>(2 * shape.heads * shape.getQueryTiles(), -1)};
    ASSERT_EQ(runFloor(test, floor, output, bound, counts), "");
    EXPECT_EQ(counts.data, expected.counts);
    std::vector<float> found = output.values(), bounds = bound.values();
    for (size_t i = 0; i < found.size(); ++i)
      ASSERT_NEAR(found[i], expected.output[i], test.tolerance)
          << "at element " << i;
    for (size_t i = 0; i < rows && bounds[0] != 7; ++i)
      ASSERT_LE(bounds[i], expected.recall[i] + 1e-5) << "at row " << i;
    // The passes only move data: not one bit may change.
    if (floor == Floor::Fused)
      first = output.bytes;
    EXPECT_EQ(output.bytes, first);
  }
}

// heads, queries, keys, depth, tile rows, tile keys, scale, causal
constexpr AttentionCase cross{2, 70, 150, 64, 32, 32, 0.125, false};
constexpr AttentionCase causal{1, 100, 100, 64, 32, 32, 0.125, true};
constexpr AttentionCase wide{1, 33, 128, 128, 16, 64, 0.0625, false};
constexpr AttentionCase narrow{2, 16, 97, 32, 16, 16, 0.25, false};
constexpr AttentionCase one{1, 1, 1, 32, 16, 16, 0.25, false};

INSTANTIATE_TEST_SUITE_P(
    Dense, LoweredKernel,
    testing::Values(Case{"f16", cross, "#sparse_attn.dense", 2e-3, 0},
                    Case{"bf16", causal, "#sparse_attn.dense", 2e-2, 0},
                    Case{"f32", wide, "#sparse_attn.dense", 2e-5, 0},
                    Case{"f32", causal, "#sparse_attn.dense", 2e-5, 0},
                    Case{"f16", one, "#sparse_attn.dense", 1e-6, 0}));

INSTANTIATE_TEST_SUITE_P(
    Filters, LoweredKernel,
    testing::Values(
        Case{"f16", cross, "#sparse_attn.threshold<0.02>", 2e-3, 4},
        Case{"bf16", causal, "#sparse_attn.threshold<2.0 / keys>", 2e-2, 1},
        Case{"f16", narrow, "#sparse_attn.energy<-3.0>", 2e-3, 4},
        Case{"f32", causal, "#sparse_attn.energy<budget = 0.2>", 2e-5, 1},
        Case{"f16", cross, "#sparse_attn.recall<0.9>", 2e-3, 4},
        Case{"f32", wide, "#sparse_attn.recall<0.8>", 2e-5, 1},
        Case{"bf16", causal, "#sparse_attn.recall<0.8, tile>", 2e-2, 1},
        Case{"f16", narrow, "#sparse_attn.recall<0.7, row, groups = 4>", 2e-3,
             1}));

} // namespace
