/* How a kernel is shared.
 *
 * A run takes a slot. For each kernel it fills the slot and opens its gate; workers that see the open gate
 * enter (they count themselves into it), claim ranges with one atomic add each, and leave. The owner claims
 * ranges too; when none are left it closes the gate and waits until the count is zero. Nothing is allocated
 * and no lock is taken.
 *
 * Workers learn of work by `epoch`, which every opening moves on. Between two kernels of a run they watch it
 * for a bounded time; with no run in flight they sleep in the kernel on the same word.
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

static const uint32_t GateOpen = 1u << 31;
static const uint32_t GateAwaited = 1u << 30;

struct torsh_rt_slot {
  alignas(64) atomic_uint gate; /* GateOpen, GateAwaited, and the number of workers inside */
  alignas(64) _Atomic int64_t next;
  /* Written while the gate is closed and nobody is inside. */
  alignas(64) torsh_rt_job *job;
  int64_t tiles, grain;
  uint32_t float_state;
  atomic_int taken;
};

enum { ThreadsNone, ThreadsStarting, ThreadsRunning };

struct torsh_rt_pool {
  uint32_t width, run_spin_us, idle_spin_us;
  /* The process this state belongs to; its negative while that process takes it over after a fork. */
  atomic_int process;
  atomic_int threads_state;
  atomic_uint num_threads;
  atomic_int stop;
  alignas(64) atomic_uint epoch;
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

/* Waking a sleeping thread costs the waker some microseconds, and the thread begins tens of microseconds later: less
 * work than this is done sooner without it. */
enum { TicksWorthWaking = 100000 };

/* Wakes up to `sleepers` workers when `ticks` for `done` tiles say that the `left` ones are worth it. */
static int wake_for(torsh_rt_pool *pool, uint32_t sleepers, uint64_t ticks, int64_t done, int64_t left) {
  double expected = (double)ticks / (double)done * (double)left;
  if (expected < TicksWorthWaking)
    return 0;
  double useful = expected / TicksWorthWaking;
  futex_wake(&pool->epoch, useful < (double)sleepers ? (uint32_t)useful : sleepers);
  return 1;
}

/* Claims and runs ranges until none is left; returns whether there was one. The owner passes the number of sleepers, which it wakes when the first
 * ranges show that the kernel is long enough. */
static int claim_ranges(torsh_rt_pool *pool, torsh_rt_slot *slot, uint32_t sleepers) {
  const int64_t tiles = slot->tiles;
  torsh_rt_range_size size = torsh_rt_range_size_for(tiles, slot->grain, pool->width);
  if (sleepers && size.tiles > 1 && size.tiles > slot->grain)
    size.tiles = size.tiles / 4 > slot->grain ? size.tiles / 4 : slot->grain;
  for (int claimed = 0;; claimed = 1) {
    int64_t begin = atomic_fetch_add_explicit(&slot->next, size.tiles, memory_order_relaxed);
    if (begin >= tiles)
      return claimed;
    int64_t end = tiles - begin <= size.tiles ? tiles : begin + size.tiles;
    const uint64_t start = size.start;
    if (torsh_rt_run_range(slot->job, begin, end))
      return 1;
    torsh_rt_range_size_adapt(&size);
    if (sleepers && end < tiles && wake_for(pool, sleepers, size.start - start, end - begin, tiles - end))
      sleepers = 0;
  }
}

static void help(torsh_rt_pool *pool, torsh_rt_slot *slot) {
  if (!(atomic_load_explicit(&slot->gate, memory_order_relaxed) & GateOpen))
    return;
  if (atomic_fetch_add_explicit(&slot->gate, 1, memory_order_acquire) & GateOpen) {
    set_float_state(slot->float_state);
    if (claim_ranges(pool, slot, 0) && slot->job->helpers)
      atomic_fetch_add_explicit(slot->job->helpers, 1, memory_order_relaxed);
  }
  if (atomic_fetch_sub_explicit(&slot->gate, 1, memory_order_release) - 1 == GateAwaited)
    futex_wake(&slot->gate, 1);
}

/* Returns when the epoch is no longer `seen`, or may be no longer. */
static void await_work(torsh_rt_pool *pool, uint32_t seen) {
  uint64_t start = 0;
  for (uint32_t turn = 0;; ++turn) {
    if (atomic_load_explicit(&pool->epoch, memory_order_acquire) != seen)
      return;
    if (turn % 32 == 0) {
      uint32_t limit =
          atomic_load_explicit(&pool->runs, memory_order_relaxed) ? pool->run_spin_us : pool->idle_spin_us;
      if (!limit)
        break;
      if (!start)
        start = now_us();
      else if (now_us() - start >= limit)
        break;
    }
    relax();
  }
  /* The opener moves the epoch and then reads `sleepers`; we do it the other way round, so one sees the
   * other. */
  atomic_fetch_add(&pool->sleepers, 1);
  if (atomic_load(&pool->epoch) == seen)
    futex_wait(&pool->epoch, seen);
  atomic_fetch_sub(&pool->sleepers, 1);
}

static void *work(void *opaque) {
  torsh_rt_pool *pool = opaque;
  prctl(PR_SET_NAME, "torsh-worker");
  for (;;) {
    uint32_t seen = atomic_load(&pool->epoch);
    if (atomic_load(&pool->stop))
      return NULL;
    uint32_t slots = atomic_load_explicit(&pool->slots_seen, memory_order_relaxed);
    for (uint32_t i = 0; i < slots; ++i)
      help(pool, &pool->slots[i]);
    await_work(pool, seen);
  }
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
  for (int i = 0; i < NumSlots; ++i) {
    atomic_store(&pool->slots[i].gate, 0);
    atomic_store(&pool->slots[i].taken, 0);
  }
}

torsh_rt_pool *torsh_rt_pool_create(uint32_t width, uint32_t run_spin_us, uint32_t idle_spin_us) {
  size_t size = sizeof(torsh_rt_pool) + (width - 1) * sizeof(pthread_t);
  torsh_rt_pool *pool = aligned_alloc(64, (size + 63) / 64 * 64);
  if (!pool)
    return NULL;
  memset(pool, 0, size);
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
    atomic_fetch_add(&pool->epoch, 1);
    futex_wake(&pool->epoch, INT32_MAX);
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

/* --- Owner
 * ------------------------------------------------------------------------------------------------------ */

/* Waits until nobody is inside the closed gate. */
static void await_workers(const torsh_rt_pool *pool, torsh_rt_slot *slot) {
  if (pool->run_spin_us) {
    uint64_t start = now_us();
    for (uint32_t turn = 1;; ++turn) {
      if (!atomic_load_explicit(&slot->gate, memory_order_acquire))
        return;
      if (turn % 32 == 0 && now_us() - start >= pool->run_spin_us)
        break;
      relax();
    }
  }
  atomic_fetch_or(&slot->gate, GateAwaited);
  for (uint32_t gate; (gate = atomic_load_explicit(&slot->gate, memory_order_acquire)) != GateAwaited;)
    futex_wait(&slot->gate, gate);
  atomic_fetch_and(&slot->gate, ~GateAwaited);
}

int torsh_rt_pool_run(torsh_rt_pool *pool, torsh_rt_slot *slot, torsh_rt_job *job, int64_t tiles,
                      int64_t grain, int is_long) {
  if (atomic_load_explicit(&pool->threads_state, memory_order_relaxed) == ThreadsNone)
    start_threads(pool);
  slot->job = job;
  slot->tiles = tiles;
  slot->grain = grain;
  slot->float_state = float_state();
  atomic_store_explicit(&slot->next, 0, memory_order_relaxed);
  atomic_fetch_or_explicit(&slot->gate, GateOpen, memory_order_release);
  atomic_fetch_add(&pool->epoch, 1);
  uint32_t sleepers = atomic_load(&pool->sleepers);
  if (sleepers && is_long) {
    futex_wake(&pool->epoch, tiles - 1 < (int64_t)sleepers ? (uint32_t)(tiles - 1) : sleepers);
    sleepers = 0;
  }
  claim_ranges(pool, slot, sleepers);
  if ((atomic_fetch_and_explicit(&slot->gate, ~GateOpen, memory_order_acq_rel) & ~GateOpen) == 0)
    return 0;
  await_workers(pool, slot);
  return 1;
}
