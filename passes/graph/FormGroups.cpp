//===-- FormGroups.cpp - Fusion groups ----------------------------------------------------------------------===//
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/graph/GroupFormer.h"
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_FORMGROUPSPASS
#include "passes/graph/Passes.h.inc"

namespace {

/// The source node of an op, or the op's own name.
std::string nameOf(Operation *op) {
  std::string name;
  op->getLoc()->walk([&](Location part) {
    if (auto named = dyn_cast<NameLoc>(part)) {
      name = named.getName().str();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return name.empty() ? op->getName().getStringRef().str() : name;
}

struct FormGroups : impl::FormGroupsPassBase<FormGroups> {
  using FormGroupsPassBase::FormGroupsPassBase;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    std::optional<FusionLevel> wanted = parseFusionLevel(level);
    if (!wanted) {
      getOperation().emitError("TSH-0507: '")
          << level << "' is no fusion level; use conservative, default or aggressive";
      return signalPassFailure();
    }
    Block &block = getOperation().getBody().front();
    GroupFormer former(block, *wanted, streamAttention);
    former.plan();
    if (explain)
      explainEdges(block, former, *wanted);
    // A decision that was taken must not make two kernels different.
    block.walk([](Operation *op) {
      if (op->hasAttr("torsh.choices"))
        op->removeDiscardableAttr("torsh.choices");
    });
    if (failed(former.build())) {
      getOperation().emitError("TSH-0510: fusion groups depend on each other in a cycle");
      signalPassFailure();
    }
  }

  /// A remark for every value that one kernel writes and another one reads.
  void explainEdges(Block &block, const GroupFormer &former, FusionLevel used) {
    std::vector<std::pair<FusionLevel, GroupFormer>> others;
    for (FusionLevel other : {FusionLevel::Conservative, FusionLevel::Default, FusionLevel::Aggressive}) {
      if (other == used)
        continue;
      others.emplace_back(other, GroupFormer(block, other, streamAttention));
      others.back().second.plan();
    }
    for (Operation &reader : block) {
      llvm::SmallPtrSet<Operation *, 4> seen;
      for (Value operand : reader.getOperands()) {
        Operation *producer = former.findProducer(operand);
        bool reads = producer && former.findGroup(&reader);
        if (!reads || producer == &reader || !seen.insert(producer).second ||
            former.areFused(producer, &reader))
          continue;
        InFlightDiagnostic remark = reader.emitRemark("'");
        remark << nameOf(&reader) << "' is not fused with '" << nameOf(producer)
               << "', which it reads: " << former.explain(producer, &reader);
        for (const auto &[other, plan] : others)
          if (plan.areFused(producer, &reader))
            remark << "; --fusion=" << getFusionLevelName(other) << " does it";
      }
    }
  }
};

} // namespace
} // namespace torsh
