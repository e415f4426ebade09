func.func @heat_3d(%a: memref<200x200x200xf32>, %b: memref<200x200x200xf32>) {
  %two = arith.constant 2.0 : f32
  %eighth = arith.constant 0.125 : f32
  affine.for %t = 0 to 20 {
    affine.for %i = 1 to 199 {
      affine.for %j = 1 to 199 {
        affine.for %k = 1 to 199 {
          %m = affine.load %a[%i, %j, %k] : memref<200x200x200xf32>
          %i0 = affine.load %a[%i - 1, %j, %k] : memref<200x200x200xf32>
          %i1 = affine.load %a[%i + 1, %j, %k] : memref<200x200x200xf32>
          %j0 = affine.load %a[%i, %j - 1, %k] : memref<200x200x200xf32>
          %j1 = affine.load %a[%i, %j + 1, %k] : memref<200x200x200xf32>
          %k0 = affine.load %a[%i, %j, %k - 1] : memref<200x200x200xf32>
          %k1 = affine.load %a[%i, %j, %k + 1] : memref<200x200x200xf32>
          %twice = arith.mulf %two, %m : f32
          %di = arith.subf %i1, %twice : f32
          %di2 = arith.addf %di, %i0 : f32
          %dj = arith.subf %j1, %twice : f32
          %dj2 = arith.addf %dj, %j0 : f32
          %dk = arith.subf %k1, %twice : f32
          %dk2 = arith.addf %dk, %k0 : f32
          %ei = arith.mulf %eighth, %di2 : f32
          %ej = arith.mulf %eighth, %dj2 : f32
          %ek = arith.mulf %eighth, %dk2 : f32
          %s0 = arith.addf %ei, %ej : f32
          %s1 = arith.addf %s0, %ek : f32
          %s2 = arith.addf %s1, %m : f32
          affine.store %s2, %b[%i, %j, %k] : memref<200x200x200xf32>
        }
      }
    }
    affine.for %i = 1 to 199 {
      affine.for %j = 1 to 199 {
        affine.for %k = 1 to 199 {
          %m = affine.load %b[%i, %j, %k] : memref<200x200x200xf32>
          %i0 = affine.load %b[%i - 1, %j, %k] : memref<200x200x200xf32>
          %i1 = affine.load %b[%i + 1, %j, %k] : memref<200x200x200xf32>
          %j0 = affine.load %b[%i, %j - 1, %k] : memref<200x200x200xf32>
          %j1 = affine.load %b[%i, %j + 1, %k] : memref<200x200x200xf32>
          %k0 = affine.load %b[%i, %j, %k - 1] : memref<200x200x200xf32>
          %k1 = affine.load %b[%i, %j, %k + 1] : memref<200x200x200xf32>
          %twice = arith.mulf %two, %m : f32
          %di = arith.subf %i1, %twice : f32
          %di2 = arith.addf %di, %i0 : f32
          %dj = arith.subf %j1, %twice : f32
          %dj2 = arith.addf %dj, %j0 : f32
          %dk = arith.subf %k1, %twice : f32
          %dk2 = arith.addf %dk, %k0 : f32
          %ei = arith.mulf %eighth, %di2 : f32
          %ej = arith.mulf %eighth, %dj2 : f32
          %ek = arith.mulf %eighth, %dk2 : f32
          %s0 = arith.addf %ei, %ej : f32
          %s1 = arith.addf %s0, %ek : f32
          %s2 = arith.addf %s1, %m : f32
          affine.store %s2, %a[%i, %j, %k] : memref<200x200x200xf32>
        }
      }
    }
  }
  return
}
