#include "cost/oracle/reference_oracle.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/maestro/hardware.h"
#include "cost/oracle/oracle.h"
#include "cost/policy.h"
#include "ir/network.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/nest.h"
#include "mapping/mapping.h"
#include "mapping/validity.h"

namespace sluice::cost {
namespace {

class ReferenceOracle final : public CostOracle {
 public:
  ReferenceOracle(Evaluator evaluator, mapping::CodeMapper mapper)
      : CostOracle(mapper.layer(), EquivalentHardware(evaluator.chain())),
        evaluator_(std::move(evaluator)),
        mapper_(std::move(mapper)) {
    double rate = 1;
    for (const ir::Work& work : evaluator_.workload().body) {
      for (const arch::ComputeClass& offered : evaluator_.chain().compute.classes) {
        if (offered.work_class == work.work_class) {
          rate = std::max(rate, offered.operations_per_cycle);
        }
      }
    }
    bound_ = std::ceil(static_cast<double>(evaluator_.workload().points()) /
                       (rate * static_cast<double>(evaluator_.chain().compute_instances())));
  }

  [[nodiscard]] std::string_view name() const override { return "reference"; }
  [[nodiscard]] std::size_t levels() const override { return evaluator_.chain().levels.size(); }
  [[nodiscard]] const mapping::CodeMapper* code_mapper() const override { return &mapper_; }

 private:
  Status Price(std::span<const mapping::DataflowCode> codes, std::span<CodeCost> costs) override {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      costs[i] = PriceOne(codes[i]);
    }
    return {};
  }

  [[nodiscard]] CodeCost PriceOne(const mapping::DataflowCode& code) const {
    CodeCost result;
    result.compute_bound = bound_;
    if (code.levels.empty() || !(mapping::Canonical(layer(), code) == code)) {
      return result;
    }
    const mapping::Mapping mapping = mapper_.MappingOf(code);
    const Cost cost = evaluator_.EvaluateFull(mapping);
    result.cycles = cost.score.cycles;
    result.energy_full_pj = cost.score.energy_pj;
    result.compute_pj = cost.compute_energy_pj;
    result.physical = result.cycles >= bound_;
    const std::size_t count = levels();
    for (std::size_t l = 0; l < count; ++l) {
      const LevelCost& level = cost.level[l];
      double energy = level.leakage_pj;
      std::int64_t words = 0;
      for (const TensorTraffic& tensor : level.tensors) {
        energy += tensor.energy_pj + tensor.network_energy_pj;
        words += tensor.kept ? tensor.tile_words : 0;
      }
      result.level_pj[l] = energy;
      result.energy_outer_pj += l + 1 < count ? energy : 0;
      (l + 1 == count ? result.inner_words : result.outer_words) = words;
    }
    result.verdict = evaluator_.IsValid(mapping)                ? CodeVerdict::kLegal
                     : result.inner_words > hardware().l1_words ? CodeVerdict::kTooLargeInner
                                                                : CodeVerdict::kTooLargeOuter;
    return result;
  }

  Evaluator evaluator_;
  mapping::CodeMapper mapper_;
  double bound_ = 1;
};

}  // namespace

Result<std::unique_ptr<CostOracle>> MakeReferenceOracle(const mapping::Workload& workload,
                                                        const arch::Chain& chain,
                                                        const Policy& policy) {
  SLUICE_TRY(mapping::CodeMapper mapper, mapping::CodeMapper::Create(workload, chain));
  SLUICE_TRY(Evaluator evaluator, Evaluator::Create(workload, chain, policy));
  return std::unique_ptr<CostOracle>(
      std::make_unique<ReferenceOracle>(std::move(evaluator), std::move(mapper)));
}

maestro::Hardware EquivalentHardware(const arch::Chain& chain) {
  maestro::Hardware hardware;
  hardware.pes = chain.compute_instances();
  const auto words = [&chain](std::size_t level) {
    return std::min(maestro::kUnlimited, mapping::UsableWords(chain.levels[level].memory));
  };
  const std::size_t count = chain.levels.size();
  hardware.l1_words = words(count - 1);
  hardware.l2_words = count > 1 ? words(count - 2) : hardware.l1_words;
  const auto narrow = [](std::int64_t current, const std::optional<double>& bandwidth) {
    return bandwidth && *bandwidth < static_cast<double>(current)
               ? std::max<std::int64_t>(1, static_cast<std::int64_t>(*bandwidth))
               : current;
  };
  hardware.offchip_bandwidth = narrow(maestro::kUnlimited, chain.levels[0].memory.read_bandwidth);
  for (std::size_t l = 1; l < count; ++l) {
    hardware.noc_bandwidth =
        narrow(hardware.noc_bandwidth, chain.levels[l].fan_out.network.bandwidth);
  }
  for (const arch::ComputeClass& offered : chain.compute.classes) {
    hardware.simd_lanes =
        std::max(hardware.simd_lanes, static_cast<std::int64_t>(offered.operations_per_cycle));
  }
  return hardware;
}

}  // namespace sluice::cost
