module @jit_decode attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  util.global private @weight_0 = #flow.parameter.named<"model"::"0.down"> : tensor<128x64xf32>
  util.global private @weight_1 = #flow.parameter.named<"model"::"0.out"> : tensor<64x64xf32>
  util.global private @weight_2 = #flow.parameter.named<"model"::"0.qkv"> : tensor<64x192xf32>
  util.global private @weight_3 = #flow.parameter.named<"model"::"0.up"> : tensor<64x128xf32>
  util.global private @weight_4 = #flow.parameter.named<"model"::"1.down"> : tensor<128x64xf32>
  util.global private @weight_5 = #flow.parameter.named<"model"::"1.out"> : tensor<64x64xf32>
  util.global private @weight_6 = #flow.parameter.named<"model"::"1.qkv"> : tensor<64x192xf32>
  util.global private @weight_7 = #flow.parameter.named<"model"::"1.up"> : tensor<64x128xf32>
  func.func public @main(%arg8: tensor<1x1x64xf32>, %arg9: tensor<2x1x70x2x32xf32>, %arg10: tensor<2x1x70x2x32xf32>, %arg11: tensor<i32>) -> (tensor<1x1x64xf32> {jax.result_info = "result[0]"}, tensor<2x1x70x2x32xf32> {jax.result_info = "result[1]"}, tensor<2x1x70x2x32xf32> {jax.result_info = "result[2]"}) {
    %arg0 = util.global.load @weight_0 : tensor<128x64xf32>
    %arg1 = util.global.load @weight_1 : tensor<64x64xf32>
    %arg2 = util.global.load @weight_2 : tensor<64x192xf32>
    %arg3 = util.global.load @weight_3 : tensor<64x128xf32>
    %arg4 = util.global.load @weight_4 : tensor<128x64xf32>
    %arg5 = util.global.load @weight_5 : tensor<64x64xf32>
    %arg6 = util.global.load @weight_6 : tensor<64x192xf32>
    %arg7 = util.global.load @weight_7 : tensor<64x128xf32>
    %0 = stablehlo.iota dim = 0 : tensor<70xi32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [3] : (tensor<70xi32>) -> tensor<1x1x1x70xi32>
    %2 = stablehlo.broadcast_in_dim %arg11, dims = [] : (tensor<i32>) -> tensor<1x1x1x70xi32>
    %3 = stablehlo.compare LE, %1, %2, SIGNED : (tensor<1x1x1x70xi32>, tensor<1x1x1x70xi32>) -> tensor<1x1x1x70xi1>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %4 = stablehlo.reduce(%arg8 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<1x1x64xf32>, tensor<f32>) -> tensor<1x1xf32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x1xf32>
    %cst_0 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %7 = stablehlo.divide %5, %6 : tensor<1x1x1xf32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [0, 1, 2] : (tensor<1x1x1xf32>) -> tensor<1x1x64xf32>
    %9 = stablehlo.subtract %arg8, %8 : tensor<1x1x64xf32>
    %10 = stablehlo.multiply %9, %9 : tensor<1x1x64xf32>
    %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %11 = stablehlo.reduce(%10 init: %cst_1) applies stablehlo.add across dimensions = [2] : (tensor<1x1x64xf32>, tensor<f32>) -> tensor<1x1xf32>
    %12 = stablehlo.broadcast_in_dim %11, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x1xf32>
    %cst_2 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %13 = stablehlo.broadcast_in_dim %cst_2, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %14 = stablehlo.divide %12, %13 : tensor<1x1x1xf32>
    %cst_3 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %15 = stablehlo.broadcast_in_dim %cst_3, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %16 = stablehlo.add %14, %15 : tensor<1x1x1xf32>
    %17 = stablehlo.sqrt %16 : tensor<1x1x1xf32>
    %18 = stablehlo.broadcast_in_dim %17, dims = [0, 1, 2] : (tensor<1x1x1xf32>) -> tensor<1x1x64xf32>
    %19 = stablehlo.divide %9, %18 : tensor<1x1x64xf32>
    %20 = stablehlo.dot_general %19, %arg2, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x1x64xf32>, tensor<64x192xf32>) -> tensor<1x1x192xf32>
    %21 = stablehlo.slice %20 [0:1, 0:1, 0:64] : (tensor<1x1x192xf32>) -> tensor<1x1x64xf32>
    %22 = stablehlo.slice %20 [0:1, 0:1, 64:128] : (tensor<1x1x192xf32>) -> tensor<1x1x64xf32>
    %23 = stablehlo.slice %20 [0:1, 0:1, 128:192] : (tensor<1x1x192xf32>) -> tensor<1x1x64xf32>
    %24 = stablehlo.reshape %21 : (tensor<1x1x64xf32>) -> tensor<1x1x2x32xf32>
    %25 = stablehlo.reshape %22 : (tensor<1x1x64xf32>) -> tensor<1x1x2x32xf32>
    %26 = stablehlo.reshape %23 : (tensor<1x1x64xf32>) -> tensor<1x1x2x32xf32>
    %27 = stablehlo.broadcast_in_dim %25, dims = [1, 2, 3, 4] : (tensor<1x1x2x32xf32>) -> tensor<1x1x1x2x32xf32>
    %c = stablehlo.constant dense<0> : tensor<i32>
    %28 = stablehlo.compare LT, %arg11, %c, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    %c_4 = stablehlo.constant dense<70> : tensor<i32>
    %29 = stablehlo.add %arg11, %c_4 : tensor<i32>
    %30 = stablehlo.select %28, %29, %arg11 : tensor<i1>, tensor<i32>
    %c_5 = stablehlo.constant dense<0> : tensor<i32>
    %c_6 = stablehlo.constant dense<0> : tensor<i32>
    %c_7 = stablehlo.constant dense<0> : tensor<i32>
    %c_8 = stablehlo.constant dense<0> : tensor<i32>
    %31 = stablehlo.dynamic_update_slice %arg9, %27, %c_5, %c_6, %30, %c_7, %c_8 : (tensor<2x1x70x2x32xf32>, tensor<1x1x1x2x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x1x70x2x32xf32>
    %32 = stablehlo.broadcast_in_dim %26, dims = [1, 2, 3, 4] : (tensor<1x1x2x32xf32>) -> tensor<1x1x1x2x32xf32>
    %c_9 = stablehlo.constant dense<0> : tensor<i32>
    %33 = stablehlo.compare LT, %arg11, %c_9, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    %c_10 = stablehlo.constant dense<70> : tensor<i32>
    %34 = stablehlo.add %arg11, %c_10 : tensor<i32>
    %35 = stablehlo.select %33, %34, %arg11 : tensor<i1>, tensor<i32>
    %c_11 = stablehlo.constant dense<0> : tensor<i32>
    %c_12 = stablehlo.constant dense<0> : tensor<i32>
    %c_13 = stablehlo.constant dense<0> : tensor<i32>
    %c_14 = stablehlo.constant dense<0> : tensor<i32>
    %36 = stablehlo.dynamic_update_slice %arg10, %32, %c_11, %c_12, %35, %c_13, %c_14 : (tensor<2x1x70x2x32xf32>, tensor<1x1x1x2x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x1x70x2x32xf32>
    %37 = stablehlo.slice %31 [0:1, 0:1, 0:70, 0:2, 0:32] : (tensor<2x1x70x2x32xf32>) -> tensor<1x1x70x2x32xf32>
    %38 = stablehlo.reshape %37 : (tensor<1x1x70x2x32xf32>) -> tensor<1x70x2x32xf32>
    %39 = stablehlo.slice %36 [0:1, 0:1, 0:70, 0:2, 0:32] : (tensor<2x1x70x2x32xf32>) -> tensor<1x1x70x2x32xf32>
    %40 = stablehlo.reshape %39 : (tensor<1x1x70x2x32xf32>) -> tensor<1x70x2x32xf32>
    %41 = stablehlo.reshape %24 : (tensor<1x1x2x32xf32>) -> tensor<1x1x2x1x32xf32>
    %42 = stablehlo.broadcast_in_dim %3, dims = [0, 1, 3, 4] : (tensor<1x1x1x70xi1>) -> tensor<1x1x1x1x70xi1>
    %43 = stablehlo.dot_general %41, %38, batching_dims = [0, 2] x [0, 2], contracting_dims = [4] x [3], precision = [DEFAULT, DEFAULT] : (tensor<1x1x2x1x32xf32>, tensor<1x70x2x32xf32>) -> tensor<1x2x1x1x70xf32>
    %cst_15 = stablehlo.constant dense<0.176776692> : tensor<f32>
    %44 = stablehlo.broadcast_in_dim %cst_15, dims = [] : (tensor<f32>) -> tensor<1x2x1x1x70xf32>
    %45 = stablehlo.multiply %43, %44 : tensor<1x2x1x1x70xf32>
    %c_16 = stablehlo.constant dense<true> : tensor<i1>
    %46 = stablehlo.broadcast_in_dim %c_16, dims = [] : (tensor<i1>) -> tensor<1x2x1x70xi1>
    %47 = stablehlo.broadcast_in_dim %46, dims = [1, 2, 3, 4] : (tensor<1x2x1x70xi1>) -> tensor<1x1x2x1x70xi1>
    %48 = stablehlo.transpose %42, dims = [2, 0, 1, 3, 4] : (tensor<1x1x1x1x70xi1>) -> tensor<1x1x1x1x70xi1>
    %49 = stablehlo.broadcast_in_dim %48, dims = [0, 1, 2, 3, 4] : (tensor<1x1x1x1x70xi1>) -> tensor<1x1x2x1x70xi1>
    %50 = stablehlo.and %47, %49 : tensor<1x1x2x1x70xi1>
    %cst_17 = stablehlo.constant dense<-2.38197633E+38> : tensor<f32>
    %51 = call @_where(%50, %45, %cst_17) : (tensor<1x1x2x1x70xi1>, tensor<1x2x1x1x70xf32>, tensor<f32>) -> tensor<1x1x2x1x70xf32>
    %cst_18 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %52 = stablehlo.reduce(%51 init: %cst_18) applies stablehlo.maximum across dimensions = [4] : (tensor<1x1x2x1x70xf32>, tensor<f32>) -> tensor<1x1x2x1xf32>
    %cst_19 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %53 = stablehlo.broadcast_in_dim %cst_19, dims = [] : (tensor<f32>) -> tensor<1x1x2x1xf32>
    %54 = stablehlo.maximum %53, %52 : tensor<1x1x2x1xf32>
    %55 = stablehlo.broadcast_in_dim %54, dims = [0, 1, 2, 3] : (tensor<1x1x2x1xf32>) -> tensor<1x1x2x1x1xf32>
    %56 = stablehlo.broadcast_in_dim %55, dims = [0, 1, 2, 3, 4] : (tensor<1x1x2x1x1xf32>) -> tensor<1x1x2x1x70xf32>
    %57 = stablehlo.subtract %51, %56 : tensor<1x1x2x1x70xf32>
    %58 = stablehlo.exponential %57 : tensor<1x1x2x1x70xf32>
    %cst_20 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %59 = stablehlo.reduce(%58 init: %cst_20) applies stablehlo.add across dimensions = [4] : (tensor<1x1x2x1x70xf32>, tensor<f32>) -> tensor<1x1x2x1xf32>
    %60 = stablehlo.broadcast_in_dim %59, dims = [0, 1, 2, 3] : (tensor<1x1x2x1xf32>) -> tensor<1x1x2x1x1xf32>
    %61 = stablehlo.broadcast_in_dim %60, dims = [0, 1, 2, 3, 4] : (tensor<1x1x2x1x1xf32>) -> tensor<1x1x2x1x70xf32>
    %62 = stablehlo.divide %58, %61 : tensor<1x1x2x1x70xf32>
    %63 = stablehlo.dot_general %40, %62, batching_dims = [0, 2] x [1, 2], contracting_dims = [1] x [4], precision = [DEFAULT, DEFAULT] : (tensor<1x70x2x32xf32>, tensor<1x1x2x1x70xf32>) -> tensor<1x2x32x1x1xf32>
    %64 = stablehlo.transpose %63, dims = [3, 0, 4, 1, 2] : (tensor<1x2x32x1x1xf32>) -> tensor<1x1x1x2x32xf32>
    %65 = stablehlo.transpose %64, dims = [1, 2, 3, 0, 4] : (tensor<1x1x1x2x32xf32>) -> tensor<1x1x2x1x32xf32>
    %66 = stablehlo.reshape %65 : (tensor<1x1x2x1x32xf32>) -> tensor<1x1x2x32xf32>
    %67 = stablehlo.reshape %66 : (tensor<1x1x2x32xf32>) -> tensor<1x1x64xf32>
    %68 = stablehlo.dot_general %67, %arg1, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x1x64xf32>, tensor<64x64xf32>) -> tensor<1x1x64xf32>
    %69 = stablehlo.add %arg8, %68 : tensor<1x1x64xf32>
    %cst_21 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %70 = stablehlo.reduce(%69 init: %cst_21) applies stablehlo.add across dimensions = [2] : (tensor<1x1x64xf32>, tensor<f32>) -> tensor<1x1xf32>
    %71 = stablehlo.broadcast_in_dim %70, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x1xf32>
    %cst_22 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %72 = stablehlo.broadcast_in_dim %cst_22, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %73 = stablehlo.divide %71, %72 : tensor<1x1x1xf32>
    %74 = stablehlo.broadcast_in_dim %73, dims = [0, 1, 2] : (tensor<1x1x1xf32>) -> tensor<1x1x64xf32>
    %75 = stablehlo.subtract %69, %74 : tensor<1x1x64xf32>
    %76 = stablehlo.multiply %75, %75 : tensor<1x1x64xf32>
    %cst_23 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %77 = stablehlo.reduce(%76 init: %cst_23) applies stablehlo.add across dimensions = [2] : (tensor<1x1x64xf32>, tensor<f32>) -> tensor<1x1xf32>
    %78 = stablehlo.broadcast_in_dim %77, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x1xf32>
    %cst_24 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %79 = stablehlo.broadcast_in_dim %cst_24, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %80 = stablehlo.divide %78, %79 : tensor<1x1x1xf32>
    %cst_25 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %81 = stablehlo.broadcast_in_dim %cst_25, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %82 = stablehlo.add %80, %81 : tensor<1x1x1xf32>
    %83 = stablehlo.sqrt %82 : tensor<1x1x1xf32>
    %84 = stablehlo.broadcast_in_dim %83, dims = [0, 1, 2] : (tensor<1x1x1xf32>) -> tensor<1x1x64xf32>
    %85 = stablehlo.divide %75, %84 : tensor<1x1x64xf32>
    %86 = stablehlo.dot_general %85, %arg3, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x1x64xf32>, tensor<64x128xf32>) -> tensor<1x1x128xf32>
    %87 = stablehlo.multiply %86, %86 : tensor<1x1x128xf32>
    %88 = stablehlo.multiply %87, %86 : tensor<1x1x128xf32>
    %cst_26 = stablehlo.constant dense<4.471500e-02> : tensor<f32>
    %89 = stablehlo.broadcast_in_dim %cst_26, dims = [] : (tensor<f32>) -> tensor<1x1x128xf32>
    %90 = stablehlo.multiply %89, %88 : tensor<1x1x128xf32>
    %91 = stablehlo.add %86, %90 : tensor<1x1x128xf32>
    %cst_27 = stablehlo.constant dense<0.797884583> : tensor<f32>
    %92 = stablehlo.broadcast_in_dim %cst_27, dims = [] : (tensor<f32>) -> tensor<1x1x128xf32>
    %93 = stablehlo.multiply %92, %91 : tensor<1x1x128xf32>
    %94 = stablehlo.tanh %93 : tensor<1x1x128xf32>
    %cst_28 = stablehlo.constant dense<1.000000e+00> : tensor<f32>
    %95 = stablehlo.broadcast_in_dim %cst_28, dims = [] : (tensor<f32>) -> tensor<1x1x128xf32>
    %96 = stablehlo.add %95, %94 : tensor<1x1x128xf32>
    %cst_29 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %97 = stablehlo.broadcast_in_dim %cst_29, dims = [] : (tensor<f32>) -> tensor<1x1x128xf32>
    %98 = stablehlo.multiply %97, %96 : tensor<1x1x128xf32>
    %99 = stablehlo.multiply %86, %98 : tensor<1x1x128xf32>
    %100 = stablehlo.dot_general %99, %arg0, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x1x128xf32>, tensor<128x64xf32>) -> tensor<1x1x64xf32>
    %101 = stablehlo.add %69, %100 : tensor<1x1x64xf32>
    %cst_30 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %102 = stablehlo.reduce(%101 init: %cst_30) applies stablehlo.add across dimensions = [2] : (tensor<1x1x64xf32>, tensor<f32>) -> tensor<1x1xf32>
    %103 = stablehlo.broadcast_in_dim %102, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x1xf32>
    %cst_31 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %104 = stablehlo.broadcast_in_dim %cst_31, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %105 = stablehlo.divide %103, %104 : tensor<1x1x1xf32>
    %106 = stablehlo.broadcast_in_dim %105, dims = [0, 1, 2] : (tensor<1x1x1xf32>) -> tensor<1x1x64xf32>
    %107 = stablehlo.subtract %101, %106 : tensor<1x1x64xf32>
    %108 = stablehlo.multiply %107, %107 : tensor<1x1x64xf32>
    %cst_32 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %109 = stablehlo.reduce(%108 init: %cst_32) applies stablehlo.add across dimensions = [2] : (tensor<1x1x64xf32>, tensor<f32>) -> tensor<1x1xf32>
    %110 = stablehlo.broadcast_in_dim %109, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x1xf32>
    %cst_33 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %111 = stablehlo.broadcast_in_dim %cst_33, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %112 = stablehlo.divide %110, %111 : tensor<1x1x1xf32>
    %cst_34 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %113 = stablehlo.broadcast_in_dim %cst_34, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %114 = stablehlo.add %112, %113 : tensor<1x1x1xf32>
    %115 = stablehlo.sqrt %114 : tensor<1x1x1xf32>
    %116 = stablehlo.broadcast_in_dim %115, dims = [0, 1, 2] : (tensor<1x1x1xf32>) -> tensor<1x1x64xf32>
    %117 = stablehlo.divide %107, %116 : tensor<1x1x64xf32>
    %118 = stablehlo.dot_general %117, %arg6, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x1x64xf32>, tensor<64x192xf32>) -> tensor<1x1x192xf32>
    %119 = stablehlo.slice %118 [0:1, 0:1, 0:64] : (tensor<1x1x192xf32>) -> tensor<1x1x64xf32>
    %120 = stablehlo.slice %118 [0:1, 0:1, 64:128] : (tensor<1x1x192xf32>) -> tensor<1x1x64xf32>
    %121 = stablehlo.slice %118 [0:1, 0:1, 128:192] : (tensor<1x1x192xf32>) -> tensor<1x1x64xf32>
    %122 = stablehlo.reshape %119 : (tensor<1x1x64xf32>) -> tensor<1x1x2x32xf32>
    %123 = stablehlo.reshape %120 : (tensor<1x1x64xf32>) -> tensor<1x1x2x32xf32>
    %124 = stablehlo.reshape %121 : (tensor<1x1x64xf32>) -> tensor<1x1x2x32xf32>
    %125 = stablehlo.broadcast_in_dim %123, dims = [1, 2, 3, 4] : (tensor<1x1x2x32xf32>) -> tensor<1x1x1x2x32xf32>
    %c_35 = stablehlo.constant dense<0> : tensor<i32>
    %126 = stablehlo.compare LT, %arg11, %c_35, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    %c_36 = stablehlo.constant dense<70> : tensor<i32>
    %127 = stablehlo.add %arg11, %c_36 : tensor<i32>
    %128 = stablehlo.select %126, %127, %arg11 : tensor<i1>, tensor<i32>
    %c_37 = stablehlo.constant dense<1> : tensor<i32>
    %c_38 = stablehlo.constant dense<0> : tensor<i32>
    %c_39 = stablehlo.constant dense<0> : tensor<i32>
    %c_40 = stablehlo.constant dense<0> : tensor<i32>
    %129 = stablehlo.dynamic_update_slice %31, %125, %c_37, %c_38, %128, %c_39, %c_40 : (tensor<2x1x70x2x32xf32>, tensor<1x1x1x2x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x1x70x2x32xf32>
    %130 = stablehlo.broadcast_in_dim %124, dims = [1, 2, 3, 4] : (tensor<1x1x2x32xf32>) -> tensor<1x1x1x2x32xf32>
    %c_41 = stablehlo.constant dense<0> : tensor<i32>
    %131 = stablehlo.compare LT, %arg11, %c_41, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    %c_42 = stablehlo.constant dense<70> : tensor<i32>
    %132 = stablehlo.add %arg11, %c_42 : tensor<i32>
    %133 = stablehlo.select %131, %132, %arg11 : tensor<i1>, tensor<i32>
    %c_43 = stablehlo.constant dense<1> : tensor<i32>
    %c_44 = stablehlo.constant dense<0> : tensor<i32>
    %c_45 = stablehlo.constant dense<0> : tensor<i32>
    %c_46 = stablehlo.constant dense<0> : tensor<i32>
    %134 = stablehlo.dynamic_update_slice %36, %130, %c_43, %c_44, %133, %c_45, %c_46 : (tensor<2x1x70x2x32xf32>, tensor<1x1x1x2x32xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x1x70x2x32xf32>
    %135 = stablehlo.slice %129 [1:2, 0:1, 0:70, 0:2, 0:32] : (tensor<2x1x70x2x32xf32>) -> tensor<1x1x70x2x32xf32>
    %136 = stablehlo.reshape %135 : (tensor<1x1x70x2x32xf32>) -> tensor<1x70x2x32xf32>
    %137 = stablehlo.slice %134 [1:2, 0:1, 0:70, 0:2, 0:32] : (tensor<2x1x70x2x32xf32>) -> tensor<1x1x70x2x32xf32>
    %138 = stablehlo.reshape %137 : (tensor<1x1x70x2x32xf32>) -> tensor<1x70x2x32xf32>
    %139 = stablehlo.reshape %122 : (tensor<1x1x2x32xf32>) -> tensor<1x1x2x1x32xf32>
    %140 = stablehlo.broadcast_in_dim %3, dims = [0, 1, 3, 4] : (tensor<1x1x1x70xi1>) -> tensor<1x1x1x1x70xi1>
    %141 = stablehlo.dot_general %139, %136, batching_dims = [0, 2] x [0, 2], contracting_dims = [4] x [3], precision = [DEFAULT, DEFAULT] : (tensor<1x1x2x1x32xf32>, tensor<1x70x2x32xf32>) -> tensor<1x2x1x1x70xf32>
    %cst_47 = stablehlo.constant dense<0.176776692> : tensor<f32>
    %142 = stablehlo.broadcast_in_dim %cst_47, dims = [] : (tensor<f32>) -> tensor<1x2x1x1x70xf32>
    %143 = stablehlo.multiply %141, %142 : tensor<1x2x1x1x70xf32>
    %c_48 = stablehlo.constant dense<true> : tensor<i1>
    %144 = stablehlo.broadcast_in_dim %c_48, dims = [] : (tensor<i1>) -> tensor<1x2x1x70xi1>
    %145 = stablehlo.broadcast_in_dim %144, dims = [1, 2, 3, 4] : (tensor<1x2x1x70xi1>) -> tensor<1x1x2x1x70xi1>
    %146 = stablehlo.transpose %140, dims = [2, 0, 1, 3, 4] : (tensor<1x1x1x1x70xi1>) -> tensor<1x1x1x1x70xi1>
    %147 = stablehlo.broadcast_in_dim %146, dims = [0, 1, 2, 3, 4] : (tensor<1x1x1x1x70xi1>) -> tensor<1x1x2x1x70xi1>
    %148 = stablehlo.and %145, %147 : tensor<1x1x2x1x70xi1>
    %cst_49 = stablehlo.constant dense<-2.38197633E+38> : tensor<f32>
    %149 = call @_where(%148, %143, %cst_49) : (tensor<1x1x2x1x70xi1>, tensor<1x2x1x1x70xf32>, tensor<f32>) -> tensor<1x1x2x1x70xf32>
    %cst_50 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %150 = stablehlo.reduce(%149 init: %cst_50) applies stablehlo.maximum across dimensions = [4] : (tensor<1x1x2x1x70xf32>, tensor<f32>) -> tensor<1x1x2x1xf32>
    %cst_51 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %151 = stablehlo.broadcast_in_dim %cst_51, dims = [] : (tensor<f32>) -> tensor<1x1x2x1xf32>
    %152 = stablehlo.maximum %151, %150 : tensor<1x1x2x1xf32>
    %153 = stablehlo.broadcast_in_dim %152, dims = [0, 1, 2, 3] : (tensor<1x1x2x1xf32>) -> tensor<1x1x2x1x1xf32>
    %154 = stablehlo.broadcast_in_dim %153, dims = [0, 1, 2, 3, 4] : (tensor<1x1x2x1x1xf32>) -> tensor<1x1x2x1x70xf32>
    %155 = stablehlo.subtract %149, %154 : tensor<1x1x2x1x70xf32>
    %156 = stablehlo.exponential %155 : tensor<1x1x2x1x70xf32>
    %cst_52 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %157 = stablehlo.reduce(%156 init: %cst_52) applies stablehlo.add across dimensions = [4] : (tensor<1x1x2x1x70xf32>, tensor<f32>) -> tensor<1x1x2x1xf32>
    %158 = stablehlo.broadcast_in_dim %157, dims = [0, 1, 2, 3] : (tensor<1x1x2x1xf32>) -> tensor<1x1x2x1x1xf32>
    %159 = stablehlo.broadcast_in_dim %158, dims = [0, 1, 2, 3, 4] : (tensor<1x1x2x1x1xf32>) -> tensor<1x1x2x1x70xf32>
    %160 = stablehlo.divide %156, %159 : tensor<1x1x2x1x70xf32>
    %161 = stablehlo.dot_general %138, %160, batching_dims = [0, 2] x [1, 2], contracting_dims = [1] x [4], precision = [DEFAULT, DEFAULT] : (tensor<1x70x2x32xf32>, tensor<1x1x2x1x70xf32>) -> tensor<1x2x32x1x1xf32>
    %162 = stablehlo.transpose %161, dims = [3, 0, 4, 1, 2] : (tensor<1x2x32x1x1xf32>) -> tensor<1x1x1x2x32xf32>
    %163 = stablehlo.transpose %162, dims = [1, 2, 3, 0, 4] : (tensor<1x1x1x2x32xf32>) -> tensor<1x1x2x1x32xf32>
    %164 = stablehlo.reshape %163 : (tensor<1x1x2x1x32xf32>) -> tensor<1x1x2x32xf32>
    %165 = stablehlo.reshape %164 : (tensor<1x1x2x32xf32>) -> tensor<1x1x64xf32>
    %166 = stablehlo.dot_general %165, %arg5, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x1x64xf32>, tensor<64x64xf32>) -> tensor<1x1x64xf32>
    %167 = stablehlo.add %101, %166 : tensor<1x1x64xf32>
    %cst_53 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %168 = stablehlo.reduce(%167 init: %cst_53) applies stablehlo.add across dimensions = [2] : (tensor<1x1x64xf32>, tensor<f32>) -> tensor<1x1xf32>
    %169 = stablehlo.broadcast_in_dim %168, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x1xf32>
    %cst_54 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %170 = stablehlo.broadcast_in_dim %cst_54, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %171 = stablehlo.divide %169, %170 : tensor<1x1x1xf32>
    %172 = stablehlo.broadcast_in_dim %171, dims = [0, 1, 2] : (tensor<1x1x1xf32>) -> tensor<1x1x64xf32>
    %173 = stablehlo.subtract %167, %172 : tensor<1x1x64xf32>
    %174 = stablehlo.multiply %173, %173 : tensor<1x1x64xf32>
    %cst_55 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %175 = stablehlo.reduce(%174 init: %cst_55) applies stablehlo.add across dimensions = [2] : (tensor<1x1x64xf32>, tensor<f32>) -> tensor<1x1xf32>
    %176 = stablehlo.broadcast_in_dim %175, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x1xf32>
    %cst_56 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %177 = stablehlo.broadcast_in_dim %cst_56, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %178 = stablehlo.divide %176, %177 : tensor<1x1x1xf32>
    %cst_57 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %179 = stablehlo.broadcast_in_dim %cst_57, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %180 = stablehlo.add %178, %179 : tensor<1x1x1xf32>
    %181 = stablehlo.sqrt %180 : tensor<1x1x1xf32>
    %182 = stablehlo.broadcast_in_dim %181, dims = [0, 1, 2] : (tensor<1x1x1xf32>) -> tensor<1x1x64xf32>
    %183 = stablehlo.divide %173, %182 : tensor<1x1x64xf32>
    %184 = stablehlo.dot_general %183, %arg7, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x1x64xf32>, tensor<64x128xf32>) -> tensor<1x1x128xf32>
    %185 = stablehlo.multiply %184, %184 : tensor<1x1x128xf32>
    %186 = stablehlo.multiply %185, %184 : tensor<1x1x128xf32>
    %cst_58 = stablehlo.constant dense<4.471500e-02> : tensor<f32>
    %187 = stablehlo.broadcast_in_dim %cst_58, dims = [] : (tensor<f32>) -> tensor<1x1x128xf32>
    %188 = stablehlo.multiply %187, %186 : tensor<1x1x128xf32>
    %189 = stablehlo.add %184, %188 : tensor<1x1x128xf32>
    %cst_59 = stablehlo.constant dense<0.797884583> : tensor<f32>
    %190 = stablehlo.broadcast_in_dim %cst_59, dims = [] : (tensor<f32>) -> tensor<1x1x128xf32>
    %191 = stablehlo.multiply %190, %189 : tensor<1x1x128xf32>
    %192 = stablehlo.tanh %191 : tensor<1x1x128xf32>
    %cst_60 = stablehlo.constant dense<1.000000e+00> : tensor<f32>
    %193 = stablehlo.broadcast_in_dim %cst_60, dims = [] : (tensor<f32>) -> tensor<1x1x128xf32>
    %194 = stablehlo.add %193, %192 : tensor<1x1x128xf32>
    %cst_61 = stablehlo.constant dense<5.000000e-01> : tensor<f32>
    %195 = stablehlo.broadcast_in_dim %cst_61, dims = [] : (tensor<f32>) -> tensor<1x1x128xf32>
    %196 = stablehlo.multiply %195, %194 : tensor<1x1x128xf32>
    %197 = stablehlo.multiply %184, %196 : tensor<1x1x128xf32>
    %198 = stablehlo.dot_general %197, %arg4, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<1x1x128xf32>, tensor<128x64xf32>) -> tensor<1x1x64xf32>
    %199 = stablehlo.add %167, %198 : tensor<1x1x64xf32>
    %cst_62 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %200 = stablehlo.reduce(%199 init: %cst_62) applies stablehlo.add across dimensions = [2] : (tensor<1x1x64xf32>, tensor<f32>) -> tensor<1x1xf32>
    %201 = stablehlo.broadcast_in_dim %200, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x1xf32>
    %cst_63 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %202 = stablehlo.broadcast_in_dim %cst_63, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %203 = stablehlo.divide %201, %202 : tensor<1x1x1xf32>
    %204 = stablehlo.broadcast_in_dim %203, dims = [0, 1, 2] : (tensor<1x1x1xf32>) -> tensor<1x1x64xf32>
    %205 = stablehlo.subtract %199, %204 : tensor<1x1x64xf32>
    %206 = stablehlo.multiply %205, %205 : tensor<1x1x64xf32>
    %cst_64 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %207 = stablehlo.reduce(%206 init: %cst_64) applies stablehlo.add across dimensions = [2] : (tensor<1x1x64xf32>, tensor<f32>) -> tensor<1x1xf32>
    %208 = stablehlo.broadcast_in_dim %207, dims = [0, 1] : (tensor<1x1xf32>) -> tensor<1x1x1xf32>
    %cst_65 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %209 = stablehlo.broadcast_in_dim %cst_65, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %210 = stablehlo.divide %208, %209 : tensor<1x1x1xf32>
    %cst_66 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
    %211 = stablehlo.broadcast_in_dim %cst_66, dims = [] : (tensor<f32>) -> tensor<1x1x1xf32>
    %212 = stablehlo.add %210, %211 : tensor<1x1x1xf32>
    %213 = stablehlo.sqrt %212 : tensor<1x1x1xf32>
    %214 = stablehlo.broadcast_in_dim %213, dims = [0, 1, 2] : (tensor<1x1x1xf32>) -> tensor<1x1x64xf32>
    %215 = stablehlo.divide %205, %214 : tensor<1x1x64xf32>
    return %215, %129, %134 : tensor<1x1x64xf32>, tensor<2x1x70x2x32xf32>, tensor<2x1x70x2x32xf32>
  }
  func.func private @_where(%arg0: tensor<1x1x2x1x70xi1>, %arg1: tensor<1x2x1x1x70xf32>, %arg2: tensor<f32>) -> tensor<1x1x2x1x70xf32> {
    %0 = stablehlo.broadcast_in_dim %arg2, dims = [] : (tensor<f32>) -> tensor<1x2x1x70xf32>
    %1 = stablehlo.broadcast_in_dim %0, dims = [1, 2, 3, 4] : (tensor<1x2x1x70xf32>) -> tensor<1x1x2x1x70xf32>
    %2 = stablehlo.transpose %arg1, dims = [3, 0, 1, 2, 4] : (tensor<1x2x1x1x70xf32>) -> tensor<1x1x2x1x70xf32>
    %3 = stablehlo.select %arg0, %2, %1 : tensor<1x1x2x1x70xi1>, tensor<1x1x2x1x70xf32>
    return %3 : tensor<1x1x2x1x70xf32>
  }
}
