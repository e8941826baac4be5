// RUN: sparse-attn-opt %s -allow-unregistered-dialect -sparse-attn-cache-lists=schedule=warmup=2,interval=3,ratios=0.5,steps=12 | FileCheck %s

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
#sq = affine_map<(m, k, d) -> (m, d)>
#sk = affine_map<(m, k, d) -> (k, d)>
#ss = affine_map<(m, k, d) -> (m, k)>

// The function that is called as it is, and what tools show of it.
// CHECK: "util.func"() <{function_type = (!hal.buffer_view, !hal.buffer_view, !hal.buffer_view, !hal.buffer_view, !hal.buffer_view, !hal.buffer_view) -> (!hal.buffer_view, !hal.buffer_view, !hal.buffer_view, !hal.buffer_view), sym_name = "main"}> ({
// CHECK-NEXT: ^bb0(%{{.*}}: !hal.buffer_view, %{{.*}}: !hal.buffer_view, %[[STEP:.*]]: !hal.buffer_view, %[[TAG:.*]]: !hal.buffer_view, %[[COUNTS:.*]]: !hal.buffer_view, %[[INDICES:.*]]: !hal.buffer_view):
// CHECK-NEXT: %[[S:.*]] = "hal.tensor.import"(%[[STEP]]) <{name = "step", operandSegmentSizes = array<i32: 1, 0, 0, 0>, target_encoding = tensor<i32>}> : (!hal.buffer_view) -> tensor<i32>
// CHECK-NEXT: %[[T:.*]] = "hal.tensor.import"(%[[TAG]]) <{name = "tag", {{.*}}}> : (!hal.buffer_view) -> tensor<2xi32>
// CHECK-NEXT: %[[C:.*]] = "hal.tensor.import"(%[[COUNTS]]) <{name = "counts0", {{.*}}}> : (!hal.buffer_view) -> tensor<4xi32>
// CHECK-NEXT: %[[I:.*]] = "hal.tensor.import"(%[[INDICES]]) <{name = "indices0", {{.*}}}> : (!hal.buffer_view) -> tensor<4x4xi32>
// CHECK: tensor.extract %[[S]]
// CHECK: cf.assert
// CHECK: %[[NEW:.*]] = tensor.from_elements {{.*}} : tensor<2xi32>
// CHECK: %[[L:.*]]:2 = scf.if
// CHECK: sparse_attn.attention {{.*}} blocks(%[[L]]#0, %[[L]]#1 :
// CHECK: %[[R:.*]] = "hal.tensor.export"(%{{.*}}) <{name = "output0",
// CHECK: %[[R0:.*]] = "hal.tensor.export"(%[[NEW]]) <{name = "tag", source_encoding = tensor<2xi32>}> : (tensor<2xi32>) -> !hal.buffer_view
// CHECK: %[[R1:.*]] = "hal.tensor.export"(%[[L]]#0) <{name = "counts0",
// CHECK: %[[R2:.*]] = "hal.tensor.export"(%[[L]]#1) <{name = "indices0",
// CHECK: "util.return"(%[[R]], %[[R0]], %[[R1]], %[[R2]])
// CHECK: iree.abi.declaration = "sync func @main(%input0: tensor<64x16xf32>, %input1: tensor<4x4xf32>, %step: tensor<i32>, %tag: tensor<2xi32>, %counts0: tensor<4xi32>, %indices0: tensor<4x4xi32>) -> (%output0: tensor<64x16xf32>, %tag: tensor<2xi32>, %counts0: tensor<4xi32>, %indices0: tensor<4x4xi32>)"
// CHECK: "util.func"() <{function_type = () -> (!hal.buffer_view, !hal.buffer_view, !hal.buffer_view), sym_name = "main_initial_state"}> ({
// CHECK: %[[Z:.*]] = arith.constant dense<0> : tensor<2xi32>
// CHECK: "hal.tensor.export"(%[[Z]]) <{name = "tag", source_encoding = tensor<2xi32>}>
// CHECK: "util.return"(%{{.*}}, %{{.*}}, %{{.*}}) : (!hal.buffer_view, !hal.buffer_view, !hal.buffer_view) -> ()
// CHECK-NEXT: }) {iree.abi.stub}
"util.func"() <{function_type = (!hal.buffer_view, !hal.buffer_view) -> !hal.buffer_view, sym_name = "main"}> ({
^bb0(%a: !hal.buffer_view, %b: !hal.buffer_view):
  %x = "hal.tensor.import"(%a) <{name = "input0", operandSegmentSizes = array<i32: 1, 0, 0, 0>, target_encoding = tensor<64x16xf32>}> : (!hal.buffer_view) -> tensor<64x16xf32>
  %si = tensor.empty() : tensor<4x4xf32>
  %s = sparse_attn.block_scores ins(%x, %x : tensor<64x16xf32>, tensor<64x16xf32>) outs(%si : tensor<4x4xf32>)
      {indexing_maps = [#sq, #sk, #ss], scale = 0.25 : f64, block = array<i64: 16, 16>}
  %init = tensor.empty() : tensor<64x16xf32>
  %ci = tensor.empty() : tensor<4xi32>
  %ii = tensor.empty() : tensor<4x4xi32>
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%init : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  %r = "hal.tensor.export"(%y) <{name = "output0", source_encoding = tensor<64x16xf32>}> : (tensor<64x16xf32>) -> !hal.buffer_view
  "util.return"(%r) : (!hal.buffer_view) -> ()
}) {iree.abi.stub, iree.reflection = {iree.abi.declaration = "sync func @main(%input0: tensor<64x16xf32>, %input1: tensor<4x4xf32>) -> (%output0: tensor<64x16xf32>)"}} : () -> ()

// With fences: the state comes in front of them, waits for the one and is
// behind the other; the function that is called from outside passes it on.
// CHECK: "util.func"() <{function_type = (!hal.buffer_view, !hal.buffer_view, !hal.buffer_view, !hal.buffer_view, !hal.buffer_view, !hal.buffer_view, !hal.fence, !hal.fence) -> (!hal.buffer_view, !hal.buffer_view, !hal.buffer_view, !hal.buffer_view), inlining_policy = #util.inline.never, sym_name = "torch$async"}> ({
// CHECK-NEXT: ^bb0(%{{.*}}: !hal.buffer_view, %{{.*}}: !hal.buffer_view, %[[STEP:.*]]: !hal.buffer_view, %{{.*}}: !hal.buffer_view, %{{.*}}: !hal.buffer_view, %{{.*}}: !hal.buffer_view, %[[WAIT:.*]]: !hal.fence, %[[SIGNAL:.*]]: !hal.fence):
// CHECK-NEXT: "hal.tensor.import"(%[[STEP]], %[[WAIT]]) <{name = "step", operandSegmentSizes = array<i32: 1, 0, 1, 0>, target_encoding = tensor<i32>}> : (!hal.buffer_view, !hal.fence) -> tensor<i32>
// CHECK: %[[NEW:.*]] = tensor.from_elements {{.*}} : tensor<2xi32>
// CHECK: %[[L:.*]]:2 = scf.if
// CHECK: %[[B:.*]]:4 = "hal.tensor.barrier"(%{{.*}}, %[[NEW]], %[[L]]#0, %[[L]]#1, %[[SIGNAL]]) : (tensor<64x16xf32>, tensor<2xi32>, tensor<4xi32>, tensor<4x4xi32>, !hal.fence) -> (tensor<64x16xf32>, tensor<2xi32>, tensor<4xi32>, tensor<4x4xi32>)
// CHECK: "hal.tensor.export"(%[[B]]#0)
// CHECK: "hal.tensor.export"(%[[B]]#1)
// CHECK: sym_name = "torch_initial_state"
// CHECK: "util.func"() <{function_type = (!hal.buffer_view, !hal.buffer_view, !hal.buffer_view, !hal.buffer_view, !hal.buffer_view, !hal.buffer_view) -> (!hal.buffer_view, !hal.buffer_view, !hal.buffer_view, !hal.buffer_view), sym_name = "torch"}> ({
// CHECK-NEXT: ^bb0(%[[A0:.*]]: !hal.buffer_view, %[[A1:.*]]: !hal.buffer_view, %[[A2:.*]]: !hal.buffer_view, %[[A3:.*]]: !hal.buffer_view, %[[A4:.*]]: !hal.buffer_view, %[[A5:.*]]: !hal.buffer_view):
// CHECK: %[[NONE:.*]] = "util.null"
// CHECK: %[[FENCE:.*]] = "hal.fence.create"
// CHECK: %[[R:.*]]:4 = "util.call"(%[[A0]], %[[A1]], %[[A2]], %[[A3]], %[[A4]], %[[A5]], %[[NONE]], %[[FENCE]]) <{callee = @torch$async}>
// CHECK: "util.return"(%[[R]]#0, %[[R]]#1, %[[R]]#2, %[[R]]#3)
"util.func"() <{function_type = (!hal.buffer_view, !hal.buffer_view, !hal.fence, !hal.fence) -> !hal.buffer_view, inlining_policy = #util.inline.never, sym_name = "torch$async"}> ({
^bb0(%a: !hal.buffer_view, %b: !hal.buffer_view, %wait: !hal.fence, %signal: !hal.fence):
  %x = "hal.tensor.import"(%a, %wait) <{operandSegmentSizes = array<i32: 1, 0, 1, 0>, target_encoding = tensor<64x16xf32>}> : (!hal.buffer_view, !hal.fence) -> tensor<64x16xf32>
  %si = tensor.empty() : tensor<4x4xf32>
  %s = sparse_attn.block_scores ins(%x, %x : tensor<64x16xf32>, tensor<64x16xf32>) outs(%si : tensor<4x4xf32>)
      {indexing_maps = [#sq, #sk, #ss], scale = 0.25 : f64, block = array<i64: 16, 16>}
  %init = tensor.empty() : tensor<64x16xf32>
  %ci = tensor.empty() : tensor<4xi32>
  %ii = tensor.empty() : tensor<4x4xi32>
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%init : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  %j = "hal.tensor.barrier"(%y, %signal) : (tensor<64x16xf32>, !hal.fence) -> tensor<64x16xf32>
  %r = "hal.tensor.export"(%j) <{source_encoding = tensor<64x16xf32>}> : (tensor<64x16xf32>) -> !hal.buffer_view
  "util.return"(%r) : (!hal.buffer_view) -> ()
}) {iree.abi.model = "coarse-fences", iree.abi.stub} : () -> ()
"util.func"() <{function_type = (!hal.buffer_view, !hal.buffer_view) -> !hal.buffer_view, sym_name = "torch"}> ({
^bb0(%a: !hal.buffer_view, %b: !hal.buffer_view):
  %none = "util.null"() : () -> !hal.fence
  %forever = arith.constant -1 : i32
  %zero = arith.constant 0 : index
  %device = "hal.devices.get"(%zero) : (index) -> !hal.device
  %fence = "hal.fence.create"(%device) <{flags = 0 : i64}> : (!hal.device) -> !hal.fence
  %r = "util.call"(%a, %b, %none, %fence) <{callee = @torch$async}> : (!hal.buffer_view, !hal.buffer_view, !hal.fence, !hal.fence) -> !hal.buffer_view
  %status = "hal.fence.await"(%forever, %fence) <{flags = 0 : i64}> : (i32, !hal.fence) -> i32
  "util.return"(%r) : (!hal.buffer_view) -> ()
}) {iree.abi.stub} : () -> ()
