/* FIPS 180-4. Loading must take at most 10 ms, so the SHA instructions are used where the CPU has them. */
#include "Sha256.h"

#include <stdatomic.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

static const uint32_t round_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, int n) { return (x >> n) | (x << (32 - n)); }

void torsh_sha256_blocks_plain(uint32_t state[8], const uint8_t *data, size_t blocks) {
  for (; blocks; --blocks, data += 64) {
    uint32_t w[64];
    for (int i = 0; i < 16; ++i)
      w[i] = (uint32_t)data[4 * i] << 24 | (uint32_t)data[4 * i + 1] << 16 | (uint32_t)data[4 * i + 2] << 8 |
             data[4 * i + 3];
    for (int i = 16; i < 64; ++i) {
      uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >> 3);
      uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t v[8];
    memcpy(v, state, sizeof(v));
    for (int i = 0; i < 64; ++i) {
      uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
      uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + round_constants[i] + w[i];
      uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
      uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
      memmove(v + 1, v, 7 * sizeof(uint32_t));
      v[4] += t1;
      v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; ++i)
      state[i] += v[i];
  }
}

#if defined(__x86_64__)
__attribute__((target("sha,sse4.1,ssse3"))) void
torsh_sha256_blocks_shani(uint32_t state[8], const uint8_t *data, size_t blocks) {
  const __m128i byte_swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  /* The instructions want the state as ABEF and CDGH. */
  __m128i dcba = _mm_loadu_si128((const __m128i *)state);
  __m128i hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
  __m128i cdab = _mm_shuffle_epi32(dcba, 0xB1);
  __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1B);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
  __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
  for (; blocks; --blocks, data += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[4];
    for (int i = 0; i < 4; ++i)
      w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data + 16 * i)), byte_swap);
#pragma GCC unroll 16
    for (int group = 0; group < 16; ++group) {
      __m128i *current = &w[group & 3];
      __m128i wk = _mm_add_epi32(*current, _mm_load_si128((const __m128i *)(round_constants + 4 * group)));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0E));
      if (group < 12) {
        /* The words of group + 4 take the place of this group's. */
        __m128i next = w[(group + 1) & 3], last = w[(group + 3) & 3];
        __m128i sum = _mm_sha256msg1_epu32(*current, next);
        sum = _mm_add_epi32(sum, _mm_alignr_epi8(last, w[(group + 2) & 3], 4));
        *current = _mm_sha256msg2_epu32(sum, last);
      }
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
  __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

static int detect_extensions(void) {
  unsigned eax, ebx, ecx, edx;
  /* SHA is bit 29 of leaf 7; the block function also uses SSSE3 (bit 9) and SSE4.1 (bit 19) of leaf 1. */
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !(ebx >> 29 & 1))
    return 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx >> 9 & 1) && (ecx >> 19 & 1);
}
#else
static int detect_extensions(void) { return 0; }
void torsh_sha256_blocks_shani(uint32_t state[8], const uint8_t *data, size_t blocks) {
  torsh_sha256_blocks_plain(state, data, blocks);
}
#endif

int torsh_sha256_has_extensions(void) {
  static atomic_int cache; /* the answer + 1: cpuid traps to the hypervisor in a virtual machine */
  int held = atomic_load_explicit(&cache, memory_order_relaxed);
  if (!held) {
    held = detect_extensions() + 1;
    atomic_store_explicit(&cache, held, memory_order_relaxed);
  }
  return held - 1;
}

static void add_blocks(uint32_t state[8], const uint8_t *data, size_t blocks) {
  if (torsh_sha256_has_extensions())
    torsh_sha256_blocks_shani(state, data, blocks);
  else
    torsh_sha256_blocks_plain(state, data, blocks);
}

void torsh_sha256_begin(torsh_sha256 *sha) {
  static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(sha->state, start, sizeof(start));
  sha->bytes = 0;
}

void torsh_sha256_add(torsh_sha256 *sha, const void *data, size_t size) {
  const uint8_t *bytes = data;
  size_t held = (size_t)(sha->bytes % 64);
  sha->bytes += size;
  if (held) {
    size_t take = size < 64 - held ? size : 64 - held;
    memcpy(sha->tail + held, bytes, take);
    bytes += take;
    size -= take;
    if (held + take < 64)
      return;
    add_blocks(sha->state, sha->tail, 1);
  }
  if (size >= 64)
    add_blocks(sha->state, bytes, size / 64);
  if (size % 64)
    memcpy(sha->tail, bytes + size / 64 * 64, size % 64);
}

void torsh_sha256_end(torsh_sha256 *sha, uint8_t digest[32]) {
  uint64_t bits = sha->bytes * 8;
  size_t held = (size_t)(sha->bytes % 64);
  uint8_t padding[72] = {0x80};
  size_t size = (held < 56 ? 56 : 120) - held;
  for (int i = 0; i < 8; ++i)
    padding[size + (size_t)i] = (uint8_t)(bits >> (56 - 8 * i));
  torsh_sha256_add(sha, padding, size + 8);
  for (int i = 0; i < 32; ++i)
    digest[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}

void torsh_sha256_of(const void *data, size_t size, uint8_t digest[32]) {
  torsh_sha256 sha;
  torsh_sha256_begin(&sha);
  torsh_sha256_add(&sha, data, size);
  torsh_sha256_end(&sha, digest);
}
