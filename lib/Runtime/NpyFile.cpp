//===- NpyFile.cpp - Reads and writes .npy arrays -------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/NpyFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace llvm;

namespace sparse_attn::runtime {

static constexpr StringLiteral magic("\x93NUMPY");
static constexpr size_t maximumHeader = 64 * 1024;
static constexpr size_t maximumRank = 32;

static constexpr std::pair<NpyType, StringLiteral> typeNames[] = {
    {NpyType::F2, "f2"}, {NpyType::F4, "f4"}, {NpyType::F8, "f8"},
    {NpyType::I1, "i1"}, {NpyType::I2, "i2"}, {NpyType::I4, "i4"},
    {NpyType::I8, "i8"}, {NpyType::U1, "u1"}, {NpyType::U2, "u2"},
    {NpyType::U4, "u4"}, {NpyType::U8, "u8"}, {NpyType::B1, "b1"}};

StringRef npyTypeName(NpyType type) {
  for (const auto &[known, name] : typeNames)
    if (known == type)
      return name;
  llvm_unreachable("all types are listed");
}

std::optional<NpyType> parseNpyType(StringRef name) {
  for (const auto &[type, known] : typeNames)
    if (known == name)
      return type;
  return std::nullopt;
}

unsigned npyTypeBytes(NpyType type) { return npyTypeName(type)[1] - '0'; }

namespace {
/// What the header says, before it is checked against the data.
struct Header {
  NpyType type = NpyType::F4;
  bool columnMajor = false;
  std::vector<int64_t> shape;
};

/// Parses the header, a Python dictionary literal of three known entries.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : rest(text) {}
  Expected<Header> parse();

private:
  void skipSpace() { rest = rest.ltrim(" \t\r\n"); }
  bool consume(char c) {
    skipSpace();
    return rest.consume_front(StringRef(&c, 1));
  }
  std::string found() {
    skipSpace();
    return rest.empty() ? "the end of the header"
                        : inQuotes(rest.take_front(16));
  }
  Error parseString(StringRef what, StringRef &result);
  Error parseEntry(StringRef key);
  Error parseType();
  Error parseOrder();
  Error parseShape();

  StringRef rest;
  Header header;
  bool hasType = false, hasOrder = false, hasShape = false;
};
} // namespace

Error HeaderParser::parseString(StringRef what, StringRef &result) {
  skipSpace();
  char quote = rest.empty() ? 0 : rest.front();
  size_t end = StringRef::npos;
  if (quote == '\'' || quote == '"')
    end = rest.find(quote, 1);
  if (end == StringRef::npos)
    return fail("header: expected " + what + " in quotes, found " + found());
  result = rest.slice(1, end);
  rest = rest.drop_front(end + 1);
  return Error::success();
}

Error HeaderParser::parseType() {
  constexpr StringLiteral expected(
      "header: expected 'descr' one of <f2, <f4, <f8, |i1, <i2, <i4, <i8, |u1, "
      "<u2, <u4, <u8, |b1; found ");
  skipSpace();
  if (rest.starts_with("["))
    return fail(expected + "a structured type");
  StringRef text;
  if (Error error = parseString("a type", text))
    return error;
  StringRef name = text;
  char order = name.empty() ? 0 : name.front();
  if (order == '<' || order == '|' || order == '>' || order == '=')
    name = name.drop_front();
  if (name.starts_with("O"))
    return fail(expected + inQuotes(text) + ", which holds Python objects");
  std::optional<NpyType> type = parseNpyType(name);
  if (!type)
    return fail(expected + inQuotes(text));
  if (order == '>' && npyTypeBytes(*type) > 1)
    return fail(expected + inQuotes(text) + ", which is big-endian");
  bool ordered = order == '<' || npyTypeBytes(*type) == 1;
  if (!ordered)
    return fail(expected + inQuotes(text));
  header.type = *type;
  return Error::success();
}

Error HeaderParser::parseOrder() {
  skipSpace();
  if (rest.consume_front("True"))
    header.columnMajor = true;
  else if (!rest.consume_front("False"))
    return fail("header: expected 'fortran_order' True or False, found " +
                found());
  return Error::success();
}

Error HeaderParser::parseShape() {
  if (!consume('('))
    return fail("header: expected 'shape' in parentheses, found " + found());
  bool separated = true;
  while (!consume(')')) {
    if (!separated)
      return fail("header: expected ',' or ')' in 'shape', found " + found());
    skipSpace();
    StringRef digits = rest.take_while(isDigit);
    int64_t extent;
    if (digits.empty() || digits.getAsInteger(10, extent))
      return fail("header: expected an extent from 0 to 2^63-1 in 'shape', "
                  "found " +
                  found());
    rest = rest.drop_front(digits.size());
    header.shape.push_back(extent);
    if (header.shape.size() > maximumRank)
      return fail("header: expected at most " + Twine(maximumRank) +
                  " dimensions, found more");
    separated = consume(',');
  }
  // "(3)" is a number in Python; only "(3,)" is a shape.
  if (header.shape.size() == 1 && !separated)
    return fail("header: expected ',' after the only extent of 'shape', found "
                "')'");
  return Error::success();
}

Error HeaderParser::parseEntry(StringRef key) {
  bool *seen = StringSwitch<bool *>(key)
                   .Case("descr", &hasType)
                   .Case("fortran_order", &hasOrder)
                   .Case("shape", &hasShape)
                   .Default(nullptr);
  if (!seen)
    return fail("header: expected 'descr', 'fortran_order' or 'shape', found " +
                inQuotes(key));
  if (*seen)
    return fail("header: expected " + inQuotes(key) + " once, found it twice");
  *seen = true;
  if (!consume(':'))
    return fail("header: expected ':' after " + inQuotes(key) + ", found " +
                found());
  if (seen == &hasType)
    return parseType();
  return seen == &hasOrder ? parseOrder() : parseShape();
}

Expected<Header> HeaderParser::parse() {
  if (!consume('{'))
    return fail("header: expected '{', found " + found());
  bool separated = true;
  while (!consume('}')) {
    if (!separated)
      return fail("header: expected ',' or '}', found " + found());
    StringRef key;
    if (Error error = parseString("a key", key))
      return error;
    if (Error error = parseEntry(key))
      return error;
    separated = consume(',');
  }
  skipSpace();
  if (!rest.empty())
    return fail("header: expected its end after '}', found " + found());
  const char *missing = !hasType    ? "descr"
                        : !hasOrder ? "fortran_order"
                        : !hasShape ? "shape"
                                    : nullptr;
  if (missing)
    return fail("header: expected '" + Twine(missing) + "', found none");
  return std::move(header);
}

/// Copies a column-major array into row-major order.
static std::vector<uint8_t> transposed(StringRef data, ArrayRef<int64_t> shape,
                                       unsigned bytes) {
  std::vector<uint8_t> result(data.size());
  std::vector<uint64_t> strides(shape.size());
  uint64_t stride = bytes;
  for (auto [index, extent] : enumerate(shape)) {
    strides[index] = stride;
    stride *= extent;
  }
  std::vector<int64_t> position(shape.size(), 0);
  uint64_t source = 0;
  for (uint64_t target = 0; target < data.size(); target += bytes) {
    std::memcpy(&result[target], data.data() + source, bytes);
    for (size_t dim = shape.size(); dim-- > 0;) {
      source += strides[dim];
      if (++position[dim] < shape[dim])
        break;
      source -= strides[dim] * shape[dim];
      position[dim] = 0;
    }
  }
  return result;
}

Expected<NpyArray> parseNpy(StringRef contents) {
  if (!contents.starts_with(magic))
    return fail("expected a .npy file, found " +
                (contents.empty()
                     ? std::string("an empty file")
                     : "the bytes " + inQuotes(contents.take_front(6))));
  StringRef rest = contents.drop_front(magic.size());
  if (rest.size() < 2)
    return fail("expected the format's version, found the end of the file");
  unsigned version = uint8_t(rest[0]);
  if (version < 1 || version > 3)
    return fail("expected version 1, 2 or 3 of the format, found " +
                Twine(version));
  rest = rest.drop_front(2);
  size_t lengthBytes = version == 1 ? 2 : 4;
  if (rest.size() < lengthBytes)
    return fail("expected the header's length, found the end of the file");
  size_t length = version == 1 ? support::endian::read16le(rest.data())
                               : support::endian::read32le(rest.data());
  rest = rest.drop_front(lengthBytes);
  if (length > maximumHeader)
    return fail("expected a header of at most " + Twine(maximumHeader) +
                " bytes, found " + Twine(length));
  if (rest.size() < length)
    return fail("expected a header of " + Twine(length) + " bytes, found " +
                Twine(rest.size()));
  Expected<Header> header = HeaderParser(rest.take_front(length)).parse();
  if (!header)
    return header.takeError();
  StringRef data = rest.drop_front(length);

  std::optional<uint64_t> count = elementCount(header->shape);
  unsigned bytes = npyTypeBytes(header->type);
  if (!count || *count > uint64_t(INT64_MAX) / bytes)
    return fail("expected fewer than 2^63 bytes, found the shape " +
                shapeText(header->shape) + " of " + npyTypeName(header->type));
  if (data.size() != *count * bytes)
    return fail("expected " + Twine(*count * bytes) + " bytes of data for " +
                shapeText(header->shape) + " of " + npyTypeName(header->type) +
                ", found " + Twine(data.size()));

  NpyArray array;
  array.type = header->type;
  if (header->columnMajor && header->shape.size() > 1)
    array.data = transposed(data, header->shape, bytes);
  else
    array.data.assign(data.bytes_begin(), data.bytes_end());
  array.shape = std::move(header->shape);
  return std::move(array);
}

std::string serializeNpy(const NpyArray &array) {
  std::string header;
  raw_string_ostream os(header);
  os << "{'descr': '" << (npyTypeBytes(array.type) == 1 ? '|' : '<')
     << npyTypeName(array.type) << "', 'fortran_order': False, 'shape': (";
  ListSeparator separator;
  for (int64_t extent : array.shape)
    os << separator << extent;
  os << (array.shape.size() == 1 ? ",), }" : "), }");
  // The data starts at a multiple of 64 bytes, as NumPy writes it.
  constexpr size_t prefix = 10;
  while ((prefix + header.size() + 1) % 64 != 0)
    header += ' ';
  header += '\n';

  std::string result = magic.str();
  result += '\1';
  result += '\0';
  char length[2];
  support::endian::write16le(length, header.size());
  result.append(length, 2);
  result += header;
  result.append(reinterpret_cast<const char *>(array.data.data()),
                array.data.size());
  return result;
}

Expected<NpyArray> readNpyFile(StringRef path, uint64_t limit) {
  Expected<std::unique_ptr<MemoryBuffer>> file = readRegularFile(path, limit);
  if (!file)
    return file.takeError();
  Expected<NpyArray> array = parseNpy((*file)->getBuffer());
  if (!array)
    return fail(quotedPath(path) + ": " + toString(array.takeError()));
  return array;
}

Error writeNpyFile(StringRef path, const NpyArray &array) {
  return writeFile(path, serializeNpy(array));
}

} // namespace sparse_attn::runtime
