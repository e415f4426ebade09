/* Checks of the tensors that a caller hands in. */
#ifndef TORSH_RUNTIME_VALUES_H
#define TORSH_RUNTIME_VALUES_H

#include "torsh/artifact.h"
#include "torsh/torsh.h"

/* Bytes of a tensor of these dims; returns -1 when a dim is negative or the product overflows. */
int torsh_rt_byte_size(torsh_dtype dtype, uint32_t rank, const int64_t *dims, uint64_t *bytes);

/* Whether two buffers share a byte. One that is not placed yet is NULL and shares none. */
int torsh_rt_overlap(const void *a, uint64_t a_bytes, const void *b, uint64_t b_bytes);
/* Bytes of a tensor of the port's type in compiled code, where an element takes a byte at least; UINT64_MAX when a dim is
 * negative or the product overflows. */
uint64_t torsh_rt_stored_size(const torsh_port *port, const int64_t *dims);

/* "float32 [2, 3]" pieces for messages. */
const char *torsh_rt_dtype_name(torsh_dtype dtype, char buffer[24]);

/* Kind, dtype, rank, device and static dims of an input; with `with_data` also its data pointer and layout.
 */
torsh_status torsh_rt_check_input(const torsh_port *port, uint32_t index, const torsh_value *value,
                                  int with_data, torsh_error *error);

/* The same of an output whose buffer and shape the caller gave, against the dims that this run computes. */
torsh_status torsh_rt_check_output(const torsh_port *port, uint32_t index, const torsh_value *value,
                                   const int64_t *dims, torsh_error *error);

#endif
