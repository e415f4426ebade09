//===-- DeviceKinds.h - Kernels of the four kinds -----------------------------------------------------------===//
#ifndef TORSH_TEST_GPU_KERNELS_DEVICEKINDS_H
#define TORSH_TEST_GPU_KERNELS_DEVICEKINDS_H

#include "DeviceHarness.h"

namespace torsh::test {

/// bias + residual, a GELU's error function and an exponential over a matrix.
Case elementwiseChain(int64_t rows, int64_t columns, const std::string &element = "f32");
Case softmaxRows(int64_t rows, int64_t columns, const std::string &element = "f32");
/// Of a sum, scaled behind.
Case layerNormRows(int64_t rows, int64_t columns, const std::string &element = "f32");

/// How the right operand of a product is given.
enum class RightForm { Packed, Plain, Transposed };

struct Product {
  int64_t m, n, k;
  RightForm right = RightForm::Packed;
  std::string element = "f32", stored = ""; ///< of the operands, and of packed weights where it is another
  int64_t batch = 0;                        ///< 0: none
  bool epilogue = false;                    ///< bias, tanh and a residual
};
Case product(const Product &p);

} // namespace torsh::test

#endif // TORSH_TEST_GPU_KERNELS_DEVICEKINDS_H
