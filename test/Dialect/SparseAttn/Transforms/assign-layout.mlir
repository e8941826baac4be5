// RUN: sparse-attn-opt %s -sparse-attn-assign-layout=layout=hilbert:2x4x8 -verify-diagnostics | FileCheck %s
// RUN: sparse-attn-opt %s -sparse-attn-assign-layout | FileCheck %s --check-prefix=NONE
// RUN: sparse-attn-opt %s -sparse-attn-assign-layout=layout=box:1x2x4@2x4x6+16 2>&1 | FileCheck %s --check-prefix=BOX
// RUN: not sparse-attn-opt %s -sparse-attn-assign-layout=layout=hilbert:2x4 2>&1 | FileCheck %s --check-prefix=SIZES
// RUN: not sparse-attn-opt %s -sparse-attn-assign-layout=layout=peano:2x4x8 2>&1 | FileCheck %s --check-prefix=CURVE
// RUN: not sparse-attn-opt %s -sparse-attn-assign-layout=layout=hilbert:2x4x8+ 2>&1 | FileCheck %s --check-prefix=TAIL
// RUN: not sparse-attn-opt %s -sparse-attn-assign-layout=layout=hilbert:2x0x8 2>&1 | FileCheck %s --check-prefix=ZERO

// SIZES: error: expected a layout 'raster:', 'hilbert:', 'gilbert:' or 'morton:' with TxHxW[+TAIL], or 'box:' with AxBxC@TxHxW[+TAIL], found 'hilbert:2x4'
// CURVE: error: expected a layout {{.*}}, found 'peano:2x4x8'
// TAIL: error: expected a layout {{.*}}, found 'hilbert:2x4x8+'
// ZERO: error: expected three positive sizes (frames, rows, columns) of a grid, found 2x0x8
// NONE-NOT: sparse_attn.permute_tokens

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#mk = affine_map<(b, m, n, d, k) -> (m, k)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// Operands by token, a mask by both; results come back.
// CHECK-LABEL: @self(
// CHECK-DAG: %[[Q:.*]] = sparse_attn.permute_tokens %arg0 by #[[LAYOUT:.*]] along 1 : tensor<2x64x16xf16>
// CHECK-DAG: %[[K:.*]] = sparse_attn.permute_tokens %arg1 by #[[LAYOUT]] along 1 : tensor<2x64x16xf16>
// CHECK-DAG: %[[V:.*]] = sparse_attn.permute_tokens %arg2 by #[[LAYOUT]] along 1 : tensor<2x64x16xf16>
// CHECK-DAG: %[[ROWS:.*]] = sparse_attn.permute_tokens %arg3 by #[[LAYOUT]] along 0 : tensor<64x64xi1>
// CHECK-DAG: %[[MASK:.*]] = sparse_attn.permute_tokens %[[ROWS]] by #[[LAYOUT]] along 1 : tensor<64x64xi1>
// CHECK: %[[R:.*]]:2 = sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] : {{.*}}) mask(%[[MASK]] :
// CHECK-DAG: %[[O:.*]] = sparse_attn.permute_tokens %[[R]]#0 by #[[LAYOUT]] along 1 inverse : tensor<2x64x16xf16>
// CHECK-DAG: %[[L:.*]] = sparse_attn.permute_tokens %[[R]]#1 by #[[LAYOUT]] along 1 inverse : tensor<2x64xf32>
// CHECK: return %[[O]], %[[L]]
// BOX-LABEL: @self(
// BOX: sparse_attn.permute_tokens %arg0 by #sparse_attn.box<1x2x4 in 2x4x6, tail = 16> along 1
func.func @self(%q: tensor<2x64x16xf16>, %k: tensor<2x64x16xf16>, %v: tensor<2x64x16xf16>, %mask: tensor<64x64xi1>, %init: tensor<2x64x16xf16>, %row: tensor<2x64xf32>) -> (tensor<2x64x16xf16>, tensor<2x64xf32>) {
  %r:2 = sparse_attn.attention ins(%q, %k, %v : tensor<2x64x16xf16>, tensor<2x64x16xf16>, tensor<2x64x16xf16>)
      mask(%mask : tensor<64x64xi1>) outs(%init : tensor<2x64x16xf16>) log_sum_exp(%row : tensor<2x64xf32>)
      {indexing_maps = [#q, #k, #v, #mk, #o], scale = 0.25 : f64} -> tensor<2x64x16xf16>, tensor<2x64xf32>
  return %r#0, %r#1 : tensor<2x64x16xf16>, tensor<2x64xf32>
}

// Keys of another kind are none of the layout's tokens.
// CHECK-LABEL: @cross(
// CHECK-NOT: permute_tokens
// CHECK: return
func.func @cross(%q: tensor<2x64x16xf16>, %k: tensor<2x77x16xf16>, %init: tensor<2x64x16xf16>) -> tensor<2x64x16xf16> {
  %r = sparse_attn.attention ins(%q, %k, %k : tensor<2x64x16xf16>, tensor<2x77x16xf16>, tensor<2x77x16xf16>)
      outs(%init : tensor<2x64x16xf16>) {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64} -> tensor<2x64x16xf16>
  return %r : tensor<2x64x16xf16>
}

// A region of scores alone commutes with any order; one of positions does not.
// CHECK-LABEL: @capped(
// CHECK: permute_tokens
// CHECK: return
func.func @capped(%q: tensor<2x64x16xf16>, %init: tensor<2x64x16xf16>) -> tensor<2x64x16xf16> {
  %r = sparse_attn.attention ins(%q, %q, %q : tensor<2x64x16xf16>, tensor<2x64x16xf16>, tensor<2x64x16xf16>) outs(%init : tensor<2x64x16xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %r = math.tanh %s : f32
        sparse_attn.yield %r : f32
      } {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64} -> tensor<2x64x16xf16>
  return %r : tensor<2x64x16xf16>
}

// CHECK-LABEL: @causal(
// CHECK-NOT: permute_tokens
// CHECK: return
func.func @causal(%q: tensor<2x64x16xf16>, %init: tensor<2x64x16xf16>) -> tensor<2x64x16xf16> {
  // expected-remark@+1 {{keeps its order of tokens: its score region looks at positions}}
  %r = sparse_attn.attention ins(%q, %q, %q : tensor<2x64x16xf16>, tensor<2x64x16xf16>, tensor<2x64x16xf16>) outs(%init : tensor<2x64x16xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      } {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64} -> tensor<2x64x16xf16>
  return %r : tensor<2x64x16xf16>
}

// CHECK-LABEL: @tiled(
// CHECK-NOT: permute_tokens
// CHECK: return
func.func @tiled(%q: tensor<2x64x16xf16>, %init: tensor<2x64x16xf16>) -> tensor<2x64x16xf16> {
  // expected-remark@+1 {{keeps its order of tokens: its tiles are settled}}
  %r = sparse_attn.attention ins(%q, %q, %q : tensor<2x64x16xf16>, tensor<2x64x16xf16>, tensor<2x64x16xf16>) outs(%init : tensor<2x64x16xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, decision_tile = array<i64: 64, 64>} -> tensor<2x64x16xf16>
  return %r : tensor<2x64x16xf16>
}

// CHECK-LABEL: @listed(
// CHECK-NOT: permute_tokens
// CHECK: return
func.func @listed(%q: tensor<2x64x16xf16>, %c: tensor<2x1xi32>, %i: tensor<2x1x1xi32>, %init: tensor<2x64x16xf16>) -> tensor<2x64x16xf16> {
  // expected-remark@+1 {{keeps its order of tokens: its block list names tokens by their position}}
  %r = sparse_attn.attention ins(%q, %q, %q : tensor<2x64x16xf16>, tensor<2x64x16xf16>, tensor<2x64x16xf16>) blocks(%c, %i : tensor<2x1xi32>, tensor<2x1x1xi32>) outs(%init : tensor<2x64x16xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64, block_shape = array<i64: 64, 64>} -> tensor<2x64x16xf16>
  return %r : tensor<2x64x16xf16>
}
