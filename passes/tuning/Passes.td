// Passes that know the tuning database.
#ifndef TORSH_PASSES_TUNING_PASSES_TD
#define TORSH_PASSES_TUNING_PASSES_TD

include "mlir/Pass/PassBase.td"

def ApplyChoicesPass : Pass<"torsh-apply-choices", "::mlir::ModuleOp"> {
  let summary = "Annotates kernels, convolutions and products with the choices that the tuning database has for them";
  let description = [{
    Kernels get the attribute `torsh.choices`, which their strategies read; convolutions and products get it for the passes
    that decide about Winograd's transforms and about epilogues, which take it away again. An entry that cannot be built
    for its kernel is left out with a remark. `show-keys` tells the keys of entries and applies none.

    Before: `torsh.kernel @k "dot" [] {...}`
    After:  `torsh.kernel @k "dot" [] {...} {torsh.choices = {row_block = 96, v3 = {tile_rows = 4, tile_panels = 1}}}`

    Precondition: none; it runs before torsh-apply-winograd, before torsh-form-groups and after torsh-outline-kernels.
    Rationale: what was measured is data; no strategy and no graph pass reads a file.
  }];
  let options = [
    Option<"databasePath", "database", "std::string", "", "the database; the shipped one comes after it">,
    Option<"cpu", "cpu", "std::string", "", "the CPU whose entries count; default: this machine's">,
    Option<"showKeys", "show-keys", "bool", "false", "tell each kernel's and contraction's key instead">,
    Option<"level", "level", "std::string", "\"v3\"", "the CPU level whose entries count">,
  ];
  let dependentDialects = ["::torsh::TorshDialect"];
}

#endif // TORSH_PASSES_TUNING_PASSES_TD
