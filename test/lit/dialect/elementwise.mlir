// Every elementwise op survives a round trip through text.
// RUN: torsh-opt %s | torsh-opt | FileCheck %s

!f = tensor<?x8xf32, #torsh.dims<[n, 8]>>
!i = tensor<4xi32>

// CHECK-LABEL: func.func @unary
func.func @unary(%x: !f, %i: !i) {
  // CHECK: torsh.abs %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %0 = torsh.abs %x : !f
  // CHECK: torsh.neg %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %1 = torsh.neg %x : !f
  // CHECK: torsh.sign %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %2 = torsh.sign %x : !f
  // CHECK: torsh.exp %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %3 = torsh.exp %x : !f
  // CHECK: torsh.expm1 %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %4 = torsh.expm1 %x : !f
  // CHECK: torsh.log %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %5 = torsh.log %x : !f
  // CHECK: torsh.log1p %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %6 = torsh.log1p %x : !f
  // CHECK: torsh.sqrt %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %7 = torsh.sqrt %x : !f
  // CHECK: torsh.rsqrt %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %8 = torsh.rsqrt %x : !f
  // CHECK: torsh.sin %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %9 = torsh.sin %x : !f
  // CHECK: torsh.cos %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %10 = torsh.cos %x : !f
  // CHECK: torsh.tan %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %11 = torsh.tan %x : !f
  // CHECK: torsh.asin %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %12 = torsh.asin %x : !f
  // CHECK: torsh.acos %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %13 = torsh.acos %x : !f
  // CHECK: torsh.atan %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %14 = torsh.atan %x : !f
  // CHECK: torsh.sinh %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %15 = torsh.sinh %x : !f
  // CHECK: torsh.cosh %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %16 = torsh.cosh %x : !f
  // CHECK: torsh.tanh %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %17 = torsh.tanh %x : !f
  // CHECK: torsh.asinh %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %18 = torsh.asinh %x : !f
  // CHECK: torsh.acosh %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %19 = torsh.acosh %x : !f
  // CHECK: torsh.atanh %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %20 = torsh.atanh %x : !f
  // CHECK: torsh.erf %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %21 = torsh.erf %x : !f
  // CHECK: torsh.sigmoid %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %22 = torsh.sigmoid %x : !f
  // CHECK: torsh.softplus %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %23 = torsh.softplus %x : !f
  // CHECK: torsh.floor %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %24 = torsh.floor %x : !f
  // CHECK: torsh.ceil %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %25 = torsh.ceil %x : !f
  // CHECK: torsh.round %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %26 = torsh.round %x : !f
  // CHECK: torsh.not %{{.*}} : tensor<4xi32>
  %27 = torsh.not %i : !i
  // CHECK: torsh.is_nan %{{.*}} : (tensor<?x8xf32, #torsh.dims<[n, 8]>>) -> tensor<?x8xi1, #torsh.dims<[n, 8]>>
  %nan = torsh.is_nan %x : (!f) -> tensor<?x8xi1, #torsh.dims<[n, 8]>>
  return
}

// CHECK-LABEL: func.func @binary
func.func @binary(%x: !f, %y: !f, %i: !i, %j: !i) {
  // CHECK: torsh.add %{{.*}}, %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %0 = torsh.add %x, %y : !f
  // CHECK: torsh.sub %{{.*}}, %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %1 = torsh.sub %x, %y : !f
  // CHECK: torsh.mul %{{.*}}, %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %2 = torsh.mul %x, %y : !f
  // CHECK: torsh.div %{{.*}}, %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %3 = torsh.div %x, %y : !f
  // CHECK: torsh.rem %{{.*}}, %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %4 = torsh.rem %x, %y : !f
  // CHECK: torsh.mod %{{.*}}, %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %5 = torsh.mod %x, %y : !f
  // CHECK: torsh.pow %{{.*}}, %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %6 = torsh.pow %x, %y : !f
  // CHECK: torsh.maximum %{{.*}}, %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %7 = torsh.maximum %x, %y : !f
  // CHECK: torsh.minimum %{{.*}}, %{{.*}} : tensor<?x8xf32, #torsh.dims<[n, 8]>>
  %8 = torsh.minimum %x, %y : !f
  // CHECK: torsh.and %{{.*}}, %{{.*}} : tensor<4xi32>
  %9 = torsh.and %i, %j : !i
  // CHECK: torsh.or %{{.*}}, %{{.*}} : tensor<4xi32>
  %10 = torsh.or %i, %j : !i
  // CHECK: torsh.xor %{{.*}}, %{{.*}} : tensor<4xi32>
  %11 = torsh.xor %i, %j : !i
  // CHECK: torsh.shift_left %{{.*}}, %{{.*}} : tensor<4xi32>
  %12 = torsh.shift_left %i, %j : !i
  // CHECK: torsh.shift_right %{{.*}}, %{{.*}} : tensor<4xi32>
  %13 = torsh.shift_right %i, %j : !i
  return
}

// CHECK-LABEL: func.func @others
func.func @others(%x: !f, %y: !f) {
  // CHECK: torsh.compare {{ ?}}lt %{{.*}} -> tensor<?x8xi1, #torsh.dims<[n, 8]>>
  %c = torsh.compare lt %x, %y : (!f, !f) -> tensor<?x8xi1, #torsh.dims<[n, 8]>>
  // CHECK: torsh.select %{{.*}}, %{{.*}}, %{{.*}} :
  %s = torsh.select %c, %x, %y : (tensor<?x8xi1, #torsh.dims<[n, 8]>>, !f, !f) -> !f
  // CHECK: torsh.cast %{{.*}} {saturate = false} : {{.*}} -> tensor<?x8xf8E4M3FN, #torsh.dims<[n, 8]>>
  %q = torsh.cast %s {saturate = false} : (!f) -> tensor<?x8xf8E4M3FN, #torsh.dims<[n, 8]>>
  // CHECK: torsh.bitcast %{{.*}} -> tensor<?x8xi32, #torsh.dims<[n, 8]>>
  %b = torsh.bitcast %x : (!f) -> tensor<?x8xi32, #torsh.dims<[n, 8]>>
  return
}
