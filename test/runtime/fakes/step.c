/* A train step by hand: p -= lr * x in place, m += step, and the loss is the sum of the old p. Inputs: p (a parameter that
 * starts with the weights), m (of the optimizer, starts with zeros), step, lr, x. Without weights
 * the slots point behind them. */
#include "torsh/artifact.h"

#include <stddef.h>

enum { Size = 4 };

static void update(const void *const *in, void *const *out, const int64_t *dims, int64_t begin, int64_t end) {
  (void)dims, (void)begin, (void)end;
  const double lr = *(const double *)in[3];
  const float *x = in[4];
  float *p = out[0], *m = out[1], *loss = out[2];
  *loss = 0;
  for (int i = 0; i < Size; ++i) {
    *loss += p[i];
    p[i] -= (float)lr * x[i];
  }
  *m += (float)*(const int64_t *)in[2];
}

static const torsh_kernel_fn kernels[] = {update};
static const int64_t vector[] = {Size};
static const char *const names[] = {"4"};
static const torsh_port inputs[] = {{"p", 2, 32, 1, 0, vector, names},
                                    {"m", 2, 32, 0, 0, NULL, NULL},
                                    {"step", 0, 64, 0, 0, NULL, NULL},
                                    {"lr", 2, 64, 0, 0, NULL, NULL},
                                    {"x", 2, 32, 1, 0, vector, names}};
static const torsh_port outputs[] = {{"loss", 2, 32, 0, 0, NULL, NULL}};
static const char *const kernel_names[] = {"update"};
static const torsh_code codes[] = {{TORSH_CPU_X86_64_V2, 0, kernels}};
static const torsh_state_slot slots[] = {{0, TORSH_STATE_PARAMETER, 0, Size * sizeof(float)},
                                         {1, TORSH_STATE_OPTIMIZER, -1, sizeof(float)},
                                         {2, TORSH_STATE_STEP, -1, sizeof(int64_t)}};

static int32_t prepare(const int64_t *const *input_dims, int64_t *symbols, int64_t *const *output_dims,
                       uint64_t *workspace_bytes, torsh_shape_error *error) {
  (void)symbols, (void)output_dims;
  *workspace_bytes = 0;
  const int given[] = {0, 4};
  for (int i = 0; i < 2; ++i)
    if (input_dims[given[i]][0] != Size) {
      *error = (torsh_shape_error){given[i], 0, input_dims[given[i]][0], Size};
      return 1;
    }
  return 0;
}

static int32_t run(const torsh_host *host, const torsh_kernel_fn *code, const void *weights,
                   const void *const *in, void *const *out, void *workspace, int64_t *symbols) {
  (void)weights, (void)workspace;
  void *const results[] = {(void *)(uintptr_t)in[0], (void *)(uintptr_t)in[1], out[0]};
  return host->parallel_for(host->context, code[0], in, results, symbols, 1, 1, 0);
}

static const uint32_t launch_kernels[] = {0};

static const torsh_program program = {.size = sizeof(torsh_program),
                                      .version = TORSH_ARTIFACT_VERSION,
                                      .num_inputs = 5,
                                      .num_outputs = 1,
                                      .num_kernels = 1,
                                      .num_codes = 1,
                                      .inputs = inputs,
                                      .outputs = outputs,
                                      .kernel_names = kernel_names,
                                      .codes = codes,
                                      .prepare = prepare,
                                      .run = run,
                                      .num_launches = 1,
                                      .launch_kernels = launch_kernels,
                                      .num_state_slots = 3,
                                      .state_slots = slots};

__attribute__((visibility("default"))) const torsh_program *torsh_query(uint32_t version) {
  return version == TORSH_ARTIFACT_VERSION ? &program : NULL;
}
