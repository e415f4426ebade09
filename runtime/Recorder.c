#define _GNU_SOURCE
#include "Recorder.h"
#include "GlibcVersions.h"
#include "Status.h"
#include "TraceFile.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Guards the list and every file. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static torsh_rt_recorder *all;

/* The file of TORSH_PROFILE, once the first context has asked for it. */
static torsh_rt_trace_file *shared_file;
static enum { NotAsked, Absent, Present } shared_state;

/* A trace must never be the reason why a run fails, and the variable was set by somebody who reads the terminal. */
static torsh_rt_trace_file *file_of_environment(void) {
  if (shared_state == NotAsked) {
    shared_state = Absent;
    const char *path = secure_getenv("TORSH_PROFILE");
    if (path && *path) {
      torsh_error error;
      if (torsh_rt_trace_file_open(path, &shared_file, &error))
        fprintf(stderr, "torsh: TORSH_PROFILE: %s The runs go on without a trace.\n", error.message);
      else
        shared_state = Present;
    }
  }
  return shared_file;
}

/* Whether it was in the list: what the exit of the process has written is not in it any more. */
static int leave_list(torsh_rt_recorder *recorder) {
  for (torsh_rt_recorder **at = &all; *at; at = &(*at)->next)
    if (*at == recorder) {
      *at = recorder->next;
      return 1;
    }
  return 0;
}

torsh_status torsh_rt_recorder_begin(const torsh_module *module, const char *path, torsh_rt_recorder **result,
                                     torsh_error *error) {
  *result = NULL;
  torsh_rt_trace_file *file = NULL;
  pthread_mutex_lock(&mutex);
  torsh_status status = TORSH_OK;
  if (path)
    status = torsh_rt_trace_file_open(path, &file, error);
  else
    file = file_of_environment();
  if (file) {
    /* Zeroed by hand: what calloc gives is not yet there, and the run would pay for it. */
    torsh_rt_recorder *recorder = malloc(sizeof(*recorder));
    int64_t *costs = calloc(2 * (size_t)module->program->num_launches + 1, sizeof(*costs));
    if (recorder && costs) {
      memset(recorder, 0, sizeof(*recorder));
      recorder->module = module;
      recorder->file = file;
      recorder->number = ++file->contexts;
      recorder->costs = costs;
      recorder->next = all;
      *result = all = recorder;
    } else {
      free(recorder);
      free(costs);
      if (path) {
        torsh_rt_trace_file_close(file);
        status = torsh_rt_fail(error, TORSH_E_NO_MEMORY, "no memory for a recording.");
      } else {
        fputs("torsh: TORSH_PROFILE: no memory to record a context; its runs are not in the trace.\n",
              stderr);
      }
    }
  }
  pthread_mutex_unlock(&mutex);
  return status;
}

torsh_status torsh_rt_recorder_end(torsh_rt_recorder *recorder, torsh_error *error) {
  pthread_mutex_lock(&mutex);
  torsh_status status = TORSH_OK;
  if (leave_list(recorder))
    status = torsh_rt_trace_file_append(recorder->file, recorder, error);
  if (recorder->file == shared_file) {
    if (status && error)
      fprintf(stderr, "torsh: TORSH_PROFILE: %s\n", error->message);
  } else {
    torsh_rt_trace_file_close(recorder->file);
  }
  pthread_mutex_unlock(&mutex);
  free(recorder->costs);
  free(recorder);
  return status;
}

void torsh_rt_recorder_start_run(torsh_rt_recorder *recorder, const int64_t *symbols) {
  ++recorder->run;
  const torsh_program *p = recorder->module->program;
  if (p->costs)
    p->costs(symbols, recorder->costs);
}

/* Release and acquire order the count and the fields, so that the reader knows what it must not believe. */
static void set(_Atomic uint64_t *field, uint64_t value) {
  atomic_store_explicit(field, value, memory_order_release);
}

void torsh_rt_recorder_add(torsh_rt_recorder *recorder, uint32_t launch, uint64_t start_ns, uint64_t end_ns,
                           uint32_t threads) {
  const uint64_t count = atomic_load_explicit(&recorder->count, memory_order_relaxed);
  torsh_rt_recorded *event = &recorder->events[count % TORSH_RT_RECORDED_EVENTS];
  const int known = launch < recorder->module->program->num_launches;
  set(&event->start_ns, start_ns);
  set(&event->end_ns, end_ns);
  set(&event->run, recorder->run);
  set(&event->flops, known ? (uint64_t)recorder->costs[2 * launch] : 0);
  set(&event->bytes, known ? (uint64_t)recorder->costs[2 * launch + 1] : 0);
  atomic_store_explicit(&event->launch, launch, memory_order_release);
  atomic_store_explicit(&event->threads, threads, memory_order_release);
  set(&recorder->count, count + 1);
}

/* What no destructor has written: hosts often end with their contexts alive. A run in flight on another thread goes on
 * while its finished kernels are read. */
__attribute__((destructor)) static void write_all(void) {
  pthread_mutex_lock(&mutex);
  for (torsh_rt_recorder *recorder = all; recorder; recorder = recorder->next) {
    torsh_error error;
    if (torsh_rt_trace_file_append(recorder->file, recorder, &error))
      fprintf(stderr, "torsh: %s\n", error.message);
  }
  all = NULL;
  pthread_mutex_unlock(&mutex);
}
