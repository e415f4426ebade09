func.func @triangular_mv(%l: memref<2500x2500xf32>, %x: memref<2500xf32>, %w: memref<2500xf32>,
                         %y: memref<2500xf32>, %z: memref<2500xf32>) {
  %zero = arith.constant 0.0 : f32
  affine.for %i = 0 to 2500 {
    affine.store %zero, %y[%i] : memref<2500xf32>
    affine.store %zero, %z[%i] : memref<2500xf32>
  }
  affine.for %i = 0 to 2500 {
    affine.for %j = 0 to affine_map<(i) -> (i + 1)>(%i) {
      %0 = affine.load %y[%i] : memref<2500xf32>
      %1 = affine.load %l[%i, %j] : memref<2500x2500xf32>
      %2 = affine.load %x[%j] : memref<2500xf32>
      %3 = arith.mulf %1, %2 : f32
      %4 = arith.addf %0, %3 : f32
      affine.store %4, %y[%i] : memref<2500xf32>
    }
  }
  affine.for %i = 0 to 2500 {
    affine.for %j = 0 to affine_map<(i) -> (i + 1)>(%i) {
      %0 = affine.load %z[%j] : memref<2500xf32>
      %1 = affine.load %l[%i, %j] : memref<2500x2500xf32>
      %2 = affine.load %w[%i] : memref<2500xf32>
      %3 = arith.mulf %1, %2 : f32
      %4 = arith.addf %0, %3 : f32
      affine.store %4, %z[%j] : memref<2500xf32>
    }
  }
  return
}
