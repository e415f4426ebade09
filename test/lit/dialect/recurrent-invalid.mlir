// What the verifiers of recurrent layers refuse.
// RUN: torsh-opt %s -verify-diagnostics -split-input-file

func.func @lstm_c1(%x: tensor<5x2x3xf32>, %w: tensor<1x12x3xf32>, %r: tensor<1x16x4xf32>) {
  // expected-error@+1 {{lstm_c1: w is 'tensor<1x12x3xf32>', not 'tensor<1x16x3xf32>'}}
  %0:3 = torsh.lstm forward %x, %w, %r : (tensor<5x2x3xf32>, tensor<1x12x3xf32>, tensor<1x16x4xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @lstm_c1_peephole(%x: tensor<5x2x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>, %p: tensor<1x16xf32>) {
  // expected-error@+1 {{lstm_c1: peephole is 'tensor<1x16xf32>', not 'tensor<1x12xf32>'}}
  %0:3 = torsh.lstm forward %x, %w, %r peephole %p : (tensor<5x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>, tensor<1x16xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @gru_c1(%x: tensor<5x2x3xf32>, %w: tensor<2x12x3xf32>, %r: tensor<2x12x4xf32>, %b: tensor<1x24xf32>) {
  // expected-error@+1 {{gru_c1: bias is 'tensor<1x24xf32>', not 'tensor<2x24xf32>'}}
  %0:2 = torsh.gru bidirectional %x, %w, %r bias %b {linear_before_reset = false} : (tensor<5x2x3xf32>, tensor<2x12x3xf32>, tensor<2x12x4xf32>, tensor<1x24xf32>) -> (tensor<5x2x2x4xf32>, tensor<2x2x4xf32>)
  return
}

// -----

func.func @rnn_c1(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>, %len: tensor<5xi32>) {
  // expected-error@+1 {{rnn_c1: lengths is 'tensor<5xi32>', not 'tensor<2xi32>'}}
  %0:2 = torsh.rnn forward %x, %w, %r lengths %len : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>, tensor<5xi32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}

// -----

func.func @rnn_c1_rank(%x: tensor<5x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>) {
  // expected-error@+1 {{rnn_c1: x, w and r have rank 3}}
  %0:2 = torsh.rnn forward %x, %w, %r : (tensor<5x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>)
  return
}
