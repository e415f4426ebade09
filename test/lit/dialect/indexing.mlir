// Ops with computed indices, resize and random numbers survive a round trip.
// RUN: torsh-opt %s | torsh-opt | FileCheck %s

!x = tensor<?x5x6xf32, #torsh.dims<[n, 5, 6]>>

// CHECK-LABEL: func.func @gathers
func.func @gathers(%x: !x, %i: tensor<?x2xi64, #torsh.dims<[k, 2]>>, %e: tensor<?x5x2xi32, #torsh.dims<[n, 5, 2]>>, %b: tensor<?x3x1xi64, #torsh.dims<[n, 3, 1]>>) {
  // CHECK: torsh.gather %{{.*}}, %{{.*}} axis = 1 : {{.*}} -> tensor<?x?x2x6xf32, #torsh.dims<[n, k, 2, 6]>>
  %0 = torsh.gather %x, %i axis = 1 : (!x, tensor<?x2xi64, #torsh.dims<[k, 2]>>) -> tensor<?x?x2x6xf32, #torsh.dims<[n, k, 2, 6]>>
  // CHECK: torsh.gather_elements %{{.*}}, %{{.*}} axis = 2 : {{.*}} -> tensor<?x5x2xf32, #torsh.dims<[n, 5, 2]>>
  %1 = torsh.gather_elements %x, %e axis = 2 : (!x, tensor<?x5x2xi32, #torsh.dims<[n, 5, 2]>>) -> tensor<?x5x2xf32, #torsh.dims<[n, 5, 2]>>
  // CHECK: torsh.gather_nd %{{.*}}, %{{.*}} batch_dims = 0 : {{.*}} -> tensor<?x6xf32, #torsh.dims<[k, 6]>>
  %2 = torsh.gather_nd %x, %i batch_dims = 0 : (!x, tensor<?x2xi64, #torsh.dims<[k, 2]>>) -> tensor<?x6xf32, #torsh.dims<[k, 6]>>
  // CHECK: torsh.gather_nd %{{.*}}, %{{.*}} batch_dims = 1 : {{.*}} -> tensor<?x3x6xf32, #torsh.dims<[n, 3, 6]>>
  %3 = torsh.gather_nd %x, %b batch_dims = 1 : (!x, tensor<?x3x1xi64, #torsh.dims<[n, 3, 1]>>) -> tensor<?x3x6xf32, #torsh.dims<[n, 3, 6]>>
  return
}

// CHECK-LABEL: func.func @scatters
func.func @scatters(%x: !x, %e: tensor<3x5x2xi32>, %u: tensor<3x5x2xf32>, %i: tensor<7x2xi64>, %v: tensor<7x6xf32>) {
  // CHECK: torsh.scatter_elements %{{.*}}, %{{.*}}, %{{.*}} axis = 2 {kind = #torsh<scatter_kind add>} :
  %0 = torsh.scatter_elements %x, %e, %u axis = 2 {kind = #torsh<scatter_kind add>} : (!x, tensor<3x5x2xi32>, tensor<3x5x2xf32>) -> !x
  // CHECK: torsh.scatter_nd %{{.*}}, %{{.*}}, %{{.*}} : {{.*}} -> tensor<?x5x6xf32, #torsh.dims<[n, 5, 6]>>
  %1 = torsh.scatter_nd %x, %i, %v : (!x, tensor<7x2xi64>, tensor<7x6xf32>) -> !x
  return
}

// CHECK-LABEL: func.func @selection
func.func @selection(%x: !x, %boxes: tensor<1x?x4xf32, #torsh.dims<[1, m, 4]>>, %scores: tensor<1x80x?xf32, #torsh.dims<[1, 80, m]>>) {
  // CHECK: torsh.topk %{{.*}} k = <min(5, n)> axis = 0 {largest = false} : {{.*}} -> (tensor<?x5x6xf32, #torsh.dims<[min(5, n), 5, 6]>>, tensor<?x5x6xi64, #torsh.dims<[min(5, n), 5, 6]>>)
  %0:2 = torsh.topk %x k = <min(5, n)> axis = 0 {largest = false} : (!x) -> (tensor<?x5x6xf32, #torsh.dims<[min(5, n), 5, 6]>>, tensor<?x5x6xi64, #torsh.dims<[min(5, n), 5, 6]>>)
  // CHECK: torsh.non_zero %{{.*}} : {{.*}} -> tensor<3x?xi64, #torsh.dims<[3, found]>>
  %1 = torsh.non_zero %x : (!x) -> tensor<3x?xi64, #torsh.dims<[3, found]>>
  // CHECK: torsh.non_max_suppression %{{.*}}, %{{.*}} {center = true, iou_threshold = 5.000000e-01 : f64, max_boxes_per_class = 10 : i64} : {{.*}} -> tensor<?x3xi64, #torsh.dims<[kept, 3]>>
  %2 = torsh.non_max_suppression %boxes, %scores {center = true, iou_threshold = 0.5, max_boxes_per_class = 10 : i64} : (tensor<1x?x4xf32, #torsh.dims<[1, m, 4]>>, tensor<1x80x?xf32, #torsh.dims<[1, 80, m]>>) -> tensor<?x3xi64, #torsh.dims<[kept, 3]>>
  return
}

// CHECK-LABEL: func.func @suppress_boxes
func.func @suppress_boxes(%b: tensor<1x?x4xf32, #torsh.dims<[1, m, 4]>>, %s: tensor<1x80x?xf32, #torsh.dims<[1, 80, m]>>, %most: tensor<i64>, %t: tensor<f32>) {
  // CHECK: torsh.suppress_boxes %{{.*}}, %{{.*}} most %{{.*}} iou %{{.*}} score %{{.*}} {center = true} : {{.*}} -> tensor<1x80x?xi64, #torsh.dims<[1, 80, m]>>
  %0 = torsh.suppress_boxes %b, %s most %most iou %t score %t {center = true} : (tensor<1x?x4xf32, #torsh.dims<[1, m, 4]>>, tensor<1x80x?xf32, #torsh.dims<[1, 80, m]>>, tensor<i64>, tensor<f32>, tensor<f32>) -> tensor<1x80x?xi64, #torsh.dims<[1, 80, m]>>
  return
}

// CHECK-LABEL: func.func @resize_and_random
func.func @resize_and_random(%x: tensor<1x3x?xf32, #torsh.dims<[1, 3, w]>>, %state: tensor<2xi64>) {
  // CHECK: torsh.resize {{ ?}}linear %{{.*}} scales = [1.000000e+00, 1.000000e+00, 2.000000e+00] coordinates = half_pixel {antialias = true} : {{.*}} -> tensor<1x3x?xf32, #torsh.dims<[1, 3, 2*w]>>
  %0 = torsh.resize linear %x scales = [1.0, 1.0, 2.0] coordinates = half_pixel {antialias = true} : (tensor<1x3x?xf32, #torsh.dims<[1, 3, w]>>) -> tensor<1x3x?xf32, #torsh.dims<[1, 3, 2*w]>>
  // CHECK: torsh.random_uniform %{{.*}} : (tensor<2xi64>) -> tensor<4xf32>
  %1 = torsh.random_uniform %state : (tensor<2xi64>) -> tensor<4xf32>
  // CHECK: torsh.random_normal %{{.*}} : (tensor<2xi64>) -> tensor<4xf16>
  %2 = torsh.random_normal %state : (tensor<2xi64>) -> tensor<4xf16>
  return
}
