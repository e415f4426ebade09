// A model becomes one step of its training.
// RUN: torsh-opt %s --torsh-build-train-step="optimizer=sgd momentum=0.9 freeze=fixed*" --canonicalize --cse --split-input-file --verify-diagnostics | FileCheck %s
// RUN: torsh-opt %s --torsh-build-train-step="optimizer=adamw weight-decay=0.1" --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=ADAM

!x = tensor<?x3xf32, #torsh.dims<[n, 3]>>
!y = tensor<?x4xf32, #torsh.dims<[n, 4]>>

// Arguments: parameters, state, step, learning rate, inputs, labels. What is frozen or unreached stays a constant.
// CHECK-NOT: torsh.param
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[W:.*]]: tensor<3x4xf32> {torsh.initial = dense<1.000000e+00> : tensor<3x4xf32>, torsh.role = "parameter"},
// CHECK-SAME: %[[M:.*]]: tensor<3x4xf32> {torsh.initial = dense<0.000000e+00> : tensor<3x4xf32>, torsh.role = "state"},
// CHECK-SAME: %{{.*}}: tensor<i64> {torsh.role = "step"}, %[[LR:.*]]: tensor<f64> {torsh.role = "lr"},
// CHECK-SAME: %[[X:.*]]: tensor<?x3xf32, #torsh.dims<[n, 3]>> {torsh.role = "input"},
// CHECK-SAME: %{{.*}}: tensor<?xi64, #torsh.dims<[n]>> {torsh.role = "label"})
// CHECK-SAME: -> (tensor<f32>, tensor<3x4xf32> {torsh.updates = 0 : i64}, tensor<3x4xf32> {torsh.updates = 1 : i64})
// CHECK-SAME: torsh.input_names = ["w", "w.momentum_buffer", "step", "lr", "x", "labels"]
// CHECK-SAME: torsh.output_names = ["loss", "w", "w.momentum_buffer"]
// CHECK-SAME: torsh.train_step = {loss = "cross-entropy", optimizer = "sgd"}
// CHECK: torsh.log_softmax
// CHECK: %[[DW:.*]] = torsh.dot_general %{{.*}} contract = [0] x [0]
// CHECK: %[[KEPT:.*]] = torsh.mul %[[M]]
// CHECK: %[[V:.*]] = torsh.add
// CHECK: torsh.cast %[[LR]] : (tensor<f64>) -> tensor<f32>
// CHECK: %[[NEW:.*]] = torsh.sub %[[W]]
// CHECK: return %{{.*}}, %[[NEW]], %[[V]]

// ADAM-LABEL: func.func @main(
// ADAM-SAME: torsh.output_names = ["loss", "w", "fixed.bias", "w.exp_avg", "w.exp_avg_sq", "fixed.bias.exp_avg", "fixed.bias.exp_avg_sq"]
module {
  torsh.param @w : tensor<3x4xf32> = dense<1.0> : tensor<3x4xf32> {trainable = true}
  torsh.param @fixed.bias : tensor<4xf32> = dense<2.0> : tensor<4xf32> {trainable = true}
  torsh.param @unread : tensor<4xf32> = dense<3.0> : tensor<4xf32> {trainable = true}
  torsh.param @unused : tensor<4xf32> = dense<3.0> : tensor<4xf32> {trainable = true}
  func.func @main(%x: !x) -> (!y, tensor<4xf32>) attributes {torsh.input_names = ["x"], torsh.output_names = ["y", "z"]} {
    %w = torsh.get_param @w : tensor<3x4xf32>
    %b = torsh.get_param @fixed.bias : tensor<4xf32>
    %u = torsh.get_param @unread : tensor<4xf32>
    %0 = torsh.dot_general %x, %w batch = [] x [] contract = [1] x [0] : (!x, tensor<3x4xf32>) -> !y
    %1 = torsh.broadcast %b axes = [1] : (tensor<4xf32>) -> !y
    %2 = torsh.add %0, %1 : !y
    return %2, %u : !y, tensor<4xf32>
  }
}

// -----

// expected-error @+2 {{TSH-0535: there is nothing to learn}}
module {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
    return %x : tensor<2x3xf32>
  }
}

// -----

// expected-error @+2 {{TSH-0535: the first output is 'tensor<2x3xi64>', which has no loss 'cross-entropy'}}
module {
  func.func @main(%x: tensor<2x3xi64>) -> tensor<2x3xi64> {
    return %x : tensor<2x3xi64>
  }
}
