//===-- Check.cpp - torshc check ----------------------------------------------------------------------------===//
#include "tools/torshc/Commands.h"
#include "llvm/Support/JSON.h"

namespace torsh {

int runCheck(const CompileOptions &options, bool json) {
  ImportReport report;
  CompileStatus status = checkModel(options, report);
  if (json) {
    llvm::json::Array nodes, errors;
    auto text = [](const std::string &value) {
      return llvm::json::isUTF8(value) ? value : llvm::json::fixUTF8(value);
    };
    for (const UnsupportedNode &node : report.unsupported)
      nodes.push_back(llvm::json::Object{{"node", text(node.node)},
                                         {"op", text(node.op)},
                                         {"types", text(node.types)},
                                         {"constraint", text(node.constraint)}});
    for (const std::string &error : report.errors)
      errors.push_back(text(error));
    llvm::outs() << llvm::formatv("{0:2}", llvm::json::Value(
                                               llvm::json::Object{{"supported", status == CompileStatus::Ok},
                                                                  {"errors", std::move(errors)},
                                                                  {"unsupported", std::move(nodes)}}))
                 << "\n";
  } else if (status == CompileStatus::Ok) {
    llvm::outs() << options.modelPath << ": every node is supported\n";
  } else {
    printReport(report, options.modelPath, llvm::errs());
  }
  return int(status);
}

} // namespace torsh
