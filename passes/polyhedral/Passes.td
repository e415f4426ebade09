// Polyhedral passes: affine loop nests -> scheduled, tiled and vectorised loops.
#ifndef TORSH_PASSES_POLYHEDRAL_PASSES_TD
#define TORSH_PASSES_POLYHEDRAL_PASSES_TD

include "mlir/Pass/PassBase.td"

def ScheduleAffinePass : Pass<"torsh-schedule-affine", "::mlir::func::FuncOp"> {
  let summary = "Reorders, tiles and vectorises affine loop nests with isl";
  let description = [{
    The loops of a function become polyhedra: each store is a statement with the values that it needs. isl computes the
    exact dependences and a schedule that brings producers and consumers together (fusion, interchange, shifting, and
    skewing of time loops). Its outermost permutable band is tiled where a model of the caches says that this saves
    traffic; within a tile statements run in their original order or in isl's, whichever vectorises better. A verifier
    then checks every dependence against the schedule, and scf and vector operations are emitted: vectors of
    `vector-bits`, reductions with several partial results, rows of sequential loops computed side by side. An outermost
    loop whose iterations are free of each other carries the attribute `torsh.parallel`.

    Before: `affine.for %i = 0 to 100 { affine.for %j = 1 to 99 { ... affine.store %v, %a[%i, %j] } }`
    After:  `scf.for ... { %v = vector.load %x[...] ... vector.store %w, %a[...] }`

    Precondition: distinct memref arguments do not overlap. A function that is not affine, or too large for the budget
    of isl, keeps its code, and a remark says why. Rationale: what is no contraction has no strategy of its own, and
    hand-written loop orders for every fused chain do not exist.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "unsigned", "256", "bits of a vector register">,
    Option<"l1Bytes", "l1-bytes", "unsigned", "32768", "bytes of the first-level data cache">,
    Option<"l2Bytes", "l2-bytes", "unsigned", "524288", "bytes of the second-level cache">,
    Option<"reassociate", "reassociate", "bool", "true", "sums and products of floats may change their order">,
    Option<"reportSchedule", "report-schedule", "bool", "false", "a remark with the schedule of each function">,
    Option<"dropDependence", "drop-dependence", "int", "-1",
           "testing only: the dependence of this number is kept from the scheduler and the vectoriser">,
    Option<"skipVerification", "skip-verification", "bool", "false",
           "testing only: emit code for a schedule that was not verified">,
  ];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect", "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::LLVM::LLVMDialect"];
}

#endif // TORSH_PASSES_POLYHEDRAL_PASSES_TD
