//===- InputLimitsTest.cpp - Hostile and honest texts -------------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/InputLimits.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::sparse_attn;

static std::string repeat(StringRef text, unsigned count) {
  std::string result;
  for (unsigned i = 0; i < count; ++i)
    result += text;
  return result;
}

/// The message about `text`, empty if it is fine.
static std::string faultOf(StringRef text) {
  InputLimits limits;
  std::optional<InputFault> fault = findInputFault(text, limits);
  return fault ? fault->message : "";
}

static bool contains(StringRef text, StringRef part) {
  return text.contains(part);
}

TEST(InputLimitsTest, AcceptsWhatModelsHold) {
  EXPECT_EQ(faultOf(""), "");
  EXPECT_EQ(faultOf("func.func @f(%a: tensor<2x?xf32>) -> tensor<2xf32>"), "");
  // Brackets in strings and comments do not nest.
  EXPECT_EQ(faultOf("\"a\\\"" + repeat("(", 300) + "\"() // " +
                    repeat("[", 300) + "\n"),
            "");
  // Comparisons and arrows are no brackets.
  EXPECT_EQ(faultOf(repeat("#s = affine_set<(d0) : (d0 >= 0)>\n", 500)), "");
  EXPECT_EQ(faultOf(repeat("func.func private @f() -> i32\n", 500)), "");
  EXPECT_EQ(faultOf("%0 = \"a\"() {v = dense<[" + repeat("-1, ", 5000) +
                    "-1]> : tensor<5001xi32>} : () -> ()"),
            "");
}

TEST(InputLimitsTest, RefusesDeepBrackets) {
  for (StringRef open : {"(", "[", "{", "tuple<", "\"a\"() ({"}) {
    std::string message = faultOf(repeat(open, 257));
    EXPECT_TRUE(contains(message, "nested at most 256 deep, found 257"))
        << open.str() << ": " << message;
    EXPECT_EQ(faultOf(repeat("(", 256)), "");
  }
}

TEST(InputLimitsTest, NamesThePlace) {
  InputLimits limits;
  limits.maxDepth = 2;
  std::optional<InputFault> fault = findInputFault("a\n b [[\n  [", limits);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->line, 3u);
  EXPECT_EQ(fault->column, 3u);
}

TEST(InputLimitsTest, RefusesDeepAliases) {
  std::string chain = "!a0 = i32\n";
  for (unsigned i = 0; i < 300; ++i)
    chain += "!a" + std::to_string(i + 1) + " = tuple<!a" + std::to_string(i) +
             ">\n";
  EXPECT_TRUE(contains(faultOf(chain), "nested at most 256 deep"));
  // A definition that goes on in the next line is still one.
  std::string broken = "!a0 = i32\n";
  for (unsigned i = 0; i < 300; ++i)
    broken += "!a" + std::to_string(i + 1) + " = \n // c\n tuple\n<!a" +
              std::to_string(i) + ">\n";
  EXPECT_TRUE(contains(faultOf(broken), "nested at most 256 deep"));
}

TEST(InputLimitsTest, RefusesAliasesThatDouble) {
  std::string text = "#a0 = 1\n";
  for (unsigned i = 0; i < 40; ++i) {
    std::string use = "#a" + std::to_string(i);
    text += "#a" + std::to_string(i + 1) + " = [" + use + ", " + use + "]\n";
  }
  EXPECT_TRUE(contains(faultOf(text), "stands for at most"));
  std::string large = "#a0 = 1\n#b = [" + repeat("#a0, ", 60000) + "]\n";
  EXPECT_EQ(faultOf(large), "");
  EXPECT_TRUE(contains(faultOf(large + "\"a\"() {v = [" + repeat("#b, ", 2000) +
                               "]} : () -> ()"),
                       "uses of aliases"));
  // What follows the last definition does not count as part of it.
  EXPECT_EQ(faultOf("#a = 1\n#m = affine_map<() -> ()>\nmodule {\n" +
                    repeat("\"op\"() {v = #a} : () -> ()\n", 70000) +
                    "}\n#n = [#m]\n"),
            "");
}

TEST(InputLimitsTest, RefusesLongExpressions) {
  auto map = [](StringRef expr) {
    return ("#m = affine_map<(d0) -> (" + expr + ")>\n").str();
  };
  EXPECT_EQ(faultOf(map("d0" + repeat(" + d0", 1000))), "");
  for (StringRef more : {" + d0", " - d0", " * 2", " mod 7", " + (d0)"})
    EXPECT_TRUE(contains(faultOf(map("d0" + repeat(more, 1100))),
                         "at most 1024 operators"))
        << more.str();
  EXPECT_TRUE(
      contains(faultOf(map(repeat("- ", 1100) + "d0")), "1024 operators"));
  std::string dims = "d0";
  for (unsigned i = 1; i < 1100; ++i)
    dims += ", d" + std::to_string(i);
  EXPECT_TRUE(contains(faultOf("#m = affine_map<(" + dims + ") -> ()>"),
                       "at most 1024 dimensions"));
  EXPECT_EQ(faultOf("func.func @f(" + dims + ")"), "");
}

TEST(InputLimitsTest, RefusesLongWords) {
  EXPECT_TRUE(contains(faultOf("tensor<" + repeat("1x", 20000) + "f32>"),
                       "at most 16384 characters, found 40003"));
}

TEST(InputLimitsTest, RefusesBytecodeUnlessAllowed) {
  StringRef magic = "ML\xefR";
  EXPECT_TRUE(contains(faultOf(magic), "expected text, found bytecode"));
  InputLimits limits;
  limits.allowBytecode = true;
  EXPECT_FALSE(findInputFault(magic, limits));
}

TEST(InputLimitsTest, RefusesZeroBytes) {
  EXPECT_TRUE(contains(faultOf(StringRef("module {}\0(", 11)), "a zero byte"));
}

TEST(InputLimitsTest, ReadsNoMoreThanTheLimit) {
  InputLimits limits;
  limits.maxBytes = 1000;
  InputFault fault;
  EXPECT_EQ(readInput("/dev/zero", limits, fault), nullptr);
  EXPECT_TRUE(contains(fault.message, "at most 1000 bytes")) << fault.message;
  EXPECT_EQ(readInput("/nowhere/in.mlir", limits, fault), nullptr);
  EXPECT_TRUE(contains(fault.message, "cannot read '/nowhere/in.mlir'"));
  EXPECT_EQ(readInput("/", limits, fault), nullptr);
  EXPECT_TRUE(contains(fault.message, "cannot read '/'"));

  SmallString<64> path;
  int file;
  ASSERT_FALSE(
      llvm::sys::fs::createTemporaryFile("limits", "mlir", file, path));
  llvm::raw_fd_ostream(file, /*shouldClose=*/true) << std::string(1000, 'a');
  auto buffer = readInput(path, limits, fault);
  ASSERT_NE(buffer, nullptr) << fault.message;
  EXPECT_EQ(buffer->getBufferSize(), 1000u);
  llvm::sys::fs::remove(path);
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static LogicalResult verify(StringRef text, std::string &message) {
  MLIRContext context;
  context.allowUnregisteredDialects();
  ScopedDiagnosticHandler handler(
      &context, [&](Diagnostic &diagnostic) { message = diagnostic.str(); });
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    return success();
  return verifyShapeSizes(*module);
}

TEST(InputLimitsTest, RefusesShapesThatCannotBeCounted) {
  const char *wrong[] = {
      "\"a\"() : () -> tensor<9223372036854775807x9223372036854775807xf32>",
      "\"a\"() : () -> tensor<0x9223372036854775807xf32>",
      "\"a\"() : () -> tensor<4611686018427387904xi8>",
      "\"a\"() : () -> tensor<2x?x2305843009213693952xi8>",
      "\"a\"() : () -> tuple<i32, memref<4294967296x4294967296xi8>>",
      "\"a\"() {t = tensor<4294967296x4294967296xi8>} : () -> ()",
      "\"a\"() ({\n^bb0(%x: tensor<4294967296x4294967296xi8>):\n}) : () -> ()",
  };
  for (const char *text : wrong) {
    std::string message;
    EXPECT_TRUE(failed(verify(text, message))) << text;
    EXPECT_TRUE(contains(message, "less than 2^62 bytes, found")) << message;
  }
  std::string message, rank = "\"a\"() : () -> tensor<" + repeat("1x", 65);
  EXPECT_TRUE(failed(verify(rank + "f32>", message)));
  EXPECT_TRUE(
      succeeded(verify("\"a\"() : () -> tensor<2x?x1048576xf32>", message)));
}
