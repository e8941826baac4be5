//===- TensorTest.cpp - Tests of tensors on the host ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/Tensor.h"
#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

using namespace sparse_attn::runtime;
using llvm::Expected;
using llvm::toString;

template <typename T>
static NpyArray array(NpyType type, std::vector<T> values) {
  NpyArray result;
  result.type = type;
  result.shape = {int64_t(values.size())};
  result.data.resize(values.size() * sizeof(T));
  std::memcpy(result.data.data(), values.data(), result.data.size());
  return result;
}

static std::string fault(const NpyArray &from, ElementType to) {
  return toString(tensorFromNpy(from, to).takeError());
}

static Tensor convert(const NpyArray &from, ElementType to) {
  Expected<Tensor> tensor = tensorFromNpy(from, to);
  EXPECT_TRUE(bool(tensor)) << toString(tensor.takeError());
  return std::move(*tensor);
}

TEST(Tensor, Floats) {
  NpyArray wide = array<double>(NpyType::F8, {1.0 + 0x1p-11 + 0x1p-40, 1e30});
  // One rounding: by way of f32, the first would be a tie and round down.
  EXPECT_EQ(convert(wide, ElementType::F16).element(0), 1.0 + 0x1p-10);
  EXPECT_EQ(convert(wide, ElementType::F16).element(1), INFINITY);
  EXPECT_EQ(convert(wide, ElementType::F32).element(1), double(1e30F));
  uint64_t overflowed = 0;
  ASSERT_FALSE(
      bool(tensorFromNpy(wide, ElementType::F16, &overflowed).takeError()));
  EXPECT_EQ(overflowed, 1U);
  NpyArray infinite = array<float>(NpyType::F4, {INFINITY, NAN});
  ASSERT_FALSE(bool(
      tensorFromNpy(infinite, ElementType::BF16, &overflowed).takeError()));
  EXPECT_EQ(overflowed, 0U);
  NpyArray half = array<uint16_t>(NpyType::F2, {0x3c00, 0x0001});
  EXPECT_EQ(convert(half, ElementType::F32).element(1), 0x1p-24);
  EXPECT_EQ(convert(half, ElementType::BF16).element(1), 0x1p-24);
}

TEST(Tensor, IntegersAndTruthValues) {
  NpyArray wide = array<int64_t>(NpyType::I8, {-5, INT32_MAX, INT32_MIN});
  EXPECT_EQ(convert(wide, ElementType::I32).element(2), INT32_MIN);
  EXPECT_EQ(convert(array<int32_t>(NpyType::I4, {7, -8}), ElementType::I64)
                .element(1),
            -8);
  EXPECT_EQ(fault(array<int64_t>(NpyType::I8, {0, int64_t(1) << 31}),
                  ElementType::I32),
            "expected values that fit into i32, found 2147483648 at [1]");
  EXPECT_EQ(
      convert(array<uint8_t>(NpyType::B1, {0, 1}), ElementType::I1).element(1),
      1.0);
  EXPECT_EQ(fault(array<uint8_t>(NpyType::U1, {0, 1, 2}), ElementType::I1),
            "expected 0 or 1 in every element of an i1 tensor, found 2 at [2]");
}

TEST(Tensor, OtherTypesAreRefused) {
  EXPECT_EQ(fault(array<int32_t>(NpyType::I4, {1}), ElementType::F16),
            "expected f2, f4 or f8 for an argument of type f16, found i4");
  EXPECT_EQ(fault(array<float>(NpyType::F4, {1}), ElementType::I32),
            "expected i4 or i8 for an argument of type i32, found f4");
  EXPECT_EQ(fault(array<int32_t>(NpyType::I4, {1}), ElementType::I1),
            "expected b1 or u1 for an argument of type i1, found i4");
  EXPECT_EQ(fault(array<uint8_t>(NpyType::U1, {1}), ElementType::I32),
            "expected i4 or i8 for an argument of type i32, found u1");
}

TEST(Tensor, ToNpy) {
  Tensor tensor =
      convert(array<float>(NpyType::F4, {1.5F, 2.0F, 3.0F}), ElementType::BF16);
  tensor.written = {true, false, true};
  NpyArray npy = npyFromTensor(tensor);
  EXPECT_EQ(npy.type, NpyType::F4);
  float values[3];
  ASSERT_EQ(npy.data.size(), sizeof(values));
  std::memcpy(values, npy.data.data(), sizeof(values));
  EXPECT_EQ(values[0], 1.5F);
  EXPECT_TRUE(std::isnan(values[1]));
  EXPECT_EQ(values[2], 3.0F);

  Tensor integers =
      convert(array<int32_t>(NpyType::I4, {7, 8}), ElementType::I32);
  integers.written = {false, true};
  EXPECT_EQ(npyFromTensor(integers).data,
            (std::vector<uint8_t>{0, 0, 0, 0, 8, 0, 0, 0}));
}

TEST(Tensor, Position) {
  Tensor tensor;
  tensor.shape = {2, 3, 4};
  EXPECT_EQ(tensor.position(0), "[0, 0, 0]");
  EXPECT_EQ(tensor.position(23), "[1, 2, 3]");
  EXPECT_EQ(tensor.position(13), "[1, 0, 1]");
}

TEST(Tensor, Compare) {
  NpyArray expected = array<float>(NpyType::F4, {1.0F, NAN, INFINITY, 4.0F});
  auto compareWith = [&](std::vector<float> values, double absolute,
                         double relative = 0) {
    Expected<Difference> difference = compare(
        convert(array(NpyType::F4, std::move(values)), ElementType::F32),
        expected, absolute, relative);
    EXPECT_TRUE(bool(difference));
    return *difference;
  };
  EXPECT_EQ(compareWith({1.0F, NAN, INFINITY, 4.0F}, 0).count, 0U);
  EXPECT_EQ(compareWith({1.5F, NAN, INFINITY, 4.0F}, 0.5).count, 0U);
  EXPECT_EQ(compareWith({1.5F, NAN, INFINITY, 4.0F}, 0.49).count, 1U);
  EXPECT_EQ(compareWith({1.0F, NAN, INFINITY, 3.0F}, 0, 0.25).count, 0U);
  EXPECT_EQ(compareWith({1.0F, NAN, INFINITY, 3.0F}, 0, 0.24).firstIndex, 3U);
  // No tolerance covers a NaN or an infinity on one side only.
  EXPECT_EQ(compareWith({NAN, NAN, INFINITY, 4.0F}, 1e30).count, 1U);
  EXPECT_EQ(compareWith({1.0F, 2.0F, INFINITY, 4.0F}, 1e30).count, 1U);
  EXPECT_EQ(compareWith({1.0F, NAN, -INFINITY, 4.0F}, 1e30, 1).count, 1U);
  EXPECT_EQ(compareWith({1.0F, NAN, 5.0F, 4.0F}, 1e30).count, 1U);
  EXPECT_EQ(compareWith({1.0F, NAN, INFINITY, 4.25F}, 1).largest, 0.25);

  Tensor other;
  other.shape = {2};
  other.data.resize(8);
  EXPECT_EQ(toString(compare(other, expected, 0, 0).takeError()),
            "expected the shape [4], found [2]");
}
