//===-- Optimizers.cpp - How gradients change parameters ----------------------------------------------------===//
//
// The order of operations is PyTorch's, so that results differ by rounding alone. What depends on the learning rate and
// the step only is computed in f64, as Python does it, and rounded to the parameters' type once.
//
//===--------------------------------------------------------------------------------------------------------===//
#include "passes/autodiff/Optimizers.h"

using namespace mlir;

namespace torsh {

using gradients::RuleBuilder;
using gradients::typeOf;

/// An f64 of rank 0 as a tensor of the parameter's type.
static Value repeat(RuleBuilder &b, Value number, Value parameter) {
  RankedTensorType type = typeOf(parameter);
  return b.broadcast(b.castTo(number, type.getElementType()), type, {});
}

namespace {

/// Stochastic gradient descent, with momentum (Sutskever et al. 2013).
class Sgd : public Optimizer {
public:
  explicit Sgd(const OptimizerOptions &options) : options(options) {}

  SmallVector<StringRef> stateNames() const override {
    return options.momentum != 0 ? SmallVector<StringRef>{"momentum_buffer"} : SmallVector<StringRef>{};
  }

  void prepare(RuleBuilder &, Value lr, Value) override { learningRate = lr; }

  Value update(RuleBuilder &b, Value parameter, Value gradient, MutableArrayRef<Value> states) override {
    if (options.weightDecay != 0)
      gradient = b.add(gradient, b.mul(parameter, options.weightDecay));
    if (options.momentum != 0) {
      states[0] = b.add(b.mul(states[0], options.momentum), gradient);
      gradient = options.nesterov ? b.add(gradient, b.mul(states[0], options.momentum)) : states[0];
    }
    return b.sub(parameter, b.mul(gradient, repeat(b, learningRate, parameter)));
  }

private:
  OptimizerOptions options;
  Value learningRate;
};

/// Adam (Kingma and Ba 2014); with decoupled decay AdamW (Loshchilov and Hutter 2017).
class Adam : public Optimizer {
public:
  Adam(const OptimizerOptions &options, bool decoupled) : options(options), decoupled(decoupled) {}

  SmallVector<StringRef> stateNames() const override { return {"exp_avg", "exp_avg_sq"}; }

  void prepare(RuleBuilder &b, Value lr, Value step) override {
    Value count = b.castTo(step, b.builder.getF64Type());
    auto correction = [&](double beta) { return b.sub(1, b.make<PowOp>(b.splat(count, beta), count)); };
    stepSize = b.div(lr, correction(options.beta1));
    rootCorrection = b.make<SqrtOp>(correction(options.beta2));
    if (decoupled && options.weightDecay != 0)
      shrink = b.sub(1, b.mul(lr, options.weightDecay));
  }

  Value update(RuleBuilder &b, Value parameter, Value gradient, MutableArrayRef<Value> states) override {
    if (shrink)
      parameter = b.mul(parameter, repeat(b, shrink, parameter));
    else if (options.weightDecay != 0)
      gradient = b.add(gradient, b.mul(parameter, options.weightDecay));
    states[0] = b.add(states[0], b.mul(b.sub(gradient, states[0]), 1 - options.beta1));
    states[1] = b.add(b.mul(states[1], options.beta2), b.mul(b.square(gradient), 1 - options.beta2));
    Value denominator =
        b.add(b.div(b.make<SqrtOp>(states[1]), repeat(b, rootCorrection, parameter)), options.epsilon);
    return b.sub(parameter, b.mul(repeat(b, stepSize, parameter), b.div(states[0], denominator)));
  }

private:
  OptimizerOptions options;
  bool decoupled;
  Value stepSize, rootCorrection, shrink; ///< f64 of rank 0
};

} // namespace

std::unique_ptr<Optimizer> Optimizer::create(StringRef name, const OptimizerOptions &options) {
  if (name == "sgd")
    return std::make_unique<Sgd>(options);
  if (name == "adam" || name == "adamw")
    return std::make_unique<Adam>(options, /*decoupled=*/name == "adamw");
  return nullptr;
}

} // namespace torsh
