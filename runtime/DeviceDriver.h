/* The CUDA driver, opened by name at run time: own declarations of the few functions that are needed, no header and no
 * library of CUDA at build time. */
#ifndef TORSH_RUNTIME_DEVICEDRIVER_H
#define TORSH_RUNTIME_DEVICEDRIVER_H

#include <stddef.h>
#include <stdint.h>

typedef int cu_result; /* 0: success */
typedef int cu_device;
typedef uint64_t cu_address;
typedef struct cu_context_object *cu_context;
typedef struct cu_module_object *cu_module;
typedef struct cu_function_object *cu_function;
typedef struct cu_stream_object *cu_stream;

#define CU_CAPABILITY_MAJOR 75
#define CU_CAPABILITY_MINOR 76
#define CU_STREAM_NON_BLOCKING 1u
#define CU_JIT_ERROR_LOG 5
#define CU_JIT_ERROR_LOG_SIZE 6

typedef struct torsh_rt_driver {
  void *library;
  cu_result (*init)(unsigned flags);
  cu_result (*get_error_string)(cu_result result, const char **text);
  cu_result (*device_get_count)(int *count);
  cu_result (*device_get)(cu_device *device, int ordinal);
  cu_result (*device_get_name)(char *name, int length, cu_device device);
  cu_result (*device_get_attribute)(int *value, int attribute, cu_device device);
  cu_result (*primary_retain)(cu_context *context, cu_device device);
  cu_result (*primary_release)(cu_device device);
  cu_result (*context_push)(cu_context context);
  cu_result (*context_pop)(cu_context *context);
  cu_result (*module_load)(cu_module *module, const void *image, unsigned count, int *options, void **values);
  cu_result (*module_unload)(cu_module module);
  cu_result (*module_get_function)(cu_function *function, cu_module module, const char *name);
  cu_result (*memory_allocate)(cu_address *address, size_t bytes);
  cu_result (*memory_free)(cu_address address);
  cu_result (*copy_to_device)(cu_address target, const void *source, size_t bytes, cu_stream stream);
  cu_result (*copy_to_host)(void *target, cu_address source, size_t bytes, cu_stream stream);
  cu_result (*stream_create)(cu_stream *stream, unsigned flags);
  cu_result (*stream_destroy)(cu_stream stream);
  cu_result (*stream_synchronize)(cu_stream stream);
  cu_result (*launch)(cu_function function, unsigned blocks_x, unsigned blocks_y, unsigned blocks_z,
                      unsigned threads_x, unsigned threads_y, unsigned threads_z, unsigned shared_bytes,
                      cu_stream stream, void **parameters, void **extra);
} torsh_rt_driver;

/* Opens libcuda.so.1, or what TORSH_CUDA_DRIVER names ("none" for no driver at all). Returns 0, or -1 with the reason. */
int torsh_rt_driver_open(torsh_rt_driver *driver, char *why, size_t size);
void torsh_rt_driver_close(torsh_rt_driver *driver);

/* Ends what context_push began. */
void torsh_rt_driver_leave(const torsh_rt_driver *driver);

/* What the driver says about a result. */
const char *torsh_rt_driver_text(const torsh_rt_driver *driver, cu_result result);

#endif
