//===-- MutationCases.cpp - Damaged kernels are found -------------------------------------------------------===//
//
// Each barrier, each wait and each bounds check of a kernel is taken away in turn. The emulator or the comparison must
// find it, or the tests above would pass without them.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "DeviceKinds.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include <algorithm>

using namespace llvm;
using namespace torsh::test;

namespace {

using Selector = std::function<bool(Instruction &)>;

Selector callsOf(StringRef name) {
  return [name](Instruction &instruction) {
    auto *call = dyn_cast<CallInst>(&instruction);
    return call && call->getCalledFunction() && call->getCalledFunction()->getName() == name;
  };
}

/// A comparison of an index with a size that is no loop's end.
bool isBoundsCheck(Instruction &instruction) {
  auto *compare = dyn_cast<ICmpInst>(&instruction);
  return compare && compare->getPredicate() == CmpInst::ICMP_SLT && compare->getType()->isIntegerTy(1) &&
         !isa<PHINode>(compare->getOperand(0));
}

std::vector<Instruction *> select(Module &module, const Selector &selector) {
  std::vector<Instruction *> found;
  for (Function &function : module)
    for (Instruction &instruction : instructions(function))
      if (selector(instruction))
        found.push_back(&instruction);
  return found;
}

size_t countMatches(const Case &one, const Selector &selector) {
  size_t result = 0;
  DeviceOptions options;
  options.seeds = {1};
  options.change = [&](Module &module) { result = select(module, selector).size(); };
  CHECK(runOnDevice(one, options).wrong == "");
  return result;
}

/// What is said about the kernel without its n-th call, or with its n-th check always true.
std::string damage(const Case &one, const Selector &selector, size_t index) {
  DeviceOptions options;
  options.change = [&](Module &module) {
    Instruction *chosen = select(module, selector)[index];
    if (!chosen->getType()->isVoidTy())
      chosen->replaceAllUsesWith(ConstantInt::getTrue(module.getContext()));
    chosen->eraseFromParent();
  };
  return runOnDevice(one, options).wrong;
}

/// Numbers of the damages that nobody found.
std::vector<size_t> survivors(const Case &one, const Selector &selector, size_t expected) {
  size_t total = countMatches(one, selector);
  CHECK(total == expected);
  std::vector<size_t> result;
  for (size_t i = 0; i < total; ++i)
    if (damage(one, selector, i).empty())
      result.push_back(i);
  return result;
}

/// One kernel for all sizes.
Case symbolicProduct(int64_t m, int64_t n, int64_t k) {
  using Texts = std::vector<std::string>;
  std::string x = tensor(Texts{"m", "k"}), w = tensor(Texts{"k", "n"}), y = tensor(Texts{"m", "n"});
  return {"dot",
          "%x: " + x + ", %w: " + w,
          "%y = torsh.dot_general %x, %w batch = [] x [] contract = [1] x [0] : (" + x + ", " + w + ") -> " +
              y,
          "%y",
          y,
          {{"m", m}, {"n", n}, {"k", k}}};
}

const Selector barriers = callsOf("llvm.nvvm.barrier.cta.sync.aligned.all");
const Selector waits = callsOf("llvm.nvvm.cp.async.wait.group");

} // namespace

TEST_CASE("a missing barrier is found") {
  CHECK(survivors(product({33, 31, 100}), barriers, 3).empty());
  CHECK(survivors(product({33, 31, 70, RightForm::Plain, "f16"}), barriers, 3).empty());
  CHECK(survivors(layerNormRows(2, 127), barriers, 2).empty());
  CHECK(survivors(softmaxRows(2, 127), barriers, 2).empty());
}

TEST_CASE("a missing wait is found") { CHECK(survivors(product({33, 31, 100}), waits, 1).empty()); }

TEST_CASE("a missing bounds check is found") {
  CHECK(survivors(elementwiseChain(3, 33), isBoundsCheck, 1).empty());
  // A short sum needs the checks before the loop, a long one those in it. The check before the step behind the last may
  // go: that step is zeros.
  Case shortSum = symbolicProduct(33, 31, 5), longSum = symbolicProduct(33, 31, 37);
  size_t total = countMatches(shortSum, isBoundsCheck);
  CHECK(total >= 11);
  std::vector<size_t> ofShort = survivors(shortSum, isBoundsCheck, total),
                      ofLong = survivors(longSum, isBoundsCheck, total), ofBoth;
  std::set_intersection(ofShort.begin(), ofShort.end(), ofLong.begin(), ofLong.end(),
                        std::back_inserter(ofBoth));
  CHECK(ofBoth.size() <= 1);
}

TEST_CASE("a barrier that not all threads reach is found") {
  DeviceOptions options;
  options.change = [](Module &module) {
    // The first barrier of a layer norm only for the first warp.
    Instruction *barrier = select(module, barriers)[0];
    Function *function = barrier->getFunction();
    BasicBlock *before = barrier->getParent();
    BasicBlock *at = before->splitBasicBlock(barrier), *behind = at->splitBasicBlock(barrier->getNextNode());
    before->getTerminator()->eraseFromParent();
    Instruction *thread = select(module, callsOf("llvm.nvvm.read.ptx.sreg.tid.x"))[0];
    auto *isFirst = new ICmpInst(before, CmpInst::ICMP_ULT, thread,
                                 ConstantInt::get(Type::getInt32Ty(function->getContext()), 32));
    BranchInst::Create(at, behind, isFirst, before);
  };
  CHECK_THAT(runOnDevice(layerNormRows(1, 127), options).wrong,
             Catch::Contains("wait at a barrier to which the others do not come") ||
                 Catch::Contains("reads what nobody wrote") || Catch::Contains("races with"));
}
