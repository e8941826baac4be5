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
