//===- Streams.h - Streams, and what they do ------------------ -*- C++ -*-===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef SPARSEATTN_LIB_CUDAEMULATOR_STREAMS_H
#define SPARSEATTN_LIB_CUDAEMULATOR_STREAMS_H

#include "Machine.h"

namespace sparse_attn::cuda_emulator {

struct Stream {
  unsigned flags = 0;
  uint64_t last = 0;         // the place of its last work
  Graph *capture = nullptr;  // what receives its work instead
  bool beganCapture = false; // here, not in a stream that it waited for
};

/// The stream of a handle, also of the default ones; null if there is none.
Stream *findStream(CUstream handle);

/// Hands the work to the stream, or to the graph that captures it.
CUresult enqueue(CUstream handle, Work work);
/// Runs the work in order, after all that was submitted, and waits for it.
CUresult runNow(Work work);

/// Appends a node that depends on the last one; in Graphs.cpp.
void captureWork(Graph &graph, Work work);
/// The stream waits for an event of a captured stream: it is captured too.
void joinCapture(Graph &graph, Stream &stream);
/// Before the stream is destroyed.
void leaveCapture(Stream &stream);

// Work for streams and graph nodes. The functions check all that can be known
// in advance.
CUresult makeLaunch(const CUlaunchConfig &config, CUfunction function,
                    void **parameters, void **extra, Work &work);
CUresult makeCopy(const CUDA_MEMCPY3D &copy, Work &work);
CUresult makeFill(const CUDA_MEMSET_NODE_PARAMS &fill, Work &work);
CUresult makeEventRecord(CUevent event, Work &work);
Work makeHostCall(CUhostFn function, void *data);

} // namespace sparse_attn::cuda_emulator

#endif // SPARSEATTN_LIB_CUDAEMULATOR_STREAMS_H
