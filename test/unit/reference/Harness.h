//===-- Harness.h - Evaluates graphs written as text
//--------------------------------------------------------===//
#ifndef TORSH_TEST_UNIT_REFERENCE_HARNESS_H
#define TORSH_TEST_UNIT_REFERENCE_HARNESS_H

#include "dialects/torsh/reference/Evaluator.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace torsh::test {

using Floats = std::vector<double>;
using Ints = std::vector<int64_t>;
using Shape = std::vector<int64_t>;

/// The context of all tests, with the dialects loaded.
mlir::MLIRContext &context();
/// The weight store behind `#torsh.weight` in the texts.
WeightStore &weights();
/// A type from its text.
mlir::Type type(llvm::StringRef text);

/// Tensors whose values are given in row-major order.
Tensor floats(Shape shape, Floats values, llvm::StringRef element = "f32");
Tensor ints(Shape shape, Ints values, llvm::StringRef element = "i64");
Tensor bools(Shape shape, Ints values);
/// start, start + step, ... in f32.
Tensor ramp(Shape shape, double start = 0, double step = 1);

/// What an evaluation gives: results, or an error.
struct Outcome {
  std::vector<Tensor> results;
  std::string error;
};
/// Runs the function @f of a module.
Outcome runModule(llvm::StringRef text, const std::vector<Tensor> &inputs,
                  const EvaluatorLimits &limits = {});
/// Runs one op, `torsh.add %a, %b : tensor<2xf32>`, whose operands %a, %b, %c, ... are the inputs with static
/// types. `results` are the types of the results, separated by commas.
Outcome runOp(llvm::StringRef op, llvm::StringRef results, const std::vector<Tensor> &inputs,
              const EvaluatorLimits &limits = {});
/// The only result of an op that must succeed.
Tensor eval(llvm::StringRef op, llvm::StringRef result, const std::vector<Tensor> &inputs);
/// Requires the shape and the values: exactly, NaN equal to NaN and -0 different from 0, or within a
/// tolerance.
void expectFloats(const Tensor &tensor, const Shape &shape, const Floats &values, double tolerance = 0);
void expectInts(const Tensor &tensor, const Shape &shape, const Ints &values);

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

} // namespace torsh::test

#endif // TORSH_TEST_UNIT_REFERENCE_HARNESS_H
