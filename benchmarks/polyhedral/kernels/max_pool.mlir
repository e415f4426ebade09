func.func @max_pool(%x: memref<64x113x113xf32>, %y: memref<64x56x56xf32>) {
  %low = arith.constant -1.0e30 : f32
  affine.for %c = 0 to 64 {
    affine.for %i = 0 to 56 {
      affine.for %j = 0 to 56 {
        affine.store %low, %y[%c, %i, %j] : memref<64x56x56xf32>
        affine.for %k = 0 to 3 {
          affine.for %l = 0 to 3 {
            %0 = affine.load %y[%c, %i, %j] : memref<64x56x56xf32>
            %1 = affine.load %x[%c, 2 * %i + %k, 2 * %j + %l] : memref<64x113x113xf32>
            %larger = arith.cmpf ogt, %1, %0 : f32
            %2 = arith.select %larger, %1, %0 : f32
            affine.store %2, %y[%c, %i, %j] : memref<64x56x56xf32>
          }
        }
      }
    }
  }
  return
}
