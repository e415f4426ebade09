/* Traces in the trace event format, which Perfetto (ui.perfetto.dev) and Chrome's tracing page show. */
#ifndef TORSH_RUNTIME_TRACEFILE_H
#define TORSH_RUNTIME_TRACEFILE_H

#include "Recorder.h"

typedef struct torsh_rt_trace_file {
  char *path;
  int process;       /* that began it; a child of a fork writes nothing */
  uint32_t contexts; /* numbered so far */
  int begun;         /* something is in it */
  uint64_t origin_ns;
} torsh_rt_trace_file;

/* Makes sure that the file can be written, so that a wrong path is told before the runs and not after them. */
torsh_status torsh_rt_trace_file_open(const char *path, torsh_rt_trace_file **file, torsh_error *error);
void torsh_rt_trace_file_close(torsh_rt_trace_file *file);

/* Adds the events of a recorder; the file is complete afterwards. */
torsh_status torsh_rt_trace_file_append(torsh_rt_trace_file *file, const torsh_rt_recorder *recorder,
                                        torsh_error *error);

#endif
