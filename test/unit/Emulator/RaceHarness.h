//===- RaceHarness.h - Kernels with and without a hazard ------ -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every hazard is tested in pairs: the kernel that has it, with the two lines
// that must be named, and its twin with the missing order added, which must be
// clean under many schedules.
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_UNITTESTS_EMULATOR_RACEHARNESS_H
#define SPARSEATTN_UNITTESTS_EMULATOR_RACEHARNESS_H

#include "Harness.h"

namespace sparse_attn::emulator::test {

/// What a test varies beside the body.
struct Setup {
  uint32_t threads = 64;
  uint32_t blocks = 1;
  uint32_t cluster = 1; // blocks of one
};

/// Runs `body` with race checking. There are the shared arrays "pad", "buf"
/// (4096 bytes) and "bars" (four mbarriers), 16 KiB of input and of output.
std::optional<Error> execute(const std::string &body, uint64_t seed,
                             Setup setup = {});

/// Expects the race between the lines marked ONE and TWO, in whatever order a
/// schedule runs them, and each of `parts` in the report.
void expectRace(const std::string &body, std::vector<std::string> parts,
                Setup setup = {});

/// Expects some error whose message holds one of `parts`.
void expectHazard(const std::string &body, std::vector<std::string> parts,
                  Setup setup = {});

void expectClean(const std::string &body, Setup setup = {});

/// Replaces $ORDER in `body`.
std::string with(std::string body, const std::string &order);

} // namespace sparse_attn::emulator::test

#endif // SPARSEATTN_UNITTESTS_EMULATOR_RACEHARNESS_H
