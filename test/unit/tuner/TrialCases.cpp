//===-- TrialCases.cpp - Candidates are checked before they are timed ----------------------------------------===//
#include "compiler/tuner/GraphTrial.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "passes/tuning/KernelKey.h"
#include <catch2/catch.hpp>

using namespace torsh;
using Catch::Contains;

namespace {

mlir::MLIRContext &context() {
  static mlir::MLIRContext *context = [] {
    static mlir::DialectRegistry registry;
    registerKernelDialects(registry);
    auto *made = new mlir::MLIRContext(registry, mlir::MLIRContext::Threading::DISABLED);
    made->loadAllAvailableDialects();
    return made;
  }();
  return *context;
}

const char *const product = R"(
func.func @main(%x: tensor<30x4xf32>, %r: tensor<30x48xf32>) -> tensor<30x48xf32> {
  %w = torsh.constant dense<"WEIGHTS"> : tensor<3x4x16xf32> -> tensor<3x4x16xf32>
  %y = torsh.launch @k(%x, %r, %w) dims = <[]> : (tensor<30x4xf32>, tensor<30x48xf32>, tensor<3x4x16xf32>) -> tensor<30x48xf32>
  return %y : tensor<30x48xf32>
}
torsh.kernel @k "dot" [] {
^bb0(%x: tensor<30x4xf32>, %r: tensor<30x48xf32>, %w: tensor<3x4x16xf32>):
  %u = torsh.unpack %w : (tensor<3x4x16xf32>) -> tensor<4x48xf32>
  %d = torsh.dot_general %x, %u batch = [] x [] contract = [1] x [0] : (tensor<30x4xf32>, tensor<4x48xf32>) -> tensor<30x48xf32>
  %s = torsh.add %d, %r : tensor<30x48xf32>
  %t = torsh.tanh %s : tensor<30x48xf32>
  torsh.yield %t : tensor<30x48xf32>
}
)";

/// The model with weights that are no splat, which a group would hold instead of reading it.
std::string productText() {
  std::string text = product, hex = "0x";
  for (int i = 0; i < 3 * 4 * 16 / 2; ++i)
    hex += "0000803E000000BF"; // 0.25 and -0.5
  return text.replace(text.find("WEIGHTS"), 7, hex);
}

struct Model {
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceString<mlir::ModuleOp>(productText(), &context());
  LaunchOp launch() {
    REQUIRE(module);
    LaunchOp found;
    module->walk([&](LaunchOp op) { found = op; });
    return found;
  }
};

TrialOptions makeOptions() {
  TrialOptions options;
  options.level = llvm::cantFail(selectLevels("x86-64-v3"))[0];
  options.threads = 2;
  return options;
}

TuneClock::time_point soon(int seconds) { return TuneClock::now() + std::chrono::seconds(seconds); }

/// Makes the kernel compute something else.
void breakKernel(KernelOp kernel) {
  TanhOp tanh = findOp<TanhOp>(kernel);
  mlir::OpBuilder builder(tanh);
  mlir::Value negated = NegOp::create(builder, tanh.getLoc(), tanh.getOperand());
  tanh.getResult().replaceAllUsesWith(negated);
  tanh.erase();
}

bool isBroken(const KernelChoices &choices) {
  return choices.get(Knob::TileRows) == 4 || choices.get(Knob::TileRows) == 3 ||
         choices.get(Knob::RowBlock) == 12;
}

} // namespace

TEST_CASE("right candidates are measured, and none is refused") {
  Model model;
  auto result = tuneKernel(model.launch(), {}, makeOptions(), soon(60));
  REQUIRE(bool(result));
  INFO(result->rejection);
  CHECK(result->complete);
  CHECK(result->rejected == 0);
  CHECK(result->measured >= 8);
  CHECK(result->defaultSeconds > 0);
}

TEST_CASE("a candidate with wrong values is refused however fast it is") {
  Model model;
  TrialOptions options = makeOptions();
  unsigned broken = 0;
  options.beforeCompile = [&](KernelOp kernel) {
    // Without the hyperbolic tangent the kernel is several times faster.
    if (isBroken(KernelChoices::of(kernel, "v3"))) {
      breakKernel(kernel);
      ++broken;
    }
  };
  auto result = tuneKernel(model.launch(), {}, options, soon(60));
  REQUIRE(bool(result));
  REQUIRE(broken > 0);
  CHECK(result->rejected == broken);
  CHECK_THAT(result->rejection, Contains("instead of"));
  CHECK_FALSE(isBroken(result->choices));
}

TEST_CASE("the same candidate would have won if nobody had looked") {
  // The base is broken the same way, so that the values agree: the check is what refused it above.
  Model model;
  TrialOptions options = makeOptions();
  options.beforeCompile = breakKernel;
  auto result = tuneKernel(model.launch(), {}, options, soon(60));
  REQUIRE(bool(result));
  CHECK(result->rejected == 0);
}

TEST_CASE("a candidate without code is refused, the others of its batch are measured") {
  Model model;
  TrialOptions options = makeOptions();
  unsigned broken = 0;
  options.beforeCompile = [&](KernelOp kernel) {
    if (KernelChoices::of(kernel, "v3").get(Knob::TileRows) == 4) {
      kernel.setAnchor("nobody");
      ++broken;
    }
  };
  auto result = tuneKernel(model.launch(), {}, options, soon(60));
  REQUIRE(bool(result));
  REQUIRE(broken > 0);
  CHECK(result->rejected > 0);
  CHECK(result->measured > 0);
  CHECK_THAT(result->rejection, Contains("TSH-0502"));
  CHECK(result->choices.get(Knob::TileRows) != 4);
}

TEST_CASE("a search ends with its time") {
  Model model;
  auto started = TuneClock::now();
  auto result = tuneKernel(model.launch(), {}, makeOptions(), started);
  REQUIRE(bool(result));
  CHECK_FALSE(result->complete);
  CHECK(result->measured == 0);
  CHECK(result->choices.isDefault());
}

TEST_CASE("illegal choices are explained and never built") {
  Model model;
  auto kernel = model.module->lookupSymbol<KernelOp>("k");
  KernelTarget avx2{8, 16}, avx512{16, 32};
  auto explain = [&](std::initializer_list<std::pair<Knob, int64_t>> values, const KernelTarget &target) {
    KernelChoices choices;
    for (auto [knob, value] : values)
      choices.set(knob, value);
    return explainIllegal(kernel, target, choices);
  };
  CHECK(explain({{Knob::TileRows, 6}, {Knob::TilePanels, 1}}, avx2) == "");
  CHECK_THAT(explain({{Knob::TileRows, 8}, {Knob::TilePanels, 1}}, avx2), Contains("16 accumulators"));
  CHECK(explain({{Knob::TileRows, 6}, {Knob::TilePanels, 4}}, avx512) == "");
  CHECK_THAT(explain({{Knob::TileRows, 8}, {Knob::TilePanels, 4}}, avx512), Contains("32 accumulators"));
  CHECK_THAT(explain({{Knob::TileRows, 6}}, avx2), Contains("together"));
  CHECK_THAT(explain({{Knob::TileRows, 7}, {Knob::TilePanels, 1}}, avx2), Contains("no value"));
  CHECK_THAT(explain({{Knob::TileRows, 2}, {Knob::TilePanels, 3}}, avx2), Contains("not a multiple"));
  CHECK_THAT(explain({{Knob::Pixels, 4}}, avx2), Contains("have no choice 'pixels'"));
}

TEST_CASE("what is behind a contraction is part of the key of that decision") {
  Model model, other;
  auto kernel = model.module->lookupSymbol<KernelOp>("k"),
       changed = other.module->lookupSymbol<KernelOp>("k");
  breakKernel(changed);
  mlir::Operation *root = findSeparableRoot(kernel), *same = findSeparableRoot(changed);
  REQUIRE(root);
  REQUIRE(same);
  CHECK(getCanonicalText(root) == getCanonicalText(same));
  CHECK_THAT(getEpilogueText(root), Contains("before torsh.add torsh.tanh"));
  CHECK_THAT(getEpilogueText(same), Contains("before torsh.add torsh.neg"));
}

TEST_CASE("the elementwise code behind a contraction can be a kernel of its own with the same values") {
  Model model;
  auto kernel = model.module->lookupSymbol<KernelOp>("k");
  CHECK(findSeparableRoot(kernel));
  auto result = tuneEpilogue(model.launch(), {}, makeOptions());
  if (!result)
    FAIL(llvm::toString(result.takeError()));
  INFO(result->rejection);
  CHECK(result->measured == 1);
  CHECK(result->rejected == 0);
}
