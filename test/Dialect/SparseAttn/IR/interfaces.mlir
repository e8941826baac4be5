// Tiling, splitting and decomposing by stock transforms.
// RUN: split-file %s %t
// RUN: sparse-attn-opt %t/tile.mlir --transform-interpreter --canonicalize --cse | FileCheck %t/tile.mlir
// RUN: sparse-attn-opt %t/split.mlir --transform-interpreter --canonicalize --cse | FileCheck %t/split.mlir
// RUN: sparse-attn-opt %t/decompose.mlir --transform-interpreter | FileCheck %t/decompose.mlir
// RUN: sparse-attn-opt %t/fuse.mlir --transform-interpreter --canonicalize --cse | FileCheck %t/fuse.mlir

//--- tile.mlir
#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (k, d)>
#v = affine_map<(b, m, n, d, k) -> (k, n)>
#mask = affine_map<(b, m, n, d, k) -> (m, k)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
module attributes {transform.with_named_sequence} {
  // A tile of queries takes whole decision tiles and whole rows of the list;
  // the score region keeps seeing the index of the whole.
  // CHECK-LABEL: func @tile
  // CHECK: scf.for %[[B:.*]] = %c0 to %c4 step %c1
  // CHECK: scf.for %[[M:.*]] = %c0 to %c96 step %c64
  // CHECK-DAG: %[[Q:.*]] = tensor.extract_slice %{{.*}}[%[[B]], %[[M]], 0] [1, %{{.*}}, 8]
  // CHECK-DAG: %[[MASK:.*]] = tensor.extract_slice %{{.*}}[%[[M]], 0] [%{{.*}}, 80]
  // CHECK-DAG: tensor.extract_slice %{{.*}}[%[[B]], %{{.*}}] [1, %{{.*}}] [1, 1] : tensor<4x3xi32>
  // CHECK-DAG: tensor.extract_slice %{{.*}}[%[[B]], %{{.*}}, 0, 0] [1, %{{.*}}, 7, 2] [1, 1, 1, 1] : tensor<4x3x7x2xi32>
  // CHECK: sparse_attn.attention
  // CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: index, %[[ROW:.*]]: index, %[[KEY:.*]]: index):
  // CHECK: %[[SHIFTED:.*]] = arith.addi %[[ROW]], %[[M]] : index
  // CHECK: arith.cmpi sle, %[[KEY]], %[[SHIFTED]] : index
  // CHECK: tensor.insert_slice
  func.func @tile(%q: tensor<4x96x8xf32>, %k: tensor<80x8xf32>, %v: tensor<80x8xf32>, %mask: tensor<96x80xi1>,
      %c: tensor<4x3xi32>, %i: tensor<4x3x7x2xi32>, %t: tensor<4x6x2xi32>) -> (tensor<4x96x8xf32>, tensor<4x6x2xi32>) {
    %r:2 = sparse_attn.attention ins(%q, %k, %v : tensor<4x96x8xf32>, tensor<80x8xf32>, tensor<80x8xf32>)
        mask(%mask : tensor<96x80xi1>) blocks(%c, %i : tensor<4x3xi32>, tensor<4x3x7x2xi32>)
        outs(%q : tensor<4x96x8xf32>) tile_counts(%t : tensor<4x6x2xi32>)
        score {
        ^bb0(%s: f32, %b: index, %m: index, %n: index):
          %ninf = arith.constant 0xFF800000 : f32
          %seen = arith.cmpi sle, %n, %m : index
          %x = arith.select %seen, %s, %ninf : f32
          sparse_attn.yield %x : f32
        }
        {indexing_maps = [#q, #k, #v, #mask, #o], scale = 1.0 : f64, decision_tile = array<i64: 16, 16>,
         block_shape = array<i64: 32, 16>} -> tensor<4x96x8xf32>, tensor<4x6x2xi32>
    return %r#0, %r#1 : tensor<4x96x8xf32>, tensor<4x6x2xi32>
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loops:2 = transform.structured.tile_using_for %op tile_sizes [1, 64]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

//--- split.mlir
#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
module attributes {transform.with_named_sequence} {
  // Split keys: three shares in f32, merged by their log-sum-exp.
  // CHECK-LABEL: func @split
  // CHECK: %[[O:.*]] = linalg.fill ins(%{{.*}}) outs(%{{.*}} : tensor<64x8x3xf32>)
  // CHECK: %[[L:.*]] = linalg.fill ins(%{{.*}}) outs(%{{.*}} : tensor<64x3xf32>)
  // CHECK: %[[SHARES:.*]]:2 = scf.forall (%[[I:.*]]) in (3) shared_outs(%[[OS:.*]] = %[[O]], %[[LS:.*]] = %[[L]])
  // CHECK: %[[INTO:.*]] = tensor.extract_slice %[[OS]][0, 0, %[[I]]] [64, 8, 1] [1, 1, 1] : tensor<64x8x3xf32> to tensor<64x8xf32>
  // CHECK: sparse_attn.attention ins(
  // CHECK-SAME: outs(%[[INTO]] : tensor<64x8xf32>) log_sum_exp(
  // CHECK: %[[TOP:.*]] = linalg.generic
  // CHECK-SAME: ins(%[[SHARES]]#1
  // CHECK: arith.maximumf
  // CHECK: math.exp
  // CHECK: arith.divf
  // CHECK: arith.truncf %{{.*}} : f32 to f16
  func.func @split(%q: tensor<64x8xf16>, %k: tensor<80x8xf16>, %v: tensor<80x8xf16>) -> tensor<64x8xf16> {
    %r = sparse_attn.attention ins(%q, %k, %v : tensor<64x8xf16>, tensor<80x8xf16>, tensor<80x8xf16>)
        outs(%q : tensor<64x8xf16>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<64x8xf16>
    return %r : tensor<64x8xf16>
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %fill:2, %share, %merge, %loop = transform.structured.tile_reduction_using_forall %op
        by num_threads = [0, 0, 0, 3]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

//--- decompose.mlir
#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
module attributes {transform.with_named_sequence} {
  // CHECK-LABEL: func @decompose
  // CHECK-NOT: sparse_attn.attention
  // CHECK-COUNT-7: linalg.generic
  func.func @decompose(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
    %r = sparse_attn.attention ins(%x, %x, %x : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>)
        outs(%x : tensor<64x64xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<64x64xf32>
    return %r : tensor<64x64xf32>
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %parts = transform.structured.decompose_interface %op : (!transform.any_op) -> !transform.any_op
    transform.yield
  }
}

//--- fuse.mlir
#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
module attributes {transform.with_named_sequence} {
  // Attention is computed where a tile of its result is needed.
  // CHECK-LABEL: func @fuse
  // CHECK: scf.for %[[M:.*]] =
  // CHECK: %[[TILE:.*]] = sparse_attn.attention
  // CHECK-SAME: outs(%{{.*}} : tensor<16x64xf32>)
  // CHECK: linalg.generic
  // CHECK-SAME: ins(%[[TILE]]
  func.func @fuse(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
    %r = sparse_attn.attention ins(%x, %x, %x : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>)
        outs(%x : tensor<64x64xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<64x64xf32>
    %z = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%r : tensor<64x64xf32>) outs(%y : tensor<64x64xf32>) {
    ^bb0(%in: f32, %out: f32):
      %n = arith.negf %in : f32
      linalg.yield %n : f32
    } -> tensor<64x64xf32>
    return %z : tensor<64x64xf32>
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["linalg.generic"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loops = transform.structured.fuse %op tile_sizes [16, 0] {apply_cleanup}
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
