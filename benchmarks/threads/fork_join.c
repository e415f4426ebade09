/* The cost of sharing work between two threads: a region of two equal pieces, timed in batches, less the time of one
 * piece. Medians, because other users of the machine only ever add to a time. */
#define _GNU_SOURCE
#include "runtime/Executor.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { Batches = 2000, Batch = 50 };

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

typedef struct spread {
  double p10, median, p90;
} spread;

/* Nanoseconds of one call of `region`; `before` goes before each batch. */
static spread measure(void (*region)(void), void (*before)(void)) {
  static double times[Batches];
  for (int i = 0; i < 20 * Batch; ++i)
    region();
  for (int b = 0; b < Batches; ++b) {
    if (before)
      before();
    for (int i = 0; i < 5; ++i)
      region();
    const double start = now_ns();
    for (int i = 0; i < Batch; ++i)
      region();
    times[b] = (now_ns() - start) / Batch;
  }
  qsort(times, Batches, sizeof(*times), compare);
  return (spread){times[Batches / 10], times[Batches / 2], times[Batches * 9 / 10]};
}

/* Threads begin where their creator is, so this puts the two of a pair on a core each: a busy system may otherwise leave
 * both on one for a while. */
static void go_to_core(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  sched_setaffinity(0, sizeof(set), &set);
}

/* --- A piece of work: dependent multiplications, so its time does not depend on the caches */

static int rounds;
static struct {
  alignas(128) uint64_t value;
} results[2];

static void work(int64_t piece) {
  uint64_t x = results[piece].value + 1;
  for (int i = 0; i < rounds; ++i)
    x = x * 6364136223846793005u + 1442695040888963407u;
  results[piece].value = x;
}

static void alone(void) { work(0); }

/* --- Our pool */

static torsh_rt_lane lane;
static atomic_int never;

static void kernel(const void *const *in, void *const *out, const int64_t *dims, int64_t begin, int64_t end) {
  (void)in, (void)out, (void)dims;
  for (int64_t i = begin; i < end; ++i)
    work(i);
}

static void share(int64_t pieces, int64_t grain) {
  torsh_rt_job job;
  memset(&job, 0, sizeof(job));
  job.fn = kernel;
  job.cancelled = &never;
  torsh_rt_lane_run(&lane, &job, pieces, grain);
}

static void in_pool(void) { share(2, 1); }

/* Between the kernels of a run the threads are awake. One that the system took away for long has gone to sleep since,
 * and such short pieces would not wake it. */
static void wake(void) {
  const int before = rounds;
  rounds = 200000;
  share(2, 0);
  rounds = before;
}

/* --- OpenMP */

static void (*gomp_parallel)(void (*fn)(void *), void *data, unsigned threads, unsigned flags);
static int (*omp_get_thread_num)(void);

static void in_team(void *unused) {
  (void)unused;
  work(omp_get_thread_num());
}

static void in_openmp(void) { gomp_parallel(in_team, NULL, 2, 0); }

static int load_openmp(void) {
  setenv("OMP_WAIT_POLICY", "active", 1); /* libgomp reads it when it is loaded */
  void *library = dlopen("libgomp.so.1", RTLD_NOW);
  if (!library)
    return 0;
  void *parallel = dlsym(library, "GOMP_parallel"), *number = dlsym(library, "omp_get_thread_num");
  memcpy(&gomp_parallel, &parallel, sizeof(parallel));
  memcpy(&omp_get_thread_num, &number, sizeof(number));
  return parallel && number;
}

/* --- The floor: a word there and a word back */

static alignas(128) atomic_int ball;
static alignas(128) atomic_int echo;

static void *play(void *unused) {
  (void)unused;
  for (int seen = 0, next; seen >= 0; seen = next) {
    while ((next = atomic_load_explicit(&ball, memory_order_acquire)) == seen)
      ;
    atomic_store_explicit(&echo, next, memory_order_release);
  }
  return NULL;
}

static void ping_pong(void) {
  const int next = atomic_load_explicit(&ball, memory_order_relaxed) + 1;
  atomic_store_explicit(&ball, next, memory_order_release);
  while (atomic_load_explicit(&echo, memory_order_acquire) != next)
    ;
}

static void print(const char *what, spread region, double piece) {
  printf("  %-34s p10 %8.0f   median %8.0f   p90 %8.0f ns\n", what, region.p10 - piece, region.median - piece,
         region.p90 - piece);
}

int main(void) {
  pthread_t player;
  go_to_core(1);
  if (pthread_create(&player, NULL, play, NULL))
    return 1;
  go_to_core(0);
  puts("floor");
  print("a word to the other core and back", measure(ping_pong, NULL), 0);
  atomic_store(&ball, -1);
  pthread_join(player, NULL);

  torsh_executor_options options = {sizeof(options), 2, 0, 0};
  torsh_executor *executor;
  if (torsh_rt_executor_create(&options, &executor, NULL))
    return 1;
  go_to_core(1);
  torsh_rt_lane_begin(&lane, executor);
  wake();
  go_to_core(0);
  const int sizes[] = {0, 400, 1600, 8000};
  spread pieces[4];
  for (int i = 0; i < 4; ++i) {
    rounds = sizes[i];
    pieces[i] = measure(alone, NULL);
    printf("two pieces of %.0f ns on two threads, less one piece\n", pieces[i].median);
    print("the pool", measure(in_pool, wake), pieces[i].median);
  }
  torsh_rt_lane_end(&lane);
  torsh_rt_executor_release(executor);
  /* Last, because its threads never stop to wait actively. */
  if (!load_openmp()) {
    puts("libgomp.so.1 is not there to compare with");
    return 0;
  }
  go_to_core(1);
  in_openmp();
  go_to_core(0);
  for (int i = 0; i < 4; ++i) {
    rounds = sizes[i];
    printf("two pieces of %.0f ns with OpenMP, less one piece\n", pieces[i].median);
    print("libgomp", measure(in_openmp, NULL), pieces[i].median);
  }
  return 0;
}
