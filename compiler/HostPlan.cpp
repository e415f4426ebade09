//===-- HostPlan.cpp - The compiled function that launches the kernels --------------------------------------===//
//
// prepare() binds the symbols from the inputs' dims, checks every dim and guard and computes output dims and the arena's
// size. run() launches on addresses that are known then, and branches only where the model does. Both are pure arithmetic:
// no allocation, no call but the host's parallel_for, bodies of control flow and copies of what a loop carries.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "compiler/HostPlan.h"
#include "compiler/LaunchCost.h"
#include "compiler/PlanBuilder.h"
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Objects.h"
#include "dialects/torsh/Updates.h"
#include "torsh/artifact.h"
#include "torsh/torsh.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace llvm;
using mlir::cast;
using mlir::dyn_cast;
using mlir::isa;

namespace torsh {

std::pair<uint8_t, uint8_t> dlpackType(mlir::Type type) {
  if (type.isInteger(1))
    return {6, 8};
  if (auto integer = dyn_cast<mlir::IntegerType>(type))
    return {uint8_t(integer.isUnsigned() ? 1 : 0), uint8_t(integer.getWidth())};
  if (type.isBF16())
    return {4, 16};
  auto floating = dyn_cast<mlir::FloatType>(type);
  if (!floating)
    return {0, 0};
  unsigned small = llvm::TypeSwitch<mlir::Type, unsigned>(type)
                       .Case<mlir::Float8E4M3FNType>([](auto) { return TORSH_DTYPE_FLOAT8_E4M3FN; })
                       .Case<mlir::Float8E4M3FNUZType>([](auto) { return TORSH_DTYPE_FLOAT8_E4M3FNUZ; })
                       .Case<mlir::Float8E5M2Type>([](auto) { return TORSH_DTYPE_FLOAT8_E5M2; })
                       .Case<mlir::Float8E5M2FNUZType>([](auto) { return TORSH_DTYPE_FLOAT8_E5M2FNUZ; })
                       .Case<mlir::Float8E8M0FNUType>([](auto) { return TORSH_DTYPE_FLOAT8_E8M0FNU; })
                       .Case<mlir::Float6E2M3FNType>([](auto) { return TORSH_DTYPE_FLOAT6_E2M3FN; })
                       .Case<mlir::Float6E3M2FNType>([](auto) { return TORSH_DTYPE_FLOAT6_E3M2FN; })
                       .Case<mlir::Float4E2M1FNType>([](auto) { return TORSH_DTYPE_FLOAT4_E2M1FN; })
                       .Default([](auto) { return TORSH_DTYPE_FLOAT; });
  return {uint8_t(small), uint8_t(floating.getWidth())};
}

SmallVector<StringRef> boundSymbols(mlir::func::FuncOp function) {
  SmallVector<StringRef> symbols;
  for (mlir::Type type : function.getArgumentTypes())
    for (DimAttr dim : getDims(cast<mlir::RankedTensorType>(type)))
      if (auto name = dim::asSymbol(dim); name && !is_contained(symbols, *name))
        symbols.push_back(*name);
  return symbols;
}

SmallVector<std::string> portNames(mlir::func::FuncOp function, bool inputs) {
  SmallVector<std::string> names;
  if (auto attribute =
          function->getAttrOfType<mlir::ArrayAttr>(inputs ? "torsh.input_names" : "torsh.output_names"))
    for (auto name : attribute.getAsRange<mlir::StringAttr>())
      names.push_back(name.str());
  size_t count = inputs ? function.getNumArguments() : function.getNumResults();
  while (names.size() < count)
    names.push_back((inputs ? "input" : "output") + std::to_string(names.size()));
  return names;
}

SmallVector<StateSlot> getStateSlots(mlir::func::FuncOp function) {
  SmallVector<StateSlot> slots;
  for (unsigned input = 0; input < function.getNumArguments(); ++input) {
    StringRef role = getRole(function, input);
    uint32_t code = role == "parameter" ? TORSH_STATE_PARAMETER
                    : role == "step"    ? TORSH_STATE_STEP
                                        : TORSH_STATE_OPTIMIZER;
    // What is updated belongs to the state whatever it is called.
    if (role != "parameter" && role != "state" && role != "step" && !isUpdated(function, input))
      continue;
    auto type = cast<mlir::RankedTensorType>(function.getArgument(input).getType());
    int64_t bits = std::max(8u, type.getElementTypeBitWidth());
    std::optional<int64_t> elements = dim::asConstant(getNumElements(type));
    slots.push_back({input, code, -1, elements ? *elements * bits / 8 : -1});
  }
  for (ConstantOp constant : function.getOps<ConstantOp>())
    if (auto of = constant->getAttrOfType<mlir::IntegerAttr>("initial_of"))
      for (StateSlot &slot : slots)
        if (slot.input == of.getInt())
          slot.initial = *dim::asConstant(constant->getAttrOfType<PlaceAttr>("place").getOffset());
  return slots;
}

Value *PlanBuilder::floorDivide(Value *x, Value *y) {
  // Divisors are positive sizes; a zero divisor gives zero instead of a trap.
  Value *zero = b.CreateICmpEQ(y, b.getInt64(0));
  Value *safe = b.CreateSelect(zero, b.getInt64(1), y);
  Value *quotient = b.CreateSDiv(x, safe), *rest = b.CreateSRem(x, safe);
  Value *adjust = b.CreateAnd(b.CreateICmpNE(rest, b.getInt64(0)),
                              b.CreateICmpSLT(b.CreateXor(rest, safe), b.getInt64(0)));
  Value *result = b.CreateSub(quotient, b.CreateZExt(adjust, i64));
  return b.CreateSelect(zero, b.getInt64(0), result);
}

Value *PlanBuilder::dim(DimAttr attr) {
  if (auto value = dim::asConstant(attr))
    return b.getInt64(*value);
  if (auto name = dim::asSymbol(attr)) {
    if (Value *value = symbols.lookup(*name))
      return value;
    unbound = name->str();
    return b.getInt64(0);
  }
  Value *result = dim(attr.getOperands().front());
  for (DimAttr operand : attr.getOperands().drop_front()) {
    Value *value = dim(operand);
    switch (attr.getKind()) {
    case DimKind::Add:
      result = b.CreateAdd(result, value);
      break;
    case DimKind::Mul:
      result = b.CreateMul(result, value);
      break;
    case DimKind::FloorDiv:
      result = floorDivide(result, value);
      break;
    case DimKind::CeilDiv:
      result = b.CreateNeg(floorDivide(b.CreateNeg(result), value));
      break;
    case DimKind::Mod:
      result = b.CreateSub(result, b.CreateMul(value, floorDivide(result, value)));
      break;
    case DimKind::Min:
      result = b.CreateSelect(b.CreateICmpSLT(result, value), result, value);
      break;
    case DimKind::Max:
      result = b.CreateSelect(b.CreateICmpSGT(result, value), result, value);
      break;
    case DimKind::Constant:
    case DimKind::Symbol:
      break;
    }
  }
  return result;
}

Constant *PlanBuilder::string(StringRef text) {
  Constant *data = ConstantDataArray::getString(module.getContext(), text);
  return new GlobalVariable(module, data->getType(), true, GlobalValue::PrivateLinkage, data, "text");
}

Constant *PlanBuilder::table(llvm::Type *type, ArrayRef<Constant *> entries, StringRef name) {
  if (entries.empty())
    return ConstantPointerNull::get(pointer);
  auto *arrayType = ArrayType::get(type, entries.size());
  return new GlobalVariable(module, arrayType, true, GlobalValue::PrivateLinkage,
                            ConstantArray::get(arrayType, entries), name);
}

/// Leaves prepare() with status 1 and the reason when the condition does not hold.
void PlanBuilder::failUnless(Value *condition, uint64_t input, uint64_t axis, Value *actual,
                             Value *expected) {
  Function *current = b.GetInsertBlock()->getParent();
  auto *bad = BasicBlock::Create(module.getContext(), "mismatch", current);
  auto *good = BasicBlock::Create(module.getContext(), "ok", current);
  b.CreateCondBr(condition, good, bad);
  b.SetInsertPoint(bad);
  Value *error = current->getArg(4);
  store(b.getInt32(input), error, 0);
  store(b.getInt32(axis), error, 1);
  store(actual, error, 1);
  store(expected, error, 2);
  b.CreateRet(b.getInt32(1));
  b.SetInsertPoint(good);
}

Function *PlanBuilder::buildPrepare() {
  auto *type = FunctionType::get(i32, {pointer, pointer, pointer, pointer, pointer}, false);
  auto *prepare = Function::Create(type, GlobalValue::InternalLinkage, "prepare", module);
  b.SetInsertPoint(BasicBlock::Create(module.getContext(), "entry", prepare));
  symbols.clear();
  // A symbol is bound where it first stands alone; everything else is checked against the bound symbols.
  for (auto [input, argument] : enumerate(function.getArguments()))
    for (auto [axis, attr] : enumerate(getDims(argument)))
      if (auto name = dim::asSymbol(attr); name && !symbols.contains(*name)) {
        symbols[*name] = element(element(prepare->getArg(0), input, pointer), axis, i64);
        store(symbols[*name], prepare->getArg(1), find(symbolNames, *name) - symbolNames.begin());
      }
  constexpr int64_t largest = int64_t(1) << 40;
  for (auto [input, argument] : enumerate(function.getArguments()))
    for (auto [axis, attr] : enumerate(getDims(argument))) {
      Value *actual = element(element(prepare->getArg(0), input, pointer), axis, i64);
      Value *expected = dim(attr);
      failUnless(b.CreateICmpEQ(actual, expected), input, axis, actual, expected);
      if (!dim::asConstant(attr))
        failUnless(b.CreateICmpULE(actual, b.getInt64(largest)), input, axis, actual, b.getInt64(largest));
    }
  for (GuardOp guard : function.getOps<GuardOp>()) {
    Value *left = dim(guard.getLhs()), *right = dim(guard.getRhs());
    failUnless(b.CreateICmpEQ(left, right), uint64_t(-1), guards.size(), left, right);
    guards.push_back(guard.getMessage().str());
  }
  mlir::Operation *terminator = function.getBody().front().getTerminator();
  for (auto [output, result] : enumerate(getOutputResults(function)))
    for (auto [axis, attr] : enumerate(getDims(terminator->getOperand(result)))) {
      if (!isKnown(attr)) {
        store(b.getInt64(-1), element(prepare->getArg(2), output, pointer), axis);
        continue;
      }
      Value *size = dim(attr);
      if (!dim::asConstant(attr)) {
        failUnless(b.CreateICmpSGE(size, b.getInt64(0)), uint64_t(-1), guards.size(), size, b.getInt64(0));
        guards.push_back("a dim of output " + std::to_string(output) + " must not be negative");
      }
      store(size, element(prepare->getArg(2), output, pointer), axis);
    }
  b.CreateStore(dim(cast<DimAttr>(function->getAttr("torsh.arena_bytes"))), prepare->getArg(3));
  b.CreateRet(b.getInt32(0));
  return prepare;
}

Function *PlanBuilder::buildCosts() {
  auto *type = FunctionType::get(b.getVoidTy(), {pointer, pointer}, false);
  auto *costs = Function::Create(type, GlobalValue::InternalLinkage, "costs", module);
  b.SetInsertPoint(BasicBlock::Create(module.getContext(), "entry", costs));
  symbols.clear();
  for (auto [index, name] : enumerate(symbolNames))
    symbols[name] = element(costs->getArg(0), index, i64);
  mlir::SymbolTable kernels(function->getParentOfType<mlir::ModuleOp>());
  uint64_t index = 0;
  for (mlir::func::FuncOp part : functions)
    for (LaunchOp launch : part.getOps<LaunchOp>()) {
      LaunchCost cost = getLaunchCost(launch, kernels.lookup<KernelOp>(launch.getKernel()));
      store(dim(cost.flops), costs->getArg(1), index++);
      store(dim(cost.bytes), costs->getArg(1), index++);
    }
  b.CreateRetVoid();
  return costs;
}

/// sizes(): of each launch the blocks and the bytes of its inputs. `first` receives where each begins.
Function *PlanBuilder::buildDeviceSizes(SmallVectorImpl<uint32_t> &first, uint32_t &count) {
  auto *type = FunctionType::get(b.getVoidTy(), {pointer, pointer}, false);
  auto *sizes = Function::Create(type, GlobalValue::InternalLinkage, "device_sizes", module);
  b.SetInsertPoint(BasicBlock::Create(module.getContext(), "entry", sizes));
  symbols.clear();
  for (auto [index, name] : enumerate(symbolNames))
    symbols[name] = element(sizes->getArg(0), index, i64);
  count = 0;
  for (const DevicePlan::Launch &launch : device->launches) {
    first.push_back(count);
    store(dim(launch.blocks), sizes->getArg(1), count++);
    for (DimAttr bytes : launch.bytes)
      store(dim(bytes), sizes->getArg(1), count++);
  }
  b.CreateRetVoid();
  return sizes;
}

/// The torsh_device_program, null without a device.
Constant *PlanBuilder::buildDevice() {
  if (!device)
    return ConstantPointerNull::get(pointer);
  auto text = [&](StringRef text) -> Constant * {
    return text.empty() ? ConstantPointerNull::get(pointer) : string(text);
  };
  auto flags = [&](ArrayRef<uint8_t> values) {
    SmallVector<Constant *> entries;
    for (uint8_t value : values)
      entries.push_back(b.getInt8(value));
    return table(i8, entries, "moves");
  };
  auto *kernelType = StructType::get(pointer, pointer, i32, i32, i32, i32);
  SmallVector<Constant *> kernelEntries;
  for (const std::string &name : kernelNames) {
    DevicePlan::Kernel kernel = device->kernels.lookup(name);
    kernelEntries.push_back(ConstantStruct::get(
        kernelType, {text(kernel.image), text(kernel.reason), b.getInt32(kernel.threads),
                     b.getInt32(kernel.inputs), b.getInt32(kernel.outputs), b.getInt32(kernel.dims)}));
  }
  SmallVector<uint32_t> first;
  uint32_t count = 0;
  Function *sizes = buildDeviceSizes(first, count);
  auto *launchType = StructType::get(pointer, i32, i32);
  SmallVector<Constant *> launchEntries;
  for (auto [launch, from] : zip_equal(device->launches, first))
    launchEntries.push_back(
        ConstantStruct::get(launchType, {flags(launch.moves), b.getInt32(from), b.getInt32(0)}));
  Constant *data = ConstantStruct::getAnon(
      {b.getInt32(sizeof(torsh_device_program)), b.getInt32(device->target.capability),
       table(kernelType, kernelEntries, "device_kernels"),
       table(launchType, launchEntries, "device_launches"), flags(device->outputMoves), b.getInt32(count),
       b.getInt32(0), sizes});
  return new GlobalVariable(module, data->getType(), true, GlobalValue::PrivateLinkage, data, "device");
}

Constant *PlanBuilder::ports(bool isInputs) {
  SmallVector<std::string> all = portNames(function, isInputs), names(all);
  SmallVector<mlir::Value> values(function.getArguments().begin(), function.getArguments().end());
  if (!isInputs) {
    names.clear();
    values.clear();
    for (unsigned result : getOutputResults(function)) {
      names.push_back(all[result]);
      values.push_back(function.getBody().front().getTerminator()->getOperand(result));
    }
  }
  auto *type = StructType::get(pointer, i8, i8, b.getInt16Ty(), i32, pointer, pointer);
  SmallVector<Constant *> entries;
  for (auto [index, name] : enumerate(names)) {
    mlir::Value value = values[index];
    mlir::Type element = cast<mlir::RankedTensorType>(value.getType()).getElementType();
    uint32_t kind = 0;
    if (mlir::ArrayAttr description = object::describe(value.getType())) {
      kind = object::portKind(description);
      element = object::elementOf(description);
    }
    // The elements of strings are bytes.
    auto [code, bits] = element ? dlpackType(element) : std::pair<uint8_t, uint8_t>(1, 8);
    SmallVector<Constant *> dims, texts;
    for (DimAttr attr : getDims(value)) {
      dims.push_back(b.getInt64(dim::asConstant(attr).value_or(-1)));
      texts.push_back(string(dim::toString(attr)));
    }
    entries.push_back(ConstantStruct::get(
        type, {string(name), b.getInt8(code), b.getInt8(bits), b.getInt16(dims.size()), b.getInt32(kind),
               table(i64, dims, "dims"), table(pointer, texts, "dim_names")}));
  }
  return table(type, entries, isInputs ? "inputs" : "outputs");
}

/// The inputs that a host keeps from run to run, with the place of their first values.
Constant *PlanBuilder::stateSlots(uint32_t &count) {
  auto *type = StructType::get(i32, i32, i64, i64);
  SmallVector<Constant *> entries;
  for (const StateSlot &slot : getStateSlots(function))
    entries.push_back(ConstantStruct::get(type, {b.getInt32(slot.input), b.getInt32(slot.role),
                                                 b.getInt64(slot.initial), b.getInt64(slot.bytes)}));
  count = entries.size();
  return table(type, entries, "state_slots");
}

void PlanBuilder::buildQuery(Function *prepare, Function *run, Function *costs) {
  auto strings = [&](auto &texts, StringRef name) {
    SmallVector<Constant *> entries;
    for (const auto &text : texts)
      entries.push_back(string(text));
    return table(pointer, entries, name);
  };
  auto *kernelType = FunctionType::get(b.getVoidTy(), {pointer, pointer, pointer, i64, i64}, false);
  auto *codeType = StructType::get(i32, i32, pointer);
  SmallVector<Constant *> codes;
  for (const CpuLevel &level : levels) {
    SmallVector<Constant *> functions;
    for (const std::string &name : kernelNames)
      functions.push_back(
          Function::Create(kernelType, GlobalValue::ExternalLinkage, name + "_" + level.name, module));
    codes.push_back(ConstantStruct::get(
        codeType, {b.getInt32(level.number), b.getInt32(0), table(pointer, functions, "kernels")}));
  }
  auto count = [&](size_t value) { return b.getInt32(value); };
  SmallVector<Constant *> launchKernels;
  for (uint32_t kernel : kernelOfLaunch)
    launchKernels.push_back(b.getInt32(kernel));
  uint32_t numSlots = 0;
  Constant *slots = stateSlots(numSlots);
  SmallVector<Constant *> fields{count(sizeof(torsh_program)),
                                 count(TORSH_ARTIFACT_VERSION),
                                 count(function.getNumArguments()),
                                 count(getOutputResults(function).size()),
                                 count(symbolNames.size()),
                                 count(kernelNames.size()),
                                 count(levels.size()),
                                 count(guards.size()),
                                 ports(true),
                                 ports(false),
                                 strings(symbolNames, "symbol_names"),
                                 strings(kernelNames, "kernel_names"),
                                 strings(guards, "guards"),
                                 table(codeType, codes, "codes"),
                                 prepare,
                                 run,
                                 count(kernelOfLaunch.size()),
                                 count(numFrames),
                                 costs,
                                 table(i32, launchKernels, "launch_kernels"),
                                 count(numSlots),
                                 count(0),
                                 slots,
                                 buildDevice()};
  Constant *data = ConstantStruct::getAnon(fields);
  auto *program =
      new GlobalVariable(module, data->getType(), true, GlobalValue::PrivateLinkage, data, "program");
  auto *query = Function::Create(FunctionType::get(pointer, {i32}, false), GlobalValue::ExternalLinkage,
                                 TORSH_QUERY_SYMBOL, module);
  query->setVisibility(GlobalValue::DefaultVisibility);
  b.SetInsertPoint(BasicBlock::Create(module.getContext(), "entry", query));
  Value *known = b.CreateICmpEQ(query->getArg(0), b.getInt32(TORSH_ARTIFACT_VERSION));
  b.CreateRet(b.CreateSelect(known, program, ConstantPointerNull::get(pointer)));
}

Error PlanBuilder::build() {
  for (const StateSlot &slot : getStateSlots(function))
    if (slot.bytes < 0)
      return createStringError(
          "TSH-0612: '" + portNames(function, true)[slot.input] +
          "' is kept from step to step, so its size must be known when the model is compiled; "
          "fix the size with --dim");
  Function *prepare = buildPrepare();
  for (auto [output, result] : enumerate(getOutputResults(function))) {
    auto &numbers = outputsOf[function];
    numbers.resize(function.getNumResults());
    numbers[result] = output;
  }
  for (mlir::func::FuncOp part : functions)
    runs[part.getSymName()] = declareRun(part == function ? "run" : part.getSymName());
  for (mlir::func::FuncOp part : functions)
    if (Error error = buildRun(part, runs.lookup(part.getSymName())))
      return error;
  if (!unbound.empty())
    return createStringError(
        "TSH-0611: the size '" + unbound +
        "' is not a dim of any input by itself, so it is not known before the run; fix it with --dim " +
        unbound + "=VALUE where it comes from the model's signature");
  buildQuery(prepare, runs.lookup(function.getSymName()), buildCosts());
  for (Function &defined : module)
    if (!defined.isDeclaration())
      defined.setUWTableKind(UWTableKind::Default);
  return Error::success();
}

Expected<std::unique_ptr<Module>> buildHostPlan(mlir::func::FuncOp function, ArrayRef<CpuLevel> levels,
                                                LLVMContext &context, const DevicePlan *device) {
  auto module = std::make_unique<Module>("torsh_plan", context);
  if (Error error = PlanBuilder(function, levels, *module, device).build())
    return std::move(error);
  return module;
}

} // namespace torsh
