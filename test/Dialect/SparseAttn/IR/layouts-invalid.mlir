// RUN: sparse-attn-opt %s -split-input-file -verify-diagnostics

// expected-error@+1 {{expected three positive sizes (frames, rows, columns) of a grid, found 2x2}}
func.func private @rank() attributes {a = #sparse_attn.hilbert<2x2>}

// -----

// expected-error@+1 {{expected three positive sizes (frames, rows, columns) of a grid, found 2x0x2}}
func.func private @zero() attributes {a = #sparse_attn.raster<2x0x2>}

// -----

// expected-error@+1 {{expected three positive sizes (frames, rows, columns) of a box, found 0x1x1}}
func.func private @box() attributes {a = #sparse_attn.box<0x1x1 in 2x2x2>}

// -----

// expected-error@+1 {{expected a tail of at least 0 tokens, found -1}}
func.func private @tail() attributes {a = #sparse_attn.morton<2x2x2, tail = -1>}

// -----

// expected-error@+1 {{expected a layout of at most 1073741824 tokens, found 2048x2048x256 and a tail of 1}}
func.func private @large() attributes {a = #sparse_attn.gilbert<2048x2048x256, tail = 1>}

// -----

func.func @dimension(%x: tensor<8x4xf32>) {
  // expected-error@+1 {{expected a dimension of 'tensor<8x4xf32>', found 2}}
  %y = sparse_attn.permute_tokens %x by #sparse_attn.hilbert<2x2x2> along 2 : tensor<8x4xf32>
  return
}

// -----

func.func @tokens(%x: tensor<8x4xf32>) {
  // expected-error@+1 {{expected 8 tokens in dimension 1 by the layout, found 'tensor<8x4xf32>'}}
  %y = sparse_attn.permute_tokens %x by #sparse_attn.hilbert<2x2x2> along 1 : tensor<8x4xf32>
  return
}

// -----

func.func @dynamic(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{expected 8 tokens in dimension 0 by the layout, found 'tensor<?x4xf32>'}}
  %y = sparse_attn.permute_tokens %x by #sparse_attn.hilbert<2x2x2> along 0 : tensor<?x4xf32>
  return
}
