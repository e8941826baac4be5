//===- HopperKernel.cpp - The frame of sm_90a kernels -------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "HopperKernel.h"

using namespace sparse_attn::emulator;

std::string test::hopperKernel(const std::string &body,
                               const std::string &module,
                               const std::string &directives) {
  std::string maps, addresses;
  for (unsigned i = 0; i < 4; ++i) {
    std::string name = std::to_string(i);
    maps += ",\n  .param .align 64 .b8 k_map" + name + "[128]";
    addresses += "  mov.b64 %map" + name + ", k_map" + name + ";\n" +
                 "  cvta.param.u64 %map" + name + ", %map" + name + ";\n";
  }
  return ".version 8.6\n.target sm_90a\n.address_size 64\n" + module +
         "\n.visible .entry k(\n  .param .u64 k_in,\n  .param .u64 k_out" +
         maps + "\n)\n" + directives +
         "\n{\n  .reg .pred %p<9>;\n  .reg .b16 %h<9>;\n"
         "  .reg .b32 %r<64>;\n  .reg .b64 %rd<32>;\n  .reg .f32 %f<256>;\n"
         "  .reg .b32 %t;\n  .reg .b64 %in, %out, %map<4>;\n"
         "  ld.param.u64 %in, [k_in];\n  ld.param.u64 %out, [k_out];\n" +
         addresses + "  mov.u32 %t, %tid.x;\n" + body + "\n  ret;\n}\n";
}
