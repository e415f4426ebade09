//===-- PickleGlobals.cpp - The names that a pickle may use -------------------------------------------------===//
#include "frontends/torch/reader/PickleGlobals.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;

namespace torsh::torch {

unsigned sizeOf(ScalarType type) {
  switch (type) {
  case ScalarType::U8:
  case ScalarType::I8:
  case ScalarType::Bool:
  case ScalarType::QI8:
  case ScalarType::QU8:
  case ScalarType::F8E5M2:
  case ScalarType::F8E4M3:
    return 1;
  case ScalarType::I16:
  case ScalarType::F16:
  case ScalarType::BF16:
    return 2;
  case ScalarType::I32:
  case ScalarType::F32:
  case ScalarType::QI32:
  case ScalarType::C32:
    return 4;
  case ScalarType::I64:
  case ScalarType::F64:
  case ScalarType::C64:
    return 8;
  case ScalarType::C128:
    return 16;
  }
  return 1;
}

StringRef nameOf(ScalarType type) {
  static const StringRef names[] = {"u8",    "i8",     "i16",       "i32",       "i64",        "f16",
                                    "f32",   "f64",    "complex32", "complex64", "complex128", "bool",
                                    "qint8", "quint8", "qint32",    "bf16"};
  if (type == ScalarType::F8E5M2)
    return "f8e5m2";
  if (type == ScalarType::F8E4M3)
    return "f8e4m3";
  return names[static_cast<unsigned>(type)];
}

std::optional<ScalarType> storageType(StringRef name) {
  if (!name.consume_front("torch.") || !name.consume_back("Storage"))
    return std::nullopt;
  return StringSwitch<std::optional<ScalarType>>(name)
      .Case("Byte", ScalarType::U8)
      .Case("Char", ScalarType::I8)
      .Case("Short", ScalarType::I16)
      .Case("Int", ScalarType::I32)
      .Case("Long", ScalarType::I64)
      .Case("Half", ScalarType::F16)
      .Case("Float", ScalarType::F32)
      .Case("Double", ScalarType::F64)
      .Case("ComplexFloat", ScalarType::C64)
      .Case("ComplexDouble", ScalarType::C128)
      .Case("Bool", ScalarType::Bool)
      .Case("QInt8", ScalarType::QI8)
      .Case("QUInt8", ScalarType::QU8)
      .Case("QInt32", ScalarType::QI32)
      .Case("BFloat16", ScalarType::BF16)
      .Case("Float8_e5m2", ScalarType::F8E5M2)
      .Case("Float8_e4m3fn", ScalarType::F8E4M3)
      .Default(std::nullopt);
}

std::optional<GlobalMeaning> meaningOf(StringRef name) {
  if (name.starts_with("__torch__."))
    return GlobalMeaning::Class;
  if (storageType(name))
    return GlobalMeaning::Storage;
  return StringSwitch<std::optional<GlobalMeaning>>(name)
      .Case("torch._utils._rebuild_tensor_v2", GlobalMeaning::RebuildTensor)
      .Case("torch._utils._rebuild_parameter", GlobalMeaning::RebuildParameter)
      .Case("torch.jit._pickle.build_intlist", GlobalMeaning::FirstArgument)
      .Case("torch.jit._pickle.build_tensorlist", GlobalMeaning::FirstArgument)
      .Case("torch.jit._pickle.build_doublelist", GlobalMeaning::FirstArgument)
      .Case("torch.jit._pickle.build_boollist", GlobalMeaning::FirstArgument)
      .Case("torch.jit._pickle.restore_type_tag", GlobalMeaning::FirstArgument)
      .Case("collections.OrderedDict", GlobalMeaning::OrderedDict)
      .Case("builtins.complex", GlobalMeaning::Complex)
      .Case("torch.device", GlobalMeaning::Device)
      .Default(std::nullopt);
}

} // namespace torsh::torch
