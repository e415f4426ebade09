#include "Device.h"
#include "Log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int torsh_rt_device_is_sound(const torsh_program *program) {
  const torsh_device_program *d = program->device;
  if (!d)
    return 1;
  if (d->size < sizeof(*d) || !d->capability || (program->num_kernels && !d->kernels) ||
      (program->num_launches && (!d->launches || !d->sizes)) || (program->num_outputs && !d->output_moves))
    return 0;
  for (uint32_t i = 0; i < program->num_launches; ++i) {
    const torsh_device_kernel *kernel = &d->kernels[program->launch_kernels[i]];
    const torsh_device_launch *launch = &d->launches[i];
    if ((kernel->num_inputs && !launch->moves) || launch->first_size >= d->num_sizes ||
        kernel->num_inputs >= d->num_sizes - launch->first_size || (kernel->image && !kernel->threads))
      return 0;
  }
  return 1;
}

/* Fails with the driver's words. */
static int failed(const torsh_rt_device *device, cu_result result, const char *what, char *why, size_t size) {
  if (!result)
    return 0;
  snprintf(why, size, "%s: %s", what, torsh_rt_driver_text(&device->driver, result));
  return 1;
}

static int find_device(torsh_rt_device *device, char *why, size_t size) {
  const torsh_rt_driver *driver = &device->driver;
  int count = 0, major = 0, minor = 0;
  if (failed(device, driver->device_get_count(&count), "no GPU can be counted", why, size))
    return -1;
  if (count < 1) {
    snprintf(why, size, "there is no GPU");
    return -1;
  }
  if (failed(device, driver->device_get(&device->number, 0), "the GPU cannot be had", why, size) ||
      failed(device, driver->device_get_attribute(&major, CU_CAPABILITY_MAJOR, device->number),
             "the GPU's capability is not known", why, size) ||
      failed(device, driver->device_get_attribute(&minor, CU_CAPABILITY_MINOR, device->number),
             "the GPU's capability is not known", why, size))
    return -1;
  const uint32_t wanted = device->program->device->capability;
  if ((uint32_t)(major * 10 + minor) < wanted) {
    snprintf(why, size, "the GPU has compute capability %d.%d; the code needs %u.%u", major, minor,
             wanted / 10, wanted % 10);
    return -1;
  }
  return failed(device, driver->primary_retain(&device->context, device->number),
                "the GPU's context cannot be had", why, size)
             ? -1
             : 0;
}

static int load_kernels(torsh_rt_device *device, char *why, size_t size) {
  const torsh_program *p = device->program;
  device->modules = calloc(p->num_kernels ? p->num_kernels : 1, sizeof(*device->modules));
  device->functions = calloc(p->num_kernels ? p->num_kernels : 1, sizeof(*device->functions));
  if (!device->modules || !device->functions) {
    snprintf(why, size, "no memory for the list of kernels");
    return -1;
  }
  for (uint32_t i = 0; i < p->num_kernels; ++i) {
    const torsh_device_kernel *kernel = &p->device->kernels[i];
    const uint32_t parameters = kernel->num_inputs + kernel->num_outputs + kernel->num_dims;
    if (parameters > device->most_parameters)
      device->most_parameters = parameters;
    if (!kernel->image) {
      torsh_rt_log(TORSH_LOG_INFO, "kernel %s runs on the CPU: %s", p->kernel_names[i],
                   kernel->reason ? kernel->reason : "it has no code for a GPU");
      continue;
    }
    char log[1024] = "";
    int options[] = {CU_JIT_ERROR_LOG, CU_JIT_ERROR_LOG_SIZE};
    void *values[] = {log, (void *)(uintptr_t)(sizeof(log) - 1)};
    cu_result result = device->driver.module_load(&device->modules[i], kernel->image, 2, options, values);
    if (result) {
      snprintf(why, size, "the driver refused kernel %s: %s%s%s", p->kernel_names[i],
               torsh_rt_driver_text(&device->driver, result), *log ? ": " : "", log);
      return -1;
    }
    if (failed(
            device,
            device->driver.module_get_function(&device->functions[i], device->modules[i], p->kernel_names[i]),
            "a kernel is not in its image", why, size))
      return -1;
  }
  return 0;
}

static int copy_weights(torsh_rt_device *device, char *why, size_t size) {
  if (!device->weights_size)
    return 0;
  const torsh_rt_driver *driver = &device->driver;
  if (failed(device, driver->memory_allocate(&device->weights, device->weights_size),
             "the GPU has no memory for the weights", why, size)) {
    device->weights = 0;
    return -1;
  }
  return failed(device,
                driver->copy_to_device(device->weights, device->host_weights, device->weights_size, NULL),
                "the weights cannot be copied", why, size) ||
                 failed(device, driver->stream_synchronize(NULL), "the weights cannot be copied", why, size)
             ? -1
             : 0;
}

torsh_rt_device *torsh_rt_device_open(const torsh_program *program, const void *weights,
                                      uint64_t weights_size, char *why, size_t size) {
  torsh_rt_device *device = calloc(1, sizeof(*device));
  if (!device) {
    snprintf(why, size, "no memory for a device");
    return NULL;
  }
  device->program = program;
  device->host_weights = weights;
  device->weights_size = weights_size;
  atomic_init(&device->failed, 0);
  if (torsh_rt_driver_open(&device->driver, why, size)) {
    free(device);
    return NULL;
  }
  int result = find_device(device, why, size);
  if (!result) {
    if (failed(device, device->driver.context_push(device->context), "the GPU's context is not usable", why,
               size)) {
      result = -1;
    } else {
      result = load_kernels(device, why, size);
      if (!result)
        result = copy_weights(device, why, size);
      torsh_rt_driver_leave(&device->driver);
    }
  }
  if (result) {
    torsh_rt_device_close(device);
    return NULL;
  }
  char name[128] = "";
  device->driver.device_get_name(name, sizeof(name), device->number);
  torsh_rt_log(TORSH_LOG_INFO, "the program runs on the GPU %s.", name);
  return device;
}

void torsh_rt_device_close(torsh_rt_device *device) {
  if (!device)
    return;
  const torsh_rt_driver *driver = &device->driver;
  if (device->context && !driver->context_push(device->context)) {
    for (uint32_t i = 0; device->modules && i < device->program->num_kernels; ++i)
      if (device->modules[i])
        driver->module_unload(device->modules[i]);
    if (device->weights)
      driver->memory_free(device->weights);
    torsh_rt_driver_leave(driver);
  }
  if (device->context)
    driver->primary_release(device->number);
  free(device->modules);
  free(device->functions);
  torsh_rt_driver_close(&device->driver);
  free(device);
}
