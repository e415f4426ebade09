/* A block of memory that only grows, 64-byte aligned (page aligned, in fact), straight from the system. */
#ifndef TORSH_RUNTIME_ARENA_H
#define TORSH_RUNTIME_ARENA_H

#include <stdint.h>

typedef struct torsh_rt_arena {
  void *data;
  uint64_t size;
} torsh_rt_arena;

/* Makes room for `size` bytes; the old contents are lost if it must grow. Returns 0, or -1 without memory
 * (the arena is then empty). *grown is counted up when the system was asked. */
int torsh_rt_arena_reserve(torsh_rt_arena *arena, uint64_t size, uint64_t *grown);
void torsh_rt_arena_release(torsh_rt_arena *arena);

#endif
