//===- TokenReader.cpp - Token helpers of the parsers ---------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Parser.h"

#include <algorithm>

using namespace sparse_attn::emulator;

bool TokenReader::fail(std::string message) {
  // What is wrong has been read already.
  if (error.message.empty())
    error = {tokens[pos ? pos - 1 : 0].line, std::move(message)};
  return false;
}

bool TokenReader::failFound(std::string wanted) {
  const Token &token = peek();
  std::string found;
  switch (token.kind) {
  case Token::End:
    found = "the end of the text";
    break;
  case Token::Integer:
  case Token::Float32:
  case Token::Float64:
    found = "a number";
    break;
  case Token::Dotted:
    found = "'." + std::string(token.text.substr(0, 40)) + "'";
    break;
  default:
    found = "'" + std::string(token.text.substr(0, 40)) + "'";
    break;
  }
  if (error.message.empty())
    error = {token.line, "expected " + wanted + ", found " + found};
  return false;
}

bool TokenReader::expect(char c) {
  return accept(c) || failFound(std::string("'") + c + "'");
}

bool TokenReader::expectWord(std::string_view &word, const char *what) {
  if (peek().kind != Token::Word)
    return failFound(what);
  word = next().text;
  return true;
}

bool TokenReader::expectInteger(uint64_t &value, const char *what) {
  if (peek().kind != Token::Integer)
    return failFound(what);
  value = next().value;
  return true;
}

bool TokenReader::skipBraces() {
  if (!expect('{'))
    return false;
  for (size_t depth = 1; depth > 0;) {
    const Token &token = next();
    if (token.kind == Token::End)
      return failFound("'}'");
    depth += token.is('{');
    depth -= token.is('}');
  }
  return true;
}

void TokenReader::skipLine(unsigned line) {
  while (peek().kind != Token::End && peek().line == line)
    next();
}

bool TokenReader::skipStatement() {
  while (!peek().is(';')) {
    if (peek().kind == Token::End)
      return failFound("';'");
    next();
  }
  next();
  return true;
}

bool TokenReader::parseVariable(Variable &variable, std::string_view &name,
                                Type &type) {
  type = Type::None;
  bool isPointer = false;
  uint64_t align = 0, vector = 1;
  while (peek().kind == Token::Dotted) {
    std::string_view word = next().text;
    if (word == "align") {
      uint64_t value;
      if (!expectInteger(value, "an alignment"))
        return false;
      if (value == 0 || (value & (value - 1)) || value > 4096)
        return fail("alignment must be a power of two up to 4096, found " +
                    std::to_string(value));
      // After .ptr this is the alignment of what the pointer points to.
      if (!isPointer)
        align = value;
    } else if (word == "ptr") {
      isPointer = true;
    } else if (word == "v2" || word == "v4") {
      vector = word[1] - '0';
    } else if (isPointer && (word == "global" || word == "shared" ||
                             word == "const" || word == "local")) {
      continue;
    } else if (Type found = typeNamed(word); found != Type::None) {
      type = found;
      variable.type = word;
    } else {
      return fail("directive '." + std::string(word) +
                  "' is not supported in a declaration");
    }
  }
  if (type == Type::None || type == Type::Pred)
    return failFound("a type");
  if (!expectWord(name, "a name"))
    return false;
  variable.name = name;
  variable.isPointer = isPointer;
  uint64_t unit = bitsOf(type) / 8 * vector;
  variable.align = static_cast<uint32_t>(std::max(align, unit));
  variable.bytes = unit;
  constexpr uint64_t limit = 1ull << 28;
  for (bool first = true; accept('['); first = false) {
    uint64_t count = 0;
    if (first && peek().is(']')) {
      variable.dynamic = true;
    } else if (!expectInteger(count, "a number of elements")) {
      return false;
    }
    if (count > limit || variable.bytes * count > limit)
      return fail("variable '" + variable.name + "' is larger than 256 MiB");
    variable.bytes *= count;
    if (!expect(']'))
      return false;
  }
  return true;
}
