// What the reference model refuses to count.

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/diagnostic.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "testing/nests.h"

namespace sluice::testing {
namespace {

using ::testing::HasSubstr;

class EvaluatorErrors : public ::testing::Test {
 protected:
  [[nodiscard]] Diagnostic Refusal() const {
    const auto evaluator = cost::Evaluator::Create(nest_, chain_, cost::PhysicalPolicy());
    if (evaluator) {
      ADD_FAILURE() << "accepted";
      return {};
    }
    return evaluator.error();
  }

  mapping::Workload nest_ =
      MakeNest({{"M", 1024}, {"N", 1024}, {"K", 1024}},
               {{"Output", {"M", "N"}}, {"A", {"M", "K"}}, {"B", {"K", "N"}}});
  arch::Chain chain_ = MakeChain(MakeMapping(nest_, {"M=1024 N=1024 K=1024", ""}));
};

// A count of cycles is a whole number of 64 bits; it used to wrap.
TEST_F(EvaluatorErrors, MemoryTooSlowToCountItsCycles) {
  chain_.levels[1].memory.write_bandwidth = 1e-12;
  const Diagnostic error = Refusal();
  EXPECT_EQ(error.code, ErrorCode::kArchInvalid);
  EXPECT_THAT(error.message,
              HasSubstr("memory `" + chain_.levels[1].memory.name + "` is too slow"));
}

TEST_F(EvaluatorErrors, ComputeUnitTooSlowToCountItsCycles) {
  chain_.compute.classes.front().operations_per_cycle = 1e-12;
  const Diagnostic error = Refusal();
  EXPECT_EQ(error.code, ErrorCode::kArchInvalid);
  EXPECT_THAT(error.message, HasSubstr("compute unit"));
}

TEST_F(EvaluatorErrors, SlowIsNotTooSlow) {
  chain_.levels[1].memory.write_bandwidth = 1e-6;
  chain_.compute.classes.front().operations_per_cycle = 1e-6;
  EXPECT_TRUE(cost::Evaluator::Create(nest_, chain_, cost::PhysicalPolicy()));
}

}  // namespace
}  // namespace sluice::testing
