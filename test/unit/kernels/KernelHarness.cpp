//===-- KernelHarness.cpp - Compares kernels with the reference evaluator -----------------------------------===//
#include "KernelHarness.h"
#include "compiler/KernelCompiler.h"
#include "dialects/torsh/reference/Evaluator.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "passes/lowering/KernelBuilder.h"
#include "torsh/artifact.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include <cmath>
#include <random>
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

mlir::MLIRContext &context() {
  static mlir::MLIRContext *context = [] {
    static mlir::DialectRegistry registry;
    registerKernelDialects(registry);
    auto *made = new mlir::MLIRContext(registry, mlir::MLIRContext::Threading::DISABLED);
    made->loadAllAvailableDialects();
    return made;
  }();
  return *context;
}

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

std::string joinNames(const std::map<std::string, int64_t> &symbols) {
  std::string text;
  for (const auto &[name, value] : symbols)
    text += (text.empty() ? "\"" : ", \"") + name + "\"";
  return "[" + text + "]";
}

/// The kernel and a function with the same body for the evaluator.
std::string textOf(const Case &one, size_t index) {
  std::string name = std::to_string(index);
  return "torsh.kernel @k" + name + " \"" + one.anchor + "\" " + joinNames(one.symbols) + " {\n^bb0(" +
         one.arguments + "):\n" + one.body + "\n  torsh.yield " + one.yields + " : " + one.types + "\n}" +
         (one.choices.empty() ? "" : " {torsh.choices = {" + one.choices + "}}") + "\nfunc.func @f" + name +
         "(" + one.arguments + ") -> (" + one.types + ") {\n" + one.body + "\n  return " + one.yields +
         " : " + one.types + "\n}\n";
}

mlir::OwningOpRef<mlir::ModuleOp> parse(const std::vector<Case> &cases) {
  std::string text, errors;
  for (auto [index, one] : enumerate(cases))
    text += textOf(one, index);
  mlir::ScopedDiagnosticHandler handler(&context(), [&](mlir::Diagnostic &diagnostic) {
    errors += diagnostic.str() + "\n";
    return mlir::success();
  });
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context());
  INFO(errors << text);
  REQUIRE(module);
  return module;
}

Tensor randomTensor(mlir::RankedTensorType type, const dim::Bindings &symbols, const Range *range,
                    std::mt19937 &random) {
  SmallVector<int64_t> shape;
  for (DimAttr dim : getDims(type)) {
    std::optional<int64_t> size = dim::evaluate(dim, symbols);
    REQUIRE(size);
    shape.push_back(*size);
  }
  Tensor tensor = Tensor::zeros(type.getElementType(), shape);
  if (tensor.isFloat()) {
    Range drawn = range ? *range : Range();
    std::uniform_real_distribution<double> uniform(drawn.low, drawn.high), share(0, 1);
    for (double &value : tensor.floats) {
      value = uniform(random);
      if (drawn.step)
        value = std::round(value / drawn.step) * drawn.step;
      value = share(random) < drawn.nanShare ? NAN : roundTo(tensor.elementType, value);
    }
    return tensor;
  }
  bool isBool = tensor.elementType.isInteger(1), isUnsigned = tensor.elementType.isUnsignedInteger();
  int64_t low = range ? int64_t(range->low) : isBool || isUnsigned ? 0 : -3;
  int64_t high = range ? int64_t(range->high) : isBool ? 1 : 7;
  std::uniform_int_distribution<int64_t> uniform(low, high);
  for (int64_t &value : tensor.ints)
    value = uniform(random);
  return tensor;
}

/// The first difference as text, empty when the tensors agree.
std::string compare(const Tensor &actual, const Tensor &expected, double tolerance) {
  if (actual.shape != expected.shape || actual.elementType != expected.elementType)
    return "the shapes or element types differ";
  std::string text;
  raw_string_ostream os(text);
  if (!actual.isFloat()) {
    for (size_t i = 0; i < expected.ints.size() && text.empty(); ++i)
      if (actual.ints[i] != expected.ints[i])
        os << "element " << i << " is " << actual.ints[i] << ", not " << expected.ints[i];
    return text;
  }
  double largest = 0;
  for (double value : expected.floats)
    if (std::isfinite(value))
      largest = std::max(largest, std::fabs(value));
  if (expected.elementType.isF16())
    tolerance = std::max(tolerance, 2e-3);
  if (expected.elementType.isBF16())
    tolerance = std::max(tolerance, 1.6e-2);
  for (size_t i = 0; i < expected.floats.size() && text.empty(); ++i) {
    double a = actual.floats[i], e = expected.floats[i];
    bool agree = std::isfinite(e) ? std::fabs(a - e) <= tolerance * largest : (a == e || (a != a && e != e));
    if (!agree)
      os << "element " << i << " is " << a << ", not " << e << " (largest " << largest << ")";
  }
  return text;
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
    auto kernel = module->lookupSymbol<KernelOp>("k" + name);
    auto function = module->lookupSymbol<mlir::func::FuncOp>("f" + name);
    dim::Bindings symbols;
    for (const auto &[symbol, value] : one.symbols)
      symbols[symbol] = value;
    std::mt19937 random(index + 1);
    SmallVector<Tensor> inputs;
    for (auto [position, argument] : enumerate(kernel.getInputs())) {
      auto range = one.ranges.find(position);
      inputs.push_back(randomTensor(cast<mlir::RankedTensorType>(argument.getType()), symbols,
                                    range == one.ranges.end() ? nullptr : &range->second, random));
    }
    auto expected = evaluateFunction(function, inputs);
    if (!expected)
      FAIL(toString(expected.takeError()));
    for (const CpuLevel &level : levels()) {
      INFO(level.name.str());
      // Kernels are hidden symbols: artifacts export their table alone.
      orc::SymbolStringPtr symbol = jit->mangleAndIntern("k" + name + "_" + level.name.str());
      auto found = jit->getExecutionSession().lookup(
          orc::makeJITDylibSearchOrder(&jit->getMainJITDylib(), orc::JITDylibLookupFlags::MatchAllSymbols),
          symbol);
      if (!found)
        FAIL(toString(found.takeError()));
      runKernel(kernel, found->getAddress().toPtr<torsh_kernel_fn>(), one, symbols, inputs, *expected);
    }
  }
}

void expectRefused(const Case &refused, const std::string &text) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse({refused});
  auto compiled = compileKernels(*module, {levels()[0]}, 0, 1, KernelStage::Loops);
  REQUIRE(!compiled);
  CHECK_THAT(toString(compiled.takeError()), Catch::Contains(text));
}

std::string tensor(const std::vector<std::string> &dims, const std::string &element) {
  std::string sizes, expressions;
  bool isDynamic = false;
  for (const std::string &dim : dims) {
    bool isNumber = dim.find_first_not_of("0123456789") == std::string::npos;
    isDynamic |= !isNumber;
    sizes += (isNumber ? dim : "?") + "x";
    expressions += (expressions.empty() ? "" : ", ") + dim;
  }
  return "tensor<" + sizes + element + (isDynamic ? ", #torsh.dims<[" + expressions + "]>>" : ">");
}

std::string tensor(const std::vector<int64_t> &dims, const std::string &element) {
  std::vector<std::string> texts;
  for (int64_t dim : dims)
    texts.push_back(std::to_string(dim));
  return tensor(texts, element);
}

std::string list(const std::vector<int64_t> &values) {
  std::string text;
  for (int64_t value : values)
    text += (text.empty() ? "" : ", ") + std::to_string(value);
  return "[" + text + "]";
}

} // namespace torsh::test
