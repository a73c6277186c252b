/// \file
/// `architecture:` of Timeloop v0.3 as a chain of levels.
///
/// The file is a tree of nodes; a node has `local` components and `subtree` nodes. A name
/// `X[0..n-1]` means n copies, and copies multiply down the tree. We accept a single path (what
/// Timeloop's own model evaluates): the components in file order are the memories, outermost first,
/// then one compute unit. With i instances, meshX x meshY of them lie on a grid (meshY = i / meshX
/// when not given), and the fan-out between two neighbours is the quotient of their grids, as
/// Timeloop derives it.
///
/// Sizes: `entries` are words, `depth` are blocks, `sizeKB` is 1024 bytes of word_bits each.
/// Without `cluster_size`, `width` / (word_bits * block_size) instances share one physical access.
/// Attributes that only an energy estimator reads are accepted without effect, because the energies
/// come from the energy reference table.

#include "arch/architecture.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/diagnostic.h"
#include "io/timeloop/keys.h"
#include "io/timeloop/parts.h"
#include "io/yaml/yaml.h"
#include "ir/network.h"

namespace sluice::io::timeloop {
namespace {

constexpr std::int64_t kMaxInstances = std::int64_t{1} << 40;
constexpr std::int64_t kMaxWords = std::int64_t{1} << 50;
constexpr int kDefaultWordBits = 16;

/// Read by Accelergy's estimators only.
const std::vector<KeySpellings>& EstimatorAttributes() {
  static const std::vector<KeySpellings> kKeys = {{"technology"},
                                                  {"type"},
                                                  {"latency"},
                                                  {"cycle_time"},
                                                  {"n_rd_ports"},
                                                  {"n_wr_ports"},
                                                  {"n_rdwr_ports"},
                                                  {"n_ports"},
                                                  {"num_ports"},
                                                  {"n_banks"},
                                                  {"num_banks"},
                                                  {"bank_select"},
                                                  {"area"},
                                                  {"cluster_area"},
                                                  {"global_cycle_seconds"},
                                                  {"voltage"},
                                                  {"pipelined"},
                                                  {"num_pipeline_stages"},
                                                  {"update_fifo_depth"}};
  return kKeys;
}

const std::vector<KeySpellings>& GridAttributes() {
  static const std::vector<KeySpellings> kKeys = {
      {"instances"},
      {"meshX", "mesh_X", "meshx"},
      {"meshY", "mesh_Y", "meshy"},
      {"word_bits", "datawidth", "word_width", "data_width"}};
  return kKeys;
}

const std::vector<KeySpellings>& MemoryAttributes() {
  static const std::vector<KeySpellings> kKeys = {{"entries"},
                                                  {"depth", "memory_depth"},
                                                  {"sizeKB", "sizeKb", "size_kb"},
                                                  {"width", "memory_width"},
                                                  {"block_size", "n_words"},
                                                  {"cluster_size"},
                                                  {"read_bandwidth"},
                                                  {"write_bandwidth"},
                                                  {"shared_bandwidth"},
                                                  {"bandwidth"},
                                                  {"multiple_buffering"},
                                                  {"energy_per_hop"},
                                                  {"router_energy"}};
  return kKeys;
}

std::vector<KeySpellings> Joined(
    std::initializer_list<std::reference_wrapper<const std::vector<KeySpellings>>> lists) {
  std::vector<KeySpellings> result;
  for (const std::vector<KeySpellings>& list : lists) {
    result.insert(result.end(), list.begin(), list.end());
  }
  return result;
}

enum class Kind : std::uint8_t { kMemory, kCompute };

/// Decides by the class name, compound classes (`smartbuffer_RF`) included.
Result<Kind> KindOf(const Cursor& at, const std::string& class_name) {
  std::string lower(class_name);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* word :
       {"dram", "sram", "reg", "buffer", "storage", "memory", "latch", "cache", "spad"}) {
    if (lower.find(word) != std::string::npos) {
      return Kind::kMemory;
    }
  }
  for (const char* word : {"mac", "compute", "alu", "multiplier"}) {
    if (lower.find(word) != std::string::npos) {
      return Kind::kCompute;
    }
  }
  return Fail(at.Error(ErrorCode::kBadValue,
                       fmt::format("cannot tell whether class `{}` stores or computes", class_name),
                       "memories: DRAM, SRAM, regfile, smartbuffer..., storage; compute: intmac, "
                       "fpmac, mac, compute"));
}

struct ScopedName {
  std::string base;
  std::int64_t copies = 1;
};

/// `PE[0..15]` -> PE, 16.
Result<ScopedName> ParseName(const Cursor& at) {
  SLUICE_TRY(const std::string text, at.AsString());
  static const std::regex kPlain(R"(([^\[\]]+))");
  static const std::regex kRanged(R"(([^\[\]]+)\[ *([0-9]{1,9}) *\.\. *([0-9]{1,9}) *\])");
  std::smatch match;
  if (text.size() > 256) {
    return Fail(at.Error(ErrorCode::kBadValue, "name longer than 256 characters"));
  }
  if (std::regex_match(text, match, kPlain)) {
    return ScopedName{text, 1};
  }
  if (std::regex_match(text, match, kRanged)) {
    const std::int64_t first = std::stoll(match[2].str());
    const std::int64_t last = std::stoll(match[3].str());
    if (last >= first) {
      return ScopedName{match[1].str(), last - first + 1};
    }
  }
  return Fail(at.Error(ErrorCode::kBadValue, fmt::format("cannot read the name `{}`", text),
                       "write `name` or `name[0..15]` for 16 copies"));
}

struct Component {
  explicit Component(Cursor position) : at(std::move(position)) {}

  Kind kind = Kind::kMemory;
  arch::Memory memory;  ///< of a compute unit only the name
  std::int64_t cluster_size = 1;
  std::int64_t x = 1;
  std::int64_t y = 1;
  double hop_pj = 0;
  double router_pj = 0;
  std::string scope;  ///< name of the node that holds it
  Cursor at;
};

Result<std::optional<std::int64_t>> OptionalInt(const KeyMap& keys, std::string_view key,
                                                std::int64_t maximum) {
  const auto value = keys.Find(key);
  if (!value) {
    return std::optional<std::int64_t>();
  }
  SLUICE_TRY(const std::int64_t number, value->AsInt(1, maximum));
  return std::optional<std::int64_t>(number);
}

Result<std::optional<double>> OptionalDouble(const KeyMap& keys, std::string_view key,
                                             double minimum) {
  const auto value = keys.Find(key);
  if (!value) {
    return std::optional<double>();
  }
  SLUICE_TRY(const double number, value->AsDouble());
  if (!std::isfinite(number) || number < minimum) {
    return Fail(value->Error(ErrorCode::kBadValue,
                             fmt::format("`{}` must be a number of at least {}", key, minimum)));
  }
  return std::optional<double>(number);
}

/// Sets x and y from the number of copies and the optional instances, meshX, meshY.
Status ReadGrid(const Cursor& at, const KeyMap& keys, std::int64_t copies, Component& component) {
  SLUICE_TRY(const auto instances, OptionalInt(keys, "instances", kMaxInstances));
  SLUICE_TRY(const auto x, OptionalInt(keys, "meshX", kMaxInstances));
  SLUICE_TRY(const auto y, OptionalInt(keys, "meshY", kMaxInstances));
  const std::int64_t total = instances.value_or(copies);
  component.x = x.value_or(y ? total / *y : total);
  component.y = y.value_or(total / component.x);
  const auto product = CheckedMul(component.x, component.y);
  if (component.x < 1 || component.y < 1 || !product || *product != total) {
    return Fail(at.Error(
        ErrorCode::kArchInvalid,
        fmt::format("`{}` has {} instances, which do not form a grid of meshX = {} and meshY = {}",
                    component.memory.name, total, x ? fmt::format("{}", *x) : "(none)",
                    y ? fmt::format("{}", *y) : "(none)"),
        "meshX times meshY must be the number of instances"));
  }
  return {};
}

/// word_bits, block_size, cluster_size and the size in words.
Status ReadSize(const Cursor& at, const KeyMap& keys, bool unbounded, Component& component) {
  arch::Memory& memory = component.memory;
  SLUICE_TRY(const auto block, OptionalInt(keys, "block_size", 1 << 20));
  SLUICE_TRY(const auto cluster, OptionalInt(keys, "cluster_size", 1 << 20));
  SLUICE_TRY(const auto width, OptionalInt(keys, "width", 1 << 30));
  memory.block_words = block.value_or(1);
  component.cluster_size = cluster.value_or(1);
  if (width) {
    const std::int64_t unit = memory.word_bits * memory.block_words;
    const bool fits = *width % unit == 0 && (!cluster || *width == unit * *cluster);
    if (!fits) {
      SLUICE_TRY(const Cursor width_at, keys.At("width"));
      return Fail(width_at.Error(
          ErrorCode::kBadValue,
          fmt::format("width {} is not word_bits {} x block_size {} x cluster_size {}", *width,
                      memory.word_bits, memory.block_words, component.cluster_size)));
    }
    component.cluster_size = *width / unit;
  }
  SLUICE_TRY(const auto entries, OptionalInt(keys, "entries", kMaxWords));
  SLUICE_TRY(const auto depth, OptionalInt(keys, "depth", kMaxWords));
  SLUICE_TRY(const auto kilobytes, OptionalInt(keys, "sizeKB", kMaxWords / 8192));
  const int given = (entries ? 1 : 0) + (depth ? 1 : 0) + (kilobytes ? 1 : 0);
  if (given > 1) {
    return Fail(at.Error(ErrorCode::kDuplicateKey,
                         fmt::format("`{}` has more than one size", memory.name),
                         "give one of entries, depth, sizeKB"));
  }
  if (entries) {
    memory.capacity_words = entries;
  } else if (depth) {
    const auto words = CheckedMul(*depth, memory.block_words);
    if (!words || *words > kMaxWords) {
      return Fail(at.Error(ErrorCode::kBadValue, fmt::format("`{}` is too large", memory.name)));
    }
    memory.capacity_words = words;
  } else if (kilobytes) {
    memory.capacity_words = *kilobytes * 8192 / memory.word_bits;
  } else if (!unbounded) {
    return Fail(at.Error(ErrorCode::kMissingKey, fmt::format("`{}` has no size", memory.name),
                         "add `entries` (words), `depth` (blocks) or `sizeKB`; only class DRAM is "
                         "unbounded"));
  }
  return {};
}

Status ReadBandwidth(const KeyMap& keys, Component& component) {
  const double tiny = std::numeric_limits<double>::min();
  SLUICE_TRY(component.memory.read_bandwidth, OptionalDouble(keys, "read_bandwidth", tiny));
  SLUICE_TRY(component.memory.write_bandwidth, OptionalDouble(keys, "write_bandwidth", tiny));
  if (const auto shared = keys.Find("shared_bandwidth")) {
    return Fail(shared->Error(ErrorCode::kBadValue,
                              "a bandwidth shared by reads and writes is not modelled",
                              "give read_bandwidth and write_bandwidth"));
  }
  SLUICE_TRY(const auto both, OptionalDouble(keys, "bandwidth", tiny));
  if (both) {
    if (component.memory.read_bandwidth || component.memory.write_bandwidth) {
      SLUICE_TRY(const Cursor both_at, keys.At("bandwidth"));
      return Fail(both_at.Error(ErrorCode::kDuplicateKey,
                                "`bandwidth` next to read_bandwidth or write_bandwidth"));
    }
    // Timeloop's rule for this deprecated key.
    component.memory.read_bandwidth = *both / 2;
    component.memory.write_bandwidth = *both / 2;
  }
  return {};
}

Result<Component> ReadComponent(const Cursor& at, std::int64_t copies, const std::string& scope) {
  SLUICE_TRY(const KeyMap keys,
             KeyMap::Read(at, {{"name"}, {"class"}, {"subclass"}, {"attributes"}}));
  Component component(at);
  component.scope = scope;
  SLUICE_TRY(const Cursor name_at, keys.At("name"));
  SLUICE_TRY(const ScopedName name, ParseName(name_at));
  component.memory.name = name.base;
  const auto total = CheckedMul(copies, name.copies);
  if (!total || *total > kMaxInstances) {
    return Fail(name_at.Error(ErrorCode::kArchInvalid, "more than 2^40 instances"));
  }
  SLUICE_TRY(const Cursor class_at, keys.At("class"));
  SLUICE_TRY(const std::string class_name, class_at.AsString());
  SLUICE_TRY(component.kind, KindOf(class_at, class_name));
  const bool memory = component.kind == Kind::kMemory;

  SLUICE_TRY(const YamlDocument nothing, YamlDocument::Parse("{}", "no attributes"));
  const Cursor attributes_at = keys.Find("attributes").value_or(nothing.root());
  const std::vector<KeySpellings> compute_only = {{"width"}};
  SLUICE_TRY(const KeyMap attributes,
             KeyMap::Read(attributes_at, Joined({GridAttributes(), EstimatorAttributes(),
                                                 memory ? MemoryAttributes() : compute_only})));
  SLUICE_TRY_STATUS(ReadGrid(name_at, attributes, *total, component));
  SLUICE_TRY(const auto word_bits, OptionalInt(attributes, "word_bits", 1 << 16));
  component.memory.word_bits = static_cast<int>(word_bits.value_or(kDefaultWordBits));
  if (!memory) {
    return component;
  }
  bool dram = class_name == "DRAM";
  if (const auto technology = attributes.Find("technology")) {
    SLUICE_TRY(const std::string text, technology->AsString());
    dram = dram || text == "DRAM";
  }
  SLUICE_TRY_STATUS(ReadSize(name_at, attributes, dram, component));
  SLUICE_TRY_STATUS(ReadBandwidth(attributes, component));
  SLUICE_TRY(const auto buffering, OptionalDouble(attributes, "multiple_buffering", 1.0));
  component.memory.buffering = buffering.value_or(1.0);
  SLUICE_TRY(const auto hop, OptionalDouble(attributes, "energy_per_hop", 0));
  SLUICE_TRY(const auto router, OptionalDouble(attributes, "router_energy", 0));
  component.hop_pj = hop.value_or(0);
  component.router_pj = router.value_or(0);
  return component;
}

/// Appends the components of a node and of its one sub-node, outermost first.
Status Walk(const Cursor& at, std::int64_t copies, bool root, std::vector<Component>& components) {
  SLUICE_TRY(const KeyMap keys, KeyMap::Read(at, {{"name"},
                                                  {"version"},
                                                  {"description"},
                                                  {"attributes"},
                                                  {"local"},
                                                  {"subtree"},
                                                  {"nodes"}}));
  if (const auto nodes = keys.Find("nodes")) {
    return Fail(nodes->Error(ErrorCode::kVersion, "this is a Timeloop v0.4 architecture",
                             "only v0.3 (subtree / local) is read"));
  }
  if (const auto version = keys.Find("version"); version && !root) {
    return Fail(version->Error(ErrorCode::kUnknownKey, "`version` inside a node",
                               "it belongs below `architecture:`"));
  }
  std::string scope;
  if (const auto name_at = keys.Find("name")) {
    SLUICE_TRY(const ScopedName name, ParseName(*name_at));
    scope = name.base;
    const auto total = CheckedMul(copies, name.copies);
    if (!total || *total > kMaxInstances) {
      return Fail(name_at->Error(ErrorCode::kArchInvalid, "more than 2^40 instances"));
    }
    copies = *total;
  }
  if (const auto attributes = keys.Find("attributes")) {
    SLUICE_TRY(const KeyMap checked, KeyMap::Read(*attributes, EstimatorAttributes()));
  }
  if (const auto local = keys.Find("local")) {
    SLUICE_TRY(const std::vector<Cursor> items, local->Elements());
    for (const Cursor& item : items) {
      SLUICE_TRY(Component component, ReadComponent(item, copies, scope));
      components.push_back(std::move(component));
    }
  }
  if (const auto subtree = keys.Find("subtree")) {
    SLUICE_TRY(const std::vector<Cursor> items, subtree->Elements());
    if (items.size() > 1) {
      return Fail(items[1].Error(ErrorCode::kArchInvalid,
                                 "a node with two sub-nodes: one operator runs on one path",
                                 "keep the path to the compute unit to be evaluated"));
    }
    for (const Cursor& item : items) {
      SLUICE_TRY_STATUS(Walk(item, copies, false, components));
    }
  }
  return {};
}

/// The fan-out from `outer` to `inner`.
Result<arch::FanOut> FanOutBetween(const Component& outer, const Component& inner) {
  arch::FanOut fan_out;
  if (inner.x % outer.x != 0 || inner.y % outer.y != 0) {
    return Fail(inner.at.Error(
        ErrorCode::kArchInvalid,
        fmt::format("the grid of `{}` ({} x {}) is no multiple of that of `{}` ({} x {})",
                    inner.memory.name, inner.x, inner.y, outer.memory.name, outer.x, outer.y),
        "meshX and meshY must divide those of the next inner component"));
  }
  fan_out.name = inner.scope;
  fan_out.x = inner.x / outer.x;
  fan_out.y = inner.y / outer.y;
  fan_out.network.hop_pj = outer.hop_pj;
  fan_out.network.router_pj = outer.router_pj;
  return fan_out;
}

Status CheckComponents(const Cursor& at, const std::vector<Component>& components) {
  if (components.size() < 2) {
    return Fail(at.Error(ErrorCode::kArchInvalid, "no memory above a compute unit"));
  }
  if (components.size() - 1 > static_cast<std::size_t>(arch::kMaxLevels)) {
    return Fail(
        at.Error(ErrorCode::kArchInvalid, fmt::format("more than {} memories", arch::kMaxLevels)));
  }
  for (std::size_t i = 0; i < components.size(); ++i) {
    const Component& component = components[i];
    const bool last = i + 1 == components.size();
    if ((component.kind == Kind::kCompute) != last) {
      return Fail(
          component.at.Error(ErrorCode::kArchInvalid,
                             last ? "the innermost component is no compute unit"
                                  : fmt::format("compute unit `{}` is not the innermost component",
                                                component.memory.name),
                             "list memories outermost first and the compute unit last"));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (components[j].memory.name == component.memory.name) {
        return Fail(component.at.Error(
            ErrorCode::kDuplicateKey,
            fmt::format("two components are called `{}`", component.memory.name)));
      }
    }
  }
  if (components.front().x * components.front().y != 1) {
    return Fail(components.front().at.Error(ErrorCode::kArchInvalid,
                                            "the outermost memory has more than one instance"));
  }
  return {};
}

}  // namespace

Result<Machine> ReadArchitecture(const Cursor& architecture, std::vector<std::string>& warnings) {
  SLUICE_TRY_STATUS(CheckVersion(architecture.Find("version")));
  std::vector<Component> components;
  SLUICE_TRY_STATUS(Walk(architecture, 1, true, components));
  SLUICE_TRY_STATUS(CheckComponents(architecture, components));
  Machine machine;
  for (std::size_t i = 0; i + 1 < components.size(); ++i) {
    const Component& component = components[i];
    SLUICE_TRY(arch::FanOut fan_out, FanOutBetween(component, components[i + 1]));
    machine.chain.levels.push_back({component.memory, std::move(fan_out)});
    machine.cluster_sizes.push_back(component.cluster_size);
    if (component.cluster_size > 1) {
      warnings.push_back(fmt::format(
          "{}: {} instances share one access (cluster_size); the energy of an access is divided by "
          "{}, which assumes that all of them are in use",
          component.memory.name, component.cluster_size, component.cluster_size));
    }
  }
  machine.chain.compute.name = components.back().memory.name;
  machine.chain.compute.classes = {{ir::WorkClass::kMac, 0.0, 1.0}};
  return machine;
}

}  // namespace sluice::io::timeloop
