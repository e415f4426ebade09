#include "Status.h"
#include "Log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static torsh_status fail(torsh_error *error, torsh_status status, int32_t port, int32_t axis,
                         const char *format, va_list arguments) {
  torsh_error local;
  torsh_error *target = error ? error : &local;
  target->status = status;
  target->port = port;
  target->axis = axis;
  target->reserved = 0;
  target->needed = 0;
  int prefix = snprintf(target->message, sizeof(target->message), "TSH-8%03d: ", (int)status);
  vsnprintf(target->message + prefix, sizeof(target->message) - (size_t)prefix, format, arguments);
  torsh_rt_log(TORSH_LOG_ERROR, "%s", target->message);
  return status;
}

torsh_status torsh_rt_fail(torsh_error *error, torsh_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fail(error, status, -1, -1, format, arguments);
  va_end(arguments);
  return status;
}

torsh_status torsh_rt_fail_at(torsh_error *error, torsh_status status, int32_t port, int32_t axis,
                              const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fail(error, status, port, axis, format, arguments);
  va_end(arguments);
  return status;
}

void torsh_rt_clear(torsh_error *error) {
  if (!error)
    return;
  error->status = TORSH_OK;
  error->port = error->axis = -1;
  error->reserved = 0;
  error->needed = 0;
  error->message[0] = '\0';
}

const char *torsh_rt_status_name(torsh_status status) {
  static const char *const names[] = {"ok",           "invalid argument",
                                      "input/output", "format",
                                      "version",      "digest",
                                      "cpu",          "load",
                                      "dtype",        "rank",
                                      "shape",        "layout",
                                      "memory cap",   "no memory",
                                      "cancelled",    "unsupported",
                                      "system",       "device"};
  if (status < 0 || status >= (torsh_status)(sizeof(names) / sizeof(names[0])))
    return "unknown status";
  return names[status];
}
