/* One inference: check, prepare, place, run. */
#ifndef TORSH_RUNTIME_RUN_H
#define TORSH_RUNTIME_RUN_H

#include "Context.h"

torsh_status torsh_rt_output_dims(torsh_context *context, const torsh_value *inputs, uint32_t num_inputs,
                                  torsh_value *outputs, uint32_t num_outputs, uint64_t *workspace_bytes,
                                  torsh_error *error);
torsh_status torsh_rt_run(torsh_context *context, const torsh_value *inputs, uint32_t num_inputs,
                          torsh_value *outputs, uint32_t num_outputs, torsh_error *error);

#endif
