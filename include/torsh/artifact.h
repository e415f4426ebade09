/* The border between a compiled artifact and the runtime, format version 1 (not frozen: a mismatch is refused).
 *
 * An artifact is one file:
 *
 *     ELF shared object | metadata (JSON) | padding to 64 KiB | weights | trailer (the last bytes of the file)
 *
 * The loader reads the trailer, checks versions and the digest of everything before the weights, maps the weights
 * read-only, and only then opens the shared object and calls its one exported symbol, torsh_query. The shared object
 * needs nothing but memcpy/memset and libm; it starts no threads and allocates nothing.
 */
#ifndef TORSH_ARTIFACT_H
#define TORSH_ARTIFACT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TORSH_ARTIFACT_VERSION 3u
#define TORSH_TRAILER_MAGIC "TORSH\0A\n" /* 8 bytes with the terminating NUL left out */
#define TORSH_WEIGHTS_ALIGNMENT 65536u

/* The last sizeof(torsh_trailer) bytes of the file. All integers are little-endian. Offsets count from the start of
 * the file. With weights in a side file weights_offset is 0 and the metadata names the file ("weights_file"). */
typedef struct torsh_trailer {
  uint64_t elf_size;
  uint64_t metadata_offset;
  uint64_t metadata_size;
  uint64_t weights_offset;
  uint64_t weights_size;
  uint8_t code_sha256[32];    /* of the bytes [0, metadata_offset + metadata_size) */
  uint8_t weights_sha256[32]; /* of the weight bytes; checked by `torshc verify`, not at load */
  uint32_t flags;             /* TORSH_TRAILER_* */
  uint32_t version;           /* TORSH_ARTIFACT_VERSION */
  char magic[8];              /* TORSH_TRAILER_MAGIC */
} torsh_trailer;

#define TORSH_TRAILER_WEIGHTS_SIDECAR 1u

/* A kernel computes the tiles [begin, end) of its tile space. Buffers never overlap unless the plan ties them.
 * Results do not depend on how the space is cut into ranges. */
typedef void (*torsh_kernel_fn)(const void *const *in, void *const *out, const int64_t *dims, int64_t begin,
                                int64_t end);

/* What is no dense tensor of numbers (a list, a string tensor, an absent value, a tensor whose sizes change in a loop) is
 * an object of the host: immutable, alive until the end of the run, and named by a handle, an i64. What can be done with
 * objects; `in` and `out` of torsh_host.object are handles where nothing else is said. */
#define TORSH_OBJECT_FUNCTIONS(X)                                                                            \
  X(BOX, "box", 1, 1)         /* (a tensor) -> object */                                                     \
  X(DIMS, "dims", 1, 1)       /* (object) -> its dims, a list of i64 */                                      \
  X(UNBOX, "unbox", 1, 1)     /* (object) -> the tensor */                                                   \
  X(NONE, "none", 0, 1)       /* the absent value */                                                         \
  X(IS_SOME, "is_some", 1, 1) /* (object) -> i1, whether it is there */                                      \
  X(GET, "get", 1, 1)         /* the object, which must be there */                                          \
  X(AS, "as", 1, 1)           /* the object under another description */                                     \
  X(LIST, "list", -1, 1)      /* a list of the operands */                                                   \
  X(INSERT, "insert", 3, 1)   /* (list, item, i64 position) */                                               \
  X(APPEND, "append", 2, 1)   /* (list, item) */                                                             \
  X(ERASE, "erase", 2, 1)     /* (list, i64 position) */                                                     \
  X(AT, "at", 2, 1)           /* (list, i64 position) */                                                     \
  X(LENGTH, "length", 1, 1)   /* (list) -> i64 */                                                            \
  X(CONCAT, "concat", -1, 1)  /* (list, the result without items?) numbers: axis, whether it is new */       \
  X(SPLIT, "split", -1, 1)    /* (tensor, lengths?) numbers: axis, keepdims */                               \
  X(STRINGS, "strings", 0, 1) /* numbers: dims; strings: elements */                                         \
  X(STRING_CONCAT, "string_concat", 2, 1)                                                                    \
  X(STRING_EQUAL, "string_equal", 2, 1) /* -> object of i1 */                                                \
  X(STRING_SPLIT, "string_split", 1,                                                                         \
    2) /* -> pieces, object of i64; numbers: maxsplit; strings: delimiter? */                                \
  X(STRING_NORMALIZE, "string_normalize", 1,                                                                 \
    1) /* numbers: case (1 lower, 2 upper), sensitive; strings: stopwords */                                 \
  X(LABEL_ENCODE, "label_encode", 4, 1) /* (x, keys, values, default) */                                     \
  X(TFIDF, "tfidf", 3,                                                                                       \
    1) /* (x, pool, weights or none) numbers: mode, least and most length, skips, counts, indices */

#define TORSH_OBJECT_ENUMERATOR(name, text, operands, results) TORSH_OBJECT_##name,
enum { TORSH_OBJECT_FUNCTIONS(TORSH_OBJECT_ENUMERATOR) TORSH_OBJECT_COUNT };
#undef TORSH_OBJECT_ENUMERATOR

/* One place in run() that calls torsh_host.object. */
typedef struct torsh_object_call {
  uint32_t function; /* TORSH_OBJECT_* */
  uint32_t num_in, num_out;
  uint8_t dtype_code, dtype_bits; /* box, dims, unbox: of the tensor; bits 0: any */
  uint16_t rank;
  uint32_t num_numbers, num_strings;
  const int64_t *numbers;
  const uint64_t *offsets; /* num_strings + 1 entries into bytes */
  const char *bytes;
  const char *node; /* of the model, for messages */
} torsh_object_call;

/* What a host offers to a running artifact. */
typedef struct torsh_host {
  uint32_t size; /* sizeof(torsh_host) of the host */
  uint32_t reserved;
  void *context;
  /* Runs `fn` over [0, tiles), cut into ranges of at least `grain` tiles; 0 says that each tile takes long, so
   * that threads are worth waking. Returns 0, or a status that ends the run (cancelled, deadline). `launch` indexes
   * torsh_program.launch_kernels. */
  int32_t (*parallel_for)(void *context, torsh_kernel_fn fn, const void *const *in, void *const *out,
                          const int64_t *dims, int64_t tiles, int64_t grain, uint32_t launch);
  /* The next three serve sizes that are born during the run; each returns 0, or a status that ends the run.
   * Memory for the frame `slot`, 64-byte aligned; what the frame held before is lost. */
  int32_t (*frame)(void *context, uint32_t slot, uint64_t bytes, void **data);
  /* Where the output `index` goes, whose dims prepare() gave as -1 and are known now. */
  int32_t (*output)(void *context, uint32_t index, const int64_t *dims, void **data);
  /* The run's sizes break torsh_program.guards[guard]. Never returns 0. */
  int32_t (*refuse)(void *context, uint32_t guard, int64_t actual, int64_t expected);
  /* Computes with objects; `dims` are those of the tensor of box and unbox. Returns 0, or a status that ends the run. */
  int32_t (*object)(void *context, const torsh_object_call *call, const void *const *in, void *const *out,
                    const int64_t *dims);
} torsh_host;

/* Element types are DLPack's (code, bits) pairs; lanes are 1. In what run() is given an element of fewer than 8 bits takes
 * a byte, of which only its low bits count; the runtime unpacks what callers give and packs what they get. */
typedef struct torsh_port {
  const char *name;
  uint8_t dtype_code; /* 0 int, 1 uint, 2 float, 4 bfloat, 5 complex, 6 bool, 10 and above: TORSH_DTYPE_* */
  uint8_t dtype_bits;
  uint16_t rank;
  uint32_t kind; /* 0: a tensor, whose dtype and dims these are; else an object, see torsh_port_info.kind */
  const int64_t *dims;          /* rank entries; -1 where the dim is an expression */
  const char *const *dim_names; /* rank entries: the expression as text ("batch", "2*seq + 1", "768") */
} torsh_port;

/* CPU levels, in ascending order. A program lists the levels that it has code for. */
#define TORSH_CPU_X86_64_V2 2u
#define TORSH_CPU_X86_64_V3 3u
#define TORSH_CPU_X86_64_V4 4u
#define TORSH_CPU_X86_64_V4_BF16 5u /* v4 and AVX512-BF16 */

typedef struct torsh_code {
  uint32_t cpu_level; /* TORSH_CPU_* */
  uint32_t reserved;
  const torsh_kernel_fn *kernels; /* num_kernels entries */
} torsh_code;

/* What a GPU runs of a program. The host plan addresses host memory; the runtime keeps a mirror of each region (inputs,
 * outputs, workspace, weights) on the device and takes calls of kernels that have an image there. */
typedef struct torsh_device_kernel {
  const char *image;  /* PTX text with an entry of the kernel's name; NULL: the CPU body runs */
  const char *reason; /* why there is no image; NULL with one */
  uint32_t threads;   /* of a block */
  uint32_t num_inputs, num_outputs, num_dims; /* parameters: a pointer for each of both, then an i64 each */
} torsh_device_kernel;

typedef struct torsh_device_launch {
  const uint8_t *moves; /* for each input: 1 where it must first be copied to the side that runs the call */
  uint32_t first_size;  /* in what sizes() gives: blocks of the call, then the bytes of each input */
  uint32_t reserved;
} torsh_device_launch;

typedef struct torsh_device_program {
  uint32_t size;       /* sizeof(torsh_device_program) of the compiler that wrote the artifact */
  uint32_t capability; /* least compute capability: 80 for 8.0 */
  const torsh_device_kernel *kernels;  /* num_kernels entries of the program */
  const torsh_device_launch *launches; /* num_launches entries of the program */
  const uint8_t *output_moves;         /* num_outputs entries: 1 where the device computes it */
  uint32_t num_sizes, reserved;
  void (*sizes)(const int64_t *symbols, int64_t *sizes); /* pure */
} torsh_device_program;

/* Why prepare() refused the shapes. */
typedef struct torsh_shape_error {
  int32_t input;    /* index of the input, or -1 for a guard between dims */
  int32_t axis;     /* axis of that input, or the index of the guard in torsh_program.guards */
  int64_t actual;   /* the offending size (left-hand side for a guard) */
  int64_t expected; /* what was required (right-hand side for a guard) */
} torsh_shape_error;

/* An input that the host keeps from run to run; run() writes the new value of all but the step number over the old. */
#define TORSH_STATE_PARAMETER 1u
#define TORSH_STATE_OPTIMIZER 2u /* what the optimizer remembers of a parameter */
#define TORSH_STATE_STEP 3u      /* the number of the step, 1 for the first; the host counts */

typedef struct torsh_state_slot {
  uint32_t input;  /* index of the input */
  uint32_t role;   /* TORSH_STATE_* */
  int64_t initial; /* offset of the first value among the weights, -1 for zeros */
  uint64_t bytes;
} torsh_state_slot;

typedef struct torsh_program {
  uint32_t size;    /* sizeof(torsh_program) of the compiler that wrote the artifact */
  uint32_t version; /* TORSH_ARTIFACT_VERSION */
  uint32_t num_inputs, num_outputs;
  uint32_t num_symbols, num_kernels;
  uint32_t num_codes, num_guards;
  const torsh_port *inputs, *outputs;
  const char *const *symbol_names; /* num_symbols entries */
  const char *const *kernel_names; /* num_kernels entries; also ELF symbol names, one for each code level */
  const char *const *guards;       /* num_guards sentences for messages */
  const torsh_code *codes;         /* num_codes entries, ascending cpu_level */
  /* From the inputs' dims: binds the symbols (num_symbols entries), checks guards, computes every output's dims and
   * the workspace size in bytes. Dims that depend on the inputs' values are -1: run() asks for these outputs. Pure;
   * returns 0, or 1 with *error filled. Ranks were checked by the caller. */
  int32_t (*prepare)(const int64_t *const *input_dims, int64_t *symbols, int64_t *const *output_dims,
                     uint64_t *workspace_bytes, torsh_shape_error *error);
  /* One inference with the symbols that prepare() gave, to which it adds those born in the run. Inputs, outputs and weights are contiguous row-major data;
   * `workspace` is 64-byte aligned and at least workspace_bytes long. Inputs that are state slots are written, so they
   * overlap nothing. Returns 0 or the status of parallel_for. */
  int32_t (*run)(const torsh_host *host, const torsh_kernel_fn *kernels, const void *weights,
                 const void *const *inputs, void *const *outputs, void *workspace, int64_t *symbols);
  uint32_t
      num_launches; /* places in run() that call parallel_for, some of them once for each image of a batch */
  uint32_t num_frames; /* slots of torsh_host.frame */
  /* For each launch two numbers: the arithmetic of a call in operations and its traffic in bytes. Pure. NULL: not
   * known. */
  void (*costs)(const int64_t *symbols, int64_t *flops_and_bytes);
  const uint32_t *launch_kernels; /* num_launches entries: indices in kernel_names */
  uint32_t num_state_slots;       /* 0 for all but train steps */
  uint32_t reserved2;
  const torsh_state_slot *state_slots; /* num_state_slots entries, ascending input */
  const torsh_device_program *device;  /* NULL: the program runs on the CPU alone */
} torsh_program;

/* The one exported symbol of an artifact. Returns NULL when it cannot serve `version`. */
typedef const torsh_program *(*torsh_query_fn)(uint32_t version);
#define TORSH_QUERY_SYMBOL "torsh_query"

#ifdef __cplusplus
}
#endif
#endif
