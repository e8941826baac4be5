//===- Modules.cpp - Modules, libraries and functions ---------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Modules.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>
#include <system_error>

using namespace sparse_attn;
using namespace sparse_attn::cuda_emulator;

CUDA_API cuDeviceGetAttribute(int *value, int attribute, CUdevice device);

namespace {

/// Where the program wants the compiler's words.
struct Logs {
  void read(unsigned count, const int *options, void **values) {
    for (unsigned i = 0; i < count; ++i) {
      // Sizes are passed by value in a pointer's place, and returned there.
      if (options[i] == ErrorLogBuffer)
        errors = static_cast<char *>(values[i]);
      else if (options[i] == ErrorLogBufferSize)
        errorSize = &values[i];
      else if (options[i] == InfoLogBuffer && values[i])
        *static_cast<char *>(values[i]) = 0;
      else if (options[i] == InfoLogBufferSize)
        values[i] = nullptr;
    }
    if (!errors || !errorSize)
      return;
    room = reinterpret_cast<uintptr_t>(*errorSize);
    put("");
  }
  void put(const std::string &text) {
    if (room == 0)
      return;
    size_t length = std::min(text.size(), room - 1);
    std::memcpy(errors, text.data(), length);
    errors[length] = 0;
    *errorSize = reinterpret_cast<void *>(length);
  }

  char *errors = nullptr;
  void **errorSize = nullptr;
  size_t room = 0;
};

/// What the image is if it is not PTX.
const char *binaryKind(const void *image) {
  uint32_t magic;
  std::memcpy(&magic, image, sizeof magic);
  switch (magic) {
  case 0x464c457f:
    return "a cubin";
  case 0xba55ed50:
  case 0x466243b1:
    return "a fat binary";
  default:
    return nullptr;
  }
}

/// A target runs on its own architecture and later ones; those with a letter
/// ("sm_90a") only on their own (PTX ISA, "Module Directives: .target").
bool runsHere(const std::string &target) {
  constexpr std::string_view prefix = "sm_";
  if (target.compare(0, prefix.size(), prefix) != 0)
    return false;
  unsigned number = 0;
  const char *end = target.data() + target.size();
  auto [rest, error] =
      std::from_chars(target.data() + prefix.size(), end, number);
  if (error != std::errc())
    return false;
  return rest == end ? number <= settings().capability
                     : number == settings().capability;
}

CUresult load(Module **result, const void *image, Logs logs) {
  REQUIRE(requireContext());
  if (!result || !image)
    return InvalidValue;
  const char *text = static_cast<const char *>(image);
  if (std::strlen(text) >= 4) {
    if (const char *kind = binaryKind(image)) {
      complain(std::string("expected PTX text, found ") + kind);
      return NoBinaryForGpu;
    }
  }
  emulator::Error error;
  std::shared_ptr<const emulator::Program> program =
      emulator::Program::parse(text, error);
  std::string fault = program ? "" : error.str();
  if (program && !runsHere(program->target()))
    fault = "expected a target that runs on sm_" +
            std::to_string(settings().capability) + ", found " +
            program->target();
  if (!fault.empty()) {
    complain("PTX: " + fault);
    logs.put(fault);
    return InvalidPtx;
  }
  Module *module = handles<Module>().create();
  module->program = program;
  auto variables = std::make_shared<std::vector<uint8_t>>();
  for (const std::string &name : program->entries()) {
    Function *function = handles<Function>().create();
    function->module = module;
    function->program = program;
    function->variables = variables;
    function->entry = program->entry(name);
    module->functions.push_back(function);
  }
  *result = module;
  return Success;
}

CUresult loadFile(Module **result, const char *path) {
  std::FILE *file = path ? std::fopen(path, "rb") : nullptr;
  if (!file)
    return FileNotFound;
  std::string text;
  char part[4096];
  while (size_t count = std::fread(part, 1, sizeof part, file))
    text.append(part, count);
  std::fclose(file);
  return load(result, text.c_str(), {});
}

CUresult unload(Module *module) {
  if (!handles<Module>().contains(module))
    return InvalidHandle;
  Machine::get().waitForAll();
  for (Function *function : module->functions)
    handles<Function>().destroy(function);
  handles<Module>().destroy(module);
  return Success;
}

CUresult findFunction(Function **result, Module *module, const char *name) {
  REQUIRE(requireInit());
  if (!handles<Module>().contains(module))
    return InvalidHandle;
  if (!result || !name)
    return InvalidValue;
  for (Function *function : module->functions)
    if (function->entry->name == name) {
      *result = function;
      return Success;
    }
  return NotFound;
}

CUresult getAttribute(int *value, int attribute, Function *function) {
  REQUIRE(requireInit());
  if (!handles<Function>().contains(function))
    return InvalidHandle;
  if (!value || attribute < 0 || attribute > LastFunctionAttribute)
    return InvalidValue;
  const emulator::EntryPoint &entry = *function->entry;
  *value = 0;
  if (attribute == MaxThreadsPerBlock) {
    const auto &most =
        entry.requiredThreads[0] ? entry.requiredThreads : entry.maxThreads;
    *value = most[0] ? int(most[0] * most[1] * most[2]) : 1024;
  } else if (attribute == SharedSizeBytes) {
    *value = int(entry.staticSharedBytes);
  } else if (attribute == NumRegs) {
    *value = 32; // registers are not allocated; any kernel fits
  } else if (attribute == PtxVersion || attribute == BinaryVersion) {
    *value = int(settings().capability);
  } else if (attribute == MaxDynamicSharedSizeBytes) {
    *value = function->maxDynamicShared;
  }
  return Success;
}

CUresult setAttribute(Function *function, int attribute, int value) {
  REQUIRE(requireInit());
  if (!handles<Function>().contains(function))
    return InvalidHandle;
  if (attribute == MaxDynamicSharedSizeBytes) {
    int limit = 0;
    REQUIRE(cuDeviceGetAttribute(&limit, 97, 0));
    if (value < 0 || value > limit - int(function->entry->staticSharedBytes))
      return InvalidValue;
    function->maxDynamicShared = value;
    return Success;
  }
  bool isHint = attribute == PreferredSharedMemoryCarveout ||
                attribute == NonPortableClusterSizeAllowed;
  return isHint ? Success : InvalidValue;
}

CUresult parameterInfo(Function *function, size_t index, size_t *offset,
                       size_t *bytes) {
  if (!handles<Function>().contains(function))
    return InvalidHandle;
  const auto &parameters = function->entry->parameters;
  if (!offset || index >= parameters.size())
    return InvalidValue;
  *offset = parameters[index].offset;
  if (bytes)
    *bytes = parameters[index].bytes;
  return Success;
}

} // namespace

CUDA_API cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned count,
                            int *options, void **values) {
  Logs logs;
  if (count && options && values)
    logs.read(count, options, values);
  return load(module, image, logs);
}
CUDA_API cuModuleLoadData(CUmodule *module, const void *image) {
  return load(module, image, {});
}
CUDA_API cuModuleLoad(CUmodule *module, const char *path) {
  return loadFile(module, path);
}
CUDA_API cuModuleUnload(CUmodule module) { return unload(module); }
CUDA_API cuModuleGetFunction(CUfunction *function, CUmodule module,
                             const char *name) {
  return findFunction(function, module, name);
}
CUDA_API cuModuleGetFunctionCount(unsigned *count, CUmodule module) {
  if (!handles<Module>().contains(module))
    return InvalidHandle;
  if (!count)
    return InvalidValue;
  *count = unsigned(module->functions.size());
  return Success;
}
CUDA_API cuModuleGetLoadingMode(int *mode) {
  if (!mode)
    return InvalidValue;
  *mode = 1; // eager
  return Success;
}
CUDA_API cuModuleGetGlobal_v2(CUdeviceptr *, size_t *, CUmodule module,
                              const char *name) {
  if (!handles<Module>().contains(module))
    return InvalidHandle;
  if (!name)
    return InvalidValue;
  // They live outside of device memory.
  complain(std::string("cuModuleGetGlobal is not provided; asked for '") +
           name + "'");
  return NotFound;
}

CUDA_API cuLibraryLoadData(CUlibrary *library, const void *image, int *options,
                           void **values, unsigned count, int *, void **,
                           unsigned) {
  return cuModuleLoadDataEx(library, image, count, options, values);
}
CUDA_API cuLibraryLoadFromFile(CUlibrary *library, const char *path, int *,
                               void **, unsigned, int *, void **, unsigned) {
  return loadFile(library, path);
}
CUDA_API cuLibraryUnload(CUlibrary library) { return unload(library); }
CUDA_API cuLibraryGetKernel(CUkernel *kernel, CUlibrary library,
                            const char *name) {
  return findFunction(kernel, library, name);
}
CUDA_API cuLibraryGetModule(CUmodule *module, CUlibrary library) {
  if (!handles<Module>().contains(library))
    return InvalidHandle;
  if (!module)
    return InvalidValue;
  *module = library;
  return Success;
}
CUDA_API cuLibraryGetKernelCount(unsigned *count, CUlibrary library) {
  return cuModuleGetFunctionCount(count, library);
}
CUDA_API cuKernelGetFunction(CUfunction *function, CUkernel kernel) {
  if (!handles<Function>().contains(kernel))
    return InvalidHandle;
  if (!function)
    return InvalidValue;
  *function = kernel;
  return Success;
}
CUDA_API cuKernelGetAttribute(int *value, int attribute, CUkernel kernel,
                              CUdevice) {
  return getAttribute(value, attribute, kernel);
}
CUDA_API cuKernelSetAttribute(int attribute, int value, CUkernel kernel,
                              CUdevice) {
  return setAttribute(kernel, attribute, value);
}
CUDA_API cuKernelGetParamInfo(CUkernel kernel, size_t index, size_t *offset,
                              size_t *bytes) {
  return parameterInfo(kernel, index, offset, bytes);
}

CUDA_API cuFuncGetAttribute(int *value, int attribute, CUfunction function) {
  return getAttribute(value, attribute, function);
}
CUDA_API cuFuncSetAttribute(CUfunction function, int attribute, int value) {
  return setAttribute(function, attribute, value);
}
CUDA_API cuFuncSetCacheConfig(CUfunction function, int) {
  return handles<Function>().contains(function) ? Success : InvalidHandle;
}
CUDA_API cuFuncGetModule(CUmodule *module, CUfunction function) {
  if (!handles<Function>().contains(function))
    return InvalidHandle;
  if (!module)
    return InvalidValue;
  *module = function->module;
  return Success;
}
CUDA_API cuFuncGetName(const char **name, CUfunction function) {
  if (!handles<Function>().contains(function))
    return InvalidHandle;
  if (!name)
    return InvalidValue;
  *name = function->entry->name.c_str();
  return Success;
}
CUDA_API cuFuncGetParamInfo(CUfunction function, size_t index, size_t *offset,
                            size_t *bytes) {
  return parameterInfo(function, index, offset, bytes);
}

CUDA_API cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks,
                                                     CUfunction function,
                                                     int threads, size_t) {
  if (!handles<Function>().contains(function))
    return InvalidHandle;
  if (!blocks || threads < 1 || threads > 1024)
    return InvalidValue;
  *blocks = 1;
  return Success;
}
