/* Elements of fewer than 8 bits: they share bytes in callers' tensors, and take a byte each in compiled code. */
#ifndef TORSH_RUNTIME_PACKING_H
#define TORSH_RUNTIME_PACKING_H

#include "Context.h"

/* Whether some input or output of the program has such elements; without one nothing below is called. */
int torsh_rt_has_packed_ports(const torsh_program *program);

/* Bytes in which the inputs and outputs of this run lie unpacked; UINT64_MAX when they exceed 64 bits. */
uint64_t torsh_rt_unpacked_bytes(const torsh_context *context);

/* Unpacks inputs into context->unpacked, and lets the run read and write there. */
void torsh_rt_unpack_inputs(torsh_context *context);

/* After a run: the outputs are the callers' buffers again; with `filled` they get what the run wrote. */
void torsh_rt_pack_outputs(torsh_context *context, int filled);

#endif
