//===- Graphs.cpp - CUDA graphs and stream capture ------------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Streams.h"

#include <algorithm>
#include <cstring>

using namespace sparse_attn;
using namespace sparse_attn::cuda_emulator;

namespace sparse_attn::cuda_emulator {

struct GraphNode {
  Graph *graph = nullptr;
  Work work;
  std::vector<GraphNode *> dependencies;
};

struct Graph {
  std::vector<GraphNode *> nodes; // in the order of creation
  /// The streams that it captures.
  std::vector<Stream *> streams;
};

/// The work of the nodes, each after those that it depends on.
struct GraphExec {
  std::vector<Work> works;
};

} // namespace sparse_attn::cuda_emulator

namespace {

CUresult addNode(CUgraphNode *result, CUgraph graph,
                 const CUgraphNode *dependencies, size_t count, Work work) {
  if (!result || (count && !dependencies))
    return InvalidValue;
  for (size_t i = 0; i < count; ++i)
    if (!handles<GraphNode>().contains(dependencies[i]) ||
        dependencies[i]->graph != graph)
      return InvalidValue;
  GraphNode *node = handles<GraphNode>().create();
  node->graph = graph;
  node->work = std::move(work);
  node->dependencies.assign(dependencies, dependencies + count);
  graph->nodes.push_back(node);
  *result = node;
  return Success;
}

CUresult findGraph(CUgraph graph) {
  REQUIRE(requireContext());
  return handles<Graph>().contains(graph) ? Success : InvalidHandle;
}

/// Nodes in an order that respects the dependencies, and otherwise that of
/// their creation; fewer than there are if some wait for each other.
std::vector<GraphNode *> ordered(const Graph &graph) {
  std::vector<GraphNode *> result;
  std::unordered_set<GraphNode *> done;
  for (bool progress = true; progress;) {
    progress = false;
    for (GraphNode *node : graph.nodes) {
      bool ready =
          !done.count(node) &&
          std::all_of(node->dependencies.begin(), node->dependencies.end(),
                      [&](GraphNode *other) { return done.count(other) != 0; });
      if (!ready)
        continue;
      done.insert(node);
      result.push_back(node);
      progress = true;
    }
  }
  return result;
}

CUresult instantiate(CUgraphExec *result, CUgraph graph) {
  REQUIRE(findGraph(graph));
  if (!result)
    return InvalidValue;
  std::vector<GraphNode *> nodes = ordered(*graph);
  if (nodes.size() != graph->nodes.size())
    return InvalidValue;
  *result = handles<GraphExec>().create();
  for (GraphNode *node : nodes)
    (*result)->works.push_back(node->work);
  return Success;
}

CUlaunchConfig configOf(const CUDA_KERNEL_NODE_PARAMS &node) {
  return {node.gridDimX,
          node.gridDimY,
          node.gridDimZ,
          node.blockDimX,
          node.blockDimY,
          node.blockDimZ,
          node.sharedMemBytes,
          nullptr,
          nullptr,
          0};
}

} // namespace

void cuda_emulator::captureWork(Graph &graph, Work work) {
  GraphNode *last = graph.nodes.empty() ? nullptr : graph.nodes.back();
  GraphNode *unused;
  addNode(&unused, &graph, &last, last ? 1 : 0, std::move(work));
}

CUDA_API cuGraphCreate(CUgraph *graph, unsigned flags) {
  REQUIRE(requireContext());
  if (!graph || flags != 0)
    return InvalidValue;
  *graph = handles<Graph>().create();
  return Success;
}

CUDA_API cuGraphDestroy(CUgraph graph) {
  if (!handles<Graph>().contains(graph))
    return InvalidHandle;
  for (GraphNode *node : graph->nodes)
    handles<GraphNode>().destroy(node);
  handles<Graph>().destroy(graph);
  return Success;
}

CUDA_API cuGraphAddEmptyNode(CUgraphNode *node, CUgraph graph,
                             const CUgraphNode *dependencies, size_t count) {
  REQUIRE(findGraph(graph));
  Work work;
  work.run = [] { return Success; };
  return addNode(node, graph, dependencies, count, std::move(work));
}

CUDA_API cuGraphAddKernelNode(CUgraphNode *node, CUgraph graph,
                              const CUgraphNode *dependencies, size_t count,
                              const CUDA_KERNEL_NODE_PARAMS *parameters) {
  REQUIRE(findGraph(graph));
  if (!parameters)
    return InvalidValue;
  Work work;
  REQUIRE(makeLaunch(configOf(*parameters), parameters->func,
                     parameters->kernelParams, parameters->extra, work));
  return addNode(node, graph, dependencies, count, std::move(work));
}

CUDA_API cuGraphAddKernelNode_v2(CUgraphNode *node, CUgraph graph,
                                 const CUgraphNode *dependencies, size_t count,
                                 const CUDA_KERNEL_NODE_PARAMS *parameters) {
  if (!parameters)
    return InvalidValue;
  CUDA_KERNEL_NODE_PARAMS copy = *parameters;
  if (!copy.func)
    copy.func = copy.kern;
  return cuGraphAddKernelNode(node, graph, dependencies, count, &copy);
}

CUDA_API cuGraphAddMemcpyNode(CUgraphNode *node, CUgraph graph,
                              const CUgraphNode *dependencies, size_t count,
                              const CUDA_MEMCPY3D *copy, CUcontext) {
  REQUIRE(findGraph(graph));
  if (!copy)
    return InvalidValue;
  Work work;
  REQUIRE(makeCopy(*copy, work));
  return addNode(node, graph, dependencies, count, std::move(work));
}

CUDA_API cuGraphAddMemsetNode(CUgraphNode *node, CUgraph graph,
                              const CUgraphNode *dependencies, size_t count,
                              const CUDA_MEMSET_NODE_PARAMS *fill, CUcontext) {
  REQUIRE(findGraph(graph));
  if (!fill)
    return InvalidValue;
  Work work;
  REQUIRE(makeFill(*fill, work));
  return addNode(node, graph, dependencies, count, std::move(work));
}

CUDA_API cuGraphAddHostNode(CUgraphNode *node, CUgraph graph,
                            const CUgraphNode *dependencies, size_t count,
                            const CUDA_HOST_NODE_PARAMS *host) {
  REQUIRE(findGraph(graph));
  if (!host || !host->fn)
    return InvalidValue;
  return addNode(node, graph, dependencies, count,
                 makeHostCall(host->fn, host->userData));
}

CUDA_API cuGraphAddEventRecordNode(CUgraphNode *node, CUgraph graph,
                                   const CUgraphNode *dependencies,
                                   size_t count, CUevent event) {
  REQUIRE(findGraph(graph));
  Work work;
  REQUIRE(makeEventRecord(event, work));
  return addNode(node, graph, dependencies, count, std::move(work));
}

CUDA_API cuGraphAddDependencies(CUgraph graph, const CUgraphNode *from,
                                const CUgraphNode *to, size_t count) {
  REQUIRE(findGraph(graph));
  if (count && (!from || !to))
    return InvalidValue;
  for (size_t i = 0; i < count; ++i)
    for (GraphNode *node : {from[i], to[i]})
      if (!handles<GraphNode>().contains(node) || node->graph != graph)
        return InvalidValue;
  for (size_t i = 0; i < count; ++i)
    to[i]->dependencies.push_back(from[i]);
  return Success;
}

CUDA_API cuGraphAddDependencies_v2(CUgraph graph, const CUgraphNode *from,
                                   const CUgraphNode *to, const void *edges,
                                   size_t count) {
  return edges ? NotSupported : cuGraphAddDependencies(graph, from, to, count);
}

CUDA_API cuGraphGetNodes(CUgraph graph, CUgraphNode *nodes, size_t *count) {
  REQUIRE(findGraph(graph));
  if (!count)
    return InvalidValue;
  size_t known = graph->nodes.size();
  if (!nodes) {
    *count = known;
    return Success;
  }
  // Entries beyond the last node are null.
  for (size_t i = 0; i < *count; ++i)
    nodes[i] = i < known ? graph->nodes[i] : nullptr;
  *count = std::min(*count, known);
  return Success;
}

CUDA_API cuGraphInstantiateWithFlags(CUgraphExec *exec, CUgraph graph,
                                     unsigned long long) {
  return instantiate(exec, graph);
}

CUDA_API cuGraphInstantiate_v2(CUgraphExec *exec, CUgraph graph,
                               CUgraphNode *errorNode, char *log,
                               size_t bytes) {
  if (errorNode)
    *errorNode = nullptr;
  if (log && bytes)
    *log = 0;
  return instantiate(exec, graph);
}

CUDA_API cuGraphExecDestroy(CUgraphExec exec) {
  return handles<GraphExec>().destroy(exec) ? Success : InvalidHandle;
}

CUDA_API cuGraphUpload(CUgraphExec exec, CUstream stream) {
  return handles<GraphExec>().contains(exec) && findStream(stream)
             ? requireContext()
             : InvalidHandle;
}

CUDA_API cuGraphLaunch(CUgraphExec exec, CUstream stream) {
  if (!handles<GraphExec>().contains(exec))
    return InvalidHandle;
  for (const Work &work : exec->works)
    REQUIRE(enqueue(stream, work));
  return Success;
}

CUDA_API cuStreamBeginCapture_v2(CUstream handle, int) {
  REQUIRE(requireContext());
  Stream *stream = findStream(handle);
  if (!stream)
    return InvalidHandle;
  if (stream == findStream(nullptr))
    return StreamCaptureUnsupported;
  if (stream->capture)
    return IllegalState;
  stream->capture = handles<Graph>().create();
  stream->capture->streams.push_back(stream);
  stream->beganCapture = true;
  return Success;
}

CUDA_API cuStreamEndCapture(CUstream handle, CUgraph *graph) {
  REQUIRE(requireContext());
  Stream *stream = findStream(handle);
  if (!stream)
    return InvalidHandle;
  if (!graph)
    return InvalidValue;
  if (!stream->capture)
    return IllegalState;
  if (!stream->beganCapture)
    return StreamCaptureUnmatched;
  *graph = stream->capture;
  // The streams that joined by waiting for an event leave too.
  for (Stream *member : (*graph)->streams) {
    member->capture = nullptr;
    member->beganCapture = false;
  }
  (*graph)->streams.clear();
  return Success;
}

CUDA_API cuStreamIsCapturing(CUstream handle, int *status) {
  REQUIRE(requireContext());
  Stream *stream = findStream(handle);
  if (!stream)
    return InvalidHandle;
  if (!status)
    return InvalidValue;
  *status = stream->capture != nullptr;
  return Success;
}

void cuda_emulator::joinCapture(Graph &graph, Stream &stream) {
  if (!handles<Graph>().contains(&graph) || stream.capture)
    return;
  stream.capture = &graph;
  graph.streams.push_back(&stream);
}

void cuda_emulator::leaveCapture(Stream &stream) {
  if (!stream.capture)
    return;
  auto &streams = stream.capture->streams;
  streams.erase(std::remove(streams.begin(), streams.end(), &stream),
                streams.end());
}
