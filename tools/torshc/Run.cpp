//===-- Run.cpp - torshc run
//--------------------------------------------------------------------------------===//
#include "compiler/Naive.h"
#include "tools/torshc/Commands.h"
#include "tools/torshc/Elements.h"
#include "tools/torshc/Session.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace torsh {
namespace {

enum ExitCode { Success = 0, Failure = 1, Usage = 2, Different = 5 };

/// What the two ways of running have in common.
struct Signature {
  std::string name;
  torsh_dtype dtype;
};

int fail(Error error, int code = Failure) {
  errs() << "error: " << toString(std::move(error)) << "\n";
  return code;
}

std::string quotedNames(ArrayRef<Signature> ports) {
  std::string text;
  for (const Signature &port : ports)
    text += (text.empty() ? "'" : ", '") + port.name + "'";
  return text.empty() ? "none" : text;
}

/// Finds the port that a NAME=FILE entry means; names may hold '=' themselves.
const Signature *findPort(ArrayRef<Signature> ports, StringRef entry, StringRef &file) {
  const Signature *best = nullptr;
  for (const Signature &port : ports) {
    StringRef rest = entry;
    if (rest.consume_front(port.name) && rest.consume_front("=") &&
        (!best || port.name.size() > best->name.size())) {
      best = &port;
      file = rest;
    }
  }
  return best;
}

/// Reads NAME=FILE entries; the result is indexed as `ports`.
bool readArrays(ArrayRef<std::string> entries, ArrayRef<Signature> ports, StringRef kind,
                std::vector<std::optional<NpyArray>> &arrays, int &exitCode) {
  arrays.resize(ports.size());
  for (const std::string &entry : entries) {
    StringRef file;
    const Signature *port = findPort(ports, entry, file);
    if (!port) {
      errs() << "error: TSH-0721: '" << entry << "' is not NAME=FILE.npy with the name of an " << kind
             << "; the model has " << quotedNames(ports) << "\n";
      exitCode = Usage;
      return false;
    }
    std::optional<NpyArray> &array = arrays[port - ports.data()];
    if (array) {
      errs() << "error: TSH-0722: the " << kind << " '" << port->name << "' is given twice\n";
      exitCode = Usage;
      return false;
    }
    Expected<NpyArray> read = readNpy(file.str());
    if (!read) {
      exitCode = fail(read.takeError());
      return false;
    }
    array = std::move(*read);
  }
  return true;
}

/// A name as one file of a folder: no separators, control characters or hidden files.
std::string fileName(StringRef name, StringSet<> &taken) {
  std::string result;
  for (char c : name.take_front(200))
    result += c == '/' || c == '\\' || uint8_t(c) < 32 || c == 127 ? '_' : c;
  if (result.empty() || result[0] == '.')
    result.insert(0, "_");
  std::string unique = result;
  for (unsigned i = 1; !taken.insert(unique).second; ++i)
    unique = result + "_" + std::to_string(i);
  return unique + ".npy";
}

int writeOutputs(const std::string &directory, ArrayRef<Signature> ports, ArrayRef<NpyArray> outputs) {
  if (std::error_code code = sys::fs::create_directories(directory)) {
    errs() << "error: TSH-0723: cannot create the directory " << directory << ": " << code.message() << "\n";
    return Failure;
  }
  StringSet<> taken;
  int exitCode = Success;
  for (auto [port, output] : zip_equal(ports, outputs)) {
    SmallString<128> path(directory);
    sys::path::append(path, fileName(port.name, taken));
    if (Error error = writeNpy(std::string(path), output.dtype, output.shape, output.bytes))
      exitCode = fail(std::move(error));
  }
  return exitCode;
}

std::string shapeText(ArrayRef<int64_t> shape) {
  std::string text;
  raw_string_ostream os(text);
  os << "[";
  interleaveComma(shape, os);
  os << "]";
  return text;
}

std::string number(long double value) { return formatv("{0:E6}", double(value)).str(); }

/// False with a message when the output is not what was expected.
bool compareOutput(StringRef name, const NpyArray &actual, const NpyArray &expected, double rtol,
                   double atol) {
  bool stored = actual.dtype.code != TORSH_DTYPE_BFLOAT && actual.dtype.code < TORSH_DTYPE_FLOAT8_E4M3FN;
  bool sameType = actual.dtype.code == expected.dtype.code && actual.dtype.bits == expected.dtype.bits;
  // Dtypes that NumPy has not are compared with the float32 values that they stand for.
  bool widened = !stored && expected.dtype.code == TORSH_DTYPE_FLOAT && expected.dtype.bits == 32;
  if (!hasElements(actual.dtype) || !(sameType || widened)) {
    errs() << "error: TSH-0724: output '" << name << "' has dtype " << dtypeName(actual.dtype) << " and "
           << dtypeName(expected.dtype) << " was expected\n";
    return false;
  }
  if (actual.shape != expected.shape) {
    errs() << "error: TSH-0725: output '" << name << "' has shape " << shapeText(actual.shape) << " and "
           << shapeText(expected.shape) << " was expected\n";
    return false;
  }
  Difference difference = compareArrays(actual, expected, rtol, atol);
  if (difference.within) {
    outs() << name << ": matches, largest difference " << number(difference.worst) << " of largest value "
           << number(difference.largestExpected) << "\n";
    return true;
  }
  uint64_t element = difference.worstElement / (actual.dtype.code == TORSH_DTYPE_COMPLEX ? 2 : 1);
  std::vector<int64_t> index(actual.shape.size());
  for (size_t axis = index.size(); axis-- > 0;) {
    index[axis] = element % actual.shape[axis];
    element /= actual.shape[axis];
  }
  errs() << "error: TSH-0726: output '" << name << "' differs: at " << shapeText(index) << " it is "
         << number(difference.actual) << " and " << number(difference.expected)
         << " was expected, a difference of " << number(difference.worst) << " where "
         << number(atol + rtol * difference.largestExpected) << " is allowed (largest expected value "
         << number(difference.largestExpected) << ")\n";
  return false;
}

template <typename Ports> std::vector<Signature> signatures(const Ports &ports) {
  std::vector<Signature> result;
  for (const auto &port : ports)
    result.push_back({port.name, port.dtype});
  return result;
}

/// One run: takes the inputs, gives the outputs; null arrays and a message on failure.
using Runner = function_ref<std::optional<std::vector<NpyArray>>(std::vector<NpyArray> &)>;

int runWith(const RunOptions &options, ArrayRef<Signature> inputs, ArrayRef<Signature> outputs,
            Runner runner) {
  int exitCode = Failure;
  std::vector<std::optional<NpyArray>> given, expected;
  if (!readArrays(options.inputs, inputs, "input", given, exitCode) ||
      !readArrays(options.expected, outputs, "output", expected, exitCode))
    return exitCode;
  std::vector<NpyArray> arguments;
  for (auto [port, array] : zip_equal(inputs, given)) {
    if (!array) {
      errs() << "error: TSH-0727: the input '" << port.name << "' is missing: give --input " << port.name
             << "=FILE.npy\n";
      return Usage;
    }
    arguments.push_back(std::move(*array));
  }
  std::optional<std::vector<NpyArray>> results = runner(arguments);
  if (!results)
    return Failure;
  exitCode = options.outputDirectory.empty() ? int(Success)
                                             : writeOutputs(options.outputDirectory, outputs, *results);
  for (auto [port, result, want] : zip_equal(outputs, *results, expected)) {
    if (want && !compareOutput(port.name, result, *want, options.rtol, options.atol))
      exitCode = Different;
    if (!want && options.outputDirectory.empty())
      outs() << port.name << ": " << dtypeName(result.dtype) << shapeText(result.shape) << "\n";
  }
  return exitCode;
}

int runNaive(const RunOptions &options) {
  if (isArtifact(options.path)) {
    errs() << "error: TSH-0728: --naive needs a model; " << options.path << " is an artifact\n";
    return Usage;
  }
  CompileOptions compile = options.compile;
  compile.modelPath = options.path;
  CompileStatus status;
  auto graphLevel = options.naiveGraph ? std::optional<unsigned>(compile.optLevel) : std::nullopt;
  std::unique_ptr<NaiveModel> model = NaiveModel::load(compile, graphLevel, status);
  if (!model)
    return int(status);
  std::vector<NaiveTensor> ports = model->inputs();
  auto runner = [&](std::vector<NpyArray> &arrays) -> std::optional<std::vector<NpyArray>> {
    for (auto [port, array] : zip_equal(ports, arrays)) {
      port.dtype = array.dtype;
      port.shape = array.shape;
      port.bytes = std::move(array.bytes);
    }
    auto results = model->run(ports);
    if (!results) {
      fail(results.takeError());
      return std::nullopt;
    }
    std::vector<NpyArray> outputs;
    for (NaiveTensor &result : *results)
      outputs.push_back({result.dtype, std::move(result.shape), std::move(result.bytes)});
    return outputs;
  };
  return runWith(options, signatures(ports), signatures(model->outputs()), runner);
}

} // namespace

int runRun(RunOptions &options) {
  if (!readDims(options.dims, options.compile.import.dims))
    return Usage;
  if (!takeInputTypes(options))
    return Failure;
  if (options.naive || options.naiveGraph)
    return runNaive(options);
  if (!options.dims.empty() && isArtifact(options.path)) {
    errs()
        << "error: TSH-0729: --dim fixes a dim of a model; the dims of an artifact follow from the inputs\n";
    return Usage;
  }
  int exitCode;
  std::unique_ptr<Session> session = Session::open(options.path, options.compile, options.threads, exitCode);
  if (!session)
    return exitCode;
  auto runner = [&](std::vector<NpyArray> &arrays) -> std::optional<std::vector<NpyArray>> {
    std::vector<torsh_value> inputs, outputs = session->makeOutputs();
    for (NpyArray &array : arrays)
      inputs.push_back(valueOf(array));
    if (!session->run(inputs, outputs))
      return std::nullopt;
    std::vector<NpyArray> results;
    for (const torsh_value &output : outputs) {
      const torsh_tensor &tensor = output.as.tensor;
      NpyArray array;
      array.dtype = tensor.dtype;
      array.shape.assign(tensor.shape, tensor.shape + tensor.ndim);
      const char *data = static_cast<const char *>(tensor.data) + tensor.byte_offset;
      array.bytes.assign(data, data + byteSize(array.dtype, array.shape).value_or(0));
      results.push_back(std::move(array));
    }
    return results;
  };
  return runWith(options, signatures(session->inputs), signatures(session->outputs), runner);
}

} // namespace torsh
