#include "io/maestro/network.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/file.h"
#include "base/text.h"
#include "io/maestro/tokens.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::io {
namespace {

using mapping::kLayerDims;
using mapping::LayerDim;
using mapping::LayerType;

constexpr std::int64_t kMaxBytes = std::int64_t{16} << 20U;
constexpr std::size_t kMaxLayers = 4096;

std::optional<LayerDim> DimOf(std::string_view name) {
  for (int d = 0; d < kLayerDims; ++d) {
    const auto dim = static_cast<LayerDim>(d);
    if (mapping::LayerDimName(dim) == name) {
      return dim;
    }
  }
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(MaestroTokens tokens) : tokens_(std::move(tokens)) {}

  Result<MaestroNetwork> Network() {
    while (tokens_.TakeIf("Constant")) {
      SLUICE_TRY_STATUS(Constant());
    }
    SLUICE_TRY_STATUS(tokens_.Expect("Network", "at the beginning"));
    MaestroNetwork network;
    SLUICE_TRY(const MaestroToken name, tokens_.Name("the network's name"));
    network.name = std::string(name.text);
    SLUICE_TRY_STATUS(tokens_.Expect("{", "after the network's name"));
    while (!tokens_.TakeIf("}")) {
      const MaestroToken at = tokens_.Peek();
      SLUICE_TRY_STATUS(tokens_.Expect("Layer", "in the network"));
      if (network.layers.size() == kMaxLayers) {
        return Fail(tokens_.Error(ErrorCode::kFileTooLarge,
                                  fmt::format("more than {} layers", kMaxLayers), at));
      }
      SLUICE_TRY(MaestroLayer layer,
                 Layer(network.layers.empty() ? nullptr : &network.layers.back()));
      network.layers.push_back(std::move(layer));
    }
    if (!tokens_.Peek().end()) {
      return Fail(
          tokens_.Error(ErrorCode::kSyntax, "nothing may follow the network", tokens_.Peek()));
    }
    if (network.layers.empty()) {
      return Fail(tokens_.Error(ErrorCode::kMissingKey, "the network has no layer", name));
    }
    return network;
  }

 private:
  Status Constant() {
    SLUICE_TRY(const MaestroToken name, tokens_.Name("the constant's name"));
    SLUICE_TRY(const std::int64_t value, tokens_.Integer(tokens_.Take()));
    if (!constants_.emplace(name.text, value).second) {
      return Fail(tokens_.Error(ErrorCode::kDuplicateKey,
                                fmt::format("constant {} is defined twice", name.text), name));
    }
    return {};
  }

  Result<MaestroLayer> Layer(const MaestroLayer* before) {
    MaestroLayer layer;
    SLUICE_TRY(const MaestroToken name, tokens_.Name("the layer's name"));
    layer.name = std::string(name.text);
    SLUICE_TRY_STATUS(tokens_.Expect("{", "after the layer's name"));
    seen_ = {};
    while (!tokens_.TakeIf("}")) {
      SLUICE_TRY_STATUS(Section(layer, name));
    }
    if (!seen_.type || !seen_.dimensions) {
      return Fail(tokens_.Error(
          ErrorCode::kMissingKey,
          fmt::format("layer {} has no {}", layer.name, seen_.type ? "Dimensions" : "Type"), name));
    }
    if (!seen_.dataflow) {
      if (before == nullptr) {
        return Fail(tokens_
                        .Error(ErrorCode::kMissingKey,
                               fmt::format("layer {} has no Dataflow", layer.name), name)
                        .WithHint("only a later layer inherits the one before"));
      }
      layer.dataflow = before->dataflow;
    }
    if (auto valid = ValidateDataflow(layer.layer, layer.dataflow); !valid) {
      return Fail(tokens_.Error(valid.error().code,
                                fmt::format("layer {}: {}", layer.name, valid.error().message),
                                name));
    }
    return layer;
  }

  Status Section(MaestroLayer& layer, const MaestroToken& name) {
    const MaestroToken at = tokens_.Take();
    const auto once = [&](bool& seen) -> Status {
      if (std::exchange(seen, true)) {
        return Fail(tokens_.Error(ErrorCode::kDuplicateKey,
                                  fmt::format("layer {} has two {}", layer.name, at.text), at));
      }
      return {};
    };
    if (at.text == "Type") {
      SLUICE_TRY_STATUS(once(seen_.type));
      return Type(layer.layer);
    }
    if (at.text == "Stride") {
      SLUICE_TRY_STATUS(once(seen_.stride));
      if (seen_.dimensions) {
        return Fail(tokens_.Error(ErrorCode::kSyntax, "Stride stands after Dimensions", at)
                        .WithHint("MAESTRO would not use it; move it before Dimensions"));
      }
      return Stride(layer.layer);
    }
    if (at.text == "Dimensions") {
      SLUICE_TRY_STATUS(once(seen_.dimensions));
      if (!seen_.type) {
        return Fail(tokens_.Error(ErrorCode::kSyntax, "Dimensions stand before Type", at)
                        .WithHint("write Type first"));
      }
      return Dimensions(layer.layer, name);
    }
    if (at.text == "Dataflow") {
      SLUICE_TRY_STATUS(once(seen_.dataflow));
      if (!seen_.dimensions) {
        return Fail(tokens_.Error(ErrorCode::kSyntax, "Dataflow stands before Dimensions", at)
                        .WithHint("write Dimensions first: Sz(dim) needs them"));
      }
      return Dataflow(layer);
    }
    static const std::vector<std::string> kSections = {"Type", "Stride", "Dimensions", "Dataflow"};
    const std::string close = ClosestMatch(at.text, kSections);
    return Fail(tokens_
                    .Error(at.end() ? ErrorCode::kSyntax : ErrorCode::kUnknownKey,
                           at.end() ? fmt::format("layer {} does not end", layer.name)
                                    : fmt::format("unknown part `{}` of a layer", at.text),
                           at)
                    .WithHint(close.empty() ? "a layer has Type, Stride, Dimensions, Dataflow"
                                            : fmt::format("did you mean {}?", close)));
  }

  Status Type(mapping::Layer& layer) {
    SLUICE_TRY(const MaestroToken at, tokens_.Name("the layer's type"));
    for (int t = 0; t < mapping::kLayerTypes; ++t) {
      if (mapping::LayerTypeName(static_cast<LayerType>(t)) == at.text) {
        layer.type = static_cast<LayerType>(t);
        return {};
      }
    }
    constexpr std::array<std::string_view, 4> kUnmodelled = {"FC", "LSTM", "POOL", "RESIDUAL"};
    const bool known = std::ranges::find(kUnmodelled, at.text) != kUnmodelled.end();
    return Fail(tokens_
                    .Error(known ? ErrorCode::kBadValue : ErrorCode::kUnknownName,
                           fmt::format("{} {}",
                                       known ? "MAESTRO has no cost for a layer of type"
                                             : "unknown layer type",
                                       at.text),
                           at)
                    .WithHint(at.text == "FC" ? "write it as GEMM, or as CONV with Y: 1, X: 1"
                                              : "CONV, DSCONV, NGCONV, TRCONV or GEMM"));
  }

  Status Stride(mapping::Layer& layer) {
    SLUICE_TRY_STATUS(tokens_.Expect("{", "after Stride"));
    bool seen_y = false;
    bool seen_x = false;
    while (!tokens_.TakeIf("}")) {
      const MaestroToken at = tokens_.Take();
      if (at.text != "X" && at.text != "Y") {
        return Fail(tokens_.Error(ErrorCode::kSyntax, "expected X or Y", at));
      }
      bool& seen = at.text == "Y" ? seen_y : seen_x;
      if (std::exchange(seen, true)) {
        return Fail(tokens_.Error(ErrorCode::kDuplicateKey,
                                  fmt::format("stride {} is given twice", at.text), at));
      }
      const MaestroToken value = tokens_.Take();
      SLUICE_TRY(const std::int64_t stride, tokens_.Integer(value));
      if (stride < 1) {
        return Fail(tokens_.Error(ErrorCode::kBadValue, "a stride is at least 1", value));
      }
      (at.text == "Y" ? layer.stride_y : layer.stride_x) = stride;
    }
    return {};
  }

  Status Dimensions(mapping::Layer& layer, const MaestroToken& name) {
    SLUICE_TRY_STATUS(tokens_.Expect("{", "after Dimensions"));
    std::array<MaestroToken, kLayerDims> places;
    places.fill(name);
    while (!tokens_.TakeIf("}")) {
      const MaestroToken at = tokens_.Take();
      const auto dim = DimOf(at.text);
      if (!dim) {
        return Fail(tokens_
                        .Error(at.end() ? ErrorCode::kSyntax : ErrorCode::kUnknownKey,
                               at.end() ? std::string("Dimensions do not end")
                                        : fmt::format("unknown dim `{}`", at.text),
                               at)
                        .WithHint("dims are N, G, K, C, R, S, Y, X; M, N, K of a GEMM"));
      }
      if (layer.has(*dim)) {
        return Fail(tokens_.Error(ErrorCode::kDuplicateKey,
                                  fmt::format("dim {} is given twice", at.text), at));
      }
      const MaestroToken value = tokens_.Take();
      SLUICE_TRY(layer.size[Index(*dim)], tokens_.Integer(value));
      if (!layer.has(*dim)) {
        return Fail(tokens_.Error(ErrorCode::kBadValue, "a dim is at least 1", value));
      }
      places[Index(*dim)] = at;
    }
    if (auto valid = ValidateLayer(layer); !valid) {
      const auto dim = DimOf(valid.error().path);
      return Fail(tokens_.Error(valid.error().code, valid.error().message,
                                dim ? places[Index(*dim)] : name));
    }
    return {};
  }

  /// A number, a constant, or `Sz(dim)`.
  Result<std::int64_t> Size(const mapping::Layer& layer) {
    const MaestroToken at = tokens_.Take();
    if (at.text == "Sz") {
      const MaestroToken dim_token = tokens_.Take();
      const auto dim = DimOf(dim_token.text);
      if (!dim || !layer.has(*dim)) {
        return Fail(
            tokens_.Error(ErrorCode::kUnknownName, "Sz needs a dim of the layer", dim_token));
      }
      return layer[*dim];
    }
    if (const auto found = constants_.find(at.text); found != constants_.end()) {
      return found->second;
    }
    auto value = tokens_.Integer(at);
    if (!value && value.error().code == ErrorCode::kSyntax) {
      return Fail(std::move(value.error()).WithHint("or Sz(dim), or a Constant defined above"));
    }
    return value;
  }

  Result<std::int64_t> PositiveSize(const mapping::Layer& layer) {
    const MaestroToken at = tokens_.Peek();
    SLUICE_TRY(const std::int64_t size, Size(layer));
    if (size < 1) {
      return Fail(tokens_.Error(ErrorCode::kBadValue, "sizes and offsets are at least 1", at));
    }
    return size;
  }

  Status Dataflow(MaestroLayer& layer) {
    SLUICE_TRY_STATUS(tokens_.Expect("{", "after Dataflow"));
    mapping::Dataflow& dataflow = layer.dataflow;
    dataflow.levels.push_back({});
    while (!tokens_.TakeIf("}")) {
      const MaestroToken at = tokens_.Take();
      if (at.text == "Cluster") {
        SLUICE_TRY(const std::int64_t size, PositiveSize(layer.layer));
        const MaestroToken kind = tokens_.Take();
        if (kind.text != "P" && kind.text != "L") {
          return Fail(tokens_.Error(ErrorCode::kSyntax, "expected P or L", kind)
                          .WithHint("Cluster(size, P);"));
        }
        if (dataflow.levels.full()) {
          return Fail(tokens_.Error(ErrorCode::kBadValue,
                                    fmt::format("more than {} levels", mapping::kMaxClusterLevels),
                                    at));
        }
        dataflow.clusters.push_back(size);
        dataflow.levels.push_back({});
      } else if (at.text == "TemporalMap" || at.text == "SpatialMap") {
        SLUICE_TRY_STATUS(Directive(layer, at));
      } else {
        return Fail(tokens_
                        .Error(at.end() ? ErrorCode::kSyntax : ErrorCode::kUnknownKey,
                               at.end() ? std::string("the Dataflow does not end")
                                        : fmt::format("unknown directive `{}`", at.text),
                               at)
                        .WithHint("TemporalMap(size, offset) dim; SpatialMap(size, offset) dim; "
                                  "Cluster(size, P);"));
      }
    }
    return {};
  }

  Status Directive(MaestroLayer& layer, const MaestroToken& at) {
    mapping::Map map;
    map.spatial = at.text == "SpatialMap";
    SLUICE_TRY(map.size, PositiveSize(layer.layer));
    SLUICE_TRY(map.offset, PositiveSize(layer.layer));
    const MaestroToken name = tokens_.Take();
    std::string_view dim_name = name.text;
    if (dim_name.size() == 2 && dim_name[1] == '\'') {
      map.output = true;
      dim_name.remove_suffix(1);
    }
    const auto dim = DimOf(dim_name);
    const bool windowed = layer.layer.type != LayerType::kGemm;
    if (!dim || !layer.layer.has(*dim) ||
        (map.output && !(windowed && (*dim == LayerDim::kY || *dim == LayerDim::kX)))) {
      return Fail(tokens_
                      .Error(ErrorCode::kUnknownName,
                             fmt::format("the layer has no dim `{}`", name.text), name)
                      .WithHint("dims of Dimensions, and Y' and X' for outputs"));
    }
    map.dim = *dim;
    mapping::MapList& level = layer.dataflow.levels.back();
    for (const mapping::Map& other : level) {
      if (other.dim == map.dim) {
        return Fail(tokens_.Error(
            ErrorCode::kDuplicateKey,
            fmt::format("dim {} is mapped twice in this level", mapping::LayerDimName(map.dim)),
            name));
      }
    }
    level.push_back(map);
    return {};
  }

  struct Seen {
    bool type = false;
    bool stride = false;
    bool dimensions = false;
    bool dataflow = false;
  };

  MaestroTokens tokens_;
  std::map<std::string, std::int64_t, std::less<>> constants_;
  Seen seen_;
};

}  // namespace

Result<MaestroNetwork> ReadMaestroNetwork(std::string_view text, const std::string& file) {
  if (text.size() > static_cast<std::size_t>(kMaxBytes)) {
    return Fail(ErrorCode::kFileTooLarge, "the text is larger than 16 MiB");
  }
  SLUICE_TRY(MaestroTokens tokens, MaestroTokens::Split(text, file));
  return Reader(std::move(tokens)).Network();
}

Result<MaestroNetwork> LoadMaestroNetwork(const std::string& path) {
  SLUICE_TRY(const std::string text, ReadFile(path, kMaxBytes));
  return ReadMaestroNetwork(text, path);
}

std::string WriteMaestroNetwork(const MaestroNetwork& network) {
  std::string text = fmt::format("Network {} {{\n", network.name);
  for (const MaestroLayer& entry : network.layers) {
    const mapping::Layer& layer = entry.layer;
    text +=
        fmt::format("Layer {} {{\nType: {}\nStride {{ X: {}, Y: {} }}\nDimensions {{", entry.name,
                    mapping::LayerTypeName(layer.type), layer.stride_x, layer.stride_y);
    using enum LayerDim;
    const char* separator = " ";
    for (const LayerDim dim : {kN, kG, kM, kK, kC, kR, kS, kY, kX}) {
      if (layer.has(dim)) {
        text += fmt::format("{}{}: {}", separator, mapping::LayerDimName(dim), layer[dim]);
        separator = ", ";
      }
    }
    text += " }\nDataflow {\n";
    for (std::size_t l = 0; l < entry.dataflow.levels.size(); ++l) {
      if (l > 0) {
        text += fmt::format("Cluster({}, P);\n", entry.dataflow.clusters[l - 1]);
      }
      for (const mapping::Map& map : entry.dataflow.levels[l]) {
        text += fmt::format("{}Map({},{}) {}{};\n", map.spatial ? "Spatial" : "Temporal", map.size,
                            map.offset, mapping::LayerDimName(map.dim), map.output ? "'" : "");
      }
    }
    text += "}\n}\n";
  }
  return text + "}\n";
}

}  // namespace sluice::io
