//===- Lexer.cpp - Splits PTX text into tokens ----------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Lexer.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace sparse_attn::emulator;

namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isWordStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '$' || c == '%';
}
bool isWord(char c) { return isWordStart(c) || isDigit(c); }

int digitOf(char c) {
  if (isDigit(c))
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return 99;
}

class Scanner {
public:
  Scanner(std::string_view text, std::vector<Token> &tokens, Error &error)
      : text(text), tokens(tokens), error(error) {}

  bool run() {
    while (skipBlank()) {
      Token token;
      token.line = line;
      if (!scan(token))
        return false;
      tokens.push_back(token);
    }
    if (error.message.empty()) {
      Token end;
      end.line = line;
      tokens.push_back(end);
      return true;
    }
    return false;
  }

private:
  char at(size_t i) const { return i < text.size() ? text[i] : '\0'; }

  bool fail(std::string message) {
    error = {line, std::move(message)};
    return false;
  }

  /// Skips blanks and comments; false at the end of the text.
  bool skipBlank() {
    while (pos < text.size()) {
      char c = text[pos];
      if (c == '\n') {
        ++line;
        ++pos;
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
        ++pos;
      } else if (c == '/' && at(pos + 1) == '/') {
        while (pos < text.size() && text[pos] != '\n')
          ++pos;
      } else if (c == '/' && at(pos + 1) == '*') {
        size_t close = text.find("*/", pos + 2);
        if (close == std::string_view::npos)
          return fail("comment is never closed");
        for (; pos < close + 2; ++pos)
          line += text[pos] == '\n';
      } else {
        return true;
      }
    }
    return false;
  }

  bool scan(Token &token) {
    char c = text[pos];
    size_t begin = pos;
    if (isWordStart(c)) {
      while (isWord(at(pos)))
        ++pos;
      token.kind = Token::Word;
      token.text = text.substr(begin, pos - begin);
      return true;
    }
    if (isDigit(c))
      return scanNumber(token);
    if (c == '.') {
      // Modifiers may hold "::", as in ".shared::cta".
      for (++pos; isWord(at(pos)) || (at(pos) == ':' && at(pos + 1) == ':');)
        pos += at(pos) == ':' ? 2 : 1;
      token.kind = Token::Dotted;
      token.text = text.substr(begin + 1, pos - begin - 1);
      return !token.text.empty() || fail("expected a name after '.'");
    }
    if (c == '"') {
      size_t close = begin + 1;
      while (close < text.size() && text[close] != '"' && text[close] != '\n')
        close += text[close] == '\\' && close + 1 < text.size() ? 2 : 1;
      if (close >= text.size() || text[close] != '"')
        return fail("string is never closed");
      token.kind = Token::String;
      token.text = text.substr(begin + 1, close - begin - 1);
      pos = close + 1;
      return true;
    }
    if (c != '\0' && std::strchr("{}[]()<>,;:|@!+-=*&~^/", c)) {
      ++pos;
      token.kind = Token::Punct;
      token.text = text.substr(begin, 1);
      return true;
    }
    char hex[8];
    std::snprintf(hex, sizeof hex, "0x%02x", static_cast<unsigned char>(c));
    return fail(std::string("unexpected character ") + hex);
  }

  bool hexBits(Token &token, Token::Kind kind, unsigned digits) {
    for (unsigned i = 0; i < digits; ++i, ++pos) {
      int digit = digitOf(at(pos));
      if (digit > 15)
        return fail("expected " + std::to_string(digits) +
                    " hexadecimal digits in a floating-point literal");
      token.value = token.value << 4 | static_cast<unsigned>(digit);
    }
    token.kind = kind;
    return !isWord(at(pos)) || fail("malformed number");
  }

  bool scanNumber(Token &token) {
    char second = at(pos + 1);
    if (text[pos] == '0' && (second == 'f' || second == 'F')) {
      pos += 2;
      return hexBits(token, Token::Float32, 8);
    }
    if (text[pos] == '0' && (second == 'd' || second == 'D')) {
      pos += 2;
      return hexBits(token, Token::Float64, 16);
    }
    int base = 10;
    size_t begin = pos;
    if (text[pos] == '0' && (second == 'x' || second == 'X')) {
      base = 16;
      pos += 2;
    } else if (text[pos] == '0' && (second == 'b' || second == 'B')) {
      base = 2;
      pos += 2;
    }
    size_t digits = pos;
    while (isDigit(at(pos)) || (base == 16 && digitOf(at(pos)) < 16))
      ++pos;
    if (base == 10 && (at(pos) == '.' || at(pos) == 'e' || at(pos) == 'E'))
      return scanDecimalFloat(token, begin);
    if (base == 10 && text[begin] == '0' && pos - begin > 1)
      base = 8;
    for (size_t i = digits; i < pos; ++i) {
      int digit = digitOf(text[i]);
      if (digit >= base || token.value > (~0ull - digit) / base)
        return fail("integer literal is malformed or exceeds 64 bits");
      token.value = token.value * base + digit;
    }
    if (digits == pos)
      return fail("malformed number");
    if (at(pos) == 'U')
      ++pos;
    token.kind = Token::Integer;
    return !isWord(at(pos)) || fail("malformed number");
  }

  bool scanDecimalFloat(Token &token, size_t begin) {
    while (isDigit(at(pos)) || at(pos) == '.')
      ++pos;
    if (at(pos) == 'e' || at(pos) == 'E') {
      ++pos;
      if (at(pos) == '+' || at(pos) == '-')
        ++pos;
      while (isDigit(at(pos)))
        ++pos;
    }
    std::string copy(text.substr(begin, pos - begin));
    char *end = nullptr;
    double value = std::strtod(copy.c_str(), &end);
    if (*end != '\0' || isWord(at(pos)))
      return fail("malformed number");
    std::memcpy(&token.value, &value, sizeof value);
    token.kind = Token::Float64;
    return true;
  }

  std::string_view text;
  std::vector<Token> &tokens;
  Error &error;
  size_t pos = 0;
  unsigned line = 1;
};

} // namespace

bool sparse_attn::emulator::lex(std::string_view text,
                                std::vector<Token> &tokens, Error &error) {
  return Scanner(text, tokens, error).run();
}
