//===-- InputTypes.cpp - Types of inputs from the arrays of a run -------------------------------------------===//
#include "compiler/Compile.h"
#include "tools/torshc/Commands.h"
#include "tools/torshc/Npy.h"

using namespace llvm;

namespace torsh {

/// "f32" for float32, as --input writes types.
static std::string shortName(torsh_dtype dtype) {
  std::string name = dtypeName(dtype);
  static const std::pair<StringRef, StringRef> kinds[] = {{"float", "f"}, {"uint", "u"}, {"int", "i"}};
  for (auto [full, letter] : kinds)
    if (StringRef(name).starts_with(full) && name.size() > full.size())
      return (letter + StringRef(name).drop_front(full.size())).str();
  return name;
}

bool takeInputTypes(RunOptions &options) {
  InputTypes wanted = getInputTypes(options.path);
  if (wanted == InputTypes::Stated)
    return true;
  std::vector<std::string> files;
  for (const std::string &entry : options.inputs) {
    auto [name, path] = StringRef(entry).split('=');
    if (!path.ends_with(".npy")) {
      options.compile.import.inputs.push_back(entry);
      continue;
    }
    files.push_back(entry);
    if (wanted == InputTypes::OfStateOnly && !name.starts_with("self."))
      continue;
    Expected<NpyArray> array = readNpy(path.str());
    if (!array) {
      errs() << "error: " << toString(array.takeError()) << "\n";
      return false;
    }
    std::string type = name.str() + "=" + shortName(array->dtype) + "[";
    for (size_t i = 0; i < array->shape.size(); ++i)
      type += (i ? "," : "") + std::to_string(array->shape[i]);
    options.compile.import.inputs.push_back(type + "]");
  }
  options.inputs = std::move(files);
  return true;
}

} // namespace torsh
