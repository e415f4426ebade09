//===-- ScanOps.cpp - Scan --------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/LoopBody.h"
#include "frontends/onnx/ops/SliceOps.h"
#include "frontends/onnx/ops/Topics.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

int64_t entryOr(const std::optional<SmallVector<int64_t>> &list, size_t i) {
  return list && i < list->size() ? (*list)[i] : 0;
}

/// What a scan goes over.
struct ScanParts {
  const Graph *body = nullptr;
  SmallVector<Value> initial, sequences;
  SmallVector<int64_t> axes; ///< of the sequences
  std::optional<SmallVector<int64_t>> inputDirections, outputAxes, outputDirections;
};

/// The loop over the sequences: final states, then stacked values with their new dim first.
FailureOr<SmallVector<Value>> scanLoop(NodeImport &node, const ScanParts &scan, DimAttr length) {
  OperationState state(node.loc, ForOp::getOperationName());
  state.addOperands(scan.initial);
  state.addAttribute("trip_count", length);
  state.addRegion();
  Operation *trial = node.builder.create(state);
  Block *block = &trial->getRegion(0).emplaceBlock();
  OpBuilder inner = OpBuilder::atBlockEnd(block);
  auto index = RankedTensorType::get({}, node.builder.getI64Type());
  Value iteration = block->addArgument(index, node.loc);
  SmallVector<NamedValue> inputs;
  for (Value value : scan.initial)
    inputs.push_back(namedValue(block->addArgument(value.getType(), node.loc)));
  for (auto [i, sequence] : llvm::enumerate(scan.sequences)) {
    Value position = iteration;
    if (entryOr(scan.inputDirections, i)) {
      ShapeValue last{{dim::sub(length, dim::constant(node.context(), 1))}, true, index.getElementType()};
      position =
          SubOp::create(inner, node.loc, node.graph.materializeShape(last, inner, node.loc), iteration);
    }
    inputs.push_back(namedValue(GatherOp::create(inner, node.loc, sequence, position, scan.axes[i]).getY()));
  }
  size_t carried = scan.initial.size();
  FailureOr<SmallVector<Value>> result = failure();
  auto outputs = node.graph.importSubgraph(*scan.body, inputs, inner);
  SmallVector<Value> values;
  if (succeeded(outputs))
    for (NamedValue &output : *outputs)
      values.push_back(node.graph.materialize(output, inner, node.loc));
  if (succeeded(outputs) && !llvm::is_contained(values, Value()) &&
      succeeded(checkStable(node, scan.initial, ArrayRef(values).take_front(carried)))) {
    YieldOp::create(inner, node.loc, values);
    length = node.graph.dims.canonical(length);
    SmallVector<mlir::Type> types(ValueRange(scan.initial).getTypes());
    for (Value value : ArrayRef(values).drop_front(carried)) {
      SmallVector<DimAttr> dims = getDims(value);
      dims.insert(dims.begin(), length);
      types.push_back(makeTensorType(dims, getElementTypeOrSelf(value.getType())));
    }
    auto forOp = ForOp::create(node.builder, node.loc, types, length, scan.initial);
    forOp.getBody().takeBody(trial->getRegion(0));
    result = SmallVector<Value>(forOp->getResults());
  }
  trial->erase();
  return result;
}

/// Final states, then the stacked values where the attributes want them.
FailureOr<SmallVector<Value>> runScan(NodeImport &node, const ScanParts &scan) {
  for (size_t i = 1; i < scan.sequences.size(); ++i)
    if (!node.unify(getDims(scan.sequences[0])[scan.axes[0]], getDims(scan.sequences[i])[scan.axes[i]],
                    "inputs of Scan"))
      return LogicalResult(node.malformed("the scanned inputs differ in length"));
  FailureOr<SmallVector<Value>> results = scanLoop(node, scan, getDims(scan.sequences[0])[scan.axes[0]]);
  if (failed(results))
    return failure();
  size_t carried = scan.initial.size();
  for (size_t i = carried; i < results->size(); ++i) {
    Value &y = (*results)[i];
    size_t rank = getDims(y).size();
    if (entryOr(scan.outputDirections, i - carried)) {
      SmallVector<DimAttr> starts(rank, dim::constant(node.context(), 0));
      SmallVector<int64_t> steps(rank, 1);
      starts[0] = dim::sub(getDims(y)[0], dim::constant(node.context(), 1));
      steps[0] = -1;
      y = sliceOf(node, y, starts, getDims(y), steps);
    }
    FailureOr<int64_t> axis = node.axis(entryOr(scan.outputAxes, i - carried), rank);
    if (failed(axis))
      return failure();
    SmallVector<int64_t> permutation;
    for (size_t d = 1; d < rank; ++d)
      permutation.push_back(d);
    permutation.insert(permutation.begin() + *axis, 0);
    y = node.transpose(y, permutation);
  }
  return results;
}

/// Splits the inputs from `first` on into states and sequences; axes and directions are the caller's.
FailureOr<ScanParts> readScan(NodeImport &node, size_t first) {
  ScanParts scan;
  scan.body = graphAttr(node, "body");
  size_t given = node.numInputs() < first ? 0 : node.numInputs() - first;
  int64_t scanned = node.intAttr("num_scan_inputs", 0);
  if (!scan.body || scanned < 1 || size_t(scanned) > given || scan.body->inputs.size() != given)
    return LogicalResult(node.malformed("the body's inputs do not match the node's"));
  size_t carried = given - scanned;
  if (scan.body->outputs.size() < carried || node.numOutputs() > scan.body->outputs.size())
    return LogicalResult(node.malformed("the body's outputs do not match the node's"));
  for (size_t i = 0; i < carried; ++i)
    scan.initial.push_back(node.operand(first + i));
  for (size_t i = carried; i < given; ++i)
    scan.sequences.push_back(node.operand(first + i));
  return scan;
}

LogicalResult importScan(NodeImport &node) {
  FailureOr<ScanParts> scan = readScan(node, 0);
  if (failed(scan))
    return failure();
  auto inputAxes = node.intsAttr("scan_input_axes");
  scan->inputDirections = node.intsAttr("scan_input_directions");
  scan->outputAxes = node.intsAttr("scan_output_axes");
  scan->outputDirections = node.intsAttr("scan_output_directions");
  for (auto [i, sequence] : llvm::enumerate(scan->sequences)) {
    FailureOr<int64_t> axis = node.axis(entryOr(inputAxes, i), getDims(sequence).size());
    if (failed(axis))
      return failure();
    scan->axes.push_back(*axis);
  }
  FailureOr<SmallVector<Value>> results = runScan(node, *scan);
  if (failed(results))
    return failure();
  for (size_t i = 0; i < node.numOutputs(); ++i)
    node.setResult(i, (*results)[i]);
  return success();
}

/// Before opset 9 states and sequences have a batch dim, which the body does not see, and time is behind it.
LogicalResult importBatchedScan(NodeImport &node) {
  if (node.hasInput(0))
    return node.unsupported("sequence_lens is not supported; pad the sequences to one length");
  FailureOr<ScanParts> batched = readScan(node, 1);
  if (failed(batched))
    return failure();
  SmallVector<Value> all(batched->initial);
  all.append(batched->sequences);
  for (auto [i, value] : llvm::enumerate(all)) {
    if (getDims(value).size() < (i < batched->initial.size() ? 1u : 2u))
      return node.malformed("states have a batch dim, sequences also one for time");
    if (!node.unify(getDims(value)[0], getDims(all[0])[0], "the batch of Scan"))
      return node.malformed("the inputs differ in their batch");
  }
  DimAttr batch = getDims(all[0])[0];
  OperationState state(node.loc, ForOp::getOperationName());
  state.addAttribute("trip_count", batch);
  state.addRegion();
  Operation *trial = node.builder.create(state);
  FailureOr<SmallVector<Value>> results = failure();
  {
    OpBuilder::InsertionGuard guard(node.builder);
    Block *block = node.builder.createBlock(&trial->getRegion(0));
    Value image = block->addArgument(RankedTensorType::get({}, node.builder.getI64Type()), node.loc);
    ScanParts scan = *batched;
    scan.inputDirections = node.intsAttr("directions");
    scan.axes.assign(scan.sequences.size(), 0);
    for (Value &value : scan.initial)
      value = node.create<GatherOp>(value, image, int64_t(0));
    for (Value &value : scan.sequences)
      value = node.create<GatherOp>(value, image, int64_t(0));
    results = runScan(node, scan);
    if (succeeded(results))
      YieldOp::create(node.builder, node.loc, *results);
  }
  if (succeeded(results)) {
    batch = node.graph.dims.canonical(batch);
    SmallVector<mlir::Type> types;
    for (Value value : *results) {
      SmallVector<DimAttr> dims = getDims(value);
      dims.insert(dims.begin(), batch);
      types.push_back(makeTensorType(dims, getElementTypeOrSelf(value.getType())));
    }
    auto forOp = ForOp::create(node.builder, node.loc, types, batch, ValueRange());
    forOp.getBody().takeBody(trial->getRegion(0));
    for (size_t i = 0; i < node.numOutputs(); ++i)
      node.setResult(i, forOp->getResult(i));
  }
  trial->erase();
  return success(succeeded(results));
}

} // namespace

void addScanOps(OpTable &table) {
  table.add("", "Scan", 8, importBatchedScan);
  table.add("", "Scan", 9, importScan);
}

} // namespace torsh::onnx
