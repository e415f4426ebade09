/* Which x86-64 level this CPU (and its operating system) can run. */
#ifndef TORSH_RUNTIME_CPULEVEL_H
#define TORSH_RUNTIME_CPULEVEL_H

#include <stdint.h>

/* 1 to 4 for x86-64, x86-64-v2, -v3, -v4; 0 on another architecture. */
uint32_t torsh_rt_cpu_level(void);

/* The same, lowered (never raised) by the environment variable TORSH_CPU_LEVEL=v1|v2|v3|v4. */
uint32_t torsh_rt_cpu_level_allowed(void);

#endif
