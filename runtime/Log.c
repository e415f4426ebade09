#include "Log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

/* Level + 1 of the sink; 0 when there is none, so that the common case takes no lock. */
static atomic_int enabled;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static torsh_log_fn current_sink;
static void *current_user;

void torsh_rt_set_log(torsh_log_fn sink, void *user, int32_t level) {
  pthread_mutex_lock(&mutex);
  current_sink = sink;
  current_user = user;
  atomic_store(&enabled, sink && level >= 0 ? level + 1 : 0);
  pthread_mutex_unlock(&mutex);
}

void torsh_rt_log(int32_t level, const char *format, ...) {
  if (level >= atomic_load_explicit(&enabled, memory_order_relaxed))
    return;
  char message[640];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  pthread_mutex_lock(&mutex);
  torsh_log_fn sink = current_sink;
  void *user = current_user;
  pthread_mutex_unlock(&mutex);
  /* Called outside the lock: a sink may itself call the runtime. */
  if (sink)
    sink(user, level, message);
}
