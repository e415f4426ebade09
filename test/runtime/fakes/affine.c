/* z[b][8] = x[b][8] * weights[8] + y[b][8]; level[b] = the CPU level of the code that ran.
 * With NO_WEIGHTS the weights are all 3. ONLY_V4 has code for x86-64-v4 alone; FUTURE serves another version.
 */
#include "torsh/artifact.h"

#include <stddef.h>

enum { Columns = 8 };

static void scale(const void *const *in, void *const *out, const int64_t *dims, int64_t begin, int64_t end) {
  (void)dims;
  const float *x = in[0], *weights = in[1];
  float *t = out[0];
  for (int64_t i = begin * Columns; i < end * Columns; ++i)
    t[i] = x[i] * (weights ? weights[i % Columns] : 3.0f);
}

static void add(const void *const *in, void *const *out, const int64_t *dims, int64_t begin, int64_t end) {
  (void)dims;
  const float *t = in[0], *y = in[1];
  float *z = out[0];
  for (int64_t i = begin * Columns; i < end * Columns; ++i)
    z[i] = t[i] + y[i];
}

static void fill(int64_t *out, int64_t value, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    out[i] = value;
}

#define LEVEL(n)                                                                                             \
  static void level##n(const void *const *in, void *const *out, const int64_t *dims, int64_t begin,          \
                       int64_t end) {                                                                        \
    (void)in, (void)dims;                                                                                    \
    fill(out[0], n, begin, end);                                                                             \
  }                                                                                                          \
  static const torsh_kernel_fn kernels##n[] = {scale, add, level##n}

#ifndef ONLY_V4
LEVEL(2);
LEVEL(3);
#endif
LEVEL(4);

static const int64_t matrix_dims[] = {-1, Columns};
static const char *const matrix_names[] = {"batch", "8"};
static const int64_t vector_dims[] = {-1};
static const char *const vector_names[] = {"batch"};
static const torsh_port inputs[] = {{"x", 2, 32, 2, 0, matrix_dims, matrix_names},
                                    {"y", 2, 32, 2, 0, matrix_dims, matrix_names}};
static const torsh_port outputs[] = {{"z", 2, 32, 2, 0, matrix_dims, matrix_names},
                                     {"level", 0, 64, 1, 0, vector_dims, vector_names}};
static const char *const symbols[] = {"batch"};
static const char *const kernel_names[] = {"scale", "add", "level"};
static const char *const guards[] = {"batch <= 1000000"};
static const torsh_code codes[] = {
#ifndef ONLY_V4
    {TORSH_CPU_X86_64_V2, 0, kernels2},
    {TORSH_CPU_X86_64_V3, 0, kernels3},
#endif
    {TORSH_CPU_X86_64_V4, 0, kernels4}};

static int32_t prepare(const int64_t *const *dims, int64_t *symbol, int64_t *const *output_dims,
                       uint64_t *workspace_bytes, torsh_shape_error *error) {
  if (dims[1][0] != dims[0][0]) {
    *error = (torsh_shape_error){1, 0, dims[1][0], dims[0][0]};
    return 1;
  }
  if (dims[0][0] > 1000000) {
    *error = (torsh_shape_error){-1, 0, dims[0][0], 1000000};
    return 1;
  }
  symbol[0] = output_dims[0][0] = output_dims[1][0] = dims[0][0];
  output_dims[0][1] = Columns;
  *workspace_bytes = (uint64_t)dims[0][0] * Columns * sizeof(float);
  return 0;
}

static int32_t run(const torsh_host *host, const torsh_kernel_fn *kernels, const void *weights,
                   const void *const *in, void *const *out, void *workspace, int64_t *symbol) {
  const void *scale_in[] = {in[0], weights};
  void *scale_out[] = {workspace};
  int32_t status =
      host->parallel_for(host->context, kernels[0], scale_in, scale_out, symbol, symbol[0], 4, 0);
  const void *add_in[] = {workspace, in[1]};
  void *add_out[] = {out[0]};
  if (!status)
    status = host->parallel_for(host->context, kernels[1], add_in, add_out, symbol, symbol[0], 4, 1);
  void *level_out[] = {out[1]};
  if (!status)
    status = host->parallel_for(host->context, kernels[2], NULL, level_out, symbol, symbol[0], 16, 2);
  return status;
}

static void costs(const int64_t *symbol, int64_t *flops_and_bytes) {
  const int64_t batch = symbol[0];
  for (int launch = 0; launch < 3; ++launch) {
    flops_and_bytes[2 * launch] = launch < 2 ? batch * Columns : 0;
    flops_and_bytes[2 * launch + 1] = launch < 2 ? 3 * 4 * batch * Columns : 8 * batch;
  }
}

static const uint32_t launch_kernels[] = {0, 1, 2};

static const torsh_program program = {sizeof(torsh_program),
                                      TORSH_ARTIFACT_VERSION,
                                      2,
                                      2,
                                      1,
                                      3,
                                      sizeof(codes) / sizeof(codes[0]),
                                      1,
                                      inputs,
                                      outputs,
                                      symbols,
                                      kernel_names,
                                      guards,
                                      codes,
                                      prepare,
                                      run,
                                      3,
                                      0,
                                      costs,
                                      launch_kernels,
                                      0,
                                      0,
                                      NULL,
                                      NULL};

__attribute__((visibility("default"))) const torsh_program *torsh_query(uint32_t version) {
#ifdef FUTURE
  return version == TORSH_ARTIFACT_VERSION + 1 ? &program : NULL;
#else
  return version == TORSH_ARTIFACT_VERSION ? &program : NULL;
#endif
}
