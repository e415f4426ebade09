#include "Objects.h"
#include "Status.h"

#include <inttypes.h>
#include <string.h>

/* The position that a number means in a list of `count`: negative ones count from its end. */
static torsh_status find_position(torsh_rt_objects *table, const void *number, uint64_t count,
                                  uint64_t *position) {
  const int64_t given = *(const int64_t *)number;
  const int64_t found = given < 0 ? given + (int64_t)count : given;
  if (found < 0 || found >= (int64_t)count)
    return torsh_rt_object_fail(table, TORSH_E_SHAPE,
                                "the position %" PRId64 " is not in a sequence of %" PRIu64 " items.", given,
                                count);
  *position = (uint64_t)found;
  return TORSH_OK;
}

static torsh_status append(torsh_rt_objects *table, const torsh_rt_object *list, int64_t item,
                           int64_t *handle) {
  torsh_rt_items *items = list->items;
  /* The place behind a list is free when no longer list has taken it. */
  if (items->used == list->count && items->used < items->room) {
    torsh_status status = torsh_rt_object_list(table, NULL, 0, 0, handle);
    if (status)
      return status;
    torsh_rt_object *longer = table->objects[*handle - 1];
    items->handles[items->used++] = item;
    longer->items = items;
    longer->count = list->count + 1;
    return TORSH_OK;
  }
  torsh_status status = torsh_rt_object_list(table, items->handles, list->count, 2 * list->count + 4, handle);
  if (status)
    return status;
  torsh_rt_object *copy = table->objects[*handle - 1];
  copy->items->handles[copy->count++] = item;
  copy->items->used = copy->count;
  return TORSH_OK;
}

static torsh_status insert(torsh_rt_objects *table, const torsh_rt_object *list, uint64_t position,
                           int64_t item, int64_t *handle) {
  const int64_t *from = list->items->handles;
  torsh_status status = torsh_rt_object_list(table, from, position, list->count + 1, handle);
  if (status)
    return status;
  torsh_rt_object *copy = table->objects[*handle - 1];
  copy->items->handles[position] = item;
  memcpy(copy->items->handles + position + 1, from + position, (list->count - position) * sizeof(int64_t));
  copy->count = copy->items->used = list->count + 1;
  return TORSH_OK;
}

static torsh_status erase(torsh_rt_objects *table, const torsh_rt_object *list, uint64_t position,
                          int64_t *handle) {
  const int64_t *from = list->items->handles;
  torsh_status status = torsh_rt_object_list(table, from, position, list->count, handle);
  if (status)
    return status;
  torsh_rt_object *copy = table->objects[*handle - 1];
  memcpy(copy->items->handles + position, from + position + 1,
         (list->count - position - 1) * sizeof(int64_t));
  copy->count = copy->items->used = list->count - 1;
  return TORSH_OK;
}

static torsh_status make_list(torsh_rt_objects *table, const torsh_object_call *call, const void *const *in,
                              int64_t *handle) {
  torsh_status status = torsh_rt_object_list(table, NULL, 0, call->num_in + 4, handle);
  if (status)
    return status;
  torsh_rt_object *list = table->objects[*handle - 1];
  for (uint32_t i = 0; i < call->num_in; ++i)
    list->items->handles[i] = torsh_rt_handle(in, i);
  list->count = list->items->used = call->num_in;
  return TORSH_OK;
}

torsh_status torsh_rt_list_do(torsh_rt_objects *table, const torsh_object_call *call, const void *const *in,
                              void *const *out) {
  int64_t *handle = out[0];
  if (call->function == TORSH_OBJECT_LIST)
    return make_list(table, call, in, handle);
  const torsh_rt_object *list = torsh_rt_object_get(table, torsh_rt_handle(in, 0), TORSH_RT_LIST);
  if (!list)
    return table->error->status;
  uint64_t position = 0;
  torsh_status status = TORSH_OK;
  switch (call->function) {
  case TORSH_OBJECT_LENGTH:
    *handle = (int64_t)list->count;
    return TORSH_OK;
  case TORSH_OBJECT_APPEND:
    return append(table, list, torsh_rt_handle(in, 1), handle);
  case TORSH_OBJECT_INSERT:
    /* Behind the last item is a place, too. */
    if (*(const int64_t *)in[2] == (int64_t)list->count)
      return append(table, list, torsh_rt_handle(in, 1), handle);
    status = find_position(table, in[2], list->count, &position);
    return status ? status : insert(table, list, position, torsh_rt_handle(in, 1), handle);
  case TORSH_OBJECT_ERASE:
    status = find_position(table, in[1], list->count, &position);
    return status ? status : erase(table, list, position, handle);
  default: /* TORSH_OBJECT_AT */
    status = find_position(table, in[1], list->count, &position);
    if (!status)
      *handle = list->items->handles[position];
    return status;
  }
}
