#include "BornSizes.h"
#include "Status.h"
#include "Values.h"

#include <inttypes.h>
#include <string.h>

int torsh_rt_is_born(const torsh_context *context, uint32_t output) {
  for (uint32_t axis = 0; axis < context->module->program->outputs[output].rank; ++axis)
    if (context->output_dims[output][axis] < 0)
      return 1;
  return 0;
}

torsh_rt_arena *torsh_rt_born_output(const torsh_context *context, uint32_t output) {
  return &context->born[context->module->program->num_frames + output];
}

static uint32_t count_arenas(const torsh_program *p) {
  return p->num_frames ? p->num_frames + p->num_outputs : 0;
}

uint64_t torsh_rt_born_bytes(const torsh_context *context) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < count_arenas(context->module->program); ++i)
    sum += context->born[i].size;
  return sum;
}

void torsh_rt_born_release(torsh_context *context) {
  for (uint32_t i = 0; i < count_arenas(context->module->program); ++i)
    torsh_rt_arena_release(&context->born[i]);
}

static torsh_status reserve(torsh_rt_birth *birth, torsh_rt_arena *arena, uint64_t bytes) {
  torsh_context *context = birth->context;
  const uint64_t others = context->workspace.size + context->outputs.size + torsh_rt_born_bytes(context) -
                          arena->size + context->objects.bytes;
  if (context->memory_cap && bytes > arena->size &&
      (bytes > context->memory_cap || others > context->memory_cap - bytes)) {
    birth->status =
        torsh_rt_fail(birth->error, TORSH_E_MEMORY_CAP,
                      "this run needs %" PRIu64 " bytes for sizes that were born in it, besides %" PRIu64
                      "; the context is capped at %" PRIu64 ".",
                      bytes, others, context->memory_cap);
    if (birth->error)
      birth->error->needed = bytes;
    return birth->status;
  }
  /* At least one line, so that the pointer of an empty buffer is not NULL. */
  if (torsh_rt_arena_reserve(arena, bytes ? bytes : 64, &context->asked)) {
    birth->status = torsh_rt_fail(
        birth->error, TORSH_E_NO_MEMORY,
        "the system has no memory for %" PRIu64 " bytes of sizes that were born in this run.", bytes);
    if (birth->error)
      birth->error->needed = bytes;
  }
  atomic_store_explicit(&context->counters.allocations, context->asked, memory_order_relaxed);
  return birth->status;
}

int32_t torsh_rt_birth_frame(torsh_rt_birth *birth, uint32_t slot, uint64_t bytes, void **data) {
  torsh_rt_arena *arena = &birth->context->born[slot];
  if (reserve(birth, arena, bytes))
    return birth->status;
  *data = arena->data;
  return TORSH_OK;
}

/* Kernels rely on it that outputs overlap nothing. */
static torsh_status check_overlap(torsh_rt_birth *birth, uint32_t index) {
  const torsh_context *context = birth->context;
  const torsh_program *p = context->module->program;
  const void *data = context->output_data[index];
  const uint64_t size = context->output_bytes[index];
  for (uint32_t i = 0; i < p->num_inputs; ++i) {
    const torsh_dtype dtype = {p->inputs[i].dtype_code, p->inputs[i].dtype_bits, 1};
    uint64_t bytes = 0;
    torsh_rt_byte_size(dtype, p->inputs[i].rank, context->input_dims[i], &bytes);
    if (torsh_rt_overlap(context->input_data[i], bytes, data, size))
      return torsh_rt_fail_at(birth->error, TORSH_E_LAYOUT, (int32_t)i, -1,
                              "the buffers of input %u (\"%s\") and output %u (\"%s\") overlap.", i,
                              p->inputs[i].name, index, p->outputs[index].name);
  }
  for (uint32_t j = 0; j < p->num_outputs; ++j)
    if (j != index && torsh_rt_overlap(context->output_data[j], context->output_bytes[j], data, size))
      return torsh_rt_fail_at(birth->error, TORSH_E_LAYOUT, (int32_t)j, -1,
                              "the buffers of outputs %u and %u overlap.", j, index);
  return TORSH_OK;
}

int32_t torsh_rt_birth_output(torsh_rt_birth *birth, uint32_t index, const int64_t *dims, void **data) {
  torsh_context *context = birth->context;
  const torsh_port *port = &context->module->program->outputs[index];
  const torsh_value *value = &birth->outputs[index];
  const torsh_dtype dtype = {port->dtype_code, port->dtype_bits, 1};
  uint64_t *bytes = &context->output_bytes[index];
  if (port->rank)
    memcpy(context->output_dims[index], dims, port->rank * sizeof(int64_t));
  if (torsh_rt_byte_size(dtype, port->rank, dims, bytes))
    return birth->status = torsh_rt_fail_at(birth->error, TORSH_E_SHAPE, (int32_t)index, -1,
                                            "output %u (\"%s\") would have a negative or too large size.",
                                            index, port->name);
  *data = context->output_data[index];
  if (!*data) {
    torsh_rt_arena *arena = torsh_rt_born_output(context, index);
    if (!reserve(birth, arena, *bytes))
      *data = context->output_data[index] = arena->data;
    return birth->status;
  }
  if ((birth->status = check_overlap(birth, index)))
    return birth->status;
  if (value->as.tensor.shape || !port->rank)
    return birth->status = torsh_rt_check_output(port, index, value, dims, birth->error);
  if (value->capacity >= *bytes)
    return TORSH_OK;
  birth->status = torsh_rt_fail_at(birth->error, TORSH_E_SHAPE, (int32_t)index, -1,
                                   "output %u (\"%s\") needs %" PRIu64 " bytes; the buffer has %" PRIu64 ".",
                                   index, port->name, *bytes, value->capacity);
  if (birth->error)
    birth->error->needed = *bytes;
  return birth->status;
}

int32_t torsh_rt_birth_refuse(torsh_rt_birth *birth, uint32_t guard, int64_t actual, int64_t expected) {
  const torsh_program *p = birth->context->module->program;
  return birth->status = torsh_rt_fail_at(
             birth->error, TORSH_E_SHAPE, -1, -1,
             "the sizes of this run do not fit together: %s (left side %" PRId64 ", right side %" PRId64 ").",
             guard < p->num_guards ? p->guards[guard] : "unnamed guard", actual, expected);
}
