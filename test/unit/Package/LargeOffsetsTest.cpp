//===- LargeOffsetsTest.cpp - Tensors beyond 2^31 elements and bytes ------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel's offsets are products of sizes. Here they pass 2^31, in elements
// and in bytes, at the head and at the row. What 32 bits would make of them is
// memory that nothing wrote, which the emulator reports. Of the huge buffers
// only the pages that a kernel touches exist.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Emulator/Emulator.h"
#include "SparseAttn/Package/Compiler.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir;
using namespace mlir::sparse_attn;
namespace emulator = ::sparse_attn::emulator;

namespace {

constexpr int64_t tileRows = 64, tileKeys = 32, width = 64;

/// A tensor of f16 (or i1, a byte each) of which a few rows are written.
struct SparseTensor {
  SparseTensor(emulator::GlobalMemory &memory, int64_t elements, unsigned bytes)
      : memory(memory), bytes(bytes),
        address(memory.allocate(elements * bytes)) {}

  void fillRow(int64_t first, int64_t count, double value) {
    if (bytes == 1) {
      std::vector<uint8_t> row(count, value != 0);
      return memory.write(address + first, row.data(), row.size());
    }
    APFloat half(value);
    bool lost;
    half.convert(APFloat::IEEEhalf(), APFloat::rmNearestTiesToEven, &lost);
    std::vector<uint16_t> row(count, half.bitcastToAPInt().getZExtValue());
    memory.write(address + 2 * first, row.data(), 2 * count);
  }
  double read(int64_t element) {
    uint16_t bits = 0;
    EXPECT_TRUE(memory.read(address + 2 * element, &bits, 2));
    return APFloat(APFloat::IEEEhalf(), APInt(16, bits)).convertToDouble();
  }

  emulator::GlobalMemory &memory;
  unsigned bytes;
  uint64_t address;
};

/// Causal attention of two heads, compiled for these lengths.
class LargeKernel {
public:
  LargeKernel(int64_t rows, int64_t keys, bool masked)
      : rows(rows), keys(keys), masked(masked) {
    std::string mask =
        "tensor<" + std::to_string(rows) + "x" + std::to_string(keys) + "xi1>";
    auto tensor = [](int64_t length) {
      return "tensor<2x" + std::to_string(length) + "x64xf16>";
    };
    std::string q = tensor(rows), k = tensor(keys);
    std::string text;
    llvm::raw_string_ostream(text)
        << "func.func @f(%q: " << q << ", %k: " << k << ", %v: " << k
        << (masked ? ", %mask: " + mask : "") << ", %init: " << q << ") -> "
        << q << " {\n  %o = sparse_attn.attention ins(%q, %k, %v : " << q
        << ", " << k << ", " << k << ")"
        << (masked ? " mask(%mask : " + mask + ")" : "")
        << " outs(%init : " << q << R"mlir() score {
  ^bb0(%s: f32, %b: index, %query: index, %key: index):
    %low = arith.constant 0xFF800000 : f32
    %seen = arith.cmpi sle, %key, %query : index
    %r = arith.select %seen, %s, %low : f32
    sparse_attn.yield %r : f32
  } {indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>,
                      affine_map<(b, m, n, d, k) -> (b, k, d)>,
                      affine_map<(b, m, n, d, k) -> (b, k, n)>,)mlir"
        << (masked ? "affine_map<(b, m, n, d, k) -> (m, k)>," : "") << R"mlir(
                      affine_map<(b, m, n, d, k) -> (b, m, n)>],
     scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> )mlir"
        << q << "\n  return %o : " << q << "\n}\n";
    compileText(text);
  }

  /// Runs the blocks of one tile of queries, both heads.
  void run(ArrayRef<uint64_t> addresses, int64_t tile,
           emulator::GlobalMemory &memory) {
    ASSERT_EQ(result.targets.size(), 1u);
    ASSERT_EQ(result.targets[0].kernels.size(), 1u);
    const CompiledKernel &kernel = result.targets[0].kernels[0];
    ASSERT_FALSE(kernel.ptx.empty()) << kernel.refusal;
    emulator::Error error;
    auto program = emulator::Program::parse(kernel.ptx, error);
    ASSERT_TRUE(program) << error.str();
    emulator::Launch launch;
    launch.entry = kernel.name;
    auto tiles = static_cast<uint32_t>((rows + tileRows - 1) / tileRows);
    launch.grid = {tiles, 2, 1};
    launch.block = {static_cast<uint32_t>(kernel.threads), 1, 1};
    launch.dynamicSharedBytes = kernel.sharedMemory;
    launch.onlyBlocks = {static_cast<uint64_t>(tile),
                         static_cast<uint64_t>(tile) + tiles};
    for (uint64_t address : addresses)
      for (unsigned byte = 0; byte < 8; ++byte)
        launch.parameters.push_back(address >> (8 * byte));
    auto fault = emulator::execute(*program, memory, launch);
    ASSERT_FALSE(fault) << fault->str();
  }

  int64_t rows, keys;
  bool masked;

private:
  void compileText(const std::string &text) {
    DialectRegistry registry;
    registerCompilerDialects(registry);
    context.appendDialectRegistry(registry);
    std::string messages;
    llvm::raw_string_ostream os(messages);
    DiagnosticCollector diagnostics(&context, os);
    CompileOptions options;
    options.targets = {"sm_80"};
    Outcome outcome = mlir::sparse_attn::compile(
        context, llvm::MemoryBuffer::getMemBufferCopy(text, "graph.mlir"),
        options, diagnostics, result);
    EXPECT_EQ(outcome, Outcome::Success) << messages;
  }

  MLIRContext context;
  Compilation result;
};

/// Runs the tile of queries at `first` on keys that are all alike: a row is the
/// mean of the values that it sees, which tell head and key.
void testCausal(LargeKernel &kernel, int64_t first, int64_t seenKeys) {
  emulator::GlobalMemory memory;
  int64_t rows = std::min(tileRows, kernel.rows - first);
  SparseTensor query(memory, 2 * kernel.rows * width, 2);
  SparseTensor key(memory, 2 * kernel.keys * width, 2);
  SparseTensor value(memory, 2 * kernel.keys * width, 2);
  SparseTensor mask(memory, kernel.masked ? kernel.rows * kernel.keys : 0, 1);
  SparseTensor output(memory, 2 * kernel.rows * width, 2);
  int64_t tiles = (kernel.rows + tileRows - 1) / tileRows;
  SparseTensor counts(memory, 2 * tiles * 2, 4);
  for (int64_t head : {0, 1}) {
    query.fillRow((head * kernel.rows + first) * width, rows * width, 0.5);
    // Kernels fetch a tile ahead.
    for (int64_t j = 0; j < std::min(kernel.keys, seenKeys + tileKeys); ++j) {
      key.fillRow((head * kernel.keys + j) * width, width, 0.25);
      value.fillRow((head * kernel.keys + j) * width, width,
                    2.0 * head + j / 64.0);
    }
  }
  SmallVector<uint64_t> addresses = {query.address, key.address, value.address};
  if (kernel.masked) {
    addresses.push_back(mask.address);
    // The mask keeps even keys.
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < seenKeys; ++j)
        mask.fillRow((first + i) * kernel.keys + j, 1, j % 2 == 0);
  }
  addresses.append({output.address, counts.address});
  ASSERT_NO_FATAL_FAILURE(kernel.run(addresses, first / tileRows, memory));

  for (int64_t head : {0, 1})
    for (int64_t i = 0; i < rows; ++i) {
      double sum = 0;
      int64_t count = 0;
      for (int64_t j = 0; j <= first + i && j < kernel.keys; ++j)
        if (!kernel.masked || j % 2 == 0) {
          sum += 2.0 * head + j / 64.0;
          ++count;
        }
      for (int64_t n : {int64_t(0), width - 1})
        EXPECT_NEAR(output.read((head * kernel.rows + first + i) * width + n),
                    sum / count, 4e-3)
            << "head " << head << ", row " << i;
    }
}

} // namespace

TEST(LargeOffsetsTest, HeadsOfKeys) {
  // The second head begins 2^31 bytes, or elements, behind the first, more or
  // less one key.
  for (int64_t keys : {(1 << 24) - 1, (1 << 24) + 1, (1 << 25) - 1, (1 << 25),
                       (1 << 25) + 1}) {
    LargeKernel kernel(/*rows=*/64, keys, /*masked=*/false);
    testCausal(kernel, /*first=*/0, /*seenKeys=*/64);
  }
}

TEST(LargeOffsetsTest, RowsOfQueries) {
  for (int64_t rows : {(1 << 25) - 1, (1 << 25) + 1, (1 << 25) + 65}) {
    LargeKernel kernel(rows, /*keys=*/40, /*masked=*/false);
    testCausal(kernel, (rows - 1) / tileRows * tileRows, /*seenKeys=*/40);
  }
}

TEST(LargeOffsetsTest, RowsOfAMask) {
  for (int64_t keys : {(1 << 25) + 1, (1 << 26) - 1}) {
    LargeKernel kernel(/*rows=*/100, keys, /*masked=*/true);
    testCausal(kernel, /*first=*/64, /*seenKeys=*/128);
  }
}
