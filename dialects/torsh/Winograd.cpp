//===-- Winograd.cpp - Convolution by Winograd's minimal filtering ------------------------------------------===//
#include "dialects/torsh/Winograd.h"
#include "dialects/torsh/Torsh.h"

using namespace mlir;

namespace torsh {
namespace {

const double input2[] = {1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, -1, 0, 1};
const double weights2[] = {1, 0, 0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0, 0, 1};
const double output2[] = {1, 1, 1, 0, 0, 1, -1, 1};

// By Cook and Toom for the points 0, 3/4, -3/4, 3/2, -3/2 and infinity. Their rounding errors are about half of those of
// the usual 0, 1, -1, 2, -2: powers of the points stay nearer to 1.
const double input4[] = {81. / 64, 0,         -45. / 16, 0,         1, 0, //
                         0,        -27. / 16, -9. / 4,   3. / 4,    1, 0, //
                         0,        27. / 16,  -9. / 4,   -3. / 4,   1, 0, //
                         0,        -27. / 32, -9. / 16,  3. / 2,    1, 0, //
                         0,        27. / 32,  -9. / 16,  -3. / 2,   1, 0, //
                         0,        81. / 64,  0,         -45. / 16, 0, 1};
const double weights4[] = {64. / 81,    0,         0,        //
                           -128. / 243, -32. / 81, -8. / 27, //
                           -128. / 243, 32. / 81,  -8. / 27, //
                           32. / 243,   16. / 81,  8. / 27,  //
                           32. / 243,   -16. / 81, 8. / 27,  //
                           0,           0,         1};
const double output4[] = {1, 1,        1,         1,       1,        0, //
                          0, 3. / 4,   -3. / 4,   3. / 2,  -3. / 2,  0, //
                          0, 9. / 16,  9. / 16,   9. / 4,  9. / 4,   0, //
                          0, 27. / 64, -27. / 64, 27. / 8, -27. / 8, 1};

const WinogradTransform transforms[] = {{2, 4, input2, weights2, output2}, {4, 6, input4, weights4, output4}};

/// Whether two sizes are the same, as far as both are known.
bool mayAgree(DimAttr a, DimAttr b) {
  auto known = dim::asConstant(a), other = dim::asConstant(b);
  return !known || !other || *known == *other;
}

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Whether `tiles` [patch^2, N * rows * columns, C] fits an image with these output sizes.
bool fits(Value tiles, int64_t tile, DimAttr images, DimAttr height, DimAttr width, DimAttr channels) {
  const WinogradTransform *transform = getWinogradTransform(tile);
  if (!transform || typeOf(tiles).getRank() != 3)
    return false;
  SmallVector<DimAttr> dims = getDims(tiles);
  DimAttr count = getWinogradTiles(images, height, width, tile);
  return dim::isConstant(dims[0], transform->patch * transform->patch) && mayAgree(dims[1], count) &&
         mayAgree(dims[2], channels);
}

} // namespace

const WinogradTransform *getWinogradTransform(int64_t tile) {
  for (const WinogradTransform &transform : transforms)
    if (transform.tile == tile)
      return &transform;
  return nullptr;
}

DimAttr getWinogradTiles(DimAttr images, DimAttr height, DimAttr width, int64_t tile) {
  auto along = [&](DimAttr size) { return dim::ceilDiv(size, dim::constant(size.getContext(), tile)); };
  return dim::mul(images, dim::mul(along(height), along(width)));
}

LogicalResult WinogradInputOp::verify() {
  RankedTensorType x = typeOf(getX());
  bool right = x.getRank() == 4 && getLow().size() == 2 && getHigh().size() == 2 &&
               x.getElementType() == typeOf(getV()).getElementType();
  if (right) {
    SmallVector<DimAttr> dims = getDims(x);
    auto outputSize = [&](unsigned axis) {
      return dim::add(dims[axis + 1], dim::constant(getContext(), getLow()[axis] + getHigh()[axis] - 2));
    };
    right = fits(getV(), getTile(), dims[0], outputSize(0), outputSize(1), dims[3]);
  }
  if (!right)
    return emitOpError("winograd_input_c1: the result must be the transformed tiles of a 4-D operand");
  return success();
}

LogicalResult WinogradOutputOp::verify() {
  RankedTensorType y = typeOf(getY());
  bool right = y.getRank() == 4 && y.getElementType() == typeOf(getSums()).getElementType();
  if (right) {
    SmallVector<DimAttr> dims = getDims(y);
    right = fits(getSums(), getTile(), dims[0], dims[1], dims[2], dims[3]);
  }
  if (!right)
    return emitOpError("winograd_output_c1: the operand must be the products of a 4-D result's tiles");
  return success();
}

} // namespace torsh
