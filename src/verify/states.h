#pragma once
/// \file
/// What is still to pay in a state of the checker's shortest path: undominated costs, remembered by
/// state.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace sluice::verify {

/// Ports that are looked at, the outermost first; what others need is left to the cost model.
constexpr std::size_t kPorts = 6;

struct Cost {
  double energy = 0;
  std::array<double, kPorts> port{};  ///< cycles that each needs
  void Add(const Cost& other, double times) {
    energy += other.energy * times;
    for (std::size_t i = 0; i < kPorts; ++i) {
      port[i] += other.port[i] * times;
    }
  }
  [[nodiscard]] bool NoWorse(const Cost& other) const {
    bool no_worse = energy <= other.energy;
    for (std::size_t i = 0; i < kPorts; ++i) {
      no_worse = no_worse && port[i] <= other.port[i];
    }
    return no_worse;
  }
};

class Frontier {
 public:
  void Insert(const Cost& cost) {
    for (const Cost& other : costs_) {
      if (other.NoWorse(cost)) {
        return;
      }
    }
    std::erase_if(costs_, [&cost](const Cost& other) { return cost.NoWorse(other); });
    costs_.push_back(cost);
    if (costs_.size() > kMost) {
      Shrink();
    }
  }
  [[nodiscard]] auto begin() const { return costs_.begin(); }
  [[nodiscard]] auto end() const { return costs_.end(); }

 private:
  static constexpr std::size_t kMost = 24;
  /// Neighbours become one cost that is no worse than either.
  void Shrink() {
    std::ranges::sort(costs_, {}, &Cost::energy);
    for (std::size_t i = 0; i + 1 < costs_.size(); ++i) {
      for (std::size_t p = 0; p < kPorts; ++p) {
        costs_[i].port[p] = std::min(costs_[i].port[p], costs_[i + 1].port[p]);
      }
      costs_.erase(costs_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
  }
  std::vector<Cost> costs_;
};

using States = std::unordered_map<std::uint64_t, Frontier>;

}  // namespace sluice::verify
