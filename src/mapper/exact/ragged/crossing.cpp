// From the tiles of the copies to the tile of their array (bound.h): how well the array is filled,
// and which copies have less to do than others.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "cost/compiled.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/ragged/bound.h"
#include "mapper/exact/ragged/tiles/front.h"
#include "mapper/exact/ragged/tiles/steps.h"
#include "mapper/exact/ragged/tiles/unroll.h"

namespace sluice::mapper::exact {
namespace {

using cost::HasBit;
using cost::Index;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

// Steps of the first copy over the fewest there can be. It has work in every tile of the array, and
// so has the first of the copies inside it.
double RaggedBound::Stretch(int dim, std::int64_t copies, std::int64_t inside,
                            std::int64_t tile) const {
  const std::int64_t bound = model_->compiled().bound[Index(dim)];
  const std::int64_t children = Tiles(bound, tile);
  const std::int64_t arrays = Tiles(children, copies);
  const std::int64_t rest = bound - (arrays - 1) * copies * tile;
  const std::int64_t steps =
      (arrays - 1) * Tiles(tile, inside) + Tiles(std::min(tile, rest), inside);
  return static_cast<double>(steps) / static_cast<double>(Tiles(bound, copies * inside));
}

// Share of the words of a dim in copies that have two tiles; 1 unless the array has two tiles. Of n
// children's tiles, more than `copies`, the first n - copies copies have two, the others one. Of
// the last of these the second tile may be short: then some copies inside have only one. The others
// have no less in the first tile than in the second.
RaggedBound::Range RaggedBound::Twice(int dim, std::int64_t copies, std::int64_t inside,
                                      std::int64_t tile) const {
  const std::int64_t bound = model_->compiled().bound[Index(dim)];
  const std::int64_t n = Tiles(bound, tile);
  if (n <= copies || n > 2 * copies) {
    return {};
  }
  const std::int64_t points = (n - copies) * tile + bound - copies * tile;
  const std::int64_t missing = inside > 1 ? n * tile - bound : 0;
  const auto all = static_cast<double>(bound);
  return {static_cast<double>(points - missing) / all, static_cast<double>(points) / all};
}

// The least share over all tiles.
double RaggedBound::LeastTwice(int dim, std::int64_t copies) const {
  const std::int64_t bound = model_->compiled().bound[Index(dim)];
  if (!fine_) {
    return 1 / static_cast<double>(copies);  // a copy with a second tile has a whole one at least
  }
  double least = 1;
  for (std::int64_t tile = Tiles(bound, 2 * copies); tile * copies < bound; ++tile) {
    least = std::min(least, Twice(dim, copies, 1, tile).low);
  }
  return least;
}

// What the tiles of the children make of the outermost array.
void RaggedBound::SetFilling(const Unrolling& unrolling) {
  FindArrays(unrolling);
  for (int d = 0; d < steps().dims() && unrolled_ >= 0; ++d) {
    const std::int64_t copies = unrolling.factor[Index(unrolled_)][Index(d)];
    const std::int64_t inside =
        copies == 1 ? 1 : Gather(unrolling, unrolled_ + 1, model_->levels(), d).factor;
    copies_[Index(d)] = copies;
    const auto [it, fresh] = grid_->filling.try_emplace({d, copies, inside});
    if (fresh) {
      it->second = MakeFilling(d, copies, inside);
    }
    filling_[Index(d)] = &it->second;
  }
}

// A child's tile is a product of loop bounds, those of the copies inside among them.
RaggedBound::Filling RaggedBound::MakeFilling(int dim, std::int64_t copies,
                                              std::int64_t inside) const {
  Filling filling;
  const Range none = copies == 1 ? Range{} : Range{kInfinity, 0};
  filling.stretch.assign(steps().Axis(dim).size(), none);
  filling.share = filling.stretch;
  if (copies == 1) {
    return filling;
  }
  const auto add = [](const Range& value, Range& range) {
    range = {std::min(range.low, value.low), std::max(range.high, value.high)};
  };
  const std::int64_t bound = model_->compiled().bound[Index(dim)];
  filling.by_tile.assign(static_cast<std::size_t>(bound) + 1, kInfinity);
  for (std::int64_t tile = inside; tile <= bound; tile += inside) {
    const std::size_t cell = Index(grid_->cell_of[Index(dim)][static_cast<std::size_t>(tile)]);
    const double stretch = Stretch(dim, copies, inside, tile);
    filling.by_tile[static_cast<std::size_t>(tile)] = stretch;
    add({stretch, stretch}, filling.stretch[cell]);
    add(Twice(dim, copies, inside, tile), filling.share[cell]);
  }
  filling.least = std::ranges::min(filling.by_tile);
  return filling;
}

// Of the walks of a group more copies may be certain to have work than of others, and to be visited
// more often.
Unrolling RaggedBound::Tighten(const Pair& pair, const Group& group) {
  Unrolling tight = unrollings_[Index(pair.unrolling)];
  SetFilling(tight);
  if (unrolled_ < 0) {
    return tight;
  }
  // With more cycles a walk is of no interest.
  const double most =
      std::min(group.stretch.high, goal_->CyclesFor(Limit(), pair.energy) / Cycles(tight));
  double least = 1;
  for (int d = 0; d < steps().dims(); ++d) {
    least *= filling_[Index(d)]->least;
  }
  for (std::uint32_t levels = arrays_; levels != 0; levels &= levels - 1) {
    const int level = std::countr_zero(levels);
    for (int d = 0; d < steps().dims(); ++d) {
      std::int32_t& active = tight.active[Index(level)][Index(d)];
      if (tight.factor[Index(level)][Index(d)] > 1) {
        SetVisits(level, d, pair, group, most / (least / filling_[Index(d)]->least));
        active = std::max(active,
                          static_cast<std::int32_t>(visits_[Index(level)][Index(d)].visits.back()));
      }
    }
  }
  return tight;
}

// `most`: stretch of the children's tiles of the outermost array that are of interest. Of the
// arrays inside it all tiles are.
void RaggedBound::SetVisits(int level, int dim, const Pair& pair, const Group& group, double most) {
  constexpr double kRounding = 1e-9;
  const Unrolling& unrolling = unrollings_[Index(pair.unrolling)];
  const std::int64_t bound = model_->compiled().bound[Index(dim)];
  const std::int64_t copies = unrolling.factor[Index(level)][Index(dim)];
  const std::int64_t active = unrolling.active[Index(level)][Index(dim)];
  const std::int64_t inside = Gather(unrolling, level + 1, model_->levels(), dim).factor;
  const bool outermost = level == unrolled_;
  const int wanted = outermost ? group.child[Index(dim)] : kAny;
  std::vector<std::int64_t>& visits = visits_[Index(level)][Index(dim)].visits;
  visits.assign(steps().Axis(dim).size(), bound);
  bool any = false;
  const std::vector<std::int32_t>& cell_of = grid_->cell_of[Index(dim)];
  for (std::int64_t tile = inside; tile <= bound; tile += inside) {
    if (outermost &&
        filling_[Index(dim)]->by_tile[static_cast<std::size_t>(tile)] > most * (1 + kRounding)) {
      continue;
    }
    const std::int64_t children = Tiles(bound, tile);
    const int cell = cell_of[static_cast<std::size_t>(tile)];
    if (children < active || (wanted >= 0 && cell != wanted) ||
        (wanted == kNotTwo && AlwaysTwo(dim, cell)) ||
        !IsChild(Index(pair.keeps), level, dim, cell)) {
      continue;
    }
    any = true;
    const std::int64_t arrays = Tiles(children, copies);
    const std::int64_t last = children - (arrays - 1) * copies;
    for (std::int64_t factor = 1; factor < 2 * arrays; ++factor) {
      // Loops around the array: of their last tile all copies have work, or only the last array's.
      const std::int64_t n = Tiles(arrays, factor);
      const std::int64_t here = (n - 1) * copies + ((n - 1) * factor + 1 == arrays ? last : copies);
      std::int64_t& least = visits[Index(steps().Find(dim, n))];
      least = std::min(least, here);
      if (n == 1) {
        break;
      }
    }
  }
  if (!any) {
    std::ranges::fill(visits, 1);
  }
  std::vector<int>& cells = visits_[Index(level)][Index(dim)].cell;
  cells.clear();
  for (const std::int64_t n : visits) {
    cells.push_back(steps().Find(dim, std::min(n, bound)));
  }
}

// Visits of the copies of tile x in all the tiles that a dim has, at least. All visits of the
// outermost copies but the last are visits of all the copies inside.
std::int64_t RaggedBound::Visits(Cells x, int dim, const Copies& copies) const {
  if (copies.level >= 0 && unrolled_ >= 0) {
    const std::int64_t outermost =
        visits_[Index(copies.level)][Index(dim)].visits[Index(steps().Coordinate(x, dim))];
    return (outermost - 1) * copies.inner + 1;
  }
  const std::int64_t n = steps().At(x, dim).low;
  return n == 1 ? copies.active : (n - 1) * copies.factor + 1;
}

// Whether the array has two tiles of `dim` around some of the children of a cell.
bool RaggedBound::MayHaveTwo(int dim, int child) const {
  const Steps::Cell& cell = steps().Axis(dim)[Index(child)];
  const std::int64_t copies = copies_[Index(dim)];
  return cell.high > copies && cell.low <= 2 * copies;
}

bool RaggedBound::AlwaysTwo(int dim, int child) const {
  const Steps::Cell& cell = steps().Axis(dim)[Index(child)];
  const std::int64_t copies = copies_[Index(dim)];
  return cell.low > copies && cell.high <= 2 * copies;
}

// Whether the levels below an array have room for children of a cell.
bool RaggedBound::IsChild(std::size_t keeps, int level, int dim, int child) {
  if (level + 1 == model_->levels()) {
    return child == 0;
  }
  return RoomOf(keeps).Fits(static_cast<Cells>(child) * steps().stride(dim), level + 1);
}

// Whether some tiles of the cells belong to the walks at hand; their least stretch.
bool RaggedBound::Belongs(Cells x, double& stretch) const {
  Range cycles;
  const Group& group = limits_.group;
  for (int d = 0; d < steps().dims(); ++d) {
    const int child = steps().Coordinate(x, d);
    const int wanted = group.child[Index(d)];
    if (wanted >= 0 ? child != wanted
                    : wanted == kNotTwo && copies_[Index(d)] > 1 && AlwaysTwo(d, child)) {
      return false;
    }
    cycles.low *= filling_[Index(d)]->stretch[Index(child)].low;
    cycles.high *= filling_[Index(d)]->stretch[Index(child)].high;
  }
  stretch = std::max(cycles.low, group.stretch.low);
  return cycles.low < group.stretch.high && cycles.high >= group.stretch.low;
}

void RaggedBound::FindArrays(const Unrolling& unrolling) {
  arrays_ = 0;
  for (int l = 0; l < model_->levels() && fine_; ++l) {
    if (std::ranges::any_of(unrolling.factor[Index(l)], [](auto f) { return f > 1; })) {
      arrays_ |= Bit(l);
    }
  }
  unrolled_ = arrays_ == 0 ? -1 : std::countr_zero(arrays_);
}

// The cells that the array can have around children of cell x: n turns into ceil(n / factor).
void RaggedBound::ListArrays(Cells x, const Unrolling& unrolling, int level,
                             std::vector<Cells>& arrays) const {
  arrays.assign(1, x);
  for (int d = 0; d < steps().dims(); ++d) {
    const std::int64_t factor = unrolling.factor[Index(level)][Index(d)];
    if (factor == 1) {
      continue;
    }
    const Steps::Cell& cell = steps().At(x, d);
    if (cell.high < unrolling.active[Index(level)][Index(d)]) {
      arrays.clear();
      return;
    }
    const int first = steps().Find(d, Tiles(cell.high, factor));
    const int last = steps().Find(d, Tiles(cell.low, factor));
    const std::size_t count = arrays.size();
    for (int c = first; c <= last; ++c) {
      for (std::size_t i = 0; i < count; ++i) {
        arrays.push_back(steps().With(arrays[i], d, c));
      }
    }
    arrays.erase(arrays.begin(), arrays.begin() + static_cast<std::ptrdiff_t>(count));
  }
}

// Tiles of the children become tiles of the array.
void RaggedBound::Cross(int level, const Unrolling& unrolling, const Front& from) {
  std::vector<std::int32_t>& crossed = trace_[Index(level)].crossed;
  crossed.clear();
  next_.Reset(steps().size(), masks_);
  if (level == unrolled_) {
    crossed_.fill(1);
  }
  std::vector<Cells> arrays;
  for (std::int32_t slot = 0; slot < static_cast<std::int32_t>(from.reached().size()); ++slot) {
    const Cells x = from.reached()[Index(slot)];
    double stretch = 1;
    if (level == unrolled_) {
      if (!Belongs(x, stretch)) {
        continue;
      }
      stretch = std::max(1.0, stretch * limits_.slack);
      if (!Note(from, slot, stretch)) {
        continue;
      }
    }
    ListArrays(x, unrolling, level, arrays);
    for (const Cells array : arrays) {
      if (room_->Fits(array, level)) {
        Enter(level, from, slot, array, stretch);
      }
    }
  }
  std::swap(here_, next_);
}

// Where the group knows the children of an array of two tiles, the copies that have only one are
// counted apart: whatever runs over the two repeats nothing there. So are first tiles of slides.
void RaggedBound::SetRests() {
  NoRests();
  if (unrolled_ < 0) {
    return;
  }
  const auto add = [this](std::uint32_t& bit) {
    has_rests_ = true;
    bit = static_cast<std::uint32_t>(masks_);
    masks_ *= 2;
  };
  for (int t = 0; t < model_->tensors(); ++t) {
    rest_[Index(t)] = 1;
    for (int d = 0; d < steps().dims(); ++d) {
      const int child = limits_.group.child[Index(d)];
      const std::size_t two =
          Index(steps().Find(d, std::min<std::int64_t>(2, model_->compiled().bound[Index(d)])));
      if (child < 0 || !HasBit(model_->dims_of(t), d) || WindowOf(t, d) >= 0 ||
          steps().Axis(d)[two].low != 2 || steps().Axis(d)[two].high != 2) {
        continue;
      }
      two_[Index(t)] |= Bit(d);
      rest_[Index(t)] *= 1 - filling_[Index(d)]->share[Index(child)].high;
    }
    if (two_[Index(t)] != 0) {
      add(rest_bit_[Index(t)]);
    }
    if (short_[Index(t)] != 0) {
      add(first_bit_[Index(t)]);
    }
  }
}

void RaggedBound::NoRests() {
  two_.fill(0);
  rest_bit_.fill(0);
  first_bit_.fill(0);
  has_rests_ = false;
  masks_ = std::size_t{1} << static_cast<unsigned>(model_->tensors());
}

// Shares of the children that cross the array. False when they are too expensive.
bool RaggedBound::Note(const Front& from, std::int32_t slot, double stretch) {
  double least = kInfinity;
  for (std::size_t open = 0; open < from.masks(); ++open) {
    least = std::min(least, from.At(slot, open));
  }
  if (least * stretch >= enough_) {
    return false;
  }
  for (int d = 0; d < steps().dims(); ++d) {
    if (limits_.group.child[Index(d)] != kNotTwo) {
      const int child = steps().Coordinate(from.reached()[Index(slot)], d);
      crossed_[Index(d)] =
          std::min(crossed_[Index(d)], filling_[Index(d)]->share[Index(child)].low);
    }
  }
  return true;
}

void RaggedBound::Enter(int level, const Front& from, std::int32_t slot, Cells array,
                        double stretch) {
  const std::int32_t to = next_.Add(array);
  std::vector<std::int32_t>& crossed = trace_[Index(level)].crossed;
  if (traces_) {
    crossed.resize(next_.reached().size() * masks_, -1);
  }
  for (std::uint32_t open = 0; open < from.masks(); ++open) {
    std::uint32_t all = open;
    for (std::uint32_t ts = level == unrolled_ ? open : 0; ts != 0; ts &= ts - 1) {
      const std::size_t t = Index(std::countr_zero(ts));
      all |= rest_bit_[t] | first_bit_[t];
    }
    const double energy = from.At(slot, open) * stretch;
    if (energy < next_.At(to, all)) {
      next_.At(to, all) = energy;
      if (traces_) {
        crossed[Index(next_.State(to, all))] = from.State(slot, open);
      }
    }
  }
}

}  // namespace sluice::mapper::exact
