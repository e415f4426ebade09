//===-- OrderUpdates.cpp - New parameters are written when the old ones are read no more --------------------===//
#include "dialects/torsh/Updates.h"
#include "passes/cpu/InPlaceReads.h"
#include "passes/cpu/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_ORDERUPDATESPASS
#include "passes/cpu/Passes.h.inc"

namespace {

/// The ops at the top of the function that read a buffer, through reshapes.
SmallVector<Operation *> readersOf(Value buffer) {
  SmallVector<Operation *> readers;
  SmallVector<Value> aliases{buffer};
  while (!aliases.empty())
    for (Operation *user : aliases.pop_back_val().getUsers()) {
      if (isa<ReshapeOp>(user))
        aliases.push_back(user->getResult(0));
      else if (!isa<func::ReturnOp>(user))
        readers.push_back(user);
    }
  return readers;
}

struct OrderUpdates : impl::OrderUpdatesPassBase<OrderUpdates> {
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    Operation *terminator = getOperation().getBody().front().getTerminator();
    SmallVector<OpOperand *> updates;
    for (OpOperand &operand : terminator->getOpOperands())
      if (getUpdatedArgument(getOperation(), operand.getOperandNumber()))
        updates.push_back(&operand);
    for (OpOperand *operand : updates)
      own(*operand);
    for (OpOperand *operand : updates)
      moveBehindReaders(*operand);
    for (OpOperand *operand : updates)
      if (!mayBeInPlace(*operand))
        copyAtEnd(*operand);
  }

private:
  BlockArgument target(OpOperand &operand) {
    return getOperation().getArgument(*getUpdatedArgument(getOperation(), operand.getOperandNumber()));
  }

  /// A group that copies the value.
  Value copy(OpBuilder &builder, Value value) {
    auto group = GroupOp::create(builder, value.getLoc(), TypeRange(value.getType()), ValueRange(value),
                                 builder.getStringAttr("elementwise"));
    Block *body = &group.getBody().emplaceBlock();
    Value whole = body->addArgument(value.getType(), value.getLoc());
    OpBuilder inside = OpBuilder::atBlockBegin(body);
    YieldOp::create(inside, value.getLoc(), whole);
    return group.getResult(0);
  }

  /// Another argument's value is saved before anything can write over it.
  void own(OpOperand &operand) {
    auto argument = dyn_cast<BlockArgument>(bufferOf(operand.get()));
    if (!argument || argument == target(operand))
      return;
    OpBuilder builder = OpBuilder::atBlockBegin(argument.getOwner());
    Value saved = copy(builder, argument);
    if (saved.getType() != operand.get().getType())
      saved = ReshapeOp::create(builder, argument.getLoc(), operand.get().getType(), saved);
    operand.set(saved);
  }

  /// The last op that reads the buffer; the end of its segment where images take turns.
  Operation *lastReader(Value buffer, Operation *writer) {
    Operation *last = nullptr;
    for (Operation *reader : readersOf(buffer)) {
      if (reader == writer)
        continue;
      if (Attribute segment = reader->getAttr("segment"))
        while (reader->getNextNode() && reader->getNextNode()->getAttr("segment") == segment)
          reader = reader->getNextNode();
      if (!last || last->isBeforeInBlock(reader))
        last = reader;
    }
    return last;
  }

  void moveBehindReaders(OpOperand &operand) {
    Operation *writer = bufferOf(operand.get()).getDefiningOp();
    if (!isa_and_nonnull<GroupOp>(writer) || writer->getAttr("segment"))
      return;
    Operation *last = lastReader(target(operand), writer);
    if (!last || last->isBeforeInBlock(writer))
      return;
    // Reshapes go along; whoever else reads the results must come later still.
    SmallVector<Operation *> moved{writer};
    for (size_t i = 0; i < moved.size(); ++i)
      for (Operation *user : moved[i]->getUsers()) {
        if (isa<ReshapeOp>(user))
          moved.push_back(user);
        else if (!last->isBeforeInBlock(user))
          return;
      }
    Operation *behind = last;
    for (Operation *op : moved) {
      op->moveAfter(behind);
      behind = op;
    }
  }

  bool mayBeInPlace(OpOperand &operand) {
    Value buffer = bufferOf(operand.get());
    BlockArgument argument = target(operand);
    if (buffer == argument)
      return true;
    auto writer = buffer.getDefiningOp<GroupOp>();
    if (!writer || writer->getAttr("segment"))
      return false;
    // One result has one place.
    for (OpOperand &other : operand.getOwner()->getOpOperands())
      if (other.getOperandNumber() < operand.getOperandNumber() && bufferOf(other.get()) == buffer)
        return false;
    Operation *last = lastReader(argument, writer);
    if (last && writer->isBeforeInBlock(last))
      return false;
    Value yielded =
        writer.getBody().front().getTerminator()->getOperand(cast<OpResult>(buffer).getResultNumber());
    unsigned reads = 0;
    for (auto [input, inside] : llvm::zip_equal(writer.getInputs(), writer.getBody().getArguments()))
      if (bufferOf(input) == argument) {
        ++reads;
        if (!readsWhereItStores(writer.getAnchor(), inside, yielded))
          return false;
      }
    return reads <= 1;
  }

  void copyAtEnd(OpOperand &operand) {
    OpBuilder builder(operand.getOwner());
    operand.set(copy(builder, operand.get()));
  }
};

} // namespace
} // namespace torsh
