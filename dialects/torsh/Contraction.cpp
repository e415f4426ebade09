//===-- Contraction.cpp - Shape functions and verifiers of contractions ---------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/SpatialDims.h"
#include "dialects/torsh/Torsh.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;

namespace torsh {

//===-- dot_general
//------------------------------------------------------------------------------------------===//

/// Result dims of dot_general; indices out of range are left to the verifier.
static SmallVector<DimAttr> inferDotDims(ArrayRef<DimAttr> lhs, ArrayRef<DimAttr> rhs,
                                         ArrayRef<int64_t> lhsBatch, ArrayRef<int64_t> rhsBatch,
                                         ArrayRef<int64_t> lhsContract, ArrayRef<int64_t> rhsContract) {
  SmallVector<DimAttr> dims;
  for (int64_t index : lhsBatch)
    if (index >= 0 && index < static_cast<int64_t>(lhs.size()))
      dims.push_back(lhs[index]);
  auto appendFree = [&](ArrayRef<DimAttr> operand, ArrayRef<int64_t> batch, ArrayRef<int64_t> contract) {
    for (auto [index, size] : llvm::enumerate(operand))
      if (!llvm::is_contained(batch, static_cast<int64_t>(index)) &&
          !llvm::is_contained(contract, static_cast<int64_t>(index)))
        dims.push_back(size);
  };
  appendFree(lhs, lhsBatch, lhsContract);
  appendFree(rhs, rhsBatch, rhsContract);
  return dims;
}

void DotGeneralOp::build(OpBuilder &builder, OperationState &state, Value lhs, Value rhs,
                         ArrayRef<int64_t> lhsBatch, ArrayRef<int64_t> rhsBatch,
                         ArrayRef<int64_t> lhsContract, ArrayRef<int64_t> rhsContract) {
  Type type =
      makeTensorType(inferDotDims(getDims(lhs), getDims(rhs), lhsBatch, rhsBatch, lhsContract, rhsContract),
                     cast<RankedTensorType>(lhs.getType()).getElementType());
  build(builder, state, type, lhs, rhs, lhsBatch, rhsBatch, lhsContract, rhsContract);
}

LogicalResult DotGeneralOp::verify() {
  SmallVector<DimAttr> lhs = getDims(getLhs()), rhs = getDims(getRhs());
  auto checkIndices = [&](ArrayRef<DimAttr> operand, ArrayRef<int64_t> batch, ArrayRef<int64_t> contract,
                          StringRef name) -> LogicalResult {
    llvm::SmallBitVector seen(operand.size());
    for (int64_t index : llvm::concat<const int64_t>(batch, contract)) {
      if (index < 0 || index >= static_cast<int64_t>(operand.size()))
        return emitOpError("dot_general_c2: ") << name << " has no dim " << index;
      if (seen.test(index))
        return emitOpError("dot_general_c2: dim ") << index << " of " << name << " appears twice";
      seen.set(index);
    }
    return success();
  };
  if (failed(checkIndices(lhs, getLhsBatch(), getLhsContract(), "lhs")) ||
      failed(checkIndices(rhs, getRhsBatch(), getRhsContract(), "rhs")))
    return failure();
  auto checkPairs = [&](ArrayRef<int64_t> left, ArrayRef<int64_t> right, StringRef what) -> LogicalResult {
    if (left.size() != right.size())
      return emitOpError("dot_general_c1: the ") << what << " lists differ in length";
    for (auto [l, r] : llvm::zip(left, right))
      if (!dimsMayBeEqual(lhs[l], rhs[r]))
        return emitOpError("dot_general_c1: ")
               << what << " dim " << l << " of lhs is " << dim::toString(lhs[l]) << ", dim " << r
               << " of rhs is " << dim::toString(rhs[r]);
    return success();
  };
  if (failed(checkPairs(getLhsBatch(), getRhsBatch(), "batch")) ||
      failed(checkPairs(getLhsContract(), getRhsContract(), "contracting")))
    return failure();
  Type l = getLhs().getType().getElementType(), r = getRhs().getType().getElementType();
  Type y = getY().getType().getElementType();
  if (isa<FloatType>(l) != isa<FloatType>(r) || isa<FloatType>(l) != isa<FloatType>(y) ||
      (isa<FloatType>(l) && l != r))
    return emitOpError(
        "dot_general_c3: floats multiply floats of the same type into floats, integers integers");
  SmallVector<DimAttr> dims =
      inferDotDims(lhs, rhs, getLhsBatch(), getRhsBatch(), getLhsContract(), getRhsContract());
  if (!shapesMayBeEqual(dims, getDims(getY())))
    return emitOpError("dot_general_c4: the result type should be ") << makeTensorType(dims, y);
  return success();
}

//===-- Convolutions
//-----------------------------------------------------------------------------------------===//

/// Checks what both convolutions demand before sizes can be computed. `lists` are strides, dilations, low,
/// high, ...
static LogicalResult checkWindowLists(std::optional<Location> location, StringRef label, size_t xRank,
                                      size_t wRank, ArrayRef<ArrayRef<int64_t>> lists, int64_t groups) {
  if (xRank < 3 || wRank != xRank)
    return emitOptionalError(location, label, "_c1: x and w have one rank of at least 3");
  for (ArrayRef<int64_t> list : lists)
    if (list.size() != xRank - 2)
      return emitOptionalError(location, label, "_c1: a list has ", list.size(), " entries for ", xRank - 2,
                               " spatial dims");
  if (llvm::any_of(lists[0], [](int64_t v) { return v < 1; }) ||
      llvm::any_of(lists[1], [](int64_t v) { return v < 1; }))
    return emitOptionalError(location, label, "_c1: strides and dilations are positive");
  if (groups < 1)
    return emitOptionalError(location, label, "_c2: groups is ", groups, ", not positive");
  return success();
}

/// The element type of a convolution's result: its bias says when products of bf16 are summed and kept in f32.
static Type convResultType(Type x, Value bias) {
  Type element = bias ? cast<RankedTensorType>(bias.getType()).getElementType() : x;
  return x.isBF16() && element.isF32() ? element : x;
}

/// Checks the bias and the element types.
template <typename OpTy> static LogicalResult checkBias(OpTy op, StringRef label, DimAttr outputs) {
  Type element = op.getX().getType().getElementType(), result = op.getY().getType().getElementType();
  if (op.getW().getType().getElementType() != element ||
      (op.getBias() && cast<RankedTensorType>(op.getBias().getType()).getElementType() != result))
    return op.emitOpError(label) << "_c3: x, w and bias have one element type";
  if (!op.getBias())
    return success();
  SmallVector<DimAttr> bias = getDims(op.getBias());
  if (bias.size() != 1 || !dimsMayBeEqual(bias[0], outputs))
    return op.emitOpError(label) << "_c3: bias is not [" << dim::toString(outputs) << "]";
  return success();
}

static bool divides(int64_t divisor, DimAttr value) {
  std::optional<int64_t> constant = dim::asConstant(value);
  return !constant || *constant % divisor == 0;
}

LogicalResult ConvOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                       Adaptor adaptor, SmallVectorImpl<Type> &types) {
  SmallVector<DimAttr> x = getDims(adaptor.getX()), w = getDims(adaptor.getW());
  if (failed(checkWindowLists(
          location, "conv", x.size(), w.size(),
          {adaptor.getStrides(), adaptor.getDilations(), adaptor.getLow(), adaptor.getHigh()},
          adaptor.getGroups())))
    return failure();
  SpatialDims at(adaptor.getLayout(), x.size());
  SmallVector<DimAttr> dims(x);
  dims[at.channel()] = w[at.filterOutputs()];
  for (size_t i = 0; i < at.numSpatial(); ++i)
    dims[at.spatial(i)] =
        windowCount(paddedExtent(x[at.spatial(i)], adaptor.getLow()[i], adaptor.getHigh()[i]),
                    w[at.filterSpatial(i)], adaptor.getStrides()[i], adaptor.getDilations()[i]);
  Type element = cast<RankedTensorType>(adaptor.getX().getType()).getElementType();
  return addInferredTensor(location, "conv_c1", dims, convResultType(element, adaptor.getBias()), types);
}

LogicalResult ConvOp::verify() {
  SmallVector<DimAttr> x = getDims(getX()), w = getDims(getW());
  if (failed(checkWindowLists(getLoc(), "conv", x.size(), w.size(),
                              {getStrides(), getDilations(), getLow(), getHigh()}, getGroups())))
    return failure();
  SpatialDims at(getLayout(), x.size());
  DimAttr groups = dim::constant(getContext(), getGroups());
  DimAttr outputs = w[at.filterOutputs()];
  if (!dimsMayBeEqual(x[at.channel()], dim::mul(groups, w[at.filterInputs()])))
    return emitOpError("conv_c2: x has ")
           << dim::toString(x[at.channel()]) << " channels, w takes " << dim::toString(w[at.filterInputs()])
           << " in each of " << getGroups() << " groups";
  if (!divides(getGroups(), outputs))
    return emitOpError("conv_c2: ") << dim::toString(outputs) << " output channels are not divisible by "
                                    << getGroups() << " groups";
  return checkBias(*this, "conv", outputs);
}

LogicalResult ConvTransposeOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                                Adaptor adaptor, SmallVectorImpl<Type> &types) {
  SmallVector<DimAttr> x = getDims(adaptor.getX()), w = getDims(adaptor.getW());
  if (failed(checkWindowLists(location, "conv_transpose", x.size(), w.size(),
                              {adaptor.getStrides(), adaptor.getDilations(), adaptor.getLow(),
                               adaptor.getHigh(), adaptor.getOutputPadding()},
                              adaptor.getGroups())))
    return failure();
  SpatialDims at(adaptor.getLayout(), x.size());
  SmallVector<DimAttr> dims(x);
  // w is [C, O/groups, spatial...] or [spatial..., C, O/groups].
  size_t filterOutputs = at.isChannelsLast() ? x.size() - 1 : 1;
  dims[at.channel()] = dim::mul(dim::constant(context, adaptor.getGroups()), w[filterOutputs]);
  for (size_t i = 0; i < at.numSpatial(); ++i) {
    auto constant = [&](int64_t value) { return dim::constant(context, value); };
    DimAttr one = constant(1);
    DimAttr strided = dim::mul(dim::sub(x[at.spatial(i)], one), constant(adaptor.getStrides()[i]));
    DimAttr window = dim::mul(dim::sub(w[at.filterSpatial(i)], one), constant(adaptor.getDilations()[i]));
    DimAttr rest = constant(1 + adaptor.getOutputPadding()[i] - adaptor.getLow()[i] - adaptor.getHigh()[i]);
    dims[at.spatial(i)] = dim::add(dim::add(strided, window), rest);
  }
  return addInferredTensor(location, "conv_transpose_c1", dims,
                           cast<RankedTensorType>(adaptor.getX().getType()).getElementType(), types);
}

LogicalResult ConvTransposeOp::verify() {
  SmallVector<DimAttr> x = getDims(getX()), w = getDims(getW());
  if (failed(checkWindowLists(getLoc(), "conv_transpose", x.size(), w.size(),
                              {getStrides(), getDilations(), getLow(), getHigh(), getOutputPadding()},
                              getGroups())))
    return failure();
  SpatialDims at(getLayout(), x.size());
  size_t filterInputs = at.isChannelsLast() ? x.size() - 2 : 0;
  DimAttr inputs = w[filterInputs], outputs = w[filterInputs + 1];
  if (!dimsMayBeEqual(x[at.channel()], inputs))
    return emitOpError("conv_transpose_c2: x has ")
           << dim::toString(x[at.channel()]) << " channels, w takes " << dim::toString(inputs);
  if (!divides(getGroups(), inputs))
    return emitOpError("conv_transpose_c2: ")
           << dim::toString(inputs) << " channels are not divisible by " << getGroups() << " groups";
  return checkBias(*this, "conv_transpose", dim::mul(dim::constant(getContext(), getGroups()), outputs));
}

LogicalResult ConvWeightGradOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                                 Adaptor adaptor, SmallVectorImpl<Type> &types) {
  SmallVector<DimAttr> x = getDims(adaptor.getX()), dy = getDims(adaptor.getDy());
  if (failed(checkWindowLists(location, "conv_weight_grad", x.size(), dy.size(),
                              {adaptor.getStrides(), adaptor.getDilations(), adaptor.getKernel(),
                               adaptor.getLow(), adaptor.getHigh()},
                              adaptor.getGroups())))
    return failure();
  SpatialDims at(adaptor.getLayout(), x.size());
  SmallVector<DimAttr> dims(x.size());
  dims[at.filterOutputs()] = dy[at.channel()];
  dims[at.filterInputs()] = dim::floorDiv(x[at.channel()], dim::constant(context, adaptor.getGroups()));
  for (size_t i = 0; i < at.numSpatial(); ++i)
    dims[at.filterSpatial(i)] = dim::constant(context, adaptor.getKernel()[i]);
  return addInferredTensor(location, "conv_weight_grad_c1", dims,
                           cast<RankedTensorType>(adaptor.getX().getType()).getElementType(), types);
}

LogicalResult ConvWeightGradOp::verify() {
  SmallVector<DimAttr> x = getDims(getX()), dy = getDims(getDy());
  if (failed(checkWindowLists(getLoc(), "conv_weight_grad", x.size(), dy.size(),
                              {getStrides(), getDilations(), getKernel(), getLow(), getHigh()}, getGroups())))
    return failure();
  SpatialDims at(getLayout(), x.size());
  for (size_t i = 0; i < at.numSpatial(); ++i)
    if (getKernel()[i] < 1)
      return emitOpError("conv_weight_grad_c1: kernel sizes are positive");
  for (auto [name, operand] : {std::pair("x", &x), std::pair("dy", &dy)})
    if (!divides(getGroups(), (*operand)[at.channel()]))
      return emitOpError("conv_weight_grad_c2: the ")
             << dim::toString((*operand)[at.channel()]) << " channels of " << name << " are not divisible by "
             << getGroups() << " groups";
  Type element = getX().getType().getElementType();
  if (getDy().getType().getElementType() != element || getDw().getType().getElementType() != element)
    return emitOpError("conv_weight_grad_c3: x, dy and dw have one element type");
  if (!dimsMayBeEqual(x[0], dy[0]))
    return emitOpError("conv_weight_grad_c4: x has a batch of ")
           << dim::toString(x[0]) << ", dy one of " << dim::toString(dy[0]);
  for (size_t i = 0; i < at.numSpatial(); ++i) {
    DimAttr positions =
        windowCount(paddedExtent(x[at.spatial(i)], getLow()[i], getHigh()[i]),
                    dim::constant(getContext(), getKernel()[i]), getStrides()[i], getDilations()[i]);
    if (!dimsMayBeEqual(positions, dy[at.spatial(i)]))
      return emitOpError("conv_weight_grad_c4: spatial dim ")
             << i << " of dy is " << dim::toString(dy[at.spatial(i)]) << ", the convolution gives "
             << dim::toString(positions);
  }
  return success();
}

} // namespace torsh
