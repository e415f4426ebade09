//===-- PickleGlobals.h - The names that a pickle may use ---------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_READER_PICKLEGLOBALS_H
#define TORSH_FRONTENDS_TORCH_READER_PICKLEGLOBALS_H

#include "frontends/torch/reader/PickleValue.h"
#include <optional>

namespace torsh::torch {

/// What a name in a pickle means here.
enum class GlobalMeaning : uint8_t {
  RebuildTensor,    ///< torch._utils._rebuild_tensor_v2(storage, offset, size, stride, ...)
  RebuildParameter, ///< torch._utils._rebuild_parameter(tensor, ...)
  FirstArgument,    ///< the builders of typed lists and restore_type_tag
  OrderedDict,
  Complex,
  Device,
  Storage, ///< torch.FloatStorage and the like
  Class,   ///< below __torch__
};

/// The meaning of `module.name`; none for everything that may not occur.
std::optional<GlobalMeaning> meaningOf(llvm::StringRef name);

/// The element type of torch.FloatStorage and the like.
std::optional<ScalarType> storageType(llvm::StringRef name);

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_READER_PICKLEGLOBALS_H
