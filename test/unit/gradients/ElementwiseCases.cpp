//===-- ElementwiseCases.cpp - Cases of elementwise rules ---------------------------------------------------===//
#include "test/unit/gradients/Harness.h"

namespace torsh::test {

void addElementwiseCases(std::vector<Case> &cases) {
  constexpr const char *t = "tensor<2x3xf64>";
  auto unary = [&](const char *op, double low, double high) { cases.push_back({op, t, {{t, low, high}}}); };
  auto binary = [&](const char *op, Input a, Input b) { cases.push_back({op, t, {a, b}}); };

  unary("torsh.abs %a : tensor<2x3xf64>", -1, 1);
  unary("torsh.neg %a : tensor<2x3xf64>", -1, 1);
  unary("torsh.exp %a : tensor<2x3xf64>", -1, 1);
  unary("torsh.expm1 %a : tensor<2x3xf64>", -1, 1);
  unary("torsh.log %a : tensor<2x3xf64>", 0.5, 2);
  unary("torsh.log1p %a : tensor<2x3xf64>", -0.5, 2);
  unary("torsh.sqrt %a : tensor<2x3xf64>", 0.5, 2);
  unary("torsh.rsqrt %a : tensor<2x3xf64>", 0.5, 2);
  unary("torsh.sin %a : tensor<2x3xf64>", -2, 2);
  unary("torsh.cos %a : tensor<2x3xf64>", -2, 2);
  unary("torsh.tan %a : tensor<2x3xf64>", -1, 1);
  unary("torsh.asin %a : tensor<2x3xf64>", -0.7, 0.7);
  unary("torsh.acos %a : tensor<2x3xf64>", -0.7, 0.7);
  unary("torsh.atan %a : tensor<2x3xf64>", -2, 2);
  unary("torsh.sinh %a : tensor<2x3xf64>", -1, 1);
  unary("torsh.cosh %a : tensor<2x3xf64>", -1, 1);
  unary("torsh.tanh %a : tensor<2x3xf64>", -1, 1);
  unary("torsh.asinh %a : tensor<2x3xf64>", -2, 2);
  unary("torsh.acosh %a : tensor<2x3xf64>", 1.5, 3);
  unary("torsh.atanh %a : tensor<2x3xf64>", -0.7, 0.7);
  unary("torsh.erf %a : tensor<2x3xf64>", -1, 1);
  unary("torsh.sigmoid %a : tensor<2x3xf64>", -3, 3);
  unary("torsh.softplus %a : tensor<2x3xf64>", -3, 3);
  unary("torsh.cast %a : (tensor<2x3xf64>) -> tensor<2x3xf64>", -1, 1);

  Input any{t}, positive{t, 0.5, 2};
  binary("torsh.add %a, %b : tensor<2x3xf64>", any, any);
  binary("torsh.sub %a, %b : tensor<2x3xf64>", any, any);
  binary("torsh.mul %a, %b : tensor<2x3xf64>", any, any);
  binary("torsh.div %a, %b : tensor<2x3xf64>", any, positive);
  binary("torsh.rem %a, %b : tensor<2x3xf64>", {t, 5, 9}, positive);
  binary("torsh.mod %a, %b : tensor<2x3xf64>", {t, -9, -5}, positive);
  binary("torsh.pow %a, %b : tensor<2x3xf64>", positive, {t, -2, 3});
  binary("torsh.maximum %a, %b : tensor<2x3xf64>", any, any);
  binary("torsh.minimum %a, %b : tensor<2x3xf64>", any, any);
  cases.push_back(
      {"torsh.select %a, %b, %c : (tensor<2x3xi1>, tensor<2x3xf64>, tensor<2x3xf64>) -> tensor<2x3xf64>",
       t,
       {{"tensor<2x3xi1>", 0, 0, {1, 0, 0, 1, 1, 0}}, any, any}});
}

} // namespace torsh::test
