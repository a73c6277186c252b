#include "mapper/codes/shared.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "cost/oracle/oracle.h"
#include "mapper/codes/search.h"
#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::mapper::codes {
namespace {

class SharedOracle final : public cost::CostOracle {
 public:
  SharedOracle(const mapping::Layer& envelope, std::vector<SharingLayer> layers,
               const SpaceOptions& space)
      : CostOracle(envelope, layers.front().oracle->hardware()), layers_(std::move(layers)) {
    for (const SharingLayer& one : layers_) {
      parts_.push_back({one.oracle->layer(), static_cast<double>(one.count)});
      spaces_.emplace_back(one.oracle->layer(), hardware(), space);
    }
  }

  [[nodiscard]] std::string_view name() const override { return layers_.front().oracle->name(); }
  [[nodiscard]] std::size_t levels() const override { return layers_.front().oracle->levels(); }
  [[nodiscard]] std::span<const cost::PricedLayer> parts() const override { return parts_; }
  [[nodiscard]] mapping::DataflowCode PartCode(std::size_t part,
                                               const mapping::DataflowCode& code) const override {
    return spaces_[part].Repair(mapping::Canonical(parts_[part].layer, code));
  }

 private:
  Status Price(std::span<const mapping::DataflowCode> codes,
               std::span<cost::CodeCost> costs) override {
    for (cost::CodeCost& cost : costs) {
      cost = {};
      cost.verdict = cost::CodeVerdict::kLegal;
      cost.physical = true;
    }
    std::vector<mapping::DataflowCode> adapted(codes.size());
    std::vector<cost::CodeCost> ones(codes.size());
    for (std::size_t p = 0; p < layers_.size(); ++p) {
      std::ranges::transform(codes, adapted.begin(),
                             [&](const auto& code) { return PartCode(p, code); });
      SLUICE_TRY_STATUS(layers_[p].oracle->Evaluate(adapted, ones));
      for (std::size_t i = 0; i < codes.size(); ++i) {
        Add(ones[i], parts_[p].count, costs[i]);
      }
    }
    return {};
  }

  /// Refused is what any layer refuses; else the first layer that is not legal decides.
  static void Add(const cost::CodeCost& one, double count, cost::CodeCost& total) {
    const bool refused = one.verdict == cost::CodeVerdict::kRefused;
    if (total.legal() || refused) {
      total.verdict = one.verdict;
    }
    total.physical = total.physical && one.physical;
    total.cycles += count * one.cycles;
    total.energy_outer_pj += count * one.energy_outer_pj;
    total.energy_full_pj += count * one.energy_full_pj;
    for (std::size_t l = 0; l < total.level_pj.size(); ++l) {
      total.level_pj[l] += count * one.level_pj[l];
    }
    total.compute_pj += count * one.compute_pj;
    total.inner_words = std::max(total.inner_words, one.inner_words);
    total.outer_words = std::max(total.outer_words, one.outer_words);
    total.compute_bound += count * one.compute_bound;
  }

  std::vector<SharingLayer> layers_;
  std::vector<cost::PricedLayer> parts_;
  std::vector<CodeSpace> spaces_;
};

}  // namespace

sluice::Result<std::unique_ptr<cost::CostOracle>> MakeSharedOracle(std::vector<SharingLayer> layers,
                                                                   const SpaceOptions& space) {
  if (layers.empty()) {
    return Fail(ErrorCode::kBadValue, "no layers that could share a code");
  }
  mapping::CodeSizes largest{};
  for (const SharingLayer& one : layers) {
    if (!(one.oracle->hardware() == layers.front().oracle->hardware())) {
      return Fail(ErrorCode::kBadValue, "layers on different machines can not share a code");
    }
    const auto extents = mapping::CodeExtents(one.oracle->layer());
    for (std::size_t d = 0; d < largest.size(); ++d) {
      largest[d] = std::max(largest[d], extents[d]);
    }
  }
  using mapping::CodeDim;
  const auto at = [&](CodeDim dim) {
    return std::max<std::int64_t>(largest[mapping::Index(dim)], 1);
  };
  mapping::LayerCode code;
  code.k = at(CodeDim::kK);
  code.c = at(CodeDim::kC);
  code.r = at(CodeDim::kR);
  code.s = at(CodeDim::kS);
  code.y = at(CodeDim::kY) + code.r - 1;
  code.x = at(CodeDim::kX) + code.s - 1;
  SLUICE_TRY(const mapping::Layer envelope, mapping::LayerOf(code));
  return std::unique_ptr<cost::CostOracle>(
      std::make_unique<SharedOracle>(envelope, std::move(layers), space));
}

}  // namespace sluice::mapper::codes
