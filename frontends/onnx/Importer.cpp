//===-- Importer.cpp - The function around an imported graph
//------------------------------------------------===//
#include "frontends/onnx/Importer.h"
#include "dialects/torsh/import/DeadOps.h"
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ObjectValues.h"
#include "frontends/onnx/reader/DataType.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace torsh::onnx {

/// The opsets whose semantics the import functions know.
static constexpr int64_t minOpset = 6, maxOpset = 28;

GraphImport::GraphImport(MLIRContext *context, std::shared_ptr<ModelFile> model, const ImportOptions &options,
                         ImportReport &report)
    : context(context), options(options), dims(context), file(model),
      storage(new Storage{model, ExternalData(model->directory(), ExternalDataOptions{options.trustRoot})}),
      report(&report), checked(checkModel(model->model())) {
  for (const Function &function : file->model().functions)
    functions[(function.domain + ":" + function.name + ":" + function.overload).str()] = &function;
}

bool GraphImport::checkOpsets() {
  for (const OpsetImport &import : file->model().opsetImports)
    if (import.domain.empty() && (import.version < minOpset || import.version > maxOpset)) {
      error("TSH-0205: the model uses opset " + Twine(import.version) + "; opsets " + Twine(minOpset) +
            " to " + Twine(maxOpset) + " are supported. Convert it with onnx.version_converter.");
      return false;
    }
  return true;
}

/// Names that exporters write where they know nothing; they do not say that two dims are equal.
static bool isAnonymous(StringRef name) {
  return name.empty() || name == "?" || name == "-1" || name == "None" || name.starts_with("unk__");
}

std::optional<RankedTensorType> GraphImport::inputType(const ValueInfo &input) {
  bool isTensor = input.type && input.type->kind == Type::Kind::Tensor;
  if (!isTensor || input.type->elemType == int32_t(DataType::String)) {
    std::string why;
    if (ArrayAttr description = describeObject(context, input.type, why))
      return object::handle(description);
    error("TSH-0202: the input " + quoted(input.name) + " is of a type that is not supported: " + why + ".");
    return std::nullopt;
  }
  mlir::Type elementType = elementTypeOf(context, input.type->elemType);
  if (!elementType) {
    error("TSH-0202: the input " + quoted(input.name) + " has elements of " +
          dataTypeName(input.type->elemType) + ", which are not supported.");
    return std::nullopt;
  }
  if (!input.type->hasShape) {
    error("TSH-0206: the input " + quoted(input.name) +
          " declares no shape. Its rank must be known; export the model again, or set the shape with onnx.");
    return std::nullopt;
  }
  SmallVector<DimAttr> sizes;
  for (auto [axis, dim] : llvm::enumerate(input.type->dims)) {
    if (dim.kind == Dim::Kind::Value)
      sizes.push_back(dim::constant(context, dim.value));
    else if (dim.kind == Dim::Kind::Param && !isAnonymous(dim.param))
      sizes.push_back(dims.named(dim.param));
    else
      sizes.push_back(dims.anonymous((input.name + "_" + Twine(axis)).str()));
  }
  return makeTensorType(sizes, elementType);
}

bool GraphImport::importSignature(func::FuncOp function, Scope &into) {
  const Graph &graph = file->model().graph;
  llvm::StringSet<> initializers;
  for (const Tensor &tensor : graph.initializers)
    initializers.insert(tensor.name);
  bool sound = true;
  SmallVector<mlir::Attribute> names;
  for (const ValueInfo &input : graph.inputs) {
    // Up to IR version 3 initializers are listed as inputs too.
    if (initializers.contains(input.name))
      continue;
    std::optional<RankedTensorType> type = inputType(input);
    NamedValue named;
    if (type) {
      auto loc = NameLoc::get(StringAttr::get(context, input.name));
      named.kind = NamedValue::Kind::Value;
      named.value = function.front().addArgument(*type, loc);
      names.push_back(StringAttr::get(context, input.name));
    }
    sound &= type.has_value();
    into.names[input.name] = named;
  }
  function->setAttr("torsh.input_names", ArrayAttr::get(context, names));
  if (!sound)
    return false;

  for (const auto &entry : options.dims) {
    StringRef key = entry.getKey();
    DimAttr size;
    if (dims.hasName(key)) {
      size = dims.named(key);
    } else {
      auto [input, axisText] = key.rsplit('.');
      int64_t axis;
      auto it = into.names.find(input);
      if (it != into.names.end() && !axisText.getAsInteger(10, axis) && axis >= 0 &&
          axis < int64_t(getDims(it->second.value).size()))
        size = getDims(it->second.value)[axis];
    }
    if (!size || entry.second < 0) {
      error("TSH-0208: --dim " + key + "=" + Twine(entry.second) +
            " names no dim of the inputs; give a dim's name, or input.axis.");
      sound = false;
    } else if (!dims.unify(size, dim::constant(context, entry.second), "--dim")) {
      error("TSH-0208: --dim " + key + "=" + Twine(entry.second) + " contradicts the size " +
            dim::toString(size) + " that the model states.");
      sound = false;
    }
  }
  return sound;
}

/// An output under the description that the model declares: a sequence may be declared as an optional one.
Value GraphImport::asDeclared(Value value, const ValueInfo &output, OpBuilder &builder, Location loc) {
  ArrayAttr actual = object::describe(value.getType());
  if (!actual)
    return value;
  std::string why;
  ArrayAttr declared = describeObject(context, output.type, why);
  if (declared && object::isOptional(actual) != object::isOptional(declared)) {
    StringRef function = object::isOptional(actual) ? "get" : "as";
    ArrayAttr result = object::isOptional(actual) ? object::itemOf(actual) : object::optional(actual);
    value = ObjectOp::create(builder, loc, TypeRange(object::handle(result)), function, value,
                             DenseI64ArrayAttr(), ArrayAttr())
                .getYs()[0];
    actual = result;
  }
  if (!object::isTensor(actual))
    return value;
  error("TSH-0206: the output " + quoted(output.name) +
        " is a tensor whose rank is not known. Export the model again, or set the shape with onnx.");
  return {};
}

bool GraphImport::importOutputs(const Graph &graph, OpBuilder &builder) {
  if (graph.outputs.empty()) {
    error("TSH-0204: the graph has no outputs, so there is nothing to compute.");
    return false;
  }
  bool sound = true;
  SmallVector<Value> values;
  SmallVector<mlir::Attribute> names;
  for (const ValueInfo &output : graph.outputs) {
    NamedValue *named = find(output.name);
    if (!named)
      error("TSH-0203: the output " + quoted(output.name) + " is not computed by any node.");
    auto loc = NameLoc::get(StringAttr::get(context, output.name));
    Value value = named ? materialize(*named, builder, loc) : Value();
    if (value)
      value = asDeclared(value, output, builder, loc);
    sound &= bool(value);
    values.push_back(value);
    names.push_back(StringAttr::get(context, output.name));
  }
  main->setAttr("torsh.output_names", ArrayAttr::get(context, names));
  if (sound)
    func::ReturnOp::create(builder, main.getLoc(), values);
  return sound;
}

void GraphImport::finish(func::FuncOp function) {
  eraseDead(function.front());
  OpBuilder builder(context);
  builder.setInsertionPointToStart(&function.front());
  dims.emitGuards(builder, function.getLoc());
  Operation *terminator = function.front().getTerminator();
  function.setFunctionType(
      builder.getFunctionType(function.front().getArgumentTypes(), terminator->getOperandTypes()));
}

OwningOpRef<ModuleOp> GraphImport::run() {
  if (llvm::Error problem = checked.takeError()) {
    error(llvm::toString(std::move(problem)));
    return {};
  }
  if (!checkOpsets())
    return {};
  const Model &model = file->model();
  auto loc = FileLineColLoc::get(context, file->name(), 0, 0);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  OpBuilder builder = OpBuilder::atBlockBegin(module->getBody());
  main = func::FuncOp::create(builder, loc, "main", builder.getFunctionType({}, {}));
  main.addEntryBlock();
  dims.setFunction(main);

  Frame outermost;
  outermost.opsets = model.opsetImports;
  frame = &outermost;
  Scope top;
  scope = &top;
  if (!importSignature(main, top))
    return {};
  builder.setInsertionPointToEnd(&main.front());
  importNodes(model.graph, top, builder);
  bool complete = importOutputs(model.graph, builder);
  if (!complete || !report->errors.empty() || !report->unsupported.empty()) {
    if (report->errors.empty() && report->unsupported.empty())
      error("TSH-0211: an output could not be imported.");
    return {};
  }
  finish(main);
  if (failed(mlir::verify(*module))) {
    error("TSH-0212: the imported module is not valid; this is a defect of the importer.");
    return {};
  }
  return module;
}

OwningOpRef<ModuleOp> importModel(MLIRContext *context, std::shared_ptr<ModelFile> file,
                                  const ImportOptions &options, ImportReport &report) {
  context->loadDialect<func::FuncDialect, TorshDialect>();
  return GraphImport(context, std::move(file), options, report).run();
}

} // namespace torsh::onnx
