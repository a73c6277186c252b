/// \file
/// Matrix products: Gemm, batched MatMul with broadcasting, Einsum, attention. Dims B (batch), M,
/// N, K; Einsum's are its letters. Tested by tests/unit/onnx_ops_test.cpp,
/// tests/differential/onnx_shapes_test.cpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/diagnostic.h"
#include "io/onnx/graph.h"
#include "io/onnx/importer.h"
#include "io/onnx/shapes.h"
#include "ir/network.h"

namespace sluice::io::onnx_import {

namespace {

/// Inputs A, B, C: A' B' + C, C broadcast to the result.
Status Gemm(Importer& importer, const Node& node, const OpRow&) {
  const Shape a = importer.ShapeOf(node, 0);
  const Shape b = importer.ShapeOf(node, 1);
  const bool ta = node.Int("transA", 0) != 0;
  const bool tb = node.Int("transB", 0) != 0;
  if (a.size() != 2 || b.size() != 2 || a[ta ? 0 : 1] != b[tb ? 1 : 0]) {
    return Importer::ShapeError(fmt::format("{}{} times {}{} is no matrix product", ShapeText(a),
                                            ta ? "'" : "", ShapeText(b), tb ? "'" : ""));
  }
  const Shape y{a[ta ? 1 : 0], b[tb ? 0 : 1]};
  const std::int32_t type = importer.TypeOf(node, 0);
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, type));
  const bool has_c = Importer::Has(node, 2);
  if (has_c) {
    SLUICE_TRY(const Shape sum, Broadcast(y, importer.ShapeOf(node, 2)));
    if (sum != y) {
      return Importer::ShapeError(fmt::format("C {} does not broadcast to {}",
                                              ShapeText(importer.ShapeOf(node, 2)), ShapeText(y)));
    }
  }
  const bool parameter = has_c && importer.Input(node, 2).is_constant;
  int out = node.outputs[0];
  if (has_c && !parameter) {
    SLUICE_TRY(out, importer.NewValue(importer.value(out).name + ".unbiased", y, type));
  }
  OpBuilder op(importer, node);
  const int m = op.Dim("M", y[0]);
  const int n = op.Dim("N", y[1]);
  const int k = op.Dim("K", a[ta ? 0 : 1]);
  op.Read(node.inputs[0], ta ? AlongAll({k, m}) : AlongAll({m, k}));
  op.Read(node.inputs[1], tb ? AlongAll({n, k}) : AlongAll({k, n}));
  if (parameter) {
    op.Parameter(node.inputs[2], {});
  }
  SLUICE_TRY_STATUS(op.Accumulate(out, AlongAll({m, n})).Work(ir::WorkClass::kMac, 1).Emit());
  return has_c && !parameter ? importer.EmitAdd(node, out, node.inputs[2], node.outputs[0])
                             : Status{};
}

/// `a` times `b` by the rules of numpy.matmul, into a new or given value.
struct Product {
  Shape y;      ///< as ONNX has it
  Shape batch;  ///< broadcast
  std::int64_t m = 1;
  std::int64_t n = 1;
  std::int64_t k = 1;
};

Result<Product> PlanProduct(const Shape& a, const Shape& b) {
  Product p;
  if (a.empty() || b.empty()) {
    return Importer::ShapeError("a scalar is no matrix");
  }
  p.k = a.back();
  p.m = a.size() > 1 ? a[a.size() - 2] : 1;
  p.n = b.size() > 1 ? b.back() : 1;
  if ((b.size() > 1 ? b[b.size() - 2] : b[0]) != p.k) {
    return Importer::ShapeError(
        fmt::format("{} times {} is no matrix product", ShapeText(a), ShapeText(b)));
  }
  const auto outer = [](const Shape& s) {
    return Shape(s.begin(), s.size() > 2 ? s.end() - 2 : s.begin());
  };
  SLUICE_TRY(p.batch, Broadcast(outer(a), outer(b)));
  p.y = p.batch;
  if (a.size() > 1) {
    p.y.push_back(p.m);
  }
  if (b.size() > 1) {
    p.y.push_back(p.n);
  }
  return p;
}

Status EmitProduct(Importer& importer, const Node& node, const Product& p, std::size_t a_input,
                   std::size_t b_input, const std::vector<std::size_t>& parameters) {
  OpBuilder op(importer, node);
  std::vector<int> batch;
  batch.reserve(p.batch.size());
  for (std::size_t i = 0; i < p.batch.size(); ++i) {
    batch.push_back(op.Dim(p.batch.size() == 1 ? "B" : fmt::format("B{}", i), p.batch[i]));
  }
  const int m = op.Dim("M", p.m);
  const int n = op.Dim("N", p.n);
  const int k = op.Dim("K", p.k);
  const auto axes = [&](const Shape& shape, const std::vector<int>& inner) {
    const std::size_t outer = shape.size() - inner.size();
    std::vector<ir::AxisExpr> result;
    for (std::size_t i = 0; i < outer; ++i) {
      const int dim = batch[batch.size() - outer + i];
      result.push_back(shape[i] == 1 ? ir::AxisExpr{} : Along(dim));
    }
    for (const int dim : inner) {
      result.push_back(Along(dim));
    }
    return result;
  };
  const Shape& a = importer.ShapeOf(node, a_input);
  const Shape& b = importer.ShapeOf(node, b_input);
  op.Read(node.inputs[a_input], axes(a, a.size() > 1 ? std::vector{m, k} : std::vector{k}));
  op.Read(node.inputs[b_input], axes(b, b.size() > 1 ? std::vector{k, n} : std::vector{k}));
  for (const std::size_t i : parameters) {
    if (Importer::Has(node, i) && importer.Input(node, i).is_constant) {
      op.Parameter(node.inputs[i], {});
    }
  }
  std::vector<int> out = batch;
  if (a.size() > 1) {
    out.push_back(m);
  }
  if (b.size() > 1) {
    out.push_back(n);
  }
  return op.Accumulate(node.outputs[0], AlongAll(out)).Work(ir::WorkClass::kMac, 1).Emit();
}

Status MatMul(Importer& importer, const Node& node, const OpRow&) {
  SLUICE_TRY(const Product p, PlanProduct(importer.ShapeOf(node, 0), importer.ShapeOf(node, 1)));
  SLUICE_TRY_STATUS(importer.Define(node, 0, p.y, importer.TypeOf(node, 0)));
  return EmitProduct(importer, node, p, 0, 1, {});
}

/// Inputs: a, b, a_zero_point, b_zero_point.
Status MatMulInteger(Importer& importer, const Node& node, const OpRow&) {
  SLUICE_TRY(const Product p, PlanProduct(importer.ShapeOf(node, 0), importer.ShapeOf(node, 1)));
  SLUICE_TRY_STATUS(importer.Define(node, 0, p.y, kInt32Type));
  return EmitProduct(importer, node, p, 0, 1, {2, 3});
}

/// Inputs: a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point.
Status QLinearMatMul(Importer& importer, const Node& node, const OpRow&) {
  SLUICE_TRY(const Product p, PlanProduct(importer.ShapeOf(node, 0), importer.ShapeOf(node, 3)));
  SLUICE_TRY_STATUS(importer.Define(node, 0, p.y, importer.TypeOf(node, 7)));
  return EmitProduct(importer, node, p, 0, 3, {1, 2, 4, 5, 6, 7});
}

/// One operand's labels; the axes of an ellipsis become labels of their own, aligned at the right.
using Labels = std::vector<std::string>;

Result<Labels> ParseLabels(std::string_view text, std::size_t rank, std::size_t ellipsis_rank) {
  Labels labels;
  const std::size_t dots = text.find("...");
  std::size_t letters = 0;
  for (const char c : text) {
    letters += c == '.' ? 0U : 1U;
  }
  if (dots != std::string_view::npos && letters > rank) {
    return Importer::ShapeError(fmt::format("`{}` names more axes than the operand has", text));
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == dots) {
      for (std::size_t e = ellipsis_rank - (rank - letters); e < ellipsis_rank; ++e) {
        labels.push_back(fmt::format("B{}", e));
      }
      i += 2;
    } else if ((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z')) {
      labels.emplace_back(1, text[i]);
    } else {
      return Importer::ShapeError(fmt::format("`{}` is no letter of an equation", text[i]));
    }
  }
  if (labels.size() != rank) {
    return Importer::ShapeError(fmt::format("`{}` does not name {} axes", text, rank));
  }
  return labels;
}

struct Equation {
  std::vector<Labels> inputs;
  Labels output;
  std::map<std::string, std::int64_t> extents;
};

Status MergeExtents(const Labels& labels, const Shape& shape, Equation* equation) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::int64_t& extent = equation->extents.emplace(labels[i], 1).first->second;
    if (extent != shape[i] && extent != 1 && shape[i] != 1) {
      return Importer::ShapeError(
          fmt::format("`{}` stands for {} and {}", labels[i], extent, shape[i]));
    }
    extent = std::max(extent, shape[i]);
  }
  return {};
}

Result<Equation> ParseEquation(const Importer& importer, const Node& node) {
  std::string text = node.String("equation", "");
  constexpr std::size_t kMaxOperands = 5;  // six tensors less the output
  if (text.size() > 1024 || node.inputs.size() > kMaxOperands) {
    return Importer::Unsupported(
        fmt::format("an equation of {} letters for {} operands", text.size(), node.inputs.size()));
  }
  std::erase(text, ' ');
  const std::size_t arrow = text.find("->");
  const std::string left = text.substr(0, arrow);
  std::vector<std::string> terms;
  for (std::size_t at = 0; at <= left.size();) {
    const std::size_t comma = std::min(left.find(',', at), left.size());
    terms.push_back(left.substr(at, comma - at));
    at = comma + 1;
  }
  if (terms.size() != node.inputs.size()) {
    return Importer::ShapeError(fmt::format("equation `{}` has {} operands, the node {}", text,
                                            terms.size(), node.inputs.size()));
  }
  std::size_t ellipsis_rank = 0;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (!Importer::Has(node, i)) {
      return Importer::ShapeError("an operand is missing");
    }
    const std::size_t rank = importer.ShapeOf(node, i).size();
    const bool dots = terms[i].find("...") != std::string::npos;
    const std::size_t letters = terms[i].size() - (dots ? 3 : 0);
    if (dots && rank > letters) {
      ellipsis_rank = std::max(ellipsis_rank, rank - letters);
    }
  }
  Equation equation;
  std::map<std::string, int> seen;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const Shape& shape = importer.ShapeOf(node, i);
    SLUICE_TRY(Labels labels, ParseLabels(terms[i], shape.size(), ellipsis_rank));
    SLUICE_TRY_STATUS(MergeExtents(labels, shape, &equation));
    for (const std::string& label : labels) {
      ++seen[label];
    }
    equation.inputs.push_back(std::move(labels));
  }
  if (arrow != std::string::npos) {
    const std::string right = text.substr(arrow + 2);
    const bool dots = right.find("...") != std::string::npos;
    const std::size_t letters = right.size() - (dots ? 3 : 0);
    SLUICE_TRY(equation.output,
               ParseLabels(right, letters + (dots ? ellipsis_rank : 0), ellipsis_rank));
  } else {
    for (std::size_t e = 0; e < ellipsis_rank; ++e) {
      equation.output.push_back(fmt::format("B{}", e));
    }
    for (const auto& [label, count] : seen) {  // letters that occur once, alphabetically
      if (label.size() == 1 && count == 1) {
        equation.output.push_back(label);
      }
    }
  }
  std::set<std::string> unique;
  for (const std::string& label : equation.output) {
    if (!seen.contains(label) || !unique.insert(label).second) {
      return Importer::ShapeError(fmt::format("output label `{}` is unknown or repeated", label));
    }
  }
  return equation;
}

Status Einsum(Importer& importer, const Node& node, const OpRow&) {
  SLUICE_TRY(const Equation equation, ParseEquation(importer, node));
  Shape y;
  for (const std::string& label : equation.output) {
    y.push_back(equation.extents.at(label));
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, y, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  std::map<std::string, int> dims;
  const auto add = [&](const Labels& labels) {
    for (const std::string& label : labels) {
      if (!dims.contains(label)) {
        dims[label] = op.Dim(label, equation.extents.at(label));
      }
    }
  };
  add(equation.output);
  for (const Labels& labels : equation.inputs) {
    add(labels);
  }
  for (std::size_t i = 0; i < equation.inputs.size(); ++i) {
    const Shape& shape = importer.ShapeOf(node, i);
    std::vector<ir::AxisExpr> axes;
    axes.reserve(shape.size());
    for (std::size_t x = 0; x < shape.size(); ++x) {
      axes.push_back(shape[x] == 1 ? ir::AxisExpr{} : Along(dims.at(equation.inputs[i][x])));
    }
    op.Read(node.inputs[i], std::move(axes));
  }
  std::vector<ir::AxisExpr> out;
  for (const std::string& label : equation.output) {
    out.push_back(Along(dims.at(label)));
  }
  const bool reduces = dims.size() > equation.output.size();
  const auto operands = static_cast<std::int64_t>(equation.inputs.size());
  if (reduces || operands > 1) {
    op.Accumulate(node.outputs[0], std::move(out));
  } else {
    op.Write(node.outputs[0], std::move(out));
  }
  if (operands > 1) {
    op.Work(ir::WorkClass::kMac, operands - 1);
  } else {
    op.Work(reduces ? ir::WorkClass::kVector : ir::WorkClass::kMove, 1);
  }
  return op.Emit();
}

/// Extents of Attention: query heads are `groups` per head of keys and values.
struct Heads {
  std::int64_t batch = 1;
  std::int64_t heads = 1;
  std::int64_t groups = 1;
  std::int64_t queries = 1;
  std::int64_t keys = 1;
  std::int64_t depth = 1;
  std::int64_t value_depth = 1;
  bool packed = false;  ///< rank 3: heads and depth share the last axis
};

Result<Heads> PlanHeads(const Importer& importer, const Node& node) {
  const Shape& q = importer.ShapeOf(node, 0);
  const Shape& k = importer.ShapeOf(node, 1);
  const Shape& v = importer.ShapeOf(node, 2);
  Heads h;
  h.packed = q.size() == 3;
  const std::int64_t q_heads = h.packed ? node.Int("q_num_heads", 0) : q.size() > 1 ? q[1] : 0;
  h.heads = h.packed ? node.Int("kv_num_heads", 0) : k.size() > 1 ? k[1] : 0;
  const bool ranks = (h.packed || q.size() == 4) && k.size() == q.size() && v.size() == q.size();
  if (!ranks || h.heads < 1 || q_heads < 1 || q_heads % h.heads != 0 || q[0] != k[0] ||
      q[0] != v[0] ||
      (h.packed && (q[2] % q_heads != 0 || k[2] % h.heads != 0 || v[2] % h.heads != 0))) {
    return Importer::ShapeError(
        fmt::format("queries {}, keys {} and values {} do not make {} and {} "
                    "heads",
                    ShapeText(q), ShapeText(k), ShapeText(v), q_heads, h.heads));
  }
  h.batch = q[0];
  h.groups = q_heads / h.heads;
  h.queries = q[h.packed ? 1 : 2];
  h.keys = k[h.packed ? 1 : 2];
  h.depth = h.packed ? q[2] / q_heads : q[3];
  h.value_depth = h.packed ? v[2] / h.heads : v[3];
  const std::int64_t key_depth = h.packed ? k[2] / h.heads : k[3];
  if (key_depth != h.depth || v[h.packed ? 1 : 2] != h.keys || (!h.packed && v[1] != h.heads)) {
    return Importer::ShapeError(fmt::format("keys {} and values {} do not match queries {}",
                                            ShapeText(k), ShapeText(v), ShapeText(q)));
  }
  return h;
}

/// The dims that choose a head; `group` is -1 where heads are shared.
struct HeadDims {
  int batch;
  int head;
  int group;
};

/// Axes of queries or the result (grouped) or of keys and values, whichever way heads are stored.
std::vector<ir::AxisExpr> HeadAxes(const Heads& h, const HeadDims& dims, int row, int column,
                                   std::int64_t depth) {
  const int b = dims.batch;
  Terms terms{{dims.head, dims.group < 0 ? 1 : h.groups}};
  if (dims.group >= 0) {
    terms.emplace_back(dims.group, 1);
  }
  if (!h.packed) {
    return {Along(b), Affine(terms), Along(row), Along(column)};
  }
  for (auto& [dim, coefficient] : terms) {
    coefficient *= depth;
  }
  terms.emplace_back(column, 1);
  return {Along(b), Along(row), Affine(terms)};
}

/// scores = Q K', softmax over whole rows with the mask added, result = softmax V.
Status Attention(Importer& importer, const Node& node, const OpRow&) {
  SLUICE_TRY(const Heads h, PlanHeads(importer, node));
  if (Importer::Has(node, 4) || Importer::Has(node, 5) || importer.Wants(node, 1) ||
      importer.Wants(node, 2) || importer.Wants(node, 3)) {
    return Importer::Unsupported("past and present keys and values, and the scores as an output");
  }
  const std::int32_t type = importer.TypeOf(node, 0);
  const std::int64_t q_heads = h.heads * h.groups;
  const auto columns = CheckedMul(q_heads, h.value_depth);
  if (!columns) {
    return Importer::ShapeError("the heads of the result do not fit 63 bits");
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0,
                                    h.packed ? Shape{h.batch, h.queries, *columns}
                                             : Shape{h.batch, q_heads, h.queries, h.value_depth},
                                    type));
  const Shape score_shape{h.batch, q_heads, h.queries, h.keys};
  SLUICE_TRY(const int scores, importer.NewValue(node.name + ".scores", score_shape, type));
  SLUICE_TRY(const int weights, importer.NewValue(node.name + ".softmax", score_shape, type));

  const auto product = [&](const std::string& suffix, bool first) {
    OpBuilder op(importer, node, suffix);
    const int b = op.Dim("B", h.batch);
    const int head = op.Dim("H", h.heads);
    const int group = op.Dim("G", h.groups);
    const int m = op.Dim("M", h.queries);
    const int n = op.Dim("N", first ? h.keys : h.value_depth);
    const int k = op.Dim("K", first ? h.depth : h.keys);
    const auto score = [&](int column) {
      return std::vector<ir::AxisExpr>{Along(b), Affine({{head, h.groups}, {group, 1}}), Along(m),
                                       Along(column)};
    };
    const HeadDims apart{b, head, group};
    const HeadDims shared{b, head, -1};
    if (first) {
      op.Read(node.inputs[0], HeadAxes(h, apart, m, k, h.depth));
      op.Read(node.inputs[1], HeadAxes(h, shared, n, k, h.depth));
      op.Accumulate(scores, score(n));
    } else {
      op.Read(weights, score(k));
      op.Read(node.inputs[2], HeadAxes(h, shared, k, n, h.value_depth));
      op.Accumulate(node.outputs[0], HeadAxes(h, apart, m, n, h.value_depth));
    }
    return op.Work(ir::WorkClass::kMac, 1).Emit();
  };
  SLUICE_TRY_STATUS(product("scores", true));
  OpBuilder softmax(importer, node, "softmax");
  const std::vector<int> dims = softmax.DimsFor(score_shape);
  softmax.SetWhole(dims.back());
  softmax.Read(scores, AlongAll(dims));
  if (Importer::Has(node, 3)) {
    SLUICE_TRY(const Shape masked, Broadcast(score_shape, importer.ShapeOf(node, 3)));
    if (masked != score_shape) {
      return Importer::ShapeError("the mask does not broadcast to the scores");
    }
    softmax.ReadBroadcast(node.inputs[3], dims);
  }
  SLUICE_TRY_STATUS(softmax.Write(weights, AlongAll(dims))
                        .Work(ir::WorkClass::kTranscendental, 1)
                        .Work(ir::WorkClass::kVector, 6)  // scale, mask, and those of a softmax
                        .Emit());
  return product("values", false);
}

/// Inputs: x, cosines, sines, positions. Each element is rotated with its partner in the same row,
/// so rows stay whole.
Status RotaryEmbedding(Importer& importer, const Node& node, const OpRow& row) {
  const Shape x = importer.ShapeOf(node, 0);
  if (x.size() != 3 && x.size() != 4) {
    return Importer::ShapeError(fmt::format("x has shape {}, rank 3 or 4 is needed", ShapeText(x)));
  }
  SLUICE_TRY_STATUS(importer.Define(node, 0, x, importer.TypeOf(node, 0)));
  OpBuilder op(importer, node);
  const std::vector<int> dims = op.DimsFor(x);
  op.SetWhole(dims.back());
  op.Read(node.inputs[0], AlongAll(dims));
  for (std::size_t i = 1; i < 4; ++i) {
    if (!Importer::Has(node, i)) {
      continue;
    }
    // Tables indexed by position: a row for each place of the sequence, wherever it stands.
    std::vector<ir::AxisExpr> axes(importer.ShapeOf(node, i).size(), op.Indirect({}));
    if (!axes.empty()) {
      axes.front() = op.Indirect({dims[dims.size() - 2]});
      axes.back() = axes.size() > 1 ? op.Indirect({dims.back()}) : axes.back();
    }
    op.Parameter(node.inputs[i], std::move(axes));
  }
  return op.Write(node.outputs[0], AlongAll(dims)).Work(row).Emit();
}

constexpr OpRow kRows[] = {
    {"Gemm", Gemm, 2},
    {"MatMul", MatMul, 2},
    {"MatMulInteger", MatMulInteger, 2},
    {"QLinearMatMul", QLinearMatMul, 8},
    {"Einsum", Einsum, 1},
    {"Attention", Attention, 3},
    {"RotaryEmbedding", RotaryEmbedding, 3, 3},  // two products and a sum
};

}  // namespace

std::span<const OpRow> MatmulRows() {
  return kRows;
}

}  // namespace sluice::io::onnx_import
