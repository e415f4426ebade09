/* How a test speaks with the fake CUDA driver: dlsym "fake_cuda_control". */
#ifndef TORSH_TEST_GPU_DRIVER_FAKEDRIVER_H
#define TORSH_TEST_GPU_DRIVER_FAKEDRIVER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fake_cuda_block {
  void *data;
  uint64_t bytes;
} fake_cuda_block;

/* Runs a kernel; blocks are all live allocations. Returns 0 or a CUDA error. */
typedef int (*fake_cuda_run)(void *user, const char *name, unsigned blocks, unsigned threads,
                             void **parameters, const fake_cuda_block *allocations, unsigned count);

typedef struct fake_cuda_control {
  fake_cuda_run run;
  void *user;
  int device_count; /* 1 */
  int capability;   /* 80 */
  /* The n-th call (from 1) of the function fails with this code; a sticky failure fails all calls after it. */
  const char *fail_function;
  int fail_at, fail_code, is_sticky;
  /* What was done wrong, NUL-terminated; empty when nothing. */
  char misuse[256];
  /* Counters since the last reset. */
  unsigned launches, uploads, downloads, allocations, live_allocations, modules, live_modules, streams,
      retained;
} fake_cuda_control_block;

/* Forgets counters and failures. */
typedef void (*fake_cuda_reset)(void);

#ifdef __cplusplus
}
#endif
#endif
