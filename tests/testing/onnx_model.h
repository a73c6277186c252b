#pragma once
/// \file
/// Builds small ONNX models in code for tests: readable fixtures instead of binary files.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

namespace sluice::testing {

using Extents = std::vector<std::int64_t>;

/// Adds attributes to the node it was made for.
class NodeBuilder {
 public:
  explicit NodeBuilder(onnx::NodeProto* node) : node_(node) {}

  NodeBuilder& Int(const std::string& name, std::int64_t value) {
    auto* attribute = Add(name, onnx::AttributeProto::INT);
    attribute->set_i(value);
    return *this;
  }
  NodeBuilder& Float(const std::string& name, float value) {
    auto* attribute = Add(name, onnx::AttributeProto::FLOAT);
    attribute->set_f(value);
    return *this;
  }
  NodeBuilder& Text(const std::string& name, const std::string& value) {
    auto* attribute = Add(name, onnx::AttributeProto::STRING);
    attribute->set_s(value);
    return *this;
  }
  NodeBuilder& Ints(const std::string& name, const Extents& values) {
    auto* attribute = Add(name, onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) {
      attribute->add_ints(value);
    }
    return *this;
  }
  NodeBuilder& Name(const std::string& name) {
    node_->set_name(name);
    return *this;
  }
  NodeBuilder& Domain(const std::string& domain) {
    node_->set_domain(domain);
    return *this;
  }
  onnx::NodeProto& proto() { return *node_; }

 private:
  onnx::AttributeProto* Add(const std::string& name, onnx::AttributeProto::AttributeType type) {
    auto* attribute = node_->add_attribute();
    attribute->set_name(name);
    attribute->set_type(type);
    return attribute;
  }
  onnx::NodeProto* node_;
};

class OnnxModel {
 public:
  explicit OnnxModel(std::int64_t opset = 17) {
    model_.set_ir_version(8);
    model_.mutable_graph()->set_name("test");
    model_.add_opset_import()->set_version(opset);
  }

  OnnxModel& Input(const std::string& name, const Extents& shape, int type = 1) {
    Fill(model_.mutable_graph()->add_input(), name, shape, type);
    return *this;
  }
  /// Extents given as text: a number or a symbol; empty for unknown.
  OnnxModel& SymbolicInput(const std::string& name, const std::vector<std::string>& shape) {
    auto* info = model_.mutable_graph()->add_input();
    info->set_name(name);
    auto* tensor = info->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(1);
    tensor->mutable_shape();
    for (const std::string& extent : shape) {
      auto* dim = tensor->mutable_shape()->add_dim();
      if (!extent.empty() && extent.find_first_not_of("0123456789") == std::string::npos) {
        dim->set_dim_value(std::stoll(extent));
      } else if (!extent.empty()) {
        dim->set_dim_param(extent);
      }
    }
    return *this;
  }
  OnnxModel& Output(const std::string& name) {
    model_.mutable_graph()->add_output()->set_name(name);
    return *this;
  }
  OnnxModel& Output(const std::string& name, const Extents& shape, int type = 1) {
    Fill(model_.mutable_graph()->add_output(), name, shape, type);
    return *this;
  }
  OnnxModel& ValueInfo(const std::string& name, const Extents& shape, int type = 1) {
    Fill(model_.mutable_graph()->add_value_info(), name, shape, type);
    return *this;
  }
  /// An initialiser without data, as stripped models have it.
  OnnxModel& Weight(const std::string& name, const Extents& shape, int type = 1) {
    auto* tensor = model_.mutable_graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (const std::int64_t extent : shape) {
      tensor->add_dims(extent);
    }
    return *this;
  }
  /// A one-dimensional int64 initialiser.
  OnnxModel& Integers(const std::string& name, const Extents& values) {
    Weight(name, {static_cast<std::int64_t>(values.size())}, 7);
    auto* tensor = last_initializer();
    for (const std::int64_t value : values) {
      tensor->add_int64_data(value);
    }
    return *this;
  }
  /// An int64 scalar.
  OnnxModel& Scalar(const std::string& name, std::int64_t value) {
    Weight(name, {}, 7);
    last_initializer()->add_int64_data(value);
    return *this;
  }
  OnnxModel& Floats(const std::string& name, const std::vector<float>& values) {
    Weight(name, {static_cast<std::int64_t>(values.size())}, 1);
    for (const float value : values) {
      last_initializer()->add_float_data(value);
    }
    return *this;
  }
  NodeBuilder Node(const std::string& op_type, const std::vector<std::string>& inputs,
                   const std::vector<std::string>& outputs) {
    auto* node = model_.mutable_graph()->add_node();
    node->set_op_type(op_type);
    for (const std::string& input : inputs) {
      node->add_input(input);
    }
    for (const std::string& output : outputs) {
      node->add_output(output);
    }
    return NodeBuilder(node);
  }

  onnx::ModelProto& proto() { return model_; }
  onnx::TensorProto* last_initializer() {
    auto* graph = model_.mutable_graph();
    return graph->mutable_initializer(graph->initializer_size() - 1);
  }
  [[nodiscard]] std::string Bytes() const { return model_.SerializeAsString(); }

 private:
  static void Fill(onnx::ValueInfoProto* info, const std::string& name, const Extents& shape,
                   int type) {
    info->set_name(name);
    auto* tensor = info->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    tensor->mutable_shape();
    for (const std::int64_t extent : shape) {
      tensor->mutable_shape()->add_dim()->set_dim_value(extent);
    }
  }
  onnx::ModelProto model_;
};

}  // namespace sluice::testing
