//===-- Npy.cpp - NumPy array files
//-------------------------------------------------------------------------===//
//
// The format: "\x93NUMPY", two version bytes, the length of the header (2 bytes in version 1, else 4), the
// header (a Python dict as text: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }), then the
// elements.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "tools/torshc/Npy.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace torsh {
namespace {

constexpr StringLiteral magic = "\x93NUMPY";

struct DtypeRow {
  StringLiteral descr; ///< after the byte order
  uint8_t code, bits;
};
const DtypeRow dtypeRows[] = {
    {"f4", TORSH_DTYPE_FLOAT, 32},   {"f8", TORSH_DTYPE_FLOAT, 64},    {"f2", TORSH_DTYPE_FLOAT, 16},
    {"i1", TORSH_DTYPE_INT, 8},      {"i2", TORSH_DTYPE_INT, 16},      {"i4", TORSH_DTYPE_INT, 32},
    {"i8", TORSH_DTYPE_INT, 64},     {"u1", TORSH_DTYPE_UINT, 8},      {"u2", TORSH_DTYPE_UINT, 16},
    {"u4", TORSH_DTYPE_UINT, 32},    {"u8", TORSH_DTYPE_UINT, 64},     {"b1", TORSH_DTYPE_BOOL, 8},
    {"c8", TORSH_DTYPE_COMPLEX, 64}, {"c16", TORSH_DTYPE_COMPLEX, 128}};

Error malformed(const std::string &path, const Twine &what) {
  return createStringError("TSH-0710: " + path + " is not an .npy file that can be read: " + what);
}

/// The text after `'key':` of the header.
std::optional<StringRef> field(StringRef header, StringRef key) {
  size_t at = header.find(("'" + key + "'").str());
  if (at == StringRef::npos)
    return std::nullopt;
  StringRef rest = header.drop_front(at + key.size() + 2).ltrim();
  if (!rest.consume_front(":"))
    return std::nullopt;
  return rest.ltrim();
}

/// Column-major elements into row-major order.
std::vector<char> turned(ArrayRef<char> bytes, ArrayRef<int64_t> shape, size_t elementBytes) {
  std::vector<char> result(bytes.size());
  std::vector<int64_t> index(shape.size());
  for (size_t at = 0; at < bytes.size(); at += elementBytes) {
    size_t source = 0, stride = 1;
    for (auto [i, size] : zip_equal(index, shape)) {
      source += i * stride;
      stride *= size;
    }
    std::copy_n(bytes.begin() + source * elementBytes, elementBytes, result.begin() + at);
    for (size_t axis = shape.size(); axis-- > 0 && ++index[axis] == shape[axis];)
      index[axis] = 0;
  }
  return result;
}

} // namespace

std::string dtypeName(torsh_dtype dtype) {
  switch (dtype.code) {
  case TORSH_DTYPE_INT:
    return "int" + std::to_string(dtype.bits);
  case TORSH_DTYPE_UINT:
    return "uint" + std::to_string(dtype.bits);
  case TORSH_DTYPE_FLOAT:
    return "float" + std::to_string(dtype.bits);
  case TORSH_DTYPE_BFLOAT:
    return "bfloat" + std::to_string(dtype.bits);
  case TORSH_DTYPE_COMPLEX:
    return "complex" + std::to_string(dtype.bits);
  case TORSH_DTYPE_BOOL:
    return "bool";
  case TORSH_DTYPE_FLOAT8_E4M3FN:
    return "float8_e4m3fn";
  case TORSH_DTYPE_FLOAT8_E4M3FNUZ:
    return "float8_e4m3fnuz";
  case TORSH_DTYPE_FLOAT8_E5M2:
    return "float8_e5m2";
  case TORSH_DTYPE_FLOAT8_E5M2FNUZ:
    return "float8_e5m2fnuz";
  case TORSH_DTYPE_FLOAT8_E8M0FNU:
    return "float8_e8m0fnu";
  case TORSH_DTYPE_FLOAT6_E2M3FN:
    return "float6_e2m3fn";
  case TORSH_DTYPE_FLOAT6_E3M2FN:
    return "float6_e3m2fn";
  case TORSH_DTYPE_FLOAT4_E2M1FN:
    return "float4_e2m1fn";
  default:
    return formatv("dtype {0} of {1} bits", unsigned(dtype.code), unsigned(dtype.bits));
  }
}

std::optional<uint64_t> byteSize(torsh_dtype dtype, ArrayRef<int64_t> shape) {
  int64_t bits = dtype.bits;
  for (int64_t size : shape)
    if (size < 0 || __builtin_mul_overflow(bits, size, &bits) || bits > INT64_MAX - 7)
      return std::nullopt;
  return (bits + 7) / 8;
}

Expected<NpyArray> readNpy(const std::string &path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError("TSH-0711: cannot read " + path + ": " + buffer.getError().message());
  StringRef bytes = (*buffer)->getBuffer();
  if (!bytes.consume_front(magic))
    return malformed(path, "it does not begin with the bytes \\x93NUMPY");
  if (bytes.size() < 6)
    return malformed(path, "it ends within the header");
  uint8_t major = bytes[0];
  if (major < 1 || major > 3)
    return malformed(path, "format version " + Twine(unsigned(major)) + " is not 1, 2 or 3");
  size_t lengthBytes = major == 1 ? 2 : 4, length = 0;
  for (size_t i = 0; i < lengthBytes; ++i)
    length |= size_t(uint8_t(bytes[2 + i])) << (8 * i);
  bytes = bytes.drop_front(2 + lengthBytes);
  if (length > bytes.size())
    return malformed(path, "it ends within the header");
  StringRef header = bytes.take_front(length), data = bytes.drop_front(length);

  auto descr = field(header, "descr"), order = field(header, "fortran_order"), shape = field(header, "shape");
  if (!descr || !order || !shape)
    return malformed(path, "its header has no descr, fortran_order or shape");
  NpyArray result;
  StringRef type = descr->consume_front("'") ? descr->take_until([](char c) { return c == '\''; }) : *descr;
  StringRef name = type.empty() ? type : type.drop_front();
  const DtypeRow *row = find_if(dtypeRows, [&](const DtypeRow &row) { return row.descr == name; });
  bool oneByte = name.ends_with("1");
  if (row == std::end(dtypeRows) || !(type[0] == '<' || type[0] == '=' || (type[0] == '|' && oneByte)))
    return createStringError("TSH-0712: " + path + " holds elements of NumPy type '" + type.take_front(40) +
                             "'; little-endian numbers and bool can be read");
  result.dtype = {row->code, row->bits, 1};
  if (!shape->consume_front("("))
    return malformed(path, "its shape is not a tuple");
  SmallVector<StringRef> sizes;
  shape->take_until([](char c) { return c == ')'; }).split(sizes, ',', -1, /*KeepEmpty=*/false);
  for (StringRef text : sizes) {
    int64_t size;
    if (text.trim().empty())
      continue;
    if (text.trim().getAsInteger(10, size) || size < 0)
      return malformed(path, "'" + text.trim().take_front(40) + "' is not a size");
    result.shape.push_back(size);
  }
  std::optional<uint64_t> expected = byteSize(result.dtype, result.shape);
  if (!expected || *expected != data.size())
    return malformed(path, "its shape needs " + (expected ? Twine(*expected) : Twine("too many")) +
                               " bytes and " + Twine(data.size()) + " follow the header");
  result.bytes.assign(data.begin(), data.end());
  if (order->starts_with("True") && result.shape.size() > 1)
    result.bytes = turned(result.bytes, result.shape, result.dtype.bits / 8);
  return result;
}

Error writeNpy(const std::string &path, torsh_dtype dtype, ArrayRef<int64_t> shape, ArrayRef<char> bytes) {
  const DtypeRow *row = find_if(
      dtypeRows, [&](const DtypeRow &row) { return row.code == dtype.code && row.bits == dtype.bits; });
  if (row == std::end(dtypeRows))
    return createStringError(
        "TSH-0713: cannot write " + path + ": NumPy has no " + dtypeName(dtype) +
        "; add a Cast to the model, or use the Python package, which gives ml_dtypes arrays");
  std::string header;
  raw_string_ostream os(header);
  os << "{'descr': '" << (dtype.bits == 8 ? '|' : '<') << row->descr
     << "', 'fortran_order': False, 'shape': (";
  for (int64_t size : shape)
    os << size << ",";
  os << "), }";
  // The elements begin at a multiple of 64 bytes, and the header ends with a newline.
  size_t prefix = magic.size() + 4;
  header.append(63 - (prefix + header.size()) % 64, ' ');
  header.push_back('\n');
  if (header.size() > 0xffff)
    return createStringError("TSH-0714: cannot write " + path +
                             ": the shape has too many dims for the format");
  std::error_code code;
  raw_fd_ostream file(path, code);
  if (code)
    return createStringError("TSH-0714: cannot write " + path + ": " + code.message());
  file << magic << '\x01' << '\0' << char(header.size() & 0xff) << char(header.size() >> 8) << header;
  file.write(bytes.data(), bytes.size());
  file.close();
  if (file.has_error()) {
    code = file.error();
    file.clear_error();
    return createStringError("TSH-0714: cannot write " + path + ": " + code.message());
  }
  return Error::success();
}

} // namespace torsh
