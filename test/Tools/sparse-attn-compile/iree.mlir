// A program that IREE goes on with: executables with PTX, dispatches, linalg
// for what has no kernel. What IREE does with it is in test/numerics.
// RUN: rm -rf %t && mkdir %t
// RUN: sparse-attn-compile %s --ptxas=none --emit=iree --target=sm_80,sm_86 -o - 2>%t/log | FileCheck %s
// RUN: FileCheck %s --check-prefix=LOG < %t/log
// RUN: cd %t && sparse-attn-compile %s --ptxas=none --emit=iree && FileCheck %s --check-prefix=DEFAULT < iree.iree.mlir

// Generic, without aliases, and nothing of ours is left.
// CHECK: "builtin.module"() ({
// CHECK-NOT: sparse_attn

// One executable a kernel, newest target first. A string ends in a zero byte.
// CHECK: "hal.executable"() <{sym_name = "attention_0", sym_visibility = "private"}>
// CHECK: "hal.executable.variant"() <{objects = [#hal.executable.object<{path = "attention_0.sm_86.ptx", data = dense<"0x2F2F0A{{[0-9A-F]*}}00"> : vector<{{[0-9]+}}xi8>}>], sym_name = "sm_86", target = #hal.executable.target<"cuda", "cuda-nvptx-fb">}>
// CHECK: "hal.executable.condition"() <{function_type = (!hal.device) -> i1}>
// CHECK: "arith.constant"() <{value = 86 : i32}>
// CHECK: "arith.cmpi"({{.*}}) <{predicate = 5 : i64}>
// CHECK: "hal.executable.export"() <{layout = #hal.pipeline.layout<constants = 2, bindings = [#hal.pipeline.binding<storage_buffer, ReadOnly>, #hal.pipeline.binding<storage_buffer, ReadOnly>, #hal.pipeline.binding<storage_buffer, ReadOnly>, #hal.pipeline.binding<storage_buffer>]>, ordinal = 0 : index, subgroup_size = 32 : index, sym_name = "attention_0", workgroup_local_memory = [[SHARED:[0-9]+]] : index, workgroup_size = [128 : index, 1 : index, 1 : index]}>
// CHECK-NEXT: ^bb0(%{{.*}}: !hal.device, %[[ROWS:.*]]: index):
// CHECK: %[[TILE:.*]] = "arith.constant"() <{value = 128 : index}>
// CHECK-NEXT: %[[X:.*]] = "arith.ceildivui"(%[[ROWS]], %[[TILE]])
// CHECK: "hal.return"(%[[X]], %{{.*}}, %{{.*}}) : (index, index, index)
// CHECK: "hal.executable.variant"() <{{.*}}sym_name = "sm_80"
// CHECK: "arith.constant"() <{value = 80 : i32}>

// LOG: warning: IREE compiles the attention of 'attention_2' itself: no kernel for sm_86: expected a head_dim
// DEFAULT: "hal.executable.variant"() <{{.*}}sym_name = "sm_80"
// DEFAULT-NOT: sym_name = "sm_86"

#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>

// Sizes follow the arrays; the result has no operand.
// CHECK: sym_name = "dynamic"
// CHECK: %[[M:.*]] = "tensor.dim"(%[[Q:.*]], %{{.*}})
// CHECK: "arith.index_cast"({{.*}}) : (index) -> i32
// CHECK: "flow.dispatch"(%{{.*}}, %[[Q]], %{{[^)]*}}) <{entry_points = [@attention_0::@sm_86::@attention_0, @attention_0::@sm_80::@attention_0], operandSegmentSizes = array<i32: 1, 5, 3, 1>, tied_operands = [-1 : index]}>
func.func @dynamic(%q: tensor<2x?x32xf16>, %k: tensor<2x?x32xf16>, %v: tensor<2x?x32xf16>, %init: tensor<2x?x32xf16>) -> tensor<2x?x32xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x?x32xf16>, tensor<2x?x32xf16>, tensor<2x?x32xf16>) outs(%init : tensor<2x?x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<2x?x32xf16>
  return %o : tensor<2x?x32xf16>
}

// What the region reads comes behind the output, so the output is an operand.
// CHECK: sym_name = "documents"
// CHECK: %[[MEMORY:.*]] = "tensor.empty"()
// CHECK: "flow.dispatch"(%{{.*}}, %{{.*}}, %{{.*}}, %[[MEMORY]], %{{.*}}) <{{.*}}tied_operands = [3 : index]
func.func @documents(%q: tensor<2x64x32xf16>, %k: tensor<2x64x32xf16>, %v: tensor<2x64x32xf16>, %init: tensor<2x64x32xf16>, %t: tensor<64xi32>) -> tensor<2x64x32xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) outs(%init : tensor<2x64x32xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %ninf = arith.constant 0xFF800000 : f32
        %x = tensor.extract %t[%query] : tensor<64xi32>
        %y = tensor.extract %t[%key] : tensor<64xi32>
        %seen = arith.cmpi eq, %x, %y : i32
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<2x64x32xf16>
  return %o : tensor<2x64x32xf16>
}

// CHECK: sym_name = "refused"
// CHECK: "math.exp"
// CHECK-NOT: sparse_attn
func.func @refused(%q: tensor<4x64x44xf16>, %k: tensor<4x64x44xf16>, %v: tensor<4x64x64xf16>, %init: tensor<4x64x64xf16>) -> tensor<4x64x64xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<4x64x44xf16>, tensor<4x64x44xf16>, tensor<4x64x64xf16>) outs(%init : tensor<4x64x64xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<4x64x64xf16>
  return %o : tensor<4x64x64xf16>
}
