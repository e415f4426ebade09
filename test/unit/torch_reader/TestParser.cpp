//===-- TestParser.cpp - TorchScript's source -> syntax tree ------------------------------------------------===//
#include "frontends/torch/script/Parser.h"
#include <catch2/catch.hpp>
#include <cmath>

using namespace torsh::torch;
using Kind = Expr::Kind;

static std::unique_ptr<SourceFile> parse(const std::string &text) {
  auto file = parseSource(text, "code/test.py");
  if (!file) {
    FAIL(llvm::toString(file.takeError()));
    return nullptr;
  }
  return std::move(*file);
}

/// The expression of `return EXPRESSION`.
static const Expr &returned(std::unique_ptr<SourceFile> &file, const std::string &expression) {
  file = parse("def f(x):\n  return " + expression + "\n");
  return *file->functions[0]->body[0]->values[0];
}

static std::string faultOf(const std::string &text) {
  auto file = parseSource(text, "code/test.py");
  return file ? "" : llvm::toString(file.takeError());
}

TEST_CASE("literals", "[parser]") {
  std::unique_ptr<SourceFile> file;
  CHECK(returned(file, "42").integer == 42);
  CHECK(returned(file, "-3").integer == -3);
  CHECK(returned(file, "9223372036854775807").integer == INT64_MAX);
  CHECK(returned(file, "-9223372036854775808").integer == INT64_MIN);
  CHECK(returned(file, "1.").number == 1.0);
  CHECK(returned(file, "1.0000000000000001e-05").number == 1e-5);
  CHECK(returned(file, "-0.5").number == -0.5);
  CHECK(std::isinf(returned(file, "-inf").number));
  CHECK(std::isnan(returned(file, "nan").number));
  CHECK(returned(file, "1j").kind == Kind::Complex);
  CHECK(returned(file, "\"a\\303\\244\\n\\\"\\x41\"").text == "a\303\244\n\"A");
  CHECK(returned(file, "True").integer == 1);
  CHECK(returned(file, "None").kind == Kind::None);
}

TEST_CASE("calls, attributes, subscripts and tuples", "[parser]") {
  std::unique_ptr<SourceFile> file;
  const Expr &call = returned(file, "torch.to(x, 6, dtype=3, device=torch.device(\"cpu\"))");
  REQUIRE(call.kind == Kind::Call);
  CHECK(call.arguments().size() == 2);
  REQUIRE(call.named.size() == 2);
  CHECK(call.named[0].first == "dtype");
  const Expr &method = returned(file, "(conv1).forward(x, )");
  CHECK(method.items[0]->text == "forward");
  CHECK(method.items[0]->items[0]->isName("conv1"));
  CHECK(returned(file, "()").items.empty());
  CHECK(returned(file, "(x,)").kind == Kind::Tuple);
  CHECK(returned(file, "(x)").kind == Kind::Name);
  CHECK(returned(file, "(x)[0]").kind == Kind::Subscript);
  const Expr &slice = returned(file, "(x)[1:]");
  CHECK(slice.kind == Kind::Slice);
  CHECK(slice.items[2] == nullptr);
  CHECK(returned(file, "annotate(Dict[str, Tuple[int, Tensor]], {\"k\": (1, x), })").arguments().size() == 2);
}

TEST_CASE("assignments", "[parser]") {
  auto file = parse("def f(s, x):\n  a, b = x, 1\n  a0, = x\n  c, d, = x\n  e: int = 2\n  s.y = a\n  f, g = "
                    "torch.max(x, 1)\n");
  const auto &body = file->functions[0]->body;
  CHECK_FALSE(body[0]->unpack);
  CHECK(body[0]->values.size() == 2);
  CHECK(body[1]->unpack);
  CHECK(body[2]->unpack);
  CHECK(body[2]->targets.size() == 2);
  CHECK(body[3]->type->isName("int"));
  CHECK(body[4]->targets[0]->kind == Kind::Attribute);
  CHECK(body[5]->unpack);
}

TEST_CASE("blocks", "[parser]") {
  auto file = parse("def f(x: Tensor,\n    n: int=3) -> Tensor:\n"
                    "  for i in range(n):\n    if x:\n      pass\n    else:\n      y = 1\n"
                    "  while c:\n    c = x\n  with g as h:\n    z = 1\n\n  # nothing\n  def inner():\n    "
                    "return 1\n  return x\n");
  const FunctionDef &function = *file->functions[0];
  REQUIRE(function.parameters.size() == 2);
  CHECK(function.parameters[1].otherwise->integer == 3);
  REQUIRE(function.body.size() == 5);
  CHECK(function.body[0]->body[0]->other.size() == 1);
  CHECK(function.body[1]->kind == Stmt::Kind::While);
  CHECK(function.body[2]->targets[0]->isName("h"));
  CHECK(function.body[3]->function->name == "inner");
}

TEST_CASE("classes", "[parser]") {
  auto file =
      parse("op_version_set = 1\nimport __torch__.a\n"
            "class M(Module):\n  __parameters__ = [\"w\", ]\n  w : Tensor\n  __annotations__[\"0\"] = int\n"
            "  eps : Final[float] = 1e-05\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    "
            "return x\n"
            "class E(Enum):\n  RED = 1\n");
  REQUIRE(file->classes.size() == 2);
  const ClassDef &module = *file->classes[0];
  CHECK(module.base == "Module");
  REQUIRE(module.attributes.size() == 4);
  CHECK(module.attributes[2].name == "0");
  CHECK(module.method("forward")->line == 8);
  CHECK(module.method("backward") == nullptr);
  CHECK(file->classes[1]->attributes[0].value->integer == 1);
}

TEST_CASE("what PyTorch does not write is refused with its line", "[parser]") {
  CHECK(faultOf("def f(x):\n  return x + 1\n").find("TSH-0180: code/test.py:2: ") == 0);
  CHECK(faultOf("def f(x):\n  y = [a for a in x]\n").find("TSH-0180: code/test.py:2: ") == 0);
  CHECK(faultOf("f(x)\n").find("TSH-0180: code/test.py:1: a class or a function is expected, not 'f'") == 0);
  CHECK(faultOf("def f(x):\n  f(a=1, 2)\n").find("a positional argument after a named one") !=
        std::string::npos);
  CHECK(faultOf("def f(x):\n  1 = x\n").find("only a name or an attribute can be assigned") !=
        std::string::npos);
  CHECK(faultOf("def f(x):\n  a, b, c = x, y\n").find("as many values as targets") != std::string::npos);
  // The text ends in the middle of an escape.
  CHECK(faultOf("def f(x):\n  return \"\\xA").find("an escape in a string") != std::string::npos);
  CHECK(faultOf("def f(x):\n  return " + std::string(5000, '[') + "\n").find("TSH-0181: ") == 0);
}
