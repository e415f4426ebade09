//===-- PlanBuilder.h - Builds the host plan's functions ----------------------------------------------------===//
//
// HostPlan.cpp has prepare() and the tables, RunPlan.cpp the launches of run(), ControlPlan.cpp the conditions and loops in
// it, and StagePlan.cpp what waits for sizes.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_COMPILER_PLANBUILDER_H
#define TORSH_COMPILER_PLANBUILDER_H

#include "compiler/HostPlan.h"
#include "dialects/torsh/HostControl.h"
#include "passes/lowering/KernelBuilder.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/IRBuilder.h"

namespace torsh {

class ObjectOp;

/// Builds the plan of one function (buildHostPlan).
class PlanBuilder {
public:
  PlanBuilder(mlir::func::FuncOp function, llvm::ArrayRef<CpuLevel> levels, llvm::Module &module,
              const DevicePlan *device)
      : function(function), levels(levels), module(module), device(device), b(module.getContext()),
        pointer(llvm::PointerType::get(module.getContext(), 0)), i8(b.getInt8Ty()), i32(b.getInt32Ty()),
        i64(b.getInt64Ty()), symbolNames(boundSymbols(function)), functions(functionsFrom(function)) {
    known.insert_range(symbolNames);
    for (mlir::func::FuncOp part : functions)
      symbolNames.append(bornSymbols(part));
  }

  llvm::Error build();

private:
  llvm::Value *dim(DimAttr dim);
  llvm::Value *floorDivide(llvm::Value *x, llvm::Value *y);
  llvm::Value *grain(LaunchOp launch, KernelOp kernel, const TileSpace &space, llvm::Value *tiles);
  llvm::Value *element(llvm::Value *table, uint64_t index, llvm::Type *type) {
    return b.CreateLoad(type, b.CreateConstInBoundsGEP1_64(type, table, index));
  }
  void store(llvm::Value *value, llvm::Value *table, uint64_t index) {
    b.CreateStore(value, b.CreateConstInBoundsGEP1_64(value->getType(), table, index));
  }
  llvm::Constant *string(llvm::StringRef text);
  llvm::Constant *table(llvm::Type *type, llvm::ArrayRef<llvm::Constant *> entries, llvm::StringRef name);
  llvm::Constant *ports(bool inputs);
  llvm::Constant *stateSlots(uint32_t &count);
  void failUnless(llvm::Value *condition, uint64_t input, uint64_t axis, llvm::Value *actual,
                  llvm::Value *expected);
  llvm::Function *buildPrepare();
  /// run() itself, or the like of it for the body of control flow: both have one signature and one table of symbols.
  llvm::Function *declareRun(llvm::StringRef name);
  llvm::Error buildRun(mlir::func::FuncOp part, llvm::Function *run);
  llvm::Error buildOp(mlir::Operation &op);
  llvm::Function *buildCosts();
  llvm::Function *buildDeviceSizes(llvm::SmallVectorImpl<uint32_t> &first, uint32_t &count);
  llvm::Constant *buildDevice();
  llvm::Expected<llvm::Value *> address(mlir::Value value);
  llvm::Expected<llvm::Value *> address(mlir::Value value, mlir::Type inside);
  llvm::Error buildLaunch(LaunchOp launch);
  llvm::Error buildObject(ObjectOp op);
  void beginImages(DimAttr count);
  void endImages();
  void returnUnlessOk(llvm::Value *status);

  //===-- Control flow (ControlPlan.cpp) ---------------------------------------------------------------------===//
  struct Frame;
  llvm::Error buildControl(GroupOp group);
  llvm::Error readPlaces(GroupOp group, Frame &frame);
  void buildIf(GroupOp group, Frame &frame);
  void buildLoop(GroupOp group, Frame &frame);
  void callBody(mlir::Region &region, Frame &frame, llvm::ArrayRef<llvm::Value *> arguments,
                llvm::ArrayRef<llvm::Value *> results);
  llvm::Value *allocate(llvm::Type *type, uint64_t count);

  //===-- Stages (StagePlan.cpp) -----------------------------------------------------------------------------===//
  /// Whether all symbols of a dim have a value before the run.
  bool isKnown(DimAttr dim) const;
  llvm::Error buildStage(GroupOp group);
  /// Reads the sizes of a stage's function, checks them, and gets memory of these sizes.
  llvm::Error openStage(mlir::func::FuncOp stage);
  llvm::Error buildBind(BindSizesOp bind);
  void checkSizes(mlir::func::FuncOp stage);
  void takeFrame(DimAttr bytes);
  llvm::Error takeOutputs(mlir::func::FuncOp stage);
  void refuseUnless(llvm::Value *condition, const llvm::Twine &guard, llvm::Value *actual,
                    llvm::Value *expected);
  llvm::Value *callHost(uint64_t member, llvm::ArrayRef<llvm::Value *> arguments);

  void buildQuery(llvm::Function *prepare, llvm::Function *run, llvm::Function *costs);

  mlir::func::FuncOp function;
  llvm::ArrayRef<CpuLevel> levels;
  llvm::Module &module;
  const DevicePlan *device; ///< null: the CPU runs it all
  llvm::IRBuilder<> b;
  llvm::PointerType *pointer;
  llvm::Type *i8, *i32, *i64;
  llvm::SmallVector<llvm::StringRef> symbolNames;
  std::string unbound;                    ///< a symbol that no input gives a value
  llvm::StringMap<llvm::Value *> symbols; ///< values in the function that is being built
  llvm::SmallVector<std::string> guards;
  llvm::SmallVector<std::string> kernelNames;
  llvm::SmallVector<uint32_t> kernelOfLaunch;
  llvm::StringMap<uint64_t> kernelIndex;
  llvm::SmallVector<mlir::func::FuncOp> functions; ///< main, then the bodies of control flow
  llvm::StringMap<llvm::Function *> runs;          ///< by the name of the function
  llvm::StringSet<> known;                         ///< symbols that the inputs' dims give
  uint32_t numFrames = 0;
  /// For each result of main and of the functions of stages the output of the model that it is.
  llvm::DenseMap<mlir::func::FuncOp, llvm::SmallVector<std::optional<unsigned>>> outputsOf;
  // run()'s arguments
  llvm::Value *weights = nullptr, *inputs = nullptr, *outputs = nullptr, *workspace = nullptr,
              *kernels = nullptr;
  llvm::Value *hostTable = nullptr, *symbolTable = nullptr;
  // of run()
  llvm::Value *hostContext = nullptr, *parallelFor = nullptr;
  llvm::Value *inTable = nullptr, *outTable = nullptr, *dimTable = nullptr;
  llvm::PHINode *image = nullptr;     ///< the image at hand, in a segment that takes one after the other
  llvm::Value *imageCount = nullptr;  ///< of that segment
  llvm::BasicBlock *behind = nullptr; ///< where the segment goes on to
};

} // namespace torsh

#endif // TORSH_COMPILER_PLANBUILDER_H
