/* The smallest host: opens an artifact, prints its signature, and runs it once on zeros.
 *
 *   minimal_host MODEL.so [SIZE]      SIZE is used for every symbolic dim (default 1)
 */
#include "torsh/torsh.h"

#include <stdio.h>
#include <stdlib.h>

enum { MaxPorts = 64, MaxRank = 16 };

static void print_port(const char *side, const torsh_port_info *port) {
  printf("%s %s: dtype (%u, %u bits) [", side, port->name, port->dtype.code, port->dtype.bits);
  for (uint32_t axis = 0; axis < port->rank; ++axis)
    printf("%s%s", axis ? ", " : "", port->dim_names[axis]);
  printf("]\n");
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s MODEL.so [SIZE]\n", argv[0]);
    return 2;
  }
  const int64_t symbolic = argc > 2 ? atoll(argv[2]) : 1;
  const torsh_api *api = torsh_get_api(TORSH_API_VERSION);
  torsh_error error;
  torsh_module *module;
  torsh_context *context;
  if (api->load_file(argv[1], NULL, &module, &error) || api->context_create(module, &context, &error)) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }

  torsh_module_info info = {.size = sizeof(info)};
  torsh_port_info port = {.size = sizeof(port)};
  static torsh_value inputs[MaxPorts], outputs[MaxPorts]; /* outputs of zeros: the context gives the memory */
  static int64_t shapes[MaxPorts][MaxRank];
  api->module_info(module, &info);
  printf("code for x86-64-v%u%s, %u threads, build %.12s\n", info.cpu_level > 4 ? 4 : info.cpu_level,
         info.cpu_level > 4 ? " with AVX512-BF16" : "", info.width, info.build_id);
  if (info.num_inputs > MaxPorts || info.num_outputs > MaxPorts) {
    fprintf(stderr, "this example serves at most %d inputs and outputs\n", MaxPorts);
    return 1;
  }
  for (uint32_t i = 0; i < info.num_inputs; ++i) {
    api->input_info(module, i, &port);
    print_port("input", &port);
    size_t bits = port.dtype.bits;
    for (uint32_t axis = 0; axis < port.rank && axis < MaxRank; ++axis) {
      shapes[i][axis] = port.dims[axis] < 0 ? symbolic : port.dims[axis];
      bits *= (size_t)shapes[i][axis];
    }
    inputs[i].as.tensor = (torsh_tensor){.data = calloc(bits / 8 + 1, 1),
                                         .device = {TORSH_DEVICE_CPU, 0},
                                         .ndim = (int32_t)port.rank,
                                         .dtype = port.dtype,
                                         .shape = shapes[i]};
  }
  if (api->run(context, inputs, info.num_inputs, outputs, info.num_outputs, &error)) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  for (uint32_t i = 0; i < info.num_outputs; ++i) {
    api->output_info(module, i, &port);
    print_port("output", &port);
    printf("  ran with shape");
    for (int32_t axis = 0; axis < outputs[i].as.tensor.ndim; ++axis)
      printf(" %lld", (long long)outputs[i].as.tensor.shape[axis]);
    printf("\n");
  }
  for (uint32_t i = 0; i < info.num_inputs; ++i)
    free(inputs[i].as.tensor.data);
  api->context_destroy(context);
  api->module_destroy(module);
  return 0;
}
