// RUN: sparse-attn-opt %s -sparse-attn-print-plan | FileCheck %s

// Conditions at the border of what the analysis solves.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK: // plan of @anticausal: 256 queries, 256 keys, tiles of 64x32; 12 full (#), 8 partial (+), 12 empty (.)
// CHECK-NEXT: // ++######
// CHECK-NEXT: // ..++####
// CHECK-NEXT: // ....++##
// CHECK-NEXT: // ......++
func.func private @anticausal(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sge, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// CHECK: // plan of @equal: 256 queries, 256 keys, tiles of 64x32; 0 full (#), 8 partial (+), 24 empty (.)
// CHECK-NEXT: // ++......
// CHECK-NEXT: // ..++....
// CHECK-NEXT: // ....++..
// CHECK-NEXT: // ......++
func.func private @equal(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi eq, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// CHECK: // plan of @doubled: 256 queries, 256 keys, tiles of 64x32; 6 full (#), 4 partial (+), 22 empty (.)
// CHECK-NEXT: // +.......
// CHECK-NEXT: // #+......
// CHECK-NEXT: // ##+.....
// CHECK-NEXT: // ###+....
func.func private @doubled(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %x = arith.addi %key, %key : index
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %x, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// CHECK: // plan of @far: 256 queries, 256 keys, tiles of 64x32; 0 full (#), 32 partial (+), 0 empty (.)
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
func.func private @far(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %c = arith.constant 3000000000 : i64
        %i = arith.index_cast %query : index to i64
        %j = arith.index_cast %key : index to i64
        %x = arith.addi %i, %c : i64
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %j, %x : i64
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// A finite fill is no mask: a row of nothing else would average its values.
// CHECK: // plan of @finite: 256 queries, 256 keys, tiles of 64x32; 32 full (#), 0 partial (+), 0 empty (.)
// CHECK-NEXT: // ########
// CHECK-NEXT: // ########
// CHECK-NEXT: // ########
// CHECK-NEXT: // ########
func.func private @finite(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %low = arith.constant -1.0e+30 : f32
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %s, %low : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// Query 0 wraps and sees everything.
// CHECK: // plan of @unsigned_offset: 256 queries, 256 keys, tiles of 64x32; 0 full (#), 32 partial (+), 0 empty (.)
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
func.func private @unsigned_offset(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %c = arith.constant 1 : index
        %x = arith.subi %query, %c : index
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi ule, %key, %x : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// Beyond the rules: every tile is looked at.
// CHECK: // plan of @product: 256 queries, 256 keys, tiles of 64x32; 0 full (#), 32 partial (+), 0 empty (.)
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
func.func private @product(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %x = arith.muli %key, %key : index
        %seen = arith.cmpi sle, %x, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// A condition on the scores themselves.
// CHECK: // plan of @of_scores: 256 queries, 256 keys, tiles of 64x32; 0 full (#), 32 partial (+), 0 empty (.)
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
func.func private @of_scores(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %limit = arith.constant 0.5 : f32
        %seen = arith.cmpf ogt, %s, %limit : f32
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// Positions do not fit 8 bits.
// CHECK: // plan of @narrow: 256 queries, 256 keys, tiles of 64x32; 0 full (#), 32 partial (+), 0 empty (.)
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
func.func private @narrow(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %q8 = arith.index_cast %query : index to i8
        %k8 = arith.index_cast %key : index to i8
        %seen = arith.cmpi sle, %k8, %q8 : i8
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// No number that could overflow is reckoned with.
// CHECK: // plan of @huge: 256 queries, 256 keys, tiles of 64x32; 0 full (#), 32 partial (+), 0 empty (.)
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
// CHECK-NEXT: // ++++++++
func.func private @huge(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %c = arith.constant 9223372036854775807 : i64
        %ki = arith.index_cast %key : index to i64
        %x = arith.addi %ki, %c : i64
        %seen = arith.cmpi slt, %x, %c : i64
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}
