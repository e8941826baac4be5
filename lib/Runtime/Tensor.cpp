//===- Tensor.cpp - Arguments of kernels on the host ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/Tensor.h"

#include "llvm/Support/ErrorHandling.h"

#include <cmath>
#include <cstring>

using namespace llvm;

namespace sparse_attn::runtime {

std::string Tensor::position(uint64_t index) const {
  std::vector<int64_t> result(shape.size());
  for (size_t dim = shape.size(); dim-- > 0;) {
    result[dim] = index % shape[dim];
    index /= shape[dim];
  }
  return shapeText(result);
}

template <typename T>
static T load(const uint8_t *source) {
  T value;
  std::memcpy(&value, source, sizeof(T));
  return value;
}

template <typename T>
static void store(uint8_t *target, T value) {
  std::memcpy(target, &value, sizeof(T));
}

static double loadNpy(NpyType type, const uint8_t *source) {
  switch (type) {
  case NpyType::F2:
    return doubleFromHalf(load<uint16_t>(source));
  case NpyType::F4:
    return load<float>(source);
  case NpyType::F8:
    return load<double>(source);
  case NpyType::I1:
    return load<int8_t>(source);
  case NpyType::I2:
    return load<int16_t>(source);
  case NpyType::I4:
    return load<int32_t>(source);
  case NpyType::I8:
    return double(load<int64_t>(source));
  case NpyType::U2:
    return load<uint16_t>(source);
  case NpyType::U4:
    return load<uint32_t>(source);
  case NpyType::U8:
    return double(load<uint64_t>(source));
  case NpyType::U1:
  case NpyType::B1:
    return *source;
  }
  llvm_unreachable("all types are handled");
}

static void storeFloat(ElementType type, uint8_t *target, double value) {
  if (type == ElementType::F16)
    store(target, halfFromDouble(value));
  else if (type == ElementType::BF16)
    store(target, bfloatFromDouble(value));
  else
    store(target, static_cast<float>(value));
}

static Error convertFloats(const NpyArray &array, Tensor &tensor,
                           uint64_t &overflowed) {
  unsigned from = npyTypeBytes(array.type), to = elementBytes(tensor.type);
  uint64_t count = array.data.size() / from;
  for (uint64_t i = 0; i < count; ++i) {
    double value = loadNpy(array.type, &array.data[i * from]);
    storeFloat(tensor.type, &tensor.data[i * to], value);
    if (std::isfinite(value) && !std::isfinite(tensor.element(i)))
      ++overflowed;
  }
  return Error::success();
}

static Error convertIntegers(const NpyArray &array, Tensor &tensor) {
  unsigned from = npyTypeBytes(array.type);
  uint64_t count = array.data.size() / from;
  for (uint64_t i = 0; i < count; ++i) {
    const uint8_t *source = &array.data[i * from];
    int64_t value = array.type == NpyType::I4 ? load<int32_t>(source)
                                              : load<int64_t>(source);
    if (tensor.type == ElementType::I64) {
      store(&tensor.data[i * 8], value);
      continue;
    }
    if (value < INT32_MIN || value > INT32_MAX)
      return fail("expected values that fit into i32, found " + Twine(value) +
                  " at " + tensor.position(i));
    store(&tensor.data[i * 4], int32_t(value));
  }
  return Error::success();
}

static Error checkTruthValues(const Tensor &tensor) {
  for (uint64_t i = 0; i < tensor.data.size(); ++i)
    if (tensor.data[i] > 1)
      return fail("expected 0 or 1 in every element of an i1 tensor, found " +
                  Twine(unsigned(tensor.data[i])) + " at " +
                  tensor.position(i));
  return Error::success();
}

Expected<Tensor> tensorFromNpy(const NpyArray &array, ElementType type,
                               uint64_t *overflowed) {
  bool fromFloat = array.type == NpyType::F2 || array.type == NpyType::F4 ||
                   array.type == NpyType::F8;
  bool fromInteger = array.type == NpyType::I4 || array.type == NpyType::I8;
  bool fromByte = array.type == NpyType::U1 || array.type == NpyType::B1;
  bool isInteger = type == ElementType::I32 || type == ElementType::I64;
  StringRef accepted = isFloat(type) ? "f2, f4 or f8"
                       : isInteger   ? "i4 or i8"
                                     : "b1 or u1";
  bool matches = isFloat(type) ? fromFloat : isInteger ? fromInteger : fromByte;
  if (!matches)
    return fail("expected " + accepted + " for an argument of type " +
                elementName(type) + ", found " + npyTypeName(array.type));

  Tensor tensor;
  tensor.type = type;
  tensor.shape = array.shape;
  uint64_t lost = 0;
  bool sameBits = (type == ElementType::F16 && array.type == NpyType::F2) ||
                  (type == ElementType::F32 && array.type == NpyType::F4) ||
                  (type == ElementType::I32 && array.type == NpyType::I4) ||
                  (type == ElementType::I64 && array.type == NpyType::I8) ||
                  type == ElementType::I1;
  Error error = Error::success();
  if (sameBits) {
    tensor.data = array.data;
  } else {
    uint64_t count = array.data.size() / npyTypeBytes(array.type);
    tensor.data.resize(count * elementBytes(type));
    error = isFloat(type) ? convertFloats(array, tensor, lost)
                          : convertIntegers(array, tensor);
  }
  if (!error && type == ElementType::I1)
    error = checkTruthValues(tensor);
  if (error)
    return std::move(error);
  if (overflowed)
    *overflowed = lost;
  return std::move(tensor);
}

static NpyType npyTypeFor(ElementType type) {
  switch (type) {
  case ElementType::F16:
    return NpyType::F2;
  case ElementType::BF16:
  case ElementType::F32:
    return NpyType::F4;
  case ElementType::I1:
    return NpyType::B1;
  case ElementType::I32:
    return NpyType::I4;
  case ElementType::I64:
    return NpyType::I8;
  }
  llvm_unreachable("all element types are handled");
}

NpyArray npyFromTensor(const Tensor &tensor) {
  NpyArray array;
  array.type = npyTypeFor(tensor.type);
  array.shape = tensor.shape;
  unsigned to = npyTypeBytes(array.type);
  if (tensor.type == ElementType::BF16) {
    array.data.resize(tensor.size() * to);
    for (uint64_t i = 0; i < tensor.size(); ++i)
      store(&array.data[i * to], static_cast<float>(tensor.element(i)));
  } else {
    array.data = tensor.data;
  }
  for (uint64_t i = 0; i < tensor.written.size(); ++i) {
    if (tensor.written[i])
      continue;
    uint8_t *target = &array.data[i * to];
    if (array.type == NpyType::F2)
      store(target, halfFromDouble(NAN));
    else if (array.type == NpyType::F4)
      store<float>(target, NAN);
    else
      std::memset(target, 0, to);
  }
  return array;
}

Expected<Difference> compare(const Tensor &found, const NpyArray &expected,
                             double absolute, double relative) {
  if (expected.shape != found.shape)
    return fail("expected the shape " + shapeText(expected.shape) + ", found " +
                shapeText(found.shape));
  unsigned bytes = npyTypeBytes(expected.type);
  Difference result;
  for (uint64_t i = 0; i < found.size(); ++i) {
    if (!found.isWritten(i))
      continue;
    ++result.compared;
    double want = loadNpy(expected.type, &expected.data[i * bytes]);
    double have = found.element(i);
    if (want == have || (std::isnan(want) && std::isnan(have)))
      continue;
    double difference = std::fabs(have - want);
    if (std::isfinite(difference))
      result.largest = std::max(result.largest, difference);
    // Written so that a NaN or an infinity on one side counts.
    if (std::isfinite(difference) &&
        difference <= absolute + relative * std::fabs(want))
      continue;
    if (result.count++ == 0) {
      result.firstIndex = i;
      result.firstExpected = want;
      result.firstFound = have;
    }
  }
  return result;
}

} // namespace sparse_attn::runtime
