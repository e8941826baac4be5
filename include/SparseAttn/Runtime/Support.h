//===- Support.h - Errors and files of the runtime --------------*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The runtime reads files that anybody may have written, so everything quoted
// from them is escaped and cut, and every reader states a limit.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_RUNTIME_SUPPORT_H
#define SPARSEATTN_RUNTIME_SUPPORT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace sparse_attn::runtime {

/// An error with `message`: one line, lower case.
llvm::Error fail(const llvm::Twine &message);

/// `text` in single quotes, unprintable characters escaped, long text cut.
std::string inQuotes(llvm::StringRef text);

/// The same without cutting what a file system allows: a path's end says which
/// file it is.
std::string quotedPath(llvm::StringRef path);

/// What the operating system says, in lower case.
std::string systemMessage(std::error_code code);

/// `text` with line breaks and control characters replaced, for messages that
/// quote somebody else's words.
std::string oneLine(llvm::StringRef text);

/// "[2, 4, 77, 64]".
std::string shapeText(llvm::ArrayRef<int64_t> shape);

/// The product of `shape`, or nothing when it does not fit into 63 bits or an
/// extent is negative.
std::optional<uint64_t> elementCount(llvm::ArrayRef<int64_t> shape);

/// The largest input array, output array or file that the runtime handles
/// unless told otherwise.
constexpr uint64_t defaultByteLimit = uint64_t(16) << 30;

/// Reads the regular file at `path` into memory. Devices, pipes and
/// directories are errors, as are files above `limit` bytes and, unless
/// `followLinks`, symbolic links. Nothing is read before these checks, and
/// they look at the opened file, so it cannot be exchanged in between.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
readRegularFile(llvm::StringRef path, uint64_t limit, bool followLinks = true);

/// Replaces the file at `path` in one step; "-" is standard output.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef contents);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_RUNTIME_SUPPORT_H
