//===- WireWriter.h - Protobuf bytes for tests ------------------*- C++ -*-===//
#ifndef TORSH_TEST_UNIT_ONNX_READER_WIREWRITER_H
#define TORSH_TEST_UNIT_ONNX_READER_WIREWRITER_H

#include "frontends/onnx/reader/Checks.h"
#include "frontends/onnx/reader/Reader.h"
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace torsh::onnx::test {

inline std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7)
    out += char(value | 0x80);
  return out + char(value);
}

/// A message under construction. Each call appends one field.
class Msg {
public:
  Msg &num(uint32_t field, uint64_t value) {
    out += varint(field << 3) + varint(value);
    return *this;
  }
  Msg &str(uint32_t field, const std::string &bytes) {
    out += varint(field << 3 | 2) + varint(bytes.size()) + bytes;
    return *this;
  }
  Msg &sub(uint32_t field, const Msg &message) { return str(field, message.out); }
  template <typename T> Msg &fixed(uint32_t field, T value) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8);
    out += varint(field << 3 | (sizeof(T) == 4 ? 5 : 1)) + raw(std::vector<T>{value});
    return *this;
  }
  Msg &bytes(const std::string &any) {
    out += any;
    return *this;
  }
  const std::string &data() const { return out; }

  template <typename T> static std::string raw(const std::vector<T> &values) {
    return std::string(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T));
  }

private:
  std::string out;
};

// The messages of ONNX by their field numbers.
inline Msg dimValue(int64_t value) { return Msg().num(1, uint64_t(value)); }
inline Msg dimParam(const std::string &name) { return Msg().str(2, name); }
inline Msg tensorType(int elemType, const std::vector<Msg> &dims) {
  Msg shape;
  for (const Msg &dim : dims)
    shape.sub(1, dim);
  return Msg().sub(1, Msg().num(1, uint64_t(elemType)).sub(2, shape));
}
inline Msg valueInfo(const std::string &name, const Msg &type) { return Msg().str(1, name).sub(2, type); }
inline Msg floatValue(const std::string &name) { return valueInfo(name, tensorType(1, {dimValue(4)})); }
inline Msg node(const std::string &op, const std::vector<std::string> &inputs,
                const std::vector<std::string> &outputs, const std::string &name = "") {
  Msg message;
  for (const std::string &input : inputs)
    message.str(1, input);
  for (const std::string &output : outputs)
    message.str(2, output);
  if (!name.empty())
    message.str(3, name);
  return message.str(4, op);
}
inline Msg attribute(const std::string &name, int kind) { return Msg().str(1, name).num(20, uint64_t(kind)); }
inline Msg tensor(const std::string &name, int type, const std::vector<int64_t> &dims) {
  Msg message;
  for (int64_t dim : dims)
    message.num(1, uint64_t(dim));
  return message.num(2, uint64_t(type)).str(8, name);
}
inline Msg entry(const std::string &key, const std::string &value) { return Msg().str(1, key).str(2, value); }
inline Msg opset(const std::string &domain, int64_t version) {
  return Msg().str(1, domain).num(2, uint64_t(version));
}
inline Msg model(const Msg &graph) { return Msg().num(1, 9).sub(7, graph).sub(8, opset("", 20)); }

/// What became of a file.
struct Outcome {
  std::unique_ptr<ModelFile> file;
  CheckedModel checked;
  /// All sentences, empty when the model is sound.
  std::string message;
  std::vector<unsigned> codes;

  bool has(Code code) const {
    for (unsigned found : codes)
      if (found == unsigned(code))
        return true;
    return false;
  }
};

/// Takes an error apart; the sentences go to `message`.
inline std::vector<unsigned> codesOf(llvm::Error error, std::string *message = nullptr) {
  std::vector<unsigned> codes;
  llvm::handleAllErrors(std::move(error), [&](const ReaderError &cause) {
    codes.push_back(unsigned(cause.code()));
    if (message)
      *message += codeName(cause.code()) + ": " + cause.sentence().str() + "\n";
  });
  return codes;
}

inline Outcome finish(llvm::Expected<std::unique_ptr<ModelFile>> file, const ReadLimits &limits) {
  Outcome outcome;
  if (!file) {
    outcome.codes = codesOf(file.takeError(), &outcome.message);
    return outcome;
  }
  outcome.file = std::move(*file);
  outcome.checked = checkModel(outcome.file->model(), limits);
  outcome.codes = codesOf(outcome.checked.takeError(), &outcome.message);
  return outcome;
}

/// Reads and checks a model in memory; `bytes` must outlive the outcome.
inline Outcome load(const std::string &bytes, const ReadLimits &limits = {}) {
  return finish(readModelBuffer(bytes, "test.onnx", limits), limits);
}

} // namespace torsh::onnx::test

#endif // TORSH_TEST_UNIT_ONNX_READER_WIREWRITER_H
