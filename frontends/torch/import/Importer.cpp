//===-- Importer.cpp - The function around an imported method -----------------------------------------------===//
#include "frontends/torch/import/Importer.h"
#include "dialects/torsh/import/DeadOps.h"
#include "frontends/torch/aten/Call.h"
#include "frontends/torch/import/Interpreter.h"
#include "frontends/torch/import/Signature.h"
#include "frontends/torch/reader/ReaderError.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace torsh::torch {
namespace {

class ArchiveImport {
public:
  ArchiveImport(MLIRContext *context, std::shared_ptr<Archive> archive, const ImportOptions &options,
                ImportReport &report)
      : context(context), options(options), report(report), interpreter(context, archive, report),
        b(interpreter.b), path(archive->path().str()) {}

  OwningOpRef<ModuleOp> run();

private:
  void error(const Twine &sentence) { report.errors.push_back(sentence.str()); }
  bool readInputs();
  bool applyDims();
  /// The argument of a parameter; fails when it is not given and has no default.
  FailureOr<Val> bind(const FunctionDef::Parameter &parameter);
  FailureOr<Val> bindItems(StringRef name, const Expr &type);
  Val addArgument(const InputSpec &spec);
  bool bindState(const Val &root);
  bool bindParameters(std::vector<Val> &arguments);
  bool collectOutputs(const Val &value, StringRef name);
  bool collectState(const Val &root);
  void finish();

  MLIRContext *context;
  const ImportOptions &options;
  ImportReport &report;
  Interpreter interpreter;
  TensorBuilder &b;
  std::string path;
  func::FuncOp main;
  const FunctionDef *forward = nullptr;
  std::vector<InputSpec> specs;
  std::vector<bool> used;
  /// Attributes of the root that are inputs: name, object and the first value.
  std::vector<std::string> stateNames;
  SmallVector<Attribute> inputNames, outputNames;
  SmallVector<Value> outputs;
};

//===-- Inputs -----------------------------------------------------------------------------------------------===//

bool ArchiveImport::readInputs() {
  for (const std::string &text : options.inputs) {
    llvm::Expected<InputSpec> spec = parseInput(b, text);
    if (!spec) {
      error(llvm::toString(spec.takeError()));
      return false;
    }
    specs.push_back(std::move(*spec));
  }
  used.assign(specs.size(), false);
  return true;
}

/// --dim NAME=VALUE
bool ArchiveImport::applyDims() {
  for (const auto &entry : options.dims) {
    if (!b.dims.hasName(entry.getKey())) {
      error("TSH-0208: --dim " + entry.getKey() + "=" + Twine(entry.second) +
            " names no dim of the inputs; the names are those in --input.");
      return false;
    }
    b.dims.unify(b.dims.named(entry.getKey()), b.dim(entry.second), "--dim");
  }
  return true;
}

Val ArchiveImport::addArgument(const InputSpec &spec) {
  if (!spec.type)
    return spec.value;
  auto name = StringAttr::get(context, spec.name);
  inputNames.push_back(name);
  Value argument = main.front().addArgument(b.dims.canonical(*spec.type), NameLoc::get(name));
  return b.tensor(argument);
}

/// Whether a type is Tensor, or Optional[Tensor] and the like, whose items are given as NAME.0, NAME.1 or NAME.key.
static bool isContainer(const Expr *type) {
  if (!type || type->kind != Expr::Kind::Subscript)
    return false;
  const Expr &base = *type->items[0];
  return base.isName("List") || base.isName("Tuple") || base.isName("Dict");
}

FailureOr<Val> ArchiveImport::bindItems(StringRef name, const Expr &type) {
  std::vector<Val> items;
  auto dict = std::make_shared<Dict>();
  bool isDict = type.items[0]->isName("Dict");
  for (auto [i, spec] : llvm::enumerate(specs)) {
    StringRef key = spec.name;
    if (!key.consume_front(name) || !key.consume_front("."))
      continue;
    if (!isDict && key != std::to_string(items.size()))
      return failure();
    used[i] = true;
    items.push_back(addArgument(spec));
    dict->entries.emplace_back(Val::string(key.str()), items.back());
  }
  if (items.empty())
    return failure();
  if (isDict)
    return Val::dict(std::move(dict));
  return type.items[0]->isName("List") ? Val::list(std::move(items)) : Val::tuple(std::move(items));
}

FailureOr<Val> ArchiveImport::bind(const FunctionDef::Parameter &parameter) {
  for (auto [i, spec] : llvm::enumerate(specs))
    if (spec.name == parameter.name) {
      used[i] = true;
      return addArgument(spec);
    }
  if (isContainer(parameter.type)) {
    FailureOr<Val> items = bindItems(parameter.name, *parameter.type);
    if (succeeded(items))
      return items;
  }
  if (parameter.otherwise)
    return interpreter.evaluateDefault(*forward, *parameter.otherwise);
  return failure();
}

/// Attributes that --input self.NAME makes inputs.
bool ArchiveImport::bindState(const Val &root) {
  for (auto [i, spec] : llvm::enumerate(specs)) {
    StringRef name = spec.name;
    if (!name.consume_front("self."))
      continue;
    used[i] = true;
    std::shared_ptr<Object> object = root.asObject();
    while (name.contains('.')) {
      auto [first, rest] = name.split('.');
      Val *child = object->find(first);
      if (!child || child->kind() != Val::Kind::Object) {
        error("TSH-0225: --input " + spec.name + ": the model has no object " + quoted(first) + ".");
        return false;
      }
      object = child->asObject();
      name = rest;
    }
    if (!object->find(name)) {
      error("TSH-0225: --input " + spec.name + ": the model has no attribute " + quoted(name) + ".");
      return false;
    }
    object->set(name, addArgument(spec));
    if (spec.type)
      stateNames.push_back(spec.name);
  }
  return true;
}

bool ArchiveImport::bindParameters(std::vector<Val> &arguments) {
  std::vector<std::string> missing;
  std::string example;
  for (const FunctionDef::Parameter &parameter : llvm::ArrayRef(forward->parameters).drop_front()) {
    FailureOr<Val> value = bind(parameter);
    if (failed(value)) {
      if (!report.errors.empty() || !report.unsupported.empty())
        return false;
      bool isTensor = !parameter.type || parameter.type->isName("Tensor");
      missing.push_back(quoted(parameter.name));
      example += " --input " + parameter.name.str() + (isContainer(parameter.type) ? ".0" : "") +
                 (isTensor || isContainer(parameter.type) ? "=f32[batch,3,224,224]" : "=1");
      value = Val();
    }
    arguments.push_back(*value);
  }
  if (!missing.empty()) {
    error("TSH-0223: TorchScript does not store the types of inputs, and " + llvm::join(missing, ", ") +
          (missing.size() == 1 ? " is" : " are") +
          " not given; add them with their own types and sizes, for example" + example);
    return false;
  }
  for (auto [i, spec] : llvm::enumerate(specs))
    if (!used[i]) {
      std::vector<std::string> names;
      for (const FunctionDef::Parameter &parameter : llvm::ArrayRef(forward->parameters).drop_front())
        names.push_back(quoted(parameter.name));
      error("TSH-0225: --input " + spec.name + ": the model has no such input; it has " +
            llvm::join(names, ", ") + ".");
      return false;
    }
  return true;
}

//===-- Outputs ----------------------------------------------------------------------------------------------===//

/// The tensors and numbers of a result, named by their places: output, output_0, output_1_0, or the keys of a dict and
/// the fields of a named tuple.
bool ArchiveImport::collectOutputs(const Val &value, StringRef name) {
  if (value.isTensor() || value.isNumber()) {
    b.loc = NameLoc::get(StringAttr::get(context, name));
    outputNames.push_back(StringAttr::get(context, name));
    outputs.push_back(asTensor(b, value));
    return true;
  }
  bool isRoot = name == "output";
  if (value.isSequence()) {
    for (auto [i, item] : llvm::enumerate(value.items())) {
      ArrayRef<std::string> fields = value.asSequence().names;
      std::string below = i < fields.size() && isRoot ? fields[i] : (name + "_" + Twine(i)).str();
      if (!collectOutputs(item, below))
        return false;
    }
    return true;
  }
  if (value.kind() == Val::Kind::Dict) {
    for (auto &[key, item] : value.asDict().entries) {
      std::string text = key.kind() == Val::Kind::String ? key.asString() : dim::toString(key.asDim());
      if (!collectOutputs(item, isRoot ? text : (name + "_" + text).str()))
        return false;
    }
    return true;
  }
  if (value.isNone())
    return true;
  error("TSH-0226: the output " + quoted(name) + " is " + kindName(value) +
        "; only tensors and numbers can be outputs.");
  return false;
}

/// What a run leaves in attributes must be what it found there, or an output.
bool ArchiveImport::collectState(const Val &root) {
  for (const Interpreter::StateWrite &write : interpreter.stateWrites) {
    std::string full = "self." + (write.object->path.empty() ? "" : write.object->path + ".") + write.name;
    Val *now = write.object->find(write.name);
    if (llvm::is_contained(stateNames, full)) {
      if (!now->isTensor()) {
        error("TSH-0227: the attribute " + quoted(full) + " is an input and becomes " + kindName(*now) + ".");
        return false;
      }
      outputNames.push_back(StringAttr::get(context, full));
      outputs.push_back(b.read(*now));
      continue;
    }
    if (now->isSame(write.before))
      continue;
    std::string example = now->isTensor() ? "f32[...]" : "VALUE";
    if (now->isTensor()) {
      example.clear();
      auto type = cast<RankedTensorType>(b.read(*now).getType());
      std::vector<std::string> sizes;
      for (DimAttr size : getDims(type))
        sizes.push_back(dim::toString(size));
      example =
          nameOf(ScalarType(scalarTypeOf(type.getElementType()))).str() + "[" + llvm::join(sizes, ",") + "]";
    } else if (std::optional<int64_t> known = now->knownInt()) {
      example = std::to_string(*known);
    }
    error("TSH-0227: forward assigns the attribute " + quoted(full) +
          ", so one run changes the next; make it an input and an output with --input " + full + "=" +
          example + ".");
    return false;
  }
  for (auto &[name, cell] : interpreter.storedTensors)
    if (cell->version > 0) {
      error("TSH-0227: forward writes into the stored tensor " + quoted(name) +
            ", so one run changes the next; make it an input and an output with --input self." + name +
            "=TYPE[SIZES].");
      return false;
    }
  return true;
}

void ArchiveImport::finish() {
  func::ReturnOp::create(b.builder, main.getLoc(), outputs);
  main->setAttr("torsh.input_names", ArrayAttr::get(context, inputNames));
  main->setAttr("torsh.output_names", ArrayAttr::get(context, outputNames));
  eraseDead(main.front());
  OpBuilder builder(context);
  builder.setInsertionPointToStart(&main.front());
  b.dims.emitGuards(builder, main.getLoc());
  main.setFunctionType(builder.getFunctionType(main.front().getArgumentTypes(),
                                               main.front().getTerminator()->getOperandTypes()));
}

OwningOpRef<ModuleOp> ArchiveImport::run() {
  auto loc = FileLineColLoc::get(context, path, 0, 0);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  OpBuilder builder = OpBuilder::atBlockBegin(module->getBody());
  main = func::FuncOp::create(builder, loc, "main", builder.getFunctionType({}, {}));
  main.addEntryBlock();
  b.loc = loc;
  b.setFunction(main);
  if (!readInputs() || !applyDims())
    return {};
  FailureOr<Val> root = interpreter.loadRoot();
  if (failed(root))
    return {};
  const ClassDef *definition =
      root->kind() == Val::Kind::Object ? interpreter.classOf(*root->asObject()) : nullptr;
  forward = definition ? definition->method("forward") : nullptr;
  if (!forward || forward->parameters.empty()) {
    if (report.errors.empty())
      error(
          "TSH-0221: the archive's root object has no method 'forward'; save a module with torch.jit.save.");
    return {};
  }
  std::vector<Val> arguments = {*root};
  if (!bindState(*root) || !bindParameters(arguments))
    return {};
  FailureOr<Val> result = interpreter.callFunction(*forward, arguments, {}, "");
  if (interpreter.raised)
    error("TSH-0222: with these inputs the program raises " + *interpreter.raised + ".");
  if (failed(result)) {
    if (report.errors.empty() && report.unsupported.empty())
      error("TSH-0211: an output could not be imported.");
    return {};
  }
  b.loc = loc;
  if (!collectOutputs(*result, "output") || !collectState(*root))
    return {};
  if (outputs.empty()) {
    error("TSH-0204: the method forward has no outputs, so there is nothing to compute.");
    return {};
  }
  if (b.hasFailed()) {
    error("TSH-0211: an output could not be imported: " + b.takeProblem());
    return {};
  }
  finish();
  if (failed(mlir::verify(*module))) {
    error("TSH-0212: the imported module is not valid; this is a defect of the importer.");
    return {};
  }
  return module;
}

} // namespace

OwningOpRef<ModuleOp> importArchive(MLIRContext *context, std::shared_ptr<Archive> archive,
                                    const ImportOptions &options, ImportReport &report) {
  context->loadDialect<func::FuncDialect, TorshDialect>();
  return ArchiveImport(context, std::move(archive), options, report).run();
}

} // namespace torsh::torch
