//===- ReaderError.cpp - Errors of the ONNX reader ------------------------===//
#include "frontends/onnx/reader/ReaderError.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace torsh::onnx {

char ReaderError::ID = 0;

std::string codeName(Code code) {
  std::string digits = std::to_string(unsigned(code));
  return "TSH-" + std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits;
}

void ReaderError::log(raw_ostream &os) const { os << codeName(errorCode) << ": " << text; }

std::error_code ReaderError::convertToErrorCode() const { return inconvertibleErrorCode(); }

Error readerError(Code code, const Twine &message) { return make_error<ReaderError>(code, message.str()); }

std::string quoted(StringRef name) {
  constexpr size_t longest = 120;
  bool cut = name.size() > longest;
  // A cut may split a character, so the shortened name loses the bytes of a character that began before it.
  StringRef shown = name.take_front(longest);
  if (cut)
    while (!shown.empty() && (uint8_t(name[shown.size()]) & 0xC0) == 0x80)
      shown = shown.drop_back();
  bool utf8 = json::isUTF8(shown);
  std::string out = "'";
  for (char c : shown) {
    auto byte = uint8_t(c);
    if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !utf8))
      out += "\\x" + toHex(StringRef(&c, 1), /*LowerCase=*/true);
    else
      out += c;
  }
  return out + (cut ? "...'" : "'");
}

} // namespace torsh::onnx
