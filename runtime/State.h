/* The parameters and optimizer state of a train step, kept from step to step. */
#ifndef TORSH_RUNTIME_STATE_H
#define TORSH_RUNTIME_STATE_H

#include "Context.h"

torsh_status torsh_rt_state_create(torsh_module *module, torsh_state **state, torsh_error *error);
void torsh_rt_state_destroy(torsh_state *state);
torsh_status torsh_rt_state_reset(torsh_state *state);
uint32_t torsh_rt_state_count(const torsh_module *module);
torsh_status torsh_rt_state_info(const torsh_module *module, uint32_t index, torsh_state_info *info);
torsh_status torsh_rt_state_tensor(torsh_state *state, uint32_t index, torsh_value *value);
torsh_status torsh_rt_step(torsh_context *context, torsh_state *state, const torsh_value *inputs,
                           uint32_t num_inputs, torsh_value *outputs, uint32_t num_outputs,
                           torsh_error *error);

#endif
