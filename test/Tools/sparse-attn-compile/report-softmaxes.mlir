// The report names every softmax of the graph: its kernel, or the reason why it
// has none.
// RUN: rm -rf %t && mkdir %t
// RUN: sparse-attn-compile %s --ptxas=none -o %t/p 2>/dev/null | FileCheck %s --check-prefix=TEXT
// RUN: sparse-attn-compile %s --ptxas=none --report=json -o %t/p 2>/dev/null | %python -m json.tool --sort-keys | FileCheck %s --check-prefix=JSON

// TEXT: found 4 attentions, 4 distinct kernels
// TEXT: group queries {{ *}}keys dim type scale score
// TEXT-NEXT: attention_0 sm_80 1 {{ *}}2x4 {{ *}}4 {{ *}}? {{ *}}64 {{ *}}32 f16 {{ *}}0.25 {{ *}}window:-8..0 {{ *}}dense
// TEXT-NEXT: attention_1 sm_80 1 {{ *}}2 {{ *}}1 {{ *}}64 {{ *}}64 {{ *}}32 f16 {{ *}}0.5 {{ *}}mask:i1,modified {{ *}}dense
// TEXT-NEXT: attention_2 sm_80 1 {{ *}}2 {{ *}}1 {{ *}}64 {{ *}}64 {{ *}}32 f16 {{ *}}1 {{ *}}region {{ *}}dense
// TEXT-NEXT: attention_3 sm_80
// TEXT: not compiled for sm_80: attention_3: [[WHY:.*]]
// TEXT-NEXT: softmax at {{ *}}became
// TEXT-NEXT: {{.*}}softmaxes.mlir:[[#]]:[[#]] {{ *}}attention_0
// TEXT-NEXT: {{.*}}softmaxes.mlir:[[#]]:[[#]] {{ *}}attention_1
// TEXT-NEXT: {{.*}}softmaxes.mlir:[[#]]:[[#]] {{ *}}attention_2
// TEXT-NEXT: {{.*}}softmaxes.mlir:[[#]]:[[#]] {{ *}}attention_3, not compiled: [[WHY]]
// TEXT-NEXT: {{.*}}softmaxes.mlir:[[#]]:[[#]] {{ *}}not raised: no product with values uses it as its weights

// JSON: "dynamic": true,
// JSON: "group": 4,
// JSON: "mask": [
// JSON-NEXT: "window:-8..0"
// JSON: "mask": [
// JSON-NEXT: "mask:i1"
// JSON-NEXT: ],
// JSON-NEXT: "modified": true,
// JSON: "softmaxes": [
// JSON-COUNT-3: "status": "compiled"
// JSON: "kernel": "attention_3",
// JSON-NEXT: "place":
// JSON-NEXT: "reason":
// JSON-NEXT: "status": "not compiled"
// JSON: "reason": "no product with values uses it as its weights",
// JSON-NEXT: "status": "not raised"

#q = affine_map<(g, h, m, n, d, k) -> (g, h, m, d)>
#k = affine_map<(g, h, m, n, d, k) -> (g, k, d)>
#v = affine_map<(g, h, m, n, d, k) -> (g, k, n)>
#o = affine_map<(g, h, m, n, d, k) -> (g, h, m, n)>
#bq = affine_map<(b, m, n, d, k) -> (b, m, d)>
#bk = affine_map<(b, m, n, d, k) -> (b, k, d)>
#bv = affine_map<(b, m, n, d, k) -> (b, k, n)>
#bm = affine_map<(b, m, n, d, k) -> (m, k)>
#bo = affine_map<(b, m, n, d, k) -> (b, m, n)>

func.func @grouped_window(%q: tensor<2x4x?x32xf16>, %k: tensor<2x64x32xf16>, %v: tensor<2x64x32xf16>, %init: tensor<2x4x?x32xf16>) -> tensor<2x4x?x32xf16> {
  %ninf = arith.constant 0xFF800000 : f32
  %width = arith.constant 8 : index
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x4x?x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) outs(%init : tensor<2x4x?x32xf16>)
      score {
      ^bb0(%s: f32, %g: index, %h: index, %query: index, %key: index):
        %seen = arith.cmpi sle, %key, %query : index
        %end = arith.addi %key, %width : index
        %near = arith.cmpi sge, %end, %query : index
        %both = arith.andi %seen, %near : i1
        %r = arith.select %both, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64} -> tensor<2x4x?x32xf16>
  return %o : tensor<2x4x?x32xf16>
}

func.func @capped_mask(%q: tensor<2x64x32xf16>, %k: tensor<2x64x32xf16>, %v: tensor<2x64x32xf16>, %mask: tensor<64x64xi1>, %init: tensor<2x64x32xf16>) -> tensor<2x64x32xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) mask(%mask : tensor<64x64xi1>) outs(%init : tensor<2x64x32xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %r = math.tanh %s : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#bq, #bk, #bv, #bm, #bo], scale = 0.5 : f64} -> tensor<2x64x32xf16>
  return %o : tensor<2x64x32xf16>
}

func.func @blocks(%q: tensor<2x64x32xf16>, %k: tensor<2x64x32xf16>, %v: tensor<2x64x32xf16>, %init: tensor<2x64x32xf16>) -> tensor<2x64x32xf16> {
  %ninf = arith.constant 0xFF800000 : f32
  %width = arith.constant 16 : index
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) outs(%init : tensor<2x64x32xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %x = arith.divui %query, %width : index
        %y = arith.divui %key, %width : index
        %same = arith.cmpi eq, %x, %y : index
        %r = arith.select %same, %s, %ninf : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#bq, #bk, #bv, #bo], scale = 1.0 : f64} -> tensor<2x64x32xf16>
  return %o : tensor<2x64x32xf16>
}

// No kernel has this operation.
func.func @foreign(%q: tensor<2x64x32xf16>, %k: tensor<2x64x32xf16>, %v: tensor<2x64x32xf16>, %init: tensor<2x64x32xf16>) -> tensor<2x64x32xf16> {
  %o = sparse_attn.attention
      ins(%q, %k, %v : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) outs(%init : tensor<2x64x32xf16>)
      score {
      ^bb0(%s: f32, %b: index, %query: index, %key: index):
        %r = math.erf %s : f32
        sparse_attn.yield %r : f32
      }
      {indexing_maps = [#bq, #bk, #bv, #bo], scale = 1.0 : f64} -> tensor<2x64x32xf16>
  return %o : tensor<2x64x32xf16>
}

func.func @alone(%s: tensor<2x64x64xf32>, %init: tensor<2x64x64xf32>) -> tensor<2x64x64xf32> {
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x64x64xf32>) outs(%init : tensor<2x64x64xf32>) -> tensor<2x64x64xf32>
  return %p : tensor<2x64x64xf32>
}
