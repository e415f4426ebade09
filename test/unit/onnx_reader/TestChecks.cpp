//===- TestChecks.cpp - Structure of models -------------------------------===//
#include "WireWriter.h"
#include <catch2/catch.hpp>

using namespace torsh::onnx;
using namespace torsh::onnx::test;

/// x -> the given nodes -> y.
static Msg graphOf(const std::vector<Msg> &nodes) {
  Msg graph;
  for (const Msg &item : nodes)
    graph.sub(1, item);
  return graph.sub(11, floatValue("x")).sub(12, floatValue("y"));
}

static void refused(const Msg &file, Code code, const char *part) {
  Outcome outcome = load(file.data());
  INFO(outcome.message);
  CHECK(outcome.has(code));
  CHECK(outcome.message.find(part) != std::string::npos);
}

TEST_CASE("a sorted graph keeps its order, an unsorted one is sorted", "[checks]") {
  std::string sorted =
      model(graphOf({node("A", {"x"}, {"a"}), node("B", {"a"}, {"b"}), node("C", {"x"}, {"y"})})).data();
  Outcome first = load(sorted);
  REQUIRE(first.codes.empty());
  const NodeOrder &same = first.checked.graphOrders[&first.file->model().graph];
  CHECK(std::vector<uint32_t>(same.begin(), same.end()) == std::vector<uint32_t>{0, 1, 2});

  std::string mixed =
      model(graphOf({node("C", {"b"}, {"y"}), node("B", {"a"}, {"b"}), node("A", {"x"}, {"a"})})).data();
  Outcome second = load(mixed);
  INFO(second.message);
  REQUIRE(second.codes.empty());
  const NodeOrder &order = second.checked.graphOrders[&second.file->model().graph];
  CHECK(std::vector<uint32_t>(order.begin(), order.end()) == std::vector<uint32_t>{2, 1, 0});
}

TEST_CASE("cycles are told node by node", "[checks]") {
  refused(model(graphOf({node("Add", {"x", "b"}, {"a"}, "first"), node("Relu", {"a"}, {"b"}, "second"),
                         node("Relu", {"a"}, {"y"})})),
          Code::Cycle, "node 'first' (Add) -> node 'second' (Relu) -> node 'first' (Add)");
  refused(model(graphOf({node("Add", {"x", "y"}, {"y"})})), Code::Cycle, "node Add#0 (outputs: 'y')");
  // Through a value that a nested graph captures.
  Msg body = Msg().sub(1, node("Relu", {"y"}, {"z"})).sub(12, floatValue("z"));
  refused(
      model(graphOf({node("If", {"x"}, {"y"}, "branch").sub(5, attribute("then_branch", 5).sub(6, body))})),
      Code::Cycle, "node 'branch' (If)");
}

TEST_CASE("a long chain in the wrong order is sorted without deep recursion", "[checks]") {
  Msg graph;
  int count = 100000;
  for (int i = count; i > 0; --i)
    graph.sub(1, node("N", {i == 1 ? "x" : "v" + std::to_string(i - 1)},
                      {i == count ? "y" : "v" + std::to_string(i)}));
  std::string bytes = model(graph.sub(11, floatValue("x")).sub(12, floatValue("y"))).data();
  Outcome outcome = load(bytes);
  REQUIRE(outcome.codes.empty());
  const NodeOrder &order = outcome.checked.graphOrders[&outcome.file->model().graph];
  CHECK(order.front() == uint32_t(count - 1));
  CHECK(order.back() == 0);
}

TEST_CASE("values must be defined", "[checks]") {
  refused(model(graphOf({node("Relu", {"weight"}, {"y"}, "r")})), Code::UndefinedValue,
          "value 'weight', used by node 'r' (Relu)");
  refused(model(graphOf({})), Code::UndefinedValue, "value 'y', used by an output of the graph");
  // All of them, in one report.
  Outcome both = load(model(graphOf({node("Add", {"p", "q"}, {"y"})})).data());
  CHECK(both.codes.size() == 2);
  // An empty name is an absent optional.
  CHECK(load(model(graphOf({node("Clip", {"x", "", "x"}, {"y", ""})})).data()).codes.empty());
}

TEST_CASE("nested graphs see the names outside", "[checks]") {
  auto withBranch = [](const std::string &used) {
    Msg body = Msg().sub(1, node("Relu", {used}, {"inner"}, "nested")).sub(12, floatValue("inner"));
    Msg outer = Msg()
                    .sub(1, node("If", {"x"}, {"o"}).sub(5, attribute("then_branch", 5).sub(6, body)))
                    .sub(12, floatValue("o"));
    return model(graphOf({node("Relu", {"x"}, {"a"}),
                          node("If", {"x"}, {"y"}).sub(5, attribute("then_branch", 5).sub(6, outer))}));
  };
  CHECK(load(withBranch("a").data()).codes.empty());
  refused(withBranch("nowhere"), Code::UndefinedValue, "node 'nested' (Relu)");
  // A value inside is not visible outside.
  Msg body = Msg().sub(1, node("Relu", {"x"}, {"inner"})).sub(12, floatValue("inner"));
  refused(model(graphOf({node("If", {"x"}, {"a"}).sub(5, attribute("then_branch", 5).sub(6, body)),
                         node("Relu", {"inner"}, {"y"})})),
          Code::UndefinedValue, "'inner'");
}

TEST_CASE("names are given once", "[checks]") {
  refused(model(graphOf({node("A", {"x"}, {"y"}), node("B", {"x"}, {"y"})})), Code::DuplicateName,
          "output 'y' of node B#1");
  refused(model(graphOf({node("A", {"x"}, {"x", "y"})})), Code::DuplicateName, "output 'x'");
  refused(model(graphOf({node("A", {"x"}, {"y"})}).sub(11, floatValue("x"))), Code::DuplicateName,
          "graph input");
  Msg weight = tensor("w", 1, {1}).fixed(4, 1.0f);
  refused(model(graphOf({node("A", {"x"}, {"y"})}).sub(5, weight).sub(5, weight)), Code::DuplicateName,
          "two initializers");
  refused(model(graphOf({node("A", {"x"}, {"y"}).sub(5, attribute("k", 2)).sub(5, attribute("k", 2))})),
          Code::DuplicateName, "attribute 'k' twice");
  // An initializer is the default of the input of its name.
  CHECK(
      load(model(graphOf({node("A", {"x"}, {"y"})}).sub(5, tensor("x", 1, {4}).str(4, std::string(16, '\0'))))
               .data())
          .codes.empty());
}

TEST_CASE("operator domains must be imported", "[checks]") {
  refused(model(graphOf({node("Gelu", {"x"}, {"y"}, "g").str(7, "com.example")})), Code::NoOpsetImport,
          "uses the operator domain 'com.example'");
  Msg noImport = Msg().num(1, 8).sub(7, graphOf({node("Relu", {"x"}, {"y"})}));
  refused(noImport, Code::NoOpsetImport, "'ai.onnx'");
}

TEST_CASE("declared types are checked", "[checks]") {
  auto withInput = [](const Msg &type) {
    return model(
        Msg().sub(1, node("Relu", {"x"}, {"y"})).sub(11, valueInfo("x", type)).sub(12, floatValue("y")));
  };
  CHECK(load(withInput(tensorType(1, {dimValue(-1), dimValue(3)})).data()).codes.empty());
  refused(withInput(tensorType(99, {})), Code::UnknownDataType, "graph input 'x' has element type 99");
  refused(withInput(tensorType(1, {dimValue(1 << 20), dimValue(1 << 20)})), Code::TooManyElements,
          "graph input 'x'");
  refused(withInput(Msg()), Code::BadValueType, "graph input 'x' has no type");
  refused(model(graphOf({node("A", {"x"}, {"y"})}).sub(5, tensor("w", 1, {-2}))), Code::NegativeDim, "'w'");
  refused(model(graphOf(
              {node("Constant", {}, {"y"}, "c").sub(5, attribute("value", 4).sub(5, tensor("", 1, {3})))})),
          Code::DataSizeMismatch, "in node 'c' (Constant)");
  refused(model(Msg().sub(1, node("A", {}, {"y"}))), Code::NoOutputs, "no outputs");
}

TEST_CASE("functions are checked like graphs, and may not recurse", "[checks]") {
  auto function = [](const std::string &name, const std::vector<Msg> &nodes) {
    Msg message = Msg().str(1, name).str(10, "local").str(4, "a").str(5, "b");
    for (const Msg &item : nodes)
      message.sub(7, item);
    return message.sub(9, opset("", 18)).sub(9, opset("local", 1));
  };
  auto call = [](const std::string &name, const std::string &from, const std::string &to) {
    return node(name, {from}, {to}).str(7, "local");
  };
  Msg file = model(graphOf({call("f", "x", "y")}));
  CHECK(load(Msg(file).sub(25, function("f", {node("Relu", {"a"}, {"b"})})).data()).codes.empty());
  refused(Msg(file).sub(25, function("f", {node("Relu", {"x"}, {"b"})})), Code::UndefinedValue,
          "in function 'f'");
  refused(Msg(file).sub(25, function("f", {call("f", "a", "b")})), Code::RecursiveFunction, "'f' -> 'f'");
  refused(
      Msg(file).sub(25, function("f", {call("g", "a", "b")})).sub(25, function("g", {call("f", "a", "b")})),
      Code::RecursiveFunction, "circle");
  Msg twice = function("f", {node("Relu", {"a"}, {"b"})});
  refused(Msg(file).sub(25, twice).sub(25, twice), Code::DuplicateFunction, "defined twice");

  // Thirty functions that call their successor twice are a billion nodes.
  Msg bomb = model(graphOf({call("f0", "x", "y")}));
  for (int i = 0; i < 30; ++i) {
    std::string next = "f" + std::to_string(i + 1);
    bomb.sub(25, function("f" + std::to_string(i), {call(next, "a", "m"), call(next, "m", "b")}));
  }
  bomb.sub(25, function("f30", {node("Relu", {"a"}, {"b"})}));
  refused(bomb, Code::ExpansionTooLarge, "expanded");
}
