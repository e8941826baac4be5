//===- ManifestTest.cpp - Tests of package manifests ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The faults that end in errors are tested through the tool, in
// test/Tools/sparse-attn-run/hostile.test.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Runtime/Manifest.h"
#include "SparseAttn/Runtime/TargetName.h"
#include "gtest/gtest.h"

using namespace sparse_attn::runtime;
using llvm::StringRef;
using llvm::toString;

static const char manifestText[] = R"({
  "format": "sparse-attn-package", "version": 1, "producer": "a test",
  "later": {"fields": ["are", "ignored"]},
  "files": {
    "b.ptx": {"sha256":
      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
      "bytes": 12},
    "a.mlir": {"sha256":
      "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
      "bytes": 0}
  },
  "kernels": [{
    "name": "attention_0", "target": "sm_90a", "file": "b.ptx",
    "threads": 128, "shared_memory": 65536, "registers": 255,
    "grid": {
      "x": {"form": "ceildiv", "of": [0, 1], "by": 128},
      "y": {"form": "product", "of": [[0, 0], [1, 0]]},
      "z": {"form": "constant", "value": 3}},
    "arguments": [
      {"name": "query", "kind": "tensor", "role": "input", "type": "bf16",
       "shape": [2, -1]},
      {"name": "mask", "kind": "tensor", "role": "input", "type": "i1",
       "shape": [-1]},
      {"name": "output", "kind": "tensor", "role": "output", "type": "f16",
       "shape": [2, {"form": "dim", "of": [0, 1]}]},
      {"name": "tile_counts", "kind": "tensor", "role": "statistic",
       "type": "i32", "shape": [{"form": "ceildiv", "of": [0, 1], "by": 64},
       2]},
      {"name": "query_length", "kind": "dim", "of": [0, 1]}],
    "decision_tile": [128, 64],
    "filter": {"kind": "recall", "recall": 0.95},
    "lists": null, "calls": 6
  }]
})";

TEST(Manifest, EveryField) {
  llvm::Expected<Manifest> manifest = parseManifest(manifestText);
  ASSERT_TRUE(bool(manifest)) << toString(manifest.takeError());
  EXPECT_EQ(manifest->producer, "a test");
  ASSERT_EQ(manifest->files.size(), 2U);
  EXPECT_EQ(manifest->files[0].name, "a.mlir");
  EXPECT_EQ(manifest->files[1].name, "b.ptx");
  EXPECT_EQ(manifest->files[1].bytes, 12U);
  EXPECT_EQ(manifest->files[1].sha256.substr(0, 4), "0123");

  ASSERT_EQ(manifest->kernels.size(), 1U);
  const Kernel &kernel = manifest->kernels[0];
  EXPECT_EQ(kernel.name, "attention_0");
  EXPECT_EQ(kernel.target, "sm_90a");
  EXPECT_EQ(kernel.file, "b.ptx");
  EXPECT_EQ(kernel.threads, 128U);
  EXPECT_EQ(kernel.sharedMemory, 65536U);
  EXPECT_EQ(kernel.decisionTile, (std::array<int64_t, 2>{128, 64}));
  EXPECT_EQ(kernel.filter, "recall");
  EXPECT_EQ(kernel.calls, 6);

  EXPECT_EQ(kernel.grid[0].form, Rule::Form::CeilDiv);
  EXPECT_EQ(kernel.grid[0].value, 128);
  EXPECT_EQ(kernel.grid[0].of[0].dim, 1U);
  EXPECT_EQ(kernel.grid[1].form, Rule::Form::Product);
  ASSERT_EQ(kernel.grid[1].of.size(), 2U);
  EXPECT_EQ(kernel.grid[1].of[1].argument, 1U);
  EXPECT_EQ(kernel.grid[2].form, Rule::Form::Constant);
  EXPECT_EQ(kernel.grid[2].value, 3);

  ASSERT_EQ(kernel.arguments.size(), 5U);
  const Argument &query = kernel.arguments[0];
  EXPECT_TRUE(query.isTensor(Argument::Role::Input));
  EXPECT_EQ(query.type, ElementType::BF16);
  EXPECT_EQ(query.shape[0].form, Rule::Form::Constant);
  EXPECT_EQ(query.shape[1].form, Rule::Form::Any);
  EXPECT_EQ(kernel.arguments[1].type, ElementType::I1);
  EXPECT_TRUE(kernel.arguments[2].isTensor(Argument::Role::Output));
  EXPECT_EQ(kernel.arguments[2].shape[1].form, Rule::Form::Dim);
  EXPECT_TRUE(kernel.arguments[3].isTensor(Argument::Role::Statistic));
  EXPECT_EQ(kernel.arguments[4].kind, Argument::Kind::Dim);
  EXPECT_EQ(kernel.arguments[4].of.dim, 1U);
}

TEST(Manifest, EveryCutAndEveryFlipEnds) {
  StringRef text(manifestText);
  for (size_t length = 0; length < text.size(); ++length)
    EXPECT_TRUE(bool(parseManifest(text.take_front(length)).takeError()));
  for (size_t at = 0; at < text.size(); ++at)
    for (unsigned bit = 0; bit < 7; ++bit) {
      std::string damaged = text.str();
      damaged[at] = char(damaged[at] ^ (1 << bit));
      llvm::consumeError(parseManifest(damaged).takeError());
    }
}

TEST(Manifest, BracketsInStringsDoNotNest) {
  std::string brackets(1000, '[');
  EXPECT_EQ(
      toString(
          parseManifest("{\"format\": \"\\\"" + brackets + "\"}").takeError()),
      "format: expected 'sparse-attn-package', found '\\22" +
          std::string(79, '[') + "...'");
}

TEST(Manifest, Names) {
  EXPECT_TRUE(isValidName("attention_0"));
  EXPECT_FALSE(isValidName("attention-0"));
  EXPECT_FALSE(isValidName("attention.0"));
  EXPECT_TRUE(isValidName(std::string(128, 'a')));
  EXPECT_FALSE(isValidName(std::string(129, 'a')));
  EXPECT_TRUE(isValidFileName("attention_0.sm_80.ptx"));
  EXPECT_FALSE(isValidFileName(".."));
  EXPECT_FALSE(isValidFileName("a/b"));
}

TEST(Manifest, Targets) {
  EXPECT_EQ(TargetName::parse("sm_80")->capability, 80U);
  EXPECT_FALSE(TargetName::parse("sm_80")->exact);
  EXPECT_TRUE(TargetName::parse("sm_90a")->exact);
  EXPECT_EQ(TargetName::parse("sm_120a")->capability, 120U);
  EXPECT_TRUE(TargetName::parse("sm_80")->runsOn(90));
  EXPECT_FALSE(TargetName::parse("sm_90a")->runsOn(100));
  for (const char *text : {"", "sm_", "sm_a", "sm_8", "sm_-8", "sm_8000",
                           "sm_90b", "SM_80", "sm_80 ", "x86-64-v3"})
    EXPECT_FALSE(TargetName::parse(text)) << text;
}
