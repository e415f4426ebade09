/// Measures contractions of an artifact against oneDNN in one process, on one thread.
///
/// usage: onednn_host ARTIFACT JOBS ROUNDS COLD-MIB
///
/// For each job of the file JOBS (job.h) our kernels run on the inputs that they have in a run of the artifact, and so do
/// oneDNN's primitives on the same numbers in layouts of their own choice. The results are compared; then both take
/// turns, in CPU time of the thread. Weights lie in memory so often that no cache holds them, as between two runs of a
/// model. Prints one JSON object a line: what oneDNN it is, then one for each job.
#include "artifact_launches.h"
#include "rival.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <limits>
#include <map>

namespace {

/// What the weights take while an implementation is chosen.
constexpr size_t trialBytes = size_t(16) << 20;
/// A turn takes about so long.
constexpr double turnSeconds = 8e-3;

double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

typedef float Vector8 __attribute__((vector_size(32)));

/// Twelve independent sums hide the latency of a multiply-add.
__attribute__((noinline, target("avx2,fma"))) float multiplyAdd(int64_t rounds) {
  Vector8 a[12], x = Vector8() + 0.999f, y = Vector8() + 1e-3f;
  for (int i = 0; i < 12; ++i)
    a[i] = Vector8() + float(i);
  for (int64_t round = 0; round < rounds; ++round) {
    // Unrolled by the compiler; contracted to fused multiply-adds.
    a[0] = a[0] * x + y, a[1] = a[1] * x + y, a[2] = a[2] * x + y, a[3] = a[3] * x + y;
    a[4] = a[4] * x + y, a[5] = a[5] * x + y, a[6] = a[6] * x + y, a[7] = a[7] * x + y;
    a[8] = a[8] * x + y, a[9] = a[9] * x + y, a[10] = a[10] * x + y, a[11] = a[11] * x + y;
  }
  float total = 0;
  for (Vector8 &sum : a)
    for (int lane = 0; lane < 8; ++lane)
      total += sum[lane];
  return total;
}

/// The arithmetic of AVX2 on this processor, in operations a second: the best of some attempts.
double measurePeak() {
  double best = 0;
  volatile int64_t rounds = 100000;
  for (int attempt = 0; attempt < 8; ++attempt) {
    double started = now();
    volatile float used = multiplyAdd(rounds);
    (void)used;
    best = std::max(best, double(rounds) * 12 * 8 * 2 / (now() - started));
  }
  return best;
}

struct FreeMemory {
  void operator()(char *data) const { std::free(data); }
};
using Memory = std::unique_ptr<char, FreeMemory>;

size_t aligned(size_t bytes) { return (std::max<size_t>(bytes, 1) + 63) / 64 * 64; }

Memory allocate(size_t bytes) {
  Memory memory(static_cast<char *>(std::aligned_alloc(4096, (bytes + 8191) / 4096 * 4096)));
  if (!memory)
    fail("there is not enough memory");
  return memory;
}

/// A job with what its launches had in a run.
struct Recorded {
  Job job;
  std::vector<Memory> data; ///< by buffer; null for what the launches compute
  std::vector<torsh_kernel_fn> functions;
  std::vector<int64_t> tiles;
};

/// Our kernels on memory of their own.
class Ours {
public:
  Ours(const Recorded &recorded, size_t coldBytes) : recorded(recorded) {
    const Job &job = recorded.job;
    size_t weightBytes = 0, dataBytes = 0;
    std::vector<size_t> offsets;
    for (const Job::Buffer &buffer : job.buffers) {
      size_t &total = buffer.isWeight ? weightBytes : dataBytes;
      offsets.push_back(total);
      total += aligned(buffer.bytes);
    }
    size_t copies =
        weightBytes ? std::clamp<size_t>((coldBytes + weightBytes - 1) / weightBytes, 2, 16384) : 1;
    weights = allocate(weightBytes * copies);
    data = allocate(dataBytes);
    for (size_t copy = 0; copy < copies; ++copy) {
      std::vector<void *> addresses;
      for (size_t i = 0; i < job.buffers.size(); ++i) {
        bool isWeight = job.buffers[i].isWeight;
        addresses.push_back(isWeight ? weights.get() + copy * weightBytes + offsets[i]
                                     : data.get() + offsets[i]);
        if (recorded.data[i] && (isWeight || !copy))
          std::memcpy(addresses[i], recorded.data[i].get(), job.buffers[i].bytes);
      }
      for (const Job::Step &step : job.steps) {
        for (int id : step.inputs)
          inputs.push_back(addresses[size_t(id)]);
        for (int id : step.outputs)
          outputs.push_back(addresses[size_t(id)]);
      }
      result = static_cast<float *>(addresses[size_t(job.result.buffer)]);
    }
  }

  void run() {
    for (size_t step = 0; step < recorded.job.steps.size(); ++step)
      runStep(step);
  }

  /// Each step's time, the mean of some runs; the weights are as cold as in run().
  std::vector<double> timeSteps(unsigned runs) {
    std::vector<double> seconds(recorded.job.steps.size());
    for (unsigned i = 0; i < runs; ++i)
      for (size_t step = 0; step < seconds.size(); ++step) {
        double started = now();
        runStep(step);
        seconds[step] += (now() - started) / runs;
      }
    return seconds;
  }

  const float *getResult() const { return result; }

private:
  void runStep(size_t step) {
    recorded.functions[step](inputs.data() + nextInput, outputs.data() + nextOutput, nullptr, 0,
                             recorded.tiles[step]);
    nextInput += recorded.job.steps[step].inputs.size();
    nextOutput += recorded.job.steps[step].outputs.size();
    if (nextInput == inputs.size())
      nextInput = nextOutput = 0;
  }

  const Recorded &recorded;
  Memory weights, data;
  std::vector<const void *> inputs; ///< of all steps on the first copy, then on the second, ...
  std::vector<void *> outputs;
  size_t nextInput = 0, nextOutput = 0;
  const float *result = nullptr;
};

template <typename Side> double timeRuns(Side &side, unsigned runs) {
  side.run(); // the other one's data leaves the caches here
  double started = now();
  for (unsigned i = 0; i < runs; ++i)
    side.run();
  return (now() - started) / runs;
}

/// The weights as one matrix after another, or as they are.
std::vector<float> unpack(const Job &job, const Recorded &recorded) {
  const auto *from = reinterpret_cast<const float *>(recorded.data[size_t(job.weights.buffer)].get());
  size_t count = job.buffers[size_t(job.weights.buffer)].bytes / sizeof(float);
  const Job::Packing &p = job.packing;
  if (!p.lead)
    return {from + job.weights.offset, from + count};
  std::vector<float> plain(size_t(p.lead * p.depth * p.columns));
  for (int64_t lead = 0; lead < p.lead; ++lead)
    for (int64_t k = 0; k < p.depth; ++k)
      for (int64_t column = 0; column < p.columns; ++column)
        plain[size_t((lead * p.depth + k) * p.columns + column)] =
            from[((lead * p.panels + column / p.lanes) * p.depth + k) * p.lanes + column % p.lanes];
  return plain;
}

/// The largest difference, as a share of the largest number.
double compareResults(const float *a, const float *b, size_t count) {
  double largest = 0, difference = 0;
  for (size_t i = 0; i < count; ++i) {
    largest = std::max(largest, double(std::fabs(b[i])));
    double apart = std::fabs(double(a[i]) - double(b[i]));
    difference = apart >= difference || apart != apart ? apart : difference;
  }
  return largest > 0 ? difference / largest : difference;
}

void printTimes(const char *name, const std::vector<double> &seconds) {
  std::printf(", \"%s\": [", name);
  for (size_t i = 0; i < seconds.size(); ++i)
    std::printf("%s%.1f", i ? ", " : "", seconds[i] * 1e9);
  std::printf("]");
}

unsigned runsOf(double seconds) {
  return unsigned(std::clamp(turnSeconds / std::max(seconds, 1e-7), 1.0, 4000.0));
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// The implementations that were fastest in a short trial, two at most, with their weights spread.
std::vector<std::unique_ptr<Rival>> chooseRivals(const Job &job, const Operands &operands, size_t coldBytes) {
  auto rivals = makeRivals(job, operands);
  std::vector<std::pair<double, size_t>> best;
  for (size_t i = 0; i < rivals.size(); ++i) {
    rivals[i]->spread(std::min(coldBytes, trialBytes));
    best.push_back({timeRuns(*rivals[i], 1), i});
  }
  double once = std::min_element(best.begin(), best.end())->first;
  for (int attempt = 0; attempt < 4; ++attempt)
    for (auto &[seconds, i] : best)
      if (seconds < 3 * once)
        seconds = std::min(seconds, timeRuns(*rivals[i], std::max(1u, runsOf(once) / 4)));
  std::sort(best.begin(), best.end());
  std::vector<std::unique_ptr<Rival>> chosen;
  for (size_t i = 0; i < std::min<size_t>(best.size(), 2); ++i)
    if (best[i].first < 1.3 * best[0].first)
      chosen.push_back(std::move(rivals[best[i].second]));
  rivals.clear();
  for (auto &rival : chosen)
    rival->spread(coldBytes);
  return chosen;
}

void measure(const Recorded &recorded, unsigned rounds, size_t coldBytes) {
  const Job &job = recorded.job;
  Ours ours(recorded, coldBytes);
  std::vector<float> weights;
  Operands operands{{}, nullptr};
  for (const Memory &data : recorded.data)
    operands.buffers.push_back(reinterpret_cast<const float *>(data.get()));
  if (job.weights.buffer >= 0) {
    weights = unpack(job, recorded);
    operands.weights = weights.data();
  }
  auto rivals = chooseRivals(job, operands, coldBytes);
  ours.run();
  // Where our weights are transformed ones there is nothing to compare.
  size_t count = job.buffers[size_t(job.result.buffer)].bytes / sizeof(float);
  std::vector<float> result(count, std::numeric_limits<float>::quiet_NaN());
  std::vector<double> errors(rivals.size(), -1);
  for (size_t i = 0; i < rivals.size(); ++i) {
    rivals[i]->reset();
    rivals[i]->run();
    if (!operands.weights || !rivals[i]->hasPosts)
      continue;
    rivals[i]->copyResult(result.data());
    errors[i] = compareResults(ours.getResult(), result.data(), count);
  }
  unsigned myRuns = runsOf(timeRuns(ours, 2));
  std::vector<unsigned> itsRuns;
  for (auto &rival : rivals)
    itsRuns.push_back(runsOf(timeRuns(*rival, 2)));
  std::vector<double> mine;
  std::vector<std::vector<double>> its(rivals.size());
  for (unsigned round = 0; round < rounds; ++round) {
    bool first = round % 2;
    if (first)
      mine.push_back(timeRuns(ours, myRuns));
    for (size_t i = 0; i < rivals.size(); ++i)
      its[i].push_back(timeRuns(*rivals[i], itsRuns[i]));
    if (!first)
      mine.push_back(timeRuns(ours, myRuns));
  }
  size_t fastest = 0;
  for (size_t i = 1; i < rivals.size(); ++i)
    if (median(its[i]) < median(its[fastest]))
      fastest = i;
  double peak = measurePeak();
  std::printf("{\"job\": %d, \"rival\": \"%s\", \"posts\": %s, \"error\": %.3g, \"peak\": %.6g", job.id,
              rivals[fastest]->name.c_str(), rivals[fastest]->hasPosts ? "true" : "false", errors[fastest],
              peak);
  printTimes("ours_ns", mine);
  printTimes("onednn_ns", its[fastest]);
  if (job.steps.size() > 1)
    printTimes("steps_ns", ours.timeSteps(myRuns));
  std::printf("}\n");
  std::fflush(stdout);
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s ARTIFACT JOBS ROUNDS COLD-MIB\n", argv[0]);
    return 2;
  }
  std::ifstream text(argv[2]);
  if (!text)
    fail(std::string(argv[2]) + " cannot be read");
  std::vector<Recorded> all;
  std::multimap<size_t, std::pair<size_t, size_t>> wanted; // launch to (job, step)
  for (Job job; readJob(text, job);) {
    Recorded recorded;
    recorded.job = job;
    recorded.data.resize(job.buffers.size());
    recorded.functions.resize(job.steps.size());
    recorded.tiles.resize(job.steps.size());
    for (size_t step = 0; step < job.steps.size(); ++step)
      wanted.insert({job.steps[step].launch, {all.size(), step}});
    all.push_back(std::move(recorded));
  }
  runLaunches(argv[1], [&](size_t index, const Launch &launch) {
    for (auto [at, end] = wanted.equal_range(index); at != end; ++at) {
      Recorded &recorded = all[at->second.first];
      const Job::Step &step = recorded.job.steps[at->second.second];
      if (step.kernel != launch.kernel)
        fail("launch " + std::to_string(index) + " is of " + launch.kernel + ", not of " + step.kernel);
      recorded.functions[at->second.second] = launch.function;
      recorded.tiles[at->second.second] = launch.tiles;
      // What an earlier step of the job computed is recorded too, and then computed again.
      for (size_t i = 0; i < step.inputs.size(); ++i) {
        size_t id = size_t(step.inputs[i]), bytes = recorded.job.buffers[id].bytes;
        if (!recorded.data[id]) {
          recorded.data[id] = allocate(bytes);
          std::memcpy(recorded.data[id].get(), launch.inputs[i], bytes);
        }
      }
    }
  });
  std::printf("{\"onednn\": \"%s\"}\n", rivalVersion().c_str());
  for (Recorded &recorded : all) {
    measure(recorded, unsigned(std::atoi(argv[3])), size_t(std::atoll(argv[4])) << 20);
    recorded.data.clear();
  }
  return 0;
}
