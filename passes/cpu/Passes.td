// CPU passes: fusion groups -> kernels, placed buffers, machine-level IR.
#ifndef TORSH_PASSES_CPU_PASSES_TD
#define TORSH_PASSES_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def OrderUpdatesPass : Pass<"torsh-order-updates", "::mlir::func::FuncOp"> {
  let summary = "Makes it right to write a train step's new parameters over the old ones";
  let description = [{
    A result with `torsh.updates = i` is written to the buffer of argument i. The group that makes it is moved behind the
    last group that reads the old value; it may read that itself where it stores. Where this cannot be (another result of
    the group is needed before, the value is another argument, two arguments trade places), the value is made in the
    arena and a copy group at the end of the function writes it. Run again, the pass changes nothing.

    Before: `%p1 = torsh.group "elementwise"(%p, %g)`, then `%dx = torsh.group "dot"(%dy, %p)`
    After:  the groups in the other order

    Precondition: torsh-form-groups ran. Rationale: parameters have one copy in memory, and none is made each step.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def OutlineKernelsPass : Pass<"torsh-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Turns fusion groups into kernels, each distinct one once, and the function into a host plan";
  let description = [{
    The body of a group becomes a `torsh.kernel` with its symbols renamed to s0, s1, ... in order of appearance; groups
    of equal text share one kernel, whose name shows the anchor and the first source node. The group becomes a launch.
    A returned value that no launch owns alone (an input, a constant, a value returned twice) gets a copy kernel.

    Before: `%y = torsh.group "dot"(%x, %w) {...}`
    After:  `torsh.kernel @k0_dot_fc1 "dot" ["s0"] {...}` and `%y = torsh.launch @k0_dot_fc1(%x, %w) dims = <[batch]>`

    Precondition: torsh-form-groups ran. Rationale: equal layers of a model are compiled once.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def PlanMemoryPass : Pass<"torsh-plan-memory", "::mlir::func::FuncOp"> {
  let summary = "Gives every buffer of the host plan its place";
  let description = [{
    Results of launches that are returned are placed in the model's outputs, or in the input that they replace (see
    torsh-order-updates), all others in one arena; initial values of parameters and state and constants that
    launches read are placed in the weights. Lifetimes run from the launch to the last use through reshapes. Buffers of
    known size share space by greedy best fit, largest first, and in other orders while that takes more than is alive at
    any one step; buffers whose size depends on symbols reuse slots of the
    same size expression. A result takes the place of an operand that ends there when the kernel reads it only where it
    stores. Offsets are byte expressions, multiples of 64.

    Before: `%y = torsh.launch @k(%x) dims = <[]>`
    After:  `%y = torsh.launch @k(%x) dims = <[]> {places = [#torsh.place<"arena", <4096>>]}`

    Precondition: torsh-outline-kernels ran. The function gets `torsh.arena_bytes` (an expression),
    `torsh.weight_bytes` and, where all sizes are fixed, `torsh.arena_lower_bound`: the most that is alive at one step. Rationale: the memory of a run is known before the run.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def PlaceBodiesPass : Pass<"torsh-place-bodies", "::mlir::ModuleOp"> {
  let summary = "Gives bodies of control flow their part of main's arena and weights";
  let description = [{
    A run has one arena and one block of weights. The frame of control flow (a second buffer of each carried value, the
    next condition, the counter, then the arena of its bodies) lies behind the arena of the function around it: all of
    one function begin at the same place, since one runs at a time. `torsh.arena_bytes` of a function then has them in
    it. Constants of bodies get places among the weights of main; equal ones share a place.

    Before: `torsh.group "control"(..)` in a function of 128 bytes
    After:  `torsh.group "control"(..) {.., frame = #torsh.dim<128>}`

    Precondition: torsh-plan-memory ran on all functions. Rationale: bodies are planned by themselves, so that a run of
    any depth of nesting still knows its memory before it begins.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def EmitKernelsPass : Pass<"torsh-emit-kernels", "::mlir::ModuleOp"> {
  let summary = "Builds the loops of every kernel for a CPU level";
  let description = [{
    Each `torsh.kernel` is replaced by a function with the kernel ABI (pointers to inputs, outputs and dims, and a range
    of tiles), built by the strategy of its anchor: scf loops, explicit vectors of `lanes` f32, pointers. The rest of the
    module is left alone.

    Before: `torsh.kernel @k "elementwise" [] {...}`
    After:  `func.func @k(!llvm.ptr, !llvm.ptr, !llvm.ptr, i64, i64) {...}`

    A body that the strategy has no code for is an error (TSH-0501) that names the kernel.
  }];
  let options = [
    Option<"lanes", "lanes", "unsigned", "8", "f32 lanes of a vector register">,
    Option<"registers", "registers", "unsigned", "16", "vector registers">,
    Option<"bf16Dot", "bf16-dot", "bool", "false", "products of pairs of bf16 are vdpbf16ps">,
    Option<"emulateBf16Dot", "emulate-bf16-dot", "bool", "false", "products of pairs of bf16 are two multiply-adds">,
  ];
  let dependentDialects = ["::torsh::TorshDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect", "::mlir::arith::ArithDialect"];
}

def LowerVectorsPass : Pass<"torsh-lower-vectors", "::mlir::ModuleOp"> {
  let summary = "Takes kernels from scf, vector and math to the LLVM dialect";
  let description = [{
    Transcendental functions of f32 become polynomials (what has none becomes a call to libm), float adds and multiplies
    get `contract`, and everything is converted to the LLVM dialect; a memref argument of fixed sizes becomes an address.
    Ends with a check that nothing else is left.

    Before: `math.exp %v : vector<8xf32>` inside `scf.for`
    After:  LLVM dialect only

    Precondition: torsh-emit-kernels ran. Never nnan, ninf or arcp: they break NaN tests and masks of -inf.
  }];
  let options = [
    Option<"nativeBf16", "native-bf16", "bool", "false", "the CPU rounds to bf16; else integer arithmetic does">,
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::cf::ControlFlowDialect", "::mlir::vector::VectorDialect",
                           "::mlir::ub::UBDialect", "::mlir::math::MathDialect"];
}

#endif // TORSH_PASSES_CPU_PASSES_TD
