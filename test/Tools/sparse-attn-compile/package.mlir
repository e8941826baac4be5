// A package: what is printed, what is written, and that it may be replaced.
// RUN: rm -rf %t && mkdir %t
// RUN: sparse-attn-compile %s --ptxas=none --filter=recall:0.95 --target=sm_80,sm_89 -o %t/p > %t/table 2> %t/phases
// RUN: FileCheck %s --check-prefix=TABLE < %t/table
// RUN: FileCheck %s --check-prefix=PHASES < %t/phases
// RUN: ls %t/p | FileCheck %s --check-prefix=FILES
// RUN: FileCheck %s --check-prefix=MANIFEST < %t/p/manifest.json
// RUN: sparse-attn-opt %t/p/graph.mlir | FileCheck %s --check-prefix=GRAPH
// RUN: FileCheck %s --check-prefix=PTX < %t/p/attention_0.sm_89.ptx

// TABLE: found 3 attentions, 2 distinct kernels
// TABLE-NEXT: kernel target calls batch group queries keys dim type scale score filter tile threads shared registers spills
// TABLE-NEXT: attention_0 {{ *}}sm_80 {{ *}}2 {{ *}}1x2 {{ *}}1 {{ *}}64 {{ *}}64 {{ *}}32 {{ *}}f16 {{ *}}0.1768 {{ *}}- {{ *}}recall:0.95 {{ *}}{{[0-9]+x[0-9]+}} {{ *}}{{[0-9]+}} {{ *}}{{[0-9]+}} {{ *}}- {{ *}}-
// TABLE-NEXT: attention_1 {{ *}}sm_80 {{ *}}1 {{.*}}energy:-6
// TABLE-NEXT: attention_0 {{ *}}sm_89
// TABLE-NEXT: attention_1 {{ *}}sm_89
// TABLE-NEXT: ptxas not found: registers and spills are unknown
// TABLE-NEXT: softmax at {{ *}}became
// TABLE-NEXT: {{.*}}package.mlir:[[#]]:[[#]] {{ *}}attention_0
// TABLE-NEXT: {{.*}}package.mlir:[[#]]:[[#]] {{ *}}attention_0
// TABLE-NEXT: {{.*}}package.mlir:[[#]]:[[#]] {{ *}}attention_1

// PHASES: parse {{[0-9]+}} ms, raise {{[0-9]+}} ms, plan {{[0-9]+}} ms, ptx {{[0-9]+}} ms

// FILES: attention_0.sm_80.ptx
// FILES-NEXT: attention_0.sm_89.ptx
// FILES-NEXT: attention_1.sm_80.ptx
// FILES-NEXT: attention_1.sm_89.ptx
// FILES-NEXT: graph.mlir
// FILES-NEXT: manifest.json
// FILES-NOT: {{.}}

// MANIFEST: "files": {
// MANIFEST: "attention_0.sm_80.ptx": {
// MANIFEST-NEXT: "bytes": {{[0-9]+}},
// MANIFEST-NEXT: "sha256": "{{[0-9a-f]+}}"
// MANIFEST: "format": "sparse-attn-package",
// MANIFEST: "name": "query",
// MANIFEST: "name": "recall_bound",
// MANIFEST-NEXT: "role": "statistic",
// MANIFEST-NEXT: "shape": [
// MANIFEST-NEXT: 1,
// MANIFEST-NEXT: 2,
// MANIFEST-NEXT: 64
// MANIFEST: "calls": 2,
// MANIFEST-NEXT: "decision_tile": [
// MANIFEST: "file": "attention_0.sm_80.ptx",
// MANIFEST: "bound": "exact",
// MANIFEST-NEXT: "granularity": "row",
// MANIFEST-NEXT: "kind": "recall",
// MANIFEST-NEXT: "recall": 0.9{{[0-9]+}}
// MANIFEST: "form": "ceildiv",
// MANIFEST: "form": "product",
// MANIFEST: "lists": null,
// MANIFEST-NEXT: "name": "attention_0",
// MANIFEST: "energy": -6,
// MANIFEST: "producer": "sparse-attn {{[0-9.]+}}",
// MANIFEST: "version": 1

// GRAPH: call @attention_0
// GRAPH: call @attention_0
// GRAPH: call @attention_1
// GRAPH: func.func private @attention_0

// PTX: .target sm_89
// PTX: .entry attention_0

// The same again, over the old one: byte by byte equal.
// RUN: cp -r %t/p %t/first
// RUN: sparse-attn-compile %s --ptxas=none --filter=recall:0.95 --target=sm_80,sm_89 -o %t/p/ 2>&1
// RUN: diff -r %t/p %t/first

// Only a package is replaced; anything else is left alone.
// RUN: touch %t/p/notes.txt
// RUN: not sparse-attn-compile %s --ptxas=none -o %t/p 2>&1 | FileCheck %s --check-prefix=MORE
// MORE: error: expected only a package at '{{.*}}', found 'notes.txt' as well
// RUN: mkdir %t/other && touch %t/other/x
// RUN: not sparse-attn-compile %s --ptxas=none -o %t/other 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: error: expected a package or nothing at '{{.*}}', found another directory
// RUN: not sparse-attn-compile %s --ptxas=none -o %t/table 2>&1 | FileCheck %s --check-prefix=FILE
// FILE: error: expected a package or nothing at '{{.*}}', found a file
// RUN: ls -A %t | FileCheck %s --check-prefix=LEFT --implicit-check-not=.new
// LEFT: first

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
