// One case for each constraint of the ops of decision trees.
// RUN: torsh-opt %s -split-input-file -verify-diagnostics

func.func @widths(%x: tensor<2x3xf32>) -> tensor<2x3xui64> {
  // expected-error @+1 {{sort_key_c1}}
  %y = torsh.sort_key %x : (tensor<2x3xf32>) -> tensor<2x3xui64>
  return %y : tensor<2x3xui64>
}

// -----

func.func @shapes(%k: tensor<2x3xui32>, %n: tensor<8x2xui32>, %t: tensor<1x3xi32>) -> tensor<1x2x1xf32> {
  // expected-error @+1 {{tree_ensemble_c1}}
  %y = torsh.tree_ensemble sum %k nodes %n trees %t : (tensor<2x3xui32>, tensor<8x2xui32>, tensor<1x3xi32>) -> tensor<1x2x1xf32>
  return %y : tensor<1x2x1xf32>
}

// -----

func.func @word_width(%k: tensor<2x3xui32>, %n: tensor<8x2xui64>, %t: tensor<1x4xi32>) -> tensor<1x2x1xf32> {
  // expected-error @+1 {{tree_ensemble_c1}}
  %y = torsh.tree_ensemble sum %k nodes %n trees %t : (tensor<2x3xui32>, tensor<8x2xui64>, tensor<1x4xi32>) -> tensor<1x2x1xf32>
  return %y : tensor<1x2x1xf32>
}

// -----

func.func @kind(%k: tensor<2x3xui32>, %n: tensor<8x2xui32>, %t: tensor<1x4xi32>) -> tensor<1x2x1xf32> {
  // expected-error @+1 {{tree_ensemble_c2}}
  %y = torsh.tree_ensemble prod %k nodes %n trees %t : (tensor<2x3xui32>, tensor<8x2xui32>, tensor<1x4xi32>) -> tensor<1x2x1xf32>
  return %y : tensor<1x2x1xf32>
}

// -----

func.func @targets(%k: tensor<2x3xui32>, %n: tensor<8x2xui32>, %t: tensor<1x4xi32>, %l: tensor<5x3xf32>) -> tensor<1x2x1xf32> {
  // expected-error @+1 {{tree_ensemble_c3}}
  %y = torsh.tree_ensemble sum %k nodes %n trees %t leaves %l : (tensor<2x3xui32>, tensor<8x2xui32>, tensor<1x4xi32>, tensor<5x3xf32>) -> tensor<1x2x1xf32>
  return %y : tensor<1x2x1xf32>
}
