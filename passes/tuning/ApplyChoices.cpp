//===-- ApplyChoices.cpp - Measured choices become attributes ------------------------------------------------===//
#include "passes/lowering/KernelBuilder.h"
#include "passes/tuning/CpuIdentity.h"
#include "passes/tuning/KernelKey.h"
#include "passes/tuning/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_APPLYCHOICESPASS
#include "passes/tuning/Passes.h.inc"

const TuningEntry *TuningContext::find(StringRef key) const {
  if (const TuningEntry *entry = database.find(cpu, level, key))
    return entry;
  return useShipped ? TuningDatabase::shipped().find(cpu, level, key, true) : nullptr;
}

namespace {

/// What strategies of a level may assume, for the rules of the choices.
KernelTarget targetOf(StringRef level) { return level == "v4" ? KernelTarget{16, 32} : KernelTarget{8, 16}; }

struct ApplyChoices : impl::ApplyChoicesPassBase<ApplyChoices> {
  using ApplyChoicesPassBase::ApplyChoicesPassBase;
  ApplyChoices() = default;
  explicit ApplyChoices(std::shared_ptr<const TuningContext> context) : tuning(std::move(context)) {}

  void runOnOperation() override {
    if (!tuning) {
      auto read = TuningDatabase::read(databasePath);
      if (!read) {
        getOperation().emitError(llvm::toString(read.takeError()));
        return signalPassFailure();
      }
      auto made = std::make_shared<TuningContext>();
      made->database = std::move(*read);
      made->cpu = cpu.empty() ? describeCpu() : cpu.getValue();
      made->level = level;
      tuning = made;
    }
    for (KernelOp kernel : getOperation().getOps<KernelOp>())
      annotateKernel(kernel);
    getOperation().walk([&](Operation *op) {
      if (isa<ConvOp, DotGeneralOp>(op) && !op->getParentOfType<KernelOp>() &&
          !op->getParentOfType<GroupOp>())
        annotateOp(op);
    });
  }

  void annotateKernel(KernelOp kernel) {
    std::string key = makeKey(getCanonicalText(kernel));
    if (showKeys)
      kernel.emitRemark("key of kernel '") << kernel.getSymName() << "': " << key;
    const TuningEntry *entry = showKeys ? nullptr : tuning->find(key);
    if (!entry || entry->choices.isDefault())
      return;
    if (std::string reason = explainIllegal(kernel, targetOf(tuning->level), entry->choices);
        !reason.empty()) {
      kernel.emitRemark("a tuned choice for kernel '")
          << kernel.getSymName() << "' is not used: " << reason << " (" << entry->choices.toString() << ")";
      return;
    }
    kernel->setAttr(choicesAttrName, entry->choices.toAttribute(&getContext(), tuning->level));
  }

  /// What graph passes decide about an op.
  void annotateOp(Operation *op) {
    KernelChoices choices;
    auto look = [&](Knob knob, StringRef what, const std::string &text) {
      std::string key = makeKey(text);
      if (showKeys)
        op->emitRemark("key of ") << what << "'" << op->getName() << "': " << key;
      else if (const TuningEntry *entry = tuning->find(key))
        choices.set(knob, entry->choices.get(knob));
    };
    if (isa<ConvOp>(op))
      look(Knob::Winograd, "", getCanonicalText(op));
    look(Knob::Epilogue, "what is behind ", getEpilogueText(op));
    if (!choices.isDefault())
      op->setAttr(choicesAttrName, choices.toAttribute(&getContext(), tuning->level));
  }

  std::shared_ptr<const TuningContext> tuning;
};

} // namespace

std::unique_ptr<Pass> createApplyChoicesPass(std::shared_ptr<const TuningContext> context) {
  return std::make_unique<ApplyChoices>(std::move(context));
}

} // namespace torsh
