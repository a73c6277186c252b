/// \file
/// Reader of architectures. Allowed keys, required keys and units come from the format table
/// (arch_format.h); conversions to words, cycles and picojoules are here, because they need the
/// word size of the memory and the clock; ranges and structure are arch::Validate's business. Its
/// path is mapped back to a position at the end.

#include "io/yaml/arch/arch.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/text.h"
#include "io/yaml/arch/arch_format.h"
#include "io/yaml/units.h"
#include "io/yaml/yaml.h"
#include "ir/network.h"

namespace sluice::io {

namespace {

using arch::Keep;

constexpr double kPicojoulesPerJoule = 1e12;

/// Only known, and all required, keys.
Status CheckSection(const Cursor& at, std::string_view section) {
  const SectionSpec& spec = FormatSection(section);
  std::vector<std::string> keys;
  keys.reserve(spec.keys.size());
  for (const KeySpec& key : spec.keys) {
    keys.emplace_back(key.key);
  }
  SLUICE_TRY_STATUS(at.AllowKeys(keys));
  for (const KeySpec& key : spec.keys) {
    if (key.required && !at.Find(key.key)) {
      return Fail(at.Error(ErrorCode::kMissingKey,
                           fmt::format("the {} lacks the key `{}`", section, key.key),
                           fmt::format("`{}`: {}", key.key, key.doc)));
    }
  }
  return {};
}

/// The value of `key` with the units that the table gives; nullopt when absent.
Result<std::optional<Quantity>> ReadQuantity(const Cursor& at, std::string_view section,
                                             std::string_view key) {
  const std::optional<Cursor> value = at.Find(key);
  if (!value) {
    return std::optional<Quantity>();
  }
  SLUICE_TRY(const Quantity quantity, value->AsQuantity(FormatKey(section, key).units));
  return std::optional<Quantity>(quantity);
}

Result<Quantity> ReadRequired(const Cursor& at, std::string_view section, std::string_view key) {
  SLUICE_TRY(const Cursor value, at.At(key));
  return value.AsQuantity(FormatKey(section, key).units);
}

Result<std::string> ReadText(const Cursor& at, std::string_view key) {
  const std::optional<Cursor> value = at.Find(key);
  if (!value) {
    return std::string();
  }
  SLUICE_TRY(std::string text, value->AsString());
  if (text.empty()) {
    return Fail(value->Error(ErrorCode::kBadValue, fmt::format("`{}` is empty", key)));
  }
  return text;
}

/// A size in words of `word_bits`; it must be a whole number of them.
Result<std::int64_t> WholeWords(const Cursor& at, const Quantity& quantity, int word_bits) {
  const auto count = static_cast<std::int64_t>(quantity.value);
  if (quantity.unit == Unit::kWords) {
    return count;
  }
  if (count % word_bits != 0) {
    return Fail(at.Error(
        ErrorCode::kBadValue,
        fmt::format("{} bit is not a whole number of {}-bit words", count, word_bits),
        fmt::format("write `{} words` or `{} words`", count / word_bits, count / word_bits + 1)));
  }
  return count / word_bits;
}

class Reader {
 public:
  Result<arch::Architecture> Read(const Cursor& root) {
    arch::Architecture out;
    if (root.IsMap()) {
      SLUICE_TRY_STATUS(CheckVersion(root));
    }
    SLUICE_TRY_STATUS(CheckSection(root, "architecture"));
    SLUICE_TRY(out.name, ReadText(root, "name"));
    SLUICE_TRY(out.description, ReadText(root, "description"));
    SLUICE_TRY(const Quantity clock, ReadRequired(root, "architecture", "clock"));
    out.clock_hz = clock.value;
    if (!(out.clock_hz > 0)) {
      SLUICE_TRY(const Cursor clock_at, root.At("clock"));
      return Fail(clock_at.Error(ErrorCode::kBadValue, "the clock must be above 0",
                                 "write for example `200 MHz`"));
    }
    clock_hz_ = out.clock_hz;
    SLUICE_TRY(const Cursor memory, root.At("memory"));
    SLUICE_TRY(out.root, ReadNode(memory, 0));
    return out;
  }

 private:
  static Status CheckVersion(const Cursor& root) {
    const std::optional<Cursor> version = root.Find("version");
    if (!version) {
      return Fail(root.Error(ErrorCode::kMissingKey, "the key `version` is missing",
                             fmt::format("add `version: {}`", kArchitectureVersion)));
    }
    SLUICE_TRY(const std::int64_t number, version->AsInt());
    if (number != kArchitectureVersion) {
      return Fail(version->Error(
          ErrorCode::kVersion, fmt::format("version {} of the format is not known", number),
          fmt::format("this program reads version {}", kArchitectureVersion)));
    }
    return {};
  }

  /// Picojoules of an access of `words` words.
  static double AccessEnergy(const Quantity& q, std::int64_t words, int word_bits) {
    const auto count = static_cast<double>(words);
    return q.unit == Unit::kEnergyPerWord  ? q.value * count
           : q.unit == Unit::kEnergyPerBit ? q.value * count * word_bits
                                           : q.value;
  }

  /// Words per cycle.
  [[nodiscard]] double Bandwidth(const Quantity& q, int word_bits) const {
    return q.unit == Unit::kWordsPerCycle ? q.value
           : q.unit == Unit::kBandwidth   ? q.value / word_bits
                                          : q.value / clock_hz_ / word_bits;
  }

  [[nodiscard]] Result<std::optional<double>> ReadBandwidth(const Cursor& at,
                                                            std::string_view section,
                                                            std::string_view key,
                                                            int word_bits) const {
    SLUICE_TRY(const auto quantity, ReadQuantity(at, section, key));
    return quantity ? std::optional<double>(Bandwidth(*quantity, word_bits)) : std::nullopt;
  }

  [[nodiscard]] Result<double> ReadLeakage(const Cursor& at, std::string_view section) const {
    SLUICE_TRY(const auto quantity, ReadQuantity(at, section, "leakage"));
    if (!quantity) {
      return 0.0;
    }
    return quantity->unit == Unit::kPower ? quantity->value / clock_hz_ * kPicojoulesPerJoule
                                          : quantity->value;
  }

  static Status ReadWords(const Cursor& at, int parent_bits, arch::Memory& memory) {
    SLUICE_TRY(const auto word, ReadQuantity(at, "memory", "word"));
    if (word) {
      if (!(word->value >= 1 && word->value <= 4096)) {
        SLUICE_TRY(const Cursor word_at, at.At("word"));
        return Fail(word_at.Error(ErrorCode::kBadValue, "a word has between 1 and 4096 bit"));
      }
      memory.word_bits = static_cast<int>(word->value);
    } else if (parent_bits > 0) {
      memory.word_bits = parent_bits;
    } else {
      return Fail(at.Error(ErrorCode::kMissingKey, "the outermost memory lacks the key `word`",
                           "write for example `word: 16 bit`"));
    }
    SLUICE_TRY(const Cursor size, at.At("size"));
    if (const auto text = size.AsString(); !text || *text != "unbounded") {
      auto quantity = size.AsQuantity(FormatKey("memory", "size").units);
      if (!quantity) {
        Diagnostic error = std::move(quantity).error();
        if (error.code == ErrorCode::kBadValue && !error.hint.empty()) {
          error.hint += ", or `unbounded`";
        }
        return Fail(std::move(error));
      }
      SLUICE_TRY(memory.capacity_words, WholeWords(size, *quantity, memory.word_bits));
    }
    SLUICE_TRY(const auto block, ReadQuantity(at, "memory", "block"));
    if (block) {
      SLUICE_TRY(const Cursor block_at, at.At("block"));
      SLUICE_TRY(memory.block_words, WholeWords(block_at, *block, memory.word_bits));
    }
    return {};
  }

  static Status ReadEnergy(const Cursor& at, arch::Memory& memory) {
    SLUICE_TRY_STATUS(CheckSection(at, "energy"));
    const auto joules = [&](const Quantity& q) {
      return AccessEnergy(q, memory.block_words, memory.word_bits);
    };
    SLUICE_TRY(const Quantity read, ReadRequired(at, "energy", "read"));
    SLUICE_TRY(const auto fill, ReadQuantity(at, "energy", "fill"));
    SLUICE_TRY(const auto update, ReadQuantity(at, "energy", "update"));
    memory.read_pj = joules(read);
    memory.fill_pj = fill ? joules(*fill) : memory.read_pj;
    memory.update_pj = update ? joules(*update) : memory.fill_pj;
    return {};
  }

  static Result<Keep> ReadKeepName(const Cursor& at) {
    SLUICE_TRY(const std::string text, at.AsString());
    for (const Keep keep : {Keep::kMay, Keep::kMust, Keep::kNever}) {
      if (arch::KeepName(keep) == text) {
        return keep;
      }
    }
    return Fail(at.Error(ErrorCode::kBadValue, fmt::format("`{}` is no rule", text.substr(0, 40)),
                         "write must, may or never"));
  }

  static Status ReadKeep(const Cursor& at, arch::Memory& memory) {
    if (at.IsScalar()) {
      SLUICE_TRY(const Keep keep, ReadKeepName(at));
      memory.keep.fill(keep);
      return {};
    }
    SLUICE_TRY_STATUS(CheckSection(at, "keep"));
    for (std::size_t c = 0; c < memory.keep.size(); ++c) {
      if (const auto rule = at.Find(arch::TensorClassName(static_cast<arch::TensorClass>(c)))) {
        SLUICE_TRY(memory.keep[c], ReadKeepName(*rule));
      }
    }
    return {};
  }

  [[nodiscard]] Result<arch::Memory> ReadMemory(const Cursor& at, int parent_bits) const {
    arch::Memory memory;
    SLUICE_TRY_STATUS(CheckSection(at, "memory"));
    SLUICE_TRY(memory.name, ReadText(at, "name"));
    SLUICE_TRY_STATUS(ReadWords(at, parent_bits, memory));
    if (const auto buffering = at.Find("buffering")) {
      SLUICE_TRY(memory.buffering, buffering->AsDouble());
    }
    SLUICE_TRY(memory.read_bandwidth,
               ReadBandwidth(at, "memory", "read_bandwidth", memory.word_bits));
    SLUICE_TRY(memory.write_bandwidth,
               ReadBandwidth(at, "memory", "write_bandwidth", memory.word_bits));
    SLUICE_TRY(const Cursor energy, at.At("energy"));
    SLUICE_TRY_STATUS(ReadEnergy(energy, memory));
    SLUICE_TRY(memory.leakage_pj_per_cycle, ReadLeakage(at, "memory"));
    if (parent_bits == 0) {
      memory.keep.fill(Keep::kMust);
    }
    if (const auto keep = at.Find("keep")) {
      SLUICE_TRY_STATUS(ReadKeep(*keep, memory));
    }
    return memory;
  }

  /// `parent_bits` is 0 for the outermost memory. Depth is bounded by the reader of the text.
  [[nodiscard]] Result<arch::Node> ReadNode(const Cursor& at, int parent_bits) const {
    arch::Node node;
    SLUICE_TRY(node.memory, ReadMemory(at, parent_bits));
    SLUICE_TRY(const Cursor below_at, at.At("below"));
    SLUICE_TRY(const std::vector<Cursor> below, below_at.Elements());
    for (const Cursor& element : below) {
      SLUICE_TRY(arch::Node::Branch branch, ReadBranch(element, node.memory.word_bits));
      node.branches.push_back(std::move(branch));
    }
    return node;
  }

  static Diagnostic AdjacentFanOuts(const Cursor& at) {
    return at.Error(ErrorCode::kArchInvalid, "two fan-outs without a memory between them",
                    "merge them into one `fan_out` with x and y, or put a memory between");
  }

  /// A `below` in a branch: of a fan-out in a fan-out, or of a memory whose own key is missing.
  static Diagnostic MisplacedBelow(const Cursor& at, const Cursor& below) {
    const auto elements = below.Elements();
    if (elements && !elements->empty()) {
      if (const auto fan_out = elements->front().Find("fan_out")) {
        return AdjacentFanOuts(*fan_out);
      }
    }
    return at.KeyOf("below").Error(ErrorCode::kUnknownKey, "`below` belongs into a memory",
                                   "write `memory:` with the name, size ... and its `below`");
  }

  [[nodiscard]] Result<arch::Node::Branch> ReadBranch(const Cursor& at, int word_bits) const {
    arch::Node::Branch branch;
    if (const auto below = at.Find("below")) {
      return Fail(MisplacedBelow(at, *below));
    }
    SLUICE_TRY_STATUS(CheckSection(at, "branch"));
    const auto memory = at.Find("memory");
    const auto compute = at.Find("compute");
    if (memory.has_value() == compute.has_value()) {
      return Fail(at.Error(ErrorCode::kMissingKey,
                           memory ? "a branch has a memory and a compute unit"
                                  : "a branch has neither a memory nor a compute unit",
                           memory ? "write two branches" : "add `memory:` or `compute:`"));
    }
    if (const auto fan_out = at.Find("fan_out")) {
      SLUICE_TRY(branch.fan_out, ReadFanOut(*fan_out, word_bits));
    }
    if (memory) {
      SLUICE_TRY(arch::Node child, ReadNode(*memory, word_bits));
      branch.memory_child.push_back(std::move(child));
    } else {
      SLUICE_TRY(arch::Compute unit, ReadCompute(*compute));
      branch.compute_child.push_back(std::move(unit));
    }
    return branch;
  }

  static Status ReadNames(const Cursor& at, std::string_view key, std::vector<std::string>& out) {
    const auto list = at.Find(key);
    if (!list) {
      return {};
    }
    SLUICE_TRY(const std::vector<Cursor> elements, list->Elements());
    for (const Cursor& element : elements) {
      SLUICE_TRY(out.emplace_back(), element.AsString());
    }
    return {};
  }

  [[nodiscard]] Result<arch::FanOut> ReadFanOut(const Cursor& at, int word_bits) const {
    arch::FanOut fan_out;
    if (at.IsSequence()) {
      return Fail(AdjacentFanOuts(at));
    }
    if (const auto inner = at.Find("fan_out")) {
      return Fail(AdjacentFanOuts(*inner));
    }
    for (const std::string_view key : {"memory", "compute"}) {
      if (at.Find(key)) {
        return Fail(
            at.KeyOf(key).Error(ErrorCode::kUnknownKey, fmt::format("`{}` inside a fan-out", key),
                                fmt::format("write `{}` beside `fan_out`, not in it", key)));
      }
    }
    SLUICE_TRY_STATUS(CheckSection(at, "fan_out"));
    SLUICE_TRY(fan_out.name, ReadText(at, "name"));
    SLUICE_TRY(const Cursor x, at.At("x"));
    SLUICE_TRY(fan_out.x, x.AsInt(1, arch::kMaxInstances));
    if (const auto y = at.Find("y")) {
      SLUICE_TRY(fan_out.y, y->AsInt(1, arch::kMaxInstances));
    }
    SLUICE_TRY_STATUS(ReadNames(at, "dims_x", fan_out.dims_x));
    SLUICE_TRY_STATUS(ReadNames(at, "dims_y", fan_out.dims_y));
    if (const auto network = at.Find("network")) {
      SLUICE_TRY(fan_out.network, ReadNetwork(*network, word_bits));
    }
    return fan_out;
  }

  [[nodiscard]] Result<arch::Network> ReadNetwork(const Cursor& at, int word_bits) const {
    arch::Network network;
    SLUICE_TRY_STATUS(CheckSection(at, "network"));
    const auto flag = [&](std::string_view key, bool& out) -> Status {
      if (const auto value = at.Find(key)) {
        SLUICE_TRY(out, value->AsBool());
      }
      return {};
    };
    const auto energy = [&](std::string_view key, double& out) -> Status {
      SLUICE_TRY(const auto quantity, ReadQuantity(at, "network", key));
      if (quantity) {
        out = AccessEnergy(*quantity, 1, word_bits);
      }
      return {};
    };
    SLUICE_TRY_STATUS(flag("multicast", network.multicast));
    SLUICE_TRY_STATUS(flag("reduction", network.reduction));
    SLUICE_TRY_STATUS(flag("neighbour_forwarding", network.neighbour_forwarding));
    SLUICE_TRY_STATUS(energy("hop_energy", network.hop_pj));
    SLUICE_TRY_STATUS(energy("router_energy", network.router_pj));
    SLUICE_TRY_STATUS(energy("reduction_energy", network.reduction_pj));
    SLUICE_TRY(network.bandwidth, ReadBandwidth(at, "network", "bandwidth", word_bits));
    return network;
  }

  [[nodiscard]] Result<arch::Compute> ReadCompute(const Cursor& at) const {
    arch::Compute compute;
    SLUICE_TRY_STATUS(CheckSection(at, "compute"));
    SLUICE_TRY(compute.name, ReadText(at, "name"));
    SLUICE_TRY(const Cursor classes_at, at.At("classes"));
    SLUICE_TRY(const std::vector<Cursor> classes, classes_at.Elements());
    for (const Cursor& element : classes) {
      SLUICE_TRY(const arch::ComputeClass c, ReadClass(element));
      compute.classes.push_back(c);
    }
    SLUICE_TRY(compute.leakage_pj_per_cycle, ReadLeakage(at, "compute"));
    return compute;
  }

  static Result<arch::ComputeClass> ReadClass(const Cursor& at) {
    using ir::WorkClass;
    arch::ComputeClass out;
    SLUICE_TRY_STATUS(CheckSection(at, "class"));
    SLUICE_TRY(const Cursor name, at.At("class"));
    SLUICE_TRY(const std::string text, name.AsString());
    bool known = false;
    std::vector<std::string> names;
    for (const WorkClass c :
         {WorkClass::kMac, WorkClass::kVector, WorkClass::kTranscendental, WorkClass::kMove}) {
      names.emplace_back(arch::WorkClassName(c));
      if (names.back() == text) {
        out.work_class = c;
        known = true;
      }
    }
    if (!known) {
      const std::string closest = ClosestMatch(text, names);
      return Fail(name.Error(ErrorCode::kBadValue,
                             fmt::format("`{}` is no class of work", text.substr(0, 40)),
                             closest.empty() ? "the classes are mac, vector, transcendental, move"
                                             : fmt::format("did you mean `{}`?", closest)));
    }
    SLUICE_TRY(const Quantity energy, ReadRequired(at, "class", "energy"));
    out.pj_per_operation = energy.value;
    SLUICE_TRY(const auto rate, ReadQuantity(at, "class", "rate"));
    if (rate) {
      out.operations_per_cycle = rate->value;
    }
    return out;
  }

  double clock_hz_ = 1;
};

/// The deepest existing place of a path such as `memory.below[0].fan_out.x`.
Cursor Locate(Cursor at, std::string_view path) {
  while (!path.empty()) {
    const std::size_t end = path.find_first_of(".[");
    const std::string_view key = path.substr(0, end);
    if (!key.empty()) {
      const std::optional<Cursor> next = at.Find(key);
      if (!next) {
        return at;
      }
      at = *next;
    }
    if (end == std::string_view::npos) {
      return at;
    }
    if (path[end] == '.') {
      path.remove_prefix(end + 1U);
      continue;
    }
    const std::size_t close = path.find(']', end);
    const auto elements = at.Elements();
    const auto index =
        static_cast<std::size_t>(std::stoul(std::string(path.substr(end + 1U, close - end - 1U))));
    if (!elements || index >= elements->size()) {
      return at;
    }
    at = (*elements)[index];
    path.remove_prefix(close + 1U);
    if (!path.empty() && path.front() == '.') {
      path.remove_prefix(1);
    }
  }
  return at;
}

}  // namespace

Result<arch::Architecture> ReadArchitecture(const YamlDocument& document) {
  SLUICE_TRY(arch::Architecture architecture, Reader().Read(document.root()));
  if (auto status = arch::Validate(architecture); !status) {
    Diagnostic error = std::move(status).error();
    error.span = Locate(document.root(), error.path).span();
    return Fail(std::move(error));
  }
  return architecture;
}

Result<arch::Architecture> LoadArchitecture(const std::string& path) {
  SLUICE_TRY(const YamlDocument document, YamlDocument::Load(path));
  return ReadArchitecture(document);
}

}  // namespace sluice::io
