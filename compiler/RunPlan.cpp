//===-- RunPlan.cpp - The launches of the host plan ---------------------------------------------------------===//
//
// Addresses are known before the run: a launch fills the tables of its kernel and hands the kernel's tiles to the host.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "compiler/LaunchCost.h"
#include "compiler/PlanBuilder.h"
#include "dialects/torsh/Objects.h"
#include "torsh/artifact.h"

using namespace llvm;
using mlir::cast;
using mlir::dyn_cast;
using mlir::isa;

namespace torsh {

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
  if (place.getSpace() == "input")
    return element(inputs, *dim::asConstant(place.getOffset()), pointer);
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
  returnUnlessOk(status);
  return Error::success();
}

/// Leaves the function with the status of a call where that is not 0.
void PlanBuilder::returnUnlessOk(Value *status) {
  Function *run = b.GetInsertBlock()->getParent();
  auto *next = BasicBlock::Create(module.getContext(), "next", run);
  auto *stop = BasicBlock::Create(module.getContext(), "stop", run);
  b.CreateCondBr(b.CreateICmpEQ(status, b.getInt32(0)), next, stop);
  b.SetInsertPoint(stop);
  b.CreateRet(status);
  b.SetInsertPoint(next);
}

Function *PlanBuilder::declareRun(StringRef name) {
  auto *type = FunctionType::get(i32, {pointer, pointer, pointer, pointer, pointer, pointer, pointer}, false);
  return Function::Create(type, GlobalValue::InternalLinkage, name, module);
}

Error PlanBuilder::buildOp(mlir::Operation &op) {
  if (auto fromDims = dyn_cast<FromDimsOp>(op)) {
    auto place = address(fromDims.getY());
    if (!place)
      return place.takeError();
    bool narrow = cast<mlir::RankedTensorType>(fromDims.getType()).getElementType().isInteger(32);
    for (auto [index, attr] : enumerate(fromDims.getDims().getDims()))
      store(narrow ? b.CreateTrunc(dim(attr), i32) : dim(attr), *place, index);
    return Error::success();
  }
  if (isControl(&op))
    return buildControl(cast<GroupOp>(op));
  if (auto launch = dyn_cast<LaunchOp>(op))
    return buildLaunch(launch);
  if (auto object = dyn_cast<ObjectOp>(op))
    return buildObject(object);
  return createStringError("TSH-0610: the host plan has no code for '" + op.getName().getStringRef() + "'");
}

Error PlanBuilder::buildRun(mlir::func::FuncOp part, Function *run) {
  b.SetInsertPoint(BasicBlock::Create(module.getContext(), "entry", run));
  hostTable = run->getArg(0);
  kernels = run->getArg(1);
  weights = run->getArg(2);
  inputs = run->getArg(3);
  outputs = run->getArg(4);
  workspace = run->getArg(5);
  symbolTable = run->getArg(6);
  symbols.clear();
  for (auto [index, name] : enumerate(symbolNames))
    symbols[name] = element(symbolTable, index, i64);
  // torsh_host: { u32 size, u32 reserved, void *context, parallel_for }
  hostContext =
      b.CreateLoad(pointer, b.CreateConstInBoundsGEP1_64(i8, hostTable, offsetof(torsh_host, context)));
  parallelFor =
      b.CreateLoad(pointer, b.CreateConstInBoundsGEP1_64(i8, hostTable, offsetof(torsh_host, parallel_for)));

  size_t mostIn = 1, mostOut = 1, mostDims = 1;
  for (LaunchOp launch : part.getOps<LaunchOp>()) {
    mostIn = std::max<size_t>(mostIn, launch.getInputs().size());
    mostOut = std::max<size_t>(mostOut, launch.getNumResults());
    mostDims = std::max<size_t>(mostDims, launch.getDims().size());
  }
  inTable = b.CreateAlloca(ArrayType::get(pointer, mostIn));
  outTable = b.CreateAlloca(ArrayType::get(pointer, mostOut));
  dimTable = b.CreateAlloca(ArrayType::get(i64, mostDims));

  if (part->hasAttr(kStageAttr))
    if (Error error = openStage(part))
      return error;

  mlir::Attribute segment;
  for (mlir::Operation &op : part.getBody().front()) {
    if (isa<ConstantOp, ReshapeOp, GuardOp, BindSizesOp>(op))
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
    if (Error error = buildOp(op))
      return error;
  }
  b.CreateRet(b.getInt32(0));
  return Error::success();
}

} // namespace torsh
