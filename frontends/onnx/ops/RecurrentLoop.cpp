//===-- RecurrentLoop.cpp - Recurrent layers with other cells than the usual ones ---------------------------===//
//
// The products with the inputs of all steps are one product before the loop. A reversed direction reverses the sequence,
// runs forward and reverses the result.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/RecurrentLoop.h"
#include "frontends/onnx/ops/Term.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// One activation function with its parameters.
struct Activation {
  std::string name;
  double alpha = 0, beta = 0;
};

/// The functions that take parameters, with what they are when the node does not say.
struct Parameters {
  StringRef name;
  std::optional<double> alpha, beta;
};
const Parameters parameters[] = {
    {"affine", 1.0, 0.0},           {"leakyrelu", 0.01, std::nullopt}, {"thresholdedrelu", 1.0, std::nullopt},
    {"scaledtanh", 1.0, 1.0},       {"hardsigmoid", 0.2, 0.5},         {"elu", 1.0, std::nullopt},
    {"relu", std::nullopt, {}},     {"tanh", std::nullopt, {}},        {"sigmoid", std::nullopt, {}},
    {"softsign", std::nullopt, {}}, {"softplus", std::nullopt, {}}};

/// The functions of all directions, one after the other. Parameters are taken in order by those that have them.
FailureOr<SmallVector<Activation>> readActivations(NodeImport &n, ArrayRef<StringRef> usual,
                                                   size_t directions) {
  SmallVector<std::string> names;
  const Attribute *given = n.attribute("activations");
  if (given && !given->strings.empty()) {
    if (given->strings.size() != usual.size() * directions)
      return LogicalResult(n.malformed("there must be " + Twine(usual.size() * directions) + " activations"));
    for (StringRef name : given->strings)
      names.push_back(name.lower());
  } else {
    for (size_t i = 0; i < usual.size() * directions; ++i)
      names.push_back(usual[i % usual.size()].lower());
  }
  auto listOf = [&](StringRef name) {
    const Attribute *values = n.attribute(name);
    return values ? SmallVector<float>(values->floats.begin(), values->floats.end()) : SmallVector<float>();
  };
  SmallVector<float> alphas = listOf("activation_alpha"), betas = listOf("activation_beta");
  size_t nextAlpha = 0, nextBeta = 0;
  SmallVector<Activation> result;
  for (const std::string &name : names) {
    const Parameters *known =
        llvm::find_if(parameters, [&](const Parameters &row) { return row.name == name; });
    if (known == std::end(parameters))
      return LogicalResult(n.unsupported("the activation '" + Twine(name) + "' is not known"));
    Activation activation{name};
    if (known->alpha)
      activation.alpha = nextAlpha < alphas.size() ? alphas[nextAlpha++] : *known->alpha;
    if (known->beta)
      activation.beta = nextBeta < betas.size() ? betas[nextBeta++] : *known->beta;
    result.push_back(activation);
  }
  return result;
}

/// One direction of a layer, while its loop is built.
struct Loop {
  NodeImport &n;
  CellKind kind;
  ArrayRef<Activation> activations;
  double clip;
  bool coupled, linearBeforeReset;
  Value r, recurrentBias, peephole;
  DimAttr hidden;

  Term apply(size_t which, Term x) const;
  Term gate(const Term &all, int64_t index) const {
    DimAttr start = dim::mul(hidden, dim::constant(n.context(), index));
    return {n, sliceAxis(n, all.value(), rankOf(all.value()) - 1, start, hidden)};
  }
  /// The peephole weights of a gate times the cells.
  Term peek(const Term &sum, const Term &cells, int64_t index) const {
    if (!peephole)
      return sum;
    Value own = gate(Term(n, peephole), index).value();
    return sum + Term::spread(cells.space(), own, {1}) * cells;
  }
  /// h [B, H] times the transposed rows [G, H] of the recurrent weights.
  Term product(Value h, Value rows) const {
    ArrayRef<int64_t> none;
    return {n, n.create<DotGeneralOp>(h, rows, none, none, ArrayRef<int64_t>{1}, ArrayRef<int64_t>{1})};
  }
  /// The states after a step whose inputs give `x` [B, gates * H].
  SmallVector<Value> step(Value x, ValueRange states) const;
  SmallVector<Value> gruStep(Value x, Value h) const;
};

Term Loop::apply(size_t which, Term x) const {
  const Activation &f = activations[which];
  if (clip > 0)
    x = x.max(-clip).min(clip);
  Term zero = Term::number(x.space(), 0);
  if (f.name == "relu")
    return x.max(0);
  if (f.name == "tanh")
    return {n, n.create<TanhOp>(x.value())};
  if (f.name == "sigmoid")
    return {n, n.create<SigmoidOp>(x.value())};
  if (f.name == "affine")
    return x * f.alpha + f.beta;
  if (f.name == "leakyrelu")
    return (x >= 0).choose(x, x * f.alpha);
  if (f.name == "thresholdedrelu")
    return (x >= f.alpha).choose(x, zero);
  if (f.name == "scaledtanh")
    return Term(n, n.create<TanhOp>((x * f.beta).value())) * f.alpha;
  if (f.name == "hardsigmoid")
    return (x * f.alpha + f.beta).max(0).min(1);
  if (f.name == "elu")
    return (x >= 0).choose(x, Term(n, n.create<Expm1Op>(x.value())) * f.alpha);
  if (f.name == "softsign")
    return x / (x.abs() + 1);
  return {n, n.create<SoftplusOp>(x.value())};
}

SmallVector<Value> Loop::gruStep(Value x, Value h) const {
  Term inputs(n, x), state(n, h);
  DimAttr none = dim::constant(n.context(), 0), two = dim::constant(n.context(), 2),
          gates = dim::mul(hidden, two);
  Value gateRows = sliceAxis(n, r, 0, none, gates), lastRows = sliceAxis(n, r, 0, gates, hidden);
  Term sums = product(h, gateRows);
  Term z = apply(0, gate(inputs, 0) + gate(sums, 0)), reset = apply(0, gate(inputs, 1) + gate(sums, 1));
  // The other recurrent biases stand among the inputs already.
  std::optional<Term> bias;
  if (recurrentBias)
    bias = Term::spread(state.space(), gate(Term(n, recurrentBias), 2).value(), {1});
  Term candidate = gate(inputs, 2);
  if (linearBeforeReset) {
    Term own = product(h, lastRows);
    candidate = candidate + reset * (bias ? own + *bias : own);
  } else {
    Term own = product((reset * state).value(), lastRows);
    candidate = candidate + (bias ? own + *bias : own);
  }
  candidate = apply(1, candidate);
  return {((Term::number(z.space(), 1) - z) * candidate + z * state).value()};
}

SmallVector<Value> Loop::step(Value x, ValueRange states) const {
  if (kind == CellKind::Gru)
    return gruStep(x, states[0]);
  Term sums = Term(n, x) + product(states[0], r);
  if (kind == CellKind::Rnn)
    return {apply(0, sums).value()};
  Term cells(n, states[1]);
  Term input = apply(0, peek(gate(sums, 0), cells, 0));
  Term forget = coupled ? Term::number(input.space(), 1) - input : apply(0, peek(gate(sums, 2), cells, 2));
  Term next = forget * cells + input * apply(1, gate(sums, 3));
  Term output = apply(0, peek(gate(sums, 1), next, 1));
  return {(output * apply(2, next)).value(), next.value()};
}

/// x [T, B, I] with each sequence reversed within its length.
Value reversed(NodeImport &n, Value x, Value lengths) {
  SmallVector<DimAttr> dims = getDims(x);
  if (!lengths) {
    SmallVector<DimAttr> starts(dims.size(), dim::constant(n.context(), 0));
    starts[0] = dim::sub(dims[0], dim::constant(n.context(), 1));
    SmallVector<int64_t> steps(dims.size(), 1);
    steps[0] = -1;
    return n.create<SliceOp>(x, DimsAttr::get(n.context(), starts), DimsAttr::get(n.context(), dims), steps);
  }
  TermSpace space{n, {dims[0], dims[1]}, n.builder.getI64Type()};
  Term time = Term::iota(space, 0), length = Term::spread(space, n.cast(lengths, space.element), {1});
  Term from = (time < length).choose(length - 1 - time, time);
  Term row = from * Term::size(space, dims[1]) + Term::iota(space, 1);
  Value rows = n.reshape(x, {dim::mul(dims[0], dims[1]), dims[2]});
  return n.create<GatherOp>(rows, row.value(), 0);
}

/// Makes the sizes of the operands equal where they must be.
LogicalResult unifySizes(NodeImport &n, const RecurrentLayer &layer, int64_t gates, int64_t directions) {
  auto number = [&](int64_t value) { return dim::constant(n.context(), value); };
  DimAttr batch = getDims(layer.x)[1], hidden = getDims(layer.r)[2], d = number(directions);
  auto times = [&](int64_t factor) { return dim::mul(hidden, number(factor)); };
  std::pair<Value, SmallVector<DimAttr>> wanted[] = {{layer.w, {d, times(gates), getDims(layer.x)[2]}},
                                                     {layer.r, {d, times(gates), hidden}},
                                                     {layer.bias, {d, times(2 * gates)}},
                                                     {layer.initialH, {d, batch, hidden}},
                                                     {layer.initialC, {d, batch, hidden}},
                                                     {layer.peephole, {d, times(3)}},
                                                     {layer.lengths, {batch}}};
  for (auto &[value, dims] : wanted) {
    if (!value)
      continue;
    if (getDims(value).size() != dims.size())
      return n.malformed("an operand of the layer has the wrong rank");
    for (size_t i = 0; i < dims.size(); ++i)
      if (!n.unify(getDims(value)[i], dims[i], "the sizes of a recurrent layer"))
        return n.malformed("an operand of the layer has " + dim::toString(getDims(value)[i]) + " in dim " +
                           Twine(i) + ", not " + dim::toString(dims[i]));
  }
  return success();
}

} // namespace

FailureOr<SmallVector<Value>> recurrentLoop(NodeImport &n, const RecurrentLayer &layer, CellKind kind) {
  bool both = layer.direction == RnnDirection::bidirectional;
  size_t directions = both ? 2 : 1, states = kind == CellKind::Lstm ? 2 : 1;
  SmallVector<StringRef> usual = kind == CellKind::Lstm  ? SmallVector<StringRef>{"sigmoid", "tanh", "tanh"}
                                 : kind == CellKind::Gru ? SmallVector<StringRef>{"sigmoid", "tanh"}
                                                         : SmallVector<StringRef>{"tanh"};
  FailureOr<SmallVector<Activation>> activations = readActivations(n, usual, directions);
  int64_t gates = kind == CellKind::Lstm ? 4 : kind == CellKind::Gru ? 3 : 1;
  if (failed(activations) || failed(unifySizes(n, layer, gates, directions)))
    return failure();
  mlir::Type element = elementTypeOf(layer.x), i64 = n.builder.getI64Type();
  DimAttr zero = dim::constant(n.context(), 0), one = dim::constant(n.context(), 1);
  SmallVector<SmallVector<Value>> results(states + 1);
  for (size_t d = 0; d < directions; ++d) {
    auto own = [&](Value all) -> Value {
      if (!all)
        return {};
      SmallVector<DimAttr> dims = getDims(all);
      DimAttr start = dim::constant(n.context(), d);
      return n.reshape(sliceAxis(n, all, 0, start, one), ArrayRef(dims).drop_front());
    };
    bool backward = d == 1 || layer.direction == RnnDirection::reverse;
    Value x = backward ? reversed(n, layer.x, layer.lengths) : layer.x, w = own(layer.w), r = own(layer.r);
    SmallVector<DimAttr> xDims = getDims(x), rDims = getDims(r);
    DimAttr hidden = rDims[1], rows = rDims[0];
    Loop loop{n,
              kind,
              ArrayRef(*activations).slice(d * usual.size(), usual.size()),
              n.floatAttr("clip", 0),
              n.intAttr("input_forget", 0) != 0,
              n.intAttr("linear_before_reset", 0) != 0,
              r,
              Value(),
              own(layer.peephole),
              hidden};
    ArrayRef<int64_t> none;
    Term inputs(n, n.create<DotGeneralOp>(x, w, none, none, ArrayRef<int64_t>{2}, ArrayRef<int64_t>{1}));
    if (Value bias = own(layer.bias)) {
      Value inputBias = sliceAxis(n, bias, 0, zero, rows), second = sliceAxis(n, bias, 0, rows, rows);
      inputs = inputs + Term::spread(inputs.space(), inputBias, {2});
      if (kind == CellKind::Gru) {
        // That of the last gate belongs to the recurrent product.
        loop.recurrentBias = second;
        DimAttr gates = dim::mul(hidden, dim::constant(n.context(), 2));
        Value last = n.splat(makeTensorType({hidden}, element), 0);
        second = n.create<ConcatOp>(ValueRange{sliceAxis(n, second, 0, zero, gates), last}, 0);
      }
      inputs = inputs + Term::spread(inputs.space(), n.reshape(second, {rows}), {2});
    }
    RankedTensorType state = makeTensorType({xDims[1], hidden}, element);
    SmallVector<Value> initial;
    for (Value given : {layer.initialH, layer.initialC})
      if (initial.size() < states)
        initial.push_back(given ? own(given) : n.splat(state, 0));
    SmallVector<mlir::Type> types(states, state);
    types.push_back(makeTensorType({xDims[0], xDims[1], hidden}, element));
    auto steps = ForOp::create(n.builder, n.loc, types, xDims[0], initial);
    {
      OpBuilder::InsertionGuard guard(n.builder);
      SmallVector<mlir::Type> arguments{RankedTensorType::get({}, i64)};
      arguments.append(states, state);
      SmallVector<Location> locations(arguments.size(), n.loc);
      Block *body = n.builder.createBlock(&steps.getBody(), {}, arguments, locations);
      Value time = body->getArgument(0);
      ValueRange before = ValueRange(body->getArguments()).drop_front();
      SmallVector<Value> after = loop.step(n.create<GatherOp>(inputs.value(), time, 0), before);
      Value shown = after[0];
      if (layer.lengths) {
        // Behind the end of a sequence its states stay and its outputs are 0.
        TermSpace space{n, getDims(state), i64};
        Term inside = Term::spread(space, time, {}) < Term::spread(space, n.cast(layer.lengths, i64), {0});
        shown = inside.choose(Term(n, shown), Term::number(space.with(element), 0)).value();
        for (size_t i = 0; i < states; ++i)
          after[i] = inside.choose(Term(n, after[i]), Term(n, before[i])).value();
      }
      after.push_back(shown);
      YieldOp::create(n.builder, n.loc, after);
    }
    Value y = steps->getResult(states);
    results[0].push_back(
        n.reshape(backward ? reversed(n, y, layer.lengths) : y, {xDims[0], one, xDims[1], hidden}));
    for (size_t i = 0; i < states; ++i)
      results[i + 1].push_back(n.reshape(steps->getResult(i), {one, xDims[1], hidden}));
  }
  SmallVector<Value> joined;
  for (auto [i, parts] : llvm::enumerate(results))
    joined.push_back(both ? n.create<ConcatOp>(ValueRange(parts), i == 0 ? 1 : 0) : parts.front());
  return joined;
}

} // namespace torsh::onnx
