//===-- InferenceTest.cpp - Tests of the shape functions that builders run ------------------------------===//
//
// Text gives result types, so lit tests see only what contradicts them. Here builders compute the types.
//
//===----------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Splat.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include <catch2/catch.hpp>

using namespace mlir;
using namespace torsh;

namespace {

struct Fixture {
  Fixture() : builder(&context), module(ModuleOp::create(builder.getUnknownLoc())) {
    context.loadDialect<TorshDialect, func::FuncDialect>();
    builder.setInsertionPointToStart(module->getBody());
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
      errors += diagnostic.str() + "\n";
      return success();
    });
  }

  RankedTensorType type(ArrayRef<StringRef> dims, Type element = {}) {
    SmallVector<DimAttr> parsed;
    for (StringRef text : dims)
      parsed.push_back(*dim::parse(&context, text));
    return makeTensorType(parsed, element ? element : Float32Type::get(&context));
  }
  /// A value of this type whose producer does not matter.
  Value value(ArrayRef<StringRef> dims, Type element = {}) {
    OperationState state(builder.getUnknownLoc(), "builtin.unrealized_conversion_cast");
    state.addTypes(type(dims, element));
    return builder.create(state)->getResult(0);
  }
  static SmallVector<std::string> dims(Value value) {
    SmallVector<std::string> texts;
    for (DimAttr dim : getDims(value))
      texts.push_back(dim::toString(dim));
    return texts;
  }
  std::string normal(StringRef text) { return dim::toString(*dim::parse(&context, text)); }

  MLIRContext context;
  OpBuilder builder;
  OwningOpRef<ModuleOp> module;
  std::string errors;
};

using Texts = SmallVector<std::string>;

} // namespace

TEST_CASE_METHOD(Fixture, "convolution sizes") {
  Location loc = builder.getUnknownLoc();
  Value x = value({"n", "6", "h", "20"}), w = value({"4", "3", "3", "5"});
  auto conv = ConvOp::create(builder, loc, x, w, Value(), ArrayRef<int64_t>{2, 3}, ArrayRef<int64_t>{2, 1},
                             ArrayRef<int64_t>{0, 2}, ArrayRef<int64_t>{1, 2}, 2);
  // (h + 1 - 2*2 - 1) / 2 + 1 and (20 + 4 - 4 - 1) / 3 + 1
  CHECK(dims(conv) == Texts{"n", "4", normal("floordiv(h - 4, 2) + 1"), "7"});
  Value t = value({"n", "h", "20", "6"}), v = value({"3", "4", "6", "2"});
  auto transpose = ConvTransposeOp::create(
      builder, loc, t, v, Value(), ArrayRef<int64_t>{2, 1}, ArrayRef<int64_t>{1, 2}, ArrayRef<int64_t>{1, 1},
      ArrayRef<int64_t>{0, 1}, ArrayRef<int64_t>{1, 0}, 2, Layout::channels_last);
  CHECK(dims(transpose) == Texts{"n", normal("2*h + 1"), "24", "4"});
  CHECK(succeeded(verify(*module)));
}

TEST_CASE_METHOD(Fixture, "pooling sizes agree with counting the windows") {
  Location loc = builder.getUnknownLoc();
  Value x = value({"1", "1", "size"});
  for (int64_t window : {1, 2, 3})
    for (int64_t stride : {1, 2, 3})
      for (int64_t dilation : {1, 2})
        for (int64_t low : {0, 1})
          for (int64_t high : {0, 1})
            for (bool ceilMode : {false, true}) {
              auto pool = MaxPoolOp::create(builder, loc, x, window, stride, dilation, low, high, ceilMode);
              for (int64_t size = 5; size < 12; ++size) {
                int64_t reach = dilation * (window - 1), count = 0;
                for (int64_t start = 0; start + reach < low + size + high; start += stride)
                  ++count;
                // One more window may stick out when it starts inside the input or its low padding.
                bool exact = (low + size + high - reach - 1) % stride == 0;
                if (ceilMode) {
                  if (!exact)
                    ++count;
                  while ((count - 1) * stride >= size + low)
                    --count;
                }
                dim::Bindings bindings;
                bindings["size"] = size;
                INFO("window " << window << " stride " << stride << " dilation " << dilation << " low " << low
                               << " high " << high << " ceil " << ceilMode << " size " << size);
                REQUIRE(dim::evaluate(getDims(pool)[2], bindings) == count);
              }
            }
}

TEST_CASE_METHOD(Fixture, "shapes of the other ops") {
  Location loc = builder.getUnknownLoc();
  Value x = value({"n", "3", "m + 1"});
  Type i64 = builder.getI64Type();
  CHECK(dims(TransposeOp::create(builder, loc, x, ArrayRef<int64_t>{2, 0, 1})) == Texts{"m + 1", "n", "3"});
  CHECK(dims(ConcatOp::create(builder, loc, ValueRange{x, x}, 2)) == Texts{"n", "3", normal("2*m + 2")});
  CHECK(dims(ReduceOp::create(builder, loc, x, ReduceKind::sum, ArrayRef<int64_t>{0, 2}, false)) ==
        Texts{"3"});
  CHECK(dims(ReduceOp::create(builder, loc, x, ReduceKind::max, ArrayRef<int64_t>{1}, true)) ==
        Texts{"n", "1", "m + 1"});
  auto argReduce = ArgReduceOp::create(builder, loc, x, ReduceKind::max, 1, false);
  CHECK(argReduce.getY().getType() == type({"n", "m + 1"}, i64));
  CHECK(dims(GatherOp::create(builder, loc, x, value({"k", "2"}, i64), 1)) == Texts{"n", "k", "2", "m + 1"});
  CHECK(dims(GatherNdOp::create(builder, loc, x, value({"n", "7", "1"}, i64), 1)) ==
        Texts{"n", "7", "m + 1"});
  Value a = value({"b", "8", "s", "64"});
  CHECK(dims(DotGeneralOp::create(builder, loc, a, a, {0, 1}, {0, 1}, {3}, {3})) ==
        Texts{"b", "8", "s", "s"});
  auto compare = CompareOp::create(builder, loc, x, x, ComparePredicate::lt);
  CHECK(compare.getY().getType() == type({"n", "3", "m + 1"}, builder.getI1Type()));
  CHECK(IsNanOp::create(builder, loc, x).getY().getType() == compare.getY().getType());
  CHECK(succeeded(verify(*module)));
  CHECK(errors.empty());
}

TEST_CASE_METHOD(Fixture, "a wrong model is an error of the verifier, never the end of the process") {
  Location loc = builder.getUnknownLoc();
  Value x = value({"1", "3", "8"}), w = value({"4", "3", "3"});
  SECTION("lists of the wrong length") {
    ConvOp::create(builder, loc, x, w, Value(), ArrayRef<int64_t>{1, 1}, ArrayRef<int64_t>{1},
                   ArrayRef<int64_t>{0}, ArrayRef<int64_t>{0}, 1);
    CHECK(errors.find("conv_c1: a list has 2 entries") != std::string::npos);
  }
  SECTION("an axis out of range") {
    ArgReduceOp::create(builder, loc, x, ReduceKind::max, 7, false);
    CHECK(errors.find("arg_reduce_c1: axis 7") != std::string::npos);
  }
  SECTION("no operands") {
    ConcatOp::create(builder, loc, ValueRange(), 0);
    CHECK(errors.find("concat_c1: there are no operands") != std::string::npos);
  }
  SECTION("dims of a contraction that do not exist") {
    DotGeneralOp::create(builder, loc, x, x, {-1}, {9}, {5}, {});
  }
  SECTION("a window larger than the input") {
    ConvOp::create(builder, loc, x, value({"4", "3", "11"}), Value(), 1, 1, 0, 0, 1);
    CHECK(errors.find("conv_c1: dim 2 of the result would be -2") != std::string::npos);
  }
  CHECK(failed(verify(*module)));
}

TEST_CASE_METHOD(Fixture, "splats") {
  Location loc = builder.getUnknownLoc();
  Value fixed = createSplat(builder, loc, type({"2", "3"}), 1.5);
  CHECK(fixed.getDefiningOp<ConstantOp>());
  CHECK(getSplatNumber(fixed) == 1.5);
  Value symbolic = createSplat(builder, loc, type({"n", "3"}), 1.5);
  CHECK(symbolic.getDefiningOp<BroadcastOp>());
  CHECK(symbolic.getType() == type({"n", "3"}));
  CHECK(getSplatNumber(symbolic) == 1.5);
  CHECK(getSplatNumber(createSplat(builder, loc, type({"4"}, builder.getIntegerType(8)), -3)) == -3.0);
  CHECK(getSplatNumber(createSplat(builder, loc, type({"4"}, builder.getIntegerType(8, false)), 200)) ==
        200.0);
  CHECK(getSplatNumber(createSplat(builder, loc, type({"4"}, builder.getI1Type()), 1)) == 1.0);
  CHECK(getSplatNumber(createSplat(builder, loc, type({"4"}, builder.getF16Type()), 65504)) == 65504.0);
  CHECK(!getSplatNumber(value({"2"})));
  CHECK(succeeded(verify(*module)));
}
