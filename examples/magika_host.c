/* Identifies the types of files with Google's Magika model, compiled by torshc. Needs libc and the thin
 * runtime.
 *
 *   magika_host MODEL.so LABELS.txt FILE...     LABELS.txt is written by magika_labels.py
 *   magika_host --features FILE                 prints what the model would see
 */
#define _POSIX_C_SOURCE 200809L
#include "magika_features.h"
#include "torsh/torsh.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { MaxLabels = 1024, LabelSize = 32 };

typedef struct label {
  char name[LabelSize], shown[LabelSize], fallback[LabelSize];
  double threshold;
} label;

typedef struct contents {
  uint8_t head[MagikaBlock], tail[MagikaBlock];
  size_t size; /* of head and of tail */
  long long file_size;
} contents;

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

/* Returns the number of labels, or 0 after saying what is wrong. */
static uint32_t read_labels(const char *path, label labels[MaxLabels]) {
  FILE *file = fopen(path, "r");
  if (!file) {
    fprintf(stderr, "cannot open %s: %s\n", path, strerror(errno));
    return 0;
  }
  uint32_t count = 0;
  char line[256];
  while (count < MaxLabels && fgets(line, sizeof(line), file)) {
    label *l = &labels[count++];
    if (sscanf(line, "%31s %31s %lf %31s", l->name, l->shown, &l->threshold, l->fallback) != 4) {
      fprintf(stderr, "%s:%u: expected a label, the label to show, a score and a fallback\n", path, count);
      count = 0;
      break;
    }
  }
  fclose(file);
  return count;
}

/* Returns 0, or -1 with errno set. */
static int read_ends(const char *path, contents *c) {
  FILE *file = fopen(path, "rb");
  if (!file)
    return -1;
  int result = -1;
  if (fseek(file, 0, SEEK_END) == 0 && (c->file_size = ftell(file)) >= 0) {
    c->size = c->file_size < MagikaBlock ? (size_t)c->file_size : MagikaBlock;
    if (fseek(file, 0, SEEK_SET) == 0 && fread(c->head, 1, c->size, file) == c->size &&
        fseek(file, -(long)c->size, SEEK_END) == 0 && fread(c->tail, 1, c->size, file) == c->size)
      result = 0;
  }
  fclose(file);
  return result;
}

/* A type that needs no model, or NULL. */
static const char *identify_by_rule(const char *path, contents *c, int32_t tokens[MagikaTokens]) {
  struct stat status;
  if (stat(path, &status) != 0)
    return "error: no such file";
  if (S_ISDIR(status.st_mode))
    return "directory";
  if (!S_ISREG(status.st_mode))
    return "unknown";
  if (read_ends(path, c) != 0)
    return "error: cannot be read";
  if (c->file_size == 0)
    return "empty";
  if (!magika_features(c->head, c->tail, c->size, tokens) || c->file_size < MagikaFewBytes)
    return magika_is_utf8(c->head, c->size) ? "txt" : "unknown";
  return NULL;
}

static int print_features(const char *path) {
  static contents c;
  static int32_t tokens[MagikaTokens];
  const char *rule = identify_by_rule(path, &c, tokens);
  if (rule) {
    printf("%s\n", rule);
    return 0;
  }
  for (int i = 0; i < MagikaTokens; ++i)
    printf("%d%c", tokens[i], i + 1 < MagikaTokens ? ' ' : '\n');
  return 0;
}

/* Prints the type of one file. Returns 0 unless the model could not be run. */
static int identify(const torsh_api *api, torsh_context *context, const label *labels, uint32_t num_labels,
                    const char *path) {
  static contents c;
  static int32_t tokens[MagikaTokens];
  static float scores[MaxLabels];
  const char *rule = identify_by_rule(path, &c, tokens);
  if (rule) {
    printf("%-48s %-16s %5s  (no model needed)\n", path, rule, "");
    return 0;
  }
  int64_t input_shape[] = {1, MagikaTokens}, output_shape[] = {1, num_labels};
  torsh_value input = {.as.tensor = {.data = tokens,
                                     .device = {TORSH_DEVICE_CPU, 0},
                                     .ndim = 2,
                                     .dtype = {TORSH_DTYPE_INT, 32, 1},
                                     .shape = input_shape}};
  torsh_value output = {.as.tensor = {.data = scores,
                                      .device = {TORSH_DEVICE_CPU, 0},
                                      .ndim = 2,
                                      .dtype = {TORSH_DTYPE_FLOAT, 32, 1},
                                      .shape = output_shape}};
  torsh_error error;
  const double start = now_ms();
  if (api->run(context, &input, 1, &output, 1, &error)) {
    fprintf(stderr, "%s: %s\n", path, error.message);
    return 1;
  }
  const double elapsed = now_ms() - start;
  uint32_t best = 0;
  for (uint32_t i = 1; i < num_labels; ++i)
    if (scores[i] > scores[best])
      best = i;
  const label *l = &labels[best];
  printf("%-48s %-16s %.3f  (model: %s, %.2f ms)\n", path,
         (double)scores[best] >= l->threshold ? l->shown : l->fallback, (double)scores[best], l->name,
         elapsed);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "--features") == 0)
    return print_features(argv[2]);
  if (argc < 4) {
    fprintf(stderr, "usage: %s MODEL.so LABELS.txt FILE...\n       %s --features FILE\n", argv[0], argv[0]);
    return 2;
  }
  static label labels[MaxLabels];
  const uint32_t num_labels = read_labels(argv[2], labels);
  if (!num_labels)
    return 1;
  const torsh_api *api = torsh_get_api(TORSH_API_VERSION);
  torsh_module *module;
  torsh_context *context;
  torsh_error error;
  const double start = now_ms();
  if (api->load_file(argv[1], NULL, &module, &error) || api->context_create(module, &context, &error)) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  const double loaded = now_ms();
  int failures = 0;
  for (int i = 3; i < argc; ++i)
    failures += identify(api, context, labels, num_labels, argv[i]);
  torsh_stats stats = {.size = sizeof(stats)};
  api->get_stats(context, &stats);
  printf("loaded in %.2f ms; %llu runs, %.2f ms each; %.1f KiB of memory for a run\n", loaded - start,
         (unsigned long long)stats.runs,
         stats.runs ? (double)stats.total_ns * 1e-6 / (double)stats.runs : 0.0,
         (double)stats.arena_bytes / 1024.0);
  api->context_destroy(context);
  api->module_destroy(module);
  return failures ? 1 : 0;
}
