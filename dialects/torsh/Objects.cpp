//===-- Objects.cpp - Handles and the functions of objects --------------------------------------------------===//
#include "dialects/torsh/Objects.h"
#include "mlir/IR/Builders.h"
#include "torsh/artifact.h"
#include "torsh/torsh.h"

using namespace mlir;

#define GET_OP_CLASSES
#include "dialects/torsh/Objects.cpp.inc"

namespace torsh {
namespace {

struct Function {
  llvm::StringLiteral name;
  int operands, results; ///< -1: any number
};

#define TORSH_OBJECT_ENTRY(name, text, operands, results) {text, operands, results},
constexpr Function functions[] = {TORSH_OBJECT_FUNCTIONS(TORSH_OBJECT_ENTRY)};
#undef TORSH_OBJECT_ENTRY

StringRef kindOf(ArrayAttr description) {
  auto kind = description && !description.empty() ? dyn_cast<StringAttr>(description[0]) : StringAttr();
  return kind ? kind.getValue() : StringRef();
}

ArrayAttr makeNested(StringRef kind, ArrayAttr item) {
  MLIRContext *context = item.getContext();
  return ArrayAttr::get(context, {StringAttr::get(context, kind), item});
}

bool isWellFormed(ArrayAttr description) {
  if (object::isTensor(description))
    return description.size() == 3 && isa<TypeAttr>(description[1]) && isa<IntegerAttr>(description[2]);
  if (object::isStrings(description))
    return description.size() == 2 && isa<IntegerAttr>(description[1]);
  if (!object::isSequence(description) && !object::isOptional(description))
    return false;
  auto item = description.size() == 2 ? dyn_cast<ArrayAttr>(description[1]) : ArrayAttr();
  return item && isWellFormed(item);
}

} // namespace

ArrayAttr object::tensor(Type element, int64_t rank) {
  MLIRContext *context = element.getContext();
  Builder builder(context);
  return ArrayAttr::get(
      context, {builder.getStringAttr("tensor"), TypeAttr::get(element), builder.getI64IntegerAttr(rank)});
}

ArrayAttr object::strings(MLIRContext *context, int64_t rank) {
  Builder builder(context);
  return ArrayAttr::get(context, {builder.getStringAttr("strings"), builder.getI64IntegerAttr(rank)});
}

ArrayAttr object::sequence(ArrayAttr item) { return makeNested("sequence", item); }
ArrayAttr object::optional(ArrayAttr item) { return makeNested("optional", item); }

RankedTensorType object::handle(ArrayAttr description) {
  return RankedTensorType::get({}, IntegerType::get(description.getContext(), 64), description);
}

ArrayAttr object::describe(Type type) {
  auto tensor = dyn_cast_or_null<RankedTensorType>(type);
  auto description = tensor ? dyn_cast_or_null<ArrayAttr>(tensor.getEncoding()) : ArrayAttr();
  bool isHandle = description && tensor.getRank() == 0 && tensor.getElementType().isInteger(64) &&
                  isWellFormed(description);
  return isHandle ? description : ArrayAttr();
}

bool object::isTensor(ArrayAttr description) { return kindOf(description) == "tensor"; }
bool object::isStrings(ArrayAttr description) { return kindOf(description) == "strings"; }
bool object::isSequence(ArrayAttr description) { return kindOf(description) == "sequence"; }
bool object::isOptional(ArrayAttr description) { return kindOf(description) == "optional"; }
ArrayAttr object::itemOf(ArrayAttr description) { return cast<ArrayAttr>(description[1]); }

Type object::elementOf(ArrayAttr description) {
  if (isTensor(description))
    return cast<TypeAttr>(description[1]).getValue();
  return isStrings(description) ? Type() : elementOf(itemOf(description));
}

int64_t object::rankOf(ArrayAttr description) {
  return cast<IntegerAttr>(description[description.size() - 1]).getInt();
}

ArrayAttr object::join(ArrayAttr a, ArrayAttr b) {
  if (a == b)
    return a;
  // A value that is there is an optional, too.
  if (isOptional(a) != isOptional(b)) {
    ArrayAttr inside = join(isOptional(a) ? itemOf(a) : a, isOptional(b) ? itemOf(b) : b);
    return inside ? optional(inside) : ArrayAttr();
  }
  if (kindOf(a) != kindOf(b))
    return {};
  if (isTensor(a))
    return elementOf(a) == elementOf(b) ? tensor(elementOf(a), -1) : ArrayAttr();
  if (isStrings(a))
    return strings(a.getContext(), -1);
  ArrayAttr item = join(itemOf(a), itemOf(b));
  return item ? makeNested(kindOf(a), item) : ArrayAttr();
}

uint32_t object::portKind(ArrayAttr description) {
  if (!description || isTensor(description))
    return TORSH_VALUE_TENSOR;
  if (isStrings(description))
    return TORSH_VALUE_STRING_TENSOR;
  return (isSequence(description) ? TORSH_VALUE_SEQUENCE : TORSH_VALUE_OPTIONAL) |
         portKind(itemOf(description)) << 8;
}

std::string object::toString(ArrayAttr description) {
  if (isStrings(description))
    return "strings";
  std::string text;
  llvm::raw_string_ostream os(text);
  os << kindOf(description) << '<';
  if (isTensor(description))
    os << elementOf(description);
  else
    os << toString(itemOf(description));
  os << '>';
  return text;
}

std::optional<uint32_t> object::numberOf(StringRef function) {
  for (uint32_t i = 0; i < std::size(functions); ++i)
    if (functions[i].name == function)
      return i;
  return std::nullopt;
}

LogicalResult ObjectOp::verify() {
  std::optional<uint32_t> number = object::numberOf(getFunction());
  if (!number)
    return emitOpError("object_c1: there is no function '") << getFunction() << "'";
  const Function &function = functions[*number];
  if ((function.operands >= 0 && function.operands != int(getInputs().size())) ||
      function.results != int(getNumResults()))
    return emitOpError("object_c1: '") << function.name << "' has another number of operands or results";
  auto isHandle = [](Value value) { return bool(object::describe(value.getType())); };
  bool fits = true;
  switch (*number) {
  case TORSH_OBJECT_BOX:
    fits = !isHandle(getInputs()[0]) && isHandle(getYs()[0]);
    break;
  case TORSH_OBJECT_DIMS: {
    auto type = cast<RankedTensorType>(getYs()[0].getType());
    fits = isHandle(getInputs()[0]) && type.getRank() == 1 && type.hasStaticShape() &&
           type.getElementType().isInteger(64);
    break;
  }
  case TORSH_OBJECT_UNBOX:
    fits = isHandle(getInputs()[0]) && !isHandle(getYs()[0]);
    break;
  case TORSH_OBJECT_IS_SOME:
  case TORSH_OBJECT_LENGTH: {
    unsigned width = *number == TORSH_OBJECT_LENGTH ? 64 : 1;
    auto type = cast<RankedTensorType>(getYs()[0].getType());
    fits = isHandle(getInputs()[0]) && type.getRank() == 0 && type.getElementType().isInteger(width);
    break;
  }
  case TORSH_OBJECT_INSERT:
  case TORSH_OBJECT_ERASE:
  case TORSH_OBJECT_AT: {
    auto position = cast<RankedTensorType>(getInputs().back().getType());
    fits = llvm::all_of(getInputs().drop_back(), isHandle) && position.getRank() == 0 &&
           position.getElementType().isInteger(64) && isHandle(getYs()[0]);
    break;
  }
  default:
    fits = llvm::all_of(getInputs(), isHandle) && llvm::all_of(getYs(), isHandle);
  }
  if (!fits)
    return emitOpError("object_c2: operands or results do not have the types that '")
           << function.name << "' takes";
  return success();
}

} // namespace torsh
