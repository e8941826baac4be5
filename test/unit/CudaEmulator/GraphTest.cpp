//===- GraphTest.cpp - Tests of emulated CUDA graphs ----------------------===//
//
// Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

#include <vector>

using namespace sparse_attn::cuda_emulator;

namespace {
class GraphTest : public CudaTest {
protected:
  void SetUp() override {
    CudaTest::SetUp();
    x = allocate(128);
    ASSERT_CU("cuGraphCreate", &graph, 0u);
  }
  void TearDown() override {
    EXPECT_CU("cuGraphDestroy", graph);
    EXPECT_CU("cuMemFree_v2", x);
    CudaTest::TearDown();
  }

  /// A node that adds `a` to every element.
  CUgraphNode addNode(unsigned a, const std::vector<CUgraphNode> &after) {
    unsigned n = 32;
    void *parameters[] = {&x, &x, &a, &n};
    CUDA_KERNEL_NODE_PARAMS node = {};
    node.func = add;
    node.gridDimX = node.gridDimY = node.gridDimZ = 1;
    node.blockDimX = 32;
    node.blockDimY = node.blockDimZ = 1;
    node.kernelParams = parameters;
    CUgraphNode result = nullptr;
    EXPECT_CU("cuGraphAddKernelNode", &result, graph, after.data(),
              after.size(),
              static_cast<const CUDA_KERNEL_NODE_PARAMS *>(&node));
    return result;
  }
  CUgraphNode fillNode(unsigned value, const std::vector<CUgraphNode> &after) {
    CUDA_MEMSET_NODE_PARAMS fill = {x, 0, value, 4, 32, 1};
    CUgraphNode result = nullptr;
    EXPECT_CU("cuGraphAddMemsetNode", &result, graph, after.data(),
              after.size(), static_cast<const CUDA_MEMSET_NODE_PARAMS *>(&fill),
              context);
    return result;
  }

  CUdeviceptr x = 0;
  CUgraph graph = nullptr;
};

TEST_F(GraphTest, NodesRunAfterWhatTheyDependOn) {
  // Created in the wrong order.
  CUgraphNode plus = addNode(5, {});
  CUgraphNode fill = fillNode(10, {});
  EXPECT_CU("cuGraphAddDependencies", graph,
            static_cast<const CUgraphNode *>(&fill),
            static_cast<const CUgraphNode *>(&plus), size_t(1));
  unsigned result = 0;
  CUDA_MEMCPY3D copy = {};
  copy.srcMemoryType = OnDevice;
  copy.srcDevice = x;
  copy.dstMemoryType = Host;
  copy.dstHost = &result;
  copy.WidthInBytes = sizeof result;
  copy.Height = copy.Depth = 1;
  CUgraphNode last = nullptr;
  EXPECT_CU("cuGraphAddMemcpyNode", &last, graph,
            static_cast<const CUgraphNode *>(&plus), size_t(1),
            static_cast<const CUDA_MEMCPY3D *>(&copy), context);
  size_t count = 0;
  EXPECT_CU("cuGraphGetNodes", graph, static_cast<CUgraphNode *>(nullptr),
            &count);
  EXPECT_EQ(count, 3u);
  CUgraphExec exec = nullptr;
  EXPECT_CU("cuGraphInstantiate_v2", &exec, graph,
            static_cast<CUgraphNode *>(nullptr), static_cast<char *>(nullptr),
            size_t(0));
  for (int i = 0; i < 2; ++i) {
    EXPECT_CU("cuGraphLaunch", exec, CUstream(nullptr));
    EXPECT_CU("cuCtxSynchronize");
    EXPECT_EQ(result, 15u);
  }
  EXPECT_CU("cuGraphExecDestroy", exec);
}

TEST_F(GraphTest, Circles) {
  CUgraphNode a = fillNode(1, {});
  CUgraphNode b = addNode(1, {a});
  EXPECT_CU("cuGraphAddDependencies", graph,
            static_cast<const CUgraphNode *>(&b),
            static_cast<const CUgraphNode *>(&a), size_t(1));
  CUgraphExec exec = nullptr;
  EXPECT_EQ(call("cuGraphInstantiateWithFlags", &exec, graph, 0ull),
            InvalidValue);
}

TEST_F(GraphTest, Capture) {
  CUstream a = nullptr, b = nullptr;
  CUevent fork = nullptr, join = nullptr;
  EXPECT_CU("cuStreamCreate", &a, 1u);
  EXPECT_CU("cuStreamCreate", &b, 1u);
  EXPECT_CU("cuEventCreate", &fork, 2u);
  EXPECT_CU("cuEventCreate", &join, 2u);
  EXPECT_CU("cuMemsetD32_v2", x, 0u, size_t(32));
  EXPECT_CU("cuStreamBeginCapture_v2", a, 0);
  EXPECT_EQ(launch(x, x, 1, 32, a), Success);
  EXPECT_CU("cuEventRecord", fork, a);
  EXPECT_CU("cuStreamWaitEvent", b, fork, 0u);
  EXPECT_EQ(launch(x, x, 2, 32, b), Success);
  EXPECT_CU("cuEventRecord", join, b);
  EXPECT_CU("cuStreamWaitEvent", a, join, 0u);
  EXPECT_EQ(call("cuStreamSynchronize", a), StreamCaptureUnsupported);
  CUgraph captured = nullptr;
  EXPECT_EQ(call("cuStreamEndCapture", b, &captured), StreamCaptureUnmatched);
  EXPECT_CU("cuStreamEndCapture", a, &captured);
  EXPECT_EQ(first(x), 0u); // nothing ran yet
  CUgraphExec exec = nullptr;
  EXPECT_CU("cuGraphInstantiateWithFlags", &exec, captured, 0ull);
  EXPECT_CU("cuGraphLaunch", exec, a);
  EXPECT_CU("cuGraphLaunch", exec, b);
  EXPECT_EQ(first(x), 6u);
  EXPECT_CU("cuGraphExecDestroy", exec);
  EXPECT_CU("cuGraphDestroy", captured);
  EXPECT_CU("cuEventDestroy_v2", fork);
  EXPECT_CU("cuEventDestroy_v2", join);
  EXPECT_CU("cuStreamDestroy_v2", a);
  EXPECT_CU("cuStreamDestroy_v2", b);
}
} // namespace
