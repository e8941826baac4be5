//===- BlockListOps.td - Which blocks of keys to visit --------*- tablegen -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// From queries and keys to block lists, and from lists to what they recall.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_SPARSEATTN_IR_BLOCKLISTOPS
#define SPARSEATTN_DIALECT_SPARSEATTN_IR_BLOCKLISTOPS

include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnAttrs.td"
include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnOpInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def SparseAttn_FloatTensor : TensorOf<[F16, BF16, F32]>;
def SparseAttn_F32Tensor : TensorOf<[F32]>;
def SparseAttn_I32Tensor : TensorOf<[I32]>;

/// An operation of one result, whose init is its last operand.
class SparseAttn_KernelOp<string mnemonicName, list<Trait> traits = []>
    : Op<SparseAttn_Dialect, mnemonicName, traits # [
        Pure, DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<SparseAttn_KernelOpInterface>]> {
  let hasVerifier = 1;
  code initDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
  let extraClassDeclaration = initDeclaration;
}

/// One whose result has the type of its init.
class SparseAttn_SingleResultOp<string mnemonicName, list<Trait> traits = []>
    : SparseAttn_KernelOp<mnemonicName,
                          traits # [AllTypesMatch<["init", "result"]>]>;

//===----------------------------------------------------------------------===//
// Scores of blocks
//===----------------------------------------------------------------------===//

def SparseAttn_PoolTokensOp : SparseAttn_SingleResultOp<"pool_tokens"> {
  let summary = "Mean or variance of each run of tokens";
  let description = [{
    Along dimension `dim`, which is not the last one, every `tile` tokens become
    one:

        result[.., a, .., d] = Σ_i source[.., a·tile + i, .., d] / n

    with n the tokens of the run: `tile`, or fewer in a last run that is not
    whole; with `zero_padded` n is `tile` always. `variance` gives the mean of
    squared distances from the mean over the run's own tokens instead. Sums are
    taken in f32, token by token. Sizes are static.

    Example:

    ```mlir
    %mean = sparse_attn.pool_tokens ins(%k : tensor<2x300x64xf16>) outs(%init : tensor<2x19x64xf32>)
        {dim = 1, tile = 16, zero_padded}
    ```
  }];
  let arguments = (ins SparseAttn_FloatTensor:$source, SparseAttn_F32Tensor:$init,
                       I64Attr:$dim, I64Attr:$tile, UnitAttr:$variance, UnitAttr:$zero_padded);
  let results = (outs SparseAttn_F32Tensor:$result);
  let assemblyFormat = [{
    `ins` `(` $source `:` type($source) `)` `outs` `(` $init `:` type($init) `)` attr-dict
  }];
}

def SparseAttn_BlockScoresOp : SparseAttn_SingleResultOp<"block_scores"> {
  let summary = "Softmax mass of each pair of blocks";
  let description = [{
    With Q̄ and K̄ the means of every `tile` tokens of query and key (see
    `pool_tokens`; the tokens themselves for a tile of 1),

        A[a, b] = exp(s[a, b] - m[a]) / l[a],    s[a, b] = scale · Σ_d Q̄[a, d] K̄[b, d]
        m[a] = max_b s[a, b],   l[a] = Σ_b exp(s[a, b] - m[a])
        result[u, v] = Σ A[a, b] over the rows a of block u and the columns b of block v

    in f32, where `block` counts tokens: queries and keys. A row takes all keys
    into its softmax. With `zero_padded` query and key are padded with zeros to
    whole blocks first, and the padding counts as any token does: DFSAttn's
    scores (arXiv 2605.23445) with a tile of 16 and blocks of 128. Without it
    only the tokens there are count: a tile of 1 and blocks of one query give
    the exact mass of every block of keys for each query.

    `indexing_maps` gives a projected permutation for query, key and result
    from a common iteration space; the last two results of the result's map are
    the queries and the keys, the dimension that only query and key have is
    head_dim, and the others are batch dimensions. Nothing of the size of A is
    kept in memory. `precision` is for f32 operands, and for pooled ones.

    `sparse-attn-decompose-block-scores` takes the pooling out. Sizes are static.

    Example:

    ```mlir
    #q = affine_map<(h, m, d, k) -> (h, m, d)>
    #k = affine_map<(h, m, d, k) -> (h, k, d)>
    #s = affine_map<(h, m, d, k) -> (h, m, k)>
    func.func @scores(%q: tensor<2x300x64xf16>, %k: tensor<2x300x64xf16>) -> tensor<2x3x3xf32> {
      %init = tensor.empty() : tensor<2x3x3xf32>
      %s = sparse_attn.block_scores
          ins(%q, %k : tensor<2x300x64xf16>, tensor<2x300x64xf16>) outs(%init : tensor<2x3x3xf32>)
          {indexing_maps = [#q, #k, #s], scale = 0.125 : f64, tile = 16, block = array<i64: 128, 128>, zero_padded}
      return %s : tensor<2x3x3xf32>
    }
    ```
  }];
  let arguments = (ins SparseAttn_FloatTensor:$query, SparseAttn_FloatTensor:$key,
                       SparseAttn_F32Tensor:$init, AffineMapArrayAttr:$indexing_maps,
                       F64Attr:$scale, DefaultValuedAttr<I64Attr, "1">:$tile,
                       DenseI64ArrayAttr:$block, UnitAttr:$zero_padded,
                       OptionalAttr<SparseAttn_PrecisionAttr>:$precision);
  let results = (outs SparseAttn_F32Tensor:$result);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `:` type($query) `,` type($key) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict
  }];
  let extraClassDeclaration = initDeclaration # [{
    /// The dimensions of the iteration space by role.
    struct Dims {
      ::llvm::SmallVector<unsigned> batch; // in the order of the result
      unsigned queries, keys, features;
    };
    Dims getDims();
    ::mlir::AffineMap getQueryMap();
    ::mlir::AffineMap getKeyMap();
    ::mlir::AffineMap getResultMap();
    /// Size of a dimension of the iteration space, in tokens.
    int64_t getDimSize(unsigned dim);
  }];
}

def SparseAttn_GaussianScoresOp : SparseAttn_SingleResultOp<"gaussian_scores"> {
  let summary = "Estimated softmax mass of each pair of blocks";
  let description = [{
    Takes the tokens of a block for Gaussian around their mean, independent in
    each feature, as theorem 4.4 of DFSAttn (arXiv 2605.23445) does. Then the
    mass of a block of n keys is n times the mean of a log-normal variable:

        c[u, v]  = scale · Σ_d μq[u, d] μk[v, d]
        σ²[u, v] = scale² · Σ_d ((μq[u, d]² + vq[u, d]) vk[v, d] + vq[u, d] μk[v, d]²)
        result[u, v] = n[v] exp(c[u, v] + σ²[u, v] / 2) / Σ_w n[w] exp(c[u, w] + σ²[u, w] / 2)

    with mean μ and variance v of queries and keys, pooled over a block each
    (see `pool_tokens`). `keys` is the number of keys, `block_keys` how many
    make a block; the last one may hold fewer. An estimate, no bound.
    `indexing_maps` are those of `block_scores`. Sizes are static.

    Example:

    ```mlir
    #q = affine_map<(h, m, d, k) -> (h, m, d)>
    #k = affine_map<(h, m, d, k) -> (h, k, d)>
    #s = affine_map<(h, m, d, k) -> (h, m, k)>
    %g = sparse_attn.gaussian_scores
        ins(%qm, %qv, %km, %kv : tensor<2x3x64xf32>, tensor<2x3x64xf32>, tensor<2x3x64xf32>, tensor<2x3x64xf32>)
        outs(%init : tensor<2x3x3xf32>)
        {indexing_maps = [#q, #k, #s], scale = 0.125 : f64, keys = 300, block_keys = 128}
    ```
  }];
  let arguments = (ins SparseAttn_F32Tensor:$query_mean, SparseAttn_F32Tensor:$query_variance,
                       SparseAttn_F32Tensor:$key_mean, SparseAttn_F32Tensor:$key_variance,
                       SparseAttn_F32Tensor:$init, AffineMapArrayAttr:$indexing_maps,
                       F64Attr:$scale, I64Attr:$keys, I64Attr:$block_keys);
  let results = (outs SparseAttn_F32Tensor:$result);
  let assemblyFormat = [{
    `ins` `(` $query_mean `,` $query_variance `,` $key_mean `,` $key_variance `:`
    type($query_mean) `,` type($query_variance) `,` type($key_mean) `,` type($key_variance) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict
  }];
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

def SparseAttn_SelectBlocksOp : SparseAttn_KernelOp<"select_blocks"> {
  let summary = "The block list of the best scores";
  let description = [{
    For each row of `scores`, a block u of queries with a score for each of V
    blocks of keys, keeps the blocks that `selection` names, and gives their
    number and their indices. Blocks rank by score, and by index where scores
    are equal: the lower index first, and NaN as -inf. A row with a score that
    is not finite keeps everything: a query that is no number hides nothing
    from its neighbours.

    - `top_k<r>` keeps the max(1, ⌊r·V⌋) blocks of the highest ranks; the
      product is taken in f32 and 1e-4 added, so that .1 of 590 are 59;
    - `top_p<p>` keeps a block iff the scores that rank before it sum to less
      than p times the sum of the row, at least one;
    - `cutoff<c>` keeps the scores of at least c, at least one.

    The blocks from `forced_from` on rank before all others (text tokens) and are
    always kept. A block of queries from `dense_from` on keeps everything.

    With `value` the number of the selection is a runtime value: one for all, or
    one for each index of the dimensions before the last two. Indices are in
    ascending order, or with `by_score` in the order of the ranks; what lies
    behind the count is -1. Sizes are static.

    Example:

    ```mlir
    %counts, %indices = sparse_attn.select_blocks
        ins(%scores : tensor<2x3x3xf32>) outs(%c, %i : tensor<2x3xi32>, tensor<2x3x3xi32>)
        {selection = #sparse_attn.top_k<0.5>, forced_from = 2} -> tensor<2x3xi32>, tensor<2x3x3xi32>
    ```
  }];
  let arguments = (ins SparseAttn_F32Tensor:$scores, Optional<SparseAttn_F32Tensor>:$value,
                       SparseAttn_I32Tensor:$counts_init, SparseAttn_I32Tensor:$indices_init,
                       SparseAttn_AnySelection:$selection,
                       OptionalAttr<I64Attr>:$forced_from, OptionalAttr<I64Attr>:$dense_from,
                       UnitAttr:$by_score);
  let results = (outs SparseAttn_I32Tensor:$counts, SparseAttn_I32Tensor:$indices);
  let assemblyFormat = [{
    `ins` `(` $scores `:` type($scores) `)` (`value` `(` $value^ `:` type($value) `)`)?
    `outs` `(` $counts_init `,` $indices_init `:` type($counts_init) `,` type($indices_init) `)`
    attr-dict `->` type($counts) `,` type($indices)
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
  }];
}

//===----------------------------------------------------------------------===//
// What a list recalls
//===----------------------------------------------------------------------===//

def SparseAttn_SampleTokensOp : SparseAttn_SingleResultOp<"sample_tokens"> {
  let summary = "The tokens at given positions";
  let description = [{
    Along dimension `dim`, which is not the last one, `result[.., i, .., d] =
    source[.., rows[i], .., d]`. A position past either end takes the token at
    that end. Sizes are static.

    Example:

    ```mlir
    %sample = sparse_attn.sample_tokens ins(%q, %rows : tensor<2x300x64xf16>, tensor<32xi32>)
        outs(%init : tensor<2x32x64xf16>) {dim = 1}
    ```
  }];
  let arguments = (ins SparseAttn_FloatTensor:$source, SparseAttn_I32Tensor:$rows,
                       SparseAttn_FloatTensor:$init, I64Attr:$dim);
  let results = (outs SparseAttn_FloatTensor:$result);
  let assemblyFormat = [{
    `ins` `(` $source `,` $rows `:` type($source) `,` type($rows) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict
  }];
}

def SparseAttn_ListRecallOp : SparseAttn_SingleResultOp<"list_recall"> {
  let summary = "The share of the softmax mass that a block list keeps";
  let description = [{
    `masses[.., i, v]` is the mass of block v of keys for the query at position
    `rows[i]` (`block_scores` with a tile of 1 and blocks of one query, of the
    sampled queries). The result is the recall of each: the sum of the masses of
    the blocks in the list of its block of queries, `rows[i] / block_rows`, and
    at most 1. Indices of a list differ from one another.

    Example:

    ```mlir
    %recalls = sparse_attn.list_recall
        ins(%masses, %rows, %counts, %indices : tensor<2x32x3xf32>, tensor<32xi32>, tensor<2x3xi32>, tensor<2x3x3xi32>)
        outs(%init : tensor<2x32xf32>) {block_rows = 128}
    ```
  }];
  let arguments = (ins SparseAttn_F32Tensor:$masses, SparseAttn_I32Tensor:$rows,
                       SparseAttn_I32Tensor:$counts, SparseAttn_I32Tensor:$indices,
                       SparseAttn_F32Tensor:$init, I64Attr:$block_rows);
  let results = (outs SparseAttn_F32Tensor:$result);
  let assemblyFormat = [{
    `ins` `(` $masses `,` $rows `,` $counts `,` $indices `:`
    type($masses) `,` type($rows) `,` type($counts) `,` type($indices) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict
  }];
}

def SparseAttn_CertifyRecallOp : SparseAttn_SingleResultOp<"certify_recall"> {
  let summary = "A lower confidence bound of the mean recall";
  let description = [{
    `recalls[.., i]` are the recalls of n queries, drawn independently of one
    another and of the list. The mean over all queries is at least

        max(0, mean - sqrt(2 V ln(2/δ) / n) - 7 ln(2/δ) / (3 (n - 1)))

    with probability `confidence` = 1 - δ, V the unbiased variance of the sample
    (empirical Bernstein bound; Maurer and Pontil, 2009, theorem 4).

    Example:

    ```mlir
    %bound = sparse_attn.certify_recall ins(%recalls : tensor<2x32xf32>) outs(%init : tensor<2xf32>)
        {confidence = 0.95 : f64}
    ```
  }];
  let arguments = (ins SparseAttn_F32Tensor:$recalls, SparseAttn_F32Tensor:$init, F64Attr:$confidence);
  let results = (outs SparseAttn_F32Tensor:$result);
  let assemblyFormat = [{
    `ins` `(` $recalls `:` type($recalls) `)` `outs` `(` $init `:` type($init) `)` attr-dict
  }];
}

#endif // SPARSEATTN_DIALECT_SPARSEATTN_IR_BLOCKLISTOPS
