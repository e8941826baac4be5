//===- Parser.cpp - PTX text to Program::Impl -----------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Parser.h"

#include <cstring>

using namespace sparse_attn::emulator;

namespace {

class ModuleParser : TokenReader {
public:
  ModuleParser(const std::vector<Token> &tokens, Program::Impl &program,
               Error &error)
      : TokenReader(tokens, position, error), program(program) {}

  bool run() {
    while (peek().kind != Token::End)
      if (!parseTopLevel())
        return false;
    if (program.target.empty())
      return fail("expected a '.target' directive, found none");
    return true;
  }

private:
  bool parseTopLevel() {
    const Token &token = peek();
    if (token.is(';')) {
      next();
      return true;
    }
    if (token.kind != Token::Dotted)
      return failFound("a directive");
    std::string_view name = next().text;
    if (name == "version") {
      if (peek().kind != Token::Float64 && peek().kind != Token::Integer)
        return failFound("a version number");
      next();
      return true;
    }
    if (name == "target")
      return parseTarget();
    if (name == "address_size") {
      uint64_t bits;
      if (!expectInteger(bits, "an address size"))
        return false;
      return bits == 64 ||
             fail("address size must be 64, found " + std::to_string(bits));
    }
    if (name == "file" || name == "loc") {
      skipLine(token.line);
      return true;
    }
    if (name == "pragma" || name == "alias")
      return skipStatement();
    if (name == "section")
      return skipSection();
    if (name == "extern" || name == "visible" || name == "weak" ||
        name == "common") {
      isExtern |= name == "extern";
      return true; // the linkage of what follows
    }
    bool wasExtern = isExtern;
    isExtern = false;
    if (name == "entry")
      return parseEntry();
    if (name == "func")
      return skipFunction();
    if (name == "global" || name == "const" || name == "shared")
      return parseModuleVariable(name, wasExtern);
    return fail("directive '." + std::string(name) + "' is not supported");
  }

  bool parseTarget() {
    std::string_view name;
    if (!expectWord(name, "a target"))
      return false;
    program.target = name;
    while (accept(',')) // ", debug" and texturing modes
      if (!expectWord(name, "a target option"))
        return false;
    return true;
  }

  bool skipSection() {
    while (!peek().is('{')) {
      if (peek().kind == Token::End)
        return failFound("'{'");
      next();
    }
    return skipBraces();
  }

  /// Device functions are not executed; calling one is an error at the call.
  bool skipFunction() {
    while (!peek().is('{') && !peek().is(';')) {
      if (peek().kind == Token::End)
        return failFound("a function body");
      next();
    }
    if (accept(';'))
      return true;
    return skipBraces();
  }

  bool parseModuleVariable(std::string_view space, bool isExtern) {
    do {
      Variable variable;
      variable.space = space == "shared"  ? Space::Shared
                       : space == "const" ? Space::Const
                                          : Space::Global;
      std::string_view name;
      Type type;
      if (!parseVariable(variable, name, type))
        return false;
      bool isShared = variable.space == Space::Shared;
      if (variable.dynamic && !(isExtern && isShared))
        return fail("'" + variable.name + "' has no size");
      if (isExtern && !isShared)
        return fail("external variable '" + variable.name +
                    "' is not defined in this module");
      if (!isShared) {
        std::vector<uint8_t> &image = program.globalImage;
        size_t offset = (image.size() + variable.align - 1) / variable.align *
                        variable.align;
        if (offset + variable.bytes > (1u << 28))
          return fail("the variables of the module exceed 256 MiB");
        variable.offset = static_cast<uint32_t>(offset);
        image.resize(offset + variable.bytes);
        if (accept('=') && !parseInitialiser(variable, type))
          return false;
      }
      if (!variables.emplace(name, variable).second)
        return fail("variable '" + variable.name + "' is declared twice");
    } while (accept(','));
    return expect(';');
  }

  bool parseInitialiser(const Variable &variable, Type type) {
    unsigned bytes = bitsOf(type) / 8;
    uint64_t used = 0;
    unsigned depth = 0;
    do {
      while (accept('{'))
        if (++depth > 16)
          return fail("initialiser is nested more than 16 deep");
      bool negative = accept('-');
      const Token &token = peek();
      uint64_t value = token.value;
      if (token.kind == Token::Float64 && type == Type::F32) {
        double wide;
        std::memcpy(&wide, &value, sizeof wide);
        float narrow = static_cast<float>(negative ? -wide : wide);
        uint32_t bits;
        std::memcpy(&bits, &narrow, sizeof bits);
        value = bits;
      } else if (token.kind == Token::Integer) {
        value = negative ? 0 - value : value;
      } else if (token.kind == Token::Float32 || token.kind == Token::Float64) {
        value ^= negative ? 1ull << (bytes * 8 - 1) : 0;
      } else {
        return failFound("a number (addresses are not supported) in the "
                         "initialiser of '" +
                         variable.name + "'");
      }
      next();
      if (used + bytes > variable.bytes)
        return fail("initialiser of '" + variable.name + "' is too long");
      std::memcpy(&program.globalImage[variable.offset + used], &value, bytes);
      used += bytes;
      while (depth > 0 && accept('}'))
        --depth;
    } while (depth > 0 && expect(','));
    return error.message.empty();
  }

  bool parseParameters(Kernel &kernel) {
    if (!accept('(') || accept(')'))
      return true;
    do {
      if (!peek().dotted("param"))
        return failFound("'.param'");
      next();
      Variable variable;
      variable.space = Space::Param;
      std::string_view name;
      Type type;
      if (!parseVariable(variable, name, type))
        return false;
      uint64_t offset = (kernel.parameterBytes + uint64_t(variable.align) - 1) /
                        variable.align * variable.align;
      if (variable.dynamic || offset + variable.bytes > 32764)
        return fail("the parameters of '" + kernel.name +
                    "' exceed 32764 bytes at '" + variable.name + "'");
      variable.offset = static_cast<uint32_t>(offset);
      kernel.parameterBytes = static_cast<uint32_t>(offset + variable.bytes);
      kernel.parameters.push_back({variable.name, variable.type,
                                   variable.offset,
                                   static_cast<uint32_t>(variable.bytes),
                                   variable.align, variable.isPointer});
      if (!parameters.emplace(name, variable).second)
        return fail("parameter '" + variable.name + "' is declared twice");
    } while (accept(','));
    return expect(')');
  }

  bool parseThreads(std::array<uint32_t, 3> &threads) {
    threads = {1, 1, 1};
    for (unsigned i = 0; i < 3; ++i) {
      uint64_t count;
      if (!expectInteger(count, "a number"))
        return false;
      if (count == 0 || count > 1024)
        return fail("number must be 1 to 1024, found " + std::to_string(count));
      threads[i] = static_cast<uint32_t>(count);
      if (i == 2 || !accept(','))
        break;
    }
    return true;
  }

  bool parseEntry() {
    auto kernel = std::make_unique<Kernel>();
    kernel->line = peek().line;
    std::string_view name;
    if (!expectWord(name, "the name of an entry point"))
      return false;
    kernel->name = name;
    if (program.kernel(name))
      return fail("entry '" + kernel->name + "' is defined twice");
    parameters.clear();
    if (!parseParameters(*kernel))
      return false;
    while (peek().kind == Token::Dotted) {
      std::string_view directive = next().text;
      uint64_t number;
      if (directive == "maxntid") {
        if (!parseThreads(kernel->maxThreads))
          return false;
      } else if (directive == "reqntid") {
        if (!parseThreads(kernel->requiredThreads))
          return false;
      } else if (directive == "reqnctapercluster") {
        if (!parseThreads(kernel->requiredCluster))
          return false;
      } else if (directive == "explicitcluster") {
        continue; // the launch says how many
      } else if (directive == "minnctapersm" || directive == "maxnctapersm" ||
                 directive == "maxnreg" || directive == "maxclusterrank") {
        if (!expectInteger(number, "a number"))
          return false;
        if (directive == "maxnreg")
          kernel->maxRegisters = static_cast<uint32_t>(number);
        if (directive == "minnctapersm")
          kernel->minBlocks = static_cast<uint32_t>(number);
      } else if (directive == "pragma") {
        if (!skipStatement())
          return false;
      } else {
        return fail("directive '." + std::string(directive) +
                    "' of an entry point is not supported");
      }
    }
    if (accept(';'))
      return true; // a declaration
    KernelBuilder builder(*kernel, variables, program.target, error);
    for (const auto &[parameter, variable] : parameters)
      if (!builder.declareVariable(variable, parameter, kernel->line))
        return false;
    if (!parseBody(tokens, pos, builder, error) || !builder.finish())
      return false;
    program.kernels.push_back(std::move(kernel));
    return true;
  }

  Program::Impl &program;
  size_t position = 0;
  bool isExtern = false;
  std::unordered_map<std::string_view, Variable> variables;
  std::unordered_map<std::string_view, Variable> parameters;
};

} // namespace

bool sparse_attn::emulator::parseModule(std::string_view text,
                                        Program::Impl &program, Error &error) {
  std::vector<Token> tokens;
  return lex(text, tokens, error) && ModuleParser(tokens, program, error).run();
}

Program::Program() : pimpl(std::make_unique<Impl>()) {}
Program::~Program() = default;

std::unique_ptr<Program> Program::parse(std::string_view text, Error &error) {
  error = {};
  std::unique_ptr<Program> program(new Program());
  if (parseModule(text, *program->pimpl, error))
    return program;
  if (error.message.empty())
    error.message = "malformed PTX";
  return nullptr;
}

std::vector<std::string> Program::entries() const {
  std::vector<std::string> names;
  for (const auto &kernel : pimpl->kernels)
    names.push_back(kernel->name);
  return names;
}

const EntryPoint *Program::entry(std::string_view name) const {
  return pimpl->kernel(name);
}

std::string Program::target() const { return pimpl->target; }

const Kernel *Program::Impl::kernel(std::string_view name) const {
  for (const auto &kernel : kernels)
    if (kernel->name == name)
      return kernel.get();
  return nullptr;
}
