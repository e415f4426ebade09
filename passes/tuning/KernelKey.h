//===-- KernelKey.h - What makes two kernels the same for the tuner ------------------------------------------===//
#ifndef TORSH_PASSES_TUNING_KERNELKEY_H
#define TORSH_PASSES_TUNING_KERNELKEY_H

#include "dialects/torsh/Torsh.h"
#include <string>

namespace torsh {

/// The text of a kernel without its name, its choices and source positions. Symbols are s0, s1, ... already.
std::string getCanonicalText(KernelOp kernel);

/// The text of an op that a graph pass decides about: its name, attributes and types, with the symbols renamed in order
/// of appearance. Neither its operands' definitions nor its choices count.
std::string getCanonicalText(mlir::Operation *op);

/// The text of a contraction with the names of the elementwise ops behind it at its shape: what decides whether they run in
/// its kernel. It is the same in the graph and in the body of the kernel, unless the graph goes on where the kernel ends;
/// then nothing is found.
std::string getEpilogueText(mlir::Operation *root);

/// The key of a text in the database.
std::string makeKey(llvm::StringRef canonicalText);

/// A short line for people: the anchor and the types of the kernel's largest op.
std::string summarise(KernelOp kernel);
std::string summarise(mlir::Operation *op);

} // namespace torsh

#endif // TORSH_PASSES_TUNING_KERNELKEY_H
