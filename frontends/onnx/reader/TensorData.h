//===- TensorData.h - The bytes of a tensor ---------------------*- C++ -*-===//
#ifndef TORSH_FRONTENDS_ONNX_READER_TENSORDATA_H
#define TORSH_FRONTENDS_ONNX_READER_TENSORDATA_H

#include "frontends/onnx/reader/DataType.h"
#include "frontends/onnx/reader/ExternalData.h"
#include "frontends/onnx/reader/Limits.h"
#include "frontends/onnx/reader/Model.h"
#include <memory>

namespace torsh::onnx {

/// The data of one tensor: little endian, dense, row major. Elements of 4 bits stand two to a byte, those of
/// 2 bits four to a byte, those of 6 bits four to three bytes, the first one lowest.
class TensorBytes {
public:
  /// A view, valid as long as the ModelFile and the ExternalData.
  explicit TensorBytes(StringRef view) : view(view) {}
  TensorBytes(std::unique_ptr<char[]> storage, size_t size)
      : owned(std::move(storage)), view(owned.get(), size) {}

  /// Possibly unaligned.
  StringRef bytes() const { return view; }
  bool isOwned() const { return owned != nullptr; }

private:
  std::unique_ptr<char[]> owned;
  StringRef view;
};

/// What the dims and the data type of a tensor amount to.
struct TensorExtent {
  uint64_t elements = 0;
  /// Bytes of the dense data; 0 for strings.
  uint64_t bytes = 0;
  const DataTypeInfo *info = nullptr;
};

/// Checks the dims and the data type against the limits. Overflow is an error, never a small number.
llvm::Expected<TensorExtent> tensorExtent(const Tensor &tensor, const ReadLimits &limits = {});

/// Checks everything about a tensor that can be known without opening external data or copying.
llvm::Error checkTensor(const Tensor &tensor, const ReadLimits &limits = {});

/// The data of `tensor`: a view for raw and external data and for little-endian packed fields, a copy for the
/// rest.
llvm::Expected<TensorBytes> tensorBytes(const Tensor &tensor, ExternalData &external,
                                        const ReadLimits &limits = {});

/// The values of a string tensor, checked against its dims.
llvm::Expected<ArrayRef<StringRef>> tensorStrings(const Tensor &tensor, const ReadLimits &limits = {});

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_READER_TENSORDATA_H
