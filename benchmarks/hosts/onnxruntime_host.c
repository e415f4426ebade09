/* Serves an ONNX file with ONNX Runtime, over its C interface.
 *
 * The wheels hold the library but no header. Its functions come in one table that only ever grows, so that those
 * used here are found by their place in it. */
#include <stdint.h>

#include "host.h"

/* Places in the table; every function returns NULL or a status that explains what went wrong. */
enum {
  GET_ERROR_MESSAGE = 2,
  CREATE_ENV = 3,
  CREATE_SESSION = 7,
  RUN = 9,
  CREATE_SESSION_OPTIONS = 10,
  SET_GRAPH_OPTIMIZATION_LEVEL = 23,
  SET_INTRA_OP_THREADS = 24,
  SET_INTER_OP_THREADS = 25,
  CREATE_TENSOR_WITH_DATA = 49,
  CREATE_CPU_MEMORY_INFO = 69
};
enum { API_VERSION = 16, LOG_ERROR = 3, ALL_OPTIMIZATIONS = 99, ARENA_ALLOCATOR = 1, DEFAULT_MEMORY = 0 };

typedef struct {
  void *const *(*get_api)(uint32_t version);
  const char *(*get_version)(void);
} api_base;
typedef void *(*get_base)(void);
typedef void *(*create_env)(int level, const char *name, void **env);
typedef void *(*create_options)(void **options);
typedef void *(*set_number)(void *options, int value);
typedef void *(*create_session)(void *env, const char *path, void *options, void **session);
typedef void *(*create_memory_info)(int allocator, int memory, void **info);
typedef void *(*create_tensor)(void *info, void *data, size_t bytes, const int64_t *shape, size_t rank,
                               int type, void **value);
typedef void *(*run_session)(void *session, void *options, const char *const *input_names,
                             void *const *inputs, size_t num_inputs, const char *const *output_names,
                             size_t num_outputs, void **outputs);
typedef const char *(*get_message)(void *status);

static void *const *api;
static void *session;
static const char **in_names, **out_names;
static void **in, **out;
static size_t num_in, num_out;

static void check(void *status, const char *what) {
  if (status)
    host_fail(what, ((get_message)api[GET_ERROR_MESSAGE])(status));
}

static void open_runtime(const char *path) {
  const api_base *base = ((get_base)host_symbol(host_library(path), "OrtGetApiBase"))();
  api = base->get_api(API_VERSION);
  if (!api)
    host_fail("this ONNX Runtime does not serve the interface's version", base->get_version());
}

static void load(const char *model, unsigned threads) {
  void *env, *options;
  check(((create_env)api[CREATE_ENV])(LOG_ERROR, "benchmark", &env), "cannot start ONNX Runtime");
  check(((create_options)api[CREATE_SESSION_OPTIONS])(&options), "cannot make session options");
  check(((set_number)api[SET_GRAPH_OPTIMIZATION_LEVEL])(options, ALL_OPTIMIZATIONS),
        "cannot set the optimisation");
  check(((set_number)api[SET_INTRA_OP_THREADS])(options, (int)threads), "cannot set the threads");
  check(((set_number)api[SET_INTER_OP_THREADS])(options, 1), "cannot set the threads");
  check(((create_session)api[CREATE_SESSION])(env, model, options, &session), "cannot load the model");
}

static void values_of(host_array *arrays, size_t count, const char ***names, void ***values) {
  static const int types[HOST_TYPES] = {1, 11, 6, 7, 9};
  void *info;
  check(((create_memory_info)api[CREATE_CPU_MEMORY_INFO])(ARENA_ALLOCATOR, DEFAULT_MEMORY, &info),
        "no memory info");
  *names = host_allocate((count + 1) * sizeof **names);
  *values = host_allocate((count + 1) * sizeof **values);
  for (size_t i = 0; i < count; i++) {
    (*names)[i] = arrays[i].name;
    check(((create_tensor)api[CREATE_TENSOR_WITH_DATA])(info, arrays[i].data, arrays[i].bytes,
                                                        arrays[i].shape, (size_t)arrays[i].rank,
                                                        types[arrays[i].type], &(*values)[i]),
          "cannot make a tensor");
  }
}

static void bind(host_array *inputs, size_t num_inputs, host_array *outputs, size_t num_outputs) {
  values_of(inputs, num_inputs, &in_names, &in);
  values_of(outputs, num_outputs, &out_names, &out);
  num_in = num_inputs;
  num_out = num_outputs;
}

static void run(void) {
  check(((run_session)api[RUN])(session, NULL, in_names, in, num_in, out_names, num_out, out),
        "the run failed");
}

int main(int argc, char **argv) {
  static const host_runtime runtime = {open_runtime, load, bind, run};
  return host_main(argc, argv, &runtime);
}
