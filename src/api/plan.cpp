// See sluice/plan.h.

#include "planner/plan.h"

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sluice/architecture.h>
#include <sluice/error.h>
#include <sluice/evaluation.h>
#include <sluice/network.h>
#include <sluice/plan.h>

#include "api/internals.h"
#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "cost/cost.h"
#include "driver/catalog/catalog.h"
#include "driver/catalog/mappers.h"
#include "driver/driver.h"
#include "driver/explain/explain.h"
#include "driver/load/loaded.h"
#include "driver/report.h"
#include "driver/requests.h"
#include "driver/text/render.h"
#include "io/plan_json.h"
#include "ir/network.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice {
namespace {

/// The caller's progress callback, made safe: an exception of it must not cross the worker threads,
/// so it is kept here and becomes an error at the end. Calls come from one thread at a time.
class Callback {
 public:
  explicit Callback(const std::function<void(const Progress&)>& function) : function_(function) {}

  void operator()(std::int64_t done, std::int64_t total, std::string_view name) {
    if (failed_) {
      return;
    }
    try {
      function_({done, total, name});
    } catch (const std::exception& exception) {
      Stop(exception.what());
    } catch (...) {
      Stop("something that is no std::exception");
    }
  }
  [[nodiscard]] const std::atomic<bool>* failed() const { return &failed_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  void Stop(const char* reason) {
    reason_ = reason;
    failed_ = true;
  }
  const std::function<void(const Progress&)>& function_;
  std::atomic<bool> failed_ = false;
  std::string reason_;
};

std::string_view ObjectiveText(Objective objective) {
  switch (objective) {
    case Objective::kEnergy:
      return cost::ObjectiveName(cost::Objective::kEnergy);
    case Objective::kLatency:
      return cost::ObjectiveName(cost::Objective::kLatency);
    case Objective::kEdp:
      return cost::ObjectiveName(cost::Objective::kEdp);
  }
  return "unknown";
}

/// The same limits as on the command line.
Status CheckOptions(const PlanOptions& options) {
  constexpr int kMaxThreads = 4096;
  if (options.threads < 0 || options.threads > kMaxThreads) {
    return Fail(Diagnostic(ErrorCode::kBadValue,
                           fmt::format("{} threads are not possible", options.threads))
                    .WithHint(fmt::format("0 for every core, or up to {}", kMaxThreads)));
  }
  if (options.evaluations < 0) {
    return Fail(Diagnostic(ErrorCode::kBadValue, "the budget of evaluations is negative")
                    .WithHint("0 lets the mapper decide"));
  }
  if (!std::isfinite(options.seconds) || options.seconds < 0) {
    return Fail(Diagnostic(ErrorCode::kBadValue, "the time limit is not a number of seconds")
                    .WithHint("0 means no limit"));
  }
  return {};
}

driver::SearchRequest RequestOf(const PlanOptions& options, Callback& callback) {
  driver::SearchRequest request;
  request.objective = ObjectiveText(options.objective);
  request.policy = options.policy;
  request.mapper = options.mapper;
  request.seed = options.seed;
  request.threads = options.threads;
  request.budget_evaluations = options.evaluations;
  request.budget_seconds = options.seconds;
  request.imperfect = options.imperfect;
  request.constraints = options.constraints;
  request.cache_folder = options.cache_folder;
  request.stop = options.stop != nullptr ? options.stop : callback.failed();
  if (options.progress) {
    request.progress = std::ref(callback);
  }
  return request;
}

PlannedOperator Planned(const driver::PlanOutcome& outcome, const std::vector<arch::Chain>& chains,
                        std::size_t index) {
  const planner::Plan& plan = outcome.plan;
  const planner::OperatorPlan& from = plan.operators[index];
  PlannedOperator to;
  to.name = from.name;
  to.kind = from.kind;
  to.view = from.solution < 0;
  if (to.view) {
    return to;
  }
  const planner::Solution& solution = plan.solutions[static_cast<std::size_t>(from.solution)];
  const auto chain = static_cast<std::size_t>(solution.chain);
  to.energy_pj = solution.cost.score.energy_pj;
  to.cycles = solution.cost.score.cycles;
  to.utilization = solution.cost.utilization;
  to.binding = driver::ResourceText(solution.cost.binding, plan.chains[chain].levels,
                                    plan.chains[chain].compute);
  // It could be made when the plan was, so it can be made again.
  const ir::Network& network = outcome.network.network;
  const Result<mapping::Workload> workload =
      mapping::MakeWorkload(network.operators[index], network);
  SLUICE_CHECK(workload.has_value(), from.name);
  to.loop_nest = mapping::PrintLoopNest(*workload, chains[chain], solution.mapping);
  to.bound = solution.bound;
  to.evaluations = solution.evaluations;
  to.stopped = solution.stopped;
  return to;
}

}  // namespace

std::vector<MapperInfo> Mappers() {
  std::vector<MapperInfo> infos;
  for (const driver::MapperEntry& entry : driver::ListMappers()) {
    infos.push_back({entry.name, entry.description});
  }
  return infos;
}

Expected<Plan> Plan::Make(const Network& network, const Architecture& architecture,
                          const PlanOptions& options) {
  return Guarded<Plan>([&]() -> Result<Plan> {
    SLUICE_TRY_STATUS(CheckOptions(options));
    Callback callback(options.progress);
    driver::PlanOutcome outcome;
    outcome.network = Internals::Get(network);
    outcome.architecture = Internals::Get(architecture);
    SLUICE_TRY(outcome.plan, driver::PlanLoaded(outcome.network, outcome.architecture,
                                                Internals::Request(network),
                                                RequestOf(options, callback), options.command));
    if (*callback.failed()) {
      return Fail(ErrorCode::kUsage, "the progress callback threw: " + callback.reason());
    }
    return Internals::Make(std::move(outcome));
  });
}

Expected<Plan> Plan::Read(const std::string& path) {
  return Guarded<Plan>([&]() -> Result<Plan> {
    SLUICE_TRY(driver::PlanOutcome outcome,
               driver::EvaluatePlan(driver::DefaultSearchPaths(), path));
    return Internals::Make(std::move(outcome));
  });
}

Plan::Plan(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Plan::Plan(Plan&&) noexcept = default;
Plan& Plan::operator=(Plan&&) noexcept = default;
Plan::~Plan() = default;

PlanTotals Plan::totals() const {
  const planner::Totals& from = impl_->outcome.plan.totals;
  PlanTotals to;
  to.energy_pj = from.energy_pj;
  to.cycles = from.cycles;
  to.macs = from.macs;
  to.utilization = from.utilization;
  to.bound_energy_pj = from.bound_energy_pj;
  to.bound_cycles = from.bound_cycles;
  to.evaluations = from.evaluations;
  return to;
}

std::vector<PlannedOperator> Plan::operators() const {
  const planner::Plan& plan = impl_->outcome.plan;
  const auto chains = arch::Chains(impl_->outcome.architecture.architecture);
  std::vector<PlannedOperator> operators;
  operators.reserve(plan.operators.size());
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    operators.push_back(Planned(impl_->outcome, chains, i));
  }
  return operators;
}

bool Plan::complete() const {
  return impl_->outcome.plan.complete;
}

const std::vector<std::string>& Plan::warnings() const {
  return impl_->outcome.network.network.warnings;
}

Expected<Evaluation> Plan::Evaluate(std::size_t index) const {
  return Guarded<Evaluation>([&]() -> Result<Evaluation> {
    const planner::Plan& plan = impl_->outcome.plan;
    if (index >= plan.operators.size()) {
      return Fail(ErrorCode::kUsage, fmt::format("there is no operator {}: the plan has {}", index,
                                                 plan.operators.size()));
    }
    SLUICE_TRY(const driver::Evaluation evaluation,
               driver::EvaluateOperator(impl_->outcome, index));
    return ToPublic(evaluation);
  });
}

std::string Plan::Summary(int top) const {
  return driver::RenderPlan(impl_->outcome.plan, top).Plain();
}

std::string Plan::ToJson() const {
  return io::PlanToJson(impl_->outcome.plan);
}

Expected<void> Plan::WriteJson(const std::string& path) const {
  return Guarded<void>([&] { return driver::WritePlan(path, impl_->outcome.plan); });
}

Expected<void> Plan::WriteReport(const std::string& path) const {
  return Guarded<void>([&]() -> Status {
    SLUICE_TRY([[maybe_unused]] const driver::WrittenReport written,
               driver::WriteReport(impl_->outcome, driver::ReportForm::kBest, path));
    return {};
  });
}

}  // namespace sluice
