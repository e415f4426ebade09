//===-- Machine.cpp - Runs the threads of a GPU kernel as fibers --------------------------------------------===//
//
// A thread runs until it waits for others: for its block at a barrier, for its warp at a shuffle, a matrix load or a
// product. Who runs next is drawn by the seed. When nobody can run, warps and barriers whose threads are all there are
// carried out; where some are missing the kernel is wrong.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "Machine.h"
#include "SharedMemory.h"
#include "WarpOperations.h"
#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <ucontext.h>

namespace torsh::emulator {
namespace {

constexpr uint32_t warpSize = 32;
constexpr size_t stackBytes = 64 * 1024;

enum class State { Ready, AtBarrier, AtWarp, Done };

struct Copy {
  void *target;
  std::vector<char> bytes;
};

struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack;
  State state = State::Ready;
  // At a warp's operation.
  Operation operation = Operation::Barrier;
  const uint64_t *arguments = nullptr;
  void *result = nullptr;
  // Copies that are not waited for: of the open group, and of those that are committed.
  std::vector<Copy> open;
  std::vector<std::vector<Copy>> committed;
};

/// One block.
class Machine {
public:
  Machine(const Launch &launch, Outcome &outcome, uint32_t block, std::mt19937_64 &random)
      : launch(launch), outcome(outcome), block(block), random(random), fibers(launch.threads) {}

  void run();
  void call(Operation operation, const uint64_t *arguments, void *result);
  void access(const void *address, uint64_t bytes, bool isWrite);
  void *shared(uint32_t index, uint64_t bytes);

  void start() {
    launch.function(launch.parameters.data());
    fibers[current].state = State::Done;
    swapcontext(&fibers[current].context, &scheduler);
  }

private:
  void prepare(Fiber &fiber);
  /// Ends the block; does not come back to the fiber.
  void fail(const std::string &what) {
    if (outcome.error.empty())
      outcome.error = "block " + std::to_string(block) + ", thread " + std::to_string(current) + ": " + what;
    swapcontext(&fibers[current].context, &scheduler);
  }
  void wait(State state) {
    fibers[current].state = state;
    swapcontext(&fibers[current].context, &scheduler);
  }
  bool releaseWarps();
  bool releaseBarrier();
  void copyAsync(const uint64_t *arguments);
  void waitCopies(uint64_t pending);
  void loadMatrices(uint32_t firstThread, bool isTransposed);

  const Launch &launch;
  Outcome &outcome;
  uint32_t block, current = 0, epoch = 1;
  std::mt19937_64 &random;
  std::vector<Fiber> fibers;
  std::map<uint32_t, std::unique_ptr<SharedBuffer>> buffers;
  ucontext_t scheduler;
};

thread_local Machine *machine = nullptr;

void startFiber() { machine->start(); }

void Machine::prepare(Fiber &fiber) {
  fiber.stack.reset(new char[stackBytes]);
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.get();
  fiber.context.uc_stack.ss_size = stackBytes;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, startFiber, 0);
}

void Machine::run() {
  for (Fiber &fiber : fibers)
    prepare(fiber);
  std::vector<uint32_t> ready;
  while (outcome.error.empty()) {
    ready.clear();
    for (uint32_t i = 0; i < fibers.size(); ++i)
      if (fibers[i].state == State::Ready)
        ready.push_back(i);
    if (ready.empty()) {
      if (std::all_of(fibers.begin(), fibers.end(),
                      [](const Fiber &fiber) { return fiber.state == State::Done; }))
        return;
      if (!releaseWarps() && !releaseBarrier() && outcome.error.empty())
        outcome.error = "block " + std::to_string(block) + ": threads wait for each other in vain";
      continue;
    }
    // All who can run do so once, in a drawn order.
    std::shuffle(ready.begin(), ready.end(), random);
    for (uint32_t next : ready) {
      current = next;
      swapcontext(&scheduler, &fibers[next].context);
      if (!outcome.error.empty())
        return;
    }
  }
}

/// Carries out what whole warps wait for.
bool Machine::releaseWarps() {
  bool any = false;
  for (uint32_t first = 0; first < fibers.size(); first += warpSize) {
    uint32_t count = std::min<uint32_t>(warpSize, fibers.size() - first), waiting = 0;
    for (uint32_t i = 0; i < count; ++i)
      waiting += fibers[first + i].state == State::AtWarp;
    if (waiting == 0)
      continue;
    Operation operation = Operation::Barrier;
    bool same = waiting == warpSize;
    for (uint32_t i = 0; i < count && same; ++i) {
      if (i == 0)
        operation = fibers[first].operation;
      same = fibers[first + i].operation == operation;
    }
    if (!same) {
      outcome.error = "block " + std::to_string(block) + ", warp " + std::to_string(first / warpSize) +
                      ": its threads diverge at an operation of the whole warp";
      return false;
    }
    if (operation == Operation::LoadMatrices || operation == Operation::LoadMatricesTransposed) {
      loadMatrices(first, operation == Operation::LoadMatricesTransposed);
      if (!outcome.error.empty())
        return false;
    } else {
      Lanes lanes;
      for (uint32_t i = 0; i < warpSize; ++i)
        lanes[i] = {fibers[first + i].arguments, fibers[first + i].result};
      if (operation == Operation::ShuffleXor)
        shuffleXor(lanes);
      else
        multiply(operation, lanes);
      outcome.products += operation != Operation::ShuffleXor;
    }
    for (uint32_t i = 0; i < warpSize; ++i)
      fibers[first + i].state = State::Ready;
    any = true;
  }
  return any;
}

void Machine::loadMatrices(uint32_t first, bool isTransposed) {
  Lanes lanes;
  for (uint32_t i = 0; i < warpSize; ++i) {
    current = first + i;
    const auto *row = reinterpret_cast<const void *>(fibers[current].arguments[0]);
    if (reinterpret_cast<uintptr_t>(row) % 16 != 0)
      outcome.error = "a row of a matrix load is not aligned to 16 bytes";
    bool isShared = false;
    for (auto &[index, buffer] : buffers)
      if (buffer->isNear(row)) {
        isShared = true;
        if (std::string wrong = buffer->read(row, 16, current, epoch);
            !wrong.empty() && outcome.error.empty())
          outcome.error = "block " + std::to_string(block) + ", thread " + std::to_string(current) +
                          ": a matrix load " + wrong;
      }
    if (!isShared && outcome.error.empty())
      outcome.error = "a matrix load reads other than shared memory";
    lanes[i] = {fibers[current].arguments, fibers[current].result};
  }
  if (outcome.error.empty())
    loadMatrixRows(lanes, isTransposed);
}

bool Machine::releaseBarrier() {
  uint32_t waiting = 0;
  for (const Fiber &fiber : fibers)
    waiting += fiber.state == State::AtBarrier;
  if (waiting == 0)
    return false;
  if (waiting != fibers.size()) {
    outcome.error = "block " + std::to_string(block) + ": " + std::to_string(waiting) + " of " +
                    std::to_string(fibers.size()) +
                    " threads wait at a barrier to which the others do not come";
    return false;
  }
  ++outcome.barriers;
  ++epoch;
  for (Fiber &fiber : fibers)
    fiber.state = State::Ready;
  return true;
}

void Machine::copyAsync(const uint64_t *arguments) {
  auto *target = reinterpret_cast<void *>(arguments[0]);
  const auto *source = reinterpret_cast<const char *>(arguments[1]);
  uint32_t count = uint32_t(arguments[2]);
  if (count > 16 || arguments[0] % 16 != 0)
    return fail("copies to an address that is not aligned to 16 bytes, or more than 16 bytes");
  if (count && arguments[1] % 16 != 0)
    return fail("copies from an address that is not aligned to 16 bytes");
  if (count)
    access(source, count, false);
  Copy copy{target, std::vector<char>(16, 0)};
  std::copy(source, source + count, copy.bytes.begin());
  for (auto &[index, buffer] : buffers)
    if (buffer->isNear(target)) {
      if (std::string wrong = buffer->begin(target, 16, current, epoch); !wrong.empty())
        return fail("a copy " + wrong);
      fibers[current].open.push_back(std::move(copy));
      ++outcome.copies;
      return;
    }
  fail("copies to other than shared memory");
}

void Machine::waitCopies(uint64_t pending) {
  auto &groups = fibers[current].committed;
  while (groups.size() > pending) {
    for (const Copy &copy : groups.front())
      for (auto &[index, buffer] : buffers)
        if (buffer->isNear(copy.target))
          buffer->land(copy.target, copy.bytes.data(), copy.bytes.size(), current, epoch);
    groups.erase(groups.begin());
  }
}

void Machine::call(Operation operation, const uint64_t *arguments, void *result) {
  auto number = [&](uint32_t value) { std::memcpy(result, &value, sizeof(value)); };
  switch (operation) {
  case Operation::ThreadNumber:
    return number(current);
  case Operation::BlockNumber:
    return number(block);
  case Operation::RoundToTF32: {
    uint32_t bits;
    std::memcpy(&bits, arguments, sizeof(bits));
    return number(roundToTf32(bits));
  }
  case Operation::Barrier:
    return wait(State::AtBarrier);
  case Operation::CopyAsync:
    return copyAsync(arguments);
  case Operation::CommitCopies:
    fibers[current].committed.push_back(std::move(fibers[current].open));
    fibers[current].open.clear();
    return;
  case Operation::WaitCopies:
    return waitCopies(uint32_t(arguments[0]));
  case Operation::ShuffleXor:
  case Operation::LoadMatrices:
  case Operation::LoadMatricesTransposed:
  case Operation::MultiplyF16:
  case Operation::MultiplyBF16:
  case Operation::MultiplyTF32:
    fibers[current].operation = operation;
    fibers[current].arguments = arguments;
    fibers[current].result = result;
    return wait(State::AtWarp);
  }
}

void Machine::access(const void *address, uint64_t bytes, bool isWrite) {
  ++outcome.accesses;
  for (auto &[index, buffer] : buffers)
    if (buffer->isNear(address)) {
      std::string wrong = isWrite ? buffer->write(address, bytes, current, epoch)
                                  : buffer->read(address, bytes, current, epoch);
      return wrong.empty() ? void() : fail(wrong);
    }
  auto at = reinterpret_cast<uintptr_t>(address);
  if (at % bytes != 0)
    return fail("accesses " + std::to_string(bytes) + " bytes at an address that is not their multiple");
  for (const Region &region : launch.regions) {
    auto begin = reinterpret_cast<uintptr_t>(region.data);
    if (at >= begin && at < begin + region.bytes) {
      if (bytes > begin + region.bytes - at)
        return fail("reaches behind the end of a buffer");
      if (isWrite && !region.isWritable)
        return fail("writes to a buffer that it may only read");
      return;
    }
  }
  fail(isWrite ? "writes to memory that is none of its buffers" : "reads memory that is none of its buffers");
}

void *Machine::shared(uint32_t index, uint64_t bytes) {
  auto &buffer = buffers[index];
  if (!buffer)
    buffer = std::make_unique<SharedBuffer>(bytes);
  return buffer->data();
}

} // namespace

Outcome run(const Launch &launch) {
  Outcome outcome;
  std::mt19937_64 random(launch.seed);
  for (uint32_t block = 0; block < launch.blocks && outcome.error.empty(); ++block) {
    Machine one(launch, outcome, block, random);
    Machine *outer = machine;
    machine = &one;
    one.run();
    machine = outer;
  }
  return outcome;
}

} // namespace torsh::emulator

void torsh_emulator_call(uint32_t operation, const uint64_t *arguments, void *result) {
  torsh::emulator::machine->call(torsh::emulator::Operation(operation), arguments, result);
}

void torsh_emulator_access(const void *address, uint32_t bytes, uint32_t isWrite) {
  torsh::emulator::machine->access(address, bytes, isWrite != 0);
}

void *torsh_emulator_shared(uint32_t index, uint64_t bytes) {
  return torsh::emulator::machine->shared(index, bytes);
}
