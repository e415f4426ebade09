//===- ReaderError.h - Errors of the ONNX reader ----------------*- C++ -*-===//
#ifndef TORSH_FRONTENDS_ONNX_READER_READERERROR_H
#define TORSH_FRONTENDS_ONNX_READER_READERERROR_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include <string>

namespace torsh::onnx {

/// The stable number behind TSH-nnnn. A number is never given to a second meaning; docs/diagnostics.md
/// explains each.
enum class Code : unsigned {
  // The file.
  CannotOpen = 100,
  NotAFile = 101,
  Malformed = 102,
  Truncated = 103,
  NotAModel = 104,
  TooDeep = 105,
  TooLarge = 106,
  RepeatedMessage = 107,
  WrongWireType = 108,
  // Tensors.
  NegativeDim = 110,
  UnknownDataType = 111,
  TooManyElements = 112,
  DataSizeMismatch = 113,
  ValueOutOfRange = 114,
  AmbiguousData = 115,
  StringsHaveNoBytes = 116,
  // External data.
  NoLocation = 120,
  AbsoluteLocation = 121,
  ParentLocation = 122,
  SymbolicLink = 123,
  MemoryLocation = 124,
  NotARegularFile = 125,
  HardLink = 126,
  OutOfBounds = 127,
  CannotOpenExternal = 128,
  NoDirectory = 129,
  OutsideTrustRoot = 130,
  BadOffset = 131,
  // Structure.
  NoOutputs = 140,
  UndefinedValue = 141,
  DuplicateName = 142,
  Cycle = 143,
  NoOpsetImport = 144,
  Unnamed = 145,
  RecursiveFunction = 146,
  DuplicateFunction = 147,
  ExpansionTooLarge = 148,
  BadValueType = 149,
};

/// "TSH-0103" for Code::Truncated.
std::string codeName(Code code);

/// One sentence with its stable code: what is wrong, where, what to do.
class ReaderError : public llvm::ErrorInfo<ReaderError> {
public:
  static char ID;
  ReaderError(Code code, std::string message) : errorCode(code), text(std::move(message)) {}

  Code code() const { return errorCode; }
  llvm::StringRef sentence() const { return text; }
  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override;

private:
  Code errorCode;
  std::string text;
};

llvm::Error readerError(Code code, const llvm::Twine &message);

/// A name from the model, in quotes and safe to print: control characters and invalid UTF-8 are escaped and a
/// very long name is cut.
std::string quoted(llvm::StringRef name);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_READER_READERERROR_H
