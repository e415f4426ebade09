#include "magika_features.h"

static int is_space(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

int magika_features(const uint8_t *head, const uint8_t *tail, size_t size, int32_t tokens[MagikaTokens]) {
  size_t first = 0, last = size;
  while (first < size && is_space(head[first]))
    ++first;
  while (last > 0 && is_space(tail[last - 1]))
    --last;
  for (size_t i = 0; i < MagikaHalf; ++i) {
    tokens[i] = first + i < size ? head[first + i] : MagikaPadding;
    tokens[MagikaTokens - 1 - i] = i < last ? tail[last - 1 - i] : MagikaPadding;
  }
  return tokens[MagikaFewBytes - 1] != MagikaPadding;
}

int magika_is_utf8(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size;) {
    const uint8_t lead = bytes[i++];
    if (lead < 0x80)
      continue;
    const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || size - i < (size_t)more)
      return 0;
    /* The second byte is restricted where the code point would be too small, a surrogate, or past 0x10ffff.
     */
    const uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (bytes[i] < low || bytes[i] > high)
      return 0;
    for (int k = 1; k < more; ++k)
      if ((bytes[i + (size_t)k] & 0xc0) != 0x80)
        return 0;
    i += (size_t)more;
  }
  return 1;
}
