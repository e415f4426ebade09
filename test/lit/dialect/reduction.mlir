// Reductions and scans survive a round trip.
// RUN: torsh-opt %s | torsh-opt | FileCheck %s

!x = tensor<?x3x4xf32, #torsh.dims<[n, 3, 4]>>

// CHECK-LABEL: func.func @reductions
func.func @reductions(%x: !x, %b: tensor<4xi1>) {
  // CHECK: torsh.reduce {{ ?}}sum %{{.*}} axes = [0, 2] keep_dims = false : {{.*}} -> tensor<3xf32>
  %0 = torsh.reduce sum %x axes = [0, 2] keep_dims = false : (!x) -> tensor<3xf32>
  // CHECK: torsh.reduce {{ ?}}logsumexp %{{.*}} axes = [1] keep_dims = true : {{.*}} -> tensor<?x1x4xf32, #torsh.dims<[n, 1, 4]>>
  %1 = torsh.reduce logsumexp %x axes = [1] keep_dims = true : (!x) -> tensor<?x1x4xf32, #torsh.dims<[n, 1, 4]>>
  // CHECK: torsh.reduce {{ ?}}any %{{.*}} axes = [0] keep_dims = false : (tensor<4xi1>) -> tensor<i1>
  %2 = torsh.reduce any %b axes = [0] keep_dims = false : (tensor<4xi1>) -> tensor<i1>
  // CHECK: torsh.arg_reduce {{ ?}}max %{{.*}} axis = 2 keep_dims = true {last = true} : {{.*}} -> tensor<?x3x1xi64, #torsh.dims<[n, 3, 1]>>
  %3 = torsh.arg_reduce max %x axis = 2 keep_dims = true {last = true} : (!x) -> tensor<?x3x1xi64, #torsh.dims<[n, 3, 1]>>
  // CHECK: torsh.cumsum %{{.*}} axis = 1 {exclusive = true, reverse = true} :
  %4 = torsh.cumsum %x axis = 1 {exclusive = true, reverse = true} : !x
  // CHECK: torsh.cumprod %{{.*}} axis = 0 {exclusive = true} :
  %7 = torsh.cumprod %x axis = 0 {exclusive = true} : !x
  // CHECK: torsh.softmax %{{.*}} axis = 2 :
  %5 = torsh.softmax %x axis = 2 : !x
  // CHECK: torsh.log_softmax %{{.*}} axis = 0 :
  %6 = torsh.log_softmax %x axis = 0 : !x
  return
}
