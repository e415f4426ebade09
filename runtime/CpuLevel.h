/* Which x86-64 level this CPU (and its operating system) can run. */
#ifndef TORSH_RUNTIME_CPULEVEL_H
#define TORSH_RUNTIME_CPULEVEL_H

#include <stdint.h>

/* 1 to 4 for x86-64, x86-64-v2, -v3, -v4, and 5 for v4 with AVX512-BF16; 0 on another architecture. */
uint32_t torsh_rt_cpu_level(void);

/* The name of a level, for messages. */
const char *torsh_rt_cpu_level_name(uint32_t level);

/* The same, lowered (never raised) by the environment variable TORSH_CPU_LEVEL=v1|v2|v3|v4. */
uint32_t torsh_rt_cpu_level_allowed(void);

#endif
