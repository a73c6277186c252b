#pragma once
/// \file
/// A light graph between the protobuf and the importer: names resolved to indices, attributes
/// typed, small constants decoded, weights reduced to type and shape. Internal to the ONNX reader.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "ir/network.h"

namespace sluice::io::onnx_import {

using Shape = std::vector<std::int64_t>;

/// TensorProto.DataType; only the ones the importer talks about by name.
enum ElementType : std::int32_t {
  kUndefinedType = 0,
  kFloatType = 1,
  kUint8Type = 2,
  kInt8Type = 3,
  kInt32Type = 6,
  kInt64Type = 7,
  kStringType = 8,
  kBoolType = 9,
  kFloat16Type = 10,
  kDoubleType = 11,
};

/// Bits of one element; 0 for strings and for types we do not know.
int ElementBits(std::int32_t type);
bool IsFloatType(std::int32_t type);

/// A tensor has fewer elements than this, so every extent is below it too.
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;
inline constexpr std::size_t kMaxRank = 32;
/// Constants above this many elements keep their shape only.
inline constexpr std::int64_t kMaxConstantElements = 1 << 16;

/// A small tensor whose elements are known. Booleans and integers are in `ints`, the rest in
/// `floats`.
struct Constant {
  std::int32_t type = kInt64Type;
  Shape shape;
  std::vector<std::int64_t> ints;
  std::vector<double> floats;

  [[nodiscard]] bool is_float() const { return IsFloatType(type); }
  [[nodiscard]] std::size_t size() const { return is_float() ? floats.size() : ints.size(); }
  [[nodiscard]] double AsDouble(std::size_t i) const {
    return is_float() ? floats[i] : static_cast<double>(ints[i]);
  }
  /// Truncates floats; values outside int64 become 0.
  [[nodiscard]] std::int64_t AsInt(std::size_t i) const;
  /// Rounds to the precision of `type`.
  void Append(double value);
  void AppendInt(std::int64_t value);
};

/// One declared extent: a number, a symbol, or neither.
struct DeclaredDim {
  std::int64_t value = -1;
  std::string symbol;
};

/// A tensor of the model. Values are numbered; names are unique.
struct Value {
  std::string name;
  std::int32_t type = kUndefinedType;
  /// Known from the start for inputs and initialisers, then by our shape functions.
  std::optional<Shape> shape;
  /// What the model states (graph inputs, outputs, value_info).
  std::optional<std::vector<DeclaredDim>> declared;
  std::int32_t declared_type = kUndefinedType;
  bool is_input = false;
  bool is_output = false;
  bool is_used = false;  ///< some node reads it or it is a graph output
  /// Known before the network runs: initialisers and what is computed from them only.
  bool is_constant = false;
  std::optional<Constant> data;  ///< of small constants
  int storage = -1;              ///< the value whose bytes this one renames (views)
  ir::TensorId tensor;           ///< once an operator touches it

  /// The shape of a value that has one, as every input of a node does when its turn comes.
  [[nodiscard]] const Shape& known_shape() const {
    SLUICE_CHECK(shape.has_value(), "no shape: " + name);
    return *shape;
  }
};

struct Attribute {
  std::optional<std::int64_t> i;
  std::optional<float> f;
  std::optional<std::string> s;
  std::vector<std::int64_t> ints;
  std::vector<float> floats;
  bool has_ints = false;
  bool has_graph = false;
  std::optional<Constant> tensor;
  /// Shape and type of a tensor attribute too large to keep.
  std::optional<Shape> tensor_shape;
  std::int32_t tensor_type = kUndefinedType;
};

struct Node {
  std::string name;  ///< never empty: the first output's name when the model gives none
  std::string op_type;
  std::string domain;        ///< empty for ai.onnx
  std::size_t position = 0;  ///< in the file
  std::vector<int> inputs;   ///< value index, -1 if left out
  std::vector<int> outputs;
  std::map<std::string, Attribute, std::less<>> attributes;

  [[nodiscard]] const Attribute* Find(std::string_view attribute) const;
  [[nodiscard]] std::int64_t Int(std::string_view attribute, std::int64_t fallback) const;
  [[nodiscard]] double Float(std::string_view attribute, double fallback) const;
  [[nodiscard]] std::string String(std::string_view attribute, const std::string& fallback) const;
  /// The list, or nullopt if the attribute is absent.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> Ints(std::string_view attribute) const;
};

struct Graph {
  std::string name;
  std::int64_t opset = 0;
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<int> inputs;  ///< without initialisers
  std::vector<int> outputs;
};

/// Drops weight payloads and everything the importer does not read from serialised ModelProto
/// bytes, walking the wire format only. Errors: kOnnxMalformed with the byte where the file ends or
/// turns to nonsense, kFileTooLarge beyond the limits on messages and remaining bytes.
Result<std::string> StripModel(std::string_view bytes);

/// Parses stripped bytes. Checks names: duplicates, missing tensors, unsupported attribute kinds.
Result<Graph> ReadGraph(const std::string& stripped);

/// Removes nodes that no graph output needs and puts the rest in topological order (the file's
/// order where possible). Errors: kOnnxCycle.
Status SortNodes(Graph* graph);

}  // namespace sluice::io::onnx_import
