// Recurrent layers survive a round trip.
// RUN: torsh-opt %s | torsh-opt | FileCheck %s

!x = tensor<?x?x3xf32, #torsh.dims<[t, b, 3]>>
!h2 = tensor<2x?x4xf32, #torsh.dims<[2, b, 4]>>
!h1 = tensor<1x?x4xf32, #torsh.dims<[1, b, 4]>>
!len = tensor<?xi32, #torsh.dims<[b]>>

// CHECK-LABEL: func.func @lstm
func.func @lstm(%x: !x, %w: tensor<2x16x3xf32>, %r: tensor<2x16x4xf32>, %b: tensor<2x32xf32>, %h: !h2, %len: !len, %p: tensor<2x12xf32>) {
  // CHECK: torsh.lstm {{ ?}}bidirectional %{{.*}}, %{{.*}}, %{{.*}} bias %{{.*}} initial_h %{{.*}} initial_c %{{.*}} lengths %{{.*}} peephole %{{.*}} : {{.*}} -> (tensor<?x2x?x4xf32, #torsh.dims<[t, 2, b, 4]>>, tensor<2x?x4xf32, #torsh.dims<[2, b, 4]>>, tensor<2x?x4xf32, #torsh.dims<[2, b, 4]>>)
  %0:3 = torsh.lstm bidirectional %x, %w, %r bias %b initial_h %h initial_c %h lengths %len peephole %p : (!x, tensor<2x16x3xf32>, tensor<2x16x4xf32>, tensor<2x32xf32>, !h2, !h2, !len, tensor<2x12xf32>) -> (tensor<?x2x?x4xf32, #torsh.dims<[t, 2, b, 4]>>, !h2, !h2)
  return
}

// CHECK-LABEL: func.func @gru_and_rnn
func.func @gru_and_rnn(%x: !x, %w: tensor<1x12x3xf32>, %r: tensor<1x12x4xf32>, %v: tensor<1x4x3xf32>, %s: tensor<1x4x4xf32>, %h: !h1) {
  // CHECK: torsh.gru {{ ?}}reverse %{{.*}}, %{{.*}}, %{{.*}} initial_h %{{.*}} {linear_before_reset = true} : {{.*}} -> (tensor<?x1x?x4xf32, #torsh.dims<[t, 1, b, 4]>>, tensor<1x?x4xf32, #torsh.dims<[1, b, 4]>>)
  %0:2 = torsh.gru reverse %x, %w, %r initial_h %h {linear_before_reset = true} : (!x, tensor<1x12x3xf32>, tensor<1x12x4xf32>, !h1) -> (tensor<?x1x?x4xf32, #torsh.dims<[t, 1, b, 4]>>, !h1)
  // CHECK: torsh.rnn {{ ?}}forward %{{.*}}, %{{.*}}, %{{.*}} : {{.*}} -> (tensor<?x1x?x4xf32, #torsh.dims<[t, 1, b, 4]>>, tensor<1x?x4xf32, #torsh.dims<[1, b, 4]>>)
  %1:2 = torsh.rnn forward %x, %v, %s : (!x, tensor<1x4x3xf32>, tensor<1x4x4xf32>) -> (tensor<?x1x?x4xf32, #torsh.dims<[t, 1, b, 4]>>, !h1)
  return
}
