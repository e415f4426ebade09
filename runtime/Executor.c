#include "Executor.h"
#include "Pool.h"
#include "RangeSize.h"
#include "Status.h"
#include "Width.h"

#include <stdlib.h>
#include <string.h>

int32_t torsh_rt_run_range(void *opaque, int64_t begin, int64_t end) {
  torsh_rt_job *job = opaque;
  if (atomic_load_explicit(job->cancelled, memory_order_relaxed))
    return TORSH_E_CANCELLED;
  job->fn(job->in, job->out, job->dims, begin, end);
  return TORSH_OK;
}

static torsh_executor *allocate(uint32_t width, torsh_error *error) {
  torsh_executor *executor = calloc(1, sizeof(*executor));
  if (!executor) {
    torsh_rt_fail(error, TORSH_E_NO_MEMORY, "no memory for an executor.");
    return NULL;
  }
  atomic_init(&executor->references, 1);
  executor->width = width;
  return executor;
}

torsh_status torsh_rt_executor_create(const torsh_executor_options *options, torsh_executor **result,
                                      torsh_error *error) {
  torsh_rt_clear(error);
  if (!result)
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT, "executor_create: the result pointer is NULL.");
  *result = NULL;
  torsh_executor_options chosen = {sizeof(chosen), 0, 0, 0};
  if (options) {
    if (options->size != sizeof(chosen))
      return torsh_rt_fail(
          error, TORSH_E_INVALID_ARGUMENT,
          "executor_create: options.size is %u; set it to sizeof(torsh_executor_options), %zu.",
          options->size, sizeof(chosen));
    chosen = *options;
  }
  uint32_t width = chosen.threads ? chosen.threads : torsh_rt_default_width();
  if (width > TORSH_RT_MAX_WIDTH)
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT,
                         "executor_create: %u threads; at most %u are served.", width, TORSH_RT_MAX_WIDTH);
  torsh_executor *executor = allocate(width, error);
  if (!executor)
    return TORSH_E_NO_MEMORY;
  if (width > 1) {
    uint32_t run_spin = chosen.run_spin_us == 0            ? 50
                        : chosen.run_spin_us == UINT32_MAX ? 0
                                                           : chosen.run_spin_us;
    executor->pool = torsh_rt_pool_create(width, run_spin, chosen.idle_spin_us);
    if (!executor->pool) {
      free(executor);
      return torsh_rt_fail(error, TORSH_E_NO_MEMORY, "no memory for a pool of %u threads.", width);
    }
  }
  *result = executor;
  return TORSH_OK;
}

torsh_status torsh_rt_executor_create_custom(const torsh_executor_callbacks *callbacks,
                                             torsh_executor **result, torsh_error *error) {
  torsh_rt_clear(error);
  if (!result || !callbacks || callbacks->size != sizeof(*callbacks) || !callbacks->parallel_for ||
      !callbacks->width)
    return torsh_rt_fail(
        error, TORSH_E_INVALID_ARGUMENT,
        "executor_create_custom needs callbacks with size, a width of at least 1 and parallel_for.");
  *result = NULL;
  torsh_executor *executor = allocate(callbacks->width, error);
  if (!executor)
    return TORSH_E_NO_MEMORY;
  executor->callbacks = *callbacks;
  *result = executor;
  return TORSH_OK;
}

void torsh_rt_executor_retain(torsh_executor *executor) { atomic_fetch_add(&executor->references, 1); }

void torsh_rt_executor_release(torsh_executor *executor) {
  if (!executor || atomic_fetch_sub(&executor->references, 1) != 1)
    return;
  if (executor->pool)
    torsh_rt_pool_destroy(executor->pool);
  free(executor);
}

void torsh_rt_lane_begin(torsh_rt_lane *lane, torsh_executor *executor) {
  memset(lane, 0, sizeof(*lane));
  lane->executor = executor;
  if (executor->pool)
    lane->slot = torsh_rt_pool_enter(executor->pool);
}

void torsh_rt_lane_end(torsh_rt_lane *lane) {
  if (lane->slot)
    torsh_rt_pool_leave(lane->executor->pool, lane->slot);
  lane->slot = NULL;
}

/* Even alone the caller works in ranges, so that a cancellation is seen inside a long kernel. */
static void run_alone(torsh_rt_job *job, int64_t tiles, int64_t grain) {
  if (tiles <= grain) {
    torsh_rt_run_range(job, 0, tiles);
    return;
  }
  torsh_rt_range_size size = torsh_rt_range_size_for(tiles, grain, 1);
  for (int64_t begin = 0; begin < tiles;) {
    int64_t end = tiles - begin <= size.tiles ? tiles : begin + size.tiles;
    if (torsh_rt_run_range(job, begin, end))
      return;
    begin = end;
    torsh_rt_range_size_adapt(&size);
  }
}

void torsh_rt_lane_run(torsh_rt_lane *lane, torsh_rt_job *job, int64_t tiles, int64_t grain) {
  const int is_long = grain < 1;
  if (is_long)
    grain = 1;
  ++lane->kernels;
  lane->helpers = 0;
  if (tiles <= 0)
    return;
  if (tiles > grain && lane->executor->callbacks.parallel_for) {
    ++lane->shared_kernels;
    lane->executor->callbacks.parallel_for(lane->executor->callbacks.user, torsh_rt_run_range, job, tiles,
                                           grain);
  } else if (tiles / 2 >= grain && lane->slot) {
    ++lane->shared_kernels;
    lane->waits += (uint64_t)torsh_rt_pool_run(lane->executor->pool, lane->slot, job, tiles, grain, is_long,
                                               &lane->helpers);
  } else {
    run_alone(job, tiles, grain);
  }
}
