/* Filling a torsh_error with a sentence. */
#ifndef TORSH_RUNTIME_STATUS_H
#define TORSH_RUNTIME_STATUS_H

#include "torsh/torsh.h"

/* Formats the message as "TSH-8nnn: ...", logs it, and returns `status`. `error` may be NULL. */
torsh_status torsh_rt_fail(torsh_error *error, torsh_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, with the port and axis that the message speaks of. */
torsh_status torsh_rt_fail_at(torsh_error *error, torsh_status status, int32_t port, int32_t axis,
                              const char *format, ...) __attribute__((format(printf, 5, 6)));

void torsh_rt_clear(torsh_error *error);

const char *torsh_rt_status_name(torsh_status status);

#endif
