//===-- Inspect.cpp - torshc inspect and verify -------------------------------------------------------------===//
#include "compiler/Artifact.h"
#include "tools/torshc/Commands.h"
#include "torsh/torsh.h"

namespace torsh {

static void printPorts(const llvm::json::Object &root, llvm::StringRef key) {
  const llvm::json::Array *ports = root.getArray(key);
  if (!ports)
    return;
  for (const llvm::json::Value &value : *ports) {
    const llvm::json::Object *port = value.getAsObject();
    if (!port)
      continue;
    llvm::outs() << "  " << port->getString("name").value_or("?") << ": "
                 << port->getString("type").value_or("?") << "[";
    if (const llvm::json::Array *dims = port->getArray("dims"))
      llvm::interleaveComma(*dims, llvm::outs(), [](const llvm::json::Value &dim) {
        if (auto text = dim.getAsString())
          llvm::outs() << *text;
        else
          llvm::outs() << dim.getAsInteger().value_or(-1);
      });
    llvm::outs() << "]\n";
  }
}

int runInspect(const std::string &path, bool json) {
  auto metadata = readMetadata(path);
  if (!metadata) {
    llvm::errs() << "error: " << llvm::toString(metadata.takeError()) << "\n";
    return 1;
  }
  if (json) {
    llvm::outs() << llvm::formatv("{0:2}", *metadata) << "\n";
    return 0;
  }
  const llvm::json::Object *root = metadata->getAsObject();
  if (!root) {
    llvm::errs() << "error: TSH-0632: the metadata of '" << path << "' is not an object\n";
    return 1;
  }
  llvm::outs() << path << "\nmodel: " << root->getString("model").value_or("?")
               << "\ncompiler: " << root->getString("compiler").value_or("?") << " -O"
               << root->getInteger("opt_level").value_or(0)
               << (root->getString("products") == "bf16"    ? ", bf16 products"
                   : root->getString("precision") == "bf16" ? ", bf16 weights"
                                                            : "")
               << "\ninputs:\n";
  printPorts(*root, "inputs");
  llvm::outs() << "outputs:\n";
  printPorts(*root, "outputs");
  llvm::outs() << "arena bytes: " << root->getString("arena_bytes").value_or("?");
  if (std::optional<int64_t> bound = root->getInteger("arena_lower_bound"))
    llvm::outs() << " (at least " << *bound << " are alive at one step)";
  llvm::outs() << "\nweight bytes: " << root->getInteger("weight_bytes").value_or(0) << "\nkernels:\n";
  if (const llvm::json::Array *kernels = root->getArray("kernels"))
    for (const llvm::json::Value &value : *kernels)
      if (const llvm::json::Object *kernel = value.getAsObject())
        llvm::outs() << "  " << kernel->getString("level").value_or("?") << " "
                     << kernel->getString("name").value_or("?") << ": "
                     << kernel->getString("code").value_or("") << "\n";
  if (const llvm::json::Array *kernels = root->getArray("device_kernels")) {
    llvm::outs() << "for " << root->getString("target").value_or("?") << ":\n";
    for (const llvm::json::Value &value : *kernels)
      if (const llvm::json::Object *kernel = value.getAsObject()) {
        std::optional<llvm::StringRef> code = kernel->getString("code"), reason = kernel->getString("reason");
        llvm::outs() << "  " << kernel->getString("name").value_or("?") << ": " << (code ? "" : "none, ")
                     << code.value_or(reason.value_or("?")) << "\n";
      }
  }
  return 0;
}

int runVerify(const std::string &path) {
  const torsh_api *api = torsh_get_api(TORSH_API_VERSION);
  torsh_error error;
  if (api->verify_file(path.c_str(), nullptr, &error) != TORSH_OK) {
    llvm::errs() << "error: " << error.message << "\n";
    return 1;
  }
  llvm::outs() << path << ": code, metadata and weights are intact\n";
  return 0;
}

} // namespace torsh
