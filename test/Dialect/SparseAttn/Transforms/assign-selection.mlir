// RUN: sparse-attn-opt %s -sparse-attn-assign-selection=selection=top-k:0.3 -verify-diagnostics | FileCheck %s
// RUN: sparse-attn-opt %s -sparse-attn-assign-selection="selection=top-p:0.9,order=score forced-from=280" 2>/dev/null | FileCheck %s --check-prefix=TEXT
// RUN: sparse-attn-opt %s -sparse-attn-assign-selection="selection=recall:0.9 samples=64 levels=0.95,0.8" -cse 2>/dev/null | FileCheck %s --check-prefix=RECALL
// RUN: sparse-attn-opt %s -sparse-attn-assign-selection=selection=none | FileCheck %s --check-prefix=NONE
// RUN: not sparse-attn-opt %s -sparse-attn-assign-selection=selection=top-k 2>&1 | FileCheck %s --check-prefix=RULE
// RUN: not sparse-attn-opt %s -sparse-attn-assign-selection=selection=top-k:0.3,by-score 2>&1 | FileCheck %s --check-prefix=RULE
// RUN: not sparse-attn-opt %s -sparse-attn-assign-selection=selection=top-k:7 2>&1 | FileCheck %s --check-prefix=ABOVE
// RUN: not sparse-attn-opt %s -sparse-attn-assign-selection=selection=recall:1 2>&1 | FileCheck %s --check-prefix=CERTAIN
// RUN: sparse-attn-opt %s -sparse-attn-assign-selection="selection=top-k:0.3,block=64,order=score block=256" 2>/dev/null | FileCheck %s --check-prefix=BLOCK
// RUN: not sparse-attn-opt %s -sparse-attn-assign-selection="selection=top-k:0.3,block=0" 2>&1 | FileCheck %s --check-prefix=NOBLOCK
// RUN: not sparse-attn-opt %s -sparse-attn-assign-selection="selection=top-k:0.3 tile=48" 2>&1 | FileCheck %s --check-prefix=TILE
// RUN: not sparse-attn-opt %s -sparse-attn-assign-selection="selection=recall:0.9 levels=0.8,0.9" 2>&1 | FileCheck %s --check-prefix=LEVELS
// RUN: not sparse-attn-opt %s -sparse-attn-assign-selection="selection=recall:0.9 samples=1" 2>&1 | FileCheck %s --check-prefix=SAMPLES

// RUN: sparse-attn-opt %s -sparse-attn-assign-selection="selection=top-k:0.3 layout=raster:2x10x15+100" 2>/dev/null | FileCheck %s --check-prefix=TAIL
// RUN: not sparse-attn-opt %s -sparse-attn-assign-selection="selection=top-k:0.3 forced-from=-7" 2>&1 | FileCheck %s --check-prefix=FORCED

// FORCED: error: expected the first forced key, or -1 for none, found -7
// RULE: error: expected a selection 'none', or 'top-k:', 'top-p:', 'cutoff:' or 'recall:' with a number and perhaps ',order=score' and ',block=128', found 'top-k{{(:0.3,by-score)?}}'
// ABOVE: error: expected a share of the blocks above 0 and at most 1, found 7
// CERTAIN: error: expected a recall above 0 and below 1 in selection 'recall:1', found 1
// TILE: error: expected blocks of whole tiles, found blocks of 128 tokens and tiles of 48
// NOBLOCK: error: expected blocks of whole tiles, found blocks of 0 tokens and tiles of 16
// LEVELS: error: expected levels above 0 and at most 1, descending, found 9.000000e-01
// SAMPLES: error: expected 2 to 1048576 samples, found 1
// NONE-NOT: sparse_attn.select_blocks

#q = affine_map<(b, h, m, n, d, k) -> (b, m, h, d)>
#k = affine_map<(b, h, m, n, d, k) -> (h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>
#mask = affine_map<(b, h, m, n, d, k) -> (m, k)>

// Batch dimensions of the list are those of the output, in its order.
// CHECK-DAG: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d1, d4)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d3, d4)>
// CHECK-DAG: #[[S:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK-LABEL: @plain(
// CHECK: %[[S0:.*]] = sparse_attn.block_scores ins(%arg0, %arg1 : {{.*}}) outs(%{{.*}} : tensor<2x4x3x4xf32>)
// CHECK-SAME: block = array<i64: 128, 128>, indexing_maps = [#[[Q]], #[[K]], #[[S]]], scale = 2.500000e-01 : f64, tile = 16 : i64, zero_padded}
// CHECK: %[[C:.*]], %[[I:.*]] = sparse_attn.select_blocks ins(%[[S0]] : {{.*}}) outs({{.*}} : tensor<2x4x3xi32>, tensor<2x4x3x4xi32>)
// CHECK-SAME: {selection = #sparse_attn.top_k<0.3>}
// CHECK: sparse_attn.attention {{.*}} blocks(%[[C]], %[[I]] : {{.*}}block_shape = array<i64: 128, 128>
// BLOCK-LABEL: @plain(
// BLOCK: sparse_attn.block_scores {{.*}}block = array<i64: 64, 64>
// BLOCK: sparse_attn.select_blocks {{.*}} {by_score, selection = #sparse_attn.top_k<0.3>}
// BLOCK: sparse_attn.attention {{.*}}block_shape = array<i64: 64, 64>
// TEXT-LABEL: @plain(
// TEXT: sparse_attn.select_blocks {{.*}} {by_score, dense_from = 2 : i64, forced_from = 2 : i64, selection = #sparse_attn.top_p<0.9>}

// The text of a layout is forced where there are as many tokens: of the keys.
// TAIL-LABEL: @plain(
// TAIL: sparse_attn.select_blocks {{.*}} {forced_from = 2 : i64, selection = #sparse_attn.top_k<0.3>}

// The levels of the list are tested on one sample, and the share that the
// batch entry can have is a runtime value.
// RECALL-LABEL: @plain(
// RECALL: %[[SCORES:.*]] = sparse_attn.block_scores {{.*}} tile = 16
// RECALL: %[[ROWS:.*]] = arith.constant dense<{{.*}}> : tensor<64xi32>
// RECALL: %[[SAMPLE:.*]] = sparse_attn.sample_tokens ins(%arg0, %[[ROWS]] : {{.*}} outs(%{{.*}} : tensor<2x64x4x16xf16>) {dim = 1 : i64}
// RECALL: %[[MASSES:.*]] = sparse_attn.block_scores ins(%[[SAMPLE]], %arg1 : {{.*}} outs(%{{.*}} : tensor<2x4x64x4xf32>) {block = array<i64: 1, 128>
// RECALL-NOT: zero_padded
// RECALL: %[[P1:.*]] = arith.constant dense<0.{{9[45][0-9]*}}> : tensor<f32>
// RECALL: %[[C1:.*]], %[[I1:.*]] = sparse_attn.select_blocks ins(%[[SCORES]] {{.*}} value(%[[P1]] : tensor<f32>) {{.*}} {selection = #sparse_attn.top_p<runtime>}
// RECALL: %[[R1:.*]] = sparse_attn.list_recall ins(%[[MASSES]], %[[ROWS]], %[[C1]], %[[I1]] :
// RECALL: %[[B1:.*]] = sparse_attn.certify_recall ins(%[[R1]] : {{.*}} {confidence = 0.9{{[0-9]+}} : f64}
// RECALL: %[[B2:.*]] = sparse_attn.certify_recall
// RECALL: %[[SHARE:.*]] = linalg.generic {{.*}} ins(%[[B1]], %[[B2]] : tensor<2x4xf32>, tensor<2x4xf32>)
// RECALL: %[[C:.*]], %[[I:.*]] = sparse_attn.select_blocks ins(%[[SCORES]] {{.*}} value(%[[SHARE]] : tensor<2x4xf32>) {{.*}} {selection = #sparse_attn.top_p<runtime>}
// RECALL: sparse_attn.attention {{.*}} blocks(%[[C]], %[[I]] :
func.func @plain(%q: tensor<2x300x4x16xf16>, %k: tensor<4x400x16xf16>, %v: tensor<4x400x16xf16>, %init: tensor<2x4x300x16xf16>) -> tensor<2x4x300x16xf16> {
  %o = sparse_attn.attention ins(%q, %k, %v : tensor<2x300x4x16xf16>, tensor<4x400x16xf16>, tensor<4x400x16xf16>)
      outs(%init : tensor<2x4x300x16xf16>) {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64} -> tensor<2x4x300x16xf16>
  return %o : tensor<2x4x300x16xf16>
}

// What has a list keeps it.
// CHECK-LABEL: @listed(
// CHECK-NOT: sparse_attn.block_scores
// CHECK: sparse_attn.attention {{.*}} blocks(%arg4, %arg5 :
func.func @listed(%q: tensor<2x300x4x16xf16>, %k: tensor<4x400x16xf16>, %v: tensor<4x400x16xf16>, %init: tensor<2x4x300x16xf16>, %c: tensor<2x4x5xi32>, %i: tensor<2x4x5x7xi32>) -> tensor<2x4x300x16xf16> {
  %o = sparse_attn.attention ins(%q, %k, %v : tensor<2x300x4x16xf16>, tensor<4x400x16xf16>, tensor<4x400x16xf16>)
      blocks(%c, %i : tensor<2x4x5xi32>, tensor<2x4x5x7xi32>) outs(%init : tensor<2x4x300x16xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 64, 64>} -> tensor<2x4x300x16xf16>
  return %o : tensor<2x4x300x16xf16>
}

// CHECK-LABEL: @masked(
// CHECK-NOT: sparse_attn.block_scores
func.func @masked(%q: tensor<2x300x4x16xf16>, %k: tensor<4x400x16xf16>, %v: tensor<4x400x16xf16>, %mask: tensor<300x400xi1>, %init: tensor<2x4x300x16xf16>) -> tensor<2x4x300x16xf16> {
  // expected-remark @below {{visits all blocks: its mask hides keys that block scores do not know of}}
  %o = sparse_attn.attention ins(%q, %k, %v : tensor<2x300x4x16xf16>, tensor<4x400x16xf16>, tensor<4x400x16xf16>)
      mask(%mask : tensor<300x400xi1>) outs(%init : tensor<2x4x300x16xf16>)
      {indexing_maps = [#q, #k, #v, #mask, #o], scale = 0.25 : f64} -> tensor<2x4x300x16xf16>
  return %o : tensor<2x4x300x16xf16>
}

// CHECK-LABEL: @others(
// CHECK-NOT: sparse_attn.block_scores
func.func @others(%q: tensor<2x300x4x16xf16>, %k: tensor<4x128x16xf16>, %v: tensor<4x128x16xf16>, %dk: tensor<4x?x16xf16>, %dv: tensor<4x?x16xf16>, %init: tensor<2x4x300x16xf16>) {
  // expected-remark @below {{visits all blocks: expected more than one block of 128 keys, found 128 keys}}
  %0 = sparse_attn.attention ins(%q, %k, %v : tensor<2x300x4x16xf16>, tensor<4x128x16xf16>, tensor<4x128x16xf16>)
      outs(%init : tensor<2x4x300x16xf16>) {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64} -> tensor<2x4x300x16xf16>
  // expected-remark @below {{visits all blocks: expected static sizes}}
  %1 = sparse_attn.attention ins(%q, %dk, %dv : tensor<2x300x4x16xf16>, tensor<4x?x16xf16>, tensor<4x?x16xf16>)
      outs(%init : tensor<2x4x300x16xf16>) {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64} -> tensor<2x4x300x16xf16>
  // expected-remark @below {{visits all blocks: its score region changes scores that block scores do not know of}}
  %2 = sparse_attn.attention ins(%q, %k, %v : tensor<2x300x4x16xf16>, tensor<4x128x16xf16>, tensor<4x128x16xf16>)
      outs(%init : tensor<2x4x300x16xf16>) score {
      ^bb0(%s: f32, %b: index, %h: index, %m: index, %key: index):
        %t = arith.addf %s, %s : f32
        sparse_attn.yield %t : f32
      } {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64} -> tensor<2x4x300x16xf16>
  return
}

// CHECK-LABEL: @nothing(
func.func @nothing(%q: tensor<2x0x4x16xf16>, %k: tensor<4x400x16xf16>, %v: tensor<4x400x16xf16>, %init: tensor<2x4x0x16xf16>) -> tensor<2x4x0x16xf16> {
  // expected-remark @below {{visits all blocks: it has no queries}}
  %0 = sparse_attn.attention ins(%q, %k, %v : tensor<2x0x4x16xf16>, tensor<4x400x16xf16>, tensor<4x400x16xf16>)
      outs(%init : tensor<2x4x0x16xf16>) {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64} -> tensor<2x4x0x16xf16>
  return %0 : tensor<2x4x0x16xf16>
}
