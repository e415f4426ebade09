//===- Model.h - An ONNX model as views into its file -----------*- C++ -*-===//
//
// Plain records, one for each message of the ONNX format. Strings and weights are views into the mapped file,
// lists live in the arena of the ModelFile: a record is valid as long as its ModelFile lives. All records are
// trivially destructible, because the arena frees them without running destructors.
//
//===----------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_READER_MODEL_H
#define TORSH_FRONTENDS_ONNX_READER_MODEL_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace torsh::onnx {

using llvm::ArrayRef;
using llvm::StringRef;

struct Graph;

/// A key with its value: metadata and the description of external data.
struct StringEntry {
  StringRef key, value;
};

struct OpsetImport {
  /// The default domain is the empty string; "ai.onnx" has been normalised to it.
  StringRef domain;
  int64_t version = 0;
};

/// One dimension of a declared shape. Negative values in the file mean an anonymous dimension.
struct Dim {
  enum class Kind : uint8_t { Anonymous, Value, Param };
  Kind kind = Kind::Anonymous;
  int64_t value = 0;
  StringRef param;
};

/// The declared type of a value.
struct Type {
  enum class Kind : uint8_t { None, Tensor, SparseTensor, Sequence, Map, Optional, Opaque };
  Kind kind = Kind::None;
  /// False when the rank is unknown.
  bool hasShape = false;
  /// TensorProto.DataType as stored (see DataType.h); of a map, the type of the key.
  int32_t elemType = 0;
  ArrayRef<Dim> dims;
  /// What a sequence, map or optional holds; may be null in a damaged file.
  const Type *element = nullptr;
};

struct ValueInfo {
  StringRef name;
  /// Null when the file states no type.
  const Type *type = nullptr;
  ArrayRef<StringEntry> metadata;
};

/// A repeated numeric field of a tensor, still encoded: either packed payloads, or runs of tagged values.
struct NumericField {
  struct Chunk {
    StringRef bytes;
    /// Every value is preceded by its tag (the unpacked form).
    bool tagged = false;
  };
  ArrayRef<Chunk> chunks;

  bool empty() const { return chunks.empty(); }
};

struct Tensor {
  StringRef name;
  ArrayRef<int64_t> dims;
  /// TensorProto.DataType as stored; see DataType.h.
  int32_t dataType = 0;
  bool hasRawData = false;
  bool isExternal = false;
  /// A part of a larger tensor (an abandoned feature of the format, refused when read).
  bool isSegment = false;
  /// Little endian and possibly unaligned.
  StringRef rawData;
  NumericField floatData, int32Data, int64Data, doubleData, uint64Data;
  ArrayRef<StringRef> stringData;
  /// location, offset, length, checksum.
  ArrayRef<StringEntry> externalData;
};

struct SparseTensor {
  /// Holds the name of the whole; null in a damaged file, like `indices`.
  const Tensor *values = nullptr;
  const Tensor *indices = nullptr;
  ArrayRef<int64_t> dims;
};

/// An attribute of a node, or the default of an attribute of a function.
struct Attribute {
  enum class Kind : uint8_t {
    Undefined = 0,
    Float = 1,
    Int = 2,
    String = 3,
    Tensor = 4,
    Graph = 5,
    Floats = 6,
    Ints = 7,
    Strings = 8,
    Tensors = 9,
    Graphs = 10,
    SparseTensor = 11,
    SparseTensors = 12,
    Type = 13,
    Types = 14,
  };
  StringRef name;
  /// Inside a function body: the attribute of the function whose value this one takes.
  StringRef refAttrName;
  Kind kind = Kind::Undefined;
  float f = 0;
  int64_t i = 0;
  StringRef s;
  const Tensor *t = nullptr;
  const Graph *g = nullptr;
  const SparseTensor *sparseTensor = nullptr;
  const Type *type = nullptr;
  ArrayRef<float> floats;
  ArrayRef<int64_t> ints;
  ArrayRef<StringRef> strings;
  ArrayRef<Tensor> tensors;
  ArrayRef<const Graph *> graphs;
  ArrayRef<SparseTensor> sparseTensors;
  ArrayRef<const Type *> types;
};

struct Node {
  StringRef name, opType;
  /// The default domain is the empty string.
  StringRef domain;
  /// Chooses among model-local functions of one name.
  StringRef overload;
  /// Older exporters keep the source location here.
  StringRef docString;
  /// An empty name is an absent optional value.
  ArrayRef<StringRef> inputs, outputs;
  ArrayRef<Attribute> attributes;
  ArrayRef<StringEntry> metadata;

  /// The attribute of that name, or null.
  const Attribute *attribute(StringRef wanted) const {
    for (const Attribute &candidate : attributes)
      if (candidate.name == wanted)
        return &candidate;
    return nullptr;
  }
};

struct Graph {
  StringRef name;
  ArrayRef<Node> nodes;
  ArrayRef<ValueInfo> inputs, outputs, valueInfo;
  ArrayRef<Tensor> initializers;
  ArrayRef<SparseTensor> sparseInitializers;
  ArrayRef<StringEntry> metadata;
};

/// A model-local function, identified by domain, name and overload.
struct Function {
  StringRef name, domain, overload;
  ArrayRef<StringRef> inputs, outputs;
  /// Attributes without a default.
  ArrayRef<StringRef> attributeNames;
  /// Attributes with their defaults.
  ArrayRef<Attribute> attributeDefaults;
  ArrayRef<Node> nodes;
  ArrayRef<OpsetImport> opsetImports;
  ArrayRef<ValueInfo> valueInfo;
  ArrayRef<StringEntry> metadata;
};

struct Model {
  int64_t irVersion = 0;
  StringRef producerName, producerVersion, domain;
  int64_t modelVersion = 0;
  ArrayRef<OpsetImport> opsetImports;
  Graph graph;
  ArrayRef<Function> functions;
  ArrayRef<StringEntry> metadata;
  /// The file carries training graphs, which inference ignores.
  bool hasTrainingInfo = false;
};

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_READER_MODEL_H
