//===-- RandomAffine.cpp - Affine functions of a seed -------------------------------------------------------===//
#include "RandomAffine.h"
#include <random>
#include <vector>

namespace torsh::test {
namespace {

/// A loop variable and the values that it can have, whatever the sizes are.
struct Loop {
  std::string name;
  int64_t low, high;
};

class Generator {
public:
  Generator(uint64_t seed, bool floats) : random(seed), floats(floats), element(floats ? "f32" : "i32") {}
  std::string function(const std::string &name);

private:
  int64_t draw(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  }
  bool chance(int percent) { return draw(1, 100) <= percent; }
  std::string fresh() { return "%v" + std::to_string(next++); }
  void line(const std::string &text) { out += std::string(2 * loops.size() + 2, ' ') + text + "\n"; }
  std::string matrix() const {
    return "memref<" + std::to_string(rows) + "x" + std::to_string(columns) + "x" + element + ">";
  }
  std::string vector() const { return "memref<" + std::to_string(length) + "x" + element + ">"; }

  void block(unsigned depth);
  void loop(unsigned depth);
  void timeLoop();
  void statement();
  std::string subscript(int64_t size);
  std::string place(bool wide);
  std::string load(const std::string &place, bool wide, int array);
  std::string scaled(const std::string &value);
  std::string op(const std::string &integer, const std::string &real, const std::string &a,
                 const std::string &b);

  std::mt19937_64 random;
  bool floats;
  std::string element, out;
  std::vector<Loop> loops;
  unsigned next = 0, statements = 0;
};

std::string Generator::op(const std::string &integer, const std::string &real, const std::string &a,
                          const std::string &b) {
  std::string result = fresh();
  line(result + " = arith." + (floats ? real : integer) + " " + a + ", " + b + " : " + element);
  return result;
}

/// An affine expression of the loops whose values lie in [0, size).
std::string Generator::subscript(int64_t size) {
  std::string text;
  int64_t low = 0, high = 0;
  unsigned terms = loops.empty() ? 0 : draw(0, 100) < 90 ? 1 : 2;
  for (unsigned i = 0; i < terms; ++i) {
    const Loop &loop = loops[draw(0, loops.size() - 1)];
    int64_t factor = chance(75) ? 1 : chance(75) ? -1 : 2;
    text += (text.empty() ? "" : " + ") + std::to_string(factor) + " * " + loop.name;
    low += std::min(factor * loop.low, factor * loop.high);
    high += std::max(factor * loop.low, factor * loop.high);
  }
  int64_t offset = -low + draw(0, 3);
  if (high + offset >= size)
    offset = -low;
  return text.empty() ? std::to_string(offset) : text + " + " + std::to_string(offset);
}

std::string Generator::place(bool wide) {
  return wide ? "[" + subscript(rows) + ", " + subscript(columns) + "]" : "[" + subscript(length) + "]";
}

std::string Generator::load(const std::string &place, bool wide, int array) {
  std::string result = fresh();
  line(result + " = affine.load %" + (wide ? "m" : "l") + std::to_string(array) + place + " : " +
       (wide ? matrix() : vector()));
  return result;
}

/// Keeps floats small; integers wrap around.
std::string Generator::scaled(const std::string &value) {
  return op("muli", "mulf", value, chance(50) ? "%c0" : "%c1");
}

void Generator::statement() {
  ++statements;
  bool wide = chance(60);
  int array = draw(0, 1);
  std::string at = place(wide), value;
  for (int64_t i = 0, loads = draw(1, 2); i < loads; ++i) {
    bool from = chance(60);
    std::string loaded = scaled(load(place(from), from, draw(0, 1)));
    if (value.empty())
      value = loaded;
    else if (chance(60))
      value = op("addi", "addf", value, loaded);
    else if (chance(50))
      value = op("subi", "subf", value, loaded);
    else
      value = op("maxsi", "maximumf", value, loaded);
  }
  // Half of the statements change what is there: reductions where a loop is not in the subscripts.
  if (chance(50)) {
    std::string old = load(at, wide, array);
    if (chance(60))
      value = op("addi", "addf", scaled(value), floats ? scaled(old) : old);
    else if (chance(50))
      value = op("maxsi", "maximumf", old, value);
    else
      value = op("minsi", "minimumf", value, old);
  }
  line("affine.store " + value + ", %" + (wide ? "m" : "l") + std::to_string(array) + at + " : " +
       (wide ? matrix() : vector()));
}

void Generator::loop(unsigned depth) {
  Loop loop{"%i" + std::to_string(next++), 0, 0};
  int64_t from = draw(0, 3), to = draw(5, mostSize);
  std::string low = std::to_string(from), high = std::to_string(to);
  loop.low = from;
  loop.high = to - 1;
  if (!loops.empty() && chance(30)) {
    const Loop &outer = loops[draw(0, loops.size() - 1)];
    if (chance(50)) {
      high = "affine_map<(d0) -> (d0 + 1)>(" + outer.name + ")";
      loop.high = std::max(from, outer.high);
    } else {
      low = "affine_map<(d0) -> (d0)>(" + outer.name + ")";
      loop.low = std::min(outer.low, to - 1);
    }
  } else if (chance(35)) {
    high = chance(50) ? "%n" : "%m";
    loop.high = std::max<int64_t>(from, mostSize - 1);
  } else if (chance(15)) {
    high = "min affine_map<(d0) -> (d0, " + std::to_string(to) + ")>(%n)";
  }
  line("affine.for " + loop.name + " = " + low + " to " + high + (chance(8) ? " step 2" : "") + " {");
  loops.push_back(loop);
  block(depth + 1);
  loops.pop_back();
  line("}");
}

/// Sweeps over an array again and again; each sweep reads what the one before wrote.
void Generator::timeLoop() {
  Loop time{"%i" + std::to_string(next++), 0, draw(2, 6)};
  line("affine.for " + time.name + " = 0 to " + std::to_string(time.high + 1) + " {");
  loops.push_back(time);
  bool two = chance(60);
  for (int sweep = 0; sweep <= two; ++sweep) {
    std::string i = "%i" + std::to_string(next++), j = "%i" + std::to_string(next++);
    int64_t first = draw(1, 3), last = draw(12, 40);
    line("affine.for " + i + " = " + std::to_string(first) + " to " + std::to_string(last) + " {");
    line("affine.for " + j + " = " + std::to_string(first) + " to " + std::to_string(last + 9) + " {");
    int from = two ? sweep : 0, into = two ? 1 - sweep : 0;
    std::string value;
    for (int64_t k = 0, loads = draw(2, 3); k < loads; ++k) {
      std::string at = "[" + i + " + " + std::to_string(draw(-1, 1)) + ", " + j + " + " +
                       std::to_string(draw(-1, 1)) + "]";
      std::string loaded = scaled(load(at, true, from));
      value = value.empty() ? loaded : op("addi", "addf", value, loaded);
    }
    line("affine.store " + value + ", %m" + std::to_string(into) + "[" + i + ", " + j + "] : " + matrix());
    line("}");
    line("}");
    ++statements;
  }
  loops.pop_back();
  line("}");
}

void Generator::block(unsigned depth) {
  bool any = false;
  for (int64_t i = 0, items = chance(75) ? 1 : 2; (i < items && statements < 3) || !any; ++i) {
    if (depth < 3 && (depth == 0 || chance(65)))
      loop(depth);
    else
      statement();
    any = statements > 0;
  }
}

std::string Generator::function(const std::string &name) {
  std::string head = "func.func @" + name + "(%m0: " + matrix() + ", %m1: " + matrix() +
                     ", %l0: " + vector() + ", %l1: " + vector() + ", %n: index, %m: index) {\n";
  line("%c0 = arith.constant " + std::string(floats ? "0.25 : f32" : "3 : i32"));
  line("%c1 = arith.constant " + std::string(floats ? "-0.125 : f32" : "-5 : i32"));
  int64_t nests = draw(1, 2);
  for (int64_t nest = 0; nest < nests && statements < 3; ++nest) {
    if (chance(20))
      timeLoop();
    else
      loop(0);
  }
  return head + out + "  return\n}\n";
}

} // namespace

std::string randomAffineFunction(const std::string &name, uint64_t seed, bool floats) {
  return Generator(seed, floats).function(name);
}

} // namespace torsh::test
