//===-- Selection.cpp - Reference semantics of topk, non_zero and non_max_suppression
//-----------------------===//
#include "dialects/torsh/SuppressBoxes.h"
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"
#include <array>
#include <numeric>

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

Results evaluateTopK(TopKOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  if (Error error = call.checkAxis(x, op.getAxis()))
    return error;
  Expected<int64_t> k = call.valueOf(op.getK());
  if (!k)
    return k.takeError();
  AxisView view(x.shape, op.getAxis());
  if (*k < 0 || *k > view.size)
    return call.misfit("k is " + Twine(*k) + " and the axis has " + Twine(view.size) + " elements");
  SmallVector<int64_t> shape = x.shape;
  shape[op.getAxis()] = *k;
  Tensor values = Tensor::zeros(x.elementType, shape),
         indices = Tensor::zeros(call.resultElementType(1), shape);
  dispatch(x, [&](auto tag) {
    using T = decltype(tag);
    // Ascending order with NaN as the largest.
    auto less = [&](T a, T b) {
      if (isNan(a) || isNan(b))
        return !isNan(a) && isNan(b);
      return lessThan(a, b, x.elementType);
    };
    std::vector<int64_t> order(view.size);
    int64_t line = 0;
    view.forEachLine([&](int64_t start) {
      auto at = [&](int64_t i) { return valuesOf<T>(x)[start + i * view.inner]; };
      std::iota(order.begin(), order.end(), 0);
      llvm::sort(order, [&](int64_t a, int64_t b) {
        bool before = op.getLargest() ? less(at(b), at(a)) : less(at(a), at(b));
        bool after = op.getLargest() ? less(at(a), at(b)) : less(at(b), at(a));
        return before || (!after && a < b);
      });
      int64_t target = line / view.inner * *k * view.inner + line % view.inner;
      for (int64_t i = 0; i < *k; ++i) {
        valuesOf<T>(values)[target + i * view.inner] = at(order[i]);
        indices.ints[target + i * view.inner] = order[i];
      }
      ++line;
    });
  });
  SmallVector<Tensor> results;
  results.push_back(std::move(values));
  results.push_back(std::move(indices));
  return results;
}

Results evaluateNonZero(NonZeroOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  std::vector<int64_t> rows;
  int64_t count = 0;
  forEachIndex(x.shape, [&](ArrayRef<int64_t> index, int64_t linear) {
    if (x.isFloat() ? x.floats[linear] == 0 : x.ints[linear] == 0)
      return;
    rows.insert(rows.end(), index.begin(), index.end());
    ++count;
  });
  Expected<Tensor> y = call.allocate(call.resultElementType(), {x.rank(), count});
  if (!y)
    return y.takeError();
  y->ints = permuted(rows, {count, x.rank()}, {1, 0});
  return single(std::move(y));
}

/// A box by its lower and upper corner.
struct Box {
  double y1, x1, y2, x2;

  static Box fromRow(const double *row, bool center) {
    if (center)
      return {row[1] - row[3] / 2, row[0] - row[2] / 2, row[1] + row[3] / 2, row[0] + row[2] / 2};
    // Any two opposite corners may be given.
    return {std::min(row[0], row[2]), std::min(row[1], row[3]), std::max(row[0], row[2]),
            std::max(row[1], row[3])};
  }
  double area() const { return (y2 - y1) * (x2 - x1); }
  /// Intersection over union is above the threshold. Boxes without area overlap with nothing.
  bool overlaps(const Box &other, double threshold) const {
    double height = std::min(y2, other.y2) - std::max(y1, other.y1);
    double width = std::min(x2, other.x2) - std::max(x1, other.x1);
    if (!(height > 0) || !(width > 0) || !(area() > 0) || !(other.area() > 0))
      return false;
    double both = height * width;
    return both / (area() + other.area() - both) > threshold;
  }
};

/// The boxes of one class that greedy suppression keeps, best first.
std::vector<int64_t> suppress(ArrayRef<Box> boxes, const double *score, int64_t most, double threshold,
                              std::optional<double> scoreThreshold) {
  std::vector<int64_t> candidates, selected;
  for (int64_t i = 0; i < int64_t(boxes.size()); ++i)
    if (!scoreThreshold || score[i] > *scoreThreshold)
      candidates.push_back(i);
  // NaN stands last: an order must be total to be sorted by.
  llvm::sort(candidates, [&](int64_t i, int64_t j) {
    if (isNan(score[i]) || isNan(score[j]))
      return isNan(score[i]) == isNan(score[j]) ? i < j : isNan(score[j]);
    return score[i] > score[j] || (score[i] == score[j] && i < j);
  });
  for (int64_t i : candidates) {
    if (int64_t(selected.size()) >= most)
      break;
    if (none_of(selected, [&](int64_t j) { return boxes[i].overlaps(boxes[j], threshold); }))
      selected.push_back(i);
  }
  return selected;
}

Error checkBoxes(Call &call, const Tensor &boxes, const Tensor &scores) {
  if (boxes.rank() != 3 || scores.rank() != 3 || boxes.shape[2] != 4 || boxes.shape[0] != scores.shape[0] ||
      boxes.shape[1] != scores.shape[2])
    return call.misfit("boxes must be [B, n, 4] and scores [B, C, n]");
  return Error::success();
}

/// Calls `body` with the boxes and the scores of each class of each image.
void forEachClass(const Tensor &boxes, const Tensor &scores, bool center,
                  llvm::function_ref<void(int64_t, int64_t, ArrayRef<Box>, const double *)> body) {
  const int64_t batch = scores.shape[0], classes = scores.shape[1], count = scores.shape[2];
  for (int64_t b = 0; b < batch; ++b) {
    std::vector<Box> corners;
    for (int64_t i = 0; i < count; ++i)
      corners.push_back(Box::fromRow(&boxes.floats[(b * count + i) * 4], center));
    for (int64_t c = 0; c < classes; ++c)
      body(b, c, corners, scores.floats.data() + (b * classes + c) * count);
  }
}

Results evaluateNonMaxSuppression(NonMaxSuppressionOp op, Call &call) {
  const Tensor &boxes = call[op.getBoxes()], &scores = call[op.getScores()];
  if (Error error = checkBoxes(call, boxes, scores))
    return error;
  std::optional<double> least;
  if (std::optional<APFloat> given = op.getScoreThreshold())
    least = given->convertToDouble();
  std::vector<int64_t> rows;
  forEachClass(boxes, scores, op.getCenter(),
               [&](int64_t b, int64_t c, ArrayRef<Box> corners, const double *score) {
                 for (int64_t i : suppress(corners, score, op.getMaxBoxesPerClass(),
                                           op.getIouThreshold().convertToDouble(), least))
                   rows.insert(rows.end(), {b, c, i});
               });
  Expected<Tensor> y = call.allocate(call.resultElementType(), {int64_t(rows.size() / 3), 3});
  if (!y)
    return y.takeError();
  y->ints = std::move(rows);
  return single(std::move(y));
}

Results evaluateSuppressBoxes(SuppressBoxesOp op, Call &call) {
  const Tensor &boxes = call[op.getBoxes()], &scores = call[op.getScores()];
  if (Error error = checkBoxes(call, boxes, scores))
    return error;
  std::optional<double> least;
  if (const Tensor *given = call.find(op.getScoreThreshold()))
    least = given->floats[0];
  Tensor y = Tensor::zeros(call.resultElementType(), scores.shape);
  std::fill(y.ints.begin(), y.ints.end(), -1);
  auto line = y.ints.begin();
  forEachClass(
      boxes, scores, op.getCenter(), [&](int64_t, int64_t, ArrayRef<Box> corners, const double *score) {
        std::vector<int64_t> selected =
            suppress(corners, score, call[op.getMost()].ints[0], call[op.getIouThreshold()].floats[0], least);
        std::copy(selected.begin(), selected.end(), line);
        line += scores.shape[2];
      });
  return single(std::move(y));
}

} // namespace

void addSelection(HandlerTable &table) {
  table.add<TopKOp>(evaluateTopK);
  table.add<NonZeroOp>(evaluateNonZero);
  table.add<NonMaxSuppressionOp>(evaluateNonMaxSuppression);
  table.add<SuppressBoxesOp>(evaluateSuppressBoxes);
}

} // namespace torsh::reference
