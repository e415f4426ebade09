//===-- TuningDatabase.h - Measured choices ------------------------------------------------------------------===//
//
// One JSON file holds entries of several CPUs. It is data of somebody else: every name and number is checked when it is
// read, and whether a choice can be built for a kernel is checked where it is applied.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_PASSES_TUNING_TUNINGDATABASE_H
#define TORSH_PASSES_TUNING_TUNINGDATABASE_H

#include "passes/lowering/KernelChoices.h"
#include "llvm/Support/Error.h"
#include <map>
#include <string>
#include <tuple>

namespace torsh {

/// What was found for one kernel. Choices at their defaults say that nothing else was better.
struct TuningEntry {
  std::string summary; ///< for people
  KernelChoices choices;
  double defaultMicroseconds = 0, tunedMicroseconds = 0; ///< in the second, deciding measurement
};

class TuningDatabase {
public:
  /// Reads a file; one that does not exist is empty. Fails with a sentence on anything that is not such a database.
  static llvm::Expected<TuningDatabase> read(llvm::StringRef path);
  static llvm::Expected<TuningDatabase> parse(llvm::StringRef text, llvm::StringRef name);
  /// The entries that are part of the compiler.
  static const TuningDatabase &shipped();
  /// torsh/tuning.json below XDG_CACHE_HOME, or below .cache of HOME; empty without either.
  static std::string defaultPath();

  /// The entry for a kernel, null without one. With `anyCaches` the caches of the CPU do not count.
  const TuningEntry *find(llvm::StringRef cpu, llvm::StringRef level, llvm::StringRef key,
                          bool anyCaches = false) const;
  void set(llvm::StringRef cpu, llvm::StringRef level, llvm::StringRef key, TuningEntry entry);
  size_t size() const { return entries.size(); }
  std::string toText() const;

  /// Adds the entries to the file: they replace those of the same kernel, all others of the file stay. Readers see the
  /// old file or the new one; writers wait for each other (a lock file beside it).
  llvm::Error mergeInto(llvm::StringRef path) const;

private:
  std::map<std::tuple<std::string, std::string, std::string>, TuningEntry> entries; ///< by cpu, level and key
};

} // namespace torsh

#endif // TORSH_PASSES_TUNING_TUNINGDATABASE_H
