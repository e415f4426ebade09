/* A loaded artifact: immutable, shared by contexts through a reference count. */
#ifndef TORSH_RUNTIME_MODULE_H
#define TORSH_RUNTIME_MODULE_H

#include "ArtifactFile.h"
#include "Device.h"
#include "Executor.h"

struct torsh_module {
  atomic_uint references;
  torsh_rt_file file; /* kept open: see open_code in Module.c */
  torsh_rt_mapping weights;
  void *library;
  const torsh_program *program;
  const torsh_kernel_fn *kernels; /* of the level in use */
  uint32_t cpu_level;
  torsh_rt_device *device; /* NULL: all kernels run on the CPU */
  torsh_executor *executor;
  uint64_t memory_cap;
  char build_id[65];
};

torsh_status torsh_rt_module_load(const char *path, const torsh_load_options *options, torsh_module **module,
                                  torsh_error *error);
void torsh_rt_module_retain(torsh_module *module);
void torsh_rt_module_release(torsh_module *module);

torsh_status torsh_rt_module_info(const torsh_module *module, torsh_module_info *info);
torsh_status torsh_rt_input_info(const torsh_module *module, uint32_t index, torsh_port_info *info);
torsh_status torsh_rt_output_info(const torsh_module *module, uint32_t index, torsh_port_info *info);

#endif
