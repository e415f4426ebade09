//===-- PlanMemory.cpp - Places of all buffers --------------------------------------------------------------===//
#include "dialects/torsh/HostControl.h"
#include "dialects/torsh/Objects.h"
#include "dialects/torsh/Updates.h"
#include "passes/cpu/InPlaceReads.h"
#include "passes/cpu/Passes.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_PLANMEMORYPASS
#include "passes/cpu/Passes.h.inc"

namespace {

/// A buffer of the arena: alive from step `from` to step `to`, both included.
struct Buffer {
  Value value;
  unsigned from = 0, to = 0;
  DimAttr size, offset;
};

/// The steps of launches that run in turn for each image. What such a segment reads or writes as a whole is alive through
/// all of it; what it makes and reads within an image is alive as in a straight line.
class Segments {
public:
  explicit Segments(const llvm::DenseMap<Operation *, unsigned> &steps) {
    for (auto [op, step] : steps)
      if (auto number = numberOf(op)) {
        auto [it, isNew] = spans.try_emplace(*number, step, step);
        it->second = {std::min(it->second.first, step), std::max(it->second.second, step)};
      }
  }
  void extend(Buffer &buffer, ArrayRef<Operation *> readers) const {
    std::optional<int64_t> writer = numberOf(buffer.value.getDefiningOp());
    for (Operation *reader : readers) {
      std::optional<int64_t> number = numberOf(reader);
      if (number && number != writer)
        buffer.to = std::max(buffer.to, spans.lookup(*number).second);
      if (writer && number != writer)
        buffer.from = std::min(buffer.from, spans.lookup(*writer).first);
    }
  }

private:
  static std::optional<int64_t> numberOf(Operation *op) {
    auto attribute = op->getAttrOfType<IntegerAttr>("segment");
    return attribute ? std::optional<int64_t>(attribute.getInt()) : std::nullopt;
  }
  llvm::DenseMap<int64_t, std::pair<unsigned, unsigned>> spans;
};

/// Places of buffers of fixed sizes.
class StaticPlan {
public:
  explicit StaticPlan(ArrayRef<Buffer *> buffers);
  /// Sets the buffers' offsets and returns the size of the arena.
  int64_t place();
  /// The most bytes that are alive at one step: no plan can do with less.
  int64_t bound() const;

private:
  int64_t placeInOrder(ArrayRef<size_t> order, MutableArrayRef<int64_t> offsets) const;
  bool overlap(size_t a, size_t b) const {
    return buffers[a]->from <= buffers[b]->to && buffers[b]->from <= buffers[a]->to;
  }

  SmallVector<Buffer *> buffers;
  SmallVector<int64_t> sizes;
  int64_t lower; ///< bound(), where a search may stop
};

StaticPlan::StaticPlan(ArrayRef<Buffer *> list) : buffers(list) {
  for (Buffer *buffer : buffers)
    sizes.push_back(*dim::asConstant(buffer->size));
  lower = bound();
}

int64_t StaticPlan::bound() const {
  // Only the first step of a buffer can be the largest.
  int64_t most = 0;
  for (Buffer *at : buffers) {
    int64_t sum = 0;
    for (auto [other, size] : llvm::zip_equal(buffers, sizes))
      if (other->from <= at->from && at->from <= other->to)
        sum += size;
    most = std::max(most, sum);
  }
  return most;
}

/// Best fit: each buffer takes the smallest gap that its neighbours in time leave.
int64_t StaticPlan::placeInOrder(ArrayRef<size_t> order, MutableArrayRef<int64_t> offsets) const {
  int64_t top = 0;
  SmallVector<size_t> placed;
  SmallVector<std::pair<int64_t, int64_t>> busy;
  for (size_t index : order) {
    busy.clear();
    for (size_t other : placed)
      if (overlap(index, other))
        busy.push_back({offsets[other], offsets[other] + sizes[other]});
    llvm::sort(busy);
    int64_t best = -1, bestGap = INT64_MAX, cursor = 0;
    for (auto [start, stop] : busy) {
      int64_t gap = start - cursor;
      if (gap >= sizes[index] && gap < bestGap) {
        best = cursor;
        bestGap = gap;
      }
      cursor = std::max(cursor, stop);
    }
    offsets[index] = best < 0 ? cursor : best;
    top = std::max(top, offsets[index] + sizes[index]);
    placed.push_back(index);
  }
  return top;
}

int64_t StaticPlan::place() {
  // Largest first is mostly the best order. Equal sizes keep the order of their steps, so the plan is the same everywhere.
  SmallVector<size_t> order = llvm::to_vector(llvm::seq<size_t>(0, buffers.size()));
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::tuple(-sizes[a], buffers[a]->from, a) < std::tuple(-sizes[b], buffers[b]->from, b);
  });
  SmallVector<int64_t> offsets(buffers.size()), tried(buffers.size());
  int64_t top = placeInOrder(order, offsets);
  // Where it misses the bound, buffers that stick out at the top get their turn earlier. Always the same tries, as many as
  // cost some ten milliseconds at most.
  size_t tries = std::min<size_t>(2000, 16000000 / (buffers.size() * buffers.size() + 1));
  uint64_t state = 1;
  auto random = [&](size_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return size_t(state >> 33) % below;
  };
  for (size_t attempt = 0; attempt < tries && top > lower; ++attempt) {
    SmallVector<size_t> high;
    for (size_t at = 1; at < order.size(); ++at)
      if (offsets[order[at]] + sizes[order[at]] > lower)
        high.push_back(at);
    size_t from = high.empty() || random(4) == 0 ? random(order.size()) : high[random(high.size())];
    size_t to = from ? random(from) : random(order.size());
    SmallVector<size_t> changed(order);
    std::rotate(changed.begin() + std::min(from, to), changed.begin() + from,
                changed.begin() + std::max(from, to) + 1);
    int64_t reached = placeInOrder(changed, tried);
    if (reached > top)
      continue;
    top = reached;
    order = std::move(changed);
    offsets = tried;
  }
  for (auto [buffer, offset] : llvm::zip_equal(buffers, offsets))
    buffer->offset = dim::constant(buffer->value.getContext(), offset);
  return top;
}

/// Buffers of symbolic size take a free slot of the same size expression or open a new one behind all others.
DimAttr placeSymbolic(MutableArrayRef<Buffer *> buffers, DimAttr base) {
  struct Slot {
    DimAttr offset, size;
    unsigned busyTo;
  };
  SmallVector<Slot> slots;
  DimAttr top = base;
  for (Buffer *buffer : buffers) {
    Slot *found = nullptr;
    for (Slot &slot : slots)
      if (slot.size == buffer->size && slot.busyTo < buffer->from)
        found = &slot;
    if (!found) {
      slots.push_back({top, buffer->size, 0});
      top = dim::add(top, buffer->size);
      found = &slots.back();
    }
    found->busyTo = buffer->to;
    buffer->offset = found->offset;
  }
  return top;
}

/// Gives what parameters and state are before the first step a place among the weights. What is all zeros needs none.
void storeInitialValues(func::FuncOp function) {
  OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
  for (BlockArgument argument : function.getArguments()) {
    Attribute initial = function.getArgAttr(argument.getArgNumber(), initialAttrName);
    auto dense = dyn_cast_or_null<DenseElementsAttr>(initial);
    bool zero = dense && dense.isSplat() && isa<FloatType>(dense.getElementType()) &&
                dense.getSplatValue<APFloat>().isPosZero();
    if (!initial || zero)
      continue;
    auto constant = ConstantOp::create(builder, argument.getLoc(), argument.getType(), initial);
    constant->setAttr("initial_of", builder.getI64IntegerAttr(argument.getArgNumber()));
  }
}

struct PlanMemory : impl::PlanMemoryPassBase<PlanMemory> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    MLIRContext *context = &getContext();
    Block &block = function.getBody().front();
    auto place = [&](StringRef space, DimAttr offset) {
      return PlaceAttr::get(context, StringAttr::get(context, space), offset);
    };
    storeInitialValues(function);
    llvm::DenseMap<Operation *, unsigned> steps;
    for (Operation &op : block)
      steps[&op] = steps.size();
    // Returned values lie in an output, or in the input that they replace.
    llvm::DenseMap<Value, Attribute> returned;
    unsigned outputs = 0;
    for (auto [index, operand] : llvm::enumerate(block.getTerminator()->getOperands())) {
      std::optional<unsigned> updated = getUpdatedArgument(function, index);
      unsigned number = updated ? *updated : outputs++;
      returned[bufferOf(operand)] = place(updated ? "input" : "output", dim::constant(context, number));
    }

    const Segments segments(steps);
    std::vector<Buffer> buffers;
    llvm::DenseMap<Value, size_t> bufferIndex;
    llvm::DenseMap<Value, Attribute> places;
    // The buffer of an operand that ends with the launch, and on which the result may lie: one stream less, and no memory
    // of its own. (A residual becomes the sum.)
    auto findDying = [&](Operation &op, OpResult result) -> Buffer * {
      auto launch = dyn_cast<LaunchOp>(op);
      if (!launch)
        return nullptr;
      auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(launch, launch.getKernelAttr());
      for (auto [operand, input] : llvm::zip_equal(launch.getInputs(), kernel.getInputs())) {
        auto it = bufferIndex.find(bufferOf(operand));
        if (it == bufferIndex.end() || operand.getType() != result.getType() ||
            buffers[it->second].to != steps[&op])
          continue;
        // What a segment did not make itself, another of its launches may read as a whole for the next image.
        if (buffers[it->second].value.getDefiningOp()->getAttr("segment") != op.getAttr("segment"))
          continue;
        auto shares = [&](Value other) {
          auto found = bufferIndex.find(bufferOf(other));
          return found != bufferIndex.end() && found->second == it->second;
        };
        if (llvm::count_if(launch.getInputs(), shares) == 1 && llvm::none_of(op.getResults(), shares) &&
            readsWhereItStores(kernel.getAnchor(), input, kernel.getYielded()[result.getResultNumber()]))
          return &buffers[it->second];
      }
      return nullptr;
    };
    int64_t weightBytes = 0;
    for (Operation &op : block) {
      if (auto constant = dyn_cast<ConstantOp>(op)) {
        constant->setAttr("place", place("weights", dim::constant(context, weightBytes)));
        weightBytes += *dim::asConstant(paddedBytes(cast<RankedTensorType>(constant.getType())));
        continue;
      }
      if (!isa<LaunchOp, FromDimsOp, ObjectOp>(op) && !isControl(&op))
        continue;
      for (OpResult result : op.getResults()) {
        if (Attribute attribute = returned.lookup(result)) {
          places[result] = attribute;
          continue;
        }
        Buffer buffer;
        buffer.value = result;
        buffer.from = buffer.to = steps[&op];
        buffer.size = paddedBytes(cast<RankedTensorType>(result.getType()));
        SmallVector<Value> aliases{result};
        SmallVector<Operation *> readers;
        while (!aliases.empty()) {
          for (Operation *user : aliases.pop_back_val().getUsers()) {
            buffer.to = std::max(buffer.to, steps[user]);
            if (isa<ReshapeOp>(user))
              aliases.push_back(user->getResult(0));
            else
              readers.push_back(user);
          }
        }
        segments.extend(buffer, readers);
        if (Buffer *dying = findDying(op, result)) {
          dying->from = std::min(dying->from, buffer.from);
          dying->to = std::max(dying->to, buffer.to);
          bufferIndex[result] = dying - buffers.data();
          continue;
        }
        bufferIndex[result] = buffers.size();
        buffers.push_back(buffer);
      }
    }
    SmallVector<Buffer *> fixed, symbolic;
    for (Buffer &buffer : buffers)
      (dim::asConstant(buffer.size) ? fixed : symbolic).push_back(&buffer);
    StaticPlan plan(fixed);
    // With symbolic sizes the largest moment depends on them, so nothing is said.
    if (symbolic.empty())
      function->setAttr("torsh.arena_lower_bound",
                        IntegerAttr::get(IntegerType::get(context, 64), plan.bound()));
    DimAttr top = dim::constant(context, plan.place());
    top = placeSymbolic(symbolic, top);
    for (auto [value, index] : bufferIndex)
      places[value] = place("arena", buffers[index].offset);
    for (Operation &op : block) {
      SmallVector<Attribute> own;
      for (Value result : op.getResults())
        if (Attribute attribute = places.lookup(result))
          own.push_back(attribute);
      if (!own.empty())
        op.setAttr("places", ArrayAttr::get(context, own));
    }
    function->setAttr("torsh.arena_bytes", top);
    function->setAttr("torsh.weight_bytes", IntegerAttr::get(IntegerType::get(context, 64), weightBytes));
  }
};

} // namespace
} // namespace torsh
