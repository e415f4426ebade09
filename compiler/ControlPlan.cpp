//===-- ControlPlan.cpp - Conditions and loops of the host plan ---------------------------------------------===//
//
// A condition is a byte that a kernel wrote. Carried values alternate between the buffer of the result and a second one in
// the frame: a body never writes what it reads, and at most one copy follows the loop.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "compiler/PlanBuilder.h"

using namespace llvm;
using mlir::cast;
using mlir::dyn_cast;
using mlir::isa;

namespace torsh {

/// The addresses of one piece of control flow.
struct PlanBuilder::Frame {
  SmallVector<Value *> inputs, results; ///< of the group
  Value *condition = nullptr, *counter = nullptr, *callees = nullptr;
  SmallVector<Value *> carried, carriedBytes;
};

/// Space on the stack, once for each call of the function.
Value *PlanBuilder::allocate(llvm::Type *type, uint64_t count) {
  BasicBlock &entry = b.GetInsertBlock()->getParent()->getEntryBlock();
  IRBuilder<> first(&entry, entry.begin());
  return first.CreateAlloca(ArrayType::get(type, std::max<uint64_t>(1, count)));
}

Error PlanBuilder::readPlaces(GroupOp group, Frame &frame) {
  for (auto [values, into] : {std::pair(mlir::ValueRange(group.getInputs()), &frame.inputs),
                              std::pair(mlir::ValueRange(group.getResults()), &frame.results)})
    for (mlir::Value value : values) {
      Expected<Value *> at = address(value);
      if (!at)
        return at.takeError();
      into->push_back(*at);
    }
  ControlFrame layout(group);
  Value *base = b.CreateInBoundsGEP(i8, workspace, dim(group->getAttrOfType<DimAttr>("frame")));
  auto inside = [&](DimAttr offset) { return b.CreateInBoundsGEP(i8, base, dim(offset)); };
  frame.condition = inside(layout.condition);
  frame.counter = inside(layout.counter);
  frame.callees = inside(layout.callees);
  for (auto [offset, bytes] : zip_equal(layout.carried, layout.carriedBytes)) {
    frame.carried.push_back(inside(offset));
    frame.carriedBytes.push_back(dim(bytes));
  }
  return Error::success();
}

/// Calls the function of a region. `own` are the addresses of the region's block arguments.
void PlanBuilder::callBody(mlir::Region &region, Frame &frame, ArrayRef<Value *> own,
                           ArrayRef<Value *> results) {
  mlir::func::CallOp call = callOf(region);
  Value *ins = allocate(pointer, call.getNumOperands()), *outs = allocate(pointer, results.size());
  for (auto [index, operand] : enumerate(call.getOperands())) {
    auto argument = cast<mlir::BlockArgument>(operand);
    bool isOwn = argument.getOwner() == &region.front();
    store(isOwn ? own[argument.getArgNumber()] : frame.inputs[argument.getArgNumber()], ins, index);
  }
  for (auto [index, result] : enumerate(results))
    store(result, outs, index);
  Function *body = runs.lookup(call.getCallee());
  returnUnlessOk(b.CreateCall(body, {hostTable, kernels, weights, ins, outs, frame.callees, symbolTable}));
}

void PlanBuilder::buildIf(GroupOp group, Frame &frame) {
  auto op = cast<IfOp>(controlOf(group));
  Function *run = b.GetInsertBlock()->getParent();
  auto block = [&](StringRef name) { return BasicBlock::Create(module.getContext(), name, run); };
  BasicBlock *onTrue = block("then"), *onFalse = block("else"), *after = block("endif");
  mlir::Value condition = op.getCondition();
  unsigned index = cast<mlir::BlockArgument>(condition).getArgNumber();
  Value *holds = b.CreateICmpNE(b.CreateLoad(i8, frame.inputs[index]), b.getInt8(0));
  b.CreateCondBr(holds, onTrue, onFalse);
  for (auto [arm, region] :
       {std::pair(onTrue, &op.getThenRegion()), std::pair(onFalse, &op.getElseRegion())}) {
    b.SetInsertPoint(arm);
    callBody(*region, frame, {}, frame.results);
    b.CreateBr(after);
  }
  b.SetInsertPoint(after);
}

void PlanBuilder::buildLoop(GroupOp group, Frame &frame) {
  mlir::Operation *control = controlOf(group);
  auto counted = dyn_cast<ForOp>(control);
  mlir::Region &region = control->getRegion(0);
  mlir::ValueRange initial = counted ? counted.getInitial() : cast<WhileOp>(control).getInitial();
  size_t count = initial.size();
  Function *run = b.GetInsertBlock()->getParent();
  auto block = [&](StringRef name) { return BasicBlock::Create(module.getContext(), name, run); };
  BasicBlock *header = block("loop"), *body = block("body"), *after = block("endloop");

  // What the next iteration reads, the number of iterations that are done, and the condition of the next.
  Value *current = allocate(pointer, count), *done = allocate(i64, 1), *goesOn = allocate(i8, 1);
  auto addressOf = [&](mlir::Value value) {
    return frame.inputs[cast<mlir::BlockArgument>(value).getArgNumber()];
  };
  for (auto [index, value] : enumerate(initial))
    store(addressOf(value), current, index);
  b.CreateStore(b.getInt64(0), done);
  if (!counted)
    b.CreateStore(b.CreateLoad(i8, addressOf(cast<WhileOp>(control).getCondition())), goesOn);
  Value *trips = counted ? dim(counted.getTripCount()) : nullptr;
  b.CreateBr(header);

  b.SetInsertPoint(header);
  Value *iteration = b.CreateLoad(i64, done);
  b.CreateCondBr(counted ? b.CreateICmpSLT(iteration, trips)
                         : b.CreateICmpNE(b.CreateLoad(i8, goesOn), b.getInt8(0)),
                 body, after);

  b.SetInsertPoint(body);
  SmallVector<Value *> own, results;
  if (counted) {
    b.CreateStore(iteration, frame.counter);
    own.push_back(frame.counter);
  } else {
    results.push_back(frame.condition);
  }
  Value *isOdd = b.CreateTrunc(iteration, b.getInt1Ty());
  SmallVector<Value *> targets;
  for (size_t i = 0; i < count; ++i) {
    own.push_back(element(current, i, pointer));
    targets.push_back(b.CreateSelect(isOdd, frame.carried[i], frame.results[i]));
  }
  results.append(targets);
  // Stacked values go straight to their place.
  mlir::ValueRange yielded = region.front().getTerminator()->getOperands();
  for (size_t i = count; counted && i < frame.results.size(); ++i) {
    auto type = cast<mlir::RankedTensorType>(yielded[i].getType());
    int64_t width = std::max<int64_t>(8, type.getElementTypeBitWidth()) / 8;
    Value *bytes = b.CreateMul(dim(getNumElements(type)), b.getInt64(width));
    results.push_back(b.CreateInBoundsGEP(i8, frame.results[i], b.CreateMul(iteration, bytes)));
  }
  callBody(region, frame, own, results);
  for (auto [index, target] : enumerate(targets))
    store(target, current, index);
  b.CreateStore(b.CreateAdd(iteration, b.getInt64(1)), done);
  if (!counted)
    b.CreateStore(b.CreateLoad(i8, frame.condition), goesOn);
  b.CreateBr(header);

  // No iteration leaves the first values, and an even number the second buffers.
  b.SetInsertPoint(after);
  for (size_t i = 0; i < count; ++i) {
    Value *from = element(current, i, pointer);
    auto *copy = block("copy"), *next = block("copied");
    b.CreateCondBr(b.CreateICmpNE(from, frame.results[i]), copy, next);
    b.SetInsertPoint(copy);
    b.CreateMemCpy(frame.results[i], MaybeAlign(), from, MaybeAlign(), frame.carriedBytes[i]);
    b.CreateBr(next);
    b.SetInsertPoint(next);
  }
}

Error PlanBuilder::buildControl(GroupOp group) {
  if (isa<StageOp>(controlOf(group)))
    return buildStage(group);
  Frame frame;
  if (Error error = readPlaces(group, frame))
    return error;
  if (isa<IfOp>(controlOf(group)))
    buildIf(group, frame);
  else
    buildLoop(group, frame);
  return Error::success();
}

} // namespace torsh
