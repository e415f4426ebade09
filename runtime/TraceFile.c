/* The descriptions of kernels are pieces of the artifact's metadata, which is JSON already and is copied as it stands. */
#define _GNU_SOURCE
#include "TraceFile.h"
#include "JsonField.h"
#include "Status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A piece of the metadata; empty when it is not there. */
typedef struct piece {
  const char *text;
  size_t size;
} piece;

typedef struct description {
  piece kernel, code, nodes, node;
} description;

static const char head[] = "{\"traceEvents\":[\n";
/* Goes behind the last event, and is overwritten by the next context's. */
static const char tail[] = "\n],\"displayTimeUnit\":\"ns\",\"otherData\":{\"writer\":\"torsh_rt\",\"most_"
                           "events_of_a_context\":65536,"
                           "\"note\":\"Of each context the newest events are kept. torshc bench --profile "
                           "relates the times to what the "
                           "machine can do.\"}}\n";
_Static_assert(TORSH_RT_RECORDED_EVENTS == 65536u, "the number stands in the file");

static torsh_status refuse(const torsh_rt_trace_file *file, torsh_error *error) {
  return torsh_rt_fail(error, TORSH_E_IO, "the trace '%s' cannot be written: %s.", file->path,
                       strerror(errno));
}

torsh_status torsh_rt_trace_file_open(const char *path, torsh_rt_trace_file **result, torsh_error *error) {
  *result = NULL;
  torsh_rt_trace_file *file = calloc(1, sizeof(*file));
  if (!file || !(file->path = strdup(path))) {
    free(file);
    return torsh_rt_fail(error, TORSH_E_NO_MEMORY, "no memory for a recording.");
  }
  FILE *stream = fopen(path, "wbe");
  if (!stream) {
    torsh_status status = refuse(file, error);
    torsh_rt_trace_file_close(file);
    return status;
  }
  fclose(stream);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  file->origin_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  file->process = (int)getpid();
  *result = file;
  return TORSH_OK;
}

void torsh_rt_trace_file_close(torsh_rt_trace_file *file) {
  free(file->path);
  free(file);
}

static piece field(piece object, const char *key) {
  piece value = {NULL, 0};
  torsh_rt_json_value(object.text, object.size, key, &value.text, &value.size);
  return value;
}

/* What the metadata says of each launch; NULL when it says nothing. */
static description *describe(const torsh_module *module) {
  const uint32_t count = module->program->num_launches;
  description *result = count ? calloc(count, sizeof(*result)) : NULL;
  if (!result)
    return NULL;
  const piece root = {module->file.metadata, module->file.trailer.metadata_size};
  const piece launches = field(root, "launches"), kernels = field(root, "kernels");
  piece launch, kernel;
  const char *at = launches.text, *end = launches.text + launches.size;
  for (uint32_t i = 0; i < count && torsh_rt_json_element(&at, end, &launch.text, &launch.size); ++i) {
    description *d = &result[i];
    d->kernel = field(launch, "kernel");
    d->nodes = field(launch, "nodes");
    const char *first = d->nodes.text;
    torsh_rt_json_element(&first, d->nodes.text + d->nodes.size, &d->node.text, &d->node.size);
    const char *from = kernels.text;
    while (d->kernel.size &&
           torsh_rt_json_element(&from, kernels.text + kernels.size, &kernel.text, &kernel.size)) {
      const piece name = field(kernel, "name");
      if (name.size == d->kernel.size && memcmp(name.text, d->kernel.text, name.size) == 0) {
        d->code = field(kernel, "code");
        break;
      }
    }
  }
  return result;
}

static void print_piece(FILE *stream, const char *key, piece value) {
  if (value.size)
    fprintf(stream, "\"%s\":%.*s,", key, (int)value.size, value.text);
}

static uint64_t get(const _Atomic uint64_t *field) {
  return atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)field, memory_order_acquire);
}

static uint32_t get32(const _Atomic uint32_t *field) {
  return atomic_load_explicit((_Atomic uint32_t *)(uintptr_t)field, memory_order_acquire);
}

static void print_event(FILE *stream, const torsh_rt_recorder *recorder, const description *descriptions,
                        uint64_t index) {
  const torsh_rt_recorded *event = &recorder->events[index % TORSH_RT_RECORDED_EVENTS];
  const uint64_t start = get(&event->start_ns), end = get(&event->end_ns), run = get(&event->run),
                 flops = get(&event->flops), bytes = get(&event->bytes);
  const uint32_t launch = get32(&event->launch), threads = get32(&event->threads);
  /* A run on another thread may have put a newer event in its place meanwhile, or be about to. */
  if (get(&recorder->count) >= index + TORSH_RT_RECORDED_EVENTS)
    return;
  const torsh_rt_trace_file *file = recorder->file;
  const int is_run = launch == TORSH_RT_RECORDED_RUN;
  const description none = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
  const description *d = descriptions && !is_run && launch < recorder->module->program->num_launches
                             ? &descriptions[launch]
                             : &none;
  const piece name = d->node.size ? d->node : d->kernel;
  fputs(",\n{\"name\":", stream);
  if (is_run)
    fprintf(stream, "\"run %" PRIu64 "\"", run);
  else if (name.size)
    fprintf(stream, "%.*s", (int)name.size, name.text);
  else
    fprintf(stream, "\"launch %" PRIu32 "\"", launch);
  const double nanoseconds = (double)(end - start);
  fprintf(stream, ",\"cat\":\"%s\",\"ph\":\"X\",\"pid\":%d,\"tid\":%" PRIu32 ",\"ts\":%.3f,\"dur\":%.3f",
          is_run ? "run" : "kernel", file->process, recorder->number,
          ((double)start - (double)file->origin_ns) * 1e-3, nanoseconds * 1e-3);
  fprintf(stream, ",\"args\":{\"run\":%" PRIu64, run);
  if (!is_run) {
    fprintf(stream, ",\"launch\":%" PRIu32 ",", launch);
    print_piece(stream, "kernel", d->kernel);
    print_piece(stream, "code", d->code);
    print_piece(stream, "nodes", d->nodes);
    fprintf(stream, "\"flops\":%" PRIu64 ",\"bytes\":%" PRIu64, flops, bytes);
    if (end > start)
      fprintf(stream, ",\"gflops_per_s\":%.3f,\"gbytes_per_s\":%.3f", (double)flops / nanoseconds,
              (double)bytes / nanoseconds);
    /* Only our own pool knows who helped. */
    if (recorder->module->executor->pool || recorder->module->executor->width == 1)
      fprintf(stream, ",\"threads\":%" PRIu32, threads);
  }
  fputs("}}", stream);
}

static void print_recorder(FILE *stream, const torsh_rt_recorder *recorder) {
  const uint64_t count = get(&recorder->count);
  const uint64_t first = count > TORSH_RT_RECORDED_EVENTS ? count - TORSH_RT_RECORDED_EVENTS : 0;
  fprintf(stream,
          "{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":%d,\"tid\":%" PRIu32
          ",\"args\":{\"name\":\"context %" PRIu32 "\",\"events\":%" PRIu64 ",\"events_left_out\":%" PRIu64,
          recorder->file->process, recorder->number, recorder->number, count, first);
  const piece root = {recorder->module->file.metadata, recorder->module->file.trailer.metadata_size};
  const piece model = field(root, "model");
  if (model.size)
    fprintf(stream, ",\"model\":%.*s", (int)model.size, model.text);
  fputs("}}", stream);
  description *descriptions = describe(recorder->module);
  for (uint64_t i = first; i < count; ++i)
    print_event(stream, recorder, descriptions, i);
  free(descriptions);
}

torsh_status torsh_rt_trace_file_append(torsh_rt_trace_file *file, const torsh_rt_recorder *recorder,
                                        torsh_error *error) {
  if (file->process != (int)getpid())
    return TORSH_OK;
  FILE *stream = fopen(file->path, file->begun ? "r+be" : "wbe");
  if (!stream)
    return refuse(file, error);
  int failed;
  if (file->begun) {
    failed = fseek(stream, -(long)(sizeof(tail) - 1), SEEK_END) || fputs(",\n", stream) < 0;
  } else {
    failed = fputs(head, stream) < 0;
  }
  print_recorder(stream, recorder);
  failed |= fputs(tail, stream) < 0 || ferror(stream);
  failed |= fclose(stream) != 0;
  if (failed)
    return refuse(file, error);
  file->begun = 1;
  return TORSH_OK;
}
