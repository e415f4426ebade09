//===- Wire.cpp - Protobuf wire format over a byte range ------------------===//
#include "frontends/onnx/reader/Wire.h"
#include "llvm/Support/Endian.h"
#include <cstring>

using namespace llvm;

namespace torsh::onnx {

void WireState::fail(Code code, const char *where, const Twine &message) {
  if (failure)
    return;
  failure = Failure{code, (message + " (at byte " + Twine(uint64_t(where - file.begin())) + " of " +
                           Twine(uint64_t(file.size())) + ")")
                              .str()};
}

bool WireState::charge(uint64_t bytes, const char *where) {
  parsedBytes += bytes;
  if (parsedBytes <= limits.maxParsedBytes)
    return true;
  fail(Code::TooLarge, where,
       "the model holds more nodes, names and attributes than the limit of " + Twine(limits.maxParsedBytes) +
           " bytes of parsed structures allows");
  return false;
}

Error WireState::takeError() {
  if (!failure)
    return Error::success();
  return readerError(failure->code, failure->message);
}

DepthScope::DepthScope(WireState &state, const char *where) : state(state) {
  if (++state.depth > state.limits.maxDepth)
    state.fail(Code::TooDeep, where,
               "messages are nested deeper than the limit of " + Twine(state.limits.maxDepth) + " levels");
}

VarintStatus readVarint(const char *&cursor, const char *end, uint64_t &value) {
  uint64_t result = 0;
  const char *at = cursor;
  for (unsigned shift = 0; shift < 70; shift += 7, ++at) {
    if (at == end)
      return VarintStatus::Truncated;
    uint64_t low = uint8_t(*at) & 0x7F;
    // The tenth byte has room for one bit only.
    if (shift == 63 && low > 1)
      return VarintStatus::TooLong;
    result |= low << shift;
    if (!(uint8_t(*at) & 0x80)) {
      cursor = at + 1;
      value = result;
      return VarintStatus::Ok;
    }
  }
  return VarintStatus::TooLong;
}

bool WireCursor::next(Field &field) {
  if (cursor == end || state.failed())
    return false;
  const char *start = cursor;
  auto varintAt = [&](uint64_t &value, const char *what) {
    switch (readVarint(cursor, end, value)) {
    case VarintStatus::Ok:
      return true;
    case VarintStatus::Truncated:
      state.fail(Code::Truncated, start, Twine("the message ends inside ") + what);
      return false;
    case VarintStatus::TooLong:
      break;
    }
    state.fail(Code::Malformed, start, Twine(what) + " is no valid protobuf number");
    return false;
  };

  uint64_t tag;
  if (!varintAt(tag, "a field tag"))
    return false;
  uint64_t number = tag >> 3;
  if (number == 0 || number > 0x1FFFFFFF) {
    state.fail(Code::Malformed, start, "field number " + Twine(number) + " is not valid in a protobuf");
    return false;
  }
  field.number = uint32_t(number);
  field.bytes = StringRef();
  field.scalar = 0;
  auto fixed = [&](size_t width) {
    if (size_t(end - cursor) < width) {
      state.fail(Code::Truncated, start,
                 "the message ends inside field " + Twine(number) + ", which takes " + Twine(width) +
                     " bytes");
      return false;
    }
    field.scalar = width == 8 ? support::endian::read64le(cursor) : support::endian::read32le(cursor);
    cursor += width;
    return true;
  };

  switch (tag & 7) {
  case 0:
    field.type = WireType::Varint;
    if (!varintAt(field.scalar, "the value of a field"))
      return false;
    break;
  case 1:
    field.type = WireType::Fixed64;
    if (!fixed(8))
      return false;
    break;
  case 2: {
    field.type = WireType::Bytes;
    uint64_t length;
    if (!varintAt(length, "the length of a field"))
      return false;
    if (length > uint64_t(end - cursor)) {
      state.fail(Code::Truncated, start,
                 "field " + Twine(number) + " claims " + Twine(length) + " bytes but only " +
                     Twine(uint64_t(end - cursor)) + " are left; the file is cut short or damaged");
      return false;
    }
    field.bytes = StringRef(cursor, size_t(length));
    cursor += length;
    break;
  }
  case 5:
    field.type = WireType::Fixed32;
    if (!fixed(4))
      return false;
    break;
  default:
    // Groups (3 and 4) left protobuf before ONNX existed; 6 and 7 never were valid.
    state.fail(Code::Malformed, start,
               "field " + Twine(number) + " has wire type " + Twine(tag & 7) + ", which no ONNX file uses");
    return false;
  }
  field.whole = StringRef(start, size_t(cursor - start));
  return true;
}

bool WireCursor::expect(const Field &field, WireType type) {
  if (field.type == type)
    return true;
  state.fail(Code::WrongWireType, field.whole.begin(),
             "field " + Twine(field.number) + " is stored with wire type " + Twine(unsigned(field.type)) +
                 " where ONNX has wire type " + Twine(unsigned(type)));
  return false;
}

uint64_t WireCursor::varint(const Field &field) { return expect(field, WireType::Varint) ? field.scalar : 0; }

float WireCursor::fixedFloat(const Field &field) {
  if (!expect(field, WireType::Fixed32))
    return 0;
  auto bits = uint32_t(field.scalar);
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

StringRef WireCursor::bytes(const Field &field) {
  return expect(field, WireType::Bytes) ? field.bytes : StringRef();
}

void WireCursor::appendVarints(const Field &field, SmallVectorImpl<int64_t> &out) {
  if (field.type != WireType::Bytes) {
    if (expect(field, WireType::Varint) && state.charge(sizeof(int64_t), field.whole.begin()))
      out.push_back(int64_t(field.scalar));
    return;
  }
  const char *at = field.bytes.begin();
  while (at != field.bytes.end()) {
    uint64_t value;
    if (readVarint(at, field.bytes.end(), value) != VarintStatus::Ok) {
      state.fail(Code::Malformed, at, "a number in packed field " + Twine(field.number) + " is not valid");
      return;
    }
    if (!state.charge(sizeof(int64_t), at))
      return;
    out.push_back(int64_t(value));
  }
}

void WireCursor::appendFloats(const Field &field, SmallVectorImpl<float> &out) {
  if (field.type != WireType::Bytes) {
    float value = fixedFloat(field);
    if (!state.failed() && state.charge(sizeof(float), field.whole.begin()))
      out.push_back(value);
    return;
  }
  if (field.bytes.size() % sizeof(float)) {
    state.fail(Code::Malformed, field.whole.begin(),
               "packed field " + Twine(field.number) + " holds " + Twine(field.bytes.size()) +
                   " bytes, which is no whole number of floats");
    return;
  }
  if (!state.charge(field.bytes.size(), field.whole.begin()))
    return;
  size_t old = out.size();
  out.resize(old + field.bytes.size() / sizeof(float));
  std::memcpy(out.data() + old, field.bytes.data(), field.bytes.size());
}

} // namespace torsh::onnx
