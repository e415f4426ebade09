/* String tensors: constants, concatenation, comparison, splitting. */
#include "Objects.h"
#include "Status.h"

#include <inttypes.h>
#include <string.h>

enum { MOST_DIMS = 64 };

/* NumPy broadcasting of two string tensors: the common dims, and where element i of the result comes from. */
typedef struct pairing {
  uint32_t rank;
  int64_t dims[MOST_DIMS], a_steps[MOST_DIMS], b_steps[MOST_DIMS];
} pairing;

static torsh_status pair(torsh_rt_objects *table, const torsh_rt_object *a, const torsh_rt_object *b,
                         pairing *p) {
  p->rank = a->rank > b->rank ? a->rank : b->rank;
  if (p->rank > MOST_DIMS)
    return torsh_rt_object_fail(table, TORSH_E_RANK, "string tensors of rank %u are not served.", p->rank);
  int64_t a_step = 1, b_step = 1;
  for (uint32_t back = 1; back <= p->rank; ++back) {
    const uint32_t axis = p->rank - back;
    const int64_t x = back <= a->rank ? a->dims[a->rank - back] : 1,
                  y = back <= b->rank ? b->dims[b->rank - back] : 1;
    if (x != y && x != 1 && y != 1)
      return torsh_rt_object_fail(
          table, TORSH_E_SHAPE,
          "the sizes %" PRId64 " and %" PRId64 " of the string tensors do not fit together.", x, y);
    p->dims[axis] = x == 1 ? y : x;
    p->a_steps[axis] = x == 1 ? 0 : a_step;
    p->b_steps[axis] = y == 1 ? 0 : b_step;
    a_step *= x;
    b_step *= y;
  }
  return TORSH_OK;
}

static void source_of(const pairing *p, uint64_t i, uint64_t *a, uint64_t *b) {
  *a = *b = 0;
  for (uint32_t axis = p->rank; axis-- > 0;) {
    const uint64_t at = i % (uint64_t)p->dims[axis];
    i /= (uint64_t)p->dims[axis];
    *a += at * (uint64_t)p->a_steps[axis];
    *b += at * (uint64_t)p->b_steps[axis];
  }
}

static uint64_t length_of(const torsh_rt_object *x, uint64_t i) { return x->offsets[i + 1] - x->offsets[i]; }

static torsh_status concat(torsh_rt_objects *table, const torsh_rt_object *a, const torsh_rt_object *b,
                           int64_t *handle) {
  pairing p;
  torsh_status status = pair(table, a, b, &p);
  if (status)
    return status;
  uint64_t count = 1, bytes = 0, x, y;
  for (uint32_t axis = 0; axis < p.rank; ++axis)
    if (__builtin_mul_overflow(count, (uint64_t)p.dims[axis], &count) || count > (UINT64_C(1) << 40))
      return torsh_rt_object_fail(table, TORSH_E_SHAPE, "the string tensor would have too many elements.");
  for (uint64_t i = 0; i < count; ++i) {
    source_of(&p, i, &x, &y);
    bytes += length_of(a, x) + length_of(b, y);
  }
  torsh_rt_object *result = torsh_rt_object_strings(table, p.rank, p.dims, bytes, handle);
  if (!result)
    return table->error->status;
  uint64_t at = 0;
  for (uint64_t i = 0; i < count; ++i) {
    source_of(&p, i, &x, &y);
    memcpy(result->data + at, a->data + a->offsets[x], length_of(a, x));
    at += length_of(a, x);
    memcpy(result->data + at, b->data + b->offsets[y], length_of(b, y));
    at += length_of(b, y);
    result->offsets[i + 1] = at;
  }
  return TORSH_OK;
}

static torsh_status equal(torsh_rt_objects *table, const torsh_rt_object *a, const torsh_rt_object *b,
                          int64_t *handle) {
  pairing p;
  torsh_status status = pair(table, a, b, &p);
  if (status)
    return status;
  const torsh_dtype flag = {TORSH_DTYPE_BOOL, 8, 1};
  torsh_rt_object *result = torsh_rt_object_tensor(table, flag, p.rank, p.dims, handle);
  if (!result)
    return table->error->status;
  for (uint64_t i = 0; i < result->count; ++i) {
    uint64_t x, y;
    source_of(&p, i, &x, &y);
    result->data[i] = length_of(a, x) == length_of(b, y) &&
                      !memcmp(a->data + a->offsets[x], b->data + b->offsets[y], length_of(a, x));
  }
  return TORSH_OK;
}

/* --- Splitting ------------------------------------------------------------------------------------------------------ */

/* Bytes of the white space at `text`, 0 for none: what Unicode calls so, in UTF-8. */
static uint64_t space_at(const unsigned char *text, uint64_t left) {
  const unsigned char c = text[0];
  if (c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f))
    return 1;
  if (left >= 2 && c == 0xc2 && (text[1] == 0x85 || text[1] == 0xa0))
    return 2;
  if (left < 3)
    return 0;
  const unsigned code = (unsigned)(text[1] << 8 | text[2]);
  const int wide = (c == 0xe1 && code == 0x9a80) || (c == 0xe3 && code == 0x8080) ||
                   (c == 0xe2 && ((code >= 0x8080 && code <= 0x808a) || code == 0x80a8 || code == 0x80a9 ||
                                  code == 0x80af || code == 0x819f));
  return wide ? 3 : 0;
}

typedef struct cutter {
  const char *delimiter; /* NULL: white space */
  uint64_t delimiter_length;
  int64_t most; /* cuts; negative: any */
} cutter;

/* The next piece of [*at, end) as [*from, *to), after `cuts` cuts; 0 when there is none. *at is behind it, or beyond `end`
 * after the last one. */
static int next_piece(const cutter *c, const char *text, uint64_t *at, uint64_t end, int64_t cuts,
                      uint64_t *from, uint64_t *to) {
  uint64_t i = *at;
  if (i > end)
    return 0;
  if (c->delimiter) {
    *from = i;
    for (; (c->most < 0 || cuts < c->most) && end - i >= c->delimiter_length; ++i)
      if (!memcmp(text + i, c->delimiter, c->delimiter_length)) {
        *to = i;
        *at = i + c->delimiter_length;
        return 1;
      }
    *to = end;
    *at = end + 1;
    return 1;
  }
  uint64_t width;
  while (i < end && (width = space_at((const unsigned char *)text + i, end - i)))
    i += width;
  if (i >= end)
    return 0;
  *from = i;
  if (c->most >= 0 && cuts >= c->most) {
    /* The rest, without the white space at its end. */
    uint64_t last = i;
    while (i < end) {
      width = space_at((const unsigned char *)text + i, end - i);
      i += width ? width : 1;
      if (!width)
        last = i;
    }
    *to = last;
    *at = end + 1;
    return 1;
  }
  while (i < end && !space_at((const unsigned char *)text + i, end - i))
    ++i;
  *to = i;
  *at = i;
  return 1;
}

static torsh_status split(torsh_rt_objects *table, const torsh_object_call *call, const torsh_rt_object *x,
                          int64_t *pieces, int64_t *counts) {
  cutter c = {NULL, 0, call->numbers[0]};
  if (call->num_strings && call->offsets[1] > call->offsets[0]) {
    c.delimiter = call->bytes + call->offsets[0];
    c.delimiter_length = call->offsets[1] - call->offsets[0];
  }
  const torsh_dtype index = {TORSH_DTYPE_INT, 64, 1};
  torsh_rt_object *number = torsh_rt_object_tensor(table, index, x->rank, x->dims, counts);
  if (!number)
    return table->error->status;
  if (x->rank >= MOST_DIMS)
    return torsh_rt_object_fail(table, TORSH_E_RANK, "string tensors of rank %u are not served.", x->rank);
  int64_t most = 0;
  uint64_t bytes = 0, from, to;
  for (uint64_t i = 0; i < x->count; ++i) {
    int64_t found = 0;
    /* Without a delimiter an empty text has no piece, with one it has an empty piece. */
    for (uint64_t at = x->offsets[i]; next_piece(&c, x->data, &at, x->offsets[i + 1], found, &from, &to);
         ++found)
      bytes += to - from;
    memcpy(number->data + 8 * i, &found, 8);
    most = found > most ? found : most;
  }
  int64_t dims[MOST_DIMS];
  if (x->rank)
    memcpy(dims, x->dims, x->rank * sizeof(int64_t));
  dims[x->rank] = most;
  torsh_rt_object *result = torsh_rt_object_strings(table, x->rank + 1, dims, bytes, pieces);
  if (!result)
    return table->error->status;
  uint64_t written = 0, entry = 0;
  for (uint64_t i = 0; i < x->count; ++i) {
    int64_t found = 0;
    for (uint64_t at = x->offsets[i]; next_piece(&c, x->data, &at, x->offsets[i + 1], found, &from, &to);
         ++found) {
      memcpy(result->data + written, x->data + from, to - from);
      result->offsets[++entry] = written += to - from;
    }
    for (; found < most; ++found)
      result->offsets[++entry] = written;
  }
  return TORSH_OK;
}

static torsh_status constant(torsh_rt_objects *table, const torsh_object_call *call, int64_t *handle) {
  const uint64_t bytes = call->num_strings ? call->offsets[call->num_strings] : 0;
  torsh_rt_object *result = torsh_rt_object_strings(table, call->num_numbers, call->numbers, bytes, handle);
  if (!result)
    return table->error->status;
  if (result->count != call->num_strings)
    return torsh_rt_object_fail(table, TORSH_E_FORMAT, "a constant of %" PRIu64 " strings has %u of them.",
                                result->count, call->num_strings);
  for (uint32_t i = 0; i < call->num_strings; ++i)
    result->offsets[i + 1] = call->offsets[i + 1];
  if (bytes)
    memcpy(result->data, call->bytes, bytes);
  return TORSH_OK;
}

torsh_status torsh_rt_string_do(torsh_rt_objects *table, const torsh_object_call *call, const void *const *in,
                                void *const *out) {
  if (call->function == TORSH_OBJECT_STRINGS)
    return constant(table, call, out[0]);
  const torsh_rt_object *operands[2] = {NULL, NULL};
  for (uint32_t i = 0; i < call->num_in && i < 2; ++i)
    if (!(operands[i] = torsh_rt_object_get(table, torsh_rt_handle(in, i), TORSH_RT_STRINGS)))
      return table->error->status;
  if (call->function == TORSH_OBJECT_STRING_CONCAT)
    return concat(table, operands[0], operands[1], out[0]);
  if (call->function == TORSH_OBJECT_STRING_EQUAL)
    return equal(table, operands[0], operands[1], out[0]);
  return split(table, call, operands[0], out[0], out[1]);
}
