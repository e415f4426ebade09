/* Serves an artifact of this project, over the public C interface. */
#include <string.h>

#include "host.h"
#include "torsh/torsh.h"

static const torsh_api *api;
static torsh_module *module;
static torsh_context *context;
static torsh_value *in, *out;
static uint32_t num_in, num_out;
static torsh_error error;

static void open_runtime(const char *library) {
  (void)library;
  api = torsh_get_api(TORSH_API_VERSION);
  if (!api)
    host_fail("this runtime", "has another version of its interface");
}

static void load(const char *model, unsigned threads) {
  torsh_load_options options = {.size = sizeof options, .threads = threads};
  if (api->load_file(model, &options, &module, &error) || api->context_create(module, &context, &error))
    host_fail("cannot load the artifact", error.message);
}

static torsh_dtype dtype_of(host_type type) {
  static const torsh_dtype table[HOST_TYPES] = {{TORSH_DTYPE_FLOAT, 32, 1},
                                                {TORSH_DTYPE_FLOAT, 64, 1},
                                                {TORSH_DTYPE_INT, 32, 1},
                                                {TORSH_DTYPE_INT, 64, 1},
                                                {TORSH_DTYPE_BOOL, 8, 1}};
  return table[type];
}

static torsh_value *values_of(host_array *arrays, size_t count) {
  torsh_value *values = host_allocate((count + 1) * sizeof *values);
  for (size_t i = 0; i < count; i++) {
    torsh_tensor *tensor = &values[i].as.tensor;
    tensor->device.type = TORSH_DEVICE_CPU;
    tensor->dtype = dtype_of(arrays[i].type);
    tensor->ndim = arrays[i].rank;
    tensor->shape = arrays[i].shape;
    tensor->data = arrays[i].data;
  }
  return values;
}

static void bind(host_array *inputs, size_t num_inputs, host_array *outputs, size_t num_outputs) {
  in = values_of(inputs, num_inputs);
  out = values_of(outputs, num_outputs);
  num_in = (uint32_t)num_inputs;
  num_out = (uint32_t)num_outputs;
}

static void run(void) {
  if (api->run(context, in, num_in, out, num_out, &error))
    host_fail("the run failed", error.message);
}

int main(int argc, char **argv) {
  static const host_runtime runtime = {open_runtime, load, bind, run};
  return host_main(argc, argv, &runtime);
}
