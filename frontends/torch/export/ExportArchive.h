//===-- ExportArchive.h - The archive of torch.export -------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_EXPORT_EXPORTARCHIVE_H
#define TORSH_FRONTENDS_TORCH_EXPORT_EXPORTARCHIVE_H

#include "frontends/torch/export/Program.h"
#include "frontends/torch/reader/StoredTensor.h"
#include "frontends/torch/reader/Zip.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"

namespace torsh::torch {

/// A .pt2 file, in each layout that PyTorch has written: with JSON beside raw weights (since 2.9), with weights as nested
/// archives of torch.save (2.8), and the flat one before. The file stays mapped as long as the object lives, and tensor
/// data are views of it. Compiled code in the archive is never looked at.
class ExportArchive {
public:
  static llvm::Expected<std::unique_ptr<ExportArchive>> open(llvm::StringRef path);
  static llvm::Expected<std::unique_ptr<ExportArchive>>
  fromBuffer(std::unique_ptr<llvm::MemoryBuffer> buffer);

  const ExportedProgram &program() const { return model; }
  /// A parameter, buffer or constant by its name; null when the archive has none.
  const StoredTensor *tensor(llvm::StringRef name) const;
  llvm::StringRef path() const { return buffer->getBufferIdentifier(); }

private:
  ExportArchive(std::unique_ptr<llvm::MemoryBuffer> buffer, ZipFile zip)
      : buffer(std::move(buffer)), zip(std::move(zip)) {}
  llvm::Error load();
  llvm::Error loadModel(const std::string &name);
  llvm::Error loadFlat();
  llvm::Error loadPickled(const std::string &name);
  llvm::Error loadConfigured(const std::string &name);
  llvm::Expected<std::string> text(const std::string &name, uint64_t limit) const;
  llvm::Expected<llvm::StringRef> bytes(const ZipEntry &entry);

  std::unique_ptr<llvm::MemoryBuffer> buffer;
  ZipFile zip;
  std::string root; ///< "name/", or empty in the flat layout
  std::vector<std::unique_ptr<std::string>> inflated;
  ExportedProgram model;
  llvm::StringMap<StoredTensor> tensors;
};

/// Whether the entries are those of torch.export, and not of TorchScript.
bool isExportArchive(const ZipFile &zip);
/// The same for a file; false for what cannot be read, which a reader then explains.
bool isExportArchive(llvm::StringRef path);

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_EXPORT_EXPORTARCHIVE_H
