//===- SparseAttnOps.td - Operations of the sparse_attn dialect --*- tablegen -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNOPS
#define SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNOPS

include "SparseAttn/Dialect/SparseAttn/IR/BlockListOps.td"
include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnAttrs.td"
include "mlir/Dialect/Linalg/IR/LinalgInterfaces.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/IndexingMapOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"

class SparseAttn_Op<string mnemonic, list<Trait> traits = []>
    : Op<SparseAttn_Dialect, mnemonic, traits>;

def SparseAttn_AttentionOp : SparseAttn_Op<"attention", [
    Pure, AttrSizedOperandSegments,
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<IndexingMapOpInterface,
        ["getIndexingMapsArray", "getMatchingIndexingMap"]>,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>,
    DeclareOpInterfaceMethods<AggregatedOpInterface, ["decomposeOperation"]>,
    DeclareOpInterfaceMethods<TilingInterface,
        ["getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation",
         "getResultTilePosition", "generateResultTileValue",
         "getIterationDomainTileFromResultTile"]>,
    DeclareOpInterfaceMethods<PartialReductionOpInterface,
        ["generateInitialTensorForPartialReduction", "tileToPartialReduction",
         "mergeReductions", "getPartialResultTilePosition"]>]> {
  let summary = "softmax(scale · Q Kᵀ) V, with a rule for what may be left out";
  let description = [{
    Computes, for every query row, the softmax-weighted sum of the values:

        s[q, k]  = score(scale · Σ_d Q[q, d] K[k, d]) + mask[q, k]
        O[q, n]  = Σ_k exp(s[q, k] - m[q]) V[k, n] / l[q]
        m[q]     = max_k s[q, k],   l[q] = Σ_k exp(s[q, k] - m[q])

    in f32, where `score` is the optional region. A row whose scores are all
    -inf is empty: its output is 0 and its log-sum-exp -inf.

    `indexing_maps` gives one projected permutation for each of query, key, value, the mask
    if there is one, and the output, from a common iteration space. The maps decide the roles
    of the dimensions: `k1` (head_dim) is in query and key only, `k2` (keys) in key and value
    only, `n` (value head_dim) in value and output only; all others are in query and output,
    and the last of these in the iteration space that key and value lack is `m` (queries). So
    BHSD and BSHD, grouped-query attention and unit-free broadcasts are maps, not copies. A
    dimension of the output alone, of static size, repeats the attention for each of its
    indices, which the region may tell apart: shares of the keys. Query, key and value are
    f16, bf16 or f32 alike; the output has that type or f32.

    `scale` multiplies the product of query and key. An `i1` mask keeps a score
    where true and makes it -inf where false; a float mask is added.

    The region gets the scaled score (f32), one index for each batch dimension
    in the output's order, the query index and the key index, and yields the
    score to use (f32): causal and windowed attention, alibi and soft caps. It
    may read elements of tensors from outside by `tensor.extract`: documents,
    lengths, tables of biases. An index past either end of the tensor reads the
    element at that end.

    `filter` decides which key tiles are skipped, by the rules of the filter
    attributes, over decision tiles of `decision_tile` (query rows, keys). Key
    tiles are visited in ascending order. A tile in which every row's scores
    are all -inf changes nothing and need not be visited: kernels leave out the
    tiles that conditions on indices hide, and may look at those that only a
    mask or the scores hide. Without a `decision_tile` the filter is a
    permission that a schedule makes concrete: nothing is skipped. No filter is
    as `dense`.

    A block list restricts which keys a query block sees: for `block_shape` (Bq,
    Bk) the query block `u` of a batch index visits the first `counts[.., u]`
    entries of `indices[.., u, :]`, in that order; other keys are as if masked.
    An entry that names no block of keys is passed over, counts end at the
    length of the list. Each listed block is split into decision tiles in
    ascending order, its last one may be narrower; the rows of a decision tile
    divide Bq. Indices with one more dimension, of size 2, hold the number of a
    block and a flag: where that is 0, the mask is not read in the block.

    Optional results follow the output in this order, each with an init:
    - `log_sum_exp` (f32, the output's dimensions without `n`): m + ln l;
    - `recall_bound` (f32, the same shape): a lower bound of the share of the
      softmax mass that the row kept, over the keys it visited: l / (l + e),
      with `e` the bounds of the tiles skipped, for `threshold` and `energy`
      the number of the tile's keys times exp(m̂ - m); 1 if nothing was skipped
      or the row is empty;
    - `tile_counts` (i32, batch dimensions, query tiles, 2): key tiles visited
      and, of these, key tiles skipped, for each query tile. Needs a
      `decision_tile`.

    `precision` says how f32 operands are multiplied on tensor cores.

    Example:

    ```mlir
    #q = affine_map<(b, h, m, n, d, k) -> (b, h, m, d)>
    #k = affine_map<(b, h, m, n, d, k) -> (b, h, k, d)>
    #v = affine_map<(b, h, m, n, d, k) -> (b, h, k, n)>
    #o = affine_map<(b, h, m, n, d, k) -> (b, h, m, n)>
    func.func @causal(%q: tensor<2x4x64x32xf16>, %k: tensor<2x4x64x32xf16>,
                      %v: tensor<2x4x64x32xf16>) -> tensor<2x4x64x32xf16> {
      %init = tensor.empty() : tensor<2x4x64x32xf16>
      %o = sparse_attn.attention
          ins(%q, %k, %v : tensor<2x4x64x32xf16>, tensor<2x4x64x32xf16>, tensor<2x4x64x32xf16>)
          outs(%init : tensor<2x4x64x32xf16>)
          score {
          ^bb0(%s: f32, %b: index, %h: index, %query: index, %key: index):
            %ninf = arith.constant 0xFF800000 : f32
            %seen = arith.cmpi sle, %key, %query : index
            %r = arith.select %seen, %s, %ninf : f32
            sparse_attn.yield %r : f32
          }
          {indexing_maps = [#q, #k, #v, #o], scale = 0.17677669529663687 : f64,
           filter = #sparse_attn.recall<0.95>} -> tensor<2x4x64x32xf16>
      return %o : tensor<2x4x64x32xf16>
    }
    ```
  }];
  let arguments = (ins
    AnyRankedTensor:$query,
    AnyRankedTensor:$key,
    AnyRankedTensor:$value,
    Optional<AnyRankedTensor>:$mask,
    Optional<AnyRankedTensor>:$block_counts,
    Optional<AnyRankedTensor>:$block_indices,
    AnyRankedTensor:$output,
    Optional<AnyRankedTensor>:$log_sum_exp,
    Optional<AnyRankedTensor>:$recall_bound,
    Optional<AnyRankedTensor>:$tile_counts,
    AffineMapArrayAttr:$indexing_maps,
    F64Attr:$scale,
    OptionalAttr<SparseAttn_AnyFilter>:$filter,
    OptionalAttr<DenseI64ArrayAttr>:$decision_tile,
    OptionalAttr<DenseI64ArrayAttr>:$block_shape,
    OptionalAttr<SparseAttn_PrecisionAttr>:$precision
  );
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region MaxSizedRegion<1>:$score);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `,` $value `:` type($query) `,` type($key) `,` type($value) `)`
    (`mask` `(` $mask^ `:` type($mask) `)`)?
    (`blocks` `(` $block_counts^ `,` $block_indices `:` type($block_counts) `,` type($block_indices) `)`)?
    `outs` `(` $output `:` type($output) `)`
    (`log_sum_exp` `(` $log_sum_exp^ `:` type($log_sum_exp) `)`)?
    (`recall_bound` `(` $recall_bound^ `:` type($recall_bound) `)`)?
    (`tile_counts` `(` $tile_counts^ `:` type($tile_counts) `)`)?
    (`score` $score^)? attr-dict `->` type($results)
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The dimensions of the iteration space by role. `batch` lists all
    /// dimensions of the output but `m` and `n`, in the output's order.
    struct Dims {
      ::llvm::SmallVector<unsigned> batch;
      unsigned m, k1, k2, n;
    };
    /// Derives the roles from the maps; fails, with a sentence to `emit` if
    /// given, where the maps are no attention.
    static ::mlir::FailureOr<Dims>
    inferDims(::mlir::AffineMap query, ::mlir::AffineMap key,
              ::mlir::AffineMap value, ::mlir::AffineMap output,
              ::llvm::function_ref<void(const ::llvm::Twine &)> emit = nullptr);
    /// The roles of this op's dimensions; the op must have been verified.
    Dims getDims();

    ::mlir::AffineMap getQueryMap();
    ::mlir::AffineMap getKeyMap();
    ::mlir::AffineMap getValueMap();
    /// Null without a mask.
    ::mlir::AffineMap getMaskMap();
    ::mlir::AffineMap getOutputMap();
    /// The output's map without the value's head_dim: log-sum-exp and recall.
    ::mlir::AffineMap getRowMap();

    /// Size of dimension `dim` of the iteration space, from the operands;
    /// ShapedType::kDynamic if unknown.
    int64_t getDimSize(unsigned dim);
    /// Where dimension `dim` is read: an operand and the dimension in it.
    std::pair<::mlir::Value, unsigned> getDimSource(unsigned dim);

    bool hasScore() { return !getScore().empty(); }
    /// Whether the block list tells which blocks need the mask.
    bool hasBlockFlags();
    /// The tensors from outside whose elements the score region reads, each
    /// once, in the order of their first use.
    ::llvm::SmallVector<::mlir::Value> getCapturedTensors();
    /// The filter, `dense` unless stated.
    FilterAttrInterface getFilterOrDefault();
    /// The precision of f32 operands, `tf32x3` unless stated.
    Precision getPrecisionOrDefault();
    /// Results of the optional outputs, null when absent.
    ::mlir::Value getLogSumExpResult();
    ::mlir::Value getRecallBoundResult();
    ::mlir::Value getTileCountsResult();

    ::mlir::MutableOperandRange getDpsInitsMutable();
    /// The shape of an operand, as IndexingMapOpInterface asks for it.
    ::llvm::ArrayRef<int64_t> getShape(::mlir::OpOperand *operand) {
      return ::llvm::cast<::mlir::RankedTensorType>(operand->get().getType())
          .getShape();
    }
  }];
}

def SparseAttn_YieldOp : SparseAttn_Op<"yield", [
    Pure, Terminator, ReturnLike, HasParent<"AttentionOp">]> {
  let summary = "Ends a score region";
  let description = [{
    Yields the score to use, one f32.

    Example:

    ```mlir
    sparse_attn.yield %score : f32
    ```
  }];
  let arguments = (ins F32:$score);
  let assemblyFormat = "$score attr-dict `:` type($score)";
}

def SparseAttn_PermuteTokensOp : SparseAttn_Op<"permute_tokens", [
    Pure, SameOperandsAndResultType]> {
  let summary = "Puts tokens into another order";
  let description = [{
    Along dimension `dim`, whose size is the number of tokens of the layout,

        result[.., p, ..] = source[.., perm[p], ..]
        result[.., perm[p], ..] = source[.., p, ..]    (`inverse`)

    where `perm[p]` is the raster index of the token at position p. Tokens come
    in raster order into the layout, and back with `inverse`.

    Example:

    ```mlir
    %y = sparse_attn.permute_tokens %x by #sparse_attn.hilbert<2x8x8, tail = 4> along 1 : tensor<4x132x64xf32>
    %z = sparse_attn.permute_tokens %y by #sparse_attn.hilbert<2x8x8, tail = 4> along 1 inverse : tensor<4x132x64xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, I64Attr:$dim,
                       SparseAttn_AnyLayout:$layout, UnitAttr:$inverse);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $source `by` $layout `along` $dim (`inverse` $inverse^)? attr-dict `:` type($source)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let extraClassDeclaration = [{
    /// The position in the source of each token of the result.
    ::std::vector<int32_t> getSourcePositions();
    /// Whether the two undo each other along the same dimension.
    bool isUndoneBy(PermuteTokensOp other);
  }];
}

def SparseAttn_CallKernelOp : SparseAttn_Op<"call_kernel", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Calls a kernel function out of any operation";
  let description = [{
    What `func.call` is, for a kernel of the enclosing `builtin.module`, where
    operations of unregistered dialects stand between: upstream takes each of
    these for a symbol table and resolves no `func.call` inside.

    Example:

    ```mlir
    %o = sparse_attn.call_kernel @attention_0(%q, %k, %v, %init)
        : (tensor<8x64x32xf16>, tensor<8x64x32xf16>, tensor<8x64x32xf16>,
           tensor<8x64x32xf16>) -> tensor<8x64x32xf16>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee,
                       Variadic<AnyRankedTensor>:$operands);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat =
      "$callee `(` $operands `)` attr-dict `:` functional-type($operands, results)";
}

#endif // SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNOPS
