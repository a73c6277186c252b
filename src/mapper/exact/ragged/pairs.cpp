// Pairs of keeps and unrolling that are worth a look, and what each costs whatever its tiles
// (bound.h). What one tensor costs depends on the levels that keep it, not on the other tensors: so
// of all choices of keeps only those are made whose sums are of interest.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "arch/architecture.h"
#include "cost/compiled.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/bound.h"
#include "mapper/exact/ragged/tiles/rooms.h"
#include "mapper/exact/ragged/tiles/unroll.h"
#include "mapping/workload.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

constexpr std::int64_t kMostUnrollings = 200'000;
constexpr std::size_t kMostPairs = 1'000'000;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUnknown = -kInfinity;

}  // namespace

void RaggedBound::ListChains() {
  for (int t = 0; t < model_->tensors(); ++t) {
    std::uint32_t must = 1;
    std::uint32_t may = 1;
    for (int l = 1; l < model_->levels(); ++l) {
      must |= HasBit(model_->MustKeep(l), t) ? Bit(l) : 0;
      may |= HasBit(model_->MayKeep(l), t) ? Bit(l) : 0;
    }
    ForEachKeep(must, may, [&](std::uint32_t chain) { chains_[Index(t)].push_back(chain); });
  }
}

double RaggedBound::LeastOf(int t, int parent, int child, const Unrolling& unrolling) const {
  return child == model_->levels() ? ComputeEdge(t, parent, unrolling)
                                   : MakeEdge(t, parent, child, unrolling).least;
}

double RaggedBound::Base(const Keeps& keeps, const Unrolling& unrolling) const {
  double sum = meter_.energy * model_->FixedEnergy();
  for (int t = 0; t < model_->tensors(); ++t) {
    for (int l = 0; l < model_->levels(); l = Child(keeps, t, l)) {
      sum += LeastOf(t, l, Child(keeps, t, l), unrolling);
    }
  }
  return sum;
}

/// Lists the pairs of one unrolling after the other.
class RaggedBound::PairLister {
 public:
  explicit PairLister(RaggedBound& bound) : bound_(bound), model_(*bound.model_) {
    words_.resize(bound.ports_.size());
  }

  /// Keeps the unrolling if it has a pair.
  void List(const Unrolling& unrolling) {
    unrolling_ = &unrolling;
    const std::size_t before = bound_.pairs_.size();
    bound_.meter_ = {};
    FillTable(energy_);
    have_words_.assign(words_.size(), 0);
    double rest = 0;
    for (int t = model_.tensors() - 1; t >= 0; --t) {
      Sort(t);
      rest_[Index(t)] = rest;
      rest += energy_[Index(t)][Index(order_[Index(t)].front())];
    }
    Choose(0, model_.FixedEnergy());
    if (bound_.pairs_.size() > before) {
      bound_.unrollings_.push_back(unrolling);
    }
  }

 private:
  using Table = std::array<std::vector<double>, mapping::kMaxTensors>;  ///< [tensor][chain]

  void FillTable(Table& table) {
    for (int t = 0; t < model_.tensors(); ++t) {
      std::ranges::for_each(edges_, [](auto& row) { row.fill(kUnknown); });
      table[Index(t)].clear();
      for (const std::uint32_t chain : bound_.chains_[Index(t)]) {
        table[Index(t)].push_back(LeastOf(t, chain));
      }
    }
  }

  /// Many chains have the same edges: each is worked out once.
  double LeastOf(int t, std::uint32_t chain) {
    double sum = 0;
    int child = model_.levels();
    for (int l = model_.levels() - 1; l >= 0; --l) {
      if (HasBit(chain, l)) {
        double& least = edges_[Index(l)][Index(child)];
        if (least == kUnknown) {
          least = bound_.LeastOf(t, l, child, *unrolling_);
        }
        sum += least;
        child = l;
      }
    }
    return sum;
  }

  /// Cheap chains first.
  void Sort(int t) {
    std::vector<int>& order = order_[Index(t)];
    order.resize(energy_[Index(t)].size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = static_cast<int>(i);
    }
    std::ranges::stable_sort(order, {}, [&](int i) { return energy_[Index(t)][Index(i)]; });
  }

  void Choose(int t, double energy) {
    if (t == model_.tensors()) {
      Add(energy);
      return;
    }
    for (const int i : order_[Index(t)]) {
      const double sum = energy + energy_[Index(t)][Index(i)];
      if (bound_.goal_->Value(sum + rest_[Index(t)], bound_.Cycles(*unrolling_)) >=
              bound_.Limit() ||
          bound_.pairs_.size() > kMostPairs) {
        return;
      }
      chosen_[Index(t)] = i;
      Choose(t + 1, sum);
    }
  }

  void Add(double energy) {
    Pair pair;
    pair.unrolling = static_cast<std::int32_t>(bound_.unrollings_.size());
    pair.energy = energy;
    pair.cycles = bound_.Cycles(*unrolling_);
    for (std::size_t p = 0; p < words_.size(); ++p) {
      if (have_words_[p] == 0) {
        have_words_[p] = 1;
        bound_.meter_ = {0, bound_.PortRate(bound_.ports_[p], *unrolling_), bound_.ports_[p]};
        FillTable(words_[p]);
      }
      double cycles = 0;
      for (int t = 0; t < model_.tensors(); ++t) {
        cycles += words_[p][Index(t)][Index(chosen_[Index(t)])];
      }
      pair.cycles = std::max(pair.cycles, cycles);
    }
    const double value = bound_.goal_->Value(pair.energy, pair.cycles);
    if (value >= bound_.Limit()) {
      return;
    }
    pair.keeps = KeepsIndex();
    if (pair.keeps >= 0) {
      bound_.Push({value, Stage::kBase, static_cast<std::int32_t>(bound_.pairs_.size()), 0});
      bound_.pairs_.push_back(pair);
    }
  }

  /// -1: not even single points fit.
  std::int32_t KeepsIndex() {
    Keeps keeps{};
    for (int t = 0; t < model_.tensors(); ++t) {
      const std::uint32_t chain = bound_.chains_[Index(t)][Index(chosen_[Index(t)])];
      for (int l = 0; l < model_.levels(); ++l) {
        keeps[Index(l)] |= HasBit(chain, l) ? Bit(t) : 0;
      }
    }
    const auto [it, fresh] = bound_.keeps_index_.try_emplace(keeps, -1);
    if (fresh && bound_.grids_[0]->rooms.Of(keeps).Fits(0, model_.levels() - 1)) {
      it->second = static_cast<std::int32_t>(bound_.keeps_.size());
      bound_.keeps_.push_back(keeps);
    }
    return it->second;
  }

  RaggedBound& bound_;
  const Model& model_;
  const Unrolling* unrolling_ = nullptr;
  /// [parent][child] of the tensor at hand
  std::array<std::array<double, arch::kMaxLevels + 1>, arch::kMaxLevels> edges_{};
  Table energy_;
  std::vector<Table> words_;  ///< by port: cycles
  std::vector<std::uint8_t> have_words_;
  std::array<std::vector<int>, mapping::kMaxTensors> order_;
  std::array<double, mapping::kMaxTensors> rest_{};  ///< of the tensors behind, at least
  std::array<int, mapping::kMaxTensors> chosen_{};
};

bool RaggedBound::ListPairs(const std::function<bool()>& stop) {
  grid_ = nullptr;
  Group all;
  all.stretch.high = kInfinity;
  all.child.fill(kAny);
  groups_.assign(1, all);
  queue_.clear();
  pairs_.clear();
  unrollings_.clear();
  PairLister lister(*this);
  std::int64_t looked_at = 0;
  const bool whole = ListUnrollings(
      *model_,
      [&](double steps) {
        return goal_->Value(least_energy_, steps * model_->compiled().cycles_per_point) < Limit();
      },
      [&](const Unrolling& unrolling) {
        constexpr std::int64_t kOften = 256;
        if (looked_at == kMostUnrollings || (looked_at % kOften == 0 && stop())) {
          return false;
        }
        ++looked_at;
        lister.List(unrolling);
        return pairs_.size() <= kMostPairs;
      });
  counts_.unrollings = looked_at;
  counts_.pairs = static_cast<std::int64_t>(pairs_.size());
  return whole;
}

}  // namespace sluice::mapper::exact
