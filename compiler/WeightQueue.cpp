//===-- WeightQueue.cpp - Weights computed ahead of the writer ----------------------------------------------===//
#include "compiler/WeightQueue.h"

using namespace llvm;

namespace torsh {

/// What may be computed and not yet be taken, besides the weights under way.
constexpr size_t mostBytesAhead = size_t(64) << 20;

WeightQueue::WeightQueue(SmallVector<WeightAttr> list, const WeightStore &store, unsigned threads)
    : weights(std::move(list)), store(store), results(weights.size()) {
  for (unsigned i = 0; threads > 1 && i < threads && i < weights.size(); ++i)
    workers.emplace_back([this] { work(); });
}

WeightQueue::~WeightQueue() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stop = true;
  }
  changed.notify_all();
  for (std::thread &worker : workers)
    worker.join();
  for (Result &result : results)
    if (result.bytes && !*result.bytes)
      consumeError(result.bytes->takeError());
}

void WeightQueue::work() {
  std::unique_lock<std::mutex> lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return stop || started == weights.size() || bytesAhead < mostBytesAhead; });
    if (stop || started == weights.size())
      return;
    size_t index = started++;
    lock.unlock();
    Expected<std::vector<char>> bytes = evaluateWeightBytes(weights[index], store);
    lock.lock();
    if (bytes)
      bytesAhead += bytes->size();
    results[index].bytes.emplace(std::move(bytes));
    changed.notify_all();
  }
}

Expected<std::vector<char>> WeightQueue::take() {
  if (workers.empty())
    return evaluateWeightBytes(weights[taken++], store);
  std::unique_lock<std::mutex> lock(mutex);
  size_t index = taken++;
  changed.wait(lock, [&] { return results[index].bytes.has_value(); });
  Expected<std::vector<char>> bytes = std::move(*results[index].bytes);
  results[index].bytes.reset();
  if (bytes)
    bytesAhead -= bytes->size();
  changed.notify_all();
  return bytes;
}

} // namespace torsh
