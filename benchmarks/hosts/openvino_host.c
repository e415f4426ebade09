/* Serves an ONNX file with OpenVINO, over its C interface: f32 throughout, one stream. */
#include <openvino/c/openvino.h>
#include <stdio.h>

#include "host.h"

/* A function of the library, by its declaration in OpenVINO's header. */
#define FUNCTION(name) ((__typeof__(&name))host_symbol(library, #name))
#define CHECK(call, what)                                                                                    \
  do {                                                                                                       \
    if ((call) != OK)                                                                                        \
      host_fail(what, FUNCTION(ov_get_last_err_msg)());                                                      \
  } while (0)

static void *library;
static ov_infer_request_t *request;
static __typeof__(&ov_infer_request_infer) infer;

static void open_runtime(const char *path) {
  library = host_library(path);
  infer = FUNCTION(ov_infer_request_infer);
}

static void load(const char *path, unsigned threads) {
  ov_core_t *core;
  ov_model_t *model;
  ov_compiled_model_t *compiled;
  char count[16];
  snprintf(count, sizeof count, "%u", threads);
  CHECK(FUNCTION(ov_core_create)(&core), "cannot start OpenVINO");
  CHECK(FUNCTION(ov_core_read_model)(core, path, NULL, &model), "cannot read the model");
  const ov_property_t properties[] = {{"INFERENCE_PRECISION_HINT", "f32"},
                                      {"NUM_STREAMS", "1"},
                                      {"INFERENCE_NUM_THREADS", count},
                                      {"PERFORMANCE_HINT", "LATENCY"}};
  CHECK(FUNCTION(ov_core_compile_model_props)(core, model, "CPU", sizeof properties / sizeof *properties,
                                              properties, &compiled),
        "cannot compile the model");
  CHECK(FUNCTION(ov_compiled_model_create_infer_request)(compiled, &request), "cannot make a request");
}

static ov_tensor_t *tensor_of(host_array *array) {
  static const ov_element_type_e types[HOST_TYPES] = {F32, F64, I32, I64, BOOLEAN};
  ov_shape_t shape;
  ov_tensor_t *tensor;
  CHECK(FUNCTION(ov_shape_create)(array->rank, array->shape, &shape), "cannot make a shape");
  CHECK(FUNCTION(ov_tensor_create_from_host_ptr)(types[array->type], shape, array->data, &tensor),
        "cannot make a tensor");
  return tensor;
}

static void bind(host_array *inputs, size_t num_inputs, host_array *outputs, size_t num_outputs) {
  for (size_t i = 0; i < num_inputs; i++)
    CHECK(FUNCTION(ov_infer_request_set_tensor)(request, inputs[i].name, tensor_of(&inputs[i])),
          "cannot set an input");
  for (size_t i = 0; i < num_outputs; i++)
    CHECK(FUNCTION(ov_infer_request_set_tensor)(request, outputs[i].name, tensor_of(&outputs[i])),
          "cannot set an output");
}

static void run(void) { CHECK(infer(request), "the run failed"); }

int main(int argc, char **argv) {
  static const host_runtime runtime = {open_runtime, load, bind, run};
  return host_main(argc, argv, &runtime);
}
