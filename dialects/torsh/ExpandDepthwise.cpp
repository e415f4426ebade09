//===-- ExpandDepthwise.cpp - A pointwise convolution and the depthwise one that reads it ---------------------===//
#include "dialects/torsh/ExpandDepthwise.h"
#include "dialects/torsh/Splat.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace torsh {
namespace {

constexpr int64_t channelsOfTile = 16;

ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

bool isF32(Value value) { return cast<RankedTensorType>(value.getType()).getElementType().isF32(); }

bool areAll(ArrayRef<int64_t> values, int64_t wanted) {
  return llvm::all_of(values, [&](int64_t value) { return value == wanted; });
}

/// Image rows or columns under a window.
int64_t reachOf(ConvOp filter) { return (shapeOf(filter.getW())[0] - 1) * filter.getDilations()[0] + 1; }

/// The panels behind the weights of a convolution, when they are 1 x 1 and read by the matrix product's tiles.
UnpackOp findPanels(ConvOp conv) {
  Value weights = conv.getW();
  while (auto reshape = weights.getDefiningOp<ReshapeOp>())
    weights = reshape.getX();
  auto unpack = weights.getDefiningOp<UnpackOp>();
  return unpack && isF32(unpack.getX()) && shapeOf(unpack.getX()).back() == channelsOfTile ? unpack
                                                                                           : UnpackOp();
}

bool isPointwise(ConvOp conv) {
  return conv.getLayout() == Layout::channels_last && conv.getGroups() == 1 &&
         areAll(shapeOf(conv.getW()).drop_back(2), 1) && areAll(conv.getStrides(), 1) &&
         areAll(conv.getLow(), 0) && areAll(conv.getHigh(), 0);
}

bool isDepthwise(ConvOp conv) {
  ArrayRef<int64_t> w = shapeOf(conv.getW());
  return conv.getLayout() == Layout::channels_last && w.size() == 4 && !ShapedType::isDynamicShape(w) &&
         w[2] == 1 && conv.getGroups() > 1 && w[3] == int64_t(conv.getGroups());
}

} // namespace

int64_t ExpandDepthwise::rowsOfRing() const { return llvm::PowerOf2Ceil(reachOf(filter)); }

int64_t ExpandDepthwise::rows() const {
  ConvOp op = filter;
  return shapeOf(op.getY())[1];
}

int64_t ExpandDepthwise::rowsOfBand() const {
  constexpr int64_t bytesOfBand = 384 << 10;
  ConvOp op = filter;
  int64_t bytesOfRow = width * inputs * 4 * op.getStrides()[0];
  int64_t most = std::max<int64_t>(8, bytesOfBand / std::max<int64_t>(1, bytesOfRow));
  int64_t bands = (rows() + most - 1) / most;
  return (rows() + bands - 1) / bands;
}

std::optional<ExpandDepthwise> matchExpandDepthwise(ConvOp filter) {
  constexpr int64_t bytesOfRing = 64 << 10, mostInputs = 256;
  if (!isDepthwise(filter))
    return std::nullopt;
  ExpandDepthwise found;
  found.filter = filter;
  // From the filter up: every value has all its readers here.
  SmallVector<Value> work{filter.getX()};
  while (!work.empty()) {
    Value value = work.pop_back_val();
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != filter->getBlock())
      return std::nullopt;
    if (found.between.contains(op) || getSplatNumber(value))
      continue;
    if (auto conv = dyn_cast<ConvOp>(op)) {
      if (found.wide && found.wide != conv)
        return std::nullopt;
      found.wide = conv;
      continue;
    }
    if (!op->hasTrait<ElementwiseOp>() || op->getNumResults() != 1 ||
        shapeOf(value) != shapeOf(filter.getX()))
      return std::nullopt;
    found.between.insert(op);
    llvm::append_range(work, op->getOperands());
  }
  ConvOp wide = found.wide;
  if (!wide || !isPointwise(wide))
    return std::nullopt;
  auto isInside = [&](Operation *user) {
    return user == filter.getOperation() || found.between.contains(user);
  };
  auto isRead = [&](Operation *op) { return !llvm::all_of(op->getUsers(), isInside); };
  if (isRead(wide) || llvm::any_of(found.between, isRead) || filter.getW() == filter.getX() ||
      (filter.getBias() && !filter.getBias().getDefiningOp<ConstantOp>() &&
       !isa<BlockArgument>(filter.getBias())))
    return std::nullopt;
  found.weights = findPanels(wide);
  ArrayRef<int64_t> x = shapeOf(wide.getX()), y = shapeOf(wide.getY());
  if (!found.weights || y.size() != 4 || ShapedType::isDynamicShape(y.drop_front()) ||
      ShapedType::isDynamicShape(shapeOf(filter.getY()).drop_front()) || !isF32(wide.getX()) ||
      !isF32(wide.getY()) || !isF32(filter.getX()) || !isF32(filter.getW()) || !isF32(filter.getY()))
    return std::nullopt;
  found.height = y[1];
  found.width = y[2];
  found.channels = y[3];
  found.inputs = x[3];
  bool fits = found.rowsOfRing() * found.width * channelsOfTile * 4 <= bytesOfRing &&
              found.inputs <= mostInputs && found.inputs > 0 && found.width > 0 && found.rows() > 0;
  return fits ? std::optional<ExpandDepthwise>(std::move(found)) : std::nullopt;
}

} // namespace torsh
