/* out[i] = 2 * x[i] for i < count[0]: a size that only the run knows. A frame holds the copy that is doubled. */
#include "torsh/artifact.h"

#include <stddef.h>
#include <string.h>

static void twice(const void *const *in, void *const *out, const int64_t *dims, int64_t begin, int64_t end) {
  (void)dims;
  for (int64_t i = begin; i < end; ++i)
    ((float *)out[0])[i] = 2 * ((const float *)in[0])[i];
}

static const torsh_kernel_fn kernels[] = {twice};
static const int64_t open_dims[] = {-1}, one[] = {1};
static const char *const n_names[] = {"n"}, *const one_names[] = {"1"}, *const m_names[] = {"m"};
static const torsh_port inputs[] = {{"x", 2, 32, 1, 0, open_dims, n_names},
                                    {"count", 0, 64, 1, 0, one, one_names}};
static const torsh_port outputs[] = {{"y", 2, 32, 1, 0, open_dims, m_names}};
static const char *const symbols[] = {"n", "m"};
static const char *const kernel_names[] = {"twice"};
static const char *const guards[] = {"m is at most n"};
static const torsh_code codes[] = {{TORSH_CPU_X86_64_V2, 0, kernels}};

static int32_t prepare(const int64_t *const *input_dims, int64_t *symbol, int64_t *const *output_dims,
                       uint64_t *workspace_bytes, torsh_shape_error *error) {
  (void)error;
  symbol[0] = input_dims[0][0];
  output_dims[0][0] = -1;
  *workspace_bytes = 64;
  return 0;
}

static int32_t run(const torsh_host *host, const torsh_kernel_fn *code, const void *weights,
                   const void *const *in, void *const *out, void *workspace, int64_t *symbol) {
  (void)weights, (void)workspace;
  const int64_t count = symbol[1] = *(const int64_t *)in[1];
  if (count < 0 || count > symbol[0])
    return host->refuse(host->context, 0, count, symbol[0]);
  void *frame, *results[] = {out[0]};
  int32_t status = host->frame(host->context, 0, (uint64_t)count * sizeof(float), &frame);
  if (!status)
    status = host->output(host->context, 0, &count, results);
  if (status)
    return status;
  memcpy(frame, in[0], (size_t)count * sizeof(float));
  const void *operands[] = {frame};
  return host->parallel_for(host->context, code[0], operands, results, symbol, count, 1, 0);
}

static const uint32_t launch_kernels[] = {0};

static const torsh_program program = {sizeof(torsh_program),
                                      TORSH_ARTIFACT_VERSION,
                                      2,
                                      1,
                                      2,
                                      1,
                                      1,
                                      1,
                                      inputs,
                                      outputs,
                                      symbols,
                                      kernel_names,
                                      guards,
                                      codes,
                                      prepare,
                                      run,
                                      1,
                                      1,
                                      NULL,
                                      launch_kernels,
                                      0,
                                      0,
                                      NULL,
                                      NULL};

__attribute__((visibility("default"))) const torsh_program *torsh_query(uint32_t version) {
  return version == TORSH_ARTIFACT_VERSION ? &program : NULL;
}
