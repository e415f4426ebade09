/* For each entry n of `spin` burns about n microseconds; `state` is the MXCSR control bits the kernel ran
 * under and `thread` a number of the thread (the address of its errno, shifted). */
#include "torsh/artifact.h"

#include <errno.h>
#include <immintrin.h>
#include <stddef.h>
#include <time.h>

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_nsec / 1000u;
}

static void burn(const void *const *in, void *const *out, const int64_t *dims, int64_t begin, int64_t end) {
  (void)dims;
  const int32_t *spin = in[0];
  int32_t *state = out[0];
  int64_t *thread = out[1];
  for (int64_t i = begin; i < end; ++i) {
    const uint64_t start = now();
    while (now() - start < (uint64_t)spin[i])
      ;
    state[i] = (int32_t)(_mm_getcsr() & ~0x3fu);
    thread[i] = (int64_t)(intptr_t)&errno;
  }
}

static const torsh_kernel_fn kernels[] = {burn};
static const int64_t dims[] = {-1};
static const char *const names[] = {"n"};
static const torsh_port inputs[] = {{"spin", 0, 32, 1, 0, dims, names}};
static const torsh_port outputs[] = {{"state", 0, 32, 1, 0, dims, names},
                                     {"thread", 0, 64, 1, 0, dims, names}};
static const char *const symbols[] = {"n"};
static const char *const kernel_names[] = {"burn"};
static const torsh_code codes[] = {{TORSH_CPU_X86_64_V2, 0, kernels}};

static int32_t prepare(const int64_t *const *input_dims, int64_t *symbol, int64_t *const *output_dims,
                       uint64_t *workspace_bytes, torsh_shape_error *error) {
  (void)error;
  symbol[0] = output_dims[0][0] = output_dims[1][0] = input_dims[0][0];
  *workspace_bytes = 0;
  return 0;
}

static int32_t run(const torsh_host *host, const torsh_kernel_fn *code, const void *weights,
                   const void *const *in, void *const *out, void *workspace, int64_t *symbol) {
  (void)weights, (void)workspace;
  return host->parallel_for(host->context, code[0], in, out, symbol, symbol[0], 1, 0);
}

static const uint32_t launch_kernels[] = {0};

static const torsh_program program = {sizeof(torsh_program),
                                      TORSH_ARTIFACT_VERSION,
                                      1,
                                      2,
                                      1,
                                      1,
                                      1,
                                      0,
                                      inputs,
                                      outputs,
                                      symbols,
                                      kernel_names,
                                      NULL,
                                      codes,
                                      prepare,
                                      run,
                                      1,
                                      0,
                                      NULL,
                                      launch_kernels,
                                      0,
                                      0,
                                      NULL,
                                      NULL};

__attribute__((visibility("default"))) const torsh_program *torsh_query(uint32_t version) {
  return version == TORSH_ARTIFACT_VERSION ? &program : NULL;
}
