//===-- GraphConstants.cpp - Values of names: constants, sizes and weights
//----------------------------------===//
#include "dialects/torsh/Objects.h"
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ShapeValues.h"
#include "frontends/onnx/reader/TensorData.h"

using namespace mlir;

namespace torsh::onnx {

RankedTensorType ShapeValue::type() const {
  SmallVector<int64_t> shape;
  if (!scalar)
    shape.push_back(dims.size());
  return RankedTensorType::get(shape, elementType);
}

std::optional<SmallVector<int64_t>> ShapeValue::constants() const {
  SmallVector<int64_t> result;
  if (denominator != 1)
    return std::nullopt;
  for (DimAttr dim : dims) {
    std::optional<int64_t> value = dim::asConstant(dim);
    if (!value)
      return std::nullopt;
    result.push_back(*value);
  }
  return result;
}

WeightStore &GraphImport::weights() { return context->getOrLoadDialect<TorshDialect>()->getWeightStore(); }

void GraphImport::bindInitializers(const Graph &graph, Scope &into) {
  for (const Tensor &tensor : graph.initializers) {
    NamedValue named;
    named.kind = NamedValue::Kind::Initializer;
    named.initializer = &tensor;
    // A single number is a constant of the model's formula, as a scale or an epsilon is.
    mlir::Type elementType = options.parameters ? elementTypeOf(context, tensor.dataType) : mlir::Type();
    named.parameter = elementType && isa<FloatType>(elementType) && !tensor.dims.empty();
    into.names[tensor.name] = named;
  }
  for (const SparseTensor &tensor : graph.sparseInitializers) {
    if (!tensor.values)
      continue;
    error("TSH-0209: the initializer " + quoted(tensor.values->name) +
          " is sparse; store it densely, for example with onnxruntime's or onnx's conversion tools.");
    into.names[tensor.values->name] = NamedValue();
  }
}

//===-- Building constants
//-----------------------------------------------------------------------------------===//

Value GraphImport::constant(mlir::Attribute value, RankedTensorType type, Location loc) {
  OpBuilder builder(context);
  if (lastConstant)
    builder.setInsertionPointAfter(lastConstant);
  else
    builder.setInsertionPointToStart(&main.front());
  auto op = ConstantOp::create(builder, loc, type, value);
  lastConstant = op;
  return op.getResult();
}

Value GraphImport::constant(ArrayRef<StringRef> strings, ArrayRef<int64_t> dims, Location loc) {
  OpBuilder builder(context);
  if (lastConstant)
    builder.setInsertionPointAfter(lastConstant);
  else
    builder.setInsertionPointToStart(&main.front());
  mlir::Type type = object::handle(object::strings(context, dims.size()));
  auto op = ObjectOp::create(builder, loc, TypeRange(type), "strings", ValueRange(),
                             builder.getDenseI64ArrayAttr(dims), builder.getStrArrayAttr(strings));
  lastConstant = op;
  return op.getYs()[0];
}

Value GraphImport::constant(const torsh::Tensor &tensor, Location loc) {
  return constant(toConstantAttr(tensor, weights()), RankedTensorType::get(tensor.shape, tensor.elementType),
                  loc);
}

Value GraphImport::constant(const Tensor &tensor, Location loc, std::string &why) {
  if (tensor.dataType == int32_t(DataType::String)) {
    llvm::Expected<ArrayRef<StringRef>> elements = tensorStrings(tensor);
    if (!elements) {
      why = llvm::toString(elements.takeError());
      return {};
    }
    return constant(*elements, tensor.dims, loc);
  }
  mlir::Type elementType = elementTypeOf(context, tensor.dataType);
  if (!elementType) {
    why = "tensors of " + dataTypeName(tensor.dataType) + " are not supported";
    return {};
  }
  llvm::Expected<TensorExtent> extent = tensorExtent(tensor);
  if (!extent) {
    why = llvm::toString(extent.takeError());
    return {};
  }
  llvm::Expected<TensorBytes> bytes = tensorBytes(tensor, storage->external);
  if (!bytes) {
    why = llvm::toString(bytes.takeError());
    return {};
  }
  auto type = RankedTensorType::get(tensor.dims, elementType);
  StringRef view = bytes->bytes();
  if (view.size() <= size_t(maxDenseBytes)) {
    llvm::Expected<torsh::Tensor> small =
        torsh::Tensor::fromBytes(elementType, tensor.dims, ArrayRef<char>(view.data(), view.size()));
    if (!small) {
      why = llvm::toString(small.takeError());
      return {};
    }
    return constant(*small, loc);
  }
  std::string key;
  if (bytes->isOwned()) {
    auto owner = std::make_shared<TensorBytes>(std::move(*bytes));
    key = weights().add(ArrayRef<char>(owner->bytes().data(), owner->bytes().size()), owner);
  } else {
    key = weights().add(ArrayRef<char>(view.data(), view.size()), storage);
  }
  return constant(WeightAttr::get(context, StringAttr::get(context, key), type, {}), type, loc);
}

Value GraphImport::parameter(ConstantOp initial, StringRef name) {
  auto module = main->getParentOfType<ModuleOp>();
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  auto param = ParamOp::create(builder, initial.getLoc(), name, initial.getY().getType(), initial.getValue(),
                               /*trainable=*/true);
  // Initializers of nested graphs may share a name.
  SymbolTable(module).insert(param);
  builder.setInsertionPoint(initial);
  auto read = GetParamOp::create(builder, initial.getLoc(), initial.getY().getType(), param.getSymName());
  if (lastConstant == initial)
    lastConstant = read;
  initial.erase();
  return read.getY();
}

//===-- Values of names
//--------------------------------------------------------------------------------------===//

Value GraphImport::materializeShape(const ShapeValue &shape, OpBuilder &builder, Location loc) {
  if (std::optional<SmallVector<int64_t>> values = shape.constants()) {
    SmallVector<int64_t> dims;
    if (!shape.scalar)
      dims.push_back(values->size());
    torsh::Tensor tensor = torsh::Tensor::zeros(shape.elementType, dims);
    for (size_t i = 0; i < values->size(); ++i) {
      if (tensor.isFloat())
        tensor.floats[i] = roundTo(shape.elementType, double((*values)[i]));
      else
        tensor.ints[i] = wrapTo(shape.elementType, (*values)[i]);
    }
    return constant(tensor, loc);
  }
  ShapeValue index = shape;
  bool direct = shape.elementType.isSignlessInteger(32) || shape.elementType.isSignlessInteger(64);
  if (!direct)
    index.elementType = builder.getI64Type();
  Value value = FromDimsOp::create(builder, loc, index.type(), DimsAttr::get(context, shape.dims));
  if (direct)
    return value;
  value = CastOp::create(builder, loc, shape.type(), value);
  if (shape.denominator == 1)
    return value;
  torsh::Tensor divisor = torsh::Tensor::zeros(shape.elementType, shape.type().getShape());
  for (double &element : divisor.floats)
    element = roundTo(shape.elementType, double(shape.denominator));
  return DivOp::create(builder, loc, value, constant(divisor, loc)).getResult();
}

Value GraphImport::materialize(NamedValue &named, OpBuilder &builder, Location loc) {
  switch (named.kind) {
  case NamedValue::Kind::Failed:
    return {};
  case NamedValue::Kind::Value:
    return named.value;
  case NamedValue::Kind::Shape: {
    if (named.value)
      return named.value;
    std::optional<ShapeValue> shape = shapeOf(named);
    Value value = materializeShape(*shape, builder, loc);
    // Only a constant dominates all later uses.
    if (shape->constants())
      named.value = value;
    return value;
  }
  case NamedValue::Kind::Initializer: {
    Value &cached = initializerOps[named.initializer];
    if (cached)
      return cached;
    std::string why;
    auto name = StringAttr::get(context, named.initializer->name);
    Value value = constant(*named.initializer,
                           NameLoc::get(name, FileLineColLoc::get(context, file->name(), 0, 0)), why);
    if (!value) {
      error("TSH-0210: the initializer " + quoted(named.initializer->name) + " cannot be used: " + why);
      named.kind = NamedValue::Kind::Failed;
    }
    if (auto op = value ? value.getDefiningOp<ConstantOp>() : ConstantOp(); op && named.parameter)
      value = parameter(op, name);
    return initializerOps[named.initializer] = value;
  }
  }
  return {};
}

RankedTensorType GraphImport::typeOf(const NamedValue &named) {
  switch (named.kind) {
  case NamedValue::Kind::Failed:
    return {};
  case NamedValue::Kind::Value:
    return dyn_cast<RankedTensorType>(named.value.getType());
  case NamedValue::Kind::Shape:
    return named.shape.type();
  case NamedValue::Kind::Initializer: {
    if (named.initializer->dataType == int32_t(DataType::String))
      return object::handle(object::strings(context, named.initializer->dims.size()));
    mlir::Type elementType = elementTypeOf(context, named.initializer->dataType);
    if (!elementType || llvm::any_of(named.initializer->dims, [](int64_t size) { return size < 0; }))
      return {};
    return RankedTensorType::get(named.initializer->dims, elementType);
  }
  }
  return {};
}

bool GraphImport::isSmallConstant(const NamedValue &named) {
  RankedTensorType type = typeOf(named);
  if (!type || !type.hasStaticShape() || type.getNumElements() > maxFoldedElements || object::describe(type))
    return false;
  switch (named.kind) {
  case NamedValue::Kind::Failed:
    return false;
  case NamedValue::Kind::Value:
    return named.value.getDefiningOp<ConstantOp>() != nullptr;
  case NamedValue::Kind::Shape:
    return named.shape.denominator == 1 &&
           llvm::all_of(named.shape.dims, [&](DimAttr dim) { return dim::asConstant(dims.canonical(dim)); });
  case NamedValue::Kind::Initializer:
    return true;
  }
  return false;
}

std::optional<torsh::Tensor> GraphImport::constantOf(const NamedValue &named) {
  if (!isSmallConstant(named))
    return std::nullopt;
  NamedValue copy = named;
  OpBuilder builder(context);
  if (named.parameter) {
    // What shapes the graph is known, even if training may change it.
    std::string why;
    Value value = constant(*named.initializer, UnknownLoc::get(context), why);
    auto op = value ? value.getDefiningOp<ConstantOp>() : ConstantOp();
    return op ? fromConstantAttr(op.getValue(), weights()) : std::nullopt;
  }
  Value value = materialize(copy, builder, UnknownLoc::get(context));
  auto op = value ? value.getDefiningOp<ConstantOp>() : ConstantOp();
  return op ? fromConstantAttr(op.getValue(), weights()) : std::nullopt;
}

std::optional<ShapeValue> GraphImport::shapeOf(const NamedValue &named) {
  if (named.kind == NamedValue::Kind::Shape) {
    ShapeValue shape = named.shape;
    for (DimAttr &dim : shape.dims)
      dim = dims.canonical(dim);
    return shape;
  }
  RankedTensorType type = typeOf(named);
  if (!type || type.getRank() > 1 || !type.hasStaticShape() || type.getNumElements() > maxShapeElements ||
      !type.getElementType().isInteger())
    return std::nullopt;
  std::optional<torsh::Tensor> tensor = constantOf(named);
  if (!tensor)
    return std::nullopt;
  ShapeValue shape;
  shape.scalar = type.getRank() == 0;
  shape.elementType = type.getElementType();
  for (int64_t value : tensor->ints)
    shape.dims.push_back(dim::constant(context, value));
  return shape;
}

} // namespace torsh::onnx
