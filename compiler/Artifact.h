//===-- Artifact.h - Writing and reading artifact files -----------------------------------------------------===//
#ifndef TORSH_COMPILER_ARTIFACT_H
#define TORSH_COMPILER_ARTIFACT_H

#include "dialects/torsh/Torsh.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <string>
#include <vector>

namespace torsh {

/// Links object files into a shared object that exports torsh_query and needs nothing but libc and, when a kernel calls
/// a function of it, libm.
llvm::Expected<std::vector<char>> linkSharedObject(llvm::ArrayRef<std::string> objects);

/// Joins object files into one relocatable object.
llvm::Expected<std::vector<char>> linkRelocatable(llvm::ArrayRef<std::string> objects);

/// Writes `elf | metadata | padding | weights | trailer` to `path` (through a temporary file beside it, so a reader never
/// sees half of it). Weights are streamed from the function's placed constants, and computed a little ahead on `threads` threads.
/// With a non-empty `sidecar` the weights go to that file instead.
llvm::Error writeArtifact(llvm::StringRef path, llvm::ArrayRef<char> elf, llvm::StringRef metadata,
                          mlir::func::FuncOp function, llvm::StringRef sidecar, unsigned threads);

/// The metadata of an artifact, read without executing anything of it.
llvm::Expected<llvm::json::Value> readMetadata(llvm::StringRef path);

} // namespace torsh

#endif // TORSH_COMPILER_ARTIFACT_H
