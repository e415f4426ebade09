#define _GNU_SOURCE
#include "Arena.h"

#include <stddef.h>
#include <sys/mman.h>

int torsh_rt_arena_reserve(torsh_rt_arena *arena, uint64_t size, uint64_t *grown) {
  if (size <= arena->size)
    return 0;
  /* The old block goes first: its contents are not needed, and the peak is then the new size alone. */
  torsh_rt_arena_release(arena);
  const uint64_t huge = 2u << 20;
  if (size > PTRDIFF_MAX / 2)
    return -1;
  ++*grown;
  void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED)
    return -1;
  if (size >= 2 * huge)
    madvise(data, size, MADV_HUGEPAGE); /* only a hint */
  arena->data = data;
  arena->size = size;
  return 0;
}

void torsh_rt_arena_release(torsh_rt_arena *arena) {
  if (arena->data)
    munmap(arena->data, arena->size);
  arena->data = NULL;
  arena->size = 0;
}
