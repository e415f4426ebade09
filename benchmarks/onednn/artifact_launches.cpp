#include "artifact_launches.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

void fail(const std::string &what) {
  std::fprintf(stderr, "error: %s\n", what.c_str());
  std::exit(1);
}

namespace {

struct Run {
  const torsh_program *program;
  const std::function<void(size_t, const Launch &)> &before;
  size_t index = 0;
};

int32_t launchAll(void *context, torsh_kernel_fn function, const void *const *in, void *const *out,
                  const int64_t *dims, int64_t tiles, int64_t, uint32_t launch) {
  Run &run = *static_cast<Run *>(context);
  run.before(run.index++,
             {function, in, tiles, run.program->kernel_names[run.program->launch_kernels[launch]]});
  function(in, out, dims, 0, tiles);
  return 0;
}

size_t elements(const torsh_port &port) {
  size_t count = 1;
  for (uint16_t axis = 0; axis < port.rank; ++axis) {
    if (port.dims[axis] < 0)
      fail(std::string("the size of ") + port.name + " is not fixed; give --dim");
    count *= size_t(port.dims[axis]);
  }
  return count;
}

/// Memory for a port: floats in [-1, 1), integers 1.
std::vector<char> makeInput(const torsh_port &port) {
  size_t count = elements(port), width = std::max(1, port.dtype_bits / 8);
  std::vector<char> data(count * width);
  uint64_t state = 1;
  for (size_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    if (port.dtype_code == 2 && width == 4) {
      float value = float(double(state >> 40) / double(1 << 23) - 1);
      std::memcpy(&data[i * width], &value, width);
    } else {
      data[i * width] = 1;
    }
  }
  return data;
}

} // namespace

void runLaunches(const std::string &path, const std::function<void(size_t, const Launch &)> &before) {
  int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status;
  torsh_trailer trailer;
  if (file < 0 || fstat(file, &status) || size_t(status.st_size) < sizeof(trailer) ||
      pread(file, &trailer, sizeof(trailer), status.st_size - off_t(sizeof(trailer))) !=
          ssize_t(sizeof(trailer)))
    fail(path + " cannot be read");
  if (std::memcmp(trailer.magic, TORSH_TRAILER_MAGIC, sizeof(trailer.magic)) ||
      trailer.version != TORSH_ARTIFACT_VERSION)
    fail(path + " is no artifact of this version");
  if (trailer.flags & TORSH_TRAILER_WEIGHTS_SIDECAR)
    fail(path + " has its weights in another file");
  void *weights = nullptr;
  if (trailer.weights_size) {
    weights =
        mmap(nullptr, trailer.weights_size, PROT_READ, MAP_PRIVATE, file, off_t(trailer.weights_offset));
    if (weights == MAP_FAILED)
      fail("the weights of " + path + " cannot be mapped");
  }
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    fail(dlerror());
  auto query = reinterpret_cast<torsh_query_fn>(dlsym(library, TORSH_QUERY_SYMBOL));
  const torsh_program *program = query ? query(TORSH_ARTIFACT_VERSION) : nullptr;
  if (!program)
    fail(path + " is no artifact of this version");
  const torsh_kernel_fn *kernels = nullptr;
  for (uint32_t i = 0; i < program->num_codes; ++i)
    if (program->codes[i].cpu_level == TORSH_CPU_X86_64_V3)
      kernels = program->codes[i].kernels;
  if (!kernels)
    fail(path + " has no code for x86-64-v3");

  std::vector<std::vector<char>> inputs, outputs;
  std::vector<const void *> in;
  std::vector<void *> out;
  std::vector<const int64_t *> inputDims;
  std::vector<std::vector<int64_t>> outputSizes;
  std::vector<int64_t *> outputDims;
  for (uint32_t i = 0; i < program->num_inputs; ++i) {
    inputs.push_back(makeInput(program->inputs[i]));
    inputDims.push_back(program->inputs[i].dims);
  }
  for (uint32_t i = 0; i < program->num_outputs; ++i)
    outputSizes.emplace_back(program->outputs[i].rank + 1);
  for (auto &sizes : outputSizes)
    outputDims.push_back(sizes.data());
  std::vector<int64_t> symbols(program->num_symbols + 1);
  uint64_t workspaceBytes = 0;
  torsh_shape_error error;
  if (program->prepare(inputDims.data(), symbols.data(), outputDims.data(), &workspaceBytes, &error))
    fail("the sizes that " + path + " states do not fit each other");
  for (uint32_t i = 0; i < program->num_outputs; ++i) {
    size_t count = 1;
    for (uint16_t axis = 0; axis < program->outputs[i].rank; ++axis)
      count *= size_t(outputSizes[i][axis]);
    outputs.emplace_back(count * std::max(1, program->outputs[i].dtype_bits / 8));
  }
  for (auto &data : inputs)
    in.push_back(data.data());
  for (auto &data : outputs)
    out.push_back(data.data());
  char *workspace = static_cast<char *>(std::aligned_alloc(4096, (workspaceBytes + 8191) / 4096 * 4096));
  if (!workspace)
    fail("there is not enough memory");
  Run run{program, before};
  torsh_host host{sizeof(host), 0, &run, launchAll};
  if (program->run(&host, kernels, weights, in.data(), out.data(), workspace, symbols.data()))
    fail("the run of " + path + " failed");
  std::free(workspace);
}
