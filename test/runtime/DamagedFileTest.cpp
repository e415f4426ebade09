#include "Fixture.h"
#include "torsh/artifact.h"
extern "C" {
#include "artifact/Sha256.h"
}

#include <catch2/catch.hpp>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace {
std::string scratch() { return fake("damaged_" + std::to_string(getpid()) + ".so"); }

torsh_error loadBytes(const std::string &bytes) {
  const std::string path = scratch();
  writeFile(path, bytes);
  torsh_error error;
  load(path, 1, &error);
  unlink(path.c_str());
  return error;
}

torsh_trailer trailerOf(const std::string &bytes) {
  torsh_trailer trailer;
  memcpy(&trailer, bytes.data() + bytes.size() - sizeof(trailer), sizeof(trailer));
  return trailer;
}

std::string withTrailer(std::string bytes, const torsh_trailer &trailer) {
  memcpy(&bytes[bytes.size() - sizeof(trailer)], &trailer, sizeof(trailer));
  return bytes;
}
} // namespace

TEST_CASE("a truncated file is refused at every 64-byte boundary", "[damaged]") {
  const std::string whole = readFile(fake("affine.so"));
  REQUIRE(whole.size() > 65536);
  size_t tried = 0;
  // The padding before the weights is all alike: a few boundaries of it are enough.
  const size_t code = trailerOf(whole).metadata_offset + trailerOf(whole).metadata_size;
  for (size_t size = 0;
       size<whole.size(); size += size> code + 1024 && size + 8192 < whole.size() ? 4096 : 64) {
    torsh_error error = loadBytes(whole.substr(0, size));
    INFO(size << ": " << error.message);
    REQUIRE(error.status == TORSH_E_FORMAT);
    ++tried;
  }
  CHECK(tried > 100);
  CHECK(loadBytes(whole).status == TORSH_OK);
}

TEST_CASE("a flipped byte of code or metadata is a digest error", "[damaged]") {
  const std::string whole = readFile(fake("affine.so"));
  const torsh_trailer trailer = trailerOf(whole);
  const size_t code = trailer.metadata_offset + trailer.metadata_size;
  for (size_t at = 0; at < code; at += 97) {
    std::string bytes = whole;
    bytes[at] = char(bytes[at] ^ 0x10);
    torsh_error error = loadBytes(bytes);
    INFO(at << ": " << error.message);
    REQUIRE(error.status == TORSH_E_DIGEST);
  }
}

TEST_CASE("a flipped byte of the weights is found by verify", "[damaged]") {
  std::string bytes = readFile(fake("affine.so"));
  bytes[trailerOf(bytes).weights_offset + 5] ^= 1;
  const std::string path = scratch();
  writeFile(path, bytes);
  torsh_error error;
  CHECK(api().verify_file(path.c_str(), nullptr, &error) == TORSH_E_DIGEST);
  CHECK(load(path)); // documented: load does not read the weights
  unlink(path.c_str());
}

TEST_CASE("trailers that point outside the file are refused", "[damaged]") {
  const std::string whole = readFile(fake("affine.so"));
  const torsh_trailer good = trailerOf(whole);
  std::vector<torsh_trailer> bad(10, good);
  bad[0].metadata_offset = UINT64_MAX - 5;
  bad[1].metadata_size = UINT64_MAX;
  bad[2].metadata_size = whole.size();
  bad[3].weights_offset = UINT64_MAX & ~uint64_t(65535);
  bad[4].weights_size = UINT64_MAX;
  bad[5].weights_offset += 64;
  bad[6].weights_size += 1;
  bad[7].elf_size = good.metadata_offset + 1;
  bad[8].metadata_size = 0;
  bad[9].weights_offset = 0; // over the code
  for (size_t i = 0; i < bad.size(); ++i) {
    torsh_error error = loadBytes(withTrailer(whole, bad[i]));
    INFO(i << ": " << error.message);
    CHECK(error.status == TORSH_E_FORMAT);
  }
}

TEST_CASE("other versions and unknown flags are refused by a sentence", "[damaged]") {
  const std::string whole = readFile(fake("affine.so"));
  torsh_trailer trailer = trailerOf(whole);
  trailer.flags = 2;
  CHECK(loadBytes(withTrailer(whole, trailer)).status == TORSH_E_VERSION);
  torsh_error error;
  CHECK_FALSE(load(fake("newer.so"), 1, &error));
  CHECK(error.status == TORSH_E_VERSION);
  CHECK(std::string(error.message).find("artifact version 4") != std::string::npos);
  // The trailer says 0, the code says it is newer.
  CHECK_FALSE(load(fake("future.so"), 1, &error));
  CHECK(error.status == TORSH_E_VERSION);
}

TEST_CASE("things that are no artifact are refused", "[damaged]") {
  torsh_error error;
  CHECK_FALSE(load(fake("missing.so"), 1, &error));
  CHECK(error.status == TORSH_E_IO);
  CHECK_FALSE(load(FAKES, 1, &error));
  CHECK(error.status == TORSH_E_IO);
  CHECK_FALSE(load("/dev/zero", 1, &error));
  CHECK(error.status == TORSH_E_FORMAT);
  const std::string pipe = fake("pipe_" + std::to_string(getpid()));
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_FALSE(load(pipe, 1, &error));
  CHECK(error.status == TORSH_E_IO);
  unlink(pipe.c_str());
  CHECK_FALSE(load("/proc/self/exe", 1, &error)); // an ELF file without a trailer
  CHECK(error.status == TORSH_E_FORMAT);
  CHECK_FALSE(load(fake("bare.so"), 1, &error));
  CHECK(error.status == TORSH_E_FORMAT);
  CHECK(std::string(error.message).find("torsh_query") != std::string::npos);
}

TEST_CASE("well-signed bytes that are no shared object do not crash the loader", "[damaged]") {
  std::string bytes = readFile(fake("weightless.so"));
  torsh_trailer trailer = trailerOf(bytes);
  auto sign = [&] {
    torsh_sha256_of(bytes.data(), trailer.metadata_offset + trailer.metadata_size, trailer.code_sha256);
    return withTrailer(bytes, trailer);
  };
  bytes[0] = 'X';
  CHECK(loadBytes(sign()).status == TORSH_E_FORMAT);
  bytes[0] = '\177';
  bytes[18] = 3; // another machine
  torsh_error error = loadBytes(sign());
  INFO(error.message);
  CHECK(error.status == TORSH_E_LOAD);
}

TEST_CASE("a side file must be a plain name that exists", "[damaged]") {
  std::string bytes = readFile(fake("sidecar.so"));
  torsh_trailer trailer = trailerOf(bytes);
  const std::string name = "sidecar.weights";
  const size_t at = bytes.find(name);
  REQUIRE(at != std::string::npos);
  for (const char *other : {"/etc/passwdxxxx", "../car.weights.", "missing.weights"}) {
    REQUIRE(strlen(other) == name.size());
    bytes.replace(at, name.size(), other);
    torsh_sha256_of(bytes.data(), trailer.metadata_offset + trailer.metadata_size, trailer.code_sha256);
    torsh_error error = loadBytes(withTrailer(bytes, trailer));
    INFO(other << ": " << error.message);
    CHECK(error.status == (strchr(other, '/') ? TORSH_E_FORMAT : TORSH_E_IO));
  }
}
