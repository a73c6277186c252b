#include "mapper/codes/exhaustive.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "cost/oracle/oracle.h"
#include "mapper/codes/search.h"
#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::mapper::codes {
namespace {

using mapping::CodeDim;
using mapping::CodeSizes;
using mapping::DataflowCode;
using mapping::Index;
using mapping::kCodeDims;

constexpr std::size_t kBatch = 256;

/// Tries level after level: tiles, then the parallel dim, units and orders.
class Enumerator {
 public:
  Enumerator(cost::CostOracle& oracle, const SpaceOptions& options, EnergyKind energy,
             std::int64_t most)
      : oracle_(oracle),
        space_(oracle.layer(), oracle.hardware(), options),
        energy_(energy),
        most_(most) {}

  sluice::Result<Enumeration> Run() {
    SLUICE_TRY_STATUS(Tiles(0, 0, space_.extents(), space_.pes()));
    SLUICE_TRY_STATUS(Price());
    return result_;
  }

 private:
  /// Level `l` from the tiled dim `i` on; dims before it have their tiles.
  Status Tiles(std::size_t l, std::size_t i, const CodeSizes& parent, std::int64_t room) {
    if (l == static_cast<std::size_t>(space_.options().levels)) {
      return Take();
    }
    if (i == 0) {
      code_.levels.push_back({});
      code_.levels.back().tile = parent;
    }
    if (i < space_.tiled().size()) {
      const CodeDim dim = space_.tiled()[i];
      for (const std::int64_t tile : space_.Divisors(dim, parent[Index(dim)])) {
        code_.levels[l].tile[Index(dim)] = tile;
        SLUICE_TRY_STATUS(Tiles(l, i + 1, parent, room));
      }
    } else {
      SLUICE_TRY_STATUS(Units(l, parent, room));
    }
    if (i == 0) {
      code_.levels.pop_back();
    }
    return {};
  }

  Status Units(std::size_t l, const CodeSizes& parent, std::int64_t room) {
    for (const CodeDim dim : space_.parallel()) {
      code_.levels[l].parallel = dim;
      const std::int64_t trips = parent[Index(dim)] / code_.levels[l].tile[Index(dim)];
      std::int64_t clusters = -1;
      for (std::int64_t units = l == 0 ? 0 : 1; units <= (l == 0 ? 0 : room); ++units) {
        const std::int64_t left = room / std::max<std::int64_t>(units, 1);
        if (units > trips && left == clusters) {
          continue;
        }
        clusters = units >= trips ? left : -1;
        code_.levels[l].units = units;
        SLUICE_TRY_STATUS(Orders(l, parent, left));
      }
    }
    return {};
  }

  Status Orders(std::size_t l, const CodeSizes& parent, std::int64_t room) {
    std::array<CodeDim, kCodeDims>& order = code_.levels[l].order;
    std::size_t running = 0;
    std::size_t rest = kCodeDims;
    for (std::size_t d = kCodeDims; d-- > 0;) {
      const bool runs = parent[d] > code_.levels[l].tile[d];
      order[runs ? running++ : --rest] = static_cast<CodeDim>(d);
    }
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(running);
    std::sort(order.begin(), end);
    do {
      const std::array<CodeDim, kCodeDims> kept = order;
      const CodeSizes tile = code_.levels[l].tile;
      SLUICE_TRY_STATUS(Tiles(l + 1, 0, tile, room));
      order = kept;
    } while (std::next_permutation(order.begin(), end));
    return {};
  }

  Status Take() {
    if (++result_.tried > most_) {
      return Fail(Diagnostic(ErrorCode::kBadValue,
                             fmt::format("more than {} codes differ: too many to try", most_)));
    }
    batch_.push_back(mapping::Canonical(space_.layer(), code_));
    return batch_.size() == kBatch ? Price() : Status{};
  }

  Status Price() {
    costs_.resize(batch_.size());
    SLUICE_TRY_STATUS(oracle_.Evaluate(batch_, costs_));
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      for (std::size_t o = 0; o < result_.best.size(); ++o) {
        const double value = ValueOf(costs_[i], static_cast<CodeObjective>(o), energy_);
        if (value < result_.best[o].value) {
          result_.best[o] = {value, batch_[i]};
        }
      }
    }
    batch_.clear();
    return {};
  }

  cost::CostOracle& oracle_;
  CodeSpace space_;
  EnergyKind energy_;
  std::int64_t most_;
  DataflowCode code_;
  std::vector<DataflowCode> batch_;
  std::vector<cost::CodeCost> costs_;
  Enumeration result_;
};

}  // namespace

sluice::Result<Enumeration> EnumerateCodes(cost::CostOracle& oracle, const SpaceOptions& options,
                                           EnergyKind energy, std::int64_t most) {
  if (!options.divisor_tiles) {
    return Fail(ErrorCode::kBadValue, "only tiles that divide are few enough to try them all");
  }
  return Enumerator(oracle, options, energy, most).Run();
}

}  // namespace sluice::mapper::codes
