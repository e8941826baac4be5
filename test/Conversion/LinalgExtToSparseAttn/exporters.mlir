// iree_linalg_ext.attention in the generic form, as IREE prints it.
// DEFINE: %{in} = %S/../../Integration/Inputs/iree
// DEFINE: %{raise} = sparse-attn-opt --allow-unregistered-dialect --convert-linalg-ext-to-sparse-attn --mlir-print-local-scope
// RUN: %{raise} %{in}/sdpa_f32.generic.mlir 2>&1 | FileCheck %s --check-prefix=PLAIN
// RUN: %{raise} %{in}/sdpa_f16_causal.generic.mlir 2>&1 | FileCheck %s --check-prefix=CAUSAL
// RUN: %{raise} %{in}/sdpa_f32_scale.generic.mlir 2>&1 | FileCheck %s --check-prefix=SCALE
// RUN: %{raise} %{in}/sdpa_f16_boolmask.generic.mlir 2>&1 | FileCheck %s --check-prefix=BOOL
// RUN: %{raise} %{in}/sdpa_bf16_addmask.generic.mlir 2>&1 | FileCheck %s --check-prefix=ADD
// RUN: %{raise} %{in}/sdpa_bf16_gqa.generic.mlir 2>&1 | FileCheck %s --check-prefix=GQA
// RUN: %{raise} %{in}/sdpa_f16_dyn.generic.mlir 2>&1 | FileCheck %s --check-prefix=DYNAMIC
// RUN: %{raise} %{in}/jax_einsum_f32_blockmask.generic.mlir --convert-linalg-to-sparse-attn 2>&1 | FileCheck %s --check-prefix=BLOCK

// PLAIN-NOT:  iree_linalg_ext
// PLAIN:      %[[Q:.*]] = "hal.tensor.import"(%{{.*}}) {{.*}} -> tensor<2x4x64x32xf32>
// PLAIN-NEXT: %[[K:.*]] = "hal.tensor.import"
// PLAIN-NEXT: %[[V:.*]] = "hal.tensor.import"
// PLAIN-NEXT: %[[INIT:.*]] = tensor.empty() : tensor<2x4x64x32xf32>
// PLAIN-NEXT: %[[O:.*]] = sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] : {{.*}} scale = 0.17677
// PLAIN-NEXT: "hal.tensor.barrier"(%[[O]],
// PLAIN-NOT:  iree_linalg_ext

// CAUSAL-NOT:  linalg
// CAUSAL:      %[[O:.*]] = sparse_attn.attention
// CAUSAL-SAME:   tensor<2x4x64x32xf16>
// CAUSAL-NEXT: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CAUSAL-NEXT:   arith.cmpi sle, %[[KEY]], %[[QUERY]] : index
// CAUSAL:      "hal.tensor.barrier"(%[[O]],

// SCALE: sparse_attn.attention {{.*}} scale = 0.0500000

// BOOL: sparse_attn.attention {{.*}} mask({{.*}} : tensor<2x64x128xi1>)

// ADD: sparse_attn.attention {{.*}} mask({{.*}} : tensor<64x128xbf16>)

// GQA: sparse_attn.attention ins({{.*}} : tensor<2x2x4x64x32xbf16>, tensor<2x2x128x32xbf16>, tensor<2x2x128x32xbf16>)

// DYNAMIC: sparse_attn.attention ins({{.*}} : tensor<2x4x?x32xf16>, tensor<2x4x?x32xf16>, tensor<2x4x?x32xf16>)

// BLOCK: sparse_attn.attention
