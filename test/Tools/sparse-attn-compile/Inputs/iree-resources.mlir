//--- with.mlir
func.func @f() -> (tensor<2xf32>, tensor<3xi1>) {
  %0 = arith.constant dense_resource<floats> : tensor<2xf32>
  %1 = arith.constant dense_resource<bools> : tensor<3xi1>
  return %0, %1 : tensor<2xf32>, tensor<3xi1>
}
"util.global"() <{sym_name = "g", initial_value = dense_resource<integers> : tensor<2xi32>}> : () -> ()
{-#
  dialect_resources: {
    builtin: {
      floats: "0x040000000000803F00000040",
      bools: "0x01000000000101",
      integers: "0x040000000500000006000000"
    }
  }
#-}
//--- without.mlir
func.func @f() -> tensor<2xf32> {
  %0 = arith.constant dense_resource<lost> : tensor<2xf32>
  return %0 : tensor<2xf32>
}
//--- short.mlir
func.func @f() -> tensor<2xf32> {
  %0 = arith.constant dense_resource<short> : tensor<2xf32>
  return %0 : tensor<2xf32>
}
{-#
  dialect_resources: {
    builtin: {
      short: "0x040000000000803F000080"
    }
  }
#-}
