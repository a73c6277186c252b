// Fixed dataflows of the literature as codes: NVDLA's (K and C parallel, weights stationary),
// Shidiannao's (Y and X parallel, outputs stationary), Eyeriss' (Y and R parallel, rows
// stationary). A level of a code has one parallel dim, so Eyeriss' diagonal becomes R alone, and C
// where windows must stay whole.

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "mapper/codes/judge.h"
#include "mapper/codes/search.h"
#include "mapper/codes/searches.h"
#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"

namespace sluice::mapper::codes {
namespace {

using mapping::CodeDim;
using mapping::CodeSizes;
using mapping::LevelCode;
using Order = std::array<CodeDim, mapping::kCodeDims>;

class FixedSearch final : public CodeSearch {
 public:
  explicit FixedSearch(FixedDataflow dataflow) : dataflow_(dataflow) {}
  [[nodiscard]] std::string_view name() const override {
    constexpr std::array<std::string_view, 3> kNames = {"dla", "shi", "eye"};
    return kNames[static_cast<std::size_t>(dataflow_)];
  }
  [[nodiscard]] std::string_view description() const override {
    constexpr std::array<std::string_view, 3> kTexts = {
        "NVDLA's dataflow, K and C parallel", "Shidiannao's dataflow, Y and X parallel",
        "Eyeriss' dataflow as far as a code can say it"};
    return kTexts[static_cast<std::size_t>(dataflow_)];
  }
  [[nodiscard]] CodeResult Run(const CodeProblem& problem) const override {
    Judge judge(problem);
    const CodeSpace space(problem.oracle->layer(), problem.oracle->hardware(), problem.space);
    judge.Price(FixedCode(dataflow_, space));
    return judge.Finish();
  }

 private:
  FixedDataflow dataflow_;
};

}  // namespace

mapping::DataflowCode FixedCode(FixedDataflow dataflow, const CodeSpace& space) {
  using enum CodeDim;
  const CodeSizes& whole = space.extents();
  LevelCode outer;
  LevelCode inner;
  switch (dataflow) {
    case FixedDataflow::kDla:
      outer = {kK, 0, {kK, kC, kR, kS, kY, kX}, {1, 64, 1, 1, whole[4], whole[5]}};
      inner = {kC, 64, {kC, kY, kX, kR, kS, kK}, {1, 1, 1, 1, whole[4], whole[5]}};
      break;
    case FixedDataflow::kShi:
      outer = {kY, 0, {kK, kC, kY, kX, kR, kS}, {1, 1, 1, 8, whole[4], whole[5]}};
      inner = {kX, 8, {kK, kC, kY, kX, kR, kS}, {1, 1, 1, 1, whole[4], whole[5]}};
      break;
    case FixedDataflow::kEye:
      outer = {kY, 0, {kY, kX, kC, kK, kR, kS}, {16, 1, 1, 1, whole[4], whole[5]}};
      inner = {kR, whole[4], {kK, kC, kY, kX, kR, kS}, {16, 1, 1, 1, 1, whole[5]}};
      break;
  }
  mapping::DataflowCode code;
  code.levels.push_back(outer);
  if (space.options().levels > 1) {
    code.levels.push_back(inner);
  }
  return space.Repair(code);
}

std::unique_ptr<CodeSearch> MakeFixedSearch(FixedDataflow dataflow) {
  return std::make_unique<FixedSearch>(dataflow);
}

}  // namespace sluice::mapper::codes
