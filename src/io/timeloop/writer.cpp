#include "io/timeloop/writer.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/text.h"
#include "ir/network.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::io {
namespace {

/// `text` with everything but printable ASCII, quotes and backslashes replaced, in double quotes.
std::string Quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const bool plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
    result += plain ? c : '_';
  }
  return result + "\"";
}

/// A component or node name: Timeloop gives `.` and `[` a meaning.
std::string Plain(const std::string& text, const std::string& fallback) {
  std::string result;
  for (const char c : text) {
    result += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  return result.empty() ? fallback : result;
}

std::string Unique(std::string name, std::set<std::string>& taken) {
  std::string candidate = name;
  for (int n = 2; !taken.insert(candidate).second; ++n) {
    candidate = fmt::format("{}_{}", name, n);
  }
  return candidate;
}

std::string List(const std::vector<std::string>& items) {
  return fmt::format("[{}]", fmt::join(items, ", "));
}

/// All names in Timeloop's spelling.
struct Names {
  std::vector<std::string> levels;
  std::vector<std::string> nodes;  ///< of the fan-out below each level
  std::string compute;
  std::vector<std::string> dims;  ///< one letter each
  std::vector<std::string> tensors;
};

/// Its own first letters if free, else the first free letter.
std::vector<std::string> DimLetters(const std::vector<std::string>& dim_names) {
  std::vector<std::string> result(dim_names.size());
  std::set<std::string> taken;
  const auto assign = [&](std::size_t d, char letter) {
    const std::string text(1, letter);
    if (result[d].empty() && std::isalpha(static_cast<unsigned char>(letter)) != 0 &&
        taken.insert(text).second) {
      result[d] = text;
    }
  };
  for (std::size_t d = 0; d < dim_names.size(); ++d) {
    if (dim_names[d].size() == 1) {
      assign(d, dim_names[d][0]);
    }
  }
  for (std::size_t d = 0; d < dim_names.size(); ++d) {
    for (const char c : dim_names[d] + "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
      assign(d, static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    }
  }
  return result;
}

/// A letter that is no dim; there are at most kMaxDims of them.
std::string FreeLetter(const std::vector<std::string>& letters) {
  for (char c = 'A'; c < 'Z'; ++c) {
    if (std::ranges::find(letters, std::string(1, c)) == letters.end()) {
      return std::string(1, c);
    }
  }
  return "Z";
}

Names MakeNames(const mapping::Workload& workload, const arch::Chain& chain) {
  Names names;
  std::set<std::string> components;
  std::set<std::string> nodes = {"system"};
  for (std::size_t l = 0; l < chain.levels.size(); ++l) {
    names.levels.push_back(
        Unique(Plain(chain.levels[l].memory.name, fmt::format("L{}", l)), components));
    names.nodes.push_back(
        Unique(Plain(chain.levels[l].fan_out.name, fmt::format("node{}", l)), nodes));
  }
  names.compute = Unique(Plain(chain.compute.name, "MAC"), components);
  names.dims = DimLetters(workload.dim_names);
  std::set<std::string> tensors;
  for (const std::string& name : workload.tensor_names) {
    names.tensors.push_back(Unique(Quoted(name), tensors));
  }
  // A suffix lands behind the closing quote: move it inside.
  for (std::string& name : names.tensors) {
    const auto quote = name.rfind('"');
    name.erase(quote, 1);
    name += '"';
  }
  return names;
}

class Writer {
 public:
  Writer(const mapping::Workload& workload, const arch::Chain& chain,
         const mapping::Mapping& mapping)
      : workload_(workload), chain_(chain), mapping_(mapping), names_(MakeNames(workload, chain)) {}

  Result<TimeloopText> Write() {
    SLUICE_TRY_STATUS(CheckLoops());
    TimeloopText text;
    SLUICE_TRY(const double point_pj, PointEnergy());
    text.architecture = Architecture();
    text.problem = Problem();
    text.mapping = MappingText();
    text.ert = EnergyTable(point_pj);
    text.notes = Notes();
    return text;
  }

 private:
  [[nodiscard]] Status CountLoops(std::size_t l, const mapping::LoopList& loops, bool in_y,
                                  std::vector<int>& uses) const;
  [[nodiscard]] Status CheckLoops() const;
  [[nodiscard]] Diagnostic TwiceAtLevel(std::size_t l, int dim_index, bool on_y) const;
  [[nodiscard]] Result<double> PointEnergy() const;
  [[nodiscard]] std::string Architecture() const;
  [[nodiscard]] std::string MemoryText(std::size_t l, std::int64_t x, std::int64_t y) const;
  [[nodiscard]] std::string Problem() const;
  [[nodiscard]] std::string MappingText() const;
  [[nodiscard]] std::string Directive(std::size_t l, bool spatial) const;
  [[nodiscard]] std::string KeepText(std::size_t l) const;
  [[nodiscard]] std::string EnergyTable(double point_pj) const;
  [[nodiscard]] std::vector<std::string> Notes() const;
  [[nodiscard]] const arch::Network& network(std::size_t l) const {
    return chain_.levels[l].fan_out.network;
  }

  const mapping::Workload& workload_;
  const arch::Chain& chain_;
  const mapping::Mapping& mapping_;
  Names names_;
};

Diagnostic Writer::TwiceAtLevel(std::size_t l, int dim_index, bool on_y) const {
  const arch::Level& level = chain_.levels[l];
  const std::string& dim = workload_.dim_names[static_cast<std::size_t>(dim_index)];
  const bool on_both_axes =
      on_y && std::ranges::any_of(mapping_.levels[l].spatial_x, [&](const mapping::Loop& other) {
        return other.bound > 1 && other.dim == dim_index;
      });
  if (!on_both_axes) {
    return Diagnostic(ErrorCode::kMappingInvalid,
                      fmt::format("Timeloop cannot express this mapping: dim `{}` has two loops at "
                                  "level `{}`",
                                  dim, level.memory.name))
        .WithHint(
            "merge the two loops, or move one to another level; a level has one factor for "
            "each dim in time and one in space");
  }
  return Diagnostic(ErrorCode::kMappingInvalid,
                    fmt::format("Timeloop cannot express this mapping: dim `{}` is on both axes of "
                                "the fan-out below `{}`",
                                dim, level.memory.name))
      .WithHint(fmt::format(
          "keep `{}` on one axis: edit the mapping, or say in the architecture which dims the "
          "axes of `{}` take (`dims_x`, `dims_y`) and search again",
          dim, level.fan_out.name));
}

/// Adds the loops to `uses`; fails at the second loop over a dim.
Status Writer::CountLoops(std::size_t l, const mapping::LoopList& loops, bool in_y,
                          std::vector<int>& uses) const {
  for (const mapping::Loop& loop : loops) {
    if (loop.bound > 1 && ++uses[static_cast<std::size_t>(loop.dim)] > 1) {
      return Fail(TwiceAtLevel(l, loop.dim, in_y));
    }
  }
  return {};
}

Status Writer::CheckLoops() const {
  if (mapping_.levels.size() != chain_.levels.size()) {
    return Fail(ErrorCode::kMappingInvalid, "the mapping has another number of levels");
  }
  for (std::size_t l = 0; l < chain_.levels.size(); ++l) {
    const mapping::LevelMapping& level = mapping_.levels[l];
    std::vector<int> temporal(names_.dims.size(), 0);
    SLUICE_TRY_STATUS(CountLoops(l, level.temporal, false, temporal));
    std::vector<int> spatial(names_.dims.size(), 0);
    SLUICE_TRY_STATUS(CountLoops(l, level.spatial_x, false, spatial));
    SLUICE_TRY_STATUS(CountLoops(l, level.spatial_y, true, spatial));
  }
  return {};
}

/// Picojoules of all the work of one point: Timeloop knows one operation a point.
Result<double> Writer::PointEnergy() const {
  double energy = 0;
  for (const ir::Work& work : workload_.body) {
    const auto& classes = chain_.compute.classes;
    const auto unit = std::ranges::find_if(
        classes, [&](const auto& c) { return c.work_class == work.work_class; });
    if (unit != classes.end()) {
      energy += static_cast<double>(work.per_point) * unit->pj_per_operation;
    } else if (work.work_class != ir::WorkClass::kMove) {
      return Fail(ErrorCode::kArchInvalid,
                  fmt::format("compute unit {} does not run the work of {}", chain_.compute.name,
                              workload_.name));
    }
  }
  return energy;
}

std::string Writer::MemoryText(std::size_t l, std::int64_t x, std::int64_t y) const {
  const arch::Memory& memory = chain_.levels[l].memory;
  std::string text = fmt::format("name: {}, class: {}, attributes: {{word_bits: {}, block_size: {}",
                                 Quoted(names_.levels[l]), memory.capacity_words ? "SRAM" : "DRAM",
                                 memory.word_bits, memory.block_words);
  if (memory.capacity_words) {
    text += fmt::format(", entries: {}", *memory.capacity_words);
  }
  text += fmt::format(", meshX: {}, meshY: {}", x, y);
  const auto number = [&](const char* key, std::optional<double> value, double omitted) {
    if (value && *value != omitted) {
      text += fmt::format(", {}: {}", key, ShortestDouble(*value));
    }
  };
  number("multiple_buffering", memory.buffering, 1);
  number("read_bandwidth", memory.read_bandwidth, -1);
  number("write_bandwidth", memory.write_bandwidth, -1);
  number("energy_per_hop", network(l).hop_pj, 0);
  number("router_energy", network(l).router_pj, 0);
  return fmt::format("{{{}}}}}", text);
}

std::string Writer::Architecture() const {
  std::string text = "architecture:\n  version: 0.3\n  subtree:\n";
  std::string indent = "  ";
  text += indent + "- name: system\n" + indent + "  local:\n";
  std::int64_t x = 1;
  std::int64_t y = 1;
  for (std::size_t l = 0; l <= chain_.levels.size(); ++l) {
    if (l > 0) {
      const arch::FanOut& fan_out = chain_.levels[l - 1].fan_out;
      x *= fan_out.x;
      y *= fan_out.y;
      if (fan_out.instances() > 1) {
        text += indent + "  subtree:\n";
        indent += "  ";
        text += fmt::format(
            "{}- name: {}\n{}  local:\n", indent,
            Quoted(fmt::format("{}[0..{}]", names_.nodes[l - 1], fan_out.instances() - 1)), indent);
      }
    }
    const std::string component =
        l < chain_.levels.size()
            ? MemoryText(l, x, y)
            : fmt::format(
                  "{{name: {}, class: intmac, attributes: {{datawidth: {}, meshX: {}, "
                  "meshY: {}}}}}",
                  Quoted(names_.compute), chain_.levels.back().memory.word_bits, x, y);
    text += fmt::format("{}  - {}\n", indent, component);
  }
  return text;
}

std::string Writer::Problem() const {
  std::map<std::int64_t, std::string> coefficients;
  std::string spaces;
  bool unit_dim = workload_.dims() == 0;
  const std::string unit = FreeLetter(names_.dims);
  for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
    std::vector<std::string> axes;
    for (const mapping::WorkloadAxis& axis : workload_.tensors[t].axes) {
      std::vector<std::string> terms;
      for (const mapping::WorkloadTerm& term : axis) {
        std::vector<std::string> parts = {names_.dims[static_cast<std::size_t>(term.dim)]};
        if (term.coefficient != 1) {
          parts.push_back(fmt::format("times_{}", term.coefficient));
          coefficients[term.coefficient] = parts.back();
        }
        terms.push_back(List(parts));
      }
      if (!terms.empty()) {
        axes.push_back(List(terms));
      }
    }
    if (axes.empty()) {
      unit_dim = true;  // a scalar: one axis along a dim of bound 1
      axes.push_back(fmt::format("[[{}]]", unit));
    }
    spaces += fmt::format("    - {{name: {}, projection: {}{}}}\n", names_.tensors[t], List(axes),
                          workload_.tensors[t].is_output ? ", read_write: true" : "");
  }
  std::vector<std::string> dims = names_.dims;
  std::string instance;
  std::string original;
  for (std::size_t d = 0; d < names_.dims.size(); ++d) {
    instance += fmt::format("    {}: {}\n", names_.dims[d], workload_.bounds[d]);
    if (names_.dims[d] != workload_.dim_names[d]) {
      original +=
          fmt::format("# dimension {} is {}\n", names_.dims[d], Quoted(workload_.dim_names[d]));
    }
  }
  if (unit_dim) {
    dims.push_back(unit);
    instance += fmt::format("    {}: 1\n", unit);
  }
  std::string text = original + "problem:\n  version: 0.3\n  shape:\n";
  text += fmt::format("    name: {}\n    dimensions: {}\n", Quoted(workload_.name), List(dims));
  if (!coefficients.empty()) {
    text += "    coefficients:\n";
    for (const auto& [value, name] : coefficients) {
      text += fmt::format("    - {{name: {}, default: {}}}\n", name, value);
    }
  }
  return text + "    data_spaces:\n" + spaces + "  instance:\n" + instance;
}

std::string Writer::KeepText(std::size_t l) const {
  std::vector<std::string> keep;
  std::vector<std::string> bypass;
  for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
    const bool kept = (mapping_.levels[l].keep >> t & 1U) != 0;
    (kept ? keep : bypass).push_back(names_.tensors[t]);
  }
  return fmt::format("- {{target: {}, type: datatype, keep: {}, bypass: {}}}\n",
                     Quoted(names_.levels[l]), List(keep), List(bypass));
}

std::string Writer::Directive(std::size_t l, bool spatial) const {
  const mapping::LevelMapping& level = mapping_.levels[l];
  std::vector<std::string> factors(names_.dims.size());
  for (std::size_t d = 0; d < names_.dims.size(); ++d) {
    factors[d] = names_.dims[d] + "=1";
  }
  std::string order;  // innermost first
  const auto append = [&](const mapping::LoopList& loops) {
    for (std::size_t i = loops.size(); i-- > 0;) {
      const mapping::Loop& loop = loops[i];
      if (loop.bound == 1) {
        continue;
      }
      const auto d = static_cast<std::size_t>(loop.dim);
      factors[d] = fmt::format("{}={}", names_.dims[d], loop.bound);
      if (loop.last != loop.bound) {
        factors[d] += fmt::format(",{}", loop.last);
      }
      order += names_.dims[d];
    }
  };
  append(spatial ? level.spatial_x : level.temporal);
  const std::size_t split = order.size();
  if (spatial) {
    append(level.spatial_y);
  }
  for (const std::string& dim : names_.dims) {
    if (order.find(dim) == std::string::npos) {
      order += dim;
    }
  }
  std::string text = fmt::format("- {{target: {}, type: {}, factors: \"{}\", permutation: \"{}\"",
                                 Quoted(names_.levels[l]), spatial ? "spatial" : "temporal",
                                 fmt::join(factors, " "), order);
  if (spatial) {
    text += fmt::format(", split: {}", split);
    if (!network(l).multicast && !network(l).reduction) {
      text += ", no_reuse: " + List(names_.tensors);
    }
    if (!network(l).neighbour_forwarding) {
      text += ", no_link_transfer: " + List(names_.tensors);
    }
  }
  return text + "}\n";
}

std::string Writer::MappingText() const {
  std::string text = "mapping:\n";
  for (std::size_t l = 0; l < chain_.levels.size(); ++l) {
    text += KeepText(l);
    text += Directive(l, false);
    if (chain_.levels[l].fan_out.instances() > 1) {
      text += Directive(l, true);
    }
  }
  return text;
}

std::string Writer::EnergyTable(double point_pj) const {
  std::string text = "ERT:\n  version: 0.3\n  tables:\n";
  const auto table = [&](const std::string& name,
                         const std::vector<std::pair<const char*, double>>& actions) {
    text += fmt::format("  - name: {}\n    actions:\n", Quoted("system." + name));
    for (const auto& [action, energy] : actions) {
      if (energy == 0 && std::string_view(action) == "leak") {
        continue;
      }
      text += fmt::format("    - {{name: {}, energy: {}}}\n", action, ShortestDouble(energy));
    }
  };
  for (std::size_t l = 0; l < chain_.levels.size(); ++l) {
    const arch::Memory& memory = chain_.levels[l].memory;
    table(names_.levels[l], {{"read", memory.read_pj},
                             {"write", memory.fill_pj},
                             {"update", memory.update_pj},
                             {"leak", memory.leakage_pj_per_cycle}});
  }
  table(names_.compute, {{"compute", point_pj}, {"leak", chain_.compute.leakage_pj_per_cycle}});
  return text;
}

std::vector<std::string> Writer::Notes() const {
  std::vector<std::string> notes;
  double cycles = 0;
  for (const ir::Work& work : workload_.body) {
    for (const arch::ComputeClass& unit : chain_.compute.classes) {
      if (unit.work_class == work.work_class) {
        cycles += static_cast<double>(work.per_point) / unit.operations_per_cycle;
      }
    }
  }
  if (cycles != 1) {
    notes.push_back(fmt::format("a point takes {} cycles of {}; Timeloop counts one",
                                ShortestDouble(cycles), chain_.compute.name));
  }
  for (std::size_t l = 0; l < chain_.levels.size(); ++l) {
    const std::string& name = chain_.levels[l].memory.name;
    if (network(l).neighbour_forwarding) {
      notes.push_back(
          fmt::format("{}: Timeloop's link transfers are another rule than our "
                      "neighbour forwarding",
                      name));
    }
    if (network(l).multicast != network(l).reduction) {
      notes.push_back(fmt::format("{}: multicast without reduction (or the reverse)", name));
    }
    if (network(l).bandwidth) {
      notes.push_back(fmt::format("{}: bandwidth of the fan-out", name));
    }
    if (network(l).reduction_pj != 0) {
      notes.push_back(fmt::format("{}: energy of additions in the network", name));
    }
  }
  return notes;
}

}  // namespace

Result<TimeloopText> WriteTimeloop(const mapping::Workload& workload, const arch::Chain& chain,
                                   const mapping::Mapping& mapping) {
  return Writer(workload, chain, mapping).Write();
}

}  // namespace sluice::io
