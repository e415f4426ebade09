// RUN: torsh-opt %s | torsh-opt | FileCheck %s

// CHECK-LABEL: func.func @round_trip
// CHECK: torsh.object "box"(%{{.*}}) : (tensor<2x3xf32>) -> tensor<i64, ["tensor", f32, 2]>
// CHECK: torsh.object "strings"() {numbers = array<i64: 2>, strings = ["a", "b"]} : () -> tensor<i64, ["strings", 1]>
// CHECK: torsh.object "append"
func.func @round_trip(%x: tensor<2x3xf32>, %list: tensor<i64, ["sequence", ["tensor", f32, 2]]>)
    -> tensor<i64, ["sequence", ["tensor", f32, 2]]> {
  %box = torsh.object "box"(%x) : (tensor<2x3xf32>) -> tensor<i64, ["tensor", f32, 2]>
  %text = torsh.object "strings"() {numbers = array<i64: 2>, strings = ["a", "b"]} : () -> tensor<i64, ["strings", 1]>
  %longer = torsh.object "append"(%list, %box)
      : (tensor<i64, ["sequence", ["tensor", f32, 2]]>, tensor<i64, ["tensor", f32, 2]>)
      -> tensor<i64, ["sequence", ["tensor", f32, 2]]>
  return %longer : tensor<i64, ["sequence", ["tensor", f32, 2]]>
}
