//===- TensorCopyTest.cpp - Tensor copies -------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "CopyHarness.h"

using namespace sparse_attn::emulator;
using namespace sparse_attn::emulator::test;
using namespace sparse_attn::emulator::test::copying;

namespace {

/// A tensor of 16-bit elements that count from 1.
struct Tensor {
  unsigned rank;
  std::array<uint64_t, 5> sizes;
  std::array<uint32_t, 5> box;
  std::array<uint32_t, 5> steps;
  TensorMap::Swizzle swizzle;
  TensorMap::OobFill fill;
  std::array<int32_t, 5> corner;

  unsigned boxElements() const {
    unsigned count = 1;
    for (unsigned i = 0; i < rank; ++i)
      count *= (box[i] + steps[i] - 1) / steps[i];
    return count;
  }
  /// Elements from one index of a dimension to the next; rows are padded.
  uint64_t pitch(unsigned dimension) const {
    uint64_t result = dimension ? (sizes[0] + 7) / 8 * 8 : 1;
    for (unsigned i = 1; i < dimension; ++i)
      result *= sizes[i];
    return result;
  }
  /// Calls `f(place in the box, index in the tensor or -1)`.
  template <class F>
  void forEach(F f) const {
    for (unsigned place = 0; place < boxElements(); ++place) {
      int64_t index = 0;
      bool exists = true;
      unsigned rest = place;
      for (unsigned i = 0; i < rank; ++i) {
        unsigned count = (box[i] + steps[i] - 1) / steps[i];
        int64_t at = int64_t(corner[i]) + int64_t(rest % count) * steps[i];
        rest /= count;
        exists &= at >= 0 && at < int64_t(sizes[i]);
        index += at * int64_t(pitch(i));
      }
      f(place, exists ? index : -1);
    }
  }
  TensorMap::Encoded encode(uint64_t address) const {
    std::array<uint64_t, 4> strides = {};
    for (unsigned i = 1; i < rank; ++i)
      strides[i - 1] = pitch(i) * 2;
    TensorMap::Encoded map;
    std::optional<std::string> fault = TensorMap::encodeTiled(
        map, TensorMap::DataType::BFloat16, rank, address, sizes.data(),
        strides.data(), box.data(), steps.data(), TensorMap::Interleave::None,
        swizzle, TensorMap::L2Promotion::None, fill);
    EXPECT_FALSE(fault) << *fault;
    return map;
  }
  std::string coordinates() const {
    std::string text = "{";
    for (unsigned i = 0; i < rank; ++i)
      text += (i ? ", " : "") + std::to_string(corner[i]);
    return text + "}";
  }
  /// Where a byte of the box lies.
  unsigned swizzled(unsigned byte) const {
    unsigned mode = static_cast<unsigned>(swizzle);
    return byte ^ ((byte >> 7 & ((1u << mode) - 1)) << 4);
  }
};

using Swizzle = TensorMap::Swizzle;
using Fill = TensorMap::OobFill;
const std::array<uint32_t, 5> unit = {1, 1, 1, 1, 1};
const Tensor tensors[] = {
    {1, {100}, {64}, unit, Swizzle::None, Fill::None, {50}},
    {2, {128, 20}, {64, 16}, unit, Swizzle::Bytes128, Fill::None, {64, 2}},
    {2, {128, 20}, {64, 16}, unit, Swizzle::Bytes128, Fill::Nan, {-3, 9}},
    {2, {50, 20}, {32, 16}, unit, Swizzle::Bytes64, Fill::None, {20, -4}},
    {3, {16, 9, 4}, {16, 4, 3}, unit, Swizzle::Bytes32, Fill::None, {0, 7, 2}},
    {4,
     {24, 5, 4, 3},
     {8, 2, 2, 2},
     unit,
     Swizzle::None,
     Fill::None,
     {8, 4, 3, 2}},
    {5,
     {24, 5, 4, 3, 2},
     {8, 2, 2, 2, 2},
     unit,
     Swizzle::None,
     Fill::None,
     {20, -1, 3, 0, 1}},
    {2,
     {64, 40},
     {32, 16},
     {1, 3, 1, 1, 1},
     Swizzle::None,
     Fill::None,
     {16, 30}},
};

class TensorTest : public testing::TestWithParam<Tensor> {};

TEST_P(TensorTest, Load) {
  const Tensor &tensor = GetParam();
  unsigned bytes = tensor.boxElements() * 2;
  uint64_t total =
      tensor.pitch(tensor.rank - 1) * tensor.sizes[tensor.rank - 1];
  std::string body =
      initialise + expect(bytes) + "  @%p8 cp.async.bulk.tensor." +
      std::to_string(tensor.rank) +
      "d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [buf], "
      "[%map0, " +
      tensor.coordinates() + "], [bar];\n" + waitPhase + dump(bytes);
  HopperRun run(hopperKernel(body, shared));
  std::vector<uint16_t> input(total);
  for (uint64_t i = 0; i < total; ++i)
    input[i] = static_cast<uint16_t>(i + 1);
  run.setInput(input);
  run.setOutput(bytes);
  run.maps[0] = tensor.encode(run.in);
  run.expectSuccess();
  std::vector<uint16_t> output = run.output<uint16_t>(bytes / 2);
  uint16_t missing = tensor.fill == Fill::Nan ? 0x7fff : 0;
  tensor.forEach([&](unsigned place, int64_t index) {
    EXPECT_EQ(output[tensor.swizzled(place * 2) / 2],
              index < 0 ? missing : input[static_cast<size_t>(index)])
        << place;
  });
}

TEST_P(TensorTest, StoreAndReduce) {
  const Tensor &tensor = GetParam();
  unsigned bytes = tensor.boxElements() * 2;
  uint64_t total =
      tensor.pitch(tensor.rank - 1) * tensor.sizes[tensor.rank - 1];
  for (bool reduces : {false, true}) {
    std::string body =
        "  mov.u32 %r2, %t;\nFILL:\n  shl.b32 %r3, %r2, 2;\n"
        "  mov.u32 %r4, buf;\n  add.u32 %r4, %r4, %r3;\n"
        "  shl.b32 %r5, %r2, 17;\n  shl.b32 %r6, %r2, 1;\n"
        "  or.b32 %r5, %r5, %r6;\n  or.b32 %r5, %r5, 0x10000;\n"
        "  st.shared.u32 [%r4], %r5;\n  add.u32 %r2, %r2, 32;\n"
        "  setp.lt.u32 %p1, %r2, " +
        std::to_string(bytes / 4) +
        ";\n  @%p1 bra FILL;\n  fence.proxy.async.shared::cta;\n"
        "  bar.sync 0;\n  setp.eq.u32 %p8, %t, 0;\n  @!%p8 bra DONE;\n  cp" +
        (reduces ? ".reduce" : "") + ".async.bulk.tensor." +
        std::to_string(tensor.rank) + "d.global.shared::cta" +
        (reduces ? ".max" : "") + ".tile.bulk_group [%map0, " +
        tensor.coordinates() +
        "], [buf];\n  cp.async.bulk.commit_group;\n"
        "  cp.async.bulk.wait_group 0;\nDONE:\n";
    HopperRun run(hopperKernel(body, shared));
    // As bf16, small integers are tiny positive numbers in their order.
    std::vector<uint16_t> before(total, 9);
    run.setInput(before);
    run.maps[0] = tensor.encode(run.in);
    run.expectSuccess();
    std::vector<uint16_t> wanted = before, found(total);
    tensor.forEach([&](unsigned place, int64_t index) {
      if (index < 0)
        return;
      auto value = static_cast<uint16_t>(tensor.swizzled(place * 2) / 2);
      uint16_t &at = wanted[static_cast<size_t>(index)];
      at = reduces ? std::max(at, value) : value;
    });
    EXPECT_TRUE(run.memory.read(run.in, found.data(), total * 2));
    EXPECT_EQ(found, wanted);
  }
}

INSTANTIATE_TEST_SUITE_P(Tensors, TensorTest, testing::ValuesIn(tensors));

TEST(TensorCopy, Multicast) {
  // One block loads for both of its cluster.
  std::string body =
      initialise + expect(64) +
      "  barrier.cluster.arrive.aligned;\n"
      "  barrier.cluster.wait.aligned;\n"
      "  mov.u32 %r2, %cluster_ctarank;\n"
      "  setp.eq.and.u32 %p2, %r2, 0, %p8;\n"
      "  mov.u16 %h1, 3;\n"
      "  @%p2 cp.async.bulk.tensor.1d.shared::cluster.global."
      "mbarrier::complete_tx::bytes.multicast::cluster [buf], "
      "[%map0, {0}], [bar], %h1;\n" +
      waitPhase +
      "  mov.u32 %r3, buf;\n  and.b32 %r4, %t, 15;\n"
      "  mad.lo.u32 %r3, %r4, 4, %r3;\n"
      "  ld.shared.u32 %r1, [%r3];\n"
      "  mov.u32 %r5, %ctaid.x;\n  mad.lo.u32 %r6, %r5, 32, %t;\n"
      "  mad.wide.u32 %rd1, %r6, 4, %out;\n"
      "  st.global.u32 [%rd1], %r1;\n"
      "  barrier.cluster.arrive.aligned;\n"
      "  barrier.cluster.wait.aligned;\n";
  const Tensor tensor = {1, {32}, {32}, unit, Swizzle::None, Fill::None, {0}};
  for (uint64_t seed = 0; seed < 4; ++seed) {
    HopperRun run(hopperKernel(body, shared), seed == 0);
    run.launch.grid = run.launch.cluster = {2, 1, 1};
    run.launch.seed = seed;
    run.setInput(counting(16));
    run.setOutput(256);
    run.maps[0] = tensor.encode(run.in);
    run.expectSuccess();
    std::vector<uint32_t> words = run.output<uint32_t>(64);
    for (unsigned i = 0; i < 64; ++i)
      EXPECT_EQ(words[i], i % 16 + 1);
  }
}

TEST(TensorCopy, Faults) {
  const Tensor tensor = {2,          {64, 8}, {64, 8}, unit, Swizzle::Bytes128,
                         Fill::None, {0, 0}};
  auto fault = [&](const std::string &instruction,
                   const std::vector<std::string> &parts, bool noMap = false) {
    HopperRun run(
        hopperKernel(initialise + "  @%p8 " + instruction + " // HERE\n",
                     shared),
        false);
    run.setInput(std::vector<uint16_t>(512));
    if (!noMap)
      run.maps[0] = tensor.encode(run.in);
    run.expectError(parts);
  };
  std::string name = "cp.async.bulk.tensor.2d.shared::cluster.global."
                     "mbarrier::complete_tx::bytes ";
  fault(name + "[buf], [%map0, {0, 0}], [bar];", {"no tensor map is at"}, true);
  fault(name + "[buf+64], [%map0, {0, 0}], [bar];",
        {"misaligned", "multiple of 128"});
  fault(name + "[buf], [%map0+16, {0, 0}], [bar];",
        {"tensor map", "misaligned", "multiple of 64"});
  fault(name + "[buf], [%map0, {0, 0}], [buf];", {"no mbarrier object"});
  fault("cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::"
        "bytes [buf], [%map0, {0}], [bar];",
        {"the tensor has 2 dimensions, expected 1"});
  fault("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%map0, {0, "
        "0}], [buf];",
        {"uninitialised"});
  expectParseError(
      hopperKernel("  " + name + "[buf], [%map0, {0}], [bar]; // HERE", shared),
      {"expected 2 coordinates, found 1"});
}

TEST(TensorMap, Arguments) {
  auto encode = [](TensorMap::DataType type, uint32_t rank, uint64_t address,
                   uint64_t size, uint64_t stride, uint32_t box,
                   Swizzle swizzle, Fill fill) {
    uint64_t sizes[5] = {size, 4, 4, 4, 4};
    uint64_t strides[4] = {stride, stride, stride, stride};
    uint32_t boxes[5] = {box, 2, 2, 2, 2}, steps[5] = {1, 1, 1, 1, 1};
    TensorMap::Encoded map;
    return TensorMap::encodeTiled(map, type, rank, address, sizes, strides,
                                  boxes, steps, TensorMap::Interleave::None,
                                  swizzle, TensorMap::L2Promotion::None, fill)
        .value_or("");
  };
  using Type = TensorMap::DataType;
  EXPECT_EQ(
      encode(Type::Float16, 2, 256, 64, 128, 64, Swizzle::Bytes128, Fill::None),
      "");
  EXPECT_NE(
      encode(Type::Float16, 6, 256, 64, 128, 64, Swizzle::None, Fill::None)
          .find("rank must be 1 to 5, found 6"),
      std::string::npos);
  EXPECT_NE(encode(Type::Float16, 2, 8, 64, 128, 64, Swizzle::None, Fill::None)
                .find("multiple of 16"),
            std::string::npos);
  EXPECT_NE(encode(Type::Float16, 2, 256, 0, 128, 64, Swizzle::None, Fill::None)
                .find("the size of dimension 0"),
            std::string::npos);
  EXPECT_NE(
      encode(Type::Float16, 2, 256, 64, 100, 64, Swizzle::None, Fill::None)
          .find("the stride of dimension 1"),
      std::string::npos);
  EXPECT_NE(
      encode(Type::Float16, 2, 256, 512, 1024, 257, Swizzle::None, Fill::None)
          .find("the box of dimension 0 must be 1 to 256, found 257"),
      std::string::npos);
  EXPECT_NE(
      encode(Type::Float32, 2, 256, 64, 256, 64, Swizzle::Bytes128, Fill::None)
          .find("at most the 128 bytes of the swizzle, found 256"),
      std::string::npos);
  EXPECT_NE(encode(Type::UInt16, 2, 256, 64, 128, 64, Swizzle::None, Fill::Nan)
                .find("NaN"),
            std::string::npos);
}

} // namespace
