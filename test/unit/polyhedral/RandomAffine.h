//===-- RandomAffine.h - Affine functions of a seed ---------------------------------------------------------===//
#ifndef TORSH_TEST_UNIT_POLYHEDRAL_RANDOMAFFINE_H
#define TORSH_TEST_UNIT_POLYHEDRAL_RANDOMAFFINE_H

#include <cstdint>
#include <string>

namespace torsh::test {

/// Sizes of the arrays of every random function, and the largest value of its two sizes.
enum { rows = 64, columns = 72, length = 96, mostSize = 18 };

/// A function @name(two matrices, two vectors, two sizes) of one to three nests, up to three loops deep: constant,
/// symbolic and triangular bounds, shifted, reversed and strided subscripts, reductions, scans and time loops. Elements
/// are i32, where any order of sums has one result, or f32.
std::string randomAffineFunction(const std::string &name, uint64_t seed, bool floats);

} // namespace torsh::test

#endif // TORSH_TEST_UNIT_POLYHEDRAL_RANDOMAFFINE_H
