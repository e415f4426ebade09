#include "Packing.h"
#include "Values.h"

#include <string.h>

static int is_packed(const torsh_port *port) { return !port->kind && port->dtype_bits < 8; }

/* Element i is the bits [i * bits, (i + 1) * bits) of the bytes, lowest first. */
static void unpack(const uint8_t *packed, uint8_t *elements, uint64_t count, unsigned bits) {
  const unsigned mask = (1u << bits) - 1;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t first = i * bits / 8, last = (i * bits + bits - 1) / 8;
    const unsigned pair = packed[first] | (unsigned)packed[last] << 8;
    elements[i] = (uint8_t)(pair >> (i * bits % 8) & mask);
  }
}

static void pack(const uint8_t *elements, uint8_t *packed, uint64_t count, unsigned bits) {
  const unsigned mask = (1u << bits) - 1;
  memset(packed, 0, (count * bits + 7) / 8);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t first = i * bits / 8, last = (i * bits + bits - 1) / 8;
    const unsigned pair = (elements[i] & mask) << (i * bits % 8);
    packed[first] |= (uint8_t)pair;
    if (last != first)
      packed[last] |= (uint8_t)(pair >> 8);
  }
}

int torsh_rt_has_packed_ports(const torsh_program *program) {
  for (uint32_t i = 0; i < program->num_inputs; ++i)
    if (is_packed(&program->inputs[i]))
      return 1;
  for (uint32_t i = 0; i < program->num_outputs; ++i)
    if (is_packed(&program->outputs[i]))
      return 1;
  return 0;
}

/* Room of a tensor: whole cache lines, and at least one. */
static uint64_t room(const torsh_port *port, const int64_t *dims) {
  const uint64_t bytes = torsh_rt_stored_size(port, dims);
  return bytes > UINT64_MAX - 63 ? UINT64_MAX : bytes ? (bytes + 63) / 64 * 64 : 64;
}

uint64_t torsh_rt_unpacked_bytes(const torsh_context *context) {
  const torsh_program *p = context->module->program;
  uint64_t total = 0;
  for (uint32_t i = 0; i < p->num_inputs; ++i)
    if (is_packed(&p->inputs[i]) &&
        __builtin_add_overflow(total, room(&p->inputs[i], context->input_dims[i]), &total))
      return UINT64_MAX;
  for (uint32_t i = 0; i < p->num_outputs; ++i)
    if (is_packed(&p->outputs[i]) &&
        __builtin_add_overflow(total, room(&p->outputs[i], context->output_dims[i]), &total))
      return UINT64_MAX;
  return total;
}

void torsh_rt_unpack_inputs(torsh_context *context) {
  const torsh_program *p = context->module->program;
  char *next = context->unpacked.data;
  for (uint32_t i = 0; i < p->num_inputs; ++i) {
    const torsh_port *port = &p->inputs[i];
    if (!is_packed(port))
      continue;
    unpack(context->input_data[i], (uint8_t *)next, torsh_rt_stored_size(port, context->input_dims[i]),
           port->dtype_bits);
    context->input_data[i] = next;
    next += room(port, context->input_dims[i]);
  }
  for (uint32_t i = 0; i < p->num_outputs; ++i) {
    if (!is_packed(&p->outputs[i]))
      continue;
    context->packed_outputs[i] = context->output_data[i];
    context->output_data[i] = next;
    next += room(&p->outputs[i], context->output_dims[i]);
  }
}

void torsh_rt_pack_outputs(torsh_context *context, int filled) {
  const torsh_program *p = context->module->program;
  for (uint32_t i = 0; i < p->num_outputs; ++i) {
    const torsh_port *port = &p->outputs[i];
    if (!is_packed(port))
      continue;
    if (filled)
      pack(context->output_data[i], context->packed_outputs[i],
           torsh_rt_stored_size(port, context->output_dims[i]), port->dtype_bits);
    context->output_data[i] = context->packed_outputs[i];
  }
}
