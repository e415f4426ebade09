#include "DeviceDriver.h"
#include "GlibcVersions.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry {
  const char *name;
  size_t offset; /* of the function pointer in torsh_rt_driver */
} entry;

/* The names with a version are those that the driver's own header maps the plain ones to. */
static const entry entries[] = {
    {"cuInit", offsetof(torsh_rt_driver, init)},
    {"cuGetErrorString", offsetof(torsh_rt_driver, get_error_string)},
    {"cuDeviceGetCount", offsetof(torsh_rt_driver, device_get_count)},
    {"cuDeviceGet", offsetof(torsh_rt_driver, device_get)},
    {"cuDeviceGetName", offsetof(torsh_rt_driver, device_get_name)},
    {"cuDeviceGetAttribute", offsetof(torsh_rt_driver, device_get_attribute)},
    {"cuDevicePrimaryCtxRetain", offsetof(torsh_rt_driver, primary_retain)},
    {"cuDevicePrimaryCtxRelease_v2", offsetof(torsh_rt_driver, primary_release)},
    {"cuCtxPushCurrent_v2", offsetof(torsh_rt_driver, context_push)},
    {"cuCtxPopCurrent_v2", offsetof(torsh_rt_driver, context_pop)},
    {"cuModuleLoadDataEx", offsetof(torsh_rt_driver, module_load)},
    {"cuModuleUnload", offsetof(torsh_rt_driver, module_unload)},
    {"cuModuleGetFunction", offsetof(torsh_rt_driver, module_get_function)},
    {"cuMemAlloc_v2", offsetof(torsh_rt_driver, memory_allocate)},
    {"cuMemFree_v2", offsetof(torsh_rt_driver, memory_free)},
    {"cuMemcpyHtoDAsync_v2", offsetof(torsh_rt_driver, copy_to_device)},
    {"cuMemcpyDtoHAsync_v2", offsetof(torsh_rt_driver, copy_to_host)},
    {"cuStreamCreate", offsetof(torsh_rt_driver, stream_create)},
    {"cuStreamDestroy_v2", offsetof(torsh_rt_driver, stream_destroy)},
    {"cuStreamSynchronize", offsetof(torsh_rt_driver, stream_synchronize)},
    {"cuLaunchKernel", offsetof(torsh_rt_driver, launch)},
};

int torsh_rt_driver_open(torsh_rt_driver *driver, char *why, size_t size) {
  memset(driver, 0, sizeof(*driver));
  const char *name = getenv("TORSH_CUDA_DRIVER");
  if (!name || !*name)
    name = "libcuda.so.1";
  if (strcmp(name, "none") == 0) {
    snprintf(why, size, "TORSH_CUDA_DRIVER says that there is no driver");
    return -1;
  }
  driver->library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!driver->library) {
    const char *reason = dlerror();
    snprintf(why, size, "the CUDA driver cannot be opened: %s", reason ? reason : name);
    return -1;
  }
  for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); ++i) {
    void *symbol = dlsym(driver->library, entries[i].name);
    if (!symbol) {
      snprintf(why, size, "%s has no %s: the driver is too old, or no CUDA driver", name, entries[i].name);
      torsh_rt_driver_close(driver);
      return -1;
    }
    memcpy((char *)driver + entries[i].offset, &symbol, sizeof(symbol));
  }
  cu_result result = driver->init(0);
  if (result) {
    snprintf(why, size, "the CUDA driver does not start: %s", torsh_rt_driver_text(driver, result));
    torsh_rt_driver_close(driver);
    return -1;
  }
  return 0;
}

void torsh_rt_driver_close(torsh_rt_driver *driver) {
  if (driver->library)
    dlclose(driver->library);
  driver->library = NULL;
}

void torsh_rt_driver_leave(const torsh_rt_driver *driver) {
  cu_context left;
  driver->context_pop(&left);
}

const char *torsh_rt_driver_text(const torsh_rt_driver *driver, cu_result result) {
  const char *text = NULL;
  if (driver->get_error_string(result, &text) || !text)
    return "an error without a description";
  return text;
}
