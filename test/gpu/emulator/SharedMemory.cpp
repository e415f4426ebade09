//===-- SharedMemory.cpp - A block's memory that knows who touched it ---------------------------------------===//
#include "SharedMemory.h"
#include <cstring>

namespace torsh::emulator {

// All bytes start as ones, which is NaN in every float type.
SharedBuffer::SharedBuffer(uint64_t bytes)
    : bytes(bytes), storage(new char[bytes + 2 * redZone]), shadow(bytes) {
  std::memset(storage.get(), 0xFF, bytes + 2 * redZone);
}

bool SharedBuffer::isNear(const void *address) const {
  auto at = reinterpret_cast<uintptr_t>(address), begin = reinterpret_cast<uintptr_t>(storage.get());
  return at >= begin && at < begin + bytes + 2 * redZone;
}

std::string SharedBuffer::locate(const void *address, uint64_t count, uint64_t &offset) const {
  offset = reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(storage.get()) - redZone;
  if (offset < bytes && count <= bytes - offset)
    return "";
  return "touches shared memory at byte " + std::to_string(int64_t(offset)) + " of " + std::to_string(bytes);
}

static std::string at(const char *what, uint64_t byte) {
  return std::string(what) + " at byte " + std::to_string(byte) + " of shared memory";
}

std::string SharedBuffer::read(const void *address, uint64_t count, uint32_t thread, uint32_t epoch) {
  uint64_t offset;
  if (std::string wrong = locate(address, count, offset); !wrong.empty())
    return wrong;
  for (uint64_t i = offset; i < offset + count; ++i) {
    Byte &byte = shadow[i];
    if (byte.isInFlight)
      return at("reads what is still being copied", i);
    if (byte.writer.thread < 0)
      return at("reads what nobody wrote", i);
    if (byte.writer.epoch == epoch && byte.writer.thread != int32_t(thread))
      return at(("races with the write of thread " + std::to_string(byte.writer.thread)).c_str(), i);
    if (byte.reader.thread >= 0 && byte.reader.epoch == epoch && byte.reader.thread != int32_t(thread))
      byte.hasOtherReaders = true;
    else if (byte.reader.epoch != epoch || byte.reader.thread < 0)
      byte.hasOtherReaders = false;
    byte.reader = {int32_t(thread), epoch};
  }
  return "";
}

std::string SharedBuffer::checkWrite(uint64_t i, uint32_t thread, uint32_t epoch) const {
  const Byte &byte = shadow[i];
  if (byte.isInFlight)
    return at("writes where a copy is under way", i);
  if (byte.writer.thread >= 0 && byte.writer.epoch == epoch && byte.writer.thread != int32_t(thread))
    return at(("races with the write of thread " + std::to_string(byte.writer.thread)).c_str(), i);
  if (byte.reader.thread >= 0 && byte.reader.epoch == epoch &&
      (byte.hasOtherReaders || byte.reader.thread != int32_t(thread)))
    return at(("races with the read of thread " + std::to_string(byte.reader.thread)).c_str(), i);
  return "";
}

std::string SharedBuffer::write(const void *address, uint64_t count, uint32_t thread, uint32_t epoch) {
  uint64_t offset;
  if (std::string wrong = locate(address, count, offset); !wrong.empty())
    return wrong;
  for (uint64_t i = offset; i < offset + count; ++i) {
    if (std::string wrong = checkWrite(i, thread, epoch); !wrong.empty())
      return wrong;
    shadow[i].writer = {int32_t(thread), epoch};
  }
  return "";
}

std::string SharedBuffer::begin(const void *address, uint64_t count, uint32_t thread, uint32_t epoch) {
  uint64_t offset;
  if (std::string wrong = locate(address, count, offset); !wrong.empty())
    return wrong;
  for (uint64_t i = offset; i < offset + count; ++i) {
    if (std::string wrong = checkWrite(i, thread, epoch); !wrong.empty())
      return wrong;
    shadow[i].isInFlight = true;
  }
  return "";
}

void SharedBuffer::land(const void *address, const char *source, uint64_t count, uint32_t thread,
                        uint32_t epoch) {
  uint64_t offset;
  if (!locate(address, count, offset).empty())
    return;
  std::memcpy(data() + offset, source, count);
  for (uint64_t i = offset; i < offset + count; ++i) {
    shadow[i].isInFlight = false;
    shadow[i].writer = {int32_t(thread), epoch};
  }
}

} // namespace torsh::emulator
