// RUN: sparse-attn-opt %s -allow-unregistered-dialect -split-input-file -verify-diagnostics -sparse-attn-cache-lists=schedule=warmup=2,interval=3,ratios=0.5,steps=12

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
// Without fences a function is called from outside alone.
// expected-error @below {{expected no callers and no fences, or two fences as the last arguments to keep the lists of a util.func as state}}
"util.func"() <{function_type = () -> (), sym_name = "f"}> ({
^bb0(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>):
  %ci = tensor.empty() : tensor<4xi32>
  %ii = tensor.empty() : tensor<4x4xi32>
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  "util.return"(%y) : (tensor<64x16xf32>) -> ()
}) : () -> ()
"util.func"() <{function_type = () -> (), sym_name = "g"}> ({
^bb0(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>):
  %y = "util.call"(%x, %s) <{callee = @f}> : (tensor<64x16xf32>, tensor<4x4xf32>) -> tensor<64x16xf32>
  "util.return"(%y) : (tensor<64x16xf32>) -> ()
}) : () -> ()

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
// One fence.
// expected-error @below {{expected no callers and no fences, or two fences as the last arguments to keep the lists of a util.func as state}}
"util.func"() <{function_type = () -> (), sym_name = "f"}> ({
^bb0(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>, %wait: !hal.fence):
  %ci = tensor.empty() : tensor<4xi32>
  %ii = tensor.empty() : tensor<4x4xi32>
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  "util.return"(%y) : (tensor<64x16xf32>) -> ()
}) : () -> ()

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
// Nothing is behind the fence.
// expected-error @below {{expected one hal.tensor.barrier at the end to keep the lists of a util.func as state}}
"util.func"() <{function_type = () -> (), sym_name = "f"}> ({
^bb0(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>, %wait: !hal.fence, %signal: !hal.fence):
  %ci = tensor.empty() : tensor<4xi32>
  %ii = tensor.empty() : tensor<4x4xi32>
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  "util.return"(%y) : (tensor<64x16xf32>) -> ()
}) : () -> ()

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
// Another operation signals.
// expected-error @below {{expected one hal.tensor.barrier at the end to keep the lists of a util.func as state}}
"util.func"() <{function_type = () -> (), sym_name = "f"}> ({
^bb0(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>, %wait: !hal.fence, %signal: !hal.fence):
  %ci = tensor.empty() : tensor<4xi32>
  %ii = tensor.empty() : tensor<4x4xi32>
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  // expected-note @below {{found this operation}}
  "hal.fence.signal"(%signal) : (!hal.fence) -> ()
  "util.return"(%y) : (tensor<64x16xf32>) -> ()
}) : () -> ()

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
// Two callers.
// expected-error @below {{expected one util.call of the function, or none to keep the lists of a util.func as state}}
"util.func"() <{function_type = () -> (), sym_name = "f"}> ({
^bb0(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>, %wait: !hal.fence, %signal: !hal.fence):
  %ci = tensor.empty() : tensor<4xi32>
  %ii = tensor.empty() : tensor<4x4xi32>
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  %j = "hal.tensor.barrier"(%y, %signal) : (tensor<64x16xf32>, !hal.fence) -> tensor<64x16xf32>
  "util.return"(%y) : (tensor<64x16xf32>) -> ()
}) : () -> ()
"util.func"() <{function_type = () -> (), sym_name = "g"}> ({
^bb0(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>, %wait: !hal.fence, %signal: !hal.fence):
  %y = "util.call"(%x, %s, %wait, %signal) <{callee = @f}> : (tensor<64x16xf32>, tensor<4x4xf32>, !hal.fence, !hal.fence) -> tensor<64x16xf32>
  "util.return"(%y) : (tensor<64x16xf32>) -> ()
}) : () -> ()
"util.func"() <{function_type = () -> (), sym_name = "h"}> ({
^bb0(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>, %wait: !hal.fence, %signal: !hal.fence):
  // expected-note @below {{found this operation}}
  %y = "util.call"(%x, %s, %wait, %signal) <{callee = @f}> : (tensor<64x16xf32>, tensor<4x4xf32>, !hal.fence, !hal.fence) -> tensor<64x16xf32>
  "util.return"(%y) : (tensor<64x16xf32>) -> ()
}) : () -> ()

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
// The call is not in a function of IREE.
// expected-error @below {{expected the call in the body of a util.func to keep the lists of a util.func as state}}
"util.func"() <{function_type = () -> (), sym_name = "f"}> ({
^bb0(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>, %wait: !hal.fence, %signal: !hal.fence):
  %ci = tensor.empty() : tensor<4xi32>
  %ii = tensor.empty() : tensor<4x4xi32>
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  %j = "hal.tensor.barrier"(%y, %signal) : (tensor<64x16xf32>, !hal.fence) -> tensor<64x16xf32>
  "util.return"(%y) : (tensor<64x16xf32>) -> ()
}) : () -> ()
// expected-note @below {{found this operation}}
func.func @g(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>, %fence: !hal.fence) {
  %y = "util.call"(%x, %s, %fence, %fence) <{callee = @f}> : (tensor<64x16xf32>, tensor<4x4xf32>, !hal.fence, !hal.fence) -> tensor<64x16xf32>
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
// A function without a type is in no form that is known.
// expected-error @below {{expected a util.func with a type and a util.return to keep its lists as state}}
"util.func"() <{sym_name = "f"}> ({
^bb0(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>):
  %ci = tensor.empty() : tensor<4xi32>
  %ii = tensor.empty() : tensor<4x4xi32>
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  "util.return"(%y) : (tensor<64x16xf32>) -> ()
}) : () -> ()

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
// The function around it has a caller, too.
// expected-error @below {{expected no caller of the function that calls it to keep the lists of a util.func as state}}
"util.func"() <{function_type = () -> (), sym_name = "f"}> ({
^bb0(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>, %wait: !hal.fence, %signal: !hal.fence):
  %ci = tensor.empty() : tensor<4xi32>
  %ii = tensor.empty() : tensor<4x4xi32>
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  %j = "hal.tensor.barrier"(%y, %signal) : (tensor<64x16xf32>, !hal.fence) -> tensor<64x16xf32>
  "util.return"(%y) : (tensor<64x16xf32>) -> ()
}) : () -> ()
"util.func"() <{function_type = () -> (), sym_name = "g"}> ({
^bb0(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>, %wait: !hal.fence, %signal: !hal.fence):
  %y = "util.call"(%x, %s, %wait, %signal) <{callee = @f}> : (tensor<64x16xf32>, tensor<4x4xf32>, !hal.fence, !hal.fence) -> tensor<64x16xf32>
  "util.return"(%y) : (tensor<64x16xf32>) -> ()
}) : () -> ()
func.func @h(%x: tensor<64x16xf32>) {
  // expected-note @below {{found this operation}}
  "util.call"(%x) <{callee = @g}> : (tensor<64x16xf32>) -> ()
  return
}

// -----

#q = affine_map<(m, n, d, k) -> (m, d)>
#k = affine_map<(m, n, d, k) -> (k, d)>
#v = affine_map<(m, n, d, k) -> (k, n)>
#o = affine_map<(m, n, d, k) -> (m, n)>
// A function of func that ends otherwise gives no results to add to.
// expected-error @below {{expected a function that returns to keep its lists as state}}
func.func @ends(%x: tensor<64x16xf32>, %s: tensor<4x4xf32>) {
  %ci = tensor.empty() : tensor<4xi32>
  %ii = tensor.empty() : tensor<4x4xi32>
  %c, %i = sparse_attn.select_blocks ins(%s : tensor<4x4xf32>) outs(%ci, %ii : tensor<4xi32>, tensor<4x4xi32>)
      {selection = #sparse_attn.top_k<0.5>} -> tensor<4xi32>, tensor<4x4xi32>
  %y = sparse_attn.attention ins(%x, %x, %x : tensor<64x16xf32>, tensor<64x16xf32>, tensor<64x16xf32>)
      blocks(%c, %i : tensor<4xi32>, tensor<4x4xi32>) outs(%x : tensor<64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 16, 16>} -> tensor<64x16xf32>
  "util.unreachable"() : () -> ()
}
