#pragma once
/// \file
/// Internal to the compatible model: the cases of a level and the volumes of one case. In a header
/// because the compiler has to see through it: this is the hot loop.

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/static_vector.h"
#include "cost/maestro/levels.h"
#include "cost/maestro/report.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::cost::maestro {

enum class Position : std::uint8_t { kInit, kSteady, kEdge };

/// Where one map stands in a case.
struct State {
  Position position = Position::kInit;
  bool edge = false;         ///< at the ragged end: Edge, or a first tile larger than the extent
  bool unrolled = false;     ///< the first tile is the only one
  bool last_ragged = false;  ///< spatial: the last busy unit has a ragged tile
  std::int64_t occurrences = 1;
};

using StateList = StaticVector<State, 3>;

inline StateList TemporalStates(const LevelMap& map, std::int64_t extent) {
  StateList states;
  const bool unrolled = extent <= map.size;
  states.push_back({Position::kInit, extent < map.size, unrolled, false, 1});
  if (unrolled) {
    return states;
  }
  const std::int64_t steady = (extent - map.size) / map.offset;
  if (steady > 0) {
    states.push_back({Position::kSteady, false, false, false, steady});
  }
  if (steady * map.offset + map.size < extent) {
    states.push_back({Position::kEdge, true, false, false, 1});
  }
  return states;
}

inline StateList SpatialStates(const LevelMap& map, std::int64_t extent, std::int64_t units) {
  StateList states;
  const std::int64_t covered = map.offset * (units - 1) + map.size;
  const bool unrolled = extent <= covered;
  const bool ragged = extent < covered;
  states.push_back({Position::kInit, ragged, unrolled, ragged, 1});
  if (unrolled) {
    return states;
  }
  const std::int64_t rounds = ((extent - map.size) / map.offset + 1) / units - 1;
  if (rounds > 0) {
    states.push_back({Position::kSteady, false, false, false, rounds});
  }
  const std::int64_t round = map.offset * units;
  if ((rounds + 1) * round + covered > extent && rounds * round + covered != extent) {
    const std::int64_t rest = extent - (rounds + 1) * round;
    const std::int64_t busy = rest < map.size ? 1 : (rest - map.size) / map.offset + 1;
    const bool last = (busy - 1) * map.offset + map.size < rest;
    states.push_back({Position::kEdge, true, false, last, 1});
  }
  return states;
}

/// What the temporal maps contribute to the volumes of a case.
struct Products {
  std::array<std::int64_t, kTensorRoles> words = {1, 1, 1};  ///< per tensor
  std::int64_t summed = 1;                                   ///< operations per output

  /// A map at its first tile, or as an output at any.
  void Tile(const LevelMap& map, bool edge) {
    const std::int64_t tile = edge ? map.mapped_edge : map.mapped;
    words[0] *= map.coupled[0] ? tile : 1;
    words[1] *= map.coupled[1] ? tile : 1;
    Output(map, edge);
  }
  void Output(const LevelMap& map, bool edge) {
    if (map.coupled[2]) {
      words[2] *= edge ? map.mapped_edge_out : map.mapped_out;
    } else {
      summed *= edge ? map.mapped_edge : map.mapped;
    }
  }
};

/// The states of all maps of a level; what maps with a single state contribute is known at once.
struct LevelStates {
  const CompletedLevel* level = nullptr;
  std::array<StateList, mapping::kLayerDims> lists;
  StaticVector<std::size_t, mapping::kLayerDims> several;  ///< maps with more than one state
  Products fixed;

  LevelStates(const CompletedLevel& of,
              const std::array<std::int64_t, mapping::kLayerDims>& extents)
      : level(&of) {
    for (std::size_t i = 0; i < of.maps.size(); ++i) {
      const LevelMap& map = of.maps[i];
      lists[i] =
          map.spatial ? SpatialStates(map, extents[i], of.units) : TemporalStates(map, extents[i]);
      if (lists[i].size() > 1) {
        several.push_back(i);
      } else if (!map.spatial) {
        fixed.Tile(map, lists[i][0].edge);
      }
    }
  }
};

/// Per map of a level, where it stands.
using CaseStates = std::array<const State*, mapping::kLayerDims>;

/// The order in which the tool visits the cases of a level; two of its figures depend on it. Case c
/// takes the state ceil(c / f) mod n of a map with n states, f being the product of the numbers of
/// states of the maps inside: all maps advance together after case 0.
class CaseOrder {
 public:
  explicit CaseOrder(const LevelStates& states) : maps_(states.several.size()) {
    for (std::size_t i = 0; i < maps_; ++i) {
      states_[i] = states.lists[states.several[i]].size();
    }
  }
  /// Of the i-th map with several states.
  [[nodiscard]] std::size_t index(std::size_t i) const { return index_[i]; }

  /// False after the last case.
  bool Next() {
    bool divides = true;  // f divides c: all inner digits of c are zero
    for (std::size_t i = maps_; i-- > 0 && divides;) {
      index_[i] = index_[i] + 1 == states_[i] ? 0 : index_[i] + 1;
      divides = digit_[i] == 0;
    }
    for (std::size_t i = maps_; i-- > 0;) {
      if (++digit_[i] < states_[i]) {
        return true;
      }
      digit_[i] = 0;
    }
    return false;
  }

 private:
  std::size_t maps_;
  std::array<std::size_t, mapping::kLayerDims> states_{};
  std::array<std::size_t, mapping::kLayerDims> index_{};
  std::array<std::size_t, mapping::kLayerDims> digit_{};  ///< of c, innermost map first to change
};

/// The volumes of one case of one level. A volume is a product over the maps of the level. What the
/// temporal maps contribute is the same for all sub-clusters and computed once; the one or two
/// spatial maps are multiplied in per kind of sub-cluster.
class Case {
 public:
  Case(const LevelStates& all, const CaseStates& states)
      : level_(*all.level), states_(states), temporal_(all.fixed) {
    for (std::size_t k = all.several.size(); k-- > 0;) {
      if (states[all.several[k]]->position != Position::kInit) {
        changing_ = static_cast<int>(all.several[k]);
        break;
      }
    }
    const CompletedLevel& level = level_;
    for (const std::size_t i : level.spatial) {
      const State& state = *states[i];
      spatial_.edge = spatial_.edge || state.edge;
      spatial_.last = state.last_ragged;
      for (std::size_t t = 0; t < kTensorRoles; ++t) {
        if (level.maps[i].coupled[t]) {
          coupled_[t].mapped = true;
          coupled_[t].edge = coupled_[t].edge || state.edge;
          coupled_[t].last = state.last_ragged;
        }
      }
    }
    TemporalProducts(all);
  }

  [[nodiscard]] bool all_init() const { return changing_ < 0; }
  /// A temporal step that brings nothing new: the tool gives up.
  [[nodiscard]] bool stuck() const { return stuck_; }

  [[nodiscard]] std::int64_t Ingress(std::size_t tensor) const {
    if (temporal_.words[tensor] == 0) {
      return 0;
    }
    return temporal_.words[tensor] * OverUnits(coupled_[tensor], [&](bool first, bool last) {
             return SpatialInput(tensor, first, last);
           });
  }

  [[nodiscard]] std::int64_t Egress() const {
    return temporal_.words[2] * OverUnits(coupled_[2], [&](bool first, bool last) {
             return SpatialOutput(false, first, last, true);
           });
  }

  /// Operations of the busiest sub-cluster.
  [[nodiscard]] std::int64_t Critical() const {
    const bool last = spatial_.edge && level_.edge_units == 1 && spatial_.last;
    return temporal_.words[2] * temporal_.summed * SpatialOutput(true, true, last, true);
  }

  /// Operations of all sub-clusters.
  [[nodiscard]] std::int64_t Operations() const {
    const std::int64_t each = temporal_.words[2] * temporal_.summed;
    if (!spatial_.edge) {
      return each * level_.units * SpatialOutput(true, true, false, true);
    }
    const std::int64_t busy = level_.edge_units;
    std::int64_t count = SpatialOutput(true, true, busy == 1 && spatial_.last, true);
    if (busy > 1) {
      const std::int64_t last = spatial_.last ? 1 : 0;
      count += std::max<std::int64_t>(busy - last - 1, 0) * SpatialOutput(true, true, false, true);
      count += last * SpatialOutput(true, false, true, false);
    }
    return each * count;
  }

 private:
  struct Spread {
    bool mapped = false;
    bool edge = false;
    bool last = false;
  };

  /// Sum over the sub-clusters that receive (or send) their own part of a tensor.
  template <class Volume>
  [[nodiscard]] std::int64_t OverUnits(const Spread& spread, const Volume& volume) const {
    if (!spread.mapped) {
      return volume(true, false);
    }
    if (!spread.edge) {
      return volume(true, false) + (level_.units - 1) * volume(false, false);
    }
    const std::int64_t busy = level_.edge_units;
    std::int64_t words = volume(true, busy == 1 && spread.last);
    if (busy > 1) {
      const std::int64_t last = spread.last ? 1 : 0;
      words += std::max<std::int64_t>(busy - last - 1, 0) * volume(false, false);
      words += last * volume(false, true);
    }
    return words;
  }

  /// An input's words are 0 if it stays where it is.
  void TemporalProducts(const LevelStates& all) {
    const bool first = changing_ < 0;
    const auto changing = static_cast<std::size_t>(std::max(changing_, 0));
    if (!first) {
      for (const std::size_t i : all.several) {  // maps with one state are unrolled
        if (i > changing && !states_[i]->unrolled) {
          fresh_[0] = fresh_[0] || level_.maps[i].coupled[0];
          fresh_[1] = fresh_[1] || level_.maps[i].coupled[1];
        }
      }
    }
    for (const std::size_t i : all.several) {
      const LevelMap& map = level_.maps[i];
      if (map.spatial) {
        continue;
      }
      const State& state = *states_[i];
      if (state.position == Position::kInit) {
        temporal_.Tile(map, state.edge);
        continue;
      }
      temporal_.Output(map, state.edge);
      for (std::size_t t = 0; t < 2; ++t) {
        if (!map.coupled[t]) {
          continue;
        }
        if (i == changing && !fresh_[t]) {
          stuck_ = stuck_ || map.unique == 0;
          temporal_.words[t] *= std::max<std::int64_t>(map.unique, 1);
        } else {
          temporal_.words[t] *= map.mapped;
        }
      }
    }
    if (!first) {
      for (std::size_t t = 0; t < 2; ++t) {
        if (!level_.maps[changing].coupled[t]) {
          temporal_.words[t] = 0;
        }
      }
    }
  }

  /// What the spatial maps contribute to the words of an input that the first (or another)
  /// sub-cluster receives.
  [[nodiscard]] std::int64_t SpatialInput(std::size_t tensor, bool first, bool last) const {
    std::int64_t words = 1;
    for (const std::size_t i : level_.spatial) {
      const LevelMap& map = level_.maps[i];
      const State& state = *states_[i];
      if (!map.coupled[tensor]) {
        continue;
      }
      const std::int64_t mapped = last ? map.mapped_edge : map.mapped;
      const std::int64_t unique = last ? map.unique_edge : map.unique;
      if (changing_ < 0) {
        if (!state.edge) {
          words *= map.mapped;
        } else if (level_.edge_units == 1) {
          words *= first || last ? map.mapped_edge : 1;
        } else {
          words *= mapped;
        }
      } else if (state.position == Position::kInit) {
        words *= first || static_cast<int>(i) < changing_ ? mapped : unique;
      } else {
        words *= !first && static_cast<int>(i) == changing_ && !fresh_[tensor] ? unique : mapped;
      }
    }
    return words;
  }

  /// The same for outputs, or (`operations`) for multiply-accumulates.
  [[nodiscard]] std::int64_t SpatialOutput(bool operations, bool first, bool last,
                                           bool reuse) const {
    std::int64_t words = 1;
    for (const std::size_t i : level_.spatial) {
      if (operations || level_.maps[i].coupled[2]) {
        words *= SpatialOutputOf(level_.maps[i], *states_[i], first, last, reuse);
      }
    }
    return words;
  }

  [[nodiscard]] std::int64_t SpatialOutputOf(const LevelMap& map, const State& state, bool first,
                                             bool last, bool reuse) const {
    const bool coupled = map.coupled[2];
    const std::int64_t mapped = coupled ? map.mapped_out : map.mapped;
    const std::int64_t unique = coupled ? map.unique_out : map.unique;
    const std::int64_t mapped_edge = coupled ? map.mapped_edge_out : map.mapped_edge;
    const std::int64_t unique_edge = coupled ? map.unique_edge_out : map.unique_edge;
    const std::int64_t regular = first ? mapped : unique != 0 ? unique : 1;
    switch (state.position) {
      case Position::kInit:
        if (!state.edge || !last) {
          return regular;
        }
        return !coupled || level_.edge_units == 1 || !reuse ? mapped_edge : unique_edge;
      case Position::kSteady:
        return regular;
      case Position::kEdge:
        break;
    }
    if (level_.edge_units == 1) {
      // For outputs too the ragged tile counts input positions here.
      return first || last ? map.mapped_edge : 1;
    }
    if (!last) {
      return regular;
    }
    return coupled && !reuse ? mapped_edge : unique_edge;
  }

  const CompletedLevel& level_;
  const CaseStates& states_;
  int changing_ = -1;  ///< the innermost map beyond its first position
  Spread spatial_;
  std::array<Spread, kTensorRoles> coupled_;
  std::array<bool, 2> fresh_{};  ///< inputs: a map inside the changing one started over
  Products temporal_;
  bool stuck_ = false;
};

}  // namespace sluice::cost::maestro
