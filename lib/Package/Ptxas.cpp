//===- Ptxas.cpp - NVIDIA's assembler, where there is one ---------------- ===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Package/Ptxas.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"

using namespace llvm;
using namespace mlir::sparse_attn;

/// Long enough for any kernel on a busy machine; a hang must end.
static constexpr unsigned secondsToWait = 300;

std::optional<std::string> mlir::sparse_attn::findPtxas() {
  if (std::optional<std::string> path =
          sys::Process::GetEnv("SPARSE_ATTN_PTXAS")) {
    if (*path == "none" || path->empty())
      return std::nullopt;
    return path;
  }
  if (ErrorOr<std::string> path = sys::findProgramByName("ptxas"))
    return *path;
  StringRef usual = "/usr/local/cuda/bin/ptxas";
  if (sys::fs::can_execute(usual))
    return usual.str();
  return std::nullopt;
}

/// The number right before `unit` in `text`.
static std::optional<unsigned> numberBefore(StringRef text, StringRef unit) {
  size_t end = text.find((" " + unit).str());
  if (end == StringRef::npos)
    return std::nullopt;
  StringRef before = text.take_front(end);
  size_t digits = before.find_last_not_of("0123456789");
  StringRef number =
      before.drop_front(digits == StringRef::npos ? 0 : digits + 1);
  unsigned value;
  if (number.getAsInteger(10, value))
    return std::nullopt;
  return value;
}

std::optional<PtxasUsage> mlir::sparse_attn::parsePtxasOutput(StringRef text) {
  std::optional<unsigned> registers = numberBefore(text, "registers");
  if (!registers)
    return std::nullopt;
  PtxasUsage usage;
  usage.registers = *registers;
  usage.spillStores = numberBefore(text, "bytes spill stores").value_or(0);
  usage.spillLoads = numberBefore(text, "bytes spill loads").value_or(0);
  usage.stackBytes = numberBefore(text, "bytes stack frame").value_or(0);
  usage.sharedBytes = numberBefore(text, "bytes smem").value_or(0);
  return usage;
}

Expected<PtxasUsage>
mlir::sparse_attn::runPtxas(StringRef ptxas, StringRef chip, StringRef file) {
  SmallString<128> log, cubin;
  if (std::error_code code =
          sys::fs::createTemporaryFile("sparse-attn-ptxas", "log", log))
    return createStringError(code, "cannot create a temporary file");
  FileRemover removeLog(log);
  if (std::error_code code =
          sys::fs::createTemporaryFile("sparse-attn-ptxas", "cubin", cubin))
    return createStringError(code, "cannot create a temporary file");
  FileRemover removeCubin(cubin);

  std::string arch = ("-arch=" + chip).str();
  StringRef arguments[] = {ptxas, "-v", arch, file, "-o", cubin};
  std::optional<StringRef> redirects[] = {StringRef(), StringRef(log),
                                          StringRef(log)};
  std::string message;
  int status = sys::ExecuteAndWait(ptxas, arguments, std::nullopt, redirects,
                                   secondsToWait, 0, &message);
  ErrorOr<std::unique_ptr<MemoryBuffer>> output = MemoryBuffer::getFile(log);
  StringRef text = output ? (*output)->getBuffer() : StringRef();
  if (status != 0) {
    if (message.empty())
      message = "exit code " + std::to_string(status);
    return createStringError("%s failed: %s\n%s", ptxas.str().c_str(),
                             message.c_str(), text.rtrim().str().c_str());
  }
  std::optional<PtxasUsage> usage = parsePtxasOutput(text);
  if (!usage)
    return createStringError("%s printed no register count:\n%s",
                             ptxas.str().c_str(), text.rtrim().str().c_str());
  return *usage;
}
