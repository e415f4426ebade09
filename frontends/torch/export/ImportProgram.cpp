//===-- ImportProgram.cpp - Program of torch.export -> torsh module -----------------------------------------===//
#include "frontends/torch/export/ImportProgram.h"
#include "dialects/torsh/import/DeadOps.h"
#include "frontends/torch/aten/Call.h"
#include "frontends/torch/export/ImportNodes.h"
#include "frontends/torch/import/Signature.h"
#include "frontends/torch/import/StoredCells.h"
#include "frontends/torch/reader/ReaderError.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace torsh::torch {
namespace {

class ProgramImport {
public:
  ProgramImport(MLIRContext *context, std::shared_ptr<ExportArchive> archive, const ImportOptions &options,
                ImportReport &report)
      : context(context), archive(std::move(archive)), program(this->archive->program()), options(options),
        report(report), nodes(context, report), b(nodes.b) {}

  OwningOpRef<ModuleOp> run();

private:
  void error(const Twine &sentence) { report.errors.push_back(sentence.str()); }
  bool readState();
  std::optional<DimAttr> dimOf(const SizeExpression &size);
  bool applyDims();
  bool bindInputs(std::vector<Val> &arguments);
  FailureOr<Val> bindInput(const InputSpecification &input);
  FailureOr<Val> bindStored(const InputSpecification &input);
  Val addArgument(StringRef name, RankedTensorType type);
  bool collectOutputs(ArrayRef<Val> values);
  bool addOutput(StringRef name, const Val &value);
  bool collectState(ArrayRef<Val> values);
  bool addRanges();

  MLIRContext *context;
  std::shared_ptr<ExportArchive> archive;
  const ExportedProgram &program;
  const ImportOptions &options;
  ImportReport &report;
  NodeImporter nodes;
  TensorBuilder &b;
  func::FuncOp main;
  std::map<std::string, InputSpec> state;   ///< of --input self.NAME, by NAME
  std::map<std::string, TensorRef> buffers; ///< stored tensors and state by name
  SmallVector<Attribute> inputNames, outputNames;
  SmallVector<Value> outputs;
};

/// --input self.NAME=TYPE[SIZES]
bool ProgramImport::readState() {
  for (const std::string &text : options.inputs) {
    llvm::Expected<InputSpec> spec = parseInput(b, text);
    if (!spec) {
      error(llvm::toString(spec.takeError()));
      return false;
    }
    StringRef name = spec->name;
    if (!name.consume_front("self.") || !spec->type) {
      error("TSH-0228: --input " + spec->name +
            ": a program of torch.export states the types of its inputs; only self.NAME=TYPE[SIZES] of a "
            "buffer "
            "can be given, and --dim fixes sizes.");
      return false;
    }
    if (llvm::none_of(program.inputs, [&](const InputSpecification &input) {
          return input.kind == InputSpecification::Kind::Buffer && input.name == name;
        })) {
      error("TSH-0225: --input " + spec->name + ": the model has no buffer " + quoted(name) + ".");
      return false;
    }
    state[name.str()] = std::move(*spec);
  }
  return true;
}

std::optional<DimAttr> ProgramImport::dimOf(const SizeExpression &size) {
  using Kind = SizeExpression::Kind;
  if (size.kind == Kind::Constant)
    return b.dim(size.value);
  if (size.kind == Kind::Symbol)
    return b.dims.named(size.name);
  std::optional<DimAttr> result;
  for (const SizeExpression &operand : size.operands) {
    std::optional<DimAttr> next = dimOf(operand);
    if (!next)
      return std::nullopt;
    if (!result) {
      result = next;
      continue;
    }
    bool divides = size.kind == Kind::FloorDiv || size.kind == Kind::CeilDiv || size.kind == Kind::Mod;
    if (divides && dim::asConstant(*next).value_or(1) == 0)
      return std::nullopt;
    switch (size.kind) {
    case Kind::Add:
      result = dim::add(*result, *next);
      break;
    case Kind::Mul:
      result = dim::mul(*result, *next);
      break;
    case Kind::FloorDiv:
      result = dim::floorDiv(*result, *next);
      break;
    case Kind::CeilDiv:
      result = dim::ceilDiv(*result, *next);
      break;
    case Kind::Mod:
      result = dim::mod(*result, *next);
      break;
    case Kind::Min:
      result = dim::min(*result, *next);
      break;
    case Kind::Max:
      result = dim::max(*result, *next);
      break;
    case Kind::Constant:
    case Kind::Symbol:
      break;
    }
    if (dim::isTooLarge(*result))
      return std::nullopt;
  }
  return result;
}

bool ProgramImport::applyDims() {
  // The symbols are known once all inputs have their types.
  for (const auto &entry : options.dims) {
    if (!b.dims.hasName(entry.getKey())) {
      std::string names;
      for (auto &[name, range] : program.ranges)
        names += (names.empty() ? "" : ", ") + name;
      error("TSH-0208: --dim " + entry.getKey() + "=" + Twine(entry.second) +
            " names no dim of the inputs; " +
            (names.empty() ? Twine("all sizes are fixed") : "the program's symbols are " + names) + ".");
      return false;
    }
    b.dims.unify(b.dims.named(entry.getKey()), b.dim(entry.second), "--dim");
  }
  return true;
}

//===-- Inputs -----------------------------------------------------------------------------------------------===//

Val ProgramImport::addArgument(StringRef text, RankedTensorType type) {
  auto name = StringAttr::get(context, text);
  inputNames.push_back(name);
  return b.tensor(main.front().addArgument(b.dims.canonical(type), NameLoc::get(name)));
}

/// A parameter, buffer or constant: from the file, or an input where --input makes it state.
FailureOr<Val> ProgramImport::bindStored(const InputSpecification &input) {
  if (auto it = state.find(input.name); it != state.end()) {
    Val argument = addArgument("self." + input.name, *it->second.type);
    buffers[input.name] = argument.asCell();
    return argument;
  }
  const StoredTensor *stored = archive->tensor(input.name);
  if (!stored)
    return LogicalResult(nodes.malformed("the archive has no tensor for " + quoted(input.name)));
  llvm::Expected<TensorRef> cell = makeStoredCell(b, *stored, input.name, archive);
  if (!cell) {
    report.unsupported.push_back(
        {"the archive", "tensor", "",
         "the tensor " + quoted(input.name) + " " + llvm::toString(cell.takeError())});
    return failure();
  }
  buffers[input.name] = *cell;
  return Val::tensor(*cell);
}

FailureOr<Val> ProgramImport::bindInput(const InputSpecification &input) {
  using Kind = InputSpecification::Kind;
  switch (input.kind) {
  case Kind::Parameter:
  case Kind::Buffer:
  case Kind::Constant:
    return bindStored(input);
  case Kind::ConstantInput:
    return Val();
  case Kind::Object:
  case Kind::Token:
    report.unsupported.push_back({input.name.empty() ? "an input" : input.name, "object", "",
                                  "objects of custom classes are not supported"});
    return failure();
  case Kind::User:
    break;
  }
  // A number that was fixed at export.
  if (input.argument.kind != Argument::Kind::Name)
    return Val();
  const std::string &name = input.argument.text;
  auto it = program.graph.tensors.find(name);
  if (it == program.graph.tensors.end()) {
    report.unsupported.push_back({"input " + quoted(name), "input", "",
                                  "the input is no tensor; export the model with tensors as inputs"});
    return failure();
  }
  std::optional<ScalarType> scalar = fromSchemaType(it->second.dtype);
  Type elementType = scalar ? elementTypeOf(context, int64_t(*scalar)) : Type();
  if (!elementType) {
    report.unsupported.push_back(
        {"input " + quoted(name), "input", "",
         "elements of the type " + std::to_string(it->second.dtype) + " are not supported"});
    return failure();
  }
  SmallVector<DimAttr> sizes;
  for (const SizeExpression &size : it->second.sizes) {
    std::optional<DimAttr> one = dimOf(size);
    if (!one || dim::asConstant(*one).value_or(0) < 0)
      return LogicalResult(nodes.malformed("a size of the input " + quoted(name) + " is no size"));
    sizes.push_back(*one);
  }
  return addArgument(name, makeTensorType(sizes, elementType));
}

bool ProgramImport::bindInputs(std::vector<Val> &arguments) {
  if (program.inputs.size() != program.graph.inputs.size()) {
    (void)nodes.malformed("the signature has " + Twine(program.inputs.size()) + " inputs and the graph " +
                          Twine(program.graph.inputs.size()));
    return false;
  }
  for (const InputSpecification &input : program.inputs) {
    FailureOr<Val> value = bindInput(input);
    if (failed(value))
      return false;
    arguments.push_back(*value);
  }
  return true;
}

/// The bounds of symbols as guards. PyTorch writes 2 (or less) for a size that may be anything.
bool ProgramImport::addRanges() {
  for (auto &entry : program.ranges) {
    const std::string &name = entry.first;
    const SizeRange &range = entry.second;
    if (!b.dims.hasName(name))
      continue;
    DimAttr size = b.dims.canonical(b.dims.named(name));
    auto require = [&](DimAttr slack, DimAttr clamped, const Twine &what) {
      if (dim::asConstant(slack).value_or(0) < 0) {
        error("TSH-0208: the size " + name + " is " + dim::toString(size) +
              ", and the program was exported for " + what +
              "; give another --dim, or export the model with other bounds.");
        return false;
      }
      if (!dim::asConstant(slack))
        GuardOp::create(b.builder, main.getLoc(), clamped, size,
                        ("the program was exported for " + what).str());
      return true;
    };
    constexpr int64_t unlimited = int64_t(1) << 40;
    if (range.least && *range.least > 2 &&
        !require(dim::sub(size, b.dim(*range.least)), dim::max(size, b.dim(*range.least)),
                 Twine(name) + " of at least " + Twine(*range.least)))
      return false;
    if (range.most && *range.most < unlimited &&
        !require(dim::sub(b.dim(*range.most), size), dim::min(size, b.dim(*range.most)),
                 Twine(name) + " of at most " + Twine(*range.most)))
      return false;
  }
  return true;
}

//===-- Outputs ----------------------------------------------------------------------------------------------===//

bool ProgramImport::addOutput(StringRef name, const Val &value) {
  if (!value.isTensor() && !value.isNumber()) {
    error("TSH-0226: the output " + quoted(name) + " is " + kindName(value) +
          "; only tensors and numbers can be outputs.");
    return false;
  }
  b.loc = NameLoc::get(StringAttr::get(context, name));
  outputNames.push_back(StringAttr::get(context, name));
  outputs.push_back(asTensor(b, value));
  return true;
}

bool ProgramImport::collectOutputs(ArrayRef<Val> values) {
  using Kind = OutputSpecification::Kind;
  if (values.size() != program.outputs.size()) {
    (void)nodes.malformed("the signature has " + Twine(program.outputs.size()) + " outputs and the graph " +
                          Twine(values.size()));
    return false;
  }
  auto isUser = [](const OutputSpecification &output) {
    return output.kind == Kind::User || output.kind == Kind::Loss;
  };
  size_t count = llvm::count_if(program.outputs, isUser), index = 0;
  bool named = program.outputNames.size() == count;
  for (auto [output, value] : llvm::zip_equal(program.outputs, values)) {
    if (output.kind == Kind::Gradient) {
      error("TSH-0226: the program computes gradients; export the model's forward alone.");
      return false;
    }
    if (!isUser(output))
      continue;
    std::string name = named        ? program.outputNames[index]
                       : count == 1 ? "output"
                                    : "output_" + std::to_string(index);
    ++index;
    if (!value.isNone() && !addOutput(name, value))
      return false;
  }
  return collectState(values);
}

/// What a run leaves in buffers must be what it found there, or an output.
bool ProgramImport::collectState(ArrayRef<Val> values) {
  std::map<std::string, Val> changed;
  for (auto &[name, cell] : buffers)
    if (cell->version > 0 || state.count(name))
      changed[name] = Val::tensor(cell);
  for (auto [output, value] : llvm::zip_equal(program.outputs, values))
    if (output.kind == OutputSpecification::Kind::BufferMutation)
      changed[output.name] = value;
  for (auto &[name, value] : changed) {
    if (!state.count(name)) {
      error("TSH-0227: the program writes the buffer " + quoted(name) +
            ", so one run changes the next; make it an input and an output with --input self." + name +
            "=TYPE[SIZES].");
      return false;
    }
    if (!addOutput("self." + name, value))
      return false;
  }
  return true;
}

OwningOpRef<ModuleOp> ProgramImport::run() {
  auto loc = FileLineColLoc::get(context, archive->path(), 0, 0);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  OpBuilder builder = OpBuilder::atBlockBegin(module->getBody());
  main = func::FuncOp::create(builder, loc, "main", builder.getFunctionType({}, {}));
  main.addEntryBlock();
  b.loc = loc;
  b.setFunction(main);
  std::vector<Val> arguments;
  if (!readState() || !bindInputs(arguments) || !applyDims())
    return {};
  FailureOr<std::vector<Val>> results = nodes.importGraph(program.graph, arguments);
  if (failed(results)) {
    if (report.errors.empty() && report.unsupported.empty())
      error("TSH-0211: an output could not be imported.");
    return {};
  }
  b.loc = loc;
  if (!collectOutputs(*results))
    return {};
  if (outputs.empty()) {
    error("TSH-0204: the program has no outputs, so there is nothing to compute.");
    return {};
  }
  if (b.hasFailed()) {
    error("TSH-0211: an output could not be imported: " + b.takeProblem());
    return {};
  }
  func::ReturnOp::create(b.builder, main.getLoc(), outputs);
  main->setAttr("torsh.input_names", ArrayAttr::get(context, inputNames));
  main->setAttr("torsh.output_names", ArrayAttr::get(context, outputNames));
  eraseDead(main.front());
  b.builder.setInsertionPointToStart(&main.front());
  b.dims.emitGuards(b.builder, main.getLoc());
  if (!addRanges())
    return {};
  main.setFunctionType(builder.getFunctionType(main.front().getArgumentTypes(),
                                               main.front().getTerminator()->getOperandTypes()));
  if (failed(mlir::verify(*module))) {
    error("TSH-0212: the imported module is not valid; this is a defect of the importer.");
    return {};
  }
  return module;
}

} // namespace

OwningOpRef<ModuleOp> importProgram(MLIRContext *context, std::shared_ptr<ExportArchive> archive,
                                    const ImportOptions &options, ImportReport &report) {
  context->loadDialect<func::FuncDialect, TorshDialect>();
  return ProgramImport(context, std::move(archive), options, report).run();
}

} // namespace torsh::torch
