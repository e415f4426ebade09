/* The process-wide log sink. */
#ifndef TORSH_RUNTIME_LOG_H
#define TORSH_RUNTIME_LOG_H

#include "torsh/torsh.h"

void torsh_rt_set_log(torsh_log_fn sink, void *user, int32_t level);

/* Formats and hands the message to the sink; costs one load when there is none. */
void torsh_rt_log(int32_t level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
