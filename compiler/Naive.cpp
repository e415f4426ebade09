//===-- Naive.cpp - A model run by the reference evaluator
//--------------------------------------------------===//
#include "compiler/Naive.h"
#include "compiler/HostPlan.h"
#include "compiler/Pipeline.h"
#include "dialects/torsh/reference/Evaluator.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"

using namespace llvm;

namespace torsh {
namespace {

constexpr StringLiteral entry = "main";

template <typename... Parts> Error failure(const char *format, Parts &&...parts) {
  return createStringError(formatv(format, std::forward<Parts>(parts)...).str());
}

torsh_dtype dtypeOf(mlir::Type tensor) {
  auto [code, bits] = dlpackType(mlir::cast<mlir::RankedTensorType>(tensor).getElementType());
  return {code, bits, 1};
}

std::vector<NaiveTensor> describePorts(mlir::func::FuncOp function, bool inputs) {
  std::vector<NaiveTensor> ports;
  auto types = inputs ? function.getArgumentTypes() : function.getResultTypes();
  for (auto [name, type] : zip_equal(portNames(function, inputs), types)) {
    NaiveTensor port;
    port.name = name;
    port.dtype = dtypeOf(type);
    ports.push_back(std::move(port));
  }
  return ports;
}

} // namespace

std::unique_ptr<NaiveModel> NaiveModel::load(const CompileOptions &options,
                                             std::optional<unsigned> graphLevel, CompileStatus &status) {
  auto result = std::make_unique<NaiveModel>();
  result->model = importChosen(options, status);
  if (!result->model.module)
    return nullptr;
  status = CompileStatus::Failed;
  if (graphLevel) {
    mlir::ScopedDiagnosticHandler handler(result->model.context.get(), [&](mlir::Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
        *options.log << "error: " << options.modelPath << ": " << diagnostic << "\n";
    });
    mlir::PassManager pm(result->model.context.get());
    GraphOptions graph;
    graph.optLevel = *graphLevel;
    graph.exactConv = options.exactConv;
    graph.narrowWeights = options.precision == Precision::BF16;
    // The same rounded operands as in the artifact for these levels.
    auto levels = selectLevels(options.targetCpu, getProducts(options));
    if (!levels) {
      *options.log << "error: " << toString(levels.takeError()) << "\n";
      return nullptr;
    }
    graph.pairs = levels->front().kernels.pairs != PairDot::None;
    graph.fusion = options.fusion;
    // The evaluator takes a group as a function of whole values.
    graph.batchOrder = BatchOrder::Layers;
    buildGraphPipeline(pm, graph);
    if (failed(pm.run(*result->model.module)))
      return nullptr;
  }
  if (!result->model.module->lookupSymbol<mlir::func::FuncOp>(entry)) {
    *options.log << "error: TSH-0641: the module has no function 'main'\n";
    return nullptr;
  }
  status = CompileStatus::Ok;
  return result;
}

std::vector<NaiveTensor> NaiveModel::inputs() const {
  return describePorts(model.module.get().lookupSymbol<mlir::func::FuncOp>(entry), true);
}

std::vector<NaiveTensor> NaiveModel::outputs() const {
  return describePorts(model.module.get().lookupSymbol<mlir::func::FuncOp>(entry), false);
}

Expected<std::vector<NaiveTensor>> NaiveModel::run(ArrayRef<NaiveTensor> inputs) {
  auto function = model.module->lookupSymbol<mlir::func::FuncOp>(entry);
  std::vector<NaiveTensor> ports = this->inputs();
  if (ports.size() != inputs.size())
    return failure("TSH-0642: the model has {0} inputs and {1} were given", ports.size(), inputs.size());
  SmallVector<Tensor> arguments;
  for (auto [port, input, type] : zip_equal(ports, inputs, function.getArgumentTypes())) {
    if (port.dtype.code != input.dtype.code || port.dtype.bits != input.dtype.bits)
      return failure("TSH-0643: input '{0}' has another dtype than the model's {1}; convert the array",
                     port.name, mlir::cast<mlir::RankedTensorType>(type).getElementType());
    auto tensorType = mlir::cast<mlir::RankedTensorType>(type);
    if (tensorType.getRank() != int64_t(input.shape.size()))
      return failure("TSH-0644: input '{0}' has rank {1} and the model declares rank {2}", port.name,
                     input.shape.size(), tensorType.getRank());
    auto tensor = Tensor::fromBytes(tensorType.getElementType(), input.shape, input.bytes);
    if (!tensor)
      return tensor.takeError();
    arguments.push_back(std::move(*tensor));
  }
  auto results = evaluateFunction(function, arguments);
  if (!results)
    return results.takeError();
  std::vector<NaiveTensor> outputs = this->outputs();
  for (auto [output, tensor] : zip_equal(outputs, *results)) {
    output.shape.assign(tensor.shape.begin(), tensor.shape.end());
    output.bytes = tensor.toBytes();
  }
  return outputs;
}

} // namespace torsh
