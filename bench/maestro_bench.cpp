// Speed of the `maestro` cost models on one thread: random two-level dataflows of a 3x3 layer of
// VGG16 and a 1x1 layer of MobileNetV2 on GAMMA's edge array, with tiles that divide their parents
// and with any tiles. `items_per_second` is the figure to quote; `allocations` must be 0.

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "allocations.h"
#include "base/rng.h"
#include "cost/maestro/compatible.h"
#include "cost/maestro/exact.h"
#include "cost/oracle/maestro_oracle.h"
#include "cost/oracle/reference_oracle.h"
#include "io/yaml/arch/arch.h"
#include "ir/network.h"
#include "mapping/dataflow/code.h"

namespace {

using sluice::Rng;
using sluice::mapping::CodeDim;
using sluice::mapping::DataflowCode;
using sluice::mapping::Layer;

Layer MakeLayer(bool large) {
  using enum sluice::mapping::LayerDim;
  Layer layer;
  const auto set = [&layer](sluice::mapping::LayerDim dim, std::int64_t size) {
    layer.size[Index(dim)] = size;
  };
  set(kK, large ? 256 : 384);
  set(kC, large ? 256 : 64);
  set(kR, large ? 3 : 1);
  set(kS, large ? 3 : 1);
  set(kY, large ? 58 : 14);
  set(kX, large ? 58 : 14);
  return layer;
}

sluice::cost::maestro::Hardware Edge() {
  return {.pes = 168,
          .l1_words = 512,
          .l2_words = 108000,
          .noc_bandwidth = 32,
          .offchip_bandwidth = sluice::cost::maestro::kUnlimited,
          .noc_hops = 1,
          .hop_latency = 1,
          .simd_lanes = 1};
}

std::int64_t Tile(Rng& rng, std::int64_t parent, bool dividing) {
  std::int64_t tile = rng.Between(1, parent);
  while (dividing && parent % tile != 0) {
    tile = rng.Between(1, parent);
  }
  return tile;
}

std::vector<DataflowCode> Codes(const Layer& layer, bool dividing) {
  Rng rng(1);
  std::vector<DataflowCode> codes(1024);
  for (DataflowCode& code : codes) {
    auto parent = CodeExtents(layer);
    for (int l = 0; l < 2; ++l) {
      sluice::mapping::LevelCode level;
      level.parallel = static_cast<CodeDim>(rng.Below(4));
      level.units = rng.Between(1, Edge().pes);
      for (std::size_t i = level.order.size(); i > 1; --i) {
        std::swap(level.order[i - 1], level.order[rng.Below(static_cast<std::uint32_t>(i))]);
      }
      for (std::size_t d = 0; d < parent.size(); ++d) {
        level.tile[d] = d < 4 ? Tile(rng, parent[d], dividing) : parent[d];
      }
      parent = level.tile;
      code.levels.push_back(level);
    }
    code = sluice::mapping::Canonical(layer, code);
  }
  return codes;
}

template <class Model>
void Evaluate(benchmark::State& state) {
  const bool large = state.range(0) != 0;
  const bool dividing = state.range(1) != 0;
  state.SetLabel(std::string(large ? "VGG16 conv6" : "MobileNetV2 expand") +
                 (dividing ? ", dividing tiles" : ", any tiles"));
  const Layer layer = MakeLayer(large);
  std::vector<sluice::mapping::Dataflow> dataflows;
  for (const DataflowCode& code : Codes(layer, dividing)) {
    dataflows.push_back(Decode(layer, code));
  }
  const Model model(layer, Edge());
  std::size_t next = 0;
  const long before = allocations.load();
  for (auto _ : state) {
    benchmark::DoNotOptimize(model.Evaluate(dataflows[next++ % dataflows.size()]));
  }
  const long during = allocations.load() - before;
  state.SetItemsProcessed(state.iterations());
  state.counters["allocations"] = static_cast<double>(during);
}
BENCHMARK(Evaluate<sluice::cost::maestro::CompatibleModel>)->ArgsProduct({{0, 1}, {0, 1}});
BENCHMARK(Evaluate<sluice::cost::maestro::ExactModel>)->ArgsProduct({{0, 1}, {0, 1}});

/// From codes to components through the oracle, in batches, as searches use it.
void Oracle(benchmark::State& state) {
  const Layer layer = MakeLayer(true);
  const auto oracle = sluice::cost::MakeMaestroOracle(layer, Edge(), {});
  const auto codes = Codes(layer, state.range(0) != 0);
  std::vector<sluice::cost::CodeCost> costs(codes.size());
  const long before = allocations.load();
  for (auto _ : state) {
    benchmark::DoNotOptimize((*oracle)->Evaluate(codes, costs).has_value());
  }
  const long during = allocations.load() - before;
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(codes.size()));
  state.counters["allocations"] = static_cast<double>(during);
}
BENCHMARK(Oracle)->Arg(0)->Arg(1);

/// The same codes as mappings of archs/gamma-edge.yaml under the reference model.
void ReferenceOracle(benchmark::State& state) {
  const auto network = sluice::ir::ParseOperatorDescriptor("conv K=256 C=256 P=56 Q=56 R=3 S=3");
  const auto architecture =
      sluice::io::LoadArchitecture(SLUICE_SOURCE_DIR "/archs/gamma-edge.yaml");
  if (!network || !architecture) {
    state.SkipWithError("the operator or the machine cannot be read");
    return;
  }
  const auto workload = sluice::mapping::MakeWorkload(network->operators[0], *network);
  const auto chain = sluice::arch::ChainFor(*architecture, workload->body);
  const auto oracle =
      sluice::cost::MakeReferenceOracle(*workload, *chain, sluice::cost::PhysicalPolicy());
  const auto codes = Codes((*oracle)->layer(), state.range(0) != 0);
  std::vector<sluice::cost::CodeCost> costs(codes.size());
  for (auto _ : state) {
    benchmark::DoNotOptimize((*oracle)->Evaluate(codes, costs).has_value());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(codes.size()));
}
BENCHMARK(ReferenceOracle)->Arg(0)->Arg(1);

}  // namespace
