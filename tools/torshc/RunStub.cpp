#include "tools/torshc/Commands.h"
namespace torsh { int runRun(RunOptions &) { return 1; } int runBench(BenchOptions &) { return 1; } }
