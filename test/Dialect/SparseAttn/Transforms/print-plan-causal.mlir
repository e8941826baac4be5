// RUN: sparse-attn-opt %s -sparse-attn-print-plan | FileCheck %s

// Every spelling of a causal comparison gives the same plan, up to the diagonal.

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// CHECK: // plan of @slt: 256 queries, 256 keys, tiles of 64x32; 12 full (#), 8 partial (+), 12 empty (.)
// CHECK-NEXT: // ++......
// CHECK-NEXT: // ##++....
// CHECK-NEXT: // ####++..
// CHECK-NEXT: // ######++
func.func private @slt(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi slt, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// CHECK: // plan of @sge: 256 queries, 256 keys, tiles of 64x32; 12 full (#), 8 partial (+), 12 empty (.)
// CHECK-NEXT: // ++......
// CHECK-NEXT: // ##++....
// CHECK-NEXT: // ####++..
// CHECK-NEXT: // ######++
func.func private @sge(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sge, %query, %key : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// CHECK: // plan of @sgt: 256 queries, 256 keys, tiles of 64x32; 12 full (#), 8 partial (+), 12 empty (.)
// CHECK-NEXT: // ++......
// CHECK-NEXT: // ##++....
// CHECK-NEXT: // ####++..
// CHECK-NEXT: // ######++
func.func private @sgt(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sgt, %query, %key : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// CHECK: // plan of @inverted: 256 queries, 256 keys, tiles of 64x32; 12 full (#), 8 partial (+), 12 empty (.)
// CHECK-NEXT: // ++......
// CHECK-NEXT: // ##++....
// CHECK-NEXT: // ####++..
// CHECK-NEXT: // ######++
func.func private @inverted(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sgt, %key, %query : index
        %r = arith.select %seen, %ninf, %s : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// CHECK: // plan of @unsigned_less: 256 queries, 256 keys, tiles of 64x32; 12 full (#), 8 partial (+), 12 empty (.)
// CHECK-NEXT: // ++......
// CHECK-NEXT: // ##++....
// CHECK-NEXT: // ####++..
// CHECK-NEXT: // ######++
func.func private @unsigned_less(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi ult, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// CHECK: // plan of @unsigned_greater: 256 queries, 256 keys, tiles of 64x32; 12 full (#), 8 partial (+), 12 empty (.)
// CHECK-NEXT: // ++......
// CHECK-NEXT: // ##++....
// CHECK-NEXT: // ####++..
// CHECK-NEXT: // ######++
func.func private @unsigned_greater(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi uge, %query, %key : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// CHECK: // plan of @unsigned_inverted: 256 queries, 256 keys, tiles of 64x32; 12 full (#), 8 partial (+), 12 empty (.)
// CHECK-NEXT: // ++......
// CHECK-NEXT: // ##++....
// CHECK-NEXT: // ####++..
// CHECK-NEXT: // ######++
func.func private @unsigned_inverted(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi ugt, %key, %query : index
        %r = arith.select %seen, %ninf, %s : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// CHECK: // plan of @difference: 256 queries, 256 keys, tiles of 64x32; 12 full (#), 8 partial (+), 12 empty (.)
// CHECK-NEXT: // ++......
// CHECK-NEXT: // ##++....
// CHECK-NEXT: // ####++..
// CHECK-NEXT: // ######++
func.func private @difference(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %z = arith.constant 0 : index
        %d = arith.subi %query, %key : index
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sge, %d, %z : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}

// CHECK: // plan of @integers: 256 queries, 256 keys, tiles of 64x32; 12 full (#), 8 partial (+), 12 empty (.)
// CHECK-NEXT: // ++......
// CHECK-NEXT: // ##++....
// CHECK-NEXT: // ####++..
// CHECK-NEXT: // ######++
func.func private @integers(%q: tensor<2x256x64xf16>, %k: tensor<2x256x64xf16>, %v: tensor<2x256x64xf16>, %init: tensor<2x256x64xf16>) -> tensor<2x256x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x256x64xf16>, tensor<2x256x64xf16>) outs(%init : tensor<2x256x64xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %q32 = arith.index_cast %query : index to i32
        %i = arith.extsi %q32 : i32 to i64
        %j = arith.index_cast %key : index to i64
        %ninf = arith.constant 0xFF800000 : f32
        %seen = arith.cmpi sle, %j, %i : i64
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 64, 32>} -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}
