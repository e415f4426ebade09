//===-- Objects.h - The objects of one evaluation -----------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_REFERENCE_OBJECTS_H
#define TORSH_DIALECTS_TORSH_REFERENCE_OBJECTS_H

#include "dialects/torsh/reference/Call.h"

#include "torsh/artifact.h"
#include "torsh/torsh.h"

extern "C" {
#include "runtime/Objects.h"
}

namespace torsh::reference {

/// What the handles of an evaluation name. Objects have one meaning, the runtime's.
struct ObjectTable {
  ObjectTable() = default;
  ObjectTable(const ObjectTable &) = delete;
  ObjectTable &operator=(const ObjectTable &) = delete;
  ~ObjectTable() { torsh_rt_objects_clear(&table); }

  torsh_rt_objects table{};
};

void addObjects(HandlerTable &table);

} // namespace torsh::reference

#endif // TORSH_DIALECTS_TORSH_REFERENCE_OBJECTS_H
