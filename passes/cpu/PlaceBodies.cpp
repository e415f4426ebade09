//===-- PlaceBodies.cpp - Bodies of control flow share arena and weights of main ----------------------------===//
#include "dialects/torsh/HostControl.h"
#include "passes/cpu/Passes.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_PLACEBODIESPASS
#include "passes/cpu/Passes.h.inc"

namespace {

DimAttr arenaOf(func::FuncOp function) { return cast<DimAttr>(function->getAttr("torsh.arena_bytes")); }

class Placer {
public:
  explicit Placer(ModuleOp module) : module(module), context(module.getContext()) {}

  void place(func::FuncOp main) {
    reserve(main);
    collectWeights(main);
  }

private:
  DimAttr reserve(func::FuncOp function);
  void collectWeights(func::FuncOp main);

  ModuleOp module;
  MLIRContext *context;
  llvm::SetVector<func::FuncOp> bodies;
};

/// Adds the memory of a function's control flow behind its own arena, and returns the sum.
DimAttr Placer::reserve(func::FuncOp function) {
  DimAttr own = arenaOf(function), total = own;
  for (GroupOp group : function.getOps<GroupOp>()) {
    if (!isControl(group))
      continue;
    // One runs at a time, so all begin at the same place.
    DimAttr need = ControlFrame(group).callees;
    for (func::FuncOp body : bodiesOf(group)) {
      bodies.insert(body);
      DimAttr inside = reserve(body);
      // A stage's memory is asked for when its sizes are known.
      if (!body->hasAttr(kStageAttr))
        need = dim::max(need, dim::add(ControlFrame(group).callees, inside));
    }
    group->setAttr("frame", own);
    total = dim::max(total, dim::add(own, need));
  }
  function->setAttr("torsh.arena_bytes", total);
  // The bound of a straight line says nothing about what is called in it.
  if (total != own)
    function->removeAttr("torsh.arena_lower_bound");
  return total;
}

/// Gives the constants of bodies a place among the weights of main, those that are equal the same one.
void Placer::collectWeights(func::FuncOp main) {
  int64_t bytes = main->getAttrOfType<IntegerAttr>("torsh.weight_bytes").getInt();
  llvm::DenseMap<std::pair<Attribute, Type>, Attribute> places;
  for (ConstantOp constant : main.getOps<ConstantOp>())
    places.try_emplace({constant.getValue(), constant.getType()}, constant->getAttr("place"));
  OpBuilder builder(main.getBody().front().getTerminator());
  for (func::FuncOp body : bodies)
    for (ConstantOp constant : body.getOps<ConstantOp>()) {
      Attribute &place = places[{constant.getValue(), constant.getType()}];
      if (!place) {
        Operation *copy = builder.clone(*constant);
        place = PlaceAttr::get(context, StringAttr::get(context, "weights"), dim::constant(context, bytes));
        copy->setAttr("place", place);
        bytes += *dim::asConstant(paddedBytes(cast<RankedTensorType>(constant.getType())));
      }
      constant->setAttr("place", place);
    }
  main->setAttr("torsh.weight_bytes", IntegerAttr::get(IntegerType::get(context, 64), bytes));
}

struct PlaceBodies : impl::PlaceBodiesPassBase<PlaceBodies> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (auto main = module.lookupSymbol<func::FuncOp>("main"); main && !main.isExternal())
      Placer(module).place(main);
  }
};

} // namespace
} // namespace torsh
