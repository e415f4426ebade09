//===-- WindowBounds.h - Sliding windows clipped at the borders ---------------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_WINDOWBOUNDS_H
#define TORSH_PASSES_LOWERING_WINDOWBOUNDS_H

#include "passes/lowering/KernelBuilder.h"

namespace torsh {

/// A window over one spatial dim.
struct WindowDim {
  int64_t size, stride, dilation, low;
};

/// The elements [from, to) of a window that lie in [first, last) of the input; `start` is the input index under
/// element 0 and may lie in the padding. Padding costs neither a copy nor a test in the inner loop.
struct WindowBounds {
  mlir::Value start, from, to;

  WindowBounds(KernelBuilder &kb, const WindowDim &window, mlir::Value position, mlir::Value first,
               mlir::Value last) {
    mlir::Value zero = kb.constant(0), dilation = kb.constant(window.dilation);
    start = kb.sub(kb.mul(position, kb.constant(window.stride)), kb.constant(window.low));
    // Clamping at 0 first keeps both divisions those of numbers that are not negative.
    auto elementsBefore = [&](mlir::Value limit) {
      mlir::Value distance = kb.max(kb.sub(limit, start), zero);
      return kb.div(kb.add(distance, kb.constant(window.dilation - 1)), dilation);
    };
    from = elementsBefore(first);
    to = kb.max(from, kb.min(elementsBefore(last), kb.constant(window.size)));
  }
  /// The input index under an element of the window.
  mlir::Value at(KernelBuilder &kb, const WindowDim &window, mlir::Value element) const {
    return kb.add(start, kb.mul(element, kb.constant(window.dilation)));
  }
};

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_WINDOWBOUNDS_H
