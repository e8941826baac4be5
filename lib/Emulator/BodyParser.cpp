//===- BodyParser.cpp - The body of an entry point ------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Parser.h"

using namespace sparse_attn::emulator;

namespace {

class BodyParser : TokenReader {
public:
  BodyParser(const std::vector<Token> &tokens, size_t &pos,
             KernelBuilder &builder, Error &error)
      : TokenReader(tokens, pos, error), builder(builder) {}

  bool run() {
    if (!expect('{'))
      return false;
    while (true) {
      const Token &token = peek();
      bool ok = true;
      if (token.is('{')) {
        next();
        builder.openScope();
        if (++depth > 256)
          return fail("scopes are nested more than 256 deep");
      } else if (token.is('}')) {
        next();
        if (depth-- == 0)
          return true;
        builder.closeScope();
      } else if (token.is(';')) {
        next();
      } else if (token.kind == Token::Dotted) {
        ok = parseDirective();
      } else if (token.kind == Token::Word && peek(1).is(':')) {
        ok = parseLabel();
      } else if (token.kind == Token::Word || token.is('@')) {
        ok = parseStatement();
      } else {
        return failFound("an instruction or '}'");
      }
      if (!ok)
        return false;
    }
  }

private:
  bool parseDirective() {
    const Token token = next();
    if (token.text == "reg")
      return parseRegisters();
    if (token.text == "shared" || token.text == "local") {
      Variable variable;
      variable.space = token.text == "shared" ? Space::Shared : Space::Local;
      std::string_view name;
      Type type;
      if (!parseVariable(variable, name, type))
        return false;
      if (variable.dynamic)
        return fail("'" + variable.name + "' has no size");
      return expect(';') && builder.declareVariable(variable, name, token.line);
    }
    if (token.text == "loc" || token.text == "file") {
      skipLine(token.line);
      return true;
    }
    if (token.text == "pragma")
      return skipStatement();
    return fail("directive '." + std::string(token.text) +
                "' is not supported in a body");
  }

  bool parseRegisters() {
    Type type = Type::None;
    while (peek().kind == Token::Dotted) {
      type = typeNamed(peek().text);
      if (type == Type::None)
        return fail("register type '." + std::string(peek().text) +
                    "' is not supported");
      next();
    }
    if (type == Type::None)
      return failFound("a register type");
    do {
      unsigned line = peek().line;
      std::string_view name;
      if (!expectWord(name, "a register name"))
        return false;
      if (accept('<')) {
        uint64_t count;
        if (!expectInteger(count, "a number of registers") || !expect('>') ||
            !builder.declareRegisters(name, type, count, line))
          return false;
      } else if (!builder.declareRegister(name, type, line)) {
        return false;
      }
    } while (accept(','));
    return expect(';');
  }

  bool parseLabel() {
    const Token name = next();
    next();
    if (!peek().dotted("branchtargets"))
      return builder.defineLabel(name.text, name.line);
    next();
    std::vector<std::string_view> targets;
    do {
      std::string_view target;
      if (!expectWord(target, "a label"))
        return false;
      targets.push_back(target);
    } while (accept(','));
    return expect(';') && builder.defineBranchTargets(
                              name.text, std::move(targets), name.line);
  }

  bool parseStatement() {
    Statement statement;
    if (accept('@')) {
      statement.guardNegated = accept('!');
      if (!expectWord(statement.guard, "a predicate"))
        return false;
    }
    statement.line = peek().line;
    if (!expectWord(statement.base, "an instruction"))
      return false;
    while (peek().kind == Token::Dotted)
      statement.modifiers.push_back(next().text);
    // What is not known need not look like what is known.
    if (!findDecoder(statement.base)) {
      error = {statement.line,
               "unknown instruction '" + statement.opcode() + "'"};
      return false;
    }
    if (!peek().is(';')) {
      do {
        statement.operands.emplace_back();
        if (!parseOperand(statement.operands.back(), true)) {
          error.message = "'" + statement.opcode() + "': " + error.message;
          return false;
        }
      } while (accept(','));
    }
    return expect(';') && builder.add(statement);
  }

  bool parseNumber(Operand &operand) {
    bool negative = accept('-');
    const Token &token = peek();
    switch (token.kind) {
    case Token::Integer:
      operand.kind = Operand::Integer;
      operand.value = negative ? 0 - token.value : token.value;
      break;
    case Token::Float32:
      operand.kind = Operand::Float32;
      operand.value = negative ? token.value ^ 0x80000000u : token.value;
      break;
    case Token::Float64:
      operand.kind = Operand::Float64;
      operand.value = negative ? token.value ^ (1ull << 63) : token.value;
      break;
    default:
      return failFound("a number");
    }
    next();
    return true;
  }

  /// A name with its component, such as "%tid.x".
  std::string_view parseName() {
    std::string_view name = next().text;
    if (name[0] == '%' && peek().kind == Token::Dotted &&
        peek().text.data() == name.data() + name.size() + 1)
      name = {name.data(), name.size() + 1 + next().text.size()};
    return name;
  }

  bool parseOperand(Operand &operand, bool outermost) {
    const Token &token = peek();
    if (outermost && token.is('{')) {
      next();
      operand.kind = Operand::Vector;
      do {
        operand.elements.emplace_back();
        if (!parseOperand(operand.elements.back(), false))
          return false;
      } while (accept(','));
      return expect('}');
    }
    if (outermost && token.is('['))
      return parseAddress(operand);
    if (token.is('!')) {
      next();
      operand.negated = true;
      if (peek().kind != Token::Word)
        return failFound("a predicate");
    }
    if (peek().kind != Token::Word)
      return parseNumber(operand);
    if (token.word("_")) {
      next();
      operand.kind = Operand::Sink;
    } else if (token.word("WARP_SZ")) {
      next();
      operand.kind = Operand::Integer;
      operand.value = 32;
    } else {
      operand.kind = Operand::Name;
      operand.name = parseName();
    }
    if (outermost && accept('|')) {
      Operand pair;
      pair.kind = Operand::Pair;
      pair.elements.push_back(operand);
      pair.elements.emplace_back();
      if (!parseOperand(pair.elements[1], false))
        return false;
      operand = std::move(pair);
    }
    return true;
  }

  bool parseAddress(Operand &operand) {
    next();
    operand.kind = Operand::Memory;
    if (peek().kind == Token::Word) {
      operand.name = parseName();
    } else {
      Operand number;
      if (!parseNumber(number) || number.kind != Operand::Integer)
        return fail("expected a name or an integer in an address");
      operand.value = number.value;
    }
    while (peek().is('+') || peek().is('-')) {
      bool negative = next().is('-');
      Operand number;
      if (!parseNumber(number) || number.kind != Operand::Integer)
        return fail("expected an integer offset in an address");
      operand.value += negative ? 0 - number.value : number.value;
    }
    // The coordinates in a tensor.
    if (accept(',')) {
      Operand coordinates;
      if (!peek().is('{') || !parseOperand(coordinates, true))
        return failFound("coordinates in braces");
      operand.elements = std::move(coordinates.elements);
    }
    return expect(']');
  }

  KernelBuilder &builder;
  unsigned depth = 0;
};

} // namespace

std::string Statement::opcode() const {
  std::string text(base);
  for (std::string_view modifier : modifiers)
    text.append(".").append(modifier);
  return text;
}

bool sparse_attn::emulator::parseBody(const std::vector<Token> &tokens,
                                      size_t &pos, KernelBuilder &builder,
                                      Error &error) {
  return BodyParser(tokens, pos, builder, error).run();
}
