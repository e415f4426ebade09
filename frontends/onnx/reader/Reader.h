//===- Reader.h - Opens an ONNX model ---------------------------*- C++ -*-===//
#ifndef TORSH_FRONTENDS_ONNX_READER_READER_H
#define TORSH_FRONTENDS_ONNX_READER_READER_H

#include "frontends/onnx/reader/Limits.h"
#include "frontends/onnx/reader/MappedFile.h"
#include "frontends/onnx/reader/Model.h"
#include "llvm/Support/Allocator.h"
#include <memory>
#include <string>

namespace torsh::onnx {

/// A parsed model together with all that its records point into.
class ModelFile {
public:
  const Model &model() const { return parsed; }
  /// The path as given, or the name given to a buffer.
  llvm::StringRef name() const { return shownName; }
  /// Where external data is looked up; empty for a buffer.
  llvm::StringRef directory() const { return folder; }
  llvm::StringRef bytes() const { return contents; }
  /// Memory of the parsed records, without the mapped file.
  size_t recordBytes() const { return arena.getTotalMemory(); }

private:
  friend llvm::Expected<std::unique_ptr<ModelFile>> readModelFile(llvm::StringRef, const ReadLimits &);
  friend llvm::Expected<std::unique_ptr<ModelFile>> readModelBuffer(llvm::StringRef, llvm::StringRef,
                                                                    const ReadLimits &);
  llvm::Error parse(const ReadLimits &limits);

  std::string shownName, folder;
  std::unique_ptr<MappedFile> mapping;
  llvm::StringRef contents;
  llvm::BumpPtrAllocator arena;
  Model parsed;
};

/// Maps and parses a model. Weights are not read, external data is not opened, and the structure is not
/// checked yet (Checks.h).
llvm::Expected<std::unique_ptr<ModelFile>> readModelFile(llvm::StringRef path, const ReadLimits &limits = {});

/// Parses a model in memory, which must outlive the result.
llvm::Expected<std::unique_ptr<ModelFile>> readModelBuffer(llvm::StringRef bytes, llvm::StringRef name,
                                                           const ReadLimits &limits = {});

/// Parses a lone TensorProto, the format of ONNX test data; records live in `arena`.
llvm::Expected<Tensor> readTensorBuffer(llvm::StringRef bytes, llvm::BumpPtrAllocator &arena,
                                        const ReadLimits &limits = {});

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_READER_READER_H
