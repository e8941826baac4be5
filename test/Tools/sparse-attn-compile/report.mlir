// The report for programs, with what ptxas says where it is there.
// RUN: rm -rf %t && mkdir %t
// RUN: sparse-attn-compile %s --ptxas=none --report=json -o %t/p 2>/dev/null | %python -m json.tool --sort-keys | FileCheck %s

// CHECK: "kernels": [
// CHECK: "batch": [
// CHECK-NEXT: 1,
// CHECK-NEXT: 2
// CHECK: "calls": 1,
// CHECK: "decision_tile": [
// CHECK: "dynamic": false,
// CHECK: "kind": "dense"
// CHECK: "group": 1,
// CHECK-NEXT: "head_dim": 32,
// CHECK-NEXT: "keys": 64,
// CHECK-NEXT: "mask": [
// CHECK-NEXT: "causal"
// CHECK-NEXT: ],
// CHECK-NEXT: "modified": false,
// CHECK-NEXT: "name": "attention_0",
// CHECK-NEXT: "operation": "attention",
// CHECK-NEXT: "queries": 64,
// CHECK-NEXT: "scale": 0.17677{{[0-9]*}},
// CHECK: "type": "f16",
// CHECK: "milliseconds": {
// CHECK: "ptxas": false
// CHECK: "softmaxes": [
// CHECK-NEXT: {
// CHECK-NEXT: "kernel": "attention_0",
// CHECK-NEXT: "place": "{{.*}}report.mlir:[[#]]:[[#]]",
// CHECK-NEXT: "status": "compiled"
// CHECK-NEXT: }

// A ptxas that fails is named, with the PTX that it refuses; one that cannot
// be run as well.
// RUN: %python %S/Inputs/fails.py 2 sparse-attn-compile %s --ptxas=%S/Inputs/failing-ptxas -o %t/q | FileCheck %s --check-prefix=FAILS
// FAILS: error: internal: ptxas refuses '{{.*}}.ptx': {{.*}}failing-ptxas failed: exit code 3
// FAILS-NEXT: this is no assembler
// RUN: %python %S/Inputs/fails.py 1 sparse-attn-compile %s --ptxas=%t/missing -o %t/q | FileCheck %s --check-prefix=MISSING
// MISSING: error: expected ptxas at '{{.*}}missing', found no program

// RUN: sparse-attn-compile %s --ptxas=%S/Inputs/quiet-ptxas -o %t/q 2>/dev/null | FileCheck %s --check-prefix=QUIET
// QUIET: registers spills
// QUIET-NEXT: 210 {{ *}}12

#q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
#k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
#v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
#o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>
func.func @causal(%q: tensor<1x2x64x32xf16>, %k: tensor<1x2x64x32xf16>, %v: tensor<1x2x64x32xf16>, %init: tensor<1x2x64x32xf16>) -> tensor<1x2x64x32xf16> {
  %ninf = arith.constant 0xFF800000 : f32
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>, tensor<1x2x64x32xf16>) outs(%init : tensor<1x2x64x32xf16>)
      score {
      ^bb0(%s: f32, %b: index, %h: index, %query: index, %key: index):
        %seen = arith.cmpi sle, %key, %query : index
        %r = arith.select %seen, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.1767766952966369 : f64} -> tensor<1x2x64x32xf16>
  return %o : tensor<1x2x64x32xf16>
}
