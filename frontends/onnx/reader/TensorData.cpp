//===- TensorData.cpp - The bytes of a tensor -----------------------------===//
#include "frontends/onnx/reader/TensorData.h"
#include "frontends/onnx/reader/ReaderError.h"
#include "frontends/onnx/reader/Wire.h"
#include "llvm/Support/Endian.h"
#include <cstring>

using namespace llvm;

// Views into the file are handed out as they are.
static_assert(llvm::endianness::native == llvm::endianness::little, "the reader needs a little-endian host");

namespace torsh::onnx {

static std::string described(const Tensor &tensor) {
  return tensor.name.empty() ? std::string("an unnamed tensor") : "tensor " + quoted(tensor.name);
}

Expected<TensorExtent> tensorExtent(const Tensor &tensor, const ReadLimits &limits) {
  TensorExtent extent;
  extent.info = dataTypeInfo(tensor.dataType);
  if (!extent.info)
    return readerError(Code::UnknownDataType, described(tensor) + " has data type " + Twine(tensor.dataType) +
                                                  ", which ONNX does not define");
  bool empty = false;
  for (int64_t dim : tensor.dims) {
    if (dim < 0)
      return readerError(Code::NegativeDim, described(tensor) + " has the negative dimension " + Twine(dim));
    empty |= dim == 0;
  }
  unsigned __int128 elements = 1;
  for (int64_t dim : tensor.dims) {
    // Not skipped for an empty tensor by accident: the product of the other dims is of no interest then.
    elements = empty ? 0 : elements * uint64_t(dim);
    if (elements > limits.maxElements)
      return readerError(Code::TooManyElements, described(tensor) + " has more elements than the limit of " +
                                                    Twine(limits.maxElements));
  }
  unsigned __int128 bytes = (elements * extent.info->bits + 7) / 8;
  if (bytes > uint64_t(INT64_MAX))
    return readerError(Code::TooManyElements, described(tensor) + " does not fit an address space");
  extent.elements = uint64_t(elements);
  extent.bytes = uint64_t(bytes);
  return extent;
}

namespace {
/// Where the typed values of a data type are stored.
struct FieldLayout {
  const NumericField *field;
  /// Bytes of a fixed-width value; 0 for varints.
  unsigned fixedWidth;
  /// Values of the field for `elements` elements.
  uint64_t values;
  /// Bytes of the dense data that one value yields.
  unsigned bytesPerValue;
};
} // namespace

static FieldLayout fieldLayout(const Tensor &tensor, const TensorExtent &extent) {
  uint64_t n = extent.elements;
  switch (DataType(tensor.dataType)) {
  case DataType::Float:
    return {&tensor.floatData, 4, n, 4};
  case DataType::Complex64:
    return {&tensor.floatData, 4, 2 * n, 4};
  case DataType::Double:
    return {&tensor.doubleData, 8, n, 8};
  case DataType::Complex128:
    return {&tensor.doubleData, 8, 2 * n, 8};
  case DataType::Int64:
    return {&tensor.int64Data, 0, n, 8};
  case DataType::UInt64:
    return {&tensor.uint64Data, 0, n, 8};
  case DataType::UInt32:
    return {&tensor.uint64Data, 0, n, 4};
  case DataType::UInt4:
  case DataType::Int4:
  case DataType::Float4E2M1:
  case DataType::UInt2:
  case DataType::Int2:
    // One stored value is one byte of packed elements.
    return {&tensor.int32Data, 0, extent.bytes, 1};
  case DataType::Float6E2M3:
  case DataType::Float6E3M2:
    // One stored value is one element; convertVarints() is followed by packSixBits().
    return {&tensor.int32Data, 0, n, 1};
  default:
    return {&tensor.int32Data, 0, n, extent.info->bits / 8};
  }
}

/// Calls `use` with each payload of a field; false when it stops or when the encoding is damaged.
static bool forEachFixed(const NumericField &field, unsigned width, function_ref<bool(const char *)> use) {
  for (const NumericField::Chunk &chunk : field.chunks) {
    const char *at = chunk.bytes.begin(), *end = chunk.bytes.end();
    while (at != end) {
      uint64_t tag;
      if (chunk.tagged && readVarint(at, end, tag) != VarintStatus::Ok)
        return false;
      if (size_t(end - at) < width || !use(at))
        return false;
      at += width;
    }
  }
  return true;
}

static bool forEachVarint(const NumericField &field, function_ref<bool(uint64_t)> use) {
  for (const NumericField::Chunk &chunk : field.chunks) {
    const char *at = chunk.bytes.begin(), *end = chunk.bytes.end();
    while (at != end) {
      uint64_t tag, value;
      if (chunk.tagged && readVarint(at, end, tag) != VarintStatus::Ok)
        return false;
      if (readVarint(at, end, value) != VarintStatus::Ok || !use(value))
        return false;
    }
  }
  return true;
}

/// How many values a field holds, without decoding them: a varint ends with its only byte below 0x80.
static uint64_t valueCount(const FieldLayout &layout) {
  uint64_t count = 0;
  for (const NumericField::Chunk &chunk : layout.field->chunks) {
    if (chunk.tagged && layout.fixedWidth)
      forEachFixed({chunk}, layout.fixedWidth, [&](const char *) { return ++count != 0; });
    else if (layout.fixedWidth)
      count += chunk.bytes.size() / layout.fixedWidth;
    else {
      uint64_t ends = 0;
      for (char c : chunk.bytes)
        ends += uint8_t(c) < 0x80;
      count += chunk.tagged ? ends / 2 : ends;
    }
  }
  return count;
}

static Error sizeMismatch(const Tensor &tensor, const TensorExtent &extent, uint64_t found, uint64_t wanted,
                          const Twine &unit) {
  return readerError(Code::DataSizeMismatch, described(tensor) + " stores " + Twine(found) + " " + unit +
                                                 " but its " + Twine(extent.elements) + " elements of type " +
                                                 extent.info->name + " need " + Twine(wanted));
}

/// Checks size and uniqueness of the data stored in the model file itself.
static Error checkInline(const Tensor &tensor, const TensorExtent &extent) {
  if (tensor.isSegment)
    return readerError(Code::AmbiguousData, described(tensor) +
                                                " is a segment of a larger tensor, which ONNX has given up; "
                                                "export the model again");
  const NumericField *fields[] = {&tensor.floatData, &tensor.int32Data, &tensor.int64Data, &tensor.doubleData,
                                  &tensor.uint64Data};
  unsigned filled = (tensor.hasRawData && !tensor.rawData.empty()) + !tensor.stringData.empty();
  for (const NumericField *field : fields)
    filled += !field->empty();
  if (tensor.isExternal && DataType(tensor.dataType) == DataType::String)
    return readerError(Code::StringsHaveNoBytes,
                       described(tensor) + " holds strings as external data, which ONNX does not allow");
  if (tensor.isExternal)
    return filled ? readerError(Code::AmbiguousData,
                                described(tensor) + " has external data and data in the model file at once")
                  : Error::success();
  if (filled > 1)
    return readerError(Code::AmbiguousData, described(tensor) + " stores its data in more than one field");
  if (DataType(tensor.dataType) == DataType::String) {
    if (tensor.stringData.size() != extent.elements)
      return sizeMismatch(tensor, extent, tensor.stringData.size(), extent.elements, "strings");
    return Error::success();
  }
  FieldLayout layout = fieldLayout(tensor, extent);
  if (tensor.hasRawData && layout.field->empty()) {
    if (tensor.rawData.size() != extent.bytes)
      return sizeMismatch(tensor, extent, tensor.rawData.size(), extent.bytes, "bytes");
    return Error::success();
  }
  uint64_t count = valueCount(layout);
  if (count != layout.values)
    return sizeMismatch(tensor, extent, count, layout.values, "values in the field of that type");
  return Error::success();
}

Error checkTensor(const Tensor &tensor, const ReadLimits &limits) {
  auto extent = tensorExtent(tensor, limits);
  return extent ? checkInline(tensor, *extent) : extent.takeError();
}

/// Writes varints as values of `width` bytes. The field is checked to hold layout.values values.
static Error convertVarints(const Tensor &tensor, const FieldLayout &layout, char *out) {
  unsigned width = layout.bytesPerValue;
  // Sign-extended negatives and unsigned patterns both occur, for example for float16 and int8.
  int64_t lowest = width == 8 ? INT64_MIN : -(int64_t(1) << (8 * width - 1));
  int64_t highest = width == 8 ? INT64_MAX : (int64_t(1) << (8 * width)) - 1;
  uint64_t written = 0;
  uint64_t bad = 0;
  bool inRange = true;
  bool whole = forEachVarint(*layout.field, [&](uint64_t value) {
    auto number = int64_t(value);
    if (number < lowest || number > highest || written == layout.values) {
      bad = value;
      inRange = false;
      return false;
    }
    std::memcpy(out + written++ * width, &value, width);
    return true;
  });
  if (!inRange)
    return readerError(Code::ValueOutOfRange, described(tensor) + " stores the value " + Twine(int64_t(bad)) +
                                                  ", which its data type cannot hold");
  if (!whole || written != layout.values)
    return readerError(Code::Malformed, described(tensor) + " holds a number that is not valid protobuf");
  return Error::success();
}

/// Elements of 6 bits, one a byte, as the dense stream of bits that raw data is.
static Expected<TensorBytes> packSixBits(const Tensor &tensor, const char *elements, uint64_t count) {
  uint64_t size = (count * 6 + 7) / 8;
  std::unique_ptr<char[]> storage(new char[size ? size : 1]());
  for (uint64_t i = 0; i < count; ++i) {
    unsigned element = uint8_t(elements[i]), at = i * 6 % 8;
    if (element >> 6)
      return readerError(Code::ValueOutOfRange, described(tensor) + " stores the value " + Twine(element) +
                                                    ", which its data type cannot hold");
    storage[i * 6 / 8] |= char(element << at);
    if (at > 2)
      storage[i * 6 / 8 + 1] |= char(element >> (8 - at));
  }
  return TensorBytes(std::move(storage), size);
}

Expected<TensorBytes> tensorBytes(const Tensor &tensor, ExternalData &external, const ReadLimits &limits) {
  auto extent = tensorExtent(tensor, limits);
  if (!extent)
    return extent.takeError();
  if (DataType(tensor.dataType) == DataType::String)
    return readerError(Code::StringsHaveNoBytes,
                       described(tensor) + " holds strings, which cannot be used as numbers");
  if (Error error = checkInline(tensor, *extent))
    return error;
  if (tensor.isExternal) {
    auto view = external.bytes(tensor, extent->bytes);
    if (!view)
      return view.takeError();
    return TensorBytes(*view);
  }
  FieldLayout layout = fieldLayout(tensor, *extent);
  if (layout.field->empty())
    return TensorBytes(tensor.rawData);
  const auto &chunks = layout.field->chunks;
  if (layout.fixedWidth && chunks.size() == 1 && !chunks.front().tagged)
    return TensorBytes(chunks.front().bytes);

  // The field has been counted, so this is bounded by the size of the file.
  uint64_t size = layout.values * layout.bytesPerValue;
  std::unique_ptr<char[]> storage(new char[size ? size : 1]);
  if (!layout.fixedWidth) {
    if (Error error = convertVarints(tensor, layout, storage.get()))
      return error;
    if (extent->info->bits == 6)
      return packSixBits(tensor, storage.get(), extent->elements);
    return TensorBytes(std::move(storage), size);
  }
  uint64_t written = 0;
  forEachFixed(*layout.field, layout.fixedWidth, [&](const char *value) {
    if (written == layout.values)
      return false;
    std::memcpy(storage.get() + written++ * layout.fixedWidth, value, layout.fixedWidth);
    return true;
  });
  if (written != layout.values)
    return readerError(Code::Malformed, described(tensor) + " holds a number that is not valid protobuf");
  return TensorBytes(std::move(storage), size);
}

Expected<ArrayRef<StringRef>> tensorStrings(const Tensor &tensor, const ReadLimits &limits) {
  if (Error error = checkTensor(tensor, limits))
    return error;
  if (DataType(tensor.dataType) != DataType::String)
    return readerError(Code::UnknownDataType, described(tensor) + " does not hold strings");
  return tensor.stringData;
}

} // namespace torsh::onnx
