//===-- ReaderError.h - Errors of the readers of PyTorch's archives -----------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_READER_READERERROR_H
#define TORSH_FRONTENDS_TORCH_READER_READERERROR_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include <string>

namespace torsh::torch {

/// The stable number behind TSH-nnnn; docs/diagnostics.md explains each.
enum class Code : unsigned {
  // The file.
  CannotOpen = 150,
  NotAnArchive = 151,
  DamagedArchive = 152,
  UnsafeName = 153,
  DuplicateName = 154,
  Encrypted = 155,
  InflatesTooFar = 156,
  DamagedEntry = 157,
  // Which kind of archive.
  StateDict = 160,
  LegacyPickle = 161,
  ExecuTorch = 162,
  OldTorchScript = 163,
  Flatbuffer = 164,
  Package = 165,
  Version = 166,
  ByteOrder = 167,
  MissingEntry = 168,
  Exported = 169,
  // Pickles.
  DamagedPickle = 170,
  ForbiddenGlobal = 171,
  PickleTooLarge = 172,
  BadTensor = 173,
  // Source.
  Syntax = 180,
  SyntaxTooDeep = 181,
  // Programs of torch.export.
  BadProgram = 185,
  ProgramVersion = 186,
  ProgramTooDeep = 187,
  NoProgram = 188,
};

/// One sentence with its stable code in front.
llvm::Error readerError(Code code, const llvm::Twine &message);

/// A name from the file, in quotes and safe to print: control characters and invalid UTF-8 are escaped, and a
/// very long name is cut.
std::string quoted(llvm::StringRef name);

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_READER_READERERROR_H
