/* SHA-256 of a block of memory. */
#ifndef TORSH_RUNTIME_SHA256_H
#define TORSH_RUNTIME_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct torsh_rt_sha256 {
  uint32_t state[8];
  uint64_t bytes;
  uint8_t tail[64];
} torsh_rt_sha256;

void torsh_rt_sha256_begin(torsh_rt_sha256 *sha);
void torsh_rt_sha256_add(torsh_rt_sha256 *sha, const void *data, size_t size);
void torsh_rt_sha256_end(torsh_rt_sha256 *sha, uint8_t digest[32]);

/* All three at once. */
void torsh_rt_sha256_of(const void *data, size_t size, uint8_t digest[32]);

/* The two block functions, exposed so that a test can compare them. The second needs the SHA extensions. */
typedef void (*torsh_rt_sha256_blocks_fn)(uint32_t state[8], const uint8_t *data, size_t blocks);
void torsh_rt_sha256_blocks_plain(uint32_t state[8], const uint8_t *data, size_t blocks);
void torsh_rt_sha256_blocks_shani(uint32_t state[8], const uint8_t *data, size_t blocks);

#endif
