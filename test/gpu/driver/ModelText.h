//===-- ModelText.h - Small models as ONNX files ------------------------------------------------------------===//
#ifndef TORSH_TEST_GPU_DRIVER_MODELTEXT_H
#define TORSH_TEST_GPU_DRIVER_MODELTEXT_H

#include <string>

namespace torsh::test {

/// A file that is deleted with the object.
class TemporaryFile {
public:
  explicit TemporaryFile(const std::string &suffix, const std::string &bytes = "");
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile &) = delete;
  std::string path;
};

/// ONNX bytes. x [batch, 31] -> 127 -> ReLU -> 33 -> softmax.
std::string mlpModel();
/// x [1, 33, 64], mask [1, 1, 1, 33]: one encoder layer of BERT with four heads.
std::string bertLayerModel();
/// x [batch, 32] -> product -> running sum (which a GPU has no code for) -> softmax.
std::string mixedModel();

} // namespace torsh::test

#endif // TORSH_TEST_GPU_DRIVER_MODELTEXT_H
