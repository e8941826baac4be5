// What PyTorch, JAX and ONNX write becomes one attention on the arguments of
// the function, and nothing else is left but the return.
// DEFINE: %{in} = %S/../../Integration/Inputs/linalg
// DEFINE: %{raise} = sparse-attn-opt --convert-linalg-to-sparse-attn --mlir-print-local-scope
// RUN: %{raise} %{in}/torch_sdpa_f32.mlir 2>&1 | FileCheck %s --check-prefixes=PLAIN
// RUN: %{raise} %{in}/torch_sdpa_f16_causal.mlir 2>&1 | FileCheck %s --check-prefix=CAUSAL
// RUN: %{raise} %{in}/jax_einsum_f32.mlir 2>&1 | FileCheck %s --check-prefix=PLAIN
// RUN: %{raise} %{in}/jax_einsum_bf16.mlir 2>&1 | FileCheck %s --check-prefix=MIXED
// RUN: %{raise} %{in}/onnx_decomposed_f32.mlir 2>&1 | FileCheck %s --check-prefix=ONNX

// PLAIN-NOT:  remark
// PLAIN:      func.func @{{.*}}(%[[Q:.*]]: tensor<2x4x64x32xf32>, %[[K:.*]]: tensor<2x4x128x32xf32>, %[[V:.*]]: tensor<2x4x128x32xf32>)
// PLAIN-NEXT:   %[[INIT:.*]] = tensor.empty() : tensor<2x4x64x32xf32>
// PLAIN-NEXT:   %[[O:.*]] = sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] :
// PLAIN-SAME:     outs(%[[INIT]] : tensor<2x4x64x32xf32>)
// PLAIN-SAME:     {indexing_maps = [
// PLAIN-SAME:       affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4)>,
// PLAIN-SAME:       affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5, d4)>,
// PLAIN-SAME:       affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5, d3)>,
// PLAIN-SAME:       affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>],
// PLAIN-SAME:     scale = 0.17677
// PLAIN-NEXT:   return %[[O]]

// The safe-softmax tail is gone, the mask of index arithmetic a comparison.
// CAUSAL-NOT:  remark
// CAUSAL:      func.func @{{.*}}(%[[Q:.*]]: tensor<2x4x64x32xf16>, %[[K:.*]]: tensor<2x4x64x32xf16>, %[[V:.*]]: tensor<2x4x64x32xf16>)
// CAUSAL-NEXT:   %[[INIT:.*]] = tensor.empty() : tensor<2x4x64x32xf16>
// CAUSAL-NEXT:   %[[O:.*]] = sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] :
// CAUSAL-SAME:     outs(%[[INIT]] : tensor<2x4x64x32xf16>) score {
// CAUSAL-NEXT:   ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CAUSAL-NEXT:     %[[SEEN:.*]] = arith.cmpi sle, %[[KEY]], %[[QUERY]] : index
// CAUSAL-NEXT:     %[[LOW:.*]] = arith.constant 0xFF800000 : f32
// CAUSAL-NEXT:     %[[R:.*]] = arith.select %[[SEEN]], %[[S]], %[[LOW]] : f32
// CAUSAL-NEXT:     sparse_attn.yield %[[R]] : f32
// CAUSAL-NEXT:   } {{.*}}scale = 0.17677
// CAUSAL-NEXT:   return %[[O]]

// Products in bf16, softmax and result in f32.
// MIXED-NOT:  remark
// MIXED:      func.func @{{.*}}(%[[Q:.*]]: tensor<2x4x64x32xbf16>, %[[K:.*]]: tensor<2x4x128x32xbf16>, %[[V:.*]]: tensor<2x4x128x32xbf16>)
// MIXED-NEXT:   %[[INIT:.*]] = tensor.empty() : tensor<2x4x64x32xf32>
// MIXED-NEXT:   %[[O:.*]] = sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] :
// MIXED-SAME:     scale = 0.17677
// MIXED-NEXT:   return %[[O]]

// A mask of one row for all heads and queries drops its unit dimensions.
// ONNX-NOT:  remark
// ONNX:      func.func @{{.*}}(%[[Q:.*]]: tensor<2x4x64x32xf32>, %[[K:.*]]: tensor<2x4x128x32xf32>, %[[V:.*]]: tensor<2x4x128x32xf32>, %[[M:.*]]: tensor<2x1x1x128xf32>)
// ONNX-NEXT:   %[[ROW:.*]] = tensor.collapse_shape %[[M]] {{\[\[}}0, 1, 2], [3]]
// ONNX-NEXT:   %[[INIT:.*]] = tensor.empty()
// ONNX-NEXT:   %[[O:.*]] = sparse_attn.attention ins(%[[Q]], %[[K]], %[[V]] :
// ONNX-SAME:     mask(%[[ROW]] : tensor<2x128xf32>) outs(%[[INIT]] :
// ONNX-SAME:     affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d5)>
// ONNX-SAME:     scale = 0.17677
// ONNX-NEXT:   return %[[O]]
