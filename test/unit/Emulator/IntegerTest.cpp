//===- IntegerTest.cpp - Integer instructions against the host ------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

using namespace sparse_attn::emulator::test;

namespace {

using C = const Case &;
int32_t s32(uint64_t value) { return static_cast<int32_t>(value); }
uint32_t u32(uint64_t value) { return static_cast<uint32_t>(value); }
int16_t s16(uint64_t value) { return static_cast<int16_t>(value); }
int64_t s64(uint64_t value) { return static_cast<int64_t>(value); }

TEST(Integer, AddSub) {
  check("add.s32 $d, $a, $b", 32, {32, 32}, [](C c) { return c[0] + c[1]; });
  check("add.u16 $d, $a, $b", 16, {16, 16}, [](C c) { return c[0] + c[1]; });
  check("add.s64 $d, $a, $b", 64, {64, 64}, [](C c) { return c[0] + c[1]; });
  check("sub.s32 $d, $a, $b", 32, {32, 32}, [](C c) { return c[0] - c[1]; });
  check("sub.u64 $d, $a, $b", 64, {64, 64}, [](C c) { return c[0] - c[1]; });
  check("add.s32 $d, $a, -7", 32, {32}, [](C c) { return c[0] - 7; });
  check("add.sat.s32 $d, $a, $b", 32, {32, 32}, [](C c) {
    int64_t sum = int64_t(s32(c[0])) + s32(c[1]);
    return sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
  });
}

TEST(Integer, Multiply) {
  check("mul.lo.s32 $d, $a, $b", 32, {32, 32}, [](C c) { return c[0] * c[1]; });
  check("mul.lo.u64 $d, $a, $b", 64, {64, 64}, [](C c) { return c[0] * c[1]; });
  check("mul.lo.u16 $d, $a, $b", 16, {16, 16}, [](C c) { return c[0] * c[1]; });
  check("mul.hi.u32 $d, $a, $b", 32, {32, 32},
        [](C c) { return c[0] * c[1] >> 32; });
  check("mul.hi.s32 $d, $a, $b", 32, {32, 32},
        [](C c) { return int64_t(s32(c[0])) * s32(c[1]) >> 32; });
  check("mul.hi.u64 $d, $a, $b", 64, {64, 64}, [](C c) {
    // Schoolbook, so that the test has no 128-bit type.
    uint64_t al = u32(c[0]), ah = c[0] >> 32, bl = u32(c[1]), bh = c[1] >> 32;
    uint64_t middle = ah * bl + (al * bl >> 32);
    uint64_t carry = al * bh + u32(middle);
    return ah * bh + (middle >> 32) + (carry >> 32);
  });
  check("mul.wide.s32 $d, $a, $b", 64, {32, 32},
        [](C c) { return int64_t(s32(c[0])) * s32(c[1]); });
  check("mul.wide.u32 $d, $a, $b", 64, {32, 32},
        [](C c) { return c[0] * c[1]; });
  check("mul.wide.s16 $d, $a, $b", 32, {16, 16},
        [](C c) { return s16(c[0]) * s16(c[1]); });
  check("mad.lo.s32 $d, $a, $b, $c", 32, {32, 32, 32},
        [](C c) { return c[0] * c[1] + c[2]; });
  check("mad.hi.u32 $d, $a, $b, $c", 32, {32, 32, 32},
        [](C c) { return (c[0] * c[1] >> 32) + c[2]; });
  check("mad.wide.u32 $d, $a, $b, $c", 64, {32, 32, 64},
        [](C c) { return c[0] * c[1] + c[2]; });
  check("mad.wide.s32 $d, $a, $b, $c", 64, {32, 32, 64},
        [](C c) {
          return static_cast<uint64_t>(int64_t(s32(c[0])) * s32(c[1])) + c[2];
        },
        {{3, 0xffffffff, 5}, {0x80000000, 2, 1}, {7, 9, ~0ull}});
  check("mul24.lo.u32 $d, $a, $b", 32, {32, 32},
        [](C c) { return (c[0] & 0xffffff) * (c[1] & 0xffffff); });
}

TEST(Integer, Divide) {
  check("div.u32 $d, $a, $b", 32, {32, 32},
        [](C c) { return c[1] ? c[0] / c[1] : ~0ull; });
  check("div.s32 $d, $a, $b", 32, {32, 32},
        [](C c) { return s32(c[1]) ? int64_t(s32(c[0])) / s32(c[1]) : -1; });
  check("rem.u32 $d, $a, $b", 32, {32, 32},
        [](C c) { return c[1] ? c[0] % c[1] : c[0]; });
  check("rem.s32 $d, $a, $b", 32, {32, 32}, [](C c) {
    return s32(c[1]) ? int64_t(s32(c[0])) % s32(c[1]) : s32(c[0]);
  });
  check("div.s64 $d, $a, $b", 64, {64, 64}, [](C c) {
    if (s64(c[1]) == -1)
      return 0 - c[0];
    return c[1] ? uint64_t(s64(c[0]) / s64(c[1])) : ~uint64_t(0);
  });
}

TEST(Integer, MinMaxAbs) {
  check("min.s32 $d, $a, $b", 32, {32, 32},
        [](C c) { return std::min(s32(c[0]), s32(c[1])); });
  check("max.u32 $d, $a, $b", 32, {32, 32},
        [](C c) { return std::max(c[0], c[1]); });
  check("max.s16 $d, $a, $b", 16, {16, 16},
        [](C c) { return std::max(s16(c[0]), s16(c[1])); });
  check("min.u64 $d, $a, $b", 64, {64, 64},
        [](C c) { return std::min(c[0], c[1]); });
  check("abs.s32 $d, $a", 32, {32},
        [](C c) { return s32(c[0]) < 0 ? 0 - c[0] : c[0]; });
  check("neg.s64 $d, $a", 64, {64}, [](C c) { return 0 - c[0]; });
  check("sad.u32 $d, $a, $b, $c", 32, {32, 32, 32},
        [](C c) { return (c[0] > c[1] ? c[0] - c[1] : c[1] - c[0]) + c[2]; });
}

TEST(Integer, CarryChains) {
  // 128-bit sums and differences of {a, b} and {c, a}.
  check("add.cc.u64 %rd13, $a, $c;\n  addc.u64 $d, $b, $a", 64, {64, 64, 64},
        [](C c) { return c[1] + c[0] + (c[0] + c[2] < c[0]); });
  check("sub.cc.u32 %r13, $a, $c;\n  subc.u32 $d, $b, $a", 32, {32, 32, 32},
        [](C c) { return c[1] - c[0] - (c[0] < c[2]); });
  check("add.cc.u32 %r13, $a, $c;\n  addc.cc.u32 %r14, $b, $b;\n"
        "  addc.u32 $d, $a, 0",
        32, {32, 32, 32}, [](C c) {
          uint64_t first = (c[0] + c[2]) >> 32;
          return c[0] + ((c[1] + c[1] + first) >> 32);
        });
}

TEST(Bits, Logic) {
  check("and.b32 $d, $a, $b", 32, {32, 32}, [](C c) { return c[0] & c[1]; });
  check("or.b64 $d, $a, $b", 64, {64, 64}, [](C c) { return c[0] | c[1]; });
  check("xor.b16 $d, $a, $b", 16, {16, 16}, [](C c) { return c[0] ^ c[1]; });
  check("not.b32 $d, $a", 32, {32}, [](C c) { return ~c[0]; });
  check("cnot.b32 $d, $a", 32, {32}, [](C c) { return u32(c[0]) == 0; });
  check("and.pred $d, $a, $b", 1, {1, 1},
        [](C c) { return u32(c[0]) && u32(c[1]); });
  check("xor.pred $d, $a, $b", 1, {1, 1},
        [](C c) { return !u32(c[0]) != !u32(c[1]); });
  check("not.pred $d, $a", 1, {1}, [](C c) { return !u32(c[0]); });
  for (unsigned table : {0x96u, 0xe8u, 0x01u, 0xf8u})
    check("lop3.b32 $d, $a, $b, $c, " + std::to_string(table), 32, {32, 32, 32},
          [table](C c) {
            uint64_t result = 0;
            for (unsigned bit = 0; bit < 32; ++bit) {
              unsigned row = (c[0] >> bit & 1) * 4 + (c[1] >> bit & 1) * 2 +
                             (c[2] >> bit & 1);
              result |= uint64_t(table >> row & 1) << bit;
            }
            return result;
          });
}

TEST(Bits, Shifts) {
  check("shl.b32 $d, $a, $b", 32, {32, 32},
        [](C c) { return c[1] > 31 ? 0 : c[0] << c[1]; });
  check("shr.u32 $d, $a, $b", 32, {32, 32},
        [](C c) { return c[1] > 31 ? 0 : c[0] >> c[1]; });
  check("shr.s32 $d, $a, $b", 32, {32, 32},
        [](C c) { return s32(c[0]) >> (c[1] > 31 ? 31 : c[1]); });
  check("shr.s64 $d, $a, $b", 64, {64, 32},
        [](C c) { return s64(c[0]) >> (c[1] > 63 ? 63 : c[1]); });
  check("shl.b64 $d, $a, $b", 64, {64, 32},
        [](C c) { return c[1] > 63 ? 0 : c[0] << c[1]; });
  check("shl.b16 $d, $a, $b", 16, {16, 32},
        [](C c) { return c[1] > 15 ? 0 : c[0] << c[1]; });
  check("shf.l.wrap.b32 $d, $a, $b, $c", 32, {32, 32, 32},
        [](C c) { return (c[1] << 32 | c[0]) << (c[2] & 31) >> 32; });
  check("shf.r.clamp.b32 $d, $a, $b, $c", 32, {32, 32, 32}, [](C c) {
    return (c[1] << 32 | c[0]) >> std::min<uint64_t>(c[2], 32);
  });
}

TEST(Bits, Count) {
  check("popc.b32 $d, $a", 32, {32},
        [](C c) { return __builtin_popcountll(c[0]); });
  check("popc.b64 $d, $a", 32, {64},
        [](C c) { return __builtin_popcountll(c[0]); });
  check("clz.b32 $d, $a", 32, {32},
        [](C c) { return c[0] ? __builtin_clz(u32(c[0])) : 32; });
  check("clz.b64 $d, $a", 32, {64},
        [](C c) { return c[0] ? __builtin_clzll(c[0]) : 64; });
  check("bfind.u32 $d, $a", 32, {32},
        [](C c) { return c[0] ? 31 - __builtin_clz(u32(c[0])) : ~0u; });
  check("bfind.shiftamt.s32 $d, $a", 32, {32}, [](C c) {
    uint32_t value = s32(c[0]) < 0 ? ~u32(c[0]) : u32(c[0]);
    return value ? uint32_t(__builtin_clz(value)) : ~0u;
  });
  check("brev.b32 $d, $a", 32, {32}, [](C c) {
    uint64_t result = 0;
    for (unsigned bit = 0; bit < 32; ++bit)
      result |= (c[0] >> bit & 1) << (31 - bit);
    return result;
  });
}

/// The bit-by-bit definition in the PTX ISA.
uint64_t extractField(uint64_t value, unsigned start, unsigned count,
                      bool isSigned, unsigned width) {
  start &= 255;
  count &= 255;
  unsigned last = std::min(start + count - 1, width - 1);
  uint64_t sign = isSigned && count ? value >> last & 1 : 0, result = 0;
  for (unsigned i = 0; i < width; ++i)
    result |= (i < count && start + i < width ? value >> (start + i) & 1 : sign)
              << i;
  return result;
}

TEST(Bits, Fields) {
  std::vector<Case> cases;
  std::mt19937_64 random(5);
  for (unsigned i = 0; i < 600; ++i)
    cases.push_back({random(), random() % 70, random() % 70});
  check(
      "bfe.u32 $d, $a, $b, $c", 32, {32, 32, 32},
      [](C c) { return extractField(u32(c[0]), c[1], c[2], false, 32); },
      cases);
  check(
      "bfe.s32 $d, $a, $b, $c", 32, {32, 32, 32},
      [](C c) { return extractField(u32(c[0]), c[1], c[2], true, 32); }, cases);
  check(
      "bfe.s64 $d, $a, $b, $c", 64, {64, 32, 32},
      [](C c) { return extractField(c[0], c[1], c[2], true, 64); }, cases);
  check(
      "bfi.b32 $d, $a, 0xdeadbeef, $b, $c", 32, {32, 32, 32},
      [](C c) {
        uint64_t result = 0xdeadbeef;
        for (unsigned i = 0; i < c[2] && c[1] + i < 32; ++i) {
          result &= ~(1ull << (c[1] + i));
          result |= (c[0] >> i & 1) << (c[1] + i);
        }
        return result;
      },
      cases);
}

TEST(Bits, Permute) {
  check("prmt.b32 $d, $a, $b, $c", 32, {32, 32, 32}, [](C c) {
    uint64_t bytes = c[1] << 32 | c[0], result = 0;
    for (unsigned i = 0; i < 4; ++i) {
      unsigned nibble = c[2] >> (4 * i) & 15;
      uint64_t byte = bytes >> (8 * (nibble & 7)) & 255;
      if (nibble & 8)
        byte = byte & 128 ? 255 : 0;
      result |= byte << (8 * i);
    }
    return result;
  });
  EXPECT_EQ(evaluate("prmt.b32.rc16 $d, $a, $b, $c", 32, {32, 32, 32},
                     {{0x44332211, 0, 1}})[0],
            0x44334433u);
  EXPECT_EQ(evaluate("prmt.b32.f4e $d, $a, $b, $c", 32, {32, 32, 32},
                     {{0x44332211, 0x88776655, 1}})[0],
            0x55443322u);
}

TEST(Integer, DotProducts) {
  auto byte = [](uint64_t word, unsigned i, bool isSigned) -> int64_t {
    auto bits = static_cast<uint8_t>(word >> (8 * i));
    return isSigned ? static_cast<int8_t>(bits) : bits;
  };
  for (bool a : {false, true})
    for (bool b : {false, true}) {
      std::string types = std::string(a ? ".s32" : ".u32") +
                          (b ? ".s32" : ".u32") + " $d, $a, $b, $c";
      check("dp4a" + types, 32, {32, 32, 32}, [=](const Case &c) {
        int64_t sum = int64_t(c[2]);
        for (unsigned i = 0; i < 4; ++i)
          sum += byte(c[0], i, a) * byte(c[1], i, b);
        return sum;
      });
      for (bool high : {false, true})
        check(std::string("dp2a.") + (high ? "hi" : "lo") + types, 32,
              {32, 32, 32}, [=](const Case &c) {
                int64_t sum = int64_t(c[2]);
                for (unsigned i = 0; i < 2; ++i) {
                  auto half = static_cast<uint16_t>(c[0] >> (16 * i));
                  sum += (a ? int64_t(int16_t(half)) : int64_t(half)) *
                         byte(c[1], i + 2 * high, b);
                }
                return sum;
              });
    }
}

} // namespace
