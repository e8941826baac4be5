//===- Parser.h - PTX text to Program::Impl ------------------- -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_PARSER_H
#define SPARSEATTN_LIB_EMULATOR_PARSER_H

#include "Decoder.h"
#include "Lexer.h"

#include <algorithm>

namespace sparse_attn::emulator {

/// Reads tokens; what the module and the body parsers share. Every `expect`
/// returns false after an error.
class TokenReader {
public:
  TokenReader(const std::vector<Token> &tokens, size_t &pos, Error &error)
      : tokens(tokens), pos(pos), error(error) {}

protected:
  const Token &peek(size_t ahead = 0) const {
    return tokens[std::min(pos + ahead, tokens.size() - 1)];
  }
  const Token &next() {
    const Token &token = peek();
    if (pos + 1 < tokens.size())
      ++pos;
    return token;
  }
  bool accept(char c) {
    if (!peek().is(c))
      return false;
    next();
    return true;
  }
  bool fail(std::string message);
  bool failFound(std::string wanted); // "expected X, found Y"
  bool expect(char c);
  bool expectWord(std::string_view &word, const char *what);
  bool expectInteger(uint64_t &value, const char *what);
  /// Skips a balanced {...}; the brace is the next token.
  bool skipBraces();
  /// Skips to the end of the line of the directive just read.
  void skipLine(unsigned line);
  bool skipStatement(); // past the next ';'

  /// The part of a variable after its state space: `.align n .type name[n]`.
  /// An empty dimension is allowed if `variable.dynamic` may be set.
  bool parseVariable(Variable &variable, std::string_view &name, Type &type);

  const std::vector<Token> &tokens;
  size_t &pos;
  Error &error;
};

/// Parses the body of an entry point; the opening brace is the next token.
bool parseBody(const std::vector<Token> &tokens, size_t &pos,
               KernelBuilder &builder, Error &error);

bool parseModule(std::string_view text, Program::Impl &program, Error &error);

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_PARSER_H
