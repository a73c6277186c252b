#include "testing/nests.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <sstream>

#include <fmt/format.h>

namespace sluice::testing {
namespace {

std::int32_t DimNamed(const mapping::Workload& workload, const std::string& name) {
  const auto at = std::find(workload.dim_names.begin(), workload.dim_names.end(), name);
  SLUICE_CHECK(at != workload.dim_names.end(), "no dim called " + name);
  return static_cast<std::int32_t>(at - workload.dim_names.begin());
}

mapping::WorkloadAxis ParseAxis(const mapping::Workload& workload, const std::string& text) {
  mapping::WorkloadAxis axis;
  std::istringstream terms(text);
  for (std::string term; std::getline(terms, term, '+');) {
    std::size_t digits = 0;
    while (digits < term.size() && std::isdigit(static_cast<unsigned char>(term[digits])) != 0) {
      ++digits;
    }
    const std::int64_t coefficient = digits > 0 ? std::stoll(term.substr(0, digits)) : 1;
    axis.push_back({DimNamed(workload, term.substr(digits)), coefficient});
  }
  return axis;
}

/// Also for loops of damaged mappings, whose dim may not exist.
std::string DimText(const mapping::Workload& workload, std::int32_t dim) {
  const auto at = static_cast<std::size_t>(dim);
  return at < workload.dim_names.size() ? workload.dim_names[at] : fmt::format("?{}", dim);
}

std::string AxisText(const mapping::Workload& workload, const mapping::WorkloadAxis& axis) {
  std::string text;
  for (const mapping::WorkloadTerm& term : axis) {
    text += fmt::format("{}{}{}", text.empty() ? "" : "+",
                        term.coefficient == 1 ? "" : std::to_string(term.coefficient),
                        workload.dim_names[static_cast<std::size_t>(term.dim)]);
  }
  return text;
}

mapping::Loop ParseLoop(const mapping::Workload& workload, const std::string& text) {
  const auto equals = text.find('=');
  const auto comma = text.find(',');
  SLUICE_CHECK(equals != std::string::npos, "not a loop: " + text);
  mapping::Loop loop;
  loop.dim = DimNamed(workload, text.substr(0, equals));
  loop.bound = std::stoi(text.substr(equals + 1));
  loop.last = comma == std::string::npos ? loop.bound : std::stoi(text.substr(comma + 1));
  return loop;
}

std::string LoopsText(const mapping::Workload& workload, const char* prefix,
                      const mapping::LoopList& loops) {
  std::string text;
  for (const mapping::Loop& loop : loops) {
    text += fmt::format(" {}{}={}", prefix, DimText(workload, loop.dim), loop.bound);
    if (loop.last != loop.bound) {
      text += fmt::format(",{}", loop.last);
    }
  }
  return text;
}

std::string Bandwidth(const std::optional<double>& bandwidth) {
  return bandwidth ? fmt::format("{}", *bandwidth) : "-";
}

std::string NetworkText(const arch::FanOut& fan_out) {
  const arch::Network& n = fan_out.network;
  return fmt::format(
      "{}x{} multicast={} reduction={} forwarding={} bandwidth={} hop={} router={} add={}",
      fan_out.x, fan_out.y, n.multicast, n.reduction, n.neighbour_forwarding,
      Bandwidth(n.bandwidth), n.hop_pj, n.router_pj, n.reduction_pj);
}

}  // namespace

mapping::Workload MakeNest(const std::vector<std::pair<std::string, std::int64_t>>& dims,
                           const std::vector<NestTensor>& tensors) {
  mapping::Workload workload;
  workload.name = "nest";
  for (const auto& [name, bound] : dims) {
    workload.dim_names.push_back(name);
    workload.bounds.push_back(bound);
  }
  for (const NestTensor& tensor : tensors) {
    mapping::WorkloadTensor made;
    for (const std::string& axis : tensor.axes) {
      made.axes.push_back(ParseAxis(workload, axis));
      for (const mapping::WorkloadTerm& term : made.axes.back()) {
        made.dims |= 1U << static_cast<unsigned>(term.dim);
      }
    }
    workload.tensor_names.push_back(tensor.name);
    workload.tensors.push_back(made);
  }
  mapping::WorkloadTensor& output = workload.tensors.back();
  output.is_output = true;
  output.tensor_class = arch::TensorClass::kOutput;
  output.read_modify_write = output.dims != (1U << dims.size()) - 1U;
  workload.body = {{ir::WorkClass::kMac, 1}};
  return workload;
}

mapping::Mapping MakeMapping(const mapping::Workload& workload,
                             const std::vector<std::string>& levels) {
  mapping::Mapping result;
  for (const std::string& line : levels) {
    mapping::LevelMapping level;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (word.front() == '-') {
        const auto at =
            std::find(workload.tensor_names.begin(), workload.tensor_names.end(), word.substr(1));
        SLUICE_CHECK(at != workload.tensor_names.end(), "no tensor called " + word);
        level.keep &= ~(1U << static_cast<unsigned>(at - workload.tensor_names.begin()));
      } else if (word.starts_with("x:")) {
        level.spatial_x.push_back(ParseLoop(workload, word.substr(2)));
      } else if (word.starts_with("y:")) {
        level.spatial_y.push_back(ParseLoop(workload, word.substr(2)));
      } else {
        level.temporal.push_back(ParseLoop(workload, word));
      }
    }
    result.levels.push_back(level);
  }
  return result;
}

arch::Chain MakeChain(const mapping::Mapping& mapping) {
  arch::Chain chain;
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    arch::Level level;
    level.memory.name = fmt::format("L{}", l);
    level.memory.read_pj = 1;
    level.memory.fill_pj = 1;
    level.memory.update_pj = 1;
    for (const mapping::Loop& loop : mapping.levels[l].spatial_x) {
      level.fan_out.x *= loop.bound;
    }
    for (const mapping::Loop& loop : mapping.levels[l].spatial_y) {
      level.fan_out.y *= loop.bound;
    }
    chain.levels.push_back(level);
  }
  chain.compute.name = "mac";
  chain.compute.classes = {{ir::WorkClass::kMac, 1.0, 1.0}};
  return chain;
}

std::string Describe(const mapping::Workload& workload, const arch::Chain& chain,
                     const mapping::Mapping& mapping, const cost::Policy& policy) {
  std::string text = "dims";
  for (std::size_t d = 0; d < workload.bounds.size(); ++d) {
    text += fmt::format(" {}={}", workload.dim_names[d], workload.bounds[d]);
  }
  text += "\n";
  for (std::size_t t = 0; t < workload.tensors.size(); ++t) {
    const mapping::WorkloadTensor& tensor = workload.tensors[t];
    text += fmt::format("tensor {}", workload.tensor_names[t]);
    for (const mapping::WorkloadAxis& axis : tensor.axes) {
      text += fmt::format(" [{}]", AxisText(workload, axis));
    }
    text += fmt::format("{}{}\n", tensor.is_output ? " output" : "",
                        tensor.read_modify_write ? " accumulated" : "");
  }
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    const mapping::LevelMapping& level = mapping.levels[l];
    text += fmt::format("level {}:", l) + LoopsText(workload, "", level.temporal) +
            LoopsText(workload, "x:", level.spatial_x) + LoopsText(workload, "y:", level.spatial_y);
    for (std::size_t t = 0; t < workload.tensors.size(); ++t) {
      if (((level.keep >> t) & 1U) == 0) {
        text += " -" + workload.tensor_names[t];
      }
    }
    if (l >= chain.levels.size()) {
      text += " (no such level)\n";
      continue;
    }
    const arch::Memory& m = chain.levels[l].memory;
    text += fmt::format("\n        block={} read={} write={} fan-out {}\n", m.block_words,
                        Bandwidth(m.read_bandwidth), Bandwidth(m.write_bandwidth),
                        NetworkText(chain.levels[l].fan_out));
  }
  text += "policy " + cost::PolicyText(policy) + "\n";
  return text;
}

}  // namespace sluice::testing
