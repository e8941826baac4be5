// RUN: sparse-attn-opt %s -sparse-attn-serialize-kernels -split-input-file -verify-diagnostics

// A call of what the text does not hold.
// expected-error@+1 {{expected PTX that is complete in itself, found a call of an external function}}
gpu.module @calls {
  llvm.func @__nv_expf(f32) -> f32
  llvm.func @calls(%p: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel, nvvm.maxntid = array<i32: 32>} {
    %0 = llvm.load %p : !llvm.ptr<1> -> f32
    %1 = llvm.call @__nv_expf(%0) : (f32) -> f32
    llvm.store %1, %p : f32, !llvm.ptr<1>
    llvm.return
  }
}

// -----

gpu.module @complete {
  llvm.func @complete(%p: !llvm.ptr<1>, %x: f32) attributes {gpu.kernel, nvvm.kernel, nvvm.maxntid = array<i32: 32>} {
    llvm.store %x, %p : f32, !llvm.ptr<1>
    llvm.return
  }
}
