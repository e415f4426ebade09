//===-- TreeEnsemble.h - Reference semantics of the ops of decision trees -----------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_REFERENCE_TREEENSEMBLE_H
#define TORSH_DIALECTS_TORSH_REFERENCE_TREEENSEMBLE_H

#include "dialects/torsh/reference/Call.h"

namespace torsh::reference {

void addTreeEnsemble(HandlerTable &table);

} // namespace torsh::reference

#endif // TORSH_DIALECTS_TORSH_REFERENCE_TREEENSEMBLE_H
