//===-- DeviceKinds.cpp - Kernels of the four kinds ---------------------------------------------------------===//
#include "DeviceKinds.h"

namespace torsh::test {

using Sizes = std::vector<int64_t>;

Case elementwiseChain(int64_t rows, int64_t columns, const std::string &element) {
  std::string type = tensor(Sizes{rows, columns}, element), row = tensor(Sizes{columns}, element);
  return {"elementwise", "%x: " + type + ", %r: " + type + ", %b: " + row,
          "%wide = torsh.broadcast %b axes = [1] : (" + row + ") -> " + type +
              "\n%s = torsh.add %x, %wide : " + type + "\n%e = torsh.erf %s : " + type +
              "\n%p = torsh.mul %e, %r : " + type + "\n%y = torsh.exp %p : " + type,
          "%y", type};
}

Case softmaxRows(int64_t rows, int64_t columns, const std::string &element) {
  std::string type = tensor(Sizes{rows, columns}, element);
  Case made{"row_norm", "%x: " + type, "%y = torsh.softmax %x axis = 1 : " + type, "%y", type};
  made.ranges[0] = {-9, 9};
  return made;
}

Case layerNormRows(int64_t rows, int64_t columns, const std::string &element) {
  std::string type = tensor(Sizes{rows, columns}, element), row = tensor(Sizes{columns}, element);
  return {"row_norm", "%x: " + type + ", %r: " + type + ", %s: " + row + ", %b: " + row,
          "%sum = torsh.add %x, %r : " + type +
              "\n%y = torsh.layer_norm %sum scale %s bias %b axis = 1 epsilon = 1.0e-3 : (" + type + ", " +
              row + ", " + row + ") -> " + type,
          "%sum, %y", type + ", " + type};
}

Case product(const Product &p) {
  Sizes lead = p.batch ? Sizes{p.batch} : Sizes{};
  auto with = [&](const Sizes &tail) {
    Sizes sizes(lead);
    sizes.insert(sizes.end(), tail.begin(), tail.end());
    return sizes;
  };
  std::string x = tensor(with({p.m, p.k}), p.element), w = tensor(with({p.k, p.n}), p.element);
  std::string y = tensor(with({p.m, p.n}), p.element), b = tensor(Sizes{p.n}, p.element);
  std::string arguments = "%x: " + x + ", ", body;
  if (p.right == RightForm::Packed) {
    std::string panels = tensor(with({(p.n + 15) / 16, p.k, 16}), p.stored.empty() ? p.element : p.stored);
    arguments += "%p: " + panels;
    body = "%w = torsh.unpack %p : (" + panels + ") -> " + w + "\n";
  } else if (p.right == RightForm::Transposed) {
    std::string t = tensor(with({p.n, p.k}), p.element);
    arguments += "%t: " + t;
    body = "%w = torsh.transpose %t perm = " + std::string(p.batch ? "[0, 2, 1]" : "[1, 0]") + " : (" + t +
           ") -> " + w + "\n";
  } else {
    arguments += "%w: " + w;
  }
  std::string batch = p.batch ? "[0] x [0]" : "[] x []", contract = p.batch ? "[2] x [1]" : "[1] x [0]";
  body += "%y = torsh.dot_general %x, %w batch = " + batch + " contract = " + contract + " : (" + x + ", " +
          w + ") -> " + y + "\n";
  std::string yield = "%y";
  if (p.epilogue) {
    arguments += ", %b: " + b + ", %r: " + y;
    body += "%wide = torsh.broadcast %b axes = [" + std::to_string(lead.size() + 1) + "] : (" + b + ") -> " +
            y + "\n%s = torsh.add %y, %wide : " + y + "\n%t2 = torsh.tanh %s : " + y +
            "\n%z = torsh.add %t2, %r : " + y + "\n";
    yield = "%z";
  }
  return {"dot", arguments, body, yield, y};
}

} // namespace torsh::test
