/* Elements that share bytes: negated[n] = -x[n] of int4, sixth[n] = code[n] + 1 of float6_e2m3fn (of the codes). Compiled
 * code sees a byte an element, whose high bits say nothing: those that it writes are set on purpose.
 */
#include "torsh/artifact.h"

#include <stddef.h>

static void negate(const void *const *in, void *const *out, const int64_t *dims, int64_t begin, int64_t end) {
  (void)dims;
  const uint8_t *x = in[0], *code = in[1];
  uint8_t *negated = out[0], *sixth = out[1];
  for (int64_t i = begin; i < end; ++i) {
    negated[i] = (uint8_t)(0x50 | ((16 - x[i]) & 15));
    sixth[i] = (uint8_t)(0x80 | ((code[i] + 1) & 63));
  }
}

static const int64_t dims[] = {-1};
static const char *const names[] = {"n"};
static const torsh_port inputs[] = {{"x", 0, 4, 1, 0, dims, names}, {"code", 15, 6, 1, 0, dims, names}};
static const torsh_port outputs[] = {{"negated", 0, 4, 1, 0, dims, names},
                                     {"sixth", 15, 6, 1, 0, dims, names}};
static const char *const kernel_names[] = {"negate"};
static const torsh_kernel_fn kernels[] = {negate};
static const torsh_code codes[] = {{TORSH_CPU_X86_64_V2, 0, kernels}};
static const uint32_t launch_kernels[] = {0};

static int32_t prepare(const int64_t *const *input_dims, int64_t *symbols, int64_t *const *output_dims,
                       uint64_t *workspace_bytes, torsh_shape_error *error) {
  (void)error;
  symbols[0] = output_dims[0][0] = output_dims[1][0] = input_dims[0][0];
  *workspace_bytes = 0;
  return 0;
}

static int32_t run(const torsh_host *host, const torsh_kernel_fn *kernel, const void *weights,
                   const void *const *in, void *const *out, void *workspace, int64_t *symbols) {
  (void)weights, (void)workspace;
  return host->parallel_for(host->context, kernel[0], in, out, symbols, symbols[0], 4, 0);
}

static const torsh_program program = {
    .size = sizeof(torsh_program),
    .version = TORSH_ARTIFACT_VERSION,
    .num_inputs = 2,
    .num_outputs = 2,
    .num_symbols = 1,
    .num_kernels = 1,
    .num_codes = 1,
    .inputs = inputs,
    .outputs = outputs,
    .symbol_names = names,
    .kernel_names = kernel_names,
    .codes = codes,
    .prepare = prepare,
    .run = run,
    .num_launches = 1,
    .launch_kernels = launch_kernels,
};

__attribute__((visibility("default"))) const torsh_program *torsh_query(uint32_t version) {
  return version == TORSH_ARTIFACT_VERSION ? &program : NULL;
}
