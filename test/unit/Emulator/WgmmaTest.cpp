//===- WgmmaTest.cpp - wgmma against the host ---------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "HopperHarness.h"

#include <cmath>

using namespace sparse_attn::emulator;
using namespace sparse_attn::emulator::test;

namespace {

/// fp8 by its definition, independent of the emulator's table.
double fp8Value(uint8_t bits, bool e5m2) {
  int fraction = e5m2 ? 2 : 3, bias = e5m2 ? 15 : 7;
  int exponent = (bits & 0x7f) >> fraction;
  double mantissa = bits & ((1 << fraction) - 1);
  double value = exponent ? std::ldexp(mantissa + (1 << fraction),
                                       exponent - bias - fraction)
                          : std::ldexp(mantissa, 1 - bias - fraction);
  return bits & 0x80 ? -value : value;
}

enum Element { F16, BF16, TF32, E4M3, E5M2, S8 };
const char *const typeNames[] = {"f16", "bf16", "tf32", "e4m3", "e5m2", "s8"};

unsigned bytesOf(Element element) {
  return element == TF32 ? 4 : element <= BF16 ? 2 : 1;
}

/// A random element, as it lies in memory.
uint32_t randomElement(Element element, std::mt19937 &random) {
  std::normal_distribution<float> normal;
  switch (element) {
  case F16:
  case BF16:
    return nearestHalf(normal(random), element == BF16);
  case TF32:
    return static_cast<uint32_t>(bitsOf(normal(random)));
  case S8:
    return random() & 0xff;
  default: {
    uint32_t bits = random() & 0xff;
    // No NaN and no infinity.
    return (bits & 0x7f) >= (element == E5M2 ? 0x7c : 0x7f) ? bits ^ 0x40
                                                            : bits;
  }
  }
}

double valueOf(Element element, uint32_t bits) {
  switch (element) {
  case F16:
  case BF16:
    return halfValue(static_cast<uint16_t>(bits), element == BF16);
  case TF32:
    return asFloat(bits & ~0x1fffu);
  case S8:
    return static_cast<int8_t>(bits);
  default:
    return fp8Value(static_cast<uint8_t>(bits), element == E5M2);
  }
}

/// A matrix of `extent` (M or N) by k and its image in shared memory.
struct Matrix {
  Element element;
  unsigned extent, k;
  std::vector<uint32_t> bits; // extent by k
  std::vector<uint8_t> image;
  uint64_t descriptor = 0; // for an image at address 0

  Matrix(Element element, unsigned extent, std::mt19937 &random)
      : element(element), extent(extent), k(32 / bytesOf(element)) {
    for (unsigned i = 0; i < extent * k; ++i)
      bits.push_back(randomElement(element, random));
  }
  double at(unsigned row, unsigned column) const {
    return valueOf(element, bits[row * k + column]);
  }

  /// Lays it out with rows of 16 << swizzle bytes; K-major, as step `step` of
  /// several along k.
  void layOut(bool isKMajor, unsigned swizzle, unsigned step, unsigned base) {
    unsigned size = bytesOf(element), span = 16u << swizzle;
    unsigned atom = 8 * span; // bytes of eight rows
    unsigned leading, stride;
    unsigned alongM = isKMajor ? extent / 8 : extent * size / span;
    unsigned alongK = isKMajor ? (swizzle ? 1 : 2) : k / 8;
    // Atoms along k are neighbours.
    unsigned mStep = atom * alongK, kStep = atom;
    leading = isKMajor || swizzle == 0 ? kStep : mStep;
    stride = isKMajor || swizzle == 0 ? mStep : kStep;
    image.assign(alongM * mStep, 0x7f);
    for (unsigned m = 0; m < extent; ++m)
      for (unsigned c = 0; c < k; ++c) {
        unsigned line = isKMajor ? m : c; // row of the atom
        unsigned byte = (isKMajor ? c : m) * size + (isKMajor ? step * 32 : 0);
        unsigned place = line / 8 * (isKMajor ? mStep : kStep) +
                         byte / span * (isKMajor ? kStep : mStep);
        unsigned pattern = swizzle == 0 ? 0 : line % 8 >> (3 - swizzle);
        unsigned chunk = byte % span / 16 ^ pattern;
        std::memcpy(&image[place + line % 8 * span + chunk * 16 + byte % 16],
                    &bits[m * k + c], size);
      }
    descriptor = uint64_t(leading / 16) << 16 | uint64_t(stride / 16) << 32;
    if (swizzle)
      descriptor |= uint64_t(4 - swizzle) << 62;
    if (isKMajor)
      descriptor += step * 32 / 16;
    image.insert(image.begin(), base * 128, 0x7f);
    descriptor += base * 128 / 16 | uint64_t(base) << 49;
  }
};

struct Shape {
  Element a, b;
  unsigned n;
  const char *result; // f32, f16 or s32
  bool aRegisters, aKMajor, bKMajor;
  unsigned swizzleA, swizzleB, step;
  bool negateA = false, scaleD = true;
  uint64_t seed = 0;
  unsigned base = 0; // both tiles begin this many 128 bytes into a pattern
};

std::string list(const char *prefix, unsigned first, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", " : "") + std::string(prefix) + std::to_string(first + i);
  return text + "}";
}

const char *const tiles = ".extern .shared .align 1024 .b8 tiles[];\n";
constexpr unsigned tileBytes = 32768;

/// Copies 2 * tileBytes of input to shared memory and builds the descriptors
/// %rd20 of A and %rd21 of B from what they add to the address.
std::string loadTiles(uint64_t a, uint64_t b) {
  auto descriptor = [](const char *target, unsigned offset, uint64_t bits) {
    return std::string("  mov.u32 %r10, tiles;\n  add.u32 %r10, %r10, ") +
           std::to_string(offset) +
           ";\n  shr.u32 %r10, %r10, 4;\n  cvt.u64.u32 " + target +
           ", %r10;\n  add.u64 " + target + ", " + target + ", " +
           std::to_string(bits) + ";\n";
  };
  return R"(
  mov.u32 %r1, %t;
COPY:
  shl.b32 %r2, %r1, 4;
  cvt.u64.u32 %rd1, %r2;
  add.u64 %rd2, %in, %rd1;
  ld.global.v4.u32 {%r3, %r4, %r5, %r6}, [%rd2];
  mov.u32 %r7, tiles;
  add.u32 %r7, %r7, %r2;
  st.shared.v4.u32 [%r7], {%r3, %r4, %r5, %r6};
  add.u32 %r1, %r1, 128;
  setp.lt.u32 %p1, %r1, 4096;
  @%p1 bra COPY;
  fence.proxy.async.shared::cta;
  bar.sync 0;
)" + descriptor("%rd20", 0, a) +
         descriptor("%rd21", tileBytes, b);
}

class WgmmaTest : public testing::TestWithParam<Shape> {};

TEST_P(WgmmaTest, MatchesTheHost) {
  const Shape &shape = GetParam();
  std::mt19937 random(5);
  Matrix a(shape.a, 64, random), b(shape.b, shape.n, random);
  a.layOut(shape.aKMajor, shape.swizzleA, shape.step, shape.base);
  b.layOut(shape.bKMajor, shape.swizzleB, shape.step, shape.base);
  std::string result = shape.result;
  bool isHalf = result == "f16", isInteger = result == "s32";
  unsigned registers = isHalf ? shape.n / 4 : shape.n / 2;
  const char *prefix = "%f";

  // Input: both tiles, the accumulators and A's fragments of each thread.
  std::vector<uint32_t> input(2 * tileBytes / 4 + 128 * (registers + 4));
  std::memcpy(&input[0], a.image.data(), a.image.size());
  std::memcpy(&input[tileBytes / 4], b.image.data(), b.image.size());
  uint32_t *own = &input[2 * tileBytes / 4];
  auto half = [](float value) { return nearestHalf(value, false); };
  std::normal_distribution<float> normal;
  for (unsigned i = 0; i < 128 * registers; ++i)
    own[i / registers * (registers + 4) + i % registers] =
        isInteger ? random()
        : isHalf  ? half(normal(random)) | uint32_t(half(normal(random))) << 16
                  : static_cast<uint32_t>(bitsOf(normal(random)));
  unsigned pack = 4 / bytesOf(shape.a);
  for (unsigned thread = 0; thread < 128; ++thread)
    for (unsigned r = 0; r < 4; ++r) {
      unsigned row = thread / 32 * 16 + thread % 32 / 4 + r % 2 * 8;
      unsigned column = thread % 4 * pack + r / 2 * 4 * pack;
      uint32_t word = 0;
      for (unsigned i = 0; i < pack; ++i)
        word |= a.bits[row * a.k + column + i] << (8 * bytesOf(shape.a) * i);
      own[thread * (registers + 4) + registers + r] = word;
    }

  std::string name = "wgmma.mma_async.sync.aligned.m64n" +
                     std::to_string(shape.n) + "k" + std::to_string(a.k) + "." +
                     result + "." + typeNames[shape.a] + "." +
                     typeNames[shape.b];
  std::string body = loadTiles(a.descriptor, b.descriptor);
  body += "  mad.wide.u32 %rd3, %t, " + std::to_string(4 * (registers + 4)) +
          ", %in;\n  add.u64 %rd3, %rd3, " + std::to_string(2 * tileBytes) +
          ";\n";
  for (unsigned i = 0; i < registers; ++i)
    body += "  ld.global.f32 " + (prefix + std::to_string(i)) + ", [%rd3+" +
            std::to_string(4 * i) + "];\n";
  for (unsigned i = 0; i < 4; ++i)
    body += "  ld.global.u32 %r" + std::to_string(20 + i) + ", [%rd3+" +
            std::to_string(4 * (registers + i)) + "];\n";
  // ptxas wants registers of the accumulators' own type.
  std::string type = isHalf || isInteger ? "%a" : "%f";
  std::string declare, back;
  if (type == "%a") {
    declare = "  .reg .b32 %a<128>;\n";
    for (unsigned i = 0; i < registers; ++i) {
      std::string n = std::to_string(i);
      declare += "  mov.b32 %a" + n + ", %f" + n + ";\n";
      back += "  mov.b32 %f" + n + ", %a" + n + ";\n";
    }
  }
  body += declare + "  setp.ne.u32 %p2, %t, " +
          (shape.scaleD ? "0xffffffff" : "%t") + ";\n" +
          "  wgmma.fence.sync.aligned;\n  " + name + " " +
          list(type.c_str(), 0, registers) + ", " +
          (shape.aRegisters ? list("%r", 20, 4) : "%rd20") + ", %rd21, %p2";
  if (!isInteger)
    body += shape.negateA ? ", -1, 1" : ", 1, 1";
  if (shape.a <= BF16) {
    if (!shape.aRegisters)
      body += shape.aKMajor ? ", 0" : ", 1";
    body += shape.bKMajor ? ", 0" : ", 1";
  }
  body += ";\n  wgmma.commit_group.sync.aligned;\n"
          "  wgmma.wait_group.sync.aligned 0;\n" +
          back + "  mad.wide.u32 %rd4, %t, " + std::to_string(4 * registers) +
          ", %out;\n";
  for (unsigned i = 0; i < registers; ++i)
    body += "  st.global.f32 [%rd4+" + std::to_string(4 * i) + "], %f" +
            std::to_string(i) + ";\n";
  HopperRun run(hopperKernel(body, tiles));
  run.launch.block = {128, 1, 1};
  run.launch.dynamicSharedBytes = 2 * tileBytes;
  run.launch.seed = shape.seed;
  run.setInput(input);
  run.setOutput(128 * registers * 4);
  run.expectSuccess();
  std::vector<uint32_t> output = run.output<uint32_t>(128 * registers);

  for (unsigned m = 0; m < 64; ++m)
    for (unsigned n = 0; n < shape.n; ++n) {
      double sum = 0;
      for (unsigned k = 0; k < a.k; ++k)
        sum += (shape.negateA ? -a.at(m, k) : a.at(m, k)) * b.at(n, k);
      // The tables of the PTX ISA, for accumulators.
      unsigned thread = m / 16 * 32 + m % 8 * 4 + n % 8 / 2;
      unsigned high = m % 16 / 8;
      if (isHalf) {
        unsigned r = n / 8 * 2 + high, shift = n % 2 * 16;
        uint32_t old = own[thread * (registers + 4) + r] >> shift & 0xffff;
        if (shape.scaleD)
          sum += halfValue(static_cast<uint16_t>(old), false);
        ASSERT_EQ(output[thread * registers + r] >> shift & 0xffff,
                  nearestHalf(sum, false))
            << m << " " << n;
        continue;
      }
      unsigned r = n / 8 * 4 + high * 2 + n % 2;
      uint32_t old = own[thread * (registers + 4) + r];
      uint32_t found = output[thread * registers + r];
      if (isInteger) {
        uint32_t wanted = static_cast<uint32_t>(static_cast<int64_t>(sum));
        ASSERT_EQ(found, shape.scaleD ? wanted + old : wanted);
        continue;
      }
      if (shape.scaleD)
        sum += asFloat(old);
      ASSERT_EQ(found, bitsOf(static_cast<float>(sum))) << m << " " << n;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, WgmmaTest,
    testing::Values(
        // K-major, every swizzle, and steps along k inside of it.
        Shape{F16, F16, 64, "f32", false, true, true, 3, 3, 0},
        Shape{F16, F16, 64, "f32", false, true, true, 3, 3, 3},
        Shape{BF16, BF16, 128, "f32", false, true, true, 2, 2, 1},
        Shape{BF16, BF16, 32, "f32", false, true, true, 1, 1, 0},
        Shape{F16, F16, 16, "f32", false, true, true, 0, 0, 0},
        // MN-major.
        Shape{BF16, BF16, 128, "f32", false, false, false, 3, 3, 0},
        Shape{F16, F16, 64, "f32", false, false, false, 2, 2, 0},
        Shape{F16, F16, 64, "f32", false, true, false, 3, 1, 0},
        Shape{F16, F16, 64, "f32", false, false, true, 0, 3, 2},
        Shape{F16, F16, 64, "f32", false, false, false, 0, 0, 0},
        // Tiles that begin within the pattern of their swizzle.
        Shape{F16, F16, 64, "f32", false, true, true, 3, 3, 1, false, true, 0,
              1},
        Shape{F16, F16, 64, "f32", false, true, false, 3, 2, 0, false, true, 0,
              3},
        Shape{F16, F16, 64, "f32", false, false, true, 3, 1, 0, false, true, 0,
              7},
        // A in registers.
        Shape{F16, F16, 256, "f32", true, true, true, 3, 3, 1},
        Shape{BF16, BF16, 128, "f32", true, true, false, 3, 3, 0},
        // Other types.
        Shape{F16, F16, 64, "f16", false, true, true, 3, 3, 0},
        Shape{F16, F16, 64, "f16", true, true, false, 3, 3, 0},
        Shape{TF32, TF32, 64, "f32", false, true, true, 3, 3, 1},
        Shape{TF32, TF32, 32, "f32", true, true, true, 3, 2, 0},
        Shape{E4M3, E4M3, 64, "f32", false, true, true, 3, 3, 2},
        Shape{E4M3, E5M2, 64, "f32", true, true, true, 3, 2, 0},
        Shape{S8, S8, 64, "s32", false, true, true, 3, 3, 0},
        Shape{S8, S8, 32, "s32", true, true, true, 3, 1, 0},
        // Signs, no accumulator, random order of warps.
        Shape{F16, F16, 8, "f32", false, true, true, 3, 3, 0, true},
        Shape{F16, F16, 8, "f32", false, true, true, 3, 3, 0, false, false},
        Shape{BF16, BF16, 64, "f32", true, true, true, 3, 3, 0, false, true,
              3}));

// --- faults ---

const std::string product =
    "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0, %f1, %f2, %f3}, "
    "%rd20, %rd21, %p2, 1, 1, 0, 0;";
const std::string fromRegisters =
    "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0, %f1, %f2, %f3}, "
    "{%r20, %r21, %r22, %r23}, %rd21, %p2, 1, 1, 0;";
const std::string finish = "  wgmma.commit_group.sync.aligned;\n"
                           "  wgmma.wait_group.sync.aligned 0;\n";

/// Tiles are zeros; %p2 is false, %f0 to %f3 and %r20 to %r23 are set.
std::string prepared(const std::string &body) {
  std::string text = loadTiles(uint64_t(1) << 62 | uint64_t(64) << 32,
                               uint64_t(1) << 62 | uint64_t(64) << 32);
  for (unsigned i = 0; i < 4; ++i)
    text += "  mov.f32 %f" + std::to_string(i) + ", 0f00000000;\n  mov.u32 %r" +
            std::to_string(20 + i) + ", 0;\n";
  return text + "  setp.ne.u32 %p2, %t, %t;\n  wgmma.fence.sync.aligned;\n" +
         body;
}

void expectFault(const std::string &body,
                 const std::vector<std::string> &parts) {
  HopperRun run(hopperKernel(prepared(body), tiles), false);
  run.launch.block = {128, 1, 1};
  run.launch.dynamicSharedBytes = 2 * tileBytes;
  run.setInput(std::vector<uint8_t>(2 * tileBytes));
  run.setOutput(1024);
  run.expectError(parts);
}

TEST(Wgmma, Faults) {
  expectFault("  " + product +
                  "\n  wgmma.commit_group.sync.aligned;\n"
                  "  add.f32 %f9, %f1, %f1; // HERE\n",
              {"'%f1' is used before wgmma.wait_group"});
  expectFault("  " + product +
                  "\n  wgmma.commit_group.sync.aligned;\n"
                  "  wgmma.wait_group.sync.aligned 1;\n"
                  "  add.f32 %f9, %f1, %f1; // HERE\n",
              {"'%f1' is used before wgmma.wait_group"});
  expectFault("  " + product + "  // HERE\n  mov.f32 %f2, 0f3F800000;\n" +
                  finish,
              {"'%f2' was written before wgmma.wait_group"});
  expectFault("  " + fromRegisters + " // HERE\n  add.u32 %r21, %t, 1;\n" +
                  finish,
              {"'%r21' was written before wgmma.wait_group"});
  expectFault("  add.u64 %rd20, %rd20, 0x2000;\n  " + product + " // HERE\n" +
                  finish,
              {"operand A reads shared address", "out of bounds"});
  expectFault("  setp.lt.u32 %p1, %t, 32;\n  @%p1 bra SKIP;\n  " + product +
                  "\n  bra.uni DONE;\nSKIP:\n  " + product +
                  " // HERE\nDONE:\n" + finish,
              {"of the warpgroup executes the one in line"});
  expectFault("  setp.ge.u32 %p1, %t, 96;\n  @%p1 add.u64 %rd20, %rd20, 2;\n"
              "  " +
                  product + " // HERE\n" + finish,
              {"differ from those of warp 3"});
  expectFault("  cvt.u64.u32 %rd5, %t;\n  add.u64 %rd20, %rd20, %rd5;\n  " +
                  product + " // HERE\n",
              {"descriptor A differs from lane 0's"});
  expectFault("  setp.lt.u32 %p1, %t, 96;\n  @!%p1 exit;\n  " + product +
                  "\n  wgmma.commit_group.sync.aligned;\n"
                  "  wgmma.wait_group.sync.aligned 0; // HERE\n",
              {"deadlock", "for the other warps of its warpgroup"});
  HopperRun partial(hopperKernel("  wgmma.fence.sync.aligned; // HERE"), false);
  partial.launch.block = {160, 1, 1};
  partial.expectError({"expected a warpgroup of four warps, found 1"});
}

TEST(Wgmma, OverwrittenOperand) {
  // The store comes too early; it is seen because operands are read late.
  std::string body = "  " + product +
                     " // HERE\n  wgmma.commit_group.sync.aligned;\n"
                     "  mov.u32 %r10, tiles;\n"
                     "  cp.async.ca.shared.global [%r10], [%in], 4;\n"
                     "  wgmma.wait_group.sync.aligned 0;\n";
  expectFault(body, {"operand A reads bytes", "a copy is still writing"});
}

TEST(Wgmma, Malformed) {
  auto reject = [](const std::string &text,
                   const std::vector<std::string> &parts) {
    expectParseError(hopperKernel("  " + text + " // HERE"), parts);
  };
  reject("wgmma.mma_async.sync.aligned.m64n12k16.f32.f16.f16 {%f0}, %rd0, "
         "%rd1, %p1, 1, 1, 0, 0;",
         {"not supported"});
  reject("wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0, %f1}, %rd0, "
         "%rd1, %p1, 1, 1, 0, 0;",
         {"operand 1 needs 4 registers, found 2"});
  reject("wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0, %f1, %f2, "
         "%f3}, %rd0, %rd1, %p1, 2, 1, 0, 0;",
         {"operand 5 must be 1 or -1, found 2"});
  reject("wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.bf16 {%f0, %f1, %f2, "
         "%f3}, %rd0, %rd1, %p1, 1, 1, 0, 0;",
         {"not supported"});
  reject("setmaxnreg.inc.sync.aligned.u32 100;", {"multiple of 8", "100"});
}

} // namespace
