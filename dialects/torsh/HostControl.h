//===-- HostControl.h - Control flow in a host plan ---------------------------------------------------------===//
//
// A group of the anchor "control" holds one torsh.if, torsh.for, torsh.while or torsh.stage whose regions call functions
// (torsh-outline-regions). Its memory is a frame behind the arena of the function around it; a stage asks the host for its
// own when its sizes are known.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_HOSTCONTROL_H
#define TORSH_DIALECTS_TORSH_HOSTCONTROL_H

#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace torsh {

constexpr llvm::StringLiteral kControlAnchor("control");

/// Unit attribute of the function of a stage.
constexpr llvm::StringLiteral kStageAttr("torsh.stage");

/// Bytes of a tensor's buffer, rounded up to the alignment of buffers.
DimAttr paddedBytes(mlir::RankedTensorType type);

/// Whether a group of a host plan is control flow.
bool isControl(mlir::Operation *op);
/// The op inside of such a group.
mlir::Operation *controlOf(GroupOp group);
/// The call that is a region of it, and the functions of all its regions.
mlir::func::CallOp callOf(mlir::Region &region);
llvm::SmallVector<mlir::func::FuncOp> bodiesOf(GroupOp group);
/// All functions that a function reaches, itself first, each before those that it reaches.
llvm::SmallVector<mlir::func::FuncOp> functionsFrom(mlir::func::FuncOp main);

/// The symbols that the binds of a function name, in order.
llvm::SmallVector<llvm::StringRef> bornSymbols(mlir::func::FuncOp function);

/// What lies in the frame of control flow: offsets in bytes from its start.
struct ControlFrame {
  explicit ControlFrame(GroupOp group);
  DimAttr condition; ///< one byte: the next condition of a while
  DimAttr counter;   ///< an i64: the iteration of a for
  llvm::SmallVector<DimAttr>
      carried; ///< a second buffer of each carried value, to write beside the one that is read
  llvm::SmallVector<DimAttr> carriedBytes; ///< their sizes, not rounded
  DimAttr callees;                         ///< where the frames of the bodies begin
};

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_HOSTCONTROL_H
