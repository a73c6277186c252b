#include "mapper/coded/coded_mapper.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/diagnostic.h"
#include "base/rng.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/oracle/oracle.h"
#include "cost/oracle/reference_oracle.h"
#include "mapper/codes/search.h"
#include "mapper/mapper.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/nest.h"

namespace sluice::mapper {
namespace {

constexpr std::int64_t kFirstRound = 1000;
/// A round of so many samples without progress ends a search that has no budget.
constexpr std::int64_t kPatience = 8000;

codes::CodeObjective ObjectiveOf(cost::Objective objective) {
  switch (objective) {
    case cost::Objective::kEnergy:
      return codes::CodeObjective::kEnergy;
    case cost::Objective::kLatency:
      return codes::CodeObjective::kLatency;
    case cost::Objective::kEdp:
      break;
  }
  return codes::CodeObjective::kEdp;
}

/// Prices like another oracle until it is told to stop, and then fails: searches end with their
/// best so far when their oracle does.
class StoppableOracle final : public cost::CostOracle {
 public:
  StoppableOracle(cost::CostOracle& oracle, const Budget& budget)
      : CostOracle(oracle.layer(), oracle.hardware()),
        oracle_(oracle),
        budget_(budget),
        start_(std::chrono::steady_clock::now()) {}

  [[nodiscard]] std::string_view name() const override { return oracle_.name(); }
  [[nodiscard]] std::size_t levels() const override { return oracle_.levels(); }
  [[nodiscard]] const mapping::CodeMapper* code_mapper() const override {
    return oracle_.code_mapper();
  }
  [[nodiscard]] double seconds() const {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
    return spent.count();
  }
  [[nodiscard]] std::optional<StopReason> stopped() const { return stopped_; }

 private:
  Status Price(std::span<const mapping::DataflowCode> codes,
               std::span<cost::CodeCost> costs) override {
    constexpr std::size_t kBetweenPolls = 64;
    for (std::size_t at = 0; at < codes.size(); at += kBetweenPolls) {
      if (budget_.stop != nullptr && budget_.stop->load(std::memory_order_relaxed)) {
        stopped_ = StopReason::kInterrupted;
      } else if (seconds() >= budget_.seconds) {
        stopped_ = StopReason::kSeconds;
      }
      if (stopped_) {
        return Fail(ErrorCode::kUsage, "stopped");
      }
      const std::size_t count = std::min(kBetweenPolls, codes.size() - at);
      SLUICE_TRY_STATUS(oracle_.Evaluate(codes.subspan(at, count), costs.subspan(at, count)));
    }
    return {};
  }

  cost::CostOracle& oracle_;
  const Budget& budget_;
  std::chrono::steady_clock::time_point start_;
  std::optional<StopReason> stopped_;
};

/// Keeps the best code of several rounds.
class Rounds {
 public:
  Rounds(const codes::CodeSearch& search, const Problem& problem, int levels,
         StoppableOracle& oracle)
      : search_(search), oracle_(oracle), seeds_(problem.seed) {
    problem_.oracle = &oracle;
    problem_.objective = ObjectiveOf(problem.objective);
    problem_.energy = codes::EnergyKind::kFull;
    problem_.space.levels = levels;
    problem_.space.whole_windows = false;
    problem_.seed = problem.seed;
  }

  void Run(std::int64_t samples) {
    problem_.samples = samples;
    if (best_) {
      problem_.starts = std::span(&*best_, 1);
    }
    const codes::CodeResult result = search_.Run(problem_);
    samples_ += result.samples;
    improved_ = result.best && result.value < value_;
    if (improved_) {
      best_ = result.best;
      value_ = result.value;
    }
    problem_.seed = seeds_.Next();
  }

  void RunUntilConverged() {
    for (std::int64_t round = kFirstRound; !oracle_.stopped(); round *= 2) {
      const std::int64_t before = samples_;
      Run(round);
      const bool short_of_samples = samples_ - before < round;  // fixed dataflows have only one
      if (short_of_samples || (round >= kPatience && !improved_)) {
        return;
      }
    }
  }

  [[nodiscard]] const std::optional<mapping::DataflowCode>& best() const { return best_; }
  [[nodiscard]] std::int64_t samples() const { return samples_; }

 private:
  const codes::CodeSearch& search_;
  StoppableOracle& oracle_;
  Rng seeds_;
  codes::CodeProblem problem_;
  std::optional<mapping::DataflowCode> best_;
  double value_ = std::numeric_limits<double>::infinity();
  std::int64_t samples_ = 0;
  bool improved_ = false;
};

}  // namespace

CodedMapper::CodedMapper(std::shared_ptr<const codes::CodeSearch> search, int levels)
    : search_(std::move(search)),
      levels_(levels),
      description_("Dataflow codes: " + std::string(search_->description()) + ".") {}

Status CodedMapper::Supports(const Problem& problem) const {
  return mapping::BindLayer(problem.evaluator->workload()).map([](const auto&) {});
}

std::int64_t CodedMapper::PlanningEvaluations(const Problem& /*problem*/) const {
  return kFirstRound;
}

Result CodedMapper::Solve(const Problem& problem, const Budget& budget) const {
  const cost::Evaluator& evaluator = *problem.evaluator;
  Result result;
  result.bound = cost::LowerBound(evaluator).value(problem.objective);
  const auto reference =
      cost::MakeReferenceOracle(evaluator.workload(), evaluator.chain(), evaluator.policy());
  if (!reference) {
    return result;  // nothing found: Supports says why
  }
  StoppableOracle oracle(**reference, budget);
  Rounds rounds(*search_, problem, levels_, oracle);
  if (budget.evaluations < std::numeric_limits<std::int64_t>::max()) {
    rounds.Run(budget.evaluations);
    result.stopped =
        rounds.samples() < budget.evaluations ? StopReason::kConverged : StopReason::kEvaluations;
  } else {
    rounds.RunUntilConverged();
  }
  result.stopped = oracle.stopped().value_or(result.stopped);
  result.evaluations = rounds.samples();
  result.candidates = rounds.samples();
  result.seconds = oracle.seconds();
  if (const auto& best = rounds.best()) {
    result.best = (*reference)->code_mapper()->MappingOf(*best);
    result.score = evaluator.Evaluate(*result.best);
  }
  return result;
}

}  // namespace sluice::mapper
