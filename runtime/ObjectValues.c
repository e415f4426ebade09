#include "ObjectValues.h"
#include "Status.h"
#include "Values.h"

#include <inttypes.h>
#include <string.h>

typedef struct border {
  torsh_rt_objects *table;
  const char *side;
  const torsh_port *port;
  uint32_t index;
  torsh_error *error;
} border;

static const char *kind_name(uint32_t kind) {
  static const char *const names[] = {"a tensor", "a string tensor", "a sequence", "an optional", "a map"};
  return kind < 5 ? names[kind] : "of an unknown kind";
}

#define FAIL(at, status, text, ...)                                                                          \
  torsh_rt_fail_at((at)->error, status, (int32_t)(at)->index, -1, "%s %u (\"%s\"): " text, (at)->side,       \
                   (at)->index, (at)->port->name, __VA_ARGS__)

static torsh_status wrong_kind(const border *at, uint32_t wanted, uint32_t given) {
  return FAIL(at, TORSH_E_INVALID_ARGUMENT, "%s is needed; the value is %s.", kind_name(wanted),
              kind_name(given));
}

/* --- From the caller ------------------------------------------------------------------------------------------------ */

static torsh_status take_tensor(const border *at, const torsh_value *value, int64_t *handle) {
  /* Any dims will do, so the port that is checked against has those of the value. */
  const torsh_tensor *tensor = &value->as.tensor;
  if (tensor->ndim < 0 || tensor->ndim > 64 || (tensor->ndim && !tensor->shape))
    return FAIL(at, TORSH_E_RANK, "a tensor of rank %d inside of it is not served.", tensor->ndim);
  torsh_port port = *at->port;
  port.kind = 0;
  port.rank = (uint16_t)tensor->ndim;
  port.dims = tensor->shape;
  torsh_status status = torsh_rt_check_input(&port, at->index, value, 1, at->error);
  if (status)
    return status;
  torsh_rt_object *object =
      torsh_rt_object_tensor(at->table, tensor->dtype, (uint32_t)tensor->ndim, tensor->shape, handle);
  if (!object)
    return at->table->error->status;
  if (object->bytes)
    memcpy(object->data, (const char *)tensor->data + tensor->byte_offset, object->bytes);
  return TORSH_OK;
}

static torsh_status take_strings(const border *at, const torsh_value *value, int64_t *handle) {
  const int32_t rank = value->as.strings.ndim;
  const int64_t *dims = value->as.strings.shape;
  const uint64_t *offsets = value->as.strings.offsets;
  if (rank < 0 || rank > 64 || (rank && !dims))
    return FAIL(at, TORSH_E_RANK, "a string tensor of rank %d is not served.", rank);
  const torsh_dtype byte = {TORSH_DTYPE_UINT, 8, 1};
  uint64_t count = 0;
  if (torsh_rt_byte_size(byte, (uint32_t)rank, dims, &count))
    return FAIL(at, TORSH_E_SHAPE, "a dim is negative or the string tensor too large%s.", "");
  if (count && (!offsets || offsets[0]))
    return FAIL(at, TORSH_E_INVALID_ARGUMENT, "offsets of strings must begin with %d.", 0);
  for (uint64_t i = 0; i < count; ++i)
    if (offsets[i + 1] < offsets[i])
      return FAIL(at, TORSH_E_INVALID_ARGUMENT,
                  "the offset of string %" PRIu64 " is less than the one before.", i + 1);
  const uint64_t bytes = count ? offsets[count] : 0;
  if (bytes && !value->as.strings.bytes)
    return FAIL(at, TORSH_E_INVALID_ARGUMENT, "the text of %" PRIu64 " bytes is NULL.", bytes);
  torsh_rt_object *object = torsh_rt_object_strings(at->table, (uint32_t)rank, dims, bytes, handle);
  if (!object)
    return at->table->error->status;
  if (count)
    memcpy(object->offsets, offsets, (count + 1) * sizeof(uint64_t));
  if (bytes)
    memcpy(object->data, value->as.strings.bytes, bytes);
  return TORSH_OK;
}

static torsh_status take(const border *at, uint32_t kind, const torsh_value *value, int64_t *handle);

static torsh_status take_sequence(const border *at, uint32_t kind, const torsh_value *value,
                                  int64_t *handle) {
  const uint64_t count = value->as.sequence.count;
  if (count && !value->as.sequence.items)
    return FAIL(at, TORSH_E_INVALID_ARGUMENT, "the items of a sequence of %" PRIu64 " are NULL.", count);
  if (count > (UINT64_C(1) << 40))
    return FAIL(at, TORSH_E_SHAPE, "a sequence of %" PRIu64 " items is too long.", count);
  torsh_status status = torsh_rt_object_list(at->table, NULL, 0, count + 1, handle);
  if (status)
    return status;
  torsh_rt_object *list = at->table->objects[*handle - 1];
  for (uint64_t i = 0; i < count; ++i) {
    status = take(at, kind >> 8, &value->as.sequence.items[i], &list->items->handles[i]);
    if (status)
      return status;
    list->count = list->items->used = i + 1;
  }
  return TORSH_OK;
}

static torsh_status take(const border *at, uint32_t kind, const torsh_value *value, int64_t *handle) {
  if ((kind & 255) == TORSH_VALUE_OPTIONAL) {
    if (value->tag != TORSH_VALUE_OPTIONAL)
      return take(at, kind >> 8, value, handle); /* a value that is there */
    *handle = 0;
    return value->as.optional.value ? take(at, kind >> 8, value->as.optional.value, handle) : TORSH_OK;
  }
  if (value->tag != (kind & 255))
    return wrong_kind(at, kind & 255, value->tag);
  switch (kind & 255) {
  case TORSH_VALUE_TENSOR:
    return take_tensor(at, value, handle);
  case TORSH_VALUE_STRING_TENSOR:
    return take_strings(at, value, handle);
  case TORSH_VALUE_SEQUENCE:
    return take_sequence(at, kind, value, handle);
  default:
    return FAIL(at, TORSH_E_UNSUPPORTED, "values of kind %u are not served.", kind & 255);
  }
}

torsh_status torsh_rt_object_from_value(torsh_rt_objects *table, const torsh_port *port, uint32_t index,
                                        const torsh_value *value, int64_t *handle, torsh_error *error) {
  torsh_error local;
  const border at = {table, "input", port, index, error ? error : &local};
  table->error = at.error;
  torsh_status status = take(&at, port->kind, value, handle);
  table->error = NULL;
  return status;
}

/* --- To the caller -------------------------------------------------------------------------------------------------- */

static torsh_status give(const border *at, uint32_t kind, int64_t handle, torsh_value *value);

static torsh_status give_sequence(const border *at, uint32_t kind, const torsh_rt_object *list,
                                  torsh_value *value) {
  torsh_value *items = torsh_rt_object_memory(at->table, (list->count + 1) * sizeof(*items));
  if (!items)
    return at->table->error->status;
  value->as.sequence.count = list->count;
  value->as.sequence.items = items;
  for (uint64_t i = 0; i < list->count; ++i) {
    torsh_status status = give(at, kind >> 8, list->items->handles[i], &items[i]);
    if (status)
      return status;
  }
  return TORSH_OK;
}

static torsh_status give_optional(const border *at, uint32_t kind, int64_t handle, torsh_value *value) {
  if (torsh_rt_object_kind(at->table, handle) == TORSH_RT_NONE)
    return TORSH_OK;
  value->as.optional.value = torsh_rt_object_memory(at->table, sizeof(torsh_value));
  if (!value->as.optional.value)
    return at->table->error->status;
  return give(at, kind >> 8, handle, value->as.optional.value);
}

static torsh_status give(const border *at, uint32_t kind, int64_t handle, torsh_value *value) {
  static const uint8_t object_kinds[] = {TORSH_RT_TENSOR, TORSH_RT_STRINGS, TORSH_RT_LIST};
  memset(value, 0, sizeof(*value));
  value->tag = kind & 255;
  value->flags = TORSH_VALUE_CONTEXT_OWNED;
  if (value->tag == TORSH_VALUE_OPTIONAL)
    return give_optional(at, kind, handle, value);
  if (value->tag > TORSH_VALUE_SEQUENCE)
    return FAIL(at, TORSH_E_UNSUPPORTED, "values of kind %u are not served.", kind & 255);
  const torsh_rt_object *object = torsh_rt_object_get(at->table, handle, object_kinds[value->tag]);
  if (!object)
    return at->table->error->status;
  if (value->tag == TORSH_VALUE_SEQUENCE)
    return give_sequence(at, kind, object, value);
  if (value->tag == TORSH_VALUE_STRING_TENSOR) {
    value->as.strings.ndim = (int32_t)object->rank;
    value->as.strings.shape = object->dims;
    value->as.strings.offsets = object->offsets;
    value->as.strings.bytes = object->data;
    return TORSH_OK;
  }
  value->as.tensor.data = object->data;
  value->as.tensor.device = (torsh_device){TORSH_DEVICE_CPU, 0};
  value->as.tensor.ndim = (int32_t)object->rank;
  value->as.tensor.dtype = (torsh_dtype){object->dtype_code, object->dtype_bits, 1};
  value->as.tensor.shape = object->dims;
  return TORSH_OK;
}

torsh_status torsh_rt_object_to_value(torsh_rt_objects *table, const torsh_port *port, uint32_t index,
                                      int64_t handle, torsh_value *value, torsh_error *error) {
  torsh_error local;
  const border at = {table, "output", port, index, error ? error : &local};
  table->error = at.error;
  torsh_status status = give(&at, port->kind, handle, value);
  table->error = NULL;
  return status;
}
