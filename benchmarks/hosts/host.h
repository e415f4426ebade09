/* What the C hosts of the benchmarks share: one runtime behind five functions, and the loop that serves it. */
#ifndef TORSH_BENCHMARK_HOST_H
#define TORSH_BENCHMARK_HOST_H

#include <stddef.h>
#include <stdint.h>

#define HOST_MAX_RANK 16

/* An element type as the command line names it. */
typedef enum { HOST_F32, HOST_F64, HOST_I32, HOST_I64, HOST_BOOL, HOST_TYPES } host_type;

/* One input or output with memory of its own. */
typedef struct {
  const char *name;
  host_type type;
  int64_t shape[HOST_MAX_RANK];
  int32_t rank;
  void *data;
  size_t bytes;
} host_array;

/* The runtime that a host serves. Each function ends the program by host_fail() when it cannot do its work. */
typedef struct {
  /* Opens the runtime's library; `library` is "-" where it is linked. */
  void (*open)(const char *library);
  /* From a model file to something that can run. */
  void (*load)(const char *model, unsigned threads);
  /* Takes the arrays, whose memory stays where it is. The shapes of the outputs are those that are right. */
  void (*bind)(host_array *inputs, size_t num_inputs, host_array *outputs, size_t num_outputs);
  /* One inference from the bound inputs into the bound outputs. */
  void (*run)(void);
} host_runtime;

/* Prints `error: WHAT: DETAIL` and ends the program. */
void host_fail(const char *what, const char *detail);

/* Memory of whole cache lines, filled with zeros. */
void *host_allocate(size_t bytes);

/* The function `name` of a library that was opened with dlopen(). */
void *host_symbol(void *library, const char *name);

/* Opens a library by its path. */
void *host_library(const char *path);

/* The main function of a host; see host.c for the arguments and the protocol. */
int host_main(int argc, char **argv, const host_runtime *runtime);

#endif
