//===- ParseGraph.cpp - Models, graphs, nodes and attributes --------------===//
#include "frontends/onnx/reader/MessageParser.h"

namespace torsh::onnx {

void MessageParser::parseModel(StringRef bytes, Model &model) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  List<OpsetImport> imports;
  List<Function> functions;
  List<StringEntry> metadata;
  bool hasGraph = false;
  Field field;
  while (cursor.next(field)) {
    switch (field.number) {
    case 1:
      model.irVersion = int64_t(cursor.varint(field));
      break;
    case 2:
      model.producerName = cursor.bytes(field);
      break;
    case 3:
      model.producerVersion = cursor.bytes(field);
      break;
    case 4:
      model.domain = cursor.bytes(field);
      break;
    case 5:
      model.modelVersion = int64_t(cursor.varint(field));
      break;
    case 7:
      if (hasGraph)
        state.fail(Code::RepeatedMessage, field.whole.begin(), "the model holds two graphs");
      hasGraph = true;
      parseGraph(cursor.bytes(field), model.graph);
      break;
    case 8:
      add(imports, cursor, field, &MessageParser::parseOpsetImport);
      break;
    case 14:
      add(metadata, cursor, field, &MessageParser::parseStringEntry);
      break;
    case 20:
      model.hasTrainingInfo = true;
      break;
    case 25:
      add(functions, cursor, field, &MessageParser::parseFunction);
      break;
    default:
      break;
    }
  }
  if (!hasGraph)
    state.fail(Code::NotAModel, bytes.begin(), "the file is a protobuf but no ONNX model: it has no graph");
  // Before IR version 3 files had no opset imports and meant version 1.
  if (imports.empty() && model.irVersion < 3) {
    imports.emplace_back();
    imports.back().version = 1;
  }
  model.opsetImports = keep(imports);
  model.functions = keep(functions);
  model.metadata = keep(metadata);
}

void MessageParser::parseOpsetImport(StringRef bytes, OpsetImport &import) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  Field field;
  while (cursor.next(field)) {
    if (field.number == 1)
      import.domain = normalDomain(cursor.bytes(field));
    else if (field.number == 2)
      import.version = int64_t(cursor.varint(field));
  }
}

void MessageParser::parseGraph(StringRef bytes, Graph &graph) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  List<Node> nodes;
  List<ValueInfo> inputs, outputs, valueInfo;
  List<Tensor> initializers;
  List<SparseTensor> sparseInitializers;
  List<StringEntry> metadata;
  Field field;
  while (cursor.next(field)) {
    switch (field.number) {
    case 1:
      add(nodes, cursor, field, &MessageParser::parseNode);
      break;
    case 2:
      graph.name = cursor.bytes(field);
      break;
    case 5:
      add(initializers, cursor, field, &MessageParser::parseTensor);
      break;
    case 11:
      add(inputs, cursor, field, &MessageParser::parseValueInfo);
      break;
    case 12:
      add(outputs, cursor, field, &MessageParser::parseValueInfo);
      break;
    case 13:
      add(valueInfo, cursor, field, &MessageParser::parseValueInfo);
      break;
    case 15:
      add(sparseInitializers, cursor, field, &MessageParser::parseSparseTensor);
      break;
    case 16:
      add(metadata, cursor, field, &MessageParser::parseStringEntry);
      break;
    default:
      break;
    }
  }
  graph.nodes = keep(nodes);
  graph.inputs = keep(inputs);
  graph.outputs = keep(outputs);
  graph.valueInfo = keep(valueInfo);
  graph.initializers = keep(initializers);
  graph.sparseInitializers = keep(sparseInitializers);
  graph.metadata = keep(metadata);
}

void MessageParser::parseNode(StringRef bytes, Node &node) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  List<StringRef> inputs, outputs;
  List<Attribute> attributes;
  List<StringEntry> metadata;
  Field field;
  while (cursor.next(field)) {
    switch (field.number) {
    case 1:
      addString(inputs, cursor, field);
      break;
    case 2:
      addString(outputs, cursor, field);
      break;
    case 3:
      node.name = cursor.bytes(field);
      break;
    case 4:
      node.opType = cursor.bytes(field);
      break;
    case 5:
      add(attributes, cursor, field, &MessageParser::parseAttribute);
      break;
    case 6:
      node.docString = cursor.bytes(field);
      break;
    case 7:
      node.domain = normalDomain(cursor.bytes(field));
      break;
    case 8:
      node.overload = cursor.bytes(field);
      break;
    case 9:
      add(metadata, cursor, field, &MessageParser::parseStringEntry);
      break;
    default:
      break;
    }
  }
  node.inputs = keep(inputs);
  node.outputs = keep(outputs);
  node.attributes = keep(attributes);
  node.metadata = keep(metadata);
}

/// Files of IR version 1 leave the kind out; then the field that is present tells it.
static Attribute::Kind kindOfContents(const Attribute &attribute, bool hasFloat, bool hasInt,
                                      bool hasString) {
  using Kind = Attribute::Kind;
  if (hasFloat)
    return Kind::Float;
  if (hasInt)
    return Kind::Int;
  if (hasString)
    return Kind::String;
  if (attribute.t)
    return Kind::Tensor;
  if (attribute.g)
    return Kind::Graph;
  if (!attribute.floats.empty())
    return Kind::Floats;
  if (!attribute.ints.empty())
    return Kind::Ints;
  if (!attribute.strings.empty())
    return Kind::Strings;
  if (!attribute.tensors.empty())
    return Kind::Tensors;
  if (!attribute.graphs.empty())
    return Kind::Graphs;
  return Kind::Undefined;
}

void MessageParser::parseAttribute(StringRef bytes, Attribute &attribute) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  List<float> floats;
  List<int64_t> ints;
  List<StringRef> strings;
  List<Tensor> tensors;
  List<const Graph *> graphs;
  List<SparseTensor> sparseTensors;
  List<const Type *> types;
  bool hasFloat = false, hasInt = false, hasString = false;
  Field field;
  while (cursor.next(field)) {
    switch (field.number) {
    case 1:
      attribute.name = cursor.bytes(field);
      break;
    case 2:
      attribute.f = cursor.fixedFloat(field);
      hasFloat = true;
      break;
    case 3:
      attribute.i = int64_t(cursor.varint(field));
      hasInt = true;
      break;
    case 4:
      attribute.s = cursor.bytes(field);
      hasString = true;
      break;
    case 5:
      makeOnce(attribute.t, cursor, field, &MessageParser::parseTensor);
      break;
    case 6:
      makeOnce(attribute.g, cursor, field, &MessageParser::parseGraph);
      break;
    case 7:
      cursor.appendFloats(field, floats);
      break;
    case 8:
      cursor.appendVarints(field, ints);
      break;
    case 9:
      addString(strings, cursor, field);
      break;
    case 10:
      add(tensors, cursor, field, &MessageParser::parseTensor);
      break;
    case 11:
      if (const Graph *graph = make(cursor, field, &MessageParser::parseGraph))
        graphs.push_back(graph);
      break;
    case 14:
      makeOnce(attribute.type, cursor, field, &MessageParser::parseType);
      break;
    case 15:
      if (const Type *type = make(cursor, field, &MessageParser::parseType))
        types.push_back(type);
      break;
    case 20: {
      uint64_t kind = cursor.varint(field);
      if (kind > uint64_t(Attribute::Kind::Types))
        state.fail(Code::Malformed, field.whole.begin(),
                   "attribute " + quoted(attribute.name) + " is of unknown kind " + llvm::Twine(kind));
      else
        attribute.kind = Attribute::Kind(kind);
      break;
    }
    case 21:
      attribute.refAttrName = cursor.bytes(field);
      break;
    case 22:
      makeOnce(attribute.sparseTensor, cursor, field, &MessageParser::parseSparseTensor);
      break;
    case 23:
      add(sparseTensors, cursor, field, &MessageParser::parseSparseTensor);
      break;
    default:
      break;
    }
  }
  attribute.floats = keep(floats);
  attribute.ints = keep(ints);
  attribute.strings = keep(strings);
  attribute.tensors = keep(tensors);
  attribute.graphs = keep(graphs);
  attribute.sparseTensors = keep(sparseTensors);
  attribute.types = keep(types);
  if (attribute.kind == Attribute::Kind::Undefined)
    attribute.kind = kindOfContents(attribute, hasFloat, hasInt, hasString);
}

void MessageParser::parseFunction(StringRef bytes, Function &function) {
  DepthScope depth(state, bytes.begin());
  WireCursor cursor(state, bytes);
  List<StringRef> inputs, outputs, attributeNames;
  List<Attribute> attributeDefaults;
  List<Node> nodes;
  List<OpsetImport> imports;
  List<ValueInfo> valueInfo;
  List<StringEntry> metadata;
  Field field;
  while (cursor.next(field)) {
    switch (field.number) {
    case 1:
      function.name = cursor.bytes(field);
      break;
    case 4:
      addString(inputs, cursor, field);
      break;
    case 5:
      addString(outputs, cursor, field);
      break;
    case 6:
      addString(attributeNames, cursor, field);
      break;
    case 7:
      add(nodes, cursor, field, &MessageParser::parseNode);
      break;
    case 9:
      add(imports, cursor, field, &MessageParser::parseOpsetImport);
      break;
    case 10:
      function.domain = normalDomain(cursor.bytes(field));
      break;
    case 11:
      add(attributeDefaults, cursor, field, &MessageParser::parseAttribute);
      break;
    case 12:
      add(valueInfo, cursor, field, &MessageParser::parseValueInfo);
      break;
    case 13:
      function.overload = cursor.bytes(field);
      break;
    case 14:
      add(metadata, cursor, field, &MessageParser::parseStringEntry);
      break;
    default:
      break;
    }
  }
  function.inputs = keep(inputs);
  function.outputs = keep(outputs);
  function.attributeNames = keep(attributeNames);
  function.attributeDefaults = keep(attributeDefaults);
  function.nodes = keep(nodes);
  function.opsetImports = keep(imports);
  function.valueInfo = keep(valueInfo);
  function.metadata = keep(metadata);
}

} // namespace torsh::onnx
