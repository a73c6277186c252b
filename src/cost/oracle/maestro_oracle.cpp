#include "cost/oracle/maestro_oracle.h"

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/diagnostic.h"
#include "cost/maestro/compatible.h"
#include "cost/maestro/exact.h"
#include "cost/maestro/hardware.h"
#include "cost/maestro/report.h"
#include "cost/oracle/oracle.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::cost {
namespace {

constexpr double kPicojoules = 1000;  // per nanojoule

template <class Model>
class MaestroOracle final : public CostOracle {
 public:
  MaestroOracle(const mapping::Layer& layer, const maestro::Hardware& hardware,
                std::string_view name, const MaestroOracleOptions& options)
      : CostOracle(layer, hardware), model_(layer, hardware), name_(name), options_(options) {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::size_t levels() const override { return 2; }

 private:
  Status Price(std::span<const mapping::DataflowCode> codes, std::span<CodeCost> costs) override {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      costs[i] = PriceOne(codes[i]);
    }
    return {};
  }

  [[nodiscard]] CodeCost PriceOne(const mapping::DataflowCode& code) const {
    CodeCost cost;
    if (code.levels.empty() || !(mapping::Canonical(layer(), code) == code)) {
      return cost;
    }
    const maestro::Report report = model_.Evaluate(mapping::Decode(layer(), code));
    cost.compute_bound = static_cast<double>(report.compute_bound);
    if (report.verdict != maestro::Verdict::kOk) {
      return cost;
    }
    const maestro::Energy energy = EnergyOf(report);
    cost.physical = report.physical();
    cost.cycles = static_cast<double>(report.runtime);
    cost.energy_outer_pj = energy.l2 * kPicojoules;
    cost.energy_full_pj = energy.full() * kPicojoules;
    cost.level_pj[0] = energy.l2 * kPicojoules;
    cost.level_pj[1] = energy.l1 * kPicojoules;
    cost.compute_pj = energy.mac * kPicojoules;
    cost.inner_words = report.l1_words();
    cost.outer_words = report.l2_words();
    if (cost.inner_words > hardware().l1_words) {
      cost.verdict = CodeVerdict::kTooLargeInner;
    } else if (cost.outer_words > hardware().l2_words) {
      cost.verdict = CodeVerdict::kTooLargeOuter;
    } else if (options_.physical_only && !Possible(report)) {
      cost.verdict = CodeVerdict::kImpossible;
    } else {
      cost.verdict = CodeVerdict::kLegal;
    }
    return cost;
  }

  [[nodiscard]] bool Possible(const maestro::Report& report) const {
    return report.physical() || (options_.surplus_work && report.macs >= report.true_macs &&
                                 report.runtime >= report.compute_bound);
  }

  Model model_;
  std::string_view name_;
  MaestroOracleOptions options_;
};

}  // namespace

Result<std::unique_ptr<CostOracle>> MakeMaestroOracle(const mapping::Layer& layer,
                                                      const maestro::Hardware& hardware,
                                                      const MaestroOracleOptions& options) {
  SLUICE_TRY_STATUS(ValidateLayer(layer));
  if (hardware.pes < 1 || hardware.simd_lanes < 1 || hardware.noc_bandwidth < 1 ||
      hardware.offchip_bandwidth < 1 || hardware.noc_hops < 0 || hardware.hop_latency < 0) {
    return Fail(ErrorCode::kBadValue, "the hardware needs PEs, lanes and bandwidth of at least 1");
  }
  if (options.mode == MaestroMode::kExact) {
    return std::unique_ptr<CostOracle>(std::make_unique<MaestroOracle<maestro::ExactModel>>(
        layer, hardware, "maestro-exact", options));
  }
  return std::unique_ptr<CostOracle>(std::make_unique<MaestroOracle<maestro::CompatibleModel>>(
      layer, hardware, "maestro", options));
}

}  // namespace sluice::cost
