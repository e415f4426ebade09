//===-- KernelHarness.cpp - Compares kernels with the reference evaluator -----------------------------------===//
#include "KernelHarness.h"
#include "CaseEvaluation.h"
#include "compiler/KernelCompiler.h"
#include "passes/lowering/KernelBuilder.h"
#include "torsh/artifact.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include <sys/mman.h>
#include <unistd.h>

using namespace llvm;

namespace torsh::test {
namespace {

/// Bytes that end (inputs) or start and end (outputs) where nobody else's memory is.
class Buffer {
public:
  static constexpr size_t frame = 256;
  static constexpr char frameByte = 0x5A;

  /// The bytes end right before a page that cannot be touched.
  explicit Buffer(size_t size) : size(size) {
    size_t page = sysconf(_SC_PAGESIZE);
    mapped = (size + frame + page - 1) / page * page + page;
    base = static_cast<char *>(
        mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(base != MAP_FAILED);
    REQUIRE(mprotect(base + mapped - page, page, PROT_NONE) == 0);
    data = base + mapped - page - size;
    // What lies before is recognisable; outputs start as NaN in every float type.
    std::fill(base, data, frameByte);
    std::fill(data, data + size, char(0xFF));
  }
  Buffer(const Buffer &) = delete;
  Buffer(Buffer &&other) : base(other.base), data(other.data), size(other.size), mapped(other.mapped) {
    other.base = nullptr;
  }
  ~Buffer() {
    if (base)
      munmap(base, mapped);
  }
  bool frameIsWhole() const {
    return std::all_of(data - frame, data, [](char byte) { return byte == frameByte; });
  }
  std::vector<char> bytes() const { return std::vector<char>(data, data + size); }

  char *base, *data;
  size_t size, mapped;
};

/// The level under test and a second one whose vectors LLVM splits on this machine.
const std::vector<CpuLevel> &levels() {
  static const std::vector<CpuLevel> levels = [] {
    std::vector<CpuLevel> selected = cantFail(selectLevels("x86-64-v3", Products::EmulatedBf16));
    CpuLevel wide = selected[0];
    wide.name = "wide";
    wide.kernels = {16, 32, PairDot::Emulated};
    selected.push_back(wide);
    return selected;
  }();
  return levels;
}

/// Runs one compiled kernel on the inputs and compares.
void runKernel(KernelOp kernel, torsh_kernel_fn function, const Case &one, const dim::Bindings &symbols,
               ArrayRef<Tensor> inputs, ArrayRef<Tensor> expected) {
  std::vector<Buffer> in;
  std::vector<const void *> inPointers;
  for (const Tensor &input : inputs) {
    std::vector<char> bytes = input.toBytes();
    Buffer &buffer = in.emplace_back(bytes.size());
    std::copy(bytes.begin(), bytes.end(), buffer.data);
    inPointers.push_back(buffer.data);
  }
  std::vector<int64_t> dims;
  for (mlir::Attribute name : kernel.getSymbols())
    dims.push_back(symbols.lookup(cast<mlir::StringAttr>(name).getValue()));
  std::optional<int64_t> tiles = dim::evaluate(getTileSpace(kernel).tiles, symbols);
  REQUIRE(tiles);
  std::vector<std::vector<char>> whole;
  for (bool cut : {false, true}) {
    INFO((cut ? "tile by tile" : "whole") << ", " << *tiles << " tiles");
    std::vector<Buffer> out;
    std::vector<void *> outPointers;
    for (const Tensor &result : expected) {
      outPointers.push_back(out.emplace_back(result.toBytes().size()).data);
    }
    if (!cut)
      function(inPointers.data(), outPointers.data(), dims.data(), 0, *tiles);
    else
      for (int64_t tile = *tiles; tile-- > 0;)
        function(inPointers.data(), outPointers.data(), dims.data(), tile, tile + 1);
    for (auto [index, buffer] : enumerate(out)) {
      INFO("result " << index);
      REQUIRE(buffer.frameIsWhole());
      std::vector<char> bytes = buffer.bytes();
      if (cut) {
        REQUIRE(bytes == whole[index]);
        continue;
      }
      whole.push_back(bytes);
      Expected<Tensor> actual = Tensor::fromBytes(expected[index].elementType, expected[index].shape, bytes);
      REQUIRE(bool(actual));
      CHECK(compare(*actual, expected[index], one.tolerance) == "");
    }
  }
  for (const Buffer &buffer : in)
    REQUIRE(buffer.frameIsWhole());
}

} // namespace

void check(const std::vector<Case> &cases) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(cases);
  std::string errors;
  mlir::ScopedDiagnosticHandler handler(&context(), [&](mlir::Diagnostic &diagnostic) {
    errors += diagnostic.str() + "\n";
    return mlir::success();
  });
  auto compiled = compileKernels(*module, levels(), 2, 2, KernelStage::Object);
  if (!compiled)
    FAIL(toString(compiled.takeError()));
  std::unique_ptr<orc::LLJIT> jit = cantFail(orc::LLJITBuilder().create());
  for (const CompiledKernel &kernel : *compiled)
    cantFail(jit->addObjectFile(MemoryBuffer::getMemBufferCopy(kernel.output, kernel.name)));
  for (auto [index, one] : enumerate(cases)) {
    std::string name = std::to_string(index);
    INFO(textOf(one, index));
    Evaluation evaluated = evaluate(*module, one, index);
    for (const CpuLevel &level : levels()) {
      INFO(level.name.str());
      // Kernels are hidden symbols: artifacts export their table alone.
      orc::SymbolStringPtr symbol = jit->mangleAndIntern("k" + name + "_" + level.name.str());
      auto found = jit->getExecutionSession().lookup(
          orc::makeJITDylibSearchOrder(&jit->getMainJITDylib(), orc::JITDylibLookupFlags::MatchAllSymbols),
          symbol);
      if (!found)
        FAIL(toString(found.takeError()));
      runKernel(evaluated.kernel, found->getAddress().toPtr<torsh_kernel_fn>(), one, evaluated.symbols,
                evaluated.inputs, evaluated.expected);
    }
  }
}

void expectRefused(const Case &refused, const std::string &text) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse({refused});
  auto compiled = compileKernels(*module, {levels()[0]}, 0, 1, KernelStage::Loops);
  REQUIRE(!compiled);
  CHECK_THAT(toString(compiled.takeError()), Catch::Contains(text));
}

} // namespace torsh::test
