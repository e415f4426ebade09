//===-- Metadata.cpp - What an artifact says about itself ---------------------------------------------------===//
#include "compiler/Metadata.h"
#include "artifact/Sha256.h"
#include "compiler/HostPlan.h"
#include "compiler/LaunchCost.h"
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/HostControl.h"
#include "dialects/torsh/Objects.h"
#include "dialects/torsh/Updates.h"
#include "torsh/artifact.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace torsh {
namespace {

void collectNames(mlir::Location loc, SmallVectorImpl<std::string> &names) {
  if (auto name = mlir::dyn_cast<mlir::NameLoc>(loc)) {
    if (!is_contained(names, name.getName().str()))
      names.push_back(name.getName().str());
    return;
  }
  if (auto fused = mlir::dyn_cast<mlir::FusedLoc>(loc))
    for (mlir::Location part : fused.getLocations())
      collectNames(part, names);
}

std::string typeName(mlir::Type type) {
  std::string text;
  raw_string_ostream os(text);
  os << type;
  return text;
}

json::Value expression(DimAttr attr) {
  if (auto value = dim::asConstant(attr))
    return *value;
  return dim::toString(attr);
}

json::Array ports(ArrayRef<std::string> names, ArrayRef<mlir::Type> types) {
  json::Array result;
  for (auto [name, type] : zip_equal(names, types)) {
    auto tensor = mlir::cast<mlir::RankedTensorType>(type);
    json::Array dims;
    for (DimAttr attr : getDims(tensor))
      dims.push_back(expression(attr));
    mlir::ArrayAttr description = object::describe(tensor);
    result.push_back(json::Object{
        {"name", name},
        {"type", description ? object::toString(description) : typeName(tensor.getElementType())},
        {"dims", std::move(dims)}});
  }
  return result;
}

json::Array utf8(ArrayRef<std::string> names) {
  json::Array result;
  for (const std::string &name : names)
    result.push_back(json::isUTF8(name) ? name : json::fixUTF8(name));
  return result;
}

/// The kernel calls of a run in their order, with what each has to do. Those in bodies of control flow come behind.
json::Array launches(mlir::func::FuncOp function) {
  mlir::SymbolTable kernels(function->getParentOfType<mlir::ModuleOp>());
  json::Array result;
  for (mlir::func::FuncOp part : functionsFrom(function))
    for (LaunchOp launch : part.getOps<LaunchOp>()) {
      LaunchCost cost = getLaunchCost(launch, kernels.lookup<KernelOp>(launch.getKernel()));
      SmallVector<std::string> nodes;
      collectNames(launch.getLoc(), nodes);
      json::Object entry{{"kernel", launch.getKernel()},
                         {"flops", expression(cost.flops)},
                         {"bytes", expression(cost.bytes)},
                         {"nodes", utf8(nodes)}};
      // Once for each image of a batch; its costs are those of one call.
      if (auto images = launch->getAttrOfType<DimAttr>("images"))
        entry["times"] = expression(images);
      result.push_back(std::move(entry));
    }
  return result;
}

/// The inputs that are kept from run to run.
json::Array state(mlir::func::FuncOp function) {
  static const char *const roles[] = {"", "parameter", "optimizer", "step"};
  SmallVector<std::string> names = portNames(function, true);
  json::Array result;
  for (const StateSlot &slot : getStateSlots(function))
    result.push_back(json::Object{{"name", names[slot.input]},
                                  {"input", int64_t(slot.input)},
                                  {"role", roles[slot.role]},
                                  {"bytes", slot.bytes}});
  return result;
}

/// A string as it is, anything else as MLIR prints it.
std::string attributeText(mlir::Attribute attribute) {
  if (auto string = mlir::dyn_cast<mlir::StringAttr>(attribute))
    return string.getValue().str();
  std::string text;
  raw_string_ostream os(text);
  attribute.print(os, /*elideType=*/true);
  return text;
}

} // namespace

ModelIdentity identifyModel(StringRef path) {
  ModelIdentity model;
  if (auto buffer = MemoryBuffer::getFile(path, false, false)) {
    StringRef bytes = (*buffer)->getBuffer();
    std::array<uint8_t, 32> digest;
    torsh_sha256_of(bytes.data(), bytes.size(), digest.data());
    model.bytes = int64_t(bytes.size());
    model.sha256 = toHex(digest, true);
  }
  return model;
}

std::string buildMetadata(mlir::func::FuncOp function, ArrayRef<CpuLevel> levels,
                          ArrayRef<CompiledKernel> kernels, StringRef modelPath, const ModelIdentity &model,
                          unsigned optLevel, StringRef precision, StringRef sidecar, StringRef target,
                          ArrayRef<CompiledDeviceKernel> deviceKernels) {
  json::Object root;
  root["format"] = int64_t(TORSH_ARTIFACT_VERSION);
  root["compiler"] = "torsh 0.1.0 (LLVM " LLVM_VERSION_STRING ")";
  root["opt_level"] = int64_t(optLevel);
  root["precision"] = precision;
  root["products"] = levels.front().kernels.pairs == PairDot::None ? "f32" : "bf16";
  root["model"] = sys::path::filename(modelPath);
  if (model.bytes >= 0) {
    root["model_bytes"] = model.bytes;
    root["model_sha256"] = model.sha256;
  }
  if (!sidecar.empty())
    root["weights_file"] = sidecar;
  root["inputs"] = ports(portNames(function, true), function.getArgumentTypes());
  SmallVector<std::string> resultNames = portNames(function, false), outputNames;
  SmallVector<mlir::Type> outputTypes;
  for (unsigned result : getOutputResults(function)) {
    outputNames.push_back(resultNames[result]);
    outputTypes.push_back(function.getResultTypes()[result]);
  }
  root["outputs"] = ports(outputNames, outputTypes);
  if (json::Array slots = state(function); !slots.empty())
    root["state"] = std::move(slots);
  if (auto step = function->getAttrOfType<mlir::DictionaryAttr>("torsh.train_step")) {
    json::Object settings;
    for (mlir::NamedAttribute entry : step)
      settings[entry.getName().getValue()] = attributeText(entry.getValue());
    root["train_step"] = std::move(settings);
  }
  json::Array levelNames;
  for (const CpuLevel &level : levels)
    levelNames.push_back(
        ("x86-64-" + level.name + (level.kernels.pairs == PairDot::Native ? "+avx512bf16" : "")).str());
  root["cpu_levels"] = std::move(levelNames);
  root["arena_bytes"] = dim::toString(mlir::cast<DimAttr>(function->getAttr("torsh.arena_bytes")));
  if (auto bound = function->getAttrOfType<mlir::IntegerAttr>("torsh.arena_lower_bound"))
    root["arena_lower_bound"] = bound.getInt();
  root["weight_bytes"] = function->getAttrOfType<mlir::IntegerAttr>("torsh.weight_bytes").getInt();
  StringMap<SmallVector<std::string>> nodes;
  for (mlir::func::FuncOp part : functionsFrom(function))
    for (LaunchOp launch : part.getOps<LaunchOp>())
      collectNames(launch.getLoc(), nodes[launch.getKernel()]);
  json::Array list;
  for (const CompiledKernel &kernel : kernels) {
    list.push_back(json::Object{{"name", kernel.name},
                                {"level", kernel.level},
                                {"code", kernel.note},
                                {"nodes", utf8(nodes[kernel.name])}});
  }
  root["kernels"] = std::move(list);
  if (target != "cpu") {
    json::Array device;
    for (const CompiledDeviceKernel &kernel : deviceKernels)
      device.push_back(kernel.output.empty() ? json::Object{{"name", kernel.name}, {"reason", kernel.reason}}
                                             : json::Object{{"name", kernel.name}, {"code", kernel.note}});
    root["target"] = target;
    root["device_kernels"] = std::move(device);
  }
  root["launches"] = launches(function);
  std::string text;
  raw_string_ostream os(text);
  os << json::Value(std::move(root));
  return text;
}

} // namespace torsh
