//===-- ScheduleAffine.cpp - The pass: affine loops in, scheduled loops out ---------------------------------===//
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/polyhedral/EmitLoops.h"
#include "passes/polyhedral/Passes.h"
#include "passes/polyhedral/Schedule.h"
#include "passes/polyhedral/VectorPlan.h"
#include <isl/version.h>

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_SCHEDULEAFFINEPASS
#include "passes/polyhedral/Passes.h.inc"

const char *islVersion() { return isl_version(); }

namespace {

/// Steps of isl for one function; a second or two.
constexpr unsigned long islBudget = 2'000'000;

struct ScheduleAffine : impl::ScheduleAffinePassBase<ScheduleAffine> {
  using ScheduleAffinePassBase::ScheduleAffinePassBase;

  void runOnOperation() override {
    poly::IslContext context(islBudget);
    try {
      schedule(context);
    } catch (const isl::exception_quota &) {
      refuse(getOperation().getLoc(), "its dependences are too many for the budget of isl");
    } catch (const isl::exception &error) {
      refuse(getOperation().getLoc(), "isl says: " + Twine(error.what()));
    }
  }

private:
  void refuse(Location where, const Twine &why) {
    emitRemark(where) << "function '" << getOperation().getName() << "' keeps its loops: " << why.str();
  }
  void schedule(poly::IslContext &context);
};

void ScheduleAffine::schedule(poly::IslContext &context) {
  func::FuncOp function = getOperation();
  if (function.isDeclaration())
    return;
  poly::Refusal refusal{function.getLoc(), ""};
  std::optional<poly::Scop> scop = poly::readScop(function, context, refusal);
  if (!scop)
    return refuse(refusal.where, refusal.why);
  poly::Dependences truth = poly::computeDependences(*scop, reassociate), seen = truth;
  if (dropDependence >= 0 && !poly::forgetDependence(seen, dropDependence))
    return refuse(function.getLoc(), "it has no dependence of that number to drop");
  poly::Machine machine{vectorBits, l1Bytes, l2Bytes};

  std::unique_ptr<poly::LoopNode> best;
  double bestCost = 0, bestCycles = 0;
  std::string description;
  bool wrong = false;
  for (poly::Candidate &candidate : poly::scheduleCandidates(*scop, seen, machine)) {
    if (!skipVerification && !poly::respects(candidate.schedule.map(), truth)) {
      wrong = true;
      continue;
    }
    std::unique_ptr<poly::LoopNode> tree = poly::buildLoops(*scop, seen, candidate.schedule);
    if (!tree)
      continue;
    double cost = poly::planVectors(*tree, machine);
    // An earlier order is kept unless this one has clearly better vectors, or no worse ones and less traffic.
    if (best && cost >= 0.8 * bestCost && !(cost <= bestCost && candidate.cycles < 0.9 * bestCycles))
      continue;
    best = std::move(tree);
    bestCost = cost;
    bestCycles = candidate.cycles;
    description = candidate.description;
  }
  if (!best)
    return refuse(function.getLoc(),
                  wrong ? "no schedule passed its verification" : "no schedule has loops of a known form");
  // What the dependences were computed from: distinct arrays do not overlap.
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (isa<MemRefType>(function.getArgument(i).getType()))
      function.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), UnitAttr::get(&getContext()));
  OpBuilder builder(scop->roots.front());
  poly::emitLoops(builder, function.getLoc(), *scop, *best, machine);
  for (Operation *root : llvm::reverse(scop->roots))
    root->erase();
  if (reportSchedule)
    emitRemark(function.getLoc()) << "function '" << function.getName() << "': " << description
                                  << (skipVerification ? "" : "; verified");
}

} // namespace
} // namespace torsh
