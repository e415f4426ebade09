//===-- Profile.h - Where the time of a run goes ------------------------------------------------------------===//
#ifndef TORSH_TOOLS_TORSHC_PROFILE_H
#define TORSH_TOOLS_TORSHC_PROFILE_H

#include "torsh/torsh.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/JSON.h"

namespace torsh {

/// Collects the kernel calls of runs through the trace of a context, and relates their times to what they have to do
/// and to what the machine can do.
class Profile {
public:
  /// Starts to listen. `metadata` is the module's; `sizes` are those of its symbolic dims in these runs.
  Profile(const torsh_api *api, torsh_context *context, llvm::StringRef metadata,
          const llvm::StringMap<int64_t> &sizes);
  ~Profile();

  /// The kernels by their share of the time, the machine's roof, and what to look at first, in words.
  void print(llvm::raw_ostream &os, unsigned threads) const;
  llvm::json::Array toJson(unsigned threads) const;

private:
  struct Launch {
    std::string kernel, code;
    std::vector<std::string> nodes;
    double flops = 0, bytes = 0; ///< of a call
    int64_t times = 1;           ///< calls in a run: one for each image where they take turns
    std::vector<double> seconds; ///< of each call
    double median() const;
  };
  static void listen(void *self, const torsh_kernel_event *event);

  const torsh_api *api;
  torsh_context *context;
  std::vector<Launch> launches;
};

} // namespace torsh

#endif // TORSH_TOOLS_TORSHC_PROFILE_H
