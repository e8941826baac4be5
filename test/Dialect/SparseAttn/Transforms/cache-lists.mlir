// RUN: sparse-attn-opt %s -sparse-attn-cache-lists="schedule=warmup=2,interval=3,ratios=0.5/0.25,steps=12 dense-layers=0" | FileCheck %s
// RUN: sparse-attn-opt %s -sparse-attn-cache-lists=schedule=warmup=2,interval=3,ratios=0.5/0.25,steps=12,dense=0 | FileCheck %s
// RUN: sparse-attn-opt %s -sparse-attn-cache-lists | FileCheck %s --check-prefix=OWN
// RUN: not sparse-attn-opt %s -sparse-attn-cache-lists=schedule=warmup=2,interval=3,steps=12 2>&1 | FileCheck %s --check-prefix=RATIOS
// RUN: not sparse-attn-opt %s -sparse-attn-cache-lists=schedule=warmup=2,interval=3,ratios=0.5,steps=12,target=0.9 2>&1 | FileCheck %s --check-prefix=TARGET

// RUN: not sparse-attn-opt %s -sparse-attn-cache-lists=schedule=warmup=2,interval=3,ratios=0.5,steps=12,dense=7 2>&1 | FileCheck %s --check-prefix=DENSE

// DENSE: error: expected dense attentions among the 2 of the function, numbered from 0, found 7
// RATIOS: error: expected a schedule such as 'warmup=12,interval=12,ratios=0.3/0.2/0.1,steps=50' and perhaps ',target=0.9' and ',dense=0/3', found 'warmup=2,interval=3,steps=12'
// TARGET: error: {{.*}} expected lists of selection 'recall:' beside a target recall, found one that no sample certifies

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
#sq = affine_map<(m, k, d) -> (m, d)>
#sk = affine_map<(m, k, d) -> (k, d)>
#ss = affine_map<(m, k, d) -> (m, k)>

// The first attention visits everything, the list of the second is state: a
// step, a tag with the step of the lists, counts and indices.
// CHECK-LABEL: func.func @model(
// CHECK-SAME: %arg0: tensor<64x16xf32>, %[[STEP:.*]]: tensor<i32>, %[[TAG:.*]]: tensor<2xi32>, %[[C:.*]]: tensor<4xi32>, %[[I:.*]]: tensor<4x4xi32>)
// CHECK-SAME: -> (tensor<64x16xf32>, tensor<2xi32>, tensor<4xi32>, tensor<4x4xi32>)
// CHECK: cf.assert %{{.*}}, "expected the state of this function's schedule and shapes beside a step other than 0, found another one"
// CHECK: cf.assert %{{.*}}, "expected a step from 0 to 11, found another one"
// CHECK: %[[RATIO:.*]] = tensor.from_elements %{{.*}} : tensor<f32>
// CHECK: %[[STATE:.*]] = tensor.from_elements %{{.*}}, %{{.*}} : tensor<2xi32>
// CHECK-NOT: sparse_attn.block_scores
// CHECK: %[[X:.*]] = sparse_attn.attention
// CHECK-NOT: blocks(
// CHECK: %[[L:.*]]:2 = scf.if
// CHECK: linalg.fill
// CHECK: } else {
// CHECK: scf.if
// CHECK: %[[S:.*]] = sparse_attn.block_scores ins(%[[X]], %[[X]] :
// CHECK: %[[NC:.*]], %[[NI:.*]] = sparse_attn.select_blocks ins(%[[S]] {{.*}} value(%[[RATIO]] : tensor<f32>) {{.*}} {selection = #sparse_attn.top_k<runtime>}
// CHECK: scf.yield %[[NC]], %[[NI]]
// CHECK: } else {
// CHECK: scf.yield %[[C]], %[[I]]
// CHECK: %[[Y:.*]] = sparse_attn.attention {{.*}} blocks(%[[L]]#0, %[[L]]#1 :
// CHECK: return %[[Y]], %[[STATE]], %[[L]]#0, %[[L]]#1
// CHECK: func.func @model_initial_state() -> (tensor<2xi32>, tensor<4xi32>, tensor<4x4xi32>)

// Without a flag only the function that states a schedule changes.
// OWN-LABEL: func.func @model(
// OWN-SAME: %arg0: tensor<64x16xf32>) -> tensor<64x16xf32>
func.func @model(%x: tensor<64x16xf32>) -> tensor<64x16xf32> {
  %init = tensor.empty() : tensor<64x16xf32>
  %si = tensor.empty() : tensor<4x4xf32>
  %ci = tensor.empty() : tensor<4xi32>
  %ii = tensor.empty() : tensor<4x4xi32>
  %s0 = sparse_attn.block_scores ins(%x, %x : tensor<64x16xf32>, tensor<64x16xf32>) outs(%si : tensor<4x4xf32>)
      {indexing_maps = [#sq, #sk, #ss], scale = 0.25 : f64, block = array<i64: 16, 16>}
  %c0, %i0 = sparse_attn.select_blocks ins(%s0 : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c0, %i0 : tensor<4xi32>, tensor<4x4xi32>) outs(%init : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  %s1 = sparse_attn.block_scores ins(%y, %y : tensor<64x16xf32>, tensor<64x16xf32>) outs(%si : tensor<4x4xf32>)
      {indexing_maps = [#sq, #sk, #ss], scale = 0.25 : f64, block = array<i64: 16, 16>}
  %c1, %i1 = sparse_attn.select_blocks ins(%s1 : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %z = sparse_attn.attention ins(%y, %y, %y : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c1, %i1 : tensor<4xi32>, tensor<4x4xi32>) outs(%init : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  return %z : tensor<64x16xf32>
}

// OWN-LABEL: func.func @own(
// OWN-SAME: tensor<i32>, %{{[a-z0-9]+}}: tensor<2xi32>, %{{[a-z0-9]+}}: tensor<4xi32>, %{{[a-z0-9]+}}: tensor<4x4xi32>)
func.func @own(%x: tensor<64x16xf32>) -> tensor<64x16xf32>
    attributes {sparse_attn.cache = #sparse_attn.cache<warmup = 0, interval = 1, ratios = [0.25], steps = 4>} {
  %init = tensor.empty() : tensor<64x16xf32>
  %si = tensor.empty() : tensor<4x4xf32>
  %ci = tensor.empty() : tensor<4xi32>
  %ii = tensor.empty() : tensor<4x4xi32>
  %s = sparse_attn.block_scores ins(%x, %x : tensor<64x16xf32>, tensor<64x16xf32>) outs(%si : tensor<4x4xf32>)
      {indexing_maps = [#sq, #sk, #ss], scale = 0.25 : f64, block = array<i64: 16, 16>}
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%init : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  return %y : tensor<64x16xf32>
}
