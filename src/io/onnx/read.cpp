/// \file
/// Protobuf to light graph: the only file of the library that includes onnx.pb.h. Everything a name
/// can get wrong is settled here: duplicates, tensors that nothing makes, cycles.
/// Tested by tests/unit/onnx_errors_test.cpp.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include "base/checked.h"
#include "base/diagnostic.h"
#include "io/onnx/graph.h"

namespace sluice::io::onnx_import {

namespace {

/// Nested messages protobuf may open; the strip pass has limited them already.
constexpr int kRecursionLimit = 100;

Diagnostic Malformed(const std::string& what) {
  return Diagnostic(ErrorCode::kOnnxMalformed, what);
}

/// Raw little-endian payload as numbers of type T.
template <class T>
std::vector<T> Raw(const std::string& bytes) {
  std::vector<T> numbers(bytes.size() / sizeof(T));
  if (!numbers.empty()) {
    std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(T));
  }
  return numbers;
}

double HalfToDouble(std::uint16_t half) {
  const int exponent = (half >> 10U) & 0x1F;
  const int fraction = half & 0x3FF;
  double value = 0;
  if (exponent == 0) {
    value = std::ldexp(fraction, -24);
  } else if (exponent == 31) {
    value = fraction == 0 ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
  } else {
    value = std::ldexp(fraction + 1024, exponent - 25);
  }
  return (half & 0x8000U) != 0 ? -value : value;
}

/// Numbers of a tensor whose type is of their kind: whole numbers never come from real ones.
template <class T>
void AppendAll(const T& numbers, Constant* constant) {
  auto& to = [&]() -> auto& {
    if constexpr (std::is_floating_point_v<typename T::value_type>) {
      return constant->floats;
    } else {
      return constant->ints;
    }
  }();
  to.insert(to.end(), numbers.begin(), numbers.end());
}

template <class T>
void AppendHalves(const T& halves, Constant* constant) {
  for (const auto half : halves) {
    constant->floats.push_back(HalfToDouble(static_cast<std::uint16_t>(half)));
  }
}

void DecodeRaw(const std::string& raw, Constant* constant) {
  switch (constant->type) {
    case kFloatType:
      return AppendAll(Raw<float>(raw), constant);
    case kDoubleType:
      return AppendAll(Raw<double>(raw), constant);
    case kFloat16Type:
      return AppendHalves(Raw<std::uint16_t>(raw), constant);
    case kInt64Type:
    case 13:  // uint64
      return AppendAll(Raw<std::int64_t>(raw), constant);
    case kInt32Type:
      return AppendAll(Raw<std::int32_t>(raw), constant);
    case 12:  // uint32
      return AppendAll(Raw<std::uint32_t>(raw), constant);
    case 5:  // int16
      return AppendAll(Raw<std::int16_t>(raw), constant);
    case 4:  // uint16
      return AppendAll(Raw<std::uint16_t>(raw), constant);
    case kInt8Type:
      return AppendAll(Raw<std::int8_t>(raw), constant);
    case kUint8Type:
    case kBoolType:
      return AppendAll(Raw<std::uint8_t>(raw), constant);
    default:
      return;  // bfloat16, float8, int4, complex: never used as shapes
  }
}

Result<Shape> DimsOf(const onnx::TensorProto& tensor) {
  Shape shape;
  for (const std::int64_t extent : tensor.dims()) {
    if (extent < 0) {
      return Fail(Malformed(fmt::format("tensor `{}` has extent {}", tensor.name(), extent))
                      .WithHint("extents of stored tensors are 0 or more"));
    }
    shape.push_back(extent);
  }
  return shape;
}

std::optional<std::int64_t> ElementsOf(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    const auto next = CheckedMul(count, extent);
    if (!next) {
      return std::nullopt;
    }
    count = *next;
  }
  return count;
}

/// The field that the tensor's type is stored in; numbers in any other field are none of its own.
void DecodeField(const onnx::TensorProto& tensor, Constant* constant) {
  switch (constant->type) {
    case kFloatType:
      return AppendAll(tensor.float_data(), constant);
    case kDoubleType:
      return AppendAll(tensor.double_data(), constant);
    case kFloat16Type:
      return AppendHalves(tensor.int32_data(), constant);
    case kInt64Type:
      return AppendAll(tensor.int64_data(), constant);
    case 12:  // uint32
    case 13:  // uint64
      return AppendAll(tensor.uint64_data(), constant);
    default:  // whole numbers of up to 32 bits
      if (!constant->is_float()) {
        AppendAll(tensor.int32_data(), constant);
      }
  }
}

/// The elements, if the tensor is small and the file holds them.
std::optional<Constant> Decode(const onnx::TensorProto& tensor, const Shape& shape) {
  const auto count = ElementsOf(shape);
  if (!count || *count > kMaxConstantElements || ElementBits(tensor.data_type()) == 0) {
    return std::nullopt;
  }
  Constant constant;
  constant.type = tensor.data_type();
  constant.shape = shape;
  if (!tensor.raw_data().empty()) {
    DecodeRaw(tensor.raw_data(), &constant);
  } else {
    DecodeField(tensor, &constant);
  }
  if (constant.size() != static_cast<std::size_t>(*count)) {
    return std::nullopt;  // stripped or external weights
  }
  return constant;
}

class Reader {
 public:
  Result<Graph> Read(const onnx::ModelProto& model);

 private:
  Status ReadInitializers(const onnx::GraphProto& proto);
  Status ReadInputs(const onnx::GraphProto& proto);
  Status ReadNodes(const onnx::GraphProto& proto);
  Status ReadNode(const onnx::NodeProto& proto, std::size_t position);
  Status ReadOutputs(const onnx::GraphProto& proto);
  [[nodiscard]] Result<Attribute> ReadAttribute(const onnx::AttributeProto& proto) const;
  static void Declare(const onnx::ValueInfoProto& info, Value* value);

  int FindOrAdd(const std::string& name) {
    const auto [it, added] = index_.emplace(name, static_cast<int>(graph_.values.size()));
    if (added) {
      graph_.values.emplace_back();
      graph_.values.back().name = name;
    }
    return it->second;
  }
  Value& value(int id) { return graph_.values[static_cast<std::size_t>(id)]; }

  Graph graph_;
  std::unordered_map<std::string, int> index_;
};

Result<std::int64_t> DefaultOpset(const onnx::ModelProto& model) {
  for (const auto& import : model.opset_import()) {
    if (import.domain().empty() || import.domain() == "ai.onnx") {
      return import.version();
    }
  }
  return Fail(Diagnostic(ErrorCode::kOnnxUnsupportedOpset,
                         "the model does not say which opset of the default domain it uses")
                  .WithHint("set opset_import; a file that is no ONNX model also ends here"));
}

Result<Graph> Reader::Read(const onnx::ModelProto& model) {
  if (!model.has_graph()) {
    return Fail(Malformed("not an ONNX model: it has no graph")
                    .WithHint("check that the file is a model and not a tensor or a data set"));
  }
  SLUICE_TRY(graph_.opset, DefaultOpset(model));
  const onnx::GraphProto& proto = model.graph();
  graph_.name = proto.name();
  SLUICE_TRY_STATUS(ReadInitializers(proto));
  SLUICE_TRY_STATUS(ReadInputs(proto));
  SLUICE_TRY_STATUS(ReadNodes(proto));
  SLUICE_TRY_STATUS(ReadOutputs(proto));
  return std::move(graph_);
}

Status Reader::ReadInitializers(const onnx::GraphProto& proto) {
  const auto add = [&](const onnx::TensorProto& tensor) -> Status {
    const std::size_t before = graph_.values.size();
    const int id = FindOrAdd(tensor.name());
    if (tensor.name().empty() || graph_.values.size() == before) {
      return Fail(Malformed(
          fmt::format("initialiser `{}` has no name or a name used twice", tensor.name())));
    }
    Value& v = value(id);
    v.type = tensor.data_type();
    SLUICE_TRY(v.shape, DimsOf(tensor));
    v.is_constant = true;
    v.data = Decode(tensor, v.known_shape());
    return {};
  };
  for (const auto& tensor : proto.initializer()) {
    SLUICE_TRY_STATUS(add(tensor));
  }
  for (const auto& sparse : proto.sparse_initializer()) {
    // Planned as dense: sparsity of weights is not modelled.
    onnx::TensorProto dense;
    dense.set_name(sparse.values().name());
    dense.set_data_type(sparse.values().data_type());
    *dense.mutable_dims() = sparse.dims();
    SLUICE_TRY_STATUS(add(dense));
  }
  return {};
}

void Reader::Declare(const onnx::ValueInfoProto& info, Value* value) {
  if (!info.type().has_tensor_type()) {
    return;
  }
  const auto& type = info.type().tensor_type();
  value->declared_type = type.elem_type();
  if (!type.has_shape()) {
    return;
  }
  std::vector<DeclaredDim> dims;
  for (const auto& dim : type.shape().dim()) {
    DeclaredDim declared;
    if (dim.has_dim_value()) {
      declared.value = dim.dim_value();
    } else if (dim.has_dim_param()) {
      declared.symbol = dim.dim_param();
    }
    dims.push_back(std::move(declared));
  }
  value->declared = std::move(dims);
}

Status Reader::ReadInputs(const onnx::GraphProto& proto) {
  for (const auto& info : proto.input()) {
    const int id = FindOrAdd(info.name());
    Value& v = value(id);
    if (v.is_constant) {
      continue;  // IR version 3 lists initialisers among the inputs
    }
    if (info.name().empty() || v.is_input) {
      return Fail(
          Malformed(fmt::format("graph input `{}` has no name or a name used twice", info.name())));
    }
    v.is_input = true;
    Declare(info, &v);
    v.type = v.declared_type;
    graph_.inputs.push_back(id);
  }
  return {};
}

Result<Attribute> Reader::ReadAttribute(const onnx::AttributeProto& proto) const {
  Attribute attribute;
  if (proto.has_i()) {
    attribute.i = proto.i();
  }
  if (proto.has_f()) {
    attribute.f = proto.f();
  }
  if (proto.has_s()) {
    attribute.s = proto.s();
  }
  attribute.ints.assign(proto.ints().begin(), proto.ints().end());
  attribute.floats.assign(proto.floats().begin(), proto.floats().end());
  attribute.has_ints = proto.ints_size() > 0 || proto.type() == onnx::AttributeProto::INTS;
  attribute.has_graph = proto.has_g() || proto.graphs_size() > 0;
  if (proto.has_t()) {
    SLUICE_TRY(attribute.tensor_shape, DimsOf(proto.t()));
    attribute.tensor_type = proto.t().data_type();
    attribute.tensor = Decode(proto.t(), *attribute.tensor_shape);
  }
  return attribute;
}

Status Reader::ReadNode(const onnx::NodeProto& proto, std::size_t position) {
  Node node;
  node.op_type = proto.op_type();
  node.domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
  node.position = position;
  node.name = proto.name();
  for (const std::string& output : proto.output()) {
    if (node.name.empty()) {
      node.name = output;
    }
    if (output.empty()) {
      node.outputs.push_back(-1);
      continue;
    }
    const std::size_t before = graph_.values.size();
    const int id = FindOrAdd(output);
    if (graph_.values.size() == before) {
      return Fail(Malformed(fmt::format("tensor `{}`, an output of node {} ({}), is made twice",
                                        output, position, node.op_type))
                      .WithHint("names of tensors must be unique (static single assignment)"));
    }
    node.outputs.push_back(id);
  }
  if (node.name.empty()) {
    node.name = fmt::format("{}_{}", node.op_type, position);
  }
  for (const auto& attribute : proto.attribute()) {
    SLUICE_TRY(Attribute read, ReadAttribute(attribute));
    node.attributes.insert_or_assign(attribute.name(), std::move(read));
  }
  graph_.nodes.push_back(std::move(node));
  return {};
}

Status Reader::ReadNodes(const onnx::GraphProto& proto) {
  graph_.nodes.reserve(static_cast<std::size_t>(proto.node_size()));
  for (int i = 0; i < proto.node_size(); ++i) {
    SLUICE_TRY_STATUS(ReadNode(proto.node(i), static_cast<std::size_t>(i)));
  }
  // All outputs have their values now; inputs can only name those, also of later nodes.
  for (int i = 0; i < proto.node_size(); ++i) {
    Node& node = graph_.nodes[static_cast<std::size_t>(i)];
    for (const std::string& input : proto.node(i).input()) {
      if (input.empty()) {
        node.inputs.push_back(-1);
        continue;
      }
      const auto it = index_.find(input);
      if (it == index_.end()) {
        return Fail(
            Diagnostic(ErrorCode::kOnnxMissingTensor,
                       fmt::format("node {} `{}` ({}) reads tensor `{}`, which nothing makes", i,
                                   node.name, node.op_type, input))
                .WithHint("it must be a graph input, an initialiser or an output of a node"));
      }
      node.inputs.push_back(it->second);
    }
  }
  for (const auto& info : proto.value_info()) {
    if (const auto it = index_.find(info.name()); it != index_.end()) {
      Value& v = value(it->second);
      if (!v.is_input && !v.is_constant) {
        Declare(info, &v);
      }
    }
  }
  return {};
}

Status Reader::ReadOutputs(const onnx::GraphProto& proto) {
  for (const auto& info : proto.output()) {
    const auto it = index_.find(info.name());
    if (it == index_.end()) {
      return Fail(Diagnostic(ErrorCode::kOnnxMissingTensor,
                             fmt::format("graph output `{}` is made by no node", info.name()))
                      .WithHint("it must be an output of a node"));
    }
    Value& v = value(it->second);
    v.is_output = true;
    if (!v.is_input && !v.is_constant) {
      Declare(info, &v);
    }
    graph_.outputs.push_back(it->second);
  }
  if (graph_.outputs.empty()) {
    return Fail(Malformed("the graph has no outputs, so nothing would be computed"));
  }
  return {};
}

/// Node that makes each value, or -1.
std::vector<int> Producers(const Graph& graph) {
  std::vector<int> producers(graph.values.size(), -1);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    for (const int output : graph.nodes[n].outputs) {
      if (output >= 0) {
        producers[static_cast<std::size_t>(output)] = static_cast<int>(n);
      }
    }
  }
  return producers;
}

std::vector<bool> NeededNodes(const Graph& graph, const std::vector<int>& producers) {
  std::vector<bool> needed(graph.nodes.size(), false);
  std::vector<int> open = graph.outputs;
  while (!open.empty()) {
    const int v = open.back();
    open.pop_back();
    const int n = producers[static_cast<std::size_t>(v)];
    if (n < 0 || needed[static_cast<std::size_t>(n)]) {
      continue;
    }
    needed[static_cast<std::size_t>(n)] = true;
    for (const int input : graph.nodes[static_cast<std::size_t>(n)].inputs) {
      if (input >= 0) {
        open.push_back(input);
      }
    }
  }
  return needed;
}

}  // namespace

Result<Graph> ReadGraph(const std::string& stripped) {
  onnx::ModelProto model;
  google::protobuf::io::ArrayInputStream array(stripped.data(), static_cast<int>(stripped.size()));
  google::protobuf::io::CodedInputStream coded(&array);
  coded.SetRecursionLimit(kRecursionLimit);
  // The parser logs to stderr what it returns as false anyway; a library does not print.
  const google::protobuf::LogSilencer silence;
  if (!model.ParsePartialFromCodedStream(&coded) || !coded.ConsumedEntireMessage()) {
    return Fail(Malformed("not an ONNX model: protobuf cannot parse it")
                    .WithHint("check that the file is complete and is an ONNX protobuf"));
  }
  return Reader().Read(model);
}

Status SortNodes(Graph* graph) {
  const std::vector<int> producers = Producers(*graph);
  const std::vector<bool> needed = NeededNodes(*graph, producers);
  std::vector<int> waiting(graph->nodes.size(), 0);
  std::vector<std::vector<int>> consumers(graph->nodes.size());
  for (std::size_t n = 0; n < graph->nodes.size(); ++n) {
    for (const int input : graph->nodes[n].inputs) {
      const int from = input < 0 ? -1 : producers[static_cast<std::size_t>(input)];
      if (from >= 0 && needed[n]) {
        ++waiting[n];
        consumers[static_cast<std::size_t>(from)].push_back(static_cast<int>(n));
      }
    }
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  std::size_t left = 0;
  for (std::size_t n = 0; n < graph->nodes.size(); ++n) {
    left += needed[n] ? 1U : 0U;
    if (needed[n] && waiting[n] == 0) {
      ready.push(static_cast<int>(n));
    }
  }
  std::vector<Node> sorted;
  sorted.reserve(left);
  while (!ready.empty()) {
    const auto n = static_cast<std::size_t>(ready.top());
    ready.pop();
    sorted.push_back(std::move(graph->nodes[n]));
    for (const int c : consumers[n]) {
      if (--waiting[static_cast<std::size_t>(c)] == 0) {
        ready.push(c);
      }
    }
  }
  if (sorted.size() != left) {
    std::string names;
    for (std::size_t n = 0, shown = 0; n < graph->nodes.size() && shown < 4; ++n) {
      if (needed[n] && waiting[n] > 0) {
        names += fmt::format("{}`{}`", shown++ == 0 ? "" : ", ", graph->nodes[n].name);
      }
    }
    return Fail(Diagnostic(ErrorCode::kOnnxCycle,
                           fmt::format("the graph has a cycle; on it or behind it: {}", names))
                    .WithHint("an ONNX graph must be acyclic; loops are Loop or Scan operators"));
  }
  graph->nodes = std::move(sorted);
  return {};
}

}  // namespace sluice::io::onnx_import
