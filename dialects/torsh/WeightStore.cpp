//===-- WeightStore.cpp - The bytes behind weight attributes ------------------------------------------------===//
#include "dialects/torsh/WeightStore.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"

using namespace llvm;

namespace torsh {

std::string WeightStore::add(ArrayRef<char> bytes, std::shared_ptr<const void> owner) {
  // BLAKE3 hashes a BERT-base in a fifth of a second; 16 bytes are enough to tell contents apart.
  BLAKE3 hasher;
  hasher.update(ArrayRef<uint8_t>(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  BLAKE3Result<16> digest = hasher.final<16>();
  std::string key = toHex(digest, /*LowerCase=*/true);
  std::lock_guard<std::mutex> lock(mutex);
  entries.try_emplace(key, Entry{bytes, std::move(owner)});
  return key;
}

std::string WeightStore::addCopy(ArrayRef<char> bytes) {
  auto copy = std::make_shared<std::string>(bytes.data(), bytes.size());
  return add(ArrayRef<char>(copy->data(), copy->size()), copy);
}

std::optional<ArrayRef<char>> WeightStore::lookup(StringRef key) const {
  std::lock_guard<std::mutex> lock(mutex);
  auto it = entries.find(key);
  if (it == entries.end())
    return std::nullopt;
  return it->second.bytes;
}

} // namespace torsh
