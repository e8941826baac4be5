//===- Manifest.cpp - Parses manifest.json --------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/Manifest.h"

#include "JsonReader.h"
#include "SparseAttn/Runtime/Support.h"
#include "SparseAttn/Runtime/TargetName.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <set>

using namespace llvm;

namespace sparse_attn::runtime {

static constexpr size_t maximumFiles = 4096;
static constexpr size_t maximumKernels = 4096;
static constexpr size_t maximumArguments = 256;
static constexpr size_t maximumFactors = 16;

static constexpr StringLiteral axes[] = {"x", "y", "z"};

static bool isNameCharacter(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'z') || c == '_';
}

bool isValidName(StringRef name) {
  return !name.empty() && name.size() <= 128 && all_of(name, isNameCharacter);
}

bool isValidFileName(StringRef name) {
  return !name.empty() && name.size() <= 200 && name.front() != '.' &&
         all_of(name, [](char c) { return c == '.' || isNameCharacter(c); });
}

static bool isSha256(StringRef text) {
  return text.size() == 64 && all_of(text, [](char c) {
           return isDigit(c) || (c >= 'a' && c <= 'f');
         });
}

static DimRef parseDimRef(const JsonField &field) {
  DimRef ref;
  std::vector<JsonField> pair = field.elements(2, 2);
  if (pair.size() == 2) {
    ref.argument = pair[0].integer(0, maximumArguments - 1);
    ref.dim = pair[1].integer(0, maximumTensorRank - 1);
  }
  return ref;
}

/// An object with a form: {"form": "ceildiv", "of": [0, 2], "by": 128}.
static Rule parseRule(const JsonField &field) {
  Rule rule;
  std::string form = field["form"].string(
      "constant, dim, ceildiv or product", [](StringRef s) {
        return s == "constant" || s == "dim" || s == "ceildiv" ||
               s == "product";
      });
  if (form == "constant") {
    field.onlyMembers({"form", "value"});
    rule.form = Rule::Form::Constant;
    rule.value = field["value"].integer(1, INT64_MAX);
  } else if (form == "dim") {
    field.onlyMembers({"form", "of"});
    rule.form = Rule::Form::Dim;
    rule.of.push_back(parseDimRef(field["of"]));
  } else if (form == "ceildiv") {
    field.onlyMembers({"form", "of", "by"});
    rule.form = Rule::Form::CeilDiv;
    rule.of.push_back(parseDimRef(field["of"]));
    rule.value = field["by"].integer(1, INT64_MAX);
  } else if (form == "product") {
    field.onlyMembers({"form", "of"});
    rule.form = Rule::Form::Product;
    for (const JsonField &factor : field["of"].elements(0, maximumFactors))
      rule.of.push_back(parseDimRef(factor));
  }
  return rule;
}

/// An extent of a shape: a number, -1 for any length, or a rule.
static Rule parseExtent(const JsonField &field, Argument::Role role) {
  if (!field.isNumber())
    return parseRule(field);
  Rule rule;
  bool isInput = role == Argument::Role::Input;
  rule.value = field.integer(isInput ? -1 : 0, INT64_MAX);
  if (rule.value == -1)
    rule.form = Rule::Form::Any;
  return rule;
}

static Argument parseArgument(const JsonField &field) {
  Argument argument;
  argument.name = field["name"].string("a name of [a-z0-9_]+", isValidName);
  std::string kind = field["kind"].string(
      "tensor or dim", [](StringRef s) { return s == "tensor" || s == "dim"; });
  if (kind == "dim") {
    field.onlyMembers({"name", "kind", "of"});
    argument.kind = Argument::Kind::Dim;
    argument.of = parseDimRef(field["of"]);
    return argument;
  }
  field.onlyMembers({"name", "kind", "role", "type", "shape"});
  std::string role =
      field["role"].string("input, output or statistic", [](StringRef s) {
        return s == "input" || s == "output" || s == "statistic";
      });
  argument.role = StringSwitch<Argument::Role>(role)
                      .Case("output", Argument::Role::Output)
                      .Case("statistic", Argument::Role::Statistic)
                      .Default(Argument::Role::Input);
  std::string type =
      field["type"].string("f16, bf16, f32, i1 or i32", [](StringRef s) {
        return parseElementType(s).has_value();
      });
  argument.type = parseElementType(type).value_or(ElementType::F32);
  for (const JsonField &extent : field["shape"].elements(0, maximumTensorRank))
    argument.shape.push_back(parseExtent(extent, argument.role));
  return argument;
}

/// Every reference of `rule` names an existing extent of an input.
static void checkRule(const JsonField &field, const Kernel &kernel,
                      const Rule &rule) {
  for (DimRef ref : rule.of) {
    if (ref.argument >= kernel.arguments.size())
      return field.report("expected an argument index below " +
                          Twine(kernel.arguments.size()) + ", found " +
                          Twine(ref.argument));
    const Argument &argument = kernel.arguments[ref.argument];
    if (!argument.isTensor(Argument::Role::Input))
      return field.report("expected the index of an input tensor, found " +
                          Twine(ref.argument) + ", " + inQuotes(argument.name));
    if (ref.dim >= argument.shape.size())
      return field.report("expected a dimension below " +
                          Twine(argument.shape.size()) + ", the rank of " +
                          inQuotes(argument.name) + ", found " +
                          Twine(ref.dim));
  }
}

/// The statistics that the runtime knows by name have fixed forms.
static void checkStatistic(const JsonField &field, const Argument &argument) {
  if (!argument.isTensor(Argument::Role::Statistic))
    return;
  if (argument.name == "tile_counts") {
    bool isPair = !argument.shape.empty() &&
                  argument.shape.back().form == Rule::Form::Constant &&
                  argument.shape.back().value == 2;
    if (argument.type != ElementType::I32 || !isPair)
      field.report("expected 'tile_counts' of type i32 with 2 as its last "
                   "extent, found another type or shape");
  }
  if (argument.name == "recall_bound" && argument.type != ElementType::F32)
    field["type"].error("f32 for 'recall_bound'");
}

static void checkReferences(const JsonField &field, const Kernel &kernel) {
  for (auto [axis, rule] : zip(axes, kernel.grid))
    checkRule(field["grid"][axis], kernel, rule);
  std::vector<JsonField> fields =
      field["arguments"].elements(1, maximumArguments);
  std::set<StringRef> names;
  // Stays in step even after a fault, when one side may be shorter.
  for (size_t i = 0; i < fields.size() && i < kernel.arguments.size(); ++i) {
    const Argument &argument = kernel.arguments[i];
    if (!names.insert(argument.name).second)
      fields[i]["name"].report("expected a name of its own, found " +
                               inQuotes(argument.name) + " twice");
    if (argument.kind == Argument::Kind::Dim) {
      Rule rule;
      rule.of.push_back(argument.of);
      checkRule(fields[i]["of"], kernel, rule);
      continue;
    }
    for (const Rule &extent : argument.shape)
      checkRule(fields[i]["shape"], kernel, extent);
    checkStatistic(fields[i], argument);
  }
}

static Kernel parseKernel(const JsonField &field, const Manifest &manifest) {
  Kernel kernel;
  kernel.name = field["name"].string("a name of [a-z0-9_]+", isValidName);
  kernel.target = field["target"].string(
      "a target such as sm_80 or sm_90a",
      [](StringRef s) { return TargetName::parse(s).has_value(); });
  kernel.file =
      field["file"].string("the name of one of the files", [&](StringRef name) {
        return any_of(manifest.files,
                      [&](const FileEntry &file) { return file.name == name; });
      });
  kernel.threads = field["threads"].integer(1, maximumThreads);
  kernel.sharedMemory = field["shared_memory"].integer(0, maximumSharedMemory);
  field["grid"].onlyMembers({"x", "y", "z"});
  for (auto [axis, rule] : zip(axes, kernel.grid))
    rule = parseRule(field["grid"][axis]);
  for (const JsonField &argument :
       field["arguments"].elements(1, maximumArguments))
    kernel.arguments.push_back(parseArgument(argument));
  // Kernels around attention decide nothing.
  if (!field["decision_tile"].isNull() || !field["filter"].isNull()) {
    std::vector<JsonField> tile = field["decision_tile"].elements(2, 2);
    for (size_t i = 0; i < tile.size(); ++i)
      kernel.decisionTile[i] = tile[i].integer(1, INT32_MAX);
    kernel.filter = field["filter"]["kind"].string(
        "dense, threshold, energy or recall", [](StringRef s) {
          return s == "dense" || s == "threshold" || s == "energy" ||
                 s == "recall";
        });
  }
  kernel.calls = field["calls"].integer(0, INT64_MAX);
  checkReferences(field, kernel);
  return kernel;
}

Expected<Manifest> parseManifest(StringRef text) {
  if (text.size() > maximumManifestBytes)
    return fail("expected at most " + Twine(maximumManifestBytes) +
                " bytes, found " + Twine(text.size()));
  if (Error error = checkJsonDepth(text, maximumManifestDepth))
    return std::move(error);
  Expected<json::Value> document = json::parse(text);
  if (!document)
    return fail("expected JSON, found a fault at " +
                toString(document.takeError()));

  JsonReader reader(*document);
  JsonField root = reader.root();
  Manifest manifest;
  root["format"].string("'sparse-attn-package'",
                        [](StringRef s) { return s == "sparse-attn-package"; });
  root["version"].integer(packageVersion, packageVersion);
  manifest.producer =
      root["producer"].string("a string", [](StringRef) { return true; });

  std::vector<std::pair<std::string, JsonField>> files =
      root["files"].members();
  if (files.size() > maximumFiles)
    root["files"].report("expected at most " + Twine(maximumFiles) +
                         " files, found " + Twine(files.size()));
  for (const auto &[name, field] : files) {
    if (!isValidFileName(name) || name == "manifest.json")
      root["files"].report("expected file names of [a-z0-9_.]+ in the "
                           "package's directory, found " +
                           inQuotes(name));
    FileEntry &file = manifest.files.emplace_back();
    file.name = name;
    file.sha256 =
        field["sha256"].string("64 lower-case hexadecimal digits", isSha256);
    file.bytes = field["bytes"].integer(0, INT64_MAX);
  }

  std::set<std::pair<std::string, std::string>> kernels;
  for (const JsonField &field : root["kernels"].elements(1, maximumKernels)) {
    Kernel kernel = parseKernel(field, manifest);
    if (reader.failed())
      break;
    if (!kernels.insert({kernel.name, kernel.target}).second)
      field["name"].report("expected one kernel of a name for each target, "
                           "found " +
                           inQuotes(kernel.name) + " for " + kernel.target +
                           " twice");
    manifest.kernels.push_back(std::move(kernel));
  }
  if (Error error = reader.takeError())
    return std::move(error);
  return std::move(manifest);
}

} // namespace sparse_attn::runtime
