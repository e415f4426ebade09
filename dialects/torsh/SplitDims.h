//===-- SplitDims.h - Reshapes that only split dims ---------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_SPLITDIMS_H
#define TORSH_DIALECTS_TORSH_SPLITDIMS_H

#include "dialects/torsh/Torsh.h"

namespace torsh {

/// For a reshape whose result dims are parts of single operand dims: the operand dim of each result dim, -1 for added unit
/// dims. Such a reshape is a change of strides on any window. None when dims are merged.
std::optional<llvm::SmallVector<int64_t>> splitSources(ReshapeOp op);

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_SPLITDIMS_H
