//===-- StagePlan.cpp - What waits for sizes in the host plan -----------------------------------------------===//
//
// The function of a stage first reads its sizes into the table of symbols. It goes on only when they fit together and no
// tensor gets too large; then the host gives it a frame, and the outputs whose dims are known now.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "compiler/PlanBuilder.h"
#include "torsh/artifact.h"
#include "llvm/ADT/SetVector.h"

using namespace llvm;
using mlir::cast;
using mlir::dyn_cast;
using mlir::isa;

namespace torsh {

/// Sizes are at most this; so are values that need not be sizes, which are cut.
static constexpr int64_t largestSize = int64_t(1) << 40;
/// A tensor has at most this many elements: sums of buffers stay within 64 bits.
static constexpr double mostElements = double(int64_t(1) << 42);

bool PlanBuilder::isKnown(DimAttr dim) const {
  SmallVector<StringRef> names;
  dim::collectSymbols(dim, names);
  return all_of(names, [&](StringRef name) { return known.contains(name); });
}

/// Calls a function of the host's table by the offset of its member, with the host's context first.
Value *PlanBuilder::callHost(uint64_t member, ArrayRef<Value *> arguments) {
  SmallVector<Value *> all{hostContext};
  all.append(arguments.begin(), arguments.end());
  SmallVector<llvm::Type *> types;
  for (Value *value : all)
    types.push_back(value->getType());
  Value *callee = b.CreateLoad(pointer, b.CreateConstInBoundsGEP1_64(i8, hostTable, member));
  return b.CreateCall(FunctionType::get(i32, types, false), callee, all);
}

void PlanBuilder::refuseUnless(Value *condition, const Twine &guard, Value *actual, Value *expected) {
  Function *run = b.GetInsertBlock()->getParent();
  auto *bad = BasicBlock::Create(module.getContext(), "refuse", run);
  auto *good = BasicBlock::Create(module.getContext(), "ok", run);
  b.CreateCondBr(condition, good, bad);
  b.SetInsertPoint(bad);
  b.CreateRet(callHost(offsetof(torsh_host, refuse), {b.getInt32(guards.size()), actual, expected}));
  guards.push_back(guard.str());
  b.SetInsertPoint(good);
}

Error PlanBuilder::buildBind(BindSizesOp bind) {
  auto type = cast<mlir::RankedTensorType>(bind.getX().getType());
  SmallVector<Value *> values;
  // Sizes that were computed from other sizes need no memory.
  if (auto fromDims = bind.getX().getDefiningOp<FromDimsOp>()) {
    for (DimAttr attr : fromDims.getDims().getDims())
      values.push_back(dim(attr));
  } else {
    Expected<Value *> at = address(bind.getX());
    if (!at)
      return at.takeError();
    llvm::Type *stored = type.getElementType().isInteger(32) ? i32 : i64;
    for (int64_t i = 0; i < type.getNumElements(); ++i)
      values.push_back(b.CreateSExt(element(*at, i, stored), i64));
  }
  auto names = bind.getSymbols().getAsRange<mlir::StringAttr>();
  auto name = names.begin();
  auto give = [&](Value *value) {
    StringRef text = (*name++).getValue();
    symbols[text] = value;
    store(value, symbolTable, find(symbolNames, text) - symbolNames.begin());
    known.insert(text);
  };
  auto smaller = [&](Value *x, Value *y) { return b.CreateSelect(b.CreateICmpSLT(x, y), x, y); };
  Value *zero = b.getInt64(0), *largest = b.getInt64(largestSize);
  for (Value *value : values) {
    if (bind.getSignedValues()) {
      Value *negated = b.CreateNeg(value);
      give(smaller(b.CreateSelect(b.CreateICmpSGT(value, zero), value, zero), largest));
      // The negative of the least integer is itself; it is cut like all others.
      Value *size = b.CreateSelect(b.CreateICmpSLT(negated, zero), largest, smaller(negated, largest));
      give(b.CreateSelect(b.CreateICmpSLT(value, zero), size, zero));
      continue;
    }
    refuseUnless(b.CreateICmpULE(value, largest),
                 "the size '" + (*name).getValue() + "' must not be negative or larger than 2^40", value,
                 zero);
    give(value);
  }
  return Error::success();
}

/// Sizes whose tensors would have a negative dim or too many elements end the run before any memory is asked for.
void PlanBuilder::checkSizes(mlir::func::FuncOp stage) {
  SetVector<mlir::Type> types;
  for (mlir::func::FuncOp part : functionsFrom(stage))
    part.walk([&](mlir::Operation *op) {
      for (mlir::Type type : op->getResultTypes())
        if (auto tensor = dyn_cast<mlir::RankedTensorType>(type); tensor && !tensor.hasStaticShape())
          types.insert(tensor);
    });
  llvm::Type *f64 = b.getDoubleTy();
  SmallDenseSet<DimAttr> checked;
  for (mlir::Type type : types) {
    SmallVector<DimAttr> dims = getDims(cast<mlir::RankedTensorType>(type));
    if (!all_of(dims, [&](DimAttr dim) { return isKnown(dim); }))
      continue; // a later stage's
    Value *elements = ConstantFP::get(f64, 1);
    for (DimAttr attr : dims) {
      Value *size = dim(attr);
      if (!dim::asConstant(attr) && checked.insert(attr).second)
        refuseUnless(b.CreateICmpSGE(size, b.getInt64(0)),
                     "the size " + dim::toString(attr) + " must not be negative", size, b.getInt64(0));
      // An empty dim counts as 1: parts of the others are computed with, too.
      Value *factor = b.CreateSelect(b.CreateICmpSGT(size, b.getInt64(1)), size, b.getInt64(1));
      elements = b.CreateFMul(elements, b.CreateSIToFP(factor, f64));
    }
    Value *most = ConstantFP::get(f64, mostElements);
    Value *count = b.CreateFPToSI(b.CreateMinNum(elements, ConstantFP::get(f64, 1e18)), i64);
    refuseUnless(b.CreateFCmpOLE(elements, most),
                 "a tensor of this run must not have more than 2^42 elements", count,
                 b.getInt64(int64_t(mostElements)));
  }
}

/// The memory of a stage is a frame of the host, and no part of the caller's.
void PlanBuilder::takeFrame(DimAttr bytes) {
  Value *slot = allocate(pointer, 1);
  returnUnlessOk(callHost(offsetof(torsh_host, frame), {b.getInt32(numFrames++), dim(bytes), slot}));
  workspace = b.CreateLoad(pointer, slot);
}

/// Asks for the outputs whose dims this stage has completed.
Error PlanBuilder::takeOutputs(mlir::func::FuncOp stage) {
  llvm::StringSet<> own;
  own.insert_range(bornSymbols(stage));
  mlir::Operation *terminator = stage.getBody().front().getTerminator();
  for (auto [result, output] : enumerate(outputsOf[stage])) {
    if (!output)
      continue;
    SmallVector<StringRef> names;
    SmallVector<DimAttr> dims = getDims(terminator->getOperand(result));
    for (DimAttr attr : dims)
      dim::collectSymbols(attr, names);
    bool complete = all_of(names, [&](StringRef name) { return known.contains(name); });
    if (!complete || none_of(names, [&](StringRef name) { return own.contains(name); }))
      continue;
    // The runtime packs narrow outputs behind the run, for sizes that it knew before.
    if (cast<mlir::RankedTensorType>(terminator->getOperand(result).getType()).getElementTypeBitWidth() < 8 &&
        !cast<mlir::RankedTensorType>(terminator->getOperand(result).getType()).getElementType().isInteger(1))
      return createStringError(
          "TSH-0613: output " + std::to_string(*output) +
          " has elements of fewer than 8 bits and a size that only the run knows; cast it to a "
          "wider type in the model");
    Value *table = allocate(i64, dims.size()), *slot = allocate(pointer, 1);
    for (auto [axis, attr] : enumerate(dims))
      store(dim(attr), table, axis);
    returnUnlessOk(callHost(offsetof(torsh_host, output), {b.getInt32(*output), table, slot}));
    store(b.CreateLoad(pointer, slot), outputs, result);
  }
  return Error::success();
}

Error PlanBuilder::openStage(mlir::func::FuncOp stage) {
  for (BindSizesOp bind : stage.getOps<BindSizesOp>())
    if (Error error = buildBind(bind))
      return error;
  for (GuardOp guard : stage.getOps<GuardOp>()) {
    Value *left = dim(guard.getLhs()), *right = dim(guard.getRhs());
    refuseUnless(b.CreateICmpEQ(left, right), guard.getMessage(), left, right);
  }
  checkSizes(stage);
  takeFrame(cast<DimAttr>(stage->getAttr("torsh.arena_bytes")));
  return takeOutputs(stage);
}

Error PlanBuilder::buildStage(GroupOp group) {
  mlir::func::CallOp call = callOf(controlOf(group)->getRegion(0));
  auto stage = mlir::SymbolTable::lookupNearestSymbolFrom<mlir::func::FuncOp>(group, call.getCalleeAttr());
  auto around = group->getParentOfType<mlir::func::FuncOp>();
  SmallVector<std::optional<unsigned>> own(group.getNumResults()), numbers = outputsOf.lookup(around);
  mlir::Operation *terminator = around.getBody().front().getTerminator();
  for (auto [number, value] : zip(numbers, terminator->getOperands()))
    if (value.getDefiningOp() == group)
      own[cast<mlir::OpResult>(value).getResultNumber()] = number;
  outputsOf[stage] = own;

  Value *ins = allocate(pointer, call.getNumOperands()), *outs = allocate(pointer, group.getNumResults());
  for (auto [index, operand] : enumerate(call.getOperands())) {
    Expected<Value *> at = address(group.getInputs()[cast<mlir::BlockArgument>(operand).getArgNumber()]);
    if (!at)
      return at.takeError();
    store(*at, ins, index);
  }
  for (auto [index, result] : enumerate(group.getResults())) {
    Expected<Value *> at = address(result);
    if (!at)
      return at.takeError();
    store(*at, outs, index);
  }
  Value *none = ConstantPointerNull::get(pointer);
  returnUnlessOk(b.CreateCall(runs.lookup(stage.getSymName()),
                              {hostTable, kernels, weights, ins, outs, none, symbolTable}));
  return Error::success();
}

} // namespace torsh
