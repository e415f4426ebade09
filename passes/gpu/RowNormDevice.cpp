//===-- RowNormDevice.cpp - Softmax, layer norm and RMS norm over the last dim on a GPU ---------------------===//
//
// A block takes a row; a short row is left to a single warp. Each thread combines every n-th element, the lanes of a warp
// combine theirs by shuffles, and the warps theirs in shared memory. The producers are pulled again in each pass: they
// come from the caches.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/gpu/DeviceBuilder.h"
#include "passes/lowering/ReduceKernel.h"

using namespace mlir;

namespace torsh {
namespace {

constexpr unsigned threadsOfLongRow = 128;

Operation *findRoot(KernelOp kernel) {
  return findAnyOf<SoftmaxOp, LogSoftmaxOp, LayerNormOp, RmsNormOp>(kernel);
}

struct DeviceRow {
  DeviceBuilder &db;
  Operation *root;
  Type element;
  Value size;
  SmallVector<Value> indices; ///< of the row; the last entry is the running one
  bool missing = false;

  Value number(double value) { return db.splatConstant(element, value, 1); }
  template <typename OpTy> Value make(Value x, Value y) { return OpTy::create(db.b, db.loc, x, y); }
  Value exponential(Value x) { return math::ExpOp::create(db.b, db.loc, x); }

  Value pull(Value value, ArrayRef<Value> at) {
    Value emitted = db.emit(value, at, 1);
    missing |= !emitted;
    return emitted ? emitted : number(0);
  }
  Value x(Value index) {
    indices.back() = index;
    return pull(root->getOperand(0), indices);
  }

  /// All elements of the row combined; every thread gets the result.
  Value reduce(ReduceKind kind, llvm::function_ref<Value(Value)> value) {
    Value own = db.loop(db.thread, size, db.launch.threads, {neutral(db, kind, element, 1)},
                        [&](Value index, ValueRange carried) -> SmallVector<Value> {
                          return {combine(db, kind, element, carried[0], value(index))};
                        })[0];
    for (unsigned mask = warpSize / 2; mask > 0; mask /= 2)
      own = combine(db, kind, element, own, db.shuffle(own, mask));
    unsigned warps = db.launch.threads / warpSize;
    if (warps == 1)
      return own;
    // Each reduction has memory of its own, so that no thread waits for the readers of the one before.
    Value partial = db.sharedMemory(warps * 4);
    Value isFirst = arith::CmpIOp::create(db.b, db.loc, arith::CmpIPredicate::eq, db.lane, db.constant(0));
    db.ifThen(isFirst, [&] { db.storeTo(own, partial, db.b.getF32Type(), db.warp, 1); });
    db.barrier();
    Value all = db.loadFrom(partial, db.b.getF32Type(), db.constant(0), 1);
    for (unsigned i = 1; i < warps; ++i)
      all = combine(db, kind, element, all, db.loadFrom(partial, db.b.getF32Type(), db.constant(i), 1));
    return all;
  }

  /// Stores the yields with the root's value given for each position.
  LogicalResult store(llvm::function_ref<Value(Value)> value) {
    LogicalResult result = success();
    db.loop(db.thread, size, db.launch.threads, [&](Value index) {
      Value given = value(index);
      indices.back() = index;
      db.setOverride(root->getResult(0), given);
      result = db.storeYielded(indices, 1);
      db.clearOverrides();
    });
    return result;
  }

  LogicalResult softmax(bool logarithm);
  LogicalResult norm(double epsilon, Value scale, Value bias, bool center);
};

LogicalResult DeviceRow::softmax(bool logarithm) {
  Value top = reduce(ReduceKind::max, [&](Value index) { return x(index); });
  auto shifted = [&](Value index) { return make<arith::SubFOp>(x(index), top); };
  Value sum = reduce(ReduceKind::sum, [&](Value index) { return exponential(shifted(index)); });
  if (logarithm) {
    Value log = math::LogOp::create(db.b, db.loc, sum);
    return store([&](Value index) { return make<arith::SubFOp>(shifted(index), log); });
  }
  Value inverse = make<arith::DivFOp>(number(1), sum);
  return store([&](Value index) { return make<arith::MulFOp>(exponential(shifted(index)), inverse); });
}

LogicalResult DeviceRow::norm(double epsilon, Value scale, Value bias, bool center) {
  Value count = arith::SIToFPOp::create(db.b, db.loc, db.computeType(element), size);
  Value mean;
  if (center)
    mean = make<arith::DivFOp>(reduce(ReduceKind::sum, [&](Value index) { return x(index); }), count);
  auto centered = [&](Value index) { return center ? make<arith::SubFOp>(x(index), mean) : x(index); };
  // Two passes: the sum of squares of centred values loses nothing to cancellation.
  Value squares = reduce(ReduceKind::sum, [&](Value index) {
    Value value = centered(index);
    return make<arith::MulFOp>(value, value);
  });
  Value variance = make<arith::AddFOp>(make<arith::DivFOp>(squares, count), number(epsilon));
  Value inverse = make<arith::DivFOp>(number(1), math::SqrtOp::create(db.b, db.loc, variance));
  return store([&](Value index) {
    Value value = make<arith::MulFOp>(make<arith::MulFOp>(centered(index), inverse), pull(scale, {index}));
    return bias ? make<arith::AddFOp>(value, pull(bias, {index})) : value;
  });
}

} // namespace

DeviceLaunch getDeviceRowNormLaunch(KernelOp kernel) {
  SmallVector<DimAttr> dims = getDims(findRoot(kernel)->getOperand(0));
  bool isShort = dim::asConstant(dims.back()).value_or(INT64_MAX) <= int64_t(2 * warpSize);
  return {dim::product(kernel.getContext(), ArrayRef(dims).drop_back()),
          isShort ? warpSize : threadsOfLongRow};
}

LogicalResult emitDeviceRowNorm(DeviceBuilder &db) {
  Operation *root = findRoot(db.kernel);
  Value x = root->getOperand(0);
  auto type = cast<RankedTensorType>(x.getType());
  if (root->getAttrOfType<IntegerAttr>("axis").getInt() != type.getRank() - 1)
    return db.refuse("the normalised dim is not the last one");
  if (!db.computeType(type.getElementType()).isF32())
    return db.refuse("rows of another type than f32, f16 or bf16 have no code for a GPU");
  SmallVector<Value> sizes = db.dims(x);
  DeviceRow row{db, root, type.getElementType(), sizes.back(),
                sizes.size() > 1 ? db.delinearize(db.block, ArrayRef(sizes).drop_back())
                                 : SmallVector<Value>()};
  row.indices.push_back(Value());
  db.note = db.launch.threads == warpSize ? "a warp a row" : "a block a row";
  LogicalResult result = success();
  if (isa<SoftmaxOp, LogSoftmaxOp>(root))
    result = row.softmax(isa<LogSoftmaxOp>(root));
  else if (auto norm = dyn_cast<LayerNormOp>(root))
    result = row.norm(norm.getEpsilon().convertToDouble(), norm.getScale(), norm.getBias(), true);
  else if (auto norm = dyn_cast<RmsNormOp>(root))
    result = row.norm(norm.getEpsilon().convertToDouble(), norm.getScale(), Value(), false);
  return row.missing ? db.refuse("an operand of the normalisation has no code") : result;
}

} // namespace torsh
