/* What models of text do before their arithmetic: normalisation, labels, counts of n-grams. */
#include "Objects.h"
#include "Status.h"

#include <inttypes.h>
#include <string.h>

static uint64_t length_of(const torsh_rt_object *x, uint64_t i) { return x->offsets[i + 1] - x->offsets[i]; }

/* --- StringNormalizer ----------------------------------------------------------------------------------------------- */

enum { KEEP = 0, LOWER = 1, UPPER = 2 };

static char changed(char c, int64_t to) {
  if (to == LOWER && c >= 'A' && c <= 'Z')
    return (char)(c + ('a' - 'A'));
  return to == UPPER && c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static int same_text(const char *a, const char *b, uint64_t length, int is_sensitive) {
  if (is_sensitive)
    return !length || !memcmp(a, b, length);
  for (uint64_t i = 0; i < length; ++i)
    if (changed(a[i], LOWER) != changed(b[i], LOWER))
      return 0;
  return 1;
}

static int is_stopword(const torsh_object_call *call, const char *text, uint64_t length) {
  for (uint32_t i = 0; i < call->num_strings; ++i)
    if (call->offsets[i + 1] - call->offsets[i] == length &&
        same_text(call->bytes + call->offsets[i], text, length, call->numbers[1] != 0))
      return 1;
  return 0;
}

static torsh_status normalize(torsh_rt_objects *table, const torsh_object_call *call,
                              const torsh_rt_object *x, int64_t *handle) {
  const int64_t to = call->numbers[0];
  if (x->rank < 1 || x->rank > 2 || (x->rank == 2 && x->dims[0] != 1))
    return torsh_rt_object_fail(table, TORSH_E_SHAPE, "strings of the shape [C] or [1, C] are normalised.");
  /* The case of other letters depends on tables that the runtime does not carry. */
  if (to != KEEP || (!call->numbers[1] && call->num_strings))
    for (uint64_t i = 0; i < x->bytes; ++i)
      if ((unsigned char)x->data[i] > 127)
        return torsh_rt_object_fail(table, TORSH_E_UNSUPPORTED,
                                    "the case of letters outside of ASCII cannot be changed or ignored.");
  uint64_t kept = 0, bytes = 0;
  for (uint64_t i = 0; i < x->count; ++i)
    if (!is_stopword(call, x->data + x->offsets[i], length_of(x, i))) {
      ++kept;
      bytes += length_of(x, i);
    }
  /* Where nothing is left, one empty string is. */
  int64_t dims[2] = {1, 1};
  dims[x->rank - 1] = kept ? (int64_t)kept : 1;
  torsh_rt_object *result = torsh_rt_object_strings(table, x->rank, dims, bytes, handle);
  if (!result)
    return table->error->status;
  result->offsets[1] = 0;
  uint64_t entry = 0, at = 0;
  for (uint64_t i = 0; i < x->count; ++i) {
    const char *text = x->data + x->offsets[i];
    if (is_stopword(call, text, length_of(x, i)))
      continue;
    for (uint64_t k = 0; k < length_of(x, i); ++k)
      result->data[at++] = changed(text[k], to);
    result->offsets[++entry] = at;
  }
  return TORSH_OK;
}

/* --- LabelEncoder --------------------------------------------------------------------------------------------------- */

static const char *element_of(const torsh_rt_object *x, uint64_t i, uint64_t *length) {
  if (x->kind == TORSH_RT_STRINGS) {
    *length = length_of(x, i);
    return x->data + x->offsets[i];
  }
  *length = x->dtype_bits / 8;
  return x->data + i * *length;
}

static uint64_t hash(const char *bytes, uint64_t length) {
  uint64_t value = UINT64_C(14695981039346656037);
  for (uint64_t i = 0; i < length; ++i)
    value = (value ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
  return value;
}

/* Of each element of x the index of its key, or -1. */
static torsh_status find_keys(torsh_rt_objects *table, const torsh_rt_object *x, const torsh_rt_object *keys,
                              int64_t *found) {
  uint64_t room = 16;
  while (room < 2 * keys->count)
    room *= 2;
  int64_t *slots = torsh_rt_object_memory(table, room * sizeof(*slots));
  if (!slots)
    return table->error->status;
  memset(slots, 0, room * sizeof(*slots));
  uint64_t a_length, b_length;
  for (uint64_t i = 0; i < keys->count; ++i) {
    const char *key = element_of(keys, i, &a_length);
    uint64_t slot = hash(key, a_length) & (room - 1);
    while (slots[slot]) {
      const char *other = element_of(keys, (uint64_t)slots[slot] - 1, &b_length);
      if (a_length == b_length && !memcmp(key, other, a_length))
        break;
      slot = (slot + 1) & (room - 1);
    }
    slots[slot] = (int64_t)i + 1; /* the last of equal keys counts */
  }
  for (uint64_t i = 0; i < x->count; ++i) {
    const char *text = element_of(x, i, &a_length);
    found[i] = -1;
    for (uint64_t slot = hash(text, a_length) & (room - 1); slots[slot]; slot = (slot + 1) & (room - 1)) {
      const char *key = element_of(keys, (uint64_t)slots[slot] - 1, &b_length);
      if (a_length == b_length && !memcmp(text, key, a_length)) {
        found[i] = slots[slot] - 1;
        break;
      }
    }
  }
  return TORSH_OK;
}

static torsh_status label_encode(torsh_rt_objects *table, const torsh_rt_object *x,
                                 const torsh_rt_object *keys, const torsh_rt_object *values,
                                 const torsh_rt_object *otherwise, int64_t *handle) {
  if (x->kind != keys->kind || x->dtype_code != keys->dtype_code || x->dtype_bits != keys->dtype_bits ||
      values->kind != otherwise->kind || values->dtype_bits != otherwise->dtype_bits || !otherwise->count ||
      keys->count != values->count)
    return torsh_rt_object_fail(table, TORSH_E_DTYPE, "keys, values and labels do not fit together.");
  int64_t *found = torsh_rt_object_memory(table, (x->count + 1) * sizeof(*found));
  torsh_status status = found ? find_keys(table, x, keys, found) : table->error->status;
  if (status)
    return status;
  uint64_t bytes = 0, length;
  for (uint64_t i = 0; i < x->count; ++i) {
    element_of(found[i] < 0 ? otherwise : values, found[i] < 0 ? 0 : (uint64_t)found[i], &length);
    bytes += length;
  }
  const torsh_dtype dtype = {values->dtype_code, values->dtype_bits, 1};
  torsh_rt_object *result = values->kind == TORSH_RT_STRINGS
                                ? torsh_rt_object_strings(table, x->rank, x->dims, bytes, handle)
                                : torsh_rt_object_tensor(table, dtype, x->rank, x->dims, handle);
  if (!result)
    return table->error->status;
  uint64_t at = 0;
  for (uint64_t i = 0; i < x->count; ++i) {
    const char *value =
        element_of(found[i] < 0 ? otherwise : values, found[i] < 0 ? 0 : (uint64_t)found[i], &length);
    memcpy(result->data + at, value, length);
    at += length;
    if (result->offsets)
      result->offsets[i + 1] = at;
  }
  return TORSH_OK;
}

/* --- TfIdfVectorizer ------------------------------------------------------------------------------------------------ */

enum { COUNT = 0, INVERSE = 1, WEIGHTED = 2 };

typedef struct grams {
  int64_t mode, least, most, skips;
  uint64_t num_counts, num_columns;
  const int64_t *counts, *columns; /* where grams of each length begin in the pool; the column of each */
  uint64_t width;
} grams;

static torsh_status read_grams(torsh_rt_objects *table, const torsh_object_call *call, uint64_t pool,
                               grams *g) {
  const int64_t *n = call->numbers;
  const torsh_status bad = TORSH_E_FORMAT;
  if (call->num_numbers < 5 || n[4] < 0 || n[4] > (int64_t)call->num_numbers - 5)
    return torsh_rt_object_fail(table, bad, "the n-grams are not well-formed.");
  *g = (grams){n[0],  n[1],         n[2], n[3], (uint64_t)n[4], call->num_numbers - 5 - (uint64_t)n[4],
               n + 5, n + 5 + n[4], 0};
  uint64_t total = 0;
  for (uint64_t i = 0; i < g->num_counts; ++i) {
    const uint64_t begin = (uint64_t)g->counts[i],
                   end = i + 1 < g->num_counts ? (uint64_t)g->counts[i + 1] : pool;
    if (begin > end || end > pool || (end - begin) % (i + 1))
      return torsh_rt_object_fail(table, bad, "the pool of n-grams does not fit its counts.");
    total += (end - begin) / (i + 1);
  }
  for (uint64_t i = 0; i < g->num_columns; ++i) {
    if (g->columns[i] < 0 || g->columns[i] >= (int64_t)1 << 31)
      return torsh_rt_object_fail(table, bad, "an index of the n-grams is negative or too large.");
    if ((uint64_t)g->columns[i] >= g->width)
      g->width = (uint64_t)g->columns[i] + 1;
  }
  if (total != g->num_columns || g->least < 1 || g->most < g->least || g->skips < 0)
    return torsh_rt_object_fail(table, bad, "the n-grams and their indices do not fit together.");
  return TORSH_OK;
}

static int same_element(const torsh_rt_object *a, uint64_t i, const torsh_rt_object *b, uint64_t k) {
  uint64_t a_length, b_length;
  const char *x = element_of(a, i, &a_length), *y = element_of(b, k, &b_length);
  return a_length == b_length && !memcmp(x, y, a_length);
}

/* Counts the grams of `length` elements that begin at `start` and step by `step`. */
static void count_gram(const grams *g, const torsh_rt_object *x, const torsh_rt_object *pool, uint64_t start,
                       uint64_t step, uint64_t length, float *row) {
  uint64_t entry = 0;
  for (uint64_t n = 1; n < length; ++n)
    entry += ((uint64_t)g->counts[n] - (uint64_t)g->counts[n - 1]) / n;
  const uint64_t begin = (uint64_t)g->counts[length - 1],
                 end = length < g->num_counts ? (uint64_t)g->counts[length] : pool->count;
  for (uint64_t at = begin; at < end; at += length, ++entry) {
    uint64_t k = 0;
    while (k < length && same_element(x, start + k * step, pool, at + k))
      ++k;
    if (k == length) {
      row[g->columns[entry]] += 1;
      return;
    }
  }
}

static void count_row(const grams *g, const torsh_rt_object *x, const torsh_rt_object *pool, uint64_t begin,
                      uint64_t end, float *row) {
  int64_t least = g->least;
  for (int64_t skip = 1; skip <= g->skips + 1; ++skip) {
    for (uint64_t start = begin; start < end; ++start)
      for (int64_t length = least; length <= g->most && (uint64_t)length <= g->num_counts; ++length) {
        const uint64_t reach = (uint64_t)(length - 1) * (uint64_t)skip;
        if (reach < end - start)
          count_gram(g, x, pool, start, (uint64_t)skip, (uint64_t)length, row);
      }
    /* Single elements have no steps, so they count once. */
    if (least == 1 && ++least > g->most)
      return;
  }
}

static torsh_status tfidf(torsh_rt_objects *table, const torsh_object_call *call, const torsh_rt_object *x,
                          const torsh_rt_object *pool, const torsh_rt_object *weights, int64_t *handle) {
  grams g;
  torsh_status status = read_grams(table, call, pool->count, &g);
  if (status)
    return status;
  if (x->rank < 1 || x->rank > 2 || x->kind != pool->kind || x->dtype_bits != pool->dtype_bits)
    return torsh_rt_object_fail(table, TORSH_E_SHAPE, "a row or rows of the pool's elements are needed.");
  if (weights && (weights->count < g.width || weights->dtype_bits != 32))
    return torsh_rt_object_fail(table, TORSH_E_SHAPE, "there are fewer weights than columns.");
  const uint64_t rows = x->rank == 2 ? (uint64_t)x->dims[0] : 1, size = (uint64_t)x->dims[x->rank - 1];
  const int64_t dims[2] = {x->rank == 2 ? x->dims[0] : (int64_t)g.width, (int64_t)g.width};
  const torsh_dtype dtype = {TORSH_DTYPE_FLOAT, 32, 1};
  torsh_rt_object *result = torsh_rt_object_tensor(table, dtype, x->rank, dims, handle);
  if (!result)
    return table->error->status;
  memset(result->data, 0, result->bytes);
  float *values = (float *)(void *)result->data;
  for (uint64_t r = 0; r < rows; ++r)
    count_row(&g, x, pool, r * size, (r + 1) * size, values + r * g.width);
  for (uint64_t i = 0; i < result->count && g.mode != COUNT; ++i) {
    const float weight = weights ? ((const float *)(const void *)weights->data)[i % g.width] : 1;
    values[i] = g.mode == WEIGHTED ? values[i] * weight : values[i] > 0 ? weight : 0;
  }
  return TORSH_OK;
}

/* --- Dispatch ------------------------------------------------------------------------------------------------------- */

torsh_status torsh_rt_text_do(torsh_rt_objects *table, const torsh_object_call *call, const void *const *in,
                              void *const *out) {
  const torsh_rt_object *operands[4] = {NULL, NULL, NULL, NULL};
  for (uint32_t i = 0; i < call->num_in && i < 4; ++i) {
    const uint8_t kind = torsh_rt_object_kind(table, torsh_rt_handle(in, i));
    if (kind == TORSH_RT_NONE)
      continue;
    operands[i] = torsh_rt_object_get(table, torsh_rt_handle(in, i),
                                      kind == TORSH_RT_STRINGS ? TORSH_RT_STRINGS : TORSH_RT_TENSOR);
    if (!operands[i])
      return table->error->status;
  }
  const uint32_t needed = call->function == TORSH_OBJECT_LABEL_ENCODE ? 4
                          : call->function == TORSH_OBJECT_TFIDF      ? 2
                                                                      : 1;
  for (uint32_t i = 0; i < needed; ++i)
    if (!operands[i])
      return torsh_rt_object_fail(table, TORSH_E_INVALID_ARGUMENT, "operand %u is absent.", i);
  if (call->function == TORSH_OBJECT_LABEL_ENCODE)
    return label_encode(table, operands[0], operands[1], operands[2], operands[3], out[0]);
  if (call->function == TORSH_OBJECT_TFIDF)
    return tfidf(table, call, operands[0], operands[1], operands[2], out[0]);
  if (operands[0]->kind != TORSH_RT_STRINGS)
    return torsh_rt_object_fail(table, TORSH_E_DTYPE, "strings are needed.");
  return normalize(table, call, operands[0], out[0]);
}
