#include "driver/compare/compare.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "base/parallel.h"
#include "driver/catalog/catalog.h"
#include "driver/learn.h"
#include "mapper/codes/search.h"

namespace sluice::driver {
namespace {

using mapper::codes::CodeProblem;
using mapper::codes::CodeResult;
using mapper::codes::CodeSearch;

constexpr double kInfinite = std::numeric_limits<double>::infinity();
/// Far from the seeds that a user counts from 1.
constexpr std::uint64_t kScoutSeed = 0x5C0071;

struct Job {
  const CodeSearch* search = nullptr;
  CompareRun run;
  std::int64_t samples = 0;
};

double Between(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const double part = at - std::floor(at);
  if (part == 0 || sorted[below] == sorted[below + 1]) {  // the latter also when infinite
    return sorted[below];
  }
  return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

class Comparing {
 public:
  Comparing(const std::vector<CodeSubject>& subjects, const CompareOptions& options)
      : subjects_(subjects) {
    comparison_.options = options;
  }

  Result<Comparison> Run() {
    const CompareOptions& options = comparison_.options;
    std::vector<std::shared_ptr<const CodeSearch>> owned;  // `dcp` comes with its predictor
    std::vector<const CodeSearch*> searches;
    for (const std::string& name : options.searches) {
      SLUICE_TRY(owned.emplace_back(),
                 options.find ? options.find(name) : FindSearch(DefaultSearchPaths(), name));
      searches.push_back(owned.back().get());
    }
    SLUICE_TRY(const CodeSearch* scout, mapper::codes::FindCodeSearch("annealing"));
    std::vector<Job> jobs;
    for (std::size_t l = 0; l < subjects_.size(); ++l) {
      SLUICE_TRY(const auto oracle, subjects_[l].make_oracle());  // mistakes before hours of work
      if (options.best_known_samples > 0) {
        jobs.push_back(
            {scout, {searches.size(), l, 0, kScoutSeed, {}}, options.best_known_samples});
      }
      for (std::size_t s = 0; s < searches.size(); ++s) {
        for (std::size_t b = 0; b < options.budgets.size(); ++b) {
          for (int i = 0; i < options.seeds; ++i) {
            jobs.push_back({searches[s],
                            {s, l, b, options.first_seed + static_cast<std::uint64_t>(i), {}},
                            options.budgets[b]});
          }
        }
      }
    }
    RunAll(jobs);
    Collect(jobs);
    return std::move(comparison_);
  }

 private:
  [[nodiscard]] bool Stopped() const {
    const auto* stop = comparison_.options.stop;
    return failed_ || (stop != nullptr && stop->load());
  }

  void RunAll(std::vector<Job>& jobs) {
    const CompareOptions& options = comparison_.options;
    done_.assign(jobs.size(), 0);
    std::int64_t finished = 0;
    const int threads = options.threads > 0 ? options.threads : HardwareThreads();
    ParallelFor(threads, jobs.size(), [&](std::size_t j) {
      if (Stopped()) {
        return;
      }
      Job& job = jobs[j];
      auto oracle = subjects_[job.run.layer].make_oracle();
      if (oracle) {
        CodeProblem problem;
        problem.oracle = oracle->get();
        problem.objective = options.objective;
        problem.energy = options.energy;
        problem.space = options.space;
        problem.seed = job.run.seed;
        problem.samples = job.samples;
        job.run.result = job.search->Run(problem);
      } else {
        job.run.result.stopped = oracle.error();
      }
      const std::scoped_lock lock(mutex_);
      if (job.run.result.stopped && !failed_) {
        comparison_.failed = job.run.result.stopped;
        failed_ = true;
      }
      done_[j] = job.run.result.stopped ? 0 : 1;
      ++finished;
      if (options.progress) {
        options.progress(finished, static_cast<std::int64_t>(jobs.size()),
                         subjects_[job.run.layer].name);
      }
    });
  }

  void Collect(std::vector<Job>& jobs) {
    const CompareOptions& options = comparison_.options;
    for (const CodeSubject& subject : subjects_) {
      Comparison::Layer layer;
      layer.name = subject.name;
      layer.best_known = subject.proven.value_or(kInfinite);
      layer.proven = subject.proven.has_value();
      comparison_.layers.push_back(layer);
    }
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      const CompareRun& run = jobs[j].run;
      Note(comparison_.layers[run.layer], run.result, std::string(jobs[j].search->name()));
      if (run.search < options.searches.size() && done_[j] != 0) {
        comparison_.runs.push_back(run);
      }
      comparison_.complete = comparison_.complete && done_[j] != 0;
    }
    comparison_.cells.assign(options.searches.size(),
                             std::vector<CompareCell>(options.budgets.size()));
    for (std::size_t s = 0; s < options.searches.size(); ++s) {
      for (std::size_t b = 0; b < options.budgets.size(); ++b) {
        comparison_.cells[s][b] = CellOf(s, b);
      }
    }
  }

  void Note(Comparison::Layer& layer, const CodeResult& result, const std::string& name) const {
    if (!result.best) {
      return;
    }
    layer.compute_bound = result.cost.compute_bound;
    const double energy_pj = comparison_.options.energy == mapper::codes::EnergyKind::kOuter
                                 ? result.cost.energy_outer_pj
                                 : result.cost.energy_full_pj;
    const double value = mapper::codes::ValueOf(result.cost, comparison_.options.objective,
                                                comparison_.options.energy);
    if (layer.best_by.empty() || value < layer.best_found) {
      layer.best_found = value;
      layer.best_known = std::min(layer.best_known, value);
      layer.best_by = name;
      layer.cycles = result.cost.cycles;
      layer.energy_nj = energy_pj * 1e-3;
    }
  }

  [[nodiscard]] CompareCell CellOf(std::size_t search, std::size_t budget) const {
    const CompareOptions& options = comparison_.options;
    const auto seeds = static_cast<std::size_t>(options.seeds);
    std::vector<double> logs(seeds, 0);
    std::vector<std::size_t> layers(seeds, 0);
    CompareCell cell;
    double runs = 0;
    for (const CompareRun& run : comparison_.runs) {
      if (run.search != search || run.budget != budget) {
        continue;
      }
      const auto seed = static_cast<std::size_t>(run.seed - options.first_seed);
      logs[seed] += std::log(run.result.value / comparison_.layers[run.layer].best_known);
      ++layers[seed];
      cell.failures += run.result.best ? 0 : 1;
      cell.cpu_seconds += run.result.cpu_seconds;
      cell.samples += static_cast<double>(run.result.samples);
      ++runs;
    }
    std::vector<double> means;
    for (std::size_t i = 0; i < seeds; ++i) {
      // A seed that lacks layers (interrupted) has no mean that could be compared.
      if (layers[i] == subjects_.size()) {
        const double mean = std::exp(logs[i] / static_cast<double>(layers[i]));
        means.push_back(std::isnan(mean) ? kInfinite : mean);
      }
    }
    cell.quality = means.empty() ? Quartiles{kInfinite, kInfinite, kInfinite} : QuartilesOf(means);
    cell.cpu_seconds /= std::max(runs, 1.0);
    cell.samples /= std::max(runs, 1.0);
    return cell;
  }

  const std::vector<CodeSubject>& subjects_;
  Comparison comparison_;
  std::vector<char> done_;
  std::mutex mutex_;
  std::atomic<bool> failed_ = false;
};

}  // namespace

Quartiles QuartilesOf(std::vector<double> values) {
  SLUICE_CHECK(!values.empty(), "quartiles of nothing");
  std::ranges::sort(values);
  return {Between(values, 0.25), Between(values, 0.5), Between(values, 0.75)};
}

Result<Comparison> Compare(const std::vector<CodeSubject>& subjects,
                           const CompareOptions& options) {
  if (subjects.empty() || options.searches.empty() || options.budgets.empty() ||
      options.seeds < 1) {
    return Fail(Diagnostic(ErrorCode::kUsage, "nothing to compare")
                    .WithHint("at least a layer, a search, a budget and a seed"));
  }
  return Comparing(subjects, options).Run();
}

}  // namespace sluice::driver
