// What the database has for a kernel becomes its attribute; the key is the kernel's text without its name and places.
// RUN: torsh-opt %s --torsh-apply-choices=show-keys -o /dev/null 2>&1 | %python %S/torshc/Inputs/write_tuning.py %t.json matmul tile_rows=4 tile_panels=1 row_block=24
// RUN: torsh-opt %s --torsh-apply-choices="database=%t.json cpu=test" | FileCheck %s
// RUN: torsh-opt %s --torsh-apply-choices="database=%t.json cpu=other" | FileCheck %s --check-prefix=OTHER
// RUN: torsh-opt %s --torsh-apply-choices="database=%t.json cpu=test level=v4" | FileCheck %s --check-prefix=OTHER
// The attribute is what the strategy builds.
// RUN: torsh-opt %s --torsh-apply-choices="database=%t.json cpu=test" --torsh-emit-kernels | FileCheck %s --check-prefix=CODE
// RUN: torsh-opt %s --torsh-emit-kernels | FileCheck %s --check-prefix=DEFAULT

// CHECK: torsh.kernel @matmul "dot"
// CHECK: } {torsh.choices = {row_block = 24 : i64, v3 = {tile_panels = 1 : i64, tile_rows = 4 : i64}}}
// CHECK: torsh.kernel @same "dot"
// CHECK: } {torsh.choices = {row_block = 24 : i64
// CHECK: torsh.kernel @other "dot"
// CHECK-NOT: torsh.choices
// OTHER-NOT: torsh.choices
// CODE: torsh.note = "tile 4x16, 8 lanes, packed weights; tuned: tile_rows=4 tile_panels=1 row_block=24"
// CODE: torsh.note = "tile 4x16
// CODE: torsh.note = "tile 6x16, 8 lanes, packed weights"
// DEFAULT-NOT: tuned
torsh.kernel @matmul "dot" [] {
^bb0(%x: tensor<30x32xf32>, %w: tensor<3x32x16xf32>):
  %u = torsh.unpack %w : (tensor<3x32x16xf32>) -> tensor<32x48xf32>
  %d = torsh.dot_general %x, %u batch = [] x [] contract = [1] x [0] : (tensor<30x32xf32>, tensor<32x48xf32>) -> tensor<30x48xf32>
  torsh.yield %d : tensor<30x48xf32>
}
torsh.kernel @same "dot" [] {
^bb0(%left: tensor<30x32xf32>, %right: tensor<3x32x16xf32>):
  %0 = torsh.unpack %right : (tensor<3x32x16xf32>) -> tensor<32x48xf32> loc("elsewhere")
  %1 = torsh.dot_general %left, %0 batch = [] x [] contract = [1] x [0] : (tensor<30x32xf32>, tensor<32x48xf32>) -> tensor<30x48xf32>
  torsh.yield %1 : tensor<30x48xf32>
}
torsh.kernel @other "dot" [] {
^bb0(%x: tensor<36x32xf32>, %w: tensor<3x32x16xf32>):
  %u = torsh.unpack %w : (tensor<3x32x16xf32>) -> tensor<32x48xf32>
  %d = torsh.dot_general %x, %u batch = [] x [] contract = [1] x [0] : (tensor<36x32xf32>, tensor<32x48xf32>) -> tensor<36x48xf32>
  torsh.yield %d : tensor<36x48xf32>
}
