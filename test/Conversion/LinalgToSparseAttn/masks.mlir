// Masks of other exporters: bias, boolean and additive tensors, grouped heads,
// transposed layouts.
// DEFINE: %{in} = %S/../../Integration/Inputs/linalg
// DEFINE: %{raise} = sparse-attn-opt --convert-linalg-to-sparse-attn --mlir-print-local-scope
// RUN: %{raise} %{in}/torch_manual_f32_mask.mlir 2>&1 | FileCheck %s --check-prefix=MANUAL
// RUN: %{raise} %{in}/torch_sdpa_f16_boolmask.mlir 2>&1 | FileCheck %s --check-prefix=BOOL
// RUN: %{raise} %{in}/torch_sdpa_bf16_addmask.mlir 2>&1 | FileCheck %s --check-prefix=ADD
// RUN: %{raise} %{in}/torch_sdpa_bf16_gqa.mlir 2>&1 | FileCheck %s --check-prefix=GQA
// RUN: %{raise} %{in}/onnx_torch_sdpa_f16_causal_op18.mlir 2>&1 | FileCheck %s --check-prefix=CONSTANT
// RUN: %{raise} %{in}/jax_dpa_f32.mlir 2>&1 | FileCheck %s --check-prefix=BSHD
// RUN: %{raise} %{in}/jax_dpa_f32_bias_scale.mlir 2>&1 | FileCheck %s --check-prefix=BIAS
// RUN: %{raise} %{in}/jax_dpa_f16_causal.mlir 2>&1 | FileCheck %s --check-prefix=FINITE
// RUN: %{raise} %{in}/jax_dpa_f16_mask.mlir 2>&1 | FileCheck %s --check-prefix=FILL
// RUN: %{raise} %{in}/jax_dpa_bf16_window.mlir 2>&1 | FileCheck %s --check-prefix=WINDOW
// RUN: %{raise} %{in}/jax_einsum_f32_blockmask.mlir 2>&1 | FileCheck %s --check-prefix=BLOCK

// The graph inverts the mask to fill with -inf; the op keeps where it is true.
// MANUAL:      %[[Q:.*]]: tensor<2x4x64x32xf32>, %{{.*}}: tensor<2x4x128x32xf32>, %{{.*}}: tensor<2x4x128x32xf32>, %[[M:.*]]: tensor<2x1x64x128xi1>
// MANUAL-NEXT:   %[[C:.*]] = tensor.collapse_shape %[[M]] {{\[\[}}0, 1], [2], [3]]
// MANUAL-NEXT:   tensor.empty
// MANUAL-NEXT:   sparse_attn.attention ins(%[[Q]],{{.*}} mask(%[[C]] : tensor<2x64x128xi1>)
// MANUAL-SAME:     (d0, d2, d5)>
// MANUAL-NEXT:   return

// 0 or -inf by a mask is that mask.
// BOOL:      %[[M:[a-z0-9]*]]: tensor<2x1x64x128xi1>)
// BOOL-NEXT:   %[[C:.*]] = tensor.collapse_shape %[[M]]
// BOOL-NEXT:   tensor.empty
// BOOL-NEXT:   sparse_attn.attention {{.*}} mask(%[[C]] : tensor<2x64x128xi1>) outs({{.*}} : tensor<2x4x64x32xf16>)
// BOOL-NEXT:   return

// ADD:      %[[M:[a-z0-9]*]]: tensor<1x1x64x128xbf16>)
// ADD-NEXT:   %[[C:.*]] = tensor.collapse_shape %[[M]] {{\[\[}}0, 1, 2], [3]]
// ADD-NEXT:   tensor.empty
// ADD-NEXT:   sparse_attn.attention {{.*}} mask(%[[C]] : tensor<64x128xbf16>) outs({{.*}} : tensor<2x4x64x32xbf16>)
// ADD-NEXT:   return

// Key and value are not copied for the heads of a group.
// GQA:      %[[Q:.*]]: tensor<2x8x64x32xbf16>, %[[K:.*]]: tensor<2x2x128x32xbf16>, %[[V:.*]]: tensor<2x2x128x32xbf16>
// GQA-NEXT:   %[[X:.*]] = tensor.expand_shape %[[Q]] {{\[\[}}0], [1, 2], [3], [4]]
// GQA-NEXT:   tensor.empty
// GQA-NEXT:   %[[O:.*]] = sparse_attn.attention ins(%[[X]], %[[K]], %[[V]]
// GQA-SAME:     affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3, d5)>
// GQA-SAME:     affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d6, d5)>
// GQA-SAME:     affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d6, d4)>
// GQA-NEXT:   %[[R:.*]] = tensor.collapse_shape %[[O]]
// GQA-NEXT:   return %[[R]]

// A mask that is a constant of the graph stays a tensor.
// CONSTANT:     %[[M:.*]] = arith.constant dense<"0x
// CONSTANT:     sparse_attn.attention {{.*}} mask({{.*}} : tensor<64x64xf16>)
// CONSTANT-NEXT: return

// [batch, length, heads, head_dim] by maps, for the result as well.
// BSHD:      %[[Q:.*]]: tensor<2x64x4x32xf32>, %[[K:.*]]: tensor<2x128x4x32xf32>, %[[V:.*]]: tensor<2x128x4x32xf32>
// BSHD-NEXT:   tensor.empty
// BSHD-NEXT:   %[[O:.*]] = sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]]
// BSHD-SAME:     affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4)>
// BSHD-SAME:     affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d5, d2, d4)>
// BSHD-SAME:     affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d5, d2, d3)>
// BSHD-SAME:     affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>
// BSHD-NEXT:   return %[[O]]

// BIAS:      sparse_attn.attention {{.*}} mask({{.*}} : tensor<4x64x128xf32>)
// BIAS-SAME:   (d2, d1, d5)>
// BIAS-SAME:   scale = 0.0500000

// The finite value that JAX fills with is -inf where every row keeps a key.
// FINITE:      ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// FINITE-NEXT:   %[[SEEN:.*]] = arith.cmpi sle, %[[KEY]], %[[QUERY]] : index
// FINITE-NEXT:   %[[LOW:.*]] = arith.constant 0xFF800000 : f32
// FINITE-NEXT:   arith.select %[[SEEN]], %[[S]], %[[LOW]] : f32
// FINITE-NEXT:   sparse_attn.yield

// FILL:      linalg.generic {{.*}} ins({{.*}} : tensor<2x64x128xi1>)
// FILL:        %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// FILL:        %[[LOW:.*]] = arith.constant -2.38197633E+38 : f32
// FILL:        arith.select %{{.*}}, %[[ZERO]], %[[LOW]] : f32
// FILL:      sparse_attn.attention {{.*}} mask({{.*}} : tensor<2x64x128xf32>)

// Positions from a constant 0, 1, 2, .. are indices.
// WINDOW:      %[[Q:.*]]: tensor<2x64x4x32xbf16>, %[[K:.*]]: tensor<2x64x4x32xbf16>, %[[V:.*]]: tensor<2x64x4x32xbf16>
// WINDOW-NEXT:   tensor.empty
// WINDOW-NEXT:   sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]]
// WINDOW-NEXT: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// WINDOW-DAG:    arith.cmpi sle, %[[KEY]], %[[QUERY]] : index
// WINDOW-DAG:    %[[WIDTH:.*]] = arith.constant 32 : index
// WINDOW-DAG:    %[[END:.*]] = arith.addi %[[KEY]], %[[WIDTH]] : index
// WINDOW-DAG:    arith.cmpi sge, %[[END]], %[[QUERY]] : index
// WINDOW:        sparse_attn.yield

// BLOCK: sparse_attn.attention
// BLOCK-NOT: math.exp
