/* A context: one caller's memory and counters for the runs of a module. */
#ifndef TORSH_RUNTIME_CONTEXT_H
#define TORSH_RUNTIME_CONTEXT_H

#include "Arena.h"
#include "Module.h"
#include "Objects.h"
#include "Recorder.h"

typedef struct torsh_rt_counters {
  _Atomic uint64_t runs, failed_runs, total_ns, last_ns, arena_bytes, output_bytes, kernels, shared_kernels,
      waits, allocations;
} torsh_rt_counters;

struct torsh_context {
  torsh_module *module;
  atomic_int busy;
  atomic_int cancelled;
  uint64_t memory_cap;
  torsh_rt_arena workspace, outputs;
  torsh_rt_arena *born; /* BornSizes.h: one for each frame, then one for each output; none without frames */
  torsh_rt_arena unpacked; /* inputs and outputs of fewer than 8 bits an element, see Packing.h */
  int has_packed_ports;
  torsh_rt_objects objects; /* of the last run: what its outputs point to */
  int64_t *slots;           /* handles of inputs and then outputs that are objects */
  uint64_t asked;           /* times an arena asked the system for memory */
  torsh_rt_counters counters;
  torsh_trace_fn trace; /* NULL: nobody looks */
  void *trace_user;
  torsh_rt_recorder *recorder;            /* NULL: nothing is kept */
  struct torsh_rt_device_run *device_run; /* NULL before the first run on a GPU */
  /* What prepare() gave for `known_dims`. */
  int prepared;
  uint64_t workspace_bytes;
  int64_t *symbols;
  int64_t *known_dims;        /* the inputs' dims, one after the other */
  const int64_t **input_dims; /* for each input, the caller's dims */
  int64_t **output_dims;      /* for each output */
  uint64_t *output_bytes;     /* for each output */
  const void **input_data;
  void **output_data;
  void **packed_outputs; /* where output_data pointed before the run, for what is packed */
};

torsh_status torsh_rt_context_create(torsh_module *module, torsh_context **context, torsh_error *error);
void torsh_rt_context_destroy(torsh_context *context);
torsh_status torsh_rt_set_memory_cap(torsh_context *context, uint64_t bytes);
torsh_status torsh_rt_trim(torsh_context *context);
void torsh_rt_cancel(torsh_context *context);
torsh_status torsh_rt_get_stats(const torsh_context *context, torsh_stats *stats);
torsh_status torsh_rt_set_trace(torsh_context *context, torsh_trace_fn trace, void *user);
torsh_status torsh_rt_record(torsh_context *context, const char *path, torsh_error *error);

/* Marks the context as in use; returns 0 when it already is. */
int torsh_rt_context_enter(torsh_context *context);
void torsh_rt_context_leave(torsh_context *context);

#endif
