//===-- Session.cpp - An artifact or model, loaded through the C API
//----------------------------------------===//
#include "tools/torshc/Session.h"
#include "llvm/Support/FileSystem.h"
#include <chrono>
#include <fstream>

using namespace llvm;

namespace torsh {
namespace {

double millisecondsSince(std::chrono::steady_clock::time_point started) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started).count();
}

bool report(const torsh_error &error) {
  errs() << "error: " << error.message << "\n";
  return false;
}

Port describePort(const torsh_port_info &info) {
  Port port;
  port.name = info.name;
  port.dtype = info.dtype;
  port.dims.assign(info.dims, info.dims + info.rank);
  port.dimNames.assign(info.dim_names, info.dim_names + info.rank);
  return port;
}

} // namespace

bool isArtifact(const std::string &path) {
  char head[4] = {};
  std::ifstream file(path, std::ios::binary);
  if (file.read(head, 4))
    return StringRef(head, 4) == "\x7f"
                                 "ELF";
  return StringRef(path).ends_with(".so");
}

torsh_value valueOf(NpyArray &array) {
  torsh_value value = {};
  value.tag = TORSH_VALUE_TENSOR;
  torsh_tensor &tensor = value.as.tensor;
  // An empty array still needs an address.
  static char nothing[64];
  tensor.data = array.bytes.empty() ? nothing : array.bytes.data();
  tensor.device.type = TORSH_DEVICE_CPU;
  tensor.ndim = int32_t(array.shape.size());
  tensor.dtype = array.dtype;
  tensor.shape = array.shape.data();
  return value;
}

std::unique_ptr<Session> Session::open(const std::string &path, CompileOptions options, unsigned threads,
                                       int &exitCode) {
  auto session = std::make_unique<Session>();
  std::string artifact = path;
  exitCode = 1;
  if (!isArtifact(path)) {
    SmallString<128> file;
    if (std::error_code code = sys::fs::createTemporaryFile("torsh", "so", file)) {
      errs() << "error: TSH-0720: cannot create a temporary file: " << code.message() << "; set TMPDIR\n";
      return nullptr;
    }
    artifact = session->temporary = std::string(file);
    options.modelPath = path;
    options.outputPath = artifact;
    auto started = std::chrono::steady_clock::now();
    if (CompileStatus status = compileModel(options); status != CompileStatus::Ok) {
      exitCode = int(status);
      return nullptr;
    }
    session->compileMs = millisecondsSince(started);
  }
  const torsh_api *api = session->api = torsh_get_api(TORSH_API_VERSION);
  torsh_load_options load = {};
  load.size = sizeof(load);
  load.threads = threads;
  torsh_error error;
  auto started = std::chrono::steady_clock::now();
  if (api->load_file(artifact.c_str(), &load, &session->module, &error) != TORSH_OK ||
      api->context_create(session->module, &session->context, &error) != TORSH_OK) {
    report(error);
    return nullptr;
  }
  session->loadMs = millisecondsSince(started);
  torsh_module_info info = {};
  info.size = sizeof(info);
  api->module_info(session->module, &info);
  torsh_port_info port = {};
  port.size = sizeof(port);
  bool isTensors = true;
  auto add = [&](std::vector<Port> &ports) {
    ports.push_back(describePort(port));
    isTensors &= port.kind == TORSH_VALUE_TENSOR;
  };
  for (uint32_t i = 0; i < info.num_inputs; ++i)
    if (api->input_info(session->module, i, &port) == TORSH_OK)
      add(session->inputs);
  for (uint32_t i = 0; i < info.num_outputs; ++i)
    if (api->output_info(session->module, i, &port) == TORSH_OK)
      add(session->outputs);
  if (!isTensors) {
    errs() << "error: TSH-0733: " << path
           << " has inputs or outputs that are sequences, optionals or strings; torshc runs models of "
              "tensors only. Run "
              "it through the Python package or the C API\n";
    exitCode = 1;
    return nullptr;
  }
  exitCode = 0;
  return session;
}

Session::~Session() {
  if (context)
    api->context_destroy(context);
  if (module)
    api->module_destroy(module);
  if (!temporary.empty())
    (void)sys::fs::remove(temporary);
}

std::vector<torsh_value> Session::makeOutputs() const {
  torsh_value empty = {};
  empty.tag = TORSH_VALUE_TENSOR;
  return std::vector<torsh_value>(outputs.size(), empty);
}

bool Session::run(std::vector<torsh_value> &inputValues, std::vector<torsh_value> &outputValues) {
  torsh_error error;
  return api->run(context, inputValues.data(), uint32_t(inputValues.size()), outputValues.data(),
                  uint32_t(outputValues.size()), &error) == TORSH_OK ||
         report(error);
}

} // namespace torsh
