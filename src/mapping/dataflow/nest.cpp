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
#include "base/diagnostic.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"
#include "mapping/dataflow/fill.h"
#include "mapping/mapping.h"
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

}  // namespace

Result<LayerBinding> BindLayer(const Workload& workload) {
  return Binder(workload).Run();
}

CodeMapper::CodeMapper(const Workload& workload, const arch::Chain& chain, LayerBinding binding)
    : workload_(workload),
      machine_(MakeFillMachine(workload, chain)),
      binding_(std::move(binding)) {}

Result<CodeMapper> CodeMapper::Create(const Workload& workload, const arch::Chain& chain) {
  SLUICE_TRY(LayerBinding binding, BindLayer(workload));
  return CodeMapper(workload, chain, std::move(binding));
}

FillWish CodeMapper::WishOf(const DataflowCode& code) const {
  FillWish wish;
  const std::size_t levels = code.levels.size();
  for (std::size_t m = 0; m < machine_.memories.size(); ++m) {
    for (const int dim : binding_.others) {
      wish.order[m].push_back(dim);
    }
    const LevelCode& loops = code.levels[std::min(m, levels - 1)];
    for (const CodeDim place : loops.order) {
      if (place == loops.parallel) {
        wish.yielding[m] = wish.order[m].size() + 1;
      }
      if (binding_.dim[Index(place)] >= 0) {
        wish.order[m].push_back(binding_.dim[Index(place)]);
      }
    }
    wish.yielding[m] = std::min(wish.yielding[m], wish.order[m].size());
    wish.tile[m].fill(1);
    for (std::size_t p = 0; p < kCodeDims && m > 0; ++p) {
      if (binding_.dim[p] >= 0) {
        wish.tile[m][static_cast<std::size_t>(binding_.dim[p])] =
            code.levels[std::min(m - 1, levels - 1)].tile[p];
      }
    }
  }
  for (std::size_t l = 0; l < levels && !machine_.axes.empty(); ++l) {
    const std::size_t a = l % machine_.axes.size();
    const int dim = binding_.dim[Index(code.levels[l].parallel)];
    if (dim >= 0) {
      wish.axis[a].push_back({dim, l == 0 ? machine_.axes[a].size : code.levels[l].units});
    }
  }
  return wish;
}

Mapping CodeMapper::MappingOf(const DataflowCode& code) const {
  return Fill(workload_, machine_, WishOf(code));
}

FillFigures CodeMapper::FiguresOf(const DataflowCode& code) const {
  return EstimateFill(workload_, machine_, WishOf(code));
}

}  // namespace sluice::mapping
