/* Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Compiles a graph and runs its first kernel on the emulator, from C:
 *
 *   cc run_attention.c -I include -L build/lib -lsparse-attn-compiler \
 *      -lsparse-attn-runtime -Wl,-rpath,$PWD/build/lib -o run_attention
 *   ./run_attention examples/models/torch_sdpa_f16_causal.mlir /tmp/package
 *
 * Inputs are halves, all of them 1: every row of the output is 1 too, because
 * weights of a softmax sum to 1. */

#include "SparseAttn-c/Compiler.h"
#include "SparseAttn-c/Runtime.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *readFile(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (!file)
    return NULL;
  fseek(file, 0, SEEK_END);
  *length = (size_t)ftell(file);
  rewind(file);
  char *text = malloc(*length + 1);
  if (fread(text, 1, *length, file) != *length)
    *length = 0;
  fclose(file);
  return text;
}

static int fail(char *error) {
  fprintf(stderr, "error: %s\n", error);
  free(error);
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: run_attention GRAPH.mlir PACKAGE\n");
    return 1;
  }
  size_t length = 0;
  char *text = readFile(argv[1], &length);
  if (!text) {
    fprintf(stderr, "error: cannot read '%s'\n", argv[1]);
    return 1;
  }
  SparseAttnCompileOptions options = {.targets = "sm_80",
                                      .filter = "recall:0.95"};
  char *report, *messages, *error = NULL;
  int status =
      sparseAttnCompile(text, length, &options, argv[2], &report, &messages);
  fputs(messages, stderr);
  free(messages);
  free(report);
  free(text);
  if (status)
    return status;

  SparseAttnPackage *package;
  SparseAttnDevice *device;
  SparseAttnKernel *kernel;
  if (!sparseAttnPackageLoad(argv[2], &package, &error) ||
      !sparseAttnDeviceOpen("emulator", &device, &error) ||
      !sparseAttnKernelLoad(package, device, NULL, &kernel, &error))
    return fail(error);

  static const int64_t shape[4] = {2, 4, 64, 32};
  static uint16_t ones[2 * 4 * 64 * 32];
  for (size_t i = 0; i < sizeof(ones) / sizeof(*ones); ++i)
    ones[i] = 0x3c00;
  SparseAttnTensor input = {ones, shape, 4};
  SparseAttnTensor inputs[3] = {input, input, input};
  SparseAttnRun *run;
  if (!sparseAttnKernelRun(kernel, inputs, 3, NULL, &run, &error))
    return fail(error);

  for (size_t i = 0; i < sparseAttnKernelCountArguments(kernel); ++i) {
    SparseAttnArgument argument = sparseAttnKernelGetArgument(kernel, i);
    if (argument.role != SparseAttnOutput)
      continue;
    SparseAttnTensor output = sparseAttnRunGetResult(run, i);
    printf("%s %s is %s\n", argument.name, argument.type,
           memcmp(output.data, ones, sizeof(ones)) ? "wrong" : "1 everywhere");
  }
  printf("%s", sparseAttnRunGetStatistics(run));
  sparseAttnRunDestroy(run);
  sparseAttnKernelDestroy(kernel);
  sparseAttnDeviceDestroy(device);
  sparseAttnPackageDestroy(package);
  return 0;
}
