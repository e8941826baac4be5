//===- JsonReader.h - Checked access to JSON --------------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads fields of a JSON document that somebody else wrote. The first fault is
// kept, with the path of the field; later reads return defaults, so that a
// parser reads straight on and asks once at the end.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_RUNTIME_JSONREADER_H
#define SPARSEATTN_LIB_RUNTIME_JSONREADER_H

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <string>

namespace sparse_attn::runtime {

/// Returns an error when brackets nest deeper than `limit`: the JSON parser
/// recurses and would exhaust the stack.
llvm::Error checkJsonDepth(llvm::StringRef text, unsigned limit);

class JsonReader;

/// A value, or the absence of one, with the path that leads to it.
class JsonField {
public:
  JsonField(JsonReader &reader, const llvm::json::Value *value,
            std::string path)
      : reader(&reader), value(value), path(std::move(path)) {}

  bool present() const { return value != nullptr; }
  bool isNull() const;
  bool isNumber() const;

  /// Reports `expected` against what is there.
  void error(const llvm::Twine &expected) const;
  /// Reports a message about this field in words of its own.
  void report(const llvm::Twine &message) const;

  int64_t integer(int64_t minimum, int64_t maximum) const;
  /// A string that `valid` accepts, else "expected `what`".
  std::string string(const llvm::Twine &what,
                     llvm::function_ref<bool(llvm::StringRef)> valid) const;
  /// The member `key` of this object.
  JsonField operator[](llvm::StringRef key) const;
  /// The elements of this array, which has from `minimum` to `maximum`.
  std::vector<JsonField> elements(size_t minimum, size_t maximum) const;
  /// The members of this object in the order of their keys.
  std::vector<std::pair<std::string, JsonField>> members() const;
  /// Reports a member that is not in `known`: where ignoring one would change
  /// what is run.
  void onlyMembers(llvm::ArrayRef<llvm::StringRef> known) const;

private:
  const llvm::json::Object *object() const;
  std::string found() const;

  JsonReader *reader;
  const llvm::json::Value *value;
  std::string path;
};

class JsonReader {
public:
  explicit JsonReader(const llvm::json::Value &root) : rootValue(root) {}
  JsonField root() { return JsonField(*this, &rootValue, ""); }
  bool failed() const { return !message.empty(); }
  /// The first fault, if any.
  llvm::Error takeError();

private:
  friend class JsonField;
  const llvm::json::Value &rootValue;
  std::string message;
};

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_JSONREADER_H
