// FlexAttention, which IREE prints as online attention with mask_mod and
// score_mod in its region: nothing is left of the op, of its starts and of the
// division by its sums.
// DEFINE: %{in} = %S/../../Integration/Inputs/iree
// DEFINE: %{raise} = sparse-attn-opt --allow-unregistered-dialect --convert-linalg-ext-to-sparse-attn --mlir-print-local-scope
// RUN: %{raise} %{in}/flex_causal_f16.generic.mlir 2>&1 | FileCheck %s --check-prefixes=ALL,CAUSAL
// RUN: %{raise} %{in}/flex_band_f16.generic.mlir 2>&1 | FileCheck %s --check-prefixes=ALL,BAND
// RUN: %{raise} %{in}/flex_blockdiag_f16.generic.mlir 2>&1 | FileCheck %s --check-prefixes=ALL,BLOCKS
// RUN: %{raise} %{in}/flex_prefixlm_f16.generic.mlir 2>&1 | FileCheck %s --check-prefixes=ALL,PREFIX
// RUN: %{raise} %{in}/flex_softcap_f32.raw.generic.mlir 2>&1 | FileCheck %s --check-prefixes=ALL,CAP
// RUN: %{raise} %{in}/flex_alibi_causal_f32.raw.generic.mlir 2>&1 | FileCheck %s --check-prefixes=ALL,ALIBI

// ALL-NOT:     remark
// ALL-NOT:     online_attention
// ALL-NOT:     linalg.fill
// ALL:         %[[O:.*]] = sparse_attn.attention ins({{.*}} score {
// ALL-NEXT:    ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %[[QUERY:.*]]: index, %[[KEY:.*]]: index):
// CAUSAL-NEXT:   arith.cmpi sle, %[[KEY]], %[[QUERY]] : index
// BAND:          arith.cmpi sge, %{{.*}}, %[[QUERY]] : index
// BAND:          arith.cmpi sle, %[[KEY]], %{{.*}} : index
// BLOCKS:        %[[BLOCK:.*]] = arith.divui %[[QUERY]], %c64
// BLOCKS:        arith.cmpi eq, %{{.*}}, %[[BLOCK]] : index
// PREFIX:        arith.cmpi slt, %[[KEY]], %c64 : index
// PREFIX-NEXT:   arith.cmpi sle, %[[KEY]], %[[QUERY]] : index
// PREFIX-NEXT:   arith.ori
// The cap's divisor joins the scale, through the mask.
// CAP:           math.tanh
// ALIBI:         arith.sitofp
// ALL:         } {indexing_maps = {{.*}} scale = 0.{{17677|0058925}}
// ALL-NEXT:    "hal.tensor.barrier"(%[[O]],
// ALL-NOT:     online_attention
// ALL-NOT:     linalg.generic
