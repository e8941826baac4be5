//===- Passes.td - Decisions on sparse_attn -------------- -*- tablegen -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_SPARSEATTN_TRANSFORMS_PASSES
#define SPARSEATTN_DIALECT_SPARSEATTN_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def AssignPolicies : Pass<"sparse-attn-assign-policies"> {
  let summary = "State the filter and the f32 precision where the IR does not";
  let description = [{
    Sets the attribute `filter` of every `sparse_attn.attention` that states
    none, and `precision` of every one on f32 that states none. What the IR
    states is never overridden. Filters are spelled as on the command line:

        dense
        threshold:0.1          λ
        threshold:12.5/L       a / L, L the number of keys
        energy:-6              λ
        energy:P=1.46          λ = ln(P) + ln(Bc / L)
        recall:0.95[,row|tile][,groups=8|exact]

    An empty option sets nothing.

    Example: with `filter=recall:0.95`, an attention without a filter becomes
    one with `filter = #sparse_attn.recall<0.95>`.
  }];
  let options = [
    Option<"filter", "filter", "std::string", /*default=*/"\"\"",
           "Filter of attentions that state none">,
    Option<"precision", "precision", "std::string", /*default=*/"\"\"",
           "How f32 attentions that state none run: 3xtf32, tf32 or bf16">
  ];
  let statistics = [
    Statistic<"filtersSet", "filters-set", "Attentions given a filter">,
    Statistic<"precisionsSet", "precisions-set", "Attentions given a precision">
  ];
  let dependentDialects = ["::mlir::sparse_attn::SparseAttnDialect"];
}

def AssignLayout : Pass<"sparse-attn-assign-layout"> {
  let summary = "Let attentions see their tokens in another order";
  let description = [{
    Every `sparse_attn.attention` whose queries and keys are the tokens of
    `layout` gets query, key, value and mask by `sparse_attn.permute_tokens`, and
    its results put back: the same function, with tokens that attend to each
    other in fewer pairs of blocks. Layouts are spelled as on the command line:

        raster:21x45x80
        hilbert:21x45x80+256      frames x rows x columns, and 256 tokens of text
        gilbert:21x45x80
        morton:21x45x80
        box:4x6x8@21x45x80

    An attention stays as it is, with a remark, where the order of its tokens is
    part of its meaning: its score region looks at positions, it has a block
    list, or it states its `decision_tile` or gives `tile_counts`.
    `sparse-attn-propagate-layouts` moves the permutations to where they cost
    nothing.
  }];
  let options = [
    Option<"layout", "layout", "std::string", /*default=*/"\"\"",
           "The order, spelled as on the command line; empty: none">
  ];
  let statistics = [
    Statistic<"attentionsPermuted", "attentions-permuted", "Attentions given another order">
  ];
  let dependentDialects = ["::mlir::sparse_attn::SparseAttnDialect"];
}

def PropagateLayouts : Pass<"sparse-attn-propagate-layouts"> {
  let summary = "Move permutations of tokens to the edges of the graph";
  let description = [{
    Moves each `sparse_attn.permute_tokens` up, and each inverse one down, through
    operations that treat all tokens alike, until the two meet and cancel or are
    at the graph's edge: a model of many layers is left with one permutation in
    and one out. Constants (tables of positions) are put in order at once.

    That tokens are treated alike is proven for each operation: a structured
    operation by its indexing maps (the tokens are a parallel dimension of their
    own in every map that has them, and the body does not ask for its index),
    reshapes and slices by leaving the token dimension whole, an attention in its
    queries. A permutation that has to stay inside the graph is reported in a
    remark that names what needs the order.
  }];
  let statistics = [
    Statistic<"permutationsLeft", "permutations-left", "Permutations that remain">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::sparse_attn::SparseAttnDialect"];
}

def FoldConstantMasks : Pass<"sparse-attn-fold-constant-masks"> {
  let summary = "Turn masks that are constants into conditions or block lists";
  let description = [{
    A mask operand hides nothing from the bounds of a kernel's loops. Where it is
    a constant (`i1`, or a float that is 0 or -inf; a finite number of at most
    -1e37 stands for -inf where every row keeps a key):

    - a band, `first <= key - query <= last`, becomes conditions of the score
      region, and the operand goes: causal masks and windows, whichever way they
      were computed, and masks that hide nothing;
    - any other mask gives the attention a block list of what it shows, in
      ascending order, with flags that spare full blocks the mask. Blocks are of
      the decision tile, where there is one, else as large as any schedule's.

    An attention that has a block list, gives `tile_counts`, or whose blocks are
    all partial keeps its mask as it is, as does one of dynamic lengths.

    Example: with the constant of a causal mask over 256 tokens

        mask = dense<[[true, false, ..], ..]>

    becomes `arith.cmpi sle, %key, %query` in the region.
  }];
  let statistics = [
    Statistic<"masksFolded", "masks-folded", "Masks that became conditions">,
    Statistic<"listsCreated", "lists-created", "Masks that gave a block list">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::sparse_attn::SparseAttnDialect"];
}

def OutlineKernels : Pass<"sparse-attn-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Make every attention a call of a kernel function";
  let description = [{
    Every `sparse_attn.attention` becomes a call of a private function
    `@attention_N`, marked `sparse_attn.kernel`, whose body is that attention on
    its arguments (the op's operands in order, then the tensors whose elements
    its score region reads) and a return. Attentions that are
    equal in types, attributes and region share one function, so that a model of
    many equal layers has one kernel. Names count in the order of the first
    appearance and avoid symbols that exist; discardable attributes stay at the
    call.

    Pure computations on constants that a score region reads from outside are
    cloned into it. An attention whose region reads anything else from outside,
    or that no module holds directly, stays where it is, with a remark.

    The call is a `func.call`, or a `sparse_attn.call_kernel` inside an
    operation of an unregistered dialect, where upstream refuses to resolve
    symbols.
  }];
  let statistics = [
    Statistic<"attentionsOutlined", "attentions-outlined", "Attentions replaced by calls">,
    Statistic<"kernelsCreated", "kernels-created", "Kernel functions created">
  ];
  let dependentDialects = ["::mlir::func::FuncDialect",
                           "::mlir::sparse_attn::SparseAttnDialect"];
}

def SplitKeys : Pass<"sparse-attn-split-keys"> {
  let summary = "Split long keys over thread blocks where queries are few";
  let description = [{
    Where queries and batch are so few that most of a GPU would wait, each block
    takes a share of the keys. An attention of N keys in shares of `keys` becomes

    - an attention with one more dimension, of the output alone: the shares. Its
      region hides the keys of other shares, so that kernels do not visit them.
      It gives partial outputs in f32 and their log-sum-exp;
    - an attention that merges them: its keys are the shares, its values their
      outputs and its scores their log-sum-exps, which is the exact merge. It is
      marked `sparse_attn.merges_shares`.

    A filter decides in each share on its own, from its first tile on. What it
    bounds of the mass, it bounds in each share and so in the sum.

    The number of keys may be dynamic: the region then looks up where a share
    begins in a small tensor that the graph computes, so that one program serves
    a cache that grows. All other sizes must be static, and the value's head_dim
    the output's last dimension. An attention stays whole if it states its
    `decision_tile`, has a block list, or gives `recall_bound` or `tile_counts`.
  }];
  let options = [
    Option<"keys", "keys", "int64_t", "0",
           "Keys of a share where their number is static; 0 chooses">
  ];
  let statistics = [
    Statistic<"attentionsSplit", "attentions-split", "Attentions split in their keys">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::sparse_attn::SparseAttnDialect",
                           "::mlir::tensor::TensorDialect"];
}

def PackQueryHeads : Pass<"sparse-attn-pack-query-heads"> {
  let summary = "Make the query heads that share a key head the rows of a tile";
  let description = [{
    Where queries are few, as in decoding, a query tile is mostly empty, and
    each of the query heads that share a key head reads all keys for itself. The
    pass exchanges the roles of the queries and of the group of heads: the group
    becomes the query dimension and the queries a batch dimension. Only the
    iteration space and the order of the region's indices change, no operand.

    It does so where that makes fewer query tiles, for static sizes. The rows of
    a decision tile, which vote together for a filter, are then heads: an
    attention that states its `decision_tile`, gives `tile_counts` or has a
    block list stays as it is.

    Example: one query and eight heads a key head

        indexing_maps = [(h, g, m, n, d, k) -> (h, g, m, d), (..) -> (h, k, d), ..]

    become one row tile of eight heads

        indexing_maps = [(h, m, g, n, d, k) -> (h, m, g, d), (..) -> (h, k, d), ..]
  }];
  let statistics = [
    Statistic<"attentionsPacked", "attentions-packed", "Attentions whose rows became heads">
  ];
  let dependentDialects = ["::mlir::sparse_attn::SparseAttnDialect"];
}

def AssignSchedule : Pass<"sparse-attn-assign-schedule", "::mlir::ModuleOp"> {
  let summary = "Choose the decision tile of attentions that have none";
  let description = [{
    Sets `decision_tile` by element type, head_dim, number of queries and the
    shared memory of the architecture that the module's `sparse_attn.target`
    names (sm_80 unless stated). Tiles that the IR states stay.
  }];
  let options = [
    Option<"rows", "rows", "int64_t", "0", "Query rows of a tile; 0 chooses">,
    Option<"keys", "keys", "int64_t", "0", "Keys of a tile; 0 chooses">
  ];
  let statistics = [
    Statistic<"tilesAssigned", "tiles-assigned", "Attentions given a tile">
  ];
  let dependentDialects = ["::mlir::sparse_attn::SparseAttnDialect"];
}

def PrintPlan : Pass<"sparse-attn-print-plan", "::mlir::ModuleOp"> {
  let summary = "Print which key tiles each query tile visits, as block art";
  let description = [{
    For every attention with a `decision_tile` and static lengths: a comment
    with a line for each query tile and a character for each key tile. `#` is a
    full tile, which every row sees and no condition is evaluated for; `+` a
    partial tile; `.` an empty one, which is never visited. It follows from the
    conditions of the score region on the indices, as the kernel's loops do;
    with filters and block lists a kernel visits or computes less.

    Where the conditions look at batch indices, the plan is printed for each
    index at which it changes.

    Example: causal attention over 256 tokens in tiles of 64x64 gives

        // +...
        // #+..
        // ##+.
        // ###+
  }];
  let options = [
    Option<"maxSide", "max-side", "int64_t", "64",
           "Characters a side; larger plans are shrunk">
  ];
}

def RequestStatistics : Pass<"sparse-attn-request-statistics", "::mlir::ModuleOp"> {
  let summary = "Add the results that tell how much a kernel left out";
  let description = [{
    Gives the attention of every function marked `sparse_attn.kernel` the
    results `recall_bound` (if its filter can skip) and `tile_counts`, as
    further results of the function with inits as further arguments, which are
    marked `sparse_attn.statistic`. Results that the attention has already are
    the graph's own and stay unmarked. Calls are not rewritten: the pass is for
    modules that hold kernels only, and a kernel that is called is an error.

    A kernel without a `decision_tile` stays as it is, with a remark.
  }];
  let statistics = [
    Statistic<"statisticsAdded", "statistics-added", "Results added">
  ];
  let dependentDialects = ["::mlir::func::FuncDialect",
                           "::mlir::sparse_attn::SparseAttnDialect"];
}

#endif // SPARSEATTN_DIALECT_SPARSEATTN_TRANSFORMS_PASSES
