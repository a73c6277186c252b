// Random layers on random machines, and codes for them. Independent random codes alone teach
// nothing about good ones (they are typically 10 to 100 times worse than the best), so half of the
// codes follow the cost downwards from the best random one, for one objective after the other.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ios>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "base/cpu_time.h"
#include "base/diagnostic.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "cost/maestro/hardware.h"
#include "cost/oracle/maestro_oracle.h"
#include "cost/oracle/oracle.h"
#include "mapper/codes/search.h"
#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"
#include "predict/features.h"
#include "predict/training/dataset.h"

namespace sluice::predict {
namespace {

using mapper::codes::CodeObjective;
using mapper::codes::CodeSpace;
using mapper::codes::EnergyKind;

std::int64_t LogUniform(Rng& rng, double low, double high) {
  return std::llround(low * std::pow(high / low, rng.Uniform()));
}

template <std::size_t N>
std::int64_t Pick(Rng& rng, const std::array<std::int64_t, N>& choices) {
  return choices[rng.Below(N)];
}

/// Sizes of real layers are mostly round; some are not.
std::int64_t Channels(Rng& rng) {
  constexpr std::array<std::int64_t, 22> kUsual = {3,   16,  24,   32,   48,   64,  96,  128,
                                                   144, 160, 192,  256,  320,  384, 512, 576,
                                                   768, 960, 1024, 1280, 2048, 1000};
  return rng.Below(3) > 0 ? Pick(rng, kUsual) : LogUniform(rng, 1, 2048);
}

std::int64_t Positions(Rng& rng) {
  constexpr std::array<std::int64_t, 6> kUsual = {7, 14, 28, 56, 112, 13};
  return rng.Below(4) > 0 ? Pick(rng, kUsual) : LogUniform(rng, 1, 224);
}

mapping::Layer RandomLayer(Rng& rng) {
  using enum mapping::LayerDim;
  mapping::Layer layer;
  const auto set = [&](mapping::LayerDim dim, std::int64_t size) {
    layer.size[mapping::Index(dim)] = size;
  };
  const double kind = rng.Uniform();
  constexpr double kGemms = 0.18;
  constexpr double kDepthwise = 0.32;
  if (kind < kGemms) {
    layer.type = mapping::LayerType::kGemm;
    constexpr std::array<std::int64_t, 7> kTokens = {1, 49, 64, 128, 196, 197, 512};
    set(kM, rng.Below(3) > 0 ? Pick(rng, kTokens) : LogUniform(rng, 1, 2048));
    set(kN, Channels(rng));
    set(kK, Channels(rng));
    return layer;
  }
  const bool depthwise = kind < kDepthwise;
  layer.type = depthwise ? mapping::LayerType::kDepthwise : mapping::LayerType::kConv;
  constexpr std::array<std::int64_t, 8> kWindows = {1, 1, 1, 3, 3, 3, 5, 7};
  const std::int64_t window =
      depthwise ? Pick(rng, std::array<std::int64_t, 4>{3, 3, 3, 5}) : Pick(rng, kWindows);
  const std::int64_t stride = rng.Below(4) == 0 ? 2 : 1;
  const std::int64_t rows = Positions(rng);
  const std::int64_t columns = rng.Below(5) == 0 ? Positions(rng) : rows;
  set(kC, Channels(rng));
  set(kK, depthwise ? 0 : Channels(rng));
  set(kR, window);
  set(kS, window);
  set(kY, (rows - 1) * stride + window);
  set(kX, (columns - 1) * stride + window);
  layer.stride_y = stride;
  layer.stride_x = stride;
  return layer;
}

cost::maestro::Hardware RandomHardware(Rng& rng) {
  cost::maestro::Hardware hardware;
  constexpr std::array<std::int64_t, 6> kPes = {168, 168, 256, 64, 512, 1024};
  hardware.pes = rng.Below(2) == 0 ? Pick(rng, kPes) : LogUniform(rng, 16, 2048);
  hardware.noc_bandwidth = rng.Below(4) == 0 ? cost::maestro::kUnlimited : LogUniform(rng, 4, 512);
  if (rng.Below(3) == 0) {
    hardware.offchip_bandwidth = LogUniform(rng, 2, 512);
  }
  hardware.hop_latency = rng.Below(2);
  hardware.l1_words = LogUniform(rng, 64, 4096);
  hardware.l2_words = LogUniform(rng, 8192, 2097152);
  return hardware;
}

/// Prices codes and keeps those that have a cost.
class Labeller {
 public:
  Labeller(cost::CostOracle& oracle, Group& group) : oracle_(oracle), group_(group) {}

  /// Values of the codes; whether they fit does not matter for a label.
  std::span<const cost::CodeCost> Price(std::span<const mapping::DataflowCode> codes, bool random) {
    costs_.assign(codes.size(), {});
    const Status status = oracle_.Evaluate(codes, costs_);
    SLUICE_CHECK(status.has_value(), "the maestro models do not fail");
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (costs_[i].verdict == cost::CodeVerdict::kRefused) {
        continue;
      }
      Sample sample;
      sample.code = codes[i];
      sample.random = random;
      const Components components = ComponentsOf(costs_[i]);
      bool positive = true;
      for (std::size_t c = 0; c < kComponents; ++c) {
        positive = positive && components[c] > 0;
        sample.label[c] = static_cast<float>(std::log(components[c]));
      }
      if (positive) {
        group_.samples.push_back(sample);
      }
    }
    return costs_;
  }

 private:
  cost::CostOracle& oracle_;
  Group& group_;
  std::vector<cost::CodeCost> costs_;
};

/// The cheapest code that fits; the cheapest at all where none does.
double Rank(const cost::CodeCost& cost, CodeObjective objective) {
  if (cost.verdict == cost::CodeVerdict::kRefused) {
    return std::numeric_limits<double>::infinity();
  }
  cost::CodeCost as_if = cost;
  as_if.verdict = cost::CodeVerdict::kLegal;
  constexpr double kTooLarge = 30;
  return mapper::codes::ValueOf(as_if, objective, EnergyKind::kOuter) *
         (cost.legal() ? 1.0 : kTooLarge);
}

struct RankedCode {
  mapping::DataflowCode code;
  double rank = 0;
};

void Descend(const CodeSpace& space, Labeller& labeller, CodeObjective objective, RankedCode at,
             std::size_t budget, Rng& rng) {
  constexpr std::size_t kBatch = 4;
  std::vector<mapping::DataflowCode> next;
  while (budget > 0) {
    next.clear();
    for (std::size_t i = 0; i < std::min(kBatch, budget); ++i) {
      next.push_back(space.Neighbour(at.code, rng));
    }
    budget -= next.size();
    const auto costs = labeller.Price(next, false);
    for (std::size_t i = 0; i < next.size(); ++i) {
      const double rank = Rank(costs[i], objective);
      constexpr double kTolerance = 1.02;
      if (rank <= at.rank * kTolerance) {
        at = {next[i], rank};
      }
    }
  }
}

std::string Manifest(const DatasetOptions& options, std::size_t groups) {
  return fmt::format(
      "{{\n  \"format\": \"sluice data set\",\n  \"version\": 1,\n  \"features\": {},\n"
      "  \"model\": \"{}\",\n  \"seed\": {},\n  \"layers\": {},\n  \"layers_done\": {},\n"
      "  \"codes_per_layer\": {},\n  \"levels\": {},\n  \"divisor_tiles\": {},\n"
      "  \"whole_windows\": {},\n  \"one_machine\": {},\n  \"split\": \"by layer: 18 of 20 train, "
      "1 validation, 1 "
      "test\"\n}}\n",
      kFeatureVersion, options.compatible ? "maestro" : "maestro-exact", options.seed,
      options.groups, groups, options.codes, options.space.levels, options.space.divisor_tiles,
      options.space.whole_windows, options.machine.has_value());
}

/// Groups are labelled in blocks: a block is in parallel, and written when it is whole.
constexpr std::size_t kBlock = 32;

void Blocks(const DatasetOptions& options, std::size_t first, int threads,
            const std::atomic<bool>* stop,
            const std::function<bool(std::size_t, std::vector<Group>&)>& keep) {
  for (std::size_t at = first; at < options.groups; at += kBlock) {
    if (stop != nullptr && stop->load()) {
      return;
    }
    std::vector<Group> block(std::min(kBlock, options.groups - at));
    ParallelFor(threads, block.size(),
                [&](std::size_t i) { block[i] = SampleGroup(options, at + i); });
    if (!keep(at + block.size(), block)) {
      return;
    }
  }
}

}  // namespace

Group SampleGroup(const DatasetOptions& options, std::size_t index) {
  Rng rng = Rng(options.seed).Split(index);
  const mapping::Layer layer = RandomLayer(rng);
  const cost::maestro::Hardware random = RandomHardware(rng);
  return LabelGroup(layer, options.machine.value_or(random), options, rng);
}

Group LabelGroup(const mapping::Layer& layer, const cost::maestro::Hardware& hardware,
                 const DatasetOptions& options, Rng& rng) {
  Group group;
  group.layer = layer;
  group.hardware = hardware;
  auto oracle = cost::MakeMaestroOracle(
      group.layer, group.hardware,
      {.mode = options.compatible ? cost::MaestroMode::kCompatible : cost::MaestroMode::kExact});
  SLUICE_CHECK(oracle.has_value(), "layers and machines are valid");
  const CodeSpace space(group.layer, group.hardware, options.space);
  group.samples.reserve(options.codes);
  Labeller labeller(**oracle, group);
  std::vector<mapping::DataflowCode> codes((options.codes + 1) / 2);
  std::ranges::generate(codes, [&] { return space.Random(rng); });
  const auto priced = labeller.Price(codes, true);
  const std::vector<cost::CodeCost> costs(priced.begin(), priced.end());
  std::size_t left = options.codes - codes.size();
  constexpr std::array kObjectives = {CodeObjective::kLatency, CodeObjective::kEnergy,
                                      CodeObjective::kEdp};
  for (std::size_t o = 0; o < kObjectives.size(); ++o) {
    const std::size_t share = left / (kObjectives.size() - o);
    left -= share;
    std::size_t best = 0;
    for (std::size_t i = 1; i < codes.size(); ++i) {
      best = Rank(costs[i], kObjectives[o]) < Rank(costs[best], kObjectives[o]) ? i : best;
    }
    Descend(space, labeller, kObjectives[o], {codes[best], Rank(costs[best], kObjectives[o])},
            share, rng);
  }
  return group;
}

Dataset SampleDataset(const DatasetOptions& options, int threads, const std::atomic<bool>* stop,
                      const std::function<void(const DatasetProgress&)>& progress) {
  Dataset dataset{.options = options, .groups = {}};
  Blocks(options, 0, threads, stop, [&](std::size_t done, std::vector<Group>& block) {
    std::ranges::move(block, std::back_inserter(dataset.groups));
    if (progress) {
      progress({done, options.groups});
    }
    return true;
  });
  return dataset;
}

Result<DatasetRun> MakeDataset(const std::string& path, const DatasetOptions& options, int threads,
                               const std::atomic<bool>* stop,
                               const std::function<void(const DatasetProgress&)>& progress) {
  SLUICE_TRY_STATUS(ValidateDatasetOptions(options));
  DatasetRun run;
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    constexpr std::int64_t kMaxFile = std::int64_t{8} << 30;
    SLUICE_TRY(const std::string bytes, ReadFile(path, kMaxFile));
    SLUICE_TRY(const ParsedDataset parsed, ParseDataset(bytes, path));
    if (!(parsed.dataset.options == options)) {
      return Fail(Diagnostic(ErrorCode::kPlanMismatch, "`" + path + "` holds another data set")
                      .WithHint("another -o, or the options that its manifest names"));
    }
    run.resumed = parsed.dataset.groups.size();
    std::filesystem::resize_file(path, parsed.good_bytes, error);
  } else {
    SLUICE_TRY_STATUS(WriteFileAtomic(path, DatasetHeader(options)));
  }
  std::ofstream file(path, std::ios::binary | std::ios::app);
  const auto start = std::chrono::steady_clock::now();
  const double start_cpu = ProcessSeconds();
  run.groups = run.resumed;
  Blocks(options, run.resumed, threads, stop, [&](std::size_t done, std::vector<Group>& block) {
    std::string bytes;
    for (const Group& group : block) {
      bytes += GroupRecord(group);
    }
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.flush();
    if (!file) {
      return false;
    }
    for (const Group& group : block) {
      run.samples += group.samples.size();
    }
    run.groups = done;
    if (progress) {
      progress({done, options.groups});
    }
    return true;
  });
  if (!file) {
    return Fail(Diagnostic(ErrorCode::kFileUnwritable, "cannot write `" + path + "`")
                    .WithHint("what was written is whole: free some space and run again"));
  }
  run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  run.cpu_seconds = ProcessSeconds() - start_cpu;
  run.complete = run.groups == options.groups;
  SLUICE_TRY_STATUS(WriteFileAtomic(path + ".json", Manifest(options, run.groups)));
  return run;
}

}  // namespace sluice::predict
