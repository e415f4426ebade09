//===- Reader.cpp - Opens an ONNX model -----------------------------------===//
#include "frontends/onnx/reader/Reader.h"
#include "frontends/onnx/reader/MessageParser.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace torsh::onnx {

Error ModelFile::parse(const ReadLimits &limits) {
  if (contents.empty())
    return readerError(Code::NotAFile, quoted(shownName) + " is empty");
  WireState state(contents, limits);
  MessageParser(state, arena).parseModel(contents, parsed);
  Error error = state.takeError();
  if (!error)
    return error;
  // Say which file, and keep the code.
  Error named = Error::success();
  handleAllErrors(std::move(error), [&](const ReaderError &cause) {
    named = joinErrors(
        std::move(named),
        readerError(cause.code(), quoted(shownName) + " is not a readable ONNX model: " + cause.sentence()));
  });
  return named;
}

Expected<std::unique_ptr<ModelFile>> readModelFile(StringRef path, const ReadLimits &limits) {
  auto file = std::make_unique<ModelFile>();
  file->shownName = path.str();
  StringRef folder = sys::path::parent_path(path);
  file->folder = folder.empty() ? "." : folder.str();
  auto mapping = MappedFile::open(path);
  if (!mapping)
    return mapping.takeError();
  file->mapping = std::move(*mapping);
  file->contents = file->mapping->bytes();
  if (Error error = file->parse(limits))
    return error;
  return file;
}

Expected<std::unique_ptr<ModelFile>> readModelBuffer(StringRef bytes, StringRef name,
                                                     const ReadLimits &limits) {
  auto file = std::make_unique<ModelFile>();
  file->shownName = name.str();
  file->contents = bytes;
  if (Error error = file->parse(limits))
    return error;
  return file;
}

Expected<Tensor> readTensorBuffer(StringRef bytes, BumpPtrAllocator &arena, const ReadLimits &limits) {
  WireState state(bytes, limits);
  Tensor tensor;
  MessageParser(state, arena).parseTensor(bytes, tensor);
  if (Error error = state.takeError())
    return error;
  return tensor;
}

} // namespace torsh::onnx
