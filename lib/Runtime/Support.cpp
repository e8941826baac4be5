//===- Support.cpp - Errors and files of the runtime ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/Support.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace sparse_attn::runtime {

Error fail(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

static std::string quotedUpTo(StringRef text, size_t limit) {
  std::string result;
  raw_string_ostream os(result);
  os << '\'';
  printEscapedString(text.take_front(limit), os);
  if (text.size() > limit)
    os << "...";
  os << '\'';
  return result;
}

std::string inQuotes(StringRef text) { return quotedUpTo(text, 80); }

std::string quotedPath(StringRef path) { return quotedUpTo(path, 4096); }

std::string systemMessage(std::error_code code) {
  return oneLine(StringRef(code.message()).lower());
}

std::string oneLine(StringRef text) {
  std::string result;
  for (char c : text) {
    if (isPrint(c))
      result += c;
    else if (!result.empty() && result.back() != ' ')
      result += ' ';
  }
  return StringRef(result).rtrim().str();
}

std::string shapeText(ArrayRef<int64_t> shape) {
  std::string result = "[";
  ListSeparator separator;
  for (int64_t extent : shape)
    result += StringRef(separator).str() + std::to_string(extent);
  return result + "]";
}

std::optional<uint64_t> elementCount(ArrayRef<int64_t> shape) {
  // A zero anywhere makes the product zero, whatever the other extents are.
  int64_t count = 1;
  bool empty = false, overflow = false;
  for (int64_t extent : shape) {
    if (extent < 0)
      return std::nullopt;
    empty |= extent == 0;
    overflow |= MulOverflow(count, extent, count) != 0;
  }
  if (empty)
    return 0;
  if (overflow)
    return std::nullopt;
  return count;
}

static Error fileError(StringRef path, const Twine &message) {
  return fail(quotedPath(path) + ": " + message);
}

namespace {
/// Closes the file whichever way the reader returns.
struct OpenFile {
  int descriptor;
  ~OpenFile() {
    if (descriptor >= 0)
      ::close(descriptor);
  }
};
} // namespace

Expected<std::unique_ptr<MemoryBuffer>>
readRegularFile(StringRef path, uint64_t limit, bool followLinks) {
  // A null byte would end the name early and open another file.
  if (path.contains('\0'))
    return fileError(path, "expected a file name, found a null byte in it");
  // Opening a pipe without O_NONBLOCK would wait for a writer.
  int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  if (!followLinks)
    flags |= O_NOFOLLOW;
  OpenFile file{::open(path.str().c_str(), flags)};
  if (file.descriptor < 0) {
    if (errno == ELOOP && !followLinks)
      return fileError(path, "expected a regular file, found a symbolic link");
    return fileError(path, "cannot be opened: " +
                               systemMessage(std::error_code(
                                   errno, std::generic_category())));
  }
  struct stat status;
  if (::fstat(file.descriptor, &status) != 0)
    return fileError(path, "cannot be examined");
  if (S_ISDIR(status.st_mode))
    return fileError(path, "expected a regular file, found a directory");
  if (!S_ISREG(status.st_mode))
    return fileError(path, "expected a regular file, found a device or pipe");
  if (uint64_t(status.st_size) > limit)
    return fileError(path, "expected at most " + Twine(limit) +
                               " bytes, found " + Twine(status.st_size));
  // Volatile: read, not mapped, so that a later change of the file cannot
  // follow the checks made on its contents.
  auto buffer = MemoryBuffer::getOpenFile(
      sys::fs::convertFDToNativeFile(file.descriptor), path, status.st_size,
      /*RequiresNullTerminator=*/false, /*IsVolatile=*/true);
  if (!buffer)
    return fileError(path,
                     "cannot be read: " + systemMessage(buffer.getError()));
  return std::move(*buffer);
}

/// Writes everything to `os` and reports what a full disk does to it.
static Error writeAll(raw_fd_ostream &os, StringRef contents) {
  os << contents;
  os.flush();
  std::error_code code = os.error();
  os.clear_error();
  return code ? errorCodeToError(code) : Error::success();
}

static Error replaceFile(StringRef path, StringRef contents) {
  // A device or a pipe is written to; replacing it would remove it.
  sys::fs::file_status status;
  if (!sys::fs::status(path, status) && sys::fs::exists(status) &&
      !sys::fs::is_regular_file(status)) {
    std::error_code code;
    raw_fd_ostream os(path, code);
    return code ? errorCodeToError(code) : writeAll(os, contents);
  }
  Expected<sys::fs::TempFile> file = sys::fs::TempFile::create(
      path + ".%%%%%%.tmp", sys::fs::all_read | sys::fs::all_write);
  if (!file)
    return file.takeError();
  raw_fd_ostream os(file->FD, /*shouldClose=*/false);
  if (Error error = writeAll(os, contents))
    return joinErrors(std::move(error), file->discard());
  return file->keep(path);
}

Error writeFile(StringRef path, StringRef contents) {
  Error error =
      path == "-" ? writeAll(outs(), contents) : replaceFile(path, contents);
  if (!error)
    return error;
  return fileError(path, "cannot be written: " +
                             StringRef(toString(std::move(error))).lower());
}

} // namespace sparse_attn::runtime
