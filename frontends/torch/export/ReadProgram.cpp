//===-- ReadProgram.cpp - The JSON of torch.export -> structs -----------------------------------------------===//
//
// One fromJSON an object of the schema, in the manner of llvm/Support/JSON.h: each notes the place of the first field that
// is missing or of another type.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/torch/export/Program.h"
#include "frontends/torch/reader/ReaderError.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/JSON.h"
#include <limits>

using namespace llvm;

namespace torsh::torch {

/// The version of the schema whose rules are known; minor versions only add.
static constexpr int64_t knownMajor = 8;
/// Brackets within brackets; real files have some tens.
static constexpr unsigned maxDepth = 256;

std::optional<ScalarType> fromSchemaType(int64_t number) {
  static constexpr ScalarType types[] = {ScalarType::U8,  ScalarType::I8,  ScalarType::I16,  ScalarType::I32,
                                         ScalarType::I64, ScalarType::F16, ScalarType::F32,  ScalarType::F64,
                                         ScalarType::C32, ScalarType::C64, ScalarType::C128, ScalarType::Bool,
                                         ScalarType::BF16};
  if (number >= 1 && number <= int64_t(std::size(types)))
    return types[number - 1];
  if (number == 29)
    return ScalarType::F8E4M3;
  if (number == 30)
    return ScalarType::F8E5M2;
  return std::nullopt;
}

bool isNestedTooDeep(StringRef text) {
  unsigned depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inString) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        inString = false;
    } else if (c == '"') {
      inString = true;
    } else if (c == '[' || c == '{') {
      if (++depth > maxDepth)
        return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

/// The one key of a union, whose other keys are absent or null. Null after a report.
static const json::Object::value_type *onlyKey(const json::Value &value, json::Path path) {
  const json::Object *object = value.getAsObject();
  const json::Object::value_type *found = nullptr;
  if (object)
    for (const json::Object::value_type &entry : *object)
      if (entry.second.kind() != json::Value::Null) {
        if (found) {
          path.report("expected an object with one key");
          return nullptr;
        }
        found = &entry;
      }
  if (!found)
    path.report("expected an object with one key");
  return found;
}

static bool fromJSON(const json::Value &value, SizeExpression &into, json::Path path) {
  const json::Object::value_type *entry = onlyKey(value, path);
  if (!entry)
    return false;
  json::Path below = path.field(entry->first);
  if (entry->first == "as_int")
    return json::fromJSON(entry->second, into.value, below);
  if (entry->first != "as_expr") {
    path.report("expected a size (as_int or as_expr)");
    return false;
  }
  std::string text;
  json::ObjectMapper fields(entry->second, below);
  if (!fields || !fields.map("expr_str", text))
    return false;
  Expected<SizeExpression> parsed = parseSizeExpression(text);
  if (!parsed) {
    consumeError(parsed.takeError());
    below.field("expr_str").report("expected an expression of sizes that is known here");
    return false;
  }
  into = std::move(*parsed);
  return true;
}

static bool fromJSON(const json::Value &value, TensorMeta &into, json::Path path) {
  json::ObjectMapper fields(value, path);
  return fields && fields.map("dtype", into.dtype) && fields.map("sizes", into.sizes) &&
         fields.map("strides", into.strides) && fields.map("storage_offset", into.storageOffset);
}

Expected<TensorMeta> readTensorMeta(const json::Value &value, StringRef name) {
  json::Path::Root root(name);
  TensorMeta result;
  if (!fromJSON(value, result, json::Path(root)))
    return root.getError();
  return result;
}

/// A number; infinities and NaN are texts, as JSON has no others.
static bool readFloat(const json::Value &value, double &into, json::Path path) {
  if (std::optional<StringRef> text = value.getAsString()) {
    std::optional<double> special = StringSwitch<std::optional<double>>(*text)
                                        .Case("Infinity", std::numeric_limits<double>::infinity())
                                        .Case("-Infinity", -std::numeric_limits<double>::infinity())
                                        .Case("NaN", std::numeric_limits<double>::quiet_NaN())
                                        .Default(std::nullopt);
    if (special) {
      into = *special;
      return true;
    }
  }
  return json::fromJSON(value, into, path);
}

static bool fromJSON(const json::Value &value, ExportedGraph &into, json::Path path);
static bool fromJSON(const json::Value &value, Argument &into, json::Path path);

/// An object with the field `name`, which is the name of a value of the graph.
static bool readName(const json::Value &value, Argument &into, json::Path path) {
  into.kind = Argument::Kind::Name;
  json::ObjectMapper fields(value, path);
  return fields && fields.map("name", into.text);
}

/// A list whose items `read` reads.
template <typename Read>
static bool readList(const json::Value &value, Argument &into, json::Path path, Read read) {
  into.kind = Argument::Kind::List;
  const json::Array *array = value.getAsArray();
  if (!array) {
    path.report("expected array");
    return false;
  }
  into.items.resize(array->size());
  for (size_t i = 0; i < array->size(); ++i)
    if (!read((*array)[i], into.items[i], path.index(i)))
      return false;
  return true;
}

static bool readInt(const json::Value &value, Argument &into, json::Path path) {
  into.kind = Argument::Kind::Int;
  return json::fromJSON(value, into.integer, path);
}

static bool readNumber(const json::Value &value, Argument &into, json::Path path) {
  into.kind = Argument::Kind::Float;
  return readFloat(value, into.number, path);
}

static bool readBool(const json::Value &value, Argument &into, json::Path path) {
  into.kind = Argument::Kind::Bool;
  bool flag = false;
  if (!json::fromJSON(value, flag, path))
    return false;
  into.integer = flag;
  return true;
}

static bool readString(const json::Value &value, Argument &into, json::Path path) {
  into.kind = Argument::Kind::String;
  return json::fromJSON(value, into.text, path);
}

/// SymIntArgument and its like: as_name, or a plain number.
static bool readSymbolic(const json::Value &value, Argument &into, json::Path path) {
  const json::Object::value_type *entry = onlyKey(value, path);
  if (!entry)
    return false;
  json::Path below = path.field(entry->first);
  if (entry->first == "as_name") {
    into.kind = Argument::Kind::Name;
    return json::fromJSON(entry->second, into.text, below);
  }
  if (entry->first == "as_int")
    return readInt(entry->second, into, below);
  if (entry->first == "as_float")
    return readNumber(entry->second, into, below);
  if (entry->first == "as_bool")
    return readBool(entry->second, into, below);
  path.report("expected as_name or a number");
  return false;
}

static bool readOptionalTensor(const json::Value &value, Argument &into, json::Path path) {
  const json::Object::value_type *entry = onlyKey(value, path);
  if (!entry)
    return false;
  if (entry->first == "as_none")
    return true;
  if (entry->first == "as_tensor")
    return readName(entry->second, into, path.field(entry->first));
  path.report("expected as_tensor or as_none");
  return false;
}

static bool readDevice(const json::Value &value, Argument &into, json::Path path) {
  into.kind = Argument::Kind::Device;
  json::ObjectMapper fields(value, path);
  return fields && fields.map("type", into.text);
}

static bool readGraph(const json::Value &value, Argument &into, json::Path path) {
  into.kind = Argument::Kind::Graph;
  into.graph = std::make_shared<ExportedGraph>();
  json::ObjectMapper fields(value, path);
  return fields && fields.map("name", into.text) && fields.map("graph", *into.graph);
}

static bool fromJSON(const json::Value &value, Argument &into, json::Path path) {
  const json::Object::value_type *entry = onlyKey(value, path);
  if (!entry)
    return false;
  StringRef key = entry->first;
  const json::Value &inner = entry->second;
  json::Path below = path.field(key);
  auto numbered = [&](Argument::Kind kind) {
    into.kind = kind;
    return json::fromJSON(inner, into.integer, below);
  };
  if (key == "as_none")
    return true;
  if (key == "as_tensor" || key == "as_custom_obj")
    return readName(inner, into, below);
  if (key == "as_tensors")
    return readList(inner, into, below, readName);
  if (key == "as_nested_tensors")
    return readList(inner, into, below, [](const json::Value &one, Argument &item, json::Path at) {
      return readList(one, item, at, readName);
    });
  if (key == "as_optional_tensor")
    return readOptionalTensor(inner, into, below);
  if (key == "as_optional_tensors")
    return readList(inner, into, below, readOptionalTensor);
  if (key == "as_int")
    return readInt(inner, into, below);
  if (key == "as_ints")
    return readList(inner, into, below, readInt);
  if (key == "as_int_lists")
    return readList(inner, into, below, [](const json::Value &one, Argument &item, json::Path at) {
      return readList(one, item, at, readInt);
    });
  if (key == "as_float")
    return readNumber(inner, into, below);
  if (key == "as_floats")
    return readList(inner, into, below, readNumber);
  if (key == "as_string")
    return readString(inner, into, below);
  if (key == "as_strings")
    return readList(inner, into, below, readString);
  if (key == "as_bool")
    return readBool(inner, into, below);
  if (key == "as_bools")
    return readList(inner, into, below, readBool);
  if (key == "as_sym_int" || key == "as_sym_float" || key == "as_sym_bool")
    return readSymbolic(inner, into, below);
  if (key == "as_sym_ints" || key == "as_sym_floats" || key == "as_sym_bools")
    return readList(inner, into, below, readSymbolic);
  if (key == "as_scalar_type")
    return numbered(Argument::Kind::ScalarType);
  if (key == "as_memory_format")
    return numbered(Argument::Kind::MemoryFormat);
  if (key == "as_layout")
    return numbered(Argument::Kind::Layout);
  if (key == "as_device")
    return readDevice(inner, into, below);
  if (key == "as_operator") {
    into.kind = Argument::Kind::Operator;
    return json::fromJSON(inner, into.text, below);
  }
  if (key == "as_graph")
    return readGraph(inner, into, below);
  // Complex numbers, and what later versions add: the node that uses it is refused by its name.
  into.kind = Argument::Kind::Unsupported;
  into.text = key.str();
  return true;
}

static bool fromJSON(const json::Value &value, NamedArgument &into, json::Path path) {
  constexpr int64_t keyword = 2;
  std::optional<int64_t> kind;
  json::ObjectMapper fields(value, path);
  if (!fields || !fields.map("name", into.name) || !fields.map("arg", into.value) ||
      !fields.map("kind", kind))
    return false;
  // Versions that do not tell name every argument as the operator's schema does.
  into.isKeyword = !kind || *kind == keyword;
  return true;
}

/// The path of the innermost module in "key,path,type;key,path,type".
static std::string innermostModule(StringRef stack) {
  StringRef entry = stack.rsplit(';').second.empty() ? stack : stack.rsplit(';').second;
  StringRef path = entry.split(',').second.split(',').first;
  return path.starts_with("_empty_nn_module_stack") ? std::string() : path.str();
}

static bool fromJSON(const json::Value &value, ExportedNode &into, json::Path path) {
  std::map<std::string, std::string> metadata;
  json::ObjectMapper fields(value, path);
  if (!fields || !fields.map("target", into.target) || !fields.map("inputs", into.inputs) ||
      !fields.map("outputs", into.outputs) || !fields.map("metadata", metadata))
    return false;
  into.module = innermostModule(metadata["nn_module_stack"]);
  return true;
}

static bool fromJSON(const json::Value &value, ExportedGraph &into, json::Path path) {
  json::ObjectMapper fields(value, path);
  return fields && fields.map("inputs", into.inputs) && fields.map("outputs", into.outputs) &&
         fields.map("nodes", into.nodes) && fields.map("tensor_values", into.tensors);
}

static bool fromJSON(const json::Value &value, InputSpecification &into, json::Path path) {
  using Kind = InputSpecification::Kind;
  const json::Object::value_type *entry = onlyKey(value, path);
  if (!entry)
    return false;
  StringRef key = entry->first;
  json::Path below = path.field(key);
  json::ObjectMapper fields(entry->second, below);
  if (!fields)
    return false;
  const json::Object &object = *entry->second.getAsObject();
  auto stored = [&](Kind kind, StringLiteral name) {
    into.kind = kind;
    const json::Value *argument = object.get("arg");
    if (!argument) {
      below.field("arg").report("missing value");
      return false;
    }
    return readName(*argument, into.argument, below.field("arg")) && fields.map(name, into.name);
  };
  if (key == "user_input")
    return fields.map("arg", into.argument);
  if (key == "parameter")
    return stored(Kind::Parameter, "parameter_name");
  if (key == "buffer")
    return stored(Kind::Buffer, "buffer_name");
  if (key == "tensor_constant")
    return stored(Kind::Constant, "tensor_constant_name");
  if (key == "custom_obj")
    return stored(Kind::Object, "custom_obj_name");
  if (key == "constant_input") {
    into.kind = Kind::ConstantInput;
    return fields.map("name", into.name) && fields.map("value", into.argument);
  }
  if (key == "token") {
    into.kind = Kind::Token;
    return true;
  }
  path.report("expected a kind of input that is known here");
  return false;
}

static bool fromJSON(const json::Value &value, OutputSpecification &into, json::Path path) {
  using Kind = OutputSpecification::Kind;
  const json::Object::value_type *entry = onlyKey(value, path);
  if (!entry)
    return false;
  StringRef key = entry->first;
  json::Path below = path.field(key);
  json::ObjectMapper fields(entry->second, below);
  if (!fields)
    return false;
  const json::Object &object = *entry->second.getAsObject();
  auto tensor = [&](Kind kind) {
    into.kind = kind;
    const json::Value *argument = object.get("arg");
    if (!argument) {
      below.field("arg").report("missing value");
      return false;
    }
    return readName(*argument, into.argument, below.field("arg"));
  };
  if (key == "user_output")
    return fields.map("arg", into.argument);
  if (key == "loss_output")
    return tensor(Kind::Loss);
  if (key == "buffer_mutation" || key == "parameter_mutation")
    return tensor(Kind::BufferMutation) &&
           (key == "buffer_mutation" ? fields.map("buffer_name", into.name)
                                     : fields.map("parameter_name", into.name));
  if (key == "user_input_mutation")
    return tensor(Kind::InputMutation) && fields.map("user_input_name", into.name);
  if (key == "gradient_to_parameter" || key == "gradient_to_user_input")
    return tensor(Kind::Gradient);
  if (key == "token") {
    into.kind = Kind::Token;
    return true;
  }
  path.report("expected a kind of output that is known here");
  return false;
}

static bool fromJSON(const json::Value &value, SizeRange &into, json::Path path) {
  json::ObjectMapper fields(value, path);
  return fields && fields.map("min_val", into.least) && fields.map("max_val", into.most);
}

//===-- Names of outputs -------------------------------------------------------------------------------------===//

/// The leaves of a tree of containers, as the version 1 of its text has them: keys of dicts and fields of structs, and
/// numbers of other items. False for a form that is not known, which only costs the names.
static bool collectLeaves(const json::Value &tree, const std::string &name,
                          std::vector<std::string> &leaves) {
  const json::Object *object = tree.getAsObject();
  const json::Array *children = object ? object->getArray("children_spec") : nullptr;
  if (!children)
    return false;
  const json::Value *type = object->get("type");
  if (!type || type->kind() == json::Value::Null) {
    leaves.push_back(name);
    return true;
  }
  std::vector<std::string> keys;
  // The context of other containers is no list of texts.
  if (std::optional<StringRef> context = object->getString("context")) {
    Expected<json::Value> parsed = json::parse(*context);
    if (!parsed)
      consumeError(parsed.takeError());
    else if (const json::Array *array = parsed->getAsArray())
      for (const json::Value &key : *array)
        if (std::optional<StringRef> text = key.getAsString())
          keys.push_back(text->str());
  }
  bool isRoot = name == "output";
  for (size_t i = 0; i < children->size(); ++i) {
    std::string own = keys.size() == children->size() ? keys[i] : std::to_string(i);
    std::string below = isRoot && keys.size() == children->size() ? own : name + "_" + own;
    if (!collectLeaves((*children)[i], below, leaves))
      return false;
  }
  return true;
}

static std::vector<std::string> readOutputNames(const json::Object &module) {
  std::vector<std::string> leaves;
  const json::Array *calls = module.getArray("module_call_graph");
  const json::Object *root = calls && !calls->empty() ? calls->front().getAsObject() : nullptr;
  const json::Object *signature = root ? root->getObject("signature") : nullptr;
  std::optional<StringRef> text = signature ? signature->getString("out_spec") : std::nullopt;
  if (!text || isNestedTooDeep(*text))
    return {};
  Expected<json::Value> parsed = json::parse(*text);
  if (!parsed) {
    consumeError(parsed.takeError());
    return {};
  }
  const json::Array *versioned = parsed->getAsArray();
  if (!versioned || versioned->size() != 2 || !collectLeaves((*versioned)[1], "output", leaves))
    return {};
  return leaves;
}

//===-- The program ------------------------------------------------------------------------------------------===//

static bool fromJSON(const json::Value &value, ExportedProgram &into, json::Path path) {
  json::ObjectMapper fields(value, path);
  if (!fields)
    return false;
  const json::Value *module = value.getAsObject()->get("graph_module");
  json::Path below = path.field("graph_module");
  if (!module) {
    below.report("missing value");
    return false;
  }
  json::ObjectMapper parts(*module, below);
  if (!parts || !parts.map("graph", into.graph) || !fields.map("range_constraints", into.ranges))
    return false;
  const json::Value *signature = module->getAsObject()->get("signature");
  json::Path at = below.field("signature");
  if (!signature) {
    at.report("missing value");
    return false;
  }
  json::ObjectMapper specs(*signature, at);
  if (!specs || !specs.map("input_specs", into.inputs) || !specs.map("output_specs", into.outputs))
    return false;
  into.outputNames = readOutputNames(*module->getAsObject());
  return true;
}

Expected<ExportedProgram> readProgram(StringRef json, StringRef shownName) {
  auto wrong = [&](const Twine &what) {
    return readerError(Code::BadProgram, "the program " + quoted(shownName) +
                                             " is damaged or of another version: " + what +
                                             "; export and save the model again");
  };
  if (isNestedTooDeep(json))
    return readerError(Code::ProgramTooDeep, "the program " + quoted(shownName) + " is nested deeper than " +
                                                 Twine(maxDepth) + " levels, as no model is");
  Expected<json::Value> value = json::parse(json);
  if (!value)
    return wrong(toString(value.takeError()));
  const json::Object *object = value->getAsObject();
  const json::Object *version = object ? object->getObject("schema_version") : nullptr;
  std::optional<int64_t> major = version ? version->getInteger("major") : std::nullopt;
  if (!major)
    return wrong("expected integer at schema_version.major");
  if (*major != knownMajor)
    return readerError(Code::ProgramVersion, "the program " + quoted(shownName) + " has version " +
                                                 Twine(*major) + " of the schema, and version " +
                                                 Twine(knownMajor) +
                                                 " is known; export the model with PyTorch 2.6 or later");
  ExportedProgram program;
  json::Path::Root root("program");
  if (!fromJSON(*value, program, json::Path(root)))
    return wrong(toString(root.getError()));
  return program;
}

} // namespace torsh::torch
