//===-- Unpickler.cpp - Pickles, read as data and never executed --------------------------------------------===//
#include "frontends/torch/reader/Unpickler.h"
#include "frontends/torch/reader/PickleGlobals.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"

using namespace llvm;

namespace torsh::torch {
namespace {

using Kind = PickleValue::Kind;

/// The stack machine of one pickle. Each opcode is one case of `step`.
class Unpickler {
public:
  Unpickler(StringRef bytes, StringRef name, const PickleLimits &limits)
      : rest(bytes), size(bytes.size()), name(name), limits(limits) {}

  Expected<PickleGraph> run() {
    while (!graph.root)
      if (Error error = step())
        return error;
    return std::move(graph);
  }

private:
  Error step();
  Error reduce(PickleValue *callable, PickleValue *arguments);
  Error rebuildTensor(ArrayRef<PickleValue *> arguments);
  Error persistent(PickleValue *id);
  Error global(StringRef module, StringRef function);

  Error damaged(const Twine &what) {
    return readerError(Code::DamagedPickle, "the pickle " + quoted(name) + " is damaged at byte " +
                                                Twine(size - rest.size()) + ": " + what +
                                                "; save the model again");
  }

  //===-- Bytes ----------------------------------------------------------------------------------------------===//
  bool take(size_t count, StringRef &bytes) {
    if (rest.size() < count)
      return false;
    bytes = rest.take_front(count);
    rest = rest.drop_front(count);
    return true;
  }
  bool takeLine(StringRef &line) {
    size_t end = rest.find('\n');
    if (end == StringRef::npos)
      return false;
    line = rest.take_front(end);
    rest = rest.drop_front(end + 1);
    return true;
  }

  //===-- Stack ----------------------------------------------------------------------------------------------===//
  PickleValue *make(Kind kind) {
    graph.values.emplace_back();
    graph.values.back().kind = kind;
    return &graph.values.back();
  }
  void push(PickleValue *value) { stack.push_back(value); }
  PickleValue *push(Kind kind) {
    push(make(kind));
    return stack.back();
  }
  /// The lowest position that an opcode may reach: what lies below the last mark belongs to others.
  size_t floor() const { return marks.empty() ? 0 : marks.back(); }
  PickleValue *pop() {
    if (stack.size() <= floor())
      return nullptr;
    PickleValue *value = stack.back();
    stack.pop_back();
    return value;
  }
  PickleValue *top() { return stack.size() <= floor() ? nullptr : stack.back(); }
  bool popMark(std::vector<PickleValue *> &values) {
    if (marks.empty())
      return false;
    values.assign(stack.begin() + marks.back(), stack.end());
    stack.resize(marks.back());
    marks.pop_back();
    return true;
  }
  Error tuple(size_t count) {
    if (stack.size() < floor() + count)
      return damaged("a tuple needs more values than there are");
    std::vector<PickleValue *> items(stack.end() - count, stack.end());
    stack.resize(stack.size() - count);
    push(Kind::Tuple)->items = std::move(items);
    return Error::success();
  }
  Error remember(uint64_t slot) {
    PickleValue *value = top();
    if (!value)
      return damaged("nothing to remember");
    if (slot >= limits.maxMemo)
      return readerError(Code::PickleTooLarge, "the pickle " + quoted(name) + " remembers too many values");
    memo[slot] = value;
    return Error::success();
  }
  Error recall(uint64_t slot) {
    auto it = memo.find(slot);
    if (it == memo.end())
      return damaged("it recalls a value that it never remembered");
    push(it->second);
    return Error::success();
  }

  StringRef rest;
  size_t size;
  StringRef name;
  const PickleLimits &limits;
  PickleGraph graph;
  std::vector<PickleValue *> stack;
  std::vector<size_t> marks;
  DenseMap<uint64_t, PickleValue *> memo;
};

Error Unpickler::global(StringRef module, StringRef function) {
  std::string full = (module + "." + function).str();
  if (full == "torch._utils._rebuild_qtensor")
    return readerError(Code::BadTensor,
                       "the pickle " + quoted(name) +
                           " holds a quantized tensor, which is not supported; save the model in float");
  if (!meaningOf(full))
    return readerError(Code::ForbiddenGlobal,
                       "the pickle " + quoted(name) + " asks for " + quoted(full) +
                           ", which no model needs and which could run any program; nothing "
                           "was executed, do not trust this file");
  push(Kind::Global)->text = std::move(full);
  return Error::success();
}

static bool asInts(const PickleValue *value, std::vector<int64_t> &ints) {
  if (value->kind != Kind::Tuple && value->kind != Kind::List)
    return false;
  for (const PickleValue *item : value->items) {
    if (item->kind != Kind::Int || item->integer < 0)
      return false;
    ints.push_back(item->integer);
  }
  return true;
}

Error Unpickler::rebuildTensor(ArrayRef<PickleValue *> arguments) {
  auto bad = [&](const Twine &what) {
    return readerError(Code::BadTensor,
                       "a tensor of the pickle " + quoted(name) + " " + what + "; save the model again");
  };
  if (arguments.size() < 4 || arguments[0]->kind != Kind::Storage || arguments[1]->kind != Kind::Int)
    return bad("has no storage");
  PickleValue *storage = arguments[0];
  PickleValue *tensor = make(Kind::Tensor);
  tensor->items = {storage};
  tensor->dtype = storage->dtype;
  tensor->integer = arguments[1]->integer;
  if (!asInts(arguments[2], tensor->sizes) || !asInts(arguments[3], tensor->strides) ||
      tensor->sizes.size() != tensor->strides.size() || tensor->integer < 0)
    return bad("has sizes or strides that are no lists of natural numbers of one length");
  if (arguments.size() > 4)
    tensor->flag = arguments[4]->kind == Kind::Bool && arguments[4]->flag;
  // The index of the last element, in numbers that cannot overflow: each product is below 2^126.
  unsigned __int128 last = uint64_t(tensor->integer);
  bool empty = false;
  for (auto [extent, stride] : zip_equal(tensor->sizes, tensor->strides)) {
    empty |= extent == 0;
    if (extent > 0)
      last += static_cast<unsigned __int128>(extent - 1) * uint64_t(stride);
    if (last >> 64)
      return bad("reaches beyond its storage");
  }
  if (!empty && last >= static_cast<unsigned __int128>(storage->integer))
    return bad("reaches beyond its storage");
  push(tensor);
  return Error::success();
}

Error Unpickler::reduce(PickleValue *callable, PickleValue *arguments) {
  if (callable->kind != Kind::Global || arguments->kind != Kind::Tuple)
    return damaged("it calls what is no known function");
  ArrayRef<PickleValue *> values = arguments->items;
  switch (*meaningOf(callable->text)) {
  case GlobalMeaning::RebuildTensor:
    return rebuildTensor(values);
  case GlobalMeaning::RebuildParameter:
  case GlobalMeaning::FirstArgument:
    if (values.empty())
      return damaged(callable->text + " has no argument");
    push(values[0]);
    return Error::success();
  case GlobalMeaning::OrderedDict:
    push(Kind::Dict);
    return Error::success();
  case GlobalMeaning::Complex: {
    PickleValue *value = push(Kind::Complex);
    if (values.size() != 2 || values[0]->kind != Kind::Double || values[1]->kind != Kind::Double)
      return damaged("a complex number needs two numbers");
    value->number = values[0]->number;
    value->imaginary = values[1]->number;
    return Error::success();
  }
  case GlobalMeaning::Device:
    if (values.empty() || values[0]->kind != Kind::String)
      return damaged("a device needs a name");
    push(Kind::Device)->text = values[0]->text;
    return Error::success();
  case GlobalMeaning::Class: {
    PickleValue *object = push(Kind::Object);
    object->text = callable->text;
    object->items = {arguments};
    return Error::success();
  }
  case GlobalMeaning::Storage:
    break;
  }
  return damaged("it calls " + callable->text);
}

Error Unpickler::persistent(PickleValue *id) {
  if (id->kind != Kind::Tuple || id->items.size() < 5 || id->items[0]->text != "storage" ||
      id->items[1]->kind != Kind::Global || id->items[2]->kind != Kind::String ||
      id->items[4]->kind != Kind::Int || id->items[4]->integer < 0)
    return damaged("a reference to stored data is malformed");
  std::optional<ScalarType> type = storageType(id->items[1]->text);
  if (!type)
    return damaged(id->items[1]->text + " is no storage");
  PickleValue *storage = push(Kind::Storage);
  storage->dtype = *type;
  storage->text = id->items[2]->text;
  storage->integer = id->items[4]->integer;
  return Error::success();
}

Error Unpickler::step() {
  if (graph.values.size() > limits.maxValues || stack.size() > limits.maxValues ||
      marks.size() > limits.maxValues)
    return readerError(Code::PickleTooLarge,
                       "the pickle " + quoted(name) + " holds more values than any model needs");
  StringRef bytes;
  if (!take(1, bytes))
    return damaged("it has no end");
  auto opcode = uint8_t(bytes[0]);
  std::vector<PickleValue *> values;
  switch (opcode) {
  case 0x80: // PROTO
    if (!take(1, bytes))
      break;
    if (bytes[0] != 2)
      return readerError(Code::DamagedPickle, "the pickle " + quoted(name) + " has protocol " +
                                                  Twine(unsigned(uint8_t(bytes[0]))) +
                                                  "; PyTorch's archives have protocol 2");
    return Error::success();
  case 'c': { // GLOBAL
    StringRef module, function;
    if (!takeLine(module) || !takeLine(function))
      break;
    return global(module, function);
  }
  case 'N':
    push(Kind::None);
    return Error::success();
  case 0x88: // NEWTRUE
  case 0x89: // NEWFALSE
    push(Kind::Bool)->flag = opcode == 0x88;
    return Error::success();
  case 'J': // BININT
    if (!take(4, bytes))
      break;
    push(Kind::Int)->integer = int32_t(support::endian::read32le(bytes.data()));
    return Error::success();
  case 'K': // BININT1
    if (!take(1, bytes))
      break;
    push(Kind::Int)->integer = uint8_t(bytes[0]);
    return Error::success();
  case 'M': // BININT2
    if (!take(2, bytes))
      break;
    push(Kind::Int)->integer = support::endian::read16le(bytes.data());
    return Error::success();
  case 0x8a: { // LONG1
    StringRef length;
    if (!take(1, length) || uint8_t(length[0]) > 8 || !take(uint8_t(length[0]), bytes))
      break;
    uint64_t value = bytes.empty() || int8_t(bytes.back()) >= 0 ? 0 : ~uint64_t(0);
    for (size_t i = bytes.size(); i-- > 0;)
      value = value << 8 | uint8_t(bytes[i]);
    push(Kind::Int)->integer = int64_t(value);
    return Error::success();
  }
  case 'G': { // BINFLOAT
    if (!take(8, bytes))
      break;
    push(Kind::Double)->number = bit_cast<double>(support::endian::read64be(bytes.data()));
    return Error::success();
  }
  case 'X': { // BINUNICODE
    StringRef length;
    if (!take(4, length) || !take(support::endian::read32le(length.data()), bytes))
      break;
    push(Kind::String)->text = bytes.str();
    return Error::success();
  }
  case ')':
    push(Kind::Tuple);
    return Error::success();
  case ']':
    push(Kind::List);
    return Error::success();
  case '}':
    push(Kind::Dict);
    return Error::success();
  case '(':
    marks.push_back(stack.size());
    return Error::success();
  case 't':
  case 'l':
  case 'd':
    if (!popMark(values) || (opcode == 'd' && values.size() % 2))
      break;
    push(opcode == 't' ? Kind::Tuple : opcode == 'l' ? Kind::List : Kind::Dict)->items = std::move(values);
    return Error::success();
  case 0x85: // TUPLE1
  case 0x86: // TUPLE2
  case 0x87: // TUPLE3
    return tuple(opcode - 0x84);
  case 'a':
  case 'e': {
    if (opcode == 'a')
      values = {pop()};
    else if (!popMark(values))
      break;
    PickleValue *list = top();
    if (!list || list->kind != Kind::List || is_contained(values, nullptr))
      break;
    list->items.insert(list->items.end(), values.begin(), values.end());
    return Error::success();
  }
  case 's':
  case 'u': {
    if (opcode == 's') {
      PickleValue *value = pop(), *key = pop();
      values = {key, value};
    } else if (!popMark(values)) {
      break;
    }
    PickleValue *dict = top();
    if (!dict || dict->kind != Kind::Dict || values.size() % 2 || is_contained(values, nullptr))
      break;
    dict->items.insert(dict->items.end(), values.begin(), values.end());
    return Error::success();
  }
  case 'q':
    if (!take(1, bytes))
      break;
    return remember(uint8_t(bytes[0]));
  case 'r':
    if (!take(4, bytes))
      break;
    return remember(support::endian::read32le(bytes.data()));
  case 'h':
    if (!take(1, bytes))
      break;
    return recall(uint8_t(bytes[0]));
  case 'j':
    if (!take(4, bytes))
      break;
    return recall(support::endian::read32le(bytes.data()));
  case 'Q': { // BINPERSID
    PickleValue *id = pop();
    if (!id)
      break;
    return persistent(id);
  }
  case 'R':
  case 0x81: { // REDUCE, NEWOBJ
    PickleValue *arguments = pop(), *callable = pop();
    if (!arguments || !callable)
      break;
    if (opcode == 'R')
      return reduce(callable, arguments);
    if (callable->kind != Kind::Global || meaningOf(callable->text) != GlobalMeaning::Class)
      return damaged("it makes an object of what is no class");
    push(Kind::Object)->text = callable->text;
    return Error::success();
  }
  case 'b': { // BUILD
    PickleValue *state = pop(), *object = top();
    if (!state || !object)
      break;
    // The attributes that a state_dict carries on its OrderedDict say nothing about the weights.
    if (object->kind == Kind::Object)
      object->items = {state};
    return Error::success();
  }
  case '.':
    graph.root = pop();
    if (!graph.root)
      break;
    return Error::success();
  default:
    return damaged("the opcode 0x" + utohexstr(opcode, true, 2) + " does not occur in PyTorch's archives");
  }
  return damaged("the opcode 0x" + utohexstr(opcode, true, 2) + " lacks its operands");
}

} // namespace

Expected<PickleGraph> readPickle(StringRef bytes, StringRef shownName, const PickleLimits &limits) {
  return Unpickler(bytes, shownName, limits).run();
}

} // namespace torsh::torch
