#include "State.h"
#include "Run.h"
#include "Status.h"

#include <stdlib.h>
#include <string.h>

struct torsh_state {
  torsh_module *module;
  atomic_int busy;
  int64_t
      *step; /* the number of steps done, while no step is in flight; NULL for a program that does not ask */
  torsh_value *values; /* of all inputs; those of the slots point into `memory` */
  torsh_rt_arena memory;
};

static uint64_t rounded(uint64_t bytes) { return bytes ? (bytes + 63) / 64 * 64 : 64; }

torsh_status torsh_rt_state_reset(torsh_state *state) {
  if (!state)
    return TORSH_E_INVALID_ARGUMENT;
  const torsh_program *p = state->module->program;
  for (uint32_t s = 0; s < p->num_state_slots; ++s) {
    const torsh_state_slot *slot = &p->state_slots[s];
    void *data = state->values[slot->input].as.tensor.data;
    if (slot->initial < 0)
      memset(data, 0, slot->bytes);
    else
      memcpy(data, (const char *)state->module->weights.data + slot->initial, slot->bytes);
  }
  return TORSH_OK;
}

torsh_status torsh_rt_state_create(torsh_module *module, torsh_state **result, torsh_error *error) {
  torsh_rt_clear(error);
  if (!module || !result)
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT,
                         "state_create: the module or the result pointer is NULL.");
  *result = NULL;
  const torsh_program *p = module->program;
  if (!p->num_state_slots)
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT,
                         "the artifact keeps nothing from run to run; compile the model with --train-step.");
  torsh_state *state = calloc(1, sizeof(*state) + p->num_inputs * sizeof(torsh_value));
  if (!state)
    return torsh_rt_fail(error, TORSH_E_NO_MEMORY, "no memory for a state.");
  state->module = module;
  state->values = (torsh_value *)(void *)(state + 1);
  uint64_t total = 0, asked = 0;
  for (uint32_t s = 0; s < p->num_state_slots; ++s)
    if (__builtin_add_overflow(total, rounded(p->state_slots[s].bytes), &total))
      total = UINT64_MAX;
  if (total == UINT64_MAX || torsh_rt_arena_reserve(&state->memory, total, &asked)) {
    free(state);
    torsh_rt_fail(error, TORSH_E_NO_MEMORY, "the system has no memory for the parameters and their state.");
    if (error)
      error->needed = total;
    return TORSH_E_NO_MEMORY;
  }
  torsh_rt_module_retain(module);
  char *next = state->memory.data;
  for (uint32_t s = 0; s < p->num_state_slots; ++s) {
    const torsh_port *port = &p->inputs[p->state_slots[s].input];
    torsh_tensor *tensor = &state->values[p->state_slots[s].input].as.tensor;
    tensor->data = next;
    tensor->device = (torsh_device){TORSH_DEVICE_CPU, 0};
    tensor->ndim = port->rank;
    tensor->dtype = (torsh_dtype){port->dtype_code, port->dtype_bits, 1};
    tensor->shape = (int64_t *)(uintptr_t)port->dims; /* never written */
    if (p->state_slots[s].role == TORSH_STATE_STEP)
      state->step = (int64_t *)(void *)next;
    next += rounded(p->state_slots[s].bytes);
  }
  torsh_rt_state_reset(state);
  *result = state;
  return TORSH_OK;
}

void torsh_rt_state_destroy(torsh_state *state) {
  if (!state)
    return;
  torsh_rt_arena_release(&state->memory);
  torsh_rt_module_release(state->module);
  free(state);
}

uint32_t torsh_rt_state_count(const torsh_module *module) {
  return module ? module->program->num_state_slots : 0;
}

torsh_status torsh_rt_state_info(const torsh_module *module, uint32_t index, torsh_state_info *info) {
  if (!module || !info || info->size < sizeof(info->size) || index >= module->program->num_state_slots)
    return TORSH_E_INVALID_ARGUMENT;
  const torsh_state_slot *slot = &module->program->state_slots[index];
  const torsh_state_info all = {
      .size = sizeof(all),
      .role = slot->role,
      .input = slot->input,
      .reserved = 0,
      .bytes = slot->bytes,
      .name = module->program->inputs[slot->input].name,
      .initial = slot->initial < 0 ? NULL : (const char *)module->weights.data + slot->initial,
  };
  /* A caller built against an older header has a smaller struct; it gets the fields that it knows. */
  const size_t known = info->size < sizeof(all) ? info->size : sizeof(all);
  memcpy((char *)info + sizeof(info->size), (const char *)&all + sizeof(all.size), known - sizeof(all.size));
  return TORSH_OK;
}

torsh_status torsh_rt_state_tensor(torsh_state *state, uint32_t index, torsh_value *value) {
  if (!state || !value || index >= state->module->program->num_state_slots)
    return TORSH_E_INVALID_ARGUMENT;
  *value = state->values[state->module->program->state_slots[index].input];
  return TORSH_OK;
}

/* Which input of the program the next given one is: the slots are left out. */
static uint32_t skip_slots(const torsh_program *p, uint32_t input, uint32_t *slot) {
  while (*slot < p->num_state_slots && p->state_slots[*slot].input == input) {
    ++input;
    ++*slot;
  }
  return input;
}

static torsh_status step(torsh_context *context, torsh_state *state, const torsh_value *inputs,
                         uint32_t num_inputs, torsh_value *outputs, uint32_t num_outputs,
                         torsh_error *error) {
  const torsh_program *p = state->module->program;
  uint32_t input = 0, slot = 0;
  for (uint32_t i = 0; i < num_inputs; ++i) {
    input = skip_slots(p, input, &slot);
    state->values[input++] = inputs[i];
  }
  if (state->step)
    ++*state->step;
  torsh_status status = torsh_rt_run(context, state->values, p->num_inputs, outputs, num_outputs, error);
  if (status && state->step)
    --*state->step;
  return status;
}

torsh_status torsh_rt_step(torsh_context *context, torsh_state *state, const torsh_value *inputs,
                           uint32_t num_inputs, torsh_value *outputs, uint32_t num_outputs,
                           torsh_error *error) {
  torsh_rt_clear(error);
  if (!context || !state)
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT, "step: the context or the state is NULL.");
  if (context->module != state->module)
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT,
                         "step: the context and the state are of two modules.");
  const torsh_program *p = state->module->program;
  if (num_inputs != p->num_inputs - p->num_state_slots || (num_inputs && !inputs))
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT,
                         "a step takes %u inputs beside its parameters and state, but %u were given.",
                         p->num_inputs - p->num_state_slots, inputs ? num_inputs : 0);
  int idle = 0;
  if (!atomic_compare_exchange_strong(&state->busy, &idle, 1))
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT, "the state is in use by another step.");
  torsh_status status = step(context, state, inputs, num_inputs, outputs, num_outputs, error);
  atomic_store(&state->busy, 0);
  return status;
}
