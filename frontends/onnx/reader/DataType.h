//===- DataType.h - TensorProto.DataType ------------------------*- C++ -*-===//
#ifndef TORSH_FRONTENDS_ONNX_READER_DATATYPE_H
#define TORSH_FRONTENDS_ONNX_READER_DATATYPE_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace torsh::onnx {

/// The codes of TensorProto.DataType up to opset 28.
enum class DataType : int32_t {
  Undefined = 0,
  Float = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  UInt32 = 12,
  UInt64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  BFloat16 = 16,
  Float8E4M3FN = 17,
  Float8E4M3FNUZ = 18,
  Float8E5M2 = 19,
  Float8E5M2FNUZ = 20,
  UInt4 = 21,
  Int4 = 22,
  Float4E2M1 = 23,
  Float8E8M0 = 24,
  UInt2 = 25,
  Int2 = 26,
  Float6E2M3 = 27,
  Float6E3M2 = 28,
};

struct DataTypeInfo {
  llvm::StringRef name;
  /// Bits of one element; 0 for strings.
  unsigned bits;
};

/// Null for a code that ONNX does not define, and for Undefined.
const DataTypeInfo *dataTypeInfo(int32_t code);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_READER_DATATYPE_H
