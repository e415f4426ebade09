// Graph passes: torsh -> torsh.
#ifndef TORSH_PASSES_GRAPH_PASSES_TD
#define TORSH_PASSES_GRAPH_PASSES_TD

include "mlir/Pass/PassBase.td"

def FormGroupsPass : Pass<"torsh-form-groups", "::mlir::func::FuncOp"> {
  let summary = "Collects ops into fusion groups, each of which becomes one kernel";
  let description = [{
    An anchor (contraction, convolution, pooling, reduction, normalisation, ...) takes the elementwise ops that follow
    it at the same shape as its epilogue, reductions and row normalisations also those that feed only them; what is
    left over forms elementwise groups. Two contractions with a softmax between them are one group: the scores are
    never written. Windows on a group's inputs (transpose, slice, broadcast, reshape of an input)
    and splat constants are cloned into the group, because there they are addresses and registers.

    Before: `%1 = torsh.dot_general ..; %2 = torsh.broadcast %bias ..; %3 = torsh.add %1, %2; %4 = torsh.tanh %3`
    After:  `%4 = torsh.group "dot"(%x, %w, %bias) { ... }`

    The level says how far this goes: `conservative` fuses only elementwise chains whose values have one reader,
    `aggressive` also computes cheap values again in each reader. With `explain` every value that one kernel writes and
    another reads is a remark with the reason, and with the level that would fuse the two. Targets without a kernel for
    streamed attention leave its products and softmax apart (`stream-attention=false`).

    Precondition: contractions are in the form of torsh-normalize-contractions, weights are packed. Afterwards the
    function holds groups, reshapes (aliases of buffers), constants, from_dims, guards and control flow only.
    Rationale: what a kernel computes is decided here, where it can be read.
  }];
  let options = [
    Option<"level", "level", "std::string", "\"default\"", "conservative, default or aggressive">,
    Option<"explain", "explain", "bool", "false", "tell why values are written and read again">,
    Option<"streamAttention", "stream-attention", "bool", "true", "two products with a softmax between are one group">,
  ];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def FormStagesPass : Pass<"torsh-form-stages", "::mlir::func::FuncOp"> {
  let summary = "Gathers what waits for sizes that are born at run time";
  let description = [{
    The ops of a block that need a symbol of a torsh.bind_sizes, by their types or by values of such ops, move with the
    bind and the guards between its sizes into a torsh.stage at the block's end; binds that wait for others make stages
    inside of it. What needs none of the sizes stays before. Binds whose sizes nobody needs go.

    Before: `torsh.bind_sizes %n as ["n"]; %y = torsh.slice %x .. : tensor<?xf32, #torsh.dims<[n]>>; return %y, %z`
    After:  `%s = torsh.stage { torsh.bind_sizes %n as ["n"]; %y = ..; torsh.yield %y }; return %s, %z`

    Precondition: the import's contract holds. Rationale: a stage becomes a function like the body of a condition
    (torsh-outline-regions), whose memory the host plan asks for when the sizes are known.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def OutlineRegionsPass : Pass<"torsh-outline-regions", "::mlir::ModuleOp"> {
  let summary = "Makes functions of the bodies of conditions and loops";
  let description = [{
    Each region of a torsh.if, torsh.for, torsh.while or torsh.stage becomes a private function of its block arguments and of the values
    that it uses from outside (constants are cloned into it); the op itself moves into a group of the anchor "control",
    which names what it uses, and its regions call the functions.

    Before: `%y = torsh.if %c { %a = torsh.neg %x ..; torsh.yield %a } else {..}`
    After:  `%y = torsh.group "control"(%c, %x) { ^(%d, %v): %z = torsh.if %d { %a = func.call @main_if0_body0(%v) ..`

    Precondition: the import's contract holds. Rationale: passes know functions; a body is optimised, grouped and planned
    like main, and the host plan calls it.
  }];
  let dependentDialects = ["::torsh::TorshDialect", "::mlir::func::FuncDialect"];
}

def SplitBatchPass : Pass<"torsh-split-batch", "::mlir::func::FuncOp"> {
  let summary = "Runs of groups whose values outgrow the cache take one image of a batch after the other";
  let description = [{
    The leading dim of the first input counts images. Where every group of a run computes each image by itself and its
    weights are smaller than an image's values, the groups get the types of one image, and two attributes: the count of
    images and the number of the run, whose groups are launched in turn for each image. Values that are read outside the
    run keep all images; an operand or result whose leading dim is not the block argument's is read or written at the
    image's place.

    Before: `%1 = torsh.group "conv"(%x, %w) {..} : tensor<8x112x112x32xf32>; %2 = torsh.group "depthwise"(%1, %v) {..}`
    After:  `%1 = torsh.group "conv"(%x, %w) {..} {images = 8, segment = 0} : tensor<1x112x112x32xf32>; %2 = ..`

    Precondition: torsh-form-groups. Rationale: a batch of eight costs eight images, and not the memory traffic of values
    that are eight times as large; the arena holds those of one image. With `always` sizes are not looked at.
  }];
  let options = [
    Option<"always", "always", "bool", "false", "wherever it is possible, whether it pays or not">,
  ];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def ChannelsLastPass : Pass<"torsh-channels-last", "::mlir::func::FuncOp"> {
  let summary = "Gives spatial ops channels-last layout and moves the transposes to the borders of the graph";
  let description = [{
    Convolutions, pools and group norms take their channels last; weights are rearranged by their recipe. The
    transposes around them move down through elementwise ops, broadcasts, pads, concats, slices, reductions, softmax,
    batch norm, resizing and reshapes that keep dims together, until they meet their inverse or the end of the graph.

    Before: `%1 = torsh.conv %x, %w ..; %2 = torsh.tanh %1`
    After:  `%0 = torsh.transpose %x perm = [0, 2, 3, 1]; %1 = torsh.conv %0, %w' .. {layout = channels_last};
             %2 = torsh.tanh %1; %3 = torsh.transpose %2 perm = [0, 3, 1, 2]`

    Precondition: none; what is channels-last already stays. Rationale: with channels last the innermost loop of every
    spatial kernel runs over contiguous channels, whatever the window, and a convolution is a matrix product.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def ExpandAttentionPass : Pass<"torsh-expand-attention", "::mlir::func::FuncOp"> {
  let summary = "Attention becomes two products, the mask and a softmax";
  let description = [{
    Before: `torsh.attention %q, %k, %v mask %m scale = 0.125`
    After:  `torsh.dot_general; torsh.mul; torsh.add; torsh.softmax; torsh.dot_general`, and with a mask a torsh.select
            that makes rows without a visible key 0

    Precondition: none. Rationale: models that spell attention out and those that name it meet in one form;
    torsh-form-groups joins the pieces again, and its kernel streams over the keys.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def ExpandConvTransposePass : Pass<"torsh-expand-conv-transpose", "::mlir::func::FuncOp"> {
  let summary = "Transposed convolutions become convolutions whose channels are the phases of the result";
  let description = [{
    With stride s and window k every result position q * s + r sums ceil(k / s) products: a convolution of stride 1
    with s times the channels computes all phases r at once, and a reshape and transpose put them in place.

    Before: `torsh.conv_transpose %x, %w strides = [2, 2] ..`
    After:  `torsh.pad; torsh.conv strides = [1, 1]; torsh.reshape; torsh.transpose; torsh.reshape; torsh.slice`

    Where cutting the border would waste more than a tenth of that (stride 2, odd `low`, small images), each phase is a
    convolution on its own window of the input, and a concat of their channels takes the place of the one convolution. An
    input of one position is multiplied with the whole window at once.

    Precondition: torsh-channels-last. Weights must be constants, dilations and groups 1; others are refused with
    TSH-0512. Rationale: no zeros are multiplied and the kernel is that of every convolution.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def ApplyWinogradPass : Pass<"torsh-apply-winograd", "::mlir::func::FuncOp"> {
  let summary = "3 x 3 convolutions of stride 1 become products of transformed tiles where that is quicker";
  let description = [{
    Before: `%y = torsh.conv %x, %w bias %b low = [1, 1] high = [1, 1] {layout = channels_last}` with a constant
            %w : [3, 3, C, O]
    After:  `%v = torsh.winograd_input %x tile = 4 low = [1, 1] high = [1, 1]; %m = torsh.dot_general %v, %u batch = [0] x [0];
            %0 = torsh.winograd_output %m tile = 4; %y = torsh.add %0, %b'` with the recipe of %w ending in `winograd [4]`

    F(2x2, 3x3) has 2.25 times fewer multiplications than the direct sum, F(4x4, 3x3) 4 times, but 16/9 and 4 times the
    weights, which are read cold, and intermediate values that go through the caches; the pass takes the quickest by an
    estimate of all three. The relative error of f32 results grows to about 2.5 times that of the direct sum with tiles
    of 4 and does not grow with tiles of 2; `torshc --exact-conv` leaves the pass out.

    Precondition: torsh-channels-last; before torsh-materialize-padding, because the transform pads by itself, and before
    torsh-normalize-contractions and torsh-pack-weights, which lay out the products. C and O are multiples of 8, and the
    height and width are known. Rationale: the arithmetic of 3 x 3 convolutions bounds most networks for images.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def MaterializePaddingPass : Pass<"torsh-materialize-padding", "::mlir::func::FuncOp"> {
  let summary = "The zero padding of a convolution becomes a pad of its input";
  let description = [{
    Before: `torsh.conv %x, %w low = [1, 1] high = [1, 1] {layout = channels_last}`
    After:  `%0 = torsh.pad %x value %zero low = [0, 1, 1, 0] ..; torsh.conv %0, %w low = [0, 0] high = [0, 0]`

    Precondition: torsh-channels-last. Depthwise convolutions and pools keep their padding, their kernels clip windows.
    The planes of an image are padded as planes, which the convolution's kernel reads as they lie.
    Rationale: the copy costs about a hundredth of the arithmetic, and the inner loop needs no bounds.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def NormalizeContractionsPass : Pass<"torsh-normalize-contractions", "::mlir::func::FuncOp"> {
  let summary = "Contractions with one contracting dim and one right column dim, on operands that kernels can read";
  let description = [{
    Several contracting dims, or several free dims on the right, are merged by transposes and reshapes. The left
    operand's contracting dim is its last one and contiguous in memory; the right operand is a constant [.., K, N], or
    contiguous along N, or along a K of at most 4096. Operands that lie otherwise are copied by an elementwise group.
    Convolutions get an input with contiguous channels or few planes, Winograd's transform one with contiguous channels.

    Before: `torsh.dot_general %x, %w .. contract = [1] x [1]` with a constant %w : [N, K]
    After:  `torsh.dot_general %x, %w' .. contract = [1] x [0]` with the recipe of %w transposed to [K, N]

    Precondition: canonical form (merged transposes and reshapes). Rationale: the copies that a contraction needs are
    seen in the graph, and kernels have one form to build.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def PackWeightsPass : Pass<"torsh-pack-weights", "::mlir::func::FuncOp"> {
  let summary = "Constant right operands of contractions become panels of 16 columns";
  let description = [{
    Before: `torsh.dot_general %x, %w` with a constant %w : [K, N]
    After:  `%p = torsh.constant #torsh.weight<.., pack [16]> -> [ceil(N/16), K, 16]; %w = torsh.unpack %p`

    Weights of convolutions [spatial.., C/groups, O] are packed as one matrix for each group; those of depthwise
    convolutions stay. Weights of a convolution that are computed are packed by copies at run time; when their shape is
    not known the convolution is refused with TSH-0511. Weights [D, gates * H, K] of recurrent layers are packed as one
    matrix [K, gates * H] for each direction.

    Precondition: torsh-channels-last, torsh-normalize-contractions. Rationale: a kernel reads the panels in order, and
    all CPU levels share one layout, so an artifact stores each weight once.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def NarrowWeightsPass : Pass<"torsh-narrow-weights", "::mlir::func::FuncOp"> {
  let summary = "Packed f32 weights of contractions are stored as bf16";
  let description = [{
    Before: `%w = torsh.unpack %p : (tensor<4x64x16xf32>) -> tensor<64x64xf32>` with a recipe %p
    After:  the same with `%p : tensor<4x64x16xbf16>`, whose recipe ends with a cast

    Weights that Winograd's transform made, and those of recurrent layers and depthwise convolutions, keep their type.
    Precondition: torsh-pack-weights. Rationale: half of the bytes to read and to ship; sums stay f32, so the only error is
    that of the rounded weights, at most 2^-9 of each. Kernels widen a piece of a panel once for all rows of a block.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def PairContractionsPass : Pass<"torsh-pair-contractions", "::mlir::func::FuncOp"> {
  let summary = "Contractions of packed weights become sums of products of pairs of bf16";
  let description = [{
    Before: `%w = torsh.unpack %p : (tensor<4x64x16xf32>) -> tensor<64x64xf32>; %y = torsh.dot_general %x, %w`
    After:  `%w = torsh.unpack %q : (tensor<4x32x16x2xbf16>) -> tensor<64x64xbf16>` with a recipe %q that puts two
            neighbours along K beside each other, and `%y = torsh.dot_general %narrow, %w : (.. bf16, .. bf16) -> .. f32`

    The cast that makes %narrow stands at the result that %x is a window on, so that the kernel of that result stores
    it; it goes below padding, concatenation and max pooling where nobody else reads those. A convolution without a bias
    gets one of zeros, which says that its sums are f32. Sums of an odd number of products, convolutions of an odd number
    of channels (the first one of most networks), weights that Winograd's transform made or that something else reads,
    depthwise convolutions and recurrent layers stay in f32.

    Precondition: torsh-pack-weights, before torsh-narrow-weights. Rationale: AVX512-BF16 adds two products a lane to
    f32 sums, so half of the multiply-adds are left; each operand is rounded once, at most by 2^-9 of itself.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def NarrowActivationsPass : Pass<"torsh-narrow-activations", "::mlir::func::FuncOp"> {
  let summary = "What is stored as f32 and as bf16 is stored as bf16 alone";
  let description = [{
    Before: `%y, %narrow = torsh.group "dot" .. yield %a, %cast : f32, bf16` where other groups read both
    After:  `%narrow = torsh.group "dot" ..`, and the groups that read %y begin with a cast of %narrow to f32

    The f32 result goes only when each of its readers can widen what it loads and it is no output of the model: a
    residual stream that no contraction reads directly has no bf16 copy, so it stays f32. Sums, norms and softmax go on
    in f32 from the rounded value.

    Precondition: torsh-form-groups. Rationale: half of the bytes of most activations, and no value is stored twice.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def CheckImportPass : Pass<"torsh-check-import", "::mlir::ModuleOp"> {
  let summary = "Verifies the import contract";
  let description = [{
    What a frontend hands over: only torsh ops in functions (TSH-0518), ranked tensors (TSH-0519), an expression for
    every `?` (TSH-0513), no symbol that neither a dim of an input binds nor an op has given birth to before
    (TSH-0514), no attribute that holds more than 1 KiB of numbers outside the weight store (TSH-0515), and a source
    position for every op (TSH-0516). Changes nothing.

    Before and after: `func.func @main(%x: tensor<?x4xf32, #torsh.dims<[n, 4]>>) ...`
    Precondition: none. It runs first, because later passes rely on the contract without asking again.
    Rationale: an importer's mistake is reported where it was made, not where a kernel fails.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def FoldConstantsPass : Pass<"torsh-fold-constants", "::mlir::func::FuncOp"> {
  let summary = "Evaluates ops whose operands are constants";
  let description = [{
    The reference evaluator computes pure ops on constants of at most 64 Ki elements. Results are splats, dense up to
    1 KiB, and bytes of the weight store above. A box of a larger weight becomes a `slice` step of its recipe
    (transpose, reshape and cast are steps by their folders). Elementwise ops on splats fold at any shape, symbolic
    ones too. Broadcasts and long iotas stay, because kernels compute them as addresses, but others fold through them.

    Before: `%2 = torsh.mul %c0, %c1 : tensor<4xf32>`
    After:  `%2 = torsh.constant dense<[..]> : tensor<4xf32> -> tensor<4xf32>`

    Precondition: none. Idempotent. Ops with symbolic dims, with regions and those that the evaluator refuses stay.
    Rationale: exporters leave index arithmetic and masks in the graph that no input can change.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def RaisePatternsPass : Pass<"torsh-raise-patterns", "::mlir::func::FuncOp"> {
  let summary = "Recognises decomposed normalisations and softmax";
  let description = [{
    Exporters before opset 17 write layer norm as mean, sub, square, mean, add, sqrt and div; RMS norm and softmax
    come in pieces as well. They become one op, with a following product and sum along the normalised dims as its
    scale and bias. Softmax is raised only when the maximum is subtracted, because without it results differ where
    exp overflows. Division by a power of two becomes a product, which is the same number.

    Before: `%d = torsh.sub %x, mean(%x); %y = torsh.div %d, sqrt(mean(%d * %d) + eps)`
    After:  `%y = torsh.layer_norm %x scale %ones axis = 2 epsilon = eps`

    Precondition: canonical form and CSE (pow by 2 is mul, equal means are one value).
    Rationale: one kernel that reads a row once instead of five, and one place to keep its accuracy.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def FoldBatchNormPass : Pass<"torsh-fold-batch-norm", "::mlir::func::FuncOp"> {
  let summary = "Batch norms become weights of convolutions, or elementwise ops";
  let description = [{
    With constant statistics a batch norm is x * factor + shift for each feature. Behind a convolution that feeds
    nothing else, the factor becomes a `scale` step of the weights' recipe and the shift its bias; elsewhere it becomes
    mul and add with broadcast constants. With computed statistics (training mode) it becomes elementwise ops that
    subtract the mean first.

    Before: `%1 = torsh.conv %x, %w ..; %2 = torsh.batch_norm %1 scale .. bias .. mean .. variance ..`
    After:  `%2 = torsh.conv %x, %scaled bias %shift ..`

    Precondition: constants are folded. Afterwards no batch_norm is left.
    Rationale: inference needs no pass over the activations for it.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

def SimplifyPass : Pass<"torsh-simplify", "::mlir::func::FuncOp"> {
  let summary = "Algebra across ops that canonical forms do not reach";
  let description = [{
    Chains collapse: reduce of reduce, slice of slice, broadcast of broadcast, broadcast of an unsqueeze, slice of a
    concat that lies in one operand, concat of neighbouring slices. A transpose that moves unit dims only and a
    reduction of unit dims only are reshapes, which cost nothing. stop_gradient disappears. Softmax along an inner axis is
    transposed to the last one; layer and RMS norms of several trailing dims are reshaped to one.

    Before: `%1 = torsh.reduce mean %x axes = [3] ..; %2 = torsh.reduce mean %1 axes = [2] ..`
    After:  `%2 = torsh.reduce mean %x axes = [2, 3] ..`

    Precondition: canonical form. Afterwards softmax, log_softmax, layer_norm and rms_norm work on the last dim only.
    Rationale: kernels of row normalisations have one contiguous row, and fewer passes over memory remain.
  }];
  let dependentDialects = ["::torsh::TorshDialect"];
}

#endif // TORSH_PASSES_GRAPH_PASSES_TD
