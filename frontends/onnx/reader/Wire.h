//===- Wire.h - Protobuf wire format over a byte range ----------*- C++ -*-===//
#ifndef TORSH_FRONTENDS_ONNX_READER_WIRE_H
#define TORSH_FRONTENDS_ONNX_READER_WIRE_H

#include "frontends/onnx/reader/Limits.h"
#include "frontends/onnx/reader/ReaderError.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace torsh::onnx {

enum class WireType : uint8_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// One field as it stands in the file.
struct Field {
  uint32_t number = 0;
  WireType type = WireType::Varint;
  /// The value of a varint or fixed field.
  uint64_t scalar = 0;
  /// The payload of a length-delimited field.
  llvm::StringRef bytes;
  /// Tag and payload together.
  llvm::StringRef whole;
};

/// What all cursors over one file share: the first error, the depth and the memory used.
///
/// An error is sticky: after the first one every cursor reports its end, so parsing code needs no checks of
/// its own and takes the error once, at the end.
class WireState {
public:
  WireState(llvm::StringRef file, const ReadLimits &limits) : file(file), limits(limits) {}

  bool failed() const { return failure.has_value(); }
  /// Keeps the first error only. `where` points into the file and becomes a byte offset in the sentence.
  void fail(Code code, const char *where, const llvm::Twine &message);
  /// Accounts for parsed structures; false when the limit is reached.
  bool charge(uint64_t bytes, const char *where);
  /// The error, or success. Call once.
  llvm::Error takeError();

private:
  friend class DepthScope;
  struct Failure {
    Code code;
    std::string message;
  };
  llvm::StringRef file;
  ReadLimits limits;
  std::optional<Failure> failure;
  uint64_t parsedBytes = 0;
  unsigned depth = 0;
};

/// Holds one level of nesting.
class DepthScope {
public:
  DepthScope(WireState &state, const char *where);
  ~DepthScope() { --state.depth; }
  DepthScope(const DepthScope &) = delete;
  DepthScope &operator=(const DepthScope &) = delete;

private:
  WireState &state;
};

/// Walks the fields of one message.
class WireCursor {
public:
  WireCursor(WireState &state, llvm::StringRef range)
      : state(state), cursor(range.begin()), end(range.end()) {}

  /// Reads the next field with its payload; false at the end and after an error.
  bool next(Field &field);

  /// The payload of a field that must be of the given kind; an empty value after recording an error
  /// otherwise.
  uint64_t varint(const Field &field);
  float fixedFloat(const Field &field);
  llvm::StringRef bytes(const Field &field);

  /// Appends the values of a repeated field, packed or not.
  void appendVarints(const Field &field, llvm::SmallVectorImpl<int64_t> &out);
  void appendFloats(const Field &field, llvm::SmallVectorImpl<float> &out);

private:
  bool expect(const Field &field, WireType type);

  WireState &state;
  const char *cursor;
  const char *end;
};

enum class VarintStatus : uint8_t { Ok, Truncated, TooLong };

/// Reads one varint at `cursor` and moves it; leaves it on an error.
VarintStatus readVarint(const char *&cursor, const char *end, uint64_t &value);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_READER_WIRE_H
