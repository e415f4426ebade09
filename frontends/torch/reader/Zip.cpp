//===-- Zip.cpp - Zip files by their central directory ------------------------------------------------------===//
#include "frontends/torch/reader/Zip.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include <algorithm>
#include <zlib.h>

using namespace llvm;

namespace torsh::torch {
namespace {

constexpr uint32_t localMagic = 0x04034b50, directoryMagic = 0x02014b50, endMagic = 0x06054b50;
constexpr uint32_t end64Magic = 0x06064b50, locator64Magic = 0x07064b50;
constexpr size_t endSize = 22, locator64Size = 20, end64Size = 56, directorySize = 46, localSize = 30;
/// More files than any model has; bounds what a hostile directory can allocate.
constexpr uint64_t maxEntries = 1 << 20;
/// Text compresses by 5 to 20; past this an entry is a bomb.
constexpr uint64_t maxRatio = 200, freeSize = 1 << 20;

uint16_t u16(const char *p) { return support::endian::read16le(p); }
uint32_t u32(const char *p) { return support::endian::read32le(p); }
uint64_t u64(const char *p) { return support::endian::read64le(p); }

Error damaged(const Twine &what) {
  return readerError(Code::DamagedArchive,
                     "the zip directory is damaged: " + what + "; fetch or save the file again");
}

/// The end record, searched backwards over the comment that may follow it.
size_t findEnd(StringRef bytes) {
  if (bytes.size() < endSize)
    return StringRef::npos;
  size_t last = bytes.size() - endSize, first = last > 0xFFFF ? last - 0xFFFF : 0;
  for (size_t at = last + 1; at-- > first;)
    if (u32(bytes.data() + at) == endMagic && at + endSize + u16(bytes.data() + at + 20) == bytes.size())
      return at;
  return StringRef::npos;
}

bool isSafeName(StringRef name) {
  if (name.empty() || name.starts_with("/") || name.contains('\0') || name.contains('\\'))
    return false;
  SmallVector<StringRef> parts;
  name.split(parts, '/');
  return !is_contained(parts, "..");
}

/// The 64-bit sizes that stand in an extra field instead of 0xFFFFFFFF.
bool applyZip64(StringRef extra, uint64_t &size, uint64_t &stored, uint64_t &offset) {
  auto isOpen = [](uint64_t value) { return value == 0xFFFFFFFF; };
  if (!isOpen(size) && !isOpen(stored) && !isOpen(offset))
    return true;
  while (extra.size() >= 4) {
    uint16_t kind = u16(extra.data()), length = u16(extra.data() + 2);
    extra = extra.drop_front(4);
    if (length > extra.size())
      return false;
    StringRef field = extra.take_front(length);
    extra = extra.drop_front(length);
    if (kind != 1)
      continue;
    for (uint64_t *value : {&size, &stored, &offset}) {
      if (!isOpen(*value))
        continue;
      if (field.size() < 8)
        return false;
      *value = u64(field.data());
      field = field.drop_front(8);
    }
    return true;
  }
  return false;
}

} // namespace

Expected<ZipFile> ZipFile::open(StringRef bytes) {
  ZipFile file(bytes);
  if (Error error = file.readDirectory())
    return error;
  if (Error error = file.checkOverlap())
    return error;
  return file;
}

Error ZipFile::readDirectory() {
  size_t end = findEnd(bytes);
  if (end == StringRef::npos)
    return damaged("it has no end record, so the file was cut short");
  uint64_t count = u16(bytes.data() + end + 10), size = u32(bytes.data() + end + 12);
  uint64_t start = u32(bytes.data() + end + 16), limit = end;
  if (end >= locator64Size && u32(bytes.data() + end - locator64Size) == locator64Magic) {
    uint64_t at = u64(bytes.data() + end - locator64Size + 8);
    if (at > end - locator64Size || end - locator64Size - at < end64Size ||
        u32(bytes.data() + at) != end64Magic)
      return damaged("its 64-bit end record is not where it should be");
    count = u64(bytes.data() + at + 32);
    size = u64(bytes.data() + at + 40);
    start = u64(bytes.data() + at + 48);
    limit = at;
  }
  if (start > limit || size > limit - start || count > maxEntries || count * directorySize > size)
    return damaged("it claims to lie outside the file");
  StringRef rest = bytes.substr(start, size);
  for (uint64_t i = 0; i < count; ++i) {
    if (rest.size() < directorySize || u32(rest.data()) != directoryMagic)
      return damaged("entry " + Twine(i) + " has no header");
    const char *p = rest.data();
    size_t nameSize = u16(p + 28), extraSize = u16(p + 30), commentSize = u16(p + 32);
    if (rest.size() < directorySize + nameSize + extraSize + commentSize)
      return damaged("entry " + Twine(i) + " is cut short");
    ZipEntry entry;
    entry.name = rest.substr(directorySize, nameSize).str();
    uint16_t flags = u16(p + 8), method = u16(p + 10);
    entry.crc = u32(p + 16);
    entry.storedSize = u32(p + 20);
    entry.size = u32(p + 24);
    uint64_t header = u32(p + 42);
    if (!applyZip64(rest.substr(directorySize + nameSize, extraSize), entry.size, entry.storedSize, header))
      return damaged("entry " + quoted(entry.name) + " lacks its 64-bit sizes");
    rest = rest.drop_front(directorySize + nameSize + extraSize + commentSize);

    if (!isSafeName(entry.name))
      return readerError(Code::UnsafeName,
                         "the archive has an entry " + quoted(entry.name) +
                             ", whose name leads out of the archive; it was not made by PyTorch");
    if (flags & 1)
      return readerError(Code::Encrypted,
                         "the entry " + quoted(entry.name) + " is encrypted; save without a password");
    if (method != 0 && method != 8)
      return damaged("entry " + quoted(entry.name) + " is compressed by the unknown method " + Twine(method));
    entry.deflated = method == 8;
    if (!entry.deflated && entry.size != entry.storedSize)
      return damaged("the stored entry " + quoted(entry.name) + " has two sizes");
    if (header > start || start - header < localSize || u32(bytes.data() + header) != localMagic)
      return damaged("entry " + quoted(entry.name) + " points outside the file");
    uint64_t names = uint64_t(u16(bytes.data() + header + 26)) + u16(bytes.data() + header + 28);
    if (names > start - header - localSize || entry.storedSize > start - header - localSize - names)
      return damaged("entry " + quoted(entry.name) + " is longer than the file");
    entry.offset = header + localSize + names;
    if (!index.try_emplace(entry.name, files.size()).second)
      return readerError(Code::DuplicateName, "the archive has two entries named " + quoted(entry.name) +
                                                  "; it was not made by PyTorch");
    files.push_back(std::move(entry));
  }
  return Error::success();
}

Error ZipFile::checkOverlap() {
  std::vector<const ZipEntry *> order;
  for (const ZipEntry &entry : files)
    order.push_back(&entry);
  sort(order, [](const ZipEntry *a, const ZipEntry *b) { return a->offset < b->offset; });
  for (size_t i = 1; i < order.size(); ++i)
    if (order[i - 1]->offset + order[i - 1]->storedSize > order[i]->offset)
      return damaged("the entries " + quoted(order[i - 1]->name) + " and " + quoted(order[i]->name) +
                     " overlap");
  return Error::success();
}

const ZipEntry *ZipFile::find(StringRef name) const {
  auto it = index.find(name);
  return it == index.end() ? nullptr : &files[it->second];
}

Expected<StringRef> ZipFile::view(const ZipEntry &entry) const {
  if (entry.deflated)
    return readerError(Code::DamagedEntry,
                       "the tensor data " + quoted(entry.name) +
                           " is compressed; PyTorch stores it as it is, so save the model again");
  return bytes.substr(entry.offset, entry.size);
}

Expected<std::string> ZipFile::read(const ZipEntry &entry, uint64_t limit) const {
  StringRef stored = bytes.substr(entry.offset, entry.storedSize);
  if (entry.size > limit || (entry.size > freeSize && entry.size / maxRatio > entry.storedSize))
    return readerError(Code::InflatesTooFar,
                       "the entry " + quoted(entry.name) + " unpacks from " + Twine(entry.storedSize) +
                           " to " + Twine(entry.size) +
                           " bytes, which no model needs; the file is a zip bomb or damaged");
  std::string contents;
  if (!entry.deflated) {
    contents = stored.str();
  } else {
    contents.resize(entry.size);
    z_stream stream = {};
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(stored.data()));
    stream.avail_in = uInt(stored.size());
    // One byte of room tells a stream that ends at its size from one that goes on.
    char beyond;
    bool empty = contents.empty();
    stream.next_out = reinterpret_cast<Bytef *>(empty ? &beyond : contents.data());
    stream.avail_out = empty ? 1 : uInt(contents.size());
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
      return readerError(Code::DamagedEntry, "zlib cannot start");
    int status = inflate(&stream, Z_FINISH);
    uint64_t produced = stream.total_out;
    inflateEnd(&stream);
    if (status != Z_STREAM_END || produced != entry.size)
      return readerError(Code::DamagedEntry,
                         "the entry " + quoted(entry.name) +
                             " does not unpack to its size; fetch or save the file again");
  }
  if (crc32(0, reinterpret_cast<const Bytef *>(contents.data()), uInt(contents.size())) != entry.crc)
    return readerError(Code::DamagedEntry, "the entry " + quoted(entry.name) +
                                               " has a wrong checksum; fetch or save the file again");
  return contents;
}

} // namespace torsh::torch
