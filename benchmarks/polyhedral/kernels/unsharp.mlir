func.func @unsharp(%x: memref<1500x2004xf32>, %rows: memref<1500x2004xf32>, %blur: memref<1500x2004xf32>, %y: memref<1500x2004xf32>) {
  %outer = arith.constant 0.0625 : f32
  %inner = arith.constant 0.25 : f32
  %middle = arith.constant 0.375 : f32
  %share = arith.constant 1.5 : f32
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  affine.for %i = 0 to 1500 {
    affine.for %j = 2 to 2002 {
      %0 = affine.load %x[%i, %j - 2] : memref<1500x2004xf32>
      %1 = affine.load %x[%i, %j + 2] : memref<1500x2004xf32>
      %2 = affine.load %x[%i, %j - 1] : memref<1500x2004xf32>
      %3 = affine.load %x[%i, %j + 1] : memref<1500x2004xf32>
      %4 = affine.load %x[%i, %j] : memref<1500x2004xf32>
      %5 = arith.addf %0, %1 : f32
      %6 = arith.mulf %outer, %5 : f32
      %7 = arith.addf %2, %3 : f32
      %8 = arith.mulf %inner, %7 : f32
      %9 = arith.addf %6, %8 : f32
      %10 = arith.mulf %middle, %4 : f32
      %11 = arith.addf %9, %10 : f32
      affine.store %11, %rows[%i, %j] : memref<1500x2004xf32>
    }
  }
  affine.for %i = 2 to 1498 {
    affine.for %j = 2 to 2002 {
      %0 = affine.load %rows[%i - 2, %j] : memref<1500x2004xf32>
      %1 = affine.load %rows[%i + 2, %j] : memref<1500x2004xf32>
      %2 = affine.load %rows[%i - 1, %j] : memref<1500x2004xf32>
      %3 = affine.load %rows[%i + 1, %j] : memref<1500x2004xf32>
      %4 = affine.load %rows[%i, %j] : memref<1500x2004xf32>
      %5 = arith.addf %0, %1 : f32
      %6 = arith.mulf %outer, %5 : f32
      %7 = arith.addf %2, %3 : f32
      %8 = arith.mulf %inner, %7 : f32
      %9 = arith.addf %6, %8 : f32
      %10 = arith.mulf %middle, %4 : f32
      %11 = arith.addf %9, %10 : f32
      affine.store %11, %blur[%i, %j] : memref<1500x2004xf32>
    }
  }
  affine.for %i = 2 to 1498 {
    affine.for %j = 2 to 2002 {
      %0 = affine.load %x[%i, %j] : memref<1500x2004xf32>
      %1 = affine.load %blur[%i, %j] : memref<1500x2004xf32>
      %2 = arith.subf %0, %1 : f32
      %3 = arith.mulf %share, %2 : f32
      %4 = arith.addf %0, %3 : f32
      affine.store %4, %y[%i, %j] : memref<1500x2004xf32>
    }
  }
  affine.for %i = 2 to 1498 {
    affine.for %j = 2 to 2002 {
      %0 = affine.load %y[%i, %j] : memref<1500x2004xf32>
      %1 = arith.maxnumf %0, %zero : f32
      %2 = arith.minnumf %1, %one : f32
      affine.store %2, %y[%i, %j] : memref<1500x2004xf32>
    }
  }
  return
}
