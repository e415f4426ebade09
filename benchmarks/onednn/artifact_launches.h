/// Opens an artifact for x86-64-v3 and shows the kernel calls of one run, without the runtime: its code and weights are
/// mapped, and a host of our own is called back for each launch.
#ifndef TORSH_BENCHMARK_ARTIFACT_LAUNCHES_H
#define TORSH_BENCHMARK_ARTIFACT_LAUNCHES_H

#include "torsh/artifact.h"
#include <cstddef>
#include <functional>
#include <string>

/// One call of a kernel of known sizes, so that it takes no dims; `kernel` is its name.
struct Launch {
  torsh_kernel_fn function;
  const void *const *inputs;
  int64_t tiles;
  std::string kernel;
};

/// Runs the artifact once on ordinary numbers and calls `before` ahead of each launch, with its index. Ends the program
/// with a message when the file is no artifact of this version, or has no code for x86-64-v3.
void runLaunches(const std::string &path, const std::function<void(size_t, const Launch &)> &before);

/// Prints `error: WHAT` and ends the program.
[[noreturn]] void fail(const std::string &what);

#endif
