//===- JsonReader.cpp - Checked access to JSON ----------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "JsonReader.h"

#include "SparseAttn/Runtime/Support.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace sparse_attn::runtime {

Error checkJsonDepth(StringRef text, unsigned limit) {
  unsigned depth = 0;
  bool inString = false;
  for (size_t index = 0; index < text.size(); ++index) {
    char c = text[index];
    if (inString) {
      if (c == '\\')
        ++index;
      else if (c == '"')
        inString = false;
      continue;
    }
    if (c == '"')
      inString = true;
    else if (c == '[' || c == '{')
      ++depth;
    else if ((c == ']' || c == '}') && depth > 0)
      --depth;
    if (depth > limit)
      return fail("expected brackets at most " + Twine(limit) +
                  " deep, found deeper ones");
  }
  return Error::success();
}

Error JsonReader::takeError() {
  return message.empty() ? Error::success() : fail(message);
}

void JsonField::report(const Twine &text) const {
  if (reader->failed())
    return;
  reader->message = path.empty() ? text.str() : path + ": " + text.str();
}

void JsonField::error(const Twine &expected) const {
  report("expected " + expected + ", found " + found());
}

bool JsonField::isNull() const {
  return value && value->kind() == json::Value::Null;
}

bool JsonField::isNumber() const {
  return value && value->kind() == json::Value::Number;
}

std::string JsonField::found() const {
  if (!value)
    return "nothing";
  switch (value->kind()) {
  case json::Value::Null:
    return "null";
  case json::Value::Boolean:
    return value->getAsBoolean().value_or(false) ? "true" : "false";
  case json::Value::Number: {
    std::string text;
    raw_string_ostream(text) << *value;
    return text;
  }
  case json::Value::String:
    return inQuotes(value->getAsString().value_or(""));
  case json::Value::Array:
    return "an array of " + std::to_string(value->getAsArray()->size());
  case json::Value::Object:
    return "an object";
  }
  llvm_unreachable("all kinds are handled");
}

int64_t JsonField::integer(int64_t minimum, int64_t maximum) const {
  std::optional<int64_t> number =
      value ? value->getAsInteger() : std::optional<int64_t>();
  if (number && *number >= minimum && *number <= maximum)
    return *number;
  if (minimum == maximum)
    error(Twine(minimum));
  else
    error("an integer from " + Twine(minimum) + " to " + Twine(maximum));
  return minimum;
}

std::string JsonField::string(const Twine &what,
                              function_ref<bool(StringRef)> valid) const {
  std::optional<StringRef> text =
      value ? value->getAsString() : std::optional<StringRef>();
  if (text && valid(*text))
    return text->str();
  error(what);
  return "";
}

const json::Object *JsonField::object() const {
  if (const json::Object *result = value ? value->getAsObject() : nullptr)
    return result;
  error("an object");
  return nullptr;
}

JsonField JsonField::operator[](StringRef key) const {
  const json::Object *members = object();
  return JsonField(*reader, members ? members->get(key) : nullptr,
                   path.empty() ? key.str() : path + "." + key.str());
}

std::vector<JsonField> JsonField::elements(size_t minimum,
                                           size_t maximum) const {
  std::vector<JsonField> result;
  const json::Array *array = value ? value->getAsArray() : nullptr;
  if (!array || array->size() < minimum || array->size() > maximum) {
    if (minimum == maximum)
      error("an array of " + Twine(minimum));
    else
      error("an array of " + Twine(minimum) + " to " + Twine(maximum));
    return result;
  }
  for (auto [index, element] : enumerate(*array))
    result.emplace_back(*reader, &element,
                        path + "[" + std::to_string(index) + "]");
  return result;
}

std::vector<std::pair<std::string, JsonField>> JsonField::members() const {
  std::vector<std::pair<std::string, JsonField>> result;
  const json::Object *members = object();
  if (!members)
    return result;
  for (const auto &[key, member] : *members)
    result.emplace_back(
        key.str(),
        JsonField(*reader, &member, path + "[" + inQuotes(key.str()) + "]"));
  llvm::sort(result, llvm::less_first());
  return result;
}

void JsonField::onlyMembers(ArrayRef<StringRef> known) const {
  const json::Object *members = object();
  if (!members)
    return;
  std::vector<StringRef> unknown;
  for (const auto &[key, member] : *members)
    if (!is_contained(known, StringRef(key)))
      unknown.push_back(key);
  if (unknown.empty())
    return;
  llvm::sort(unknown);
  report("expected only the fields " + join(known, ", ") + ", found " +
         inQuotes(unknown.front()));
}

} // namespace sparse_attn::runtime
