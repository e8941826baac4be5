//===- InputLimits.cpp - What untrusted text may hold -------------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/InputLimits.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;
using namespace mlir::sparse_attn;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

std::unique_ptr<llvm::MemoryBuffer>
sparse_attn::readInput(StringRef path, const InputLimits &limits,
                       InputFault &fault) {
  auto fail = [&](const std::error_code &code) {
    fault = {0, 0, "cannot read '" + path.str() + "': " + code.message()};
    return nullptr;
  };
  llvm::sys::fs::file_t file = llvm::sys::fs::getStdinHandle();
  if (path != "-") {
    llvm::Expected<llvm::sys::fs::file_t> opened =
        llvm::sys::fs::openNativeFileForRead(path);
    if (!opened)
      return fail(llvm::errorToErrorCode(opened.takeError()));
    file = *opened;
  }
  // In pieces, so that an endless device ends at the limit.
  std::string text;
  constexpr size_t piece = size_t(1) << 20;
  std::error_code code;
  while (text.size() <= limits.maxBytes) {
    size_t size = text.size();
    text.resize(size + piece);
    llvm::Expected<size_t> count = llvm::sys::fs::readNativeFile(
        file, llvm::MutableArrayRef(text.data() + size, piece));
    if (!count) {
      code = llvm::errorToErrorCode(count.takeError());
      break;
    }
    text.resize(size + *count);
    if (*count == 0)
      break;
  }
  if (path != "-")
    llvm::sys::fs::closeFile(file);
  if (code)
    return fail(code);
  if (text.size() > limits.maxBytes) {
    fault = {0, 0,
             "expected an input of at most " + std::to_string(limits.maxBytes) +
                 " bytes, found more in '" + path.str() + "'"};
    return nullptr;
  }
  return llvm::MemoryBuffer::getMemBufferCopy(text,
                                              path == "-" ? "<stdin>" : path);
}

//===----------------------------------------------------------------------===//
// The text
//===----------------------------------------------------------------------===//

namespace {
/// An open bracket.
struct Open {
  char closer;
  /// Operators since the last separator, and separators.
  unsigned operators = 0;
  unsigned commas = 0;
  /// Whether the list in it is that of an affine map's dimensions.
  bool affineList = false;
};

/// How deep and how large the text behind an alias is.
struct Alias {
  unsigned depth = 0;
  uint64_t uses = 0;
};

class Scanner {
public:
  Scanner(StringRef text, const InputLimits &limits)
      : text(text), limits(limits) {
    stack.push_back({'\0'});
  }

  std::optional<InputFault> run() {
    if (text.starts_with("ML\xefR")) {
      if (limits.allowBytecode)
        return std::nullopt;
      return InputFault{0, 0,
                        "expected text, found bytecode (--allow-bytecode "
                        "accepts it from a source that you trust)"};
    }
    // The parser takes a zero byte for the end and ignores what follows.
    if (size_t zero = text.find('\0'); zero != StringRef::npos) {
      position = zero;
      report("expected text, found a zero byte");
      return std::move(fault);
    }
    while (position < text.size() && !fault)
      step();
    return std::move(fault);
  }

private:
  void step();
  void readToken(char c);
  void skipString();
  void readWord();
  void readAlias();
  void open(char closer);
  void close(char closer);
  void countOperator();
  void beginStatement();

  char peek(size_t ahead = 1) const {
    return position + ahead < text.size() ? text[position + ahead] : '\0';
  }
  void report(const Twine &message) {
    if (fault)
      return;
    StringRef before = text.take_front(position);
    size_t lineStart = before.rfind('\n');
    lineStart = lineStart == StringRef::npos ? 0 : lineStart + 1;
    fault = InputFault{static_cast<unsigned>(before.count('\n') + 1),
                       static_cast<unsigned>(position - lineStart + 1),
                       message.str()};
  }
  void reportDepth(uint64_t depth) {
    report("expected brackets (with those of aliases) nested at most " +
           Twine(limits.maxDepth) + " deep, found " + Twine(depth));
  }

  StringRef text;
  const InputLimits &limits;
  size_t position = 0;
  std::optional<InputFault> fault;

  SmallVector<Open, 64> stack;
  /// The word just read, if nothing but blanks followed it.
  StringRef word;
  /// The alias whose definition is being read, and what it has so far.
  llvm::StringMap<Alias> aliases;
  StringRef defined;
  Alias definition;
  uint64_t totalUses = 0;
  /// The token just read, and whether a line ended since.
  StringRef last;
  bool newLine = false;
};
} // namespace

static bool isWordChar(char c) {
  return llvm::isAlnum(c) || c == '_' || c == '$' || c == '.' || c == '?';
}

void Scanner::skipString() {
  for (++position; position < text.size(); ++position) {
    if (text[position] == '\\')
      ++position;
    else if (text[position] == '"' || text[position] == '\n')
      break;
  }
  ++position;
}

void Scanner::readWord() {
  size_t start = position;
  while (position < text.size() && isWordChar(text[position]))
    ++position;
  word = text.slice(start, position);
  if (word.size() > limits.maxWord) {
    position = start;
    return report("expected a name, number or shape of at most " +
                  Twine(limits.maxWord) + " characters, found " +
                  Twine(word.size()));
  }
  if (word == "mod" || word == "floordiv" || word == "ceildiv")
    countOperator();
}

/// `#name` and `!name`: a definition at the outermost level if `=` follows,
/// else a use.
void Scanner::readAlias() {
  size_t start = position++;
  while (position < text.size() && isWordChar(text[position]))
    ++position;
  StringRef name = text.slice(start, position);
  if (stack.size() == 1) {
    StringRef rest = text.drop_front(position).ltrim(" \t\r\n");
    if (rest.consume_front("=") && !rest.starts_with("=")) {
      beginStatement();
      defined = name;
      return;
    }
  }
  auto found = aliases.find(name);
  if (found == aliases.end())
    return;
  const Alias &alias = found->second;
  position = start;
  uint64_t depth = stack.size() - 1 + alias.depth;
  if (depth > limits.maxDepth)
    return reportDepth(depth);
  definition.depth = std::max<unsigned>(definition.depth, depth);
  definition.uses += alias.uses + 1;
  totalUses += alias.uses + 1;
  if (!defined.empty() && definition.uses > limits.maxAliasUses)
    return report("expected an alias that stands for at most " +
                  Twine(limits.maxAliasUses) + " uses of others, found more");
  if (totalUses > limits.maxTotalAliasUses)
    return report("expected at most " + Twine(limits.maxTotalAliasUses) +
                  " uses of aliases, found more");
  position = start + name.size();
}

/// A new statement at the outermost level ends the definition before it.
void Scanner::beginStatement() {
  if (!defined.empty())
    // One more for the alias itself: the parser recurses into it.
    aliases[defined] = {definition.depth + 1, definition.uses};
  defined = {};
  definition = {};
}

void Scanner::open(char closer) {
  Open opened{closer};
  opened.affineList = (closer == ')' || closer == ']') &&
                      stack.back().affineList && stack.back().closer == '>';
  if (closer == '>')
    opened.affineList = word == "affine_map" || word == "affine_set";
  stack.push_back(opened);
  unsigned depth = stack.size() - 1;
  definition.depth = std::max(definition.depth, depth);
  if (depth > limits.maxDepth)
    reportDepth(depth);
}

void Scanner::close(char closer) {
  // `>` also stands in comparisons; the others close whatever is open inside.
  if (closer == '>') {
    if (stack.back().closer == '>')
      stack.pop_back();
    return;
  }
  for (size_t i = stack.size() - 1; i > 0; --i)
    if (stack[i].closer == closer) {
      stack.truncate(i);
      return;
    }
}

void Scanner::countOperator() {
  if (++stack.back().operators > limits.maxOperators)
    report("expected an expression of at most " + Twine(limits.maxOperators) +
           " operators, found more");
}

void Scanner::step() {
  char c = text[position];
  if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
    newLine |= c == '\n';
    ++position;
    return;
  }
  if (c == '/' && peek() == '/') {
    position = std::min(text.find('\n', position), text.size());
    return;
  }
  // An alias ends with its line unless the lines after go on with it.
  if (newLine && stack.size() == 1 && !last.ends_with("=") &&
      !last.ends_with(":") && !last.ends_with(",") && last != "->" &&
      (llvm::isAlpha(c) || c == '"' || c == '%' || c == '{'))
    beginStatement();
  newLine = false;
  size_t start = position;
  readToken(c);
  last = text.slice(start, position);
}

void Scanner::readToken(char c) {
  if (isWordChar(c))
    return readWord();
  switch (c) {
  case '"':
    skipString();
    break;
  case '#':
  case '!':
    readAlias();
    break;
  case '@':
  case '%':
  case '^':
    // Their words are names, not keywords.
    ++position;
    if (position < text.size() && isWordChar(text[position]))
      readWord();
    break;
  case '(':
    open(')');
    ++position;
    break;
  case '[':
    open(']');
    ++position;
    break;
  case '{':
    open('}');
    ++position;
    break;
  case '<':
    if (peek() != '=')
      open('>');
    ++position;
    break;
  case ')':
  case ']':
  case '}':
  case '>':
    close(c);
    ++position;
    break;
  case '-':
    if (peek() == '>') {
      position += 2;
      break;
    }
    [[fallthrough]];
  case '+':
  case '*':
    countOperator();
    ++position;
    break;
  case ',':
    if (++stack.back().commas >= limits.maxAffineDims &&
        stack.back().affineList)
      report("expected an affine map of at most " +
             Twine(limits.maxAffineDims) + " dimensions, found more");
    [[fallthrough]];
  case ':':
  case '=':
    stack.back().operators = 0;
    ++position;
    break;
  default:
    ++position;
  }
  word = {};
}

std::optional<InputFault>
sparse_attn::findInputFault(StringRef text, const InputLimits &limits) {
  return Scanner(text, limits).run();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static constexpr int64_t maxRank = 64;
static constexpr uint64_t sizeLimit = uint64_t(1) << 62;

/// Whether the elements of `type`, and their bytes, can be counted.
static bool hasCountableSize(ShapedType type) {
  if (!type.hasRank())
    return true;
  if (type.getRank() > maxRank)
    return false;
  bool overflow = false;
  uint64_t bytes = 1;
  Type element = type.getElementType();
  if (element.isIntOrFloat())
    bytes = llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  for (int64_t size : type.getShape()) {
    // An empty dimension hides the others, but not from products of a part.
    if (ShapedType::isDynamic(size) || size == 0)
      continue;
    if (size < 0)
      return false;
    bytes =
        llvm::SaturatingMultiply(bytes, static_cast<uint64_t>(size), &overflow);
    if (overflow || bytes >= sizeLimit)
      return false;
  }
  return true;
}

LogicalResult sparse_attn::verifyShapeSizes(Operation *root) {
  ShapedType found;
  AttrTypeWalker walker;
  walker.addWalk([&](Type type) {
    auto shaped = dyn_cast<ShapedType>(type);
    if (!shaped || hasCountableSize(shaped))
      return WalkResult::advance();
    found = shaped;
    return WalkResult::interrupt();
  });
  WalkResult result = root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    walker.walk(op->getAttrDictionary());
    for (Type type : op->getResultTypes())
      walker.walk(type);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Type type : block.getArgumentTypes())
          walker.walk(type);
    if (!found)
      return WalkResult::advance();
    op->emitError("expected shapes of rank ")
        << maxRank << " at most and less than 2^62 bytes, found " << found;
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}
