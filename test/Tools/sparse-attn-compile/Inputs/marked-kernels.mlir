//--- fine.mlir
#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
func.func private @given(%q: tensor<2x64x32xf16>, %k: tensor<2x64x32xf16>, %v: tensor<2x64x32xf16>, %o: tensor<2x64x32xf16>) -> tensor<2x64x32xf16> attributes {sparse_attn.kernel} {
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) outs(%o : tensor<2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<2x64x32xf16>
  return %r : tensor<2x64x32xf16>
}
//--- name.mlir
#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
func.func private @Given(%q: tensor<2x64x32xf16>, %k: tensor<2x64x32xf16>, %v: tensor<2x64x32xf16>, %o: tensor<2x64x32xf16>) -> tensor<2x64x32xf16> attributes {sparse_attn.kernel} {
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) outs(%o : tensor<2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<2x64x32xf16>
  return %r : tensor<2x64x32xf16>
}
//--- twice.mlir
#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
func.func private @given(%q: tensor<2x64x32xf16>, %k: tensor<2x64x32xf16>, %v: tensor<2x64x32xf16>, %o: tensor<2x64x32xf16>) -> tensor<2x64x32xf16> attributes {sparse_attn.kernel} {
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) outs(%o : tensor<2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<2x64x32xf16>
  return %r : tensor<2x64x32xf16>
}
module {
  func.func private @given(%q: tensor<2x64x32xf16>, %k: tensor<2x64x32xf16>, %v: tensor<2x64x32xf16>, %o: tensor<2x64x32xf16>) -> tensor<2x64x32xf16> attributes {sparse_attn.kernel} {
    %r = sparse_attn.attention ins(%q, %k, %v : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) outs(%o : tensor<2x64x32xf16>)
        {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<2x64x32xf16>
    return %r : tensor<2x64x32xf16>
  }
}
//--- empty.mlir
func.func private @given(%q: tensor<2x64x32xf16>) -> tensor<2x64x32xf16> attributes {sparse_attn.kernel} {
  return %q : tensor<2x64x32xf16>
}
//--- order.mlir
#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
func.func private @given(%q: tensor<2x64x32xf16>, %k: tensor<2x64x32xf16>, %v: tensor<2x64x32xf16>, %o: tensor<2x64x32xf16>) -> tensor<2x64x32xf16> attributes {sparse_attn.kernel} {
  %r = sparse_attn.attention ins(%k, %q, %v : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) outs(%o : tensor<2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<2x64x32xf16>
  return %r : tensor<2x64x32xf16>
}
//--- tile.mlir
#q = affine_map<(b, m, n, d, k) -> (b, m, d)>
#k = affine_map<(b, m, n, d, k) -> (b, k, d)>
#v = affine_map<(b, m, n, d, k) -> (b, k, n)>
#o = affine_map<(b, m, n, d, k) -> (b, m, n)>
func.func private @given(%q: tensor<2x64x32xf16>, %k: tensor<2x64x32xf16>, %v: tensor<2x64x32xf16>, %o: tensor<2x64x32xf16>) -> tensor<2x64x32xf16> attributes {sparse_attn.kernel} {
  %r = sparse_attn.attention ins(%q, %k, %v : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) outs(%o : tensor<2x64x32xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64, decision_tile = array<i64: 48, 64>} -> tensor<2x64x32xf16>
  return %r : tensor<2x64x32xf16>
}
