#include "mapper/exact/certify.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "arch/architecture.h"
#include "cost/certificate.h"
#include "cost/compiled.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapper/exact/model/lattice.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/model/space.h"
#include "mapper/mapper.h"
#include "mapping/constraints.h"

namespace sluice::mapper {
namespace {

using cost::HasBit;
using cost::Index;
using exact::Lattice;
using exact::Model;
using exact::Space;
using exact::Tile;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// As the exact mapper's: beyond it nothing is proven.
constexpr double kMaxVectors = 1e6;
/// Bounds that differ by less count as equal; above what the checker allows for rounding.
constexpr double kEqualBounds = 1e-6;

/// The simple bound of docs/certificates.md.
class SimpleBound {
 public:
  SimpleBound(const Model& model, cost::Objective objective)
      : model_(model), lattice_(model.lattice()), objective_(objective) {
    units_[Index(model.levels())] = 1;
    for (int l = model.levels() - 1; l >= 0; --l) {
      const cost::CompiledLevel& level = model.compiled().level[Index(l)];
      units_[Index(l)] = units_[Index(l + 1)] * static_cast<double>(level.fan_x * level.fan_y);
    }
    for (int t = 0; t < model.tensors(); ++t) {
      double least = kInfinity;
      for (int l = model.levels() - 1; l >= 0; --l) {
        if (l == 0) {
          kept_feed_[Index(t)] = std::max(0.0, least);
        }
        if (l > 0 && !HasBit(model.MayKeep(l), t)) {
          continue;
        }
        const double copies = units_[0] / units_[Index(l)];
        least = std::min(least, model.Points() / units_[Index(l)] * model.ParentRate(l, t) -
                                    (model.IsOutput(t) ? model.ParentRebate(l) * copies : 0));
      }
      free_feed_[Index(t)] = std::max(0.0, least);
    }
  }

  [[nodiscard]] double Of(Tile tile, const Space& space, std::uint32_t keep) const {
    const Tile array = lattice_.Multiply(tile, space.factors);
    std::uint32_t loops = 0;
    for (int d = 0; d < lattice_.dims(); ++d) {
      loops |= lattice_.Value(array, d) < lattice_.Bound(d) ? 1U << static_cast<unsigned>(d) : 0;
    }
    double fixed = model_.FixedEnergy();
    for (int t = 0; t < model_.tensors(); ++t) {
      if (!HasBit(model_.joint(), t)) {
        fixed += HasBit(keep, t) ? kept_feed_[Index(t)] : free_feed_[Index(t)];
      }
      if (HasBit(keep, t) && model_.IsOutput(t)) {
        fixed -= model_.ParentRebate(0) + model_.ChildRebate(1) * space.copies;
      }
    }
    if (loops == 0) {
      return First(tile, array, space, keep, fixed, -1);
    }
    double best = kInfinity;
    for (std::uint32_t ds = loops; ds != 0; ds &= ds - 1) {
      best = std::min(best, First(tile, array, space, keep, fixed, std::countr_zero(ds)));
    }
    return best;
  }

 private:
  /// When the first loop of level 0 is over dim `first` (-1: level 0 has no loops).
  [[nodiscard]] double First(Tile tile, Tile array, const Space& space, std::uint32_t keep,
                             double energy, int first) const {
    double reads = 0;
    double writes = 0;
    for (int t = 0; t < model_.tensors(); ++t) {
      if (!HasBit(keep, t)) {
        continue;
      }
      double words = model_.Touched(t);
      double merge = 1;
      if (!HasBit(model_.windowed() | model_.joint(), t)) {
        words = model_.Total(t, tile) * model_.Rest(t, tile);
        merge = model_.PlainMerge(0, t, space.factors);
        if (first >= 0 && !HasBit(model_.dims_of(t), first)) {
          words /= model_.Rest(t, array);
        }
      }
      energy += words * (model_.ParentRate(0, t) / merge + model_.ChildRate(1, t));
      (model_.IsOutput(t) ? writes : reads) += words / merge;
    }
    const cost::CompiledLevel& outer = model_.compiled().level[0];
    double cycles = model_.ComputeCycles(space.units * units_[1]);
    if (outer.read_bandwidth > 0) {
      cycles = std::max(cycles, reads / outer.read_bandwidth);
    }
    if (outer.write_bandwidth > 0) {
      cycles = std::max(cycles, writes / outer.write_bandwidth);
    }
    return cost::Score{energy + model_.LeakagePerCycle() * cycles, cycles}.value(objective_);
  }

  const Model& model_;
  const Lattice& lattice_;
  cost::Objective objective_;
  std::array<double, arch::kMaxLevels + 1> units_{};  ///< compute units below an instance
  exact::TensorDoubles kept_feed_{};                  ///< of the compute units, by a level inside
  exact::TensorDoubles free_feed_{};                  ///< by any level
};

struct Open {
  Tile tile;
  Tile space;
  std::uint32_t keep;
  double bound;
};

std::vector<Open> OpenCells(const Model& model, cost::Objective objective, double limit) {
  const exact::Spaces spaces(model);
  const SimpleBound bound(model, objective);
  const Lattice& lattice = model.lattice();
  const std::uint32_t must = model.MustKeep(1);
  const std::uint32_t free = model.MayKeep(1) & ~must;
  std::vector<Open> open;
  for (Tile x = 0; x < lattice.size(); ++x) {
    for (std::uint32_t chosen = free;; chosen = (chosen - 1) & free) {
      for (const Space& space : spaces.At(0)) {
        const Tile array =
            model.Fits(1, must | chosen, x) ? lattice.Multiply(x, space.factors) : -1;
        bool allowed = array >= 0;
        for (int d = 0; allowed && d < lattice.dims(); ++d) {
          allowed = model.Allows(0, mapping::LoopKind::kTemporal, d,
                                 lattice.Bound(d) / lattice.Value(array, d));
        }
        const double value = allowed ? bound.Of(x, space, must | chosen) : kInfinity;
        if (value < limit) {
          open.push_back({x, space.factors, must | chosen, value});
        }
      }
      if (chosen == 0) {
        break;
      }
    }
  }
  std::ranges::stable_sort(open, [](const Open& a, const Open& b) { return a.bound < b.bound; });
  return open;
}

}  // namespace

std::optional<cost::Certificate> Certify(const Problem& problem, const Result& result) {
  const cost::Evaluator& evaluator = *problem.evaluator;
  if (!result.best || problem.imperfect || result.stopped != StopReason::kProven ||
      Lattice::CountVectors(evaluator.workload().bounds) > kMaxVectors) {
    return std::nullopt;
  }
  cost::Certificate certificate;
  certificate.problem = cost::ProblemKey(evaluator, problem.constraints);
  certificate.objective = problem.objective;
  certificate.mapping = *result.best;
  certificate.score = result.score;
  certificate.bound = std::min(result.bound, result.score.value(problem.objective));
  certificate.listed_below = certificate.bound;
  certificate.evaluations = result.evaluations;
  const Model model(evaluator, problem.constraints);
  if (model.levels() == 1) {
    return certificate;
  }
  const Lattice& lattice = model.lattice();
  const std::vector<Open> open = OpenCells(model, problem.objective, certificate.bound);
  certificate.open_cells = static_cast<std::int64_t>(open.size());
  std::size_t listed_cells = open.size();
  if (open.size() > cost::kMaxListedCells) {
    // Cells of equal bound stay together, so that there is one list only.
    listed_cells = cost::kMaxListedCells;
    while (listed_cells > 0 &&
           open[listed_cells - 1].bound >= open[listed_cells].bound * (1 - kEqualBounds)) {
      --listed_cells;
    }
    certificate.listed_below = open[listed_cells].bound;
  }
  for (std::size_t i = 0; i < listed_cells; ++i) {
    const Open& cell = open[i];
    cost::CertificateCell listed;
    for (int d = 0; d < lattice.dims(); ++d) {
      listed.tile.push_back(lattice.Value(cell.tile, d));
      listed.space.push_back(lattice.Value(cell.space, d));
    }
    listed.keep = cell.keep;
    listed.bound = cell.bound;
    certificate.cells.push_back(listed);
  }
  return certificate;
}

}  // namespace sluice::mapper
