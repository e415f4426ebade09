//===-- TestExport.cpp - Archives of torch.export -----------------------------------------------------------===//
#include "frontends/torch/export/ExportArchive.h"
#include <catch2/catch.hpp>
#include <cstring>

using namespace torsh::torch;

static std::unique_ptr<ExportArchive> openSound(const std::string &name) {
  auto archive = ExportArchive::open(std::string(TORSH_HOSTILE_CORPUS) + "/" + name);
  if (!archive) {
    FAIL(llvm::toString(archive.takeError()));
    return nullptr;
  }
  return std::move(*archive);
}

static std::string faultOf(const std::string &name) {
  auto archive = ExportArchive::open(std::string(TORSH_HOSTILE_CORPUS) + "/" + name);
  return archive ? "" : llvm::toString(archive.takeError());
}

TEST_CASE("every layout of the archive holds the same program and weights", "[export]") {
  for (const char *layout : {"nested.pt2", "configured.pt2", "flat.pt2"}) {
    INFO(layout);
    CHECK(isExportArchive(llvm::StringRef(std::string(TORSH_HOSTILE_CORPUS) + "/" + layout)));
    auto archive = openSound(layout);
    const ExportedProgram &program = archive->program();
    REQUIRE(program.graph.nodes.size() == 5);
    CHECK(program.graph.nodes[0].target == "torch.ops.aten.linear.default");
    CHECK(program.graph.nodes[0].module == "fc");
    CHECK(program.outputNames == std::vector<std::string>{"y"});
    CHECK(program.ranges.at("s0").most == 512);
    const StoredTensor *weight = archive->tensor("fc.weight");
    REQUIRE(weight);
    CHECK(weight->strides == std::vector<int64_t>{1, 2});
    REQUIRE(weight->storage.size() == 32);
    float second;
    std::memcpy(&second, weight->storage.data() + 4, 4);
    CHECK(second == -1.0f);
    REQUIRE(archive->tensor("bias"));
    CHECK(archive->tensor("bias")->sizes == std::vector<int64_t>{2});
    CHECK_FALSE(archive->tensor("fc.bias"));
  }
  CHECK_FALSE(isExportArchive(llvm::StringRef(std::string(TORSH_HOSTILE_CORPUS) + "/sound.pt")));
}

TEST_CASE("stored weights are views of the mapped file", "[export]") {
  std::string path = std::string(TORSH_HOSTILE_CORPUS) + "/nested.pt2";
  auto buffer = llvm::MemoryBuffer::getFile(path, false, false);
  REQUIRE(bool(buffer));
  const char *begin = (*buffer)->getBufferStart(), *end = (*buffer)->getBufferEnd();
  auto archive = ExportArchive::fromBuffer(std::move(*buffer));
  REQUIRE(bool(archive));
  const char *data = (*archive)->tensor("fc.weight")->storage.data();
  CHECK(data >= begin);
  CHECK(data < end);
}

TEST_CASE("a field that is missing is told with its place", "[export]") {
  CHECK(faultOf("program_no_nodes_0_target.pt2")
            .find("missing value at program.graph_module.graph.nodes[0].target") != std::string::npos);
  CHECK(faultOf("program_text_tensor_values_x_dtype.pt2").find("tensor_values.x.dtype") != std::string::npos);
}

TEST_CASE("sizes in both forms", "[export]") {
  using Kind = SizeExpression::Kind;
  auto parse = [](const char *text) {
    auto size = parseSizeExpression(text);
    if (!size) {
      FAIL(llvm::toString(size.takeError()));
      return SizeExpression();
    }
    return *size;
  };
  CHECK(parse("-7").value == -7);
  CHECK(parse("s0").name == "s0");
  CHECK(parse("Symbol('s77', positive=True, integer=True)").name == "s77");
  SizeExpression sum = parse("Add(Mul(Integer(2), Symbol('s0', integer=True)), Integer(-1))");
  REQUIRE(sum.kind == Kind::Add);
  CHECK(sum.operands[0].kind == Kind::Mul);
  CHECK(sum.operands[1].value == -1);
  SizeExpression infix = parse("2*s0 + (s1 - 1)//3");
  REQUIRE(infix.kind == Kind::Add);
  CHECK(infix.operands[1].kind == Kind::FloorDiv);
  CHECK(parse("Max(1, s0, 2)").operands.size() == 3);
  CHECK(parse("Mod(s0, 4)").kind == Kind::Mod);
  for (const char *bad :
       {"", "1 2", "s0**2", "Mod(s0)", "Add()", "Symbol(s0)", "f(s0)", "(", "99999999999999999999"}) {
    auto size = parseSizeExpression(bad);
    INFO(bad);
    CHECK_FALSE(bool(size));
    llvm::consumeError(size.takeError());
  }
}
