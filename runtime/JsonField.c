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
    if (depth == 0 && (next == ',' || next == '}'))
      return 1;
    if (next == '{' || next == '[')
      ++depth;
    if ((next == '}' || next == ']') && depth-- == 0)
      return 0;
    ++c->at;
  }
  return 0;
}

int torsh_rt_json_string(const char *text, size_t size, const char *key, char *value, size_t capacity) {
  cursor c = {text, text + size};
  const size_t key_length = strlen(key);
  if (!take(&c, '{'))
    return -1;
  do {
    const char *begin, *stop;
    if (!take_string(&c, &begin, &stop) || !take(&c, ':'))
      return -1;
    if ((size_t)(stop - begin) == key_length && memcmp(begin, key, key_length) == 0) {
      if (!take_string(&c, &begin, &stop))
        return -1;
      size_t length = (size_t)(stop - begin);
      if (length >= capacity || memchr(begin, '\\', length) || memchr(begin, '\0', length))
        return -1;
      memcpy(value, begin, length);
      value[length] = '\0';
      return 0;
    }
    if (!skip_value(&c))
      return -1;
  } while (take(&c, ','));
  return -1;
}
