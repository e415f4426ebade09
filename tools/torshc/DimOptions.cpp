//===-- DimOptions.cpp - The entries of --dim
//---------------------------------------------------------------===//
#include "tools/torshc/Commands.h"

namespace torsh {

bool readDims(const std::vector<std::string> &entries, llvm::StringMap<int64_t> &dims) {
  for (const std::string &entry : entries) {
    size_t equals = entry.rfind('=');
    int64_t value;
    if (equals == std::string::npos || llvm::StringRef(entry).substr(equals + 1).getAsInteger(10, value) ||
        value < 0) {
      llvm::errs() << "error: TSH-0700: --dim " << entry << " is not NAME=VALUE with a size of 0 or more\n";
      return false;
    }
    dims[entry.substr(0, equals)] = value;
  }
  return true;
}

} // namespace torsh
