//===- Bindings.cpp - Files for a kernel's arguments ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Bindings.h"

#include "SparseAttn/Runtime/Support.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace sparse_attn::runtime;

namespace sparse_attn::run {

static std::string nameList(const Kernel &kernel,
                            function_ref<bool(const Argument &)> accepts) {
  std::vector<StringRef> names;
  for (const Argument &argument : kernel.arguments)
    if (accepts(argument))
      names.push_back(argument.name);
  return names.empty() ? "none" : join(names, ", ");
}

/// Files given by name first, then the others in order over the arguments that
/// `inOrder` accepts and that have none. `byName` accepts what may be named.
static Expected<ArgumentFiles>
bindFiles(StringRef flag, ArrayRef<FileBinding> files, const Kernel &kernel,
          function_ref<bool(const Argument &)> inOrder,
          function_ref<bool(const Argument &)> byName) {
  ArgumentFiles result(kernel.arguments.size());
  for (const FileBinding &file : files) {
    if (file.name.empty())
      continue;
    auto found = find_if(kernel.arguments, [&](const Argument &argument) {
      return argument.name == file.name && byName(argument);
    });
    if (found == kernel.arguments.end())
      return fail("--" + flag + ": expected a name out of " +
                  nameList(kernel, byName) + "; found " + inQuotes(file.name));
    std::string &slot = result[found - kernel.arguments.begin()];
    if (!slot.empty())
      return fail("--" + flag + ": expected '" + file.name +
                  "' once, found it twice");
    slot = file.path;
  }
  size_t next = 0;
  for (const FileBinding &file : files) {
    if (!file.name.empty())
      continue;
    while (next < result.size() &&
           (!inOrder(kernel.arguments[next]) || !result[next].empty()))
      ++next;
    if (next == result.size()) {
      size_t places = count_if(kernel.arguments, inOrder);
      return fail("--" + flag + ": expected at most " + Twine(places) +
                  " files in order (" + nameList(kernel, inOrder) +
                  "), found " + Twine(files.size()));
    }
    result[next++] = file.path;
  }
  return result;
}

Expected<Bindings> bindArguments(const Options &options, const Kernel &kernel) {
  auto isInput = [](const Argument &argument) {
    return argument.isTensor(Argument::Role::Input);
  };
  auto isOutput = [](const Argument &argument) {
    return argument.isTensor(Argument::Role::Output);
  };
  auto isResult = [&](const Argument &argument) {
    return isOutput(argument) || argument.isTensor(Argument::Role::Statistic);
  };
  Expected<ArgumentFiles> inputs =
      bindFiles("input", options.inputs, kernel, isInput, isInput);
  if (!inputs)
    return inputs.takeError();
  for (auto [argument, file] : zip(kernel.arguments, *inputs))
    if (isInput(argument) && file.empty())
      return fail("--input: expected files for " + nameList(kernel, isInput) +
                  "; found " + Twine(options.inputs.size()) + ", none for '" +
                  argument.name + "'");
  Expected<ArgumentFiles> outputs =
      bindFiles("output", options.outputs, kernel, isOutput, isResult);
  if (!outputs)
    return outputs.takeError();
  Expected<ArgumentFiles> expected = bindFiles(
      "expected_output", options.expected, kernel, isOutput, isResult);
  if (!expected)
    return expected.takeError();
  return Bindings{std::move(*inputs), std::move(*outputs),
                  std::move(*expected)};
}

Expected<std::vector<Tensor>>
readInputs(const Bindings &bindings, const Kernel &kernel, uint64_t byteLimit) {
  std::vector<Tensor> result(kernel.arguments.size());
  for (size_t index = 0; index < result.size(); ++index) {
    const std::string &path = bindings.inputs[index];
    if (path.empty())
      continue;
    const Argument &argument = kernel.arguments[index];
    // f8 takes four times the room of the kernel's f16.
    Expected<NpyArray> array = readNpyFile(path, 4 * byteLimit);
    if (!array)
      return fail("input '" + argument.name +
                  "': " + toString(array.takeError()));
    uint64_t overflowed = 0;
    Expected<Tensor> tensor = tensorFromNpy(*array, argument.type, &overflowed);
    if (!tensor)
      return fail("input '" + argument.name + "': " + quotedPath(path) + ": " +
                  toString(tensor.takeError()));
    if (overflowed)
      WithColor::warning() << "input '" << argument.name << "': " << overflowed
                           << " finite values are infinite in "
                           << elementName(argument.type) << '\n';
    result[index] = std::move(*tensor);
  }
  return result;
}

Error writeOutputs(const Bindings &bindings, const Kernel &kernel,
                   const KernelRun &run) {
  for (size_t index = 0; index < run.results.size(); ++index) {
    const Tensor &tensor = run.results[index];
    const std::string &path = bindings.outputs[index];
    if (path.empty())
      continue;
    if (Error error = writeNpyFile(path, npyFromTensor(tensor)))
      return error;
    uint64_t missing = llvm::count(tensor.written, false);
    if (missing)
      WithColor::note() << "'" << kernel.arguments[index].name
                        << "': " << missing << " of " << tensor.size()
                        << " elements were not computed by these thread "
                           "blocks; "
                        << quotedPath(path) << " holds "
                        << (isFloat(tensor.type) ? "NaN" : "0")
                        << " for them\n";
  }
  return Error::success();
}

/// Twice the spacing of numbers near 1 for 16-bit types.
static double defaultTolerance(ElementType type) {
  switch (type) {
  case ElementType::F16:
    return 1e-3;
  case ElementType::BF16:
    return 1e-2;
  case ElementType::F32:
    return 1e-4;
  case ElementType::I1:
  case ElementType::I32:
  case ElementType::I64:
    break;
  }
  return 0;
}

static std::string shortest(double value) {
  std::string text;
  raw_string_ostream(text) << format("%.9g", value);
  return text;
}

Error compareOutputs(const Options &options, const Bindings &bindings,
                     const Kernel &kernel, const KernelRun &run,
                     double &largest) {
  for (size_t index = 0; index < run.results.size(); ++index) {
    const std::string &path = bindings.expected[index];
    if (path.empty())
      continue;
    const Tensor &tensor = run.results[index];
    std::string subject = "'" + kernel.arguments[index].name + "': ";
    Expected<NpyArray> array = readNpyFile(path, 4 * options.run.byteLimit);
    if (!array)
      return fail(subject + toString(array.takeError()));
    double absolute =
        options.absoluteTolerance.value_or(defaultTolerance(tensor.type));
    Expected<Difference> difference =
        compare(tensor, *array, absolute, options.relativeTolerance);
    if (!difference)
      return fail(subject + quotedPath(path) + ": " +
                  toString(difference.takeError()));
    largest = std::max(largest, difference->largest);
    if (difference->count)
      return fail(
          subject + "expected the values of " + quotedPath(path) + " within " +
          shortest(absolute) +
          (options.relativeTolerance
               ? " + " + shortest(options.relativeTolerance) + " relative"
               : std::string()) +
          ", found " + Twine(difference->count) + " of " +
          Twine(difference->compared) + " outside, the first at " +
          tensor.position(difference->firstIndex) + ": expected " +
          shortest(difference->firstExpected) + ", found " +
          shortest(difference->firstFound) + "; the largest difference is " +
          shortest(difference->largest));
  }
  return Error::success();
}

} // namespace sparse_attn::run
