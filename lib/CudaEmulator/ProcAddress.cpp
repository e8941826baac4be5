//===- ProcAddress.cpp - cuGetProcAddress ---------------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Machine.h"

#include <dlfcn.h>

using namespace sparse_attn::cuda_emulator;

namespace {

/// Names whose meaning depends on the version that the program was written
/// for: from which version on which symbol.
struct Versioned {
  const char *name;
  int version;
  const char *symbol;
};
constexpr Versioned versioned[] = {
    {"cuCtxCreate", 11040, "cuCtxCreate_v3"},
    {"cuCtxCreate", 12050, "cuCtxCreate_v4"},
    {"cuGetProcAddress", 12000, "cuGetProcAddress_v2"},
    {"cuGraphAddDependencies", 12030, "cuGraphAddDependencies_v2"},
    {"cuGraphAddKernelNode", 12000, "cuGraphAddKernelNode_v2"},
};

/// This library, as the dynamic loader knows it.
void *self() {
  static void *handle = [] {
    Dl_info info;
    if (!dladdr(reinterpret_cast<void *>(&self), &info))
      return static_cast<void *>(nullptr);
    return dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
  }();
  return handle;
}

void *find(const std::string &name, int version) {
  const char *chosen = nullptr;
  for (const Versioned &entry : versioned)
    if (name == entry.name && version >= entry.version)
      chosen = entry.symbol;
  if (name.rfind("cu", 0) != 0 || !self())
    return nullptr;
  if (chosen)
    return dlsym(self(), chosen);
  // Most names have one meaning since version 3.2: that of `name_v2`.
  if (void *function = dlsym(self(), name.c_str()))
    return function;
  return dlsym(self(), (name + "_v2").c_str());
}

} // namespace

CUDA_API cuGetProcAddress_v2(const char *name, void **function, int version,
                             uint64_t, int *status) {
  if (!name || !function)
    return InvalidValue;
  *function = find(name, version);
  if (status)
    *status = *function ? 0 : 1; // CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND
  if (*function)
    return Success;
  complain("'" + std::string(name) + "' is not provided");
  return NotFound;
}

CUDA_API cuGetProcAddress(const char *name, void **function, int version,
                          uint64_t flags) {
  return cuGetProcAddress_v2(name, function, version, flags, nullptr);
}
