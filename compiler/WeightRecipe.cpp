//===-- WeightRecipe.cpp - Runs weight recipes on bytes -----------------------------------------------------===//
//
// The same steps as the reference evaluator's, on stored bytes without widening: peak memory is twice the tensor.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "compiler/WeightRecipe.h"
#include "compiler/ConstantBytes.h"
#include "dialects/torsh/Winograd.h"
#include "dialects/torsh/reference/Evaluator.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"

using namespace llvm;

namespace torsh {
namespace {

int64_t product(ArrayRef<int64_t> shape) {
  int64_t result = 1;
  for (int64_t size : shape)
    result *= size;
  return result;
}

SmallVector<int64_t> rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

/// A T at any address: weights lie where the model's file has them, which need not be a multiple of their size.
template <typename T>
using Unaligned =
    support::detail::packed_endian_specific_integral<T, llvm::endianness::native, support::unaligned>;

/// Calls `function` with the source offset of each index of a view, in row-major order.
template <typename Function>
void forEachRow(ArrayRef<int64_t> shape, ArrayRef<int64_t> strides, Function function) {
  SmallVector<int64_t> index(shape.size(), 0);
  for (int64_t row = 0, rows = product(shape), offset = 0; row < rows; ++row) {
    function(row, offset);
    for (size_t dim = shape.size(); dim-- > 0;) {
      offset += strides[dim];
      if (++index[dim] < shape[dim])
        break;
      offset -= strides[dim] * shape[dim];
      index[dim] = 0;
    }
  }
}

/// to[i * toStep + j] = from[i + j * fromStep], in blocks that stay in the first cache.
template <typename T>
void transposePlane(const Unaligned<T> *from, T *to, int64_t rows, int64_t columns, int64_t fromStep,
                    int64_t toStep) {
  constexpr int64_t block = 32;
  for (int64_t i = 0; i < rows; i += block)
    for (int64_t j = 0; j < columns; j += block)
      for (int64_t k = i, end = std::min(i + block, rows); k < end; ++k)
        for (int64_t l = j, stop = std::min(j + block, columns); l < stop; ++l)
          to[k * toStep + l] = from[k + l * fromStep];
}

/// to[row-major i] = from[offset + sum of i * strides], for elements of type T.
template <typename T>
void gather(const Unaligned<T> *from, T *to, ArrayRef<int64_t> shape, ArrayRef<int64_t> strides,
            int64_t offset) {
  from += offset;
  if (shape.empty()) {
    *to = *from;
    return;
  }
  int64_t inner = shape.back(), step = strides.back();
  // Where another dim is the contiguous one of the source, element by element would touch a cache line for each.
  size_t unit = 0;
  while (unit + 1 < shape.size() && (strides[unit] != 1 || shape[unit] == 1))
    ++unit;
  if (step != 1 && unit + 1 < shape.size()) {
    SmallVector<int64_t> outer(shape.drop_back()), sources(strides.drop_back()),
        targets = rowMajorStrides(shape);
    outer.erase(outer.begin() + unit);
    sources.erase(sources.begin() + unit);
    SmallVector<int64_t> places(targets);
    places.pop_back();
    places.erase(places.begin() + unit);
    SmallVector<int64_t> targetOffsets;
    forEachRow(outer, places, [&](int64_t, int64_t at) { targetOffsets.push_back(at); });
    forEachRow(outer, sources, [&](int64_t row, int64_t at) {
      transposePlane(from + at, to + targetOffsets[row], shape[unit], inner, step, targets[unit]);
    });
    return;
  }
  forEachRow(shape.drop_back(), strides.drop_back(), [&](int64_t row, int64_t at) {
    const Unaligned<T> *source = from + at;
    T *target = to + row * inner;
    for (int64_t i = 0; i < inner; ++i)
      target[i] = source[i * step];
  });
}

/// [rows.., k, n] -> [rows.., ceil(n / panel), k, panel], zero filled.
template <typename T>
void pack(const Unaligned<T> *from, T *to, int64_t batches, int64_t k, int64_t n, int64_t panel) {
  int64_t panels = (n + panel - 1) / panel;
  for (int64_t batch = 0; batch < batches; ++batch)
    for (int64_t p = 0; p < panels; ++p) {
      int64_t width = std::min(panel, n - p * panel);
      for (int64_t row = 0; row < k; ++row) {
        const Unaligned<T> *source = from + (batch * k + row) * n + p * panel;
        T *target = to + ((batch * panels + p) * k + row) * panel;
        std::copy_n(source, width, target);
        std::fill(target + width, target + panel, T());
      }
    }
}

/// [3, 3, count] -> [patch^2, count]: G w G^T for each element. The sums are made in f64.
void transformWeights(const WinogradTransform &transform, const Unaligned<float> *from, float *to,
                      int64_t count) {
  std::vector<double> sum(count);
  for (int64_t i = 0; i < transform.patch; ++i)
    for (int64_t j = 0; j < transform.patch; ++j, to += count) {
      std::fill(sum.begin(), sum.end(), 0.0);
      for (int64_t a = 0; a < 3; ++a)
        for (int64_t b = 0; b < 3; ++b) {
          double factor = transform.weights[i * 3 + a] * transform.weights[j * 3 + b];
          const Unaligned<float> *tap = from + (a * 3 + b) * count;
          for (int64_t at = 0; factor != 0 && at < count; ++at)
            sum[at] += factor * tap[at];
        }
      std::copy(sum.begin(), sum.end(), to);
    }
}

/// Whether `step` is the last and rounds f32 to bf16.
bool isFinalNarrowing(WeightAttr weight, WeightStepAttr step) {
  return step == weight.getSteps().back() && weight.getSourceType().getElementType().isF32() &&
         step.getType().getElementType().isBF16();
}

/// Rounds to the nearest bf16, ties to even; NaN stays NaN.
void narrow(const Unaligned<uint32_t> *from, uint16_t *to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t bits = from[i];
    bool isNaN = (bits & 0x7fffffff) > 0x7f800000;
    to[i] = isNaN ? (bits >> 16) | 0x40 : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  }
}

template <typename Function> bool forWidth(unsigned bits, Function function) {
  switch (bits) {
  case 8:
    function(uint8_t());
    return true;
  case 16:
    function(uint16_t());
    return true;
  case 32:
    function(uint32_t());
    return true;
  case 64:
    function(uint64_t());
    return true;
  default:
    return false;
  }
}

} // namespace

bool movesBytes(WeightAttr weight) {
  mlir::RankedTensorType type = weight.getSourceType();
  return !weight.getSteps().empty() && type.getElementTypeBitWidth() > 1 &&
         llvm::all_of(weight.getSteps(), [&](WeightStepAttr step) {
           StringRef kind = step.getKind().getValue();
           return kind == "transpose" || kind == "reshape" || kind == "slice" || kind == "reverse" ||
                  kind == "pack" || (kind == "cast" && isFinalNarrowing(weight, step)) ||
                  ((kind == "scale" || kind == "winograd") && type.getElementType().isF32());
         });
}

Expected<std::vector<char>> evaluateWeightBytes(WeightAttr weight, const WeightStore &store) {
  auto wrong = [&](const Twine &what) {
    return createStringError("TSH-0634: the recipe of weight '" + weight.getKey().getValue() + "': " + what);
  };
  std::optional<ArrayRef<char>> stored = store.lookup(weight.getKey().getValue());
  if (!stored)
    return wrong("its bytes are not loaded");
  mlir::RankedTensorType type = weight.getSourceType();
  unsigned storedBits = type.getElementTypeBitWidth(), bits = std::max(8u, storedBits);
  int64_t elements = product(type.getShape());
  if (storedBits == 1 || (!weight.getSteps().empty() && !movesBytes(weight))) {
    // Casts are rare and small: the reference evaluator does them.
    Expected<Tensor> tensor = evaluateWeight(weight, store);
    if (!tensor)
      return tensor.takeError();
    std::vector<char> bytes = tensor->toBytes();
    unsigned width = tensor->elementType.getIntOrFloatBitWidth();
    return width > 1 && width < 8 ? unpackElements(bytes, width, tensor->numElements()) : bytes;
  }
  if (int64_t(stored->size()) != int64_t(divideCeil(uint64_t(elements) * storedBits, 8)))
    return wrong("its bytes do not fit its type");

  ArrayRef<char> current = *stored;
  std::vector<char> held;
  if (storedBits < 8) {
    held = unpackElements(current, storedBits, elements);
    current = held;
  }
  SmallVector<int64_t> shape(type.getShape());
  for (WeightStepAttr step : weight.getSteps()) {
    StringRef kind = step.getKind().getValue();
    ArrayRef<int64_t> ints = step.getInts(), target = step.getType().getShape();
    if (kind == "reshape") {
      if (product(target) != product(shape))
        return wrong("a reshape changes the number of elements");
      shape.assign(target.begin(), target.end());
      continue;
    }
    if (kind == "scale") {
      std::optional<ArrayRef<char>> factors = store.lookup(step.getOperand().getValue());
      if (!factors || ints.size() != 1 || ints[0] >= int64_t(shape.size()) ||
          int64_t(factors->size()) != shape[ints[0]] * 4)
        return wrong("a scale has no fitting factors");
      if (held.empty())
        held.assign(current.begin(), current.end());
      float *values = reinterpret_cast<float *>(held.data());
      int64_t size = shape[ints[0]], inner = product(ArrayRef(shape).drop_front(ints[0] + 1));
      int64_t outer = product(ArrayRef(shape).take_front(ints[0]));
      std::vector<float> by(size);
      std::copy(factors->begin(), factors->end(), reinterpret_cast<char *>(by.data()));
      for (int64_t o = 0; o < outer; ++o)
        for (int64_t i = 0; i < size; ++i)
          for (int64_t j = 0; j < inner; ++j)
            values[(o * size + i) * inner + j] *= by[i];
      current = held;
      continue;
    }
    if (kind == "cast") {
      std::vector<char> rounded(product(shape) * 2);
      narrow(reinterpret_cast<const Unaligned<uint32_t> *>(current.data()),
             reinterpret_cast<uint16_t *>(rounded.data()), product(shape));
      return rounded;
    }
    std::vector<char> next(product(target) * bits / 8);
    SmallVector<int64_t> strides = rowMajorStrides(shape);
    if (kind == "pack") {
      int64_t rank = shape.size();
      if (ints.size() != 1 || rank < 2)
        return wrong("a pack has no panel width");
      forWidth(bits, [&](auto tag) {
        using T = decltype(tag);
        pack<T>(reinterpret_cast<const Unaligned<T> *>(current.data()), reinterpret_cast<T *>(next.data()),
                product(ArrayRef(shape).drop_back(2)), shape[rank - 2], shape[rank - 1], ints[0]);
      });
    } else if (kind == "winograd") {
      const WinogradTransform *transform = ints.size() == 1 ? getWinogradTransform(ints[0]) : nullptr;
      if (!transform || shape.size() != 4 || shape[0] != 3 || shape[1] != 3 ||
          product(target) != transform->patch * transform->patch * shape[2] * shape[3])
        return wrong("Winograd's transform needs 3 x 3 weights");
      transformWeights(*transform, reinterpret_cast<const Unaligned<float> *>(current.data()),
                       reinterpret_cast<float *>(next.data()), shape[2] * shape[3]);
    } else {
      int64_t offset = 0;
      SmallVector<int64_t> moved(strides);
      if (kind == "transpose")
        for (auto [index, axis] : enumerate(ints))
          moved[index] = strides[axis];
      if (kind == "slice")
        for (size_t axis = 0; axis < shape.size(); ++axis)
          offset += ints[axis] * strides[axis];
      if (kind == "reverse")
        for (int64_t axis : ints) {
          offset += (shape[axis] - 1) * strides[axis];
          moved[axis] = -strides[axis];
        }
      if (product(target) > 0)
        forWidth(bits, [&](auto tag) {
          using T = decltype(tag);
          gather<T>(reinterpret_cast<const Unaligned<T> *>(current.data()),
                    reinterpret_cast<T *>(next.data()), target, moved, offset);
        });
    }
    held = std::move(next);
    current = held;
    shape.assign(target.begin(), target.end());
  }
  if (held.empty())
    held.assign(current.begin(), current.end());
  return held;
}

} // namespace torsh
