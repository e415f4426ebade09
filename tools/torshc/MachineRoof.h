//===-- MachineRoof.h - What the machine can do at most -----------------------------------------------------===//
#ifndef TORSH_TOOLS_TORSHC_MACHINEROOF_H
#define TORSH_TOOLS_TORSHC_MACHINEROOF_H

namespace torsh {

struct MachineRoof {
  double flopsPerSecond; ///< f32 multiply-adds in registers, two each
  double bytesPerSecond; ///< reading memory that no cache holds
};

/// Measures both with `threads` threads at once, in about a quarter of a second. Other load on the machine lowers them.
MachineRoof measureRoof(unsigned threads);

} // namespace torsh

#endif // TORSH_TOOLS_TORSHC_MACHINEROOF_H
