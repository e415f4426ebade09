//===-- Recurrent.cpp - Reference semantics of LSTM, GRU and RNN
//--------------------------------------------===//
//
// The three layers share the walk over directions, samples and time steps; each gives the function of one
// step.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"
#include <cmath>

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

double sigmoid(double x) {
  double e = std::exp(-std::fabs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/// Operands and sizes of a recurrent layer with `gates` gates of H rows each.
struct Layer {
  const Tensor &x, &w, &r;
  const Tensor *bias, *initialH, *lengths;
  RnnDirection direction;
  int64_t gates;
  int64_t time = 0, batch = 0, inputs = 0, directions = 0, hidden = 0;

  template <typename OpTy>
  Layer(OpTy op, const Call &call, int64_t gates)
      : x(call[op.getX()]), w(call[op.getW()]), r(call[op.getR()]), bias(call.find(op.getBias())),
        initialH(call.find(op.getInitialH())), lengths(call.find(op.getLengths())),
        direction(op.getDirection()), gates(gates) {}

  Error check(const Call &call) {
    if (x.rank() != 3 || w.rank() != 3 || r.rank() != 3)
      return call.misfit("x, w and r must have rank 3");
    time = x.shape[0], batch = x.shape[1], inputs = x.shape[2], hidden = r.shape[2];
    directions = direction == RnnDirection::bidirectional ? 2 : 1;
    if (Error error = call.checkShape("w", w, {directions, gates * hidden, inputs}))
      return error;
    if (Error error = call.checkShape("r", r, {directions, gates * hidden, hidden}))
      return error;
    if (bias)
      if (Error error = call.checkShape("bias", *bias, {directions, 2 * gates * hidden}))
        return error;
    if (lengths)
      if (Error error = call.checkShape("lengths", *lengths, {batch}))
        return error;
    return checkState(call, "initial_h", initialH);
  }
  Error checkState(const Call &call, StringRef name, const Tensor *state) const {
    return state ? call.checkShape(name, *state, {directions, batch, hidden}) : Error::success();
  }

  /// Row `gate * H + unit` of w times the input of a step, with the input bias.
  double fromInput(int64_t d, int64_t b, int64_t step, int64_t gate, int64_t unit) const {
    const int64_t row = gate * hidden + unit;
    const double *weights = w.floats.data() + (d * gates * hidden + row) * inputs;
    const double *input = x.floats.data() + (step * batch + b) * inputs;
    double sum = bias ? bias->floats[d * 2 * gates * hidden + row] : 0;
    for (int64_t i = 0; i < inputs; ++i)
      sum += weights[i] * input[i];
    return sum;
  }
  /// Row `gate * H + unit` of r times a state, with the recurrent bias.
  double fromState(int64_t d, ArrayRef<double> state, int64_t gate, int64_t unit) const {
    const int64_t row = gate * hidden + unit;
    const double *weights = r.floats.data() + (d * gates * hidden + row) * hidden;
    double sum = bias ? bias->floats[(d * 2 + 1) * gates * hidden + row] : 0;
    for (int64_t i = 0; i < hidden; ++i)
      sum += weights[i] * state[i];
    return sum;
  }

  /// The state of a direction and sample: the given one or zeros.
  std::vector<double> initialState(const Tensor *state, int64_t d, int64_t b) const {
    if (!state)
      return std::vector<double>(hidden);
    auto start = state->floats.begin() + (d * batch + b) * hidden;
    return std::vector<double>(start, start + hidden);
  }
  void store(Tensor &states, int64_t d, int64_t b, ArrayRef<double> state) const {
    llvm::copy(state, states.floats.begin() + (d * batch + b) * hidden);
  }

  /// Runs all directions and samples. `advance(d, b, step, h, c)` makes the next state out of the old one;
  /// `finalC` is null for layers without a cell state. A sequence ends after its length: y stays 0 there.
  template <typename Advance>
  void run(Tensor &y, Tensor &finalH, Tensor *finalC, const Tensor *initialC, Advance advance) const {
    for (int64_t d = 0; d < directions; ++d)
      for (int64_t b = 0; b < batch; ++b) {
        std::vector<double> h = initialState(initialH, d, b), c = initialState(initialC, d, b);
        const int64_t length = lengths ? std::clamp<int64_t>(lengths->ints[b], 0, time) : time;
        bool backward = direction == RnnDirection::reverse || d == 1;
        for (int64_t i = 0; i < length; ++i) {
          int64_t step = backward ? length - 1 - i : i;
          advance(d, b, step, h, c);
          llvm::copy(h, y.floats.begin() + ((step * directions + d) * batch + b) * hidden);
        }
        store(finalH, d, b, h);
        if (finalC)
          store(*finalC, d, b, c);
      }
  }

  /// y, y_h and, for an LSTM, y_c.
  Results allocate(const Call &call) const {
    SmallVector<Tensor> results;
    for (unsigned i = 0; i < call.op->getNumResults(); ++i) {
      SmallVector<int64_t> shape = {directions, batch, hidden};
      if (i == 0)
        shape.insert(shape.begin(), time);
      Expected<Tensor> tensor = call.allocate(call.resultElementType(i), shape);
      if (!tensor)
        return tensor.takeError();
      results.push_back(std::move(*tensor));
    }
    return results;
  }
};

Results evaluateLstm(LstmOp op, Call &call) {
  Layer layer(op, call, 4);
  if (Error error = layer.check(call))
    return error;
  const Tensor *initialC = call.find(op.getInitialC()), *peephole = call.find(op.getPeephole());
  if (Error error = layer.checkState(call, "initial_c", initialC))
    return error;
  const int64_t hidden = layer.hidden;
  if (peephole)
    if (Error error = call.checkShape("peephole", *peephole, {layer.directions, 3 * hidden}))
      return error;
  Results results = layer.allocate(call);
  if (!results)
    return results.takeError();
  auto advance = [&](int64_t d, int64_t b, int64_t step, std::vector<double> &h, std::vector<double> &c) {
    std::vector<double> nextH(hidden);
    for (int64_t u = 0; u < hidden; ++u) {
      // Gates stand in the order i, o, f, c; peepholes in the order i, o, f.
      auto gate = [&](int64_t index) {
        return layer.fromInput(d, b, step, index, u) + layer.fromState(d, h, index, u);
      };
      auto peep = [&](int64_t index, double cell) {
        return peephole ? peephole->floats[(d * 3 + index) * hidden + u] * cell : 0;
      };
      double input = sigmoid(gate(0) + peep(0, c[u])), forget = sigmoid(gate(2) + peep(2, c[u]));
      // Only this unit's cell is read by the other units' gates, so it can change in place.
      c[u] = forget * c[u] + input * std::tanh(gate(3));
      nextH[u] = sigmoid(gate(1) + peep(1, c[u])) * std::tanh(c[u]);
    }
    h = std::move(nextH);
  };
  layer.run((*results)[0], (*results)[1], &(*results)[2], initialC, advance);
  return results;
}

Results evaluateGru(GruOp op, Call &call) {
  Layer layer(op, call, 3);
  if (Error error = layer.check(call))
    return error;
  Results results = layer.allocate(call);
  if (!results)
    return results.takeError();
  const int64_t hidden = layer.hidden;
  auto advance = [&](int64_t d, int64_t b, int64_t step, std::vector<double> &h, std::vector<double> &) {
    std::vector<double> update(hidden), reset(hidden), resetH(hidden), nextH(hidden);
    for (int64_t u = 0; u < hidden; ++u) {
      update[u] = sigmoid(layer.fromInput(d, b, step, 0, u) + layer.fromState(d, h, 0, u));
      reset[u] = sigmoid(layer.fromInput(d, b, step, 1, u) + layer.fromState(d, h, 1, u));
      resetH[u] = reset[u] * h[u];
    }
    for (int64_t u = 0; u < hidden; ++u) {
      double recurrent = op.getLinearBeforeReset() ? reset[u] * layer.fromState(d, h, 2, u)
                                                   : layer.fromState(d, resetH, 2, u);
      double candidate = std::tanh(layer.fromInput(d, b, step, 2, u) + recurrent);
      nextH[u] = (1 - update[u]) * candidate + update[u] * h[u];
    }
    h = std::move(nextH);
  };
  layer.run((*results)[0], (*results)[1], nullptr, nullptr, advance);
  return results;
}

Results evaluateRnn(RnnOp op, Call &call) {
  Layer layer(op, call, 1);
  if (Error error = layer.check(call))
    return error;
  Results results = layer.allocate(call);
  if (!results)
    return results.takeError();
  auto advance = [&](int64_t d, int64_t b, int64_t step, std::vector<double> &h, std::vector<double> &) {
    std::vector<double> nextH(layer.hidden);
    for (int64_t u = 0; u < layer.hidden; ++u)
      nextH[u] = std::tanh(layer.fromInput(d, b, step, 0, u) + layer.fromState(d, h, 0, u));
    h = std::move(nextH);
  };
  layer.run((*results)[0], (*results)[1], nullptr, nullptr, advance);
  return results;
}

} // namespace

void addRecurrent(HandlerTable &table) {
  table.add<LstmOp>(evaluateLstm);
  table.add<GruOp>(evaluateGru);
  table.add<RnnOp>(evaluateRnn);
}

} // namespace torsh::reference
