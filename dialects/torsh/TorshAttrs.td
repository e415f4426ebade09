// Attributes of the torsh dialect: symbolic dims, weights as recipes, and enumerations.
#ifndef TORSH_ATTRS_TD
#define TORSH_ATTRS_TD

include "TorshDialect.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/TensorEncoding.td"

class Torsh_Attr<string name, string attrMnemonic, list<Trait> traits = []> : AttrDef<Torsh_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def Torsh_DimAttr : Torsh_Attr<"Dim", "dim"> {
  let summary = "an integer expression over named symbols";
  let description = [{
    Printed as an expression: `768`, `batch`, `2*seq + 1`, `floordiv(h + 1, 2)`, `min(k, n)`. Expressions are kept in
    a normal form (sorted sum of products), so equal polynomials are equal attributes. Built by the static functions
    of `Dim` (Dim.h); `get` does not normalise.
  }];
  let parameters = (ins "::torsh::DimKind":$kind, "int64_t":$value, StringRefParameter<>:$name,
                        OptionalArrayRefParameter<"::torsh::DimAttr">:$operands);
  let hasCustomAssemblyFormat = 1;
}

def Torsh_DimsAttr : Torsh_Attr<"Dims", "dims", [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "a list of dim expressions; also the encoding of tensors with symbolic dims";
  let parameters = (ins OptionalArrayRefParameter<"::torsh::DimAttr">:$dims);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    size_t size() const { return getDims().size(); }
    DimAttr operator[](size_t index) const { return getDims()[index]; }
    /// A list of constants.
    static DimsAttr fromConstants(::mlir::MLIRContext *context, ::llvm::ArrayRef<int64_t> values);
    /// The values when all dims are constants.
    std::optional<::llvm::SmallVector<int64_t>> getConstants() const;
  }];
}

def Torsh_WeightStepAttr : Torsh_Attr<"WeightStep", "step"> {
  let summary = "one pure transform of a weight recipe";
  let description = [{
    `transpose [perm]`, `reshape [shape]`, `slice [starts..., sizes...]`, `cast` (to the element type of `type`),
    `scale [axis] by "key"` (multiply along an axis with an f32 blob), `pack [panel]` ([.., K, N] -> [.., ceil(N/p), K, p],
    zero filled), `winograd [tile]` (3 x 3 weights [3, 3, C, O] -> [(tile+2)^2, C, O], G w G^T of Winograd.h). `type` is
    the tensor type after the step.
  }];
  let parameters = (ins "::mlir::StringAttr":$kind, OptionalArrayRefParameter<"int64_t">:$ints,
                        "::mlir::StringAttr":$operand, "::mlir::RankedTensorType":$type);
  let assemblyFormat = "`<` $kind `,` `[` (`]`) : ($ints^ `]`)? `,` $operand `,` $type `>`";
}

def Torsh_WeightAttr : Torsh_Attr<"Weight", "weight"> {
  let summary = "a large constant: the content key of stored bytes and a list of pure transforms";
  let description = [{
    The bytes stay in the mapped model file and never enter the IR. Folding appends steps; the recipe runs once, when
    the artifact is written. `sourceType` is the type of the stored bytes.
  }];
  let parameters = (ins "::mlir::StringAttr":$key, "::mlir::RankedTensorType":$sourceType,
                        OptionalArrayRefParameter<"::torsh::WeightStepAttr">:$steps);
  let assemblyFormat = "`<` $key `,` $sourceType (`,` `[` $steps^ `]`)? `>`";
  let extraClassDeclaration = [{
    /// The type after all steps.
    ::mlir::RankedTensorType getResultType() const {
      return getSteps().empty() ? getSourceType() : getSteps().back().getType();
    }
    /// This recipe with one more step.
    WeightAttr append(WeightStepAttr step) const;
  }];
}

//===-- Enumerations ---------------------------------------------------------------------------------------------===//

class Torsh_Enum<string name, string summary, list<I32EnumAttrCase> cases> : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::torsh";
  let genSpecializedAttr = 0;
}
class Torsh_EnumAttr<EnumInfo info, string mnemonic> : EnumAttr<Torsh_Dialect, info, mnemonic> {
  let assemblyFormat = "$value";
}
class C<string name, int value> : I32EnumAttrCase<name, value>;

def Torsh_ComparePredicate : Torsh_Enum<"ComparePredicate", "comparison; false when a float operand is NaN, except ne",
  [C<"eq", 0>, C<"ne", 1>, C<"lt", 2>, C<"le", 3>, C<"gt", 4>, C<"ge", 5>]>;
def Torsh_ComparePredicateAttr : Torsh_EnumAttr<Torsh_ComparePredicate, "predicate">;

def Torsh_ReduceKind : Torsh_Enum<"ReduceKind", "how a reduction combines elements",
  [C<"sum", 0>, C<"mean", 1>, C<"max", 2>, C<"min", 3>, C<"prod", 4>, C<"any", 5>, C<"all", 6>, C<"logsumexp", 7>]>;
def Torsh_ReduceKindAttr : Torsh_EnumAttr<Torsh_ReduceKind, "reduce_kind">;

def Torsh_ScatterKind : Torsh_Enum<"ScatterKind", "how a scattered element combines with the old one",
  [C<"replace", 0>, C<"add", 1>, C<"mul", 2>, C<"max", 3>, C<"min", 4>]>;
def Torsh_ScatterKindAttr : Torsh_EnumAttr<Torsh_ScatterKind, "scatter_kind">;

def Torsh_PadMode : Torsh_Enum<"PadMode", "where padded elements come from",
  [C<"constant", 0>, C<"edge", 1>, C<"reflect", 2>, C<"wrap", 3>]>;
def Torsh_PadModeAttr : Torsh_EnumAttr<Torsh_PadMode, "pad_mode">;

def Torsh_Layout : Torsh_Enum<"Layout", "position of the channel dim of spatial ops",
  [C<"channels_first", 0>, C<"channels_last", 1>]>;
def Torsh_LayoutAttr : Torsh_EnumAttr<Torsh_Layout, "layout">;

def Torsh_ResizeMode : Torsh_Enum<"ResizeMode", "interpolation", [C<"nearest", 0>, C<"linear", 1>, C<"cubic", 2>]>;
def Torsh_ResizeModeAttr : Torsh_EnumAttr<Torsh_ResizeMode, "resize_mode">;

def Torsh_ResizeCoordinates : Torsh_Enum<"ResizeCoordinates", "output coordinate -> input coordinate",
  [C<"half_pixel", 0>, C<"asymmetric", 1>, C<"align_corners", 2>, C<"pytorch_half_pixel", 3>,
   C<"half_pixel_symmetric", 4>]>;
def Torsh_ResizeCoordinatesAttr : Torsh_EnumAttr<Torsh_ResizeCoordinates, "resize_coordinates">;

def Torsh_NearestMode : Torsh_Enum<"NearestMode", "rounding of a nearest coordinate",
  [C<"round_prefer_floor", 0>, C<"round_prefer_ceil", 1>, C<"floor", 2>, C<"ceil", 3>]>;
def Torsh_NearestModeAttr : Torsh_EnumAttr<Torsh_NearestMode, "nearest_mode">;

def Torsh_RnnDirection : Torsh_Enum<"RnnDirection", "time direction",
  [C<"forward", 0>, C<"reverse", 1>, C<"bidirectional", 2>]>;
def Torsh_RnnDirectionAttr : Torsh_EnumAttr<Torsh_RnnDirection, "rnn_direction">;

#endif // TORSH_ATTRS_TD
