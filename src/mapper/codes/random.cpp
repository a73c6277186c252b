// Independent random codes, and the start that other searches share.

#include <algorithm>
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

constexpr std::size_t kBatch = 100;

void PriceStarts(Judge& judge) {
  std::vector<double> values(judge.problem().starts.size());
  judge.Price(judge.problem().starts, values);
}

class RandomSearch final : public CodeSearch {
 public:
  [[nodiscard]] std::string_view name() const override { return "random"; }
  [[nodiscard]] std::string_view description() const override { return "independent random codes"; }
  [[nodiscard]] CodeResult Run(const CodeProblem& problem) const override {
    Judge judge(problem);
    const CodeSpace space(problem.oracle->layer(), problem.oracle->hardware(), problem.space);
    Rng rng(problem.seed);
    PriceStarts(judge);
    std::vector<mapping::DataflowCode> codes(kBatch);
    std::vector<double> values(kBatch);
    while (!judge.done()) {
      std::ranges::generate(codes, [&] { return space.Random(rng); });
      judge.Price(codes, values);
    }
    return judge.Finish();
  }
};

}  // namespace

mapping::DataflowCode FirstCode(Judge& judge, const CodeSpace& space, Rng& rng) {
  PriceStarts(judge);
  const std::int64_t most = judge.problem().samples / 2;
  mapping::DataflowCode code = space.Random(rng);
  while (!judge.so_far().best && !judge.done() && judge.so_far().samples <= most) {
    code = space.Random(rng);
    judge.Price(code);
  }
  return judge.so_far().best.value_or(code);
}

std::unique_ptr<CodeSearch> MakeRandomSearch() {
  return std::make_unique<RandomSearch>();
}

}  // namespace sluice::mapper::codes
