//===-- TensorQueries.cpp - What is known of a tensor without its elements ----------------------------------===//
#include "frontends/torch/aten/Call.h"
#include "frontends/torch/import/Interpreter.h"

using namespace mlir;

namespace torsh::torch {

using Result = std::optional<FailureOr<Val>>;

/// Switches of PyTorch's own that an inference on the CPU has off, and the layout 0, which is strided.
static Result modeQuery(TensorBuilder &b, StringRef name) {
  static const StringRef off[] = {"is_cuda",
                                  "is_nested",
                                  "is_quantized",
                                  "is_sparse",
                                  "is_mkldnn",
                                  "is_meta",
                                  "is_mps",
                                  "is_xla",
                                  "is_xpu",
                                  "is_ipu",
                                  "is_vulkan",
                                  "is_maia",
                                  "is_complex",
                                  "is_conj",
                                  "is_neg",
                                  "is_inference",
                                  "requires_grad",
                                  "is_grad_enabled",
                                  "is_autocast_enabled",
                                  "is_autocast_cpu_enabled",
                                  "cuda_is_available",
                                  "is_scripting"};
  if (llvm::is_contained(off, name))
    return FailureOr<Val>(Val::boolean(false));
  if (name == "is_cpu" || name == "is_contiguous")
    return FailureOr<Val>(Val::boolean(true));
  if (name == "layout" || name == "get_device")
    return FailureOr<Val>(Val::integer(b.dim(name == "layout" ? 0 : -1)));
  if (name == "grad" || name == "set_grad_enabled" || name == "_set_grad_enabled")
    return FailureOr<Val>(Val());
  if (name == "device")
    return FailureOr<Val>(Val::device("cpu"));
  return std::nullopt;
}

Result Interpreter::tensorQuery(StringRef name, ArrayRef<Val> x) {
  if (x.empty() || x[0].kind() == Val::Kind::Bool)
    if (Result mode = modeQuery(b, name); mode && name != "device" && name != "grad")
      return mode;
  if (x.empty() || !(x[0].isTensor() || x[0].isDynamic()))
    return std::nullopt;
  auto integer = [&](int64_t value) { return FailureOr<Val>(Val::integer(b.dim(value))); };
  if (x[0].isTensor()) {
    auto type = cast<RankedTensorType>(b.read(x[0]).getType());
    Type element = type.getElementType();
    if (name == "size" || name == "shape" || name == "sym_size") {
      std::vector<Val> sizes;
      for (DimAttr size : getDims(type))
        sizes.push_back(Val::integer(b.dims.canonical(size)));
      if (x.size() == 1)
        return FailureOr<Val>(Val::list(std::move(sizes)));
      return subscript(Val::list(std::move(sizes)), x[1]);
    }
    if (name == "dim" || name == "ndimension")
      return integer(type.getRank());
    if (name == "len") {
      if (type.getRank() == 0)
        return FailureOr<Val>(LogicalResult(malformed("a tensor of rank 0 has no length")));
      return FailureOr<Val>(Val::integer(b.dims.canonical(getDims(type)[0])));
    }
    if (name == "numel" || name == "sym_numel")
      return FailureOr<Val>(Val::integer(dim::product(b.context(), getDims(type))));
    if (name == "dtype")
      return integer(scalarTypeOf(element));
    if (name == "element_size" || name == "itemsize")
      return integer(std::max(1u, element.getIntOrFloatBitWidth() / 8));
    if (name == "is_floating_point")
      return FailureOr<Val>(Val::boolean(isa<FloatType>(element)));
    if (name == "is_signed")
      return FailureOr<Val>(Val::boolean(!element.isUnsignedInteger() && !element.isInteger(1)));
    if (name == "stride" && x.size() == 1) {
      std::vector<Val> strides(type.getRank());
      DimAttr step = b.dim(1);
      for (int64_t i = type.getRank() - 1; i >= 0; --i) {
        strides[i] = Val::integer(step);
        step = dim::mul(step, getDims(type)[i]);
      }
      return FailureOr<Val>(Val::list(std::move(strides)));
    }
    if (name == "item" || name == "_local_scalar_dense")
      return convert(isa<FloatType>(element) ? Val::Kind::Float
                     : element.isInteger(1)  ? Val::Kind::Bool
                                             : Val::Kind::Int,
                     x[0]);
    if (x.size() == 1 && name != "device")
      if (Result mode = modeQuery(b, name); mode && name != "set_grad_enabled")
        return mode;
    if (name == "device")
      return FailureOr<Val>(Val::device("cpu"));
  }
  if (name == "Int" || name == "IntImplicit" || name == "ScalarImplicit")
    return convert(Val::Kind::Int, x[0]);
  if (name == "Float" || name == "FloatImplicit")
    return convert(Val::Kind::Float, x[0]);
  if (name == "Bool")
    return convert(Val::Kind::Bool, x[0]);
  return std::nullopt;
}

} // namespace torsh::torch
