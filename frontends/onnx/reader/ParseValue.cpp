//===- ParseValue.cpp - Tensors, types and value descriptions -------------===//
#include "frontends/onnx/reader/MessageParser.h"

namespace torsh::onnx {

/// `elementType` is how one value is stored: Varint, Fixed32 or Fixed64.
void MessageParser::addChunk(const Field &field, WireType elementType, List<NumericField::Chunk> &chunks) {
  const char *start = field.whole.begin();
  if (field.type == WireType::Bytes) {
    size_t width = elementType == WireType::Fixed32 ? 4 : elementType == WireType::Fixed64 ? 8 : 1;
    if (field.bytes.size() % width)
      state.fail(Code::Malformed, start,
                 "packed field " + llvm::Twine(field.number) + " holds " + llvm::Twine(field.bytes.size()) +
                     " bytes, which is no whole number of values of " + llvm::Twine(width) + " bytes");
    else if (!field.bytes.empty() && state.charge(sizeof(NumericField::Chunk), start))
      chunks.push_back({field.bytes, /*tagged=*/false});
    return;
  }
  if (field.type != elementType) {
    state.fail(Code::WrongWireType, start,
               "a number in field " + llvm::Twine(field.number) + " is stored with wire type " +
                   llvm::Twine(unsigned(field.type)) + " where ONNX has " +
                   llvm::Twine(unsigned(elementType)));
    return;
  }
  // Neighbours grow one run, so that an unpacked list costs no more than a packed one.
  if (!chunks.empty() && chunks.back().tagged && chunks.back().bytes.end() == start)
    chunks.back().bytes =
        StringRef(chunks.back().bytes.begin(), chunks.back().bytes.size() + field.whole.size());
  else if (state.charge(sizeof(NumericField::Chunk), start))
    chunks.push_back({field.whole, /*tagged=*/true});
}

void MessageParser::parseTensor(StringRef bytes, Tensor &tensor) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  List<int64_t> dims;
  List<NumericField::Chunk> floats, int32s, int64s, doubles, uint64s;
  List<StringRef> strings;
  List<StringEntry> externalData;
  Field field;
  while (cursor.next(field)) {
    switch (field.number) {
    case 1:
      cursor.appendVarints(field, dims);
      break;
    case 2:
      tensor.dataType = int32_t(cursor.varint(field));
      break;
    case 3:
      tensor.isSegment = true;
      break;
    case 4:
      addChunk(field, WireType::Fixed32, floats);
      break;
    case 5:
      addChunk(field, WireType::Varint, int32s);
      break;
    case 6:
      addString(strings, cursor, field);
      break;
    case 7:
      addChunk(field, WireType::Varint, int64s);
      break;
    case 8:
      tensor.name = cursor.bytes(field);
      break;
    case 9:
      tensor.rawData = cursor.bytes(field);
      tensor.hasRawData = true;
      break;
    case 10:
      addChunk(field, WireType::Fixed64, doubles);
      break;
    case 11:
      addChunk(field, WireType::Varint, uint64s);
      break;
    case 13:
      add(externalData, cursor, field, &MessageParser::parseStringEntry);
      break;
    case 14:
      tensor.isExternal = cursor.varint(field) == 1;
      break;
    default:
      break;
    }
  }
  tensor.dims = keep(dims);
  tensor.floatData.chunks = keep(floats);
  tensor.int32Data.chunks = keep(int32s);
  tensor.int64Data.chunks = keep(int64s);
  tensor.doubleData.chunks = keep(doubles);
  tensor.uint64Data.chunks = keep(uint64s);
  tensor.stringData = keep(strings);
  tensor.externalData = keep(externalData);
}

void MessageParser::parseSparseTensor(StringRef bytes, SparseTensor &tensor) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  List<int64_t> dims;
  Field field;
  while (cursor.next(field)) {
    switch (field.number) {
    case 1:
      makeOnce(tensor.values, cursor, field, &MessageParser::parseTensor);
      break;
    case 2:
      makeOnce(tensor.indices, cursor, field, &MessageParser::parseTensor);
      break;
    case 3:
      cursor.appendVarints(field, dims);
      break;
    default:
      break;
    }
  }
  tensor.dims = keep(dims);
}

void MessageParser::parseStringEntry(StringRef bytes, StringEntry &entry) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  Field field;
  while (cursor.next(field)) {
    if (field.number == 1)
      entry.key = cursor.bytes(field);
    else if (field.number == 2)
      entry.value = cursor.bytes(field);
  }
}

void MessageParser::parseValueInfo(StringRef bytes, ValueInfo &info) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  List<StringEntry> metadata;
  Field field;
  while (cursor.next(field)) {
    switch (field.number) {
    case 1:
      info.name = cursor.bytes(field);
      break;
    case 2:
      makeOnce(info.type, cursor, field, &MessageParser::parseType);
      break;
    case 4:
      add(metadata, cursor, field, &MessageParser::parseStringEntry);
      break;
    default:
      break;
    }
  }
  info.metadata = keep(metadata);
}

void MessageParser::parseType(StringRef bytes, Type &type) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  Field field;
  while (cursor.next(field)) {
    Type::Kind kind;
    switch (field.number) {
    case 1:
      kind = Type::Kind::Tensor;
      break;
    case 4:
      kind = Type::Kind::Sequence;
      break;
    case 5:
      kind = Type::Kind::Map;
      break;
    case 7:
      kind = Type::Kind::Opaque;
      break;
    case 8:
      kind = Type::Kind::SparseTensor;
      break;
    case 9:
      kind = Type::Kind::Optional;
      break;
    default:
      continue;
    }
    if (type.kind != Type::Kind::None) {
      state.fail(Code::RepeatedMessage, field.whole.begin(), "a value has two types");
      return;
    }
    type.kind = kind;
    StringRef payload = cursor.bytes(field);
    switch (kind) {
    case Type::Kind::Tensor:
    case Type::Kind::SparseTensor:
      parseTensorType(payload, type);
      break;
    case Type::Kind::Sequence:
    case Type::Kind::Optional:
      parseElementType(payload, type, /*elementField=*/1);
      break;
    case Type::Kind::Map:
      parseElementType(payload, type, /*elementField=*/2);
      break;
    case Type::Kind::Opaque:
    case Type::Kind::None:
      break;
    }
  }
}

void MessageParser::parseElementType(StringRef bytes, Type &type, uint32_t elementField) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  Field field;
  while (cursor.next(field)) {
    if (field.number == elementField)
      makeOnce(type.element, cursor, field, &MessageParser::parseType);
    else if (field.number == 1)
      type.elemType = int32_t(cursor.varint(field));
  }
}

void MessageParser::parseTensorType(StringRef bytes, Type &type) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  Field field;
  while (cursor.next(field)) {
    if (field.number == 1) {
      type.elemType = int32_t(cursor.varint(field));
    } else if (field.number == 2) {
      if (type.hasShape)
        state.fail(Code::RepeatedMessage, field.whole.begin(), "a tensor type has two shapes");
      type.hasShape = true;
      parseShape(cursor.bytes(field), type);
    }
  }
}

void MessageParser::parseShape(StringRef bytes, Type &type) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  List<Dim> dims;
  Field field;
  while (cursor.next(field))
    if (field.number == 1)
      add(dims, cursor, field, &MessageParser::parseDim);
  type.dims = keep(dims);
}

void MessageParser::parseDim(StringRef bytes, Dim &dim) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  Field field;
  while (cursor.next(field)) {
    if (field.number == 1) {
      dim.value = int64_t(cursor.varint(field));
      dim.param = StringRef();
      // Exporters write -1 for a dimension they do not know.
      dim.kind = dim.value < 0 ? Dim::Kind::Anonymous : Dim::Kind::Value;
    } else if (field.number == 2) {
      dim.param = cursor.bytes(field);
      dim.value = 0;
      dim.kind = dim.param.empty() ? Dim::Kind::Anonymous : Dim::Kind::Param;
    }
  }
}

} // namespace torsh::onnx
