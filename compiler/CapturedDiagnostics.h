//===-- CapturedDiagnostics.h - What MLIR and LLVM complain about, as text ----------------------------------===//
#ifndef TORSH_COMPILER_CAPTUREDDIAGNOSTICS_H
#define TORSH_COMPILER_CAPTUREDDIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/IR/DiagnosticHandler.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace torsh {

/// Collects the errors of a context while it lives.
class DiagnosticText {
public:
  explicit DiagnosticText(mlir::MLIRContext *context)
      : handler(context, [this](mlir::Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
            text += diagnostic.str() + "\n";
        }) {}
  std::string text;

private:
  mlir::ScopedDiagnosticHandler handler;
};

/// LLVM's own handler exits on errors; this one keeps them.
struct KeepDiagnostics : llvm::DiagnosticHandler {
  std::string *text;
  explicit KeepDiagnostics(std::string *text) : text(text) {}
  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (info.getSeverity() == llvm::DS_Error) {
      llvm::raw_string_ostream os(*text);
      llvm::DiagnosticPrinterRawOStream printer(os);
      info.print(printer);
      os << "\n";
    }
    return true;
  }
};

} // namespace torsh

#endif // TORSH_COMPILER_CAPTUREDDIAGNOSTICS_H
