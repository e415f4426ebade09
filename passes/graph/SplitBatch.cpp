//===-- SplitBatch.cpp - Runs of fusion groups that take one image of a batch after the other ---------------===//
//
// A batch of eight makes every value of a convolutional network eight times as large: what one kernel writes has left the
// cache when the next one reads it. Where the values are larger than the weights, a run of groups is quicker image by
// image, and its inner values need the memory of one.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "passes/graph/BatchAxis.h"
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_SPLITBATCHPASS
#include "passes/graph/Passes.h.inc"

namespace {

/// Weights of a group that are read again for every image without a loss, whatever its values: they stay in the cache.
constexpr int64_t cachedWeights = 256 << 10;
/// Bytes that have to stay within an image for a run to pay: a core's share of the last cache.
constexpr int64_t worthwhile = 4 << 20;
/// Images of a batch whose size is not known.
constexpr int64_t usualImages = 8;

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

int64_t bytesOf(RankedTensorType type) {
  int64_t bits = std::max<int64_t>(8, type.getElementTypeBitWidth());
  return dim::asConstant(getNumElements(type)).value_or(-1) * (bits / 8);
}

/// The value whose buffer a value shares.
Value bufferOf(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getX();
  return value;
}

/// A group that computes each image by itself.
struct ImageGroup {
  GroupOp group;
  llvm::DenseMap<Value, BatchForm> forms;
  BatchForm form = BatchForm::Leading; ///< of all results
};

class Splitter {
public:
  Splitter(Block &block, DimAttr images, bool always) : block(block), images(images), always(always) {}
  unsigned run();

private:
  std::optional<ImageGroup> match(GroupOp group) const;
  bool isCheap(const ImageGroup &candidate) const;
  bool mayJoin(const ImageGroup &candidate, ArrayRef<ImageGroup> members) const;
  bool isReadOutside(Value value, ArrayRef<ImageGroup> members) const;
  void dropOpenTiles(SmallVectorImpl<ImageGroup> &members) const;
  int64_t keptBytes(ArrayRef<ImageGroup> members) const;
  void close(SmallVectorImpl<ImageGroup> &members);
  void rewrite(ArrayRef<ImageGroup> members);

  Block &block;
  DimAttr images;
  bool always;
  unsigned segments = 0;
};

std::optional<ImageGroup> Splitter::match(GroupOp group) const {
  auto forms = findBatch(group, images);
  if (!forms)
    return std::nullopt;
  ImageGroup found{group, std::move(*forms)};
  found.form = found.forms.lookup(group.getBody().front().getTerminator()->getOperand(0));
  return always || isCheap(found) ? std::optional<ImageGroup>(std::move(found)) : std::nullopt;
}

/// Whether reading the group's weights again for every image costs less than its values do.
bool Splitter::isCheap(const ImageGroup &candidate) const {
  GroupOp group = candidate.group;
  int64_t values = 0, weights = 0;
  for (Value argument : group.getBody().getArguments()) {
    BatchForm form = candidate.forms.lookup(argument);
    int64_t bytes = bytesOf(imageType(typeOf(argument), form, images));
    if (bytes < 0)
      return false;
    (form == BatchForm::None ? weights : values) += bytes;
  }
  for (Value result : group.getResults()) {
    int64_t bytes = bytesOf(imageType(typeOf(result), candidate.form, images));
    if (bytes < 0)
      return false;
    values += bytes;
  }
  return weights <= std::max(values, cachedWeights);
}

/// Whether what the group reads of the run's results is the image at hand.
bool Splitter::mayJoin(const ImageGroup &candidate, ArrayRef<ImageGroup> members) const {
  GroupOp group = candidate.group;
  for (auto [operand, argument] : llvm::zip_equal(group.getInputs(), group.getBody().getArguments())) {
    BatchForm form = candidate.forms.lookup(argument);
    Operation *producer = bufferOf(operand).getDefiningOp();
    auto it = llvm::find_if(members, [&](const ImageGroup &member) { return member.group == producer; });
    if (it == members.end()) {
      if (form == BatchForm::Tiles)
        return false;
      continue;
    }
    if (form != it->form)
      return false;
    // A reshape between them must keep the images apart.
    for (Value value = operand; auto reshape = value.getDefiningOp<ReshapeOp>(); value = reshape.getX())
      if (form != BatchForm::Leading || !imageType(typeOf(value), form, images))
        return false;
  }
  return true;
}

bool Splitter::isReadOutside(Value value, ArrayRef<ImageGroup> members) const {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    if (isa<ReshapeOp>(user))
      return isReadOutside(user->getResult(0), members);
    return llvm::none_of(members, [&](const ImageGroup &member) { return member.group == user; });
  });
}

/// One image's tiles are not contiguous, so they must not leave the run: it ends before they are made.
void Splitter::dropOpenTiles(SmallVectorImpl<ImageGroup> &members) const {
  auto leaves = [&](const ImageGroup &member) {
    return member.form == BatchForm::Tiles && llvm::any_of(member.group->getResults(), [&](Value result) {
             return isReadOutside(result, members);
           });
  };
  for (auto *it = llvm::find_if(members, leaves); it != members.end(); it = llvm::find_if(members, leaves))
    members.erase(it, members.end());
}

/// Bytes of all images that no longer leave the run.
int64_t Splitter::keptBytes(ArrayRef<ImageGroup> members) const {
  int64_t bytes = 0;
  for (const ImageGroup &member : members)
    for (Value result : member.group->getResults())
      if (!isReadOutside(result, members))
        bytes += bytesOf(imageType(typeOf(result), member.form, images));
  return bytes * dim::asConstant(images).value_or(usualImages);
}

void Splitter::close(SmallVectorImpl<ImageGroup> &members) {
  dropOpenTiles(members);
  if (!members.empty() && (always || keptBytes(members) >= worthwhile)) {
    rewrite(members);
    ++segments;
  }
  members.clear();
}

void Splitter::rewrite(ArrayRef<ImageGroup> members) {
  IRMapping parts; // values of all images -> of one
  SmallVector<Operation *> dead;
  std::function<Value(OpBuilder &, Value)> partOf = [&](OpBuilder &builder, Value value) -> Value {
    if (Value known = parts.lookupOrNull(value))
      return known;
    auto reshape = value.getDefiningOp<ReshapeOp>();
    if (!reshape || !parts.contains(bufferOf(value)))
      return value;
    Value part =
        ReshapeOp::create(builder, value.getLoc(), imageType(typeOf(value), BatchForm::Leading, images),
                          partOf(builder, reshape.getX()));
    parts.map(value, part);
    dead.push_back(reshape);
    return part;
  };
  // What is read outside is decided before anything moves.
  llvm::DenseSet<Value> outside;
  for (const ImageGroup &member : members)
    for (Value result : member.group->getResults())
      if (isReadOutside(result, members))
        outside.insert(result);
  for (const ImageGroup &member : members) {
    GroupOp group = member.group;
    OpBuilder builder(group);
    SmallVector<Value> inputs;
    for (Value input : group.getInputs())
      inputs.push_back(partOf(builder, input));
    SmallVector<Type> types;
    for (Value result : group.getResults())
      types.push_back(outside.contains(result) ? typeOf(result)
                                               : imageType(typeOf(result), member.form, images));
    auto part = GroupOp::create(builder, group.getLoc(), types, inputs, group.getAnchorAttr());
    part->setDiscardableAttrs(group->getDiscardableAttrDictionary());
    part->setAttr("images", images);
    part->setAttr("segment", builder.getI64IntegerAttr(segments));
    IRMapping body;
    group.getBody().cloneInto(&part.getBody(), body);
    for (auto [value, form] : member.forms) {
      Value copy = body.lookup(value);
      RankedTensorType type = imageType(typeOf(value), form, images);
      if (auto slice = copy.getDefiningOp<SliceOp>(); slice && form == BatchForm::Leading) {
        SmallVector<DimAttr> sizes(slice.getSizes().getDims());
        sizes.front() = dim::constant(builder.getContext(), 1);
        slice.setSizesAttr(DimsAttr::get(builder.getContext(), sizes));
      }
      if (auto constant = copy.getDefiningOp<ConstantOp>(); constant && form != BatchForm::None)
        constant.setValueAttr(cast<DenseElementsAttr>(constant.getValue()).resizeSplat(type));
      copy.setType(type);
    }
    for (auto [from, to] : llvm::zip_equal(group.getResults(), part.getResults())) {
      if (outside.contains(from))
        from.replaceAllUsesWith(to);
      else
        parts.map(from, to);
    }
  }
  for (const ImageGroup &member : members)
    dead.push_back(member.group);
  llvm::sort(dead, [](Operation *a, Operation *b) { return b->isBeforeInBlock(a); });
  for (Operation *op : dead)
    if (op->use_empty())
      op->erase();
}

unsigned Splitter::run() {
  SmallVector<ImageGroup> members;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (isa<ReshapeOp, ConstantOp>(op))
      continue;
    auto group = dyn_cast<GroupOp>(op);
    std::optional<ImageGroup> candidate = group ? match(group) : std::nullopt;
    if (!candidate || !mayJoin(*candidate, members))
      close(members);
    if (candidate && mayJoin(*candidate, members))
      members.push_back(std::move(*candidate));
  }
  close(members);
  return segments;
}

struct SplitBatch : impl::SplitBatchPassBase<SplitBatch> {
  using SplitBatchPassBase::SplitBatchPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    for (Type type : function.getArgumentTypes()) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      SmallVector<DimAttr> dims = tensor ? getDims(tensor) : SmallVector<DimAttr>();
      if (dims.size() < 2)
        continue;
      if (std::optional<int64_t> images = dim::asConstant(dims.front()); images && *images < 2)
        return;
      Splitter(function.getBody().front(), dims.front(), always).run();
      return;
    }
  }
};

} // namespace
} // namespace torsh
