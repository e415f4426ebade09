//===-- WeightStore.h - The bytes behind weight attributes --------------------------------------------------===//
//
// Weights never enter the IR: an attribute names bytes by a content key and the store knows where they lie, normally
// in the mapped model file. Equal contents are one entry, so tied weights are stored once.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_WEIGHTSTORE_H
#define TORSH_DIALECTS_TORSH_WEIGHTSTORE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace torsh {

/// Thread-safe map from content keys to bytes.
class WeightStore {
public:
  /// Registers bytes that `owner` keeps alive (a mapped file, a buffer) and returns their key. The same bytes give
  /// the same key, and the first registration is kept.
  std::string add(llvm::ArrayRef<char> bytes, std::shared_ptr<const void> owner);
  /// Copies the bytes and registers the copy.
  std::string addCopy(llvm::ArrayRef<char> bytes);
  /// The bytes of a key, none when the key is unknown (text of another process).
  std::optional<llvm::ArrayRef<char>> lookup(llvm::StringRef key) const;

private:
  struct Entry {
    llvm::ArrayRef<char> bytes;
    std::shared_ptr<const void> owner;
  };
  mutable std::mutex mutex;
  llvm::StringMap<Entry> entries;
};

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_WEIGHTSTORE_H
