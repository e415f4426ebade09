#include "Context.h"
#include "BornSizes.h"
#include "DeviceRun.h"
#include "Packing.h"
#include "Status.h"

#include <stdlib.h>
#include <string.h>

static uint64_t sum_ranks(const torsh_port *ports, uint32_t count) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < count; ++i)
    sum += ports[i].rank;
  return sum;
}

torsh_status torsh_rt_context_create(torsh_module *module, torsh_context **result, torsh_error *error) {
  torsh_rt_clear(error);
  if (!module || !result)
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT,
                         "context_create: the module or the result pointer is NULL.");
  *result = NULL;
  const torsh_program *p = module->program;
  const uint64_t input_ranks = sum_ranks(p->inputs, p->num_inputs),
                 output_ranks = sum_ranks(p->outputs, p->num_outputs);
  /* One block: the struct, then arrays of 8-byte entries. */
  const size_t head = (sizeof(torsh_context) + 15) / 16 * 16;
  const size_t arenas = p->num_frames ? (size_t)p->num_frames + p->num_outputs : 0;
  const size_t entries = p->num_symbols + input_ranks + output_ranks + 2 * (size_t)p->num_inputs +
                         5 * (size_t)p->num_outputs + p->num_inputs + arenas * (sizeof(torsh_rt_arena) / 8);
  char *block = calloc(1, head + entries * 8);
  if (!block)
    return torsh_rt_fail(error, TORSH_E_NO_MEMORY, "no memory for a context.");
  torsh_context *context = (torsh_context *)(void *)block;
  int64_t *next = (int64_t *)(void *)(block + head);
  context->symbols = next;
  context->known_dims = next += p->num_symbols;
  int64_t *dims = next += input_ranks;
  context->input_dims = (const int64_t **)(void *)(next += output_ranks);
  context->input_data = (const void **)(void *)(next += p->num_inputs);
  context->output_dims = (int64_t **)(void *)(next += p->num_inputs);
  context->output_data = (void **)(void *)(next += p->num_outputs);
  context->packed_outputs = (void **)(void *)(next += p->num_outputs);
  context->output_bytes = (uint64_t *)(void *)(next += p->num_outputs);
  context->slots = next += p->num_outputs;
  context->born = (torsh_rt_arena *)(void *)(next += p->num_inputs + p->num_outputs);
  for (uint32_t i = 0; i < p->num_outputs; ++i) {
    context->output_dims[i] = dims;
    dims += p->outputs[i].rank;
  }
  context->module = module;
  context->memory_cap = module->memory_cap;
  context->has_packed_ports = torsh_rt_has_packed_ports(p);
  torsh_rt_module_retain(module);
  torsh_rt_recorder_begin(module, NULL, &context->recorder, NULL);
  *result = context;
  return TORSH_OK;
}

void torsh_rt_context_destroy(torsh_context *context) {
  if (!context)
    return;
  if (context->recorder) {
    torsh_error error;
    torsh_rt_recorder_end(context->recorder, &error);
  }
  torsh_rt_device_run_destroy(context->device_run);
  torsh_rt_arena_release(&context->workspace);
  torsh_rt_arena_release(&context->outputs);
  torsh_rt_born_release(context);
  torsh_rt_arena_release(&context->unpacked);
  torsh_rt_objects_clear(&context->objects);
  torsh_rt_module_release(context->module);
  free(context);
}

int torsh_rt_context_enter(torsh_context *context) {
  return !atomic_exchange_explicit(&context->busy, 1, memory_order_acquire);
}

void torsh_rt_context_leave(torsh_context *context) {
  atomic_store_explicit(&context->busy, 0, memory_order_release);
}

static void release_arenas(torsh_context *context) {
  torsh_rt_arena_release(&context->workspace);
  torsh_rt_arena_release(&context->outputs);
  torsh_rt_born_release(context);
  torsh_rt_arena_release(&context->unpacked);
  torsh_rt_objects_clear(&context->objects);
  atomic_store_explicit(&context->counters.arena_bytes, 0, memory_order_relaxed);
  atomic_store_explicit(&context->counters.output_bytes, 0, memory_order_relaxed);
}

torsh_status torsh_rt_set_memory_cap(torsh_context *context, uint64_t bytes) {
  if (!context || !torsh_rt_context_enter(context))
    return TORSH_E_INVALID_ARGUMENT;
  context->memory_cap = bytes;
  if (bytes && context->workspace.size + context->outputs.size + context->unpacked.size +
                       torsh_rt_born_bytes(context) >
                   bytes)
    release_arenas(context);
  torsh_rt_context_leave(context);
  return TORSH_OK;
}

torsh_status torsh_rt_set_trace(torsh_context *context, torsh_trace_fn trace, void *user) {
  if (!context || !torsh_rt_context_enter(context))
    return TORSH_E_INVALID_ARGUMENT;
  context->trace = trace;
  context->trace_user = user;
  torsh_rt_context_leave(context);
  return TORSH_OK;
}

torsh_status torsh_rt_record(torsh_context *context, const char *path, torsh_error *error) {
  torsh_rt_clear(error);
  if (!context || !torsh_rt_context_enter(context))
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT, "record: the context is NULL or in use.");
  torsh_status status = TORSH_OK;
  if (context->recorder)
    status = torsh_rt_recorder_end(context->recorder, error);
  context->recorder = NULL;
  if (!status && path)
    status = torsh_rt_recorder_begin(context->module, path, &context->recorder, error);
  torsh_rt_context_leave(context);
  return status;
}

torsh_status torsh_rt_trim(torsh_context *context) {
  if (!context || !torsh_rt_context_enter(context))
    return TORSH_E_INVALID_ARGUMENT;
  release_arenas(context);
  torsh_rt_device_run_destroy(context->device_run); /* the next run makes it anew */
  context->device_run = NULL;
  torsh_rt_context_leave(context);
  return TORSH_OK;
}

void torsh_rt_cancel(torsh_context *context) {
  if (context)
    atomic_store_explicit(&context->cancelled, 1, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *counter) {
  return atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)counter, memory_order_relaxed);
}

torsh_status torsh_rt_get_stats(const torsh_context *context, torsh_stats *stats) {
  if (!context || !stats || stats->size < sizeof(uint32_t))
    return TORSH_E_INVALID_ARGUMENT;
  const torsh_rt_counters *c = &context->counters;
  const torsh_stats all = {
      .size = stats->size,
      .runs = get(&c->runs),
      .failed_runs = get(&c->failed_runs),
      .total_ns = get(&c->total_ns),
      .last_ns = get(&c->last_ns),
      .arena_bytes = get(&c->arena_bytes),
      .output_bytes = get(&c->output_bytes),
      .kernels = get(&c->kernels),
      .shared_kernels = get(&c->shared_kernels),
      .waits = get(&c->waits),
      .allocations = get(&c->allocations),
  };
  memcpy(stats, &all, stats->size < sizeof(all) ? stats->size : sizeof(all));
  return TORSH_OK;
}
