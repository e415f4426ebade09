/* The runtime's own thread pool. Threads start with the first kernel that can use them, and again after a
 * fork. */
#ifndef TORSH_RUNTIME_POOL_H
#define TORSH_RUNTIME_POOL_H

#include "Executor.h"

#include <stdint.h>

#define TORSH_RT_MAX_WIDTH 1024u

typedef struct torsh_rt_pool torsh_rt_pool;
typedef struct torsh_rt_slot torsh_rt_slot;

/* `width` counts the caller: width - 1 threads are started. Returns NULL without memory. */
torsh_rt_pool *torsh_rt_pool_create(uint32_t width, uint32_t run_spin_us, uint32_t idle_spin_us);
/* No run may be in flight. */
void torsh_rt_pool_destroy(torsh_rt_pool *pool);

/* Takes one of the pool's slots for a run, or returns NULL when all are taken (the caller then works alone).
 */
torsh_rt_slot *torsh_rt_pool_enter(torsh_rt_pool *pool);
void torsh_rt_pool_leave(torsh_rt_pool *pool, torsh_rt_slot *slot);

/* Runs the job together with the workers; adds to `helpers` how many of them did some of it. Returns 1 if the caller had
 * to wait for them at the end, else 0. */
int torsh_rt_pool_run(torsh_rt_pool *pool, torsh_rt_slot *slot, torsh_rt_job *job, int64_t tiles,
                      int64_t grain, int is_long, unsigned *helpers);

#endif
