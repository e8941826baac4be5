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

def AssignSelection : Pass<"sparse-attn-assign-selection"> {
  let summary = "Let attentions visit the blocks of keys that matter";
  let description = [{
    Gives every `sparse_attn.attention` without a block list one, made by
    `sparse_attn.block_scores` and `sparse_attn.select_blocks` of its query and
    key. Selections are spelled as on the command line:

        top-k:0.3              the best 30 % of the blocks
        top-p:0.9              the fewest blocks whose scores sum to 90 %
        cutoff:0.05            the blocks that score at least that
        recall:0.95            the shortest list, of the nested ones of
                               `levels`, whose mean recall is certified
        ...,order=score        visit the best block first
        ...,block=64           blocks of 64 queries and keys instead of `block`

    `recall` draws `samples` queries, finds the exact mass of every block for
    each, and goes down the lists of `levels`, from the longest, while the lower
    confidence bound of the mean recall is at least the number asked for; then
    each index of the batch dimensions has the last list that passed, and all
    blocks where the first did not. See docs/BlockSelection.md for what is
    guaranteed.

    An attention stays as it is, with a remark, where it hides keys by a mask or
    by its score region, whose scores this would not see, where a size is
    dynamic, or where there are not two blocks of keys.
  }];
  let options = [
    Option<"selection", "selection", "std::string", /*default=*/"\"\"",
           "Which blocks to keep">,
    Option<"block", "block", "int64_t", /*default=*/"128",
           "Queries and keys of a block">,
    Option<"tile", "tile", "int64_t", /*default=*/"16",
           "Tokens that are pooled before they are scored">,
    Option<"forcedFrom", "forced-from", "int64_t", /*default=*/"-1",
           "First key of the blocks that are always kept (text); -1 for none">,
    Option<"layout", "layout", "std::string", /*default=*/"\"\"",
           "Layout whose tail is text: always kept, in attentions on its tokens">,
    Option<"samples", "samples", "int64_t", /*default=*/"512",
           "Queries that certify a recall">,
    Option<"confidence", "confidence", "double", /*default=*/"0.95",
           "Probability that a certified recall holds">,
    Option<"seed", "seed", "int64_t", /*default=*/"0",
           "Of the random queries that certify a recall">,
    ListOption<"levels", "levels", "double",
               "Shares of the scores that lists for recall keep, descending">
  ];
  let statistics = [
    Statistic<"listsAssigned", "lists-assigned", "Attentions given a block list">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::sparse_attn::SparseAttnDialect", "::mlir::tensor::TensorDialect"];
}

def DecomposeBlockScores : Pass<"sparse-attn-decompose-block-scores"> {
  let summary = "Take the pooling out of sparse_attn.block_scores";
  let description = [{
    A `sparse_attn.block_scores` with a tile of more than one token becomes two
    `sparse_attn.pool_tokens` and one with a tile of 1, each of which is a
    kernel.
  }];
  let dependentDialects = ["::mlir::sparse_attn::SparseAttnDialect",
                           "::mlir::tensor::TensorDialect"];
}

def CacheLists : Pass<"sparse-attn-cache-lists"> {
  let summary = "Thread block lists through functions as state";
  let description = [{
    In a function whose attribute `sparse_attn.cache` is a
    `#sparse_attn.cache` schedule, the lists of its attentions become state: the
    function takes, behind its own arguments,

    - the denoising step (`tensor<i32>`),
    - a tag and the step that the lists were made for (`tensor<2xi32>`),
    - counts and indices of each attention,

    and gives all but the step back behind its own results. Lists are made in
    the steps that the schedule names and taken from the state in all others;
    in warm-up steps they name every block. A call in the step that the lists
    were made for makes no new ones: the second branch of classifier-free
    guidance uses those of the first. The tag stands for the schedule, the
    shapes and how lists are made. A state with another tag, but in step 0, and
    a step outside the schedule are errors when the program runs: `cf.assert`.

    `<name>_initial_state` gives the state to begin with.

    In programs of IREE 3.13 (`util.func`, as printed in the generic form at
    --compile-to=preprocessing) the state comes and goes as `!hal.buffer_view`,
    behind the fences that torch's functions have, and through the function
    around these.

    The ratio of the schedule takes the place of the number of `top_k` and
    `top_p`; `cutoff`, whose number is no share, is an error. Lists whose number
    is a runtime value already (`recall:`) keep theirs, and the schedule says
    only when they are made. With a target recall, lists of `recall:` are also
    made anew where the lower bound of their mean recall, on queries drawn for
    the step, is below the target.

    Attentions whose number in the function is in `dense-layers` visit
    everything, and have no state. Where a schedule is given and no attention
    visits a list, that is an error.
  }];
  let options = [
    Option<"schedule", "schedule", "std::string", /*default=*/"\"\"",
           "Schedule of functions that state none, as on the command line">,
    ListOption<"denseLayers", "dense-layers", "int64_t",
               "Numbers of the attentions that visit everything">
  ];
  let statistics = [
    Statistic<"listsCached", "lists-cached", "Block lists that became state">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::cf::ControlFlowDialect",
    "::mlir::func::FuncDialect", "::mlir::scf::SCFDialect",
    "::mlir::sparse_attn::SparseAttnDialect", "::mlir::tensor::TensorDialect"];
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
    `decision_tile`, or gives `recall_bound` or `tile_counts`.

    A block list is split by its entries instead: each share has a list of its
    own, and nothing to hide. Its sizes must be static.
  }];
  let options = [
    Option<"keys", "keys", "int64_t", "0",
           "Keys of a share where their number is static; 0 chooses">
  ];
  let statistics = [
    Statistic<"attentionsSplit", "attentions-split", "Attentions split in their keys">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
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

def PrintLayouts : Pass<"sparse-attn-print-layouts"> {
  let summary = "Print how compact the blocks of token layouts are";
  let description = [{
    A line for `layout`, spelled as on the command line, or for every layout
    that the IR permutes tokens by: the mean number of grid cells in the
    bounding box of a block, and the breaks, where a token is no neighbour of
    the one before it. A tail is left out.

    Example: `--sparse-attn-print-layouts=layout=hilbert:21x45x80` prints

        // #sparse_attn.hilbert<21x45x80>: 591 blocks of 128 tokens, 184.0 cells in the bounding box of a block, 577 breaks
  }];
  let options = [
    Option<"layout", "layout", "std::string", /*default=*/"\"\"",
           "The layout; those of the IR if empty">,
    Option<"block", "block", "int64_t", /*default=*/"128",
           "Tokens of a block">
  ];
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
