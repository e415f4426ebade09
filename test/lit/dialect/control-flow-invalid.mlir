// What the verifiers of ops with regions refuse.
// RUN: torsh-opt %s -verify-diagnostics -split-input-file

func.func @if_c1(%c: tensor<i1>, %x: tensor<4xf32>, %y: tensor<5xf32>) {
  // expected-error@+1 {{if_c1: number 0 of the values of the second region is 'tensor<5xf32>', not 'tensor<4xf32>'}}
  %0 = torsh.if %c {
    torsh.yield %x : tensor<4xf32>
  } else {
    torsh.yield %y : tensor<5xf32>
  } : (tensor<i1>) -> tensor<4xf32>
  return
}

// -----

func.func @if_c1_condition(%c: tensor<1xi1>, %x: tensor<4xf32>) {
  // expected-error@+1 {{if_c1: the condition has rank 1, not 0}}
  %0 = torsh.if %c {
    torsh.yield %x : tensor<4xf32>
  } else {
    torsh.yield %x : tensor<4xf32>
  } : (tensor<1xi1>) -> tensor<4xf32>
  return
}

// -----

func.func @if_c1_count(%c: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error@+1 {{if_c1: 1 values of the first region expected, there are 0}}
  %0 = torsh.if %c {
    torsh.yield
  } else {
    torsh.yield %x : tensor<4xf32>
  } : (tensor<i1>) -> tensor<4xf32>
  return
}

// -----

func.func @for_c1_arguments(%x: tensor<4xf32>) {
  // expected-error@+1 {{for_c1: number 0 of the body arguments is 'tensor<i32>', not 'tensor<i64>'}}
  %0 = torsh.for <3> init(%x) {
  ^bb0(%i: tensor<i32>, %v: tensor<4xf32>):
    torsh.yield %v : tensor<4xf32>
  } : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @for_c1_yields(%x: tensor<4xf32>) {
  // expected-error@+1 {{for_c1: the body yields 0 values for 1 carried ones}}
  %0 = torsh.for <3> init(%x) {
  ^bb0(%i: tensor<i64>, %v: tensor<4xf32>):
    torsh.yield
  } : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @for_c1_stacked(%x: tensor<4xf32>) {
  // expected-error@+1 {{for_c1: number 1 of the results is 'tensor<4xf32>', not 'tensor<3x4xf32>'}}
  %0:2 = torsh.for <3> init(%x) {
  ^bb0(%i: tensor<i64>, %v: tensor<4xf32>):
    torsh.yield %v, %v : tensor<4xf32>, tensor<4xf32>
  } : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @for_c1_count(%x: tensor<4xf32>) {
  // expected-error@+1 {{for_c1: the trip count is -1}}
  %0 = torsh.for <-1> init(%x) {
  ^bb0(%i: tensor<i64>, %v: tensor<4xf32>):
    torsh.yield %v : tensor<4xf32>
  } : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @while_c1(%c: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error@+1 {{while_c1: 2 yielded values expected, there are 1}}
  %0 = torsh.while %c init(%x) {
  ^bb0(%v: tensor<4xf32>):
    torsh.yield %v : tensor<4xf32>
  } : (tensor<i1>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @while_c1_condition(%c: tensor<1xi1>, %x: tensor<4xf32>) {
  // expected-error@+1 {{while_c1: number 0 of the conditions is 'tensor<1xi1>', not 'tensor<i1>'}}
  %0 = torsh.while %c init(%x) {
  ^bb0(%v: tensor<4xf32>):
    torsh.yield %c, %v : tensor<1xi1>, tensor<4xf32>
  } : (tensor<1xi1>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @group_c1(%x: tensor<4xf32>) {
  // expected-error@+1 {{group_c1: number 0 of the block arguments is 'tensor<5xf32>', not 'tensor<4xf32>'}}
  %0 = torsh.group "elementwise"(%x) {
  ^bb0(%v: tensor<5xf32>):
    torsh.yield %v : tensor<5xf32>
  } : (tensor<4xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @group_c1_results(%x: tensor<4xf32>) {
  // expected-error@+1 {{group_c1: number 0 of the yielded values is 'tensor<4xf32>', not 'tensor<5xf32>'}}
  %0 = torsh.group "elementwise"(%x) {
  ^bb0(%v: tensor<4xf32>):
    torsh.yield %v : tensor<4xf32>
  } : (tensor<4xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @group_isolated(%x: tensor<4xf32>) {
  // expected-note@+1 {{required by region isolation constraints}}
  %0 = torsh.group "elementwise"(%x) {
  ^bb0(%v: tensor<4xf32>):
    // expected-error@+1 {{using value defined outside the region}}
    torsh.yield %x : tensor<4xf32>
  } : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @yield_parent(%x: tensor<4xf32>) {
  // expected-error@+1 {{expects parent op to be one of 'torsh.if, torsh.for, torsh.while, torsh.stage, torsh.group}}
  torsh.yield %x : tensor<4xf32>
}
