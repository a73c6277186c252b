#include "predict/search/propagate.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "base/rng.h"
#include "cost/oracle/oracle.h"
#include "mapper/codes/judge.h"
#include "mapper/codes/search.h"
#include "mapper/codes/searches.h"
#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"
#include "predict/features.h"
#include "predict/predictor.h"
#include "predict/search/ensemble_scorer.h"
#include "predict/search/relax.h"
#include "predict/search/scorer.h"

namespace sluice::predict {
namespace {

using mapper::codes::CodeProblem;
using mapper::codes::CodeResult;
using mapper::codes::CodeSpace;
using mapper::codes::Judge;
using mapping::DataflowCode;

/// One run of the search.
class Propagation {
 public:
  /// `ensemble`: the scorer, where it has gradients to follow; else null.
  Propagation(const CodeProblem& problem, const PropagateOptions& options,
              std::unique_ptr<Scorer> scorer, const EnsembleScorer* ensemble)
      : options_(options),
        judge_(problem),
        space_(problem.oracle->layer(), problem.oracle->hardware(), problem.space),
        scorer_(std::move(scorer)),
        ensemble_(ensemble),
        rng_(problem.seed) {}

  CodeResult Run() {
    const CodeProblem& problem = judge_.problem();
    Verify(problem.starts);
    Adapt();
    if (options_.as_published) {
      RunAsPublished();
      return judge_.Finish();
    }
    std::vector<DataflowCode> chains = Screened();
    if (options_.propagate && ensemble_ != nullptr) {
      chains = Propagated(*ensemble_, std::move(chains));
    }
    // A third of the budget for codes of the predictor, but no more than bring something new.
    constexpr std::int64_t kMost = 240;
    const std::int64_t share = std::min(problem.samples / 3, kMost);
    for (int round = 0; round < options_.rounds && !judge_.done(); ++round) {
      Refine(chains, RefineMoves());
      VerifyBest(share / options_.rounds);
      if (round + 1 < options_.rounds && options_.learn && scorer_->Learn(false)) {
        Forget();
      }
    }
    if (!judge_.so_far().best) {
      mapper::codes::FirstCode(judge_, space_, rng_);  // the predictor does not know what is legal
    }
    AnnealGuided();
    AnnealFreely();
    return judge_.Finish();
  }

 private:
  struct Candidate {
    double score = 0;  ///< logarithm of the objective, with penalties
    DataflowCode code;
  };

  /// Who has few samples to spend has little time, too: the share of the whole effort.
  [[nodiscard]] double Effort(double least) const {
    constexpr double kWhole = 200;  // samples that deserve everything
    return std::clamp(static_cast<double>(judge_.problem().samples) / kWhole, least, 1.0);
  }
  [[nodiscard]] int RefineMoves() const {
    return std::max(static_cast<int>(options_.refine * Effort(0.25)), 1);
  }
  [[nodiscard]] std::size_t Starts() const {
    return static_cast<std::size_t>(std::max(options_.starts * Effort(0.5), 1.0));
  }

  void Propose(const DataflowCode& code, double score) {
    if (proposed_.insert(scorer_->Identity(code)).second) {
      candidates_.push_back({score, code});
    }
  }

  std::vector<DataflowCode> Screened() {
    std::vector<DataflowCode> codes(static_cast<std::size_t>(options_.screened));
    std::ranges::generate(codes, [&] { return space_.Random(rng_); });
    const auto scores = scorer_->Scores(codes);
    scorer_->Calibrate(codes, scores);
    std::vector<std::size_t> order(codes.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = i;
    }
    std::ranges::stable_sort(order, [&](auto a, auto b) { return scores[a] < scores[b]; });
    std::vector<DataflowCode> starts;
    starts.reserve(codes.size());
    const std::size_t wanted = std::min(Starts(), codes.size());
    for (std::size_t i = 0; i < wanted; ++i) {
      // Half of them good, half of them anywhere.
      starts.push_back(
          codes[i % 2 == 0 ? order[i / 2] : order[order.size() - 1 - i * 7 % (order.size() / 2)]]);
    }
    starts.back() = judge_.so_far().best.value_or(starts.back());
    return starts;
  }

  /// The best of each start first, then what else was legal on the way, as predicted; then anew.
  void RunAsPublished() {
    while (!judge_.done()) {
      const std::int64_t left = judge_.left();
      std::vector<DataflowCode> starts(
          static_cast<std::size_t>(std::min<std::int64_t>(options_.starts, left)));
      std::ranges::generate(starts, [&] { return space_.Random(rng_); });
      const std::vector<DataflowCode> ends = Propagated(*ensemble_, std::move(starts));
      std::vector<DataflowCode> fresh;
      std::ranges::copy_if(ends, std::back_inserter(fresh), [&](const DataflowCode& code) {
        return verified_.insert(scorer_->Identity(code)).second;
      });
      Verify(fresh);
      VerifyBest(judge_.left());
      candidates_.clear();
      if (judge_.left() == left) {
        Verify(ends);  // a small space: a sample is spent either way
      }
    }
  }

  /// Follows the gradient; every few steps the codes are made legal and go on from there. Returns
  /// the best predicted of each start.
  std::vector<DataflowCode> Propagated(const EnsembleScorer& ensemble,
                                       std::vector<DataflowCode> codes) {
    Relaxation relaxation(space_, ensemble.parts(), ensemble.target(),
                          ensemble.predictor().encoding());
    std::vector<DataflowCode> best = codes;
    std::vector<double> best_scores = scorer_->Scores(codes);
    relaxation.Reset(codes);
    for (int step = 0; step < options_.steps; ++step) {
      const auto member = static_cast<std::size_t>(step) % ensemble.predictor().members().size();
      relaxation.Step(ensemble.predictor(), member);
      if ((step + 1) % options_.compensate != 0 && step + 1 != options_.steps) {
        continue;
      }
      codes = relaxation.Codes();
      const auto scores = scorer_->Scores(codes);
      for (std::size_t i = 0; i < codes.size(); ++i) {
        Propose(codes[i], scores[i]);
        if (scores[i] < best_scores[i]) {
          best_scores[i] = scores[i];
          best[i] = codes[i];
        }
      }
      relaxation.Reset(codes);
    }
    return best;
  }

  /// Annealing of all chains side by side, on the predictor alone.
  void Refine(std::vector<DataflowCode>& chains, int moves) {
    std::vector<double> values = scorer_->Scores(chains);
    std::vector<DataflowCode> next(chains.size());
    std::vector<double> limits(chains.size());
    constexpr double kHot = 0.3;
    constexpr double kCold = 0.003;
    for (int move = 0; move < moves; ++move) {
      const double temperature = kHot * std::pow(kCold / kHot, static_cast<double>(move) / moves);
      for (std::size_t i = 0; i < chains.size(); ++i) {
        next[i] = space_.Neighbour(chains[i], rng_);
        // Beyond the first nothing is accepted, but for one move in a thousand; what is within the
        // second is worth to be proposed.
        constexpr double kHopeless = 7;
        constexpr double kAlmost = 0.08;
        limits[i] = values[i] + std::max(kHopeless * temperature, kAlmost);
      }
      const auto scores = scorer_->ScoresWithin(next, limits);
      for (std::size_t i = 0; i < chains.size(); ++i) {
        if (scores[i] < Scorer::kHopeless) {
          Propose(next[i], scores[i]);
        }
        const double rise = scores[i] - values[i];
        if (rise <= 0 || rng_.Uniform() < std::exp(-rise / temperature)) {
          values[i] = scores[i];
          chains[i] = next[i];
        }
      }
    }
  }

  void Verify(std::span<const DataflowCode> codes) {
    std::vector<double> values(codes.size());
    const std::size_t priced = judge_.Price(codes, values);
    for (std::size_t i = 0; i < priced; ++i) {
      verified_.insert(scorer_->Identity(codes[i]));
      scorer_->Note(codes[i], judge_.costs()[i]);
    }
  }

  double PriceOne(const DataflowCode& code) {
    double value = 0;
    if (judge_.Price(std::span(&code, 1), std::span(&value, 1)) > 0) {
      scorer_->Note(code, judge_.costs()[0]);
    }
    return value;
  }

  /// Few-shot: what random codes cost, before the predictor is asked.
  void Adapt() {
    const std::int64_t count = std::min(options_.few_shot, judge_.left() / 2);
    if (count <= 0) {
      return;
    }
    std::vector<DataflowCode> codes(static_cast<std::size_t>(count));
    std::ranges::generate(codes, [&] { return space_.Random(rng_); });
    Verify(codes);
    scorer_->Learn(true);
  }

  /// The best predicted codes that were not priced yet.
  void VerifyBest(std::int64_t count) {
    std::ranges::stable_sort(candidates_, {}, &Candidate::score);
    std::vector<DataflowCode> chosen;
    for (const Candidate& candidate : candidates_) {
      if (chosen.size() >= static_cast<std::size_t>(std::max<std::int64_t>(count, 1))) {
        break;
      }
      if (!verified_.contains(scorer_->Identity(candidate.code))) {
        chosen.push_back(candidate.code);
      }
    }
    Verify(chosen);
  }

  /// Scores of another predictor mean nothing any more.
  void Forget() {
    std::vector<DataflowCode> codes;
    codes.reserve(candidates_.size());
    for (const Candidate& candidate : candidates_) {
      codes.push_back(candidate.code);
    }
    const auto scores = scorer_->Scores(codes);
    scorer_->Calibrate(codes, scores);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      candidates_[i].score = scores[i];
    }
  }

  /// Annealing on the oracle where every step is the most promising of several, while a sample is
  /// worth more than the time for that.
  void AnnealGuided() {
    constexpr std::int64_t kGuided = 1200;
    constexpr std::size_t kChoices = 8;
    const std::int64_t budget = std::min(judge_.left(), kGuided);
    const auto& best = judge_.so_far().best;
    DataflowCode code = best ? *best : space_.Random(rng_);
    double value = judge_.so_far().value;
    std::vector<DataflowCode> next;
    for (std::int64_t i = 0; i < budget && !judge_.done(); ++i) {
      constexpr double kHot = 0.1;
      constexpr double kCold = 0.002;
      const double passed = static_cast<double>(i) / static_cast<double>(budget);
      const double temperature = kHot * std::pow(kCold / kHot, passed);
      constexpr std::int64_t kReturn = 60;
      if (i % kReturn == 0 && best) {
        code = *best;
        value = judge_.so_far().value;
        if (ensemble_ == nullptr && options_.learn) {
          scorer_->Learn(false);  // costs next to nothing there
        }
      }
      next.clear();
      for (std::size_t tries = 0; next.size() < kChoices && tries < 4 * kChoices; ++tries) {
        const DataflowCode neighbour = space_.Neighbour(code, rng_);
        if (!verified_.contains(scorer_->Identity(neighbour))) {
          next.push_back(neighbour);
        }
      }
      if (next.empty()) {
        code = space_.Random(rng_);
        value = std::numeric_limits<double>::infinity();
        continue;
      }
      // Now and then any neighbour, lest a wrong predictor leads around in circles.
      constexpr std::uint32_t kSelfWilled = 6;
      std::size_t at = 0;
      if (rng_.Below(kSelfWilled) != 0) {
        at = scorer_->BestOf(next);
      }
      verified_.insert(scorer_->Identity(next[at]));
      const double price = PriceOne(next[at]);
      const double rise = std::log(price) - std::log(value);
      if (!(rise > 0) || rng_.Uniform() < std::exp(-rise / temperature)) {
        code = next[at];
        value = price;
      }
    }
  }

  /// Codes that differ outermost in what is parallel there, and in one more decision. What is
  /// parallel decides about most else: changed alone it seldom helps, so annealing stays where it
  /// is.
  [[nodiscard]] std::vector<DataflowCode> Around(const DataflowCode& center) const {
    std::vector<DataflowCode> codes;
    const auto add = [&](const DataflowCode& code) {
      codes.push_back(space_.Repair(mapping::Canonical(space_.layer(), code)));
    };
    for (const mapping::CodeDim parallel : space_.parallel()) {
      DataflowCode code = center;
      code.levels[0].parallel = parallel;
      add(code);
      for (std::size_t i = 0; i < mapping::kCodeDims; ++i) {
        for (std::size_t j = i + 1; j < mapping::kCodeDims; ++j) {
          DataflowCode swapped = code;
          std::swap(swapped.levels[0].order[i], swapped.levels[0].order[j]);
          add(swapped);
        }
      }
      for (const mapping::CodeDim dim : space_.tiled()) {
        for (const std::int64_t tile :
             space_.Divisors(dim, space_.extents()[mapping::Index(dim)])) {
          DataflowCode tiled = code;
          tiled.levels[0].tile[mapping::Index(dim)] = tile;
          add(tiled);
        }
      }
    }
    return codes;
  }

  /// Looks around the best code, while that helps and the samples are there.
  void Sweep() {
    const auto& best = judge_.so_far().best;
    double value = std::numeric_limits<double>::infinity();
    while (best && judge_.so_far().value < value) {
      value = judge_.so_far().value;
      std::vector<DataflowCode> fresh;
      for (const DataflowCode& code : Around(*best)) {
        if (verified_.insert(scorer_->Identity(code)).second) {
          fresh.push_back(code);
        }
      }
      constexpr std::int64_t kShare = 4;
      if (static_cast<std::int64_t>(fresh.size()) > judge_.left() / kShare) {
        return;
      }
      Verify(fresh);
    }
  }

  /// What is left, without the predictor: long and hot, since what is near the best was seen.
  void AnnealFreely() {
    for (const std::int64_t leave_over : {judge_.left() / 5, std::int64_t{0}}) {
      if (judge_.problem().space.divisor_tiles) {
        Sweep();
      }
      const auto& best = judge_.so_far().best;
      const DataflowCode start = best ? *best : space_.Random(rng_);
      const mapper::codes::AnnealingOptions options = {
          .random_starts = 0, .hot = 0.5, .cold = 0.01, .restarts = 2, .leave_over = leave_over};
      mapper::codes::Anneal(judge_, space_, options, start, judge_.so_far().value, rng_);
    }
  }

  PropagateOptions options_;
  Judge judge_;
  CodeSpace space_;
  std::unique_ptr<Scorer> scorer_;
  const EnsembleScorer* ensemble_;  ///< scorer_, if it is one; or null
  Rng rng_;
  std::vector<Candidate> candidates_;
  std::set<std::vector<std::int64_t>> proposed_;
  std::set<std::vector<std::int64_t>> verified_;
};

class PropagationSearch final : public mapper::codes::CodeSearch {
 public:
  PropagationSearch(std::vector<std::shared_ptr<const Predictor>> predictors,
                    const PropagateOptions& options)
      : predictors_(std::move(predictors)), options_(options) {}
  [[nodiscard]] std::string_view name() const override {
    return options_.as_published ? "dcp-paper" : "dcp";
  }
  [[nodiscard]] std::string_view description() const override {
    if (options_.as_published) {
      return "as the paper: along the gradients of a network that reads codes as numbers";
    }
    return "along the gradients of a trained predictor, verified and refined";
  }
  [[nodiscard]] CodeResult Run(const CodeProblem& problem) const override {
    if (options_.rules && !options_.as_published && problem.oracle->code_mapper() != nullptr) {
      return Propagation(problem, options_, MakeRulesScorer(problem), nullptr).Run();
    }
    for (const auto& predictor : predictors_) {
      if (predictor->CheckSpace(problem.space)) {
        auto ensemble = std::make_unique<EnsembleScorer>(
            problem, *predictor, TuneOptions{options_.tune_above, options_.tune_steps});
        const EnsembleScorer* const gradients = ensemble.get();
        return Propagation(problem, options_, std::move(ensemble), gradients).Run();
      }
    }
    CodeResult result;
    result.stopped = predictors_.front()->CheckSpace(problem.space).error();
    return result;
  }

 private:
  std::vector<std::shared_ptr<const Predictor>> predictors_;
  PropagateOptions options_;
};

}  // namespace

PropagateOptions PublishedOptions() {
  PropagateOptions options;
  options.as_published = true;
  options.starts = 64;
  options.steps = 100;
  return options;
}

std::unique_ptr<mapper::codes::CodeSearch> MakePropagationSearch(
    std::vector<std::shared_ptr<const Predictor>> predictors, const PropagateOptions& options) {
  const Encoding needed = options.as_published ? Encoding::kScalar : Encoding::kDerived;
  SLUICE_CHECK(!predictors.empty() &&
                   std::ranges::all_of(predictors,
                                       [&](const auto& one) { return one->encoding() == needed; }),
               "predictors that read codes as the search needs it");
  return std::make_unique<PropagationSearch>(std::move(predictors), options);
}

}  // namespace sluice::predict
