//===-- KernelBuilder.cpp - Function, integers, loops and buffers of a kernel -------------------------------===//
#include "passes/lowering/KernelBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/lowering/SmallFloats.h"

using namespace mlir;

namespace torsh {

KernelBuilder::KernelBuilder(KernelOp kernel, const KernelTarget &target, OpBuilder &builder, KernelForm form)
    : kernel(kernel), target(target), choices(KernelChoices::of(kernel, getLevelName(target))), b(builder),
      loc(kernel.getLoc()) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Type i64 = b.getI64Type();
  if (form == KernelForm::Parameters) {
    size_t inputs = kernel.getInputs().size(), outputs = kernel.getYielded().size();
    SmallVector<Type> types(inputs + outputs, pointer);
    types.append(kernel.getSymbols().size(), i64);
    function = func::FuncOp::create(b, loc, kernel.getSymName(), b.getFunctionType(types, {}));
    Block *entry = function.addEntryBlock();
    b.setInsertionPointToStart(entry);
    ArrayRef<BlockArgument> arguments = entry->getArguments();
    inputPointers.assign(arguments.begin(), arguments.begin() + inputs);
    outputPointers.assign(arguments.begin() + inputs, arguments.begin() + inputs + outputs);
    for (auto [name, argument] : llvm::zip_equal(kernel.getSymbols().getAsValueRange<StringAttr>(),
                                                 arguments.drop_front(inputs + outputs)))
      symbols[name] = argument;
    return;
  }
  function = func::FuncOp::create(b, loc, kernel.getSymName(),
                                  b.getFunctionType({pointer, pointer, pointer, i64, i64}, {}));
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  begin = entry->getArgument(3);
  end = entry->getArgument(4);
  auto loadPointers = [&](Value table, size_t count, SmallVector<Value> &pointers) {
    for (size_t i = 0; i < count; ++i)
      pointers.push_back(LLVM::LoadOp::create(b, loc, pointer, address(table, pointer, constant(i)), 8));
  };
  loadPointers(entry->getArgument(0), kernel.getInputs().size(), inputPointers);
  loadPointers(entry->getArgument(1), kernel.getYielded().size(), outputPointers);
  for (auto [index, name] : llvm::enumerate(kernel.getSymbols().getAsValueRange<StringAttr>()))
    symbols[name] =
        LLVM::LoadOp::create(b, loc, i64, address(entry->getArgument(2), i64, constant(index)), 8);
}

void KernelBuilder::finish() { func::ReturnOp::create(b, loc); }

LogicalResult KernelBuilder::refuse(const Twine &reason) {
  return kernel.emitError("TSH-0501: no code for kernel '")
         << kernel.getSymName() << "' (" << kernel.getAnchor() << "): " << reason;
}

//===-- Integers -------------------------------------------------------------------------------------------------===//

Value KernelBuilder::constant(int64_t value) { return arith::ConstantIntOp::create(b, loc, value, 64); }

Value KernelBuilder::dim(DimAttr dim) {
  if (auto value = dim::asConstant(dim))
    return constant(*value);
  if (auto name = dim::asSymbol(dim))
    return symbols.lookup(*name);
  Value result = this->dim(dim.getOperands().front());
  for (DimAttr operand : dim.getOperands().drop_front()) {
    Value value = this->dim(operand);
    switch (dim.getKind()) {
    case DimKind::Add:
      result = add(result, value);
      break;
    case DimKind::Mul:
      result = mul(result, value);
      break;
    case DimKind::FloorDiv:
      result = b.createOrFold<arith::FloorDivSIOp>(loc, result, value);
      break;
    case DimKind::CeilDiv:
      result = b.createOrFold<arith::CeilDivSIOp>(loc, result, value);
      break;
    case DimKind::Mod:
      result = sub(result, mul(value, b.createOrFold<arith::FloorDivSIOp>(loc, result, value)));
      break;
    case DimKind::Min:
      result = min(result, value);
      break;
    case DimKind::Max:
      result = max(result, value);
      break;
    case DimKind::Constant:
    case DimKind::Symbol:
      break;
    }
  }
  return result;
}

SmallVector<Value> KernelBuilder::dims(Value tensor) {
  SmallVector<Value> result;
  for (DimAttr attr : getDims(tensor))
    result.push_back(dim(attr));
  return result;
}

Value KernelBuilder::add(Value x, Value y) { return b.createOrFold<arith::AddIOp>(loc, x, y); }
Value KernelBuilder::sub(Value x, Value y) { return b.createOrFold<arith::SubIOp>(loc, x, y); }
Value KernelBuilder::mul(Value x, Value y) { return b.createOrFold<arith::MulIOp>(loc, x, y); }
Value KernelBuilder::div(Value x, Value y) {
  if (getConstantIntValue(y) == 1)
    return x;
  return b.createOrFold<arith::DivUIOp>(loc, x, y);
}
Value KernelBuilder::rem(Value x, Value y) {
  if (getConstantIntValue(y) == 1)
    return constant(0);
  return b.createOrFold<arith::RemUIOp>(loc, x, y);
}
Value KernelBuilder::min(Value x, Value y) { return b.createOrFold<arith::MinSIOp>(loc, x, y); }
Value KernelBuilder::max(Value x, Value y) { return b.createOrFold<arith::MaxSIOp>(loc, x, y); }
Value KernelBuilder::less(Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, x, y);
}

SmallVector<Value> KernelBuilder::delinearize(Value linear, Indices sizes) {
  Value whole = linear;
  SmallVector<Value> result(sizes.size());
  for (size_t i = sizes.size(); i-- > 0;) {
    if (i == 0) {
      result[0] = linear;
      break;
    }
    result[i] = rem(linear, sizes[i]);
    linear = div(linear, sizes[i]);
  }
  if (result.size() > 1)
    splits[result[0]] = {whole, result, SmallVector<Value>(sizes)};
  return result;
}

/// The stride of a linear index over all axes of `split`, when `strides` lay them out without gaps.
static std::optional<int64_t> strideOfWhole(ArrayRef<Value> sizes, ArrayRef<Value> strides) {
  std::optional<int64_t> whole, next;
  for (size_t i = sizes.size(); i-- > 0;) {
    std::optional<int64_t> size = getConstantIntValue(sizes[i]), stride = getConstantIntValue(strides[i]);
    if (size == 1)
      continue;
    if (!stride || (i > 0 && !size) || (next && *next != *stride))
      return std::nullopt;
    whole = whole.value_or(*stride);
    next = *stride * size.value_or(1);
  }
  return whole;
}

//===-- Loops ----------------------------------------------------------------------------------------------------===//

SmallVector<Value> KernelBuilder::loop(Value from, Value to, int64_t step, ValueRange initial,
                                       LoopBody body) {
  auto trip = getConstantIntValue(from), limit = getConstantIntValue(to);
  if (trip && limit && *limit <= *trip)
    return SmallVector<Value>(initial);
  if (trip && limit && *limit - *trip <= step)
    return body(from, initial);
  auto loop = scf::ForOp::create(b, loc, from, to, constant(step), initial,
                                 [&](OpBuilder &, Location, Value iv, ValueRange carried) {
                                   SmallVector<Value> next = body(iv, carried);
                                   scf::YieldOp::create(b, loc, next);
                                 });
  return SmallVector<Value>(loop.getResults());
}

void KernelBuilder::loop(Value from, Value to, int64_t step, llvm::function_ref<void(Value)> body) {
  loop(from, to, step, ValueRange(), [&](Value iv, ValueRange) {
    body(iv);
    return SmallVector<Value>();
  });
}

void KernelBuilder::vectorLoop(Value from, Value to, llvm::function_ref<void(Value, unsigned)> body) {
  Value whole = mul(div(sub(to, from), constant(target.lanes)), constant(target.lanes));
  Value middle = add(from, whole);
  loop(from, middle, target.lanes, [&](Value iv) { body(iv, target.lanes); });
  loop(middle, to, 1, [&](Value iv) { body(iv, 1); });
}

void KernelBuilder::ifThen(Value condition, llvm::function_ref<void()> then) {
  scf::IfOp::create(b, loc, condition, [&](OpBuilder &, Location) {
    then();
    scf::YieldOp::create(b, loc);
  });
}

void KernelBuilder::ifThenElse(Value condition, llvm::function_ref<void()> then,
                               llvm::function_ref<void()> otherwise) {
  auto branch = [&](llvm::function_ref<void()> body) {
    return [this, body](OpBuilder &, Location) {
      body();
      scf::YieldOp::create(b, loc);
    };
  };
  scf::IfOp::create(b, loc, condition, branch(then), branch(otherwise));
}

Value KernelBuilder::ifThenElse(Value condition, Type type, llvm::function_ref<Value()> then,
                                llvm::function_ref<Value()> otherwise) {
  if (auto known = getConstantIntValue(condition))
    return *known ? then() : otherwise();
  auto op = scf::IfOp::create(
      b, loc, condition, [&](OpBuilder &, Location) { scf::YieldOp::create(b, loc, then()); },
      [&](OpBuilder &, Location) { scf::YieldOp::create(b, loc, otherwise()); });
  return op.getResult(0);
}

//===-- Buffers --------------------------------------------------------------------------------------------------===//

View KernelBuilder::rowMajor(Value pointer, RankedTensorType type) {
  View view{pointer, type.getElementType(), constant(0), {}};
  SmallVector<DimAttr> sizes = getDims(type);
  view.strides.resize(sizes.size());
  Value stride = constant(1);
  for (size_t i = sizes.size(); i-- > 0;) {
    view.strides[i] = stride;
    if (i > 0)
      stride = mul(stride, dim(sizes[i]));
  }
  return view;
}

/// `index` as a value and a constant that is added to it.
static std::pair<Value, int64_t> splitConstant(Value index) {
  int64_t constant = 0;
  while (auto sum = index.getDefiningOp<arith::AddIOp>()) {
    std::optional<int64_t> added = getConstantIntValue(sum.getRhs());
    if (!added)
      break;
    constant += *added;
    index = sum.getLhs();
  }
  return {index, constant};
}

Value KernelBuilder::linear(const View &view, Indices indices) {
  Value result = view.offset;
  ArrayRef<Value> strides = view.strides;
  // What is constant is added last, where address() finds it: neighbouring rows then share one address.
  int64_t fixed = 0;
  auto addTerm = [&](Value index, Value stride) {
    std::optional<int64_t> known = getConstantIntValue(stride);
    auto [base, constant] = splitConstant(index);
    if (!known || constant == 0) {
      result = add(result, mul(index, stride));
      return;
    }
    result = add(result, mul(base, stride));
    fixed += constant * *known;
  };
  for (size_t i = 0; i < indices.size(); ++i) {
    // (n / w) * w * s + (n % w) * s -> n * s
    if (auto split = splits.find(indices[i]); split != splits.end()) {
      const Split &found = split->second;
      size_t axes = found.parts.size();
      if (indices.slice(i).take_front(axes) == ArrayRef(found.parts))
        if (auto stride = strideOfWhole(found.sizes, strides.slice(i, axes))) {
          addTerm(found.whole, constant(*stride));
          i += axes - 1;
          continue;
        }
    }
    addTerm(indices[i], strides[i]);
  }
  return add(result, constant(fixed));
}

/// The type in memory: what is narrower than a byte takes one, unsigned integers are signless, floats of at most 8 bits are
/// the bytes that hold their codes. bf16 is moved as an integer: masked vectors of it are taken apart and rounded anew by
/// LLVM where the CPU has no instructions for them.
static Type memoryType(Type elementType) {
  if (isSmallFloat(elementType))
    return IntegerType::get(elementType.getContext(), 8);
  if (elementType.isBF16())
    return IntegerType::get(elementType.getContext(), 16);
  if (auto integer = dyn_cast<IntegerType>(elementType))
    return IntegerType::get(elementType.getContext(), std::max(8u, integer.getWidth()));
  return elementType;
}

static unsigned byteWidth(Type elementType) {
  if (isa<LLVM::LLVMPointerType>(elementType))
    return 8;
  return memoryType(elementType).getIntOrFloatBitWidth() / 8;
}

Value KernelBuilder::address(Value pointer, Type elementType, Value elementOffset) {
  if (getConstantIntValue(elementOffset) == 0)
    return pointer;
  Type type = isa<LLVM::LLVMPointerType>(elementType) ? Type(b.getI64Type()) : memoryType(elementType);
  // The constant part becomes the displacement of the access. Without it the address may lie outside of the buffer.
  auto [base, displacement] = splitConstant(elementOffset);
  LLVM::GEPArg last(elementOffset);
  if (displacement != 0 && llvm::isInt<32>(displacement)) {
    pointer = LLVM::GEPOp::create(b, loc, pointer.getType(), type, pointer, ArrayRef<LLVM::GEPArg>{base});
    last = LLVM::GEPArg(int32_t(displacement));
  }
  return LLVM::GEPOp::create(b, loc, pointer.getType(), type, pointer, ArrayRef<LLVM::GEPArg>{last},
                             LLVM::GEPNoWrapFlags::inbounds);
}

Value KernelBuilder::loadFrom(Value pointer, Type elementType, Value elementOffset, unsigned lanes,
                              Value mask) {
  Type stored = vectorOf(memoryType(elementType), lanes);
  Value at = address(pointer, elementType, elementOffset);
  unsigned alignment = byteWidth(elementType);
  Value value;
  if (mask) {
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(stored));
    value = LLVM::MaskedLoadOp::create(b, loc, stored, at, mask, zero, alignment);
  } else {
    value = LLVM::LoadOp::create(b, loc, stored, at, alignment);
  }
  if (elementType.isInteger(1)) {
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(stored));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, value, zero);
  }
  if (isSmallFloat(elementType)) {
    Value decoded = decodeSmallFloat(b, loc, value, cast<FloatType>(elementType));
    codes[decoded] = {value, elementType};
    return decoded;
  }
  if (elementType.isBF16())
    value = arith::BitcastOp::create(b, loc, vectorOf(elementType, lanes), value);
  Type wanted = vectorOf(computeType(elementType), lanes);
  // The high bits of a byte that holds a narrower integer say nothing.
  if (isa<IntegerType>(elementType) && wanted != value.getType())
    return arith::TruncIOp::create(b, loc, wanted, value);
  if (wanted != value.getType())
    value = arith::ExtFOp::create(b, loc, wanted, value);
  return value;
}

void KernelBuilder::storeTo(Value value, Value pointer, Type elementType, Value elementOffset, unsigned lanes,
                            Value mask) {
  Type stored = vectorOf(memoryType(elementType), lanes);
  if (isSmallFloat(elementType)) {
    value = roundSmallFloat(value, elementType, /*saturate=*/false).code;
  } else if (elementType.isInteger(1) || elementType.isUnsignedInteger()) {
    if (value.getType() != stored)
      value = arith::ExtUIOp::create(b, loc, stored, value);
  } else if (isa<IntegerType>(elementType)) {
    if (value.getType() != stored)
      value = arith::ExtSIOp::create(b, loc, stored, value);
  } else if (value.getType() != stored) {
    Type narrow = elementType.isBF16() ? vectorOf(elementType, lanes) : stored;
    // What the body has rounded already is not rounded again.
    auto widened = value.getDefiningOp<arith::ExtFOp>();
    value = widened && widened.getIn().getType() == narrow
                ? widened.getIn()
                : arith::TruncFOp::create(b, loc, narrow, value).getResult();
    if (narrow != stored)
      value = arith::BitcastOp::create(b, loc, stored, value);
  }
  Value at = address(pointer, elementType, elementOffset);
  unsigned alignment = byteWidth(elementType);
  if (mask)
    LLVM::MaskedStoreOp::create(b, loc, value, at, mask, alignment);
  else
    LLVM::StoreOp::create(b, loc, value, at, alignment);
}

KernelBuilder::SmallFloat KernelBuilder::roundSmallFloat(Value value, Type elementType, bool saturate) {
  // What has been rounded already is not rounded again.
  if (auto known = codes.find(value); known != codes.end() && known->second.second == elementType)
    return {known->second.first, value};
  auto type = cast<FloatType>(elementType);
  Value code = encodeSmallFloat(b, loc, value, type, saturate);
  Value decoded = decodeSmallFloat(b, loc, code, type);
  codes[decoded] = {code, elementType};
  return {code, decoded};
}

Value KernelBuilder::stackBuffer(Type elementType, int64_t count) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&function.getBody().front());
  return LLVM::AllocaOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()), memoryType(elementType),
                                constant(count), 64);
}

//===-- Element types --------------------------------------------------------------------------------------------===//

Type KernelBuilder::computeType(Type elementType) const {
  if (isa<Float16Type, BFloat16Type>(elementType) || isSmallFloat(elementType))
    return b.getF32Type();
  if (auto integer = dyn_cast<IntegerType>(elementType))
    return IntegerType::get(elementType.getContext(), integer.getWidth());
  return elementType;
}

Type KernelBuilder::vectorOf(Type computeType, unsigned lanes) const {
  return lanes == 1 ? computeType : Type(VectorType::get({int64_t(lanes)}, computeType));
}

Value KernelBuilder::splat(Value scalar, unsigned lanes) {
  if (lanes == 1)
    return scalar;
  return vector::BroadcastOp::create(b, loc, vectorOf(scalar.getType(), lanes), scalar);
}

Value KernelBuilder::firstLanes(int64_t count, unsigned lanes) {
  SmallVector<bool> bits(lanes, false);
  std::fill(bits.begin(), bits.begin() + std::min<int64_t>(count, lanes), true);
  auto type = VectorType::get({int64_t(lanes)}, b.getI1Type());
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, ArrayRef<bool>(bits)));
}

Value KernelBuilder::laneNumbers(unsigned lanes) {
  auto numbers = llvm::to_vector(llvm::seq<int64_t>(0, lanes));
  auto type = VectorType::get({int64_t(lanes)}, b.getI64Type());
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, ArrayRef<int64_t>(numbers)));
}

Value KernelBuilder::firstLanes(Value count, unsigned lanes) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, laneNumbers(lanes), splat(count, lanes));
}

Value KernelBuilder::splatConstant(Type elementType, double value, unsigned lanes) {
  Type scalar = computeType(elementType);
  Attribute attribute;
  if (auto floating = dyn_cast<FloatType>(scalar))
    attribute = b.getFloatAttr(floating, value);
  else
    attribute = b.getIntegerAttr(scalar, int64_t(value));
  if (lanes != 1)
    attribute = DenseElementsAttr::get(cast<VectorType>(vectorOf(scalar, lanes)), attribute);
  return arith::ConstantOp::create(b, loc, cast<TypedAttr>(attribute));
}

} // namespace torsh
