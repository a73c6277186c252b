/// \file
/// Chains of an architecture and the choice of a chain for a body of work.

#include "arch/architecture.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "ir/network.h"

namespace sluice::arch {

namespace {

void Collect(const Node& node, std::vector<Level>& path, std::vector<Chain>& out) {
  for (const Node::Branch& branch : node.branches) {
    path.push_back({node.memory, branch.fan_out});
    for (const Node& child : branch.memory_child) {
      Collect(child, path, out);
    }
    for (const Compute& compute : branch.compute_child) {
      out.push_back({path, compute});
    }
    path.pop_back();
  }
}

bool Offers(const Chain& chain, ir::WorkClass work_class) {
  return std::ranges::any_of(chain.compute.classes,
                             [&](const ComputeClass& c) { return c.work_class == work_class; });
}

std::string DescribeUnits(const std::vector<Chain>& chains) {
  std::string text;
  for (const Chain& chain : chains) {
    text += fmt::format("{}{} (", text.empty() ? "" : ", ", chain.compute.name);
    for (std::size_t i = 0; i < chain.compute.classes.size(); ++i) {
      text += fmt::format("{}{}", i == 0 ? "" : " ",
                          WorkClassName(chain.compute.classes[i].work_class));
    }
    text += ")";
  }
  return text;
}

}  // namespace

std::string_view WorkClassName(ir::WorkClass work_class) {
  switch (work_class) {
    case ir::WorkClass::kMac:
      return "mac";
    case ir::WorkClass::kVector:
      return "vector";
    case ir::WorkClass::kTranscendental:
      return "transcendental";
    case ir::WorkClass::kMove:
      return "move";
  }
  return "";
}

std::string_view TensorClassName(TensorClass tensor_class) {
  switch (tensor_class) {
    case TensorClass::kInput:
      return "input";
    case TensorClass::kWeight:
      return "weight";
    case TensorClass::kOutput:
      return "output";
  }
  return "";
}

std::string_view KeepName(Keep keep) {
  switch (keep) {
    case Keep::kMay:
      return "may";
    case Keep::kMust:
      return "must";
    case Keep::kNever:
      return "never";
  }
  return "";
}

std::int64_t Chain::compute_instances() const {
  return instances(levels.size());
}

std::int64_t Chain::instances(std::size_t level) const {
  std::int64_t product = 1;
  for (std::size_t l = 0; l < level && l < levels.size(); ++l) {
    product *= levels[l].fan_out.instances();
  }
  return product;
}

std::vector<std::string> Chain::memory_names() const {
  std::vector<std::string> names;
  names.reserve(levels.size());
  for (const Level& level : levels) {
    names.push_back(level.memory.name);
  }
  return names;
}

std::vector<std::string> MemoryNames(const std::vector<Chain>& chains) {
  std::vector<std::string> names;
  for (const Chain& chain : chains) {
    std::ranges::copy(chain.memory_names(), std::back_inserter(names));
  }
  return names;
}

std::vector<Chain> Chains(const Architecture& architecture) {
  std::vector<Chain> chains;
  std::vector<Level> path;
  Collect(architecture.root, path, chains);
  return chains;
}

Result<Chain> ChainFor(const Architecture& architecture, const std::vector<ir::Work>& body) {
  std::vector<Chain> chains = Chains(architecture);
  if (chains.empty()) {
    return Fail(ErrorCode::kArchInvalid,
                fmt::format("architecture `{}` has no compute unit", architecture.name));
  }
  std::vector<ir::WorkClass> needed;
  for (const ir::Work& work : body) {
    if (work.work_class != ir::WorkClass::kMove) {
      needed.push_back(work.work_class);
    }
  }
  if (needed.empty()) {
    for (const ir::WorkClass wanted : {ir::WorkClass::kMove, ir::WorkClass::kVector}) {
      const auto found =
          std::ranges::find_if(chains, [&](const Chain& c) { return Offers(c, wanted); });
      if (found != chains.end()) {
        return std::move(*found);
      }
    }
    return std::move(chains.front());
  }
  for (Chain& chain : chains) {
    if (std::ranges::all_of(needed, [&](ir::WorkClass c) { return Offers(chain, c); })) {
      return std::move(chain);
    }
  }
  std::string names;
  for (std::size_t i = 0; i < needed.size(); ++i) {
    names += fmt::format("{}`{}`", i == 0 ? "" : " and ", WorkClassName(needed[i]));
  }
  return Fail(
      Diagnostic(ErrorCode::kArchInvalid,
                 fmt::format("no compute unit of `{}` runs {} work", architecture.name,
                             needed.size() > 1 ? names + " together as one operator" : names))
          .WithNote("its units are " + DescribeUnits(chains))
          .WithHint("add the class to a compute unit of the architecture"));
}

}  // namespace sluice::arch
