func.func @jacobi_2d(%a: memref<2800x2800xf32>, %b: memref<2800x2800xf32>) {
  %c = arith.constant 0.2 : f32
  affine.for %t = 0 to 30 {
    affine.for %i = 1 to 2799 {
      affine.for %j = 1 to 2799 {
        %0 = affine.load %a[%i, %j] : memref<2800x2800xf32>
        %1 = affine.load %a[%i, %j - 1] : memref<2800x2800xf32>
        %2 = affine.load %a[%i, %j + 1] : memref<2800x2800xf32>
        %3 = affine.load %a[%i + 1, %j] : memref<2800x2800xf32>
        %4 = affine.load %a[%i - 1, %j] : memref<2800x2800xf32>
        %5 = arith.addf %0, %1 : f32
        %6 = arith.addf %5, %2 : f32
        %7 = arith.addf %6, %3 : f32
        %8 = arith.addf %7, %4 : f32
        %9 = arith.mulf %c, %8 : f32
        affine.store %9, %b[%i, %j] : memref<2800x2800xf32>
      }
    }
    affine.for %i = 1 to 2799 {
      affine.for %j = 1 to 2799 {
        %0 = affine.load %b[%i, %j] : memref<2800x2800xf32>
        %1 = affine.load %b[%i, %j - 1] : memref<2800x2800xf32>
        %2 = affine.load %b[%i, %j + 1] : memref<2800x2800xf32>
        %3 = affine.load %b[%i + 1, %j] : memref<2800x2800xf32>
        %4 = affine.load %b[%i - 1, %j] : memref<2800x2800xf32>
        %5 = arith.addf %0, %1 : f32
        %6 = arith.addf %5, %2 : f32
        %7 = arith.addf %6, %3 : f32
        %8 = arith.addf %7, %4 : f32
        %9 = arith.mulf %c, %8 : f32
        affine.store %9, %a[%i, %j] : memref<2800x2800xf32>
      }
    }
  }
  return
}
