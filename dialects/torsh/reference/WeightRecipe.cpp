//===-- WeightRecipe.cpp - Runs the steps of weight attributes
//----------------------------------------------===//
#include "dialects/torsh/Winograd.h"
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace mlir;

namespace torsh {

using namespace reference;

namespace {

/// One step on its way: the tensor before it, what it says and where other blobs lie.
struct Step {
  WeightStepAttr step;
  const Tensor &x;
  const WeightStore &store;

  Error error(const Twine &message) const {
    return makeError(Code::WeightRecipe, "the step " + step.getKind().getValue() + " of a weight recipe on " +
                                             describe(x.shape, x.elementType) + ": " + message);
  }

  Expected<Tensor> transpose() const {
    ArrayRef<int64_t> permutation = step.getInts();
    if (int64_t(permutation.size()) != x.rank() || !isPermutationVector(permutation))
      return error("the integers are not a permutation of the dims");
    Tensor y;
    y.elementType = x.elementType;
    for (int64_t dim : permutation)
      y.shape.push_back(x.shape[dim]);
    dispatch(x, [&](auto tag) {
      using T = decltype(tag);
      valuesOf<T>(y) = permuted(valuesOf<T>(x), x.shape, permutation);
    });
    return y;
  }

  Expected<Tensor> reshape() const {
    Tensor y = x;
    y.shape.assign(step.getInts().begin(), step.getInts().end());
    if (boundedNumElements(y.shape, std::max<int64_t>(x.numElements(), 1)) != x.numElements())
      return error("the shape has another number of elements");
    return y;
  }

  Expected<Tensor> slice() const {
    if (int64_t(step.getInts().size()) != 2 * x.rank())
      return error("a slice needs a start for each dim, then a size for each dim");
    ArrayRef<int64_t> starts = step.getInts().take_front(x.rank()),
                      sizes = step.getInts().drop_front(x.rank());
    for (int64_t dim = 0; dim < x.rank(); ++dim)
      if (starts[dim] < 0 || sizes[dim] < 0 || starts[dim] > x.shape[dim] ||
          sizes[dim] > x.shape[dim] - starts[dim])
        return error("dim " + Twine(dim) + " leaves the tensor");
    Tensor y = Tensor::zeros(x.elementType, sizes);
    SmallVector<int64_t> strides = stridesOf(x.shape);
    copyElements(x, y, [&](ArrayRef<int64_t> index) {
      int64_t position = 0;
      for (int64_t dim = 0; dim < x.rank(); ++dim)
        position += (starts[dim] + index[dim]) * strides[dim];
      return position;
    });
    return y;
  }

  Expected<Tensor> cast() const { return converted(x, step.getType().getElementType(), /*saturate=*/true); }

  Expected<Tensor> scale() const {
    if (step.getInts().size() != 1 || step.getInts()[0] < 0 || step.getInts()[0] >= x.rank() || !x.isFloat())
      return error("a scale needs one axis of a float tensor");
    AxisView view(x.shape, step.getInts()[0]);
    std::optional<ArrayRef<char>> bytes = store.lookup(step.getOperand());
    if (!bytes)
      return error("the factors \"" + step.getOperand().getValue() + "\" are not in the weight store");
    Expected<Tensor> factors = Tensor::fromBytes(Float32Type::get(step.getContext()), {view.size}, *bytes);
    if (!factors)
      return factors.takeError();
    Tensor y = x;
    view.forEachLine([&](int64_t start) {
      for (int64_t i = 0; i < view.size; ++i)
        y.floats[start + i * view.inner] *= factors->floats[i];
    });
    roundElements(y);
    return y;
  }

  /// [.., K, N] -> [.., ceil(N/p), K, p], zero filled: each panel holds p columns.
  Expected<Tensor> pack(const EvaluatorLimits &limits) const {
    if (step.getInts().size() != 1 || step.getInts()[0] < 1 || x.rank() < 2)
      return error("a pack needs one positive panel width and two dims");
    const int64_t panel = step.getInts()[0], columns = x.shape.back(), rank = x.rank();
    SmallVector<int64_t> shape(ArrayRef<int64_t>(x.shape).drop_back(2));
    shape.append({int64_t(divideCeil(uint64_t(columns), uint64_t(panel))), x.shape[rank - 2], panel});
    if (!boundedNumElements(shape, limits.maxElements))
      return error("the panels are too large");
    Tensor y = Tensor::zeros(x.elementType, shape);
    SmallVector<int64_t> strides = stridesOf(x.shape);
    copyElements(x, y, [&](ArrayRef<int64_t> index) -> int64_t {
      int64_t column = index[rank - 2] * panel + index[rank];
      if (column >= columns)
        return -1;
      int64_t position = column + index[rank - 1] * strides[rank - 2];
      for (int64_t dim = 0; dim < rank - 2; ++dim)
        position += index[dim] * strides[dim];
      return position;
    });
    return y;
  }

  /// [3, 3, C, O] -> [(tile + 2)^2, C, O].
  Expected<Tensor> winograd(const EvaluatorLimits &limits) const {
    const WinogradTransform *transform =
        step.getInts().size() == 1 ? getWinogradTransform(step.getInts()[0]) : nullptr;
    if (!transform || x.rank() != 4 || x.shape[0] != 3 || x.shape[1] != 3 || !x.isFloat())
      return error("Winograd's transform needs a tile of 2 or 4 and 3 x 3 float weights");
    SmallVector<int64_t> shape{transform->patch * transform->patch, x.shape[2], x.shape[3]};
    if (!boundedNumElements(shape, limits.maxElements))
      return error("the transformed weights are too large");
    Tensor y = Tensor::zeros(x.elementType, shape);
    const int64_t count = x.shape[2] * x.shape[3];
    for (int64_t i = 0; i < count; ++i) {
      SmallVector<double> values =
          transformBothDims(transform->weights, transform->patch, 3,
                            [&](int64_t a, int64_t b) { return x.floats[(a * 3 + b) * count + i]; });
      for (auto [place, value] : enumerate(values))
        y.floats[place * count + i] = value;
    }
    roundElements(y);
    return y;
  }
};

} // namespace

Expected<Tensor> evaluateWeight(WeightAttr weight, const WeightStore &store, const EvaluatorLimits &limits) {
  std::optional<ArrayRef<char>> bytes = store.lookup(weight.getKey());
  if (!bytes)
    return makeError(Code::WeightMissing,
                     "the weight \"" + weight.getKey().getValue() +
                         "\" is not in the weight store; load the model that it belongs to");
  RankedTensorType source = weight.getSourceType();
  if (!boundedNumElements(source.getShape(), limits.maxElements))
    return makeError(Code::TensorTooLarge, "a weight of " +
                                               describe(source.getShape(), source.getElementType()) +
                                               " has a size that is not known or more than " +
                                               Twine(limits.maxElements) + " elements");
  Expected<Tensor> tensor = Tensor::fromBytes(source.getElementType(), source.getShape(), *bytes);
  for (WeightStepAttr attribute : weight.getSteps()) {
    if (!tensor)
      return tensor.takeError();
    Step step{attribute, *tensor, store};
    Type elementType = attribute.getType().getElementType();
    if (!elementType.isIntOrFloat() || elementType.getIntOrFloatBitWidth() > 64)
      return step.error("the result is not a tensor of floats or integers");
    Expected<Tensor> next = llvm::StringSwitch<std::function<Expected<Tensor>()>>(attribute.getKind())
                                .Case("transpose", [&] { return step.transpose(); })
                                .Case("reshape", [&] { return step.reshape(); })
                                .Case("slice", [&] { return step.slice(); })
                                .Case("cast", [&] { return step.cast(); })
                                .Case("scale", [&] { return step.scale(); })
                                .Case("pack", [&] { return step.pack(limits); })
                                .Case("winograd", [&] { return step.winograd(limits); })
                                .Default([&] { return step.error("there is no such step"); })();
    if (next && (next->elementType != elementType ||
                 ArrayRef<int64_t>(next->shape) != attribute.getType().getShape()))
      return step.error("the step gives " + describe(next->shape, next->elementType) + " and says " +
                        describe(attribute.getType().getShape(), elementType));
    tensor = std::move(next);
  }
  return tensor;
}

} // namespace torsh
