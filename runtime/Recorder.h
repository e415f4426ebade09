/* What a context keeps of its runs while it is recorded: the newest kernel calls, in a ring of fixed size. Written as a
 * trace by TraceFile.c when the recording ends, the context is destroyed, or the process exits. */
#ifndef TORSH_RUNTIME_RECORDER_H
#define TORSH_RUNTIME_RECORDER_H

#include "Module.h"

/* Events that a context keeps; later ones take the places of the oldest. */
#define TORSH_RT_RECORDED_EVENTS 65536u
/* In place of a launch: the whole run. */
#define TORSH_RT_RECORDED_RUN UINT32_MAX

/* Atomic, because a context may be in a run on another thread when the process exits. */
typedef struct torsh_rt_recorded {
  _Atomic uint64_t start_ns, end_ns, run, flops, bytes;
  _Atomic uint32_t launch, threads;
} torsh_rt_recorded;

typedef struct torsh_rt_recorder {
  const torsh_module *module;
  struct torsh_rt_recorder *next; /* in the list of all recorders of the process */
  struct torsh_rt_trace_file *file;
  uint32_t number; /* of the context within its file */
  uint64_t run;    /* the one under way */
  int64_t *costs;  /* flops and bytes of each launch, for the sizes of the run under way */
  _Atomic uint64_t count;
  torsh_rt_recorded events[TORSH_RT_RECORDED_EVENTS];
} torsh_rt_recorder;

/* Begins a recording for `path`, or for the file that the environment variable TORSH_PROFILE names when it is NULL: then
 * all contexts of the process share one file. `recorder` stays NULL when the variable is not set. */
torsh_status torsh_rt_recorder_begin(const torsh_module *module, const char *path,
                                     torsh_rt_recorder **recorder, torsh_error *error);
/* Writes what was kept, and frees it. */
torsh_status torsh_rt_recorder_end(torsh_rt_recorder *recorder, torsh_error *error);

/* At the begin of a run: its sizes. */
void torsh_rt_recorder_start_run(torsh_rt_recorder *recorder, const int64_t *symbols);
void torsh_rt_recorder_add(torsh_rt_recorder *recorder, uint32_t launch, uint64_t start_ns, uint64_t end_ns,
                           uint32_t threads);

#endif
