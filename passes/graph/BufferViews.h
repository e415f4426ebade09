//===-- BufferViews.h - How a value lies in the buffer that it is read from ---------------------------------===//
//
// Kernels read transposes, slices, broadcasts and reshapes of a buffer as addresses. What they can address is decided
// here with the same rules as in code generation, so that graph passes can copy what cannot be read as it lies.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_PASSES_GRAPH_BUFFERVIEWS_H
#define TORSH_PASSES_GRAPH_BUFFERVIEWS_H

#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"
#include "mlir/IR/Builders.h"

namespace torsh {

/// Whether code generation sees the op as a window on its operand.
bool isWindowOp(mlir::Operation *op);
/// The strides in elements of a value that is a window on a buffer; none when it has to be copied to be read so.
std::optional<llvm::SmallVector<DimAttr>> getViewStrides(mlir::Value value);
/// Whether neighbours along `axis` are neighbours in memory.
bool isContiguousAlong(mlir::Value value, int64_t axis);
/// The same elements as a window that kernels can address: a splat below it gets a buffer.
mlir::Value makeAddressable(mlir::OpBuilder &builder, mlir::Value value);
/// A copy of the value in row-major order: a fusion group of its own that reads through the value's windows.
mlir::Value materialize(mlir::OpBuilder &builder, mlir::Value value);

} // namespace torsh

#endif // TORSH_PASSES_GRAPH_BUFFERVIEWS_H
