//===-- Lexer.h - Tokens of TorchScript's serialized source -------------------------------------------------===//
#ifndef TORSH_FRONTENDS_TORCH_SCRIPT_LEXER_H
#define TORSH_FRONTENDS_TORCH_SCRIPT_LEXER_H

#include "frontends/torch/script/Ast.h"
#include "llvm/Support/Error.h"

namespace torsh::torch {

struct Token {
  enum class Kind : uint8_t {
    Name,
    Int,
    Float,
    Complex,
    String,
    Punctuation, ///< one of ( ) [ ] { } , : . = - and ->
    Newline,
    Indent,
    Dedent,
    End,
  };
  Kind kind = Kind::End;
  unsigned line = 0;
  llvm::StringRef text; ///< as written; of a string: decoded
  int64_t integer = 0;
  double number = 0;

  bool is(llvm::StringRef punctuation) const { return kind == Kind::Punctuation && text == punctuation; }
  bool isWord(llvm::StringRef word) const { return kind == Kind::Name && text == word; }
};

/// The tokens of `file.text`, with Indent and Dedent around blocks; line breaks inside brackets do not count. Decoded
/// strings are kept in `file`.
llvm::Expected<std::vector<Token>> tokenize(SourceFile &file);

} // namespace torsh::torch

#endif // TORSH_FRONTENDS_TORCH_SCRIPT_LEXER_H
