//===-- Commands.h - The subcommands of torshc --------------------------------------------------------------===//
#ifndef TORSH_TOOLS_TORSHC_COMMANDS_H
#define TORSH_TOOLS_TORSHC_COMMANDS_H

#include "compiler/Compile.h"
#include "compiler/tuner/Tuner.h"

namespace torsh {

struct RunOptions {
  std::string path, outputDirectory;
  std::vector<std::string> inputs, expected, dims;
  double rtol = 1e-5, atol = 0;
  unsigned threads = 0;
  bool naive = false, naiveGraph = false;
  CompileOptions compile;
  RunOptions() { compile.targetCpu = "host"; }
};

struct BenchOptions {
  std::string path;
  std::vector<std::string> dims;
  unsigned threads = 0;
  double seconds = 2;
  bool json = false, profile = false;
  std::string trace; ///< file for the trace of the last run
  CompileOptions compile;
  BenchOptions() { compile.targetCpu = "host"; }
};

/// Options of `torshc affine`.
struct AffineCommandOptions {
  std::string path, outputPath, targetCpu = "host";
  EmitLevel emit = EmitLevel::Object;
  unsigned optLevel = 3;
  bool plain = false;  ///< do not schedule
  bool report = false; ///< say what was done to each function
};

struct TuneCommand {
  std::string budget = "60s";
  std::vector<std::string> dims;
  TuneOptions options;
  TuneCommand() { options.compile.targetCpu = "host"; }
};

/// Reads "60s", "500ms", "5min" or a number of seconds; false with a message for anything else.
bool readDuration(const std::string &text, double &seconds);

/// Reads NAME=VALUE entries of --dim; false with a message when one is something else.
bool readDims(const std::vector<std::string> &entries, llvm::StringMap<int64_t> &dims);

/// For a model that does not store the types of its inputs: takes them from the arrays of --input, and passes on the
/// entries that are no arrays (`steps=3`). False with a message when an array cannot be read.
bool takeInputTypes(RunOptions &options);

// Each returns the exit code of torshc.
int runCheck(const CompileOptions &options, bool json);
int runRun(RunOptions &options);
int runBench(BenchOptions &options);
int runInspect(const std::string &path, bool json);
int runAffine(const AffineCommandOptions &options);
int runTune(TuneCommand &command);
int runVerify(const std::string &path);

} // namespace torsh

#endif // TORSH_TOOLS_TORSHC_COMMANDS_H
