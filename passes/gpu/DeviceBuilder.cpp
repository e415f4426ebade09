//===-- DeviceBuilder.cpp - Threads, shared memory and tensor cores -----------------------------------------===//
#include "passes/gpu/DeviceBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace torsh {

/// Address spaces of NVPTX.
static constexpr unsigned globalSpace = 1, sharedSpace = 3;

/// A thread computes one value at a time.
static const KernelTarget oneLane{1, 16, PairDot::None};

DeviceBuilder::DeviceBuilder(KernelOp kernel, const DeviceTarget &target, const DeviceLaunch &launch,
                             OpBuilder &builder)
    : KernelBuilder(kernel, oneLane, builder, KernelForm::Parameters), device(target), launch(launch) {
  block = readRegister("llvm.nvvm.read.ptx.sreg.ctaid.x");
  thread = readRegister("llvm.nvvm.read.ptx.sreg.tid.x");
  lane = rem(thread, constant(warpSize));
  warp = div(thread, constant(warpSize));
}

Value DeviceBuilder::readRegister(StringRef name) {
  return arith::ExtUIOp::create(b, loc, b.getI64Type(), call(name, b.getI32Type(), {}));
}

Value DeviceBuilder::call(StringRef intrinsic, Type type, ValueRange arguments) {
  StringAttr name = b.getStringAttr(intrinsic);
  if (!type) {
    LLVM::CallIntrinsicOp::create(b, loc, name, arguments);
    return Value();
  }
  return LLVM::CallIntrinsicOp::create(b, loc, type, name, arguments).getResults();
}

Value DeviceBuilder::constant32(int64_t value) { return arith::ConstantIntOp::create(b, loc, value, 32); }

void DeviceBuilder::barrier() { call("llvm.nvvm.barrier.cta.sync.aligned.all", Type(), {constant32(0)}); }

Value DeviceBuilder::sharedMemory(int64_t bytes) {
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), bytes);
  std::string name = (kernel.getSymName() + "_shared" + Twine(buffers++)).str();
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(getFunction());
    LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/false, LLVM::Linkage::Internal, name, Attribute(), 16,
                           sharedSpace);
  }
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&getFunction().getBody().front());
  return LLVM::AddressOfOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext(), sharedSpace), name);
}

Value DeviceBuilder::offsetBytes(Value pointer, Value bytes) {
  return address(pointer, b.getI8Type(), bytes);
}

Value DeviceBuilder::shuffle(Value value, int64_t mask) {
  Type type = value.getType();
  if (!type.isF32())
    value = arith::BitcastOp::create(b, loc, b.getF32Type(), value);
  Value other = call("llvm.nvvm.shfl.sync.bfly.f32", b.getF32Type(),
                     {constant32(-1), value, constant32(mask), constant32(warpSize - 1)});
  return type.isF32() ? other : arith::BitcastOp::create(b, loc, type, other);
}

void DeviceBuilder::copyAsync(Value shared, Value global, Value on) {
  Type space = LLVM::LLVMPointerType::get(b.getContext(), globalSpace);
  Value source = LLVM::AddrSpaceCastOp::create(b, loc, space, global);
  Value bytes = arith::SelectOp::create(b, loc, on, constant32(16), constant32(0));
  call("llvm.nvvm.cp.async.cg.shared.global.16.s", Type(), {shared, source, bytes});
}

void DeviceBuilder::commitCopies() { call("llvm.nvvm.cp.async.commit.group", Type(), {}); }

void DeviceBuilder::waitCopies(unsigned pending) {
  call("llvm.nvvm.cp.async.wait.group", Type(), {constant32(pending)});
}

static SmallVector<Value> parts(OpBuilder &b, Location loc, Value aggregate, unsigned count) {
  SmallVector<Value> values;
  for (unsigned i = 0; i < count; ++i)
    values.push_back(LLVM::ExtractValueOp::create(b, loc, aggregate, ArrayRef<int64_t>{i}));
  return values;
}

SmallVector<Value> DeviceBuilder::loadMatrices(Value rowAddress, bool transposed) {
  SmallVector<Type> fields(4, b.getI32Type());
  Type result = LLVM::LLVMStructType::getLiteral(b.getContext(), fields);
  StringRef name = transposed ? "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3"
                              : "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3";
  return parts(b, loc, call(name, result, {rowAddress}), 4);
}

SmallVector<Value> DeviceBuilder::multiplyAdd(MatrixType type, ArrayRef<Value> left, ArrayRef<Value> right,
                                              ArrayRef<Value> sums) {
  SmallVector<Value> arguments;
  for (ArrayRef<Value> fragment : {left, right})
    for (Value bits : fragment)
      arguments.push_back(type == MatrixType::F16
                              ? LLVM::BitcastOp::create(b, loc, VectorType::get({2}, b.getF16Type()), bits)
                              : bits);
  arguments.append(sums.begin(), sums.end());
  StringRef name = type == MatrixType::F16    ? "llvm.nvvm.mma.m16n8k16.row.col.f32.f32"
                   : type == MatrixType::BF16 ? "llvm.nvvm.mma.m16n8k16.row.col.bf16"
                                              : "llvm.nvvm.mma.m16n8k8.row.col.tf32";
  SmallVector<Type> fields(4, b.getF32Type());
  return parts(b, loc, call(name, LLVM::LLVMStructType::getLiteral(b.getContext(), fields), arguments), 4);
}

Value DeviceBuilder::roundToTf32(Value value) {
  return call("llvm.nvvm.f2tf32.rna", b.getI32Type(), {value});
}

Value DeviceBuilder::asFloat(Value bits) { return arith::BitcastOp::create(b, loc, b.getF32Type(), bits); }

} // namespace torsh
