// Printed forms of the ops of decision trees.
// RUN: torsh-opt %s | torsh-opt | FileCheck %s
!x = tensor<?x3xf32, #torsh.dims<[rows, 3]>>
!keys = tensor<?x3xui32, #torsh.dims<[rows, 3]>>
!y1 = tensor<1x?x1xf32, #torsh.dims<[1, rows, 1]>>
!y2 = tensor<2x?x2xf32, #torsh.dims<[2, rows, 2]>>

// CHECK-LABEL: func @keys
// CHECK: torsh.sort_key %{{.*}} : (tensor<?x3xf32, #torsh.dims<[rows, 3]>>) -> tensor<?x3xui32, #torsh.dims<[rows, 3]>>
func.func @keys(%x: !x) -> !keys {
  %y = torsh.sort_key %x : (!x) -> !keys
  return %y : !keys
}

// CHECK-LABEL: func @values_in_leaves
// CHECK: torsh.tree_ensemble sum %{{.*}} nodes %{{.*}} trees %{{.*}} :
func.func @values_in_leaves(%k: !keys, %n: tensor<8x2xui32>, %t: tensor<1x4xi32>) -> !y1 {
  %y = torsh.tree_ensemble sum %k nodes %n trees %t : (!keys, tensor<8x2xui32>, tensor<1x4xi32>) -> !y1
  return %y : !y1
}

// CHECK-LABEL: func @rows_of_leaves
// CHECK: torsh.tree_ensemble max %{{.*}} nodes %{{.*}} trees %{{.*}} leaves %{{.*}} :
func.func @rows_of_leaves(%k: !keys, %n: tensor<8x2xui32>, %t: tensor<2x4xi32>, %l: tensor<5x2xf32>) -> !y2 {
  %y = torsh.tree_ensemble max %k nodes %n trees %t leaves %l : (!keys, tensor<8x2xui32>, tensor<2x4xi32>, tensor<5x2xf32>) -> !y2
  return %y : !y2
}
