//===- CudaDriver.cpp - The CUDA driver, opened at run time ---------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "CudaDriver.h"

#include "SparseAttn/Runtime/Support.h"

#include <dlfcn.h>

using namespace llvm;

namespace sparse_attn::runtime::cuda {

/// Fills in `function`, or keeps the first name that is `missing`.
template <typename F>
static void lookUp(void *handle, const char *symbol, F *&function,
                   const char *&missing) {
  function = reinterpret_cast<F *>(::dlsym(handle, symbol));
  if (!function && !missing)
    missing = symbol;
}

Expected<std::unique_ptr<Driver>> Driver::open(StringRef library) {
  void *handle = ::dlopen(library.str().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return fail("no CUDA driver: " + Twine(::dlerror()));
  auto driver = std::make_unique<Driver>();
  const char *missing = nullptr;
#define SPARSE_ATTN_LOOK_UP(name, symbol, parameters)                          \
  lookUp(handle, #symbol, driver->name, missing);
  SPARSE_ATTN_CUDA_FUNCTIONS(SPARSE_ATTN_LOOK_UP)
#undef SPARSE_ATTN_LOOK_UP
  if (missing)
    return fail("no CUDA driver: expected the function " + Twine(missing) +
                " in " + library + ", found none");
  return std::move(driver);
}

Error Driver::check(Result result, const Twine &what) const {
  if (result == 0)
    return Error::success();
  const char *name = nullptr, *words = nullptr;
  errorName(result, &name);
  errorString(result, &words);
  return fail(what +
              " failed: " + (name ? Twine(name) : "error " + Twine(result)) +
              (words ? ": " + Twine(words) : Twine()));
}

} // namespace sparse_attn::runtime::cuda
