/* What the Magika model sees of a file: 1024 bytes of its beginning and 1024 of its end, white space
 * stripped. */
#ifndef TORSH_EXAMPLES_MAGIKA_FEATURES_H
#define TORSH_EXAMPLES_MAGIKA_FEATURES_H

#include <stddef.h>
#include <stdint.h>

enum {
  MagikaBlock = 4096, /* bytes read from either end */
  MagikaHalf = 1024,  /* tokens of either end */
  MagikaTokens = 2048,
  MagikaPadding = 256, /* the token for "no byte" */
  MagikaFewBytes = 8   /* files with fewer bytes (stripped) are told by a rule, without the model */
};

/* `head` and `tail` are the first and the last min(MagikaBlock, file size) bytes. Returns 0 when too few
 * bytes are left after stripping; the tokens are filled in nevertheless. */
int magika_features(const uint8_t *head, const uint8_t *tail, size_t size, int32_t tokens[MagikaTokens]);

/* The rule for files with few bytes. */
int magika_is_utf8(const uint8_t *bytes, size_t size);

#endif
