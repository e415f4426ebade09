//===-- Tune.cpp - torshc tune -------------------------------------------------------------------------------===//
#include "tools/torshc/Commands.h"

using namespace llvm;

namespace torsh {

bool readDuration(const std::string &text, double &seconds) {
  StringRef number(text);
  double unit = 1;
  if (number.consume_back("ms"))
    unit = 1e-3;
  else if (number.consume_back("min"))
    unit = 60;
  else if (number.consume_back("h"))
    unit = 3600;
  else
    number.consume_back("s");
  if (number.trim().getAsDouble(seconds) || !(seconds > 0) || seconds * unit > 1e6) {
    errs() << "error: TSH-0702: '" << text << "' is no duration like 60s, 500ms or 5min\n";
    return false;
  }
  seconds *= unit;
  return true;
}

int runTune(TuneCommand &command) {
  if (!readDuration(command.budget, command.options.seconds) ||
      !readDims(command.dims, command.options.sizes))
    return 2;
  return int(tuneModel(command.options));
}

} // namespace torsh
