//===-- LayoutCases.cpp - The emulator's fragments against MLIR's ------------------------------------------===//
//
// Which lane holds which element of an operand is written down in the emulator and, by the same hands, in the kernels.
// MLIR's nvgpu dialect has maps of its own from (lane, value) to the element: a second opinion without a GPU.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/NVGPU/Utils/MMAUtils.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "test/gpu/emulator/WarpOperations.h"
#include "test/unit/kernels/CaseEvaluation.h"
#include "llvm/ADT/APFloat.h"
#include <cstring>
#include <random>

using namespace torsh::emulator;
using mlir::nvgpu::MatMulOperandRole;

namespace {

using Element = std::pair<int64_t, int64_t>;

/// A fragment's elements by lane and value.
class Layout {
public:
  Layout(MatMulOperandRole role, mlir::Type element, int64_t rows, int64_t columns)
      : builder(&torsh::test::context()), info{mlir::VectorType::get({rows, columns}, element), role},
        valuesOfLane(rows * columns / 32) {
    auto found = mlir::nvgpu::getLaneIdAndValueIdToOperandCoord(builder, builder.getUnknownLoc(), info);
    REQUIRE(succeeded(found));
    map = *found;
  }
  Element at(int64_t lane, int64_t value) {
    llvm::SmallVector<mlir::Attribute> result;
    REQUIRE(succeeded(map.constantFold({builder.getIndexAttr(lane), builder.getIndexAttr(value)}, result)));
    return {llvm::cast<mlir::IntegerAttr>(result[0]).getInt(),
            llvm::cast<mlir::IntegerAttr>(result[1]).getInt()};
  }

  mlir::OpBuilder builder;
  mlir::nvgpu::WarpMatrixInfo info;
  int64_t valuesOfLane;

private:
  mlir::AffineMap map;
};

uint32_t bitsOf(double value, const llvm::fltSemantics &type) {
  llvm::APFloat number(value);
  bool lost;
  number.convert(type, llvm::APFloat::rmNearestTiesToEven, &lost);
  return uint32_t(number.bitcastToAPInt().getZExtValue());
}

/// Small integers, whose products are exact in every type.
std::vector<std::vector<double>> drawMatrix(int64_t rows, int64_t columns, std::mt19937 &random) {
  std::vector<std::vector<double>> matrix(rows, std::vector<double>(columns));
  for (auto &row : matrix)
    for (double &value : row)
      value = double(int64_t(random() % 15)) - 7;
  return matrix;
}

void checkProduct(Operation operation, mlir::Type element, const llvm::fltSemantics &type, int64_t depth) {
  bool isNarrow = depth == 16;
  std::mt19937 random(3);
  auto left = drawMatrix(16, depth, random), right = drawMatrix(8, depth, random); // right by columns
  mlir::Type f32 = mlir::Float32Type::get(&torsh::test::context());
  Layout a(MatMulOperandRole::A, element, 16, depth), b(MatMulOperandRole::B, element, 8, depth),
      c(MatMulOperandRole::C, f32, 16, 8);
  uint64_t arguments[32][10] = {};
  float results[32][4];
  Lanes lanes;
  for (int64_t lane = 0; lane < 32; ++lane) {
    lanes[lane] = {arguments[lane], results[lane]};
    auto fill = [&](Layout &layout, const std::vector<std::vector<double>> &matrix, unsigned first) {
      for (int64_t value = 0; value < layout.valuesOfLane; ++value) {
        auto [row, column] = layout.at(lane, value);
        uint64_t bits = bitsOf(matrix[row][column], type);
        arguments[lane][first + (isNarrow ? value / 2 : value)] |= isNarrow && value % 2 ? bits << 16 : bits;
      }
    };
    fill(a, left, 0);
    fill(b, right, 4);
  }
  multiply(operation, lanes);
  for (int64_t lane = 0; lane < 32; ++lane)
    for (int64_t value = 0; value < 4; ++value) {
      auto [row, column] = c.at(lane, value);
      double sum = 0;
      for (int64_t k = 0; k < depth; ++k)
        sum += left[row][k] * right[column][k];
      CHECK(results[lane][value] == sum);
    }
}

} // namespace

TEST_CASE("fragments of products lie where MLIR says") {
  mlir::MLIRContext &context = torsh::test::context();
  checkProduct(Operation::MultiplyF16, mlir::Float16Type::get(&context), llvm::APFloat::IEEEhalf(), 16);
  checkProduct(Operation::MultiplyBF16, mlir::BFloat16Type::get(&context), llvm::APFloat::BFloat(), 16);
  checkProduct(Operation::MultiplyTF32, mlir::Float32Type::get(&context), llvm::APFloat::IEEEsingle(), 8);
}

TEST_CASE("matrix loads give the fragments that MLIR says") {
  mlir::MLIRContext &context = torsh::test::context();
  Layout a(MatMulOperandRole::A, mlir::Float16Type::get(&context), 16, 16);
  auto parameters = mlir::nvgpu::getLdMatrixParams(a.info, /*transpose=*/false);
  REQUIRE(succeeded(parameters));
  REQUIRE(parameters->numTiles == 4);
  auto rows = mlir::nvgpu::getLaneIdToLdMatrixMatrixCoord(a.builder, a.builder.getUnknownLoc(), *parameters);
  REQUIRE(succeeded(rows));
  uint16_t matrix[16][16];
  for (int row = 0; row < 16; ++row)
    for (int column = 0; column < 16; ++column)
      matrix[row][column] = uint16_t(row * 16 + column);
  uint64_t arguments[32][1];
  uint16_t results[32][8];
  Lanes lanes;
  for (int64_t lane = 0; lane < 32; ++lane) {
    llvm::SmallVector<mlir::Attribute> at;
    REQUIRE(succeeded(rows->constantFold({a.builder.getIndexAttr(lane)}, at)));
    arguments[lane][0] = reinterpret_cast<uintptr_t>(&matrix[llvm::cast<mlir::IntegerAttr>(at[0]).getInt()]
                                                            [llvm::cast<mlir::IntegerAttr>(at[1]).getInt()]);
    lanes[lane] = {arguments[lane], results[lane]};
  }
  loadMatrixRows(lanes, /*isTransposed=*/false);
  for (int64_t lane = 0; lane < 32; ++lane)
    for (int64_t value = 0; value < 8; ++value) {
      auto [row, column] = a.at(lane, value);
      CHECK(results[lane][value] == row * 16 + column);
    }
  // Transposed, a lane gets the elements with rows and columns exchanged within each matrix of 8 x 8.
  loadMatrixRows(lanes, /*isTransposed=*/true);
  for (int64_t lane = 0; lane < 32; ++lane)
    for (int64_t value = 0; value < 8; ++value) {
      auto [row, column] = a.at(lane, value);
      int64_t down = row / 8 * 8 + column % 8, right = column / 8 * 8 + row % 8;
      CHECK(results[lane][value] == down * 16 + right);
    }
}
