/* Runs an artifact twice on zeros and tells what the process held at most.
 *
 *   memory_host ARTIFACT THREADS
 *
 * prints one line of JSON: bytes of weights, arena, inputs and outputs, and of resident memory, at its peak (VmHWM), and
 * of the anonymous part of it at the end (RssAnon). Sizes that are not fixed are 1. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "torsh/torsh.h"

static void fail(const char *what, const char *detail) {
  fprintf(stderr, "error: %s: %s\n", what, detail);
  exit(1);
}

static void *allocate(size_t bytes) {
  const size_t rounded = (bytes + 63) / 64 * 64 + 64;
  void *memory = aligned_alloc(64, rounded);
  if (!memory)
    fail("out of memory", "a buffer could not be had");
  memset(memory, 0, rounded);
  return memory;
}

/* A field of /proc/self/status in bytes. */
static uint64_t status_of(const char *field) {
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  uint64_t kib = 0;
  while (file && fgets(line, sizeof line, file))
    if (!strncmp(line, field, strlen(field)))
      kib = strtoull(line + strlen(field) + 1, NULL, 10);
  if (file)
    fclose(file);
  return kib * 1024;
}

int main(int argc, char **argv) {
  if (argc != 3)
    fail("usage", "memory_host ARTIFACT THREADS");
  const torsh_api *api = torsh_get_api(TORSH_API_VERSION);
  torsh_error error;
  torsh_module *module;
  torsh_context *context;
  torsh_load_options options = {.size = sizeof options, .threads = (uint32_t)atoi(argv[2])};
  if (api->load_file(argv[1], &options, &module, &error) || api->context_create(module, &context, &error))
    fail("cannot load the artifact", error.message);
  torsh_module_info info = {.size = sizeof info};
  api->module_info(module, &info);
  torsh_value *inputs = allocate(info.num_inputs * sizeof *inputs);
  torsh_value *outputs = allocate(info.num_outputs * sizeof *outputs);
  uint64_t input_bytes = 0;
  for (uint32_t i = 0; i < info.num_inputs; i++) {
    torsh_port_info port = {.size = sizeof port};
    api->input_info(module, i, &port);
    torsh_tensor *tensor = &inputs[i].as.tensor;
    tensor->shape = allocate(port.rank * sizeof *tensor->shape);
    size_t bytes = (port.dtype.bits + 7u) / 8u;
    for (uint32_t axis = 0; axis < port.rank; axis++)
      bytes *= (size_t)(tensor->shape[axis] = port.dims[axis] < 0 ? 1 : port.dims[axis]);
    tensor->device.type = TORSH_DEVICE_CPU;
    tensor->ndim = (int32_t)port.rank;
    tensor->dtype = port.dtype;
    tensor->data = allocate(bytes);
    input_bytes += bytes;
  }
  for (int run = 0; run < 2; run++)
    if (api->run(context, inputs, info.num_inputs, outputs, info.num_outputs, &error))
      fail("the run failed", error.message);
  torsh_stats stats = {.size = sizeof stats};
  api->get_stats(context, &stats);
  printf("{\"weights\": %" PRIu64 ", \"arena\": %" PRIu64 ", \"inputs\": %" PRIu64 ", \"outputs\": %" PRIu64
         ", \"peak\": %" PRIu64 ", \"anonymous\": %" PRIu64 "}\n",
         info.weights_size, stats.arena_bytes, input_bytes, stats.output_bytes, status_of("VmHWM:"),
         status_of("RssAnon:"));
  return 0;
}
