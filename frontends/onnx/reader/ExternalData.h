//===- ExternalData.h - Weights in files beside the model -------*- C++ -*-===//
#ifndef TORSH_FRONTENDS_ONNX_READER_EXTERNALDATA_H
#define TORSH_FRONTENDS_ONNX_READER_EXTERNALDATA_H

#include "frontends/onnx/reader/MappedFile.h"
#include "frontends/onnx/reader/Model.h"
#include "llvm/ADT/StringMap.h"
#include <memory>
#include <mutex>
#include <string>

namespace torsh::onnx {

struct ExternalDataOptions {
  /// A directory whose owner is trusted: symbolic and hard links are then followed as long as the file they
  /// end at lies beneath it. Model caches are often farms of symbolic links. Empty: no link is followed.
  std::string trustRoot;
  /// Walks the path component by component even where the kernel could resolve it (for tests).
  bool avoidOpenat2 = false;
};

/// Opens the data files that a model names, and no file that it should not name.
///
/// A location is relative to the directory of the model, stays beneath it, and leads over no link. Each file
/// is mapped once. Calls from several threads are allowed.
class ExternalData {
public:
  /// An empty directory means that the model came from memory, so it can have no external data.
  explicit ExternalData(llvm::StringRef directory, ExternalDataOptions options = {})
      : directory(directory.str()), options(std::move(options)) {}

  /// The external bytes of a tensor, which must be `wantedBytes` long. Valid as long as this object.
  llvm::Expected<llvm::StringRef> bytes(const Tensor &tensor, uint64_t wantedBytes);

private:
  llvm::Expected<const MappedFile *> file(const Tensor &tensor, llvm::StringRef location);

  std::string directory;
  ExternalDataOptions options;
  std::mutex guard;
  llvm::StringMap<std::unique_ptr<MappedFile>> files;
};

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_READER_EXTERNALDATA_H
