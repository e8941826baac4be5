//===- Harness.cpp - Runs PTX in tests ------------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

#include <algorithm>
#include <cmath>

using namespace sparse_attn::emulator;
using namespace sparse_attn::emulator::test;

std::string test::kernel(const std::string &body, const std::string &module) {
  return ".version 8.0\n.target sm_90a\n.address_size 64\n" + module +
         "\n.visible .entry k(\n"
         "  .param .u64 .ptr .global .align 1 k_in,\n"
         "  .param .u64 .ptr .global .align 1 k_out\n)\n{\n"
         "  .reg .pred %p<9>;\n  .reg .b16 %h<9>;\n  .reg .b32 %r<64>;\n"
         "  .reg .b64 %rd<16>;\n  .reg .f32 %f<64>;\n  .reg .f64 %fd<9>;\n"
         "  .reg .b32 %tid;\n  .reg .b64 %in, %out;\n"
         "  ld.param.u64 %in, [k_in];\n  ld.param.u64 %out, [k_out];\n"
         "  mov.u32 %tid, %tid.x;\n" +
         body + "\n  ret;\n}\n";
}

/// The line of the marker, or 0.
static unsigned markedLine(const std::string &text) {
  size_t marker = text.find("HERE");
  if (marker == std::string::npos)
    return 0;
  return 1 + static_cast<unsigned>(
                 std::count(text.begin(), text.begin() + marker, '\n'));
}

KernelRun::KernelRun(const std::string &text) : text(text) {
  Error error;
  program = Program::parse(text, error);
  EXPECT_TRUE(program) << error.str() << "\n" << text;
  launch.entry = "k";
  launch.block = {32, 1, 1};
  launch.hostThreads = 1;
  launch.instructionLimit = 1 << 22;
}

std::optional<Error> KernelRun::run() {
  if (!program)
    return Error{0, "did not parse"};
  launch.parameters.resize(std::max<size_t>(launch.parameters.size(), 16));
  std::memcpy(launch.parameters.data(), &in, 8);
  std::memcpy(launch.parameters.data() + 8, &out, 8);
  return execute(*program, memory, launch, &counters);
}

void KernelRun::expectSuccess() {
  std::optional<Error> error = run();
  EXPECT_FALSE(error) << error->str() << "\n" << text;
}

static void expectParts(const Error &error, const std::string &text,
                        const std::vector<std::string> &parts) {
  EXPECT_EQ(error.line, markedLine(text)) << error.message << "\n" << text;
  for (const std::string &part : parts)
    EXPECT_NE(error.message.find(part), std::string::npos)
        << "expected: " << part << "\nfound: " << error.message;
}

void KernelRun::expectError(const std::vector<std::string> &parts) {
  std::optional<Error> error = run();
  ASSERT_TRUE(error) << "expected an error\n" << text;
  expectParts(*error, text, parts);
}

void test::expectParseError(const std::string &text,
                            const std::vector<std::string> &parts) {
  Error error;
  std::unique_ptr<Program> program = Program::parse(text, error);
  ASSERT_FALSE(program) << "expected an error\n" << text;
  expectParts(error, text, parts);
}

static std::string registerName(unsigned bits, unsigned index) {
  const char *prefix = bits == 1    ? "%p"
                       : bits == 16 ? "%h"
                       : bits == 32 ? "%r"
                                    : "%rd";
  return prefix + std::to_string(index);
}

std::vector<uint64_t> test::evaluate(const std::string &instruction,
                                     unsigned dst,
                                     const std::vector<unsigned> &srcs,
                                     const std::vector<Case> &cases) {
  std::string body = "  mad.wide.u32 %rd8, %tid, 24, %in;\n"
                     "  mad.wide.u32 %rd9, %tid, 8, %out;\n";
  std::string code = "  " + instruction + ";\n";
  auto replace = [&](const std::string &from, const std::string &to) {
    for (size_t at; (at = code.find(from)) != std::string::npos;)
      code.replace(at, from.size(), to);
  };
  for (unsigned i = 0; i < srcs.size(); ++i) {
    std::string address = "[%rd8+" + std::to_string(8 * i) + "];\n";
    std::string name = registerName(srcs[i], i + 1);
    if (srcs[i] == 1)
      body += "  ld.global.u32 %r9, " + address + "  setp.ne.u32 " + name +
              ", %r9, 0;\n";
    else
      body += "  ld.global.b" + std::to_string(srcs[i]) + " " + name + ", " +
              address;
    replace(std::string("$") + char('a' + i), name);
  }
  replace("$d", registerName(dst, dst == 64 ? 7 : 8));
  body += code;
  if (dst == 1)
    body += "  selp.b32 %r8, 1, 0, %p8;\n";
  body += "  mov.b64 %rd10, 0;\n  st.global.b64 [%rd9], %rd10;\n  st.global.b" +
          std::to_string(dst == 1 ? 32 : dst) + " [%rd9], " +
          registerName(dst == 1 ? 32 : dst, dst == 64 ? 7 : 8) + ";\n";
  KernelRun run(kernel(body));
  std::vector<uint64_t> input, results;
  for (const Case &one : cases)
    input.insert(input.end(), one.begin(), one.end());
  run.setInput(input);
  run.setOutput(cases.size() * 8);
  run.launch.block = {static_cast<uint32_t>(cases.size()), 1, 1};
  std::optional<Error> error = run.run();
  EXPECT_FALSE(error) << instruction << ": " << error->str();
  return error ? results : run.output<uint64_t>(cases.size());
}

std::vector<Case> test::casesFor(const std::vector<unsigned> &srcs,
                                 uint32_t seed) {
  std::mt19937_64 random(seed);
  const uint64_t edges[] = {0, 1, 2, 31, ~0ull, ~0ull >> 1, 1ull << 63, 0};
  std::vector<Case> cases;
  for (unsigned i = 0; i < 512; ++i) {
    Case one = {};
    for (unsigned s = 0; s < srcs.size(); ++s) {
      unsigned edge = i >> (3 * s) & 7;
      uint64_t value = edges[edge];
      // The edges of 64 bits, moved to the operand's width.
      if (edge >= 5)
        value >>= 64 - (srcs[s] == 1 ? 32 : srcs[s]);
      if (edge == 7 || (srcs.size() == 1 && i >= 8))
        value = random();
      if (srcs[s] < 64 && srcs[s] > 1)
        value &= (1ull << srcs[s]) - 1;
      one[s] = value;
    }
    cases.push_back(one);
  }
  return cases;
}

double test::halfValue(uint16_t bits, bool bfloat) {
  int fraction = bfloat ? 7 : 10, bias = bfloat ? 127 : 15;
  int exponent = (bits & 0x7fff) >> fraction;
  double mantissa = bits & ((1 << fraction) - 1);
  double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == (bfloat ? 255 : 31))
    return mantissa != 0 ? NAN : sign * INFINITY;
  if (exponent == 0)
    return sign * std::ldexp(mantissa, 1 - bias - fraction);
  return sign *
         std::ldexp(mantissa + (1 << fraction), exponent - bias - fraction);
}

uint16_t test::nearestHalf(double value, bool bfloat) {
  if (value != value)
    return 0x7fff;
  uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  double magnitude = std::fabs(value);
  uint16_t infinity = bfloat ? 0x7f80 : 0x7c00;
  uint16_t low = 0, high = infinity;
  // Magnitudes are ordered as their bits are.
  while (low + 1 < high) {
    uint16_t middle = static_cast<uint16_t>((low + high) / 2);
    (halfValue(middle, bfloat) <= magnitude ? low : high) = middle;
  }
  if (std::isinf(magnitude))
    return sign | infinity;
  double below = halfValue(low, bfloat);
  double above = high == infinity ? 2 * below - halfValue(low - 1, bfloat)
                                  : halfValue(high, bfloat);
  double down = magnitude - below, up = above - magnitude;
  bool roundsUp = up < down || (up == down && (low & 1));
  return static_cast<uint16_t>(sign | (roundsUp ? high : low));
}
