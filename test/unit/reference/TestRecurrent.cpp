//===-- TestRecurrent.cpp - LSTM, GRU and RNN
//---------------------------------------------------------------===//
#include "test/unit/reference/Harness.h"
#include <cmath>

using namespace torsh;
using namespace torsh::test;

/// The rows of a table after one another.
template <size_t Rows, size_t Columns> static Floats flat(const double (&table)[Rows][Columns]) {
  Floats values;
  for (const auto &row : table)
    values.insert(values.end(), row, row + Columns);
  return values;
}

static double sigma(double x) { return 1 / (1 + std::exp(-x)); }

TEST_CASE("a bidirectional LSTM agrees with its unrolled formula") {
  // One feature and one hidden unit, so every product is a number. Gate order i, o, f, c; peephole order i,
  // o, f.
  const double x[3] = {0.5, -1, 2};
  const double w[2][4] = {{0.1, 0.2, 0.3, 0.4}, {-0.5, 0.6, 0.7, -0.8}},
               r[2][4] = {{0.9, -0.8, 0.7, 0.6}, {0.5, 0.4, -0.3, 0.2}};
  const double b[2][8] = {{0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08},
                          {0.1, -0.1, 0.2, -0.2, 0.3, -0.3, 0.4, -0.4}};
  const double p[2][3] = {{0.3, 0.2, 0.1}, {-0.1, -0.2, -0.3}}, h0[2] = {0.25, -0.25}, c0[2] = {0.5, -1};
  double y[3][2], lastH[2], lastC[2];
  for (int d = 0; d < 2; ++d) {
    double h = h0[d], c = c0[d];
    for (int step = 0; step < 3; ++step) {
      int t = d == 0 ? step : 2 - step;
      double i = sigma(w[d][0] * x[t] + r[d][0] * h + b[d][0] + b[d][4] + p[d][0] * c);
      double f = sigma(w[d][2] * x[t] + r[d][2] * h + b[d][2] + b[d][6] + p[d][2] * c);
      double g = std::tanh(w[d][3] * x[t] + r[d][3] * h + b[d][3] + b[d][7]);
      c = f * c + i * g;
      double o = sigma(w[d][1] * x[t] + r[d][1] * h + b[d][1] + b[d][5] + p[d][1] * c);
      h = o * std::tanh(c);
      y[t][d] = h;
    }
    lastH[d] = h, lastC[d] = c;
  }
  Outcome outcome = runOp(
      "torsh.lstm bidirectional %a, %b, %c bias %d initial_h %e initial_c %f peephole %g : "
      "(tensor<3x1x1xf64>, tensor<2x4x1xf64>, tensor<2x4x1xf64>, tensor<2x8xf64>, tensor<2x1x1xf64>, "
      "tensor<2x1x1xf64>, tensor<2x3xf64>) -> (tensor<3x2x1x1xf64>, tensor<2x1x1xf64>, tensor<2x1x1xf64>)",
      "tensor<3x2x1x1xf64>, tensor<2x1x1xf64>, tensor<2x1x1xf64>",
      {floats({3, 1, 1}, Floats(x, x + 3), "f64"), floats({2, 4, 1}, flat(w), "f64"),
       floats({2, 4, 1}, flat(r), "f64"), floats({2, 8}, flat(b), "f64"),
       floats({2, 1, 1}, Floats(h0, h0 + 2), "f64"), floats({2, 1, 1}, Floats(c0, c0 + 2), "f64"),
       floats({2, 3}, flat(p), "f64")});
  REQUIRE(outcome.error == "");
  expectFloats(outcome.results[0], {3, 2, 1, 1}, flat(y), 1e-14);
  expectFloats(outcome.results[1], {2, 1, 1}, Floats(lastH, lastH + 2), 1e-14);
  expectFloats(outcome.results[2], {2, 1, 1}, Floats(lastC, lastC + 2), 1e-14);
}

TEST_CASE("LSTM units read all inputs and all old states") {
  // Two inputs, two units, two steps, no bias: the weights are distinct, so a transposed index would show.
  const double x[2][2] = {{1, -0.5}, {0.25, 2}};
  double w[8][2], r[8][2];
  for (int row = 0; row < 8; ++row)
    for (int i = 0; i < 2; ++i) {
      w[row][i] = 0.1 * row - 0.3 * i;
      r[row][i] = 0.2 * i - 0.05 * row + 0.1;
    }
  double h[2] = {0, 0}, c[2] = {0, 0}, y[2][2];
  for (int t = 0; t < 2; ++t) {
    double next[2];
    for (int u = 0; u < 2; ++u) {
      double g[4];
      for (int gate = 0; gate < 4; ++gate) {
        int row = gate * 2 + u;
        g[gate] = w[row][0] * x[t][0] + w[row][1] * x[t][1] + r[row][0] * h[0] + r[row][1] * h[1];
      }
      c[u] = sigma(g[2]) * c[u] + sigma(g[0]) * std::tanh(g[3]);
      next[u] = sigma(g[1]) * std::tanh(c[u]);
    }
    h[0] = y[t][0] = next[0], h[1] = y[t][1] = next[1];
  }
  Outcome outcome = runOp("torsh.lstm forward %a, %b, %c : (tensor<2x1x2xf64>, tensor<1x8x2xf64>, "
                          "tensor<1x8x2xf64>) -> (tensor<2x1x1x2xf64>, tensor<1x1x2xf64>, tensor<1x1x2xf64>)",
                          "tensor<2x1x1x2xf64>, tensor<1x1x2xf64>, tensor<1x1x2xf64>",
                          {floats({2, 1, 2}, flat(x), "f64"), floats({1, 8, 2}, flat(w), "f64"),
                           floats({1, 8, 2}, flat(r), "f64")});
  REQUIRE(outcome.error == "");
  expectFloats(outcome.results[0], {2, 1, 1, 2}, flat(y), 1e-14);
  expectFloats(outcome.results[2], {1, 1, 2}, {c[0], c[1]}, 1e-14);
}

TEST_CASE("a GRU resets before or after the recurrent product") {
  const double x = 0.7, h = 0.3, w[3] = {0.5, -0.4, 0.9}, r[3] = {0.2, 0.8, -0.6},
               b[6] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6};
  double z = sigma(w[0] * x + r[0] * h + b[0] + b[3]), reset = sigma(w[1] * x + r[1] * h + b[1] + b[4]);
  double before = std::tanh(w[2] * x + b[2] + r[2] * (reset * h) + b[5]),
         after = std::tanh(w[2] * x + b[2] + reset * (r[2] * h + b[5]));
  auto run = [&](const char *linear) {
    Outcome outcome = runOp(
        std::string("torsh.gru forward %a, %b, %c bias %d initial_h %e {linear_before_reset = ") + linear +
            "} : (tensor<1x1x1xf64>, tensor<1x3x1xf64>, tensor<1x3x1xf64>, tensor<1x6xf64>, "
            "tensor<1x1x1xf64>) -> (tensor<1x1x1x1xf64>, tensor<1x1x1xf64>)",
        "tensor<1x1x1x1xf64>, tensor<1x1x1xf64>",
        {floats({1, 1, 1}, {x}, "f64"), floats({1, 3, 1}, Floats(w, w + 3), "f64"),
         floats({1, 3, 1}, Floats(r, r + 3), "f64"), floats({1, 6}, Floats(b, b + 6), "f64"),
         floats({1, 1, 1}, {h}, "f64")});
    REQUIRE(outcome.error == "");
    CHECK(outcome.results[0].floats == outcome.results[1].floats);
    return outcome.results[0].floats[0];
  };
  CHECK(run("false") == Approx((1 - z) * before + z * h).epsilon(1e-14));
  CHECK(run("true") == Approx((1 - z) * after + z * h).epsilon(1e-14));
}

TEST_CASE("sequences end at their lengths") {
  // w = 1 and r = 10: the state tells which steps ran. Sample 1 has one step of two, sample 2 none, and a
  // length beyond the time is cut.
  Outcome outcome = runOp(
      "torsh.rnn reverse %a, %b, %c initial_h %d lengths %e : (tensor<2x3x1xf64>, tensor<1x1x1xf64>, "
      "tensor<1x1x1xf64>, tensor<1x3x1xf64>, tensor<3xi32>) -> (tensor<2x1x3x1xf64>, tensor<1x3x1xf64>)",
      "tensor<2x1x3x1xf64>, tensor<1x3x1xf64>",
      {floats({2, 3, 1}, {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, "f64"), floats({1, 1, 1}, {1}, "f64"),
       floats({1, 1, 1}, {10}, "f64"), floats({1, 3, 1}, {0, 0.01, 0.02}, "f64"),
       ints({3}, {9, 1, 0}, "i32")});
  REQUIRE(outcome.error == "");
  double first = std::tanh(0.4), second = std::tanh(0.1 + 10 * first), other = std::tanh(0.2 + 0.1);
  expectFloats(outcome.results[0], {2, 1, 3, 1}, {second, other, 0, first, 0, 0}, 1e-14);
  expectFloats(outcome.results[1], {1, 3, 1}, {second, other, 0.02}, 1e-14);
}
