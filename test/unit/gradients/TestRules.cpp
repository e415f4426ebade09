//===-- TestRules.cpp - Every rule against central differences ----------------------------------------------===//
#include "dialects/torsh/Splat.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "test/unit/gradients/Harness.h"
#include <set>

using namespace mlir;
using namespace torsh;
using namespace torsh::test;

/// Ops without a gradient rule that no trait explains. The list may only become shorter.
static const std::set<std::string> noRuleYet = {
    "torsh.lstm",
    "torsh.gru",
    "torsh.rnn",
    "torsh.resize",
    "torsh.if",
    "torsh.for",
    "torsh.while",    // loops and branches: their regions are not differentiated
    "torsh.gradient", // gradients are taken before it is expanded
    "torsh.stage",    // formed after the gradients
    "torsh.group",
    "torsh.kernel",
    "torsh.launch",
    "torsh.unpack", // after fusion, where nobody differentiates
    "torsh.winograd_input",
    "torsh.winograd_output"};
/// Ops whose results depend on no operand.
static const std::set<std::string> leaves = {"torsh.param", "torsh.get_param", "torsh.yield"};

std::vector<Case> torsh::test::allCases() {
  std::vector<Case> cases;
  addElementwiseCases(cases);
  addShapeCases(cases);
  addSpatialCases(cases);
  addRowCases(cases);
  addIndexingCases(cases);
  return cases;
}

/// The op that a case is about: the last one before the return.
static Operation *subject(func::FuncOp f) { return f.getBody().front().getTerminator()->getPrevNode(); }

TEST_CASE("every op has a rule, a reason, or stands in the list") {
  std::set<std::string> tested;
  for (const Case &test : allCases()) {
    OwningOpRef<ModuleOp> module = parse(test);
    tested.insert(subject(function(*module, "f"))->getName().getStringRef().str());
  }
  for (RegisteredOperationName op : context().getRegisteredOperationsByDialect("torsh")) {
    std::string name = op.getStringRef().str();
    bool explained = op.hasTrait<ZeroGradient>() || op.hasTrait<NotDifferentiable>() || leaves.count(name);
    bool ruled = op.hasInterface<GradientOpInterface>();
    INFO(name);
    CHECK_FALSE((explained && ruled));
    CHECK((explained || ruled) == (noRuleYet.count(name) == 0));
    // A rule that nothing tests is no rule.
    CHECK(ruled == (tested.count(name) != 0));
  }
}

TEST_CASE("rules equal central differences, once and twice") {
  for (const Case &test : allCases()) {
    INFO(test.op);
    OwningOpRef<ModuleOp> module = parse(test);
    func::FuncOp f = function(*module, "f"), g = addGradient(f, "g");
    REQUIRE(g);
    std::vector<Tensor> inputs = draw(test);
    CHECK(errorOf(f, g, inputs) <= tolerance);
    if (!test.twice)
      continue;
    func::FuncOp h = addGradient(g, "h");
    REQUIRE(h);
    std::vector<Tensor> more = drawLike(TypeRange(g.getArgumentTypes()).drop_front(inputs.size()), 5);
    inputs.insert(inputs.end(), more.begin(), more.end());
    CHECK(errorOf(g, h, inputs) <= tolerance);
  }
}

TEST_CASE("a perturbed rule is seen") {
  enum class Fault { Negated, Scaled, Missing };
  for (const Case &test : allCases()) {
    INFO(test.op);
    OwningOpRef<ModuleOp> module = parse(test);
    func::FuncOp f = function(*module, "f");
    std::vector<Tensor> inputs = draw(test);
    std::set<unsigned> operands;
    StringRef name = subject(f)->getName().getStringRef();
    addGradient(f, "g", [&](OpBuilder &, Operation *op, unsigned operand, Value contribution) {
      if (op->getName().getStringRef() == name)
        operands.insert(operand);
      return contribution;
    }).erase();
    CHECK(!operands.empty());
    for (unsigned faulty : operands)
      for (Fault fault : {Fault::Negated, Fault::Scaled, Fault::Missing}) {
        func::FuncOp g = addGradient(
            f, "g", [&](OpBuilder &b, Operation *op, unsigned operand, Value contribution) -> Value {
              if (op->getName().getStringRef() != name || operand != faulty)
                return contribution;
              if (fault == Fault::Missing)
                return {};
              if (fault == Fault::Negated)
                return NegOp::create(b, op->getLoc(), contribution);
              auto type = cast<RankedTensorType>(contribution.getType());
              Value factor = createSplat(b, op->getLoc(), type, 1.001);
              return MulOp::create(b, op->getLoc(), contribution, factor);
            });
        INFO("operand " << faulty << ", fault " << int(fault));
        CHECK(errorOf(f, g, inputs) > tolerance);
        g.erase();
      }
  }
}

/// Terms inside of a rule: each sum and difference that a rule emits loses its second term.
TEST_CASE("a rule that misses a term is seen") {
  unsigned terms = 0;
  for (const Case &test : allCases()) {
    INFO(test.op);
    OwningOpRef<ModuleOp> module = parse(test);
    func::FuncOp f = function(*module, "f");
    std::vector<Tensor> inputs = draw(test);
    size_t forward = std::distance(f.getBody().front().begin(), f.getBody().front().end()) - 1;
    for (size_t at = forward;; ++at) {
      func::FuncOp g = addGradient(f, "g");
      Block &body = g.getBody().front();
      auto op = body.begin();
      for (size_t i = 0; i < at && op != body.end(); ++i)
        ++op;
      bool ended = op == body.end();
      if (!ended && isa<AddOp, SubOp>(*op) && carriesGradient(op->getResult(0).getType()) &&
          !op->use_empty()) {
        ++terms;
        std::string text;
        llvm::raw_string_ostream(text) << *op;
        INFO("without the second term of " << text);
        op->getResult(0).replaceAllUsesWith(op->getOperand(0));
        CHECK(errorOf(f, g, inputs) > tolerance);
      }
      g.erase();
      if (ended)
        break;
    }
  }
  CHECK(terms > 30);
}
