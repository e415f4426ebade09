/*===-- polyhedral_host.c - Times the variants of each kernel against each other -------------------------------===*\
 * usage: polyhedral_host ROUNDS [KERNEL...]
 * Each kernel exists as NAME_plain (the reference), NAME_clang, NAME_polly and NAME (ours). All run on equal inputs and
 * are compared with the reference. Then each round times the three in turn, beginning with another one each time, by
 * the CPU time of the thread. Prints one line of JSON a kernel: nanoseconds a call, by variant and round, and the largest
 * difference relative to the largest value of the reference.
\*===----------------------------------------------------------------------------------------------------------===*/
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { most_arrays = 5, variants = 4, most_rounds = 1000 };
static const char *const variant_names[variants] = {"plain", "clang", "polly", "ours"};

/* The functions take pointers to arrays of floats; each is declared as what its number of arrays makes of it. */
typedef void (*function)(void);
#define KERNEL(name, ...)                                                                                    \
  void name##_plain(void);                                                                                   \
  void name##_clang(void);                                                                                   \
  void name##_polly(void);                                                                                   \
  void name(void);
#include "kernels.h"
#undef KERNEL

struct kernel {
  const char *name;
  double scale;
  long sizes[most_arrays];
  function functions[variants];
};

#define KERNEL(name, scale, ...)                                                                             \
  {#name, scale, {__VA_ARGS__}, {name##_plain, name##_clang, name##_polly, name}},
static const struct kernel kernels[] = {
#include "kernels.h"
};
#undef KERNEL

static int arrays_of(const struct kernel *kernel) {
  int count = 0;
  while (count < most_arrays && kernel->sizes[count])
    ++count;
  return count;
}

static void call(function f, float **a, int count) {
  switch (count) {
  case 2:
    ((void (*)(float *, float *))f)(a[0], a[1]);
    return;
  case 3:
    ((void (*)(float *, float *, float *))f)(a[0], a[1], a[2]);
    return;
  case 4:
    ((void (*)(float *, float *, float *, float *))f)(a[0], a[1], a[2], a[3]);
    return;
  case 5:
    ((void (*)(float *, float *, float *, float *, float *))f)(a[0], a[1], a[2], a[3], a[4]);
    return;
  default:
    fprintf(stderr, "error: no call with %d arrays\n", count);
    exit(1);
  }
}

static float **make_arrays(const struct kernel *kernel) {
  float **arrays = calloc(most_arrays, sizeof *arrays);
  if (!arrays)
    abort();
  for (int i = 0; i < arrays_of(kernel); ++i)
    if (!(arrays[i] = aligned_alloc(4096, (kernel->sizes[i] * sizeof(float) + 4095) / 4096 * 4096)))
      abort();
  return arrays;
}

static void free_arrays(float **arrays) {
  for (int i = 0; i < most_arrays; ++i)
    free(arrays[i]);
  free(arrays);
}

static void fill(const struct kernel *kernel, float **arrays) {
  uint32_t state = 12345;
  for (int i = 0; i < arrays_of(kernel); ++i)
    for (long j = 0; j < kernel->sizes[i]; ++j) {
      state = state * 1664525u + 1013904223u;
      arrays[i][j] = (float)((state >> 8) * kernel->scale / (1 << 24));
    }
}

static double difference(const struct kernel *kernel, float **got, float **want) {
  double worst = 0;
  for (int i = 0; i < arrays_of(kernel); ++i) {
    double largest = 0, apart = 0;
    for (long j = 0; j < kernel->sizes[i]; ++j) {
      double delta = fabs((double)got[i][j] - want[i][j]);
      if (!(delta <= apart)) /* NaN counts as apart */
        apart = isnan(delta) ? INFINITY : delta;
      if (fabs(want[i][j]) > largest)
        largest = fabs(want[i][j]);
    }
    double relative = largest > 0 ? apart / largest : apart;
    if (relative > worst)
      worst = relative;
  }
  return worst;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static double time_calls(const struct kernel *kernel, int variant, float **arrays, int calls) {
  fill(kernel, arrays);
  double start = now();
  for (int i = 0; i < calls; ++i)
    call(kernel->functions[variant], arrays, arrays_of(kernel));
  return (now() - start) / calls;
}

static void measure(const struct kernel *kernel, int rounds) {
  float **arrays = make_arrays(kernel), **reference = make_arrays(kernel);
  double errors[variants] = {0};
  fill(kernel, reference);
  call(kernel->functions[0], reference, arrays_of(kernel));
  for (int v = 1; v < variants; ++v) {
    fill(kernel, arrays);
    call(kernel->functions[v], arrays, arrays_of(kernel));
    errors[v] = difference(kernel, arrays, reference);
  }
  /* Short kernels run often enough for the clock, after one warm call. */
  double once = time_calls(kernel, 1, arrays, 1);
  int calls = once < 1e7 ? (int)(1e7 / once) + 1 : 1;
  static double times[variants][most_rounds];
  for (int round = 0; round < rounds; ++round)
    for (int turn = 0; turn < variants - 1; ++turn) {
      int v = 1 + (round + turn) % (variants - 1);
      times[v][round] = time_calls(kernel, v, arrays, calls);
    }
  printf("{\"kernel\": \"%s\"", kernel->name);
  for (int v = 1; v < variants; ++v) {
    printf(", \"%s\": {\"error\": %.3g, \"nanoseconds\": [", variant_names[v], errors[v]);
    for (int round = 0; round < rounds; ++round)
      printf("%s%.0f", round ? ", " : "", times[v][round]);
    printf("]}");
  }
  printf("}\n");
  fflush(stdout);
  free_arrays(arrays);
  free_arrays(reference);
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 0;
  if (rounds < 1 || rounds > most_rounds) {
    fprintf(stderr, "usage: %s ROUNDS [KERNEL...], at most %d rounds\n", argv[0], most_rounds);
    return 2;
  }
  for (size_t k = 0; k < sizeof kernels / sizeof *kernels; ++k) {
    int wanted = argc == 2;
    for (int i = 2; i < argc; ++i)
      wanted |= strcmp(argv[i], kernels[k].name) == 0;
    if (wanted)
      measure(&kernels[k], rounds);
  }
  return 0;
}
