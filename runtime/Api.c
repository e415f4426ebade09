/* The one exported function and its table. */
#include "Context.h"
#include "Executor.h"
#include "Log.h"
#include "Module.h"
#include "Run.h"
#include "RuntimeBuildId.h"
#include "State.h"
#include "Status.h"
#include "Width.h"

#include <stddef.h>

_Static_assert(sizeof(void *) == 8, "the C API is laid out for 64-bit systems");
_Static_assert(sizeof(torsh_tensor) == 48 && offsetof(torsh_tensor, shape) == 24 &&
                   offsetof(torsh_tensor, byte_offset) == 40,
               "torsh_tensor must have DLTensor's layout");
_Static_assert(sizeof(torsh_error) == 512, "torsh_error is part of the ABI");

static const char *runtime_build_id(void) { return TORSH_RUNTIME_BUILD_ID; }

static uint32_t executor_width(const torsh_executor *executor) { return executor ? executor->width : 0; }

static const torsh_api table = {
    .size = sizeof(torsh_api),
    .version = TORSH_API_VERSION,
    .runtime_build_id = runtime_build_id,
    .status_name = torsh_rt_status_name,
    .set_log = torsh_rt_set_log,
    .default_width = torsh_rt_default_width,
    .executor_create = torsh_rt_executor_create,
    .executor_create_custom = torsh_rt_executor_create_custom,
    .executor_destroy = torsh_rt_executor_release,
    .executor_width = executor_width,
    .verify_file = torsh_rt_verify_file,
    .load_file = torsh_rt_module_load,
    .module_destroy = torsh_rt_module_release,
    .module_info = torsh_rt_module_info,
    .input_info = torsh_rt_input_info,
    .output_info = torsh_rt_output_info,
    .context_create = torsh_rt_context_create,
    .context_destroy = torsh_rt_context_destroy,
    .set_memory_cap = torsh_rt_set_memory_cap,
    .trim = torsh_rt_trim,
    .output_dims = torsh_rt_output_dims,
    .run = torsh_rt_run,
    .cancel = torsh_rt_cancel,
    .get_stats = torsh_rt_get_stats,
    .set_trace = torsh_rt_set_trace,
    .record = torsh_rt_record,
    .state_create = torsh_rt_state_create,
    .state_destroy = torsh_rt_state_destroy,
    .state_reset = torsh_rt_state_reset,
    .state_count = torsh_rt_state_count,
    .state_info = torsh_rt_state_info,
    .state_tensor = torsh_rt_state_tensor,
    .step = torsh_rt_step,
};

const torsh_api *torsh_get_api(uint32_t version) { return version == TORSH_API_VERSION ? &table : NULL; }
