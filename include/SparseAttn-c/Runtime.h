/*===- Runtime.h - Kernel packages from C ----------------------- -*- C -*-===*\
|*                                                                            *|
|* Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.   *|
|* See LICENSE for license information.                                       *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
|*===----------------------------------------------------------------------===*|
|*                                                                            *|
|* Loads packages and runs their kernels, on the emulator or a GPU. In        *|
|* libsparse-attn-runtime.so, which stands without MLIR.                      *|
|*                                                                            *|
|* Functions that can fail return false and set `*error` to one line, which   *|
|* the caller frees by free(). An object may be used by one thread at a time, *|
|* and is destroyed before what it was made from.                             *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef SPARSEATTN_C_RUNTIME_H
#define SPARSEATTN_C_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef SPARSE_ATTN_EXPORTED
#define SPARSE_ATTN_EXPORTED __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What sparse-attn-compile wrote. */
typedef struct SparseAttnPackage SparseAttnPackage;
/* Where kernels run. */
typedef struct SparseAttnDevice SparseAttnDevice;
/* A kernel of a package, loaded on a device. */
typedef struct SparseAttnKernel SparseAttnKernel;
/* What one run gave. */
typedef struct SparseAttnRun SparseAttnRun;

typedef enum {
  SparseAttnInput,
  SparseAttnOutput,
  SparseAttnStatistic, /* written, about the run: tile_counts, recall_bound */
  SparseAttnSize       /* passed by the library, from a shape */
} SparseAttnRole;

/* An argument of a kernel; the strings belong to the package. */
typedef struct {
  const char *name;
  SparseAttnRole role;
  const char *type; /* "f16", "bf16", "f32", "i1" (one byte), "i32", "i64" */
  size_t rank;
} SparseAttnArgument;

/* Contiguous row-major elements of the argument's type. */
typedef struct {
  void *data;
  const int64_t *shape;
  size_t rank;
} SparseAttnTensor;

/* Options of a run; all zero is the default. */
typedef struct {
  uint64_t seed;   /* the emulator's order of warps */
  bool checkRaces; /* the emulator reports accesses that nothing orders */
  unsigned jobs;   /* the emulator's threads; 0: one for each core */
  uint64_t
      repeat; /* launches on a GPU, of which the median is the time; 0: 1 */
} SparseAttnRunOptions;

/* Loads and checks the package in `directory`. */
SPARSE_ATTN_EXPORTED bool sparseAttnPackageLoad(const char *directory,
                                                SparseAttnPackage **package,
                                                char **error);
SPARSE_ATTN_EXPORTED void sparseAttnPackageDestroy(SparseAttnPackage *package);

/* Opens "emulator" or "cuda", the first GPU with its primary context. */
SPARSE_ATTN_EXPORTED bool
sparseAttnDeviceOpen(const char *kind, SparseAttnDevice **device, char **error);
SPARSE_ATTN_EXPORTED const char *
sparseAttnDeviceName(const SparseAttnDevice *device);
SPARSE_ATTN_EXPORTED void sparseAttnDeviceDestroy(SparseAttnDevice *device);

/* Loads the kernel `function`, for the target that suits the device best.
   `function` may be NULL where the package has one only. */
SPARSE_ATTN_EXPORTED bool sparseAttnKernelLoad(const SparseAttnPackage *package,
                                               SparseAttnDevice *device,
                                               const char *function,
                                               SparseAttnKernel **kernel,
                                               char **error);
SPARSE_ATTN_EXPORTED size_t
sparseAttnKernelCountArguments(const SparseAttnKernel *kernel);
SPARSE_ATTN_EXPORTED SparseAttnArgument
sparseAttnKernelGetArgument(const SparseAttnKernel *kernel, size_t argument);
SPARSE_ATTN_EXPORTED void sparseAttnKernelDestroy(SparseAttnKernel *kernel);

/* Runs the kernel on host memory, to completion. `inputs` has one entry for
   each argument of the role input, in order. `options` may be NULL. */
SPARSE_ATTN_EXPORTED bool
sparseAttnKernelRun(SparseAttnKernel *kernel, const SparseAttnTensor *inputs,
                    size_t count, const SparseAttnRunOptions *options,
                    SparseAttnRun **run, char **error);
/* What the run wrote to argument number `argument`; belongs to the run. The
   data is NULL for arguments that a kernel does not write. */
SPARSE_ATTN_EXPORTED SparseAttnTensor
sparseAttnRunGetResult(const SparseAttnRun *run, size_t argument);
/* The run's statistics, as stats.json has them; belongs to the run. */
SPARSE_ATTN_EXPORTED const char *
sparseAttnRunGetStatistics(const SparseAttnRun *run);
SPARSE_ATTN_EXPORTED void sparseAttnRunDestroy(SparseAttnRun *run);

/* Enqueues the kernel on `stream`, a CUstream of the GPU's primary context, and
   returns. `tensors` has one entry in GPU memory, 16-byte aligned, for each
   argument of any role but size, in order; shapes of results are checked. */
SPARSE_ATTN_EXPORTED bool
sparseAttnKernelLaunch(SparseAttnKernel *kernel, void *stream,
                       const SparseAttnTensor *tensors, size_t count,
                       char **error);

typedef enum {
  SparseAttnRaster,
  SparseAttnHilbert,
  SparseAttnGilbert,
  SparseAttnMorton
} SparseAttnCurve;

/* Writes to `permutation`, which has room for frames * rows * columns + tail
   numbers, the raster position of each token in the order of `curve`; the tail
   stays behind the grid. */
SPARSE_ATTN_EXPORTED bool
sparseAttnGetPermutation(SparseAttnCurve curve, int64_t frames, int64_t rows,
                         int64_t columns, int64_t tail, int32_t *permutation,
                         char **error);

#ifdef __cplusplus
}
#endif

#endif /* SPARSEATTN_C_RUNTIME_H */
