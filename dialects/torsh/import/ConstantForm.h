//===-- ConstantForm.h - Constants as dense attributes or weights ---------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_IMPORT_CONSTANTFORM_H
#define TORSH_DIALECTS_TORSH_IMPORT_CONSTANTFORM_H

#include "dialects/torsh/Torsh.h"
#include "dialects/torsh/reference/Evaluator.h"

namespace torsh {

/// Constants of at most this many bytes stay dense in the IR.
constexpr int64_t maxDenseBytes = 1024;
/// Constants of at most this many elements are evaluated at import.
constexpr int64_t maxFoldedElements = 64 * 1024;

/// A dense attribute.
mlir::DenseElementsAttr toDense(const Tensor &tensor);
/// The attribute of a constant: dense when small or all elements are equal, else a weight in the store.
mlir::Attribute toConstantAttr(const Tensor &tensor, WeightStore &store);
/// The elements behind the attribute of a torsh.constant; none when there are more than `maxFoldedElements`,
/// or the bytes are not at hand.
std::optional<Tensor> fromConstantAttr(mlir::Attribute value, const WeightStore &store);

/// Bytes of a tensor of `elements` elements as the weight store holds it.
uint64_t storedBytes(mlir::Type elementType, uint64_t elements);

} // namespace torsh

#endif // TORSH_DIALECTS_TORSH_IMPORT_CONSTANTFORM_H
