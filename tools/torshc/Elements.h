//===-- Elements.h - Elements of any dtype as numbers
//-------------------------------------------------------===//
#ifndef TORSH_TOOLS_TORSHC_ELEMENTS_H
#define TORSH_TOOLS_TORSHC_ELEMENTS_H

#include "tools/torshc/Npy.h"

namespace torsh {

/// Whether elements of the dtype can be read and written one by one; those of fewer than 8 bits, which share
/// bytes, cannot.
bool hasElements(torsh_dtype dtype);

/// The element at `bytes`; 64-bit integers are exact. Of a complex number the real part: treat it as two
/// elements.
long double readElement(torsh_dtype dtype, const char *bytes);

/// Writes a number, rounded to the dtype.
void writeElement(torsh_dtype dtype, double value, char *bytes);

/// How an array differs from what was expected.
struct Difference {
  bool within = true;
  long double largestExpected = 0; ///< magnitude of the largest finite expected value
  long double worst = 0;           ///< largest absolute difference; infinite where only one side is a number
  uint64_t worstElement = 0;
  long double expected = 0, actual = 0; ///< there
};

/// Compares element by element: |actual - expected| <= atol + rtol * largest |expected|. A NaN equals a NaN
/// and an infinity itself. Both hold the same number of elements.
Difference compareArrays(const NpyArray &actual, const NpyArray &expected, double rtol, double atol);

} // namespace torsh

#endif // TORSH_TOOLS_TORSHC_ELEMENTS_H
