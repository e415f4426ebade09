//===-- ReaderError.cpp - Errors of the readers of PyTorch's archives ---------------------------------------===//
#include "frontends/torch/reader/ReaderError.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace torsh::torch {

Error readerError(Code code, const Twine &message) {
  std::string digits = std::to_string(unsigned(code));
  return createStringError("TSH-" + std::string(4 - std::min<size_t>(4, digits.size()), '0') + digits + ": " +
                           message);
}

std::string quoted(StringRef name) {
  constexpr size_t longest = 120;
  std::string out = "'";
  for (char c : name.take_front(longest)) {
    if (isPrint(c))
      out += c;
    else
      out += "\\x" + toHex(StringRef(&c, 1), /*LowerCase=*/true);
  }
  return out + (name.size() > longest ? "...'" : "'");
}

} // namespace torsh::torch
