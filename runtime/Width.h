/* How many threads this process may sensibly keep busy. */
#ifndef TORSH_RUNTIME_WIDTH_H
#define TORSH_RUNTIME_WIDTH_H

#include <stdint.h>

/* min(affinity mask, cgroup CPU quota rounded up), at least 1. */
uint32_t torsh_rt_default_width(void);

/* The quota part: `cgroup_file` is /proc/self/cgroup, `cgroup_root` is /sys/fs/cgroup; parameters so that a
 * test can give a tree of its own. Returns 0 when there is no quota. */
uint32_t torsh_rt_cgroup_quota(const char *cgroup_file, const char *cgroup_root);

#endif
