//===- CompilerTest.cpp - Compilation in process, and what fails in it --- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/Compiler.h"
#include "SparseAttn/Package/StageChecks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::sparse_attn;

static const char *const graph = R"(
func.func @f(%q: tensor<1x70x32xf16>, %init: tensor<1x70x32xf16>) -> tensor<1x70x32xf16> {
  %o = sparse_attn.attention ins(%q, %q, %q : tensor<1x70x32xf16>, tensor<1x70x32xf16>, tensor<1x70x32xf16>)
      outs(%init : tensor<1x70x32xf16>)
      {indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>,
                        affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> (b, m, n)>],
       scale = 0.2 : f64} -> tensor<1x70x32xf16>
  return %o : tensor<1x70x32xf16>
}
)";

namespace {
/// Compiles texts and keeps what was said.
struct Session {
  Session() : os(messages) {
    DialectRegistry registry;
    registerCompilerDialects(registry);
    context.appendDialectRegistry(registry);
    context.allowUnregisteredDialects();
    context.printOpOnDiagnostic(false);
    diagnostics = std::make_unique<DiagnosticCollector>(&context, os);
    options.targets = {"sm_80"};
  }
  Outcome compile(StringRef text) {
    return sparse_attn::compile(
        context, llvm::MemoryBuffer::getMemBufferCopy(text, "graph.mlir"),
        options, *diagnostics, result);
  }

  std::string messages;
  llvm::raw_string_ostream os;
  MLIRContext context;
  std::unique_ptr<DiagnosticCollector> diagnostics;
  CompileOptions options;
  Compilation result;
};

/// Fails on everything that it sees.
struct FailingPass : PassWrapper<FailingPass, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FailingPass)
  StringRef getArgument() const override { return "failing"; }
  void runOnOperation() override { signalPassFailure(); }
};

/// Turns maxima into minima after one pass.
struct Saboteur : PassInstrumentation {
  explicit Saboteur(StringRef pass) : pass(pass) {}
  void runAfterPass(Pass *ran, Operation *op) override {
    if (ran->getArgument() != pass)
      return;
    op->walk([](arith::MaxNumFOp max) {
      OpBuilder builder(max);
      max.replaceAllUsesWith(arith::MinNumFOp::create(builder, max.getLoc(),
                                                      max.getLhs(),
                                                      max.getRhs())
                                 .getResult());
    });
  }
  std::string pass;
};
} // namespace

TEST(CompilerTest, CompilesInProcess) {
  Session session;
  ASSERT_EQ(session.compile(graph), Outcome::Success) << session.messages;
  ASSERT_EQ(session.result.targets.size(), 1u);
  ASSERT_EQ(session.result.targets[0].kernels.size(), 1u);
  const CompiledKernel &kernel = session.result.targets[0].kernels[0];
  EXPECT_NE(kernel.ptx.find(".entry attention_0"), std::string::npos);
  EXPECT_EQ(kernel.ptx.find('\0'), std::string::npos);
  EXPECT_GT(kernel.threads, 0);
  EXPECT_EQ(session.result.countCalls("attention_0"), 1);
}

TEST(CompilerTest, NamesThePlaceOfAFault) {
  Session session;
  EXPECT_EQ(session.compile("\n  func.func @f("), Outcome::UserError);
  EXPECT_EQ(session.messages.find("graph.mlir:2:"), 0u) << session.messages;
}

TEST(CompilerTest, LeavesAReproducerOfItsOwnFaults) {
  Session session;
  SmallString<128> folder;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("compiler-test", folder));
  session.options.dumpDirectory = folder.str().str();
  session.options.configure = [](PassManager &pm) {
    pm.addPass(std::make_unique<FailingPass>());
    return success();
  };
  EXPECT_EQ(session.compile(graph), Outcome::InternalError);
  EXPECT_NE(session.messages.find("sparse-attn-opt --run-reproducer"),
            std::string::npos)
      << session.messages;
  llvm::sys::path::append(folder, "reproducer-raise.mlir");
  EXPECT_TRUE(llvm::sys::fs::exists(folder));
  llvm::sys::fs::remove_directories(session.options.dumpDirectory);
}

TEST(StageChecksTest, AgreeOnWhatIsRight) {
  Session session;
  ASSERT_EQ(session.compile(graph), Outcome::Success) << session.messages;
  std::string said;
  llvm::raw_string_ostream os(said);
  EXPECT_EQ(checkStages(session.result, 0, *session.diagnostics, os),
            Outcome::Success)
      << session.messages;
  EXPECT_NE(said.find("stages of attention_0 for sm_80 agree"),
            std::string::npos);
}

TEST(StageChecksTest, NameThePassThatIsWrong) {
  for (const char *pass :
       {"convert-sparse-attn-to-attn-tile", "attn-tile-stage-copies",
        "attn-tile-assign-layouts"}) {
    Session session;
    ASSERT_EQ(session.compile(graph), Outcome::Success) << session.messages;
    std::string said;
    llvm::raw_string_ostream os(said);
    EXPECT_EQ(checkStages(session.result, 0, *session.diagnostics, os,
                          [&](PassManager &pm) {
                            pm.addInstrumentation(
                                std::make_unique<Saboteur>(pass));
                          }),
              Outcome::InternalError);
    EXPECT_NE(session.messages.find(std::string(pass) + " changed the result"),
              std::string::npos)
        << session.messages;
  }
}
