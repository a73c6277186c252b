/// \file
/// The machine in the payload: its tree as objects, its chains as what the roofline needs.

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "arch/architecture.h"
#include "report/payload.h"

namespace sluice::report {
namespace {

template <class T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json MemoryPayload(const arch::Memory& memory) {
  Json keep = Json::array();
  for (const arch::Keep rule : memory.keep) {
    keep.push_back(arch::KeepName(rule));
  }
  return {{"name", memory.name},
          {"capacity_words", OrNull(memory.capacity_words)},
          {"word_bits", memory.word_bits},
          {"block_words", memory.block_words},
          {"buffering", memory.buffering},
          {"read_bandwidth", OrNull(memory.read_bandwidth)},
          {"write_bandwidth", OrNull(memory.write_bandwidth)},
          {"read_pj", memory.read_pj},
          {"fill_pj", memory.fill_pj},
          {"update_pj", memory.update_pj},
          {"leakage_pj_per_cycle", memory.leakage_pj_per_cycle},
          {"keep", std::move(keep)}};
}

Json FanOutPayload(const arch::FanOut& fan_out) {
  const arch::Network& network = fan_out.network;
  return {{"name", fan_out.name},
          {"x", fan_out.x},
          {"y", fan_out.y},
          {"multicast", network.multicast},
          {"reduction", network.reduction},
          {"forwarding", network.neighbour_forwarding},
          {"hop_pj", network.hop_pj},
          {"router_pj", network.router_pj},
          {"reduction_pj", network.reduction_pj},
          {"bandwidth", OrNull(network.bandwidth)},
          {"dims_x", fan_out.dims_x},
          {"dims_y", fan_out.dims_y}};
}

Json ComputePayload(const arch::Compute& compute) {
  Json classes = Json::array();
  for (const arch::ComputeClass& c : compute.classes) {
    classes.push_back({{"class", arch::WorkClassName(c.work_class)},
                       {"pj", c.pj_per_operation},
                       {"rate", c.operations_per_cycle}});
  }
  return {{"name", compute.name},
          {"classes", std::move(classes)},
          {"leakage_pj_per_cycle", compute.leakage_pj_per_cycle}};
}

// Validate() limits the depth to kMaxLevels, so the recursion is bounded.
Json NodePayload(const arch::Node& node) {
  Json below = Json::array();
  for (const arch::Node::Branch& branch : node.branches) {
    Json item = {{"fan_out", FanOutPayload(branch.fan_out)}};
    if (!branch.memory_child.empty()) {
      item["node"] = NodePayload(branch.memory_child.front());
    }
    if (!branch.compute_child.empty()) {
      item["compute"] = ComputePayload(branch.compute_child.front());
    }
    below.push_back(std::move(item));
  }
  return {{"memory", MemoryPayload(node.memory)}, {"below", std::move(below)}};
}

}  // namespace

Json ArchitecturePayload(const arch::Architecture& architecture) {
  return {{"name", architecture.name},
          {"description", architecture.description},
          {"clock_hz", architecture.clock_hz},
          {"drawing", arch::DrawTree(architecture)},
          {"root", NodePayload(architecture.root)}};
}

Json ChainsPayload(const std::vector<arch::Chain>& chains) {
  Json list = Json::array();
  for (const arch::Chain& chain : chains) {
    Json levels = Json::array();
    for (std::size_t l = 0; l < chain.levels.size(); ++l) {
      const arch::Memory& memory = chain.levels[l].memory;
      levels.push_back({{"name", memory.name},
                        {"instances", chain.instances(l)},
                        {"capacity_words", OrNull(memory.capacity_words)},
                        {"buffering", memory.buffering},
                        {"word_bits", memory.word_bits},
                        {"read_bandwidth", OrNull(memory.read_bandwidth)},
                        {"write_bandwidth", OrNull(memory.write_bandwidth)},
                        {"network_bandwidth", OrNull(chain.levels[l].fan_out.network.bandwidth)}});
    }
    list.push_back({{"levels", std::move(levels)},
                    {"compute", chain.compute.name},
                    {"units", chain.compute_instances()}});
  }
  return list;
}

}  // namespace sluice::report
