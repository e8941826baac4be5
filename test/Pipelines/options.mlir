// RUN: sparse-attn-opt %s -sparse-attn-to-ptx --dump-pass-pipeline -o %t.mlir 2>&1 | FileCheck %s --check-prefix=PIPELINE
// RUN: FileCheck %s --input-file=%t.mlir -DTHREADS=128
// RUN: sparse-attn-opt %s -sparse-attn-to-ptx='warps=2 opt-level=1' --dump-pass-pipeline -o %t.two.mlir 2>&1 | FileCheck %s --check-prefix=TWO
// RUN: FileCheck %s --input-file=%t.two.mlir -DTHREADS=64
// RUN: not sparse-attn-opt %s -sparse-attn-to-ptx=warps=-1 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not sparse-attn-opt %s -sparse-attn-to-ptx=warps=3 2>&1 | FileCheck %s --check-prefix=ODD
// RUN: sed 's/sm_80/sm_89/' %s | sparse-attn-opt -sparse-attn-to-ptx | FileCheck %s --check-prefix=ADA

// PIPELINE: builtin.module(
// PIPELINE-NEXT: convert-sparse-attn-to-attn-tile,
// PIPELINE-NEXT: cse,
// PIPELINE-NEXT: gpu.module(
// PIPELINE-NEXT: gpu.func(
// PIPELINE-NEXT: attn-tile-stage-copies{warps=0},
// PIPELINE-NEXT: attn-tile-assign-layouts{warps=0},
// PIPELINE-NEXT: canonicalize{{.*}},
// PIPELINE-NEXT: cse
// PIPELINE-NEXT: ),
// PIPELINE-NEXT: convert-attn-tile-to-nvvm,
// PIPELINE-NEXT: cse,
// PIPELINE-NEXT: convert-scf-to-cf{{.*}},
// PIPELINE-NEXT: convert-gpu-to-nvvm{{.*}},
// PIPELINE-NEXT: reconcile-unrealized-casts,
// PIPELINE-NEXT: cse
// PIPELINE-NEXT: ),
// PIPELINE-NEXT: sparse-attn-serialize-kernels{opt-level=2}
// PIPELINE-NEXT: )

// TWO: attn-tile-stage-copies{warps=2},
// TWO: attn-tile-assign-layouts{warps=2},
// TWO: sparse-attn-serialize-kernels{opt-level=1}
// NEGATIVE: error: expected 1 to 32 warps, or 0 to choose, found -1
// ODD: error: {{.*}} op expected static tiles of a multiple of 48 rows for 3 warps
// ADA: #gpu.object<#nvvm.target<chip = "sm_89"
// ADA-SAME: .target sm_89

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK: gpu.binary @small
// CHECK-SAME: sparse_attn.threads = [[THREADS]] : i64
// CHECK-SAME: .maxntid [[THREADS]], 1, 1
module attributes {sparse_attn.target = #sparse_attn.target<"sm_80">} {
func.func private @small(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}
}
