// Pooling over boxes round-trips through text and bytecode, and its verifiers refuse what does not fit; one case a constraint.
// RUN: torsh-opt %s -split-input-file -verify-diagnostics | FileCheck %s

!x = tensor<?x8x9x4xf32, #torsh.dims<[n, 8, 9, 4]>>
!rois = tensor<?x4xf32, #torsh.dims<[r, 4]>>
!boxes = tensor<?x5xf32, #torsh.dims<[r, 5]>>
!images = tensor<?xi64, #torsh.dims<[r]>>
!y = tensor<?x2x3x4xf32, #torsh.dims<[r, 2, 3, 4]>>

// CHECK-LABEL: func.func @round_trip
// CHECK: torsh.roi_align %{{.*}}, %{{.*}}, %{{.*}} scale = 5.000000e-01 offset = 0.000000e+00 samples = 2 {maximum = true}
// CHECK: torsh.roi_max_pool %{{.*}}, %{{.*}} scale = 2.500000e-01
func.func @round_trip(%x: !x, %rois: !rois, %images: !images, %boxes: !boxes) -> (!y, !y) {
  %0 = torsh.roi_align %x, %rois, %images scale = 0.5 offset = 0.0 samples = 2 {maximum = true} : (!x, !rois, !images) -> !y
  %1 = torsh.roi_max_pool %x, %boxes scale = 0.25 : (!x, !boxes) -> !y
  return %0, %1 : !y, !y
}

// -----

func.func @roi_align_c1(%x: tensor<1x8x9x4xf32>, %rois: tensor<6x5xf32>, %images: tensor<6xi64>) {
  // expected-error@+1 {{roi_align_c1: x must be [N, H, W, C], rois [R, 4], images [R] and y [R, h, w, C]}}
  %0 = torsh.roi_align %x, %rois, %images scale = 1.0 offset = 0.5 samples = 0 : (tensor<1x8x9x4xf32>, tensor<6x5xf32>, tensor<6xi64>) -> tensor<6x2x2x4xf32>
  return
}

// -----

func.func @roi_align_c1_images(%x: tensor<1x8x9x4xf32>, %rois: tensor<6x4xf32>, %images: tensor<5xi64>) {
  // expected-error@+1 {{roi_align_c1}}
  %0 = torsh.roi_align %x, %rois, %images scale = 1.0 offset = 0.5 samples = 0 : (tensor<1x8x9x4xf32>, tensor<6x4xf32>, tensor<5xi64>) -> tensor<6x2x2x4xf32>
  return
}

// -----

func.func @roi_align_c2(%x: tensor<1x8x9x4xf32>, %rois: tensor<6x4xf64>, %images: tensor<6xi64>) {
  // expected-error@+1 {{roi_align_c2: x, rois and y must have one element type}}
  %0 = torsh.roi_align %x, %rois, %images scale = 1.0 offset = 0.5 samples = 0 : (tensor<1x8x9x4xf32>, tensor<6x4xf64>, tensor<6xi64>) -> tensor<6x2x2x4xf32>
  return
}

// -----

func.func @roi_align_c3(%x: tensor<1x8x9x4xf32>, %rois: tensor<6x4xf32>, %images: tensor<6xi64>) {
  // expected-error@+1 {{roi_align_c3: samples must not be negative}}
  %0 = torsh.roi_align %x, %rois, %images scale = 1.0 offset = 0.5 samples = -1 : (tensor<1x8x9x4xf32>, tensor<6x4xf32>, tensor<6xi64>) -> tensor<6x2x2x4xf32>
  return
}

// -----

func.func @roi_max_pool_c1(%x: tensor<1x8x9x4xf32>, %rois: tensor<6x5xf32>) {
  // expected-error@+1 {{roi_max_pool_c1: x must be [N, H, W, C], rois [R, 5] and y [R, h, w, C]}}
  %0 = torsh.roi_max_pool %x, %rois scale = 1.0 : (tensor<1x8x9x4xf32>, tensor<6x5xf32>) -> tensor<7x2x2x4xf32>
  return
}

// -----

func.func @roi_max_pool_c2(%x: tensor<1x8x9x4xf32>, %rois: tensor<6x5xf32>) {
  // expected-error@+1 {{roi_max_pool_c2: x, rois and y must have one element type}}
  %0 = torsh.roi_max_pool %x, %rois scale = 1.0 : (tensor<1x8x9x4xf32>, tensor<6x5xf32>) -> tensor<6x2x2x4xf64>
  return
}
