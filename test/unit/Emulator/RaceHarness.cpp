//===- RaceHarness.cpp - Kernels with and without a hazard -------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "RaceHarness.h"

#include <algorithm>

using namespace sparse_attn::emulator;
using namespace sparse_attn::emulator::test;

static std::string textOf(const std::string &body) {
  std::string text = kernel(body, ".shared .align 16 .b8 pad[16];\n"
                                  ".shared .align 128 .b8 buf[4096];\n"
                                  ".shared .align 8 .b64 bars[4];\n");
  auto replace = [&](const std::string &from, const std::string &to) {
    text.replace(text.find(from), from.size(), to);
  };
  replace(".version 8.0", ".version 8.6");
  return text;
}

std::optional<Error> test::execute(const std::string &body, uint64_t seed,
                                   Setup setup) {
  KernelRun run(textOf(body));
  run.launch.block = {setup.threads, 1, 1};
  run.launch.grid = {setup.blocks, 1, 1};
  run.launch.cluster = {setup.cluster, 1, 1};
  run.launch.seed = seed;
  run.launch.checkRaces = true;
  run.setInput(std::vector<uint32_t>(4096, 0));
  run.setOutput(16384);
  std::vector<uint32_t> zeros(4096, 0);
  run.memory.write(run.out, zeros.data(), 16384);
  return run.run();
}

/// "line 12", where `mark` is.
static std::string lineOf(const std::string &text, const std::string &mark) {
  size_t at = text.find(mark);
  EXPECT_NE(at, std::string::npos) << mark << text;
  if (at == std::string::npos)
    return "";
  return "line " +
         std::to_string(1 + std::count(text.begin(), text.begin() + at, '\n'));
}

void test::expectRace(const std::string &body, std::vector<std::string> parts,
                      Setup setup) {
  std::string text = textOf(body);
  std::string one = lineOf(text, "ONE"), two = lineOf(text, "TWO");
  for (uint64_t seed = 0; seed < 8; ++seed) {
    std::optional<Error> error = execute(body, seed, setup);
    ASSERT_TRUE(error) << "expected a race, seed " << seed << "\n" << text;
    std::string message = error->str();
    EXPECT_NE(message.find("data race in kernel 'k' on "), std::string::npos)
        << message;
    auto names = [&](const std::string &current, const std::string &other) {
      return message.find(current + ": ") == 0 &&
             message.find(" in " + other + " of block (") != std::string::npos;
    };
    EXPECT_TRUE(names(one, two) || names(two, one))
        << "seed " << seed << ": " << message << "\n"
        << text;
    for (const std::string &part : parts)
      EXPECT_NE(message.find(part), std::string::npos)
          << "expected: " << part << "\nfound: " << message;
  }
}

void test::expectHazard(const std::string &body, std::vector<std::string> parts,
                        Setup setup) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    std::optional<Error> error = execute(body, seed, setup);
    ASSERT_TRUE(error) << "expected an error, seed " << seed << "\n" << body;
    EXPECT_TRUE(std::any_of(parts.begin(), parts.end(), [&](auto &part) {
      return error->message.find(part) != std::string::npos;
    })) << error->str();
  }
}

void test::expectClean(const std::string &body, Setup setup) {
  for (uint64_t seed = 0; seed < 24; ++seed) {
    std::optional<Error> error = execute(body, seed, setup);
    EXPECT_FALSE(error) << error->str() << "\nseed " << seed << "\n"
                        << textOf(body);
  }
}

std::string test::with(std::string body, const std::string &order) {
  size_t at = body.find("$ORDER");
  EXPECT_NE(at, std::string::npos);
  return body.replace(at, 6, order);
}
