//===- PackageRunnerTest.cpp - Tests of running kernels -------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "SparseAttn/Runtime/PackageRunner.h"
#include "gtest/gtest.h"

#include <cstring>
#include <functional>
#include <map>

using namespace sparse_attn::runtime;
using llvm::Error;
using llvm::Expected;
using llvm::toString;

namespace {
/// A device whose kernels are a function of the test. Knows what was written,
/// as the emulator does.
class ScriptedDevice : public Device {
public:
  struct Buffer {
    std::vector<uint8_t> bytes;
    std::vector<bool> written;
  };
  using Script = std::function<void(ScriptedDevice &, const LaunchSpec &)>;

  explicit ScriptedDevice(Script script) : script(std::move(script)) {}

  Kind kind() const override { return Kind::Emulator; }
  std::string name() const override { return "scripted"; }
  unsigned accepts(llvm::StringRef) const override { return 1; }
  Expected<uint64_t> allocate(uint64_t bytes) override {
    uint64_t address = uint64_t(1) << 32 << buffers.size();
    buffers[address] = {std::vector<uint8_t>(bytes),
                        std::vector<bool>(bytes, false)};
    return address;
  }
  Error write(uint64_t address, llvm::ArrayRef<uint8_t> bytes) override {
    store(address, bytes.data(), bytes.size());
    return Error::success();
  }
  Expected<bool> read(uint64_t address,
                      llvm::MutableArrayRef<uint8_t> bytes) override {
    auto [start, buffer] = *std::prev(buffers.upper_bound(address));
    uint64_t offset = address - start;
    std::copy_n(buffer.bytes.begin() + offset, bytes.size(), bytes.begin());
    bool written = true;
    for (size_t i = 0; i < bytes.size(); ++i)
      written = written && buffer.written[offset + i];
    return written;
  }
  void releaseMemory() override { buffers.clear(); }
  Expected<std::unique_ptr<LoadedKernel>> load(const Kernel &,
                                               llvm::StringRef) override {
    struct Loaded : LoadedKernel {
      explicit Loaded(ScriptedDevice &device) : device(device) {}
      Expected<LaunchResult> launch(const LaunchSpec &spec) override {
        device.launches.push_back(spec);
        device.script(device, spec);
        LaunchResult result;
        result.counters = {{"launch", device.launches.size()}};
        return result;
      }
      Error enqueue(const LaunchSpec &, void *) override {
        return llvm::createStringError("no streams here");
      }
      ScriptedDevice &device;
    };
    return std::make_unique<Loaded>(*this);
  }

  void store(uint64_t address, const void *source, size_t size) {
    auto found = std::prev(buffers.upper_bound(address));
    uint64_t offset = address - found->first;
    std::memcpy(&found->second.bytes[offset], source, size);
    std::fill_n(found->second.written.begin() + offset, size, true);
  }

  Script script;
  std::map<uint64_t, Buffer> buffers;
  std::vector<LaunchSpec> launches;
};

class PackageRunnerTest : public testing::Test {
protected:
  void SetUp() override {
    kernel.name = "fill";
    kernel.threads = 32;
    kernel.sharedMemory = 16;
    Argument x, length, y;
    x.name = "x";
    x.shape = {Rule{Rule::Form::Any, -1, {}}};
    length.name = "length";
    length.kind = Argument::Kind::Dim;
    y.name = "y";
    y.role = Argument::Role::Output;
    y.type = ElementType::I32;
    y.shape = {Rule{Rule::Form::Dim, 0, {{0, 0}}}};
    kernel.arguments = {x, length, y};
    kernel.grid = {Rule{Rule::Form::Dim, 0, {{0, 0}}},
                   Rule{Rule::Form::Constant, 2, {}},
                   Rule{Rule::Form::Constant, 1, {}}};
    inputs.resize(3);
    inputs[0].shape = {count};
    inputs[0].data.resize(4 * count);
  }

  /// Writes elements from `first` on, each with `value`.
  static void fill(ScriptedDevice &device, const LaunchSpec &spec, int first,
                   int32_t value) {
    for (int i = first; i < count; ++i)
      device.store(spec.parameters[2].value + 4 * i, &value, 4);
  }

  Expected<KernelRun> run(ScriptedDevice::Script script) {
    device = std::make_unique<ScriptedDevice>(std::move(script));
    return runKernel(kernel, "", *device, inputs, options);
  }

  // More than a chunk of what looks for unwritten elements.
  static constexpr int count = 2500;
  Kernel kernel;
  std::vector<Tensor> inputs;
  RunOptions options;
  std::unique_ptr<ScriptedDevice> device;
};
} // namespace

TEST_F(PackageRunnerTest, LaunchesAsTheManifestSays) {
  Expected<KernelRun> result =
      run([](ScriptedDevice &device, const LaunchSpec &spec) {
        fill(device, spec, 0, 7);
      });
  ASSERT_TRUE(bool(result)) << toString(result.takeError());
  const LaunchSpec &spec = device->launches[0];
  EXPECT_EQ(spec.grid, (std::array<uint32_t, 3>{count, 2, 1}));
  EXPECT_EQ(spec.threads, 32U);
  EXPECT_EQ(spec.sharedMemory, 16U);
  ASSERT_EQ(spec.parameters.size(), 3U);
  EXPECT_EQ(spec.parameters[0].bytes, 8U);
  EXPECT_EQ(spec.parameters[1].bytes, 4U);
  EXPECT_EQ(spec.parameters[1].value, uint64_t(count));
  EXPECT_EQ(result->results[2].element(count - 1), 7);
  EXPECT_TRUE(result->results[0].data.empty());
  EXPECT_EQ(result->stats.launches, 1U);
  EXPECT_FALSE(result->stats.tiles);
}

TEST_F(PackageRunnerTest, UnwrittenElementsAreFound) {
  EXPECT_EQ(toString(run([](ScriptedDevice &device, const LaunchSpec &spec) {
                       fill(device, spec, 1500, 7);
                     }).takeError()),
            "output 'y': expected every element written, found 1500 of 2500 "
            "never written, the first at [0]");
  // Half an element is not written either.
  EXPECT_EQ(toString(run([](ScriptedDevice &device, const LaunchSpec &spec) {
                       fill(device, spec, 1, 7);
                       device.store(spec.parameters[2].value, "ab", 2);
                     }).takeError()),
            "output 'y': expected every element written, found 1 of 2500 never "
            "written, the first at [0]");
}

TEST_F(PackageRunnerTest, BlocksMarkWhatIsMissing) {
  options.blocks = {{3, 5}, {4, 4}, {4999, 4999}};
  Expected<KernelRun> result =
      run([](ScriptedDevice &device, const LaunchSpec &spec) {
        fill(device, spec, 1025, 7);
      });
  ASSERT_TRUE(bool(result)) << toString(result.takeError());
  EXPECT_EQ(device->launches[0].blocks, (std::vector<uint64_t>{3, 4, 5, 4999}));
  EXPECT_FALSE(result->results[2].isWritten(1024));
  EXPECT_TRUE(result->results[2].isWritten(1025));

  options.blocks = {{0, 5000}};
  EXPECT_EQ(
      toString(run([](auto &, const auto &) {}).takeError()),
      "expected thread blocks from 0 to 4999 in ascending ranges, found 0 "
      "to 5000");
}

TEST_F(PackageRunnerTest, SchedulesMustAgree) {
  options.seed = 10;
  options.schedules = 4;
  Expected<KernelRun> same =
      run([](ScriptedDevice &device, const LaunchSpec &spec) {
        fill(device, spec, 0, 7);
      });
  ASSERT_TRUE(bool(same)) << toString(same.takeError());
  EXPECT_EQ(same->stats.launches, 4U);
  EXPECT_EQ(same->stats.counters[0].second, 1U);
  ASSERT_EQ(device->launches.size(), 4U);
  EXPECT_EQ(device->launches[3].seed, 13U);

  EXPECT_EQ(toString(run([](ScriptedDevice &device, const LaunchSpec &spec) {
                       fill(device, spec, 0, 7);
                       int32_t other = 8;
                       if (spec.seed == 12)
                         device.store(spec.parameters[2].value + 20, &other, 4);
                     }).takeError()),
            "'y': expected the bits of seed 10 under every schedule, found "
            "other ones with --seed=12, the first at [5]");
}

TEST_F(PackageRunnerTest, ByteLimit) {
  auto script = [](ScriptedDevice &device, const LaunchSpec &spec) {
    fill(device, spec, 0, 7);
  };
  options.byteLimit = 8 * count;
  EXPECT_FALSE(bool(run(script).takeError()));
  options.byteLimit = 8 * count - 1;
  EXPECT_EQ(toString(run(script).takeError()),
            "kernel 'fill': expected at most 19999 bytes in all arguments, "
            "found more with 'y'");
}

TEST_F(PackageRunnerTest, WrongInputs) {
  auto script = [](ScriptedDevice &, const LaunchSpec &) {};
  inputs[0].type = ElementType::I32;
  EXPECT_EQ(toString(run(script).takeError()),
            "input 'x': expected the type f32, found i32");
  inputs[0].type = ElementType::F32;
  inputs[0].data.pop_back();
  EXPECT_EQ(toString(run(script).takeError()),
            "input 'x': expected the elements of [2500], found 2499");
  inputs.pop_back();
  EXPECT_EQ(toString(run(script).takeError()),
            "kernel 'fill': expected 3 arguments, found 2");
}
