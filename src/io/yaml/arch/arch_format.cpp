#include "io/yaml/arch/arch_format.h"

#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "io/yaml/units.h"

namespace sluice::io {

// NOLINTNEXTLINE(readability-function-size): one table, read from top to bottom
const std::vector<SectionSpec>& ArchitectureFormat() {
  using K = ValueKind;
  static const std::vector<Unit> kSizes = {Unit::kBits, Unit::kWords};
  static const std::vector<Unit> kBandwidths = {Unit::kWordsPerCycle, Unit::kBandwidth,
                                                Unit::kBandwidthTime};
  static const std::vector<Unit> kAccess = {Unit::kEnergy, Unit::kEnergyPerWord,
                                            Unit::kEnergyPerBit};
  static const std::vector<Unit> kTransfer = {Unit::kEnergyPerWord, Unit::kEnergyPerBit};
  static const std::vector<Unit> kLeakage = {Unit::kPower, Unit::kEnergyPerCycle};
  static const std::vector<std::string_view> kKeep = {"may", "must", "never"};
  static const std::vector<SectionSpec> kFormat = {
      {"architecture",
       "The file.",
       {{"version", K::kVersion, true, {}, {}, {}, "Version of this format: 1."},
        {"name", K::kText, true, {}, {}, {}, "Name of the machine."},
        {"description", K::kText, false, {}, {}, {}, "What it models, and from which source."},
        {"clock", K::kQuantity, true, {Unit::kHertz}, {}, {}, "The one clock of all units."},
        {"memory",
         K::kSection,
         true,
         {},
         {},
         "memory",
         "The outermost memory. It keeps every tensor."}},
       {}},
      {"memory",
       "A memory and what hangs below it.",
       {{"name", K::kText, true, {}, {}, {}, "Unique name."},
        {"size", K::kSize, true, kSizes, {}, {}, "Capacity of one instance, or `unbounded`."},
        {"word",
         K::kQuantity,
         false,
         {Unit::kBits},
         {},
         {},
         "Size of one element. Default: as the memory above; required for the outermost."},
        {"block", K::kQuantity, false, kSizes, {}, {}, "What one access moves. Default: 1 word."},
        {"buffering",
         K::kNumber,
         false,
         {},
         {},
         {},
         "Copies of every tile held at once: 1 single (default), 2 double buffered."},
        {"read_bandwidth",
         K::kQuantity,
         false,
         kBandwidths,
         {},
         {},
         "Of one instance. Default: never limits."},
        {"write_bandwidth",
         K::kQuantity,
         false,
         kBandwidths,
         {},
         {},
         "Of one instance. Default: never limits."},
        {"energy", K::kSection, true, {}, {}, "energy", "Energy of the accesses."},
        {"leakage", K::kQuantity, false, kLeakage, {}, {}, "Of one instance. Default: none."},
        {"keep",
         K::kKeep,
         false,
         {},
         kKeep,
         "keep",
         "Whether tensors are kept here, for all classes or for each. Default: may."},
        {"below",
         K::kSectionList,
         true,
         {},
         {},
         "branch",
         "What hangs below. Operators run on the first compute unit, in this order, that offers "
         "their work."}},
       {}},
      {"energy",
       "Energy of an access: per block (`pJ`), per word or per bit.",
       {{"read", K::kQuantity, true, kAccess, {}, {}, "A read."},
        {"fill",
         K::kQuantity,
         false,
         kAccess,
         {},
         {},
         "A write of data from the memory above. Default: as `read`."},
        {"update",
         K::kQuantity,
         false,
         kAccess,
         {},
         {},
         "A write of results from below. Default: as `fill`."}},
       {}},
      {"keep",
       "`must`: always kept, `never`: always bypassed, `may`: the mapping chooses.",
       {{"input", K::kChoice, false, {}, kKeep, {}, "Activations read."},
        {"weight", K::kChoice, false, {}, kKeep, {}, "Weights."},
        {"output", K::kChoice, false, {}, kKeep, {}, "Results and partial sums."}},
       {}},
      {"branch",
       "Something below a memory: a memory or a compute unit, once or in many copies.",
       {{"fan_out", K::kSection, false, {}, {}, "fan_out", "Copies of what follows. Default: one."},
        {"memory", K::kSection, false, {}, {}, "memory", "The memory below."},
        {"compute", K::kSection, false, {}, {}, "compute", "The compute unit below."}},
       {"memory", "compute"}},
      {"fan_out",
       "Equal copies on a line or a grid, and the network that feeds them.",
       {{"name", K::kText, false, {}, {}, {}, "Unique name."},
        {"x", K::kCount, true, {}, {}, {}, "Copies along X."},
        {"y", K::kCount, false, {}, {}, {}, "Copies along Y. Default: 1."},
        {"dims_x", K::kNames, false, {}, {}, {}, "Dims that X may unroll. Default: any."},
        {"dims_y", K::kNames, false, {}, {}, {}, "Dims that Y may unroll. Default: any."},
        {"network", K::kSection, false, {}, {}, "network", "How words travel. Default: as below."}},
       {}},
      {"network",
       "Words are those of the memory above the fan-out.",
       {{"multicast",
         K::kFlag,
         false,
         {},
         {},
         {},
         "One read above serves all copies that need the word. Default: true."},
        {"reduction",
         K::kFlag,
         false,
         {},
         {},
         {},
         "Partial sums of the copies are added on the way up. Default: true."},
        {"neighbour_forwarding",
         K::kFlag,
         false,
         {},
         {},
         {},
         "A copy may take a word from the neighbour that held it. Default: false."},
        {"hop_energy", K::kQuantity, false, kTransfer, {}, {}, "Of a word and hop. Default: 0."},
        {"router_energy",
         K::kQuantity,
         false,
         kTransfer,
         {},
         {},
         "Of a word and router passed. Default: 0."},
        {"reduction_energy",
         K::kQuantity,
         false,
         kTransfer,
         {},
         {},
         "Of adding a word in the network. Default: 0."},
        {"bandwidth",
         K::kQuantity,
         false,
         kBandwidths,
         {},
         {},
         "Into the fan-out. Default: never limits."}},
       {}},
      {"compute",
       "A compute unit.",
       {{"name", K::kText, true, {}, {}, {}, "Unique name."},
        {"classes", K::kSectionList, true, {}, {}, "class", "The classes of work it offers."},
        {"leakage", K::kQuantity, false, kLeakage, {}, {}, "Of one unit. Default: none."}},
       {}},
      {"class",
       "One class of work of a compute unit.",
       {{"class",
         K::kChoice,
         true,
         {},
         {"mac", "vector", "transcendental", "move"},
         {},
         "`mac`: multiply and add; `vector`: add, multiply, compare; `transcendental`: exp, "
         "division, tanh ...; `move`: copies."},
        {"energy", K::kQuantity, true, {Unit::kEnergy}, {}, {}, "Of one operation."},
        {"rate",
         K::kQuantity,
         false,
         {Unit::kRate},
         {},
         {},
         "Operations of one unit per cycle. Default: 1 op/cycle."}},
       {}},
  };
  return kFormat;
}

const SectionSpec& FormatSection(std::string_view section) {
  for (const SectionSpec& spec : ArchitectureFormat()) {
    if (spec.name == section) {
      return spec;
    }
  }
  SLUICE_CHECK(false, "no such section: " + std::string(section));
}

const KeySpec& FormatKey(std::string_view section, std::string_view key) {
  for (const KeySpec& spec : FormatSection(section).keys) {
    if (spec.key == key) {
      return spec;
    }
  }
  SLUICE_CHECK(false, "no such key: " + std::string(section) + "." + std::string(key));
}

namespace {

std::string ValueText(const KeySpec& key) {
  std::string text;
  const auto append = [&](std::string_view part) {
    text += (text.empty() ? "" : ", ") + std::string(part);
  };
  switch (key.kind) {
    case ValueKind::kVersion:
      return "`1`";
    case ValueKind::kText:
      return "text";
    case ValueKind::kCount:
      return "integer from 1";
    case ValueKind::kNumber:
      return "number from 1";
    case ValueKind::kFlag:
      return "`true`, `false`";
    case ValueKind::kNames:
      return "list of text";
    case ValueKind::kSection:
      return "map: " + std::string(key.section);
    case ValueKind::kSectionList:
      return "list of maps: " + std::string(key.section);
    case ValueKind::kSize:
      append("`unbounded`");
      break;
    case ValueKind::kQuantity:
    case ValueKind::kChoice:
    case ValueKind::kKeep:
      break;
  }
  for (const Unit unit : key.units) {
    for (const std::string_view spelling : UnitSpellings(unit)) {
      append(spelling);
    }
  }
  for (const std::string_view choice : key.choices) {
    append("`" + std::string(choice) + "`");
  }
  if (key.kind == ValueKind::kKeep) {
    append("or map: " + std::string(key.section));
  }
  return text;
}

}  // namespace

std::string FormatTable(const SectionSpec& section) {
  std::string table = "| key | value | | meaning |\n|---|---|---|---|\n";
  for (const KeySpec& key : section.keys) {
    table += "| `" + std::string(key.key) + "` | " + ValueText(key) + " | " +
             (key.required ? "required" : "") + " | " + std::string(key.doc) + " |\n";
  }
  return table;
}

}  // namespace sluice::io
