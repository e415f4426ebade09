#define _GNU_SOURCE
#include "Width.h"
#include "GlibcVersions.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PathSize = 4096 };

/* Reads a small file as a string; returns its length, or -1. */
static ssize_t read_text(const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return -1;
  size_t length = 0;
  for (;;) {
    ssize_t got = read(fd, text + length, size - 1 - length);
    if (got <= 0)
      break;
    length += (size_t)got;
  }
  close(fd);
  text[length] = '\0';
  return (ssize_t)length;
}

static void take_quota(uint32_t *least, long long quota, long long period) {
  if (quota <= 0 || period <= 0)
    return;
  long long width = (quota + period - 1) / period;
  if (width < (1 << 20) && (*least == 0 || (uint32_t)width < *least))
    *least = (uint32_t)width;
}

/* Version 2: "max 100000" or "150000 100000" in cpu.max. */
static int read_quota_v2(const char *folder, uint32_t *least) {
  char path[PathSize + 32], text[64];
  snprintf(path, sizeof(path), "%s/cpu.max", folder);
  if (read_text(path, text, sizeof(text)) < 0)
    return 0;
  char *end;
  long long quota = strtoll(text, &end, 10);
  if (end != text)
    take_quota(least, quota, strtoll(end, NULL, 10));
  return 1;
}

static int read_quota_v1(const char *folder, uint32_t *least) {
  char path[PathSize + 32], quota[64], period[64];
  snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", folder);
  if (read_text(path, quota, sizeof(quota)) < 0)
    return 0;
  snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", folder);
  if (read_text(path, period, sizeof(period)) < 0)
    return 0;
  take_quota(least, strtoll(quota, NULL, 10), strtoll(period, NULL, 10));
  return 1;
}

/* A quota of any ancestor binds too. In a container the path may name folders that only the host sees; the
 * walk then ends at the root, which shows the container's own group. */
static void walk_up(const char *root, const char *group, int (*read_quota)(const char *, uint32_t *),
                    uint32_t *least) {
  char folder[PathSize];
  int length = snprintf(folder, sizeof(folder), "%s%s", root, strcmp(group, "/") ? group : "");
  if (length < 0 || (size_t)length >= sizeof(folder))
    return;
  const size_t root_length = strlen(root);
  for (;;) {
    read_quota(folder, least);
    char *slash = strrchr(folder, '/');
    if (!slash || (size_t)(slash - folder) < root_length)
      return;
    *slash = '\0';
  }
}

/* Whether the comma-separated list [text, end) has "cpu". */
static int names_cpu(const char *text, const char *end) {
  while (text < end) {
    const char *comma = memchr(text, ',', (size_t)(end - text));
    const char *stop = comma ? comma : end;
    if (stop - text == 3 && memcmp(text, "cpu", 3) == 0)
      return 1;
    text = stop + 1;
  }
  return 0;
}

uint32_t torsh_rt_cgroup_quota(const char *cgroup_file, const char *cgroup_root) {
  char text[PathSize];
  uint32_t least = 0;
  if (read_text(cgroup_file, text, sizeof(text)) < 0)
    return 0;
  char *line_state;
  for (char *line = strtok_r(text, "\n", &line_state); line; line = strtok_r(NULL, "\n", &line_state)) {
    /* "0::/path" for version 2, "4:cpu,cpuacct:/path" for version 1. */
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
      continue;
    ++controllers;
    char root[PathSize];
    if (group == controllers) {
      walk_up(cgroup_root, group + 1, read_quota_v2, &least);
    } else if (names_cpu(controllers, group)) {
      snprintf(root, sizeof(root), "%s/cpu", cgroup_root);
      walk_up(root, group + 1, read_quota_v1, &least);
      snprintf(root, sizeof(root), "%s/cpu,cpuacct", cgroup_root);
      walk_up(root, group + 1, read_quota_v1, &least);
    }
  }
  return least;
}

static uint32_t count_allowed(void) {
  /* The kernel refuses a mask smaller than its own, so try larger ones. */
  for (int processors = 1024; processors <= 1 << 16; processors *= 4) {
    cpu_set_t *set = CPU_ALLOC(processors);
    if (!set)
      break;
    size_t size = CPU_ALLOC_SIZE(processors);
    int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (count > 0)
      return (uint32_t)count;
  }
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (uint32_t)online : 1;
}

uint32_t torsh_rt_default_width(void) {
  uint32_t width = count_allowed();
  uint32_t quota = torsh_rt_cgroup_quota("/proc/self/cgroup", "/sys/fs/cgroup");
  return quota && quota < width ? quota : width;
}
