// Annealing on the logarithm of the objective: the best of some random codes, then one change at a
// time, with a temperature that falls geometrically over the budget and returns to the best so far.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "mapper/codes/judge.h"
#include "mapper/codes/search.h"
#include "mapper/codes/searches.h"
#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"

namespace sluice::mapper::codes {
namespace {

class AnnealingSearch final : public CodeSearch {
 public:
  explicit AnnealingSearch(const AnnealingOptions& options) : options_(options) {}
  [[nodiscard]] std::string_view name() const override { return "annealing"; }
  [[nodiscard]] std::string_view description() const override {
    return "annealing from the best of up to 200 random codes";
  }
  [[nodiscard]] CodeResult Run(const CodeProblem& problem) const override {
    Judge judge(problem);
    const CodeSpace space(problem.oracle->layer(), problem.oracle->hardware(), problem.space);
    Rng rng(problem.seed);
    FirstCode(judge, space, rng);
    constexpr std::int64_t kShare = 5;
    const std::int64_t starts = std::min(options_.random_starts, problem.samples / kShare);
    std::vector<mapping::DataflowCode> codes(
        static_cast<std::size_t>(std::max<std::int64_t>(starts - judge.so_far().samples, 0)));
    std::ranges::generate(codes, [&] { return space.Random(rng); });
    std::vector<double> values(codes.size());
    judge.Price(codes, values);
    const auto& best = judge.so_far().best;
    Anneal(judge, space, options_, best ? *best : space.Random(rng), judge.so_far().value, rng);
    return judge.Finish();
  }

 private:
  AnnealingOptions options_;
};

}  // namespace

void Anneal(Judge& judge, const CodeSpace& space, const AnnealingOptions& options,
            const mapping::DataflowCode& start, double value, Rng& rng) {
  const std::int64_t budget = judge.left() - options.leave_over;
  const double cooling = std::log(options.cold / options.hot);
  const std::int64_t round = std::max<std::int64_t>(budget / std::max(options.restarts, 1), 1);
  mapping::DataflowCode code = start;
  for (std::int64_t i = 0; i < budget && !judge.done(); ++i) {
    const auto& so_far = judge.so_far();
    if (i > 0 && i % round == 0 && so_far.best) {
      code = *so_far.best;
      value = so_far.value;
    }
    const mapping::DataflowCode next = space.Neighbour(code, rng);
    const double next_value = judge.Price(next);
    const double temperature =
        options.hot * std::exp(cooling * static_cast<double>(i) /
                               static_cast<double>(std::max<std::int64_t>(budget, 1)));
    // Infinite over infinite is no number, and then any move is welcome.
    const double rise = std::log(next_value) - std::log(value);
    if (!(rise > 0) || rng.Uniform() < std::exp(-rise / temperature)) {
      code = next;
      value = next_value;
    }
  }
}

std::unique_ptr<CodeSearch> MakeAnnealingSearch(const AnnealingOptions& options) {
  return std::make_unique<AnnealingSearch>(options);
}

}  // namespace sluice::mapper::codes
