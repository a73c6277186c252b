// Predicts codes on a machine whose rules turn them into mappings: the rules' own figures of
// traffic say what a mapping should cost, and a linear model learns what they miss from the codes
// that were priced in this search. Its inputs are where the figures say that energy and time go,
// and what the code does in parallel.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "cost/oracle/oracle.h"
#include "mapper/codes/search.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/fill.h"
#include "mapping/dataflow/nest.h"
#include "mapping/mapping.h"
#include "predict/search/correction.h"
#include "predict/search/scorer.h"

namespace sluice::predict {
namespace {

using mapper::codes::CodeObjective;
using mapper::codes::EnergyKind;
using mapping::DataflowCode;

/// Of a weight, in logarithms of the costs; and of what no weight explains.
constexpr double kPrior = 0.3;
constexpr double kNoise = 0.01;

/// One side of the objective.
struct Side {
  double weight = 0;  ///< 0: not wanted
  Correction correction;
};

class RulesScorer final : public Scorer {
 public:
  explicit RulesScorer(const mapper::codes::CodeProblem& problem)
      : rules_(*problem.oracle->code_mapper()),
        outer_(problem.energy == EnergyKind::kOuter),
        cycle_limit_(std::log(problem.cycle_limit)),
        inputs_(InputsOf(problem.oracle->levels(), problem.space.levels)),
        cycles_{problem.objective == CodeObjective::kEnergy ? 0.0 : 1.0,
                Correction(inputs_, kPrior, kNoise)},
        energy_{problem.objective == CodeObjective::kLatency ? 0.0 : 1.0,
                Correction(inputs_, kPrior, kNoise)},
        input_(inputs_) {}

  [[nodiscard]] std::vector<double> Scores(std::span<const DataflowCode> codes) override {
    std::vector<double> scores;
    scores.reserve(codes.size());
    for (const DataflowCode& code : codes) {
      scores.push_back(Score(code));
    }
    return scores;
  }
  [[nodiscard]] std::vector<double> ScoresWithin(std::span<const DataflowCode> codes,
                                                 std::span<const double> limits) override {
    std::vector<double> scores = Scores(codes);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      scores[i] = scores[i] <= limits[i] ? scores[i] : kHopeless;
    }
    return scores;
  }
  [[nodiscard]] std::size_t BestOf(std::span<const DataflowCode> codes) override {
    const std::vector<double> scores = Scores(codes);
    return static_cast<std::size_t>(std::ranges::min_element(scores) - scores.begin());
  }

  /// The mapping.
  [[nodiscard]] std::vector<std::int64_t> Identity(const DataflowCode& code) const override {
    const mapping::Mapping mapping = rules_.MappingOf(code);
    std::vector<std::int64_t> identity;
    for (const mapping::LevelMapping& level : mapping.levels) {
      identity.push_back(level.keep);
      for (const mapping::LoopList* loops : {&level.temporal, &level.spatial_x, &level.spatial_y}) {
        identity.push_back(-1);
        for (const mapping::Loop& loop : *loops) {
          identity.push_back(loop.dim);
          identity.push_back(loop.bound);
        }
      }
    }
    return identity;
  }

  void Note(const DataflowCode& code, const cost::CodeCost& cost) override {
    const double energy = outer_ ? cost.energy_outer_pj : cost.energy_full_pj;
    if (cost.verdict == cost::CodeVerdict::kRefused || !(cost.cycles > 0) || !(energy > 0)) {
      return;
    }
    const Estimate estimate = EstimateOf(code);
    cycles_.correction.Note(input_, std::log(cost.cycles) - estimate.cycles);
    energy_.correction.Note(input_, std::log(energy) - estimate.energy);
    const double missed = cycles_.weight * (std::log(cost.cycles) - Cycles(estimate)) +
                          energy_.weight * (std::log(energy) - Energy(estimate));
    missed_ += std::abs(missed);
    ++noted_;
  }
  bool Learn(bool anyway) override {
    constexpr double kRight = 1e-3;
    const bool wrong = missed_ > kRight * static_cast<double>(noted_);
    missed_ = 0;
    noted_ = 0;
    if (!wrong && !anyway) {
      return false;
    }
    cycles_.correction.Solve();
    energy_.correction.Solve();
    return true;
  }
  void Calibrate(std::span<const DataflowCode> /*codes*/,
                 std::span<const double> /*scores*/) override {}

 private:
  /// Logarithms; what the correction sees is left in input_.
  struct Estimate {
    double cycles = 0;
    double energy = 0;
  };

  static std::size_t InputsOf(std::size_t memories, int levels) {
    constexpr std::size_t kOfMemory = 5;
    constexpr std::size_t kOfLevel = std::size_t{2} * mapping::kCodeDims;
    return 2 + kOfMemory * memories + kOfLevel * static_cast<std::size_t>(levels);
  }

  Estimate EstimateOf(const DataflowCode& code) {
    const mapping::FillFigures figures = rules_.FiguresOf(code);
    const auto& innermost = figures.memories.back();
    const double energy =
        outer_ ? figures.energy_pj - figures.compute_pj - innermost.access_pj - innermost.network_pj
               : figures.energy_pj;
    const double whole = std::max(energy, std::numeric_limits<double>::min());
    std::size_t next = 0;
    const auto input = [&](double x) { input_[next++] = x; };
    input(1);
    input(Share(figures.steps, figures.cycles));
    for (const mapping::FillFigures::Memory& memory : figures.memories) {
      input(memory.access_pj / whole);
      input(memory.network_pj / whole);
      input(memory.used);
      input(Share(memory.read_words, figures.cycles));
      input(Share(memory.written_words, figures.cycles));
    }
    for (const mapping::LevelCode& level : code.levels) {
      for (std::size_t d = 0; d < mapping::kCodeDims; ++d) {
        const bool parallel = mapping::Index(level.parallel) == d;
        input(parallel ? 1 : 0);
        input(0.1 * std::log(static_cast<double>(level.tile[d])));
      }
    }
    return {std::log(figures.cycles), std::log(whole)};
  }
  static double Share(double part, double whole) { return part / (part + whole); }

  [[nodiscard]] double Cycles(const Estimate& estimate) const {
    return estimate.cycles + cycles_.correction.Mean(input_);
  }
  [[nodiscard]] double Energy(const Estimate& estimate) const {
    return estimate.energy + energy_.correction.Mean(input_);
  }
  double Score(const DataflowCode& code) {
    const Estimate estimate = EstimateOf(code);
    const double cycles = Cycles(estimate);
    constexpr double kLate = 6;  // steeper than any gain from more time
    return cycles_.weight * cycles + energy_.weight * Energy(estimate) +
           kLate * std::max(cycles - cycle_limit_, 0.0);
  }

  const mapping::CodeMapper& rules_;
  bool outer_;
  double cycle_limit_;
  std::size_t inputs_;
  Side cycles_;
  Side energy_;
  std::vector<double> input_;
  double missed_ = 0;
  std::int64_t noted_ = 0;
};

}  // namespace

std::unique_ptr<Scorer> MakeRulesScorer(const mapper::codes::CodeProblem& problem) {
  return std::make_unique<RulesScorer>(problem);
}

}  // namespace sluice::predict
