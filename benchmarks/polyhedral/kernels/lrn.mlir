func.func @lrn(%x: memref<96x55x55xf32>, %square: memref<96x55x55xf32>, %sum: memref<96x55x55xf32>, %y: memref<96x55x55xf32>) {
  %zero = arith.constant 0.0 : f32
  %two = arith.constant 2.0 : f32
  %alpha = arith.constant 2.0e-5 : f32
  %beta = arith.constant 0.75 : f32
  affine.for %c = 0 to 96 {
    affine.for %i = 0 to 55 {
      affine.for %j = 0 to 55 {
        %0 = affine.load %x[%c, %i, %j] : memref<96x55x55xf32>
        %1 = arith.mulf %0, %0 : f32
        affine.store %1, %square[%c, %i, %j] : memref<96x55x55xf32>
        affine.store %zero, %sum[%c, %i, %j] : memref<96x55x55xf32>
      }
    }
  }
  affine.for %c = 0 to 96 {
    affine.for %k = max affine_map<(c) -> (0, c - 2)>(%c) to min affine_map<(c) -> (96, c + 3)>(%c) {
      affine.for %i = 0 to 55 {
        affine.for %j = 0 to 55 {
          %0 = affine.load %sum[%c, %i, %j] : memref<96x55x55xf32>
          %1 = affine.load %square[%k, %i, %j] : memref<96x55x55xf32>
          %2 = arith.addf %0, %1 : f32
          affine.store %2, %sum[%c, %i, %j] : memref<96x55x55xf32>
        }
      }
    }
  }
  affine.for %c = 0 to 96 {
    affine.for %i = 0 to 55 {
      affine.for %j = 0 to 55 {
        %0 = affine.load %x[%c, %i, %j] : memref<96x55x55xf32>
        %1 = affine.load %sum[%c, %i, %j] : memref<96x55x55xf32>
        %2 = arith.mulf %alpha, %1 : f32
        %3 = arith.addf %two, %2 : f32
        %4 = math.powf %3, %beta : f32
        %5 = arith.divf %0, %4 : f32
        affine.store %5, %y[%c, %i, %j] : memref<96x55x55xf32>
      }
    }
  }
  return
}
