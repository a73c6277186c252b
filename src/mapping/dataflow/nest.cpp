#include "mapping/dataflow/nest.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/checked.h"
#include "base/diagnostic.h"
#include "base/static_vector.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"
#include "mapping/workload.h"

namespace sluice::mapping {
namespace {

constexpr std::size_t kInput = 0;
constexpr std::size_t kWeight = 1;
constexpr std::size_t kOutput = 2;

bool Moves(const Workload& workload, std::size_t tensor, int dim) {
  return (workload.tensors[tensor].dims >> static_cast<unsigned>(dim) & 1U) != 0;
}

/// A sliding window: `position` of the output and `kernel` on one axis of the input.
struct Window {
  int position = -1;
  int kernel = -1;
  std::int64_t stride = 1;
};

std::vector<Window> Windows(const Workload& workload) {
  std::vector<Window> windows;
  for (const WorkloadAxis& axis : workload.tensors[kInput].axes) {
    Window window;
    for (const WorkloadTerm& term : axis) {
      if (Moves(workload, kOutput, term.dim)) {
        window.position = term.dim;
        window.stride = term.coefficient;
      } else {
        window.kernel = term.dim;
      }
    }
    if (window.position >= 0 && !Moves(workload, kWeight, window.position) &&
        (window.kernel >= 0 || window.stride > 1)) {
      windows.push_back(window);
    }
  }
  return windows;
}

bool NamesBatch(const std::string& name) {
  return !name.empty() && (name[0] == 'N' || name[0] == 'B');
}

class Binder {
 public:
  explicit Binder(const Workload& workload) : workload_(workload) { binding_.dim.fill(-1); }

  Result<LayerBinding> Run() {
    if (workload_.tensors.size() != 3) {
      return Fail(
          Diagnostic(ErrorCode::kOperatorInvalid,
                     fmt::format("{} has {} tensors; a dataflow code needs a product of two "
                                 "tensors into a third",
                                 workload_.name, workload_.tensors.size()))
              .WithHint("convolutions and matrix products have one"));
    }
    used_.assign(static_cast<std::size_t>(workload_.dims()), false);
    PlaceWindows();
    PlaceRest();
    for (int d = 0; d < workload_.dims(); ++d) {
      if (!used_[static_cast<std::size_t>(d)]) {
        binding_.others.push_back(d);
      }
    }
    MakeLayer();
    SLUICE_TRY_STATUS(ValidateLayer(binding_.layer));
    return binding_;
  }

 private:
  void Use(CodeDim place, int dim) {
    if (dim >= 0 && binding_.dim[Index(place)] < 0 && !used_[static_cast<std::size_t>(dim)]) {
      binding_.dim[Index(place)] = dim;
      used_[static_cast<std::size_t>(dim)] = true;
    }
  }

  void PlaceWindows() {
    const std::vector<Window> windows = Windows(workload_);
    if (!windows.empty()) {
      Use(CodeDim::kY, windows[0].position);
      Use(CodeDim::kR, windows[0].kernel);
      binding_.layer.stride_y = windows[0].stride;
    }
    if (windows.size() > 1) {
      Use(CodeDim::kX, windows[1].position);
      Use(CodeDim::kS, windows[1].kernel);
      binding_.layer.stride_x = windows[1].stride;
    }
  }

  void PlaceRest() {
    for (int d = 0; d < workload_.dims(); ++d) {
      const bool in = Moves(workload_, kInput, d);
      const bool weight = Moves(workload_, kWeight, d);
      const bool out = Moves(workload_, kOutput, d);
      if (weight && out && !in) {
        Use(CodeDim::kK, d);
      } else if (in && weight && !out) {
        Use(CodeDim::kC, d);
      } else if (in && out && !weight &&
                 !NamesBatch(workload_.dim_names[static_cast<std::size_t>(d)])) {
        Use(binding_.dim[Index(CodeDim::kY)] < 0 ? CodeDim::kY : CodeDim::kX, d);
      }
    }
    if (binding_.dim[Index(CodeDim::kK)] < 0 && binding_.dim[Index(CodeDim::kC)] < 0) {
      for (int d = 0; d < workload_.dims(); ++d) {
        if (Moves(workload_, kInput, d) && Moves(workload_, kWeight, d) &&
            Moves(workload_, kOutput, d) && !used_[static_cast<std::size_t>(d)]) {
          binding_.layer.type = LayerType::kDepthwise;
          Use(CodeDim::kC, d);
        }
      }
    }
  }

  [[nodiscard]] std::int64_t Bound(CodeDim place) const {
    const int dim = binding_.dim[Index(place)];
    return dim < 0 ? 1 : workload_.bounds[static_cast<std::size_t>(dim)];
  }

  void MakeLayer() {
    using enum LayerDim;
    Layer& layer = binding_.layer;
    const auto set = [&layer](LayerDim dim, std::int64_t size) { layer.size[Index(dim)] = size; };
    if (layer.type != LayerType::kDepthwise) {
      set(kK, Bound(CodeDim::kK));
    }
    set(kC, Bound(CodeDim::kC));
    set(kR, Bound(CodeDim::kR));
    set(kS, Bound(CodeDim::kS));
    set(kY, (Bound(CodeDim::kY) - 1) * layer.stride_y + layer[kR]);
    set(kX, (Bound(CodeDim::kX) - 1) * layer.stride_x + layer[kS]);
    for (const int d : binding_.others) {
      const bool weight = Moves(workload_, kWeight, d);
      const bool grouped = weight && Moves(workload_, kInput, d) && Moves(workload_, kOutput, d) &&
                           layer.type != LayerType::kDepthwise;
      const std::int64_t bound = workload_.bounds[static_cast<std::size_t>(d)];
      if (grouped && layer.type == LayerType::kConv) {
        layer.type = LayerType::kGrouped;
        set(kG, bound);
      } else if (!weight && !layer.has(kN)) {
        set(kN, bound);
      }
    }
  }

  const Workload& workload_;
  LayerBinding binding_;
  std::vector<bool> used_;
};

/// Multiplies the loop of `dim`, or adds one outside the others.
void Widen(LoopList& loops, int dim, std::int64_t bound) {
  if (bound == 1) {
    return;
  }
  for (Loop& loop : loops) {
    if (loop.dim == dim) {
      loop.bound = static_cast<std::int32_t>(loop.bound * bound);
      return;
    }
  }
  loops.insert(0, PerfectLoop(dim, bound));
}

}  // namespace

Result<LayerBinding> BindLayer(const Workload& workload) {
  return Binder(workload).Run();
}

CodeMapper::CodeMapper(const Workload& workload, const arch::Chain& chain, LayerBinding binding)
    : binding_(std::move(binding)), bounds_(workload.bounds) {
  for (std::size_t m = 0; m < chain.levels.size(); ++m) {
    const arch::FanOut& fan_out = chain.levels[m].fan_out;
    if (fan_out.x > 1) {
      axes_.push_back({m, false, fan_out.x, MayUnroll(workload, chain, m, 0)});
    }
    if (fan_out.y > 1) {
      axes_.push_back({m, true, fan_out.y, MayUnroll(workload, chain, m, 1)});
    }
    keep_.push_back(MayKeep(workload, chain, m) | MustKeep(workload, chain, m));
  }
}

Result<CodeMapper> CodeMapper::Create(const Workload& workload, const arch::Chain& chain) {
  SLUICE_TRY(LayerBinding binding, BindLayer(workload));
  return CodeMapper(workload, chain, std::move(binding));
}

const CodeMapper::Axis* CodeMapper::AxisOf(std::size_t level, int dim) const {
  if (level >= axes_.size() || dim < 0 ||
      (axes_[level].may_unroll >> static_cast<unsigned>(dim) & 1U) == 0) {
    return nullptr;
  }
  return &axes_[level];
}

Mapping CodeMapper::MappingOf(const DataflowCode& code) const {
  Mapping mapping;
  for (const std::uint32_t keep : keep_) {
    LevelMapping level;
    level.keep = keep;
    mapping.levels.push_back(level);
  }
  const std::size_t levels = code.levels.size();
  const std::size_t last_memory = keep_.size() - 1;
  CodeSizes size;  // what one iteration of the loops placed so far spans
  size.fill(1);
  const auto bound = [this](CodeDim place) {
    const int dim = binding_.dim[Index(place)];
    return dim < 0 ? std::int64_t{1} : bounds_[static_cast<std::size_t>(dim)];
  };
  const auto loop = [&](std::size_t memory, CodeDim place, std::int64_t trips) {
    Widen(mapping.levels[std::min(memory, last_memory)].temporal, binding_.dim[Index(place)],
          trips);
    size[Index(place)] *= trips;
  };
  // Innermost first: Widen puts the next loop outside.
  const LevelCode& leaf = code.levels.back();
  for (std::size_t i = kCodeDims; i-- > 0;) {
    const CodeDim place = leaf.order[i];
    loop(levels, place, std::min(leaf.tile[Index(place)], bound(place)));
  }
  for (std::size_t l = levels; l-- > 0;) {
    const LevelCode& level = code.levels[l];
    for (std::size_t i = kCodeDims; i-- > 0;) {
      const CodeDim place = level.order[i];
      const std::size_t p = Index(place);
      const std::int64_t parent =
          std::min(l == 0 ? bound(place) : code.levels[l - 1].tile[p], bound(place));
      std::int64_t trips = std::max<std::int64_t>(CeilDiv(parent, size[p]), 1);
      const Axis* axis = place == level.parallel ? AxisOf(l, binding_.dim[p]) : nullptr;
      if (axis != nullptr) {
        const std::int64_t wanted = l == 0 ? axis->size : std::min(level.units, axis->size);
        const std::int64_t units = std::min(wanted, trips);
        LevelMapping& at = mapping.levels[axis->memory];
        Widen(axis->y ? at.spatial_y : at.spatial_x, binding_.dim[p], units);
        size[p] *= units;
        trips = CeilDiv(trips, units);
      }
      loop(l, place, trips);
    }
  }
  for (const int dim : binding_.others) {
    Widen(mapping.levels[0].temporal, dim, bounds_[static_cast<std::size_t>(dim)]);
  }
  Fold(mapping);
  return mapping;
}

/// Bounds no larger than needed, and ragged last iterations, from the innermost loop outwards.
void CodeMapper::Fold(Mapping& mapping) const {
  StaticVector<std::int64_t, kMaxDims> stride;
  for (std::size_t d = 0; d < bounds_.size(); ++d) {
    stride.push_back(1);
  }
  const auto fold = [&](LoopList& loops) {
    for (std::size_t i = loops.size(); i-- > 0;) {
      Loop& loop = loops[i];
      const auto d = static_cast<std::size_t>(loop.dim);
      const std::int64_t most = CeilDiv(bounds_[d], stride[d]);
      loop.bound = static_cast<std::int32_t>(std::min<std::int64_t>(loop.bound, most));
      loop.last = static_cast<std::int32_t>((bounds_[d] - 1) / stride[d] % loop.bound + 1);
      stride[d] *= loop.bound;
      if (loop.bound == 1) {
        loops.erase(i);
      }
    }
  };
  for (std::size_t m = mapping.levels.size(); m-- > 0;) {
    fold(mapping.levels[m].spatial_y);
    fold(mapping.levels[m].spatial_x);
    fold(mapping.levels[m].temporal);
  }
}

Result<DataflowCode> CodeMapper::CodeOf(const Mapping& mapping, std::size_t levels) const {
  const auto bad = [](std::string message) {
    return Fail(ErrorCode::kMappingInvalid, std::move(message));
  };
  if (levels < 1 || levels > kMaxCodeLevels || mapping.levels.size() < levels + 1 ||
      axes_.size() < levels) {
    return bad(fmt::format("a code of {} levels needs as many axes and one more memory", levels));
  }
  const auto place_of = [this](int dim) {
    const auto* const at = std::ranges::find(binding_.dim, dim);
    return static_cast<std::size_t>(at - binding_.dim.begin());
  };
  CodeSizes size;
  size.fill(1);
  for (std::size_t m = levels; m < mapping.levels.size(); ++m) {
    for (const Loop& loop : mapping.levels[m].temporal) {
      if (place_of(loop.dim) < kCodeDims) {
        size[place_of(loop.dim)] *= loop.bound;
      }
    }
  }
  DataflowCode code;
  code.levels.resize(levels);
  for (std::size_t l = levels; l-- > 0;) {
    LevelCode& level = code.levels[l];
    level.tile = size;
    const Axis& axis = axes_[l];
    const LevelMapping& on = mapping.levels[axis.memory];
    const LoopList& spatial = axis.y ? on.spatial_y : on.spatial_x;
    if (spatial.size() > 1) {
      return bad("two dims share an axis of a fan-out");
    }
    level.parallel = CodeDim::kY;
    level.units = l == 0 ? 0 : 1;
    if (!spatial.empty()) {
      const std::size_t p = place_of(spatial[0].dim);
      if (p == kCodeDims) {
        return bad("a dim that no code speaks of is spread over units");
      }
      level.parallel = static_cast<CodeDim>(p);
      level.units = l == 0 ? 0 : spatial[0].bound;
      size[p] *= spatial[0].bound;
    }
    std::array<bool, kCodeDims> seen{};
    std::size_t next = 0;
    for (const Loop& loop : mapping.levels[l].temporal) {
      const std::size_t p = place_of(loop.dim);
      if (p < kCodeDims) {
        level.order[next++] = static_cast<CodeDim>(p);
        seen[p] = true;
        size[p] *= loop.bound;
      }
    }
    for (std::size_t p = 0; p < kCodeDims; ++p) {
      if (!seen[p]) {
        level.order[next++] = static_cast<CodeDim>(p);
      }
    }
  }
  return code;
}

DataflowCode Remembered(const Layer& layer, DataflowCode code, std::int64_t outermost_units) {
  CodeSizes parent = CodeExtents(layer);
  for (std::size_t l = 0; l < code.levels.size(); ++l) {
    LevelCode& level = code.levels[l];
    std::array<CodeDim, kCodeDims> order{};
    std::size_t next = 0;
    std::array<bool, kCodeDims> iterates{};
    const CodeDim parallel = level.parallel;
    for (const CodeDim dim : level.order) {
      const std::size_t d = Index(dim);
      std::int64_t trips = CeilDiv(std::max<std::int64_t>(parent[d], 1), level.tile[d]);
      if (dim == parallel) {
        const std::int64_t units = std::min(l == 0 ? outermost_units : level.units, trips);
        level.units = l == 0 ? 0 : units;
        trips = CeilDiv(trips, units);
        if (units == 1) {
          level.parallel = CodeDim::kY;
        }
      }
      iterates[d] = trips > 1;
      if (iterates[d]) {
        order[next++] = dim;
      }
    }
    for (std::size_t d = 0; d < kCodeDims; ++d) {
      if (!iterates[d]) {
        order[next++] = static_cast<CodeDim>(d);
      }
    }
    level.order = order;
    parent = level.tile;
  }
  return code;
}

}  // namespace sluice::mapping
