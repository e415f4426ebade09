#include "JsonField.h"

#include <string.h>

typedef struct cursor {
  const char *at, *end;
} cursor;

static void skip_space(cursor *c) {
  while (c->at < c->end && strchr(" \t\r\n", *c->at) && *c->at)
    ++c->at;
}

static int take(cursor *c, char wanted) {
  skip_space(c);
  if (c->at == c->end || *c->at != wanted)
    return 0;
  ++c->at;
  return 1;
}

/* Leaves [begin, stop) without the quotes; returns 0 at the end of the text. Escapes stay as they are. */
static int take_string(cursor *c, const char **begin, const char **stop) {
  if (!take(c, '"'))
    return 0;
  *begin = c->at;
  for (; c->at < c->end; ++c->at) {
    if (*c->at == '\\' && c->at + 1 < c->end)
      ++c->at;
    else if (*c->at == '"') {
      *stop = c->at++;
      return 1;
    }
  }
  return 0;
}

/* Passes a value of any kind by counting brackets outside strings. */
static int skip_value(cursor *c) {
  size_t depth = 0;
  skip_space(c);
  while (c->at < c->end) {
    const char *begin, *stop;
    char next = *c->at;
    if (next == '"') {
      if (!take_string(c, &begin, &stop))
        return 0;
      continue;
    }
    if (depth == 0 && (next == ',' || next == '}' || next == ']'))
      return 1;
    if (next == '{' || next == '[')
      ++depth;
    if (next == '}' || next == ']')
      --depth;
    ++c->at;
  }
  return 0;
}

/* Passes a value and gives its text, without space behind it. */
static int take_value(cursor *c, const char **value, size_t *length) {
  skip_space(c);
  const char *begin = c->at;
  if (!skip_value(c))
    return 0;
  const char *stop = c->at;
  while (stop > begin && strchr(" \t\r\n", stop[-1]) && stop[-1])
    --stop;
  *value = begin;
  *length = (size_t)(stop - begin);
  return stop > begin;
}

static int nothing(const char **value, size_t *length) {
  *value = NULL;
  *length = 0;
  return 0;
}

int torsh_rt_json_value(const char *text, size_t size, const char *key, const char **value, size_t *length) {
  cursor c = {text, text ? text + size : text};
  const size_t key_length = strlen(key);
  if (take(&c, '{'))
    do {
      const char *begin, *stop;
      if (!take_string(&c, &begin, &stop) || !take(&c, ':') || !take_value(&c, value, length))
        break;
      if ((size_t)(stop - begin) == key_length && memcmp(begin, key, key_length) == 0)
        return 0;
    } while (take(&c, ','));
  nothing(value, length);
  return -1;
}

int torsh_rt_json_element(const char **at, const char *end, const char **value, size_t *length) {
  cursor c = {*at, end};
  if ((!take(&c, '[') && !take(&c, ',')) || !take_value(&c, value, length))
    return nothing(value, length);
  *at = c.at;
  return 1;
}

int torsh_rt_json_string(const char *text, size_t size, const char *key, char *value, size_t capacity) {
  const char *begin;
  size_t length;
  if (torsh_rt_json_value(text, size, key, &begin, &length) || length < 2 || *begin != '"')
    return -1;
  ++begin;
  length -= 2;
  if (length >= capacity || memchr(begin, '\\', length) || memchr(begin, '\0', length))
    return -1;
  memcpy(value, begin, length);
  value[length] = '\0';
  return 0;
}
