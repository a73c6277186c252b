/// \file
/// Writer of architectures. Everything is written out, defaults too, in the units of the model
/// (words, cycles, picojoules): the shortest decimals that parse back to the same bits.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/checked.h"
#include "base/text.h"
#include "io/yaml/arch/arch.h"
#include "io/yaml/arch/arch_format.h"

namespace sluice::io {

namespace {

/// Plain when no reader could take it for anything but text, else double quoted.
std::string Quoted(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const bool plain =
      text.size() > 5 && letter(text.front()) && std::ranges::all_of(text, [&](char c) {
        return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
      });
  if (plain) {
    return std::string(text);
  }
  std::string out = "\"";
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u < 0x20U || u == 0x7FU) {
      out += fmt::format("\\x{:02x}", u);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string Words(std::int64_t words, int word_bits) {
  constexpr std::int64_t kKibibyte = 8192;
  constexpr std::int64_t kExactBits = std::int64_t{1} << 53U;  // sizes in bytes are read as doubles
  const auto bits = CheckedMul(words, word_bits);
  if (bits && *bits <= kExactBits && *bits % kKibibyte == 0) {
    return fmt::format("{} KiB", *bits / kKibibyte);
  }
  return fmt::format("{} words", words);
}

std::string Picojoules(double value, const char* per = "") {
  return ShortestDouble(value) + " pJ" + per;
}

std::string FanOutText(const arch::FanOut& f) {
  std::string text = "{";
  if (!f.name.empty()) {
    text += "name: " + Quoted(f.name) + ", ";
  }
  text += fmt::format("x: {}, y: {}", f.x, f.y);
  const auto names = [&](const char* key, const std::vector<std::string>& list) {
    if (list.empty()) {
      return;
    }
    text += fmt::format(", {}: [", key);
    for (std::size_t i = 0; i < list.size(); ++i) {
      text += (i == 0 ? "" : ", ") + Quoted(list[i]);
    }
    text += "]";
  };
  names("dims_x", f.dims_x);
  names("dims_y", f.dims_y);
  const arch::Network& n = f.network;
  text += fmt::format(
      ", network: {{multicast: {}, reduction: {}, neighbour_forwarding: {}, hop_energy: {}, "
      "router_energy: {}, reduction_energy: {}",
      n.multicast, n.reduction, n.neighbour_forwarding, Picojoules(n.hop_pj, "/word"),
      Picojoules(n.router_pj, "/word"), Picojoules(n.reduction_pj, "/word"));
  if (n.bandwidth) {
    text += fmt::format(", bandwidth: {} words/cycle", ShortestDouble(*n.bandwidth));
  }
  return text + "}}";
}

void WriteCompute(const arch::Compute& compute, const std::string& indent, std::string& out) {
  out += indent + "name: " + Quoted(compute.name) + "\n";
  out += indent + "classes:\n";
  for (const arch::ComputeClass& c : compute.classes) {
    out += fmt::format("{}  - {{class: {}, energy: {}, rate: {} op/cycle}}\n", indent,
                       arch::WorkClassName(c.work_class), Picojoules(c.pj_per_operation),
                       ShortestDouble(c.operations_per_cycle));
  }
  out += indent + "leakage: " + Picojoules(compute.leakage_pj_per_cycle, "/cycle") + "\n";
}

void WriteNode(const arch::Node& node, const std::string& indent, std::string& out) {
  const arch::Memory& m = node.memory;
  const auto line = [&](const char* key, const std::string& value) {
    out += indent + key + ": " + value + "\n";
  };
  line("name", Quoted(m.name));
  line("size", m.capacity_words ? Words(*m.capacity_words, m.word_bits) : "unbounded");
  line("word", fmt::format("{} bit", m.word_bits));
  line("block", fmt::format("{} words", m.block_words));
  line("buffering", ShortestDouble(m.buffering));
  if (m.read_bandwidth) {
    line("read_bandwidth", ShortestDouble(*m.read_bandwidth) + " words/cycle");
  }
  if (m.write_bandwidth) {
    line("write_bandwidth", ShortestDouble(*m.write_bandwidth) + " words/cycle");
  }
  line("energy", fmt::format("{{read: {}, fill: {}, update: {}}}", Picojoules(m.read_pj),
                             Picojoules(m.fill_pj), Picojoules(m.update_pj)));
  line("leakage", Picojoules(m.leakage_pj_per_cycle, "/cycle"));
  line("keep", fmt::format("{{input: {}, weight: {}, output: {}}}", arch::KeepName(m.keep[0]),
                           arch::KeepName(m.keep[1]), arch::KeepName(m.keep[2])));
  out += indent + "below:\n";
  for (const arch::Node::Branch& branch : node.branches) {
    out += indent + "  - fan_out: " + FanOutText(branch.fan_out) + "\n";
    for (const arch::Node& child : branch.memory_child) {
      out += indent + "    memory:\n";
      WriteNode(child, indent + "      ", out);
    }
    for (const arch::Compute& compute : branch.compute_child) {
      out += indent + "    compute:\n";
      WriteCompute(compute, indent + "      ", out);
    }
  }
}

}  // namespace

std::string WriteArchitectureYaml(const arch::Architecture& architecture) {
  std::string out =
      fmt::format("version: {}\nname: {}\n", kArchitectureVersion, Quoted(architecture.name));
  if (!architecture.description.empty()) {
    out += "description: " + Quoted(architecture.description) + "\n";
  }
  out += fmt::format("clock: {} Hz\nmemory:\n", ShortestDouble(architecture.clock_hz));
  WriteNode(architecture.root, "  ", out);
  return out;
}

}  // namespace sluice::io
