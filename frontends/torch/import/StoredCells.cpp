//===-- StoredCells.cpp - Stored tensors as constants -------------------------------------------------------===//
#include "frontends/torch/import/StoredCells.h"
#include "frontends/torch/aten/Call.h"

using namespace mlir;

namespace torsh::torch {

/// Bytes of a tensor that has to be copied because it is not contiguous.
static constexpr uint64_t maxCopiedBytes = uint64_t(1) << 31;

/// The elements in row-major order, copied one by one.
static std::vector<char> gather(const StoredTensor &tensor, uint64_t count) {
  size_t width = sizeOf(tensor.dtype), rank = tensor.sizes.size();
  std::vector<char> bytes;
  bytes.reserve(count * width);
  std::vector<int64_t> index(rank, 0);
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t at = uint64_t(tensor.offset);
    for (size_t d = 0; d < rank; ++d)
      at += uint64_t(index[d]) * uint64_t(tensor.strides[d]);
    StringRef element = tensor.storage.substr(at * width, width);
    bytes.insert(bytes.end(), element.begin(), element.end());
    for (size_t d = rank; d-- > 0;) {
      if (++index[d] < tensor.sizes[d])
        break;
      index[d] = 0;
    }
  }
  return bytes;
}

llvm::Expected<TensorRef> makeStoredCell(TensorBuilder &b, const StoredTensor &tensor, StringRef path,
                                         std::shared_ptr<const void> owner) {
  MLIRContext *context = b.context();
  Type elementType = elementTypeOf(context, int64_t(tensor.dtype));
  if (!elementType)
    return llvm::createStringError("has elements of type " + nameOf(tensor.dtype) +
                                   ", which is not supported");
  uint64_t count = 1, width = sizeOf(tensor.dtype);
  bool contiguous = true;
  for (size_t i = tensor.sizes.size(); i-- > 0;) {
    contiguous &= tensor.sizes[i] == 1 || uint64_t(tensor.strides[i]) == count;
    // A stride of 0 lets a tensor have more elements than its storage.
    if (tensor.sizes[i] != 0 && count > (uint64_t(1) << 40) / uint64_t(tensor.sizes[i]))
      return llvm::createStringError("has too many elements");
    count *= uint64_t(tensor.sizes[i]);
  }
  contiguous |= count == 0;
  if (!contiguous && count * width > maxCopiedBytes)
    return llvm::createStringError("is not contiguous and too large to be copied");

  TensorRef cell = b.cell({});
  cell->regionDepth = 0;
  auto loc = NameLoc::get(StringAttr::get(context, path));
  cell->load = [&b, tensor, count, width, contiguous, elementType, loc, owner]() -> Value {
    Location outer = std::exchange(b.loc, Location(loc));
    StringRef elements =
        tensor.storage.substr(contiguous ? uint64_t(tensor.offset) * width : 0, count * width);
    std::vector<char> copy;
    if (!contiguous)
      copy = gather(tensor, count);
    ArrayRef<char> data =
        contiguous ? ArrayRef<char>(elements.data(), elements.size()) : ArrayRef<char>(copy);
    auto type = RankedTensorType::get(tensor.sizes, elementType);
    Value result;
    if (data.size() <= size_t(maxDenseBytes)) {
      llvm::Expected<torsh::Tensor> small = torsh::Tensor::fromBytes(elementType, tensor.sizes, data);
      if (small) {
        result = b.constant(*small);
      } else {
        (void)b.fail(llvm::toString(small.takeError()));
        result = b.splat(getDims(type), elementType, 0);
      }
    } else {
      std::string key = contiguous ? b.weights().add(data, owner) : b.weights().addCopy(data);
      result = b.constant(WeightAttr::get(b.context(), StringAttr::get(b.context(), key), type, {}), type);
    }
    b.loc = outer;
    return result;
  };
  // Integers of rank 0 take part in the arithmetic of sizes.
  if (tensor.sizes.empty() && isa<IntegerType>(elementType) && !elementType.isInteger(1) &&
      !elementType.isUnsignedInteger()) {
    llvm::Expected<torsh::Tensor> one = torsh::Tensor::fromBytes(
        elementType, {}, ArrayRef<char>(tensor.storage.data() + uint64_t(tensor.offset) * width, width));
    if (!one) {
      llvm::consumeError(one.takeError());
    } else {
      cell->known = b.dim(one->ints[0]);
      cell->knownType = elementType;
    }
  }
  return cell;
}

} // namespace torsh::torch
