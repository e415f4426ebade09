//===-- Profile.cpp - Where the time of a run goes ----------------------------------------------------------===//
#include "tools/torshc/Profile.h"
#include "compiler/LaunchCost.h"
#include "tools/torshc/MachineRoof.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"
#include <numeric>

using namespace llvm;

namespace torsh {
namespace {

/// An entry of the metadata that is a number or the text of an expression.
double valueOf(const json::Value *entry, CostReader &reader) {
  if (!entry)
    return 0;
  if (auto number = entry->getAsNumber())
    return *number;
  auto text = entry->getAsString();
  return text ? reader.evaluate(*text) : 0;
}

/// What all calls of one kernel took together.
struct Sum {
  std::string code, node;
  size_t calls = 0;
  double seconds = 0, flops = 0, bytes = 0;
  /// The larger share of the two roofs; memory that stays in the caches can pass 1.
  double share(const MachineRoof &roof) const {
    return std::max(flops / roof.flopsPerSecond, bytes / roof.bytesPerSecond) / std::max(seconds, 1e-12);
  }
  bool computes(const MachineRoof &roof) const {
    return flops / roof.flopsPerSecond >= bytes / roof.bytesPerSecond;
  }
};

} // namespace

double Profile::Launch::median() const {
  if (seconds.empty())
    return 0;
  std::vector<double> sorted(seconds);
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  return sorted[sorted.size() / 2];
}

Profile::Profile(const torsh_api *api, torsh_context *context, StringRef metadata,
                 const StringMap<int64_t> &sizes)
    : api(api), context(context) {
  auto parsed = json::parse(metadata);
  if (!parsed)
    consumeError(parsed.takeError());
  else if (const json::Object *root = parsed->getAsObject()) {
    CostReader reader(sizes);
    StringMap<std::string> codes;
    if (const json::Array *kernels = root->getArray("kernels"))
      for (const json::Value &value : *kernels)
        if (const json::Object *kernel = value.getAsObject())
          codes[kernel->getString("name").value_or("")] = kernel->getString("code").value_or("").str();
    if (const json::Array *list = root->getArray("launches"))
      for (const json::Value &value : *list) {
        Launch launch;
        if (const json::Object *entry = value.getAsObject()) {
          launch.kernel = entry->getString("kernel").value_or("?").str();
          launch.code = codes[launch.kernel];
          launch.flops = valueOf(entry->get("flops"), reader);
          launch.bytes = valueOf(entry->get("bytes"), reader);
          if (const json::Value *times = entry->get("times"))
            launch.times = int64_t(valueOf(times, reader));
          if (const json::Array *nodes = entry->getArray("nodes"))
            for (const json::Value &node : *nodes)
              launch.nodes.push_back(node.getAsString().value_or("?").str());
        }
        launches.push_back(std::move(launch));
      }
  }
  api->set_trace(context, listen, this);
}

Profile::~Profile() { api->set_trace(context, nullptr, nullptr); }

void Profile::listen(void *self, const torsh_kernel_event *event) {
  auto &launches = static_cast<Profile *>(self)->launches;
  if (event->launch >= launches.size())
    return;
  Launch &launch = launches[event->launch];
  launch.seconds.push_back(double(event->end_ns - event->start_ns) * 1e-9);
}

void Profile::print(raw_ostream &os, unsigned threads) const {
  MachineRoof roof = measureRoof(threads);
  MapVector<StringRef, Sum> byKernel;
  double total = 0, flops = 0;
  int64_t calls = 0;
  for (const Launch &launch : launches) {
    Sum &sum = byKernel[launch.kernel];
    sum.code = launch.code;
    if (sum.node.empty() && !launch.nodes.empty())
      sum.node = launch.nodes.front();
    double times = double(launch.times);
    sum.calls += launch.times;
    sum.seconds += times * launch.median();
    sum.flops += times * launch.flops;
    sum.bytes += times * launch.bytes;
    total += times * launch.median();
    flops += times * launch.flops;
    calls += launch.times;
  }
  std::vector<std::pair<StringRef, Sum>> sorted(byKernel.begin(), byKernel.end());
  llvm::sort(sorted, [](auto &a, auto &b) { return a.second.seconds > b.second.seconds; });
  os << formatv("roof       {0:F1} GFLOP/s, {1:F1} GB/s with {2} threads, measured now\n"
                "kernels    {3:F3} ms in {4} calls, {5:F1} GFLOP/s\n\n",
                roof.flopsPerSecond * 1e-9, roof.bytesPerSecond * 1e-9, threads, total * 1e3, calls,
                flops / std::max(total, 1e-12) * 1e-9);
  os << "   time  calls        ms   GFLOP/s     GB/s  of roof  kernel\n";
  for (auto &[name, sum] : sorted)
    os << formatv("{0,6:F1}% {1,6} {2,9:F3} {3,9:F1} {4,8:F1} {5,7:F0}%  {6} ({7})\n",
                  sum.seconds / total * 100, sum.calls, sum.seconds * 1e3, sum.flops / sum.seconds * 1e-9,
                  sum.bytes / sum.seconds * 1e-9, sum.share(roof) * 100, name, sum.code);
  auto loss = [&](const Sum &sum) { return sum.seconds * std::max(0.0, 1 - sum.share(roof)); };
  llvm::sort(sorted, [&](auto &a, auto &b) { return loss(a.second) > loss(b.second); });
  os << "\nThe largest losses against the roof:\n";
  for (size_t i = 0; i < std::min<size_t>(3, sorted.size()); ++i) {
    auto &[name, sum] = sorted[i];
    os << formatv("{0}. {1}, {2} calls from node '{3}' on: {4:F1} % of the time at {5:F0} % of the {6}; at "
                  "the roof the "
                  "run would take {7:F1} % less.\n",
                  i + 1, name, sum.calls, sum.node, sum.seconds / total * 100, sum.share(roof) * 100,
                  sum.computes(roof) ? "arithmetic peak" : "memory bandwidth", loss(sum) / total * 100);
  }
}

json::Array Profile::toJson(unsigned threads) const {
  MachineRoof roof = measureRoof(threads);
  json::Array result;
  for (const Launch &launch : launches)
    result.push_back(json::Object{{"kernel", launch.kernel},
                                  {"code", launch.code},
                                  {"nodes", json::Array(launch.nodes)},
                                  {"ms", launch.median() * 1e3},
                                  {"times", launch.times},
                                  {"flops", launch.flops},
                                  {"bytes", launch.bytes},
                                  {"peak_flops", roof.flopsPerSecond},
                                  {"peak_bandwidth", roof.bytesPerSecond}});
  return result;
}

} // namespace torsh
