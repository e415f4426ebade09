/* Just enough JSON to read one string of the metadata's top-level object. */
#ifndef TORSH_RUNTIME_JSONFIELD_H
#define TORSH_RUNTIME_JSONFIELD_H

#include <stddef.h>

/* Copies the string value of the top-level `key` into `value`. Returns 0, or -1 when it is missing, is no
 * string, has an escape or does not fit, or the text is not an object. */
int torsh_rt_json_string(const char *text, size_t size, const char *key, char *value, size_t capacity);

#endif
