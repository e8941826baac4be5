module @jit_encode attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  util.global private @weight_0 = #flow.parameter.named<"model"::"0.down"> : tensor<128x64xf32>
  util.global private @weight_1 = #flow.parameter.named<"model"::"0.out"> : tensor<64x64xf32>
  util.global private @weight_2 = #flow.parameter.named<"model"::"0.qkv"> : tensor<64x192xf32>
  util.global private @weight_3 = #flow.parameter.named<"model"::"0.up"> : tensor<64x128xf32>
  util.global private @weight_4 = #flow.parameter.named<"model"::"1.down"> : tensor<128x64xf32>
  util.global private @weight_5 = #flow.parameter.named<"model"::"1.out"> : tensor<64x64xf32>
  util.global private @weight_6 = #flow.parameter.named<"model"::"1.qkv"> : tensor<64x192xf32>
  util.global private @weight_7 = #flow.parameter.named<"model"::"1.up"> : tensor<64x128xf32>
  func.func public @main(%arg8: tensor<2x64x64xf32>, %arg9: tensor<2xi32>) -> (tensor<2x64x64xf32> {jax.result_info = "result"}) {
    %arg0 = util.global.load @weight_0 : tensor<128x64xf32>
    %arg1 = util.global.load @weight_1 : tensor<64x64xf32>
    %arg2 = util.global.load @weight_2 : tensor<64x192xf32>
    %arg3 = util.global.load @weight_3 : tensor<64x128xf32>
    %arg4 = util.global.load @weight_4 : tensor<128x64xf32>
    %arg5 = util.global.load @weight_5 : tensor<64x64xf32>
    %arg6 = util.global.load @weight_6 : tensor<64x192xf32>
    %arg7 = util.global.load @weight_7 : tensor<64x128xf32>
    %0 = stablehlo.iota dim = 0 : tensor<64xi32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [1] : (tensor<64xi32>) -> tensor<1x64xi32>
    %2 = stablehlo.broadcast_in_dim %arg9, dims = [0] : (tensor<2xi32>) -> tensor<2x1xi32>
    %3 = stablehlo.broadcast_in_dim %1, dims = [0, 1] : (tensor<1x64xi32>) -> tensor<2x64xi32>
    %4 = stablehlo.broadcast_in_dim %2, dims = [0, 1] : (tensor<2x1xi32>) -> tensor<2x64xi32>
    %5 = stablehlo.compare LT, %3, %4, SIGNED : (tensor<2x64xi32>, tensor<2x64xi32>) -> tensor<2x64xi1>
    %6 = stablehlo.broadcast_in_dim %5, dims = [0, 3] : (tensor<2x64xi1>) -> tensor<2x1x1x64xi1>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %7 = stablehlo.reduce(%arg8 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x64x64xf32>, tensor<f32>) -> tensor<2x64xf32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [0, 1] : (tensor<2x64xf32>) -> tensor<2x64x1xf32>
    %cst_0 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %10 = stablehlo.divide %8, %9 : tensor<2x64x1xf32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [0, 1, 2] : (tensor<2x64x1xf32>) -> tensor<2x64x64xf32>
    %12 = stablehlo.subtract %arg8, %11 : tensor<2x64x64xf32>
    %13 = stablehlo.multiply %12, %12 : tensor<2x64x64xf32>
    %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %14 = stablehlo.reduce(%13 init: %cst_1) applies stablehlo.add across dimensions = [2] : (tensor<2x64x64xf32>, tensor<f32>) -> tensor<2x64xf32>
    %15 = stablehlo.broadcast_in_dim %14, dims = [0, 1] : (tensor<2x64xf32>) -> tensor<2x64x1xf32>
    %cst_2 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %16 = stablehlo.broadcast_in_dim %cst_2, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %17 = stablehlo.divide %15, %16 : tensor<2x64x1xf32>
    %cst_3 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %18 = stablehlo.broadcast_in_dim %cst_3, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %19 = stablehlo.add %17, %18 : tensor<2x64x1xf32>
    %20 = stablehlo.sqrt %19 : tensor<2x64x1xf32>
    %21 = stablehlo.broadcast_in_dim %20, dims = [0, 1, 2] : (tensor<2x64x1xf32>) -> tensor<2x64x64xf32>
    %22 = stablehlo.divide %12, %21 : tensor<2x64x64xf32>
    %23 = stablehlo.dot_general %22, %arg2, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x64x64xf32>, tensor<64x192xf32>) -> tensor<2x64x192xf32>
    %24 = stablehlo.slice %23 [0:2, 0:64, 0:64] : (tensor<2x64x192xf32>) -> tensor<2x64x64xf32>
    %25 = stablehlo.slice %23 [0:2, 0:64, 64:128] : (tensor<2x64x192xf32>) -> tensor<2x64x64xf32>
    %26 = stablehlo.slice %23 [0:2, 0:64, 128:192] : (tensor<2x64x192xf32>) -> tensor<2x64x64xf32>
    %27 = stablehlo.reshape %24 : (tensor<2x64x64xf32>) -> tensor<2x64x2x32xf32>
    %28 = stablehlo.reshape %25 : (tensor<2x64x64xf32>) -> tensor<2x64x2x32xf32>
    %29 = stablehlo.reshape %26 : (tensor<2x64x64xf32>) -> tensor<2x64x2x32xf32>
    %30 = stablehlo.reshape %27 : (tensor<2x64x2x32xf32>) -> tensor<2x64x2x1x32xf32>
    %31 = stablehlo.broadcast_in_dim %6, dims = [0, 1, 3, 4] : (tensor<2x1x1x64xi1>) -> tensor<2x1x1x1x64xi1>
    %32 = stablehlo.dot_general %30, %28, batching_dims = [0, 2] x [0, 2], contracting_dims = [4] x [3], precision = [DEFAULT, DEFAULT] : (tensor<2x64x2x1x32xf32>, tensor<2x64x2x32xf32>) -> tensor<2x2x64x1x64xf32>
    %cst_4 = stablehlo.constant dense<0.176776692> : tensor<f32>
    %33 = stablehlo.broadcast_in_dim %cst_4, dims = [] : (tensor<f32>) -> tensor<2x2x64x1x64xf32>
    %34 = stablehlo.multiply %32, %33 : tensor<2x2x64x1x64xf32>
    %c = stablehlo.constant dense<true> : tensor<i1>
    %35 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i1>) -> tensor<2x2x64x64xi1>
    %36 = stablehlo.broadcast_in_dim %35, dims = [1, 2, 3, 4] : (tensor<2x2x64x64xi1>) -> tensor<1x2x2x64x64xi1>
    %37 = stablehlo.transpose %31, dims = [2, 0, 1, 3, 4] : (tensor<2x1x1x1x64xi1>) -> tensor<1x2x1x1x64xi1>
    %38 = stablehlo.broadcast_in_dim %37, dims = [0, 1, 2, 3, 4] : (tensor<1x2x1x1x64xi1>) -> tensor<1x2x2x64x64xi1>
    %39 = stablehlo.and %36, %38 : tensor<1x2x2x64x64xi1>
    %cst_5 = stablehlo.constant dense<-2.38197633E+38> : tensor<f32>
    %40 = call @_where(%39, %34, %cst_5) : (tensor<1x2x2x64x64xi1>, tensor<2x2x64x1x64xf32>, tensor<f32>) -> tensor<1x2x2x64x64xf32>
    %cst_6 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %41 = stablehlo.reduce(%40 init: %cst_6) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x2x64x64xf32>, tensor<f32>) -> tensor<1x2x2x64xf32>
    %cst_7 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %42 = stablehlo.broadcast_in_dim %cst_7, dims = [] : (tensor<f32>) -> tensor<1x2x2x64xf32>
    %43 = stablehlo.maximum %42, %41 : tensor<1x2x2x64xf32>
    %44 = stablehlo.broadcast_in_dim %43, dims = [0, 1, 2, 3] : (tensor<1x2x2x64xf32>) -> tensor<1x2x2x64x1xf32>
    %45 = stablehlo.broadcast_in_dim %44, dims = [0, 1, 2, 3, 4] : (tensor<1x2x2x64x1xf32>) -> tensor<1x2x2x64x64xf32>
    %46 = stablehlo.subtract %40, %45 : tensor<1x2x2x64x64xf32>
    %47 = stablehlo.exponential %46 : tensor<1x2x2x64x64xf32>
    %cst_8 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %48 = stablehlo.reduce(%47 init: %cst_8) applies stablehlo.add across dimensions = [4] : (tensor<1x2x2x64x64xf32>, tensor<f32>) -> tensor<1x2x2x64xf32>
    %49 = stablehlo.broadcast_in_dim %48, dims = [0, 1, 2, 3] : (tensor<1x2x2x64xf32>) -> tensor<1x2x2x64x1xf32>
    %50 = stablehlo.broadcast_in_dim %49, dims = [0, 1, 2, 3, 4] : (tensor<1x2x2x64x1xf32>) -> tensor<1x2x2x64x64xf32>
    %51 = stablehlo.divide %47, %50 : tensor<1x2x2x64x64xf32>
    %52 = stablehlo.dot_general %29, %51, batching_dims = [0, 2] x [1, 2], contracting_dims = [1] x [4], precision = [DEFAULT, DEFAULT] : (tensor<2x64x2x32xf32>, tensor<1x2x2x64x64xf32>) -> tensor<2x2x32x1x64xf32>
    %53 = stablehlo.transpose %52, dims = [3, 0, 4, 1, 2] : (tensor<2x2x32x1x64xf32>) -> tensor<1x2x64x2x32xf32>
    %54 = stablehlo.transpose %53, dims = [1, 2, 3, 0, 4] : (tensor<1x2x64x2x32xf32>) -> tensor<2x64x2x1x32xf32>
    %55 = stablehlo.reshape %54 : (tensor<2x64x2x1x32xf32>) -> tensor<2x64x2x32xf32>
    %56 = stablehlo.reshape %55 : (tensor<2x64x2x32xf32>) -> tensor<2x64x64xf32>
    %57 = stablehlo.dot_general %56, %arg1, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x64x64xf32>, tensor<64x64xf32>) -> tensor<2x64x64xf32>
    %58 = stablehlo.add %arg8, %57 : tensor<2x64x64xf32>
    %cst_9 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %59 = stablehlo.reduce(%58 init: %cst_9) applies stablehlo.add across dimensions = [2] : (tensor<2x64x64xf32>, tensor<f32>) -> tensor<2x64xf32>
    %60 = stablehlo.broadcast_in_dim %59, dims = [0, 1] : (tensor<2x64xf32>) -> tensor<2x64x1xf32>
    %cst_10 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %61 = stablehlo.broadcast_in_dim %cst_10, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %62 = stablehlo.divide %60, %61 : tensor<2x64x1xf32>
    %63 = stablehlo.broadcast_in_dim %62, dims = [0, 1, 2] : (tensor<2x64x1xf32>) -> tensor<2x64x64xf32>
    %64 = stablehlo.subtract %58, %63 : tensor<2x64x64xf32>
    %65 = stablehlo.multiply %64, %64 : tensor<2x64x64xf32>
    %cst_11 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %66 = stablehlo.reduce(%65 init: %cst_11) applies stablehlo.add across dimensions = [2] : (tensor<2x64x64xf32>, tensor<f32>) -> tensor<2x64xf32>
    %67 = stablehlo.broadcast_in_dim %66, dims = [0, 1] : (tensor<2x64xf32>) -> tensor<2x64x1xf32>
    %cst_12 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %68 = stablehlo.broadcast_in_dim %cst_12, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %69 = stablehlo.divide %67, %68 : tensor<2x64x1xf32>
    %cst_13 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %70 = stablehlo.broadcast_in_dim %cst_13, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %71 = stablehlo.add %69, %70 : tensor<2x64x1xf32>
    %72 = stablehlo.sqrt %71 : tensor<2x64x1xf32>
    %73 = stablehlo.broadcast_in_dim %72, dims = [0, 1, 2] : (tensor<2x64x1xf32>) -> tensor<2x64x64xf32>
    %74 = stablehlo.divide %64, %73 : tensor<2x64x64xf32>
    %75 = stablehlo.dot_general %74, %arg3, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x64x64xf32>, tensor<64x128xf32>) -> tensor<2x64x128xf32>
    %76 = stablehlo.multiply %75, %75 : tensor<2x64x128xf32>
    %77 = stablehlo.multiply %76, %75 : tensor<2x64x128xf32>
    %cst_14 = stablehlo.constant dense<4.471500e-02> : tensor<f32>
    %78 = stablehlo.broadcast_in_dim %cst_14, dims = [] : (tensor<f32>) -> tensor<2x64x128xf32>
    %79 = stablehlo.multiply %78, %77 : tensor<2x64x128xf32>
    %80 = stablehlo.add %75, %79 : tensor<2x64x128xf32>
    %cst_15 = stablehlo.constant dense<0.797884583> : tensor<f32>
    %81 = stablehlo.broadcast_in_dim %cst_15, dims = [] : (tensor<f32>) -> tensor<2x64x128xf32>
    %82 = stablehlo.multiply %81, %80 : tensor<2x64x128xf32>
    %83 = stablehlo.tanh %82 : tensor<2x64x128xf32>
    %cst_16 = stablehlo.constant dense<1.000000e+00> : tensor<f32>
    %84 = stablehlo.broadcast_in_dim %cst_16, dims = [] : (tensor<f32>) -> tensor<2x64x128xf32>
    %85 = stablehlo.add %84, %83 : tensor<2x64x128xf32>
    %cst_17 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %86 = stablehlo.broadcast_in_dim %cst_17, dims = [] : (tensor<f32>) -> tensor<2x64x128xf32>
    %87 = stablehlo.multiply %86, %85 : tensor<2x64x128xf32>
    %88 = stablehlo.multiply %75, %87 : tensor<2x64x128xf32>
    %89 = stablehlo.dot_general %88, %arg0, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x64x128xf32>, tensor<128x64xf32>) -> tensor<2x64x64xf32>
    %90 = stablehlo.add %58, %89 : tensor<2x64x64xf32>
    %cst_18 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %91 = stablehlo.reduce(%90 init: %cst_18) applies stablehlo.add across dimensions = [2] : (tensor<2x64x64xf32>, tensor<f32>) -> tensor<2x64xf32>
    %92 = stablehlo.broadcast_in_dim %91, dims = [0, 1] : (tensor<2x64xf32>) -> tensor<2x64x1xf32>
    %cst_19 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %93 = stablehlo.broadcast_in_dim %cst_19, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %94 = stablehlo.divide %92, %93 : tensor<2x64x1xf32>
    %95 = stablehlo.broadcast_in_dim %94, dims = [0, 1, 2] : (tensor<2x64x1xf32>) -> tensor<2x64x64xf32>
    %96 = stablehlo.subtract %90, %95 : tensor<2x64x64xf32>
    %97 = stablehlo.multiply %96, %96 : tensor<2x64x64xf32>
    %cst_20 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %98 = stablehlo.reduce(%97 init: %cst_20) applies stablehlo.add across dimensions = [2] : (tensor<2x64x64xf32>, tensor<f32>) -> tensor<2x64xf32>
    %99 = stablehlo.broadcast_in_dim %98, dims = [0, 1] : (tensor<2x64xf32>) -> tensor<2x64x1xf32>
    %cst_21 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %100 = stablehlo.broadcast_in_dim %cst_21, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %101 = stablehlo.divide %99, %100 : tensor<2x64x1xf32>
    %cst_22 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %102 = stablehlo.broadcast_in_dim %cst_22, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %103 = stablehlo.add %101, %102 : tensor<2x64x1xf32>
    %104 = stablehlo.sqrt %103 : tensor<2x64x1xf32>
    %105 = stablehlo.broadcast_in_dim %104, dims = [0, 1, 2] : (tensor<2x64x1xf32>) -> tensor<2x64x64xf32>
    %106 = stablehlo.divide %96, %105 : tensor<2x64x64xf32>
    %107 = stablehlo.dot_general %106, %arg6, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x64x64xf32>, tensor<64x192xf32>) -> tensor<2x64x192xf32>
    %108 = stablehlo.slice %107 [0:2, 0:64, 0:64] : (tensor<2x64x192xf32>) -> tensor<2x64x64xf32>
    %109 = stablehlo.slice %107 [0:2, 0:64, 64:128] : (tensor<2x64x192xf32>) -> tensor<2x64x64xf32>
    %110 = stablehlo.slice %107 [0:2, 0:64, 128:192] : (tensor<2x64x192xf32>) -> tensor<2x64x64xf32>
    %111 = stablehlo.reshape %108 : (tensor<2x64x64xf32>) -> tensor<2x64x2x32xf32>
    %112 = stablehlo.reshape %109 : (tensor<2x64x64xf32>) -> tensor<2x64x2x32xf32>
    %113 = stablehlo.reshape %110 : (tensor<2x64x64xf32>) -> tensor<2x64x2x32xf32>
    %114 = stablehlo.reshape %111 : (tensor<2x64x2x32xf32>) -> tensor<2x64x2x1x32xf32>
    %115 = stablehlo.broadcast_in_dim %6, dims = [0, 1, 3, 4] : (tensor<2x1x1x64xi1>) -> tensor<2x1x1x1x64xi1>
    %116 = stablehlo.dot_general %114, %112, batching_dims = [0, 2] x [0, 2], contracting_dims = [4] x [3], precision = [DEFAULT, DEFAULT] : (tensor<2x64x2x1x32xf32>, tensor<2x64x2x32xf32>) -> tensor<2x2x64x1x64xf32>
    %cst_23 = stablehlo.constant dense<0.176776692> : tensor<f32>
    %117 = stablehlo.broadcast_in_dim %cst_23, dims = [] : (tensor<f32>) -> tensor<2x2x64x1x64xf32>
    %118 = stablehlo.multiply %116, %117 : tensor<2x2x64x1x64xf32>
    %c_24 = stablehlo.constant dense<true> : tensor<i1>
    %119 = stablehlo.broadcast_in_dim %c_24, dims = [] : (tensor<i1>) -> tensor<2x2x64x64xi1>
    %120 = stablehlo.broadcast_in_dim %119, dims = [1, 2, 3, 4] : (tensor<2x2x64x64xi1>) -> tensor<1x2x2x64x64xi1>
    %121 = stablehlo.transpose %115, dims = [2, 0, 1, 3, 4] : (tensor<2x1x1x1x64xi1>) -> tensor<1x2x1x1x64xi1>
    %122 = stablehlo.broadcast_in_dim %121, dims = [0, 1, 2, 3, 4] : (tensor<1x2x1x1x64xi1>) -> tensor<1x2x2x64x64xi1>
    %123 = stablehlo.and %120, %122 : tensor<1x2x2x64x64xi1>
    %cst_25 = stablehlo.constant dense<-2.38197633E+38> : tensor<f32>
    %124 = call @_where(%123, %118, %cst_25) : (tensor<1x2x2x64x64xi1>, tensor<2x2x64x1x64xf32>, tensor<f32>) -> tensor<1x2x2x64x64xf32>
    %cst_26 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %125 = stablehlo.reduce(%124 init: %cst_26) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x2x64x64xf32>, tensor<f32>) -> tensor<1x2x2x64xf32>
    %cst_27 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %126 = stablehlo.broadcast_in_dim %cst_27, dims = [] : (tensor<f32>) -> tensor<1x2x2x64xf32>
    %127 = stablehlo.maximum %126, %125 : tensor<1x2x2x64xf32>
    %128 = stablehlo.broadcast_in_dim %127, dims = [0, 1, 2, 3] : (tensor<1x2x2x64xf32>) -> tensor<1x2x2x64x1xf32>
    %129 = stablehlo.broadcast_in_dim %128, dims = [0, 1, 2, 3, 4] : (tensor<1x2x2x64x1xf32>) -> tensor<1x2x2x64x64xf32>
    %130 = stablehlo.subtract %124, %129 : tensor<1x2x2x64x64xf32>
    %131 = stablehlo.exponential %130 : tensor<1x2x2x64x64xf32>
    %cst_28 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %132 = stablehlo.reduce(%131 init: %cst_28) applies stablehlo.add across dimensions = [4] : (tensor<1x2x2x64x64xf32>, tensor<f32>) -> tensor<1x2x2x64xf32>
    %133 = stablehlo.broadcast_in_dim %132, dims = [0, 1, 2, 3] : (tensor<1x2x2x64xf32>) -> tensor<1x2x2x64x1xf32>
    %134 = stablehlo.broadcast_in_dim %133, dims = [0, 1, 2, 3, 4] : (tensor<1x2x2x64x1xf32>) -> tensor<1x2x2x64x64xf32>
    %135 = stablehlo.divide %131, %134 : tensor<1x2x2x64x64xf32>
    %136 = stablehlo.dot_general %113, %135, batching_dims = [0, 2] x [1, 2], contracting_dims = [1] x [4], precision = [DEFAULT, DEFAULT] : (tensor<2x64x2x32xf32>, tensor<1x2x2x64x64xf32>) -> tensor<2x2x32x1x64xf32>
    %137 = stablehlo.transpose %136, dims = [3, 0, 4, 1, 2] : (tensor<2x2x32x1x64xf32>) -> tensor<1x2x64x2x32xf32>
    %138 = stablehlo.transpose %137, dims = [1, 2, 3, 0, 4] : (tensor<1x2x64x2x32xf32>) -> tensor<2x64x2x1x32xf32>
    %139 = stablehlo.reshape %138 : (tensor<2x64x2x1x32xf32>) -> tensor<2x64x2x32xf32>
    %140 = stablehlo.reshape %139 : (tensor<2x64x2x32xf32>) -> tensor<2x64x64xf32>
    %141 = stablehlo.dot_general %140, %arg5, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x64x64xf32>, tensor<64x64xf32>) -> tensor<2x64x64xf32>
    %142 = stablehlo.add %90, %141 : tensor<2x64x64xf32>
    %cst_29 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %143 = stablehlo.reduce(%142 init: %cst_29) applies stablehlo.add across dimensions = [2] : (tensor<2x64x64xf32>, tensor<f32>) -> tensor<2x64xf32>
    %144 = stablehlo.broadcast_in_dim %143, dims = [0, 1] : (tensor<2x64xf32>) -> tensor<2x64x1xf32>
    %cst_30 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %145 = stablehlo.broadcast_in_dim %cst_30, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %146 = stablehlo.divide %144, %145 : tensor<2x64x1xf32>
    %147 = stablehlo.broadcast_in_dim %146, dims = [0, 1, 2] : (tensor<2x64x1xf32>) -> tensor<2x64x64xf32>
    %148 = stablehlo.subtract %142, %147 : tensor<2x64x64xf32>
    %149 = stablehlo.multiply %148, %148 : tensor<2x64x64xf32>
    %cst_31 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %150 = stablehlo.reduce(%149 init: %cst_31) applies stablehlo.add across dimensions = [2] : (tensor<2x64x64xf32>, tensor<f32>) -> tensor<2x64xf32>
    %151 = stablehlo.broadcast_in_dim %150, dims = [0, 1] : (tensor<2x64xf32>) -> tensor<2x64x1xf32>
    %cst_32 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %152 = stablehlo.broadcast_in_dim %cst_32, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %153 = stablehlo.divide %151, %152 : tensor<2x64x1xf32>
    %cst_33 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %154 = stablehlo.broadcast_in_dim %cst_33, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %155 = stablehlo.add %153, %154 : tensor<2x64x1xf32>
    %156 = stablehlo.sqrt %155 : tensor<2x64x1xf32>
    %157 = stablehlo.broadcast_in_dim %156, dims = [0, 1, 2] : (tensor<2x64x1xf32>) -> tensor<2x64x64xf32>
    %158 = stablehlo.divide %148, %157 : tensor<2x64x64xf32>
    %159 = stablehlo.dot_general %158, %arg7, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x64x64xf32>, tensor<64x128xf32>) -> tensor<2x64x128xf32>
    %160 = stablehlo.multiply %159, %159 : tensor<2x64x128xf32>
    %161 = stablehlo.multiply %160, %159 : tensor<2x64x128xf32>
    %cst_34 = stablehlo.constant dense<4.471500e-02> : tensor<f32>
    %162 = stablehlo.broadcast_in_dim %cst_34, dims = [] : (tensor<f32>) -> tensor<2x64x128xf32>
    %163 = stablehlo.multiply %162, %161 : tensor<2x64x128xf32>
    %164 = stablehlo.add %159, %163 : tensor<2x64x128xf32>
    %cst_35 = stablehlo.constant dense<0.797884583> : tensor<f32>
    %165 = stablehlo.broadcast_in_dim %cst_35, dims = [] : (tensor<f32>) -> tensor<2x64x128xf32>
    %166 = stablehlo.multiply %165, %164 : tensor<2x64x128xf32>
    %167 = stablehlo.tanh %166 : tensor<2x64x128xf32>
    %cst_36 = stablehlo.constant dense<1.000000e+00> : tensor<f32>
    %168 = stablehlo.broadcast_in_dim %cst_36, dims = [] : (tensor<f32>) -> tensor<2x64x128xf32>
    %169 = stablehlo.add %168, %167 : tensor<2x64x128xf32>
    %cst_37 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %170 = stablehlo.broadcast_in_dim %cst_37, dims = [] : (tensor<f32>) -> tensor<2x64x128xf32>
    %171 = stablehlo.multiply %170, %169 : tensor<2x64x128xf32>
    %172 = stablehlo.multiply %159, %171 : tensor<2x64x128xf32>
    %173 = stablehlo.dot_general %172, %arg4, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x64x128xf32>, tensor<128x64xf32>) -> tensor<2x64x64xf32>
    %174 = stablehlo.add %142, %173 : tensor<2x64x64xf32>
    %cst_38 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %175 = stablehlo.reduce(%174 init: %cst_38) applies stablehlo.add across dimensions = [2] : (tensor<2x64x64xf32>, tensor<f32>) -> tensor<2x64xf32>
    %176 = stablehlo.broadcast_in_dim %175, dims = [0, 1] : (tensor<2x64xf32>) -> tensor<2x64x1xf32>
    %cst_39 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %177 = stablehlo.broadcast_in_dim %cst_39, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %178 = stablehlo.divide %176, %177 : tensor<2x64x1xf32>
    %179 = stablehlo.broadcast_in_dim %178, dims = [0, 1, 2] : (tensor<2x64x1xf32>) -> tensor<2x64x64xf32>
    %180 = stablehlo.subtract %174, %179 : tensor<2x64x64xf32>
    %181 = stablehlo.multiply %180, %180 : tensor<2x64x64xf32>
    %cst_40 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %182 = stablehlo.reduce(%181 init: %cst_40) applies stablehlo.add across dimensions = [2] : (tensor<2x64x64xf32>, tensor<f32>) -> tensor<2x64xf32>
    %183 = stablehlo.broadcast_in_dim %182, dims = [0, 1] : (tensor<2x64xf32>) -> tensor<2x64x1xf32>
    %cst_41 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %184 = stablehlo.broadcast_in_dim %cst_41, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %185 = stablehlo.divide %183, %184 : tensor<2x64x1xf32>
    %cst_42 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %186 = stablehlo.broadcast_in_dim %cst_42, dims = [] : (tensor<f32>) -> tensor<2x64x1xf32>
    %187 = stablehlo.add %185, %186 : tensor<2x64x1xf32>
    %188 = stablehlo.sqrt %187 : tensor<2x64x1xf32>
    %189 = stablehlo.broadcast_in_dim %188, dims = [0, 1, 2] : (tensor<2x64x1xf32>) -> tensor<2x64x64xf32>
    %190 = stablehlo.divide %180, %189 : tensor<2x64x64xf32>
    return %190 : tensor<2x64x64xf32>
  }
  func.func private @_where(%arg0: tensor<1x2x2x64x64xi1>, %arg1: tensor<2x2x64x1x64xf32>, %arg2: tensor<f32>) -> tensor<1x2x2x64x64xf32> {
    %0 = stablehlo.broadcast_in_dim %arg2, dims = [] : (tensor<f32>) -> tensor<2x2x64x64xf32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [1, 2, 3, 4] : (tensor<2x2x64x64xf32>) -> tensor<1x2x2x64x64xf32>
    %2 = stablehlo.transpose %arg1, dims = [3, 0, 1, 2, 4] : (tensor<2x2x64x1x64xf32>) -> tensor<1x2x2x64x64xf32>
    %3 = stablehlo.select %arg0, %2, %1 : tensor<1x2x2x64x64xi1>, tensor<1x2x2x64x64xf32>
    return %3 : tensor<1x2x2x64x64xf32>
  }
}
