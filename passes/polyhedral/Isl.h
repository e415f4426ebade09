//===-- Isl.h - isl's C++ interface and its context ---------------------------------------------------------===//
//
// Objects of isl must die before their context. Every operation counts against the budget of the context; past it isl
// throws, and the pass leaves the function alone.
//
//===--------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_PASSES_POLYHEDRAL_ISL_H
#define TORSH_PASSES_POLYHEDRAL_ISL_H

#include <isl/aff.h>
#include <isl/ast.h>
#include <isl/ast_build.h>
#include <isl/cpp.h>
#include <isl/map.h>
#include <isl/options.h>
#include <isl/schedule.h>
#include <isl/schedule_node.h>
#include <isl/set.h>
#include <isl/union_map.h>
#include <isl/union_set.h>

namespace torsh::poly {

/// Owns a context of isl.
class IslContext {
public:
  explicit IslContext(unsigned long budget) : raw(isl_ctx_alloc()) {
    isl_options_set_on_error(raw, ISL_ON_ERROR_CONTINUE);
    isl_ctx_set_max_operations(raw, budget);
  }
  ~IslContext() { isl_ctx_free(raw); }
  IslContext(const IslContext &) = delete;
  IslContext &operator=(const IslContext &) = delete;
  isl::ctx get() const { return isl::ctx(raw); }
  isl_ctx *pointer() const { return raw; }

private:
  isl_ctx *raw;
};

} // namespace torsh::poly

#endif // TORSH_PASSES_POLYHEDRAL_ISL_H
