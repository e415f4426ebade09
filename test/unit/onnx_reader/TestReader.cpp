//===- TestReader.cpp - Parsed records ------------------------------------===//
#include "WireWriter.h"
#include <catch2/catch.hpp>

using namespace torsh::onnx;
using namespace torsh::onnx::test;

TEST_CASE("all parts of a model reach the records", "[reader]") {
  Msg attributes = node("Op", {"x", ""}, {"y"}, "first")
                       .str(7, "ai.onnx")
                       .str(8, "v2")
                       .sub(9, entry("source", "layer1"))
                       .sub(5, attribute("f", 1).fixed(2, 0.5f))
                       .sub(5, attribute("i", 2).num(3, uint64_t(-7)))
                       .sub(5, attribute("s", 3).str(4, "text"))
                       .sub(5, attribute("t", 4).sub(5, tensor("", 1, {1}).str(9, std::string(4, '\0'))))
                       .sub(5, attribute("fs", 6).fixed(7, 1.0f).str(7, Msg::raw<float>({2, 3})))
                       .sub(5, attribute("is", 7).num(8, 1).str(8, varint(2) + varint(3)))
                       .sub(5, attribute("ss", 8).str(9, "a").str(9, "b"))
                       .sub(5, attribute("tp", 13).sub(14, tensorType(7, {})))
                       .sub(5, Msg().str(1, "ref").str(21, "outer").num(20, 2))
                       .sub(5, Msg().str(1, "untyped").num(3, 4));
  Msg sequence = Msg().sub(4, Msg().sub(1, tensorType(1, {dimParam("n")})));
  Msg map = Msg().sub(5, Msg().num(1, 8).sub(2, tensorType(7, {})));
  Msg graph =
      Msg()
          .str(2, "main")
          .sub(1, attributes)
          .sub(5, tensor("w", 1, {2}).str(9, Msg::raw<float>({1, 2})))
          .sub(11, valueInfo("x", tensorType(1, {dimValue(3), dimParam("batch"), dimValue(-1), Msg()})))
          .sub(11, valueInfo("seq", sequence))
          .sub(11, valueInfo("map", map))
          .sub(12, valueInfo("y", tensorType(1, {})))
          .num(99, 5);
  Msg function = Msg()
                     .str(1, "fn")
                     .str(10, "local")
                     .str(13, "v2")
                     .str(4, "a")
                     .str(5, "b")
                     .str(6, "required")
                     .sub(7, node("Relu", {"a"}, {"b"}))
                     .sub(9, opset("", 18))
                     .sub(11, attribute("alpha", 1).fixed(2, 0.25f));
  std::string bytes = Msg()
                          .num(1, 13)
                          .str(2, "maker")
                          .sub(7, graph)
                          .sub(8, opset("ai.onnx", 21))
                          .sub(8, opset("local", 1))
                          .sub(25, function)
                          .sub(14, entry("k", "v"))
                          .data();
  Outcome outcome = load(bytes);
  INFO(outcome.message);
  REQUIRE(outcome.codes.empty());
  const Model &seen = outcome.file->model();
  CHECK(seen.irVersion == 13);
  CHECK(seen.producerName == "maker");
  REQUIRE(seen.opsetImports.size() == 2);
  CHECK(seen.opsetImports[0].domain == "");
  CHECK(seen.opsetImports[0].version == 21);
  CHECK(seen.metadata[0].value == "v");

  const Node &first = seen.graph.nodes[0];
  CHECK(first.name == "first");
  CHECK(first.domain == "");
  CHECK(first.overload == "v2");
  CHECK(first.metadata[0].value == "layer1");
  REQUIRE(first.inputs.size() == 2);
  CHECK(first.inputs[1].empty());
  REQUIRE(first.attributes.size() == 10);
  CHECK(first.attribute("f")->f == 0.5f);
  CHECK(first.attribute("i")->i == -7);
  CHECK(first.attribute("s")->s == "text");
  CHECK(first.attribute("t")->t->dims[0] == 1);
  CHECK(first.attribute("fs")->floats.vec() == std::vector<float>{1, 2, 3});
  CHECK(first.attribute("is")->ints.vec() == std::vector<int64_t>{1, 2, 3});
  CHECK(first.attribute("ss")->strings[1] == "b");
  CHECK(first.attribute("tp")->type->elemType == 7);
  CHECK(first.attribute("ref")->refAttrName == "outer");
  CHECK(first.attribute("untyped")->kind == Attribute::Kind::Int);
  CHECK(first.attribute("absent") == nullptr);

  const Type &x = *seen.graph.inputs[0].type;
  CHECK(x.kind == Type::Kind::Tensor);
  REQUIRE(x.dims.size() == 4);
  CHECK(x.dims[0].value == 3);
  CHECK(x.dims[1].param == "batch");
  CHECK(x.dims[2].kind == Dim::Kind::Anonymous);
  CHECK(x.dims[3].kind == Dim::Kind::Anonymous);
  const Type &list = *seen.graph.inputs[1].type;
  CHECK(list.kind == Type::Kind::Sequence);
  CHECK(list.element->dims[0].param == "n");
  CHECK(seen.graph.inputs[2].type->elemType == 8);
  CHECK(seen.graph.inputs[2].type->element->elemType == 7);
  CHECK(seen.graph.outputs[0].type->hasShape);

  // Weights are views, not copies.
  const Tensor &w = seen.graph.initializers[0];
  CHECK(w.rawData.data() >= bytes.data());
  CHECK(w.rawData.data() + w.rawData.size() <= bytes.data() + bytes.size());

  REQUIRE(seen.functions.size() == 1);
  CHECK(seen.functions[0].overload == "v2");
  CHECK(seen.functions[0].domain == "local");
  CHECK(seen.functions[0].attributeNames[0] == "required");
  CHECK(seen.functions[0].attributeDefaults[0].f == 0.25f);
}

TEST_CASE("files that are no model are refused", "[reader]") {
  CHECK(load("").has(Code::NotAFile));
  CHECK(load("hello, this is a text file\n").codes.size() == 1);
  CHECK(load(Msg().num(1, 8).data()).has(Code::NotAModel));
  CHECK(load(Msg().sub(7, Msg()).sub(7, Msg()).data()).has(Code::RepeatedMessage));
  CHECK(load(Msg().num(7, 3).data()).has(Code::WrongWireType));
  CHECK(load(model(Msg().sub(1, Msg().num(4, 1))).data()).has(Code::WrongWireType));
}

TEST_CASE("every prefix of a model is refused or read, never overrun", "[reader]") {
  Msg graph = Msg()
                  .sub(1, node("Relu", {"x"}, {"y"}).sub(5, attribute("a", 7).str(8, "\1\2\3")))
                  .sub(11, floatValue("x"))
                  .sub(12, floatValue("y"));
  std::string whole = model(graph).data();
  REQUIRE(load(whole).codes.empty());
  for (size_t size = 0; size < whole.size(); ++size) {
    // A copy of the exact size lets a sanitizer see one byte too far.
    std::vector<char> part(whole.begin(), whole.begin() + long(size));
    auto file = readModelBuffer({part.data(), part.size()}, "part", {});
    std::vector<unsigned> codes = file ? std::vector<unsigned>() : codesOf(file.takeError());
    // The opset import is the last field, so only a cut just before it leaves a readable file.
    size_t beforeImport = whole.size() - Msg().sub(8, opset("", 20)).data().size();
    INFO(size);
    CHECK(codes.empty() == (size == beforeImport));
  }
}

TEST_CASE("limits hold", "[reader]") {
  auto nested = [](int levels) {
    Msg graph = Msg().sub(1, node("Relu", {"x"}, {"y"})).sub(12, floatValue("y"));
    for (int i = 0; i < levels; ++i)
      graph = Msg()
                  .sub(1, node("If", {}, {"y"}).sub(5, attribute("body", 5).sub(6, graph)))
                  .sub(12, floatValue("y"));
    return model(graph.sub(11, floatValue("x"))).data();
  };
  std::string fine = nested(30), deep = nested(40), absurd = nested(1000);
  CHECK(load(fine).codes.empty());
  CHECK(load(deep).has(Code::TooDeep));
  CHECK(load(absurd).has(Code::TooDeep));

  std::string emptyNodes;
  for (int i = 0; i < 100000; ++i)
    emptyNodes += std::string("\x0A\x00", 2);
  ReadLimits small;
  small.maxParsedBytes = 1 << 20;
  CHECK(load(model(Msg().bytes(emptyNodes)).data(), small).has(Code::TooLarge));
}
