/// \file
/// The life of an import: strip, parse, choose the extents of the inputs, sort, translate, check.
///
/// `--batch` is checked against what it should do: multiply-accumulates must grow exactly with the
/// batch. Exporters like to write the batch into the constants of reshapes, where a changed one
/// either does not fit or, behind a -1, silently ends up in another axis. Tested by
/// tests/unit/onnx_test.cpp and tests/unit/onnx_errors_test.cpp.

#include "io/onnx/onnx.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/file.h"
#include "base/text.h"
#include "io/onnx/graph.h"
#include "io/onnx/importer.h"
#include "io/onnx/shapes.h"
#include "ir/network.h"

namespace sluice::io {

namespace {

using onnx_import::DeclaredDim;
using onnx_import::ElementBits;
using onnx_import::Graph;
using onnx_import::Importer;
using onnx_import::kMaxElements;
using onnx_import::kMaxRank;
using onnx_import::Shape;
using onnx_import::Value;

constexpr std::int64_t kMaxFileBytes = std::int64_t{2} << 30;

/// Turns declared extents into numbers.
class InputShapes {
 public:
  InputShapes(Graph* graph, const OnnxOptions& options) : graph_(graph), options_(options) {}

  Status Resolve();
  /// Extent of axis 0 of the inputs as the model has it (1 where symbolic).
  [[nodiscard]] std::int64_t exported_batch() const { return exported_batch_; }

 private:
  [[nodiscard]] Status CheckOptions() const;
  Status CheckBatch();
  Result<Shape> ShapeOf(const Value& v);
  Result<std::int64_t> Extent(const Value& v, std::size_t axis, const DeclaredDim& dim);

  Graph* graph_;
  const OnnxOptions& options_;
  std::set<std::string> used_;
  std::set<std::string> known_;
  std::int64_t exported_batch_ = 1;
};

Status InputShapes::CheckOptions() const {
  if (options_.batch < 0 || options_.batch > kMaxElements) {
    return Fail(Diagnostic(ErrorCode::kBadValue,
                           fmt::format("batch {} is not positive or too large", options_.batch))
                    .WithHint("use for example --batch 8"));
  }
  for (const auto& [name, extent] : options_.dims) {
    if (extent < 1 || extent > kMaxElements) {
      return Fail(Diagnostic(ErrorCode::kBadValue,
                             fmt::format("dim `{}` has value {}, it must be 1..2^40", name, extent))
                      .WithHint(fmt::format("use for example --dim {}=128", name)));
    }
  }
  return {};
}

/// All inputs with axes must agree on the batch, or changing it would mean nothing.
Status InputShapes::CheckBatch() {
  const Value* first = nullptr;
  std::int64_t batch = 0;
  for (const int input : graph_->inputs) {
    const Value& v = graph_->values[static_cast<std::size_t>(input)];
    if (!v.declared || v.declared->empty()) {
      continue;
    }
    const std::int64_t extent = v.declared->front().value;
    if (first != nullptr && extent >= 1 && batch >= 1 && extent != batch) {
      return Fail(
          Diagnostic(ErrorCode::kBadValue,
                     fmt::format("inputs `{}` and `{}` have extents {} and {} on axis 0, so it is "
                                 "not the batch of both",
                                 first->name, v.name, batch, extent))
              .WithHint(fmt::format("set axes one by one, for example --dim {}:0={}", first->name,
                                    options_.batch)));
    }
    if (first == nullptr || batch < 1) {
      first = &v;
      batch = extent;
    }
  }
  if (first == nullptr) {
    return Fail(Diagnostic(ErrorCode::kBadValue, "no graph input has an axis a batch could set")
                    .WithHint("leave --batch out"));
  }
  exported_batch_ = batch >= 1 ? batch : 1;
  return {};
}

Result<std::int64_t> InputShapes::Extent(const Value& v, std::size_t axis, const DeclaredDim& dim) {
  const std::string key = fmt::format("{}:{}", v.name, axis);
  known_.insert(key);
  if (!dim.symbol.empty()) {
    known_.insert(dim.symbol);
  }
  for (const std::string& name : {key, dim.symbol}) {
    if (const auto it = options_.dims.find(name); !name.empty() && it != options_.dims.end()) {
      used_.insert(name);
      return it->second;
    }
  }
  if (axis == 0 && options_.batch > 0) {
    return options_.batch;
  }
  if (dim.value >= 1 && dim.value < kMaxElements) {
    return dim.value;
  }
  if (dim.value >= kMaxElements) {
    return Fail(Diagnostic(ErrorCode::kOnnxOverflow,
                           fmt::format("axis {} of graph input `{}` has extent {}", axis, v.name,
                                       dim.value))
                    .WithHint("extents must be below 2^40"));
  }
  const std::string batch = axis == 0 ? " or --batch 1" : "";
  if (dim.symbol.empty()) {
    return Fail(
        Diagnostic(ErrorCode::kOnnxDynamicDim,
                   fmt::format("axis {} of graph input `{}` has no static extent{}", axis, v.name,
                               dim.value == -1 ? "" : fmt::format(" (it says {})", dim.value)))
            .WithHint(fmt::format("set it: --dim {}=1{}", key, batch)));
  }
  return Fail(Diagnostic(ErrorCode::kOnnxDynamicDim,
                         fmt::format("axis {} of graph input `{}` is symbolic (`{}`)", axis, v.name,
                                     dim.symbol))
                  .WithHint(fmt::format("set it: --dim {}=1{}", dim.symbol, batch)));
}

Result<Shape> InputShapes::ShapeOf(const Value& v) {
  if (!v.declared) {
    return Fail(Diagnostic(ErrorCode::kOnnxDynamicDim,
                           fmt::format("graph input `{}` is no tensor or has no shape", v.name))
                    .WithHint("export the model with static input shapes"));
  }
  if (ElementBits(v.type) == 0) {
    return Fail(Diagnostic(ErrorCode::kOnnxUnsupportedOp,
                           fmt::format("graph input `{}` has element type {}, which is no number",
                                       v.name, v.type))
                    .WithHint("only numeric tensors can be planned"));
  }
  if (v.declared->size() > kMaxRank) {
    return Fail(Diagnostic(ErrorCode::kOnnxShape,
                           fmt::format("graph input `{}` has rank {}", v.name, v.declared->size()))
                    .WithHint(fmt::format("at most {} axes are supported", kMaxRank)));
  }
  Shape shape;
  for (std::size_t axis = 0; axis < v.declared->size(); ++axis) {
    SLUICE_TRY(const std::int64_t extent, Extent(v, axis, (*v.declared)[axis]));
    shape.push_back(extent);
  }
  SLUICE_TRY(const std::int64_t elements, onnx_import::ElementCount(shape));
  if (elements >= kMaxElements) {
    return Fail(Diagnostic(ErrorCode::kOnnxOverflow,
                           fmt::format("graph input `{}` of shape {} has {} elements", v.name,
                                       onnx_import::ShapeText(shape), elements))
                    .WithHint("a tensor must have fewer than 2^40 elements"));
  }
  return shape;
}

Status InputShapes::Resolve() {
  SLUICE_TRY_STATUS(CheckOptions());
  if (options_.batch > 0) {
    SLUICE_TRY_STATUS(CheckBatch());
  }
  for (const int input : graph_->inputs) {
    Value& v = graph_->values[static_cast<std::size_t>(input)];
    SLUICE_TRY(v.shape, ShapeOf(v));
  }
  for (const auto& [name, extent] : options_.dims) {
    if (!used_.contains(name)) {
      const std::vector<std::string> candidates(known_.begin(), known_.end());
      const std::string close = ClosestMatch(name, candidates);
      return Fail(Diagnostic(ErrorCode::kUnknownName,
                             fmt::format("no graph input has a dim called `{}`", name))
                      .WithHint(close.empty()
                                    ? "name a symbol of the model or an axis as input:axis"
                                    : fmt::format("did you mean `{}`?", close)));
    }
  }
  // What the model declares beyond its inputs holds for the exported extents only.
  if (options_.batch > 0 || !options_.dims.empty()) {
    for (Value& v : graph_->values) {
      if (!v.is_input) {
        v.declared.reset();
      }
    }
  }
  return {};
}

Status CheckOpset(std::int64_t opset) {
  if (opset >= kOldestOnnxOpset && opset <= kNewestOnnxOpset) {
    return {};
  }
  return Fail(Diagnostic(ErrorCode::kOnnxUnsupportedOpset,
                         fmt::format("the model uses opset {}, opsets {} to {} are supported",
                                     opset, kOldestOnnxOpset, kNewestOnnxOpset))
                  .WithHint(opset < kOldestOnnxOpset
                                ? "convert it with onnx.version_converter, or export it again"
                                : "export it again with an older opset"));
}

Status CheckStored(const Graph& graph) {
  for (const Value& v : graph.values) {
    if (!v.is_constant) {
      continue;
    }
    SLUICE_TRY(const std::int64_t elements, onnx_import::ElementCount(v.known_shape()));
    if (elements >= kMaxElements || v.known_shape().size() > kMaxRank) {
      return Fail(Diagnostic(ErrorCode::kOnnxOverflow,
                             fmt::format("initialiser `{}` of shape {} is too large", v.name,
                                         onnx_import::ShapeText(v.known_shape())))
                      .WithHint("a tensor must have fewer than 2^40 elements and 33 axes"));
    }
    if (ElementBits(v.type) == 0) {
      return Fail(Diagnostic(ErrorCode::kOnnxUnsupportedOp,
                             fmt::format("initialiser `{}` has element type {}, which is no number",
                                         v.name, v.type))
                      .WithHint("only numeric tensors can be planned"));
    }
  }
  return {};
}

/// One import of an already parsed graph.
Result<ir::Network> Translate(Graph graph, const std::string& file_name, const OnnxOptions& options,
                              std::int64_t* exported_batch) {
  InputShapes shapes(&graph, options);
  SLUICE_TRY_STATUS(shapes.Resolve());
  *exported_batch = shapes.exported_batch();
  return Importer(std::move(graph), file_name, options.skip_unknown).Run();
}

/// MACs must be proportional to the batch.
Status CheckBatchScales(const ir::Network& scaled, const Graph& graph, const OnnxOptions& options,
                        std::int64_t exported_batch) {
  if (options.batch == exported_batch) {
    return {};
  }
  OnnxOptions exported = options;
  exported.batch = exported_batch;
  std::int64_t ignored = 0;
  const Result<ir::Network> reference = Translate(graph, "", exported, &ignored);
  if (!reference || reference->macs() == 0) {
    return {};
  }
  if (scaled.macs() % options.batch == 0 && reference->macs() % exported_batch == 0 &&
      scaled.macs() / options.batch == reference->macs() / exported_batch) {
    return {};
  }
  return Fail(
      Diagnostic(
          ErrorCode::kOnnxShape,
          fmt::format("batch {} makes {} multiply-accumulates, {} times the {} of batch {} "
                      "were expected: constants of the model contain the exported batch",
                      options.batch, scaled.macs(),
                      static_cast<double>(options.batch) / static_cast<double>(exported_batch),
                      reference->macs(), exported_batch))
          .WithHint("export the model with a dynamic batch axis"));
}

Result<ir::Network> Import(std::string_view bytes, const std::string& file_name,
                           const OnnxOptions& options) {
  SLUICE_TRY(std::string stripped, onnx_import::StripModel(bytes));
  SLUICE_TRY(Graph graph, onnx_import::ReadGraph(stripped));
  stripped = {};
  SLUICE_TRY_STATUS(CheckOpset(graph.opset));
  SLUICE_TRY_STATUS(CheckStored(graph));
  SLUICE_TRY_STATUS(onnx_import::SortNodes(&graph));
  std::int64_t exported_batch = 1;
  if (options.batch == 0) {
    return Translate(std::move(graph), file_name, options, &exported_batch);
  }
  SLUICE_TRY(ir::Network network, Translate(graph, file_name, options, &exported_batch));
  SLUICE_TRY_STATUS(CheckBatchScales(network, graph, options, exported_batch));
  return network;
}

}  // namespace

Result<ir::Network> ImportOnnx(std::string_view bytes, const std::string& file_name,
                               const OnnxOptions& options) {
  Result<ir::Network> network = Import(bytes, file_name, options);
  if (!network) {
    Diagnostic diagnostic = std::move(network).error();
    diagnostic.span.file = file_name;
    return Fail(std::move(diagnostic));
  }
  return network;
}

Result<ir::Network> LoadOnnx(const std::string& path, const OnnxOptions& options) {
  SLUICE_TRY(const std::string bytes, ReadFile(path, kMaxFileBytes));
  return ImportOnnx(bytes, path, options);
}

}  // namespace sluice::io
