// RUN: sparse-attn-opt %s -sparse-attn-to-ptx -o %t.mlir
// RUN: %python %S/Inputs/ptx.py %t.mlir %t.ptx
// RUN: FileCheck %s --input-file=%t.mlir --check-prefix=BINARY
// RUN: FileCheck %s --input-file=%t.ptx
// RUN: FileCheck %s --input-file=%t.ptx --check-prefix=NEVER --implicit-check-not=.local --implicit-check-not=.extern --implicit-check-not=__nv_ --implicit-check-not=call

// What a launch needs stands beside the text.
// BINARY: gpu.binary @half {sparse_attn.shared_memory = 32768 : i64, sparse_attn.threads = 128 : i64} [#gpu.object<#nvvm.target<chip = "sm_80"{{.*}}assembly =
// BINARY: gpu.binary @causal_recall {sparse_attn.shared_memory = 32768 : i64, sparse_attn.threads = 128 : i64}
// BINARY: gpu.binary @mean_recall
// BINARY: gpu.binary @single {sparse_attn.shared_memory = 49152 : i64, sparse_attn.threads = 128 : i64}
// BINARY-NOT: gpu.module
// Nothing that differs from run to run.
// BINARY-NOT: TimeInMs

// The only thing from outside is shared memory.
// NEVER-COUNT-5: .extern .shared .align 1024 .b8 dynamic_shared_memory[];

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK: .version 8.0
// CHECK: .target sm_80
// CHECK: .visible .entry half(
// CHECK-NEXT: .param .u64 .ptr .global .align 16 half_param_0,
// CHECK-NEXT: .param .u64 .ptr .global .align 16 half_param_1,
// CHECK-NEXT: .param .u64 .ptr .global .align 16 half_param_2,
// CHECK-NEXT: .param .u64 .ptr .global .align 16 half_param_3
// CHECK-NEXT: )
// CHECK-NEXT: .maxntid 128, 1, 1
// The query, then the first keys, come by asynchronous copies.
// CHECK: cp.async.cg.shared.global [{{.*}}], [{{.*}}], 16, %r{{[0-9]+}};
// CHECK: cp.async.commit_group;
// CHECK: cp.async.wait_group 0;
// CHECK: bar.sync 0;
// CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// CHECK: mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
// CHECK: shfl.sync.bfly
// CHECK: ex2.approx.ftz.f32
// CHECK: cvt.rn.f16x2.f32
// CHECK: ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16
// CHECK: mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
// CHECK-NOT: bar.red
// CHECK-NOT: barrier.red
func.func private @half(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

// The vote of a filter, and lengths by value.
// CHECK: .visible .entry causal_recall(
// CHECK: .param .u64 .ptr .global .align 16 causal_recall_param_3,
// CHECK-NEXT: .param .u32 causal_recall_param_4,
// CHECK-NEXT: .param .u32 causal_recall_param_5
// CHECK: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK: {{bar(rier)?(\.cta)?}}.red.or.pred
func.func private @causal_recall(%q: tensor<4x?x64xbf16>, %k: tensor<4x?x64xbf16>, %v: tensor<4x?x64xbf16>, %init: tensor<4x?x64xbf16>) -> tensor<4x?x64xbf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x?x64xbf16>, tensor<4x?x64xbf16>, tensor<4x?x64xbf16>) outs(%init : tensor<4x?x64xbf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.recall<0.9>, decision_tile = array<i64: 128, 64>} -> tensor<4x?x64xbf16>
  return %o : tensor<4x?x64xbf16>
}

// A mean goes through shared memory.
// CHECK: .visible .entry mean_recall(
// CHECK: st.shared.{{[bf]}}32
// CHECK-NEXT: bar.sync 0;
func.func private @mean_recall(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, filter = #sparse_attn.recall<0.9, tile, groups = 8>, decision_tile = array<i64: 128, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}

// CHECK: .visible .entry single(
// CHECK: cvt.rna.tf32.f32
// CHECK: mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32
func.func private @single(%q: tensor<4x256x64xf32>, %k: tensor<4x256x64xf32>, %v: tensor<4x256x64xf32>, %init: tensor<4x256x64xf32>) -> tensor<4x256x64xf32> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf32>, tensor<4x256x64xf32>, tensor<4x256x64xf32>) outs(%init : tensor<4x256x64xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x256x64xf32>
  return %o : tensor<4x256x64xf32>
}

// Logarithms and tanh are expanded.
// CHECK: .visible .entry capped(
// CHECK: div.rn.f32
func.func private @capped(%q: tensor<4x256x64xf16>, %k: tensor<4x256x64xf16>, %v: tensor<4x256x64xf16>, %init: tensor<4x256x64xf16>) -> tensor<4x256x64xf16> attributes {sparse_attn.kernel} {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x256x64xf16>, tensor<4x256x64xf16>, tensor<4x256x64xf16>) outs(%init : tensor<4x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %cap = arith.constant 30.0 : f32
        %n = arith.divf %s, %cap : f32
        %t = math.tanh %n : f32
        %r = arith.mulf %t, %cap : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 64>} -> tensor<4x256x64xf16>
  return %o : tensor<4x256x64xf16>
}
