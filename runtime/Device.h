/* A module's part on a GPU: loaded kernels and weights. */
#ifndef TORSH_RUNTIME_DEVICE_H
#define TORSH_RUNTIME_DEVICE_H

#include "DeviceDriver.h"
#include "torsh/artifact.h"

#include <stdatomic.h>

typedef struct torsh_rt_device {
  torsh_rt_driver driver;
  const torsh_program *program;
  cu_device number;
  cu_context context;
  cu_module *modules;     /* for each kernel; NULL where only the CPU has code */
  cu_function *functions; /* likewise */
  cu_address weights;
  const void *host_weights;
  uint64_t weights_size;
  uint32_t most_parameters; /* of a kernel */
  atomic_int failed;        /* an error that no later call on this device survives */
} torsh_rt_device;

/* Whether the device part of a program can be followed. */
int torsh_rt_device_is_sound(const torsh_program *program);

/* Opens the driver, takes the first GPU, loads the kernels and copies the weights. NULL with the reason where any of that
 * fails: the program then runs on the CPU. */
torsh_rt_device *torsh_rt_device_open(const torsh_program *program, const void *weights,
                                      uint64_t weights_size, char *why, size_t size);
void torsh_rt_device_close(torsh_rt_device *device);

#endif
