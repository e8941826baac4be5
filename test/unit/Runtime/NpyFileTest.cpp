//===- NpyFileTest.cpp - Tests of .npy arrays -----------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/NpyFile.h"
#include "gtest/gtest.h"

using namespace sparse_attn::runtime;
using llvm::StringRef;
using llvm::toString;

static std::string file(unsigned version, const std::string &header,
                        const std::string &data) {
  std::string result = "\x93NUMPY";
  result += char(version);
  result += '\0';
  for (unsigned i = 0; i < (version == 1 ? 2U : 4U); ++i)
    result += char(header.size() >> (8 * i));
  return result + header + data;
}

TEST(NpyFile, RoundTrip) {
  for (NpyType type : {NpyType::F2, NpyType::F4, NpyType::F8, NpyType::I1,
                       NpyType::I2, NpyType::I4, NpyType::I8, NpyType::U1,
                       NpyType::U2, NpyType::U4, NpyType::U8, NpyType::B1})
    for (std::vector<int64_t> shape :
         {std::vector<int64_t>{}, {3}, {2, 3}, {2, 0, 4}}) {
      NpyArray array;
      array.type = type;
      array.shape = shape;
      uint64_t bytes = *elementCount(shape) * npyTypeBytes(type);
      for (uint64_t i = 0; i < bytes; ++i)
        array.data.push_back(uint8_t(i));
      std::string text = serializeNpy(array);
      EXPECT_EQ((text.size() - bytes) % 64, 0U);
      llvm::Expected<NpyArray> read = parseNpy(text);
      ASSERT_TRUE(bool(read)) << toString(read.takeError());
      EXPECT_EQ(read->type, array.type);
      EXPECT_EQ(read->shape, array.shape);
      EXPECT_EQ(read->data, array.data);
    }
}

TEST(NpyFile, VersionsAndSpellings) {
  for (unsigned version : {1U, 2U, 3U})
    for (const char *header :
         {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }   \n",
          "{\"shape\":(2,2,),\"fortran_order\":False,\"descr\":\"<u1\"}"}) {
      llvm::Expected<NpyArray> array = parseNpy(file(version, header, "abcd"));
      ASSERT_TRUE(bool(array)) << toString(array.takeError());
      EXPECT_EQ(array->shape, (std::vector<int64_t>{2, 2}));
      EXPECT_EQ(array->data, (std::vector<uint8_t>{'a', 'b', 'c', 'd'}));
    }
}

TEST(NpyFile, ColumnMajorIsTransposed) {
  // Element [i, j, k] is 6 i + 2 j + k in row-major order; in the file, i runs
  // fastest.
  std::string data;
  for (int k = 0; k < 2; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i)
        data += std::string({char(6 * i + 2 * j + k), '\0', '\0', '\0'});
  llvm::Expected<NpyArray> array = parseNpy(file(
      1, "{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3, 2)}", data));
  ASSERT_TRUE(bool(array)) << toString(array.takeError());
  ASSERT_EQ(array->data.size(), 48U);
  for (int i = 0; i < 12; ++i)
    EXPECT_EQ(array->data[4 * i], i);
}

TEST(NpyFile, ElementCount) {
  EXPECT_EQ(elementCount({}), 1U);
  EXPECT_EQ(elementCount({0, INT64_MAX, INT64_MAX}), 0U);
  EXPECT_EQ(elementCount({INT64_MAX, INT64_MAX, 0}), 0U);
  EXPECT_EQ(elementCount({INT64_MAX}), uint64_t(INT64_MAX));
  EXPECT_FALSE(elementCount({INT64_MAX, 2}));
  EXPECT_FALSE(elementCount({-1, 2}));
}

TEST(NpyFile, EveryPrefixAndEveryFlipEnds) {
  NpyArray array;
  array.shape = {2, 3};
  array.data.resize(24);
  std::string text = serializeNpy(array);
  for (size_t length = 0; length < text.size(); ++length)
    EXPECT_TRUE(bool(parseNpy(StringRef(text).take_front(length)).takeError()));
  // Any single damaged byte: an error or an array, never anything worse.
  for (size_t at = 0; at < text.size(); ++at)
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string damaged = text;
      damaged[at] = char(damaged[at] ^ (1 << bit));
      llvm::consumeError(parseNpy(damaged).takeError());
    }
}

TEST(NpyFile, MessagesNameTheFile) {
  EXPECT_EQ(toString(readNpyFile("absent.npy").takeError()),
            "'absent.npy': cannot be opened: no such file or directory");
}

TEST(NpyFile, QuotesAreEscapedAndCut) {
  EXPECT_EQ(inQuotes(StringRef("a\n\x1b[31m\0", 8)), "'a\\0A\\1B[31m\\00'");
  EXPECT_EQ(inQuotes(std::string(100, 'x')),
            "'" + std::string(80, 'x') + "...'");
  EXPECT_EQ(oneLine("a\n\tb \n"), "a b");
}
