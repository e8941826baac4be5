//===- Lexer.h - Splits PTX text into tokens ------------------ -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_EMULATOR_LEXER_H
#define SPARSEATTN_LIB_EMULATOR_LEXER_H

#include "SparseAttn/Emulator/Emulator.h"

namespace sparse_attn::emulator {

struct Token {
  enum Kind : uint8_t {
    End,
    Word,    // name, %name, $name
    Dotted,  // .name; the text excludes the dot
    Integer, // value
    Float32, // value holds the bits
    Float64, // value holds the bits
    String,  // without its quotes
    Punct    // one character
  };
  Kind kind = End;
  unsigned line = 0;
  uint64_t value = 0;
  std::string_view text;

  bool is(char c) const { return kind == Punct && text[0] == c; }
  bool dotted(std::string_view name) const {
    return kind == Dotted && text == name;
  }
  bool word(std::string_view name) const {
    return kind == Word && text == name;
  }
};

/// Tokenises all of `text`; the views point into it. The last token is End.
/// Returns false and fills `error` for a character or number that is not PTX.
bool lex(std::string_view text, std::vector<Token> &tokens, Error &error);

} // namespace sparse_attn::emulator

#endif // SPARSEATTN_LIB_EMULATOR_LEXER_H
