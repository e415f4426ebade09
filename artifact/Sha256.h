/* SHA-256 of a block of memory. */
#ifndef TORSH_ARTIFACT_SHA256_H
#define TORSH_ARTIFACT_SHA256_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct torsh_sha256 {
  uint32_t state[8];
  uint64_t bytes;
  uint8_t tail[64];
} torsh_sha256;

void torsh_sha256_begin(torsh_sha256 *sha);
void torsh_sha256_add(torsh_sha256 *sha, const void *data, size_t size);
void torsh_sha256_end(torsh_sha256 *sha, uint8_t digest[32]);

/* All three at once. */
void torsh_sha256_of(const void *data, size_t size, uint8_t digest[32]);

/* Whether the CPU has the SHA extensions. */
int torsh_sha256_has_extensions(void);

/* The two block functions, exposed so that a test can compare them. The second needs the SHA extensions. */
typedef void (*torsh_sha256_blocks_fn)(uint32_t state[8], const uint8_t *data, size_t blocks);
void torsh_sha256_blocks_plain(uint32_t state[8], const uint8_t *data, size_t blocks);
void torsh_sha256_blocks_shani(uint32_t state[8], const uint8_t *data, size_t blocks);

#ifdef __cplusplus
}
#endif

#endif
