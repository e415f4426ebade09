//===-- TestUnpickler.cpp - Opcodes, and the bounds of the stack machine ------------------------------------===//
#include "frontends/torch/reader/Unpickler.h"
#include <catch2/catch.hpp>

using namespace torsh::torch;
using Kind = PickleValue::Kind;

/// A pickle of protocol 2 with this body.
static llvm::Expected<PickleGraph> read(const std::string &body, const PickleLimits &limits = {}) {
  static std::string bytes;
  bytes = "\x80\x02" + body + ".";
  return readPickle(bytes, "test.pkl", limits);
}

static std::string faultOf(const std::string &body, const PickleLimits &limits = {}) {
  auto graph = read(body, limits);
  return graph ? "" : llvm::toString(graph.takeError());
}

TEST_CASE("numbers of all sizes", "[pickle]") {
  auto number = [](const std::string &body) {
    auto graph = read(body);
    REQUIRE(bool(graph));
    REQUIRE(graph->root->kind == Kind::Int);
    return graph->root->integer;
  };
  CHECK(number("K\xff") == 255);
  CHECK(number(std::string("M\x01\x02", 3)) == 513);
  CHECK(number("J\xfe\xff\xff\xff") == -2);
  CHECK(number(std::string("\x8a\x00", 2)) == 0);
  CHECK(number("\x8a\x01\x80") == -128);
  CHECK(number(std::string("\x8a\x05\x00\x00\x00\x00\x01", 7)) == int64_t(1) << 32);
  CHECK(number("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f") == INT64_MAX);
  auto graph = read(std::string("G\x3f\xf8\0\0\0\0\0\0", 9));
  REQUIRE(bool(graph));
  CHECK(graph->root->number == 1.5);
}

TEST_CASE("containers, and values that are shared", "[pickle]") {
  auto graph = read("(K\x01K\x02K\x03t");
  REQUIRE(bool(graph));
  CHECK(graph->root->items.size() == 3);
  graph = read("]q\x01(K\x01h\x01"
               "e");
  REQUIRE(bool(graph));
  // The list contains itself, which is data and no reason to hang.
  CHECK(graph->root->items[1] == graph->root);
  graph = read("}(X\x01\0\0\0aNX\x01\0\0\0b\x88u");
  CHECK_FALSE(bool(graph)); // the text above ends at its first zero
  llvm::consumeError(graph.takeError());
  graph = read(std::string("}(X\x01\0\0\0aNX\x01\0\0\0b\x88u", 17));
  REQUIRE(bool(graph));
  CHECK(graph->root->items.size() == 4);
  CHECK(graph->root->items[3]->flag);
}

TEST_CASE("only names of a short list mean something", "[pickle]") {
  for (const char *name : {"cos\nsystem\n", "cposix\nsystem\n", "cbuiltins\nexec\n", "csubprocess\nPopen\n",
                           "c__builtin__\neval\n", "ctorch\nload\n", "c__torch__evil\nx\n"}) {
    std::string fault = faultOf(name);
    INFO(name << fault);
    CHECK(fault.find("TSH-0171: ") == 0);
  }
  CHECK(faultOf("c__torch__.a\nB\n)\x81").empty());
  CHECK(faultOf("ccollections\nOrderedDict\n)R").empty());
  CHECK(faultOf("ccollections\nOrderedDict\n)\x81").find("TSH-0170: ") == 0);
}

TEST_CASE("a pickle cannot take more memory than its limits", "[pickle]") {
  PickleLimits limits;
  limits.maxValues = 100;
  limits.maxMemo = 10;
  CHECK(faultOf(std::string(200, 'N') + "0", limits).find("TSH-0172: ") == 0);
  CHECK(faultOf(std::string(200, '('), limits).find("TSH-0172: ") == 0);
  CHECK(faultOf("Nq\x0b", limits).find("TSH-0172: ") == 0);
  CHECK(faultOf("Nq\x09", limits).empty());
}

TEST_CASE("every cut of a pickle is refused", "[pickle]") {
  std::string whole("\x80\x02}(X\x01\0\0\0aK\x01X\x01\0\0\0b\x8a\x01\x05u.", 23);
  REQUIRE(bool(readPickle(whole, "whole")));
  for (size_t size = 0; size + 1 < whole.size(); ++size) {
    auto graph = readPickle(llvm::StringRef(whole).take_front(size), "cut");
    INFO(size);
    CHECK_FALSE(bool(graph));
    llvm::consumeError(graph.takeError());
  }
}
