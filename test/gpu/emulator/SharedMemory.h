//===-- SharedMemory.h - A block's memory that knows who touched it -----------------------------------------===//
#ifndef TORSH_TEST_GPU_EMULATOR_SHAREDMEMORY_H
#define TORSH_TEST_GPU_EMULATOR_SHAREDMEMORY_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace torsh::emulator {

/// One buffer of shared memory. Two threads that touch a byte, one of them writing, must have a barrier between them: the
/// epoch counts barriers.
class SharedBuffer {
public:
  explicit SharedBuffer(uint64_t bytes);

  char *data() { return storage.get() + redZone; }
  uint64_t size() const { return bytes; }
  /// Whether the address is in the buffer or in the red zones around it.
  bool isNear(const void *address) const;

  /// Why an access is wrong; empty when it is not. Remembers it.
  std::string read(const void *address, uint64_t count, uint32_t thread, uint32_t epoch);
  std::string write(const void *address, uint64_t count, uint32_t thread, uint32_t epoch);
  /// A copy to here begins: nobody may touch the bytes until it has landed.
  std::string begin(const void *address, uint64_t count, uint32_t thread, uint32_t epoch);
  void land(const void *address, const char *source, uint64_t count, uint32_t thread, uint32_t epoch);

private:
  static constexpr uint64_t redZone = 4096;
  /// Who touched a byte last, and in which epoch; nobody yet is -1.
  struct Touch {
    int32_t thread = -1;
    uint32_t epoch = 0;
  };
  struct Byte {
    Touch writer, reader;
    bool hasOtherReaders = false, isInFlight = false;
  };
  std::string locate(const void *address, uint64_t count, uint64_t &offset) const;
  std::string checkWrite(uint64_t at, uint32_t thread, uint32_t epoch) const;

  uint64_t bytes;
  std::unique_ptr<char[]> storage;
  std::vector<Byte> shadow;
};

} // namespace torsh::emulator

#endif // TORSH_TEST_GPU_EMULATOR_SHAREDMEMORY_H
