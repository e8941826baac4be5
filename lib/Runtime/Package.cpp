//===- Package.cpp - A kernel package on disk -----------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/Package.h"

#include "SparseAttn/Runtime/Support.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"

using namespace llvm;

namespace sparse_attn::runtime {

static std::string pathOf(StringRef directory, StringRef file) {
  SmallString<256> path(directory);
  sys::path::append(path, file);
  return path.str().str();
}

/// Reads a file of the package and compares it with its entry.
static Expected<std::unique_ptr<MemoryBuffer>>
readChecked(const std::string &path, const FileEntry &entry, uint64_t limit) {
  Expected<std::unique_ptr<MemoryBuffer>> file =
      readRegularFile(path, limit, /*followLinks=*/false);
  if (!file)
    return file.takeError();
  StringRef contents = (*file)->getBuffer();
  if (contents.size() != entry.bytes)
    return fail(quotedPath(path) + ": expected " + Twine(entry.bytes) +
                " bytes as the manifest says, found " + Twine(contents.size()));
  std::string digest =
      toHex(SHA256::hash(arrayRefFromStringRef(contents)), /*LowerCase=*/true);
  if (digest != entry.sha256)
    return fail(quotedPath(path) + ": expected the sha256 " + entry.sha256 +
                " as the manifest says, found " + digest);
  return file;
}

Expected<Package> Package::load(StringRef directory) {
  sys::fs::file_status status;
  if (std::error_code code = sys::fs::status(directory, status))
    return fail(quotedPath(directory) +
                ": expected a package directory, found " + systemMessage(code));
  if (!sys::fs::is_directory(status))
    return fail(quotedPath(directory) +
                ": expected a package directory, found a file");
  std::string path = pathOf(directory, "manifest.json");
  Expected<std::unique_ptr<MemoryBuffer>> text =
      readRegularFile(path, maximumManifestBytes, /*followLinks=*/false);
  if (!text)
    return text.takeError();
  Expected<Manifest> manifest = parseManifest((*text)->getBuffer());
  if (!manifest)
    return fail(quotedPath(path) + ": " + toString(manifest.takeError()));

  Package package;
  package.contents = std::move(*manifest);
  for (const FileEntry &entry : package.contents.files) {
    bool isCode = any_of(package.contents.kernels, [&](const Kernel &kernel) {
      return kernel.file == entry.name;
    });
    Expected<std::unique_ptr<MemoryBuffer>> file =
        readChecked(pathOf(directory, entry.name), entry,
                    isCode ? maximumPtxBytes : maximumFileBytes);
    if (!file)
      return file.takeError();
    if (isCode)
      package.texts[entry.name] = std::move(*file);
  }
  return std::move(package);
}

StringRef Package::ptx(const Kernel &kernel) const {
  return texts.find(kernel.file)->second->getBuffer();
}

std::vector<StringRef> Package::functions() const {
  std::vector<StringRef> names;
  for (const Kernel &kernel : contents.kernels)
    if (!is_contained(names, kernel.name))
      names.push_back(kernel.name);
  return names;
}

Expected<const Kernel *>
Package::select(StringRef function, function_ref<unsigned(StringRef)> accepts,
                StringRef device) const {
  std::vector<StringRef> names = functions();
  if (function.empty()) {
    if (names.size() != 1)
      return fail("expected a function, because the package has " +
                  Twine(names.size()) + ": " + join(names, ", ") +
                  "; found none");
    function = names.front();
  } else if (!is_contained(names, function)) {
    return fail("expected one of the package's functions " + join(names, ", ") +
                "; found " + inQuotes(function));
  }
  const Kernel *best = nullptr;
  unsigned bestScore = 0;
  std::vector<StringRef> targets;
  for (const Kernel &kernel : contents.kernels) {
    if (kernel.name != function)
      continue;
    targets.push_back(kernel.target);
    unsigned score = accepts(kernel.target);
    if (score > bestScore) {
      best = &kernel;
      bestScore = score;
    }
  }
  if (!best)
    return fail("expected a kernel of '" + function + "' for " + device +
                ", found kernels for " + join(targets, ", "));
  return best;
}

} // namespace sparse_attn::runtime
