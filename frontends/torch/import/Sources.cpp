//===-- Sources.cpp - Classes and functions by their qualified names ----------------------------------------===//
#include "frontends/torch/import/Interpreter.h"
#include "frontends/torch/reader/ReaderError.h"
#include "frontends/torch/script/Parser.h"

using namespace mlir;

namespace torsh::torch {

/// Files are read when something in them is first used, so unused classes need not be supported.
const SourceFile *Interpreter::source(StringRef module) {
  auto [it, added] = sources.try_emplace(module);
  if (!added)
    return it->second.get();
  llvm::Expected<std::string> text = archive->source(module);
  if (!text) {
    report.errors.push_back(llvm::toString(text.takeError()));
    return nullptr;
  }
  std::string path = "code/" + module.str() + ".py";
  for (size_t i = 5; i < 5 + module.size(); ++i)
    if (path[i] == '.')
      path[i] = '/';
  llvm::Expected<std::unique_ptr<SourceFile>> file = parseSource(std::move(*text), path);
  if (!file) {
    report.errors.push_back(llvm::toString(file.takeError()));
    return nullptr;
  }
  SourceFile *result = file->get();
  sources[module] = std::move(*file);
  return result;
}

const ClassDef *Interpreter::findClass(StringRef name) {
  auto [module, last] = name.rsplit('.');
  if (const SourceFile *file = source(module))
    for (const ClassDef *definition : file->classes)
      if (definition->name == last)
        return definition;
  return nullptr;
}

const FunctionDef *Interpreter::findFunction(StringRef name) {
  auto [module, last] = name.rsplit('.');
  if (const SourceFile *file = source(module))
    for (const FunctionDef *definition : file->functions)
      if (definition->name == last)
        return definition;
  return nullptr;
}

const ClassDef *Interpreter::classOf(Object &object) {
  if (!object.definition)
    object.definition = findClass(object.className);
  return object.definition;
}

//===-- Failing ----------------------------------------------------------------------------------------------===//

std::string Interpreter::here() const {
  std::string at = frame && frame->function ? frame->function->file->path + ":" + std::to_string(line)
                   : !place.empty()         ? place
                                            : "the archive";
  return frame && !frame->path.empty() ? frame->path + " (" + at + ")" : at;
}

LogicalResult Interpreter::refuse(const Twine &op, const Twine &constraint) {
  report.unsupported.push_back({here(), op.str(), "", constraint.str()});
  return failure();
}

LogicalResult Interpreter::malformed(const Twine &reason) {
  report.errors.push_back(
      ("TSH-0220: " + Twine(here()) + ": " + reason + "; save the model again with torch.jit.save").str());
  return failure();
}

/// Ends programs that do not end: what is unrolled here costs time and memory.
LogicalResult Interpreter::countStep() {
  constexpr uint64_t maxSteps = 1 << 20;
  if (++steps <= maxSteps)
    return success();
  return refuse("loop", "the program runs more than " + Twine(maxSteps) +
                            " statements at compile time; a loop is too long to be unrolled");
}

void Interpreter::setLocation(StringRef op) {
  MLIRContext *context = b.context();
  std::string name = frame->path.empty() ? op.str() : frame->path + "/" + op.str();
  if (!frame->function) {
    b.loc = NameLoc::get(StringAttr::get(context, name));
    return;
  }
  b.loc = NameLoc::get(StringAttr::get(context, name),
                       FileLineColLoc::get(context, frame->function->file->path, line, 0));
}

} // namespace torsh::torch
