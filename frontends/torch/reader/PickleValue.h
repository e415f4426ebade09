//===-- PickleValue.h - What a pickle holds -----------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_READER_PICKLEVALUE_H
#define TORSH_FRONTENDS_TORCH_READER_PICKLEVALUE_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace torsh::torch {

/// The numbers that PyTorch gives its element types, in code (`dtype=6`) and here.
enum class ScalarType : int8_t {
  U8 = 0,
  I8 = 1,
  I16 = 2,
  I32 = 3,
  I64 = 4,
  F16 = 5,
  F32 = 6,
  F64 = 7,
  C32 = 8,
  C64 = 9,
  C128 = 10,
  Bool = 11,
  QI8 = 12,
  QU8 = 13,
  QI32 = 14,
  BF16 = 15,
  F8E5M2 = 23,
  F8E4M3 = 24,
};

/// Bytes of an element.
unsigned sizeOf(ScalarType type);
/// "f32", for messages.
llvm::StringRef nameOf(ScalarType type);

/// A node of the graph of values behind a pickle. Values that the pickle shares are one node.
struct PickleValue {
  enum class Kind : uint8_t {
    None,
    Bool,
    Int,
    Double,
    String,
    Tuple,
    List,
    Dict,    ///< `items` are key, value, key, value, ...
    Global,  ///< `text` is module.name
    Object,  ///< `text` is the class, `items` is its state (empty before BUILD)
    Storage, ///< `text` is the key, `dtype` the element type, `integer` the number of elements
    Tensor,  ///< `items` is the storage
    Complex,
    Device, ///< `text` is "cpu"
  };
  Kind kind = Kind::None;
  bool flag = false; ///< of a Bool; of a Tensor: it requires a gradient
  ScalarType dtype = ScalarType::F32;
  int64_t integer = 0; ///< of an Int; of a Tensor: its offset in the storage, in elements
  double number = 0;
  double imaginary = 0;
  std::string text;
  std::vector<PickleValue *> items;
  std::vector<int64_t> sizes, strides; ///< of a Tensor
};

/// Owns the nodes of one pickle.
struct PickleGraph {
  std::deque<PickleValue> values;
  PickleValue *root = nullptr;
};

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_READER_PICKLEVALUE_H
