/* The objects of a run: what is no dense tensor of numbers. Immutable, named by handles, freed together. */
#ifndef TORSH_RUNTIME_OBJECTS_H
#define TORSH_RUNTIME_OBJECTS_H

#include "torsh/artifact.h"
#include "torsh/torsh.h"

enum { TORSH_RT_NONE = 0, TORSH_RT_TENSOR = 1, TORSH_RT_STRINGS = 2, TORSH_RT_LIST = 3 };

/* Items of lists. A list that is appended to shares its items with the longer one. */
typedef struct torsh_rt_items {
  uint64_t used, room;
  int64_t handles[];
} torsh_rt_items;

typedef struct torsh_rt_object {
  uint8_t kind; /* TORSH_RT_* */
  uint8_t dtype_code, dtype_bits;
  uint32_t rank;
  int64_t *dims;
  uint64_t count;    /* elements, or items of a list */
  uint64_t bytes;    /* of data */
  char *data;        /* elements of a tensor, or the text of all strings */
  uint64_t *offsets; /* count + 1, into data: strings */
  torsh_rt_items *items;
} torsh_rt_object;

/* Zeroed, it is empty. Handle 0 is the absent value. */
typedef struct torsh_rt_objects {
  struct torsh_rt_block *blocks;
  torsh_rt_object **objects; /* of the handles from 1 on */
  uint64_t count, room;
  uint64_t bytes, most; /* held, and how much may be held: 0 for any */
  torsh_error *error;   /* where messages go */
  const char *node;     /* that they speak of */
} torsh_rt_objects;

void torsh_rt_objects_clear(torsh_rt_objects *table);

/* Does what a torsh_object_call asks for; 0 or a status with its message. */
torsh_status torsh_rt_object_do(torsh_rt_objects *table, const torsh_object_call *call, const void *const *in,
                                void *const *out, const int64_t *dims);

/* --- For the files of the topics ------------------------------------------------------------------------------------ */

/* A sentence with the node before it. */
torsh_status torsh_rt_object_fail(torsh_rt_objects *table, torsh_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Memory of the run, 16-byte aligned; NULL with the message filled. */
void *torsh_rt_object_memory(torsh_rt_objects *table, uint64_t bytes);
/* The object of a handle; NULL with a message when it is not of the kind. */
const torsh_rt_object *torsh_rt_object_get(torsh_rt_objects *table, int64_t handle, uint8_t kind);
uint8_t torsh_rt_object_kind(torsh_rt_objects *table, int64_t handle);
/* A new tensor whose data the caller fills, or string tensor whose offsets and text the caller sets; NULL with a message. */
torsh_rt_object *torsh_rt_object_tensor(torsh_rt_objects *table, torsh_dtype dtype, uint32_t rank,
                                        const int64_t *dims, int64_t *handle);
torsh_rt_object *torsh_rt_object_strings(torsh_rt_objects *table, uint32_t rank, const int64_t *dims,
                                         uint64_t bytes, int64_t *handle);
/* A list of these items. */
torsh_status torsh_rt_object_list(torsh_rt_objects *table, const int64_t *items, uint64_t count,
                                  uint64_t room, int64_t *handle);

torsh_status torsh_rt_list_do(torsh_rt_objects *table, const torsh_object_call *call, const void *const *in,
                              void *const *out);
torsh_status torsh_rt_join_do(torsh_rt_objects *table, const torsh_object_call *call, const void *const *in,
                              void *const *out);
torsh_status torsh_rt_string_do(torsh_rt_objects *table, const torsh_object_call *call, const void *const *in,
                                void *const *out);
torsh_status torsh_rt_text_do(torsh_rt_objects *table, const torsh_object_call *call, const void *const *in,
                              void *const *out);

/* A handle among the operands. */
static inline int64_t torsh_rt_handle(const void *const *in, uint32_t i) { return *(const int64_t *)in[i]; }

#endif
