/* Trains a classifier with no framework: a compiled train step, a flat file of images, and the thin runtime.
 *
 *   digits_host STEP.so DATA.bin [EPOCHS [RATE]]
 *
 * DATA.bin (digits_data.py writes it): five int32 (magic "TDG1", images for training, images for testing, pixels,
 * classes), the pixels as float32, the labels as int64; first those for training, then those for testing. The model has
 * two layers with a ReLU between them (digits_data.py), which is what `classify` computes from the trained parameters.
 */
#include "torsh/torsh.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct data_set {
  int32_t magic, num_train, num_test, pixels, classes;
  float *images;
  int64_t *labels;
} data_set;

static void stop(const char *message) {
  fprintf(stderr, "%s\n", message);
  exit(1);
}

static data_set read_data(const char *path) {
  data_set data;
  FILE *file = fopen(path, "rb");
  if (!file || fread(&data, sizeof(int32_t), 5, file) != 5 || data.magic != 0x31474454)
    stop("the data file cannot be read, or was not written by digits_data.py");
  if (data.num_train < 1 || data.num_test < 1 || data.pixels < 1 || data.pixels > 65536 || data.classes < 2 ||
      data.classes > 1000 || data.num_train > 1000000 || data.num_test > 1000000)
    stop("the data file has sizes that make no sense");
  const size_t count = (size_t)data.num_train + (size_t)data.num_test, pixels = count * (size_t)data.pixels;
  data.images = malloc(pixels * sizeof(float));
  data.labels = malloc(count * sizeof(int64_t));
  if (!data.images || !data.labels || fread(data.images, sizeof(float), pixels, file) != pixels ||
      fread(data.labels, sizeof(int64_t), count, file) != count)
    stop("the data file is too short, or there is no memory for it");
  fclose(file);
  return data;
}

static uint64_t next_random(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 33;
}

/* The trained parameter of this name as float32. */
static const float *parameter(const torsh_api *api, const torsh_module *module, torsh_state *state,
                              const char *name, int64_t *rows) {
  for (uint32_t i = 0; i < api->state_count(module); ++i) {
    torsh_state_info info = {.size = sizeof(info)};
    torsh_value value;
    if (api->state_info(module, i, &info) || strcmp(info.name, name) || api->state_tensor(state, i, &value))
      continue;
    *rows = value.as.tensor.ndim ? value.as.tensor.shape[0] : 1;
    return value.as.tensor.data;
  }
  stop("the train step has no parameters fc1.weight, fc1.bias, fc2.weight and fc2.bias; see digits_data.py");
  return NULL;
}

/* The class that the trained network gives an image. */
static int64_t classify(const float *image, int32_t pixels, const float *const weights[4], int64_t hidden,
                        int64_t classes) {
  float *middle = malloc((size_t)hidden * sizeof(float));
  if (!middle)
    stop("no memory");
  for (int64_t h = 0; h < hidden; ++h) {
    float sum = weights[1][h];
    for (int32_t p = 0; p < pixels; ++p)
      sum += weights[0][h * pixels + p] * image[p];
    middle[h] = sum > 0 ? sum : 0;
  }
  int64_t best = 0;
  float most = 0;
  for (int64_t c = 0; c < classes; ++c) {
    float sum = weights[3][c];
    for (int64_t h = 0; h < hidden; ++h)
      sum += weights[2][c * hidden + h] * middle[h];
    if (c == 0 || sum > most) {
      most = sum;
      best = c;
    }
  }
  free(middle);
  return best;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s STEP.so DATA.bin [EPOCHS [RATE]]\n", argv[0]);
    return 2;
  }
  enum { Batch = 32 };
  const int epochs = argc > 3 ? atoi(argv[3]) : 40;
  double rate = argc > 4 ? atof(argv[4]) : 2e-3;
  data_set data = read_data(argv[2]);

  const torsh_api *api = torsh_get_api(TORSH_API_VERSION);
  torsh_error error;
  torsh_module *module;
  torsh_context *context;
  torsh_state *state;
  if (api->load_file(argv[1], NULL, &module, &error) || api->context_create(module, &context, &error) ||
      api->state_create(module, &state, &error))
    stop(error.message);

  /* The inputs of a step beside its state: learning rate, images, labels. */
  float *images = malloc(sizeof(float) * Batch * (size_t)data.pixels);
  int64_t labels[Batch], image_shape[2] = {Batch, data.pixels}, label_shape[1] = {Batch};
  int32_t *order = malloc(sizeof(int32_t) * (size_t)data.num_train);
  if (!images || !order)
    stop("no memory");
  float loss = 0;
  torsh_value inputs[3] = {{0}}, outputs[1] = {{0}};
  const torsh_device cpu = {TORSH_DEVICE_CPU, 0};
  inputs[0].as.tensor = (torsh_tensor){.data = &rate, .device = cpu, .dtype = {TORSH_DTYPE_FLOAT, 64, 1}};
  inputs[1].as.tensor = (torsh_tensor){
      .data = images, .device = cpu, .ndim = 2, .dtype = {TORSH_DTYPE_FLOAT, 32, 1}, .shape = image_shape};
  inputs[2].as.tensor = (torsh_tensor){
      .data = labels, .device = cpu, .ndim = 1, .dtype = {TORSH_DTYPE_INT, 64, 1}, .shape = label_shape};
  outputs[0].as.tensor = (torsh_tensor){.data = &loss, .device = cpu, .dtype = {TORSH_DTYPE_FLOAT, 32, 1}};

  uint64_t random = 1;
  for (int32_t i = 0; i < data.num_train; ++i)
    order[i] = i;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (int32_t i = data.num_train; i-- > 1;) {
      const int32_t j = (int32_t)(next_random(&random) % (uint64_t)(i + 1)), held = order[i];
      order[i] = order[j];
      order[j] = held;
    }
    double sum = 0;
    int steps = 0;
    for (int32_t first = 0; first + Batch <= data.num_train; first += Batch, ++steps) {
      for (int32_t i = 0; i < Batch; ++i) {
        const size_t image = (size_t)order[first + i];
        memcpy(images + (size_t)i * (size_t)data.pixels, data.images + image * (size_t)data.pixels,
               sizeof(float) * (size_t)data.pixels);
        labels[i] = data.labels[image];
      }
      if (api->step(context, state, inputs, 3, outputs, 1, &error))
        stop(error.message);
      sum += loss;
    }
    if (epoch == 0 || epoch + 1 == epochs)
      printf("epoch %d: mean loss %.4f\n", epoch + 1, steps ? sum / steps : 0);
  }

  int64_t hidden = 0, classes = 0, unused;
  const float *const weights[4] = {parameter(api, module, state, "fc1.weight", &hidden),
                                   parameter(api, module, state, "fc1.bias", &unused),
                                   parameter(api, module, state, "fc2.weight", &classes),
                                   parameter(api, module, state, "fc2.bias", &unused)};
  int32_t right = 0;
  for (int32_t i = data.num_train; i < data.num_train + data.num_test; ++i)
    right += classify(data.images + (size_t)i * (size_t)data.pixels, data.pixels, weights, hidden, classes) ==
             data.labels[i];
  printf("%d of %d test images are recognised: %.2f %%\n", right, data.num_test,
         100.0 * right / data.num_test);
  api->state_destroy(state);
  api->context_destroy(context);
  api->module_destroy(module);
  free(images);
  free(order);
  free(data.images);
  free(data.labels);
  return 0;
}
