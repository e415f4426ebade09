extern "C" {
#include "artifact/Sha256.h"
#include "runtime/CpuLevel.h"
}

#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

namespace {
std::string hex(const uint8_t digest[32]) {
  std::string text;
  for (int i = 0; i < 32; ++i) {
    char byte[3];
    snprintf(byte, sizeof(byte), "%02x", digest[i]);
    text += byte;
  }
  return text;
}

std::string digestOf(const std::string &bytes) {
  uint8_t digest[32];
  torsh_sha256_of(bytes.data(), bytes.size(), digest);
  return hex(digest);
}
} // namespace

TEST_CASE("the digests are those of FIPS 180", "[sha256]") {
  CHECK(digestOf("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digestOf("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digestOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(digestOf(std::string(1000000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("any split into pieces gives the same digest", "[sha256]") {
  std::string bytes;
  for (int i = 0; i < 300; ++i)
    bytes += char(i * 7);
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    torsh_sha256 sha;
    uint8_t digest[32];
    torsh_sha256_begin(&sha);
    torsh_sha256_add(&sha, bytes.data(), cut);
    torsh_sha256_add(&sha, bytes.data() + cut, bytes.size() - cut);
    torsh_sha256_end(&sha, digest);
    REQUIRE(hex(digest) == digestOf(bytes));
  }
}

TEST_CASE("the SHA instructions and the plain code agree", "[sha256]") {
  if (!torsh_sha256_has_extensions()) {
    WARN("this CPU has no SHA instructions");
    return;
  }
  std::vector<uint8_t> data(64 * 33);
  for (size_t i = 0; i < data.size(); ++i)
    data[i] = uint8_t(i * i + i / 3);
  for (size_t blocks = 0; blocks <= 33; ++blocks) {
    uint32_t plain[8] = {1, 2, 3, 4, 5, 6, 7, 8}, fast[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    torsh_sha256_blocks_plain(plain, data.data(), blocks);
    torsh_sha256_blocks_shani(fast, data.data(), blocks);
    REQUIRE(memcmp(plain, fast, sizeof(plain)) == 0);
  }
}
