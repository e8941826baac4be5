// Score regions over iree_linalg_ext.index: masks become comparisons of indices
// with the key on the left, whatever types and tensors they were written with.
// RUN: sparse-attn-opt %s --allow-unregistered-dialect --convert-linalg-ext-to-sparse-attn --mlir-print-local-scope --split-input-file --verify-diagnostics | FileCheck %s

// |query - key| <= 3, with the distance in a wider type.
// CHECK-LABEL: func.func @band
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BATCH:.*]]: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK:           %[[UP:.*]] = arith.addi %[[KEY]], %c3
// CHECK-NEXT:      %[[A:.*]] = arith.cmpi sge, %[[UP]], %[[QUERY]]
// CHECK:           %[[END:.*]] = arith.addi %[[QUERY]], %c3
// CHECK-NEXT:      %[[C:.*]] = arith.cmpi sle, %[[KEY]], %[[END]]
// CHECK-NEXT:      %[[BOTH:.*]] = arith.andi %[[A]], %[[C]]
// CHECK:           arith.select %[[BOTH]], %[[S]],
func.func @band(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 0.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    %m = "iree_linalg_ext.index"() <{dim = 1 : i64}> : () -> index
    %n = "iree_linalg_ext.index"() <{dim = 4 : i64}> : () -> index
    %mi = arith.index_cast %m : index to i32
    %ni = arith.index_cast %n : index to i32
    %d = arith.subi %mi, %ni : i32
    %a = math.absi %d : i32
    %w = arith.extsi %a : i32 to i64
    %three = arith.constant 3 : i64
    %c = arith.cmpi sle, %w, %three : i64
    %inf = arith.constant 0xFF800000 : f32
    %x = arith.select %c, %s, %inf : f32
    "iree_linalg_ext.yield"(%x) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#2, %r#0 : tensor<2x8xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %i = arith.divf %one, %l : f32
    %x = arith.mulf %i, %a : f32
    linalg.yield %x : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// The complement, with the bound on the left.
// CHECK-LABEL: func.func @far
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BATCH:.*]]: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK:           arith.cmpi slt
// CHECK:           arith.cmpi sgt
// CHECK:           arith.ori
func.func @far(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 0.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    %m = "iree_linalg_ext.index"() <{dim = 1 : i64}> : () -> index
    %n = "iree_linalg_ext.index"() <{dim = 4 : i64}> : () -> index
    %mi = arith.index_cast %m : index to i32
    %ni = arith.index_cast %n : index to i32
    %d = arith.subi %mi, %ni : i32
    %a = math.absi %d : i32
    %three = arith.constant 3 : i32
    %c = arith.cmpi slt, %three, %a : i32
    %inf = arith.constant 0xFF800000 : f32
    %x = arith.select %c, %s, %inf : f32
    "iree_linalg_ext.yield"(%x) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#2, %r#0 : tensor<2x8xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %i = arith.divf %one, %l : f32
    %x = arith.mulf %i, %a : f32
    linalg.yield %x : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Equal quotients that are computed in floats; below 2^24 they are exact.
// CHECK-LABEL: func.func @blocks
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BATCH:.*]]: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK:           %[[Q:.*]] = arith.divui %[[QUERY]], %c4
// CHECK:           %[[K:.*]] = arith.divui %[[KEY]], %c4
// CHECK-NEXT:      arith.cmpi eq, %[[K]], %[[Q]] : index
func.func @blocks(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 0.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    %m = "iree_linalg_ext.index"() <{dim = 1 : i64}> : () -> index
    %n = "iree_linalg_ext.index"() <{dim = 4 : i64}> : () -> index
    %mi = arith.index_cast %m : index to i32
    %ni = arith.index_cast %n : index to i32
    %four = arith.constant 4.0 : f32
    %mf = arith.sitofp %mi : i32 to f32
    %nf = arith.sitofp %ni : i32 to f32
    %md = arith.divf %mf, %four : f32
    %nd = arith.divf %nf, %four : f32
    %mq = math.floor %md : f32
    %nq = math.floor %nd : f32
    %mb = arith.fptosi %mq : f32 to i32
    %nb = arith.fptosi %nq : f32 to i32
    %c = arith.cmpi eq, %mb, %nb : i32
    %inf = arith.constant 0xFF800000 : f32
    %x = arith.select %c, %s, %inf : f32
    "iree_linalg_ext.yield"(%x) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#2, %r#0 : tensor<2x8xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %i = arith.divf %one, %l : f32
    %x = arith.mulf %i, %a : f32
    linalg.yield %x : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A fractional divisor stays in floats.
// CHECK-LABEL: func.func @fraction
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BATCH:.*]]: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK:           arith.divf
// CHECK-NEXT:      math.floor
// CHECK-NEXT:      arith.fptosi
func.func @fraction(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 0.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    %m = "iree_linalg_ext.index"() <{dim = 1 : i64}> : () -> index
    %n = "iree_linalg_ext.index"() <{dim = 4 : i64}> : () -> index
    %mi = arith.index_cast %m : index to i32
    %ni = arith.index_cast %n : index to i32
    %half = arith.constant 2.5 : f32
    %mf = arith.sitofp %mi : i32 to f32
    %md = arith.divf %mf, %half : f32
    %mq = math.floor %md : f32
    %mb = arith.fptosi %mq : f32 to i32
    %c = arith.cmpi sle, %ni, %mb : i32
    %inf = arith.constant 0xFF800000 : f32
    %x = arith.select %c, %s, %inf : f32
    "iree_linalg_ext.yield"(%x) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#2, %r#0 : tensor<2x8xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %i = arith.divf %one, %l : f32
    %x = arith.mulf %i, %a : f32
    linalg.yield %x : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Every third key, and a group of heads.
// CHECK-LABEL: func.func @dilated
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BATCH:.*]]: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK:           %[[REST:.*]] = arith.remui %[[KEY]], %c3
// CHECK:           arith.cmpi eq, %[[REST]], %c0
// CHECK:           arith.cmpi slt, %[[BATCH]], %c1
// CHECK:           arith.ori
func.func @dilated(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 0.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    %m = "iree_linalg_ext.index"() <{dim = 1 : i64}> : () -> index
    %n = "iree_linalg_ext.index"() <{dim = 4 : i64}> : () -> index
    %mi = arith.index_cast %m : index to i32
    %ni = arith.index_cast %n : index to i32
    %b = "iree_linalg_ext.index"() <{dim = 0 : i64}> : () -> index
    %three = arith.constant 3 : i32
    %one_i = arith.constant 1 : index
    %nr = arith.remsi %ni, %three : i32
    %zero_i = arith.constant 0 : i32
    %e = arith.cmpi eq, %nr, %zero_i : i32
    %h = arith.cmpi ult, %b, %one_i : index
    %c = arith.ori %e, %h : i1
    %inf = arith.constant 0xFF800000 : f32
    %x = arith.select %c, %s, %inf : f32
    "iree_linalg_ext.yield"(%x) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#2, %r#0 : tensor<2x8xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %i = arith.divf %one, %l : f32
    %x = arith.mulf %i, %a : f32
    linalg.yield %x : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// A soft cap through tensors of one element; its divisor joins the scale.
// CHECK-LABEL: func.func @cap
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BATCH:.*]]: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK-NEXT:      %[[T:.*]] = math.tanh %[[S]]
// CHECK:           %[[R:.*]] = arith.mulf %[[T]], %{{.*}}
// CHECK-NEXT:      sparse_attn.yield %[[R]]
// CHECK-NEXT:    } {{.*}} scale = 0.0083333
func.func @cap(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 0.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    %thirty = arith.constant 30.0 : f32
    %t = tensor.from_elements %s : tensor<f32>
    %e = tensor.empty() : tensor<f32>
    %g = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []} ins(%t : tensor<f32>) outs(%e : tensor<f32>) {
    ^bb1(%in: f32, %o1: f32):
      %d = arith.divf %in, %thirty : f32
      %h = math.tanh %d : f32
      linalg.yield %h : f32
    } -> tensor<f32>
    %y = tensor.extract %g[] : tensor<f32>
    %x = arith.mulf %y, %thirty : f32
    "iree_linalg_ext.yield"(%x) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#2, %r#0 : tensor<2x8xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %i = arith.divf %one, %l : f32
    %x = arith.mulf %i, %a : f32
    linalg.yield %x : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Document numbers that mask_mod reads.
// CHECK-LABEL: func.func @documents
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BATCH:.*]]: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK:           %[[A:.*]] = tensor.extract %[[DOC:.*]][%[[QUERY]]] : tensor<12xi32>
// CHECK:           %[[C:.*]] = tensor.extract %[[DOC]][%[[KEY]]] : tensor<12xi32>
// CHECK:           arith.cmpi eq, %[[A]], %[[C]]
func.func @documents(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>, %doc: tensor<12xi32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 0.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    %m = "iree_linalg_ext.index"() <{dim = 1 : i64}> : () -> index
    %n = "iree_linalg_ext.index"() <{dim = 4 : i64}> : () -> index
    %mi = arith.index_cast %m : index to i32
    %ni = arith.index_cast %n : index to i32
    %a = tensor.extract %doc[%m] : tensor<12xi32>
    %b = tensor.extract %doc[%n] : tensor<12xi32>
    %c = arith.cmpi eq, %a, %b : i32
    %inf = arith.constant 0xFF800000 : f32
    %x = arith.select %c, %s, %inf : f32
    "iree_linalg_ext.yield"(%x) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#2, %r#0 : tensor<2x8xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %i = arith.divf %one, %l : f32
    %x = arith.mulf %i, %a : f32
    linalg.yield %x : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// -----

// Lengths that may pass 2^24 leave the quotients in floats.
// CHECK-LABEL: func.func @blocks_of_unknown_length
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BATCH:.*]]: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK-NOT:       divui
// CHECK:           arith.divf
// CHECK:           arith.divf
// CHECK:           arith.cmpi eq, %{{.*}}, %{{.*}} : i32
func.func @blocks_of_unknown_length(%q: tensor<2x?x16xf32>, %k: tensor<2x?x16xf32>, %v: tensor<2x?x4xf32>) -> tensor<2x?x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 0.0 : f32
  %d1 = arith.constant 1 : index
  %dm = tensor.dim %q, %d1 : tensor<2x?x16xf32>
  %ea = tensor.empty(%dm) : tensor<2x?x4xf32>
  %er = tensor.empty(%dm) : tensor<2x?xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x?xf32>) -> tensor<2x?xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x?xf32>) -> tensor<2x?xf32>
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    %m = "iree_linalg_ext.index"() <{dim = 1 : i64}> : () -> index
    %n = "iree_linalg_ext.index"() <{dim = 4 : i64}> : () -> index
    %mi = arith.index_cast %m : index to i32
    %ni = arith.index_cast %n : index to i32
    %four = arith.constant 4.0 : f32
    %mf = arith.sitofp %mi : i32 to f32
    %nf = arith.sitofp %ni : i32 to f32
    %md = arith.divf %mf, %four : f32
    %nd = arith.divf %nf, %four : f32
    %mq = math.floor %md : f32
    %nq = math.floor %nd : f32
    %mb = arith.fptosi %mq : f32 to i32
    %nb = arith.fptosi %nq : f32 to i32
    %c = arith.cmpi eq, %mb, %nb : i32
    %inf = arith.constant 0xFF800000 : f32
    %x = arith.select %c, %s, %inf : f32
    "iree_linalg_ext.yield"(%x) : (f32) -> ()
  }) : (tensor<2x?x16xf32>, tensor<2x?x16xf32>, tensor<2x?x4xf32>, f32, tensor<2x?x4xf32>, tensor<2x?xf32>, tensor<2x?xf32>) -> (tensor<2x?x4xf32>, tensor<2x?xf32>, tensor<2x?xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#2, %r#0 : tensor<2x?xf32>, tensor<2x?x4xf32>) outs(%ea : tensor<2x?x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %i = arith.divf %one, %l : f32
    %x = arith.mulf %i, %a : f32
    linalg.yield %x : f32
  } -> tensor<2x?x4xf32>
  return %o : tensor<2x?x4xf32>
}

// -----

// A cap of what is masked: the mask stays before it, and masked keys get -cap.
// CHECK-LABEL: func.func @cap_of_masked
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BATCH:.*]]: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CHECK:           %[[M:.*]] = arith.select %{{.*}}, %[[S]], %{{.*}}
// CHECK-NEXT:      %[[T:.*]] = math.tanh %[[M]]
// CHECK-NEXT:      sparse_attn.yield %[[T]]
func.func @cap_of_masked(%q: tensor<2x8x16xf32>, %k: tensor<2x12x16xf32>, %v: tensor<2x12x4xf32>) -> tensor<2x8x4xf32> {
  %scale = arith.constant 0.25 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %start = arith.constant 0.0 : f32
  %first = arith.constant 0.0 : f32
  %ea = tensor.empty() : tensor<2x8x4xf32>
  %er = tensor.empty() : tensor<2x8xf32>
  %acc = linalg.fill ins(%start : f32) outs(%ea : tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %max = linalg.fill ins(%low : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sum = linalg.fill ins(%first : f32) outs(%er : tensor<2x8xf32>) -> tensor<2x8xf32>
  %r:3 = "iree_linalg_ext.online_attention"(%q, %k, %v, %scale, %acc, %max, %sum) <{indexing_maps = [affine_map<(b, m, n, d, k) -> (b, m, d)>, affine_map<(b, m, n, d, k) -> (b, k, d)>, affine_map<(b, m, n, d, k) -> (b, k, n)>, affine_map<(b, m, n, d, k) -> ()>, affine_map<(b, m, n, d, k) -> (b, m, n)>, affine_map<(b, m, n, d, k) -> (b, m)>, affine_map<(b, m, n, d, k) -> (b, m)>]}> ({
  ^bb0(%s: f32):
    %m = "iree_linalg_ext.index"() <{dim = 1 : i64}> : () -> index
    %n = "iree_linalg_ext.index"() <{dim = 4 : i64}> : () -> index
    %mi = arith.index_cast %m : index to i32
    %ni = arith.index_cast %n : index to i32
    %c = arith.cmpi sle, %ni, %mi : i32
    %inf = arith.constant 0xFF800000 : f32
    %y = arith.select %c, %s, %inf : f32
    %x = math.tanh %y : f32
    "iree_linalg_ext.yield"(%x) : (f32) -> ()
  }) : (tensor<2x8x16xf32>, tensor<2x12x16xf32>, tensor<2x12x4xf32>, f32, tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>) -> (tensor<2x8x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>)
  %o = linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>, affine_map<(b, m, n) -> (b, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%r#2, %r#0 : tensor<2x8xf32>, tensor<2x8x4xf32>) outs(%ea : tensor<2x8x4xf32>) {
  ^bb0(%l: f32, %a: f32, %out: f32):
    %i = arith.divf %one, %l : f32
    %x = arith.mulf %i, %a : f32
    linalg.yield %x : f32
  } -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}
