// Every stage prints what the next one reads: the passes of the pipeline one by
// one, through files, give the PTX of the pipeline.
// RUN: sparse-attn-opt %s --verify-roundtrip -convert-sparse-attn-to-attn-tile -cse -o %t.fused.mlir
// RUN: sparse-attn-opt %t.fused.mlir --verify-roundtrip -pass-pipeline='builtin.module(gpu.module(gpu.func(attn-tile-stage-copies)))' -o %t.staged.mlir
// RUN: sparse-attn-opt %t.staged.mlir --verify-roundtrip -pass-pipeline='builtin.module(gpu.module(gpu.func(attn-tile-assign-layouts)))' -o %t.laid-out.mlir
// RUN: sparse-attn-opt %t.laid-out.mlir --verify-roundtrip -pass-pipeline='builtin.module(gpu.module(gpu.func(canonicalize,cse)))' -o %t.clean.mlir
// RUN: sparse-attn-opt %t.clean.mlir --verify-roundtrip -pass-pipeline='builtin.module(gpu.module(convert-attn-tile-to-nvvm,cse))' -o %t.registers.mlir
// RUN: sparse-attn-opt %t.registers.mlir --verify-roundtrip -pass-pipeline='builtin.module(gpu.module(convert-scf-to-cf,convert-gpu-to-nvvm,reconcile-unrealized-casts,cse))' -o %t.nvvm.mlir
// RUN: sparse-attn-opt %t.nvvm.mlir -sparse-attn-serialize-kernels -o %t.stages.mlir
// RUN: sparse-attn-opt %s -sparse-attn-to-ptx -o %t.pipeline.mlir
// RUN: %python %S/Inputs/ptx.py %t.stages.mlir %t.stages.ptx
// RUN: %python %S/Inputs/ptx.py %t.pipeline.mlir %t.pipeline.ptx
// RUN: diff %t.stages.ptx %t.pipeline.ptx

// RUN: FileCheck %s --input-file=%t.fused.mlir --check-prefix=FUSED
// RUN: FileCheck %s --input-file=%t.staged.mlir --check-prefix=STAGED
// RUN: FileCheck %s --input-file=%t.laid-out.mlir --check-prefix=LAID-OUT
// RUN: FileCheck %s --input-file=%t.registers.mlir --check-prefix=REGISTERS --implicit-check-not=attn_tile --implicit-check-not=tensor
// RUN: FileCheck %s --input-file=%t.nvvm.mlir --check-prefix=NVVM --implicit-check-not=scf. --implicit-check-not=gpu.func

// FUSED: gpu.func @recall
// FUSED: attn_tile.load
// FUSED-NOT: attn_tile.alloc_shared
// STAGED: attn_tile.alloc_shared
// STAGED-NOT: attn_tile.load %
// LAID-OUT: known_block_size
// LAID-OUT: tensor<128x64xf32, #
// REGISTERS: sparse_attn.shared_memory
// REGISTERS: nvvm.mma.sync
// NVVM: llvm.func @recall
// NVVM-SAME: nvvm.kernel
// NVVM-SAME: nvvm.maxntid = array<i32: 128, 1, 1>
// NVVM-SAME: sparse_attn.shared_memory = 32768 : i64

// Twice the same.
// RUN: sparse-attn-opt %s -sparse-attn-to-ptx -o %t.again.mlir
// RUN: diff %t.pipeline.mlir %t.again.mlir

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

func.func private @recall(%q: tensor<4x250x64xf16>, %k: tensor<4x200x64xf16>, %v: tensor<4x200x64xf16>, %init: tensor<4x250x64xf16>) -> tensor<4x250x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x250x64xf16>, tensor<4x200x64xf16>, tensor<4x200x64xf16>) outs(%init : tensor<4x250x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.recall<0.9>, decision_tile = array<i64: 128, 64>} -> tensor<4x250x64xf16>
  return %o : tensor<4x250x64xf16>
}
