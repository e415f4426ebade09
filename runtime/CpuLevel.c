/* The feature lists of the levels are those of the x86-64 psABI; the last level is ours. */
#include "CpuLevel.h"

#include <stdatomic.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <cpuid.h>

typedef struct features {
  uint32_t leaf1_ecx, leaf7_ebx, leaf7_1_eax, extended_ecx;
  uint64_t xcr0;
} features;

static uint64_t read_xcr0(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static features read_features(void) {
  features f = {0, 0, 0, 0, 0};
  uint32_t a, b, c, d;
  if (__get_cpuid(1, &a, &b, &c, &d))
    f.leaf1_ecx = c;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
    f.leaf7_ebx = b;
  /* EAX of the first subleaf is the number of the last one. */
  if (f.leaf7_ebx && a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d))
    f.leaf7_1_eax = a;
  if (__get_cpuid(0x80000001u, &a, &b, &c, &d))
    f.extended_ecx = c;
  /* Without OSXSAVE the operating system does not save the wide registers, and xgetbv itself would trap. */
  if (f.leaf1_ecx & 1u << 27)
    f.xcr0 = read_xcr0();
  return f;
}

static int has(uint64_t bits, uint64_t wanted) { return (bits & wanted) == wanted; }

#define BIT(n) (1ull << (n))

static uint32_t detect(void) {
  const features f = read_features();
  /* v2: SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT; LAHF. */
  if (!has(f.leaf1_ecx, BIT(0) | BIT(9) | BIT(13) | BIT(19) | BIT(20) | BIT(23)) ||
      !has(f.extended_ecx, BIT(0)))
    return 1;
  /* v3: FMA, MOVBE, OSXSAVE, AVX, F16C; BMI1, AVX2, BMI2; LZCNT; XMM and YMM state enabled. */
  if (!has(f.leaf1_ecx, BIT(12) | BIT(22) | BIT(27) | BIT(28) | BIT(29)) ||
      !has(f.leaf7_ebx, BIT(3) | BIT(5) | BIT(8)) || !has(f.extended_ecx, BIT(5)) ||
      !has(f.xcr0, BIT(1) | BIT(2)))
    return 2;
  /* v4: AVX-512 F, DQ, CD, BW, VL; opmask, upper ZMM and high ZMM state enabled. */
  if (!has(f.leaf7_ebx, BIT(16) | BIT(17) | BIT(28) | BIT(30) | BIT(31)) ||
      !has(f.xcr0, BIT(5) | BIT(6) | BIT(7)))
    return 3;
  /* AVX512-BF16. */
  return has(f.leaf7_1_eax, BIT(5)) ? 5 : 4;
}

#else
static uint32_t detect(void) { return 0; }
#endif

/* cpuid traps to the hypervisor in a virtual machine (tens of microseconds), hence the caches. They hold
 * value + 1. */
uint32_t torsh_rt_cpu_level(void) {
  static atomic_uint cache;
  uint32_t held = atomic_load_explicit(&cache, memory_order_relaxed);
  if (!held) {
    held = detect() + 1;
    atomic_store_explicit(&cache, held, memory_order_relaxed);
  }
  return held - 1;
}

const char *torsh_rt_cpu_level_name(uint32_t level) {
  static const char *const names[] = {"no x86-64", "x86-64-v1", "x86-64-v2",
                                      "x86-64-v3", "x86-64-v4", "x86-64-v4 with AVX512-BF16"};
  return level < sizeof(names) / sizeof(*names) ? names[level] : "a later level";
}

uint32_t torsh_rt_cpu_level_allowed(void) {
  uint32_t level = torsh_rt_cpu_level();
  const char *text = getenv("TORSH_CPU_LEVEL");
  if (text && text[0] == 'v' && text[1] >= '1' && text[1] <= '4' && !text[2]) {
    uint32_t wanted = (uint32_t)(text[1] - '0');
    return wanted < level ? wanted : level;
  }
  return level;
}
