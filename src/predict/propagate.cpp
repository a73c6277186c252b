#include "predict/propagate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
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
#include "predict/relax.h"
#include "predict/training/train.h"

namespace sluice::predict {
namespace {

using mapper::codes::CodeObjective;
using mapper::codes::CodeProblem;
using mapper::codes::CodeResult;
using mapper::codes::CodeSpace;
using mapper::codes::EnergyKind;
using mapper::codes::Judge;
using mapping::DataflowCode;

constexpr double kTuneRate = 1e-3;
constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// One run of the search.
class Propagation {
 public:
  Propagation(const CodeProblem& problem, const Predictor& predictor,
              const PropagateOptions& options)
      : options_(options),
        judge_(problem),
        layer_(problem.oracle->layer()),
        space_(layer_, problem.oracle->hardware(), problem.space),
        parts_(MakeParts(*problem.oracle, problem.space)),
        target_(MakeTarget(problem)),
        predictor_(predictor),
        rng_(problem.seed) {}

  CodeResult Run() {
    const CodeProblem& problem = judge_.problem();
    Verify(problem.starts);
    Adapt();
    std::vector<DataflowCode> chains = Screened();
    if (options_.propagate) {
      chains = Propagated(std::move(chains));
    }
    // A third of the budget for codes of the predictor, but no more than bring something new.
    constexpr std::int64_t kMost = 240;
    const std::int64_t share = std::min(problem.samples / 3, kMost);
    for (int round = 0; round < options_.rounds && !judge_.done(); ++round) {
      Refine(chains, RefineMoves());
      VerifyBest(share / options_.rounds);
      if (round + 1 < options_.rounds && TuneWhereWrong()) {
        Forget();
      }
    }
    if (!judge_.so_far().best) {
      mapper::codes::FirstCode(judge_, space_, rng_);  // the predictor does not know what is legal
    }
    AnnealGuided();
    if (!judge_.done()) {
      const auto& best = judge_.so_far().best;
      const DataflowCode start = best ? *best : space_.Random(rng_);
      mapper::codes::Anneal(judge_, space_, {.random_starts = 0, .hot = 0.1}, start,
                            judge_.so_far().value, rng_);
    }
    return judge_.Finish();
  }

 private:
  struct Candidate {
    double score = 0;  ///< logarithm of the objective, with penalties
    DataflowCode code;
  };

  static std::vector<PredictedPart> MakeParts(const cost::CostOracle& oracle,
                                              const mapper::codes::SpaceOptions& options) {
    std::vector<PredictedPart> parts;
    for (const cost::PricedLayer& one : oracle.parts()) {
      PredictedPart part{Context(one.layer, oracle.hardware()), 0, one.count};
      const CodeSpace space(one.layer, oracle.hardware(), options);
      for (const mapping::CodeDim dim : space.parallel()) {
        part.allowed |= 1U << mapping::Index(dim);
      }
      parts.push_back(std::move(part));
    }
    return parts;
  }

  static Target MakeTarget(const CodeProblem& problem) {
    const auto& hardware = problem.oracle->hardware();
    Target target;
    const Component energy =
        problem.energy == EnergyKind::kOuter ? Component::kOuterEnergy : Component::kFullEnergy;
    if (problem.objective != CodeObjective::kEnergy) {
      target.weight[Index(Component::kLatency)] = 1;
    }
    if (problem.objective != CodeObjective::kLatency) {
      target.weight[Index(energy)] = 1;
    }
    target.limit[0] = std::log(static_cast<double>(std::max<std::int64_t>(hardware.l1_words, 1)));
    target.limit[1] = std::log(static_cast<double>(std::max<std::int64_t>(hardware.l2_words, 1)));
    target.cycle_limit = std::log(problem.cycle_limit);
    return target;
  }

  [[nodiscard]] const Predictor& predictor() const { return tuned_ ? *tuned_ : predictor_; }

  /// Scores of codes by the ensemble.
  std::vector<double> Scores(std::span<const DataflowCode> codes) {
    Fill(codes, [&](const Context& context, auto adapted, auto predictions) {
      predictor().Predict(context, adapted, predictions);
    });
    return ScoresOfPredictions(target_);
  }

  /// Scores of codes by the analytic estimate, ten times as fast.
  std::vector<double> QuickScores(std::span<const DataflowCode> codes) {
    Fill(codes, [](const Context& context, auto adapted, auto predictions) {
      Predictor::Estimate(context, adapted, predictions);
    });
    // Lenient where a buffer is nearly full: the best codes are there.
    constexpr double kLenient = 0.1;
    Target lenient = target_;
    for (double& limit : lenient.limit) {
      limit += kLenient;
    }
    return ScoresOfPredictions(lenient);
  }

  [[nodiscard]] std::vector<double> ScoresOfPredictions(const Target& target) const {
    std::vector<double> scores(predictions_.size());
    for (std::size_t i = 0; i < scores.size(); ++i) {
      scores[i] = target.Score(predictions_[i].mean, predictions_[i].spread);
    }
    return scores;
  }

  /// Scores where the estimate does not rule out that they are at most `limits`; infinite
  /// elsewhere.
  std::vector<double> ScoresWithin(std::span<const DataflowCode> codes,
                                   std::span<const double> limits) {
    std::vector<double> scores = QuickScores(codes);
    std::vector<DataflowCode> open;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      if (scores[i] - slack_ <= limits[i]) {
        open.push_back(codes[i]);
      }
    }
    const std::vector<double> exact = Scores(open);
    for (std::size_t i = 0, next = 0; i < codes.size(); ++i) {
      scores[i] = scores[i] - slack_ <= limits[i] ? exact[next++] : kInfinite;
    }
    return scores;
  }

  /// How far scores and quick scores usually are apart.
  void MeasureSlack(std::span<const DataflowCode> codes, std::span<const double> scores) {
    const std::vector<double> quick = QuickScores(codes);
    std::vector<double> apart(codes.size());
    for (std::size_t i = 0; i < codes.size(); ++i) {
      apart[i] = std::abs(scores[i] - quick[i]);
    }
    constexpr double kUsual = 0.95;
    constexpr double kSafety = 1.5;
    const auto at =
        apart.begin() + static_cast<std::ptrdiff_t>(kUsual * static_cast<double>(apart.size() - 1));
    std::ranges::nth_element(apart, at);
    slack_ = kSafety * *at;
  }

  /// Predictions of what the codes become on every part, summed up.
  template <class PredictPart>
  void Fill(std::span<const DataflowCode> codes, PredictPart&& predict) {
    predictions_.resize(codes.size());
    if (!shared()) {
      predict(parts_[0].context, codes, std::span(predictions_));
      return;
    }
    std::vector<std::vector<Prediction>> of_parts(parts_.size());
    std::vector<DataflowCode> adapted(codes.size());
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      std::ranges::transform(codes, adapted.begin(), [&](const DataflowCode& code) {
        return judge_.problem().oracle->PartCode(p, code);
      });
      of_parts[p].resize(codes.size());
      predict(parts_[p].context, std::span<const DataflowCode>(adapted), std::span(of_parts[p]));
    }
    std::vector<Prediction> ones(parts_.size());
    for (std::size_t i = 0; i < codes.size(); ++i) {
      for (std::size_t p = 0; p < parts_.size(); ++p) {
        ones[p] = of_parts[p][i];
      }
      predictions_[i] = Summed(parts_, ones);
    }
  }

  /// Whether several layers share the code. Then only sums are known, so nothing can be tuned.
  [[nodiscard]] bool shared() const { return parts_.size() > 1; }

  /// Who has few samples to spend has little time, too.
  [[nodiscard]] int RefineMoves() const {
    constexpr double kFewest = 0.25;
    constexpr double kWhole = 200;  // samples that deserve all moves
    const double share = static_cast<double>(judge_.problem().samples) / kWhole;
    return std::max(static_cast<int>(options_.refine * std::clamp(share, kFewest, 1.0)), 1);
  }

  void Propose(const DataflowCode& code, double score) {
    if (proposed_.insert(mapping::ToNumbers(code)).second) {
      candidates_.push_back({score, code});
    }
  }

  std::vector<DataflowCode> Screened() {
    std::vector<DataflowCode> codes(static_cast<std::size_t>(options_.screened));
    std::ranges::generate(codes, [&] { return space_.Random(rng_); });
    const auto scores = Scores(codes);
    MeasureSlack(codes, scores);
    std::vector<std::size_t> order(codes.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = i;
    }
    std::ranges::stable_sort(order, [&](auto a, auto b) { return scores[a] < scores[b]; });
    std::vector<DataflowCode> starts;
    starts.reserve(codes.size());
    const auto wanted = std::min(static_cast<std::size_t>(options_.starts), codes.size());
    for (std::size_t i = 0; i < wanted; ++i) {
      // Half of them good, half of them anywhere.
      starts.push_back(
          codes[i % 2 == 0 ? order[i / 2] : order[order.size() - 1 - i * 7 % (order.size() / 2)]]);
    }
    starts.back() = judge_.so_far().best.value_or(starts.back());
    return starts;
  }

  /// Follows the gradient; every few steps the codes are made legal and go on from there. Returns
  /// the best predicted of each start.
  std::vector<DataflowCode> Propagated(std::vector<DataflowCode> codes) {
    Relaxation relaxation(space_, parts_, target_);
    std::vector<DataflowCode> best = codes;
    std::vector<double> best_scores = Scores(codes);
    relaxation.Reset(codes);
    for (int step = 0; step < options_.steps; ++step) {
      const auto member = static_cast<std::size_t>(step) % predictor().members().size();
      relaxation.Step(predictor(), member);
      if ((step + 1) % options_.compensate != 0 && step + 1 != options_.steps) {
        continue;
      }
      codes = relaxation.Codes();
      const auto scores = Scores(codes);
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
    std::vector<double> values = Scores(chains);
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
      const auto scores = ScoresWithin(next, limits);
      for (std::size_t i = 0; i < chains.size(); ++i) {
        if (scores[i] < kInfinite) {
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
      const auto& cost = judge_.costs()[i];
      verified_.insert(mapping::ToNumbers(codes[i]));
      const Components components = ComponentsOf(cost);
      if (cost.verdict == cost::CodeVerdict::kRefused || std::ranges::min(components) <= 0) {
        continue;
      }
      Known known{codes[i], components};
      for (double& component : known.log_components) {
        component = std::log(component);
      }
      known_.push_back(known);
    }
  }

  /// Few-shot: what random codes cost, before the predictor is asked.
  void Adapt() {
    const std::int64_t count = std::min(options_.few_shot, judge_.left() / 2);
    if (count <= 0 || shared()) {
      return;
    }
    std::vector<DataflowCode> codes(static_cast<std::size_t>(count));
    std::ranges::generate(codes, [&] { return space_.Random(rng_); });
    Verify(codes);
    tuned_ = FineTune(predictor_, parts_[0].context, known_, options_.tune_steps, kTuneRate);
  }

  /// The best predicted codes that were not priced yet.
  void VerifyBest(std::int64_t count) {
    std::ranges::stable_sort(candidates_, {}, &Candidate::score);
    std::vector<DataflowCode> chosen;
    for (const Candidate& candidate : candidates_) {
      if (chosen.size() >= static_cast<std::size_t>(std::max<std::int64_t>(count, 1))) {
        break;
      }
      if (!verified_.contains(mapping::ToNumbers(candidate.code))) {
        chosen.push_back(candidate.code);
      }
    }
    Verify(chosen);
  }

  /// True when the ensemble was tuned on what was verified so far.
  bool TuneWhereWrong() {
    if (known_.empty() || shared()) {
      return false;
    }
    std::vector<DataflowCode> codes;
    codes.reserve(known_.size());
    for (const Known& known : known_) {
      codes.push_back(known.code);
    }
    Scores(codes);
    double error = 0;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      for (std::size_t c = 0; c < kComponents; ++c) {
        error +=
            target_.weight[c] * std::abs(predictions_[i].mean[c] - known_[i].log_components[c]);
      }
    }
    if (error / static_cast<double>(codes.size()) <= options_.tune_above) {
      return false;
    }
    tuned_ = FineTune(predictor_, parts_[0].context, known_, options_.tune_steps, kTuneRate);
    return true;
  }

  /// Scores of another predictor mean nothing any more.
  void Forget() {
    std::vector<DataflowCode> codes;
    codes.reserve(candidates_.size());
    for (const Candidate& candidate : candidates_) {
      codes.push_back(candidate.code);
    }
    const auto scores = Scores(codes);
    MeasureSlack(codes, scores);
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
      }
      next.clear();
      for (std::size_t tries = 0; next.size() < kChoices && tries < 4 * kChoices; ++tries) {
        const DataflowCode neighbour = space_.Neighbour(code, rng_);
        if (!verified_.contains(mapping::ToNumbers(neighbour))) {
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
        at = BestOf(next);
      }
      verified_.insert(mapping::ToNumbers(next[at]));
      const double price = judge_.Price(next[at]);
      const double rise = std::log(price) - std::log(value);
      if (!(rise > 0) || rng_.Uniform() < std::exp(-rise / temperature)) {
        code = next[at];
        value = price;
      }
    }
  }

  /// The best predicted; the networks are asked where the estimate leaves it open.
  std::size_t BestOf(std::span<const DataflowCode> codes) {
    const std::vector<double> quick = QuickScores(codes);
    const std::vector<double> limits(codes.size(), std::ranges::min(quick) + slack_);
    const std::vector<double> scores = ScoresWithin(codes, limits);
    return static_cast<std::size_t>(std::ranges::min_element(scores) - scores.begin());
  }

  PropagateOptions options_;
  Judge judge_;
  mapping::Layer layer_;
  CodeSpace space_;
  std::vector<PredictedPart> parts_;
  Target target_;
  const Predictor& predictor_;
  std::optional<Predictor> tuned_;
  Rng rng_;
  std::vector<Prediction> predictions_;
  double slack_ = 0;  ///< what the networks usually correct of a score
  std::vector<Candidate> candidates_;
  std::set<std::vector<std::int64_t>> proposed_;
  std::set<std::vector<std::int64_t>> verified_;
  std::vector<Known> known_;
};

class PropagationSearch final : public mapper::codes::CodeSearch {
 public:
  PropagationSearch(std::vector<std::shared_ptr<const Predictor>> predictors,
                    const PropagateOptions& options)
      : predictors_(std::move(predictors)), options_(options) {}
  [[nodiscard]] std::string_view name() const override { return "dcp"; }
  [[nodiscard]] std::string_view description() const override {
    return "along the gradients of a trained predictor, verified and refined";
  }
  [[nodiscard]] CodeResult Run(const CodeProblem& problem) const override {
    for (const auto& predictor : predictors_) {
      if (predictor->CheckSpace(problem.space)) {
        return Propagation(problem, *predictor, options_).Run();
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

std::unique_ptr<mapper::codes::CodeSearch> MakePropagationSearch(
    std::vector<std::shared_ptr<const Predictor>> predictors, const PropagateOptions& options) {
  SLUICE_CHECK(!predictors.empty(), "a predictor");
  return std::make_unique<PropagationSearch>(std::move(predictors), options);
}

}  // namespace sluice::predict
