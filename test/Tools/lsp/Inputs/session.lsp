{"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"processId": 1, "rootPath": "", "capabilities": {}, "trace": "off"}}
// -----
{"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": {"uri": "test:///graph.mlir", "languageId": "mlir", "version": 1, "text": "#q = affine_map<(b, m, n, d, k) -> (b, m, d)>\n#k = affine_map<(b, m, n, d, k) -> (b, k, d)>\n#v = affine_map<(b, m, n, d, k) -> (b, k, n)>\n#o = affine_map<(b, m, n, d, k) -> (b, m, n)>\nfunc.func @f(%q: tensor<2x64x32xf16>) -> tensor<2x64x32xf16> {\n  %o = sparse_attn.attention ins(%q, %q, %q : tensor<2x64x32xf16>, tensor<2x64x32xf16>, tensor<2x64x32xf16>) outs(%q : tensor<2x64x32xf16>) {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<2x64x32xf16>\n  return %o : tensor<2x64x32xf16>\n}\n"}}}
// -----
{"jsonrpc": "2.0", "id": 1, "method": "textDocument/hover", "params": {"textDocument": {"uri": "test:///graph.mlir"}, "position": {"line": 5, "character": 10}}}
// -----
{"jsonrpc": "2.0", "id": 2, "method": "shutdown"}
// -----
{"jsonrpc": "2.0", "method": "exit"}
