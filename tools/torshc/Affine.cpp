//===-- Affine.cpp - torshc affine --------------------------------------------------------------------------===//
#include "compiler/AffineCompiler.h"
#include "tools/torshc/Commands.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;

namespace torsh {

int runAffine(const AffineCommandOptions &options) {
  auto fail = [](const Twine &why) {
    errs() << "error: " << why << "\n";
    return 1;
  };
  auto text = MemoryBuffer::getFile(options.path, /*IsText=*/true);
  if (!text)
    return fail("TSH-0740: '" + options.path + "' cannot be read: " + text.getError().message());
  auto levels = selectLevels(options.targetCpu);
  if (!levels)
    return fail(toString(levels.takeError()));
  if (levels->size() != 1)
    return fail(
        "TSH-0741: an object file is for one CPU level; use --target-cpu x86-64-v3, x86-64-v4 or host");
  AffineOptions compile;
  compile.schedule = !options.plain;
  compile.passes.reportSchedule = options.report;
  compile.optLevel = options.optLevel;
  compile.stage = options.emit == EmitLevel::Loops      ? KernelStage::Loops
                  : options.emit == EmitLevel::Llvm     ? KernelStage::Llvm
                  : options.emit == EmitLevel::Assembly ? KernelStage::Assembly
                                                        : KernelStage::Object;
  std::string remarks;
  auto output = compileAffine((*text)->getBuffer(), levels->front(), compile, &remarks);
  if (!output)
    return fail(toString(output.takeError()));
  errs() << remarks;
  std::error_code code;
  raw_fd_ostream os(options.outputPath, code);
  if (!code) {
    os << *output;
    os.close();
    code = os.error();
    os.clear_error();
  }
  if (code)
    return fail("TSH-0742: '" + options.outputPath + "' cannot be written: " + code.message());
  return 0;
}

} // namespace torsh
