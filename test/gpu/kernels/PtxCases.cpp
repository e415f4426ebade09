//===-- PtxCases.cpp - PTX that ptxas accepts ---------------------------------------------------------------===//
#include "DeviceKinds.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace torsh::test;

namespace {

/// What ptxas says against the text; empty when it accepts it.
std::string assemble(StringRef ptx, unsigned capability) {
  SmallString<128> input, output, messages;
  if (sys::fs::createTemporaryFile("torsh", "ptx", input) ||
      sys::fs::createTemporaryFile("torsh", "cubin", output) ||
      sys::fs::createTemporaryFile("torsh", "log", messages))
    return "no temporary files";
  {
    std::error_code code;
    raw_fd_ostream(input, code) << ptx;
  }
  std::string chip = "-arch=sm_" + std::to_string(capability);
  std::optional<StringRef> redirects[] = {StringRef(), StringRef(messages), StringRef(messages)};
  int status = sys::ExecuteAndWait(PTXAS, {PTXAS, chip, input, "-o", output}, std::nullopt, redirects);
  auto text = MemoryBuffer::getFile(messages);
  std::string said = text ? (*text)->getBuffer().str() : "";
  for (StringRef file : {StringRef(input), StringRef(output), StringRef(messages)})
    sys::fs::remove(file);
  return status == 0 ? "" : "ptxas " + chip + ": " + said;
}

} // namespace

TEST_CASE("PTX has an entry of the kernel's name and calls nothing outside") {
  std::string ptx = compileToPtx(product({33, 31, 36}), {80, false});
  CHECK_THAT(ptx, Catch::Contains(".target sm_80") && Catch::Contains(".entry k0("));
  CHECK_THAT(ptx, Catch::Contains("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32") &&
                      Catch::Contains("ldmatrix.sync.aligned.m8n8.x4.shared.b16") &&
                      Catch::Contains("cp.async.cg.shared.global"));
  CHECK_THAT(ptx, !Catch::Contains(".extern"));
  std::string half = compileToPtx(product({33, 31, 36, RightForm::Packed, "f16"}), {90, false});
  CHECK_THAT(half, Catch::Contains("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32") &&
                       Catch::Contains("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16"));
  CHECK_THAT(compileToPtx(product({33, 31, 36, RightForm::Packed, "bf16"}), {100, false}),
             Catch::Contains("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"));
}

TEST_CASE("ptxas accepts the kernels of all kinds") {
  if (StringRef(PTXAS).empty()) {
    WARN("skipped: ptxas was not found when the tests were configured");
    return;
  }
  const Case cases[] = {elementwiseChain(3, 33),
                        elementwiseChain(3, 33, "bf16"),
                        softmaxRows(3, 1000),
                        layerNormRows(3, 31, "f16"),
                        product({33, 31, 127, RightForm::Packed, "f32", "", 0, true}),
                        product({33, 31, 40, RightForm::Packed, "f16"}),
                        product({33, 31, 40, RightForm::Transposed, "f16", "", 2}),
                        product({33, 31, 40, RightForm::Packed, "f32", "bf16"})};
  for (unsigned capability : {80, 90, 100})
    for (const Case &one : cases)
      CHECK(assemble(compileToPtx(one, {capability, false}), capability) == "");
}
