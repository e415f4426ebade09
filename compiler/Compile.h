//===-- Compile.h - Model file -> artifact ------------------------------------------------------------------===//
#ifndef TORSH_COMPILER_COMPILE_H
#define TORSH_COMPILER_COMPILE_H

#include "compiler/BatchOrder.h"
#include "compiler/Target.h"
#include "dialects/torsh/import/ImportReport.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace torsh {

/// The levels of IR that `--emit` prints.
enum class EmitLevel { Artifact, Torsh, Graph, Kernels, Loops, Llvm, Assembly, Object, Nvvm, Ptx };

/// In which precision a model is computed.
enum class Precision {
  F32, ///< as the model says
  /// The weights of contractions are stored as bf16. On CPUs with AVX512-BF16 their products are of bf16 too, and so are
  /// the activations that they read; sums stay f32.
  BF16,
};

/// What `--train-step` makes of a model (torsh-build-train-step).
struct TrainStepOptions {
  bool enabled = false;
  std::string loss = "cross-entropy";
  std::string optimizer = "sgd";
  double momentum = 0, weightDecay = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  bool nesterov = false;
  std::vector<std::string> freeze; ///< patterns for names of parameters that are not learned
};

/// What `--gradient` makes of a model (torsh-autodiff): its outputs, then the gradient of each chosen input.
struct GradientOptions {
  std::string mode;             ///< value-and-grad, vjp, or empty for the model as it is
  std::vector<std::string> wrt; ///< names of inputs; none: all of floats
};

/// Choices of a compilation.
struct CompileOptions {
  std::string modelPath;
  std::string outputPath;
  std::string targetCpu = "portable";
  std::string target =
      "cpu";            ///< or cuda:sm_80, cuda:sm_90, cuda:sm_100: kernels for a GPU beside those of the CPU
  bool fastF32 = false; ///< on a GPU: products of f32 as one product of tf32
  std::string printIrTree;    ///< directory for the IR after every pass, or empty
  std::string weightsSidecar; ///< file for the weights, or empty for weights inside
  EmitLevel emit = EmitLevel::Artifact;
  unsigned optLevel = 3;
  Precision precision = Precision::F32;
  BatchOrder batchOrder = BatchOrder::Auto;
  bool emulateBf16Dot = false;    ///< with BF16: the products of bf16 on any CPU, slowly
  bool exactConv = false;         ///< convolutions as direct sums only: no Winograd transforms
  std::string fusion = "default"; ///< conservative, default or aggressive (torsh-form-groups)
  /// The database of measured choices; empty for the default place, "none" for the strategies' own defaults.
  std::string tuningDatabase;
  unsigned threads = 0; ///< 0: the processors that this process may use
  bool timePasses = false;
  bool report = false;   ///< print kernels with their strategies to `log`
  bool progress = false; ///< show progress on `log` when it takes more than a second
  ImportOptions import;
  TrainStepOptions train;
  GradientOptions gradient;
  llvm::raw_ostream *log = &llvm::errs();
};

/// What the precision asks of the CPU levels.
Products getProducts(const CompileOptions &options);

/// Why a compilation ended. The exit code of torshc is the value.
enum class CompileStatus {
  Ok = 0,
  Failed = 1,      ///< an internal error or a failed write
  Malformed = 3,   ///< the model contradicts the specification
  Unsupported = 4, ///< nodes that are not supported, all of them in the report
};

/// Compiles a model. Messages go to `options.log`.
CompileStatus compileModel(const CompileOptions &options);

/// Imports only, and says what is not supported.
CompileStatus checkModel(const CompileOptions &options, ImportReport &report);

/// A module imported from the model file with a context of its own.
struct ImportedModel {
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// Reads and imports a model; the report and status say why when the module is null.
ImportedModel importFile(const std::string &path, const ImportOptions &options, ImportReport &report,
                         CompileStatus &status);
/// The model of the options, or its gradient or train step when they ask for one. Messages go to `options.log` when the module is null.
ImportedModel importChosen(const CompileOptions &options, CompileStatus &status);

/// Which types of inputs ImportOptions::inputs has to give: none, those of state alone (self.NAME), or all.
enum class InputTypes { Stated, OfStateOnly, Needed };
InputTypes getInputTypes(const std::string &path);

/// The report of an import as sentences.
void printReport(const ImportReport &report, llvm::StringRef path, llvm::raw_ostream &os);

/// Processors that this process may use (affinity).
unsigned allowedProcessors();

} // namespace torsh

#endif // TORSH_COMPILER_COMPILE_H
