// RUN: sparse-attn-opt %s -sparse-attn-print-plan | FileCheck %s

// What a query tile visits follows from the conditions of the region.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// The last 64 keys: partial at both edges.
// CHECK: // plan of @window: 256 queries, 256 keys, tiles of 64x32; 0 full (#), 14 partial (+), 18 empty (.)
// CHECK-NEXT: // ++......
// CHECK-NEXT: // ++++....
// CHECK-NEXT: // ..++++..
// CHECK-NEXT: // ....++++
func.func private @window(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %w = arith.constant 64 : index
        %low = arith.subi %query, %w : index
        %x = arith.cmpi sle, %key, %query : index
        %y = arith.cmpi sgt, %key, %low : index
        %seen = arith.andi %x, %y : i1
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// CHECK: // plan of @band: 256 queries, 256 keys, tiles of 64x32; 14 full (#), 14 partial (+), 4 empty (.)
// CHECK-NEXT: // ###+++..
// CHECK-NEXT: // +####+++
// CHECK-NEXT: // +++####+
// CHECK-NEXT: // ..+++###
func.func private @band(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %qi = arith.index_cast %query : index to i32
        %ki = arith.index_cast %key : index to i32
        %diff = arith.subi %qi, %ki : i32
        %abs = math.absi %diff : i32
        %w = arith.constant 100 : i32
        %seen = arith.cmpi sle, %abs, %w : i32
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// Causal behind a prefix that all queries see.
// CHECK: // plan of @prefix: 256 queries, 256 keys, tiles of 64x32; 14 full (#), 7 partial (+), 11 empty (.)
// CHECK-NEXT: // ##+.....
// CHECK-NEXT: // ##++....
// CHECK-NEXT: // ####++..
// CHECK-NEXT: // ######++
func.func private @prefix(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %p = arith.constant 70 : index
        %x = arith.cmpi sle, %key, %query : index
        %y = arith.cmpi slt, %key, %p : index
        %seen = arith.ori %x, %y : i1
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// Blocks that the tiles divide.
// CHECK: // plan of @block_diagonal: 256 queries, 256 keys, tiles of 64x32; 8 full (#), 0 partial (+), 24 empty (.)
// CHECK-NEXT: // ##......
// CHECK-NEXT: // ..##....
// CHECK-NEXT: // ....##..
// CHECK-NEXT: // ......##
func.func private @block_diagonal(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %w = arith.constant 64 : index
        %qb = arith.divui %query, %w : index
        %kb = arith.divui %key, %w : index
        %seen = arith.cmpi eq, %qb, %kb : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// Blocks that they do not.
// CHECK: // plan of @blocks_astride: 256 queries, 256 keys, tiles of 64x32; 8 full (#), 6 partial (+), 18 empty (.)
// CHECK-NEXT: // ###.....
// CHECK-NEXT: // ++++++..
// CHECK-NEXT: // ...###..
// CHECK-NEXT: // ......##
func.func private @blocks_astride(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %w = arith.constant 96 : index
        %qb = arith.floordivsi %query, %w : index
        %kb = arith.floordivsi %key, %w : index
        %seen = arith.cmpi eq, %qb, %kb : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// CHECK: // plan of @key_length: 256 queries, 256 keys, tiles of 64x32; 16 full (#), 4 partial (+), 12 empty (.)
// CHECK-NEXT: // ####+...
// CHECK-NEXT: // ####+...
// CHECK-NEXT: // ####+...
// CHECK-NEXT: // ####+...
func.func private @key_length(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %l = arith.constant 150 : index
        %seen = arith.cmpi ult, %key, %l : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// A plan for each head that has its own.
// CHECK: // plan of @by_head, batch (0): 256 queries, 256 keys, tiles of 64x32; 12 full (#), 8 partial (+), 12 empty (.)
// CHECK-NEXT: // ++......
// CHECK-NEXT: // ##++....
// CHECK-NEXT: // ####++..
// CHECK-NEXT: // ######++
// CHECK: // plan of @by_head, batch (1): 256 queries, 256 keys, tiles of 64x32; 20 full (#), 6 partial (+), 6 empty (.)
// CHECK-NEXT: // ##++....
// CHECK-NEXT: // ####++..
// CHECK-NEXT: // ######++
// CHECK-NEXT: // ########
func.func private @by_head(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %w = arith.constant 64 : index
        %x = arith.muli %b, %w : index
        %y = arith.addi %query, %x : index
        %seen = arith.cmpi sle, %key, %y : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// A condition that chooses between conditions.
// CHECK: // plan of @either_or, batch (0): 256 queries, 256 keys, tiles of 64x32; 12 full (#), 8 partial (+), 12 empty (.)
// CHECK-NEXT: // ++......
// CHECK-NEXT: // ##++....
// CHECK-NEXT: // ####++..
// CHECK-NEXT: // ######++
func.func private @either_or(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %one = arith.constant 1 : index
        %zero = arith.constant 0 : index
        %rest = arith.remui %b, %one : index
        %even = arith.cmpi eq, %rest, %zero : index
        %x = arith.cmpi sle, %key, %query : index
        %y = arith.cmpi sge, %key, %query : index
        %seen = arith.select %even, %x, %y : i1
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// What is done to the scores is no matter.
// CHECK: // plan of @softcap: 256 queries, 256 keys, tiles of 64x32; 12 full (#), 8 partial (+), 12 empty (.)
// CHECK-NEXT: // ++......
// CHECK-NEXT: // ##++....
// CHECK-NEXT: // ####++..
// CHECK-NEXT: // ######++
func.func private @softcap(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %cap = arith.constant 3.0e+1 : f32
        %div = arith.divf %s, %cap : f32
        %tanh = math.tanh %div : f32
        %capped = arith.mulf %tanh, %cap : f32
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %capped, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}
