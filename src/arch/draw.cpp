/// \file
/// The tree that `sluice show arch.yaml` prints, at most 80 columns:
///
///     DRAM: unbounded (words of 16 bit), blocks of 4 words, 1856 pJ an access
///     +- PEs: 14 x 12, multicast, reduction
///        spad: 512 B (256 words of 16 bit), 2.32 pJ an access
///        |   always keeps all
///        +-
///           [MAC] mac 1/cycle at 2.32 pJ
///
/// Facts are wrapped between facts, never inside one.

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/text.h"

namespace sluice::arch {

namespace {

constexpr std::size_t kWidth = 80;

/// Cuts what is too long for any line, at a character boundary.
std::string Clip(std::string text, std::size_t width) {
  if (text.size() <= width) {
    return text;
  }
  std::size_t end = width - 3U;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end) + "...";
}

/// Joins `facts` by ", ", wrapping before `kWidth`; further lines start with `indent`.
void AppendFacts(std::string& out, std::string line, const std::string& indent,
                 const std::vector<std::string>& facts) {
  bool first = true;
  for (const std::string& whole : facts) {
    const std::string fact = Clip(whole, kWidth - indent.size() - 1U);
    const std::string piece = (first ? "" : ", ") + fact;
    if (line.size() + piece.size() + 1U > kWidth) {
      out += line + (first ? "\n" : ",\n");
      line = indent + fact;
    } else {
      line += piece;
    }
    first = false;
  }
  out += line + "\n";
}

std::string Number(double value) {
  return fmt::format("{:.4g}", value);
}

std::vector<std::string> MemoryFacts(const Memory& m) {
  std::vector<std::string> facts;
  if (m.capacity_words) {
    const double bits = static_cast<double>(*m.capacity_words) * m.word_bits;
    facts.push_back(fmt::format("{} ({} words of {} bit)", HumanBytes(bits / 8), *m.capacity_words,
                                m.word_bits));
  } else {
    facts.push_back(fmt::format("unbounded (words of {} bit)", m.word_bits));
  }
  if (m.block_words > 1) {
    facts.push_back(fmt::format("blocks of {} words", m.block_words));
  }
  if (m.buffering > 1) {
    facts.push_back(fmt::format("{} copies a tile", Number(m.buffering)));
  }
  if (m.read_bandwidth) {
    facts.push_back(fmt::format("reads {} words/cycle", Number(*m.read_bandwidth)));
  }
  if (m.write_bandwidth) {
    facts.push_back(fmt::format("writes {} words/cycle", Number(*m.write_bandwidth)));
  }
  if (m.read_pj == m.fill_pj && m.fill_pj == m.update_pj) {
    facts.push_back(fmt::format("{} pJ an access", Number(m.read_pj)));
  } else {
    facts.push_back(fmt::format("read {} pJ", Number(m.read_pj)));
    facts.push_back(fmt::format("fill {} pJ", Number(m.fill_pj)));
    facts.push_back(fmt::format("update {} pJ", Number(m.update_pj)));
  }
  if (m.leakage_pj_per_cycle > 0) {
    facts.push_back(fmt::format("leaks {} pJ/cycle", Number(m.leakage_pj_per_cycle)));
  }
  if (std::ranges::all_of(m.keep, [](Keep k) { return k == Keep::kMust; })) {
    facts.emplace_back("always keeps all");
    return facts;
  }
  for (int c = 0; c < kTensorClasses; ++c) {
    const Keep keep = m.keep[static_cast<std::size_t>(c)];
    if (keep != Keep::kMay) {
      facts.push_back(fmt::format("{} keeps {}", keep == Keep::kMust ? "always" : "never",
                                  TensorClassName(static_cast<TensorClass>(c))));
    }
  }
  return facts;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : " ") + name;
  }
  return text;
}

std::vector<std::string> FanOutFacts(const FanOut& f) {
  std::vector<std::string> facts;
  facts.push_back(f.y > 1 ? fmt::format("{} x {}", f.x, f.y) : fmt::format("x{}", f.x));
  if (!f.dims_x.empty()) {
    facts.push_back("X takes " + Joined(f.dims_x));
  }
  if (!f.dims_y.empty()) {
    facts.push_back("Y takes " + Joined(f.dims_y));
  }
  const Network& n = f.network;
  facts.emplace_back(n.multicast ? "multicast" : "no multicast");
  facts.emplace_back(n.reduction ? "reduction" : "no reduction");
  if (n.neighbour_forwarding) {
    facts.emplace_back("neighbour forwarding");
  }
  if (n.bandwidth) {
    facts.push_back(fmt::format("{} words/cycle", Number(*n.bandwidth)));
  }
  if (n.hop_pj > 0) {
    facts.push_back(fmt::format("hop {} pJ", Number(n.hop_pj)));
  }
  if (n.router_pj > 0) {
    facts.push_back(fmt::format("router {} pJ", Number(n.router_pj)));
  }
  if (n.reduction_pj > 0) {
    facts.push_back(fmt::format("reduction {} pJ", Number(n.reduction_pj)));
  }
  return facts;
}

std::vector<std::string> ComputeFacts(const Compute& compute) {
  std::vector<std::string> facts;
  facts.reserve(compute.classes.size() + 1);
  for (const ComputeClass& c : compute.classes) {
    facts.push_back(fmt::format("{} {}/cycle at {} pJ", WorkClassName(c.work_class),
                                Number(c.operations_per_cycle), Number(c.pj_per_operation)));
  }
  if (compute.leakage_pj_per_cycle > 0) {
    facts.push_back(fmt::format("leaks {} pJ/cycle", Number(compute.leakage_pj_per_cycle)));
  }
  return facts;
}

void DrawNode(const Node& node, const std::string& indent, std::string& out) {
  AppendFacts(out, indent + Clip(node.memory.name, 24) + ": ", indent + "|   ",
              MemoryFacts(node.memory));
  for (std::size_t i = 0; i < node.branches.size(); ++i) {
    const Node::Branch& branch = node.branches[i];
    const std::string inner = indent + (i + 1 < node.branches.size() ? "|  " : "   ");
    const bool drawn = branch.fan_out.instances() > 1 || !branch.fan_out.name.empty();
    if (drawn) {
      const std::string name = branch.fan_out.name.empty() ? "fan-out" : branch.fan_out.name;
      AppendFacts(out, indent + "+- " + Clip(name, 24) + ": ", inner + "    ",
                  FanOutFacts(branch.fan_out));
    } else {
      out += indent + "+-\n";
    }
    for (const Node& child : branch.memory_child) {
      DrawNode(child, inner, out);
    }
    for (const Compute& compute : branch.compute_child) {
      AppendFacts(out, inner + "[" + Clip(compute.name, 24) + "] ", inner + "    ",
                  ComputeFacts(compute));
    }
  }
}

}  // namespace

std::string DrawTree(const Architecture& architecture) {
  std::string out =
      Clip(fmt::format("{}, {} MHz", architecture.name, Number(architecture.clock_hz / 1e6)),
           kWidth) +
      "\n";
  if (!architecture.description.empty()) {
    std::size_t begin = 0;
    const std::string& text = architecture.description;
    while (begin < text.size()) {
      std::size_t end = std::min(text.size(), begin + kWidth);
      if (end < text.size()) {
        const std::size_t space = text.rfind(' ', end);
        end = space != std::string::npos && space > begin ? space : end;
      }
      out += text.substr(begin, end - begin) + "\n";
      begin = end < text.size() && text[end] == ' ' ? end + 1 : end;
    }
  }
  DrawNode(architecture.root, "", out);
  return out;
}

}  // namespace sluice::arch
