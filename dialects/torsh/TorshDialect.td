// The torsh dialect: definition, base classes and type constraints.
#ifndef TORSH_DIALECT_TD
#define TORSH_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Torsh_Dialect : Dialect {
  let name = "torsh";
  let cppNamespace = "::torsh";
  let summary = "The graph IR of ToRSh: value semantics on ranked tensors";
  let description = [{
    Every frontend captures models into this dialect, every graph pass and autograd works on it, and the lowering
    reads nothing else. Ops have value semantics on builtin ranked tensors. A dim is a number, or an expression over
    named symbols that the tensor's encoding carries: `tensor<?x?x768xf32, #torsh.dims<[batch, 2*seq + 1, 768]>>`.

    Contracts, each checked by a verify pass:

        imported   -> ranked tensors, every `?` has an expression, no source-framework ops, large weights are recipes
        optimised  -> no dead ops, broadcasts explicit, layouts chosen, fusion groups formed
        kernels    -> one isolated function for each distinct group, the host plan calls them on placed buffers
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let dependentDialects = ["::mlir::func::FuncDialect"];
  let extraClassDeclaration = [{
    /// The bytes behind weight attributes. Shared by all modules of the context; thread-safe.
    WeightStore &getWeightStore();
  }];
}

class Torsh_Op<string mnemonic, list<Trait> traits = []> : Op<Torsh_Dialect, mnemonic, traits>;

//===-- Element types and tensors ------------------------------------------------------------------------------===//

def Torsh_Float : AnyTypeOf<[F64, F32, F16, BF16, F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ, F8E8M0FNU, F6E2M3FN,
                             F6E3M2FN, F4E2M1FN]>;
def Torsh_Int : AnyTypeOf<[I<2>, I<4>, I8, I16, I32, I64, UI<2>, UI<4>, UI8, UI16, UI32, UI64]>;

def Torsh_Number : AnyTypeOf<[Torsh_Float, Torsh_Int]>;
def Torsh_Element : AnyTypeOf<[Torsh_Float, Torsh_Int, I1]>;

def Torsh_Tensor : RankedTensorOf<[Torsh_Element]>;
def Torsh_NumberTensor : RankedTensorOf<[Torsh_Number]>;
def Torsh_FloatTensor : RankedTensorOf<[Torsh_Float]>;
def Torsh_IntTensor : RankedTensorOf<[Torsh_Int]>;
def Torsh_IntOrBoolTensor : RankedTensorOf<[Torsh_Int, I1]>;
def Torsh_BoolTensor : RankedTensorOf<[I1]>;
def Torsh_IndexTensor : RankedTensorOf<[I32, I64]>;

#endif // TORSH_DIALECT_TD
