#include "Objects.h"
#include "Status.h"
#include "Values.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In front of every piece of memory. 16 bytes, so that what follows is aligned as malloc aligns. */
typedef struct torsh_rt_block {
  struct torsh_rt_block *next;
  uint64_t reserved;
} torsh_rt_block;

void torsh_rt_objects_clear(torsh_rt_objects *table) {
  for (torsh_rt_block *block = table->blocks, *next; block; block = next) {
    next = block->next;
    free(block);
  }
  free(table->objects);
  memset(table, 0, sizeof(*table));
}

torsh_status torsh_rt_object_fail(torsh_rt_objects *table, torsh_status status, const char *format, ...) {
  char sentence[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(sentence, sizeof(sentence), format, arguments);
  va_end(arguments);
  if (table->node)
    return torsh_rt_fail(table->error, status, "node '%.80s': %s", table->node, sentence);
  return torsh_rt_fail(table->error, status, "%s", sentence);
}

static torsh_status refuse_memory(torsh_rt_objects *table, uint64_t bytes, int capped) {
  torsh_status status = torsh_rt_object_fail(
      table, capped ? TORSH_E_MEMORY_CAP : TORSH_E_NO_MEMORY,
      capped ? "the lists and strings of this run need %" PRIu64 " bytes more than the context's cap leaves."
             : "the system has no memory for %" PRIu64 " bytes of lists and strings.",
      bytes);
  if (table->error)
    table->error->needed = bytes;
  return status;
}

void *torsh_rt_object_memory(torsh_rt_objects *table, uint64_t bytes) {
  if (table->most && (bytes > table->most || table->bytes > table->most - bytes)) {
    refuse_memory(table, bytes, 1);
    return NULL;
  }
  torsh_rt_block *block = bytes > (uint64_t)INT64_MAX / 2 ? NULL : malloc(sizeof(*block) + bytes);
  if (!block) {
    refuse_memory(table, bytes, 0);
    return NULL;
  }
  block->next = table->blocks;
  table->blocks = block;
  table->bytes += bytes + sizeof(*block);
  return block + 1;
}

uint8_t torsh_rt_object_kind(torsh_rt_objects *table, int64_t handle) {
  return handle > 0 && (uint64_t)handle <= table->count ? table->objects[handle - 1]->kind : TORSH_RT_NONE;
}

const torsh_rt_object *torsh_rt_object_get(torsh_rt_objects *table, int64_t handle, uint8_t kind) {
  static const char *const names[] = {"an absent value", "a tensor", "a string tensor", "a sequence"};
  const uint8_t actual = torsh_rt_object_kind(table, handle);
  if (actual == kind)
    return table->objects[handle - 1];
  torsh_rt_object_fail(table, TORSH_E_INVALID_ARGUMENT, "the value is %s; %s is needed.", names[actual],
                       names[kind]);
  return NULL;
}

static torsh_rt_object *add_object(torsh_rt_objects *table, uint8_t kind, uint32_t rank, const int64_t *dims,
                                   int64_t *handle) {
  if (table->count == table->room) {
    const uint64_t room = table->room ? 2 * table->room : 64;
    torsh_rt_object **grown = realloc(table->objects, room * sizeof(*grown));
    if (!grown) {
      refuse_memory(table, room * sizeof(*grown), 0);
      return NULL;
    }
    table->objects = grown;
    table->bytes += (room - table->room) * sizeof(*grown);
    table->room = room;
  }
  torsh_rt_object *object = torsh_rt_object_memory(table, sizeof(*object) + rank * sizeof(int64_t));
  if (!object)
    return NULL;
  memset(object, 0, sizeof(*object));
  object->kind = kind;
  object->rank = rank;
  object->dims = (int64_t *)(void *)(object + 1);
  if (rank)
    memcpy(object->dims, dims, rank * sizeof(int64_t));
  table->objects[table->count++] = object;
  *handle = (int64_t)table->count;
  return object;
}

torsh_rt_object *torsh_rt_object_tensor(torsh_rt_objects *table, torsh_dtype dtype, uint32_t rank,
                                        const int64_t *dims, int64_t *handle) {
  uint64_t bytes = 0, count = 0;
  /* In a run elements of less than a byte take one each. */
  if (dtype.bits < 8)
    dtype.bits = 8;
  const torsh_dtype byte = {TORSH_DTYPE_UINT, 8, 1};
  if (torsh_rt_byte_size(byte, rank, dims, &count) || torsh_rt_byte_size(dtype, rank, dims, &bytes)) {
    torsh_rt_object_fail(table, TORSH_E_SHAPE, "a tensor would have a negative or too large size.");
    return NULL;
  }
  torsh_rt_object *object = add_object(table, TORSH_RT_TENSOR, rank, dims, handle);
  if (!object)
    return NULL;
  object->dtype_code = dtype.code;
  object->dtype_bits = dtype.bits;
  object->count = count;
  object->bytes = bytes;
  object->data = torsh_rt_object_memory(table, bytes);
  return object->data ? object : NULL;
}

torsh_rt_object *torsh_rt_object_strings(torsh_rt_objects *table, uint32_t rank, const int64_t *dims,
                                         uint64_t bytes, int64_t *handle) {
  uint64_t count = 0, size = 0;
  const torsh_dtype byte = {TORSH_DTYPE_UINT, 8, 1}, word = {TORSH_DTYPE_UINT, 64, 1};
  if (torsh_rt_byte_size(byte, rank, dims, &count) || torsh_rt_byte_size(word, rank, dims, &size)) {
    torsh_rt_object_fail(table, TORSH_E_SHAPE, "a string tensor would have a negative or too large size.");
    return NULL;
  }
  torsh_rt_object *object = add_object(table, TORSH_RT_STRINGS, rank, dims, handle);
  if (!object)
    return NULL;
  object->count = count;
  object->bytes = bytes;
  object->offsets = torsh_rt_object_memory(table, size + sizeof(uint64_t));
  object->data = object->offsets ? torsh_rt_object_memory(table, bytes) : NULL;
  if (!object->data)
    return NULL;
  object->offsets[0] = 0;
  return object;
}

torsh_status torsh_rt_object_list(torsh_rt_objects *table, const int64_t *items, uint64_t count,
                                  uint64_t room, int64_t *handle) {
  torsh_rt_object *list = add_object(table, TORSH_RT_LIST, 0, NULL, handle);
  if (!list)
    return table->error ? table->error->status : TORSH_E_NO_MEMORY;
  list->count = count;
  list->items = torsh_rt_object_memory(table, sizeof(torsh_rt_items) + room * sizeof(int64_t));
  if (!list->items)
    return table->error ? table->error->status : TORSH_E_NO_MEMORY;
  list->items->used = count;
  list->items->room = room;
  if (count)
    memcpy(list->items->handles, items, count * sizeof(int64_t));
  return TORSH_OK;
}

/* --- Tensors -------------------------------------------------------------------------------------------------------- */

static torsh_status box(torsh_rt_objects *table, const torsh_object_call *call, const void *data,
                        const int64_t *dims, int64_t *handle) {
  const torsh_dtype dtype = {call->dtype_code, call->dtype_bits, 1};
  torsh_rt_object *object = torsh_rt_object_tensor(table, dtype, call->rank, dims, handle);
  if (!object)
    return table->error->status;
  if (object->bytes)
    memcpy(object->data, data, object->bytes);
  return TORSH_OK;
}

/* The tensor of a handle, of the rank and dtype that the call names. */
static const torsh_rt_object *find_tensor(torsh_rt_objects *table, const torsh_object_call *call,
                                          int64_t handle) {
  if (torsh_rt_object_kind(table, handle) == TORSH_RT_STRINGS && !call->dtype_bits)
    return table->objects[handle - 1];
  const torsh_rt_object *object = torsh_rt_object_get(table, handle, TORSH_RT_TENSOR);
  if (!object || !call->dtype_bits)
    return object;
  const torsh_dtype actual = {object->dtype_code, object->dtype_bits, 1};
  const torsh_dtype expected = {call->dtype_code, call->dtype_bits < 8 ? 8 : call->dtype_bits, 1};
  if (actual.code == expected.code && actual.bits == expected.bits)
    return object;
  char a[24], b[24];
  torsh_rt_object_fail(table, TORSH_E_DTYPE, "the value has dtype %s, and %s is needed.",
                       torsh_rt_dtype_name(actual, a), torsh_rt_dtype_name(expected, b));
  return NULL;
}

static torsh_status check_rank(torsh_rt_objects *table, const torsh_object_call *call,
                               const torsh_rt_object *object) {
  if (object->rank == call->rank)
    return TORSH_OK;
  return torsh_rt_object_fail(table, TORSH_E_RANK,
                              "the value has rank %u; the model was compiled for rank %u.", object->rank,
                              call->rank);
}

static torsh_status unbox(torsh_rt_objects *table, const torsh_object_call *call,
                          const torsh_rt_object *object, const int64_t *dims, void *data) {
  for (uint32_t axis = 0; axis < object->rank; ++axis)
    if (object->dims[axis] != dims[axis])
      return torsh_rt_object_fail(table, TORSH_E_SHAPE,
                                  "axis %u of the value has size %" PRId64
                                  "; the model was compiled for %" PRId64 ".",
                                  axis, object->dims[axis], dims[axis]);
  (void)call;
  if (object->bytes)
    memcpy(data, object->data, object->bytes);
  return TORSH_OK;
}

static torsh_status tensor_do(torsh_rt_objects *table, const torsh_object_call *call, const void *const *in,
                              void *const *out, const int64_t *dims) {
  if (call->function == TORSH_OBJECT_BOX)
    return box(table, call, in[0], dims, out[0]);
  const torsh_rt_object *object = find_tensor(table, call, torsh_rt_handle(in, 0));
  torsh_status status = object ? check_rank(table, call, object) : table->error->status;
  if (status)
    return status;
  if (call->function == TORSH_OBJECT_UNBOX)
    return unbox(table, call, object, dims, out[0]);
  if (object->rank)
    memcpy(out[0], object->dims, object->rank * sizeof(int64_t));
  return TORSH_OK;
}

torsh_status torsh_rt_object_do(torsh_rt_objects *table, const torsh_object_call *call, const void *const *in,
                                void *const *out, const int64_t *dims) {
  torsh_error local;
  torsh_error *given = table->error;
  if (!given)
    table->error = &local;
  table->node = call->node;
  torsh_status status;
  switch (call->function) {
  case TORSH_OBJECT_BOX:
  case TORSH_OBJECT_DIMS:
  case TORSH_OBJECT_UNBOX:
    status = tensor_do(table, call, in, out, dims);
    break;
  case TORSH_OBJECT_NONE:
    *(int64_t *)out[0] = 0;
    status = TORSH_OK;
    break;
  case TORSH_OBJECT_AS:
    *(int64_t *)out[0] = torsh_rt_handle(in, 0);
    status = TORSH_OK;
    break;
  case TORSH_OBJECT_IS_SOME:
    *(uint8_t *)out[0] = torsh_rt_object_kind(table, torsh_rt_handle(in, 0)) != TORSH_RT_NONE;
    status = TORSH_OK;
    break;
  case TORSH_OBJECT_GET:
    *(int64_t *)out[0] = torsh_rt_handle(in, 0);
    status = torsh_rt_object_kind(table, torsh_rt_handle(in, 0)) != TORSH_RT_NONE
                 ? TORSH_OK
                 : torsh_rt_object_fail(table, TORSH_E_INVALID_ARGUMENT, "the optional value is absent.");
    break;
  case TORSH_OBJECT_CONCAT:
  case TORSH_OBJECT_SPLIT:
    status = torsh_rt_join_do(table, call, in, out);
    break;
  case TORSH_OBJECT_LIST:
  case TORSH_OBJECT_INSERT:
  case TORSH_OBJECT_APPEND:
  case TORSH_OBJECT_ERASE:
  case TORSH_OBJECT_AT:
  case TORSH_OBJECT_LENGTH:
    status = torsh_rt_list_do(table, call, in, out);
    break;
  case TORSH_OBJECT_STRINGS:
  case TORSH_OBJECT_STRING_CONCAT:
  case TORSH_OBJECT_STRING_EQUAL:
  case TORSH_OBJECT_STRING_SPLIT:
    status = torsh_rt_string_do(table, call, in, out);
    break;
  case TORSH_OBJECT_STRING_NORMALIZE:
  case TORSH_OBJECT_LABEL_ENCODE:
  case TORSH_OBJECT_TFIDF:
    status = torsh_rt_text_do(table, call, in, out);
    break;
  default:
    status = torsh_rt_object_fail(table, TORSH_E_UNSUPPORTED,
                                  "this runtime does not know the function %u of objects.", call->function);
  }
  table->error = given;
  table->node = NULL;
  return status;
}
