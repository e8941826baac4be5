//===- SparseAttnAttrs.td - Filters and modes of attention --*- tablegen -*--===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNATTRS
#define SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNATTRS

include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnAttrInterfaces.td"
include "SparseAttn/Dialect/SparseAttn/IR/SparseAttnDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

//===----------------------------------------------------------------------===//
// Filters
//===----------------------------------------------------------------------===//

class SparseAttn_Attr<string cppName, string mnemonicName, list<Trait> traits = []>
    : AttrDef<SparseAttn_Dialect, cppName, traits> {
  let mnemonic = mnemonicName;
}

class SparseAttn_Filter<string cppName, string mnemonicName>
    : SparseAttn_Attr<cppName, mnemonicName,
        [DeclareAttrInterfaceMethods<SparseAttn_FilterAttrInterface>]>;

def SparseAttn_DenseAttr : SparseAttn_Filter<"DenseFilter", "dense"> {
  let summary = "No tile is skipped";
  let description = [{
    Example: `#sparse_attn.dense`.
  }];
}

def SparseAttn_ThresholdAttr : SparseAttn_Filter<"ThresholdFilter", "threshold"> {
  let summary = "Skip a tile whose maximum is far below the running maximum";
  let description = [{
    BLASST's rule (arXiv 2512.12087): skip iff `exp(m̂ - m) < λ` for every row.
    `threshold<λ>` gives λ itself; `threshold<a / keys>` gives λ = a / L with L
    the number of keys, which keeps one setting usable over lengths. λ = 0
    never skips.

    Examples: `#sparse_attn.threshold<0.1>`, `#sparse_attn.threshold<12.5 / keys>`.
  }];
  let parameters = (ins APFloatParameter<"λ or a">:$value, "bool":$perKey);
  let builders = [AttrBuilder<(ins "double":$value, CArg<"bool", "false">:$perKey), [{
    return $_get($_ctxt, ::llvm::APFloat(value), perKey);
  }]>];
  let extraClassDeclaration = [{
    double getReal() const { return getValue().convertToDouble(); }
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def SparseAttn_EnergyAttr : SparseAttn_Filter<"EnergyFilter", "energy"> {
  let summary = "Skip a tile whose maximum is far below the energy kept so far";
  let description = [{
    Cumulative energy filtering (arXiv 2606.16317, eq. 5-7): skip iff
    `m̂ - (m + ln l) < λ` for every row. `energy<λ>` gives λ in natural-log
    units; `energy<budget = P>` gives λ = ln(P) + ln(Bc / L), with Bc the key
    width of the decision tile and L the number of keys; P may exceed 1.
    λ = -inf never skips. The rule bounds no row's recall: see `recall`.

    Examples: `#sparse_attn.energy<-6.0>`, `#sparse_attn.energy<budget = 1.46>`.
  }];
  let parameters = (ins APFloatParameter<"λ or P">:$value, "bool":$isBudget);
  let builders = [AttrBuilder<(ins "double":$value, CArg<"bool", "false">:$isBudget), [{
    return $_get($_ctxt, ::llvm::APFloat(value), isBudget);
  }]>];
  let extraClassDeclaration = [{
    double getReal() const { return getValue().convertToDouble(); }
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def SparseAttn_RecallAttr : SparseAttn_Filter<"RecallFilter", "recall"> {
  let summary = "Skip a tile while a guaranteed share of the softmax mass is kept";
  let description = [{
    Every row keeps an upper bound `e` of the mass skipped so far, in the units
    of `l`. With `b` an upper bound of the tile's mass, a tile is skipped iff
    `e + b <= (1 - ρ)/ρ · (1 - ε) · l` for every row, and then `e += b`. So the
    recall of each row, kept mass over all mass of the visited keys, is at
    least ρ whatever the scores and the visit order are.

    - `row` (default) asks it of every row, `tile` of the mean over the rows of
      the decision tile: `Σ (e + b) / l <= rows · (1 - ρ)/ρ · (1 - ε)`.
    - `exact` (default) takes `b` from the tile's exponentials and saves the
      product with the values; `groups = g` takes `b` from the maxima of g
      column groups, which saves the exponentials as well but is looser. Column
      `c` of a tile belongs to group `(c mod 2g) / 2`; a group counts all its
      columns, also those past the last key.

    Examples: `#sparse_attn.recall<0.95>`, `#sparse_attn.recall<0.9, tile>`,
    `#sparse_attn.recall<0.95, row, groups = 8>`.
  }];
  let parameters = (ins
    APFloatParameter<"ρ">:$value,
    "bool":$perTile,
    "int64_t":$groups // 0: exact
  );
  let builders = [AttrBuilder<(ins "double":$recall, CArg<"bool", "false">:$perTile,
                                   CArg<"int64_t", "0">:$groups), [{
    return $_get($_ctxt, ::llvm::APFloat(recall), perTile, groups);
  }]>];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Share of rounding that the rule gives away: f32 sums of up to 2^20
    /// terms and the error of ex2.approx, with room to spare.
    static constexpr double epsilon = 1.0e-3;
    double getReal() const { return getValue().convertToDouble(); }
    bool isExact() const { return getGroups() == 0; }
    /// (1 - ρ)/ρ · (1 - ε): the skipped mass allowed for each unit kept.
    double getAllowance() const {
      return (1.0 - getReal()) / getReal() * (1.0 - epsilon);
    }
  }];
}

def SparseAttn_AnyFilter : Attr<
    CPred<"::llvm::isa<::mlir::sparse_attn::FilterAttrInterface>($_self)">,
    "a filter: #sparse_attn.dense, threshold, energy or recall"> {
  let storageType = "::mlir::sparse_attn::FilterAttrInterface";
  let returnType = storageType;
  let convertFromStorage = "$_self";
}

//===----------------------------------------------------------------------===//
// How f32 attention runs on tensor cores
//===----------------------------------------------------------------------===//

def SparseAttn_Precision : I32EnumAttr<"Precision", "How f32 operands are multiplied", [
    I32EnumAttrCase<"tf32x3", 0>, I32EnumAttrCase<"tf32", 1>, I32EnumAttrCase<"bf16", 2>]> {
  let cppNamespace = "::mlir::sparse_attn";
  let genSpecializedAttr = 0;
}

def SparseAttn_PrecisionAttr
    : EnumAttr<SparseAttn_Dialect, SparseAttn_Precision, "precision"> {
  let summary = "How f32 attention runs on tensor cores";
  let description = [{
    `tf32x3` multiplies each operand as the sum of two tf32 numbers (three
    products, about f32 accuracy), `tf32` rounds operands to 10 fraction bits,
    `bf16` to 7. Never chosen silently: `tf32x3` unless stated.

    Example: `#sparse_attn.precision<tf32x3>`.
  }];
  let assemblyFormat = "`<` $value `>`";
}

//===----------------------------------------------------------------------===//
// Selection of blocks
//===----------------------------------------------------------------------===//

class SparseAttn_Selection<string cppName, string mnemonicName>
    : SparseAttn_Attr<cppName, mnemonicName,
        [DeclareAttrInterfaceMethods<SparseAttn_SelectionAttrInterface>]> {
  let parameters = (ins OptionalParameter<"::mlir::FloatAttr">:$real);
  let builders = [AttrBuilder<(ins "::std::optional<double>":$number), [{
    ::mlir::Builder b($_ctxt);
    return $_get($_ctxt, number ? b.getF64FloatAttr(*number) : ::mlir::FloatAttr());
  }]>];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def SparseAttn_TopKAttr : SparseAttn_Selection<"TopKSelection", "top_k"> {
  let summary = "Keep a share of the blocks";
  let description = [{
    `top_k<r>` keeps the share r of the blocks, those of the highest scores.

    Examples: `#sparse_attn.top_k<0.3>`, `#sparse_attn.top_k<runtime>`.
  }];
}

def SparseAttn_TopPAttr : SparseAttn_Selection<"TopPSelection", "top_p"> {
  let summary = "Keep a share of the scores";
  let description = [{
    `top_p<p>` keeps the fewest blocks whose scores sum to the share p.

    Examples: `#sparse_attn.top_p<0.9>`, `#sparse_attn.top_p<runtime>`.
  }];
}

def SparseAttn_CutoffAttr : SparseAttn_Selection<"CutoffSelection", "cutoff"> {
  let summary = "Keep the scores of at least a number";
  let description = [{
    Examples: `#sparse_attn.cutoff<0.01>`, `#sparse_attn.cutoff<runtime>`.
  }];
}

def SparseAttn_AnySelection : Attr<
    CPred<"::llvm::isa<::mlir::sparse_attn::SelectionAttrInterface>($_self)">,
    "a selection: #sparse_attn.top_k, top_p or cutoff"> {
  let storageType = "::mlir::sparse_attn::SelectionAttrInterface";
  let returnType = storageType;
  let convertFromStorage = "$_self";
}

def SparseAttn_CacheAttr : SparseAttn_Attr<"CacheSchedule", "cache"> {
  let summary = "When block lists are made anew, and how long they are";
  let description = [{
    DFSAttn's schedule (arXiv 2605.23445) over the denoising steps 0, 1, ...:
    the first `warmup` steps visit all blocks. From then on lists are made anew
    every `interval` steps, the n-th time (from 0) with the keep ratio
    `ratios[n]`, and used until the next time. With the last ratio they stay.
    `steps` is how many there are, which nothing but reports needs.

    `target` asks for more: lists are also made anew where their certified
    recall (see `certify_recall`) is below it.

    On a function, `sparse_attn.cache` states the schedule of its attentions.

    Examples: `#sparse_attn.cache<warmup = 12, interval = 12, ratios = [0.3, 0.2, 0.1], steps = 50>`,
    `#sparse_attn.cache<warmup = 1, interval = 1, ratios = [0.2], steps = 4, target = 0.9>`.
  }];
  let parameters = (ins "int64_t":$warmup, "int64_t":$interval,
                        "::mlir::DenseF64ArrayAttr":$ratioList, "int64_t":$steps,
                        OptionalParameter<"::mlir::FloatAttr">:$targetRecall);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<double> getRatios() const { return getRatioList().asArrayRef(); }
    ::std::optional<double> getTarget() const;
  }];
}

//===----------------------------------------------------------------------===//
// Token layouts
//===----------------------------------------------------------------------===//

class SparseAttn_Layout<string cppName, string mnemonicName>
    : SparseAttn_Attr<cppName, mnemonicName,
        [DeclareAttrInterfaceMethods<SparseAttn_LayoutAttrInterface>]> {
  let parameters = (ins ArrayRefParameter<"int64_t">:$grid, "int64_t":$tail);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def SparseAttn_RasterAttr : SparseAttn_Layout<"RasterLayout", "raster"> {
  let summary = "Frame by frame, row by row";
  let description = [{
    The order in which models have their tokens. Sizes are frames, rows and
    columns.

    Example: `#sparse_attn.raster<21x45x80, tail = 256>`.
  }];
}

def SparseAttn_HilbertAttr : SparseAttn_Layout<"HilbertLayout", "hilbert"> {
  let summary = "Along Hilbert's curve through the cube around the grid";
  let description = [{
    DFSAttn's order: Hilbert's curve through the smallest cube of a power of two
    that holds the grid, where cells outside the grid are left out (Skilling,
    AIP Conf. Proc. 707, 2004; column, row, frame, from the most significant
    bit). Blocks are compact, but the curve jumps where it leaves the grid.

    Example: `#sparse_attn.hilbert<21x45x80, tail = 256>`.
  }];
}

def SparseAttn_GilbertAttr : SparseAttn_Layout<"GilbertLayout", "gilbert"> {
  let summary = "Along a generalised Hilbert curve";
  let description = [{
    A curve of the same kind through the box itself, halved again and again:
    tokens that follow each other are neighbours, if only across a corner where
    sizes are odd.

    Example: `#sparse_attn.gilbert<21x45x80, tail = 256>`.
  }];
}

def SparseAttn_MortonAttr : SparseAttn_Layout<"MortonLayout", "morton"> {
  let summary = "By the bits of column, row and frame in turn";
  let description = [{
    Example: `#sparse_attn.morton<21x45x80>`.
  }];
}

def SparseAttn_BoxAttr : SparseAttn_Layout<"BoxLayout", "box"> {
  let summary = "Box by box";
  let description = [{
    Boxes in raster order, and so the tokens of each. Boxes at the edges may be
    smaller.

    Example: `#sparse_attn.box<4x6x8 in 21x45x80, tail = 256>`.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$box,
                        ArrayRefParameter<"int64_t">:$grid, "int64_t":$tail);
}

def SparseAttn_AnyLayout : Attr<
    CPred<"::llvm::isa<::mlir::sparse_attn::LayoutAttrInterface>($_self)">,
    "a token layout: #sparse_attn.raster, hilbert, gilbert, morton or box"> {
  let storageType = "::mlir::sparse_attn::LayoutAttrInterface";
  let returnType = storageType;
  let convertFromStorage = "$_self";
}

//===----------------------------------------------------------------------===//
// Targets
//===----------------------------------------------------------------------===//

def SparseAttn_TargetAttr : SparseAttn_Attr<"Target", "target"> {
  let summary = "What kernels are compiled for";
  let description = [{
    The name of a GPU architecture that the project knows; what it has is asked
    through `getInfo()`. On a module, `sparse_attn.target` states what its
    kernels are compiled for.

    Example: `#sparse_attn.target<"sm_80">`.
  }];
  let parameters = (ins StringRefParameter<"chip">:$chip);
  let assemblyFormat = "`<` $chip `>`";
  let genVerifyDecl = 1;
}

#endif // SPARSEATTN_DIALECT_SPARSEATTN_IR_SPARSEATTNATTRS
