/* The loop of every C host:
 *
 *   HOST LIBRARY MODEL THREADS SWEEP_MIB PREFIX [in|NAME|TYPE|DIM,DIM|FILE]... [out|NAME|TYPE|DIM,DIM]...
 *
 * First one line of JSON: nanoseconds for opening the library, for loading the model and up to the first answer, and
 * KiB resident before the library was opened, at the highest point of all, and at the highest point of later runs.
 * Then, for each line "run N" on stdin, one line with N times in nanoseconds; before each run SWEEP_MIB of other
 * memory is written, outside the timing, so that no weight is left in the caches. "dump" writes output I to PREFIX.I
 * and answers "ok". A file holds raw little-endian elements. */
#include "host.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const type_names[HOST_TYPES] = {"float32", "float64", "int32", "int64", "bool"};
static const size_t type_bytes[HOST_TYPES] = {4, 8, 4, 8, 1};

void host_fail(const char *what, const char *detail) {
  fprintf(stderr, "error: %s: %s\n", what, detail);
  exit(1);
}

void *host_allocate(size_t bytes) {
  size_t rounded = (bytes + 63) / 64 * 64;
  void *memory = aligned_alloc(64, rounded ? rounded : 64);
  if (!memory)
    host_fail("out of memory", "a buffer could not be had");
  memset(memory, 0, rounded ? rounded : 64);
  return memory;
}

void *host_library(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    host_fail("cannot open the library", dlerror());
  return library;
}

void *host_symbol(void *library, const char *name) {
  void *symbol = dlsym(library, name);
  if (!symbol)
    host_fail("the library has no function", name);
  return symbol;
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A figure of /proc/self/status in KiB. */
static long status_kib(const char *key) {
  char line[128];
  long kib = 0;
  FILE *file = fopen("/proc/self/status", "r");
  if (!file)
    host_fail("cannot read", "/proc/self/status");
  while (fgets(line, sizeof line, file))
    if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
      kib = strtol(line + strlen(key) + 1, NULL, 10);
  fclose(file);
  return kib;
}

/* Sets the highest point of resident memory back to what is resident now. */
static void reset_peak(void) {
  FILE *file = fopen("/proc/self/clear_refs", "w");
  if (!file || fputs("5", file) < 0 || fclose(file))
    host_fail("cannot write", "/proc/self/clear_refs");
}

/* The next field of `*text`, which a `|` ends. */
static char *field(char **text, const char *whole) {
  char *begin = strsep(text, "|");
  if (!begin)
    host_fail("a port is written in|NAME|TYPE|DIM,DIM|FILE or out|NAME|TYPE|DIM,DIM", whole);
  return begin;
}

/* Fills `array` from an argument and returns 1 for an input, 0 for an output, which gets no memory yet. */
static int read_port(host_array *array, char *argument) {
  char *rest = argument;
  int is_input = !strcmp(field(&rest, argument), "in");
  array->name = field(&rest, argument);
  const char *type = field(&rest, argument);
  for (array->type = 0; array->type < HOST_TYPES && strcmp(type, type_names[array->type]) != 0;)
    array->type++;
  if (array->type == HOST_TYPES)
    host_fail("an element type that this host does not know", type);
  char *dims = field(&rest, argument);
  array->rank = 0;
  array->bytes = type_bytes[array->type];
  for (char *word = strtok(dims, ","); word && array->rank < HOST_MAX_RANK; word = strtok(NULL, ",")) {
    int64_t size = strtoll(word, NULL, 10);
    array->shape[array->rank++] = size;
    array->bytes *= (size_t)size;
  }
  if (is_input) {
    array->data = host_allocate(array->bytes);
    const char *path = field(&rest, argument);
    FILE *file = fopen(path, "rb");
    if (!file || fread(array->data, 1, array->bytes, file) != array->bytes)
      host_fail("cannot read the input", path);
    fclose(file);
  }
  return is_input;
}

static void write_outputs(const host_array *outputs, size_t count, const char *prefix) {
  for (size_t i = 0; i < count; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s.%zu", prefix, i);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(outputs[i].data, 1, outputs[i].bytes, file) != outputs[i].bytes || fclose(file))
      host_fail("cannot write the output", path);
  }
}

static void serve(const host_runtime *runtime, size_t sweep, const host_array *outputs, size_t num_outputs,
                  const char *prefix) {
  unsigned char *other = sweep ? host_allocate(sweep) : NULL;
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    long count = 0;
    if (sscanf(line, "run %ld", &count) == 1) {
      for (long i = 0; i < count; i++) {
        if (sweep)
          memset(other, (int)i, sweep);
        uint64_t start = now();
        runtime->run();
        printf("%" PRIu64 " ", now() - start);
      }
      puts("");
    } else if (!strncmp(line, "dump", 4)) {
      write_outputs(outputs, num_outputs, prefix);
      puts("ok");
    } else {
      return;
    }
    fflush(stdout);
  }
}

int host_main(int argc, char **argv, const host_runtime *runtime) {
  if (argc < 6)
    host_fail("usage",
              "HOST LIBRARY MODEL THREADS SWEEP_MIB PREFIX [in|NAME|TYPE|DIM,DIM|FILE]... [out|...]...");
  size_t ports = (size_t)(argc - 6), num_inputs = 0, num_outputs = 0;
  host_array *inputs = host_allocate((ports + 1) * sizeof *inputs);
  host_array *outputs = host_allocate((ports + 1) * sizeof *outputs);
  for (size_t i = 0; i < ports; i++) {
    host_array array;
    if (read_port(&array, argv[6 + i]))
      inputs[num_inputs++] = array;
    else
      outputs[num_outputs++] = array;
  }
  long before = status_kib("VmRSS");
  uint64_t start = now();
  runtime->open(argv[1]);
  uint64_t opened = now();
  runtime->load(argv[2], (unsigned)atoi(argv[3]));
  uint64_t loaded = now();
  for (size_t i = 0; i < num_outputs; i++)
    outputs[i].data = host_allocate(outputs[i].bytes);
  runtime->bind(inputs, num_inputs, outputs, num_outputs);
  runtime->run();
  uint64_t answered = now();
  runtime->run();
  long peak = status_kib("VmHWM");
  reset_peak();
  runtime->run();
  runtime->run();
  printf("{\"open_ns\": %" PRIu64 ", \"load_ns\": %" PRIu64 ", \"first_ns\": %" PRIu64
         ", \"before_kib\": %ld, \"peak_kib\": %ld, \"run_kib\": %ld}\n",
         opened - start, loaded - opened, answered - start, before, peak, status_kib("VmHWM"));
  fflush(stdout);
  serve(runtime, (size_t)atoi(argv[4]) << 20, outputs, num_outputs, argv[5]);
  return 0;
}
