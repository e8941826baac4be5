//===- Arguments.cpp - Values for the parameters of a kernel ------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Arguments.h"

#include "SparseAttn/Runtime/Element.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <cmath>
#include <cstring>

using namespace llvm;
using namespace sparse_attn::runtime;
using sparse_attn::emulator::EntryPoint;
using sparse_attn::emulator::Parameter;

namespace sparse_attn::emulate {

/// The width of a PTX type such as "u32" in bytes, or 0.
static unsigned typeBytes(StringRef type) {
  if (type == "bf16")
    return 2;
  unsigned bits = 0;
  if (type.size() < 2 || !StringRef("iusbf").contains(type[0]) ||
      type.drop_front().getAsInteger(10, bits) ||
      (bits != 8 && bits != 16 && bits != 32 && bits != 64) ||
      (type[0] == 'f' && bits == 8))
    return 0;
  return bits / 8;
}

static std::string parameterText(const Parameter &parameter) {
  std::string text = "." + parameter.type;
  if (parameter.isPointer)
    text += " .ptr";
  return text + " " + parameter.name + " (" + std::to_string(parameter.bytes) +
         " byte" + (parameter.bytes == 1 ? ")" : "s)");
}

std::string describeParameter(const EntryPoint &entry, size_t index) {
  return std::to_string(index + 1) + ": " +
         parameterText(entry.parameters[index]);
}

/// The bits of the number `text` in `type`; nothing if it is none or does not
/// fit.
static std::optional<uint64_t> numberBits(StringRef text, StringRef type) {
  unsigned bytes = typeBytes(type);
  if (type[0] == 'f' || type == "bf16") {
    double value;
    if (text.getAsDouble(value))
      return std::nullopt;
    uint64_t bits = 0;
    float single = static_cast<float>(value);
    if (type == "bf16")
      bits = bfloatFromDouble(value);
    else if (bytes == 2)
      bits = halfFromDouble(value);
    else
      std::memcpy(&bits, bytes == 4 ? static_cast<void *>(&single) : &value,
                  bytes);
    return bits;
  }
  // Bits and integers take both signs as long as the value fits.
  uint64_t magnitude;
  bool negative = text.consume_front("-");
  if (text.getAsInteger(0, magnitude))
    return std::nullopt;
  unsigned bits = 8 * bytes;
  uint64_t limit =
      negative ? uint64_t(1) << (bits - 1) : ~uint64_t(0) >> (64 - bits);
  if (type[0] == 'u' && negative && magnitude)
    return std::nullopt;
  if ((type[0] == 's' || type[0] == 'i') && !negative)
    limit >>= 1;
  if (magnitude > limit)
    return std::nullopt;
  return negative ? 0 - magnitude : magnitude;
}

namespace {
/// Reads the text of one argument.
class ArgumentReader {
public:
  ArgumentReader(StringRef text, const Parameter &parameter,
                 uint64_t &memoryLeft)
      : text(text), parameter(parameter), memoryLeft(memoryLeft) {}

  Expected<Argument> read();

private:
  Error expected(const Twine &what) {
    return fail("expected " + what + ", found " + inQuotes(text));
  }
  Expected<Argument> readFile(StringRef path);
  Expected<Argument> readNewArray(StringRef rest, bool zeros);
  Expected<Argument> readBytes(StringRef path);
  Expected<Argument> readNumber();
  Error takeMemory(uint64_t bytes);
  Expected<Argument> readMap(StringRef rest);
  Expected<Argument> readBuffer();
  Error requirePointer();

  StringRef text;
  const Parameter &parameter;
  uint64_t &memoryLeft;
};
} // namespace

Error ArgumentReader::takeMemory(uint64_t bytes) {
  if (bytes > memoryLeft)
    return fail("expected buffers within --memory-limit, found " +
                Twine(bytes) + " bytes where " + Twine(memoryLeft) +
                " are left");
  memoryLeft -= bytes;
  return Error::success();
}

Error ArgumentReader::requirePointer() {
  if (parameter.bytes != 8)
    return fail("expected a value for " + parameterText(parameter) +
                ", found the buffer " + inQuotes(text));
  return Error::success();
}

Expected<Argument> ArgumentReader::readFile(StringRef path) {
  Argument argument;
  if (path.consume_back(":write"))
    argument.writeTo = path.str();
  if (path.empty())
    return expected("a file name after @");
  Expected<NpyArray> array = readNpyFile(path, memoryLeft + (1 << 20));
  if (!array)
    return array.takeError();
  if (Error error = takeMemory(array->data.size()))
    return std::move(error);
  argument.isBuffer = true;
  argument.array = std::move(*array);
  return std::move(argument);
}

Expected<Argument> ArgumentReader::readNewArray(StringRef rest, bool zeros) {
  auto [type, afterType] = rest.split(':');
  auto [shape, target] = afterType.split(':');
  Argument argument;
  argument.isBuffer = true;
  argument.initialised = zeros;
  std::optional<NpyType> known = parseNpyType(type);
  SmallVector<StringRef> extents;
  shape.split(extents, 'x');
  bool bad = !known || extents.size() > 32;
  for (StringRef extent : extents) {
    int64_t number = 0;
    bad |= extent.getAsInteger(10, number) || number < 0;
    argument.array.shape.push_back(number);
  }
  if (!target.empty())
    bad |= !target.consume_front("@") || target.empty();
  if (bad)
    return expected("type, shape and perhaps a file, such as f4:4x128:@y.npy");
  argument.array.type = *known;
  std::optional<uint64_t> count = elementCount(argument.array.shape);
  unsigned bytes = npyTypeBytes(*known);
  if (Error error = takeMemory(
          !count || *count > UINT64_MAX / bytes ? UINT64_MAX : *count * bytes))
    return std::move(error);
  argument.array.data.resize(*count * bytes);
  argument.writeTo = target.str();
  return std::move(argument);
}

Expected<Argument> ArgumentReader::readBytes(StringRef path) {
  if (!path.consume_front("@") || path.empty())
    return expected("bytes:@file.npy");
  Expected<NpyArray> array = readNpyFile(path, 1 << 20);
  if (!array)
    return array.takeError();
  if (array->data.size() != parameter.bytes)
    return fail("expected " + Twine(parameter.bytes) + " bytes for " +
                parameterText(parameter) + ", found " +
                Twine(array->data.size()) + " in " + quotedPath(path));
  Argument argument;
  argument.value = std::move(array->data);
  return std::move(argument);
}

Expected<Argument> ArgumentReader::readNumber() {
  std::string type = parameter.type;
  StringRef number = text;
  if (text.contains(':')) {
    StringRef named;
    std::tie(named, number) = text.split(':');
    if (typeBytes(named) == 0)
      return expected("@file.npy, out:..., zeros:..., null, bytes:@file.npy "
                      "or a number with a type such as i32:5");
    type = named.str();
  }
  unsigned bytes = typeBytes(type);
  if (bytes != parameter.bytes)
    return fail("expected " + Twine(parameter.bytes) + " bytes for " +
                parameterText(parameter) + ", found " + inQuotes(text) +
                " of " + Twine(bytes));
  std::optional<uint64_t> bits = numberBits(number, type);
  if (!bits)
    return expected("a number that fits into " + type);
  Argument argument;
  argument.value.resize(bytes);
  std::memcpy(argument.value.data(), &*bits, bytes);
  return std::move(argument);
}

/// "64x64[,swizzle=128]:BUFFER".
Expected<Argument> ArgumentReader::readMap(StringRef rest) {
  if (parameter.bytes != emulator::TensorMap::bytes)
    return fail("expected " + Twine(parameter.bytes) + " bytes for " +
                parameterText(parameter) + ", found a tensor map of " +
                Twine(emulator::TensorMap::bytes));
  StringRef shape, buffer;
  std::tie(shape, buffer) = rest.split(':');
  auto [box, swizzle] = shape.split(',');
  MapShape map;
  SmallVector<StringRef> extents;
  box.split(extents, 'x');
  bool bad = extents.size() > 5;
  for (StringRef extent : extents)
    bad |= extent.getAsInteger(10, map.box.emplace_back());
  if (!swizzle.empty()) {
    auto bytes =
        StringSwitch<std::optional<emulator::TensorMap::Swizzle>>(swizzle)
            .Case("swizzle=32", emulator::TensorMap::Swizzle::Bytes32)
            .Case("swizzle=64", emulator::TensorMap::Swizzle::Bytes64)
            .Case("swizzle=128", emulator::TensorMap::Swizzle::Bytes128)
            .Default(std::nullopt);
    bad |= !bytes;
    map.swizzle = bytes.value_or(map.swizzle);
  }
  std::string whole = text.str();
  if (bad)
    return expected("a box, perhaps a swizzle, and a buffer, such as "
                    "map=64x32,swizzle=64:@x.npy");
  text = buffer;
  Expected<Argument> argument = readBuffer();
  if (!argument)
    return argument.takeError();
  if (!argument->isBuffer || argument->array.shape.size() != map.box.size())
    return fail("expected an array with the " + Twine(map.box.size()) +
                " dimensions of the box, found " + inQuotes(whole));
  argument->map = std::move(map);
  return std::move(*argument);
}

Error Argument::place(uint64_t address) {
  value.resize(8);
  std::memcpy(value.data(), &address, 8);
  if (!map)
    return Error::success();
  using emulator::TensorMap;
  constexpr std::pair<NpyType, TensorMap::DataType> types[] = {
      {NpyType::F2, TensorMap::DataType::Float16},
      {NpyType::F4, TensorMap::DataType::Float32},
      {NpyType::F8, TensorMap::DataType::Float64},
      {NpyType::I1, TensorMap::DataType::UInt8},
      {NpyType::I2, TensorMap::DataType::UInt16},
      {NpyType::I4, TensorMap::DataType::Int32},
      {NpyType::I8, TensorMap::DataType::Int64},
      {NpyType::U1, TensorMap::DataType::UInt8},
      {NpyType::U2, TensorMap::DataType::UInt16},
      {NpyType::U4, TensorMap::DataType::UInt32},
      {NpyType::U8, TensorMap::DataType::UInt64},
      {NpyType::B1, TensorMap::DataType::UInt8}};
  TensorMap::DataType type = TensorMap::DataType::UInt8;
  for (auto [npy, mapped] : types)
    if (npy == array.type)
      type = mapped;
  // Dimension 0 of a map is the innermost one.
  size_t rank = array.shape.size();
  std::vector<uint64_t> sizes(array.shape.rbegin(), array.shape.rend());
  std::vector<uint32_t> box(map->box.rbegin(), map->box.rend());
  std::vector<uint32_t> steps(rank, 1);
  std::vector<uint64_t> strides;
  uint64_t stride = npyTypeBytes(array.type);
  for (size_t i = 0; i + 1 < rank; ++i)
    strides.push_back(stride *= sizes[i]);
  TensorMap::Encoded encoded;
  if (std::optional<std::string> fault = TensorMap::encodeTiled(
          encoded, type, uint32_t(rank), address, sizes.data(), strides.data(),
          box.data(), steps.data(), TensorMap::Interleave::None, map->swizzle,
          TensorMap::L2Promotion::None, TensorMap::OobFill::None))
    return fail("tensor map: " + *fault);
  value.assign(encoded.begin(), encoded.end());
  return Error::success();
}

Expected<Argument> ArgumentReader::read() {
  StringRef rest = text;
  if (rest.consume_front("map="))
    return readMap(rest);
  if (rest.consume_front("bytes:"))
    return readBytes(rest);
  if (!text.starts_with("@") && !text.starts_with("zeros:") &&
      !text.starts_with("out:") && text != "null")
    return readNumber();
  if (Error error = requirePointer())
    return std::move(error);
  return readBuffer();
}

Expected<Argument> ArgumentReader::readBuffer() {
  StringRef rest = text;
  bool isFile = rest.consume_front("@");
  bool zeros = !isFile && rest.consume_front("zeros:");
  bool isNew = zeros || (!isFile && rest.consume_front("out:"));
  if (isFile)
    return readFile(rest);
  if (isNew)
    return readNewArray(rest, zeros);
  Argument null;
  null.value.resize(8);
  return std::move(null);
}

Expected<std::vector<Argument>> parseArguments(ArrayRef<std::string> texts,
                                               const EntryPoint &entry,
                                               uint64_t memoryLimit) {
  size_t count = entry.parameters.size();
  if (texts.size() != count) {
    std::string list;
    for (size_t i = 0; i < count; ++i)
      list += (i ? ", " : " (") + describeParameter(entry, i);
    return fail("--arg: expected " + Twine(count) + " for the parameters of '" +
                entry.name + "'" + list + (list.empty() ? "" : ")") +
                ", found " + Twine(texts.size()));
  }
  std::vector<Argument> arguments;
  for (size_t i = 0; i < count; ++i) {
    Expected<Argument> argument =
        ArgumentReader(texts[i], entry.parameters[i], memoryLimit).read();
    if (!argument)
      return fail("argument " + Twine(i + 1) + ": " +
                  toString(argument.takeError()));
    arguments.push_back(std::move(*argument));
  }
  return std::move(arguments);
}

} // namespace sparse_attn::emulate
