//===- PolicySpelling.h - Policies as the command line spells them - -*- C++
//-*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PIPELINES_POLICYSPELLING_H
#define SPARSEATTN_PIPELINES_POLICYSPELLING_H

#include "SparseAttn/Dialect/SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn {

/// Parses a filter as the flag `--filter` spells it:
///
///   dense | threshold:λ | threshold:a/L | energy:λ | energy:P=p
///   | recall:ρ[,row|tile][,groups=g|exact]
///
/// A spelling that is none of these gives one error through `emitError`.
FailureOr<FilterAttrInterface>
parseFilterSpelling(MLIRContext *context, StringRef spelling,
                    function_ref<InFlightDiagnostic()> emitError);

/// Parses a token layout as the flag `--layout` spells it:
///
///   raster:TxHxW[+TAIL] | hilbert:.. | gilbert:.. | morton:..
///   | box:AxBxC@TxHxW[+TAIL]
///
/// A spelling that is none of these gives one error through `emitError`.
FailureOr<LayoutAttrInterface>
parseLayoutSpelling(MLIRContext *context, StringRef spelling,
                    function_ref<InFlightDiagnostic()> emitError);

/// What `--select` names: a rule, or a recall to certify, or neither for none.
struct SelectionSpelling {
  SelectionAttrInterface selection;
  std::optional<double> recall;
  /// Visit the best block first.
  bool byScore = false;
  /// Queries and keys of a block, where they are stated.
  std::optional<int64_t> block;
};

/// Parses a selection of blocks as the flag `--select` spells it:
///
///   none | top-k:r | top-p:p | cutoff:c | recall:ρ,
///   each but none with [,order=score][,block=N]
///
/// A spelling that is none of these gives one error through `emitError`.
FailureOr<SelectionSpelling>
parseSelectionSpelling(MLIRContext *context, StringRef spelling,
                       function_ref<InFlightDiagnostic()> emitError);

/// What `--cache` names.
struct CacheSpelling {
  CacheScheduleAttr schedule;
  /// Numbers of the attentions that visit everything.
  SmallVector<int64_t> denseLayers;
};

/// Parses a schedule of cached lists as the flag `--cache` spells it:
///
///   warmup=12,interval=12,ratios=0.3/0.2/0.1,steps=50[,target=0.9][,dense=0/3]
///
/// A spelling that is none of these gives one error through `emitError`.
FailureOr<CacheSpelling>
parseCacheSpelling(MLIRContext *context, StringRef spelling,
                   function_ref<InFlightDiagnostic()> emitError);

/// Parses a precision as the flag `--f32` spells it: 3xtf32, tf32 or bf16.
FailureOr<Precision>
parsePrecisionSpelling(StringRef spelling,
                       function_ref<InFlightDiagnostic()> emitError);

/// The spelling of a filter, such that parsing it gives the filter again.
std::string spellFilter(FilterAttrInterface filter);
/// The spelling of a precision.
StringRef spellPrecision(Precision precision);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PIPELINES_POLICYSPELLING_H
