/// \file
/// What an architecture must satisfy before anything else sees it. Every later module relies on
/// these facts instead of checking again: sizes and products fit, energies are finite, the
/// outermost memory keeps everything, names are unique. Paths are those of the YAML form, so that
/// the reader can turn them into a line and a column.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/checked.h"
#include "base/diagnostic.h"
#include "base/text.h"
#include "ir/network.h"

namespace sluice::arch {

namespace {

constexpr double kMaxEnergy = 1e15;     ///< pJ; a kilojoule an access is a typing error
constexpr double kMaxBandwidth = 1e12;  ///< words per cycle
constexpr double kMaxBuffering = 64;

Status Invalid(const std::string& path, std::string message, std::string hint = {}) {
  return Fail(Diagnostic(ErrorCode::kArchInvalid, std::move(message))
                  .WithPath(path)
                  .WithHint(std::move(hint)));
}

class Validator {
 public:
  Status Run(const Architecture& architecture) {
    if (architecture.name.empty()) {
      return Invalid("name", "the architecture has no name");
    }
    if (!(architecture.clock_hz >= 1 && architecture.clock_hz <= 1e15)) {
      return Invalid("clock", "the clock must be between 1 Hz and 1 PHz");
    }
    for (const Keep keep : architecture.root.memory.keep) {
      if (keep != Keep::kMust) {
        return Invalid("memory.keep", "the outermost memory must keep every tensor",
                       "write `keep: must`, or leave the key out");
      }
    }
    return CheckNode(architecture.root, "memory", 1, 1);
  }

 private:
  Status CheckName(const std::string& name, const std::string& path, const char* what) {
    if (name.empty()) {
      return Invalid(path, fmt::format("a {} needs a name", what));
    }
    if (!names_.insert(name).second) {
      return Invalid(path + ".name", fmt::format("the name `{}` is used twice", name),
                     "give every memory, fan-out and compute unit its own name");
    }
    return {};
  }

  static Status CheckEnergy(double value, const std::string& path) {
    if (!(value >= 0 && value <= kMaxEnergy)) {
      return Invalid(path,
                     fmt::format("the energy {} pJ is not between 0 and {} pJ", value, kMaxEnergy));
    }
    return {};
  }

  static Status CheckBandwidth(const std::optional<double>& value, const std::string& path) {
    if (value && !(*value > 0 && *value <= kMaxBandwidth)) {
      return Invalid(path,
                     fmt::format("the bandwidth {} words/cycle is not above 0 and at most {}",
                                 *value, kMaxBandwidth),
                     "leave the key out for a port that never limits");
    }
    return {};
  }

  Status CheckMemory(const Memory& memory, const std::string& path) {
    SLUICE_TRY_STATUS(CheckName(memory.name, path, "memory"));
    if (memory.word_bits < 1 || memory.word_bits > 4096) {
      return Invalid(path + ".word", fmt::format("a word of {} bit is not between 1 and 4096 bit",
                                                 memory.word_bits));
    }
    if (memory.block_words < 1 || memory.block_words > 65536) {
      return Invalid(path + ".block", fmt::format("a block of {} words is not between 1 and 65536",
                                                  memory.block_words));
    }
    if (!(memory.buffering >= 1 && memory.buffering <= kMaxBuffering)) {
      return Invalid(path + ".buffering",
                     fmt::format("{} copies of a tile are not between 1 and {}", memory.buffering,
                                 kMaxBuffering),
                     "1 is single, 2 is double buffering");
    }
    if (memory.capacity_words) {
      const std::int64_t words = *memory.capacity_words;
      if (words < 1 || words > kMaxWords) {
        return Invalid(path + ".size", fmt::format("a memory of {} words is not between 1 and {}",
                                                   words, kMaxWords));
      }
      if (static_cast<double>(words) / memory.buffering < 1) {
        return Invalid(path + ".size",
                       fmt::format("{} word(s) cannot hold {} copies of any tile", words,
                                   ShortestDouble(memory.buffering)),
                       "make the memory larger, or lower `buffering`");
      }
    }
    SLUICE_TRY_STATUS(CheckBandwidth(memory.read_bandwidth, path + ".read_bandwidth"));
    SLUICE_TRY_STATUS(CheckBandwidth(memory.write_bandwidth, path + ".write_bandwidth"));
    SLUICE_TRY_STATUS(CheckEnergy(memory.read_pj, path + ".energy.read"));
    SLUICE_TRY_STATUS(CheckEnergy(memory.fill_pj, path + ".energy.fill"));
    SLUICE_TRY_STATUS(CheckEnergy(memory.update_pj, path + ".energy.update"));
    return CheckEnergy(memory.leakage_pj_per_cycle, path + ".leakage");
  }

  Status CheckFanOut(const FanOut& fan_out, const std::string& path, std::int64_t above,
                     std::int64_t& instances) {
    if (fan_out.x < 1) {
      return Invalid(path + ".x", fmt::format("{} instances are not at least 1", fan_out.x));
    }
    if (fan_out.y < 1) {
      return Invalid(path + ".y", fmt::format("{} instances are not at least 1", fan_out.y));
    }
    if (!fan_out.name.empty()) {
      SLUICE_TRY_STATUS(CheckName(fan_out.name, path, "fan-out"));
    }
    const auto here = CheckedMul(fan_out.x, fan_out.y);
    const auto total = here ? CheckedMul(*here, above) : std::nullopt;
    if (!total || *total > kMaxInstances) {
      return Invalid(path, fmt::format("{} x {} below {} instance(s) is more than {} instances",
                                       fan_out.x, fan_out.y, above, kMaxInstances));
    }
    instances = *total;
    const Network& network = fan_out.network;
    SLUICE_TRY_STATUS(CheckEnergy(network.hop_pj, path + ".network.hop_energy"));
    SLUICE_TRY_STATUS(CheckEnergy(network.router_pj, path + ".network.router_energy"));
    SLUICE_TRY_STATUS(CheckEnergy(network.reduction_pj, path + ".network.reduction_energy"));
    SLUICE_TRY_STATUS(CheckBandwidth(network.bandwidth, path + ".network.bandwidth"));
    for (const std::string& dim : fan_out.dims_x) {
      if (dim.empty()) {
        return Invalid(path + ".dims_x", "a dim has an empty name");
      }
    }
    for (const std::string& dim : fan_out.dims_y) {
      if (dim.empty()) {
        return Invalid(path + ".dims_y", "a dim has an empty name");
      }
    }
    return {};
  }

  Status CheckCompute(const Compute& compute, const std::string& path) {
    SLUICE_TRY_STATUS(CheckName(compute.name, path, "compute unit"));
    if (++chains_ > kMaxChains) {
      return Invalid(path, fmt::format("there are more than {} compute units", kMaxChains),
                     "use a fan-out for equal units");
    }
    if (compute.classes.empty()) {
      return Invalid(path + ".classes",
                     fmt::format("compute unit `{}` offers no class of work", compute.name),
                     "list at least one of mac, vector, transcendental, move");
    }
    std::set<ir::WorkClass> seen;
    for (std::size_t i = 0; i < compute.classes.size(); ++i) {
      const ComputeClass& c = compute.classes[i];
      const std::string at = fmt::format("{}.classes[{}]", path, i);
      if (!seen.insert(c.work_class).second) {
        return Invalid(at + ".class",
                       fmt::format("class `{}` is listed twice", WorkClassName(c.work_class)));
      }
      SLUICE_TRY_STATUS(CheckEnergy(c.pj_per_operation, at + ".energy"));
      if (!(c.operations_per_cycle > 0 && c.operations_per_cycle <= kMaxBandwidth)) {
        return Invalid(at + ".rate", fmt::format("{} operations per cycle is not above 0 and at "
                                                 "most {}",
                                                 c.operations_per_cycle, kMaxBandwidth));
      }
    }
    return CheckEnergy(compute.leakage_pj_per_cycle, path + ".leakage");
  }

  Status CheckNode(const Node& node, const std::string& path, int depth, std::int64_t above) {
    if (depth > kMaxLevels) {
      return Invalid(path, fmt::format("more than {} memories on one chain", kMaxLevels),
                     "merge levels that hold the same tensors");
    }
    SLUICE_TRY_STATUS(CheckMemory(node.memory, path));
    if (node.branches.empty()) {
      return Invalid(path + ".below",
                     fmt::format("nothing hangs below memory `{}`", node.memory.name),
                     "every memory needs a memory or a compute unit below it");
    }
    for (std::size_t i = 0; i < node.branches.size(); ++i) {
      const Node::Branch& branch = node.branches[i];
      const std::string at = fmt::format("{}.below[{}]", path, i);
      if (branch.memory_child.size() + branch.compute_child.size() != 1) {
        return Invalid(at, "a branch holds exactly one memory or one compute unit");
      }
      std::int64_t instances = 1;
      SLUICE_TRY_STATUS(CheckFanOut(branch.fan_out, at + ".fan_out", above, instances));
      if (!branch.memory_child.empty()) {
        SLUICE_TRY_STATUS(
            CheckNode(branch.memory_child.front(), at + ".memory", depth + 1, instances));
      } else {
        SLUICE_TRY_STATUS(CheckCompute(branch.compute_child.front(), at + ".compute"));
      }
    }
    return {};
  }

  std::set<std::string> names_;
  int chains_ = 0;
};

}  // namespace

Status Validate(const Architecture& architecture) {
  return Validator().Run(architecture);
}

}  // namespace sluice::arch
