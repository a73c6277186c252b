#pragma once
/// \file
/// What an operator handler sees: the node's inputs with known shapes, a way to define its outputs,
/// and a builder for iteration spaces. A handler is both the shape function of its operator and its
/// translation; the table row says which operator it serves and what a point costs.
///
/// Adding an operator: one row in the table of its family (ops/*.cpp) and one handler, if none
/// of the existing ones fits. Internal to the ONNX reader.

#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/onnx/graph.h"
#include "io/onnx/onnx.h"

namespace sluice::io::onnx_import {

class Importer;
struct OpRow;

using Handler = Status (*)(Importer&, const Node&, const OpRow&);

struct OpRow {
  std::string_view op_type;
  Handler handler = nullptr;
  int min_inputs = 1;  ///< inputs that may not be left out
  int vector = 0;      ///< vector operations per point, where the handler is shared
  int transcendental = 0;
  bool many_outputs = false;  ///< the handler asks for each output whether it is wanted
};

std::span<const OpRow> ConvolutionRows();
std::span<const OpRow> MatmulRows();
std::span<const OpRow> ElementwiseRows();
std::span<const OpRow> ReductionRows();
std::span<const OpRow> NormalizationRows();
std::span<const OpRow> ViewRows();
std::span<const OpRow> MovementRows();
std::span<const OpRow> IndexingRows();
std::span<const OpRow> ResizeRows();
std::span<const OpRow> RecurrentRows();
std::span<const OpRow> QuantizationRows();
std::span<const OpRow> ConstantRows();

/// (dim, coefficient) pairs of an axis.
using Terms = std::vector<std::pair<int, std::int64_t>>;

/// offset + sum of terms; terms with coefficient 0 are left out.
ir::AxisExpr Affine(const Terms& terms, std::int64_t offset = 0, std::int64_t divisor = 1);
/// The dim itself.
ir::AxisExpr Along(int dim);
/// One axis per dim.
std::vector<ir::AxisExpr> AlongAll(const std::vector<int>& dims);

class Importer {
 public:
  Importer(Graph graph, std::string file_name, bool skip_unknown);

  /// Imports every node and returns the validated network.
  Result<ir::Network> Run();

  // What handlers use.

  [[nodiscard]] std::int64_t opset() const { return graph_.opset; }
  [[nodiscard]] const Value& value(int id) const {
    return graph_.values[static_cast<std::size_t>(id)];
  }
  /// Whether optional input i is there.
  [[nodiscard]] static bool Has(const Node& node, std::size_t i) {
    return i < node.inputs.size() && node.inputs[i] >= 0;
  }
  /// Whether output o is asked for.
  [[nodiscard]] bool Wants(const Node& node, std::size_t o) const;
  [[nodiscard]] const Value& Input(const Node& node, std::size_t i) const {
    return value(node.inputs[i]);
  }
  /// Shape of an input that is there.
  [[nodiscard]] const Shape& ShapeOf(const Node& node, std::size_t i) const {
    return Input(node, i).known_shape();
  }
  [[nodiscard]] std::int32_t TypeOf(const Node& node, std::size_t i) const {
    return Input(node, i).type;
  }
  /// The integers of a constant input. Errors: kOnnxDynamicDim if they depend on data.
  [[nodiscard]] Result<std::vector<std::int64_t>> Integers(const Node& node, std::size_t i) const;
  [[nodiscard]] Result<std::vector<double>> Numbers(const Node& node, std::size_t i) const;
  /// The list given as input `i` if that is there, else as attribute, else nullopt.
  [[nodiscard]] Result<std::optional<std::vector<std::int64_t>>> IntegersOrAttribute(
      const Node& node, std::size_t i, std::string_view attribute) const;
  /// The static shape the model declares for an output, if it does (and the batch was not
  /// overridden).
  [[nodiscard]] std::optional<Shape> Declared(const Node& node, std::size_t o) const;

  /// States shape and type of an output. Does nothing if nobody wants it. Errors: kOnnxShape for
  /// extents below 1, kOnnxOverflow for 2^40 elements or more.
  Status Define(const Node& node, std::size_t o, Shape shape, std::int32_t type);
  /// States an output whose elements are known (Shape, Size, Constant).
  Status DefineConstant(const Node& node, std::size_t o, Constant constant);
  /// A tensor the model has no name for (between the operators one node becomes).
  Result<int> NewValue(const std::string& name, Shape shape, std::int32_t type);
  /// As NewValue, but what `storage` held one step earlier (see ir::Tensor::storage).
  Result<int> CarriedValue(const std::string& name, int storage);
  /// Makes the output a view of input 0: no work, no bytes.
  Status EmitView(const Node& node, std::size_t o);
  /// An operator of which only the shapes are known: reads all inputs, writes output `o`, one
  /// operation of class `work` per output element.
  Status EmitOpaque(const Node& node, std::size_t o, ir::WorkClass work);
  /// `out = a + b` over the shape of out, for a bias that is no weight.
  Status EmitAdd(const Node& node, int a, int b, int out);
  void Warn(std::string text) { network_.warnings.push_back(std::move(text)); }

  /// An error about this node.
  [[nodiscard]] static tl::unexpected<Diagnostic> ShapeError(const std::string& what,
                                                             const std::string& hint = {});
  [[nodiscard]] static tl::unexpected<Diagnostic> Unsupported(const std::string& what);

 private:
  friend class OpBuilder;

  Value& mutable_value(int id) { return graph_.values[static_cast<std::size_t>(id)]; }
  Status ImportNode(Node& node);
  Status ImportKnown(Node& node, const OpRow& row);
  Status ImportUnknown(const Node& node);
  Status FallBackToDeclared(const Node& node, Diagnostic reason);
  [[nodiscard]] Status CheckArity(const Node& node, const OpRow& row) const;
  Status FinishConstants(const Node& node);
  void FoldBatchNormalizations();
  [[nodiscard]] Diagnostic Locate(const Node& node, Diagnostic diagnostic) const;
  /// The tensor of a value, made on first use.
  ir::TensorId TensorOf(int id);
  std::string UniqueName(const std::string& wanted);
  void AddOperator(ir::Operator op) { network_.operators.push_back(std::move(op)); }

  Graph graph_;
  std::string file_name_;
  bool skip_unknown_ = false;
  /// The node at hand is computed from constants only: its shapes matter, its operators do not
  /// exist.
  bool folding_ = false;
  std::int64_t constant_budget_ = 1 << 26;     ///< elements that folding may still touch
  std::map<std::string, int> operator_names_;  ///< with the next number for a duplicate
  std::map<std::string, int> value_names_;
  ir::Network network_;
};

/// Builds one operator. Reads first, then the write; Emit checks and adds it.
class OpBuilder {
 public:
  /// `suffix` distinguishes the operators one node becomes.
  OpBuilder(Importer& importer, const Node& node, const std::string& suffix = {});

  int Dim(std::string name, std::int64_t bound, bool whole = false);
  /// One dim per extent with the customary names for that rank (N C H W ...).
  std::vector<int> DimsFor(const Shape& shape);
  /// A position that depends on data, one per point of `dims` (the four longest are kept).
  [[nodiscard]] ir::AxisExpr Indirect(const std::vector<int>& dims) const;
  void SetWhole(int dim) { op_.dims[static_cast<std::size_t>(dim)].whole = true; }

  OpBuilder& Read(int id, std::vector<ir::AxisExpr> axes);
  /// Read of a tensor that broadcasts to a shape whose dims are `dims`; single constants are
  /// immediates and make no access.
  OpBuilder& ReadBroadcast(int id, const std::vector<int>& dims);
  /// A weight becomes a parameter, anything else a read. A value of -1 is nothing.
  OpBuilder& Parameter(int id, std::vector<ir::AxisExpr> axes);
  OpBuilder& Write(int id, std::vector<ir::AxisExpr> axes);
  OpBuilder& Accumulate(int id, std::vector<ir::AxisExpr> axes);
  OpBuilder& Work(ir::WorkClass work_class, std::int64_t per_point);
  /// The vector and transcendental operations of a table row; a move if it has none.
  OpBuilder& Work(const OpRow& row);
  Status Emit();

 private:
  Importer* importer_;
  ir::Operator op_;
};

/// Fills in the elements of the outputs of a node whose inputs are constants with known elements.
/// Does nothing for operators it does not know: their outputs stay constants of known shape.
/// Errors: kOnnxShape for constants that make no sense (index out of range, division by zero).
Result<std::vector<std::optional<Constant>>> FoldNode(const Node& node,
                                                      const std::vector<const Constant*>& inputs,
                                                      const std::vector<Shape>& output_shapes,
                                                      const std::vector<std::int32_t>& types,
                                                      std::int64_t opset);

}  // namespace sluice::io::onnx_import
