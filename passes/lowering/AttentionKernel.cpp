//===-- AttentionKernel.cpp - Two products with a softmax between them, streamed over the keys --------------===//
//
// y = softmax(f(q k^T)) v, where f is any elementwise code on the scores (scale, mask, cap). A tile is a block of
// queries of one batch index; it walks over the keys in blocks and keeps a running maximum, a running sum and the
// unscaled result of each query, so that the scores never leave the cache (Milakov and Gimelshein, Online normalizer
// calculation for softmax, 2018; Dao et al., FlashAttention, 2022). Memory does not grow with the number of keys.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/lowering/MicroKernel.h"
#include "passes/lowering/PackTransposed.h"
#include "passes/lowering/ReduceKernel.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {
namespace {

constexpr int64_t queriesOfTile = 72;

struct AttentionShape {
  DotGeneralOp scores, sum;
  SoftmaxOp softmax;
  int64_t batch; ///< number of batch dims
  SmallVector<DimAttr> dims;

  DimAttr queries() const { return dims[batch]; }
  int64_t queryBlock() const {
    return chooseRowBlock(sum, Knob::QueryBlock, dim::asConstant(queries()), queriesOfTile);
  }
};

FailureOr<AttentionShape> analyse(KernelOp kernel) {
  AttentionShape shape;
  shape.softmax = findOp<SoftmaxOp>(kernel);
  if (!shape.softmax)
    return failure();
  kernel.getBody().walk(
      [&](DotGeneralOp op) { (op.getLhs() == shape.softmax.getY() ? shape.sum : shape.scores) = op; });
  if (!shape.scores || !shape.sum)
    return failure();
  shape.dims = getDims(shape.sum.getY());
  shape.batch = shape.sum.getLhsBatch().size();
  if (int64_t(shape.dims.size()) != shape.batch + 2)
    return failure();
  return shape;
}

/// The axis of an operand that is neither batch nor contracted.
int64_t freeAxis(Value operand, ArrayRef<int64_t> batch, int64_t contract) {
  int64_t axis = 0;
  while (axis == contract || llvm::is_contained(batch, axis))
    ++axis;
  return axis;
}

/// An operand as the kernel walks it.
struct Matrix {
  View view;
  Value base;   ///< offset of the batch index
  Value stride; ///< from row to row
};

struct Attention {
  KernelBuilder &kb;
  AttentionShape &shape;
  Type element; ///< in which sums are computed
  Value queries, keys, depth, columns;
  Matrix q, k, v;
  Value scoresBuffer, packedKeys, packedValues, result, top, total, decay;
  SmallVector<Value> batchIndices;
  LogicalResult status = success();
  const int64_t keysOfBlock = kb.choices.get(Knob::KeyBlock, 64);

  int64_t lanes() const { return std::min<int64_t>(kb.target.lanes, panelWidth); }
  Value number(double value) { return kb.splatConstant(element, value, 1); }
  Value at(Value row, int64_t width) { return kb.mul(row, kb.constant(width)); }
  int64_t resultWidth() const {
    return llvm::alignTo(dim::asConstant(shape.dims.back()).value_or(0), panelWidth);
  }

  void clear(Value rows);
  void score(Value rowFrom, Value rows, Value count);
  void normalise(Value rowFrom, Value rows, Value keyFrom, Value count);
  void packValues(Value keyFrom, Value count);
  void accumulate(Value rows, Value count);
  void store(Value rowFrom, Value rows);
};

void Attention::clear(Value rows) {
  kb.loop(kb.constant(0), rows, 1, [&](Value row) {
    kb.storeTo(number(-std::numeric_limits<double>::infinity()), top, element, row, 1);
    kb.storeTo(number(0), total, element, row, 1);
    kb.loop(kb.constant(0), kb.constant(resultWidth()), lanes(), [&](Value column) {
      kb.storeTo(kb.splatConstant(element, 0, lanes()), result, element,
                 kb.add(at(row, resultWidth()), column), lanes());
    });
  });
}

/// scores[row][key] = q k^T for all rows of the tile and the keys that are packed.
void Attention::score(Value rowFrom, Value rows, Value count) {
  RegisterTile tile = chooseTile(kb, element, dim::asConstant(shape.queries()));
  MicroKernel micro{kb, element, q.view.elementType, element, lanes()};
  int64_t panels = std::min<int64_t>(tile.panels, keysOfBlock / panelWidth);
  int64_t vectors = panels * panelWidth / lanes();
  kb.loop(kb.constant(0), count, panels * panelWidth, [&](Value column) {
    forRowBlocks(kb, kb.constant(0), rows, tile.rows, [&](Value row, int64_t blockRows) {
      SmallVector<Value> pointers;
      for (int64_t i = 0; i < blockRows; ++i) {
        Value query = kb.add(rowFrom, kb.add(row, kb.constant(i)));
        pointers.push_back(
            kb.address(q.view.pointer, q.view.elementType, kb.add(q.base, kb.mul(query, q.stride))));
      }
      auto right = [&](Value d, int64_t vector) {
        Value offset = kb.add(kb.add(at(d, keysOfBlock), column), kb.constant(vector * lanes()));
        return kb.loadFrom(packedKeys, element, offset, lanes());
      };
      SmallVector<Value> acc = micro.run(pointers, vectors, depth, micro.zeros(blockRows * vectors), right);
      for (int64_t i = 0; i < blockRows; ++i)
        for (int64_t vector = 0; vector < vectors; ++vector) {
          Value offset = kb.add(at(kb.add(row, kb.constant(i)), keysOfBlock),
                                kb.add(column, kb.constant(vector * lanes())));
          kb.storeTo(acc[i * vectors + vector], scoresBuffer, element, offset, lanes());
        }
    });
  });
}

/// Scores become e^(score - maximum so far); `decay` is what the sums up to here have to be scaled by.
void Attention::normalise(Value rowFrom, Value rows, Value keyFrom, Value count) {
  kb.loop(kb.constant(0), rows, 1, [&](Value row) {
    Value from = at(row, keysOfBlock);
    SmallVector<Value> indices(batchIndices);
    indices.append({kb.add(rowFrom, row), Value()});
    Value before = kb.loadFrom(top, element, row, 1);
    Value most = reduceRow(kb, ReduceKind::max, element, count, before, [&](Value key, unsigned width) {
      Value offset = kb.add(from, key);
      kb.setOverride(shape.scores.getY(), kb.loadFrom(scoresBuffer, element, offset, width));
      indices.back() = kb.add(keyFrom, key);
      Value score = kb.emit(shape.softmax.getX(), indices, width);
      kb.clearOverrides();
      if (!score) {
        status = failure();
        return kb.splatConstant(element, 0, width);
      }
      kb.storeTo(score, scoresBuffer, element, offset, width);
      return score;
    });
    // A row that has seen nothing but -inf must not compute -inf - -inf.
    Value hidden = arith::CmpFOp::create(kb.b, kb.loc, arith::CmpFPredicate::OEQ, most,
                                         number(-std::numeric_limits<double>::infinity()));
    Value shift = arith::SelectOp::create(kb.b, kb.loc, hidden, number(0), most);
    auto power = [&](Value value, unsigned width) -> Value {
      Value shifted = arith::SubFOp::create(kb.b, kb.loc, value, kb.splat(shift, width));
      return math::ExpOp::create(kb.b, kb.loc, shifted);
    };
    Value scale = power(before, 1);
    Value added = reduceRow(kb, ReduceKind::sum, element, count, number(0), [&](Value key, unsigned width) {
      Value offset = kb.add(from, key);
      Value e = power(kb.loadFrom(scoresBuffer, element, offset, width), width);
      kb.storeTo(e, scoresBuffer, element, offset, width);
      return e;
    });
    Value sum = kb.loadFrom(total, element, row, 1);
    kb.storeTo(math::FmaOp::create(kb.b, kb.loc, sum, scale, added), total, element, row, 1);
    kb.storeTo(most, top, element, row, 1);
    kb.storeTo(scale, decay, element, row, 1);
  });
}

/// The block's rows of v as panels [column / 16][key][16], in compute type: heads lie apart in memory by a power of two
/// often enough that reading them in place evicts them from the first-level cache.
void Attention::packValues(Value keyFrom, Value count) {
  int64_t known = *dim::asConstant(shape.dims.back());
  kb.loop(kb.constant(0), count, 1, [&](Value key) {
    Value row = kb.add(v.base, kb.mul(kb.add(keyFrom, key), v.stride));
    for (int64_t column = 0; column < known; column += lanes()) {
      Value mask;
      if (known - column < lanes()) {
        SmallVector<bool> bits;
        for (int64_t lane = 0; lane < lanes(); ++lane)
          bits.push_back(lane < known - column);
        auto type = VectorType::get({lanes()}, kb.b.getI1Type());
        mask = arith::ConstantOp::create(kb.b, kb.loc, DenseElementsAttr::get(type, bits));
      }
      Value loaded =
          kb.loadFrom(v.view.pointer, v.view.elementType, kb.add(row, kb.constant(column)), lanes(), mask);
      int64_t panel = column / panelWidth * panelWidth * keysOfBlock + column % panelWidth;
      kb.storeTo(loaded, packedValues, element, kb.add(at(key, panelWidth), kb.constant(panel)), lanes());
    }
  });
}

/// result[row] = decay * result[row] + the exponentials times the packed rows of v.
void Attention::accumulate(Value rows, Value count) {
  RegisterTile tile = chooseTile(kb, element, dim::asConstant(shape.queries()));
  MicroKernel micro{kb, element, element, element, lanes()};
  int64_t width = resultWidth(), vectorsOfPanel = panelWidth / lanes();
  for (int64_t column = 0; column < width;) {
    int64_t panels = std::min<int64_t>(tile.panels, (width - column) / panelWidth);
    int64_t vectors = panels * vectorsOfPanel;
    forRowBlocks(kb, kb.constant(0), rows, tile.rows, [&](Value row, int64_t blockRows) {
      SmallVector<Value> pointers, acc, offsets;
      for (int64_t i = 0; i < blockRows; ++i) {
        Value index = kb.add(row, kb.constant(i));
        pointers.push_back(kb.address(scoresBuffer, element, at(index, keysOfBlock)));
        Value scale = kb.splat(kb.loadFrom(decay, element, index, 1), lanes());
        for (int64_t vector = 0; vector < vectors; ++vector) {
          offsets.push_back(kb.add(at(index, width), kb.constant(column + vector * lanes())));
          Value old = kb.loadFrom(result, element, offsets.back(), lanes());
          acc.push_back(arith::MulFOp::create(kb.b, kb.loc, old, scale));
        }
      }
      auto right = [&](Value key, int64_t vector) {
        int64_t panel = (column / panelWidth + vector / vectorsOfPanel) * panelWidth * keysOfBlock;
        Value offset = kb.add(at(key, panelWidth), kb.constant(panel + vector % vectorsOfPanel * lanes()));
        return kb.loadFrom(packedValues, element, offset, lanes());
      };
      acc = micro.run(pointers, vectors, count, acc, right);
      for (auto [value, offset] : llvm::zip_equal(acc, offsets))
        kb.storeTo(value, result, element, offset, lanes());
    });
    column += panels * panelWidth;
  }
}

void Attention::store(Value rowFrom, Value rows) {
  kb.loop(kb.constant(0), rows, 1, [&](Value row) {
    // A row whose keys are all hidden is 0 * 1 / 0: NaN, as softmax has it. The sum over no keys at all is 0.
    Value inverse = arith::DivFOp::create(kb.b, kb.loc, number(1), kb.loadFrom(total, element, row, 1));
    if (!getConstantIntValue(keys))
      inverse = arith::SelectOp::create(kb.b, kb.loc, kb.less(kb.constant(0), keys), inverse, number(0));
    SmallVector<Value> indices(batchIndices);
    indices.append({kb.add(rowFrom, row), Value()});
    kb.vectorLoop(kb.constant(0), columns, [&](Value column, unsigned width) {
      Value value = kb.loadFrom(result, element, kb.add(at(row, resultWidth()), column), width);
      value = arith::MulFOp::create(kb.b, kb.loc, value, kb.splat(inverse, width));
      indices.back() = column;
      kb.setOverride(shape.sum.getY(), value);
      if (failed(kb.storeYielded(indices, width)))
        status = failure();
      kb.clearOverrides();
    });
  });
}

} // namespace

TileSpace getAttentionTiles(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  FailureOr<AttentionShape> shape = analyse(kernel);
  if (failed(shape))
    return {dim::constant(context, 1), 1};
  DimAttr blocks = dim::ceilDiv(shape->queries(), dim::constant(context, shape->queryBlock()));
  SmallVector<DimAttr> left = getDims(shape->scores.getLhs());
  double products = std::min(dim::asConstant(shape->queries()).value_or(1), shape->queryBlock());
  products *= dim::asConstant(getDims(shape->softmax.getX()).back()).value_or(1);
  products *= dim::asConstant(left[shape->scores.getLhsContract()[0]]).value_or(64) +
              dim::asConstant(shape->dims.back()).value_or(64);
  return {dim::mul(dim::product(context, ArrayRef(shape->dims).take_front(shape->batch)), blocks),
          grainOf(products)};
}

LogicalResult emitAttentionKernel(KernelBuilder &kb) {
  FailureOr<AttentionShape> analysed = analyse(kb.kernel);
  if (failed(analysed))
    return kb.refuse("the body is not two products with a softmax between them");
  AttentionShape &shape = *analysed;
  DotGeneralOp scores = shape.scores, sum = shape.sum;
  auto q = kb.viewOf(scores.getLhs()), k = kb.viewOf(scores.getRhs()), v = kb.viewOf(sum.getRhs());
  int64_t depthOfQ = scores.getLhsContract()[0], depthOfK = scores.getRhsContract()[0];
  int64_t rowOfQ = freeAxis(scores.getLhs(), scores.getLhsBatch(), depthOfQ);
  int64_t rowOfK = freeAxis(scores.getRhs(), scores.getRhsBatch(), depthOfK);
  int64_t rowOfV = sum.getRhsContract()[0];
  int64_t columnOfV = freeAxis(sum.getRhs(), sum.getRhsBatch(), rowOfV);
  auto contiguous = [](const View &view, int64_t axis) {
    return getConstantIntValue(view.strides[axis]) == 1;
  };
  if (!q || !k || !v || !contiguous(*q, depthOfQ) || !contiguous(*k, depthOfK) || !contiguous(*v, columnOfV))
    return kb.refuse("queries, keys or values are not contiguous along their last dim");
  std::optional<int64_t> depth = dim::asConstant(getDims(scores.getLhs())[depthOfQ]);
  std::optional<int64_t> columns = dim::asConstant(shape.dims.back());
  if (!depth || !columns)
    return kb.refuse("the head size is not static");
  Type element = kb.computeType(sum.getY().getType().getElementType());
  const int64_t block = shape.queryBlock(), keysOfBlock = kb.choices.get(Knob::KeyBlock, 64);
  Attention a{kb,
              shape,
              element,
              kb.dim(shape.queries()),
              kb.dim(getDims(scores.getRhs())[rowOfK]),
              kb.constant(*depth),
              kb.constant(*columns),
              {*q, Value(), q->strides[rowOfQ]},
              {*k, Value(), k->strides[rowOfK]},
              {*v, Value(), v->strides[rowOfV]},
              kb.stackBuffer(element, block * keysOfBlock),
              kb.stackBuffer(element, *depth * keysOfBlock),
              Value(),
              Value(),
              kb.stackBuffer(element, block),
              kb.stackBuffer(element, block),
              kb.stackBuffer(element, block),
              {}};
  a.packedValues = kb.stackBuffer(element, keysOfBlock * a.resultWidth());
  a.result = kb.stackBuffer(element, block * a.resultWidth());
  kb.note = llvm::formatv("{0} queries by {1} keys, {2} lanes, streamed", block, keysOfBlock, a.lanes());
  SmallVector<Value> batchSizes;
  for (DimAttr dim : ArrayRef(shape.dims).take_front(shape.batch))
    batchSizes.push_back(kb.dim(dim));
  Value blocks = kb.div(kb.add(a.queries, kb.constant(block - 1)), kb.constant(block));
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    a.batchIndices = kb.delinearize(kb.div(tile, blocks), batchSizes);
    auto place = [&](Matrix &matrix, ArrayRef<int64_t> axes) {
      matrix.base = matrix.view.offset;
      for (auto [axis, index] : llvm::zip_equal(axes, a.batchIndices))
        matrix.base = kb.add(matrix.base, kb.mul(index, matrix.view.strides[axis]));
    };
    place(a.q, scores.getLhsBatch());
    place(a.k, scores.getRhsBatch());
    place(a.v, sum.getRhsBatch());
    Value rowFrom = kb.mul(kb.rem(tile, blocks), kb.constant(block));
    Value rows = kb.min(kb.constant(block), kb.sub(a.queries, rowFrom));
    a.clear(rows);
    kb.loop(kb.constant(0), a.keys, keysOfBlock, [&](Value keyFrom) {
      Value count = kb.min(kb.constant(keysOfBlock), kb.sub(a.keys, keyFrom));
      PackSource source{a.k.view.pointer, a.k.view.elementType, kb.add(a.k.base, kb.mul(keyFrom, a.k.stride)),
                        a.k.stride, a.depth};
      packTransposed(kb, source, count, a.packedKeys, keysOfBlock);
      a.score(rowFrom, rows, count);
      a.normalise(rowFrom, rows, keyFrom, count);
      a.packValues(keyFrom, count);
      a.accumulate(rows, count);
    });
    a.store(rowFrom, rows);
  });
  return succeeded(a.status) ? success() : kb.refuse("an operation on the scores has no code");
}

} // namespace torsh
