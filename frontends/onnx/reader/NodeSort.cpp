//===- NodeSort.cpp - Order of computation of a node list -----------------===//
#include "frontends/onnx/reader/NodeSort.h"
#include <algorithm>

using namespace llvm;

namespace torsh::onnx {

bool sortNodes(ArrayRef<SmallVector<uint32_t, 4>> dependencies, NodeOrder &order) {
  enum State : uint8_t { New, Open, Done };
  SmallVector<State, 0> states(dependencies.size(), New);
  // A stack of our own: a chain of a million nodes would overflow that of the thread.
  struct Visit {
    uint32_t node;
    uint32_t nextDependency;
  };
  SmallVector<Visit, 0> stack;
  order.clear();
  order.reserve(dependencies.size());
  for (uint32_t root = 0; root < dependencies.size(); ++root) {
    if (states[root] != New)
      continue;
    states[root] = Open;
    stack.push_back({root, 0});
    while (!stack.empty()) {
      uint32_t node = stack.back().node;
      if (stack.back().nextDependency == dependencies[node].size()) {
        states[node] = Done;
        order.push_back(node);
        stack.pop_back();
        continue;
      }
      uint32_t dependency = dependencies[node][stack.back().nextDependency++];
      if (states[dependency] == New) {
        states[dependency] = Open;
        stack.push_back({dependency, 0});
      } else if (states[dependency] == Open) {
        // The stack from that node on is a cycle; tell it in the direction in which data flows.
        order.clear();
        for (const Visit &visit : reverse(stack)) {
          order.push_back(visit.node);
          if (visit.node == dependency)
            break;
        }
        std::rotate(order.begin(), std::prev(order.end()), order.end());
        return false;
      }
    }
  }
  return true;
}

} // namespace torsh::onnx
