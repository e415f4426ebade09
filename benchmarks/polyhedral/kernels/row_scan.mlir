func.func @row_scan(%x: memref<1500x2003xf32>, %y: memref<1500x2003xf32>) {
  affine.for %i = 0 to 1500 {
    %first = affine.load %x[%i, 0] : memref<1500x2003xf32>
    affine.store %first, %y[%i, 0] : memref<1500x2003xf32>
    affine.for %j = 1 to 2003 {
      %0 = affine.load %y[%i, %j - 1] : memref<1500x2003xf32>
      %1 = affine.load %x[%i, %j] : memref<1500x2003xf32>
      %2 = arith.addf %0, %1 : f32
      affine.store %2, %y[%i, %j] : memref<1500x2003xf32>
    }
  }
  return
}
