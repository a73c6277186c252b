#include "driver/compare/front.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "base/parallel.h"
#include "cost/oracle/oracle.h"
#include "driver/catalog/catalog.h"
#include "driver/compare/compare.h"
#include "driver/learn.h"
#include "mapper/codes/front.h"
#include "mapper/codes/search.h"

namespace sluice::driver {
namespace {

using mapper::codes::CodeSearch;
using mapper::codes::EnergyKind;
using mapper::codes::FrontCorner;
using mapper::codes::FrontPoint;

double EnergyOf(const cost::CodeCost& cost, EnergyKind energy) {
  return energy == EnergyKind::kOuter ? cost.energy_outer_pj : cost.energy_full_pj;
}

class ComparingFronts {
 public:
  ComparingFronts(const std::vector<CodeSubject>& subjects, const CompareOptions& options,
                  int runs_per_front)
      : subjects_(subjects) {
    comparison_.options = options;
    comparison_.runs_per_front = runs_per_front;
  }

  Result<FrontComparison> Run() {
    const CompareOptions& options = comparison_.options;
    for (const std::string& name : options.searches) {
      SLUICE_TRY(searches_.emplace_back(),
                 options.find ? options.find(name) : FindSearch(DefaultSearchPaths(), name));
    }
    std::vector<FrontRun> jobs;
    for (std::size_t l = 0; l < subjects_.size(); ++l) {
      SLUICE_TRY(const auto oracle, subjects_[l].make_oracle());  // mistakes before hours of work
      comparison_.layers.push_back(subjects_[l].name);
      comparison_.counts.push_back(subjects_[l].count);
      for (std::size_t s = 0; s < searches_.size(); ++s) {
        for (std::size_t b = 0; b < options.budgets.size(); ++b) {
          for (int i = 0; i < options.seeds; ++i) {
            jobs.push_back({s, l, b, options.first_seed + static_cast<std::uint64_t>(i), {}});
          }
        }
      }
    }
    RunAll(jobs);
    MakeCells();
    MakeNetworks();
    return std::move(comparison_);
  }

 private:
  void RunAll(std::vector<FrontRun>& jobs) {
    const CompareOptions& options = comparison_.options;
    std::vector<char> done(jobs.size(), 0);
    std::atomic<bool> failed = false;
    std::mutex mutex;
    std::int64_t finished = 0;
    const int threads = options.threads > 0 ? options.threads : HardwareThreads();
    ParallelFor(threads, jobs.size(), [&](std::size_t j) {
      if (failed || (options.stop != nullptr && options.stop->load())) {
        return;
      }
      FrontRun& job = jobs[j];
      auto oracle = subjects_[job.layer].make_oracle();
      if (oracle) {
        mapper::codes::CodeProblem problem;
        problem.oracle = oracle->get();
        problem.energy = options.energy;
        problem.space = options.space;
        problem.seed = job.seed * kSeedsOfFront;
        problem.samples = options.budgets[job.budget];
        job.result =
            mapper::codes::SearchFront(*searches_[job.search], problem, comparison_.runs_per_front);
      } else {
        job.result.stopped = oracle.error();
      }
      const std::scoped_lock lock(mutex);
      if (job.result.stopped && !failed) {
        comparison_.failed = job.result.stopped;
        failed = true;
      }
      done[j] = job.result.stopped ? 0 : 1;
      ++finished;
      if (options.progress) {
        options.progress(finished, static_cast<std::int64_t>(jobs.size()),
                         subjects_[job.layer].name);
      }
    });
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      if (done[j] != 0) {
        comparison_.runs.push_back(std::move(jobs[j]));
      }
    }
    comparison_.complete = comparison_.runs.size() == jobs.size();
  }

  [[nodiscard]] std::vector<FrontCorner> CornersOf(const std::vector<FrontPoint>& front) const {
    std::vector<FrontCorner> corners;
    corners.reserve(front.size());
    for (const FrontPoint& point : front) {
      corners.push_back({point.cost.cycles, EnergyOf(point.cost, comparison_.options.energy)});
    }
    return corners;
  }

  /// Each run's share of the best front of its layer; in the order of the runs.
  [[nodiscard]] std::vector<double> Shares() const {
    std::vector<std::vector<FrontPoint>> best(subjects_.size());
    for (const FrontRun& run : comparison_.runs) {
      for (const FrontPoint& point : run.result.front) {
        InsertIntoFront(best[run.layer], point, comparison_.options.energy);
      }
    }
    std::vector<double> shares;
    shares.reserve(comparison_.runs.size());
    for (const FrontRun& run : comparison_.runs) {
      const auto known = CornersOf(best[run.layer]);
      if (known.empty()) {
        shares.push_back(0);
        continue;
      }
      constexpr double kRoom = 2;
      const FrontCorner low = {known.front().cycles, known.back().energy_pj};
      const FrontCorner high = {kRoom * known.back().cycles, kRoom * known.front().energy_pj};
      shares.push_back(mapper::codes::DominatedShare(CornersOf(run.result.front), low, high) /
                       mapper::codes::DominatedShare(known, low, high));
    }
    return shares;
  }

  void MakeCells() {
    const CompareOptions& options = comparison_.options;
    const std::vector<double> shares = Shares();
    comparison_.cells.assign(searches_.size(), std::vector<FrontCell>(options.budgets.size()));
    for (std::size_t s = 0; s < searches_.size(); ++s) {
      for (std::size_t b = 0; b < options.budgets.size(); ++b) {
        FrontCell& cell = comparison_.cells[s][b];
        std::vector<double> sums(static_cast<std::size_t>(options.seeds), 0);
        double count = 0;
        for (std::size_t r = 0; r < shares.size(); ++r) {
          const FrontRun& run = comparison_.runs[r];
          if (run.search != s || run.budget != b) {
            continue;
          }
          sums[run.seed - options.first_seed] += shares[r] / static_cast<double>(subjects_.size());
          cell.points += static_cast<double>(run.result.front.size());
          cell.samples += static_cast<double>(run.result.samples);
          cell.cpu_seconds += run.result.cpu_seconds;
          ++count;
        }
        cell.share = QuartilesOf(sums);
        for (double* sum : {&cell.points, &cell.samples, &cell.cpu_seconds}) {
          *sum /= std::max(count, 1.0);
        }
      }
    }
  }

  void MakeNetworks() {
    const CompareOptions& options = comparison_.options;
    const auto largest = static_cast<std::size_t>(std::ranges::max_element(options.budgets) -
                                                  options.budgets.begin());
    comparison_.networks.resize(searches_.size());
    for (std::size_t s = 0; s < searches_.size(); ++s) {
      std::vector<mapper::codes::LayerFront> layers;
      double bound = 0;
      for (const FrontRun& run : comparison_.runs) {
        if (run.search == s && run.budget == largest && run.seed == options.first_seed) {
          const auto count = static_cast<double>(comparison_.counts[run.layer]);
          layers.push_back({run.result.front, count});
          bound += run.result.front.empty() ? 0 : count * run.result.front[0].cost.compute_bound;
        }
      }
      if (layers.size() == subjects_.size()) {
        comparison_.networks[s] = mapper::codes::MergeFronts(layers, options.energy);
        comparison_.compute_bound = bound;
      }
    }
  }

  /// Far enough that no run of a front has the seed of another's.
  static constexpr std::uint64_t kSeedsOfFront = 1000;

  const std::vector<CodeSubject>& subjects_;
  std::vector<std::shared_ptr<const CodeSearch>> searches_;  // `dcp` comes with its predictor
  FrontComparison comparison_;
};

}  // namespace

Result<FrontComparison> CompareFronts(const std::vector<CodeSubject>& subjects,
                                      const CompareOptions& options, int runs_per_front) {
  if (subjects.empty() || options.searches.empty() || options.budgets.empty() ||
      options.seeds < 1 || runs_per_front < 2) {
    return Fail(Diagnostic(ErrorCode::kUsage, "nothing to compare")
                    .WithHint("at least a layer, a search, a budget, a seed and two runs a front"));
  }
  return ComparingFronts(subjects, options, runs_per_front).Run();
}

Result<FrontComparison> CompareFrontsRequested(const SearchPaths& paths, const std::string& subject,
                                               const CostRequest& cost, CompareOptions options,
                                               int runs_per_front) {
  SLUICE_TRY(const RequestedComparison requested,
             ParseComparison(paths, subject, cost, std::move(options)));
  SLUICE_TRY(FrontComparison comparison,
             CompareFronts(requested.subjects, requested.options, runs_per_front));
  comparison.title = requested.title;
  comparison.hardware = requested.hardware;
  comparison.model = requested.model;
  return comparison;
}

}  // namespace sluice::driver
