/*===- Compiler.h - From the text of a graph to a package, from C - -*- C
-*-===*\
|*                                                                            *|
|* Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.   *|
|* See LICENSE for license information.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef SPARSEATTN_C_COMPILER_H
#define SPARSEATTN_C_COMPILER_H

#include <stddef.h>

#ifndef SPARSE_ATTN_EXPORTED
#define SPARSE_ATTN_EXPORTED __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Spelled as the flags of sparse-attn-compile; NULL is the flag's default. */
typedef struct {
  const char *targets; /* "sm_80,sm_89" */
  const char *filter;
  const char *precision; /* --f32 */
  const char *layout;
  const char *selection; /* --select */
  const char *cache;
} SparseAttnCompileOptions;

/* Compiles `length` bytes of MLIR text to a package in `directory`. Returns 0,
   1 for an error in what was given, 2 for one of the compiler itself: the exit
   codes of sparse-attn-compile. `*report` is set to the report as JSON where it
   returns 0, `*messages` to diagnostics, one a line ("" for none); both are
   freed by free(). `options` may be NULL. In libsparse-attn-compiler.so. */
SPARSE_ATTN_EXPORTED int
sparseAttnCompile(const char *text, size_t length,
                  const SparseAttnCompileOptions *options,
                  const char *directory, char **report, char **messages);

#ifdef __cplusplus
}
#endif

#endif /* SPARSEATTN_C_COMPILER_H */
