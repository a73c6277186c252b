#include "mapper/exact/exact.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "cost/compiled.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "mapper/annealing.h"
#include "mapper/exact/goal.h"
#include "mapper/exact/model/lattice.h"
#include "mapper/exact/model/model.h"
#include "mapper/exact/model/space.h"
#include "mapper/exact/ragged/bound.h"
#include "mapper/exact/ragged/sketch.h"
#include "mapper/exact/search/labels.h"
#include "mapper/exact/search/tree.h"
#include "mapper/mapper.h"
#include "mapper/mapspace.h"
#include "mapper/search.h"
#include "mapper/walk/walk_guard.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapper {
namespace {

using exact::CostToGo;
using exact::Goal;

/// Divisor vectors of a workload: about a gigabyte of tables.
constexpr double kMaxVectors = 1e6;
/// Evaluations of the annealing that gives the first incumbent, for each prime factor.
constexpr std::int64_t kSeedPerPrime = 150;
/// Of the second annealing, when labels get many, also for each tensor that a level may bypass.
constexpr std::int64_t kLongerSeed = 200;
constexpr std::int64_t kFirstWork = 150'000;
/// Labels and nodes that take as long as one evaluation.
constexpr std::int64_t kWorkPerEvaluation = 2;
/// What a plan of many operators grants each: half a second at most.
constexpr std::int64_t kPlanningEvaluations = 1'200'000;
/// Quarters of the budget that may be used up after the proof, and after the bound for imperfect
/// mappings; what is left is for annealing.
constexpr std::int64_t kProofShare = 2;
constexpr std::int64_t kRaggedShare = 3;

/// States of the bound for imperfect mappings that take as long as one evaluation.
constexpr std::int64_t kStatesPerEvaluation = 8;
/// Beyond so many the bound for imperfect mappings improves slowly.
constexpr std::int64_t kMostStates = 3'000'000;
/// Evaluations of reheats in the imperfect space, for each prime factor, before and after it.
constexpr std::int64_t kFirstReheat = 60;
constexpr std::int64_t kLastReheat = 150;

/// Of a search anew where the bound is so many times below the best.
constexpr double kWide = 1.2;
constexpr std::int64_t kWideSearch = 1000;
/// Evaluations of one descent from a mapping that a walk of the bound suggested.
constexpr std::int64_t kMostDescent = 1500;
/// And of all of them.
constexpr std::int64_t kMostDrawn = 20'000;
/// Windows with more positions make ragged mappings slow to evaluate: then fewer are.
constexpr std::int64_t kFastPositions = 10'000;

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

/// About how many times longer than usual it takes to evaluate a ragged mapping.
std::int64_t Slowness(const mapping::Workload& workload) {
  std::int64_t most = 1;
  for (const mapping::WorkloadTensor& tensor : workload.tensors) {
    for (const mapping::WorkloadAxis& axis : tensor.axes) {
      std::int64_t positions = 1;
      for (const mapping::WorkloadTerm& term : axis) {
        const std::int64_t bound = workload.bounds[cost::Index(term.dim)];
        positions = positions > kNoLimit / bound ? kNoLimit : positions * bound;
      }
      most = std::max(most, axis.size() > 1 ? positions / kFastPositions : 1);
    }
  }
  return most;
}

class Run {
 public:
  Run(const Problem& problem, const Budget& budget, ExactMapper::Counts& counts)
      : problem_(problem),
        budget_(budget),
        counts_(counts),
        evaluator_(*problem.evaluator),
        primes_(std::max(
            1, Mapspace(evaluator_.workload(), evaluator_.chain(), false).prime_factors())),
        slowness_(Slowness(evaluator_.workload())),
        least_(cost::LowerBound(evaluator_)) {
    for (const auto& level : evaluator_.validity().levels) {
      choices_ += std::popcount(level.may_keep & ~level.must_keep);
    }
    result_.bound = least_.value(problem.objective);
  }

  Result Solve(bool seeded) {
    if (!Seed(seeded ? kSeedPerPrime : 1)) {
      return Finish();
    }
    if (exact::Lattice::CountVectors(evaluator_.workload().bounds) > kMaxVectors) {
      stopped_ = StopReason::kConverged;
      return Anneal();
    }
    const exact::Model model(evaluator_, problem_.constraints);
    exact::Spaces spaces(model);
    Goal goal(problem_.objective, model.LeakagePerCycle(), least_.cycles);
    goal.Improve(result_.score.value(problem_.objective));
    const bool proven = Prove(model, spaces, goal, [&](const mapping::Mapping& mapping) {
      if (Consider(mapping)) {
        goal.Improve(result_.score.value(problem_.objective));
      }
    });
    const double value = result_.score.value(problem_.objective);
    result_.bound = std::max(result_.bound,
                             proven ? value * (1 - exact::kEqual) : std::min(value, open_bound_));
    if (proven && problem_.objective != cost::Objective::kEdp) {
      BreakTies(model, spaces);
    }
    if (problem_.imperfect) {
      return Imperfect(model);
    }
    return proven ? Finish() : Anneal();
  }

  ExactMapper::Front SolveFront() {
    ExactMapper::Front front;
    const auto vectors = exact::Lattice::CountVectors(evaluator_.workload().bounds);
    Seed(kSeedPerPrime);
    if (!result_.best || vectors > kMaxVectors) {
      front.stopped = result_.best ? StopReason::kConverged : StopReason::kInfeasible;
      front.points.push_back(Finish());
      return front;
    }
    const exact::Model model(evaluator_, problem_.constraints);
    exact::Spaces spaces(model);
    Goal goal(problem_.objective, model.LeakagePerCycle(), least_.cycles);
    goal.WantFront();
    const auto add = [&](const mapping::Mapping& mapping) {
      const cost::Score score = evaluator_.Evaluate(mapping);
      if (!goal.Add(score)) {
        return;
      }
      std::erase_if(front.points, [&score](const Result& point) {
        return score.energy_pj <= point.score.energy_pj && score.cycles <= point.score.cycles;
      });
      Result point;
      point.best = mapping;
      point.score = score;
      front.points.push_back(std::move(point));
    };
    add(*result_.best);
    front.complete = Prove(model, spaces, goal, add);
    std::ranges::sort(front.points, [](const Result& a, const Result& b) {
      return a.score.energy_pj < b.score.energy_pj;
    });
    front.stopped = stopped_;
    for (Result& point : front.points) {
      point.bound = result_.bound;
      point.stopped = stopped_;
    }
    front.seconds = Seconds();
    return front;
  }

 private:
  [[nodiscard]] double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  /// Keeps a mapping that is better than the best. Requires one.
  bool Consider(const mapping::Mapping& mapping) {
    const cost::Score score = evaluator_.Evaluate(mapping);
    if (!Better(problem_.objective, score, result_.score)) {
      return false;
    }
    result_.score = score;
    result_.best = mapping;
    return true;
  }

  [[nodiscard]] std::int64_t Left() const {
    return std::max<std::int64_t>(0, budget_.evaluations - result_.evaluations);
  }

  /// False when there is nothing to prove: no mapping, or the bound is met already.
  bool Seed(std::int64_t per_prime) {
    Problem even = problem_;
    even.imperfect = false;
    Budget seeding = budget_;
    seeding.evaluations =
        std::min(std::max<std::int64_t>(1, budget_.evaluations / 4), per_prime * primes_);
    Result seed = AnnealingMapper().Solve(even, seeding);
    if (!seed.best && problem_.imperfect) {
      // Only ragged factors fit: nothing here to prove.
      seed = AnnealingMapper().Solve(problem_, budget_);
      stopped_ = seed.stopped;
      result_ = std::move(seed);
      return false;
    }
    counts_.seed_seconds += Seconds();
    const bool met = seed.stopped == StopReason::kProven;
    stopped_ = seed.stopped;
    result_ = std::move(seed);
    return result_.best && !(met && problem_.objective == cost::Objective::kEdp);
  }

  /// Labels, then the tree. False when the budget ended first; `open_bound_` holds anyway.
  template <class Visit>
  bool Prove(const exact::Model& model, exact::Spaces& spaces, Goal& goal, const Visit& visit) {
    std::int64_t spent = result_.evaluations;
    stopped_ = StopReason::kProven;
    open_bound_ = 0;
    const CostToGo* labels = nullptr;
    const exact::Tree* nodes = nullptr;
    const auto count = [&] {
      std::int64_t made = 0;
      made += labels != nullptr ? labels->counts().work() : 0;
      made += nodes != nullptr ? nodes->counts().nodes : 0;
      const std::int64_t leaves = nodes != nullptr ? nodes->counts().leaves : 0;
      result_.evaluations = spent + leaves + made / kWorkPerEvaluation;
    };
    const auto stop = [&] {
      count();
      return Stop(kProofShare);
    };
    const double before = Seconds();
    std::optional<CostToGo> inside;
    inside.emplace(model, spaces, goal);
    labels = &*inside;
    const std::int64_t work = budget_.evaluations / 4 * kProofShare - spent;
    const std::int64_t limit = work < kNoLimit / kWorkPerEvaluation
                                   ? std::max<std::int64_t>(0, work) * kWorkPerEvaluation
                                   : kNoLimit;
    bool built = inside->Build(stop, std::min(limit, kFirstWork));
    if (!built && stopped_ == StopReason::kProven && limit > kFirstWork) {
      // So many labels mean that the incumbent is poor: some more annealing pays for itself.
      count();
      spent = result_.evaluations + Improve(visit);
      inside.emplace(model, spaces, goal);
      labels = &*inside;
      built = inside->Build(stop, limit);
    }
    counts_.labels = inside->counts();
    counts_.label_seconds += Seconds() - before;
    count();
    if (!built) {
      stopped_ = stopped_ == StopReason::kProven ? StopReason::kEvaluations : stopped_;
      open_bound_ = inside->open_bound();
      return false;
    }
    const double middle = Seconds();
    exact::Tree tree(model, spaces, *inside, goal, visit, stop,
                     limit == kNoLimit ? kNoLimit : limit - inside->counts().work());
    nodes = &tree;
    const bool done = tree.Run();
    if (!done && stopped_ == StopReason::kProven) {
      stopped_ = StopReason::kEvaluations;
    }
    counts_.tree = tree.counts();
    counts_.tree_seconds += Seconds() - middle;
    count();
    result_.candidates += inside->counts().made + tree.counts().nodes;
    result_.ruled_out +=
        inside->counts().pruned + inside->counts().dominated + tree.counts().pruned;
    open_bound_ = std::max(inside->open_bound(), tree.open_bound());
    return done;
  }

  /// A longer annealing; returns its evaluations.
  template <class Visit>
  std::int64_t Improve(const Visit& visit) {
    Problem even = problem_;
    even.imperfect = false;
    Budget longer = budget_;
    longer.evaluations =
        std::min(std::max<std::int64_t>(1, Left() / 4), kLongerSeed * primes_ * (1 + choices_));
    const Result more = AnnealingMapper().Solve(even, longer);
    if (more.best) {
      visit(*more.best);
    }
    return more.evaluations;
  }

  /// Whether so many quarters of the budget are used up.
  bool Stop(std::int64_t quarters) {
    if (budget_.stop != nullptr && budget_.stop->load(std::memory_order_relaxed)) {
      stopped_ = StopReason::kInterrupted;
    } else if (result_.evaluations >= budget_.evaluations / 4 * quarters) {
      stopped_ = StopReason::kEvaluations;
    } else if (budget_.seconds < std::numeric_limits<double>::infinity() &&
               Seconds() >= budget_.seconds / 4 * static_cast<double>(quarters)) {
      stopped_ = StopReason::kSeconds;
    } else {
      return false;
    }
    return true;
  }

  /// The best in the other figure among mappings of the optimal objective.
  void BreakTies(const exact::Model& model, exact::Spaces& spaces) {
    const bool latency = problem_.objective == cost::Objective::kLatency;
    const cost::Objective other = latency ? cost::Objective::kEnergy : cost::Objective::kLatency;
    Goal goal(other, model.LeakagePerCycle(), least_.cycles);
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    goal.Cap(latency ? kInfinity : result_.score.energy_pj,
             latency ? result_.score.cycles : kInfinity);
    goal.Improve(result_.score.value(other));
    Prove(model, spaces, goal, [&](const mapping::Mapping& mapping) {
      if (Consider(mapping)) {
        goal.Improve(result_.score.value(other));
      }
    });
    // Whether or not the ties were settled, the objective itself is proven.
    if (stopped_ != StopReason::kInterrupted) {
      stopped_ = StopReason::kProven;
    }
  }

  /// Imperfect factors: from the best even mapping, reheats and the walks of the bound, which also
  /// says how far from the optimum the result can be.
  Result Imperfect(const exact::Model& model) {
    result_.bound = least_.value(problem_.objective);
    if (stopped_ == StopReason::kInterrupted) {
      return Finish();
    }
    stopped_ = StopReason::kConverged;
    Reheat(kFirstReheat);
    if (!BoundRagged(model) && stopped_ == StopReason::kConverged) {
      Reheat(kLastReheat);
      // Far from everything even, the best is not found from there.
      if (stopped_ == StopReason::kConverged &&
          result_.score.value(problem_.objective) > kWide * result_.bound) {
        Reheat(kWideSearch, true);
      }
    }
    return Finish();
  }

  /// False when the bound leaves room for a better mapping.
  bool BoundRagged(const exact::Model& model) {
    const double before = Seconds();
    Goal goal(problem_.objective, model.LeakagePerCycle(), least_.cycles);
    goal.Improve(result_.score.value(problem_.objective));
    const Mapspace space(evaluator_.workload(), evaluator_.chain(), true, problem_.constraints);
    const WalkGuard guard(evaluator_);
    const std::int64_t spent = result_.evaluations;
    const std::int64_t most_drawn = std::min(kMostDrawn / slowness_, Left() / 2);
    std::int64_t drawn = 0;
    const std::function<bool(const mapping::Mapping&)> better = [&](const auto& mapping) {
      if (drawn >= most_drawn || !evaluator_.IsValid(mapping) || guard.TooSlow(mapping) ||
          !Allowed(mapping)) {
        return false;
      }
      ++drawn;
      if (!Consider(mapping)) {
        return false;
      }
      goal.Improve(result_.score.value(problem_.objective));
      return true;
    };
    const auto draw = [&](const mapping::Mapping& mapping) {
      if (better(mapping)) {
        exact::Descend(space, mapping, kMostDescent, better);
      }
    };
    if (result_.best) {
      exact::Descend(space, *result_.best, kMostDescent, better);
    }
    exact::RaggedBound ragged(model, goal, [&](const auto& steps, const auto& sketch) {
      exact::DrawMappings(space, steps, sketch, draw);
    });
    const auto stop = [&] {
      result_.evaluations = spent + drawn + ragged.counts().states / kStatesPerEvaluation;
      return Stop(kRaggedShare);
    };
    const bool whole = ragged.Run(stop, kMostStates);
    stop();
    result_.candidates += ragged.counts().states;
    counts_.ragged = ragged.counts();
    counts_.ragged_seconds += Seconds() - before;
    result_.bound = std::max(result_.bound, ragged.bound());
    return whole && ragged.bound() >= goal.limit();
  }

  /// `anew`: from random mappings instead of the best.
  void Reheat(std::int64_t per_prime, bool anew = false) {
    Budget some = budget_;
    some.evaluations = std::min(Left(), std::max<std::int64_t>(1, per_prime * primes_ / slowness_));
    if (budget_.seconds < std::numeric_limits<double>::infinity()) {
      some.seconds = std::max(0.0, budget_.seconds - Seconds());
    }
    if (some.evaluations == 0 || !result_.best) {
      stopped_ = StopReason::kEvaluations;
      return;
    }
    const Result more = anew ? AnnealingMapper().Solve(problem_, some)
                             : AnnealingMapper().Improve(problem_, some, *result_.best);
    result_.evaluations += more.evaluations;
    result_.candidates += more.candidates;
    if (more.best && Better(problem_.objective, more.score, result_.score)) {
      result_.best = more.best;
      result_.score = more.score;
    }
    if (more.stopped == StopReason::kInterrupted || more.stopped == StopReason::kSeconds) {
      stopped_ = more.stopped;
    }
  }

  [[nodiscard]] bool Allowed(const mapping::Mapping& mapping) const {
    return problem_.constraints == nullptr ||
           mapping::Satisfies(*problem_.constraints, evaluator_.workload(), mapping);
  }

  /// What is left of the budget goes to annealing.
  Result Anneal() {
    if (stopped_ == StopReason::kInterrupted) {
      return Finish();
    }
    Budget rest = budget_;
    const AnnealingMapper annealing;
    rest.evaluations = std::min(Left(), annealing.PlanningEvaluations(problem_));
    if (rest.evaluations == 0) {
      stopped_ = StopReason::kEvaluations;
      return Finish();
    }
    if (budget_.seconds < std::numeric_limits<double>::infinity()) {
      rest.seconds = std::max(0.0, budget_.seconds - Seconds());
    }
    const Result more = annealing.Solve(problem_, rest);
    result_.evaluations += more.evaluations;
    result_.candidates += more.candidates;
    if (more.best && Better(problem_.objective, more.score, result_.score)) {
      result_.best = more.best;
      result_.score = more.score;
    }
    if (more.stopped != StopReason::kProven) {
      stopped_ = more.stopped;
    }
    return Finish();
  }

  Result Finish() {
    result_.stopped = stopped_;
    if (result_.best &&
        result_.score.value(problem_.objective) <= result_.bound * (1 + 2 * exact::kEqual)) {
      result_.stopped = StopReason::kProven;
    }
    result_.seconds = Seconds();
    return std::move(result_);
  }

  const Problem& problem_;
  const Budget& budget_;
  ExactMapper::Counts& counts_;
  const cost::Evaluator& evaluator_;
  std::int64_t primes_;
  std::int64_t choices_ = 0;
  std::int64_t slowness_;
  cost::Score least_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  Result result_;
  double open_bound_ = 0;
  StopReason stopped_ = StopReason::kConverged;
};

}  // namespace

Result ExactMapper::Solve(const Problem& problem, const Budget& budget) const {
  Counts counts;
  return Solve(problem, budget, counts);
}

Result ExactMapper::Solve(const Problem& problem, const Budget& budget, Counts& counts) const {
  return Run(problem, budget, counts).Solve(seeded_);
}

ExactMapper::Front ExactMapper::SolveFront(const Problem& problem, const Budget& budget) const {
  Counts counts;
  return Run(problem, budget, counts).SolveFront();
}

std::int64_t ExactMapper::PlanningEvaluations(const Problem& /*problem*/) const {
  return kPlanningEvaluations;
}

}  // namespace sluice::mapper
