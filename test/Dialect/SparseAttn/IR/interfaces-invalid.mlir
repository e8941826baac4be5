// What cannot be tiled, split or decomposed says why.
// RUN: not sparse-attn-opt %s --transform-interpreter --split-input-file 2>&1 | FileCheck %s

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
module attributes {transform.with_named_sequence} {
  func.func @tile_keys(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
    // CHECK: cannot be tiled in the query's head_dim or in keys; keys can be split as a partial reduction
    %r = sparse_attn.attention ins(%x, %x, %x : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>)
        outs(%x : tensor<64x64xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<64x64xf32>
    return %r : tensor<64x64xf32>
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [0, 0, 0, 16]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
module attributes {transform.with_named_sequence} {
  func.func @tile_rows_result(%x: tensor<64x64xf32>, %l: tensor<64xf32>) -> tensor<64x64xf32> {
    // CHECK: cannot be tiled in the value's head_dim beside results of whole rows
    %r:2 = sparse_attn.attention ins(%x, %x, %x : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>)
        outs(%x : tensor<64x64xf32>) log_sum_exp(%l : tensor<64xf32>)
        {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<64x64xf32>, tensor<64xf32>
    return %r#0 : tensor<64x64xf32>
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [0, 16]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
module attributes {transform.with_named_sequence} {
  func.func @tile_across_decisions(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
    // CHECK: expected tiles of a multiple of 16 queries, the rows of decision_tile
    %r = sparse_attn.attention ins(%x, %x, %x : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>)
        outs(%x : tensor<64x64xf32>)
        {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, filter = #sparse_attn.recall<0.9>,
         decision_tile = array<i64: 16, 16>} -> tensor<64x64xf32>
    return %r : tensor<64x64xf32>
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:2 = transform.structured.tile_using_for %op tile_sizes [24]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
module attributes {transform.with_named_sequence} {
  func.func @split_filtered(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
    // CHECK: cannot be split in its keys: decisions of the filter 'energy' depend on the tiles before
    %r = sparse_attn.attention ins(%x, %x, %x : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>)
        outs(%x : tensor<64x64xf32>)
        {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, filter = #sparse_attn.energy<-6.0>} -> tensor<64x64xf32>
    return %r : tensor<64x64xf32>
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:5 = transform.structured.tile_reduction_using_for %op by tile_sizes = [0, 0, 0, 16]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
module attributes {transform.with_named_sequence} {
  func.func @split_head_dim(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
    // CHECK: can be split in its keys only
    %r = sparse_attn.attention ins(%x, %x, %x : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>)
        outs(%x : tensor<64x64xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<64x64xf32>
    return %r : tensor<64x64xf32>
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:5 = transform.structured.tile_reduction_using_for %op by tile_sizes = [0, 0, 16, 0]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
module attributes {transform.with_named_sequence} {
  func.func @split_listed(%x: tensor<64x64xf32>, %c: tensor<4xi32>, %i: tensor<4x2xi32>) -> tensor<64x64xf32> {
    // CHECK: cannot be split in its keys: a block list orders them
    %r = sparse_attn.attention ins(%x, %x, %x : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>)
        blocks(%c, %i : tensor<4xi32>, tensor<4x2xi32>) outs(%x : tensor<64x64xf32>)
        {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x64xf32>
    return %r : tensor<64x64xf32>
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:5 = transform.structured.tile_reduction_using_for %op by tile_sizes = [0, 0, 0, 16]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
module attributes {transform.with_named_sequence} {
  func.func @split_counted(%x: tensor<64x64xf32>, %l: tensor<64xf32>) -> tensor<64x64xf32> {
    // CHECK: cannot be split in its keys beside recall_bound or tile_counts
    %r:2 = sparse_attn.attention ins(%x, %x, %x : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>)
        outs(%x : tensor<64x64xf32>) recall_bound(%l : tensor<64xf32>)
        {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64} -> tensor<64x64xf32>, tensor<64xf32>
    return %r#0 : tensor<64x64xf32>
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %t:5 = transform.structured.tile_reduction_using_for %op reduction_dims = [3] by tile_sizes = [0, 0, 0, 16]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
module attributes {transform.with_named_sequence} {
  func.func @decompose_filtered(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
    // CHECK: does not decompose: its result depends on tiles (a filter, a block list or tile_counts); use convert-sparse-attn-to-linalg
    %r = sparse_attn.attention ins(%x, %x, %x : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>)
        outs(%x : tensor<64x64xf32>)
        {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, filter = #sparse_attn.recall<0.9>,
         decision_tile = array<i64: 16, 16>} -> tensor<64x64xf32>
    return %r : tensor<64x64xf32>
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %t = transform.structured.decompose_interface %op : (!transform.any_op) -> !transform.any_op
    transform.yield
  }
}
