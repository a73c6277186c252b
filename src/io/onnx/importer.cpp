/// \file
/// The loop over the nodes: find the row, fold what is constant, run the handler, say where an
/// error is.
///
/// A node whose inputs are all known before the network runs is *folded*: its handler runs for the
/// shapes only and its outputs become constants (with elements while they are small, as weights of
/// known shape otherwise). This is what makes exporters' shape arithmetic vanish, and it is right
/// for arithmetic on weights, which a deployment does once. Tested by tests/unit/onnx_test.cpp,
/// tests/unit/onnx_errors_test.cpp.

#include "io/onnx/importer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/text.h"
#include "io/onnx/graph.h"
#include "io/onnx/shapes.h"
#include "ir/network.h"

namespace sluice::io::onnx_import {

namespace {

using RowTable = std::unordered_map<std::string_view, const OpRow*>;

void AddRows(std::span<const OpRow> family, RowTable* rows) {
  for (const OpRow& row : family) {
    const bool added = rows->emplace(row.op_type, &row).second;
    SLUICE_CHECK(added, "operator listed twice: " + std::string(row.op_type));
  }
}

const RowTable& Rows() {
  static const RowTable kTable = [] {
    RowTable rows;
    for (const auto family : {ConvolutionRows(), MatmulRows(), ElementwiseRows(), ReductionRows(),
                              NormalizationRows(), ViewRows(), MovementRows(), IndexingRows(),
                              ResizeRows(), RecurrentRows(), QuantizationRows(), ConstantRows()}) {
      AddRows(family, &rows);
    }
    return rows;
  }();
  return kTable;
}

Diagnostic NotConstant(const Value& value, std::size_t input) {
  return Diagnostic(ErrorCode::kOnnxDynamicDim,
                    fmt::format("its input {} (`{}`) decides a shape but is not a constant whose "
                                "elements the file holds",
                                input, value.name))
      .WithHint("export the model with static shapes, or run a shape-folding pass");
}

std::string Suggestion(const std::string& op_type) {
  std::vector<std::string> names;
  for (const auto& [name, row] : Rows()) {
    names.emplace_back(name);
  }
  std::ranges::sort(names);
  const std::string close = ClosestMatch(op_type, names);
  return close.empty() ? "" : fmt::format(" (did you mean `{}`?)", close);
}

bool IsControlFlow(const Node& node) {
  const bool named =
      node.domain.empty() && (node.op_type == "If" || node.op_type == "Loop" ||
                              node.op_type == "Scan" || node.op_type == "SequenceMap");
  return named || std::ranges::any_of(node.attributes,
                                      [](const auto& entry) { return entry.second.has_graph; });
}

/// `wanted`, or with the first number that makes it new. The table keeps the next number to try, so
/// that a million equal names are not searched again and again.
std::string FreeName(const std::string& wanted, std::map<std::string, int>* taken) {
  const auto [it, added] = taken->emplace(wanted, 2);
  if (added) {
    return wanted;
  }
  while (true) {
    std::string name = fmt::format("{}.{}", wanted, it->second++);
    if (taken->emplace(name, 2).second) {
      return name;
    }
  }
}

/// Outputs differ from run to run, so nothing may be folded.
bool IsRandom(const Node& node) {
  return node.op_type.starts_with("Random") || node.op_type == "Bernoulli" ||
         node.op_type == "Multinomial";
}

}  // namespace

Importer::Importer(Graph graph, std::string file_name, bool skip_unknown)
    : graph_(std::move(graph)), file_name_(std::move(file_name)), skip_unknown_(skip_unknown) {
  for (Value& v : graph_.values) {
    value_names_.emplace(v.name, 2);
    v.is_used = v.is_output;
  }
  for (const Node& node : graph_.nodes) {
    for (const int input : node.inputs) {
      if (input >= 0) {
        mutable_value(input).is_used = true;
      }
    }
  }
}

bool Importer::Wants(const Node& node, std::size_t o) const {
  return o < node.outputs.size() && node.outputs[o] >= 0 && value(node.outputs[o]).is_used;
}

tl::unexpected<Diagnostic> Importer::ShapeError(const std::string& what, const std::string& hint) {
  Diagnostic diagnostic(ErrorCode::kOnnxShape, what);
  diagnostic.hint = hint;
  return Fail(std::move(diagnostic));
}

tl::unexpected<Diagnostic> Importer::Unsupported(const std::string& what) {
  return Fail(Diagnostic(ErrorCode::kOnnxUnsupportedOp, what)
                  .WithHint("`--skip-unknown` makes it an opaque vector operator, if the model "
                            "states the shapes of its outputs"));
}

Diagnostic Importer::Locate(const Node& node, Diagnostic diagnostic) const {
  diagnostic.message =
      fmt::format("node `{}` ({}): {}", node.name, node.op_type, diagnostic.message);
  if (diagnostic.path.empty()) {
    diagnostic.path = fmt::format("graph.node[{}]", node.position);
  }
  return diagnostic;
}

Result<std::vector<std::int64_t>> Importer::Integers(const Node& node, std::size_t i) const {
  const Value& v = Input(node, i);
  if (!v.data) {
    return Fail(NotConstant(v, i));
  }
  std::vector<std::int64_t> numbers;
  numbers.reserve(v.data->size());
  for (std::size_t k = 0; k < v.data->size(); ++k) {
    numbers.push_back(v.data->AsInt(k));
  }
  return numbers;
}

Result<std::vector<double>> Importer::Numbers(const Node& node, std::size_t i) const {
  const Value& v = Input(node, i);
  if (!v.data) {
    return Fail(NotConstant(v, i));
  }
  std::vector<double> numbers;
  numbers.reserve(v.data->size());
  for (std::size_t k = 0; k < v.data->size(); ++k) {
    numbers.push_back(v.data->AsDouble(k));
  }
  return numbers;
}

Result<std::optional<std::vector<std::int64_t>>> Importer::IntegersOrAttribute(
    const Node& node, std::size_t i, std::string_view attribute) const {
  if (Has(node, i)) {
    SLUICE_TRY(auto numbers, Integers(node, i));
    return std::optional(std::move(numbers));
  }
  return node.Ints(attribute);
}

std::optional<Shape> Importer::Declared(const Node& node, std::size_t o) const {
  const auto& declared = value(node.outputs[o]).declared;
  if (!declared) {
    return std::nullopt;
  }
  Shape shape;
  for (const DeclaredDim& dim : *declared) {
    if (dim.value < 1) {
      return std::nullopt;
    }
    shape.push_back(dim.value);
  }
  return shape;
}

Status Importer::Define(const Node& node, std::size_t o, Shape shape, std::int32_t type) {
  if (!Wants(node, o)) {
    return {};
  }
  Value& v = mutable_value(node.outputs[o]);
  const std::int64_t least = folding_ ? 0 : 1;
  if (shape.size() > kMaxRank) {
    return ShapeError(fmt::format("output `{}` has rank {}, at most {} is supported", v.name,
                                  shape.size(), kMaxRank));
  }
  for (const std::int64_t extent : shape) {
    if (extent < least) {
      return ShapeError(
          fmt::format("output `{}` would have shape {}, which is empty", v.name, ShapeText(shape)),
          "every extent must be at least 1");
    }
  }
  SLUICE_TRY(const std::int64_t elements, ElementCount(shape));
  if (elements >= kMaxElements) {
    return Fail(
        Diagnostic(ErrorCode::kOnnxOverflow, fmt::format("output `{}` of shape {} has {} elements",
                                                         v.name, ShapeText(shape), elements))
            .WithHint("a tensor must have fewer than 2^40 elements"));
  }
  if (ElementBits(type) == 0) {
    return Unsupported(
        fmt::format("output `{}` has element type {}, which is no number", v.name, type));
  }
  v.shape = std::move(shape);
  v.type = type;
  if (v.tensor.valid()) {  // a handler gave up half-way and a fallback defines the output anew
    ir::Tensor& tensor = network_.tensors[static_cast<std::size_t>(v.tensor.value)];
    tensor.shape = v.known_shape();
    tensor.element_bits = ElementBits(type);
    tensor.storage = {};
    v.storage = -1;
  }
  return {};
}

Status Importer::DefineConstant(const Node& node, std::size_t o, Constant constant) {
  if (!Wants(node, o)) {
    return {};
  }
  const bool before = std::exchange(folding_, true);
  const Status defined = Define(node, o, constant.shape, constant.type);
  folding_ = before;
  SLUICE_TRY_STATUS(defined);
  Value& v = mutable_value(node.outputs[o]);
  v.is_constant = true;
  v.data = std::move(constant);
  return {};
}

Result<int> Importer::NewValue(const std::string& name, Shape shape, std::int32_t type) {
  Value v;
  v.name = FreeName(name, &value_names_);
  SLUICE_TRY(const std::int64_t elements, ElementCount(shape));
  if (elements >= kMaxElements) {
    return Fail(Diagnostic(ErrorCode::kOnnxOverflow,
                           fmt::format("an intermediate tensor of shape {} has {} elements",
                                       ShapeText(shape), elements))
                    .WithHint("a tensor must have fewer than 2^40 elements"));
  }
  v.shape = std::move(shape);
  v.type = type;
  graph_.values.push_back(std::move(v));
  return static_cast<int>(graph_.values.size()) - 1;
}

Result<int> Importer::CarriedValue(const std::string& name, int storage) {
  SLUICE_TRY(const int id, NewValue(name, value(storage).known_shape(), value(storage).type));
  mutable_value(id).storage = storage;
  return id;
}

std::string Importer::UniqueName(const std::string& wanted) {
  return FreeName(wanted, &operator_names_);
}

ir::TensorId Importer::TensorOf(int id) {
  const int storage = value(id).storage;
  ir::TensorId stored;
  if (storage >= 0) {  // the viewed tensor mostly exists: chains of views must not recurse
    stored = value(storage).tensor.valid() ? value(storage).tensor : TensorOf(storage);
  }
  if (const ir::TensorId known = value(id).tensor; known.valid()) {
    network_.tensors[static_cast<std::size_t>(known.value)].storage = stored;
    return known;
  }
  Value& v = mutable_value(id);
  ir::Tensor tensor;
  tensor.name = v.name;
  tensor.shape = v.known_shape();
  tensor.element_bits = ElementBits(v.type);
  tensor.storage = stored;
  tensor.role = v.is_constant ? ir::TensorRole::kWeight
                : v.is_input  ? ir::TensorRole::kInput
                : v.is_output ? ir::TensorRole::kOutput
                              : ir::TensorRole::kIntermediate;
  v.tensor = {static_cast<std::int32_t>(network_.tensors.size())};
  network_.tensors.push_back(std::move(tensor));
  return v.tensor;
}

Status Importer::CheckArity(const Node& node, const OpRow& row) const {
  for (std::size_t i = 0; i < static_cast<std::size_t>(row.min_inputs); ++i) {
    if (!Has(node, i)) {
      return Fail(Diagnostic(ErrorCode::kOnnxMalformed, fmt::format("input {} is missing", i))
                      .WithHint(fmt::format("{} needs {} inputs", node.op_type, row.min_inputs)));
    }
  }
  bool any = false;
  for (std::size_t o = 0; o < node.outputs.size(); ++o) {
    any = any || Wants(node, o);
  }
  if (!any) {
    return Fail(ErrorCode::kOnnxMalformed, "it has no output");
  }
  for (const int input : node.inputs) {
    if (input >= 0 && !value(input).shape) {
      return Unsupported(fmt::format("its input `{}` has no known shape", value(input).name));
    }
  }
  return {};
}

Status Importer::FinishConstants(const Node& node) {
  std::vector<const Constant*> inputs;
  bool known = true;
  for (const int input : node.inputs) {
    const std::optional<Constant>* const data = input >= 0 ? &value(input).data : nullptr;
    inputs.push_back(data != nullptr && data->has_value() ? &**data : nullptr);
    known = known && (input < 0 || inputs.back() != nullptr);
  }
  std::vector<Shape> shapes;
  std::vector<std::int32_t> types;
  bool done = true;
  for (const int output : node.outputs) {
    if (output < 0 || !value(output).shape) {  // left out or unused
      shapes.emplace_back();
      types.push_back(kUndefinedType);
      continue;
    }
    Value& v = mutable_value(output);
    v.is_constant = true;
    SLUICE_TRY(const std::int64_t elements, ElementCount(v.known_shape()));
    known = known && elements <= kMaxConstantElements;
    done = done && v.data.has_value();
    shapes.push_back(v.known_shape());
    types.push_back(v.type);
  }
  // Work, not only memory: hostile models can ask for much of either.
  std::int64_t work = 1;
  for (const Constant* input : inputs) {
    work += input != nullptr ? static_cast<std::int64_t>(input->size()) : 0;
  }
  for (const Shape& shape : shapes) {
    SLUICE_TRY(const std::int64_t elements, ElementCount(shape));
    work += known ? elements : 0;
  }
  if (done || !known || work > constant_budget_) {
    return {};
  }
  constant_budget_ -= work;
  SLUICE_TRY(auto folded, FoldNode(node, inputs, shapes, types, opset()));
  for (std::size_t o = 0; o < folded.size() && o < node.outputs.size(); ++o) {
    if (!folded[o] || !Wants(node, o)) {
      continue;
    }
    mutable_value(node.outputs[o]).data = std::move(folded[o]);
  }
  return {};
}

Status Importer::ImportKnown(Node& node, const OpRow& row) {
  SLUICE_TRY_STATUS(CheckArity(node, row));
  if (!row.many_outputs && !Wants(node, 0)) {
    return Fail(ErrorCode::kOnnxMalformed, "only an output it does not have is used");
  }
  folding_ = !IsRandom(node) && std::ranges::all_of(node.inputs, [this](int id) {
    return id < 0 || value(id).is_constant;
  });
  const std::size_t operators_before = network_.operators.size();
  Status status = row.handler(*this, node, row);
  if (!status && status.error().code == ErrorCode::kOnnxDynamicDim) {
    network_.operators.resize(operators_before);
    status = FallBackToDeclared(node, std::move(status).error());
  }
  SLUICE_TRY_STATUS(std::move(status));
  for (std::size_t o = 0; o < node.outputs.size(); ++o) {
    if (Wants(node, o) && !value(node.outputs[o]).shape) {
      return Unsupported(
          fmt::format("its output {} (`{}`) is not supported", o, value(node.outputs[o]).name));
    }
  }
  return folding_ ? FinishConstants(node) : Status{};
}

Status Importer::FallBackToDeclared(const Node& node, Diagnostic reason) {
  std::vector<std::pair<std::size_t, Shape>> outputs;
  for (std::size_t o = 0; o < node.outputs.size(); ++o) {
    if (!Wants(node, o)) {
      continue;
    }
    auto shape = Declared(node, o);
    if (!shape) {
      return Fail(std::move(reason));
    }
    outputs.emplace_back(o, *std::move(shape));
  }
  for (auto& [o, shape] : outputs) {
    const std::int32_t declared = value(node.outputs[o]).declared_type;
    SLUICE_TRY_STATUS(
        Define(node, o, std::move(shape), ElementBits(declared) > 0 ? declared : TypeOf(node, 0)));
    SLUICE_TRY_STATUS(EmitOpaque(node, o, ir::WorkClass::kMove));
  }
  Warn(
      fmt::format("node `{}` ({}) depends on data; it is planned as a move to the shape the model "
                  "declares",
                  node.name, node.op_type));
  return {};
}

Status Importer::ImportUnknown(const Node& node) {
  const std::string domain = node.domain.empty() ? "ai.onnx" : node.domain;
  const std::string what = fmt::format("operator {} of domain {} is not supported{}", node.op_type,
                                       domain, node.domain.empty() ? Suggestion(node.op_type) : "");
  if (!skip_unknown_) {
    return Unsupported(what);
  }
  folding_ = false;
  for (std::size_t o = 0; o < node.outputs.size(); ++o) {
    if (!Wants(node, o)) {
      continue;
    }
    const auto shape = Declared(node, o);
    Value& v = mutable_value(node.outputs[o]);
    v.is_constant = false;
    v.data.reset();
    v.storage = -1;
    if (!shape || ElementBits(v.declared_type) == 0) {
      return Fail(Diagnostic(ErrorCode::kOnnxUnsupportedOp, what)
                      .WithNote(fmt::format("--skip-unknown needs the static shape of its output "
                                            "`{}`, which the model does not state",
                                            v.name))
                      .WithHint("add value_info for that tensor (shape inference by its own "
                                "framework does)"));
    }
    SLUICE_TRY_STATUS(Define(node, o, *shape, v.declared_type));
    SLUICE_TRY_STATUS(EmitOpaque(node, o, ir::WorkClass::kVector));
  }
  Warn(fmt::format("node `{}`: {}; it is planned as an opaque vector operator", node.name, what));
  return {};
}

Status Importer::ImportNode(Node& node) {
  if (IsControlFlow(node)) {
    return Fail(Diagnostic(ErrorCode::kOnnxControlFlow,
                           "control flow and operators with sub-graphs cannot be planned")
                    .WithHint("export the model with its loops unrolled and branches taken"));
  }
  if (node.domain.empty()) {
    if (const auto row = Rows().find(node.op_type); row != Rows().end()) {
      const std::size_t operators_before = network_.operators.size();
      Status status = ImportKnown(node, *row->second);
      if (!status && skip_unknown_ && status.error().code == ErrorCode::kOnnxUnsupportedOp) {
        network_.operators.resize(operators_before);
        return ImportUnknown(node);
      }
      return status;
    }
  }
  return ImportUnknown(node);
}

/// Convolution then normalisation by constants is one convolution with other weights. Only where
/// nothing else sees the tensor between them.
void Importer::FoldBatchNormalizations() {
  std::vector<int> uses(graph_.values.size(), 0);
  std::vector<int> producer(graph_.values.size(), -1);
  for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
    for (const int input : graph_.nodes[n].inputs) {
      if (input >= 0) {
        ++uses[static_cast<std::size_t>(input)];
      }
    }
    for (const int output : graph_.nodes[n].outputs) {
      if (output >= 0) {
        producer[static_cast<std::size_t>(output)] = static_cast<int>(n);
      }
    }
  }
  int folded = 0;
  const auto absorb = [&](const Node& norm) {
    if (!norm.domain.empty() || norm.op_type != "BatchNormalization" || norm.inputs.size() < 5 ||
        norm.Int("training_mode", 0) != 0 || norm.outputs.empty() || norm.outputs[0] < 0) {
      return false;
    }
    for (std::size_t o = 1; o < norm.outputs.size(); ++o) {
      if (norm.outputs[o] >= 0) {
        return false;
      }
    }
    for (std::size_t i = 1; i < 5; ++i) {
      if (norm.inputs[i] < 0 || !value(norm.inputs[i]).is_constant) {
        return false;
      }
    }
    const int between = norm.inputs[0];
    const int n = between < 0 ? -1 : producer[static_cast<std::size_t>(between)];
    if (n < 0 || uses[static_cast<std::size_t>(between)] != 1 || value(between).is_output) {
      return false;
    }
    Node& conv = graph_.nodes[static_cast<std::size_t>(n)];
    if (!conv.domain.empty() || (conv.op_type != "Conv" && conv.op_type != "ConvTranspose") ||
        !Has(conv, 1) || !value(conv.inputs[1]).is_constant ||
        (Has(conv, 2) && !value(conv.inputs[2]).is_constant)) {
      return false;
    }
    conv.inputs.resize(3, -1);
    if (conv.inputs[2] < 0) {
      conv.inputs[2] = norm.inputs[2];  // the shift becomes the bias
    }
    conv.outputs[0] = norm.outputs[0];
    ++folded;
    return true;
  };
  std::vector<Node> kept;
  kept.reserve(graph_.nodes.size());
  std::vector<bool> absorbed(graph_.nodes.size());
  for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
    absorbed[n] = absorb(graph_.nodes[n]);
  }
  for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
    if (!absorbed[n]) {
      kept.push_back(std::move(graph_.nodes[n]));
    }
  }
  graph_.nodes = std::move(kept);
  if (folded > 0) {
    Warn(fmt::format("{} batch normalisation{} folded into the convolution before {}", folded,
                     folded == 1 ? "" : "s", folded == 1 ? "it" : "them"));
  }
}

Result<ir::Network> Importer::Run() {
  network_.name = file_name_;
  for (const int input : graph_.inputs) {
    TensorOf(input);
  }
  FoldBatchNormalizations();
  for (Node& node : graph_.nodes) {
    Status status = ImportNode(node);
    if (!status) {
      return Fail(Locate(node, std::move(status).error()));
    }
  }
  SLUICE_TRY_STATUS(ir::Validate(network_));
  return std::move(network_);
}

}  // namespace sluice::io::onnx_import
