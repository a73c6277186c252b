#include "planner/layerwise.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "ir/network.h"
#include "mapper/cache/cache.h"
#include "mapper/feasible.h"
#include "mapper/mapper.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"
#include "planner/plan.h"
#include "planner/totals.h"

namespace sluice::planner {
namespace {

using Clock = std::chrono::steady_clock;

/// Enough for a usable mapping when the user is waiting for the program to end: about a
/// millisecond.
constexpr std::int64_t kHastyEvaluations = 500;

/// One distinct (workload, chain) and where it first occurs.
struct Job {
  mapping::Workload workload;
  std::size_t chain = 0;
  std::string key;
  std::string operator_name;
  std::string operator_kind;
  int uses = 0;
};

struct Outcome {
  Solution solution;
  cost::Score bound;
  bool complete = true;
  std::optional<Diagnostic> unsupported;  ///< by the mapper: the exact one took its place
};

/// FNV-1a: a seed that depends on what is mapped and on nothing else.
std::uint64_t SeedOf(const std::string& key, std::uint64_t seed) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : key) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  return Rng(seed).Split(hash).Next();
}

Diagnostic AtOperator(Diagnostic diagnostic, const std::string& name, const std::string& kind) {
  diagnostic.notes.push_back(fmt::format("while planning operator `{}` ({})", name, kind));
  return diagnostic;
}

Diagnostic NoMapping(const Job& job, const arch::Chain& chain,
                     const std::vector<mapping::Violation>& reasons) {
  if (reasons.empty()) {
    return Diagnostic(ErrorCode::kNoValidMapping,
                      fmt::format("the mapper found no valid mapping of operator `{}` ({})",
                                  job.operator_name, job.operator_kind))
        .WithHint("raise the budget or try another mapper");
  }
  const mapping::Violation& first = reasons.front();
  Diagnostic diagnostic(ErrorCode::kNoValidMapping,
                        fmt::format("operator `{}` ({}) has no valid mapping: {}",
                                    job.operator_name, job.operator_kind, first.message));
  if (first.level >= 0 && first.words_needed > first.words_available) {
    const arch::Memory& memory = chain.levels[static_cast<std::size_t>(first.level)].memory;
    const std::int64_t words = first.words_needed - first.words_available;
    const double bytes = static_cast<double>(words) * memory.word_bits / 8;
    diagnostic.notes.push_back(
        fmt::format("{} is {} words ({} bytes) short", memory.name, words, bytes));
    const std::string cure = mapper::CureText(chain, reasons);
    diagnostic.hint =
        first.level == 0
            ? cure + ": the outermost memory holds every tensor"
            : fmt::format("{}: the smallest change that admits a mapping; or let {} bypass {}",
                          cure, memory.name,
                          first.tensor >= 0
                              ? job.workload.tensor_names[static_cast<std::size_t>(first.tensor)]
                              : std::string("a tensor"));
  }
  for (std::size_t i = 1; i < reasons.size(); ++i) {
    diagnostic.notes.push_back(reasons[i].message);
  }
  return diagnostic;
}

/// Shares the wall time that is left among the jobs that are left.
class Deadline {
 public:
  Deadline(double seconds, std::size_t jobs, int threads)
      : seconds_(seconds), left_(static_cast<std::int64_t>(jobs)), threads_(std::max(1, threads)) {}
  double Share() {
    const std::int64_t left = left_.fetch_sub(1);
    if (seconds_ <= 0) {
      return std::numeric_limits<double>::infinity();
    }
    const std::chrono::duration<double> spent = Clock::now() - start_;
    const double rest = std::max(0.0, seconds_ - spent.count());
    const auto waves = static_cast<double>(left) / threads_;
    return rest / std::max(1.0, waves);
  }

 private:
  double seconds_;
  std::atomic<std::int64_t> left_;
  int threads_;
  Clock::time_point start_ = Clock::now();
};

class LayerwisePlanner {
 public:
  LayerwisePlanner(const ir::Network& network, const arch::Architecture& architecture,
                   const PlanOptions& options)
      : network_(network), architecture_(architecture), options_(options) {}

  Result<Plan> Run() {
    const Clock::time_point start = Clock::now();
    if (options_.seed > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return Fail(Diagnostic(ErrorCode::kBadValue, "the seed is larger than 2^63 - 1")
                      .WithHint("plans store seeds as 64-bit signed numbers"));
    }
    chains_ = arch::Chains(architecture_);
    // Every memory may be named in constraints, whatever chain an operator runs on; an unknown one
    // may not.
    level_names_ = arch::MemoryNames(chains_);
    Result<const mapper::Mapper*> fallback = mapper::FindMapper("annealing");
    if (!fallback) {
      return Fail(std::move(fallback).error());
    }
    hasty_ = *fallback;
    Result<const mapper::Mapper*> best = mapper::FindMapper("exact");
    if (!best) {
      return Fail(std::move(best).error());
    }
    exact_ = *best;
    mapper_ = options_.mapper != nullptr ? options_.mapper : exact_;
    SLUICE_TRY_STATUS(CollectJobs());
    SLUICE_TRY_STATUS(SolveAll());
    ReportSubstitutes();
    Plan plan = Assemble();
    const std::chrono::duration<double> spent = Clock::now() - start;
    plan.seconds = spent.count();
    return plan;
  }

 private:
  Status CollectJobs() {
    std::map<std::string, int> known;
    for (const ir::Operator& op : network_.operators) {
      OperatorPlan part{op.name, op.kind, -1};
      if (!op.is_view()) {
        Result<mapping::Workload> workload = mapping::MakeWorkload(op, network_);
        if (!workload) {
          return Fail(AtOperator(std::move(workload).error(), op.name, op.kind));
        }
        Result<arch::Chain> chain = arch::ChainFor(architecture_, op.body);
        if (!chain) {
          return Fail(AtOperator(std::move(chain).error(), op.name, op.kind));
        }
        Job job{std::move(*workload), ChainIndex(chains_, *chain), {}, op.name, op.kind, 0};
        job.key = fmt::format("{}|{}", job.chain, mapping::WorkloadKey(job.workload));
        const auto [entry, is_new] = known.emplace(job.key, static_cast<int>(jobs_.size()));
        if (is_new) {
          jobs_.push_back(std::move(job));
        }
        part.solution = entry->second;
        ++jobs_[static_cast<std::size_t>(entry->second)].uses;
      }
      operators_.push_back(std::move(part));
    }
    return {};
  }

  Status SolveAll() {
    outcomes_.resize(jobs_.size());
    errors_.resize(jobs_.size());
    Deadline deadline(options_.seconds, jobs_.size(), options_.threads);
    std::atomic<bool> failed = false;
    std::mutex progress_mutex;
    std::size_t done = 0;
    ParallelFor(options_.threads, jobs_.size(), [&](std::size_t i) {
      // After a failure the rest is wasted work; lower numbers still run, so that the error
      // reported does not depend on the number of threads.
      if (failed.load() && LowerFailed(i)) {
        return;
      }
      Result<Outcome> outcome = Solve(jobs_[i], deadline.Share());
      const std::lock_guard<std::mutex> lock(progress_mutex);
      if (outcome) {
        outcomes_[i] = std::move(*outcome);
      } else {
        errors_[i] = std::move(outcome).error();
        first_failed_ = std::min(first_failed_.load(), i);
        failed = true;
      }
      ++done;
      if (options_.progress) {
        options_.progress(done, jobs_.size(), jobs_[i].operator_name);
      }
    });
    for (std::optional<Diagnostic>& error : errors_) {
      if (error) {
        return Fail(std::move(*error));
      }
    }
    return {};
  }

  void ReportSubstitutes() const {
    std::vector<std::string> names;
    const Diagnostic* why = nullptr;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      if (const auto& unsupported = outcomes_[i].unsupported) {
        names.push_back(jobs_[i].operator_name);
        why = why == nullptr ? &*unsupported : why;
      }
    }
    if (why != nullptr && options_.substituted) {
      options_.substituted(names, *why);
    }
  }

  [[nodiscard]] bool LowerFailed(std::size_t i) const { return first_failed_.load() < i; }

  [[nodiscard]] Result<Outcome> Solve(const Job& job, double seconds) const {
    const arch::Chain& chain = chains_[job.chain];
    Result<cost::Evaluator> evaluator =
        cost::Evaluator::Create(job.workload, chain, options_.policy);
    if (!evaluator) {
      return Fail(AtOperator(std::move(evaluator).error(), job.operator_name, job.operator_kind));
    }
    mapper::Problem problem;
    problem.evaluator = &*evaluator;
    problem.objective = options_.objective;
    problem.seed = SeedOf(job.key, options_.seed);
    problem.imperfect = options_.imperfect;
    mapping::Constraints constraints;
    if (options_.constraints != nullptr) {
      Result<mapping::Constraints> bound = mapping::BindConstraints(
          *options_.constraints, job.workload, chain, options_.imperfect, level_names_);
      if (!bound) {
        return Fail(AtOperator(std::move(bound).error(), job.operator_name, job.operator_kind));
      }
      constraints = *bound;
      problem.constraints = &constraints;
    }

    const mapper::Mapper* mapper = mapper_;
    Outcome outcome;
    if (auto supported = mapper->Supports(problem); !supported) {
      if (!options_.substitute) {
        return Fail(AtOperator(std::move(supported).error(), job.operator_name, job.operator_kind));
      }
      outcome.unsupported = std::move(supported).error();
      mapper = exact_;
    }
    const bool stopped = options_.stop != nullptr && options_.stop->load();
    mapper::Result found;
    if (!stopped) {
      mapper::Budget budget;
      budget.seconds = seconds;
      budget.stop = options_.stop;
      if (options_.evaluations > 0 &&
          !outcome.unsupported) {  // evaluations of one are not another's
        budget.evaluations = options_.evaluations;
      } else if (options_.seconds <= 0) {
        const std::int64_t granted = mapper->PlanningEvaluations(problem);
        budget.evaluations = granted > 0 ? granted : budget.evaluations;
      }
      found = options_.cache != nullptr ? options_.cache->Solve(*mapper, problem, budget)
                                        : mapper->Solve(problem, budget);
    }
    outcome.complete = !stopped && found.stopped != mapper::StopReason::kInterrupted;
    if (!found.best && found.stopped != mapper::StopReason::kInfeasible) {
      // Out of time before the first mapping: something quick instead, and no flag to stop it.
      outcome.complete = false;
      mapper::Budget budget;
      budget.evaluations = kHastyEvaluations;
      found = hasty_->Solve(problem, budget);
      found.stopped = mapper::StopReason::kInterrupted;
    }
    if (!found.best) {
      return Fail(NoMapping(job, chain, found.reasons));
    }
    outcome.bound = cost::LowerBound(*evaluator);
    Solution& solution = outcome.solution;
    solution.workload = job.workload;
    solution.chain = static_cast<int>(job.chain);
    solution.mapping = *found.best;
    solution.cost = evaluator->EvaluateFull(*found.best);
    solution.bound = found.bound;
    solution.evaluations = found.evaluations;
    solution.candidates = found.candidates;
    solution.ruled_out = found.ruled_out;
    solution.uses = job.uses;
    solution.stopped = std::string(mapper::StopReasonName(found.stopped));
    return outcome;
  }

  Plan Assemble() {
    Plan plan;
    plan.network_name = network_.name;
    plan.architecture_name = architecture_.name;
    plan.provenance.mapper = std::string(mapper_->name());
    plan.provenance.policy = cost::PolicyText(options_.policy);
    plan.provenance.objective = std::string(cost::ObjectiveName(options_.objective));
    plan.provenance.seed = options_.seed;
    plan.provenance.imperfect = options_.imperfect;
    plan.chains = NamesOf(chains_);
    plan.operators = std::move(operators_);
    std::vector<cost::Score> bounds;
    for (Outcome& outcome : outcomes_) {
      plan.solutions.push_back(std::move(outcome.solution));
      bounds.push_back(outcome.bound);
      plan.complete = plan.complete && outcome.complete;
    }
    plan.totals = ComputeTotals(plan, chains_, bounds);
    return plan;
  }

  const ir::Network& network_;
  const arch::Architecture& architecture_;
  const PlanOptions& options_;
  const mapper::Mapper* mapper_ = nullptr;
  const mapper::Mapper* exact_ = nullptr;
  const mapper::Mapper* hasty_ = nullptr;
  std::vector<arch::Chain> chains_;
  std::vector<std::string> level_names_;
  std::vector<Job> jobs_;
  std::vector<OperatorPlan> operators_;
  std::vector<Outcome> outcomes_;
  std::vector<std::optional<Diagnostic>> errors_;
  std::atomic<std::size_t> first_failed_ = std::numeric_limits<std::size_t>::max();
};

}  // namespace

Result<Plan> PlanLayerwise(const ir::Network& network, const arch::Architecture& architecture,
                           const PlanOptions& options) {
  return LayerwisePlanner(network, architecture, options).Run();
}

}  // namespace sluice::planner
