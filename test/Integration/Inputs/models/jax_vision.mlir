module @jit_vision attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  util.global private @weight_0 = #flow.parameter.named<"model"::"0.down"> : tensor<128x64xf32>
  util.global private @weight_1 = #flow.parameter.named<"model"::"0.out"> : tensor<64x64xf32>
  util.global private @weight_2 = #flow.parameter.named<"model"::"0.qkv"> : tensor<64x192xf32>
  util.global private @weight_3 = #flow.parameter.named<"model"::"0.up"> : tensor<64x128xf32>
  util.global private @weight_4 = #flow.parameter.named<"model"::"1.down"> : tensor<128x64xf32>
  util.global private @weight_5 = #flow.parameter.named<"model"::"1.out"> : tensor<64x64xf32>
  util.global private @weight_6 = #flow.parameter.named<"model"::"1.qkv"> : tensor<64x192xf32>
  util.global private @weight_7 = #flow.parameter.named<"model"::"1.up"> : tensor<64x128xf32>
  func.func public @main(%arg8: tensor<1x64x64xf32>) -> (tensor<1x64xf32> {jax.result_info = "result"}) {
    %arg0 = util.global.load @weight_0 : tensor<128x64xf32>
    %arg1 = util.global.load @weight_1 : tensor<64x64xf32>
    %arg2 = util.global.load @weight_2 : tensor<64x192xf32>
    %arg3 = util.global.load @weight_3 : tensor<64x128xf32>
    %arg4 = util.global.load @weight_4 : tensor<128x64xf32>
    %arg5 = util.global.load @weight_5 : tensor<64x64xf32>
    %arg6 = util.global.load @weight_6 : tensor<64x192xf32>
    %arg7 = util.global.load @weight_7 : tensor<64x128xf32>
    %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
    %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<1x1x64xf32>
    %1 = stablehlo.concatenate %0, %arg8, dim = 1 : (tensor<1x1x64xf32>, tensor<1x64x64xf32>) -> tensor<1x65x64xf32>
    %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %2 = stablehlo.reduce(%1 init: %cst_0) applies stablehlo.add across dimensions = [2] : (tensor<1x65x64xf32>, tensor<f32>) -> tensor<1x65xf32>
    %3 = stablehlo.broadcast_in_dim %2, dims = [0, 1] : (tensor<1x65xf32>) -> tensor<1x65x1xf32>
    %cst_1 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %4 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %5 = stablehlo.divide %3, %4 : tensor<1x65x1xf32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [0, 1, 2] : (tensor<1x65x1xf32>) -> tensor<1x65x64xf32>
    %7 = stablehlo.subtract %1, %6 : tensor<1x65x64xf32>
    %8 = stablehlo.multiply %7, %7 : tensor<1x65x64xf32>
    %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %9 = stablehlo.reduce(%8 init: %cst_2) applies stablehlo.add across dimensions = [2] : (tensor<1x65x64xf32>, tensor<f32>) -> tensor<1x65xf32>
    %10 = stablehlo.broadcast_in_dim %9, dims = [0, 1] : (tensor<1x65xf32>) -> tensor<1x65x1xf32>
    %cst_3 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %cst_3, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %12 = stablehlo.divide %10, %11 : tensor<1x65x1xf32>
    %cst_4 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %13 = stablehlo.broadcast_in_dim %cst_4, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %14 = stablehlo.add %12, %13 : tensor<1x65x1xf32>
    %15 = stablehlo.sqrt %14 : tensor<1x65x1xf32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [0, 1, 2] : (tensor<1x65x1xf32>) -> tensor<1x65x64xf32>
    %17 = stablehlo.divide %7, %16 : tensor<1x65x64xf32>
    %18 = stablehlo.dot_general %17, %arg2, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x65x64xf32>, tensor<64x192xf32>) -> tensor<1x65x192xf32>
    %19 = stablehlo.slice %18 [0:1, 0:65, 0:64] : (tensor<1x65x192xf32>) -> tensor<1x65x64xf32>
    %20 = stablehlo.slice %18 [0:1, 0:65, 64:128] : (tensor<1x65x192xf32>) -> tensor<1x65x64xf32>
    %21 = stablehlo.slice %18 [0:1, 0:65, 128:192] : (tensor<1x65x192xf32>) -> tensor<1x65x64xf32>
    %22 = stablehlo.reshape %19 : (tensor<1x65x64xf32>) -> tensor<1x65x2x32xf32>
    %23 = stablehlo.reshape %20 : (tensor<1x65x64xf32>) -> tensor<1x65x2x32xf32>
    %24 = stablehlo.reshape %21 : (tensor<1x65x64xf32>) -> tensor<1x65x2x32xf32>
    %25 = stablehlo.reshape %22 : (tensor<1x65x2x32xf32>) -> tensor<1x65x2x1x32xf32>
    %26 = stablehlo.dot_general %25, %23, batching_dims = [0, 2] x [0, 2], contracting_dims = [4] x [3], precision = [DEFAULT, DEFAULT] : (tensor<1x65x2x1x32xf32>, tensor<1x65x2x32xf32>) -> tensor<1x2x65x1x65xf32>
    %cst_5 = stablehlo.constant dense<0.176776692> : tensor<f32>
    %27 = stablehlo.broadcast_in_dim %cst_5, dims = [] : (tensor<f32>) -> tensor<1x2x65x1x65xf32>
    %28 = stablehlo.multiply %26, %27 : tensor<1x2x65x1x65xf32>
    %cst_6 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %29 = stablehlo.reduce(%28 init: %cst_6) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x65x1x65xf32>, tensor<f32>) -> tensor<1x2x65x1xf32>
    %cst_7 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %30 = stablehlo.broadcast_in_dim %cst_7, dims = [] : (tensor<f32>) -> tensor<1x2x65x1xf32>
    %31 = stablehlo.maximum %30, %29 : tensor<1x2x65x1xf32>
    %32 = stablehlo.transpose %31, dims = [3, 0, 1, 2] : (tensor<1x2x65x1xf32>) -> tensor<1x1x2x65xf32>
    %33 = stablehlo.broadcast_in_dim %32, dims = [0, 1, 2, 3] : (tensor<1x1x2x65xf32>) -> tensor<1x1x2x65x1xf32>
    %34 = stablehlo.transpose %28, dims = [3, 0, 1, 2, 4] : (tensor<1x2x65x1x65xf32>) -> tensor<1x1x2x65x65xf32>
    %35 = stablehlo.broadcast_in_dim %33, dims = [0, 1, 2, 3, 4] : (tensor<1x1x2x65x1xf32>) -> tensor<1x1x2x65x65xf32>
    %36 = stablehlo.subtract %34, %35 : tensor<1x1x2x65x65xf32>
    %37 = stablehlo.exponential %36 : tensor<1x1x2x65x65xf32>
    %cst_8 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %38 = stablehlo.reduce(%37 init: %cst_8) applies stablehlo.add across dimensions = [4] : (tensor<1x1x2x65x65xf32>, tensor<f32>) -> tensor<1x1x2x65xf32>
    %39 = stablehlo.broadcast_in_dim %38, dims = [0, 1, 2, 3] : (tensor<1x1x2x65xf32>) -> tensor<1x1x2x65x1xf32>
    %40 = stablehlo.broadcast_in_dim %39, dims = [0, 1, 2, 3, 4] : (tensor<1x1x2x65x1xf32>) -> tensor<1x1x2x65x65xf32>
    %41 = stablehlo.divide %37, %40 : tensor<1x1x2x65x65xf32>
    %42 = stablehlo.dot_general %24, %41, batching_dims = [0, 2] x [1, 2], contracting_dims = [1] x [4], precision = [DEFAULT, DEFAULT] : (tensor<1x65x2x32xf32>, tensor<1x1x2x65x65xf32>) -> tensor<1x2x32x1x65xf32>
    %43 = stablehlo.transpose %42, dims = [3, 0, 4, 1, 2] : (tensor<1x2x32x1x65xf32>) -> tensor<1x1x65x2x32xf32>
    %44 = stablehlo.transpose %43, dims = [1, 2, 3, 0, 4] : (tensor<1x1x65x2x32xf32>) -> tensor<1x65x2x1x32xf32>
    %45 = stablehlo.reshape %44 : (tensor<1x65x2x1x32xf32>) -> tensor<1x65x2x32xf32>
    %46 = stablehlo.reshape %45 : (tensor<1x65x2x32xf32>) -> tensor<1x65x64xf32>
    %47 = stablehlo.dot_general %46, %arg1, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x65x64xf32>, tensor<64x64xf32>) -> tensor<1x65x64xf32>
    %48 = stablehlo.add %1, %47 : tensor<1x65x64xf32>
    %cst_9 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %49 = stablehlo.reduce(%48 init: %cst_9) applies stablehlo.add across dimensions = [2] : (tensor<1x65x64xf32>, tensor<f32>) -> tensor<1x65xf32>
    %50 = stablehlo.broadcast_in_dim %49, dims = [0, 1] : (tensor<1x65xf32>) -> tensor<1x65x1xf32>
    %cst_10 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %51 = stablehlo.broadcast_in_dim %cst_10, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %52 = stablehlo.divide %50, %51 : tensor<1x65x1xf32>
    %53 = stablehlo.broadcast_in_dim %52, dims = [0, 1, 2] : (tensor<1x65x1xf32>) -> tensor<1x65x64xf32>
    %54 = stablehlo.subtract %48, %53 : tensor<1x65x64xf32>
    %55 = stablehlo.multiply %54, %54 : tensor<1x65x64xf32>
    %cst_11 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %56 = stablehlo.reduce(%55 init: %cst_11) applies stablehlo.add across dimensions = [2] : (tensor<1x65x64xf32>, tensor<f32>) -> tensor<1x65xf32>
    %57 = stablehlo.broadcast_in_dim %56, dims = [0, 1] : (tensor<1x65xf32>) -> tensor<1x65x1xf32>
    %cst_12 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %58 = stablehlo.broadcast_in_dim %cst_12, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %59 = stablehlo.divide %57, %58 : tensor<1x65x1xf32>
    %cst_13 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %60 = stablehlo.broadcast_in_dim %cst_13, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %61 = stablehlo.add %59, %60 : tensor<1x65x1xf32>
    %62 = stablehlo.sqrt %61 : tensor<1x65x1xf32>
    %63 = stablehlo.broadcast_in_dim %62, dims = [0, 1, 2] : (tensor<1x65x1xf32>) -> tensor<1x65x64xf32>
    %64 = stablehlo.divide %54, %63 : tensor<1x65x64xf32>
    %65 = stablehlo.dot_general %64, %arg3, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x65x64xf32>, tensor<64x128xf32>) -> tensor<1x65x128xf32>
    %66 = stablehlo.multiply %65, %65 : tensor<1x65x128xf32>
    %67 = stablehlo.multiply %66, %65 : tensor<1x65x128xf32>
    %cst_14 = stablehlo.constant dense<4.471500e-02> : tensor<f32>
    %68 = stablehlo.broadcast_in_dim %cst_14, dims = [] : (tensor<f32>) -> tensor<1x65x128xf32>
    %69 = stablehlo.multiply %68, %67 : tensor<1x65x128xf32>
    %70 = stablehlo.add %65, %69 : tensor<1x65x128xf32>
    %cst_15 = stablehlo.constant dense<0.797884583> : tensor<f32>
    %71 = stablehlo.broadcast_in_dim %cst_15, dims = [] : (tensor<f32>) -> tensor<1x65x128xf32>
    %72 = stablehlo.multiply %71, %70 : tensor<1x65x128xf32>
    %73 = stablehlo.tanh %72 : tensor<1x65x128xf32>
    %cst_16 = stablehlo.constant dense<1.000000e+00> : tensor<f32>
    %74 = stablehlo.broadcast_in_dim %cst_16, dims = [] : (tensor<f32>) -> tensor<1x65x128xf32>
    %75 = stablehlo.add %74, %73 : tensor<1x65x128xf32>
    %cst_17 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %76 = stablehlo.broadcast_in_dim %cst_17, dims = [] : (tensor<f32>) -> tensor<1x65x128xf32>
    %77 = stablehlo.multiply %76, %75 : tensor<1x65x128xf32>
    %78 = stablehlo.multiply %65, %77 : tensor<1x65x128xf32>
    %79 = stablehlo.dot_general %78, %arg0, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x65x128xf32>, tensor<128x64xf32>) -> tensor<1x65x64xf32>
    %80 = stablehlo.add %48, %79 : tensor<1x65x64xf32>
    %cst_18 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %81 = stablehlo.reduce(%80 init: %cst_18) applies stablehlo.add across dimensions = [2] : (tensor<1x65x64xf32>, tensor<f32>) -> tensor<1x65xf32>
    %82 = stablehlo.broadcast_in_dim %81, dims = [0, 1] : (tensor<1x65xf32>) -> tensor<1x65x1xf32>
    %cst_19 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %83 = stablehlo.broadcast_in_dim %cst_19, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %84 = stablehlo.divide %82, %83 : tensor<1x65x1xf32>
    %85 = stablehlo.broadcast_in_dim %84, dims = [0, 1, 2] : (tensor<1x65x1xf32>) -> tensor<1x65x64xf32>
    %86 = stablehlo.subtract %80, %85 : tensor<1x65x64xf32>
    %87 = stablehlo.multiply %86, %86 : tensor<1x65x64xf32>
    %cst_20 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %88 = stablehlo.reduce(%87 init: %cst_20) applies stablehlo.add across dimensions = [2] : (tensor<1x65x64xf32>, tensor<f32>) -> tensor<1x65xf32>
    %89 = stablehlo.broadcast_in_dim %88, dims = [0, 1] : (tensor<1x65xf32>) -> tensor<1x65x1xf32>
    %cst_21 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %90 = stablehlo.broadcast_in_dim %cst_21, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %91 = stablehlo.divide %89, %90 : tensor<1x65x1xf32>
    %cst_22 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %92 = stablehlo.broadcast_in_dim %cst_22, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %93 = stablehlo.add %91, %92 : tensor<1x65x1xf32>
    %94 = stablehlo.sqrt %93 : tensor<1x65x1xf32>
    %95 = stablehlo.broadcast_in_dim %94, dims = [0, 1, 2] : (tensor<1x65x1xf32>) -> tensor<1x65x64xf32>
    %96 = stablehlo.divide %86, %95 : tensor<1x65x64xf32>
    %97 = stablehlo.dot_general %96, %arg6, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x65x64xf32>, tensor<64x192xf32>) -> tensor<1x65x192xf32>
    %98 = stablehlo.slice %97 [0:1, 0:65, 0:64] : (tensor<1x65x192xf32>) -> tensor<1x65x64xf32>
    %99 = stablehlo.slice %97 [0:1, 0:65, 64:128] : (tensor<1x65x192xf32>) -> tensor<1x65x64xf32>
    %100 = stablehlo.slice %97 [0:1, 0:65, 128:192] : (tensor<1x65x192xf32>) -> tensor<1x65x64xf32>
    %101 = stablehlo.reshape %98 : (tensor<1x65x64xf32>) -> tensor<1x65x2x32xf32>
    %102 = stablehlo.reshape %99 : (tensor<1x65x64xf32>) -> tensor<1x65x2x32xf32>
    %103 = stablehlo.reshape %100 : (tensor<1x65x64xf32>) -> tensor<1x65x2x32xf32>
    %104 = stablehlo.reshape %101 : (tensor<1x65x2x32xf32>) -> tensor<1x65x2x1x32xf32>
    %105 = stablehlo.dot_general %104, %102, batching_dims = [0, 2] x [0, 2], contracting_dims = [4] x [3], precision = [DEFAULT, DEFAULT] : (tensor<1x65x2x1x32xf32>, tensor<1x65x2x32xf32>) -> tensor<1x2x65x1x65xf32>
    %cst_23 = stablehlo.constant dense<0.176776692> : tensor<f32>
    %106 = stablehlo.broadcast_in_dim %cst_23, dims = [] : (tensor<f32>) -> tensor<1x2x65x1x65xf32>
    %107 = stablehlo.multiply %105, %106 : tensor<1x2x65x1x65xf32>
    %cst_24 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %108 = stablehlo.reduce(%107 init: %cst_24) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x65x1x65xf32>, tensor<f32>) -> tensor<1x2x65x1xf32>
    %cst_25 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %109 = stablehlo.broadcast_in_dim %cst_25, dims = [] : (tensor<f32>) -> tensor<1x2x65x1xf32>
    %110 = stablehlo.maximum %109, %108 : tensor<1x2x65x1xf32>
    %111 = stablehlo.transpose %110, dims = [3, 0, 1, 2] : (tensor<1x2x65x1xf32>) -> tensor<1x1x2x65xf32>
    %112 = stablehlo.broadcast_in_dim %111, dims = [0, 1, 2, 3] : (tensor<1x1x2x65xf32>) -> tensor<1x1x2x65x1xf32>
    %113 = stablehlo.transpose %107, dims = [3, 0, 1, 2, 4] : (tensor<1x2x65x1x65xf32>) -> tensor<1x1x2x65x65xf32>
    %114 = stablehlo.broadcast_in_dim %112, dims = [0, 1, 2, 3, 4] : (tensor<1x1x2x65x1xf32>) -> tensor<1x1x2x65x65xf32>
    %115 = stablehlo.subtract %113, %114 : tensor<1x1x2x65x65xf32>
    %116 = stablehlo.exponential %115 : tensor<1x1x2x65x65xf32>
    %cst_26 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %117 = stablehlo.reduce(%116 init: %cst_26) applies stablehlo.add across dimensions = [4] : (tensor<1x1x2x65x65xf32>, tensor<f32>) -> tensor<1x1x2x65xf32>
    %118 = stablehlo.broadcast_in_dim %117, dims = [0, 1, 2, 3] : (tensor<1x1x2x65xf32>) -> tensor<1x1x2x65x1xf32>
    %119 = stablehlo.broadcast_in_dim %118, dims = [0, 1, 2, 3, 4] : (tensor<1x1x2x65x1xf32>) -> tensor<1x1x2x65x65xf32>
    %120 = stablehlo.divide %116, %119 : tensor<1x1x2x65x65xf32>
    %121 = stablehlo.dot_general %103, %120, batching_dims = [0, 2] x [1, 2], contracting_dims = [1] x [4], precision = [DEFAULT, DEFAULT] : (tensor<1x65x2x32xf32>, tensor<1x1x2x65x65xf32>) -> tensor<1x2x32x1x65xf32>
    %122 = stablehlo.transpose %121, dims = [3, 0, 4, 1, 2] : (tensor<1x2x32x1x65xf32>) -> tensor<1x1x65x2x32xf32>
    %123 = stablehlo.transpose %122, dims = [1, 2, 3, 0, 4] : (tensor<1x1x65x2x32xf32>) -> tensor<1x65x2x1x32xf32>
    %124 = stablehlo.reshape %123 : (tensor<1x65x2x1x32xf32>) -> tensor<1x65x2x32xf32>
    %125 = stablehlo.reshape %124 : (tensor<1x65x2x32xf32>) -> tensor<1x65x64xf32>
    %126 = stablehlo.dot_general %125, %arg5, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x65x64xf32>, tensor<64x64xf32>) -> tensor<1x65x64xf32>
    %127 = stablehlo.add %80, %126 : tensor<1x65x64xf32>
    %cst_27 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %128 = stablehlo.reduce(%127 init: %cst_27) applies stablehlo.add across dimensions = [2] : (tensor<1x65x64xf32>, tensor<f32>) -> tensor<1x65xf32>
    %129 = stablehlo.broadcast_in_dim %128, dims = [0, 1] : (tensor<1x65xf32>) -> tensor<1x65x1xf32>
    %cst_28 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %130 = stablehlo.broadcast_in_dim %cst_28, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %131 = stablehlo.divide %129, %130 : tensor<1x65x1xf32>
    %132 = stablehlo.broadcast_in_dim %131, dims = [0, 1, 2] : (tensor<1x65x1xf32>) -> tensor<1x65x64xf32>
    %133 = stablehlo.subtract %127, %132 : tensor<1x65x64xf32>
    %134 = stablehlo.multiply %133, %133 : tensor<1x65x64xf32>
    %cst_29 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %135 = stablehlo.reduce(%134 init: %cst_29) applies stablehlo.add across dimensions = [2] : (tensor<1x65x64xf32>, tensor<f32>) -> tensor<1x65xf32>
    %136 = stablehlo.broadcast_in_dim %135, dims = [0, 1] : (tensor<1x65xf32>) -> tensor<1x65x1xf32>
    %cst_30 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %137 = stablehlo.broadcast_in_dim %cst_30, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %138 = stablehlo.divide %136, %137 : tensor<1x65x1xf32>
    %cst_31 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %139 = stablehlo.broadcast_in_dim %cst_31, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %140 = stablehlo.add %138, %139 : tensor<1x65x1xf32>
    %141 = stablehlo.sqrt %140 : tensor<1x65x1xf32>
    %142 = stablehlo.broadcast_in_dim %141, dims = [0, 1, 2] : (tensor<1x65x1xf32>) -> tensor<1x65x64xf32>
    %143 = stablehlo.divide %133, %142 : tensor<1x65x64xf32>
    %144 = stablehlo.dot_general %143, %arg7, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x65x64xf32>, tensor<64x128xf32>) -> tensor<1x65x128xf32>
    %145 = stablehlo.multiply %144, %144 : tensor<1x65x128xf32>
    %146 = stablehlo.multiply %145, %144 : tensor<1x65x128xf32>
    %cst_32 = stablehlo.constant dense<4.471500e-02> : tensor<f32>
    %147 = stablehlo.broadcast_in_dim %cst_32, dims = [] : (tensor<f32>) -> tensor<1x65x128xf32>
    %148 = stablehlo.multiply %147, %146 : tensor<1x65x128xf32>
    %149 = stablehlo.add %144, %148 : tensor<1x65x128xf32>
    %cst_33 = stablehlo.constant dense<0.797884583> : tensor<f32>
    %150 = stablehlo.broadcast_in_dim %cst_33, dims = [] : (tensor<f32>) -> tensor<1x65x128xf32>
    %151 = stablehlo.multiply %150, %149 : tensor<1x65x128xf32>
    %152 = stablehlo.tanh %151 : tensor<1x65x128xf32>
    %cst_34 = stablehlo.constant dense<1.000000e+00> : tensor<f32>
    %153 = stablehlo.broadcast_in_dim %cst_34, dims = [] : (tensor<f32>) -> tensor<1x65x128xf32>
    %154 = stablehlo.add %153, %152 : tensor<1x65x128xf32>
    %cst_35 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %155 = stablehlo.broadcast_in_dim %cst_35, dims = [] : (tensor<f32>) -> tensor<1x65x128xf32>
    %156 = stablehlo.multiply %155, %154 : tensor<1x65x128xf32>
    %157 = stablehlo.multiply %144, %156 : tensor<1x65x128xf32>
    %158 = stablehlo.dot_general %157, %arg4, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x65x128xf32>, tensor<128x64xf32>) -> tensor<1x65x64xf32>
    %159 = stablehlo.add %127, %158 : tensor<1x65x64xf32>
    %cst_36 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %160 = stablehlo.reduce(%159 init: %cst_36) applies stablehlo.add across dimensions = [2] : (tensor<1x65x64xf32>, tensor<f32>) -> tensor<1x65xf32>
    %161 = stablehlo.broadcast_in_dim %160, dims = [0, 1] : (tensor<1x65xf32>) -> tensor<1x65x1xf32>
    %cst_37 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %162 = stablehlo.broadcast_in_dim %cst_37, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %163 = stablehlo.divide %161, %162 : tensor<1x65x1xf32>
    %164 = stablehlo.broadcast_in_dim %163, dims = [0, 1, 2] : (tensor<1x65x1xf32>) -> tensor<1x65x64xf32>
    %165 = stablehlo.subtract %159, %164 : tensor<1x65x64xf32>
    %166 = stablehlo.multiply %165, %165 : tensor<1x65x64xf32>
    %cst_38 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %167 = stablehlo.reduce(%166 init: %cst_38) applies stablehlo.add across dimensions = [2] : (tensor<1x65x64xf32>, tensor<f32>) -> tensor<1x65xf32>
    %168 = stablehlo.broadcast_in_dim %167, dims = [0, 1] : (tensor<1x65xf32>) -> tensor<1x65x1xf32>
    %cst_39 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %169 = stablehlo.broadcast_in_dim %cst_39, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %170 = stablehlo.divide %168, %169 : tensor<1x65x1xf32>
    %cst_40 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %171 = stablehlo.broadcast_in_dim %cst_40, dims = [] : (tensor<f32>) -> tensor<1x65x1xf32>
    %172 = stablehlo.add %170, %171 : tensor<1x65x1xf32>
    %173 = stablehlo.sqrt %172 : tensor<1x65x1xf32>
    %174 = stablehlo.broadcast_in_dim %173, dims = [0, 1, 2] : (tensor<1x65x1xf32>) -> tensor<1x65x64xf32>
    %175 = stablehlo.divide %165, %174 : tensor<1x65x64xf32>
    %176 = stablehlo.slice %175 [0:1, 0:1, 0:64] : (tensor<1x65x64xf32>) -> tensor<1x1x64xf32>
    %177 = stablehlo.reshape %176 : (tensor<1x1x64xf32>) -> tensor<1x64xf32>
    return %177 : tensor<1x64xf32>
  }
}
