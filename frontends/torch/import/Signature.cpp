//===-- Signature.cpp - Types of inputs as the user gives them ----------------------------------------------===//
#include "frontends/torch/import/Signature.h"
#include "frontends/torch/aten/Call.h"
#include "frontends/torch/reader/ReaderError.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace torsh::torch {

static Type parseElementType(MLIRContext *context, StringRef name) {
  if (name == "i1")
    name = "bool";
  for (int number = 0; number <= int(ScalarType::F8E4M3); ++number)
    if (Type type = elementTypeOf(context, number); type && nameOf(ScalarType(number)) == name)
      return type;
  return {};
}

llvm::Expected<InputSpec> parseInput(TensorBuilder &b, StringRef text) {
  auto bad = [&](const Twine &why) {
    return llvm::createStringError(
        "TSH-0224: --input " + text + ": " + why +
        "; write NAME=TYPE[SIZES], for example x=f32[batch,3,224,224], or NAME=NUMBER");
  };
  auto [name, rest] = text.split('=');
  if (name.empty() || !text.contains('='))
    return bad("a name and a type are needed");
  InputSpec spec;
  spec.name = name.str();
  rest = rest.trim();
  int64_t integer;
  double number;
  if (rest == "true" || rest == "false" || rest == "True" || rest == "False") {
    spec.value = Val::boolean(rest.lower() == "true");
    return spec;
  }
  if (rest == "none" || rest == "None")
    return spec;
  if (rest.size() >= 2 && rest.front() == '"' && rest.back() == '"') {
    spec.value = Val::string(rest.drop_front().drop_back().str());
    return spec;
  }
  if (!rest.getAsInteger(10, integer)) {
    spec.value = Val::integer(b.dim(integer));
    return spec;
  }
  if (!rest.getAsDouble(number)) {
    spec.value = Val::number(number);
    return spec;
  }
  auto [typeName, sizes] = rest.split('[');
  Type elementType = parseElementType(b.context(), typeName.trim());
  if (!elementType)
    return bad("'" + typeName + "' is no element type (f32, f64, f16, bf16, i8, i16, i32, i64, u8, bool)");
  SmallVector<DimAttr> dims;
  if (rest.contains('[')) {
    if (!sizes.consume_back("]"))
      return bad("the ']' is missing");
    SmallVector<StringRef> parts;
    if (!sizes.trim().empty())
      sizes.split(parts, ',');
    for (StringRef part : parts) {
      part = part.trim();
      int64_t size;
      if (!part.getAsInteger(10, size)) {
        if (size < 0)
          return bad("a size is negative");
        dims.push_back(b.dim(size));
      } else if (part == "?") {
        dims.push_back(b.dims.anonymous((name + "_" + Twine(dims.size())).str()));
      } else if (!part.empty() && llvm::all_of(part, [](char c) { return llvm::isAlnum(c) || c == '_'; })) {
        dims.push_back(b.dims.named(part));
      } else {
        return bad("'" + part + "' is no size");
      }
    }
  }
  spec.type = makeTensorType(dims, elementType);
  return spec;
}

} // namespace torsh::torch
