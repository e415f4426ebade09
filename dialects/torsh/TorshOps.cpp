//===-- TorshOps.cpp - Generated definitions of the torsh ops -----------------------------------------------===//
//
// Verifiers, shape functions and folders stand in the file of their topic (Elementwise.cpp, Contraction.cpp, ...).
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"

using namespace mlir;

namespace torsh {

// The array attribute's own form keeps seven digits; a scale must survive being printed.
static ParseResult parseDoubles(OpAsmParser &parser, DenseF64ArrayAttr &values) {
  SmallVector<double> parsed;
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                     [&] { return parser.parseFloat(parsed.emplace_back()); }))
    return failure();
  values = parser.getBuilder().getDenseF64ArrayAttr(parsed);
  return success();
}

static void printDoubles(OpAsmPrinter &printer, Operation *, DenseF64ArrayAttr values) {
  printer << '[';
  llvm::interleaveComma(values.asArrayRef(), printer,
                        [&](double value) { printer.printFloat(APFloat(value)); });
  printer << ']';
}

} // namespace torsh

#define GET_OP_CLASSES
#include "dialects/torsh/TorshOps.cpp.inc"
