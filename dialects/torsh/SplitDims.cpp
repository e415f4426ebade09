//===-- SplitDims.cpp - Reshapes that only split dims -------------------------------------------------------===//
#include "dialects/torsh/SplitDims.h"
#include "dialects/torsh/Dim.h"

using namespace mlir;

namespace torsh {

std::optional<SmallVector<int64_t>> splitSources(ReshapeOp op) {
  SmallVector<DimAttr> from = getDims(op.getX()), to = getDims(op.getY());
  SmallVector<int64_t> sources;
  size_t next = 0;
  for (auto [axis, size] : llvm::enumerate(from)) {
    if (dim::isConstant(size, 1))
      continue;
    DimAttr covered = dim::constant(op.getContext(), 1);
    while (covered != size) {
      if (next == to.size())
        return std::nullopt;
      bool unit = dim::isConstant(to[next], 1);
      sources.push_back(unit ? -1 : int64_t(axis));
      covered = dim::mul(covered, to[next++]);
      // Past the operand dim's size the result dim spans two operand dims.
      if (covered != size && !dim::exactQuotient(size, covered))
        return std::nullopt;
    }
  }
  for (; next < to.size(); ++next) {
    if (!dim::isConstant(to[next], 1))
      return std::nullopt;
    sources.push_back(-1);
  }
  return sources;
}

} // namespace torsh
