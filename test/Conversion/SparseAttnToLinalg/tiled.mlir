// With decisions, attention is a loop nest over batch, query tiles, key tiles.
// RUN: sparse-attn-opt %s --convert-sparse-attn-to-linalg --canonicalize --cse | FileCheck %s --implicit-check-not=sparse_attn.attention

#q = affine_map<(h, m, n, d, k) -> (h, m, d)>
#k = affine_map<(h, m, n, d, k) -> (k, d)>
#v = affine_map<(h, m, n, d, k) -> (k, n)>
#o = affine_map<(h, m, n, d, k) -> (h, m, n)>

// CHECK-LABEL: func @threshold
// CHECK-SAME: %[[Q:.*]]: tensor<2x50x8xf32>, %[[K:.*]]: tensor<?x8xf32>
func.func @threshold(%q: tensor<2x50x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x4xf32>,
    %o: tensor<2x50x4xf32>, %t: tensor<2x4x2xi32>) -> (tensor<2x50x4xf32>, tensor<2x4x2xi32>) {
  // CHECK: %[[KEYS:.*]] = tensor.dim %[[K]]
  // CHECK: scf.for %[[H:.*]] = %{{.*}} to %c2
  // CHECK: scf.for %[[M:.*]] = %{{.*}} to %c50 step %c16
  // The last tile of queries is smaller.
  // CHECK: %[[REST:.*]] = arith.subi %c50, %[[M]]
  // CHECK: %[[ROWS:.*]] = arith.minsi %[[REST]], %c16
  // CHECK: %[[FIRST:.*]] = tensor.extract_slice %[[Q]][%[[H]], %[[M]], 0] [1, %[[ROWS]], 8]
  // CHECK: scf.for %[[N:.*]] = %{{.*}} to %[[KEYS]] step %c32
  // CHECK: %[[SLICE:.*]] = tensor.extract_slice %[[K]][%[[N]], 0]
  // A tile that no row sees is not visited.
  // CHECK: %[[SEEN:.*]] = arith.cmpf une, %{{.*}}, %{{.*}} : f32
  // CHECK: scf.if %[[SEEN]]
  // CHECK: %[[VISITED:.*]] = arith.addi %{{.*}}, %c1_i32 : i32
  // λ is 8 over the number of keys.
  // CHECK: %[[LENGTH:.*]] = arith.sitofp %{{.*}} : i64 to f64
  // CHECK: %[[LAMBDA:.*]] = arith.divf %{{.*}}, %[[LENGTH]] : f64
  // CHECK: %[[LIMIT:.*]] = arith.truncf %[[LAMBDA]] : f64 to f32
  // CHECK: arith.cmpf olt, %{{.*}}, %[[LIMIT]] : f32
  // CHECK: %[[SKIP:.*]] = tensor.extract %{{.*}}[] : tensor<i1>
  // CHECK: scf.if %[[SKIP]]
  // On a skip, only e and the count move.
  // CHECK: %[[E:.*]] = linalg.generic
  // CHECK: %[[SKIPPED:.*]] = arith.addi %{{.*}}, %c1_i32 : i32
  // CHECK: scf.yield %[[MAX:.*]], %[[SUM:.*]], %[[E]], %[[ACC:.*]], %[[SKIPPED]]
  // CHECK: } else {
  // CHECK: math.exp
  // CHECK: tensor.insert %{{.*}} into %{{.*}}[%[[H]], %{{.*}}, %c0]
  // CHECK: tensor.insert %{{.*}} into %{{.*}}[%[[H]], %{{.*}}, %c1]
  %r:2 = sparse_attn.attention ins(%q, %k, %v : tensor<2x50x8xf32>, tensor<?x8xf32>, tensor<?x4xf32>)
      outs(%o : tensor<2x50x4xf32>) tile_counts(%t : tensor<2x4x2xi32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, decision_tile = array<i64: 16, 32>,
       filter = #sparse_attn.threshold<8.0 / keys>} -> tensor<2x50x4xf32>, tensor<2x4x2xi32>
  return %r#0, %r#1 : tensor<2x50x4xf32>, tensor<2x4x2xi32>
}

// CHECK-LABEL: func @energy
func.func @energy(%q: tensor<2x64x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x4xf32>,
    %o: tensor<2x64x4xf32>) -> tensor<2x64x4xf32> {
  // CHECK: tensor.extract_slice %{{.*}} [1, 16, 8]
  // m̂ - (m + ln l) < λ
  // CHECK: %[[LOG:.*]] = math.log
  // CHECK: %[[KEPT:.*]] = arith.addf %{{.*}}, %[[LOG]] : f32
  // CHECK: %[[BELOW:.*]] = arith.subf %{{.*}}, %[[KEPT]] : f32
  // CHECK: arith.cmpf olt, %[[BELOW]], %cst{{.*}} : f32
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<2x64x8xf32>, tensor<64x8xf32>, tensor<64x4xf32>)
      outs(%o : tensor<2x64x4xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, decision_tile = array<i64: 16, 32>,
       filter = #sparse_attn.energy<-4.0>} -> tensor<2x64x4xf32>
  return %r : tensor<2x64x4xf32>
}

// CHECK-LABEL: func @recall
func.func @recall(%q: tensor<2x64x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x4xf32>,
    %o: tensor<2x64x4xf32>) -> tensor<2x64x4xf32> {
  // (1 - 0.8) / 0.8 · (1 - ε)
  // CHECK: %[[ALLOWED:.*]] = arith.constant 2.497500e-01 : f32
  // e + b <= allowance · l
  // CHECK: %[[LIMIT:.*]] = arith.mulf %{{.*}}, %[[ALLOWED]] : f32
  // CHECK: arith.cmpf ole, %{{.*}}, %[[LIMIT]] : f32
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<2x64x8xf32>, tensor<64x8xf32>, tensor<64x4xf32>)
      outs(%o : tensor<2x64x4xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, decision_tile = array<i64: 16, 32>,
       filter = #sparse_attn.recall<0.8>} -> tensor<2x64x4xf32>
  return %r : tensor<2x64x4xf32>
}

// CHECK-LABEL: func @listed
// CHECK-SAME: %[[COUNTS:[a-z0-9]*]]: tensor<2x2xi32>, %[[LIST:[a-z0-9]*]]: tensor<2x2x5xi32>
func.func @listed(%q: tensor<2x64x8xf32>, %k: tensor<60x8xf32>, %v: tensor<60x4xf32>,
    %o: tensor<2x64x4xf32>, %c: tensor<2x2xi32>, %i: tensor<2x2x5xi32>) -> tensor<2x64x4xf32> {
  // CHECK: %[[ROW:.*]] = arith.divui %{{.*}}, %c32
  // CHECK: %[[LISTED:.*]] = tensor.extract %[[COUNTS]][%{{.*}}, %[[ROW]]]
  // CHECK: %[[COUNT:.*]] = arith.index_cast %[[LISTED]]
  // CHECK: %[[END:.*]] = arith.minsi %[[COUNT]], %c5
  // CHECK: scf.for %[[AT:.*]] = %c0 to %[[END]]
  // CHECK: tensor.extract %[[LIST]][%{{.*}}, %[[ROW]], %[[AT]]]
  // CHECK: %[[LAST:.*]] = arith.minsi %{{.*}}, %c60
  // CHECK: scf.for %{{.*}} = %{{.*}} to %[[LAST]] step %c16
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<2x64x8xf32>, tensor<60x8xf32>, tensor<60x4xf32>)
      blocks(%c, %i : tensor<2x2xi32>, tensor<2x2x5xi32>) outs(%o : tensor<2x64x4xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.0 : f64, decision_tile = array<i64: 16, 16>,
       block_shape = array<i64: 32, 16>} -> tensor<2x64x4xf32>
  return %r : tensor<2x64x4xf32>
}
