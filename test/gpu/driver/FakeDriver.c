#include "FakeDriver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Enough of a driver for one thread at a time. Device addresses are addresses of the process. */
#define MOST_ALLOCATIONS 256
#define EXPORTED __attribute__((visibility("default")))

EXPORTED fake_cuda_control_block fake_cuda_control;

typedef struct fake_module {
  char *image;
} fake_module;

typedef struct fake_function {
  char name[256];
  fake_module *module;
  struct fake_function *next;
} fake_function;

static fake_cuda_block blocks[MOST_ALLOCATIONS];
static unsigned num_blocks;
static fake_function *functions;
static int depth; /* of the stack of contexts */
static int calls_of_failing, is_broken;
static int context_object, stream_object;

EXPORTED void fake_cuda_reset_all(void) {
  memset(&fake_cuda_control, 0, sizeof(fake_cuda_control));
  fake_cuda_control.device_count = 1;
  fake_cuda_control.capability = 80;
  calls_of_failing = is_broken = 0;
  fake_cuda_control.live_allocations = num_blocks;
}

static int misuse(const char *what) {
  if (!fake_cuda_control.misuse[0])
    snprintf(fake_cuda_control.misuse, sizeof(fake_cuda_control.misuse), "%s", what);
  return 1;
}

/* The failure that the test asked for. */
static int asked(const char *function) {
  fake_cuda_control_block *c = &fake_cuda_control;
  if (is_broken)
    return c->fail_code;
  if (!c->fail_function || strcmp(c->fail_function, function) != 0 || ++calls_of_failing != c->fail_at)
    return 0;
  is_broken = c->is_sticky;
  return c->fail_code;
}

#define BEGIN(name)                                                                                          \
  do {                                                                                                       \
    int code = asked(name);                                                                                  \
    if (code)                                                                                                \
      return code;                                                                                           \
  } while (0)
#define NEEDS_CONTEXT(name)                                                                                  \
  do {                                                                                                       \
    BEGIN(name);                                                                                             \
    if (depth < 1)                                                                                           \
      return misuse(name " without a current context");                                                      \
  } while (0)

EXPORTED int cuInit(unsigned flags) {
  if (!fake_cuda_control.capability)
    fake_cuda_reset_all();
  BEGIN("cuInit");
  return flags ? misuse("cuInit with flags") : 0;
}

EXPORTED int cuGetErrorString(int result, const char **text) {
  *text = result == 2 ? "out of memory" : result == 700 ? "an illegal memory access" : "a fake error";
  return 0;
}

EXPORTED int cuDeviceGetCount(int *count) {
  BEGIN("cuDeviceGetCount");
  *count = fake_cuda_control.device_count;
  return 0;
}

EXPORTED int cuDeviceGet(int *device, int ordinal) {
  BEGIN("cuDeviceGet");
  *device = ordinal;
  return 0;
}

EXPORTED int cuDeviceGetName(char *name, int length, int device) {
  (void)device;
  snprintf(name, (size_t)length, "Fake");
  return 0;
}

EXPORTED int cuDeviceGetAttribute(int *value, int attribute, int device) {
  (void)device;
  BEGIN("cuDeviceGetAttribute");
  *value = attribute == 75   ? fake_cuda_control.capability / 10
           : attribute == 76 ? fake_cuda_control.capability % 10
                             : misuse("an attribute that the fake does not know");
  return 0;
}

EXPORTED int cuDevicePrimaryCtxRetain(void **context, int device) {
  (void)device;
  BEGIN("cuDevicePrimaryCtxRetain");
  ++fake_cuda_control.retained;
  *context = &context_object;
  return 0;
}

EXPORTED int cuDevicePrimaryCtxRelease_v2(int device) {
  (void)device;
  if (fake_cuda_control.retained-- == 0)
    return misuse("the primary context is released more often than retained");
  return 0;
}

EXPORTED int cuCtxPushCurrent_v2(void *context) {
  BEGIN("cuCtxPushCurrent_v2");
  if (context != &context_object)
    return misuse("an unknown context");
  ++depth;
  return 0;
}

EXPORTED int cuCtxPopCurrent_v2(void **context) {
  if (depth-- < 1)
    return misuse("a context is popped that was not pushed");
  *context = &context_object;
  return 0;
}

EXPORTED int cuModuleLoadDataEx(void **module, const void *image, unsigned count, int *options,
                                void **values) {
  (void)count, (void)options, (void)values;
  NEEDS_CONTEXT("cuModuleLoadDataEx");
  if (!strstr(image, ".version") || !strstr(image, ".target sm_"))
    return misuse("an image that is no PTX");
  fake_module *made = calloc(1, sizeof(*made));
  made->image = strdup(image);
  ++fake_cuda_control.modules;
  ++fake_cuda_control.live_modules;
  *module = made;
  return 0;
}

EXPORTED int cuModuleUnload(void *module) {
  NEEDS_CONTEXT("cuModuleUnload");
  fake_module *old = module;
  for (fake_function **at = &functions; *at;) {
    fake_function *function = *at;
    if (function->module != old) {
      at = &function->next;
      continue;
    }
    *at = function->next;
    free(function);
  }
  free(old->image);
  free(old);
  --fake_cuda_control.live_modules;
  return 0;
}

EXPORTED int cuModuleGetFunction(void **function, void *module, const char *name) {
  NEEDS_CONTEXT("cuModuleGetFunction");
  char entry[300];
  snprintf(entry, sizeof(entry), ".entry %s(", name);
  if (!strstr(((fake_module *)module)->image, entry))
    return misuse("the image has no such entry"), 500;
  fake_function *made = calloc(1, sizeof(*made));
  snprintf(made->name, sizeof(made->name), "%s", name);
  made->module = module;
  made->next = functions;
  functions = made;
  *function = made;
  return 0;
}

EXPORTED int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  NEEDS_CONTEXT("cuMemAlloc_v2");
  if (!bytes)
    return misuse("an allocation of nothing");
  if (num_blocks == MOST_ALLOCATIONS)
    return 2;
  void *data = aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!data)
    return 2;
  memset(data, 0xFF, bytes);
  blocks[num_blocks].data = data;
  blocks[num_blocks++].bytes = bytes;
  ++fake_cuda_control.allocations;
  fake_cuda_control.live_allocations = num_blocks;
  *address = (uint64_t)(uintptr_t)data;
  return 0;
}

EXPORTED int cuMemFree_v2(uint64_t address) {
  NEEDS_CONTEXT("cuMemFree_v2");
  for (unsigned i = 0; i < num_blocks; ++i)
    if ((uint64_t)(uintptr_t)blocks[i].data == address) {
      free(blocks[i].data);
      blocks[i] = blocks[--num_blocks];
      fake_cuda_control.live_allocations = num_blocks;
      return 0;
    }
  return misuse("memory is freed that was not allocated");
}

static int is_inside(uint64_t address, size_t bytes) {
  for (unsigned i = 0; i < num_blocks; ++i) {
    uint64_t begin = (uint64_t)(uintptr_t)blocks[i].data;
    if (address >= begin && address < begin + blocks[i].bytes && bytes <= begin + blocks[i].bytes - address)
      return 1;
  }
  return 0;
}

EXPORTED int cuMemcpyHtoDAsync_v2(uint64_t target, const void *source, size_t bytes, void *stream) {
  (void)stream;
  NEEDS_CONTEXT("cuMemcpyHtoDAsync_v2");
  if (!is_inside(target, bytes))
    return misuse("a copy to the device leaves its allocation");
  memcpy((void *)(uintptr_t)target, source, bytes);
  ++fake_cuda_control.uploads;
  return 0;
}

EXPORTED int cuMemcpyDtoHAsync_v2(void *target, uint64_t source, size_t bytes, void *stream) {
  (void)stream;
  NEEDS_CONTEXT("cuMemcpyDtoHAsync_v2");
  if (!is_inside(source, bytes))
    return misuse("a copy from the device leaves its allocation");
  memcpy(target, (const void *)(uintptr_t)source, bytes);
  ++fake_cuda_control.downloads;
  return 0;
}

EXPORTED int cuStreamCreate(void **stream, unsigned flags) {
  NEEDS_CONTEXT("cuStreamCreate");
  if (flags != 1)
    return misuse("a stream that waits for the default stream");
  ++fake_cuda_control.streams;
  *stream = &stream_object;
  return 0;
}

EXPORTED int cuStreamDestroy_v2(void *stream) {
  (void)stream;
  NEEDS_CONTEXT("cuStreamDestroy_v2");
  if (fake_cuda_control.streams-- == 0)
    return misuse("a stream is destroyed twice");
  return 0;
}

EXPORTED int cuStreamSynchronize(void *stream) {
  (void)stream;
  NEEDS_CONTEXT("cuStreamSynchronize");
  return 0;
}

EXPORTED int cuLaunchKernel(void *function, unsigned bx, unsigned by, unsigned bz, unsigned tx, unsigned ty,
                            unsigned tz, unsigned shared, void *stream, void **parameters, void **extra) {
  NEEDS_CONTEXT("cuLaunchKernel");
  if (by != 1 || bz != 1 || ty != 1 || tz != 1 || shared || extra || !bx || !tx || tx > 1024)
    return misuse("a launch of an unexpected shape");
  if (stream != &stream_object)
    return misuse("a launch on another stream than the context's");
  ++fake_cuda_control.launches;
  if (!fake_cuda_control.run)
    return 0;
  return fake_cuda_control.run(fake_cuda_control.user, ((fake_function *)function)->name, bx, tx, parameters,
                               blocks, num_blocks);
}
