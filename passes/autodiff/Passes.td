// Passes that differentiate: torsh -> torsh.
#ifndef TORSH_PASSES_AUTODIFF_PASSES_TD
#define TORSH_PASSES_AUTODIFF_PASSES_TD

include "mlir/Pass/PassBase.td"

def AutodiffPass : Pass<"torsh-autodiff", "::mlir::ModuleOp"> {
  let summary = "Adds a function that computes another function's results and their gradients";
  let description = [{
    Reverse mode. The new function holds the forward ops, then for each op on a way from `wrt` to `outputs` what its
    gradient rule emits, in reverse; contributions to one value are added once, zeros are never built. Integers carry no
    gradient. With mode `vjp` it has one more argument for each of `outputs`, its cotangent; with `value-and-grad` the only
    output has rank 0 and its cotangent is 1. Results: those of the function, then one gradient for each of `wrt`.

    Before: `func @f(%x) { %y = torsh.tanh %x; return %y }`
    After:  @f, and `func @f_vjp(%x, %g) { %y = torsh.tanh %x; %0 = torsh.mul %y, %y; %1 = torsh.sub %one, %0;
            %2 = torsh.mul %g, %1; return %y, %2 }`

    Precondition: one block, no fusion groups. An op on the way that has no rule is refused with TSH-0530, naming its
    node. Rules emit torsh ops only, so the pass runs again on what it made: gradients of gradients.
    Rationale: the joint function is optimised like any other.
  }];
  let options = [
    Option<"function", "function", "std::string", "\"main\"", "the function to differentiate">,
    ListOption<"wrt", "wrt", "int64_t", "arguments to differentiate by; none: all of floats">,
    ListOption<"outputs", "outputs", "int64_t", "results to differentiate; none: all of floats">,
    Option<"mode", "mode", "std::string", "\"vjp\"", "vjp or value-and-grad">,
    Option<"name", "name", "std::string", "", "the new function; default: the old name with _vjp or _grad">,
  ];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def ExpandGradientsPass : Pass<"torsh-expand-gradients", "::mlir::func::FuncOp"> {
  let summary = "Replaces torsh.gradient by the ops that compute the derivatives";
  let description = [{
    Each one becomes the reverse pass from its y to its xs, with a cotangent of ones (torsh-autodiff has the rules). The
    first ones are replaced first, so that a later one may differentiate what an earlier one gave.

    Before: `%y = torsh.mul %x, %x; %d = torsh.gradient %y by (%x); return %d`
    After:  `%0 = torsh.mul %one, %x; %1 = torsh.add %0, %0; return %1`

    Precondition: y is computed from the xs in one block. An op on the way that has no rule is refused with TSH-0530.
    Rationale: models that carry their own training step ask for derivatives by an op.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def BuildTrainStepPass : Pass<"torsh-build-train-step", "::mlir::ModuleOp"> {
  let summary = "Turns a model into one step of its training";
  let description = [{
    The loss of the first output is appended, differentiated by the parameters, and an optimizer updates them. Parameters
    are the torsh.param of floats that are `trainable`, that the loss depends on, that are no statistics of a batch norm, and
    that no pattern of `freeze` matches; the others stay constants. What is learned becomes arguments; attributes say what
    an argument is (`torsh.role`), where it starts (`torsh.initial`), and which argument a result replaces
    (`torsh.updates`).

    Before: `torsh.param @w; func @main(%x) { %w = torsh.get_param @w; %y = torsh.dot_general %x, %w; return %y }`
    After:  `func @main(%w, %w.momentum_buffer, %step, %lr, %x, %labels) -> (%loss, %w', %w.momentum_buffer')`

    Losses: cross-entropy (labels are classes along the last dim; a label that is no class is ignored) and mse, both as
    means. Optimizers compute in the order of PyTorch's; learning rate and step are inputs, in f64 and i64, because
    corrections of bias lose digits in f32. A batch norm in training mode normalises with the batch's statistics and is
    differentiated through them; running statistics are not updated.

    Precondition: as imported; inference passes have folded nothing. Afterwards no torsh.param is left.
    Rationale: one compiled function does a whole step, and is optimised as a whole.
  }];
  let options = [
    Option<"loss", "loss", "std::string", "\"cross-entropy\"", "cross-entropy or mse">,
    Option<"optimizer", "optimizer", "std::string", "\"sgd\"", "sgd, adam or adamw">,
    Option<"momentum", "momentum", "double", "0", "sgd: how much of the last step is kept">,
    Option<"nesterov", "nesterov", "bool", "false", "sgd: the step looks ahead along the momentum">,
    Option<"weightDecay", "weight-decay", "double", "0", "pulls parameters to 0; decoupled from the gradient for adamw">,
    Option<"beta1", "beta1", "double", "0.9", "adam, adamw: decay of the mean gradient">,
    Option<"beta2", "beta2", "double", "0.999", "adam, adamw: decay of the mean squared gradient">,
    Option<"epsilon", "epsilon", "double", "1e-8", "adam, adamw: added to the denominator">,
    ListOption<"freeze", "freeze", "std::string", "names of parameters that are not learned; * and ? are wild">,
  ];
  let dependentDialects = ["::torsh::TorshDialect"];
}

#endif // TORSH_PASSES_AUTODIFF_PASSES_TD
