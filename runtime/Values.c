#include "Values.h"
#include "Status.h"

#include <inttypes.h>
#include <stdio.h>

int torsh_rt_byte_size(torsh_dtype dtype, uint32_t rank, const int64_t *dims, uint64_t *bytes) {
  uint64_t elements = 1;
  int empty = 0;
  for (uint32_t i = 0; i < rank; ++i) {
    if (dims[i] < 0)
      return -1;
    empty |= dims[i] == 0;
  }
  /* An empty tensor is empty however large its other dims are. */
  for (uint32_t i = 0; i < rank && !empty; ++i)
    if (__builtin_mul_overflow(elements, (uint64_t)dims[i], &elements))
      return -1;
  uint64_t bits;
  if (empty)
    elements = 0;
  if (__builtin_mul_overflow(elements, (uint64_t)dtype.bits, &bits) || bits > (uint64_t)INT64_MAX - 7)
    return -1;
  *bytes = (bits + 7) / 8;
  return 0;
}

int torsh_rt_overlap(const void *a, uint64_t a_bytes, const void *b, uint64_t b_bytes) {
  const uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;
  return a && b && a_bytes && b_bytes && x < y + b_bytes && y < x + a_bytes;
}

uint64_t torsh_rt_stored_size(const torsh_port *port, const int64_t *dims) {
  const torsh_dtype stored = {port->dtype_code, port->dtype_bits < 8 ? 8 : port->dtype_bits, 1};
  uint64_t bytes;
  return torsh_rt_byte_size(stored, port->rank, dims, &bytes) ? UINT64_MAX : bytes;
}

/* Names of the types that have a code of their own. */
static const char *const small_floats[] = {
    [TORSH_DTYPE_FLOAT8_E4M3FN] = "float8_e4m3fn",   [TORSH_DTYPE_FLOAT8_E4M3FNUZ] = "float8_e4m3fnuz",
    [TORSH_DTYPE_FLOAT8_E5M2] = "float8_e5m2",       [TORSH_DTYPE_FLOAT8_E5M2FNUZ] = "float8_e5m2fnuz",
    [TORSH_DTYPE_FLOAT8_E8M0FNU] = "float8_e8m0fnu", [TORSH_DTYPE_FLOAT6_E2M3FN] = "float6_e2m3fn",
    [TORSH_DTYPE_FLOAT6_E3M2FN] = "float6_e3m2fn",   [TORSH_DTYPE_FLOAT4_E2M1FN] = "float4_e2m1fn",
};

const char *torsh_rt_dtype_name(torsh_dtype dtype, char buffer[24]) {
  const char *kind = dtype.code == TORSH_DTYPE_INT       ? "int"
                     : dtype.code == TORSH_DTYPE_UINT    ? "uint"
                     : dtype.code == TORSH_DTYPE_FLOAT   ? "float"
                     : dtype.code == TORSH_DTYPE_BFLOAT  ? "bfloat"
                     : dtype.code == TORSH_DTYPE_COMPLEX ? "complex"
                                                         : NULL;
  if (dtype.code == TORSH_DTYPE_BOOL && dtype.bits == 8)
    snprintf(buffer, 24, "bool");
  else if (dtype.code < sizeof(small_floats) / sizeof(*small_floats) && small_floats[dtype.code])
    snprintf(buffer, 24, "%s", small_floats[dtype.code]);
  else if (kind)
    snprintf(buffer, 24, "%s%u", kind, dtype.bits);
  else
    snprintf(buffer, 24, "code %u, %u bits", dtype.code, dtype.bits);
  if (dtype.lanes != 1)
    snprintf(buffer, 24, "%u lanes", dtype.lanes);
  return buffer;
}

typedef struct place {
  const char *side; /* "input" or "output" */
  uint32_t index;
  const torsh_port *port;
  torsh_error *error;
} place;

#define FAIL(where, status, axis, text, ...)                                                                 \
  torsh_rt_fail_at((where)->error, status, (int32_t)(where)->index, axis, "%s %u (\"%s\")" text,             \
                   (where)->side, (where)->index, (where)->port->name, __VA_ARGS__)

static torsh_status check_kind(const place *where, const torsh_value *value) {
  if (value->tag == TORSH_VALUE_TENSOR)
    return TORSH_OK;
  if (value->tag <= TORSH_VALUE_MAP)
    return FAIL(where, TORSH_E_UNSUPPORTED, -1, ": values of kind %u are not served yet; give a tensor.",
                value->tag);
  return FAIL(where, TORSH_E_INVALID_ARGUMENT, -1, ": %u is not a kind of value.", value->tag);
}

static torsh_status check_type(const place *where, const torsh_tensor *tensor) {
  const torsh_dtype expected = {where->port->dtype_code, where->port->dtype_bits, 1};
  char expected_name[24], actual_name[24];
  if (tensor->device.type != TORSH_DEVICE_CPU)
    return FAIL(where, TORSH_E_LAYOUT, -1, ": the tensor is on device type %d; only the CPU (1) is served.",
                tensor->device.type);
  if (tensor->dtype.code != expected.code || tensor->dtype.bits != expected.bits || tensor->dtype.lanes != 1)
    return FAIL(where, TORSH_E_DTYPE, -1, ": expected dtype %s, got %s.",
                torsh_rt_dtype_name(expected, expected_name),
                torsh_rt_dtype_name(tensor->dtype, actual_name));
  if (tensor->ndim != (int32_t)where->port->rank)
    return FAIL(where, TORSH_E_RANK, -1, ": expected rank %u, got %d.", where->port->rank, tensor->ndim);
  if (tensor->ndim && !tensor->shape)
    return FAIL(where, TORSH_E_INVALID_ARGUMENT, -1, ": the shape of a tensor of rank %d is NULL.",
                tensor->ndim);
  return TORSH_OK;
}

static torsh_status check_layout(const place *where, const torsh_tensor *tensor) {
  uint64_t bytes;
  if (torsh_rt_byte_size(tensor->dtype, where->port->rank, tensor->shape, &bytes))
    return FAIL(where, TORSH_E_SHAPE, -1, ": the byte size of the tensor exceeds %s.", "64 bits");
  if (!bytes)
    return TORSH_OK;
  if (!tensor->data)
    return FAIL(where, TORSH_E_INVALID_ARGUMENT, -1,
                ": the data pointer of a tensor of %" PRIu64 " bytes is NULL.", bytes);
  const uint64_t element =
      tensor->dtype.code == TORSH_DTYPE_COMPLEX ? tensor->dtype.bits / 16 : tensor->dtype.bits / 8;
  if (element > 1 && ((uintptr_t)tensor->data + tensor->byte_offset) % element)
    return FAIL(where, TORSH_E_LAYOUT, -1,
                ": the data is not aligned to its element size of %" PRIu64 " bytes.", element);
  int64_t stride = 1;
  for (int32_t axis = tensor->ndim; tensor->strides && axis-- > 0;) {
    /* The stride of an axis of size 1 is never used. */
    if (tensor->shape[axis] != 1 && tensor->strides[axis] != stride)
      return FAIL(where, TORSH_E_LAYOUT, axis,
                  " must be contiguous and row-major: axis %d has stride %" PRId64 ", expected %" PRId64
                  ". Copy it into a contiguous buffer.",
                  axis, tensor->strides[axis], stride);
    stride *= tensor->shape[axis];
  }
  return TORSH_OK;
}

torsh_status torsh_rt_check_input(const torsh_port *port, uint32_t index, const torsh_value *value,
                                  int with_data, torsh_error *error) {
  const place where = {"input", index, port, error};
  torsh_status status = check_kind(&where, value);
  if (status)
    return status;
  const torsh_tensor *tensor = &value->as.tensor;
  status = check_type(&where, tensor);
  if (status)
    return status;
  for (uint32_t axis = 0; axis < port->rank; ++axis) {
    const int64_t actual = tensor->shape[axis], expected = port->dims[axis];
    if (actual < 0)
      return FAIL(&where, TORSH_E_SHAPE, (int32_t)axis, ": axis %u has the negative size %" PRId64 ".", axis,
                  actual);
    if (expected >= 0 && actual != expected)
      return FAIL(&where, TORSH_E_SHAPE, (int32_t)axis,
                  ": axis %u must have size %" PRId64 ", got %" PRId64 ".", axis, expected, actual);
  }
  return with_data ? check_layout(&where, tensor) : TORSH_OK;
}

torsh_status torsh_rt_check_output(const torsh_port *port, uint32_t index, const torsh_value *value,
                                   const int64_t *dims, torsh_error *error) {
  const place where = {"output", index, port, error};
  torsh_status status = check_kind(&where, value);
  if (status)
    return status;
  const torsh_tensor *tensor = &value->as.tensor;
  status = check_type(&where, tensor);
  if (status)
    return status;
  for (uint32_t axis = 0; axis < port->rank; ++axis)
    if (tensor->shape[axis] != dims[axis])
      return FAIL(&where, TORSH_E_SHAPE, (int32_t)axis,
                  ": axis %u of the buffer has size %" PRId64 ", but this run computes %" PRId64 ".", axis,
                  tensor->shape[axis], dims[axis]);
  return check_layout(&where, tensor);
}
