// GAMMA's genetic algorithm, operator by operator, with the rates of its published code. What is
// added: tiles are repaired to the space (its cost model is wrong where they do not divide).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/divisors.h"
#include "base/rng.h"
#include "mapper/codes/judge.h"
#include "mapper/codes/search.h"
#include "mapper/codes/searches.h"
#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::mapper::codes {
namespace {

using mapping::CodeDim;
using mapping::DataflowCode;
using mapping::Index;
using mapping::LevelCode;

constexpr double kElite = 0.05;
constexpr double kParents = 0.4;
constexpr double kCrossover = 0.57;
constexpr double kReorder = 0.47;
constexpr double kMutation = 0.53;
constexpr int kMutations = 3;
constexpr double kSwapParallel = 0.1;
constexpr double kGrow = 0.57;
constexpr double kDrop = 0.27;

struct Individual {
  DataflowCode code;
  double value = std::numeric_limits<double>::infinity();
};

std::size_t Draw(Rng& rng, std::size_t count) {
  return rng.Below(static_cast<std::uint32_t>(count));
}

class Evolution {
 public:
  Evolution(Judge& judge, const GeneticOptions& options)
      : judge_(judge),
        options_(options),
        space_(judge.problem().oracle->layer(), judge.problem().oracle->hardware(),
               judge.problem().space),
        rng_(judge.problem().seed) {}

  void Run() {
    std::vector<Individual> population;
    for (const DataflowCode& code : judge_.problem().starts) {
      population.push_back({code});
    }
    while (population.size() < std::max<std::size_t>(options_.population, 2)) {
      population.push_back({First(population.size() < 2)});
    }
    Price(population);
    while (!judge_.done()) {
      Unique(population);
      std::ranges::stable_sort(population, {}, &Individual::value);
      if (population.front().value == std::numeric_limits<double>::infinity()) {
        // No parent: GAMMA starts again.
        std::ranges::for_each(population, [this](Individual& i) { i.code = First(false); });
      } else {
        population = Next(population);
      }
      Price(population);
    }
  }

 private:
  [[nodiscard]] bool Chance(double rate) { return rng_.Uniform() < rate; }

  /// Outer tiles uniform, inner ones 1; of `ones` all 1.
  DataflowCode First(bool ones) {
    DataflowCode code = space_.Random(rng_);
    for (std::size_t l = 0; l < code.levels.size(); ++l) {
      for (const CodeDim dim : space_.tiled()) {
        if (l > 0 || ones) {
          code.levels[l].tile[Index(dim)] = 1;
        }
      }
      if (l > 0) {
        const auto& outer = code.levels[l - 1];
        code.levels[l].units =
            rng_.Between(1, std::min(outer.tile[Index(code.levels[l].parallel)], space_.pes()));
      }
    }
    return space_.Repair(code);
  }

  void Price(std::vector<Individual>& population) {
    std::vector<DataflowCode> codes(population.size());
    std::vector<double> values(population.size());
    std::ranges::transform(population, codes.begin(), &Individual::code);
    judge_.Price(codes, values);
    for (std::size_t i = 0; i < population.size(); ++i) {
      population[i].value = values[i];
    }
  }

  static void Unique(std::vector<Individual>& population) {
    std::vector<Individual> kept;
    for (const Individual& one : population) {
      if (std::ranges::find(kept, one.code, &Individual::code) == kept.end()) {
        kept.push_back(one);
      }
    }
    population = std::move(kept);
  }

  std::vector<Individual> Next(const std::vector<Individual>& sorted) {
    const auto share = [&](double part) {
      return std::clamp<std::size_t>(
          static_cast<std::size_t>(part * static_cast<double>(options_.population)), 1,
          sorted.size());
    };
    std::vector<Individual> next(sorted.begin(),
                                 sorted.begin() + static_cast<std::ptrdiff_t>(share(kElite)));
    const std::size_t parents = share(kParents);
    while (next.size() < options_.population) {
      DataflowCode one = sorted[Draw(rng_, parents)].code;
      DataflowCode two = sorted[Draw(rng_, parents)].code;
      if (Chance(kCrossover)) {
        Cross(one, two);
      }
      for (DataflowCode* code : {&one, &two}) {
        if (next.size() < options_.population) {
          Mutate(*code);
          next.push_back({space_.Repair(*code)});
        }
      }
    }
    return next;
  }

  /// One dim's tiles change places, at every level.
  void Cross(DataflowCode& one, DataflowCode& two) {
    const std::size_t dim = Draw(rng_, mapping::kCodeDims);
    for (std::size_t l = 0; l < std::min(one.levels.size(), two.levels.size()); ++l) {
      std::swap(one.levels[l].tile[dim], two.levels[l].tile[dim]);
    }
  }

  void Mutate(DataflowCode& code) {
    for (LevelCode& level : code.levels) {
      if (Chance(kReorder)) {
        std::swap(level.order[Draw(rng_, mapping::kCodeDims)],
                  level.order[Draw(rng_, mapping::kCodeDims)]);
      }
    }
    for (int i = 0; i < kMutations; ++i) {
      if (Chance(kMutation)) {
        MutateGene(code);
      }
    }
    if (!options_.all_operators) {
      return;
    }
    if (code.levels.size() > 1 && Chance(kSwapParallel)) {
      std::swap(code.levels[0].parallel, code.levels[1].parallel);
    }
    if (code.levels.size() < options_.max_levels && Chance(kGrow)) {
      LevelCode level = code.levels.back();
      level.parallel = space_.parallel()[Draw(rng_, space_.parallel().size())];
      level.units = 1;
      for (const CodeDim dim : space_.tiled()) {
        level.tile[Index(dim)] = 1;
      }
      code.levels.push_back(level);
    }
    if (code.levels.size() > 2 && Chance(kDrop)) {
      code.levels.pop_back();
    }
  }

  /// The head of a level (parallel dim or units) or one of its tiles.
  void MutateGene(DataflowCode& code) {
    const std::size_t l = Draw(rng_, code.levels.size());
    LevelCode& level = code.levels[l];
    const std::size_t gene = Draw(rng_, mapping::kCodeDims + 1);
    if (gene > 0) {
      const std::size_t dim = gene - 1;
      const std::int64_t parent = l == 0 ? space_.extents()[dim] : code.levels[l - 1].tile[dim];
      level.tile[dim] = rng_.Between(1, parent);
      return;
    }
    if (l == 0 || Chance(0.5)) {
      level.parallel = space_.parallel()[Draw(rng_, space_.parallel().size())];
      return;
    }
    const std::int64_t most =
        std::min(code.levels[l - 1].tile[Index(level.parallel)], space_.pes());
    const std::vector<std::int64_t> divisors = DivisorsOf(most);
    level.units = divisors[Draw(rng_, divisors.size())];
  }

  Judge& judge_;
  GeneticOptions options_;
  CodeSpace space_;
  Rng rng_;
};

class GeneticSearch final : public CodeSearch {
 public:
  explicit GeneticSearch(const GeneticOptions& options) : options_(options) {}
  [[nodiscard]] std::string_view name() const override {
    return options_.all_operators ? "genetic-all" : "genetic";
  }
  [[nodiscard]] std::string_view description() const override {
    return options_.all_operators ? "GAMMA with the operators that its code disables"
                                  : "GAMMA as published";
  }
  [[nodiscard]] CodeResult Run(const CodeProblem& problem) const override {
    Judge judge(problem);
    Evolution(judge, options_).Run();
    return judge.Finish();
  }

 private:
  GeneticOptions options_;
};

}  // namespace

std::unique_ptr<CodeSearch> MakeGeneticSearch(const GeneticOptions& options) {
  return std::make_unique<GeneticSearch>(options);
}

}  // namespace sluice::mapper::codes
