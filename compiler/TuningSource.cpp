//===-- TuningSource.cpp - Where a compilation gets its measured choices -------------------------------------===//
#include "compiler/TuningSource.h"
#include "dialects/torsh/Torsh.h"
#include "passes/tuning/CpuIdentity.h"

using namespace llvm;

namespace torsh {

std::string getTuningPath(const CompileOptions &options) {
  return options.tuningDatabase.empty() ? TuningDatabase::defaultPath() : options.tuningDatabase;
}

std::shared_ptr<const TuningContext> openTuning(const CompileOptions &options, ArrayRef<CpuLevel> levels,
                                                raw_ostream &log) {
  if (options.tuningDatabase == "none" || options.optLevel == 0)
    return nullptr;
  SmallVector<StringRef> names;
  for (const CpuLevel &level : levels)
    names.push_back(level.name);
  auto context = std::make_shared<TuningContext>();
  context->level = getLevelRunHere(names).str();
  if (context->level.empty())
    return nullptr;
  context->cpu = describeCpu();
  auto database = TuningDatabase::read(getTuningPath(options));
  if (database)
    context->database = std::move(*database);
  else
    log << "warning: " << toString(database.takeError()) << " (compiling without it)\n";
  return context;
}

void printTuning(const TuningContext *tuning, mlir::ModuleOp module, raw_ostream &log) {
  if (!tuning) {
    log << "tuning: off\n";
    return;
  }
  unsigned kernels = 0, tuned = 0;
  for (KernelOp kernel : module.getOps<KernelOp>()) {
    ++kernels;
    tuned += kernel->hasAttr(choicesAttrName);
  }
  log << "tuning: " << tuned << " of " << kernels << " kernels use choices measured on " << tuning->cpu
      << " for " << tuning->level << " (" << tuning->database.size() << " entries in the database, "
      << TuningDatabase::shipped().size() << " shipped)\n";
}

} // namespace torsh
