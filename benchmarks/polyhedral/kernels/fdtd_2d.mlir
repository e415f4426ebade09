func.func @fdtd_2d(%ex: memref<2000x2600xf32>, %ey: memref<2000x2600xf32>, %hz: memref<2000x2600xf32>, %source: memref<30xf32>) {
  %half = arith.constant 0.5 : f32
  %share = arith.constant 0.7 : f32
  affine.for %t = 0 to 30 {
    affine.for %j = 0 to 2600 {
      %0 = affine.load %source[%t] : memref<30xf32>
      affine.store %0, %ey[0, %j] : memref<2000x2600xf32>
    }
    affine.for %i = 1 to 2000 {
      affine.for %j = 0 to 2600 {
        %0 = affine.load %ey[%i, %j] : memref<2000x2600xf32>
        %1 = affine.load %hz[%i, %j] : memref<2000x2600xf32>
        %2 = affine.load %hz[%i - 1, %j] : memref<2000x2600xf32>
        %3 = arith.subf %1, %2 : f32
        %4 = arith.mulf %half, %3 : f32
        %5 = arith.subf %0, %4 : f32
        affine.store %5, %ey[%i, %j] : memref<2000x2600xf32>
      }
    }
    affine.for %i = 0 to 2000 {
      affine.for %j = 1 to 2600 {
        %0 = affine.load %ex[%i, %j] : memref<2000x2600xf32>
        %1 = affine.load %hz[%i, %j] : memref<2000x2600xf32>
        %2 = affine.load %hz[%i, %j - 1] : memref<2000x2600xf32>
        %3 = arith.subf %1, %2 : f32
        %4 = arith.mulf %half, %3 : f32
        %5 = arith.subf %0, %4 : f32
        affine.store %5, %ex[%i, %j] : memref<2000x2600xf32>
      }
    }
    affine.for %i = 0 to 1999 {
      affine.for %j = 0 to 2599 {
        %0 = affine.load %hz[%i, %j] : memref<2000x2600xf32>
        %1 = affine.load %ex[%i, %j + 1] : memref<2000x2600xf32>
        %2 = affine.load %ex[%i, %j] : memref<2000x2600xf32>
        %3 = affine.load %ey[%i + 1, %j] : memref<2000x2600xf32>
        %4 = affine.load %ey[%i, %j] : memref<2000x2600xf32>
        %5 = arith.subf %1, %2 : f32
        %6 = arith.addf %5, %3 : f32
        %7 = arith.subf %6, %4 : f32
        %8 = arith.mulf %share, %7 : f32
        %9 = arith.subf %0, %8 : f32
        affine.store %9, %hz[%i, %j] : memref<2000x2600xf32>
      }
    }
  }
  return
}
