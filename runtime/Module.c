#define _GNU_SOURCE
#include "Module.h"
#include "CpuLevel.h"
#include "GlibcVersions.h"
#include "Log.h"
#include "Status.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The checked file is opened by its descriptor, so that nobody can put another file in its place between the
 * check and the loading. The descriptor stays open as long as the module: the dynamic loader knows libraries
 * by name, and a descriptor number used again would give the old code for the new file. */
static torsh_status open_code(torsh_module *module, const char *path, torsh_error *error) {
  char name[PATH_MAX + 3];
  snprintf(name, sizeof(name), "/proc/self/fd/%d", module->file.fd);
  if (access(name, R_OK) != 0) /* no /proc, as in some chroots */
    snprintf(name, sizeof(name), "%s%s", strchr(path, '/') ? "" : "./", path);
  module->library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!module->library)
    return torsh_rt_fail(error, TORSH_E_LOAD, "the dynamic loader refused %s: %s.", path, dlerror());
  torsh_query_fn query;
  void *symbol = dlsym(module->library, TORSH_QUERY_SYMBOL);
  memcpy(&query, &symbol, sizeof(query)); /* ISO C has no cast from void * to a function */
  if (!query)
    return torsh_rt_fail(error, TORSH_E_FORMAT, "%s has no symbol %s.", path, TORSH_QUERY_SYMBOL);
  module->program = query(TORSH_ARTIFACT_VERSION);
  if (!module->program || module->program->version != TORSH_ARTIFACT_VERSION)
    return torsh_rt_fail(
        error, TORSH_E_VERSION,
        "the code of %s does not serve artifact version %u. Compile the model again with the compiler "
        "of this runtime.",
        path, TORSH_ARTIFACT_VERSION);
  return TORSH_OK;
}

static int ports_are_sound(const torsh_port *ports, uint32_t count) {
  if (count && !ports)
    return 0;
  for (uint32_t i = 0; i < count; ++i)
    if (!ports[i].name || (ports[i].rank && (!ports[i].dims || !ports[i].dim_names)) || !ports[i].dtype_bits)
      return 0;
  return 1;
}

static torsh_status check_program(const torsh_module *module, const char *path, torsh_error *error) {
  const torsh_program *p = module->program;
  int sound = p->size >= sizeof(*p) && p->prepare && p->run && p->num_codes && p->codes &&
              ports_are_sound(p->inputs, p->num_inputs) && ports_are_sound(p->outputs, p->num_outputs) &&
              (!p->num_guards || p->guards) && (!p->num_launches || p->launch_kernels);
  for (uint32_t i = 0; sound && i < p->num_launches; ++i)
    sound = p->launch_kernels[i] < p->num_kernels;
  sound = sound && (!p->num_state_slots || p->state_slots);
  for (uint32_t i = 0; sound && i < p->num_state_slots; ++i) {
    const torsh_state_slot *slot = &p->state_slots[i];
    sound = slot->input < p->num_inputs && (!i || p->state_slots[i - 1].input < slot->input) &&
            slot->role >= TORSH_STATE_PARAMETER && slot->role <= TORSH_STATE_STEP &&
            (slot->role != TORSH_STATE_STEP || slot->bytes == sizeof(int64_t)) &&
            (slot->initial < 0 || ((uint64_t)slot->initial <= module->weights.size &&
                                   slot->bytes <= module->weights.size - (uint64_t)slot->initial));
  }
  for (uint32_t i = 0; sound && i < p->num_codes; ++i)
    sound =
        (p->codes[i].kernels || !p->num_kernels) && (!i || p->codes[i - 1].cpu_level < p->codes[i].cpu_level);
  if (sound && torsh_rt_device_is_sound(p))
    return TORSH_OK;
  return torsh_rt_fail(error, TORSH_E_FORMAT, "%s describes itself inconsistently.", path);
}

static torsh_status choose_level(torsh_module *module, const char *path, torsh_error *error) {
  const torsh_program *p = module->program;
  const uint32_t allowed = torsh_rt_cpu_level_allowed();
  for (uint32_t i = p->num_codes; i-- > 0;) {
    if (p->codes[i].cpu_level <= allowed) {
      module->cpu_level = p->codes[i].cpu_level;
      module->kernels = p->codes[i].kernels;
      return TORSH_OK;
    }
  }
  return torsh_rt_fail(
      error, TORSH_E_CPU,
      "%s needs a CPU of level %s; this one has %s. Compile the model for this CPU with --target-cpu.", path,
      torsh_rt_cpu_level_name(p->codes[0].cpu_level), torsh_rt_cpu_level_name(allowed));
}

/* A program with code for a GPU runs without one too. */
static void take_device(torsh_module *module, const char *path) {
  if (!module->program->device)
    return;
  char why[512];
  module->device =
      torsh_rt_device_open(module->program, module->weights.data, module->weights.size, why, sizeof(why));
  if (!module->device)
    torsh_rt_log(TORSH_LOG_WARNING, "%s runs on the CPU: %s.", path, why);
}

static torsh_status take_executor(torsh_module *module, const torsh_load_options *options,
                                  torsh_error *error) {
  if (options->executor) {
    module->executor = options->executor;
    torsh_rt_executor_retain(module->executor);
    return TORSH_OK;
  }
  torsh_executor_options own = {sizeof(own), options->threads, 0, 0};
  return torsh_rt_executor_create(&own, &module->executor, error);
}

torsh_status torsh_rt_module_load(const char *path, const torsh_load_options *options, torsh_module **result,
                                  torsh_error *error) {
  torsh_rt_clear(error);
  if (!path || !result)
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT,
                         "load_file: the path or the result pointer is NULL.");
  *result = NULL;
  torsh_load_options chosen = {sizeof(chosen), 0, NULL, NULL, 0};
  if (options) {
    if (options->size != sizeof(chosen))
      return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT,
                           "load_file: options.size is %u; set it to sizeof(torsh_load_options), %zu.",
                           options->size, sizeof(chosen));
    chosen = *options;
  }
  torsh_module *module = calloc(1, sizeof(*module));
  if (!module)
    return torsh_rt_fail(error, TORSH_E_NO_MEMORY, "no memory for a module.");
  atomic_init(&module->references, 1);
  module->memory_cap = chosen.memory_cap;
  torsh_status status = torsh_rt_file_open(path, &module->file, error);
  if (!status)
    status = torsh_rt_file_map_weights(&module->file, path, chosen.weights_path, &module->weights, error);
  if (!status)
    status = open_code(module, path, error);
  if (!status)
    status = check_program(module, path, error);
  if (!status)
    status = choose_level(module, path, error);
  if (!status)
    status = take_executor(module, &chosen, error);
  if (status) {
    torsh_rt_module_release(module);
    return status;
  }
  take_device(module, path);
  for (int i = 0; i < 32; ++i)
    snprintf(module->build_id + 2 * i, 3, "%02x", module->file.trailer.code_sha256[i]);
  torsh_rt_log(TORSH_LOG_INFO, "loaded %s: build %.12s, code for %s, %llu bytes of weights, %u threads.",
               path, module->build_id, torsh_rt_cpu_level_name(module->cpu_level),
               (unsigned long long)module->weights.size, module->executor->width);
  *result = module;
  return TORSH_OK;
}

void torsh_rt_module_retain(torsh_module *module) { atomic_fetch_add(&module->references, 1); }

void torsh_rt_module_release(torsh_module *module) {
  if (!module || atomic_fetch_sub(&module->references, 1) != 1)
    return;
  torsh_rt_device_close(module->device);
  torsh_rt_executor_release(module->executor);
  if (module->library)
    dlclose(module->library);
  torsh_rt_unmap(&module->weights);
  torsh_rt_file_close(&module->file);
  free(module);
}

/* A caller built against an older header has a smaller struct; it gets the fields that it knows. */
static torsh_status copy_out(void *target, const void *source, size_t size) {
  uint32_t known;
  memcpy(&known, target, sizeof(known));
  if (known < sizeof(known))
    return TORSH_E_INVALID_ARGUMENT;
  memcpy((char *)target + sizeof(known), (const char *)source + sizeof(known),
         (known < size ? known : size) - sizeof(known));
  return TORSH_OK;
}

torsh_status torsh_rt_module_info(const torsh_module *module, torsh_module_info *info) {
  if (!module || !info)
    return TORSH_E_INVALID_ARGUMENT;
  torsh_module_info all = {
      .size = sizeof(all),
      .num_inputs = module->program->num_inputs,
      .num_outputs = module->program->num_outputs,
      .cpu_level = module->cpu_level,
      .metadata = module->file.metadata,
      .metadata_size = module->file.trailer.metadata_size,
      .weights_size = module->weights.size,
      .build_id = module->build_id,
      .num_kernels = module->program->num_kernels,
      .width = module->executor->width,
  };
  return copy_out(info, &all, sizeof(all));
}

static torsh_status port_info(const torsh_port *ports, uint32_t count, uint32_t index,
                              torsh_port_info *info) {
  if (!info || index >= count)
    return TORSH_E_INVALID_ARGUMENT;
  const torsh_port *port = &ports[index];
  torsh_port_info all = {
      .size = sizeof(all),
      .rank = port->rank,
      .dtype = {port->dtype_code, port->dtype_bits, 1},
      .kind = port->kind,
      .name = port->name,
      .dims = port->dims,
      .dim_names = port->dim_names,
  };
  return copy_out(info, &all, sizeof(all));
}

torsh_status torsh_rt_input_info(const torsh_module *module, uint32_t index, torsh_port_info *info) {
  if (!module)
    return TORSH_E_INVALID_ARGUMENT;
  return port_info(module->program->inputs, module->program->num_inputs, index, info);
}

torsh_status torsh_rt_output_info(const torsh_module *module, uint32_t index, torsh_port_info *info) {
  if (!module)
    return TORSH_E_INVALID_ARGUMENT;
  return port_info(module->program->outputs, module->program->num_outputs, index, info);
}
