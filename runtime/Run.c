#include "Run.h"
#include "BornSizes.h"
#include "DeviceRun.h"
#include "Log.h"
#include "ObjectValues.h"
#include "Packing.h"
#include "Status.h"
#include "Values.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static void add(_Atomic uint64_t *counter, uint64_t value) {
  atomic_fetch_add_explicit(counter, value, memory_order_relaxed);
}

static void set(_Atomic uint64_t *counter, uint64_t value) {
  atomic_store_explicit(counter, value, memory_order_relaxed);
}

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* --- Shapes
 * ----------------------------------------------------------------------------------------------------- */

static torsh_status refuse_shape(const torsh_program *p, const torsh_shape_error *why, torsh_error *error) {
  if (why->input >= 0 && (uint32_t)why->input < p->num_inputs) {
    const torsh_port *port = &p->inputs[why->input];
    const char *dim = why->axis >= 0 && why->axis < port->rank ? port->dim_names[why->axis] : "?";
    return torsh_rt_fail_at(error, TORSH_E_SHAPE, why->input, why->axis,
                            "input %d (\"%s\"): axis %d (%s) must have size %" PRId64 ", got %" PRId64 ".",
                            why->input, port->name, why->axis, dim, why->expected, why->actual);
  }
  const char *guard =
      why->axis >= 0 && (uint32_t)why->axis < p->num_guards ? p->guards[why->axis] : "unnamed guard";
  return torsh_rt_fail_at(error, TORSH_E_SHAPE, -1, -1,
                          "the sizes of the inputs do not fit together: %s (left side %" PRId64
                          ", right side %" PRId64 ").",
                          guard, why->actual, why->expected);
}

/* Whether the inputs have the dims of the last successful prepare(). */
static int dims_are_known(const torsh_context *context, const torsh_program *p) {
  const int64_t *known = context->known_dims;
  if (p->num_frames) /* the last run filled in what prepare() left open */
    return 0;
  for (uint32_t i = 0; i < p->num_inputs; known += p->inputs[i++].rank)
    if (p->inputs[i].rank && memcmp(known, context->input_dims[i], p->inputs[i].rank * sizeof(int64_t)) != 0)
      return 0;
  return context->prepared;
}

/* Symbols, output dims and workspace size for the dims in context->input_dims. */
static torsh_status prepare(torsh_context *context, torsh_error *error) {
  const torsh_program *p = context->module->program;
  if (dims_are_known(context, p))
    return TORSH_OK;
  context->prepared = 0;
  torsh_shape_error why = {-1, -1, 0, 0};
  if (p->prepare(context->input_dims, context->symbols, context->output_dims, &context->workspace_bytes,
                 &why))
    return refuse_shape(p, &why, error);
  for (uint32_t i = 0; i < p->num_outputs; ++i) {
    const torsh_dtype dtype = {p->outputs[i].dtype_code, p->outputs[i].dtype_bits, 1};
    context->output_bytes[i] = 0;
    if (!torsh_rt_is_born(context, i) &&
        torsh_rt_byte_size(dtype, p->outputs[i].rank, context->output_dims[i], &context->output_bytes[i]))
      return torsh_rt_fail_at(error, TORSH_E_SHAPE, (int32_t)i, -1,
                              "output %u (\"%s\") would have a negative or too large size for these inputs.",
                              i, p->outputs[i].name);
  }
  int64_t *known = context->known_dims;
  for (uint32_t i = 0; i < p->num_inputs; known += p->inputs[i++].rank)
    if (p->inputs[i].rank)
      memcpy(known, context->input_dims[i], p->inputs[i].rank * sizeof(int64_t));
  context->prepared = 1;
  return TORSH_OK;
}

static torsh_status take_inputs(torsh_context *context, const torsh_value *inputs, uint32_t num_inputs,
                                int with_data, torsh_error *error) {
  const torsh_program *p = context->module->program;
  if (num_inputs != p->num_inputs || (num_inputs && !inputs))
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT, "the model has %u inputs, but %u were given.",
                         p->num_inputs, inputs ? num_inputs : 0);
  for (uint32_t i = 0; i < num_inputs; ++i) {
    if (p->inputs[i].kind) {
      context->input_dims[i] = NULL; /* a handle has rank 0 */
      context->input_data[i] = &context->slots[i];
      continue;
    }
    torsh_status status = torsh_rt_check_input(&p->inputs[i], i, &inputs[i], with_data, error);
    if (status)
      return status;
    context->input_dims[i] = inputs[i].as.tensor.shape;
    if (with_data)
      context->input_data[i] = (const char *)inputs[i].as.tensor.data + inputs[i].as.tensor.byte_offset;
  }
  return prepare(context, error);
}

/* Makes objects of the inputs that are not tensors. `past` receives those of the run before: inputs may point into them. */
static torsh_status take_objects(torsh_context *context, const torsh_value *inputs, torsh_rt_objects *past,
                                 torsh_error *error) {
  const torsh_program *p = context->module->program;
  torsh_rt_objects fresh = {0};
  if (context->memory_cap) {
    const uint64_t others = context->workspace.size + context->outputs.size + torsh_rt_born_bytes(context);
    fresh.most = others < context->memory_cap ? context->memory_cap - others : 1;
  }
  torsh_status status = TORSH_OK;
  for (uint32_t i = 0; i < p->num_inputs && !status; ++i)
    if (p->inputs[i].kind)
      status = torsh_rt_object_from_value(&fresh, &p->inputs[i], i, &inputs[i], &context->slots[i], error);
  *past = status ? fresh : context->objects;
  if (!status)
    context->objects = fresh;
  return status;
}

/* The bytes of an input's buffer. */
static uint64_t input_bytes(const torsh_context *context, const torsh_value *inputs, uint32_t i) {
  const torsh_port *port = &context->module->program->inputs[i];
  uint64_t bytes = 0;
  if (!port->kind)
    torsh_rt_byte_size(inputs[i].as.tensor.dtype, port->rank, inputs[i].as.tensor.shape, &bytes);
  return bytes;
}

/* The dims live in the context; a caller's own shape array is left as it is. */
static void describe_output(const torsh_context *context, uint32_t index, torsh_value *value) {
  const torsh_port *port = &context->module->program->outputs[index];
  if (port->kind) {
    memset(&value->as, 0, sizeof(value->as));
    value->tag = port->kind & 255;
    return;
  }
  value->tag = TORSH_VALUE_TENSOR;
  value->as.tensor.device = (torsh_device){TORSH_DEVICE_CPU, 0};
  value->as.tensor.ndim = (int32_t)port->rank;
  value->as.tensor.dtype = (torsh_dtype){port->dtype_code, port->dtype_bits, 1};
  value->as.tensor.shape = context->output_dims[index];
  value->as.tensor.strides = NULL;
}

static torsh_status check_output_count(const torsh_context *context, const torsh_value *outputs,
                                       uint32_t num_outputs, torsh_error *error) {
  const uint32_t expected = context->module->program->num_outputs;
  if (num_outputs == expected && (outputs || !num_outputs))
    return TORSH_OK;
  return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT, "the model has %u outputs, but %u were given.",
                       expected, outputs ? num_outputs : 0);
}

/* --- Outputs
 * ---------------------------------------------------------------------------------------------------- */

static int is_owned(const torsh_value *value) {
  return value->flags & TORSH_VALUE_CONTEXT_OWNED || !value->as.tensor.data;
}

/* Checks the caller's buffers, and sums what the context must give. */
static torsh_status take_outputs(torsh_context *context, const torsh_value *outputs, uint64_t *owned_bytes,
                                 torsh_error *error) {
  const torsh_program *p = context->module->program;
  *owned_bytes = 0;
  for (uint32_t i = 0; i < p->num_outputs; ++i) {
    const torsh_value *value = &outputs[i];
    const uint64_t bytes = context->output_bytes[i];
    context->output_data[i] = NULL;
    if (p->outputs[i].kind) {
      context->output_data[i] = &context->slots[p->num_inputs + i];
      continue;
    }
    if (torsh_rt_is_born(context, i)) {
      /* Room and dims are looked at when the run knows them. */
      if (value->tag != TORSH_VALUE_TENSOR)
        return torsh_rt_check_output(&p->outputs[i], i, value, context->output_dims[i], error);
      if (!is_owned(value))
        context->output_data[i] = (char *)value->as.tensor.data + value->as.tensor.byte_offset;
      continue;
    }
    if (value->tag == TORSH_VALUE_TENSOR && is_owned(value)) {
      /* At least one line each, so that the pointer of an empty output is not NULL. */
      uint64_t room = bytes ? (bytes + 63) / 64 * 64 : 64;
      if (__builtin_add_overflow(*owned_bytes, room, owned_bytes))
        return torsh_rt_fail_at(error, TORSH_E_NO_MEMORY, (int32_t)i, -1,
                                "the outputs exceed 64 bits of memory.");
      continue;
    }
    if (value->tag == TORSH_VALUE_TENSOR && !value->as.tensor.shape && p->outputs[i].rank) {
      if (value->capacity < bytes) {
        torsh_rt_fail_at(error, TORSH_E_SHAPE, (int32_t)i, -1,
                         "output %u (\"%s\") needs %" PRIu64 " bytes; the buffer has %" PRIu64 ".", i,
                         p->outputs[i].name, bytes, value->capacity);
        if (error)
          error->needed = bytes;
        return TORSH_E_SHAPE;
      }
    } else {
      torsh_status status = torsh_rt_check_output(&p->outputs[i], i, value, context->output_dims[i], error);
      if (status)
        return status;
    }
    context->output_data[i] = (char *)value->as.tensor.data + value->as.tensor.byte_offset;
  }
  return TORSH_OK;
}

/* What a step writes over must not be read under another name. */
static torsh_status check_state_overlap(const torsh_context *context, const torsh_value *inputs,
                                        torsh_error *error) {
  const torsh_program *p = context->module->program;
  for (uint32_t s = 0; s < p->num_state_slots; ++s) {
    const uint32_t i = p->state_slots[s].input;
    if (p->state_slots[s].role == TORSH_STATE_STEP)
      continue;
    for (uint32_t j = 0; j < p->num_inputs; ++j) {
      const uint64_t bytes = input_bytes(context, inputs, j);
      if (i != j &&
          torsh_rt_overlap(context->input_data[i], p->state_slots[s].bytes, context->input_data[j], bytes))
        return torsh_rt_fail_at(
            error, TORSH_E_LAYOUT, (int32_t)i, -1,
            "a step writes over input %u (\"%s\"), whose buffer overlaps that of input %u "
            "(\"%s\"); give each a buffer of its own.",
            i, p->inputs[i].name, j, p->inputs[j].name);
    }
  }
  return TORSH_OK;
}

/* Kernels rely on it that outputs overlap nothing. Called before the context's outputs are placed: what lies
 * in the old block would be lost with it. */
static torsh_status check_overlap(const torsh_context *context, const torsh_value *inputs,
                                  uint64_t owned_bytes, torsh_error *error) {
  const torsh_program *p = context->module->program;
  for (uint32_t i = 0; i < p->num_inputs; ++i) {
    const uint64_t bytes = input_bytes(context, inputs, i);
    if (owned_bytes &&
        torsh_rt_overlap(context->input_data[i], bytes, context->outputs.data, context->outputs.size))
      return torsh_rt_fail_at(
          error, TORSH_E_LAYOUT, (int32_t)i, -1,
          "input %u (\"%s\") is an output that this context owns, and this run would overwrite it. "
          "Copy it, or give output buffers.",
          i, p->inputs[i].name);
    for (uint32_t j = 0; j < p->num_outputs && p->num_frames; ++j) {
      const torsh_rt_arena *arena = torsh_rt_born_output(context, j);
      if (torsh_rt_overlap(context->input_data[i], bytes, arena->data, arena->size))
        return torsh_rt_fail_at(
            error, TORSH_E_LAYOUT, (int32_t)i, -1,
            "input %u (\"%s\") is an output that this context owns, and this run would overwrite "
            "it. Copy it, or give output buffers.",
            i, p->inputs[i].name);
    }
    for (uint32_t j = 0; j < p->num_outputs; ++j)
      if (torsh_rt_overlap(context->input_data[i], bytes, context->output_data[j], context->output_bytes[j]))
        return torsh_rt_fail_at(error, TORSH_E_LAYOUT, (int32_t)i, -1,
                                "the buffers of input %u (\"%s\") and output %u (\"%s\") overlap.", i,
                                p->inputs[i].name, j, p->outputs[j].name);
  }
  for (uint32_t i = 0; i < p->num_outputs; ++i)
    for (uint32_t j = i + 1; j < p->num_outputs; ++j)
      if (torsh_rt_overlap(context->output_data[i], context->output_bytes[i], context->output_data[j],
                           context->output_bytes[j]))
        return torsh_rt_fail_at(error, TORSH_E_LAYOUT, (int32_t)i, -1,
                                "the buffers of outputs %u and %u overlap.", i, j);
  return check_state_overlap(context, inputs, error);
}

/* --- Memory
 * ----------------------------------------------------------------------------------------------------- */

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

static torsh_status reserve(torsh_context *context, uint64_t owned_bytes, torsh_error *error) {
  const uint64_t unpacked_bytes = context->has_packed_ports ? torsh_rt_unpacked_bytes(context) : 0;
  uint64_t needed;
  if (__builtin_add_overflow(context->workspace_bytes, owned_bytes, &needed) ||
      __builtin_add_overflow(needed, unpacked_bytes, &needed))
    needed = UINT64_MAX;
  if (context->memory_cap && needed > context->memory_cap) {
    torsh_rt_fail(error, TORSH_E_MEMORY_CAP,
                  "this run needs %" PRIu64 " bytes; the context is capped at %" PRIu64 ".", needed,
                  context->memory_cap);
    if (error)
      error->needed = needed;
    return TORSH_E_MEMORY_CAP;
  }
  /* What two runs of different shapes left behind may together exceed the cap. */
  if (context->memory_cap && larger(context->workspace.size, context->workspace_bytes) +
                                     larger(context->outputs.size, owned_bytes) +
                                     larger(context->unpacked.size, unpacked_bytes) >
                                 context->memory_cap) {
    torsh_rt_arena_release(&context->workspace);
    torsh_rt_arena_release(&context->outputs);
    torsh_rt_arena_release(&context->unpacked);
  }
  int failed = torsh_rt_arena_reserve(&context->workspace, context->workspace_bytes, &context->asked) ||
               torsh_rt_arena_reserve(&context->outputs, owned_bytes, &context->asked) ||
               torsh_rt_arena_reserve(&context->unpacked, unpacked_bytes, &context->asked);
  set(&context->counters.arena_bytes, context->workspace.size + context->unpacked.size);
  set(&context->counters.output_bytes, context->outputs.size);
  set(&context->counters.allocations, context->asked);
  if (!failed)
    return TORSH_OK;
  torsh_rt_fail(error, TORSH_E_NO_MEMORY, "the system has no memory for the %" PRIu64 " bytes of this run.",
                needed);
  if (error)
    error->needed = needed;
  return TORSH_E_NO_MEMORY;
}

static void place_outputs(torsh_context *context) {
  char *next = context->outputs.data;
  for (uint32_t i = 0; i < context->module->program->num_outputs; ++i) {
    if (context->output_data[i] || torsh_rt_is_born(context, i))
      continue;
    context->output_data[i] = next;
    next += context->output_bytes[i] ? (context->output_bytes[i] + 63) / 64 * 64 : 64;
  }
}

/* --- Run
 * -------------------------------------------------------------------------------------------------------- */

typedef struct flight {
  torsh_rt_lane lane;
  const torsh_context *context;
  torsh_rt_device_run *device; /* NULL: this run is on the CPU */
  torsh_rt_birth birth;
  int is_watched;
} flight;

static void tell(const flight *f, torsh_kernel_event *event, unsigned threads) {
  torsh_rt_recorder *recorder = f->context->recorder;
  event->end_ns = now_ns();
  if (recorder)
    torsh_rt_recorder_add(recorder, (uint32_t)event->launch, event->start_ns, event->end_ns, threads);
  if (f->context->trace)
    f->context->trace(f->context->trace_user, event);
}

static torsh_kernel_event start_event(const flight *f, uint32_t launch, int64_t tiles) {
  const torsh_program *program = f->context->module->program;
  const uint32_t kernel = program->launch_kernels[launch];
  torsh_kernel_event event = {sizeof(event), kernel, program->kernel_names[kernel], launch, tiles, 0, 0};
  event.start_ns = now_ns();
  return event;
}

static void run_watched(flight *f, torsh_rt_job *job, int64_t tiles, int64_t grain, uint32_t launch) {
  torsh_kernel_event event = start_event(f, launch, tiles);
  torsh_rt_lane_run(&f->lane, job, tiles, grain);
  tell(f, &event, 1 + f->lane.helpers);
}

/* Gives the call to the GPU. Returns 0 when it is done there, 1 when the CPU has to run it, else a status. */
static int32_t call_device(flight *f, uint32_t launch, const void *const *in, void *const *out,
                           const int64_t *dims) {
  torsh_rt_device_run *run = f->device;
  torsh_kernel_event event = start_event(f, launch, 1);
  torsh_rt_device_answer answer = torsh_rt_device_call(run, launch, in, out, dims);
  if (answer == TORSH_RT_DEVICE_TO_CPU)
    return 1;
  if (answer == TORSH_RT_DEVICE_DONE && (!f->is_watched || !torsh_rt_device_wait(run))) {
    if (f->is_watched)
      tell(f, &event, 1);
    return 0;
  }
  atomic_store_explicit(&run->device->failed, 1, memory_order_relaxed);
  if (run->launches)
    return TORSH_E_DEVICE;
  /* Nothing has been computed there yet, so the host has it all. */
  torsh_rt_log(TORSH_LOG_WARNING, "the GPU is given up, and all runs go to the CPU: %s.", run->why);
  torsh_rt_device_end(run);
  f->device = NULL;
  return 1;
}

static int32_t host_parallel_for(void *opaque, torsh_kernel_fn fn, const void *const *in, void *const *out,
                                 const int64_t *dims, int64_t tiles, int64_t grain, uint32_t launch) {
  flight *f = opaque;
  if (f->device) {
    const int32_t answer = atomic_load_explicit(&f->context->cancelled, memory_order_relaxed)
                               ? TORSH_E_CANCELLED
                               : call_device(f, launch, in, out, dims);
    if (answer != 1)
      return answer;
  }
  torsh_rt_job job = {fn, in, out, dims, &f->context->cancelled};
  if (f->is_watched)
    run_watched(f, &job, tiles, grain, launch);
  else
    torsh_rt_lane_run(&f->lane, &job, tiles, grain);
  return atomic_load_explicit(job.cancelled, memory_order_relaxed) ? TORSH_E_CANCELLED : TORSH_OK;
}

static int32_t host_frame(void *opaque, uint32_t slot, uint64_t bytes, void **data) {
  return torsh_rt_birth_frame(&((flight *)opaque)->birth, slot, bytes, data);
}

static int32_t host_output(void *opaque, uint32_t index, const int64_t *dims, void **data) {
  return torsh_rt_birth_output(&((flight *)opaque)->birth, index, dims, data);
}

static int32_t host_refuse(void *opaque, uint32_t guard, int64_t actual, int64_t expected) {
  return torsh_rt_birth_refuse(&((flight *)opaque)->birth, guard, actual, expected);
}

static int32_t host_object(void *opaque, const torsh_object_call *call, const void *const *in,
                           void *const *out, const int64_t *dims) {
  flight *f = opaque;
  if (atomic_load_explicit(&f->context->cancelled, memory_order_relaxed))
    return TORSH_E_CANCELLED;
  return f->birth.status = torsh_rt_object_do(&f->birth.context->objects, call, in, out, dims);
}

static torsh_status fly(torsh_context *context, const torsh_value *outputs, torsh_error *error) {
  torsh_module *module = context->module;
  flight f;
  f.context = context;
  f.birth = (torsh_rt_birth){context, outputs, error, TORSH_OK};
  f.is_watched = context->trace || context->recorder;
  f.device = module->device ? torsh_rt_device_begin(context) : NULL;
  context->objects.error = error;
  torsh_rt_lane_begin(&f.lane, module->executor);
  const torsh_host host = {sizeof(host), 0,           &f,          host_parallel_for,
                           host_frame,   host_output, host_refuse, host_object};
  int32_t result = module->program->run(&host, module->kernels, module->weights.data, context->input_data,
                                        context->output_data, context->workspace.data, context->symbols);
  torsh_rt_lane_end(&f.lane);
  context->objects.error = NULL;
  if (f.device) {
    if (result == TORSH_OK && torsh_rt_device_finish(f.device, context))
      result = TORSH_E_DEVICE;
    else if (result != TORSH_OK)
      torsh_rt_device_wait(f.device); /* the host's buffers are the caller's again */
    torsh_rt_device_end(f.device);
  }
  add(&context->counters.kernels, f.lane.kernels);
  add(&context->counters.shared_kernels, f.lane.shared_kernels);
  add(&context->counters.waits, f.lane.waits);
  if (result == TORSH_OK)
    return TORSH_OK;
  if (f.birth.status)
    return f.birth.status;
  if (result == TORSH_E_CANCELLED)
    return torsh_rt_fail(error, TORSH_E_CANCELLED, "the run was cancelled.");
  if (result == TORSH_E_DEVICE) {
    atomic_store_explicit(&module->device->failed, 1, memory_order_relaxed);
    return torsh_rt_fail(error, result,
                         "the GPU failed during the run: %s. Later runs of this module are on the CPU.",
                         context->device_run->why);
  }
  return torsh_rt_fail(error, result, "the model's code ended with status %d.", result);
}

static torsh_status checked_run(torsh_context *context, const torsh_value *inputs, uint32_t num_inputs,
                                torsh_value *outputs, uint32_t num_outputs, torsh_error *error) {
  uint64_t owned_bytes;
  torsh_rt_objects past = {0};
  torsh_status status = check_output_count(context, outputs, num_outputs, error);
  if (!status)
    status = take_inputs(context, inputs, num_inputs, 1, error);
  if (!status)
    status = take_outputs(context, outputs, &owned_bytes, error);
  if (!status)
    status = check_overlap(context, inputs, owned_bytes, error);
  if (!status)
    status = reserve(context, owned_bytes, error);
  if (!status)
    status = take_objects(context, inputs, &past, error);
  if (status) {
    torsh_rt_objects_clear(&past);
    return status;
  }
  place_outputs(context);
  if (context->recorder)
    torsh_rt_recorder_start_run(context->recorder, context->symbols);
  if (context->has_packed_ports)
    torsh_rt_unpack_inputs(context);
  status = fly(context, outputs, error);
  if (context->has_packed_ports)
    torsh_rt_pack_outputs(context, status == TORSH_OK);
  torsh_rt_objects_clear(&past);
  const torsh_port *ports = context->module->program->outputs;
  const int64_t *slots = context->slots + num_inputs;
  for (uint32_t i = 0; i < num_outputs && !status; ++i) {
    if (ports[i].kind)
      status = torsh_rt_object_to_value(&context->objects, &ports[i], i, slots[i], &outputs[i], error);
    else if (is_owned(&outputs[i])) {
      describe_output(context, i, &outputs[i]);
      outputs[i].flags |= TORSH_VALUE_CONTEXT_OWNED;
      outputs[i].as.tensor.data = context->output_data[i];
      outputs[i].as.tensor.byte_offset = 0;
    } else if (!outputs[i].as.tensor.shape) {
      describe_output(context, i, &outputs[i]);
    }
  }
  return status;
}

torsh_status torsh_rt_run(torsh_context *context, const torsh_value *inputs, uint32_t num_inputs,
                          torsh_value *outputs, uint32_t num_outputs, torsh_error *error) {
  torsh_rt_clear(error);
  if (!context)
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT, "run: the context is NULL.");
  if (!torsh_rt_context_enter(context))
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT,
                         "the context is in use by another call; give every thread a context of its own.");
  const uint64_t start = now_ns();
  atomic_store_explicit(&context->cancelled, 0, memory_order_relaxed);
  torsh_status status = checked_run(context, inputs, num_inputs, outputs, num_outputs, error);
  if (status) {
    add(&context->counters.failed_runs, 1);
  } else {
    const uint64_t end = now_ns(), elapsed = end - start;
    if (context->recorder)
      torsh_rt_recorder_add(context->recorder, TORSH_RT_RECORDED_RUN, start, end, 0);
    add(&context->counters.runs, 1);
    add(&context->counters.total_ns, elapsed);
    set(&context->counters.last_ns, elapsed);
  }
  torsh_rt_context_leave(context);
  return status;
}

torsh_status torsh_rt_output_dims(torsh_context *context, const torsh_value *inputs, uint32_t num_inputs,
                                  torsh_value *outputs, uint32_t num_outputs, uint64_t *workspace_bytes,
                                  torsh_error *error) {
  torsh_rt_clear(error);
  if (!context)
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT, "output_dims: the context is NULL.");
  if (!torsh_rt_context_enter(context))
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT,
                         "the context is in use by another call; give every thread a context of its own.");
  torsh_status status = outputs ? check_output_count(context, outputs, num_outputs, error) : TORSH_OK;
  if (!status)
    status = take_inputs(context, inputs, num_inputs, 0, error);
  for (uint32_t i = 0; i < num_outputs && outputs && !status; ++i)
    describe_output(context, i, &outputs[i]);
  if (!status && workspace_bytes)
    *workspace_bytes = context->workspace_bytes;
  torsh_rt_context_leave(context);
  return status;
}
