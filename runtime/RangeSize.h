/* How many tiles a thread takes at a time: few enough that the threads end together and that a cancellation
 * is seen within about a millisecond, many enough that taking them costs nothing. The cost of a tile is not
 * known, so it is measured. */
#ifndef TORSH_RUNTIME_RANGESIZE_H
#define TORSH_RUNTIME_RANGESIZE_H

#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
/* About 2 to 4 ticks a nanosecond; the bounds below need no more than the order of magnitude. */
static inline uint64_t torsh_rt_ticks(void) { return __rdtsc(); }
#else
static inline uint64_t torsh_rt_ticks(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 3u * ((uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec);
}
#endif

typedef struct torsh_rt_range_size {
  int64_t tiles; /* to take next */
  int64_t least, most;
  uint64_t start;
} torsh_rt_range_size;

static inline torsh_rt_range_size torsh_rt_range_size_for(int64_t tiles, int64_t grain, int64_t threads) {
  const int64_t quarter = tiles / (threads * 4), first = tiles / (threads * 8);
  torsh_rt_range_size size;
  size.least = grain;
  size.most = quarter > grain ? quarter : grain;
  size.tiles = first > grain ? first : grain;
  /* A long kernel must not begin with a long range. */
  if (grain <= INT64_MAX / 16 && size.tiles > 16 * grain)
    size.tiles = 16 * grain;
  size.start = torsh_rt_ticks();
  return size;
}

/* To be called after each range. */
static inline void torsh_rt_range_size_adapt(torsh_rt_range_size *size) {
  const uint64_t now = torsh_rt_ticks(), ticks = now - size->start;
  size->start = now;
  if (ticks > 3000000u) {
    size->tiles = (int64_t)((double)size->tiles * 1500000.0 / (double)ticks);
    if (size->tiles < size->least)
      size->tiles = size->least;
  } else if (ticks < 150000u) {
    size->tiles = size->tiles > size->most / 2 ? size->most : size->tiles * 2;
  }
}

#endif
