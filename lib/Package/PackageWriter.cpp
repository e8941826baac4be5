//===- PackageWriter.cpp - Packages on disk ------------------------------ ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/PackageWriter.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace mlir::sparse_attn;

static std::string sha256(StringRef contents) {
  return toHex(SHA256::hash(arrayRefFromStringRef(contents)),
               /*LowerCase=*/true);
}

std::string mlir::sparse_attn::buildManifest(json::Array kernels,
                                             ArrayRef<PackageFile> files) {
  json::Object entries;
  for (const PackageFile &file : files)
    entries[file.name] =
        json::Object{{"sha256", sha256(file.contents)},
                     {"bytes", static_cast<int64_t>(file.contents.size())}};
  json::Value manifest = json::Object{
      {"format", packageFormat},
      {"version", 1},
      {"producer", "sparse-attn " SPARSE_ATTN_VERSION},
      {"files", std::move(entries)},
      {"kernels", std::move(kernels)},
  };
  return formatv("{0:2}\n", manifest).str();
}

static Error fail(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}
static Error fail(const Twine &message, std::error_code code) {
  return fail(message + ": " + code.message());
}

/// The names of the files of the package in `directory`; an error if what is
/// there is no package.
static Expected<StringSet<>> filesOfPackage(StringRef directory) {
  SmallString<128> path(directory);
  sys::path::append(path, manifestName);
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = MemoryBuffer::getFile(path);
  auto other = [&] {
    return fail("expected a package or nothing at '" + directory +
                "', found another directory");
  };
  if (!buffer)
    return other();
  Expected<json::Value> value = json::parse((*buffer)->getBuffer());
  if (!value) {
    consumeError(value.takeError());
    return other();
  }
  json::Object *manifest = value->getAsObject();
  if (!manifest || manifest->getString("format") != StringRef(packageFormat))
    return other();
  StringSet<> names;
  names.insert(manifestName);
  if (json::Object *files = manifest->getObject("files"))
    for (const auto &[name, entry] : *files)
      names.insert(StringRef(name));
  return std::move(names);
}

/// The names in `directory`. Empty for an empty directory; an error if it
/// holds anything that is no part of a package.
static Expected<SmallVector<std::string>> replaceable(StringRef directory) {
  SmallVector<std::string> names;
  SmallVector<std::string> directories;
  std::error_code code;
  for (sys::fs::directory_iterator it(directory, code, false), end;
       it != end && !code; it.increment(code)) {
    names.push_back(sys::path::filename(it->path()).str());
    if (it->type() != sys::fs::file_type::regular_file)
      directories.push_back(names.back());
  }
  if (code)
    return fail("cannot list '" + directory + "'", code);
  if (names.empty())
    return names;
  Expected<StringSet<>> known = filesOfPackage(directory);
  if (!known)
    return known.takeError();
  for (const std::string &name : names)
    if (!known->contains(name) || is_contained(directories, name))
      return fail("expected only a package at '" + directory + "', found '" +
                  name + "' as well");
  return names;
}

static Error writeFile(StringRef directory, const Twine &name,
                       StringRef contents) {
  SmallString<128> path(directory);
  sys::path::append(path, name);
  std::error_code code;
  raw_fd_ostream stream(path, code, sys::fs::CD_CreateNew);
  if (!code) {
    stream << contents;
    stream.close();
    code = stream.error();
    stream.clear_error();
  }
  if (code)
    return fail("cannot write '" + path + "'", code);
  return Error::success();
}

/// Removes `directory` with the files `names` and nothing else.
static void removeDirectory(StringRef directory, ArrayRef<std::string> names) {
  for (const std::string &name : names) {
    SmallString<128> path(directory);
    sys::path::append(path, name);
    sys::fs::remove(path);
  }
  sys::fs::remove(directory);
}

Error mlir::sparse_attn::writePackage(StringRef directory,
                                      ArrayRef<PackageFile> files,
                                      StringRef manifest) {
  SmallString<128> target(directory);
  sys::path::remove_dots(target, /*remove_dot_dot=*/false);
  if (std::error_code code = sys::fs::make_absolute(target))
    return fail("cannot resolve '" + directory + "'", code);
  while (target.size() > 1 && sys::path::is_separator(target.back()))
    target.pop_back();

  bool exists = sys::fs::exists(target);
  SmallVector<std::string> oldNames;
  if (exists) {
    // Through a link to the directory itself, which is what gets replaced.
    SmallString<128> real;
    if (!sys::fs::real_path(target, real))
      target = real;
    if (!sys::fs::is_directory(target))
      return fail("expected a package or nothing at '" + directory +
                  "', found a file");
    Expected<SmallVector<std::string>> names = replaceable(target);
    if (!names)
      return names.takeError();
    oldNames = *names;
  }

  StringRef parent = sys::path::parent_path(target);
  if (std::error_code code = sys::fs::create_directories(parent))
    return fail("cannot create '" + parent + "'", code);
  SmallString<128> fresh(parent);
  sys::path::append(fresh, "." + sys::path::filename(target) + ".new");
  SmallString<128> unique;
  if (std::error_code code = sys::fs::createUniqueDirectory(fresh, unique)) {
    return fail("cannot create a directory in '" + parent + "'", code);
  }
  sys::fs::setPermissions(
      unique, static_cast<sys::fs::perms>(0777 & ~sys::fs::getUmask()));
  SmallVector<std::string> newNames = {manifestName.str()};
  for (const PackageFile &file : files)
    newNames.push_back(file.name);
  scope_exit cleanUp([&] { removeDirectory(unique, newNames); });
  for (const PackageFile &file : files)
    if (Error error = writeFile(unique, file.name, file.contents))
      return error;
  if (Error error = writeFile(unique, manifestName, manifest))
    return error;

  if (exists) {
    // A reader between the two renames finds no package, never half of one.
    SmallString<128> old(unique);
    old += ".old";
    if (std::error_code code = sys::fs::rename(target, old))
      return fail("cannot replace '" + directory + "'", code);
    if (std::error_code code = sys::fs::rename(unique, target)) {
      sys::fs::rename(old, target);
      return fail("cannot write '" + directory + "'", code);
    }
    removeDirectory(old, oldNames);
  } else if (std::error_code code = sys::fs::rename(unique, target)) {
    return fail("cannot write '" + directory + "'", code);
  }
  cleanUp.release();
  return Error::success();
}
