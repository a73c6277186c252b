/// \file
/// Laws of the `maestro` cost models. The exact one against a literal walk (tests/testing) and
/// against physics; the compatible one against the exact one where all tiles divide; and neither
/// ends the program, whatever the dataflow.

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "cost/maestro/compatible.h"
#include "cost/maestro/exact.h"
#include "testing/maestro_cases.h"
#include "testing/maestro_walk.h"

namespace sluice {
namespace {

using cost::maestro::CompatibleModel;
using cost::maestro::ExactModel;
using cost::maestro::MakeTileChain;
using cost::maestro::Report;
using cost::maestro::Verdict;
using mapping::LayerDim;
using mapping::LayerType;

/// No window: a tile of the input is as plain as any other.
bool IsPlain(const mapping::Layer& layer) {
  return layer.type == LayerType::kGemm || (layer[LayerDim::kR] == 1 && layer[LayerDim::kS] == 1);
}

RC_GTEST_PROP(MaestroExact, AgreesWithALiteralWalk, ()) {
  Rng rng(*rc::gen::arbitrary<std::uint64_t>());
  const auto test = testing::RandomMaestroCase(rng, {.largest = 4, .dividing = false});
  const auto chain = MakeTileChain(test.layer, test.hardware, test.dataflow);
  RC_PRE(chain.verdict == Verdict::kOk);
  const Report report = ExactModel(test.layer, test.hardware).Evaluate(test.dataflow);
  RC_ASSERT(report.verdict == Verdict::kOk);
  // Units that pause for a ragged round are between remembering all and nothing; without such a
  // round both walks are the same.
  const auto walk = [&](testing::Idle idle) {
    return testing::WalkMaestro(test.layer, test.hardware, chain, idle);
  };
  const testing::MaestroWalk least = walk(testing::Idle::kKeeps);
  const testing::MaestroWalk most = walk(testing::Idle::kForgets);
  RC_ASSERT(least.each_once);
  RC_ASSERT(report.macs == least.operations);
  RC_ASSERT(report.tensors[2].l2_writes == least.writes);
  RC_ASSERT(report.tensors[1].l2_reads >= least.reads[1]);
  RC_ASSERT(report.tensors[1].l2_reads <= most.reads[1]);
  RC_ASSERT(report.tensors[0].l2_reads >= least.reads[0]);
  RC_ASSERT(report.runtime >= least.runtime);
  if (IsPlain(test.layer)) {  // halos are shared only by neighbours that are filled together
    RC_ASSERT(report.tensors[0].l2_reads <= most.reads[0]);
    RC_ASSERT(report.runtime <= most.runtime);
  }
}

RC_GTEST_PROP(MaestroExact, NothingIsPhysicallyImpossible, ()) {
  Rng rng(*rc::gen::arbitrary<std::uint64_t>());
  const auto test = testing::RandomMaestroCase(rng, {.largest = 300, .dividing = false});
  const Report report = ExactModel(test.layer, test.hardware).Evaluate(test.dataflow);
  RC_PRE(report.verdict == Verdict::kOk);
  RC_ASSERT(report.macs == test.layer.macs());
  RC_ASSERT(report.runtime >= report.compute_bound);
  RC_ASSERT(report.physical());
  RC_ASSERT(report.average_pes <= static_cast<double>(test.hardware.pes) * (1 + 1e-12));
  for (std::size_t t = 0; t < 2; ++t) {
    RC_ASSERT(report.tensors[t].l2_reads >= report.tensors[t].l2_writes);  // at least once each
    RC_ASSERT(report.tensors[t].l1_reads == report.macs);
  }
  RC_ASSERT(report.tensors[2].l2_writes >= report.tensors[2].l2_reads);
  const auto energy = EnergyOf(report);
  RC_ASSERT(energy.l2 > 0 && energy.l1 > 0 && energy.mac > 0);
}

RC_GTEST_PROP(MaestroExact, MoreBandwidthIsNeverSlower, ()) {
  Rng rng(*rc::gen::arbitrary<std::uint64_t>());
  auto test = testing::RandomMaestroCase(rng, {.largest = 60, .dividing = false});
  const Report narrow = ExactModel(test.layer, test.hardware).Evaluate(test.dataflow);
  RC_PRE(narrow.verdict == Verdict::kOk);
  test.hardware.noc_bandwidth *= 2;
  test.hardware.offchip_bandwidth *= 2;
  const Report wide = ExactModel(test.layer, test.hardware).Evaluate(test.dataflow);
  RC_ASSERT(wide.runtime <= narrow.runtime);
  RC_ASSERT(wide.tensors == narrow.tensors);
}

/// Where every tile divides its parent and every unit is busy, the tool is right about the work,
/// and wrong about inputs only by those that start over for nothing.
RC_GTEST_PROP(MaestroCompatible, EqualsTheExactModelOnDividingTiles, ()) {
  Rng rng(*rc::gen::arbitrary<std::uint64_t>());
  const auto test = testing::RandomMaestroCase(rng, {.largest = 48, .dividing = true});
  const Report exact = ExactModel(test.layer, test.hardware).Evaluate(test.dataflow);
  const Report tool = CompatibleModel(test.layer, test.hardware).Evaluate(test.dataflow);
  RC_PRE(exact.verdict == Verdict::kOk);
  RC_ASSERT(tool.verdict == Verdict::kOk);
  RC_ASSERT(tool.macs == exact.macs);
  RC_ASSERT(tool.tensors[2].l2_writes == exact.tensors[2].l2_writes);
  RC_ASSERT(tool.tensors[2].l2_reads == exact.tensors[2].l2_reads);
  RC_ASSERT(tool.runtime <= exact.runtime);
  for (std::size_t t = 0; t < 2; ++t) {
    RC_ASSERT(tool.tensors[t].l2_reads <= exact.tensors[t].l2_reads);
    RC_ASSERT(tool.tensors[t].l2_words == exact.tensors[t].l2_words);
    RC_ASSERT(tool.tensors[t].l1_words == exact.tensors[t].l1_words);
  }
  if (!testing::StartsOver(test.layer, MakeTileChain(test.layer, test.hardware, test.dataflow))) {
    RC_ASSERT(tool.runtime == exact.runtime);
    RC_ASSERT(tool.tensors[0].l2_reads == exact.tensors[0].l2_reads);
    RC_ASSERT(tool.tensors[1].l2_reads == exact.tensors[1].l2_reads);
  }
}

RC_GTEST_PROP(MaestroCompatible, AnyDataflowHasAVerdict, ()) {
  Rng rng(*rc::gen::arbitrary<std::uint64_t>());
  const auto test = testing::WildMaestroCase(rng);
  RC_PRE(mapping::ValidateLayer(test.layer).has_value());
  RC_PRE(mapping::ValidateDataflow(test.layer, test.dataflow).has_value());
  const Report tool = CompatibleModel(test.layer, test.hardware).Evaluate(test.dataflow);
  RC_ASSERT(!VerdictText(tool.verdict).empty());
  const Report exact = ExactModel(test.layer, test.hardware).Evaluate(test.dataflow);
  RC_ASSERT(exact.verdict != Verdict::kOk || exact.physical());
}

}  // namespace
}  // namespace sluice
