//===-- RegionPool.h - Evaluation of pooling over boxes -----------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_REFERENCE_REGIONPOOL_H
#define TORSH_DIALECTS_TORSH_REFERENCE_REGIONPOOL_H

namespace torsh::reference {

class HandlerTable;
/// roi_align and roi_max_pool.
void addRegionPool(HandlerTable &table);

} // namespace torsh::reference

#endif // TORSH_DIALECTS_TORSH_REFERENCE_REGIONPOOL_H
