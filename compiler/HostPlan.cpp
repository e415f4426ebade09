//===-- HostPlan.cpp - The compiled function that launches the kernels --------------------------------------===//
//
// prepare() binds the symbols from the inputs' dims, checks every dim and guard and computes output dims and the arena's
// size. run() is a straight line of launches on addresses that are known then. Both are pure arithmetic: no allocation,
// no call but the host's parallel_for.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "compiler/HostPlan.h"
#include "compiler/LaunchCost.h"
#include "dialects/torsh/Dim.h"
#include "torsh/artifact.h"
#include "llvm/IR/IRBuilder.h"

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
  if (isa<mlir::Float8E4M3FNType>(type))
    return {10, 8};
  if (isa<mlir::Float8E5M2Type>(type))
    return {12, 8};
  if (auto floating = dyn_cast<mlir::FloatType>(type))
    return {2, uint8_t(floating.getWidth())};
  return {0, 0};
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

namespace {

class PlanBuilder {
public:
  PlanBuilder(mlir::func::FuncOp function, ArrayRef<CpuLevel> levels, Module &module,
              const DevicePlan *device)
      : function(function), levels(levels), module(module), device(device), b(module.getContext()),
        pointer(PointerType::get(module.getContext(), 0)), i8(b.getInt8Ty()), i32(b.getInt32Ty()),
        i64(b.getInt64Ty()), symbolNames(boundSymbols(function)) {}

  Error build();

private:
  Value *dim(DimAttr dim);
  Value *floorDivide(Value *x, Value *y);
  Value *grain(LaunchOp launch, KernelOp kernel, const TileSpace &space, Value *tiles);
  Value *element(Value *table, uint64_t index, llvm::Type *type) {
    return b.CreateLoad(type, b.CreateConstInBoundsGEP1_64(type, table, index));
  }
  void store(Value *value, Value *table, uint64_t index) {
    b.CreateStore(value, b.CreateConstInBoundsGEP1_64(value->getType(), table, index));
  }
  Constant *string(StringRef text);
  Constant *table(llvm::Type *type, ArrayRef<Constant *> entries, StringRef name);
  Constant *ports(bool inputs);
  void failUnless(Value *condition, uint64_t input, uint64_t axis, Value *actual, Value *expected);
  Function *buildPrepare();
  Expected<Function *> buildRun();
  Function *buildCosts();
  Function *buildDeviceSizes(SmallVectorImpl<uint32_t> &first, uint32_t &count);
  Constant *buildDevice();
  Expected<Value *> address(mlir::Value value);
  Expected<Value *> address(mlir::Value value, mlir::Type inside);
  Error buildLaunch(LaunchOp launch);
  void beginImages(DimAttr count);
  void endImages();
  void buildQuery(Function *prepare, Function *run, Function *costs);

  mlir::func::FuncOp function;
  ArrayRef<CpuLevel> levels;
  Module &module;
  const DevicePlan *device; ///< null: the CPU runs it all
  IRBuilder<> b;
  PointerType *pointer;
  llvm::Type *i8, *i32, *i64;
  SmallVector<StringRef> symbolNames;
  std::string unbound;        ///< a symbol that no input gives a value
  StringMap<Value *> symbols; ///< values in the function that is being built
  SmallVector<std::string> guards;
  SmallVector<std::string> kernelNames;
  SmallVector<uint32_t> kernelOfLaunch;
  StringMap<uint64_t> kernelIndex;
  // run()'s arguments
  Value *weights = nullptr, *inputs = nullptr, *outputs = nullptr, *workspace = nullptr, *kernels = nullptr;
  // of run()
  Value *hostContext = nullptr, *parallelFor = nullptr;
  Value *inTable = nullptr, *outTable = nullptr, *dimTable = nullptr;
  PHINode *image = nullptr;     ///< the image at hand, in a segment that takes one after the other
  Value *imageCount = nullptr;  ///< of that segment
  BasicBlock *behind = nullptr; ///< where the segment goes on to
};

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

/// Tiles that a thread should take at least: a strategy's tiles can be many and the whole call still too short to share.
Value *PlanBuilder::grain(LaunchOp launch, KernelOp kernel, const TileSpace &space, Value *tiles) {
  if (space.grain == 0) // one tile is long
    return b.getInt64(0);
  // A part must take longer than it takes to hand it over to another core and to hear that it is done, which is between
  // 0.2 and 1 microsecond on the machines measured (benchmarks/threads).
  constexpr int64_t worth = 1500;
  Value *nanoseconds = dim(estimateNanoseconds(launch, kernel));
  Value *least = floorDivide(b.CreateMul(tiles, b.getInt64(worth)), b.CreateAdd(nanoseconds, b.getInt64(1)));
  Value *own = b.getInt64(space.grain);
  return b.CreateSelect(b.CreateICmpSGT(least, own), least, own);
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
  for (auto [output, value] : enumerate(terminator->getOperands()))
    for (auto [axis, attr] : enumerate(getDims(value))) {
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

Expected<Value *> PlanBuilder::address(mlir::Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getX();
  if (auto argument = dyn_cast<mlir::BlockArgument>(value))
    return element(inputs, argument.getArgNumber(), pointer);
  mlir::Operation *op = value.getDefiningOp();
  PlaceAttr place;
  if (auto attr = op->getAttrOfType<PlaceAttr>("place"))
    place = attr;
  else if (auto places = op->getAttrOfType<mlir::ArrayAttr>("places"))
    place = cast<PlaceAttr>(places[cast<mlir::OpResult>(value).getResultNumber()]);
  if (!place)
    return createStringError("TSH-0610: the host plan has no code for '" + op->getName().getStringRef() +
                             "'");
  if (place.getSpace() == "output")
    return element(outputs, *dim::asConstant(place.getOffset()), pointer);
  Value *base = place.getSpace() == "weights" ? weights : workspace;
  return b.CreateInBoundsGEP(i8, base, dim(place.getOffset()));
}

/// The address for a kernel that sees the value as `inside`: where that is one image of all, the image at hand.
Expected<Value *> PlanBuilder::address(mlir::Value value, mlir::Type inside) {
  Expected<Value *> whole = address(value);
  auto type = cast<mlir::RankedTensorType>(value.getType());
  auto part = cast<mlir::RankedTensorType>(inside);
  if (!whole || !image || type.getRank() == 0 || part.getDimSize(0) != 1 || type.getDimSize(0) == 1)
    return whole;
  SmallVector<DimAttr> dims = getDims(type);
  dims.front() = dim::constant(type.getContext(), 1);
  int64_t bits = std::max(8u, type.getElementTypeBitWidth());
  Value *bytes = b.CreateMul(dim(dim::product(type.getContext(), dims)), b.getInt64(bits / 8));
  return b.CreateInBoundsGEP(i8, *whole, b.CreateMul(image, bytes));
}

void PlanBuilder::beginImages(DimAttr count) {
  Function *current = b.GetInsertBlock()->getParent();
  BasicBlock *before = b.GetInsertBlock();
  auto *body = BasicBlock::Create(module.getContext(), "image", current);
  behind = BasicBlock::Create(module.getContext(), "images_done", current);
  imageCount = dim(count);
  b.CreateCondBr(b.CreateICmpSGT(imageCount, b.getInt64(0)), body, behind);
  b.SetInsertPoint(body);
  image = b.CreatePHI(i64, 2);
  image->addIncoming(b.getInt64(0), before);
}

void PlanBuilder::endImages() {
  Value *next = b.CreateAdd(image, b.getInt64(1));
  image->addIncoming(next, b.GetInsertBlock());
  b.CreateCondBr(b.CreateICmpSLT(next, imageCount), image->getParent(), behind);
  b.SetInsertPoint(behind);
  image = nullptr;
}

Error PlanBuilder::buildLaunch(LaunchOp launch) {
  auto kernel = mlir::SymbolTable::lookupNearestSymbolFrom<KernelOp>(launch, launch.getKernelAttr());
  for (auto [index, input, inside] : enumerate(launch.getInputs(), kernel.getInputs())) {
    auto at = address(input, inside.getType());
    if (!at)
      return at.takeError();
    store(*at, inTable, index);
  }
  for (auto [index, output, inside] : enumerate(launch.getResults(), kernel.getYielded())) {
    auto at = address(output, inside.getType());
    if (!at)
      return at.takeError();
    store(*at, outTable, index);
  }
  for (auto [index, attr] : enumerate(launch.getDims().getDims()))
    store(dim(attr), dimTable, index);
  TileSpace space = getTileSpace(kernel);
  auto [it, isNew] = kernelIndex.try_emplace(launch.getKernel(), kernelNames.size());
  if (isNew)
    kernelNames.push_back(launch.getKernel().str());
  Value *code = element(kernels, it->second, pointer);
  Value *tiles = dim(dim::substitute(space.tiles, bindSymbols(launch, kernel)));
  auto *type = FunctionType::get(i32, {pointer, pointer, pointer, pointer, pointer, i64, i64, i32}, false);
  Value *status = b.CreateCall(type, parallelFor,
                               {hostContext, code, inTable, outTable, dimTable, tiles,
                                grain(launch, kernel, space, tiles), b.getInt32(kernelOfLaunch.size())});
  kernelOfLaunch.push_back(it->second);
  Function *run = b.GetInsertBlock()->getParent();
  auto *next = BasicBlock::Create(module.getContext(), "next", run);
  auto *stop = BasicBlock::Create(module.getContext(), "stop", run);
  b.CreateCondBr(b.CreateICmpEQ(status, b.getInt32(0)), next, stop);
  b.SetInsertPoint(stop);
  b.CreateRet(status);
  b.SetInsertPoint(next);
  return Error::success();
}

Expected<Function *> PlanBuilder::buildRun() {
  auto *type = FunctionType::get(i32, {pointer, pointer, pointer, pointer, pointer, pointer, pointer}, false);
  auto *run = Function::Create(type, GlobalValue::InternalLinkage, "run", this->module);
  auto *entry = BasicBlock::Create(module.getContext(), "entry", run);
  b.SetInsertPoint(entry);
  Value *host = run->getArg(0);
  kernels = run->getArg(1);
  weights = run->getArg(2);
  inputs = run->getArg(3);
  outputs = run->getArg(4);
  workspace = run->getArg(5);
  symbols.clear();
  for (auto [index, name] : enumerate(symbolNames))
    symbols[name] = element(run->getArg(6), index, i64);
  // torsh_host: { u32 size, u32 reserved, void *context, parallel_for }
  hostContext = b.CreateLoad(pointer, b.CreateConstInBoundsGEP1_64(i8, host, offsetof(torsh_host, context)));
  parallelFor =
      b.CreateLoad(pointer, b.CreateConstInBoundsGEP1_64(i8, host, offsetof(torsh_host, parallel_for)));

  size_t mostIn = 1, mostOut = 1, mostDims = 1;
  for (LaunchOp launch : function.getOps<LaunchOp>()) {
    mostIn = std::max<size_t>(mostIn, launch.getInputs().size());
    mostOut = std::max<size_t>(mostOut, launch.getNumResults());
    mostDims = std::max<size_t>(mostDims, launch.getDims().size());
  }
  inTable = b.CreateAlloca(ArrayType::get(pointer, mostIn));
  outTable = b.CreateAlloca(ArrayType::get(pointer, mostOut));
  dimTable = b.CreateAlloca(ArrayType::get(i64, mostDims));

  mlir::Attribute segment;
  for (mlir::Operation &op : function.getBody().front()) {
    if (isa<ConstantOp, ReshapeOp, GuardOp>(op))
      continue;
    if (mlir::Attribute own = op.getAttr("segment"); own != segment) {
      if (segment)
        endImages();
      if (own)
        beginImages(op.getAttrOfType<DimAttr>("images"));
      segment = own;
    }
    if (isa<mlir::func::ReturnOp>(op))
      break;
    if (auto fromDims = dyn_cast<FromDimsOp>(op)) {
      auto place = address(fromDims.getY());
      if (!place)
        return place.takeError();
      bool narrow = cast<mlir::RankedTensorType>(fromDims.getType()).getElementType().isInteger(32);
      for (auto [index, attr] : enumerate(fromDims.getDims().getDims()))
        store(narrow ? b.CreateTrunc(dim(attr), i32) : dim(attr), *place, index);
      continue;
    }
    auto launch = dyn_cast<LaunchOp>(op);
    if (!launch)
      return createStringError("TSH-0610: the host plan has no code for '" + op.getName().getStringRef() +
                               "'");
    if (Error error = buildLaunch(launch))
      return std::move(error);
  }
  b.CreateRet(b.getInt32(0));
  return run;
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
  for (LaunchOp launch : function.getOps<LaunchOp>()) {
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
  SmallVector<std::string> names = portNames(function, isInputs);
  mlir::Operation *terminator = function.getBody().front().getTerminator();
  auto *type = StructType::get(pointer, i8, i8, b.getInt16Ty(), i32, pointer, pointer);
  SmallVector<Constant *> entries;
  for (auto [index, name] : enumerate(names)) {
    mlir::Value value = isInputs ? mlir::Value(function.getArgument(index)) : terminator->getOperand(index);
    auto [code, bits] = dlpackType(cast<mlir::RankedTensorType>(value.getType()).getElementType());
    SmallVector<Constant *> dims, texts;
    for (DimAttr attr : getDims(value)) {
      dims.push_back(b.getInt64(dim::asConstant(attr).value_or(-1)));
      texts.push_back(string(dim::toString(attr)));
    }
    entries.push_back(ConstantStruct::get(
        type, {string(name), b.getInt8(code), b.getInt8(bits), b.getInt16(dims.size()), b.getInt32(0),
               table(i64, dims, "dims"), table(pointer, texts, "dim_names")}));
  }
  return table(type, entries, isInputs ? "inputs" : "outputs");
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
  SmallVector<Constant *> fields{count(sizeof(torsh_program)),
                                 count(TORSH_ARTIFACT_VERSION),
                                 count(function.getNumArguments()),
                                 count(function.getNumResults()),
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
                                 count(0),
                                 costs,
                                 table(i32, launchKernels, "launch_kernels"),
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
  Function *prepare = buildPrepare();
  Expected<Function *> run = buildRun();
  if (!run)
    return run.takeError();
  if (!unbound.empty())
    return createStringError(
        "TSH-0611: the size '" + unbound +
        "' is not a dim of any input by itself, so it is not known before the run; fix it with --dim " +
        unbound + "=VALUE where it comes from the model's signature");
  buildQuery(prepare, *run, buildCosts());
  for (Function &defined : module)
    if (!defined.isDeclaration())
      defined.setUWTableKind(UWTableKind::Default);
  return Error::success();
}

} // namespace

Expected<std::unique_ptr<Module>> buildHostPlan(mlir::func::FuncOp function, ArrayRef<CpuLevel> levels,
                                                LLVMContext &context, const DevicePlan *device) {
  auto module = std::make_unique<Module>("torsh_plan", context);
  if (Error error = PlanBuilder(function, levels, *module, device).build())
    return std::move(error);
  return module;
}

} // namespace torsh
