//===- MessageParser.h - ONNX messages from wire fields ---------*- C++ -*-===//
#ifndef TORSH_FRONTENDS_ONNX_READER_MESSAGEPARSER_H
#define TORSH_FRONTENDS_ONNX_READER_MESSAGEPARSER_H

#include "frontends/onnx/reader/Model.h"
#include "frontends/onnx/reader/Wire.h"
#include "llvm/Support/Allocator.h"
#include <type_traits>

namespace torsh::onnx {

/// Fills the records of Model.h, one function a message. Errors stay in the WireState.
///
/// Each function is the field-number table of its message; fields that it does not list are skipped, so that
/// newer files with additions we have no use for still load.
class MessageParser {
public:
  MessageParser(WireState &state, llvm::BumpPtrAllocator &arena) : state(state), arena(arena) {}

  void parseModel(StringRef bytes, Model &model);
  void parseTensor(StringRef bytes, Tensor &tensor);

private:
  template <typename T> using List = llvm::SmallVector<T, 0>;

  // Graph level (ParseGraph.cpp).
  void parseGraph(StringRef bytes, Graph &graph);
  void parseNode(StringRef bytes, Node &node);
  void parseAttribute(StringRef bytes, Attribute &attribute);
  void parseFunction(StringRef bytes, Function &function);
  void parseOpsetImport(StringRef bytes, OpsetImport &import);

  // Value level (ParseValue.cpp).
  void parseSparseTensor(StringRef bytes, SparseTensor &tensor);
  void parseValueInfo(StringRef bytes, ValueInfo &info);
  void parseType(StringRef bytes, Type &type);
  void parseTensorType(StringRef bytes, Type &type);
  void parseShape(StringRef bytes, Type &type);
  void parseDim(StringRef bytes, Dim &dim);
  void parseStringEntry(StringRef bytes, StringEntry &entry);
  void parseElementType(StringRef bytes, Type &type, uint32_t elementField);
  void addChunk(const Field &field, WireType elementType, List<NumericField::Chunk> &chunks);

  /// Appends a record and parses the payload of `field` into it.
  template <typename T>
  void add(List<T> &list, WireCursor &cursor, const Field &field,
           void (MessageParser::*parse)(StringRef, T &)) {
    StringRef bytes = cursor.bytes(field);
    if (state.failed() || !state.charge(sizeof(T), field.whole.begin()))
      return;
    T item;
    (this->*parse)(bytes, item);
    list.push_back(item);
  }

  /// Like add, for records that others refer to by pointer.
  template <typename T>
  const T *make(WireCursor &cursor, const Field &field, void (MessageParser::*parse)(StringRef, T &)) {
    StringRef bytes = cursor.bytes(field);
    if (state.failed() || !state.charge(sizeof(T), field.whole.begin()))
      return nullptr;
    static_assert(std::is_trivially_destructible_v<T>, "the arena runs no destructors");
    auto *item = new (arena.Allocate<T>()) T();
    (this->*parse)(bytes, *item);
    return item;
  }

  /// Like make, for a message that may occur once. Protobuf would merge two occurrences; no exporter writes
  /// that, and readers that disagree about the merge see different models.
  template <typename T>
  void makeOnce(const T *&slot, WireCursor &cursor, const Field &field,
                void (MessageParser::*parse)(StringRef, T &)) {
    if (slot)
      state.fail(Code::RepeatedMessage, field.whole.begin(),
                 "field " + llvm::Twine(field.number) + " occurs twice where ONNX has it once");
    else
      slot = make(cursor, field, parse);
  }

  void addString(List<StringRef> &list, WireCursor &cursor, const Field &field) {
    StringRef bytes = cursor.bytes(field);
    if (!state.failed() && state.charge(sizeof(StringRef), field.whole.begin()))
      list.push_back(bytes);
  }

  /// Moves a list into the arena.
  template <typename T> ArrayRef<T> keep(const List<T> &list) {
    static_assert(std::is_trivially_destructible_v<T>, "the arena runs no destructors");
    if (list.empty())
      return {};
    T *storage = arena.Allocate<T>(list.size());
    std::uninitialized_copy(list.begin(), list.end(), storage);
    return ArrayRef<T>(storage, list.size());
  }

  WireState &state;
  llvm::BumpPtrAllocator &arena;
};

/// The default domain has two spellings; the empty one is kept.
inline StringRef normalDomain(StringRef domain) { return domain == "ai.onnx" ? StringRef() : domain; }

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_READER_MESSAGEPARSER_H
