/* Runs one artifact on demand and tells how long each run took.
 *
 *   bench_host ARTIFACT THREADS SWEEP_MIB OUTPUT.bin INPUT.bin:DIM,DIM,...
 *
 * Inputs are raw little-endian elements in the order of the model's inputs; a rank of 0 is written as
 * `INPUT.bin:`. After loading, a line "ready". Then, for each line "run N" on stdin, one line with N times in
 * nanoseconds; before each run SWEEP_MIB of other memory is written, outside the timing, so that no weight is
 * left in the caches. "dump" writes the first output to OUTPUT.bin and answers "ok". Outputs are allocated
 * once. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "torsh/torsh.h"

#define MAX_RANK 16

static void fail(const char *what, const char *detail) {
  fprintf(stderr, "error: %s: %s\n", what, detail);
  exit(1);
}

static void *allocate(size_t bytes) {
  size_t rounded = (bytes + 63) / 64 * 64;
  void *memory = aligned_alloc(64, rounded ? rounded : 64);
  if (!memory)
    fail("out of memory", "a buffer could not be had");
  memset(memory, 0, rounded ? rounded : 64);
  return memory;
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static size_t bytes_of(const torsh_tensor *tensor) {
  size_t count = 1;
  for (int32_t i = 0; i < tensor->ndim; i++)
    count *= (size_t)tensor->shape[i];
  return count * ((tensor->dtype.bits + 7u) / 8u);
}

/* Fills `value` from an argument `PATH:DIM,DIM`. */
static void read_input(torsh_value *value, torsh_dtype dtype, char *argument) {
  char *dims = strrchr(argument, ':');
  if (!dims)
    fail("an input is written PATH:DIM,DIM", argument);
  *dims++ = 0;
  int64_t *shape = allocate(MAX_RANK * sizeof(int64_t));
  int32_t rank = 0;
  for (char *word = strtok(dims, ","); word && rank < MAX_RANK; word = strtok(NULL, ","))
    shape[rank++] = strtoll(word, NULL, 10);
  memset(value, 0, sizeof *value);
  torsh_tensor *tensor = &value->as.tensor;
  tensor->device.type = TORSH_DEVICE_CPU;
  tensor->dtype = dtype;
  tensor->ndim = rank;
  tensor->shape = shape;
  size_t bytes = bytes_of(tensor);
  tensor->data = allocate(bytes);
  FILE *file = fopen(argument, "rb");
  if (!file || fread(tensor->data, 1, bytes, file) != bytes)
    fail("cannot read the input", argument);
  fclose(file);
}

int main(int argc, char **argv) {
  if (argc < 5)
    fail("usage", "bench_host ARTIFACT THREADS SWEEP_MIB OUTPUT.bin [INPUT.bin:DIM,DIM]...");
  const torsh_api *api = torsh_get_api(TORSH_API_VERSION);
  if (!api)
    fail("this runtime", "has another API version");
  torsh_error error;
  torsh_module *module = NULL;
  torsh_context *context = NULL;
  torsh_load_options options = {.size = sizeof options, .threads = (uint32_t)atoi(argv[2])};
  if (api->load_file(argv[1], &options, &module, &error) || api->context_create(module, &context, &error))
    fail("cannot load the artifact", error.message);
  torsh_module_info info = {.size = sizeof info};
  api->module_info(module, &info);
  if ((uint32_t)argc != 5 + info.num_inputs)
    fail("the number of inputs", "differs from the model's");

  torsh_value *inputs = allocate(info.num_inputs * sizeof *inputs);
  torsh_value *outputs = allocate(info.num_outputs * sizeof *outputs);
  for (uint32_t i = 0; i < info.num_inputs; i++) {
    torsh_port_info port = {.size = sizeof port};
    api->input_info(module, i, &port);
    read_input(&inputs[i], port.dtype, argv[5 + i]);
  }
  if (api->output_dims(context, inputs, info.num_inputs, outputs, info.num_outputs, NULL, &error))
    fail("cannot compute the output shapes", error.message);
  for (uint32_t i = 0; i < info.num_outputs; i++) {
    torsh_tensor *tensor = &outputs[i].as.tensor;
    int64_t *shape =
        allocate(((size_t)tensor->ndim + 1) * sizeof *shape); /* the context's memory does not last */
    if (tensor->ndim)
      memcpy(shape, tensor->shape, (size_t)tensor->ndim * sizeof *shape);
    tensor->shape = shape;
    tensor->data = allocate(bytes_of(tensor));
    outputs[i].flags = 0;
  }

  size_t sweep = (size_t)atoi(argv[3]) << 20;
  unsigned char *other = allocate(sweep);
  puts("ready");
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    long count = 0;
    if (sscanf(line, "run %ld", &count) == 1) {
      for (long i = 0; i < count; i++) {
        memset(other, (int)i, sweep);
        uint64_t start = now();
        if (api->run(context, inputs, info.num_inputs, outputs, info.num_outputs, &error))
          fail("the run failed", error.message);
        printf("%" PRIu64 " ", now() - start);
      }
      puts("");
    } else if (!strncmp(line, "dump", 4)) {
      FILE *file = fopen(argv[4], "wb");
      size_t bytes = bytes_of(&outputs[0].as.tensor);
      if (!file || fwrite(outputs[0].as.tensor.data, 1, bytes, file) != bytes || fclose(file))
        fail("cannot write the output", argv[4]);
      puts("ok");
    } else {
      break;
    }
    fflush(stdout);
  }
  api->context_destroy(context);
  api->module_destroy(module);
  return 0;
}
