/* Just enough JSON to find values in the metadata. */
#ifndef TORSH_RUNTIME_JSONFIELD_H
#define TORSH_RUNTIME_JSONFIELD_H

#include <stddef.h>

/* Copies the string value of the top-level `key` into `value`. Returns 0, or -1 when it is missing, is no
 * string, has an escape or does not fit, or the text is not an object. */
int torsh_rt_json_string(const char *text, size_t size, const char *key, char *value, size_t capacity);

/* Finds the text of the value of a key of an object. Returns 0, or -1 when it is missing or the text is not an
 * object; `value` is then NULL and `length` 0. */
int torsh_rt_json_value(const char *text, size_t size, const char *key, const char **value, size_t *length);

/* The text of the next element of an array. `*at` is the begin of the array's text before the first call, and moves
 * on. Returns 0 behind the last element, and where the text is no array; `value` is then NULL and `length` 0. */
int torsh_rt_json_element(const char **at, const char *end, const char **value, size_t *length);

#endif
