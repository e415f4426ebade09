/* A context's runs on a GPU: a mirror of the run's memory there, and a stream. */
#ifndef TORSH_RUNTIME_DEVICERUN_H
#define TORSH_RUNTIME_DEVICERUN_H

#include "Context.h"
#include "Device.h"

/* Bytes of the host, and where the device has them. */
typedef struct torsh_rt_region {
  const char *host;
  uint64_t bytes;
  cu_address device;
} torsh_rt_region;

typedef struct torsh_rt_device_run {
  torsh_rt_device *device;
  cu_stream stream;
  cu_address memory; /* one block for all regions but the weights */
  uint64_t capacity;
  uint32_t num_regions;
  torsh_rt_region *regions; /* inputs, outputs, workspace, weights */
  int64_t *sizes;           /* torsh_device_program.sizes() for the symbols of the run */
  uint64_t *values;         /* of a launch's parameters */
  void **parameters;        /* their addresses */
  uint64_t launches;        /* on the device in this run */
  char why[256];            /* of the last failure */
} torsh_rt_device_run;

/* What became of a call. */
typedef enum torsh_rt_device_answer {
  TORSH_RT_DEVICE_DONE,   /* it is on the stream */
  TORSH_RT_DEVICE_TO_CPU, /* the CPU has to run it; what it reads is there */
  TORSH_RT_DEVICE_FAILED, /* `why` says how; if nothing was launched yet the whole run can go to the CPU */
} torsh_rt_device_answer;

/* Memory and stream for the run that the context has prepared and placed. NULL when it must stay on the CPU, which is
 * logged. torsh_rt_device_end is to be called on the same thread. */
torsh_rt_device_run *torsh_rt_device_begin(torsh_context *context);
torsh_rt_device_answer torsh_rt_device_call(torsh_rt_device_run *run, uint32_t launch, const void *const *in,
                                            void *const *out, const int64_t *dims);
/* Waits for the calls so far. Returns 0, or -1 with `why`. */
int torsh_rt_device_wait(torsh_rt_device_run *run);
/* Copies the outputs that the device computed, and waits for all. Returns 0, or -1 with `why`. */
int torsh_rt_device_finish(torsh_rt_device_run *run, torsh_context *context);
void torsh_rt_device_end(torsh_rt_device_run *run);

void torsh_rt_device_run_destroy(torsh_rt_device_run *run);

#endif
