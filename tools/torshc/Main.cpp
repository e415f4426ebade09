//===-- Main.cpp - torshc: options and dispatch -------------------------------------------------------------===//
#include "compiler/Compile.h"
#include "tools/torshc/Commands.h"
#include <CLI/CLI.hpp>
#include <unistd.h>

using namespace torsh;

namespace {

/// Options that compiling and checking share.
struct ModelOptions {
  std::vector<std::string> dims;

  void add(CLI::App &app, CompileOptions &options) {
    app.add_option("MODEL", options.modelPath, "The model: an .onnx file, or TorchScript (.pt)")->required();
    app.add_option(
        "--input", options.import.inputs,
        "NAME=TYPE[SIZES] for each input of a TorchScript model, which does not store them: "
        "x=f32[batch,3,224,224], letters are symbolic sizes; NAME=NUMBER for other arguments; repeatable");
    app.add_option("--dim", dims,
                   "NAME=VALUE: fixes a symbolic dim (an anonymous one is INPUT.AXIS); repeatable");
    app.add_option("--trust-root", options.import.trustRoot,
                   "Directory within which external data may be reached over links");
  }
  bool apply(CompileOptions &options) const { return readDims(dims, options.import.dims); }
};

void addExactConv(CLI::App &app, CompileOptions &options) {
  app.add_flag("--exact-conv", options.exactConv,
               "Compute convolutions as direct sums only, without Winograd's transforms and their rounding");
}

void addBatch(CLI::App &app, CompileOptions &options) {
  static const std::map<std::string, BatchOrder> orders{
      {"auto", BatchOrder::Auto}, {"images", BatchOrder::Images}, {"layers", BatchOrder::Layers}};
  app.add_option(
         "--batch-order", options.batchOrder,
         "How a batch is computed: layers (every kernel on all images), images (one image after the "
         "other, where kernels compute each by itself), or auto (images where values outgrow the cache)")
      ->transform(CLI::CheckedTransformer(orders, CLI::ignore_case));
}

void addPrecision(CLI::App &app, CompileOptions &options) {
  static const std::map<std::string, Precision> precisions{{"f32", Precision::F32},
                                                           {"bf16", Precision::BF16}};
  CLI::Option *precision =
      app.add_option(
             "--precision", options.precision,
             "f32, or bf16: the weights of matrix products and convolutions are stored as bf16, sums "
             "stay f32. With --target-cpu of a CPU that has AVX512-BF16 (or host on one) the products "
             "are of bf16 as well, and what they read is stored as bf16")
          ->transform(CLI::CheckedTransformer(precisions, CLI::ignore_case));
  app.add_flag("--emulate-bf16-dot", options.emulateBf16Dot,
               "With --precision=bf16: compute the products of bf16 on any CPU, for tests; slow")
      ->needs(precision);
}

void addFusion(CLI::App &app, CompileOptions &options) {
  app.add_option("--fusion", options.fusion,
                 "What becomes one kernel: conservative (elementwise chains of single readers), default, or "
                 "aggressive "
                 "(cheap values are computed again in each reader)")
      ->check(CLI::IsMember({"conservative", "default", "aggressive"}));
}

void addTuningDatabase(CLI::App &app, CompileOptions &options) {
  app.add_option(
      "--tuning-db", options.tuningDatabase,
      "The database of measured choices; default torsh/tuning.json in the user's cache directory, none "
      "ignores all that was measured");
}

void addTrainStep(CLI::App &app, TrainStepOptions &options) {
  CLI::Option *step = app.add_flag(
      "--train-step", options.enabled,
      "Make one step of the model's training: parameters, optimizer state, step, learning rate, inputs and "
      "labels in, the loss and the updated values out. Export the model for training, without folded "
      "constants");
  auto add = [&](const char *name, auto &value, const char *text) {
    return app.add_option(name, value, text)->needs(step)->group("Training");
  };
  add("--loss", options.loss, "cross-entropy of logits (default), or mse")
      ->check(CLI::IsMember({"cross-entropy", "mse"}));
  add("--optimizer", options.optimizer, "sgd (default), adam or adamw")
      ->check(CLI::IsMember({"sgd", "adam", "adamw"}));
  add("--momentum", options.momentum, "sgd: how much of the last step is kept");
  app.add_flag("--nesterov", options.nesterov, "sgd: the step looks ahead along the momentum")
      ->needs(step)
      ->group("Training");
  add("--weight-decay", options.weightDecay, "Pulls parameters to 0, as PyTorch's optimizers do");
  add("--beta1", options.beta1, "adam, adamw: decay of the mean gradient");
  add("--beta2", options.beta2, "adam, adamw: decay of the mean squared gradient");
  add("--epsilon", options.epsilon, "adam, adamw: added to the denominator");
  add("--freeze", options.freeze, "Name of parameters that are not learned; * and ? are wild; repeatable");
}

void addGradient(CLI::App &app, CompileOptions &options) {
  CLI::Option *mode =
      app.add_option("--gradient", options.gradient.mode,
                     "Add the gradients of inputs to the outputs: value-and-grad of a model whose one output "
                     "of floats "
                     "is a number, or vjp, which takes the cotangents of the outputs as further inputs")
          ->check(CLI::IsMember({"value-and-grad", "vjp"}))
          ->excludes("--train-step")
          ->group("Training");
  app.add_option("--wrt", options.gradient.wrt,
                 "Name of an input to differentiate by; repeatable; default: all of floats")
      ->needs(mode)
      ->group("Training");
}

void addCompileOptions(CLI::App &app, CompileOptions &options) {
  static const std::map<std::string, EmitLevel> levels{
      {"torsh", EmitLevel::Torsh}, {"graph", EmitLevel::Graph}, {"kernels", EmitLevel::Kernels},
      {"loops", EmitLevel::Loops}, {"llvm", EmitLevel::Llvm},   {"asm", EmitLevel::Assembly},
      {"obj", EmitLevel::Object},  {"nvvm", EmitLevel::Nvvm},   {"ptx", EmitLevel::Ptx}};
  app.add_option("-o,--output", options.outputPath,
                 "The artifact to write; with --emit a text file, - for stdout");
  app.add_option("-O", options.optLevel, "Optimisation level: 0 (one kernel an op) to 3")
      ->check(CLI::Range(0, 3));
  addExactConv(app, options);
  addBatch(app, options);
  addPrecision(app, options);
  addFusion(app, options);
  addTuningDatabase(app, options);
  addTrainStep(app, options.train);
  addGradient(app, options);
  app.add_option("--target-cpu", options.targetCpu,
                 "portable (x86-64-v3 and v4, chosen at load), host, x86-64-v3, x86-64-v4, or a CPU with "
                 "AVX512-BF16: cooperlake, sapphirerapids, emeraldrapids, graniterapids, znver4, znver5");
  app.add_option(
      "--target", options.target,
      "cpu, or cuda:sm_80, cuda:sm_90, cuda:sm_100: kernels for an NVIDIA GPU beside those of the CPU, which "
      "run where there is no GPU, and always for kernels that have no code for it");
  app.add_flag(
      "--fast-f32", options.fastF32,
      "On a GPU: one product of tf32 (11 bits of mantissa) for a product of f32, instead of three that keep "
      "its precision");
  app.add_option(
         "--emit", options.emit,
         "Print a level of IR instead: torsh, graph, kernels, loops, llvm, asm, obj; with a GPU nvvm, ptx")
      ->transform(CLI::CheckedTransformer(levels, CLI::ignore_case));
  app.add_option("-j,--jobs", options.threads, "Kernels compiled at once; default: the allowed processors");
  app.add_option("--weights-file", options.weightsSidecar,
                 "Write the weights to this file instead of the artifact");
  app.add_option("--print-ir-tree", options.printIrTree,
                 "Write the IR after every pass below this directory");
  app.add_flag("--time-passes", options.timePasses, "Print how long each phase and pass took");
  app.add_flag("--report", options.report,
               "Print why kernels hand values to each other in memory, and each kernel with its strategy, "
               "vector width, "
               "tuned choices and compile time");
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app{"torshc compiles deep-learning models to native code.\n\n"
               "  torshc model.onnx -o model.so      compile\n"
               "  torshc run model.so --input ...    run on .npy files\n"
               "  torshc bench model.so              time it\n"
               "  torshc inspect model.so            what is in an artifact, without executing it\n"
               "  torshc verify model.so             check its digests\n"
               "  torshc tune model.onnx             measure what is best for its kernels on this machine\n"
               "  torshc check model.onnx            list everything that is not supported\n"
               "  torshc affine loops.mlir -o x.o    schedule and compile affine loop nests\n\n"
               "Exit codes: 0 success, 1 failure, 2 wrong usage, 3 the model is malformed, 4 the model has "
               "unsupported "
               "nodes, 5 outputs differ from what was expected."};
  app.require_subcommand(0, 1);
  app.get_formatter()->column_width(34);

  // `torshc MODEL -o OUT` is the compile command without its name, so the first word decides.
  static const char *names[] = {"compile", "run", "bench", "inspect", "verify", "check", "tune", "affine"};
  std::vector<std::string> arguments(argv + 1, argv + argc);
  bool named = !arguments.empty() && llvm::is_contained(names, llvm::StringRef(arguments[0]));
  if (!arguments.empty() && !named && arguments[0] != "--help" && arguments[0] != "-h" &&
      arguments[0] != "--version")
    arguments.insert(arguments.begin(), "compile");
  app.set_version_flag("--version", std::string("torshc 0.1.0"));

  CompileOptions compileOptions, checkOptions;
  ModelOptions compileModelOptions, checkModelOptions;
  CLI::App *compile =
      app.add_subcommand("compile", "Compile a model to an artifact (the word may be left out)");
  compileModelOptions.add(*compile, compileOptions);
  addCompileOptions(*compile, compileOptions);

  bool json = false;
  CLI::App *check = app.add_subcommand("check", "List everything in a model that is not supported");
  checkModelOptions.add(*check, checkOptions);
  check->add_flag("--json", json, "Print the findings as JSON");

  RunOptions runOptions;
  CLI::App *run = app.add_subcommand("run", "Run an artifact or model on .npy files");
  run->add_option("MODEL", runOptions.path,
                  "An artifact (.so) or a model (.onnx, .pt), which is compiled first")
      ->required();
  run->add_option(
      "--input", runOptions.inputs,
      "NAME=FILE.npy for each input, or NAME=NUMBER for an argument of TorchScript that is no tensor; "
      "repeatable");
  run->add_option("--output", runOptions.outputDirectory, "Directory for the outputs, NAME.npy each");
  run->add_option("--expect", runOptions.expected, "NAME=FILE.npy: compare an output; repeatable");
  run->add_option("--rtol", runOptions.rtol, "Relative tolerance, of the largest expected value");
  run->add_option("--atol", runOptions.atol, "Absolute tolerance");
  run->add_option("--threads", runOptions.threads,
                  "Width of the thread pool; default: the allowed processors");
  run->add_flag("--naive", runOptions.naive,
                "Evaluate a model with the reference evaluator instead of compiled code");
  run->add_flag("--naive-graph", runOptions.naiveGraph,
                "As --naive, after the graph passes of -O: tells a wrong pass from wrong code generation");
  run->add_option("-O", runOptions.compile.optLevel, "Optimisation level of a model")
      ->check(CLI::Range(0, 3));
  addExactConv(*run, runOptions.compile);
  addBatch(*run, runOptions.compile);
  addPrecision(*run, runOptions.compile);
  addFusion(*run, runOptions.compile);
  addTuningDatabase(*run, runOptions.compile);
  addTrainStep(*run, runOptions.compile.train);
  addGradient(*run, runOptions.compile);
  run->add_option("--target-cpu", runOptions.compile.targetCpu, "As for compile; default host");
  run->add_option("--trust-root", runOptions.compile.import.trustRoot, "As for compile");
  run->add_option("--dim", runOptions.dims, "NAME=VALUE, as for compile");

  BenchOptions benchOptions;
  CLI::App *bench = app.add_subcommand("bench", "Time an artifact or model on generated inputs");
  bench
      ->add_option("MODEL", benchOptions.path,
                   "An artifact (.so) or a model (.onnx, .pt), which is compiled first")
      ->required();
  bench->add_option("--input", benchOptions.compile.import.inputs,
                    "NAME=TYPE[SIZES] of TorchScript, as for compile");
  bench->add_option("--threads", benchOptions.threads,
                    "Width of the thread pool; default: the allowed processors");
  bench->add_option("--dim", benchOptions.dims,
                    "NAME=VALUE: the size of a symbolic dim in this run; default 1");
  addExactConv(*bench, benchOptions.compile);
  addBatch(*bench, benchOptions.compile);
  addPrecision(*bench, benchOptions.compile);
  addFusion(*bench, benchOptions.compile);
  addTuningDatabase(*bench, benchOptions.compile);
  bench->add_option("--seconds", benchOptions.seconds, "How long to measure");
  bench->add_flag("--json", benchOptions.json, "Print the result as JSON");
  bench->add_flag(
      "--profile", benchOptions.profile,
      "Show where the time goes: each kernel's time, arithmetic, traffic and share of the machine's roof");
  bench->add_option("--trace", benchOptions.trace,
                    "Write the measured runs' kernels as a trace for Perfetto (the newest 65536 events)");

  TuneCommand tuneCommand;
  CLI::App *tune = app.add_subcommand(
      "tune",
      "Measure tile sizes, unrolling and algorithms for a model's kernels; later compilations use them");
  tune->add_option("MODEL", tuneCommand.options.compile.modelPath, "The model: an .onnx file, or TorchScript")
      ->required();
  tune->add_option("--input", tuneCommand.options.compile.import.inputs,
                   "NAME=TYPE[SIZES] of TorchScript, as for compile");
  tune->add_option("--budget", tuneCommand.budget, "How long it may take: 60s, 500ms, 5min");
  tune->add_option("--dim", tuneCommand.dims,
                   "NAME=VALUE: the size of a symbolic dim while measuring; default 1");
  tune->add_option("--target-cpu", tuneCommand.options.compile.targetCpu, "As for compile; default host");
  tune->add_option("-j,--jobs", tuneCommand.options.compile.threads, "As for compile");
  tune->add_flag("--again", tuneCommand.options.again, "Measure also what the database knows");
  tune->add_flag("--winners-only", tuneCommand.options.winnersOnly,
                 "Record only kernels for which something is better than the default");
  addExactConv(*tune, tuneCommand.options.compile);
  addBatch(*tune, tuneCommand.options.compile);
  addPrecision(*tune, tuneCommand.options.compile);
  addTuningDatabase(*tune, tuneCommand.options.compile);

  std::string inspectPath, verifyPath;
  bool inspectJson = false;
  CLI::App *inspect = app.add_subcommand("inspect", "Show what an artifact holds, without executing it");
  inspect->add_option("ARTIFACT", inspectPath, "The artifact")->required();
  inspect->add_flag("--json", inspectJson, "Print the metadata as JSON");
  CLI::App *verify =
      app.add_subcommand("verify", "Check versions and digests of an artifact, without executing it");
  verify->add_option("ARTIFACT", verifyPath, "The artifact")->required();

  AffineCommandOptions affineOptions;
  CLI::App *affine = app.add_subcommand("affine", "Schedule and compile functions in MLIR's affine dialect");
  affine->add_option("FILE", affineOptions.path, "The functions: MLIR text, arrays of known sizes")
      ->required();
  affine->add_option("-o,--output", affineOptions.outputPath, "The file to write; - for stdout")->required();
  affine->add_option("--emit", affineOptions.emit, "loops, llvm, asm or obj (default)")
      ->transform(CLI::CheckedTransformer(std::map<std::string, EmitLevel>{{"loops", EmitLevel::Loops},
                                                                           {"llvm", EmitLevel::Llvm},
                                                                           {"asm", EmitLevel::Assembly},
                                                                           {"obj", EmitLevel::Object}},
                                          CLI::ignore_case));
  affine->add_option("-O", affineOptions.optLevel, "Optimisation level of LLVM")->check(CLI::Range(0, 3));
  affine->add_option("--target-cpu", affineOptions.targetCpu, "host (default), x86-64-v3 or x86-64-v4");
  affine->add_flag("--plain", affineOptions.plain, "Keep the loops as they stand");
  affine->add_flag("--report", affineOptions.report, "Print what was done to each function");

  std::reverse(arguments.begin(), arguments.end());
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (*compile) {
    if (compileOptions.emit == EmitLevel::Artifact && compileOptions.outputPath.empty()) {
      llvm::errs() << "error: TSH-0701: no output: give -o FILE.so, or --emit=LEVEL to print IR\n";
      return 2;
    }
    if (!compileModelOptions.apply(compileOptions))
      return 2;
    compileOptions.progress = isatty(STDERR_FILENO);
    return int(compileModel(compileOptions));
  }
  if (*check)
    return checkModelOptions.apply(checkOptions) ? runCheck(checkOptions, json) : 2;
  if (*run)
    return runRun(runOptions);
  if (*bench)
    return runBench(benchOptions);
  if (*tune)
    return runTune(tuneCommand);
  if (*inspect)
    return runInspect(inspectPath, inspectJson);
  if (*affine)
    return runAffine(affineOptions);
  if (*verify)
    return runVerify(verifyPath);
  llvm::outs() << app.help();
  return 2;
}
