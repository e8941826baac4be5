// RUN: sparse-attn-opt %s -allow-unregistered-dialect -sparse-attn-propagate-layouts -verify-diagnostics | FileCheck %s

// A permutation rises and an inverse one sinks to the edges of the graph,
// through all that treats tokens alike.

#layout = #sparse_attn.hilbert<2x2x2>
#id = affine_map<(t, c) -> (t, c)>
#row = affine_map<(t, c) -> (t)>
#column = affine_map<(t, c) -> (c)>

// A linear layer, a mean over channels and a bias.
// CHECK-LABEL: func.func @layers(
// CHECK-SAME: %[[X:arg0]]: tensor<8x4xf32>, %[[W:arg1]]: tensor<4x6xf32>, %[[B:arg2]]: tensor<6xf32>
// CHECK: %[[P:.*]] = sparse_attn.permute_tokens %[[X]] by #{{.*}} along 0
// CHECK-NOT: permute_tokens
// CHECK: linalg.matmul ins(%[[P]], %[[W]]
// CHECK-NOT: permute_tokens
// CHECK: return
func.func @layers(%x: tensor<8x4xf32>, %w: tensor<4x6xf32>, %b: tensor<6xf32>) -> tensor<8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x6xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x6xf32>) -> tensor<8x6xf32>
  %y = linalg.matmul ins(%x, %w : tensor<8x4xf32>, tensor<4x6xf32>) outs(%f : tensor<8x6xf32>) -> tensor<8x6xf32>
  %biased = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %b : tensor<8x6xf32>, tensor<6xf32>) outs(%e : tensor<8x6xf32>) {
  ^bb0(%a: f32, %c: f32, %out: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<8x6xf32>
  %er = tensor.empty() : tensor<8xf32>
  %fr = linalg.fill ins(%zero : f32) outs(%er : tensor<8xf32>) -> tensor<8xf32>
  %mean = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%biased : tensor<8x6xf32>) outs(%fr : tensor<8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %s = arith.addf %out, %a : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  %p = sparse_attn.permute_tokens %mean by #layout along 0 : tensor<8xf32>
  return %p : tensor<8xf32>
}

// The residual stream of two blocks: what is added to what was put back is
// permuted to match, and the pairs in between cancel.
// CHECK-LABEL: func.func @residual(
// CHECK: %[[P:.*]] = sparse_attn.permute_tokens %arg0 by #{{.*}} along 0
// CHECK: %[[F:.*]] = "block"(%[[P]])
// CHECK: %[[A:.*]] = arith.addf %[[P]], %[[F]]
// CHECK: %[[G:.*]] = "block"(%[[A]])
// CHECK: %[[S:.*]] = arith.addf %[[A]], %[[G]]
// CHECK: %[[R:.*]] = sparse_attn.permute_tokens %[[S]] by #{{.*}} along 0 inverse
// CHECK: return %[[R]]
func.func @residual(%x: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %p = sparse_attn.permute_tokens %x by #layout along 0 : tensor<8x4xf32>
  %f = "block"(%p) : (tensor<8x4xf32>) -> tensor<8x4xf32>
  %i = sparse_attn.permute_tokens %f by #layout along 0 inverse : tensor<8x4xf32>
  %a = arith.addf %x, %i : tensor<8x4xf32>
  %q = sparse_attn.permute_tokens %a by #layout along 0 : tensor<8x4xf32>
  %g = "block"(%q) : (tensor<8x4xf32>) -> tensor<8x4xf32>
  %j = sparse_attn.permute_tokens %g by #layout along 0 inverse : tensor<8x4xf32>
  %r = arith.addf %a, %j : tensor<8x4xf32>
  return %r : tensor<8x4xf32>
}

// Heads: the channels are split and transposed, sliced and put together, beside
// the tokens. A table of positions is put in order when compiling.
// CHECK-LABEL: func.func @heads(
// CHECK-DAG: %[[TABLE:.*]] = arith.constant dense<[0.000000e+00, 4.000000e+00, 6.000000e+00, 2.000000e+00, 3.000000e+00, 7.000000e+00, 5.000000e+00, 1.000000e+00]>
// CHECK: %[[P:.*]] = sparse_attn.permute_tokens %arg0 by #{{.*}} along 1
// CHECK: tensor.expand_shape %[[P]]
// CHECK: linalg.transpose
// CHECK: tensor.extract_slice
// CHECK: linalg.generic
// CHECK-SAME: %[[TABLE]]
// CHECK: tensor.insert_slice
// CHECK-NOT: permute_tokens
// CHECK: return
func.func @heads(%x: tensor<1x8x12xf32>) -> tensor<3x8x4xf32> {
  %table = arith.constant dense<[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]> : tensor<8xf32>
  %split = tensor.expand_shape %x [[0], [1], [2, 3]] output_shape [1, 8, 3, 4] : tensor<1x8x12xf32> into tensor<1x8x3x4xf32>
  %et = tensor.empty() : tensor<1x3x8x4xf32>
  %t = linalg.transpose ins(%split : tensor<1x8x3x4xf32>) outs(%et : tensor<1x3x8x4xf32>) permutation = [0, 2, 1, 3]
  %flat = tensor.collapse_shape %t [[0, 1], [2], [3]] : tensor<1x3x8x4xf32> into tensor<3x8x4xf32>
  %half = tensor.extract_slice %flat[0, 0, 2] [3, 8, 2] [1, 1, 1] : tensor<3x8x4xf32> to tensor<3x8x2xf32>
  %eh = tensor.empty() : tensor<3x8x2xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(h, t, c) -> (h, t, c)>, affine_map<(h, t, c) -> (t)>, affine_map<(h, t, c) -> (h, t, c)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%half, %table : tensor<3x8x2xf32>, tensor<8xf32>) outs(%eh : tensor<3x8x2xf32>) {
  ^bb0(%a: f32, %c: f32, %out: f32):
    %s = arith.mulf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<3x8x2xf32>
  %joined = tensor.insert_slice %scaled into %flat[0, 0, 0] [3, 8, 2] [1, 1, 1] : tensor<3x8x2xf32> into tensor<3x8x4xf32>
  %p = sparse_attn.permute_tokens %joined by #layout along 1 : tensor<3x8x4xf32>
  return %p : tensor<3x8x4xf32>
}

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#mk = affine_map<(b, m, n, d, k) -> (m, k)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// An attention on other keys treats its queries alike, whatever it masks.
// CHECK-LABEL: func.func @cross(
// CHECK: %[[MASK:.*]] = sparse_attn.permute_tokens %arg2 by #{{.*}} along 0
// CHECK: %[[O:.*]] = sparse_attn.attention ins(%arg0, %arg1, %arg1 : {{.*}}) mask(%[[MASK]] :
// CHECK: %[[R:.*]] = sparse_attn.permute_tokens %[[O]] by #{{.*}} along 1 inverse
// CHECK: return %[[R]]
func.func @cross(%x: tensor<2x8x16xf16>, %k: tensor<2x5x16xf16>, %mask: tensor<8x5xi1>) -> tensor<2x8x16xf16> {
  %q = sparse_attn.permute_tokens %x by #layout along 1 inverse : tensor<2x8x16xf16>
  %e = tensor.empty() : tensor<2x8x16xf16>
  %r = sparse_attn.attention ins(%q, %k, %k : tensor<2x8x16xf16>, tensor<2x5x16xf16>, tensor<2x5x16xf16>) mask(%mask : tensor<8x5xi1>) outs(%e : tensor<2x8x16xf16>)
      {indexing_maps = [#q, #k, #v, #mk, #o], scale = 0.25 : f64} -> tensor<2x8x16xf16>
  return %r : tensor<2x8x16xf16>
}

// What needs the order keeps it, and is named.
// CHECK-LABEL: func.func @positions(
// CHECK: %[[I:.*]] = sparse_attn.permute_tokens %arg0 by #{{.*}} along 0 inverse
// CHECK: linalg.index 0
func.func @positions(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-remark@+1 {{tokens are put back into raster order here: 'linalg.generic' looks at the position of a token}}
  %i = sparse_attn.permute_tokens %x by #layout along 0 inverse : tensor<8xf32>
  %e = tensor.empty() : tensor<8xf32>
  // expected-note@+1 {{see the operation}}
  %r = linalg.generic {indexing_maps = [affine_map<(t) -> (t)>, affine_map<(t) -> (t)>], iterator_types = ["parallel"]}
      ins(%i : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %p = linalg.index 0 : index
    %n = arith.index_cast %p : index to i32
    %f = arith.sitofp %n : i32 to f32
    %s = arith.addf %a, %f : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  return %r : tensor<8xf32>
}

func.func @neighbours(%x: tensor<1x8x1xf32>, %w: tensor<3x1x1xf32>, %e: tensor<1x6x1xf32>) -> tensor<1x6x1xf32> {
  // expected-remark@+1 {{tokens are put back into raster order here: 'linalg.conv_1d_nwc_wcf' combines tokens with their neighbours}}
  %i = sparse_attn.permute_tokens %x by #layout along 1 inverse : tensor<1x8x1xf32>
  // expected-note@+1 {{see the operation}}
  %r = linalg.conv_1d_nwc_wcf ins(%i, %w : tensor<1x8x1xf32>, tensor<3x1x1xf32>) outs(%e : tensor<1x6x1xf32>) -> tensor<1x6x1xf32>
  return %r : tensor<1x6x1xf32>
}

func.func @some(%x: tensor<8x4xf32>) -> tensor<5x4xf32> {
  // expected-remark@+1 {{tokens are put back into raster order here: 'tensor.extract_slice' takes some of the tokens}}
  %i = sparse_attn.permute_tokens %x by #layout along 0 inverse : tensor<8x4xf32>
  // expected-note@+1 {{see the operation}}
  %r = tensor.extract_slice %i[0, 0] [5, 4] [1, 1] : tensor<8x4xf32> to tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}

func.func @joined(%x: tensor<8x4xf32>) -> tensor<32xf32> {
  // expected-remark@+1 {{tokens are put back into raster order here: 'tensor.collapse_shape' splits the tokens or joins them with another dimension}}
  %i = sparse_attn.permute_tokens %x by #layout along 0 inverse : tensor<8x4xf32>
  // expected-note@+1 {{see the operation}}
  %r = tensor.collapse_shape %i [[0, 1]] : tensor<8x4xf32> into tensor<32xf32>
  return %r : tensor<32xf32>
}

func.func @keys(%x: tensor<2x8x16xf16>, %q: tensor<2x3x16xf16>) -> tensor<2x3x16xf16> {
  // expected-remark@+1 {{tokens are put back into raster order here: 'sparse_attn.attention' has the tokens as keys}}
  %k = sparse_attn.permute_tokens %x by #layout along 1 inverse : tensor<2x8x16xf16>
  %e = tensor.empty() : tensor<2x3x16xf16>
  // expected-note@+1 {{see the operation}}
  %r = sparse_attn.attention ins(%q, %k, %k : tensor<2x3x16xf16>, tensor<2x8x16xf16>, tensor<2x8x16xf16>) outs(%e : tensor<2x3x16xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64} -> tensor<2x3x16xf16>
  return %r : tensor<2x3x16xf16>
}

func.func @total(%x: tensor<8x4xf32>, %e: tensor<4xf32>) -> tensor<4xf32> {
  // expected-remark@+1 {{tokens are put back into raster order here: 'linalg.generic' combines all tokens}}
  %i = sparse_attn.permute_tokens %x by #layout along 0 inverse : tensor<8x4xf32>
  // expected-note@+1 {{see the operation}}
  %r = linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
      ins(%i : tensor<8x4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %s = arith.addf %out, %a : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %r : tensor<4xf32>
}

func.func @written(%x: tensor<8x4xf32>, %y: tensor<9x4xf32>) -> tensor<9x4xf32> {
  // expected-remark@+1 {{tokens are put back into raster order here: 'tensor.insert_slice' writes some of the tokens}}
  %i = sparse_attn.permute_tokens %x by #layout along 0 inverse : tensor<8x4xf32>
  // expected-note@+1 {{see the operation}}
  %r = tensor.insert_slice %i into %y[1, 0] [8, 4] [1, 1] : tensor<8x4xf32> into tensor<9x4xf32>
  return %r : tensor<9x4xf32>
}

func.func @sequences(%x: tensor<8x4xf32>, %y: tensor<3x4xf32>) -> tensor<11x4xf32> {
  // expected-remark@+1 {{tokens are put back into raster order here: 'tensor.concat' joins sequences of tokens}}
  %i = sparse_attn.permute_tokens %x by #layout along 0 inverse : tensor<8x4xf32>
  // expected-note@+1 {{see the operation}}
  %r = tensor.concat dim(0) %i, %y : (tensor<8x4xf32>, tensor<3x4xf32>) -> tensor<11x4xf32>
  return %r : tensor<11x4xf32>
}

func.func @tiled(%x: tensor<2x8x16xf16>, %k: tensor<2x5x16xf16>) -> tensor<2x8x16xf16> {
  // expected-remark@+1 {{tokens are put back into raster order here: 'sparse_attn.attention' has settled which tokens share a tile}}
  %q = sparse_attn.permute_tokens %x by #layout along 1 inverse : tensor<2x8x16xf16>
  %e = tensor.empty() : tensor<2x8x16xf16>
  // expected-note@+1 {{see the operation}}
  %r = sparse_attn.attention ins(%q, %k, %k : tensor<2x8x16xf16>, tensor<2x5x16xf16>, tensor<2x5x16xf16>) outs(%e : tensor<2x8x16xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, decision_tile = array<i64: 64, 64>} -> tensor<2x8x16xf16>
  return %r : tensor<2x8x16xf16>
}

func.func @unknown(%x: tensor<8xf32>) -> tensor<8xf32> {
  // expected-remark@+1 {{tokens are put back into raster order here: 'foreign.op' is not known to treat tokens alike}}
  %i = sparse_attn.permute_tokens %x by #layout along 0 inverse : tensor<8xf32>
  // expected-note@+1 {{see the operation}}
  %r = "foreign.op"(%i) : (tensor<8xf32>) -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// Others that need the old order keep an operation where it is.
// CHECK-LABEL: func.func @shared(
// CHECK: %[[Y:.*]] = math.exp %arg0
// CHECK: sparse_attn.permute_tokens %[[Y]]
func.func @shared(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  // expected-note@+1 {{see the operation}}
  %y = math.exp %x : tensor<8xf32>
  // expected-remark@+1 {{tokens are put in order here: 'math.exp' gives them in raster order to others as well}}
  %p = sparse_attn.permute_tokens %y by #layout along 0 : tensor<8xf32>
  return %p, %y : tensor<8xf32>, tensor<8xf32>
}
