//===-- Iteration.h - Loops over row-major tensors
//----------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_REFERENCE_ITERATION_H
#define TORSH_DIALECTS_TORSH_REFERENCE_ITERATION_H

#include "dialects/torsh/reference/Evaluator.h"

namespace torsh::reference {

/// The element types that tensors hold: double for floats, int64_t for integers.
template <typename T> const std::vector<T> &valuesOf(const Tensor &x) {
  if constexpr (std::is_same_v<T, double>)
    return x.floats;
  else
    return x.ints;
}
template <typename T> std::vector<T> &valuesOf(Tensor &x) {
  return const_cast<std::vector<T> &>(valuesOf<T>(const_cast<const Tensor &>(x)));
}

/// Calls `visit` with a value of the type that the tensor's elements are held in.
template <typename Visit> decltype(auto) dispatch(const Tensor &x, Visit visit) {
  return x.isFloat() ? visit(double()) : visit(int64_t());
}

inline int64_t productOf(llvm::ArrayRef<int64_t> sizes) {
  int64_t product = 1;
  for (int64_t size : sizes)
    product *= size;
  return product;
}

/// Row-major strides. Sizes of 0 count as 1: the strides of an empty tensor are never used.
inline llvm::SmallVector<int64_t> stridesOf(llvm::ArrayRef<int64_t> shape) {
  llvm::SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t i = int64_t(shape.size()) - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * std::max<int64_t>(shape[i + 1], 1);
  return strides;
}

/// Calls `visit(index, linear)` for each index of the box in row-major order; once for rank 0.
template <typename Visit> void forEachIndex(llvm::ArrayRef<int64_t> shape, Visit visit) {
  llvm::SmallVector<int64_t> index(shape.size(), 0);
  int64_t count = productOf(shape);
  for (int64_t linear = 0; linear < count; ++linear) {
    visit(llvm::ArrayRef<int64_t>(index), linear);
    for (int64_t i = int64_t(shape.size()) - 1; i >= 0; --i) {
      if (++index[i] < shape[i])
        break;
      index[i] = 0;
    }
  }
}

/// y[i] = x[source(i)] for all indices i of y. A source of -1 leaves y[i] as it is.
template <typename Source> void copyElements(const Tensor &x, Tensor &y, Source source) {
  dispatch(x, [&](auto tag) {
    using T = decltype(tag);
    const std::vector<T> &from = valuesOf<T>(x);
    std::vector<T> &to = valuesOf<T>(y);
    forEachIndex(y.shape, [&](llvm::ArrayRef<int64_t> index, int64_t linear) {
      int64_t position = source(index);
      if (position >= 0)
        to[linear] = from[position];
    });
  });
}

/// The elements in the order of permuted dims: result dim i is dim permutation[i].
template <typename T>
std::vector<T> permuted(const std::vector<T> &values, llvm::ArrayRef<int64_t> shape,
                        llvm::ArrayRef<int64_t> permutation) {
  if (values.empty() || llvm::equal(permutation, llvm::seq<int64_t>(0, shape.size())))
    return values;
  std::vector<T> result(values.size());
  llvm::SmallVector<int64_t> strides = stridesOf(shape), outerShape;
  for (int64_t source : permutation)
    outerShape.push_back(shape[source]);
  // The innermost dim is a plain strided loop.
  int64_t innerSize = outerShape.pop_back_val(), innerStride = strides[permutation.back()], position = 0;
  forEachIndex(outerShape, [&](llvm::ArrayRef<int64_t> index, int64_t) {
    int64_t start = 0;
    for (size_t i = 0; i < index.size(); ++i)
      start += index[i] * strides[permutation[i]];
    for (int64_t i = 0; i < innerSize; ++i)
      result[position++] = values[start + i * innerStride];
  });
  return result;
}

/// A shape seen from one axis: [outer, size, inner].
struct AxisView {
  int64_t outer = 1, size = 1, inner = 1;
  AxisView(llvm::ArrayRef<int64_t> shape, int64_t axis)
      : outer(productOf(shape.take_front(axis))), size(shape[axis]),
        inner(productOf(shape.drop_front(axis + 1))) {}
  /// Calls `visit(start)` with the position of the first element of each line along the axis; elements of a
  /// line are `inner` apart.
  template <typename Visit> void forEachLine(Visit visit) const {
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i)
        visit(o * size * inner + i);
  }
};

/// a + b * c; integers wrap.
inline double mulAdd(double a, double b, double c) { return a + b * c; }
inline int64_t mulAdd(int64_t a, int64_t b, int64_t c) {
  return int64_t(uint64_t(a) + uint64_t(b) * uint64_t(c));
}
inline double wrappingAdd(double a, double b) { return a + b; }
inline int64_t wrappingAdd(int64_t a, int64_t b) { return int64_t(uint64_t(a) + uint64_t(b)); }
inline double wrappingMul(double a, double b) { return a * b; }
inline int64_t wrappingMul(int64_t a, int64_t b) { return int64_t(uint64_t(a) * uint64_t(b)); }

/// a < b in the order of the element type; only ui64 does not fit the signed comparison of the stored 64
/// bits.
inline bool lessThan(double a, double b, mlir::Type) { return a < b; }
inline bool lessThan(int64_t a, int64_t b, mlir::Type elementType) {
  return elementType.isUnsignedInteger(64) ? uint64_t(a) < uint64_t(b) : a < b;
}
inline bool isNan(double x) { return x != x; }
inline bool isNan(int64_t) { return false; }
/// The larger of both, NaN before all; +0 is larger than -0.
template <typename T> T maximumOf(T a, T b, mlir::Type elementType) {
  if (isNan(a) || isNan(b))
    return isNan(a) ? a : b;
  if constexpr (std::is_same_v<T, double>)
    if (a == b)
      return std::signbit(a) ? b : a;
  return lessThan(a, b, elementType) ? b : a;
}
/// The smaller of both, NaN before all; -0 is smaller than +0.
template <typename T> T minimumOf(T a, T b, mlir::Type elementType) {
  if (isNan(a) || isNan(b))
    return isNan(a) ? a : b;
  if constexpr (std::is_same_v<T, double>)
    if (a == b)
      return std::signbit(a) ? a : b;
  return lessThan(b, a, elementType) ? b : a;
}
/// The neutral elements of maximum and minimum.
double lowestOf(mlir::Type elementType, double);
int64_t lowestOf(mlir::Type elementType, int64_t);
double highestOf(mlir::Type elementType, double);
int64_t highestOf(mlir::Type elementType, int64_t);

/// Rounds or wraps all elements to the element type. The interpreter does it to every result, so ops need
/// not.
void roundElements(Tensor &tensor);

/// An integer as the nearest number of the float type, rounded once.
double floatFromInt(mlir::Type floatType, int64_t value, bool isUnsigned64);
/// A float truncated to the integer type: saturates at the ends of the range, NaN becomes 0.
int64_t intFromFloat(mlir::Type intType, double value);

} // namespace torsh::reference

#endif // TORSH_DIALECTS_TORSH_REFERENCE_ITERATION_H
