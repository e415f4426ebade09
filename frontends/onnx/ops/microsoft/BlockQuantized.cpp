//===-- BlockQuantized.cpp - MatMulNBits and GatherBlockQuantized
//-------------------------------------------===//
//
// Weights of 2, 4 or 8 bits whose blocks have a scale and a zero point each. A constant weight becomes floats while
// the model is imported; another one is unpacked when the model runs.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/IntegerFactors.h"
#include "frontends/onnx/ops/microsoft/MicrosoftOps.h"

using namespace mlir;

namespace torsh::onnx::microsoft {
namespace {

DimAttr number(NodeImport &n, int64_t value) { return dim::constant(n.context(), value); }

/// The numbers of `bits` bits in bytes, the low ones first: u8 [..., M] -> u8 [..., M * 8 / bits].
Value unpack(NodeImport &n, Value packed, int64_t bits) {
  if (bits == 8)
    return packed;
  int64_t each = 8 / bits, rank = rankOf(packed);
  mlir::Type u8 = elementTypeOf(packed);
  torsh::Tensor shifts = torsh::Tensor::zeros(u8, {each});
  for (int64_t i = 0; i < each; ++i)
    shifts.ints[i] = i * bits;
  SmallVector<DimAttr> dims = getDims(packed), wide = dims;
  wide.push_back(number(n, 1));
  Value bytes = n.reshape(packed, wide);
  wide.back() = number(n, each);
  bytes = n.broadcastTo(bytes, wide);
  Value shift = n.broadcastTo(n.graph.constant(shifts, n.loc), wide);
  Value y = n.create<ShiftRightOp>(bytes, shift);
  y = n.create<AndOp>(y, n.splatLike(y, (1 << bits) - 1));
  dims[rank - 1] = dim::mul(dims[rank - 1], number(n, each));
  return n.reshape(y, dims);
}

/// Each element of the last dim `block` times, then the first `size` of them.
Value repeatBlocks(NodeImport &n, Value x, int64_t block, int64_t size) {
  SmallVector<DimAttr> dims = getDims(x), wide = dims;
  wide.push_back(number(n, 1));
  Value y = n.reshape(x, wide);
  wide.back() = number(n, block);
  y = n.broadcastTo(y, wide);
  dims.back() = dim::mul(dims.back(), number(n, block));
  y = n.reshape(y, dims);
  if (dim::isConstant(dims.back(), size))
    return y;
  return sliceAxis(n, y, rankOf(y) - 1, number(n, 0), number(n, size));
}

bool isBits(int64_t bits) { return bits == 2 || bits == 4 || bits == 8; }

//===-- MatMulNBits
//----------------------------------------------------------------------------------------------===//

/// A weight [N, K] in blocks along K.
struct BlockWeight {
  int64_t rows, columns, bits, block, blocks;

  int64_t paddedColumns() const { return blocks * block; }
  int64_t packedZeros() const { return (blocks * bits + 7) / 8; }
};

/// The numbers of a constant operand of floats, of any size.
std::optional<std::vector<float>> constantNumbers(NodeImport &n, size_t input) {
  std::optional<std::vector<char>> bytes = constantBytes(n, input);
  auto element = dyn_cast<FloatType>(n.typeOf(input).getElementType());
  if (!bytes || !element)
    return std::nullopt;
  size_t width = element.getWidth() / 8;
  std::vector<float> numbers(bytes->size() / width);
  for (size_t i = 0; i < numbers.size(); ++i) {
    llvm::APInt bits(element.getWidth(), 0);
    llvm::LoadIntFromMemory(bits, reinterpret_cast<const uint8_t *>(bytes->data() + i * width), width);
    numbers[i] = static_cast<float>(llvm::APFloat(element.getFloatSemantics(), bits).convertToDouble());
  }
  return numbers;
}

/// Number `i` of a packed row.
uint8_t packedNumber(const char *row, int64_t i, int64_t bits) {
  uint8_t byte = row[i * bits / 8];
  return (byte >> (i * bits % 8)) & ((1 << bits) - 1);
}

/// The weight as an f32 constant [N, K]; null when an operand is not a constant.
Value constantWeight(NodeImport &n, const BlockWeight &w, bool floatZeros) {
  std::optional<std::vector<char>> packed = constantBytes(n, 1), zeros;
  std::optional<std::vector<float>> scales = constantNumbers(n, 2), zeroNumbers;
  if (!packed || !scales)
    return {};
  if (n.hasInput(3)) {
    if (floatZeros)
      zeroNumbers = constantNumbers(n, 3);
    else
      zeros = constantBytes(n, 3);
    if (!zeros && !zeroNumbers)
      return {};
  }
  std::optional<SmallVector<int64_t>> groups;
  if (n.hasInput(4) && !(groups = n.constantInts(4)))
    return {};
  if (groups && llvm::any_of(*groups, [&](int64_t g) { return g < 0 || g >= w.blocks; }))
    return (void)n.malformed("g_idx names a block that does not exist"), Value();
  auto numbers = std::make_shared<std::vector<float>>(w.rows * w.columns);
  for (int64_t row = 0; row < w.rows; ++row) {
    const char *from = packed->data() + row * (w.paddedColumns() * w.bits / 8);
    for (int64_t k = 0; k < w.columns; ++k) {
      int64_t block = groups ? (*groups)[k] : k / w.block;
      float zero = 1 << (w.bits - 1);
      if (zeroNumbers)
        zero = (*zeroNumbers)[row * w.blocks + block];
      else if (zeros)
        zero = packedNumber(zeros->data() + row * w.packedZeros(), block, w.bits);
      float scale = (*scales)[row * w.blocks + block];
      (*numbers)[row * w.columns + k] = (packedNumber(from, k, w.bits) - zero) * scale;
    }
  }
  auto type = RankedTensorType::get({w.rows, w.columns}, n.builder.getF32Type());
  ArrayRef<char> bytes(reinterpret_cast<const char *>(numbers->data()), numbers->size() * sizeof(float));
  if (int64_t(bytes.size()) <= maxDenseBytes)
    return n.graph.constant(DenseElementsAttr::get(type, ArrayRef<float>(*numbers)), type, n.loc);
  std::string key = n.graph.weights().add(bytes, numbers);
  return n.graph.constant(WeightAttr::get(n.context(), n.builder.getStringAttr(key), type, {}), type, n.loc);
}

/// The weight as f32 [N, K], computed when the model runs.
Value computedWeight(NodeImport &n, const BlockWeight &w, bool floatZeros) {
  mlir::Type f32 = n.builder.getF32Type();
  auto dims = [&](int64_t columns) { return SmallVector<DimAttr>{number(n, w.rows), number(n, columns)}; };
  Value q = n.reshape(n.operand(1), dims(w.paddedColumns() * w.bits / 8));
  q = n.cast(unpack(n, q, w.bits), f32);
  if (w.columns != w.paddedColumns())
    q = sliceAxis(n, q, 1, number(n, 0), number(n, w.columns));
  auto perElement = [&](Value x) -> Value {
    x = n.cast(x, f32);
    return n.hasInput(4) ? n.create<GatherOp>(x, n.operand(4), int64_t(1))
                         : repeatBlocks(n, x, w.block, w.columns);
  };
  Value zero;
  if (!n.hasInput(3)) {
    zero = n.splatLike(q, 1 << (w.bits - 1));
  } else if (floatZeros) {
    zero = perElement(n.reshape(n.operand(3), dims(w.blocks)));
  } else {
    Value zeros = unpack(n, n.reshape(n.operand(3), dims(w.packedZeros())), w.bits);
    if (w.packedZeros() * 8 / w.bits != w.blocks)
      zeros = sliceAxis(n, zeros, 1, number(n, 0), number(n, w.blocks));
    zero = perElement(zeros);
  }
  Value factor = perElement(n.reshape(n.operand(2), dims(w.blocks)));
  return n.create<MulOp>(n.create<SubOp>(q, zero), factor);
}

LogicalResult checkCount(NodeImport &n, size_t input, int64_t count) {
  if (dim::isConstant(getNumElements(n.typeOf(input)), count))
    return success();
  return n.malformed("input " + Twine(input) + " must have " + Twine(count) + " elements");
}

/// A [..., K] times the weight. Inputs: A, B, scales, zero_points, g_idx, bias.
LogicalResult importMatMulNBits(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireFloat(n, 2)) || failed(requireRank(n, 0, 1)))
    return failure();
  BlockWeight w{n.intAttr("N", 0), n.intAttr("K", 0), n.intAttr("bits", 4), n.intAttr("block_size", 0), 0};
  constexpr int64_t limit = int64_t(1) << 30;
  if (w.rows < 1 || w.columns < 1 || w.block < 1 || w.rows > limit || w.columns > limit || w.block > limit)
    return n.malformed("N, K and block_size must be positive");
  if (!isBits(w.bits))
    return n.unsupported("bits is " + Twine(w.bits) + "; 2, 4 and 8 are supported");
  if (w.block * w.bits % 8 != 0)
    return n.malformed("a block does not fill whole bytes");
  if (n.intAttr("weight_prepacked", 0) != 0)
    return n.unsupported("weight_prepacked must be 0: a weight packed for a GPU cannot be read");
  w.blocks = (w.columns + w.block - 1) / w.block;
  if (!n.typeOf(1).getElementType().isUnsignedInteger(8))
    return n.malformed("B must be uint8");
  bool floatZeros = n.hasInput(3) && isa<FloatType>(n.typeOf(3).getElementType());
  if (failed(checkCount(n, 1, w.rows * (w.paddedColumns() * w.bits / 8))) ||
      failed(checkCount(n, 2, w.rows * w.blocks)) ||
      (n.hasInput(3) && failed(checkCount(n, 3, w.rows * (floatZeros ? w.blocks : w.packedZeros())))))
    return failure();
  // An empty g_idx stands for none.
  if (n.hasInput(4) && failed(checkCount(n, 4, w.columns)))
    return failure();
  Value weight = constantWeight(n, w, floatZeros);
  if (!weight && !n.invalid)
    weight = computedWeight(n, w, floatZeros);
  if (!weight)
    return failure();
  mlir::Type f32 = n.builder.getF32Type(), element = n.typeOf(0).getElementType();
  Value a = n.cast(n.operand(0), f32);
  int64_t last = rankOf(a) - 1;
  if (!n.unify(getDims(a)[last], number(n, w.columns), "the inner dim of MatMulNBits"))
    return n.malformed("the last dim of A is not K");
  SmallVector<int64_t> none, contractA = {last}, contractB = {1};
  Value y = n.create<DotGeneralOp>(a, weight, none, none, contractA, contractB);
  if (n.hasInput(5)) {
    SmallVector<Value> values = {y, n.cast(n.operand(5), f32)};
    if (failed(n.broadcastTogether(values)))
      return failure();
    y = n.create<AddOp>(values[0], values[1]);
  }
  n.setResult(0, n.cast(y, element));
  return success();
}

//===-- GatherBlockQuantized
//-------------------------------------------------------------------------------------===//

/// Rows of a table of packed numbers, as floats. Inputs: data, indices, scales, zero_points.
LogicalResult importGatherBlockQuantized(NodeImport &n) {
  if (failed(requireInputs(n, 3)) || failed(requireFloat(n, 2)) || failed(requireRank(n, 0, 1)))
    return failure();
  mlir::Type type = n.typeOf(0).getElementType(), f32 = n.builder.getF32Type();
  if (!isa<IntegerType>(type))
    return n.unsupported("data has element type " + typeText(type) + "; uint8, int4 and uint4 are supported");
  int64_t rank = n.typeOf(0).getRank(), block = n.intAttr("block_size", 128);
  bool packed = type.isUnsignedInteger(8);
  int64_t bits = packed ? n.intAttr("bits", 4) : 8;
  FailureOr<int64_t> gather = n.axis(n.intAttr("gather_axis", 0), rank);
  FailureOr<int64_t> along = n.axis(n.intAttr("quantize_axis", 1), rank);
  if (failed(gather) || failed(along))
    return failure();
  if (!isBits(bits))
    return n.unsupported("bits is " + Twine(bits) + "; 2, 4 and 8 are supported");
  if (*gather != 0 || *along != rank - 1 || rank < 2)
    return n.unsupported("gather_axis must be 0 and quantize_axis the last one");
  if (n.typeOf(2).getRank() != rank)
    return n.malformed("scales must have the rank of data");
  if (block < 1)
    return n.malformed("block_size must be positive");
  Value indices = n.operand(1);
  auto rows = [&](size_t input) -> Value {
    return n.create<GatherOp>(n.operand(input), indices, int64_t(0));
  };
  Value q = rows(0);
  q = n.cast(packed ? unpack(n, q, bits) : q, f32);
  std::optional<int64_t> width = dim::asConstant(getDims(q).back());
  std::optional<int64_t> blocks = dim::asConstant(getDims(n.typeOf(2)).back());
  if (!width || !blocks)
    return n.unsupported("the last dims of data and scales must be static");
  if (*blocks != (*width + block - 1) / block)
    return n.malformed("scales must have one entry for each block");
  Value factor = repeatBlocks(n, n.cast(rows(2), f32), block, *width), zero;
  if (n.hasInput(3)) {
    Value zeros = rows(3);
    zeros = n.cast(packed ? unpack(n, zeros, bits) : zeros, f32);
    if (!dim::isConstant(getDims(zeros).back(), *blocks))
      zeros = sliceAxis(n, zeros, rankOf(zeros) - 1, number(n, 0), number(n, *blocks));
    zero = repeatBlocks(n, zeros, block, *width);
  } else if (packed) {
    zero = n.splatLike(q, 1 << (bits - 1));
  }
  if (zero)
    q = n.create<SubOp>(q, zero);
  n.setResult(0, n.cast(n.create<MulOp>(q, factor), n.typeOf(2).getElementType()));
  return success();
}

} // namespace

void addBlockQuantizedOps(OpTable &table) {
  table.add("com.microsoft", "MatMulNBits", 1, importMatMulNBits);
  table.add("com.microsoft", "GatherBlockQuantized", 1, importGatherBlockQuantized);
}

} // namespace torsh::onnx::microsoft
