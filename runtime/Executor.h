/* Executors: who runs the ranges of a kernel. Shared by modules through a reference count. */
#ifndef TORSH_RUNTIME_EXECUTOR_H
#define TORSH_RUNTIME_EXECUTOR_H

#include "torsh/artifact.h"
#include "torsh/torsh.h"

#include <stdatomic.h>

/* One kernel call over [0, tiles), and the flag that ends it. */
typedef struct torsh_rt_job {
  torsh_kernel_fn fn;
  const void *const *in;
  void *const *out;
  const int64_t *dims;
  const atomic_int *cancelled;
} torsh_rt_job;

/* Runs [begin, end) of a job unless it was cancelled; a torsh_range_fn. */
int32_t torsh_rt_run_range(void *job, int64_t begin, int64_t end);

struct torsh_executor {
  atomic_uint references;
  uint32_t width;
  struct torsh_rt_pool *pool; /* NULL for a custom executor and for width 1 */
  torsh_executor_callbacks callbacks;
};

torsh_status torsh_rt_executor_create(const torsh_executor_options *options, torsh_executor **executor,
                                      torsh_error *error);
torsh_status torsh_rt_executor_create_custom(const torsh_executor_callbacks *callbacks,
                                             torsh_executor **executor, torsh_error *error);
void torsh_rt_executor_retain(torsh_executor *executor);
void torsh_rt_executor_release(torsh_executor *executor);

/* What a run holds between its begin and its end. */
typedef struct torsh_rt_lane {
  torsh_executor *executor;
  struct torsh_rt_slot *slot; /* the pool's slot for this run; NULL: the caller works alone */
  uint64_t kernels, shared_kernels, waits;
  unsigned helpers; /* other threads that did some of the last kernel */
} torsh_rt_lane;

void torsh_rt_lane_begin(torsh_rt_lane *lane, torsh_executor *executor);
/* Runs the job over [0, tiles) in ranges of at least `grain`, or of one when it is 0: then each tile takes long. Returns when no thread is in it any more. */
void torsh_rt_lane_run(torsh_rt_lane *lane, torsh_rt_job *job, int64_t tiles, int64_t grain);
void torsh_rt_lane_end(torsh_rt_lane *lane);

#endif
