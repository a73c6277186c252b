#include "mapper/codes/space.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "base/divisors.h"
#include "base/rng.h"
#include "cost/maestro/hardware.h"
#include "mapper/codes/search.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::mapper::codes {
namespace {

using mapping::CodeDim;
using mapping::DataflowCode;
using mapping::Index;
using mapping::LevelCode;

double Distance(std::int64_t a, std::int64_t b) {
  return std::abs(std::log(static_cast<double>(a)) - std::log(static_cast<double>(b)));
}

/// Index of `share` among `count` choices.
std::size_t Choice(double share, std::size_t count) {
  const double clamped = std::clamp(share, 0.0, 1.0);
  return std::min(static_cast<std::size_t>(clamped * static_cast<double>(count)), count - 1);
}

double Middle(std::size_t index, std::size_t count) {
  return (static_cast<double>(index) + 0.5) / static_cast<double>(count);
}

std::size_t Draw(Rng& rng, std::size_t count) {
  return rng.Below(static_cast<std::uint32_t>(count));
}

std::int64_t UnitsAt(double share, std::int64_t pes) {
  return std::llround(std::pow(static_cast<double>(pes), std::clamp(share, 0.0, 1.0)));
}

}  // namespace

CodeSpace::CodeSpace(const mapping::Layer& layer, const cost::maestro::Hardware& hardware,
                     const SpaceOptions& options)
    : layer_(layer), options_(options), pes_(hardware.pes) {
  SLUICE_CHECK(options.levels >= 1 && options.levels <= mapping::kMaxCodeLevels, "1 to 4 levels");
  SLUICE_CHECK(hardware.pes >= 1, "a machine has PEs");
  const auto extents = mapping::CodeExtents(layer);
  for (std::size_t d = 0; d < extents.size(); ++d) {
    const auto dim = static_cast<CodeDim>(d);
    const bool window = dim == CodeDim::kR || dim == CodeDim::kS;
    extents_[d] = std::max<std::int64_t>(extents[d], 1);
    divisors_[d] = DivisorsOf(extents_[d]);
    if (extents[d] == 0) {
      continue;
    }
    present_.push_back(dim);
    if (!window || !options.whole_windows) {
      parallel_.push_back(dim);
      if (extents[d] > 1) {
        tiled_.push_back(dim);
      }
    }
  }
}

mapping::CodeSizes CodeSpace::ParentOf(const DataflowCode& code, std::size_t level) const {
  return level == 0 ? extents_ : code.levels[level - 1].tile;
}

std::vector<std::int64_t> CodeSpace::Divisors(CodeDim dim, std::int64_t parent) const {
  std::vector<std::int64_t> result;
  for (const std::int64_t d : divisors_[Index(dim)]) {
    if (parent % d == 0) {
      result.push_back(d);
    }
  }
  return result;
}

std::int64_t CodeSpace::Nearest(CodeDim dim, std::int64_t parent, std::int64_t tile) const {
  const std::int64_t clamped = std::clamp<std::int64_t>(tile, 1, parent);
  if (!options_.divisor_tiles || parent % clamped == 0) {
    return clamped;
  }
  std::int64_t best = 1;
  for (const std::int64_t d : divisors_[Index(dim)]) {
    if (parent % d == 0 && Distance(d, clamped) < Distance(best, clamped)) {
      best = d;
    }
  }
  return best;
}

std::int64_t CodeSpace::At(CodeDim dim, std::int64_t parent, double share) const {
  if (!options_.divisor_tiles) {
    return std::clamp<std::int64_t>(UnitsAt(share, parent), 1, parent);
  }
  const auto all = Divisors(dim, parent);
  return all[Choice(share, all.size())];
}

double CodeSpace::ShareOf(CodeDim dim, std::int64_t parent, std::int64_t tile) const {
  if (!options_.divisor_tiles) {
    return parent == 1
               ? 0
               : std::log(static_cast<double>(tile)) / std::log(static_cast<double>(parent));
  }
  const auto all = Divisors(dim, parent);
  const auto at = std::ranges::find(all, tile) - all.begin();
  return Middle(static_cast<std::size_t>(at), all.size());
}

std::int64_t CodeSpace::Step(CodeDim dim, std::int64_t parent, std::int64_t tile, bool up) const {
  if (!options_.divisor_tiles) {
    return std::clamp<std::int64_t>(up ? tile + 1 : tile - 1, 1, parent);
  }
  std::int64_t below = 1;
  for (const std::int64_t d : divisors_[Index(dim)]) {
    if (parent % d != 0) {
      continue;
    }
    if (d > tile) {
      return up ? d : below;
    }
    if (d < tile) {
      below = d;
    }
  }
  return up ? tile : below;
}

bool CodeSpace::Contains(const DataflowCode& code) const {
  return mapping::ValidateCode(layer_, code).has_value() && Repair(code) == code;
}

DataflowCode CodeSpace::Repair(DataflowCode code) const {
  std::int64_t room = pes_;
  for (std::size_t l = 0; l < code.levels.size(); ++l) {
    LevelCode& level = code.levels[l];
    const auto parent = ParentOf(code, l);
    for (std::size_t d = 0; d < parent.size(); ++d) {
      const auto dim = static_cast<CodeDim>(d);
      const bool window = dim == CodeDim::kR || dim == CodeDim::kS;
      level.tile[d] =
          window && options_.whole_windows ? parent[d] : Nearest(dim, parent[d], level.tile[d]);
    }
    if (l > 0) {
      level.units = std::clamp<std::int64_t>(level.units, 1, room);
      room /= level.units;
    }
    if (std::ranges::find(parallel_, level.parallel) == parallel_.end()) {
      level.parallel = level.parallel == CodeDim::kK ? CodeDim::kC : CodeDim::kY;
    }
  }
  return mapping::Canonical(layer_, code);
}

DataflowCode CodeSpace::Random(Rng& rng) const {
  DataflowCode code;
  std::int64_t room = pes_;
  for (int l = 0; l < options_.levels; ++l) {
    LevelCode level;
    level.parallel = parallel_[Draw(rng, parallel_.size())];
    level.units = l == 0 ? 0 : rng.Between(1, room);
    room /= std::max<std::int64_t>(level.units, 1);
    for (std::size_t i = level.order.size() - 1; i > 0; --i) {
      std::swap(level.order[i], level.order[Draw(rng, i + 1)]);
    }
    const auto parent = ParentOf(code, static_cast<std::size_t>(l));
    level.tile = parent;
    for (const CodeDim dim : tiled_) {
      const std::int64_t whole = parent[Index(dim)];
      level.tile[Index(dim)] =
          options_.divisor_tiles ? At(dim, whole, rng.Uniform()) : rng.Between(1, whole);
    }
    code.levels.push_back(level);
  }
  return Repair(code);
}

std::int64_t CodeSpace::OtherUnits(const DataflowCode& code, std::size_t level, Rng& rng) const {
  const std::size_t dim = Index(code.levels[level].parallel);
  const std::int64_t now = code.levels[level].units;
  switch (rng.Below(3)) {
    case 0:
      return rng.Between(1, pes_);
    case 1: {
      const std::int64_t tile = code.levels[level].tile[dim];
      const std::int64_t trips = (ParentOf(code, level)[dim] + tile - 1) / tile;
      std::vector<std::int64_t> fitting;
      for (std::int64_t u = 1; u <= std::min(trips, pes_); ++u) {
        if (trips % u == 0) {
          fitting.push_back(u);
        }
      }
      return fitting[Draw(rng, fitting.size())];
    }
    default:
      return std::clamp<std::int64_t>(now + rng.Between(-4, 4), 1, pes_);
  }
}

void CodeSpace::MoveTile(DataflowCode& code, bool step, Rng& rng) const {
  if (tiled_.empty()) {
    return;
  }
  const std::size_t l = Draw(rng, code.levels.size());
  const CodeDim dim = tiled_[Draw(rng, tiled_.size())];
  const std::int64_t parent = ParentOf(code, l)[Index(dim)];
  std::int64_t& tile = code.levels[l].tile[Index(dim)];
  tile = step ? Step(dim, parent, tile, rng.Below(2) == 0) : At(dim, parent, rng.Uniform());
}

void CodeSpace::MoveOrder(LevelCode& level, Rng& rng) const {
  std::swap(level.order[Draw(rng, present_.size())], level.order[Draw(rng, present_.size())]);
}

DataflowCode CodeSpace::Neighbour(const DataflowCode& code, Rng& rng) const {
  constexpr int kTries = 20;
  DataflowCode next = code;
  for (int i = 0; i < kTries && next == code; ++i) {
    const std::size_t l = Draw(rng, code.levels.size());
    switch (rng.Below(8)) {
      case 0:
        next.levels[l].parallel = parallel_[Draw(rng, parallel_.size())];
        break;
      case 1:
      case 2:
        if (l > 0) {
          next.levels[l].units = OtherUnits(code, l, rng);
        }
        break;
      case 3:
        MoveOrder(next.levels[l], rng);
        break;
      case 4:
      case 5:
        MoveTile(next, false, rng);
        break;
      default:
        MoveTile(next, true, rng);
        break;
    }
    next = Repair(next);
  }
  return next;
}

std::size_t CodeSpace::coordinates() const {
  const auto levels = static_cast<std::size_t>(options_.levels);
  return levels * (2 + present_.size() + tiled_.size()) - 1;
}

DataflowCode CodeSpace::FromPoint(std::span<const double> point) const {
  SLUICE_CHECK(point.size() == coordinates(), "one number a coordinate");
  std::size_t at = 0;
  DataflowCode code;
  for (int l = 0; l < options_.levels; ++l) {
    LevelCode level;
    level.parallel = parallel_[Choice(point[at++], parallel_.size())];
    level.units = l == 0 ? 0 : UnitsAt(point[at++], pes_);
    const auto keys = point.subspan(at, present_.size());
    at += present_.size();
    std::vector<std::size_t> rank(present_.size());
    std::iota(rank.begin(), rank.end(), std::size_t{0});
    std::ranges::stable_sort(rank, [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
    std::size_t next = 0;
    for (const std::size_t i : rank) {
      level.order[next++] = present_[i];
    }
    for (std::size_t d = 0; d < mapping::kCodeDims; ++d) {
      if (std::ranges::find(present_, static_cast<CodeDim>(d)) == present_.end()) {
        level.order[next++] = static_cast<CodeDim>(d);
      }
    }
    const auto parent = ParentOf(code, static_cast<std::size_t>(l));
    level.tile = parent;
    for (const CodeDim dim : tiled_) {
      level.tile[Index(dim)] = At(dim, parent[Index(dim)], point[at++]);
    }
    code.levels.push_back(level);
  }
  return Repair(code);
}

std::vector<double> CodeSpace::ToPoint(const DataflowCode& code) const {
  std::vector<double> point;
  point.reserve(coordinates());
  for (std::size_t l = 0; l < code.levels.size(); ++l) {
    const LevelCode& level = code.levels[l];
    const auto parallel = std::ranges::find(parallel_, level.parallel) - parallel_.begin();
    point.push_back(Middle(static_cast<std::size_t>(parallel), parallel_.size()));
    if (l > 0) {
      point.push_back(pes_ == 1 ? 0
                                : std::log(static_cast<double>(level.units)) /
                                      std::log(static_cast<double>(pes_)));
    }
    for (const CodeDim dim : present_) {
      const auto place = std::ranges::find(level.order, dim) - level.order.begin();
      point.push_back(Middle(static_cast<std::size_t>(place), present_.size()));
    }
    const auto parent = ParentOf(code, l);
    for (const CodeDim dim : tiled_) {
      point.push_back(ShareOf(dim, parent[Index(dim)], level.tile[Index(dim)]));
    }
  }
  return point;
}

}  // namespace sluice::mapper::codes
