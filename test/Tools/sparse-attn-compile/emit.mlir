// PTX and the graph alone, to a file or to standard output.
// RUN: rm -rf %t && mkdir %t
// RUN: sparse-attn-compile %s --ptxas=none --emit=ptx -o - 2> %t/report | FileCheck %s --check-prefix=PTX
// RUN: FileCheck %s --check-prefix=REPORT < %t/report
// RUN: sparse-attn-compile %s --ptxas=none --emit=ptx --target=sm_80,sm_86 -o %t/k.ptx
// RUN: ls %t | FileCheck %s --check-prefix=FILES
// RUN: sparse-attn-compile - --emit=mlir -o - < %s 2>/dev/null | FileCheck %s --check-prefix=GRAPH
// RUN: cd %t && sparse-attn-compile %s --emit=mlir
// RUN: FileCheck %s --check-prefix=GRAPH < %t/emit.compiled.mlir

// PTX: .version
// PTX: .target sm_80
// PTX: .entry attention_0(
// PTX-NOT: .version
// PTX: .entry attention_1(
// PTX-NOT: .extern .func
// REPORT: found 3 attentions
// FILES: k.sm_80.ptx
// FILES-NEXT: k.sm_86.ptx
// GRAPH: call @attention_0
// GRAPH: func.func private @attention_0

// All kernels of a target make one module that assembles.
// RUN: %if ptxas %{ %ptxas -arch=sm_80 %t/k.sm_80.ptx -o %t/k.cubin %}

#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>
func.func @layers(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> tensor<1x2x64x32xf16> {
  %a = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.1767766952966369 : f64} -> tensor<1x2x64x32xf16>
  %b = sparse_attn.attention
      ins(%a, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.1767766952966369 : f64} -> tensor<1x2x64x32xf16>
  %c = sparse_attn.attention
      ins(%b, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.1767766952966369 : f64, filter = #sparse_attn.energy<-6.0>} -> tensor<1x2x64x32xf16>
  return %c : tensor<1x2x64x32xf16>
}
