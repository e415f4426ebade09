/* Tensors from lists and lists from tensors. */
#include "Objects.h"
#include "Status.h"

#include <inttypes.h>
#include <string.h>

enum { MOST_DIMS = 64 };

static torsh_status check_axis(torsh_rt_objects *table, int64_t given, uint32_t rank, uint32_t *axis) {
  const int64_t found = given < 0 ? given + (int64_t)rank : given;
  if (found < 0 || found >= (int64_t)rank || rank > MOST_DIMS)
    return torsh_rt_object_fail(table, TORSH_E_RANK, "the axis %" PRId64 " is not one of %u.", given, rank);
  *axis = (uint32_t)found;
  return TORSH_OK;
}

static uint64_t product(const int64_t *dims, uint32_t from, uint32_t to) {
  uint64_t result = 1;
  for (uint32_t i = from; i < to; ++i)
    result *= (uint64_t)dims[i];
  return result;
}

/* Sizes of the joined tensor; every item must fit the first. */
static torsh_status join_dims(torsh_rt_objects *table, const torsh_rt_object *list, int stack, int64_t given,
                              uint32_t *axis, int64_t *dims) {
  const torsh_rt_object *first = torsh_rt_object_get(table, list->items->handles[0], TORSH_RT_TENSOR);
  if (!first)
    return table->error->status;
  const uint32_t rank = first->rank + (stack ? 1 : 0);
  torsh_status status = check_axis(table, given, rank, axis);
  if (status)
    return status;
  for (uint32_t i = 0, from = 0; i < rank; ++i)
    dims[i] = stack && i == *axis ? (int64_t)list->count : first->dims[from++];
  for (uint64_t k = 1; k < list->count; ++k) {
    const torsh_rt_object *item = torsh_rt_object_get(table, list->items->handles[k], TORSH_RT_TENSOR);
    if (!item)
      return table->error->status;
    int fits = item->rank == first->rank && item->dtype_code == first->dtype_code &&
               item->dtype_bits == first->dtype_bits;
    for (uint32_t i = 0; fits && i < first->rank; ++i)
      fits = item->dims[i] == first->dims[i] || (!stack && i == *axis);
    if (!fits)
      return torsh_rt_object_fail(table, TORSH_E_SHAPE,
                                  "item %" PRIu64
                                  " of the sequence differs in shape from the first, so they cannot be "
                                  "joined.",
                                  k);
    if (!stack && __builtin_add_overflow(dims[*axis], item->dims[*axis], &dims[*axis]))
      return torsh_rt_object_fail(table, TORSH_E_SHAPE, "the items are too large to be joined.");
  }
  return TORSH_OK;
}

static torsh_status concat(torsh_rt_objects *table, const torsh_object_call *call, const void *const *in,
                           int64_t *handle) {
  const torsh_rt_object *list = torsh_rt_object_get(table, torsh_rt_handle(in, 0), TORSH_RT_LIST);
  if (!list)
    return table->error->status;
  if (!list->count && call->num_in > 1) {
    *handle = torsh_rt_handle(in, 1);
    return TORSH_OK;
  }
  if (!list->count)
    return torsh_rt_object_fail(table, TORSH_E_SHAPE, "an empty sequence cannot be joined.");
  const int stack = call->numbers[1] != 0;
  uint32_t axis = 0;
  int64_t dims[MOST_DIMS];
  torsh_status status = join_dims(table, list, stack, call->numbers[0], &axis, dims);
  if (status)
    return status;
  const torsh_rt_object *first = table->objects[list->items->handles[0] - 1];
  const torsh_dtype dtype = {first->dtype_code, first->dtype_bits, 1};
  torsh_rt_object *joined =
      torsh_rt_object_tensor(table, dtype, first->rank + (stack ? 1u : 0u), dims, handle);
  if (!joined)
    return table->error->status;
  if (!joined->bytes)
    return TORSH_OK;
  const uint64_t outer = product(joined->dims, 0, axis);
  char *to = joined->data;
  for (uint64_t row = 0; row < outer; ++row)
    for (uint64_t k = 0; k < list->count; ++k) {
      const torsh_rt_object *item = table->objects[list->items->handles[k] - 1];
      const uint64_t bytes = item->bytes / outer;
      memcpy(to, item->data + row * bytes, bytes);
      to += bytes;
    }
  return TORSH_OK;
}

/* Elements [begin, begin + length) along the axis. */
static torsh_status take_part(torsh_rt_objects *table, const torsh_rt_object *whole, uint32_t axis,
                              int64_t begin, int64_t length, int keep, int64_t *handle) {
  int64_t dims[MOST_DIMS];
  uint32_t rank = 0;
  for (uint32_t i = 0; i < whole->rank; ++i)
    if (i != axis || keep)
      dims[rank++] = i == axis ? length : whole->dims[i];
  const torsh_dtype dtype = {whole->dtype_code, whole->dtype_bits, 1};
  torsh_rt_object *part = torsh_rt_object_tensor(table, dtype, rank, dims, handle);
  if (!part)
    return table->error->status;
  if (!part->bytes)
    return TORSH_OK;
  const uint64_t outer = product(whole->dims, 0, axis), row = whole->bytes / outer;
  const uint64_t slice = row / (uint64_t)whole->dims[axis], bytes = slice * (uint64_t)length;
  for (uint64_t i = 0; i < outer; ++i)
    memcpy(part->data + i * bytes, whole->data + i * row + slice * (uint64_t)begin, bytes);
  return TORSH_OK;
}

static int64_t integer_at(const torsh_rt_object *tensor, uint64_t i) {
  int64_t wide;
  int32_t narrow;
  if (tensor->dtype_bits == 64) {
    memcpy(&wide, tensor->data + 8 * i, 8);
    return wide;
  }
  memcpy(&narrow, tensor->data + 4 * i, 4);
  return narrow;
}

static torsh_status split(torsh_rt_objects *table, const torsh_object_call *call, const void *const *in,
                          int64_t *handle) {
  const torsh_rt_object *whole = torsh_rt_object_get(table, torsh_rt_handle(in, 0), TORSH_RT_TENSOR);
  const torsh_rt_object *lengths = NULL;
  if (whole && call->num_in > 1)
    lengths = torsh_rt_object_get(table, torsh_rt_handle(in, 1), TORSH_RT_TENSOR);
  if (!whole || (call->num_in > 1 && !lengths))
    return table->error->status;
  uint32_t axis = 0;
  torsh_status status = check_axis(table, call->numbers[0], whole->rank, &axis);
  if (status)
    return status;
  const int64_t size = whole->dims[axis], chunk = lengths && !lengths->rank ? integer_at(lengths, 0) : 1;
  const int keep = lengths || call->numbers[1];
  if (chunk <= 0)
    return torsh_rt_object_fail(table, TORSH_E_SHAPE, "a length of parts of %" PRId64 " is not positive.",
                                chunk);
  const uint64_t parts =
      lengths && lengths->rank ? lengths->count : (uint64_t)(size / chunk) + (size % chunk != 0 ? 1u : 0u);
  if ((status = torsh_rt_object_list(table, NULL, 0, parts, handle)))
    return status;
  torsh_rt_object *list = table->objects[*handle - 1];
  int64_t begin = 0;
  for (uint64_t i = 0; i < parts; ++i) {
    const int64_t left = size - begin;
    const int64_t length = lengths && lengths->rank ? integer_at(lengths, i) : left < chunk ? left : chunk;
    if (length < 0 || length > left)
      return torsh_rt_object_fail(table, TORSH_E_SHAPE,
                                  "the lengths of the parts do not sum up to the size %" PRId64 ".", size);
    int64_t part;
    if ((status = take_part(table, whole, axis, begin, length, keep, &part)))
      return status;
    list->items->handles[i] = part;
    list->count = list->items->used = i + 1;
    begin += length;
  }
  if (begin != size)
    return torsh_rt_object_fail(table, TORSH_E_SHAPE,
                                "the lengths of the parts do not sum up to the size %" PRId64 ".", size);
  return TORSH_OK;
}

torsh_status torsh_rt_join_do(torsh_rt_objects *table, const torsh_object_call *call, const void *const *in,
                              void *const *out) {
  return call->function == TORSH_OBJECT_CONCAT ? concat(table, call, in, out[0])
                                               : split(table, call, in, out[0]);
}
