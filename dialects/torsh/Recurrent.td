// Recurrent layers in the layout of the ONNX specification (LSTM-14, GRU-14, RNN-14).
#ifndef TORSH_RECURRENT_TD
#define TORSH_RECURRENT_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

def Torsh_LstmOp : Torsh_Op<"lstm", [Pure, AttrSizedOperandSegments, Torsh_InferType]> {
  let summary = "long short-term memory over a sequence";
  let description = [{
    x [T, B, I], w [D, 4H, I], r [D, 4H, H], bias [D, 8H] (input then recurrent), initial_h and initial_c [D, B, H],
    lengths [B] i32, peephole [D, 3H]; D is 2 for bidirectional, else 1. Gate order i, o, f, c (ONNX LSTM-14).
    Gates use sigmoid, cell input and output tanh. Results y [T, D, B, H], y_h and y_c [D, B, H].
    Steps at or after a sequence's length give 0 in y and leave the state. lstm_c1: shapes as above.
  }];
  let arguments = (ins Torsh_FloatTensor:$x, Torsh_FloatTensor:$w, Torsh_FloatTensor:$r,
                       Optional<Torsh_FloatTensor>:$bias, Optional<Torsh_FloatTensor>:$initial_h,
                       Optional<Torsh_FloatTensor>:$initial_c, Optional<Torsh_IndexTensor>:$lengths,
                       Optional<Torsh_FloatTensor>:$peephole, Torsh_RnnDirectionAttr:$direction);
  let results = (outs Torsh_FloatTensor:$y, Torsh_FloatTensor:$y_h, Torsh_FloatTensor:$y_c);
  let assemblyFormat = [{ $direction $x `,` $w `,` $r (`bias` $bias^)? (`initial_h` $initial_h^)? (`initial_c` $initial_c^)?
                          (`lengths` $lengths^)? (`peephole` $peephole^)? attr-dict `:` functional-type(operands, results) }];
  let hasVerifier = 1;
}

def Torsh_GruOp : Torsh_Op<"gru", [Pure, AttrSizedOperandSegments, Torsh_InferType]> {
  let summary = "gated recurrent unit over a sequence";
  let description = [{
    x [T, B, I], w [D, 3H, I], r [D, 3H, H], bias [D, 6H], initial_h [D, B, H]; gate order z, r, h. With
    `linear_before_reset` the reset gate scales the recurrent product with its bias (as in cuDNN and PyTorch).
    Results y [T, D, B, H], y_h [D, B, H]. gru_c1: shapes as above.
  }];
  let arguments = (ins Torsh_FloatTensor:$x, Torsh_FloatTensor:$w, Torsh_FloatTensor:$r,
                       Optional<Torsh_FloatTensor>:$bias, Optional<Torsh_FloatTensor>:$initial_h,
                       Optional<Torsh_IndexTensor>:$lengths, Torsh_RnnDirectionAttr:$direction,
                       BoolAttr:$linear_before_reset);
  let results = (outs Torsh_FloatTensor:$y, Torsh_FloatTensor:$y_h);
  let assemblyFormat = [{ $direction $x `,` $w `,` $r (`bias` $bias^)? (`initial_h` $initial_h^)? (`lengths` $lengths^)?
                          attr-dict `:` functional-type(operands, results) }];
  let hasVerifier = 1;
}

def Torsh_RnnOp : Torsh_Op<"rnn", [Pure, AttrSizedOperandSegments, Torsh_InferType]> {
  let summary = "plain recurrent layer with tanh";
  let description = [{
    h = tanh(x w^T + h r^T + bias). x [T, B, I], w [D, H, I], r [D, H, H], bias [D, 2H], initial_h [D, B, H].
    Results y [T, D, B, H], y_h [D, B, H]. rnn_c1: shapes as above.
  }];
  let arguments = (ins Torsh_FloatTensor:$x, Torsh_FloatTensor:$w, Torsh_FloatTensor:$r,
                       Optional<Torsh_FloatTensor>:$bias, Optional<Torsh_FloatTensor>:$initial_h,
                       Optional<Torsh_IndexTensor>:$lengths, Torsh_RnnDirectionAttr:$direction);
  let results = (outs Torsh_FloatTensor:$y, Torsh_FloatTensor:$y_h);
  let assemblyFormat = [{ $direction $x `,` $w `,` $r (`bias` $bias^)? (`initial_h` $initial_h^)? (`lengths` $lengths^)?
                          attr-dict `:` functional-type(operands, results) }];
  let hasVerifier = 1;
}

#endif // TORSH_RECURRENT_TD
