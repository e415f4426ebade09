#include "DeviceRun.h"
#include "Log.h"
#include "Values.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed(torsh_rt_device_run *run, cu_result result, const char *what) {
  if (!result)
    return 0;
  snprintf(run->why, sizeof(run->why), "%s: %s", what, torsh_rt_driver_text(&run->device->driver, result));
  return 1;
}

static torsh_rt_device_run *create(torsh_rt_device *device) {
  const torsh_program *p = device->program;
  torsh_rt_device_run *run = calloc(1, sizeof(*run));
  if (!run)
    return NULL;
  run->device = device;
  run->num_regions = p->num_inputs + p->num_outputs + 2;
  run->regions = calloc(run->num_regions, sizeof(*run->regions));
  run->sizes = calloc(p->device->num_sizes + 1u, sizeof(*run->sizes));
  run->values = calloc(device->most_parameters + 1u, sizeof(*run->values));
  run->parameters = calloc(device->most_parameters + 1u, sizeof(*run->parameters));
  if (!run->regions || !run->sizes || !run->values || !run->parameters) {
    torsh_rt_device_run_destroy(run);
    return NULL;
  }
  for (uint32_t i = 0; i < device->most_parameters; ++i)
    run->parameters[i] = &run->values[i];
  return run;
}

/* The context of the device is current. */
static void free_resources(torsh_rt_device_run *run) {
  if (run->memory)
    run->device->driver.memory_free(run->memory);
  if (run->stream)
    run->device->driver.stream_destroy(run->stream);
}

void torsh_rt_device_run_destroy(torsh_rt_device_run *run) {
  if (!run)
    return;
  if ((run->memory || run->stream) && !run->device->driver.context_push(run->device->context)) {
    free_resources(run);
    torsh_rt_driver_leave(&run->device->driver);
  }
  free(run->regions);
  free(run->sizes);
  free(run->values);
  free(run->parameters);
  free(run);
}

/* Where each region of the run lies on the host; returns the bytes that the device needs for their mirrors. */
static uint64_t describe(torsh_rt_device_run *run, const torsh_context *context) {
  const torsh_program *p = run->device->program;
  torsh_rt_region *region = run->regions;
  uint64_t total = 0;
  for (uint32_t i = 0; i < p->num_inputs; ++i, ++region) {
    region->host = context->input_data[i];
    region->bytes = torsh_rt_stored_size(&p->inputs[i], context->input_dims[i]);
  }
  for (uint32_t i = 0; i < p->num_outputs; ++i, ++region) {
    region->host = context->output_data[i];
    region->bytes = torsh_rt_stored_size(&p->outputs[i], context->output_dims[i]);
  }
  region->host = context->workspace.data;
  region->bytes = context->workspace_bytes;
  ++region;
  region->host = run->device->host_weights;
  region->bytes = run->device->weights_size;
  region->device = run->device->weights;
  for (uint32_t i = 0; i + 1 < run->num_regions; ++i) {
    run->regions[i].device = total;
    total += (run->regions[i].bytes + 255) / 256 * 256;
  }
  return total;
}

static int reserve(torsh_rt_device_run *run, uint64_t bytes) {
  const torsh_rt_driver *driver = &run->device->driver;
  if (!run->stream && failed(run, driver->stream_create(&run->stream, CU_STREAM_NON_BLOCKING), "no stream"))
    return -1;
  if (bytes > run->capacity || !run->memory) {
    if (run->memory)
      driver->memory_free(run->memory);
    run->memory = 0;
    run->capacity = 0;
    if (failed(run, driver->memory_allocate(&run->memory, bytes ? bytes : 1), "no memory for the run")) {
      run->memory = 0;
      return -1;
    }
    run->capacity = bytes;
  }
  for (uint32_t i = 0; i + 1 < run->num_regions; ++i)
    run->regions[i].device += run->memory;
  return 0;
}

/* A launch has 32 bits for the number of its blocks. */
static int grids_fit(torsh_rt_device_run *run) {
  const torsh_program *p = run->device->program;
  for (uint32_t i = 0; i < p->num_launches; ++i)
    if (run->sizes[p->device->launches[i].first_size] > INT32_MAX) {
      snprintf(run->why, sizeof(run->why), "kernel %s would need more than 2^31 blocks",
               p->kernel_names[p->launch_kernels[i]]);
      return 0;
    }
  return 1;
}

torsh_rt_device_run *torsh_rt_device_begin(torsh_context *context) {
  torsh_rt_device *device = context->module->device;
  if (!device || atomic_load_explicit(&device->failed, memory_order_relaxed))
    return NULL;
  if (!context->device_run)
    context->device_run = create(device);
  torsh_rt_device_run *run = context->device_run;
  if (!run) {
    torsh_rt_log(TORSH_LOG_WARNING, "this run stays on the CPU: no memory for a run on the GPU.");
    return NULL;
  }
  run->launches = 0;
  device->program->device->sizes(context->symbols, run->sizes);
  const uint64_t bytes = describe(run, context);
  if (grids_fit(run) && !failed(run, device->driver.context_push(device->context), "no context")) {
    if (!reserve(run, bytes))
      return run;
    torsh_rt_driver_leave(&device->driver);
  }
  torsh_rt_log(TORSH_LOG_WARNING, "this run stays on the CPU: %s.", run->why);
  return NULL;
}

void torsh_rt_device_end(torsh_rt_device_run *run) { torsh_rt_driver_leave(&run->device->driver); }

/* Two inputs may lie on the same bytes of the host, so the whole range has to be in the region. */
static cu_address find(const torsh_rt_device_run *run, const void *host, uint64_t bytes) {
  const char *at = host;
  for (uint32_t i = 0; i < run->num_regions; ++i) {
    const torsh_rt_region *region = &run->regions[i];
    if (region->host && at >= region->host && at < region->host + region->bytes &&
        bytes <= (uint64_t)(region->host + region->bytes - at))
      return region->device + (uint64_t)(at - region->host);
  }
  return 0;
}

static int move_inputs(torsh_rt_device_run *run, const torsh_device_kernel *kernel,
                       const torsh_device_launch *launch, const void *const *in) {
  const torsh_rt_driver *driver = &run->device->driver;
  const int64_t *bytes = run->sizes + launch->first_size + 1;
  int back = 0;
  for (uint32_t i = 0; i < kernel->num_inputs; ++i) {
    if (!launch->moves[i] || bytes[i] <= 0)
      continue;
    const cu_address at = find(run, in[i], (uint64_t)bytes[i]);
    if (kernel->image) {
      if (failed(run, driver->copy_to_device(at, in[i], (size_t)bytes[i], run->stream),
                 "a value cannot be copied"))
        return -1;
    } else {
      /* The plan moves to the host only what the device computed: values of the workspace and outputs. */
      if (failed(run, driver->copy_to_host((void *)(uintptr_t)in[i], at, (size_t)bytes[i], run->stream),
                 "a value cannot be copied back"))
        return -1;
      back = 1;
    }
  }
  return back ? torsh_rt_device_wait(run) : 0;
}

torsh_rt_device_answer torsh_rt_device_call(torsh_rt_device_run *run, uint32_t launch, const void *const *in,
                                            void *const *out, const int64_t *dims) {
  const torsh_program *p = run->device->program;
  const uint32_t index = p->launch_kernels[launch];
  const torsh_device_kernel *kernel = &p->device->kernels[index];
  const torsh_device_launch *entry = &p->device->launches[launch];
  if (move_inputs(run, kernel, entry, in))
    return TORSH_RT_DEVICE_FAILED;
  if (!kernel->image)
    return TORSH_RT_DEVICE_TO_CPU;
  const int64_t blocks = run->sizes[entry->first_size];
  if (blocks <= 0)
    return TORSH_RT_DEVICE_DONE;
  uint64_t *value = run->values;
  for (uint32_t i = 0; i < kernel->num_inputs; ++i)
    *value++ = find(run, in[i], (uint64_t)run->sizes[entry->first_size + 1 + i]);
  for (uint32_t i = 0; i < kernel->num_outputs; ++i)
    *value++ = find(run, out[i], 0);
  for (uint32_t i = 0; i < kernel->num_dims; ++i)
    *value++ = (uint64_t)dims[i];
  cu_result result = run->device->driver.launch(run->device->functions[index], (unsigned)blocks, 1, 1,
                                                kernel->threads, 1, 1, 0, run->stream, run->parameters, NULL);
  if (failed(run, result, p->kernel_names[index]))
    return TORSH_RT_DEVICE_FAILED;
  ++run->launches;
  return TORSH_RT_DEVICE_DONE;
}

int torsh_rt_device_wait(torsh_rt_device_run *run) {
  return failed(run, run->device->driver.stream_synchronize(run->stream), "a kernel failed") ? -1 : 0;
}

int torsh_rt_device_finish(torsh_rt_device_run *run, torsh_context *context) {
  const torsh_program *p = run->device->program;
  for (uint32_t i = 0; i < p->num_outputs; ++i) {
    const torsh_rt_region *region = &run->regions[p->num_inputs + i];
    if (p->device->output_moves[i] && region->bytes &&
        failed(run,
               run->device->driver.copy_to_host(context->output_data[i], region->device, region->bytes,
                                                run->stream),
               "an output cannot be copied back"))
      return -1;
  }
  return torsh_rt_device_wait(run);
}
