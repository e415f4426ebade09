// RUN: torsh-opt %s --torsh-schedule-affine="report-schedule" --split-input-file --verify-diagnostics | FileCheck %s

// A free loop along the rows becomes vectors; the argument's arrays do not overlap.
// CHECK-LABEL: func.func @rows(
// CHECK-SAME: llvm.noalias
// CHECK: vector.load %arg0{{.*}} vector<8xf32>
// CHECK: vector.store %{{.*}}, %arg1
// CHECK: } {torsh.parallel}
// expected-remark @+1 {{function 'rows': no tiles, the original order within; verified}}
func.func @rows(%a: memref<20x30xf32>, %b: memref<20x30xf32>) {
  affine.for %i = 0 to 20 {
    affine.for %j = 1 to 29 {
      %0 = affine.load %a[%i, %j - 1] : memref<20x30xf32>
      %1 = affine.load %a[%i, %j + 1] : memref<20x30xf32>
      %2 = arith.addf %0, %1 : f32
      affine.store %2, %b[%i, %j] : memref<20x30xf32>
    }
  }
  return
}

// -----

// Of loops that run down the columns, the outer one becomes vectors.
// CHECK-LABEL: func.func @columns(
// CHECK: scf.for
// CHECK: scf.for {{.*}} iter_args(%{{.*}}) -> (vector<8xf32>)
// CHECK: vector.load %arg0
// CHECK: vector.store
// expected-remark @+1 {{verified}}
func.func @columns(%a: memref<20x30xf32>, %b: memref<20x30xf32>) {
  affine.for %j = 0 to 30 {
    affine.for %i = 1 to 20 {
      %0 = affine.load %a[%i, %j] : memref<20x30xf32>
      %1 = affine.load %b[%i - 1, %j] : memref<20x30xf32>
      %2 = arith.addf %0, %1 : f32
      affine.store %2, %b[%i, %j] : memref<20x30xf32>
    }
  }
  return
}

// -----

// A sum has four vectors of partial results, and is written once.
// CHECK-LABEL: func.func @sum(
// CHECK: scf.for {{.*}} iter_args({{.*}}, {{.*}}, {{.*}}, {{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK: vector.reduction <add>
// CHECK: memref.store
// CHECK-NOT: memref.store
// expected-remark @+1 {{verified}}
func.func @sum(%a: memref<1000xf32>, %s: memref<f32>) {
  affine.for %i = 0 to 1000 {
    %0 = affine.load %a[%i] : memref<1000xf32>
    %1 = affine.load %s[] : memref<f32>
    %2 = arith.addf %1, %0 : f32
    affine.store %2, %s[] : memref<f32>
  }
  return
}

// -----

// Running sums of eight rows side by side, each in a register.
// CHECK-LABEL: func.func @scan(
// CHECK: scf.for {{.*}} -> (f32, f32, f32, f32, f32, f32, f32, f32)
// CHECK-NOT: vector.
// expected-remark @+1 {{verified}}
func.func @scan(%x: memref<64x99xf32>, %y: memref<64x99xf32>) {
  affine.for %i = 0 to 64 {
    affine.for %j = 1 to 99 {
      %0 = affine.load %y[%i, %j - 1] : memref<64x99xf32>
      %1 = affine.load %x[%i, %j] : memref<64x99xf32>
      %2 = arith.addf %0, %1 : f32
      affine.store %2, %y[%i, %j] : memref<64x99xf32>
    }
  }
  return
}

// -----

// A time loop over more than the caches hold is skewed and tiled.
// CHECK-LABEL: func.func @sweeps(
// CHECK: arith.minsi
// CHECK: vector.store
// CHECK-NOT: torsh.parallel
// expected-remark @+1 {{function 'sweeps': tiles}}
func.func @sweeps(%a: memref<900000xf32>, %b: memref<900000xf32>) {
  affine.for %t = 0 to 100 {
    affine.for %i = 1 to 899999 {
      %0 = affine.load %a[%i - 1] : memref<900000xf32>
      %1 = affine.load %a[%i + 1] : memref<900000xf32>
      %2 = arith.addf %0, %1 : f32
      affine.store %2, %b[%i] : memref<900000xf32>
    }
    affine.for %i = 1 to 899999 {
      %0 = affine.load %b[%i] : memref<900000xf32>
      affine.store %0, %a[%i] : memref<900000xf32>
    }
  }
  return
}

// -----

// Bounds may be sizes that are known at run time only.
// CHECK-LABEL: func.func @triangle(
// CHECK: vector.store
// expected-remark @+1 {{verified}}
func.func @triangle(%a: memref<?x?xf32>, %n: index) {
  %c = arith.constant 2.0 : f32
  affine.for %i = 0 to %n {
    affine.for %j = 0 to affine_map<(i) -> (i + 1)>(%i) {
      %0 = affine.load %a[%i, %j] : memref<?x?xf32>
      %1 = arith.mulf %c, %0 : f32
      affine.store %1, %a[%i, %j] : memref<?x?xf32>
    }
  }
  return
}

// -----

// CHECK-LABEL: func.func @carries(
// CHECK: affine.for
func.func @carries(%a: memref<9xf32>, %s: memref<f32>) {
  %zero = arith.constant 0.0 : f32
  // expected-remark @+1 {{function 'carries' keeps its loops: a loop carries values; keep them in a memref}}
  %sum = affine.for %i = 0 to 9 iter_args(%x = %zero) -> (f32) {
    %0 = affine.load %a[%i] : memref<9xf32>
    %1 = arith.addf %x, %0 : f32
    affine.yield %1 : f32
  }
  affine.store %sum, %s[] : memref<f32>
  return
}

// -----

// CHECK-LABEL: func.func @indirect(
// CHECK: memref.load
func.func @indirect(%a: memref<9xf32>, %at: memref<9xindex>) {
  affine.for %i = 0 to 9 {
    // expected-remark @+1 {{'memref.load' is not affine}}
    %k = memref.load %at[%i] : memref<9xindex>
    %0 = memref.load %a[%k] : memref<9xf32>
    affine.store %0, %a[%i] : memref<9xf32>
  }
  return
}

// -----

// CHECK-LABEL: func.func @either(
// CHECK: affine.if
func.func @either(%a: memref<9xf32>, %n: index) {
  %c = arith.constant 2.0 : f32
  affine.for %i = 0 to 9 {
    // expected-remark @+1 {{a condition has an else branch or results}}
    affine.if affine_set<(i)[n] : (n - i >= 0)>(%i)[%n] {
      affine.store %c, %a[%i] : memref<9xf32>
    } else {
      affine.store %c, %a[0] : memref<9xf32>
    }
  }
  return
}

// -----

// CHECK-LABEL: func.func @strided(
// CHECK: affine.store
func.func @strided(%a: memref<9xf32, strided<[2]>>) {
  %c = arith.constant 2.0 : f32
  affine.for %i = 0 to 9 {
    // expected-remark @+1 {{an array has strides or elements that are no numbers}}
    affine.store %c, %a[%i] : memref<9xf32, strided<[2]>>
  }
  return
}

// -----

// CHECK-LABEL: func.func @outside(
// CHECK: affine.load
func.func @outside(%a: memref<9x9xf32>) {
  affine.for %i = 0 to 9 {
    // expected-remark @+1 {{a value is loaded outside of the loop that uses it, from an array that is written}}
    %0 = affine.load %a[%i, 0] : memref<9x9xf32>
    affine.for %j = 0 to 9 {
      affine.store %0, %a[%i, %j] : memref<9x9xf32>
    }
  }
  return
}

// -----

// CHECK-LABEL: func.func @between(
// CHECK: affine.load
func.func @between(%a: memref<9xf32>, %b: memref<9xf32>) {
  affine.for %i = 0 to 8 {
    // expected-remark @+1 {{an array is written between a load and the store that uses it}}
    %0 = affine.load %a[%i] : memref<9xf32>
    %1 = affine.load %a[%i + 1] : memref<9xf32>
    affine.store %1, %a[%i] : memref<9xf32>
    affine.store %0, %b[%i] : memref<9xf32>
  }
  return
}

// -----

// CHECK-LABEL: func.func @steps(
// CHECK: affine.for
func.func @steps(%a: memref<99xf32>, %n: index) {
  %c = arith.constant 2.0 : f32
  affine.for %i = max affine_map<(n) -> (0, n)>(%n) to 99 step 2 {
    // expected-remark @+1 {{a loop with a step has several lower bounds}}
    affine.store %c, %a[%i] : memref<99xf32>
  }
  return
}

// -----

// expected-remark @+1 {{function 'nothing' keeps its loops: it has no loops that store anything}}
func.func @nothing(%a: memref<9xf32>) {
  return
}

// -----

func.func @returns(%a: memref<9xf32>) -> f32 {
  %c = arith.constant 2.0 : f32
  // expected-remark @+1 {{it returns values}}
  return %c : f32
}

// -----

func.func @late(%a: memref<9xf32>) {
  affine.for %i = 0 to 9 {
    %0 = affine.load %a[%i] : memref<9xf32>
    affine.store %0, %a[%i] : memref<9xf32>
  }
  // expected-remark @+1 {{an allocation stands behind the first loop; move it to the front}}
  %b = memref.alloc() : memref<9xf32>
  memref.dealloc %b : memref<9xf32>
  return
}

// -----

// CHECK-LABEL: func.func @view(
// CHECK: affine.store
func.func @view(%a: memref<9xf32>) {
  %b = memref.cast %a : memref<9xf32> to memref<?xf32>
  affine.for %i = 1 to 9 {
    // expected-remark @+1 {{an array is neither an argument nor allocated here}}
    %0 = affine.load %b[%i - 1] : memref<?xf32>
    affine.store %0, %a[%i] : memref<9xf32>
  }
  return
}

// -----

// CHECK-LABEL: func.func @size(
// CHECK: affine.for
func.func @size(%a: memref<99xf32>, %n: index) {
  %c = arith.constant 2.0 : f32
  affine.for %i = 0 to 9 {
    affine.store %c, %a[%i] : memref<99xf32>
  }
  // expected-remark @+1 {{a size is computed behind the first loop; move it to the front}}
  %m = arith.muli %n, %n : index
  affine.for %i = 0 to %m {
    affine.store %c, %a[%i] : memref<99xf32>
  }
  return
}
