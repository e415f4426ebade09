/* How a kernel is shared.
 *
 * A run takes a slot, which has a desk for the caller and for each worker. For each kernel the caller deals the tiles
 * out over as many desks as are worth it and opens them. A worker that sees its desk open goes in, works off its part
 * range by range, helps with the parts of others, and leaves. The caller does the same, and then closes the desks where
 * nobody came in and waits for the others. Nothing is allocated and no lock is taken.
 *
 * A desk is one cache line, so that a worker has everything it needs with the one line that it was watching: between two
 * cores each line on the way costs more than a hundred nanoseconds. And a worker always has the same part of a tile
 * space, so that it finds in its own cache what it wrote for the kernel before.
 *
 * Between two kernels of a run workers watch their desks for a bounded time; then each sleeps in the kernel on its bed.
 */
#define _GNU_SOURCE
#include "Pool.h"
#include "GlibcVersions.h"
#include "Log.h"
#include "RangeSize.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
static void relax(void) { _mm_pause(); }
static uint32_t float_state(void) { return _mm_getcsr(); }
/* The sticky exception flags of the caller are not handed on. */
static void set_float_state(uint32_t state) { _mm_setcsr(state & ~0x3fu); }
#else
static void relax(void) {}
static uint32_t float_state(void) { return 0; }
static void set_float_state(uint32_t state) { (void)state; }
#endif

enum { NumSlots = 16 };

/* The state of a desk, in the low bits of its word. Only Open has more: the caller's float state and the grain. */
enum { Closed = 0, Open = 1, Inside = 2, Idle = 3, Worked = 4, StateMask = 7, Awaited = 8 };

typedef struct desk {
  alignas(64) _Atomic uint64_t word;
  _Atomic int64_t next; /* tile of the part that nobody has claimed */
  int64_t end;          /* of the part */
  torsh_rt_job job;     /* a copy */
} desk;
_Static_assert(sizeof(desk) == 64, "a desk is one cache line");

struct torsh_rt_slot {
  alignas(64) atomic_int taken;
  desk *desks; /* one for the caller, then one for each worker */
};

enum { ThreadsNone, ThreadsStarting, ThreadsRunning };

struct torsh_rt_pool {
  uint32_t width, run_spin_us, idle_spin_us;
  /* The process this state belongs to; its negative while that process takes it over after a fork. */
  atomic_int process;
  atomic_int threads_state;
  atomic_uint num_threads, next_worker;
  atomic_int stop;
  atomic_uint *beds; /* of each worker: 1 while it sleeps */
  alignas(64) atomic_uint sleepers;
  atomic_uint runs; /* in flight */
  atomic_uint slots_seen;
  torsh_rt_slot slots[NumSlots];
  pthread_t threads[];
};

static void futex_wait(atomic_uint *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(atomic_uint *word, uint32_t count) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static uint64_t now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_nsec / 1000u;
}

/* --- Workers
 * ---------------------------------------------------------------------------------------------------- */

/* Waking a sleeping thread costs the waker some microseconds, and on a virtual machine the thread begins up to a hundred
 * microseconds later, with nothing in its caches: less work than this is done sooner without it (about 0.1 ms). */
enum { TicksWorthWaking = 300000 };

/* Wakes up to `count` of the sleeping workers with the numbers below `end`. */
static void wake(torsh_rt_pool *pool, uint32_t end, uint32_t count) {
  for (uint32_t worker = 1; worker < end && count; ++worker)
    if (atomic_load_explicit(&pool->beds[worker], memory_order_relaxed) &&
        atomic_exchange(&pool->beds[worker], 0)) {
      futex_wake(&pool->beds[worker], 1);
      --count;
    }
}

/* Wakes as many of those that have a part as are of use when `ticks` for `done` tiles say that the `left` ones are worth
 * it. */
static int wake_for(torsh_rt_pool *pool, uint32_t parts, uint64_t ticks, int64_t done, int64_t left) {
  const double useful = (double)ticks / (double)done * (double)left / TicksWorthWaking;
  if (useful < 1)
    return 0;
  wake(pool, parts, useful < (double)parts ? (uint32_t)useful : parts);
  return 1;
}

/* How one participant works off the desks of a slot. */
typedef struct shift {
  torsh_rt_pool *pool;
  desk *desks;
  uint32_t parts, own;
  int64_t tiles, grain;
  int may_wake; /* only the caller looks for sleepers */
} shift;

/* Claims and runs ranges until no desk has any; returns whether there was one. */
static int work_off(shift *s, const torsh_rt_job *job) {
  torsh_rt_range_size size = torsh_rt_range_size_for(s->tiles, s->grain, s->parts);
  int claimed = 0;
  int64_t done = 0;
  /* With a range or less for each there is nothing to help with, and to look would delay the news that this one is done.
   * The caller looks: a part where nobody came in is its own. */
  const int alone = s->own && s->tiles <= s->parts * size.tiles;
  for (uint32_t i = 0; i < (alone ? 1 : s->parts); ++i) {
    uint32_t part = s->own + i < s->parts ? s->own + i : s->own + i - s->parts;
    desk *d = &s->desks[part];
    for (;;) {
      /* Read first: the part of a busy neighbour is mostly empty, and a claim would take its line away. */
      if (atomic_load_explicit(&d->next, memory_order_relaxed) >= d->end)
        break;
      const int64_t begin = atomic_fetch_add_explicit(&d->next, size.tiles, memory_order_relaxed);
      if (begin >= d->end)
        break;
      const int64_t end = d->end - begin <= size.tiles ? d->end : begin + size.tiles;
      claimed = 1;
      if (torsh_rt_run_range((void *)(uintptr_t)job, begin, end))
        return 1;
      done += end - begin;
      if (done >= s->tiles)
        return 1;
      const uint64_t start = size.start;
      torsh_rt_range_size_adapt(&size);
      if (s->may_wake && atomic_load_explicit(&s->pool->sleepers, memory_order_relaxed) &&
          wake_for(s->pool, s->parts, size.start - start, end - begin, s->tiles - done))
        s->may_wake = 0;
    }
  }
  return claimed;
}

static uint64_t opened(const shift *s) {
  return Open | (uint64_t)float_state() << 16 | (uint64_t)s->parts << 32 |
         (uint64_t)(63 - __builtin_clzll((unsigned long long)s->grain)) << 48;
}

/* Goes in where the worker's desk is open; returns whether it was. */
static int help(torsh_rt_pool *pool, torsh_rt_slot *slot, uint32_t worker) {
  desk *own = &slot->desks[worker];
  uint64_t word = atomic_load_explicit(&own->word, memory_order_relaxed);
  if ((word & StateMask) != Open ||
      !atomic_compare_exchange_strong_explicit(&own->word, &word, Inside, memory_order_acquire,
                                               memory_order_relaxed))
    return 0;
  set_float_state((uint32_t)(word >> 16) & 0xffff);
  shift s = {pool, slot->desks, (uint32_t)(word >> 32) & 0xffff, worker, 0, (int64_t)1 << (word >> 48), 0};
  s.tiles = slot->desks[s.parts - 1].end;
  const uint64_t after = work_off(&s, &own->job) ? Worked : Idle;
  if (atomic_exchange_explicit(&own->word, after, memory_order_release) & Awaited)
    futex_wake((atomic_uint *)(void *)&own->word, 1);
  return 1;
}

static int help_anyone(torsh_rt_pool *pool, uint32_t worker) {
  const uint32_t slots = atomic_load_explicit(&pool->slots_seen, memory_order_relaxed);
  int helped = 0;
  for (uint32_t i = 0; i < slots; ++i)
    helped |= help(pool, &pool->slots[i], worker);
  return helped;
}

/* Watches the desks for a bounded time, then sleeps until somebody wakes it. */
static void await_work(torsh_rt_pool *pool, uint32_t worker) {
  uint64_t start = 0;
  for (uint32_t turn = 1;; ++turn) {
    if (help_anyone(pool, worker))
      return;
    if (turn % 32 == 0) {
      const uint32_t limit =
          atomic_load_explicit(&pool->runs, memory_order_relaxed) ? pool->run_spin_us : pool->idle_spin_us;
      if (!limit || atomic_load_explicit(&pool->stop, memory_order_relaxed))
        break;
      if (!start)
        start = now_us();
      else if (now_us() - start >= limit)
        break;
    }
    relax();
  }
  /* A caller opens desks and then looks for sleepers; we do it the other way round. It does not wait for its own stores
   * to be seen, so it may miss us, but it looks again after each of its ranges. */
  atomic_store(&pool->beds[worker], 1);
  atomic_fetch_add(&pool->sleepers, 1);
  if (!help_anyone(pool, worker))
    while (atomic_load(&pool->beds[worker]) && !atomic_load(&pool->stop))
      futex_wait(&pool->beds[worker], 1);
  atomic_store(&pool->beds[worker], 0);
  atomic_fetch_sub(&pool->sleepers, 1);
}

static void *work(void *opaque) {
  torsh_rt_pool *pool = opaque;
  prctl(PR_SET_NAME, "torsh-worker");
  const uint32_t worker = 1 + atomic_fetch_add(&pool->next_worker, 1);
  while (!atomic_load_explicit(&pool->stop, memory_order_acquire))
    await_work(pool, worker);
  return NULL;
}

static void start_threads(torsh_rt_pool *pool) {
  int none = ThreadsNone;
  if (!atomic_compare_exchange_strong(&pool->threads_state, &none, ThreadsStarting))
    return; /* another run is at it; this one need not wait */
  /* Signals are the host's business. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  uint32_t count = 0;
  while (count < pool->width - 1 && pthread_create(&pool->threads[count], NULL, work, pool) == 0)
    ++count;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (count < pool->width - 1)
    torsh_rt_log(TORSH_LOG_WARNING, "the system gave %u of %u threads; runs go on with those.", count,
                 pool->width - 1);
  atomic_store(&pool->num_threads, count);
  atomic_store(&pool->threads_state, ThreadsRunning);
}

/* --- Life
 * ------------------------------------------------------------------------------------------------------- */

static void reset(torsh_rt_pool *pool) {
  atomic_store(&pool->threads_state, ThreadsNone);
  atomic_store(&pool->num_threads, 0);
  atomic_store(&pool->stop, 0);
  atomic_store(&pool->sleepers, 0);
  atomic_store(&pool->runs, 0);
  atomic_store(&pool->slots_seen, 0);
  atomic_store(&pool->next_worker, 0);
  for (uint32_t worker = 0; worker < pool->width; ++worker)
    atomic_store(&pool->beds[worker], 0);
  for (int i = 0; i < NumSlots; ++i) {
    atomic_store(&pool->slots[i].taken, 0);
    for (uint32_t d = 0; d < pool->width; ++d)
      atomic_store(&pool->slots[i].desks[d].word, Closed);
  }
}

torsh_rt_pool *torsh_rt_pool_create(uint32_t width, uint32_t run_spin_us, uint32_t idle_spin_us) {
  const size_t head = (sizeof(torsh_rt_pool) + (width - 1) * sizeof(pthread_t) + 63) / 64 * 64;
  const size_t desks = NumSlots * width * sizeof(desk);
  const size_t size = head + desks + (width * sizeof(atomic_uint) + 63) / 64 * 64;
  torsh_rt_pool *pool = aligned_alloc(64, size);
  if (!pool)
    return NULL;
  memset(pool, 0, size);
  for (uint32_t i = 0; i < NumSlots; ++i)
    pool->slots[i].desks = (desk *)(void *)((char *)pool + head) + (size_t)i * width;
  pool->beds = (atomic_uint *)(void *)((char *)pool + head + desks);
  pool->width = width;
  pool->run_spin_us = run_spin_us;
  pool->idle_spin_us = idle_spin_us;
  reset(pool);
  atomic_store(&pool->process, (int)getpid());
  return pool;
}

void torsh_rt_pool_destroy(torsh_rt_pool *pool) {
  /* After a fork the threads are the parent's. */
  if (atomic_load(&pool->process) == (int)getpid()) {
    atomic_store(&pool->stop, 1);
    wake(pool, pool->width, pool->width);
    uint32_t count = atomic_load(&pool->num_threads);
    for (uint32_t i = 0; i < count; ++i)
      pthread_join(pool->threads[i], NULL);
  }
  free(pool);
}

/* In the child of a fork the pool's threads, and the runs of other threads, are gone: begin anew, once. */
static void take_over(torsh_rt_pool *pool, int self) {
  for (;;) {
    int owner = atomic_load(&pool->process);
    if (owner == self)
      return;
    if (owner == -self) {
      relax();
      continue;
    }
    if (atomic_compare_exchange_strong(&pool->process, &owner, -self)) {
      reset(pool);
      atomic_store(&pool->process, self);
      return;
    }
  }
}

torsh_rt_slot *torsh_rt_pool_enter(torsh_rt_pool *pool) {
  int self = (int)getpid();
  if (atomic_load_explicit(&pool->process, memory_order_acquire) != self)
    take_over(pool, self);
  for (uint32_t i = 0; i < NumSlots; ++i) {
    if (atomic_load_explicit(&pool->slots[i].taken, memory_order_relaxed) ||
        atomic_exchange_explicit(&pool->slots[i].taken, 1, memory_order_acquire))
      continue;
    uint32_t seen = atomic_load(&pool->slots_seen);
    while (seen < i + 1 && !atomic_compare_exchange_weak(&pool->slots_seen, &seen, i + 1))
      ;
    atomic_fetch_add_explicit(&pool->runs, 1, memory_order_relaxed);
    return &pool->slots[i];
  }
  return NULL;
}

void torsh_rt_pool_leave(torsh_rt_pool *pool, torsh_rt_slot *slot) {
  atomic_fetch_sub_explicit(&pool->runs, 1, memory_order_relaxed);
  atomic_store_explicit(&slot->taken, 0, memory_order_release);
}

/* --- Caller
 * ------------------------------------------------------------------------------------------------------ */

/* Waits until the worker has left the desk. */
static void await_worker(const torsh_rt_pool *pool, desk *d) {
  if (pool->run_spin_us) {
    uint64_t start = 0;
    for (uint32_t turn = 1;; ++turn) {
      if ((atomic_load_explicit(&d->word, memory_order_acquire) & StateMask) != Inside)
        return;
      if (turn % 32 == 0) {
        if (!start)
          start = now_us();
        else if (now_us() - start >= pool->run_spin_us)
          break;
      }
      relax();
    }
  }
  uint64_t word = Inside;
  if (!atomic_compare_exchange_strong_explicit(&d->word, &word, Inside | Awaited, memory_order_acquire,
                                               memory_order_acquire))
    return;
  while ((atomic_load_explicit(&d->word, memory_order_acquire) & StateMask) == Inside)
    futex_wait((atomic_uint *)(void *)&d->word, Inside | Awaited);
}

int torsh_rt_pool_run(torsh_rt_pool *pool, torsh_rt_slot *slot, torsh_rt_job *job, int64_t tiles,
                      int64_t grain, int is_long, unsigned *helpers) {
  if (atomic_load_explicit(&pool->threads_state, memory_order_relaxed) == ThreadsNone)
    start_threads(pool);
  const int64_t worth = tiles / grain;
  const uint32_t desks = atomic_load_explicit(&pool->num_threads, memory_order_relaxed) + 1;
  const uint32_t parts = worth < desks ? (uint32_t)worth : desks;
  shift s = {pool, slot->desks, parts, 0, tiles, grain, 1};
  const uint64_t word = opened(&s);
  int64_t begin = 0;
  /* All parts before the first opening: who comes in may go on to any of them. */
  for (uint32_t i = 0; i < parts; ++i) {
    desk *d = &slot->desks[i];
    const int64_t left = tiles - begin, end = begin + left / (parts - i);
    atomic_store_explicit(&d->next, begin, memory_order_relaxed);
    d->end = end;
    begin = end;
    d->job = *job;
  }
  for (uint32_t i = 1; i < parts; ++i)
    atomic_store_explicit(&slot->desks[i].word, word, memory_order_release);
  if (is_long && atomic_load(&pool->sleepers))
    wake(pool, parts, parts);
  work_off(&s, job);
  int waited = 0;
  for (uint32_t i = 1; i < parts; ++i) {
    desk *d = &slot->desks[i];
    uint64_t seen = word;
    if (atomic_load_explicit(&d->word, memory_order_acquire) == word &&
        atomic_compare_exchange_strong_explicit(&d->word, &seen, Closed, memory_order_relaxed,
                                                memory_order_acquire))
      continue;
    if ((atomic_load_explicit(&d->word, memory_order_acquire) & StateMask) == Inside) {
      await_worker(pool, d);
      waited = 1;
    }
    *helpers += (atomic_load_explicit(&d->word, memory_order_acquire) & StateMask) == Worked;
  }
  return waited;
}
