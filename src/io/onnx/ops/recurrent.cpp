/// \file
/// RNN, GRU and LSTM as several operators per direction, so that a planner sees what they are:
///   input      gates_x[t, b, n] += X[t, b, k] * W[n, k]           all steps at once
///   recurrent  gates_h[t, b, n] += H[t - 1, b, k] * R[n, k]       T is whole: steps follow each
///   other cell       C[t, b, h]  from the gates and C[t - 1]            (LSTM only) hidden Y[t, b,
///   h]  from the gates and C or Y[t - 1] last       the last step's Y and C, where asked for
/// The previous step is a *carried* tensor (ir::Tensor::storage), read at offset -1 in time (+1 for
/// the reverse direction), so the network stays acyclic. Gates are G blocks of H along n. Tested by
/// tests/unit/onnx_ops_test.cpp, tests/differential/onnx_shapes_test.cpp.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "io/onnx/graph.h"
#include "io/onnx/importer.h"
#include "io/onnx/shapes.h"
#include "ir/network.h"

namespace sluice::io::onnx_import {

namespace {

/// Extents of one recurrent layer.
struct Layer {
  std::int64_t steps = 1;
  std::int64_t batch = 1;
  std::int64_t features = 1;
  std::int64_t hidden = 1;
  std::int64_t gates = 1;
  std::int64_t directions = 1;
  bool batch_first = false;
  std::int32_t type = kFloatType;
};

/// Inputs: X, W, R, B, sequence_lens, initial_h, initial_c, P.
enum Inputs : std::size_t { kX, kW, kR, kB, kLengths, kInitialH, kInitialC, kPeepholes };

Result<Layer> PlanLayer(const Importer& importer, const Node& node, std::int64_t gates) {
  const Shape& x = importer.ShapeOf(node, kX);
  const Shape& w = importer.ShapeOf(node, kW);
  const Shape& r = importer.ShapeOf(node, kR);
  if (x.size() != 3 || w.size() != 3 || r.size() != 3) {
    return Importer::ShapeError("X, W and R must have rank 3");
  }
  Layer layer;
  layer.batch_first = node.Int("layout", 0) != 0;
  layer.steps = x[layer.batch_first ? 1 : 0];
  layer.batch = x[layer.batch_first ? 0 : 1];
  layer.features = x[2];
  layer.hidden = r[2];
  layer.gates = gates;
  layer.directions = node.String("direction", "forward") == "bidirectional" ? 2 : 1;
  layer.type = importer.TypeOf(node, kX);
  const std::int64_t rows = r[1];
  if (rows % gates != 0 || rows / gates != layer.hidden || w[1] != rows || w[2] != layer.features ||
      w[0] != layer.directions || r[0] != layer.directions) {
    return Importer::ShapeError(
        fmt::format("X {}, W {} and R {} do not make {} direction(s) of {} gates", ShapeText(x),
                    ShapeText(w), ShapeText(r), layer.directions, gates),
        "W is [directions, gates * hidden, features], R is [directions, gates "
        "* hidden, hidden]");
  }
  return layer;
}

/// Emits the operators of one direction.
class Direction {
 public:
  Direction(Importer& importer, const Node& node, const Layer& layer, std::int64_t index, int y)
      : importer_(importer), node_(node), layer_(layer), index_(index), y_(y) {
    const std::string direction = node.String("direction", "forward");
    previous_ = direction == "reverse" || index == 1 ? 1 : -1;
    prefix_ = fmt::format("{}.{}", importer.value(y).name, index == 1 ? "reverse" : "forward");
  }

  Status Prepare() {
    const Shape gates{layer_.steps, layer_.batch, layer_.gates * layer_.hidden};
    SLUICE_TRY(gates_x_, importer_.NewValue(prefix_ + ".gates_x", gates, layer_.type));
    SLUICE_TRY(gates_h_, importer_.NewValue(prefix_ + ".gates_h", gates, layer_.type));
    SLUICE_TRY(previous_y_, importer_.CarriedValue(prefix_ + ".previous", y_));
    return {};
  }

  Status EmitInput() {
    OpBuilder op(importer_, node_, Name("input"));
    const auto [t, b, n] = Dims(op, "N", layer_.gates * layer_.hidden, false);
    const int k = op.Dim("K", layer_.features);
    op.Read(node_.inputs[kX], layer_.batch_first ? AlongAll({b, t, k}) : AlongAll({t, b, k}));
    op.Read(node_.inputs[kW], {Here(), Along(n), Along(k)});
    if (Importer::Has(node_, kB)) {
      op.Parameter(node_.inputs[kB], {Here(), Along(n)});
    }
    return op.Accumulate(gates_x_, AlongAll({t, b, n})).Work(ir::WorkClass::kMac, 1).Emit();
  }

  Status EmitRecurrent() {
    OpBuilder op(importer_, node_, Name("recurrent"));
    const auto [t, b, n] = Dims(op, "N", layer_.gates * layer_.hidden, true);
    const int k = op.Dim("K", layer_.hidden);
    op.Read(previous_y_, State(t, b, Along(k), previous_));
    op.Read(node_.inputs[kR], {Here(), Along(n), Along(k)});
    ReadInitial(op, kInitialH, b, k);
    return op.Accumulate(gates_h_, AlongAll({t, b, n})).Work(ir::WorkClass::kMac, 1).Emit();
  }

  /// LSTM: the new cell state, from all gates and the old one.
  Status EmitCell() {
    const Shape shape{layer_.steps, layer_.batch, layer_.hidden};
    SLUICE_TRY(cell_, importer_.NewValue(prefix_ + ".cell", shape, layer_.type));
    SLUICE_TRY(const int previous, importer_.CarriedValue(prefix_ + ".previous_cell", cell_));
    OpBuilder op(importer_, node_, Name("cell"));
    const auto [t, b, h] = Dims(op, "H", layer_.hidden, true);
    const int g = op.Dim("G", layer_.gates);
    const ir::AxisExpr gate = Affine({{g, layer_.hidden}, {h, 1}});
    op.Read(gates_x_, {Along(t), Along(b), gate}).Read(gates_h_, {Along(t), Along(b), gate});
    op.Read(previous, {Affine({{t, 1}}, previous_), Along(b), Along(h)});
    if (Importer::Has(node_, kPeepholes)) {
      op.Parameter(node_.inputs[kPeepholes], {Here(), Affine({{h, 1}})});
    }
    ReadInitial(op, kInitialC, b, h);
    return op.Accumulate(cell_, AlongAll({t, b, h}))
        .Work(ir::WorkClass::kTranscendental, 1)
        .Work(ir::WorkClass::kVector, 2)
        .Emit();
  }

  /// LSTM: output gate times tanh of the cell.
  Status EmitHiddenFromCell() {
    OpBuilder op(importer_, node_, Name("hidden"));
    const auto [t, b, h] = Dims(op, "H", layer_.hidden, true);
    const ir::AxisExpr output_gate = Affine({{h, 1}}, layer_.hidden);  // gates come as i, o, f, c
    op.Read(gates_x_, {Along(t), Along(b), output_gate});
    op.Read(gates_h_, {Along(t), Along(b), output_gate});
    op.Read(cell_, AlongAll({t, b, h}));
    ReadLengths(op, b);
    return op.Write(y_, State(t, b, Along(h), 0))
        .Work(ir::WorkClass::kTranscendental, 1)
        .Work(ir::WorkClass::kVector, 1)
        .Emit();
  }

  /// GRU and RNN: the new state from the gates and, for GRU, the old state.
  Status EmitHidden() {
    OpBuilder op(importer_, node_, Name("hidden"));
    const auto [t, b, h] = Dims(op, "H", layer_.hidden, true);
    const int g = op.Dim("G", layer_.gates);
    const ir::AxisExpr gate = Affine({{g, layer_.hidden}, {h, 1}});
    op.Read(gates_x_, {Along(t), Along(b), gate}).Read(gates_h_, {Along(t), Along(b), gate});
    if (layer_.gates > 1) {
      op.Read(previous_y_, State(t, b, Along(h), previous_));
    }
    ReadLengths(op, b);
    return op.Accumulate(y_, State(t, b, Along(h), 0))
        .Work(ir::WorkClass::kTranscendental, 1)
        .Work(ir::WorkClass::kVector, 2)
        .Emit();
  }

  /// The state after the last step (the first in time for the reverse direction) to output `o`.
  Status EmitLast(std::size_t o, bool cell) {
    if (!importer_.Wants(node_, o)) {
      return {};
    }
    OpBuilder op(importer_, node_, Name(cell ? "last_cell" : "last"));
    const int b = op.Dim("B", layer_.batch);
    const int h = op.Dim("H", layer_.hidden);
    const ir::AxisExpr last = Affine({}, previous_ < 0 ? layer_.steps - 1 : 0);
    if (cell) {
      op.Read(cell_, {last, Along(b), Along(h)});
    } else if (layer_.batch_first) {
      op.Read(y_, {Along(b), last, Here(), Along(h)});
    } else {
      op.Read(y_, {last, Here(), Along(b), Along(h)});
    }
    op.Write(node_.outputs[o], layer_.batch_first
                                   ? std::vector<ir::AxisExpr>{Along(b), Here(), Along(h)}
                                   : std::vector<ir::AxisExpr>{Here(), Along(b), Along(h)});
    return op.Work(ir::WorkClass::kMove, 1).Emit();
  }

 private:
  struct StepDims {
    int t;
    int b;
    int inner;
  };

  [[nodiscard]] StepDims Dims(OpBuilder& op, const std::string& inner, std::int64_t bound,
                              bool sequential) const {
    const int t = op.Dim("T", layer_.steps, sequential);
    const int b = op.Dim("B", layer_.batch);
    return {t, b, op.Dim(inner, bound)};
  }
  [[nodiscard]] std::string Name(const std::string& part) const {
    return layer_.directions == 1 ? part
                                  : fmt::format("{}.{}", index_ == 1 ? "reverse" : "forward", part);
  }
  /// The axis of directions at this one.
  [[nodiscard]] ir::AxisExpr Here() const { return Affine({}, index_); }
  /// Axes of Y at time t + offset.
  [[nodiscard]] std::vector<ir::AxisExpr> State(int t, int b, const ir::AxisExpr& inner,
                                                std::int64_t offset) const {
    const ir::AxisExpr time = Affine({{t, 1}}, offset);
    if (layer_.batch_first) {
      return {Along(b), time, Here(), inner};
    }
    return {time, Here(), Along(b), inner};
  }
  /// States the first step starts from, if the network computes them.
  void ReadInitial(OpBuilder& op, std::size_t input, int b, int inner) const {
    if (Importer::Has(node_, input)) {
      op.Parameter(node_.inputs[input],
                   layer_.batch_first ? std::vector<ir::AxisExpr>{Along(b), Here(), Along(inner)}
                                      : std::vector<ir::AxisExpr>{Here(), Along(b), Along(inner)});
    }
  }
  void ReadLengths(OpBuilder& op, int b) const {
    if (Importer::Has(node_, kLengths)) {
      op.Parameter(node_.inputs[kLengths], {Along(b)});
    }
  }

  Importer& importer_;
  const Node& node_;
  Layer layer_;
  std::int64_t index_;
  std::int64_t previous_ = -1;
  std::string prefix_;
  int y_;
  int previous_y_ = -1;
  int gates_x_ = -1;
  int gates_h_ = -1;
  int cell_ = -1;
};

Status Recurrent(Importer& importer, const Node& node, std::int64_t gates, bool has_cell) {
  SLUICE_TRY(const Layer layer, PlanLayer(importer, node, gates));
  Shape y{layer.steps, layer.directions, layer.batch, layer.hidden};
  Shape state{layer.directions, layer.batch, layer.hidden};
  if (layer.batch_first) {
    y = {layer.batch, layer.steps, layer.directions, layer.hidden};
    state = {layer.batch, layer.directions, layer.hidden};
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, layer.type));
  SLUICE_TRY_STATUS(importer.Define(node, 1, state, layer.type));
  if (has_cell) {
    SLUICE_TRY_STATUS(importer.Define(node, 2, state, layer.type));
  }
  int out = importer.Wants(node, 0) ? node.outputs[0] : -1;
  if (out < 0) {
    SLUICE_TRY(out, importer.NewValue(node.name + ".Y", y, layer.type));
  }
  std::vector<Direction> directions;
  for (std::int64_t d = 0; d < layer.directions; ++d) {
    Direction& direction = directions.emplace_back(importer, node, layer, d, out);
    SLUICE_TRY_STATUS(direction.Prepare());
    SLUICE_TRY_STATUS(direction.EmitInput());
    SLUICE_TRY_STATUS(direction.EmitRecurrent());
    if (has_cell) {
      SLUICE_TRY_STATUS(direction.EmitCell());
      SLUICE_TRY_STATUS(direction.EmitHiddenFromCell());
    } else {
      SLUICE_TRY_STATUS(direction.EmitHidden());
    }
  }
  // Both directions write Y, so what reads it comes after both.
  for (Direction& direction : directions) {
    SLUICE_TRY_STATUS(direction.EmitLast(1, false));
    if (has_cell) {
      SLUICE_TRY_STATUS(direction.EmitLast(2, true));
    }
  }
  return {};
}

Status Rnn(Importer& importer, const Node& node, const OpRow&) {
  return Recurrent(importer, node, 1, false);
}
Status Gru(Importer& importer, const Node& node, const OpRow&) {
  return Recurrent(importer, node, 3, false);
}
Status Lstm(Importer& importer, const Node& node, const OpRow&) {
  return Recurrent(importer, node, 4, true);
}

constexpr OpRow kRows[] = {
    {"RNN", Rnn, 3, 0, 0, true}, {"GRU", Gru, 3, 0, 0, true}, {"LSTM", Lstm, 3, 0, 0, true}};

}  // namespace

std::span<const OpRow> RecurrentRows() {
  return kRows;
}

}  // namespace sluice::io::onnx_import
