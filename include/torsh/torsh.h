/* The C API of the ToRSh runtime, version 0 (not frozen: another version is refused).
 *
 * One table of functions, fetched by torsh_get_api(TORSH_API_VERSION). Entries are only ever appended; `size`
 * tells how many a runtime has. Nothing throws, and there is no hidden global state but the log sink.
 *
 * With the environment variable TORSH_PROFILE=FILE.json every context of the process is recorded (see record), all in
 * this file, which is complete when a context is destroyed and at the exit of the process. Only what is wrong with this
 * file is written to stderr; nothing else is ever written to stdout or stderr.
 *
 *   const torsh_api *api = torsh_get_api(TORSH_API_VERSION);
 *   torsh_module *module;  torsh_context *context;  torsh_error error;
 *   if (api->load_file("model.so", NULL, &module, &error)) { puts(error.message); ... }
 *   api->context_create(module, &context, &error);
 *   api->run(context, inputs, num_inputs, outputs, num_outputs, &error);
 *
 * A module is immutable and may be used by any number of threads. A context belongs to one caller at a time
 * (a second run on a busy context is refused); cancel() and get_stats() may be called from any thread.
 */
#ifndef TORSH_TORSH_H
#define TORSH_TORSH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TORSH_API_VERSION 0u

/* Status of a call. 0 is success; the numbers never change meaning. Messages begin with TSH-8nnn, nnn the
 * status. */
typedef int32_t torsh_status;
enum {
  TORSH_OK = 0,
  TORSH_E_INVALID_ARGUMENT = 1, /* a NULL handle, a bad option, a busy context */
  TORSH_E_IO = 2,               /* the operating system refused to open, read or map a file */
  TORSH_E_FORMAT = 3,           /* not an artifact, truncated, or inconsistent */
  TORSH_E_VERSION = 4,          /* an artifact or API version that this runtime does not serve */
  TORSH_E_DIGEST = 5,           /* the bytes differ from the digest in the trailer */
  TORSH_E_CPU = 6,              /* the artifact has no code that this CPU can run */
  TORSH_E_LOAD = 7,             /* the dynamic loader refused the code */
  TORSH_E_DTYPE = 8,
  TORSH_E_RANK = 9,
  TORSH_E_SHAPE = 10,
  TORSH_E_LAYOUT = 11,     /* strides, alignment, overlapping buffers, a device other than the CPU */
  TORSH_E_MEMORY_CAP = 12, /* the run needs more than the context's cap */
  TORSH_E_NO_MEMORY = 13,
  TORSH_E_CANCELLED = 14,
  TORSH_E_UNSUPPORTED = 15, /* a value kind that this version does not serve */
  TORSH_E_SYSTEM = 16,      /* a thread or another resource of the system could not be had */
  TORSH_E_DEVICE = 17       /* the GPU failed during a run; later runs of the module are on the CPU */
};

/* Where a call leaves its message; owned by the caller, never allocated. Every `error` argument may be NULL.
 */
typedef struct torsh_error {
  torsh_status status;
  int32_t port; /* index of the input or output meant, else -1 */
  int32_t axis; /* its axis, else -1 */
  int32_t reserved;
  uint64_t needed; /* TORSH_E_MEMORY_CAP and TORSH_E_NO_MEMORY: the bytes the run needs */
  char message[488];
} torsh_error;

/* --- Values
 * ----------------------------------------------------------------------------------------------------- */

/* The same memory layout as DLPack's DLTensor (and its DLDevice and DLDataType): a pointer may be cast either
 * way. */
typedef struct torsh_device {
  int32_t type; /* 1 is the CPU, the one device served so far */
  int32_t id;
} torsh_device;

typedef struct torsh_dtype {
  uint8_t code;   /* TORSH_DTYPE_* */
  uint8_t bits;   /* 2, 4 or 6: elements share bytes, the first one lowest, as in DLPack and ONNX */
  uint16_t lanes; /* 1 */
} torsh_dtype;

#define TORSH_DEVICE_CPU 1
#define TORSH_DTYPE_INT 0u
#define TORSH_DTYPE_UINT 1u
#define TORSH_DTYPE_FLOAT 2u
#define TORSH_DTYPE_BFLOAT 4u
#define TORSH_DTYPE_COMPLEX 5u
#define TORSH_DTYPE_BOOL 6u
#define TORSH_DTYPE_FLOAT8_E4M3FN 10u
#define TORSH_DTYPE_FLOAT8_E4M3FNUZ 11u
#define TORSH_DTYPE_FLOAT8_E5M2 12u
#define TORSH_DTYPE_FLOAT8_E5M2FNUZ 13u
#define TORSH_DTYPE_FLOAT8_E8M0FNU 14u
#define TORSH_DTYPE_FLOAT6_E2M3FN 15u
#define TORSH_DTYPE_FLOAT6_E3M2FN 16u
#define TORSH_DTYPE_FLOAT4_E2M1FN 17u

typedef struct torsh_tensor {
  void *data;
  torsh_device device;
  int32_t ndim;
  torsh_dtype dtype;
  int64_t *shape;
  int64_t *strides; /* in elements; NULL means contiguous row-major, the one layout served */
  uint64_t byte_offset;
} torsh_tensor;

enum {
  TORSH_VALUE_TENSOR = 0,
  TORSH_VALUE_STRING_TENSOR = 1,
  TORSH_VALUE_SEQUENCE = 2,
  TORSH_VALUE_OPTIONAL = 3,
  /* Declared so that the border need not change; refused with TORSH_E_UNSUPPORTED by this version. */
  TORSH_VALUE_MAP = 4
};

/* Set by run() on an output whose memory the context owns. Such a value may be passed again as it is. */
#define TORSH_VALUE_CONTEXT_OWNED 1u

typedef struct torsh_value {
  uint32_t tag; /* TORSH_VALUE_* */
  uint32_t flags;
  uint64_t capacity; /* bytes at tensor.data; read for an output with data but no shape, else ignored */
  union {
    torsh_tensor tensor;
    struct {
      int32_t ndim;
      uint32_t reserved;
      const int64_t *shape;
      const uint64_t *offsets; /* elements + 1 entries into bytes */
      const char *bytes;
    } strings;
    struct {
      uint64_t count;
      struct torsh_value *items;
    } sequence;
    struct {
      struct torsh_value *value; /* NULL when absent */
    } optional;
    struct {
      uint64_t count;
      struct torsh_value *keys, *values;
    } map;
  } as;
} torsh_value;

/* --- Executors
 * -------------------------------------------------------------------------------------------------- */

typedef struct torsh_executor torsh_executor;

typedef struct torsh_executor_options {
  uint32_t size;         /* sizeof(torsh_executor_options) */
  uint32_t threads;      /* the caller counts as one; 0 means default_width(); 1 starts no thread */
  uint32_t idle_spin_us; /* how long a worker spins for work while no run is in flight; 0 (default) sleeps at
                            once */
  uint32_t run_spin_us;  /* the same between two kernels of a run in flight; 0 means 50, UINT32_MAX never */
} torsh_executor_options;

/* Runs [begin, end) of the job. A result other than 0 means that the run has ended: the rest may be skipped.
 */
typedef int32_t (*torsh_range_fn)(void *job, int64_t begin, int64_t end);

/* A host's own thread pool. parallel_for calls `fn` over disjoint ranges that cover [0, tiles), each of at
 * least `grain` tiles (but the last), from any threads, and returns when all calls have returned. It may be
 * called by several threads at once. */
typedef struct torsh_executor_callbacks {
  uint32_t size;  /* sizeof(torsh_executor_callbacks) */
  uint32_t width; /* how many calls of fn may be under way at once, for information; at least 1 */
  void *user;
  void (*parallel_for)(void *user, torsh_range_fn fn, void *job, int64_t tiles, int64_t grain);
} torsh_executor_callbacks;

/* --- Modules
 * ---------------------------------------------------------------------------------------------------- */

typedef struct torsh_module torsh_module;

typedef struct torsh_load_options {
  uint32_t size;            /* sizeof(torsh_load_options) */
  uint32_t threads;         /* without an executor: width of the module's own pool; 0 means default_width() */
  torsh_executor *executor; /* shared by any number of modules; NULL gives the module a pool of its own, whose
                               threads start with the first run that can use them */
  const char *weights_path; /* a weights file to use in place of the artifact's own weights; NULL for those */
  uint64_t memory_cap;      /* for every context of the module, 0 for none */
} torsh_load_options;

typedef struct torsh_module_info {
  uint32_t size; /* in: sizeof(torsh_module_info) of the caller */
  uint32_t num_inputs, num_outputs;
  uint32_t cpu_level;   /* TORSH_CPU_* of the code in use: 2, 3, 4, or 5 for 4 with AVX512-BF16 */
  const char *metadata; /* JSON, metadata_size bytes, also NUL-terminated */
  uint64_t metadata_size;
  uint64_t weights_size;
  const char *build_id; /* the digest of code and metadata, 64 hex digits */
  uint32_t num_kernels;
  uint32_t width; /* of the executor */
} torsh_module_info;

/* One input or output as the artifact declares it; the pointers live as long as the module. */
typedef struct torsh_port_info {
  uint32_t size; /* in: sizeof(torsh_port_info) of the caller */
  uint32_t rank;
  torsh_dtype dtype;
  uint32_t
      kind; /* TORSH_VALUE_* in the low byte; of a sequence or optional the kind of what it holds in the byte above, and
                    so on. dtype is that of the tensors inside; the rank of all but tensors is 0 and says nothing. */
  const char *name;
  const int64_t *dims;          /* rank entries, -1 where the dim is symbolic */
  const char *const *dim_names; /* rank entries: "batch", "2*seq + 1", "768" */
} torsh_port_info;

/* --- Contexts
 * --------------------------------------------------------------------------------------------------- */

typedef struct torsh_context torsh_context;

typedef struct torsh_stats {
  uint32_t size; /* in: sizeof(torsh_stats) of the caller */
  uint32_t reserved;
  uint64_t runs;        /* that ended well */
  uint64_t failed_runs; /* refused, cancelled or failed */
  uint64_t total_ns;    /* of the runs that ended well */
  uint64_t last_ns;
  uint64_t arena_bytes;    /* workspace held by the context and its unpacked tensors, the high-water mark */
  uint64_t output_bytes;   /* memory held for outputs that the context owns */
  uint64_t kernels;        /* kernels started */
  uint64_t shared_kernels; /* of those, the ones offered to other threads */
  uint64_t waits;          /* times the caller had to wait for other threads at the end of a kernel */
  uint64_t allocations;    /* times the context asked the system for memory during a run */
} torsh_stats;

/* One kernel call of a run. */
typedef struct torsh_kernel_event {
  uint32_t size;    /* sizeof(torsh_kernel_event) of the runtime */
  uint32_t kernel;  /* index of the kernel */
  const char *name; /* of the kernel, as in the metadata; lives as long as the module */
  uint64_t launch;  /* the entry of "launches" in the metadata; again for each image where they take turns */
  int64_t tiles;    /* size of the kernel's tile space */
  uint64_t start_ns, end_ns; /* of the monotonic clock */
} torsh_kernel_event;
typedef void (*torsh_trace_fn)(void *user, const torsh_kernel_event *event);

enum { TORSH_LOG_ERROR = 0, TORSH_LOG_WARNING = 1, TORSH_LOG_INFO = 2 };
typedef void (*torsh_log_fn)(void *user, int32_t level, const char *message);

/* --- Train steps
 * ----------------------------------------------------------------------------------------------- */

/* The parameters of a train step, what its optimizer remembers, and the number of steps done. It holds its module. */
typedef struct torsh_state torsh_state;

typedef struct torsh_state_info {
  uint32_t size;  /* in: sizeof(torsh_state_info) of the caller */
  uint32_t role;  /* 1 parameter, 2 of the optimizer, 3 the number of steps done (int64) */
  uint32_t input; /* index of the input; its dtype and dims are in input_info */
  uint32_t reserved;
  uint64_t bytes;
  const char *name;
  const void *initial; /* the value before the first step, bytes long; NULL for zeros */
} torsh_state_info;

/* --- The table
 * -------------------------------------------------------------------------------------------------- */

typedef struct torsh_api {
  uint32_t size; /* sizeof(torsh_api) of the runtime */
  uint32_t version;

  const char *(*runtime_build_id)(void);
  const char *(*status_name)(torsh_status status);
  /* Every message goes to `sink` (NULL: none) up to `level`. For the whole process; the sink may be called by
   * any thread that calls the runtime. */
  void (*set_log)(torsh_log_fn sink, void *user, int32_t level);

  /* min(processors the thread may use, cgroup quota rounded up), at least 1. */
  uint32_t (*default_width)(void);
  torsh_status (*executor_create)(const torsh_executor_options *options, torsh_executor **executor,
                                  torsh_error *error);
  torsh_status (*executor_create_custom)(const torsh_executor_callbacks *callbacks, torsh_executor **executor,
                                         torsh_error *error);
  /* Gives up the caller's share; the threads end with the last module that uses the executor. NULL is fine.
   */
  void (*executor_destroy)(torsh_executor *executor);
  uint32_t (*executor_width)(const torsh_executor *executor);

  /* Checks trailer, code digest and weights digest (of the given weights file, if not NULL). Runs nothing of
   * it. */
  torsh_status (*verify_file)(const char *path, const char *weights_path, torsh_error *error);
  /* Checks trailer, versions and code digest, then opens the code and maps the weights. `options` may be
   * NULL. */
  torsh_status (*load_file)(const char *path, const torsh_load_options *options, torsh_module **module,
                            torsh_error *error);
  /* Gives up the caller's share; the code is unloaded with the last context. NULL is fine. */
  void (*module_destroy)(torsh_module *module);
  torsh_status (*module_info)(const torsh_module *module, torsh_module_info *info);
  torsh_status (*input_info)(const torsh_module *module, uint32_t index, torsh_port_info *info);
  torsh_status (*output_info)(const torsh_module *module, uint32_t index, torsh_port_info *info);

  torsh_status (*context_create)(torsh_module *module, torsh_context **context, torsh_error *error);
  void (*context_destroy)(torsh_context *context);
  /* Limits workspace plus context-owned outputs of later runs; 0 lifts the limit. */
  torsh_status (*set_memory_cap)(torsh_context *context, uint64_t bytes);
  /* Gives workspace and context-owned outputs back to the system (outputs of the last run become invalid). */
  torsh_status (*trim)(torsh_context *context);
  /* From the inputs' dtypes and shapes (data is not read): fills the outputs' dtype, ndim and shape (memory
   * of the context, valid until its next call) and the bytes a run needs. A dim that depends on the inputs' values
   * is -1, and what such sizes need is not among the bytes. `outputs` and `workspace_bytes` may be NULL. */
  torsh_status (*output_dims)(torsh_context *context, const torsh_value *inputs, uint32_t num_inputs,
                              torsh_value *outputs, uint32_t num_outputs, uint64_t *workspace_bytes,
                              torsh_error *error);
  /* One inference. An output is
   *   - the caller's buffer of known shape: data, ndim and shape set; dtype and dims are checked;
   *   - the caller's buffer of known size: data and capacity set, shape NULL; or
   *   - the context's: data NULL (or CONTEXT_OWNED set by an earlier run); valid until the context's next
   * call. So are all outputs of another kind than tensors, and what they point to; their inputs are copied.
   * In the last two cases shape points to memory of the context afterwards. Outputs must not overlap
   * inputs. After an error the contents of the outputs are undefined, and the context can be used again. */
  torsh_status (*run)(torsh_context *context, const torsh_value *inputs, uint32_t num_inputs,
                      torsh_value *outputs, uint32_t num_outputs, torsh_error *error);
  /* Ends the run in flight, if any, at the next range of tiles: it returns TORSH_E_CANCELLED. */
  void (*cancel)(torsh_context *context);
  torsh_status (*get_stats)(const torsh_context *context, torsh_stats *stats);
  /* Calls `trace` at the end of every kernel of later runs, from the thread that called run(); NULL ends that. */
  torsh_status (*set_trace)(torsh_context *context, torsh_trace_fn trace, void *user);
  /* Records later runs for `path`: a trace for Perfetto and Chrome's tracing page with each run and kernel call, its
   * source nodes, arithmetic, traffic, time and number of threads. The newest 65536 events are kept, and written when
   * the context is destroyed, at exit, or by a call with another path or NULL, which ends the recording. */
  torsh_status (*record)(torsh_context *context, const char *path, torsh_error *error);

  /* Train steps only: memory for parameters and state at their initial values, and back to these. */
  torsh_status (*state_create)(torsh_module *module, torsh_state **state, torsh_error *error);
  void (*state_destroy)(torsh_state *state);
  torsh_status (*state_reset)(torsh_state *state);
  /* How many tensors a state has (0: the module is no train step), and what they are. */
  uint32_t (*state_count)(const torsh_module *module);
  torsh_status (*state_info)(const torsh_module *module, uint32_t index, torsh_state_info *info);
  /* A view of one of them: its buffer lives as long as the state and may be read and written between steps. */
  torsh_status (*state_tensor)(torsh_state *state, uint32_t index, torsh_value *value);
  /* One step: run() on the state, changed in place, and on the other inputs in their order (learning rate, batch,
   * labels). Counts the step. After an error other than a refused input the state's contents are undefined.
   * run() itself takes every input, and writes over those of the state. */
  torsh_status (*step)(torsh_context *context, torsh_state *state, const torsh_value *inputs,
                       uint32_t num_inputs, torsh_value *outputs, uint32_t num_outputs, torsh_error *error);
} torsh_api;

/* The one exported function. Returns NULL when this runtime cannot serve `version`. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const torsh_api *torsh_get_api(uint32_t version);

#ifdef __cplusplus
}
#endif
#endif
