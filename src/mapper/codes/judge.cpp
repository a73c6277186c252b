#include "mapper/codes/judge.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "base/cpu_time.h"
#include "base/diagnostic.h"
#include "cost/oracle/oracle.h"
#include "mapper/codes/front.h"
#include "mapper/codes/search.h"
#include "mapping/dataflow/code.h"

namespace sluice::mapper::codes {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// Above any exchange rate between cycles and energy that was seen.
double ExcessFactor(const cost::CodeCost& cost, double cycle_limit) {
  return cost.cycles <= cycle_limit ? 1.0 : std::pow(cost.cycles / cycle_limit, 6.0);
}

}  // namespace

std::string_view CodeObjectiveName(CodeObjective objective) {
  switch (objective) {
    case CodeObjective::kLatency:
      return "latency";
    case CodeObjective::kEnergy:
      return "energy";
    case CodeObjective::kEdp:
      break;
  }
  return "edp";
}

std::string_view EnergyKindName(EnergyKind kind) {
  return kind == EnergyKind::kOuter ? "outer" : "full";
}

double ValueOf(const cost::CodeCost& cost, CodeObjective objective, EnergyKind energy) {
  if (!cost.legal()) {
    return kInfinite;
  }
  constexpr double kNanojoules = 1e-3;  // per picojoule
  const double spent =
      kNanojoules * (energy == EnergyKind::kOuter ? cost.energy_outer_pj : cost.energy_full_pj);
  switch (objective) {
    case CodeObjective::kLatency:
      return cost.cycles;
    case CodeObjective::kEnergy:
      return spent;
    case CodeObjective::kEdp:
      break;
  }
  return cost.cycles * spent;
}

Judge::Judge(const CodeProblem& problem) : problem_(problem), start_seconds_(ThreadSeconds()) {
  SLUICE_CHECK(problem.oracle != nullptr, "a search needs an oracle");
}

std::size_t Judge::Price(std::span<const mapping::DataflowCode> codes, std::span<double> values) {
  SLUICE_CHECK(codes.size() == values.size(), "one value a code");
  std::ranges::fill(values, kInfinite);
  const auto room = static_cast<std::size_t>(std::max<std::int64_t>(left(), 0));
  const std::size_t count = std::min(codes.size(), room);
  costs_.assign(count, {});
  if (count == 0) {
    return 0;
  }
  const auto status = problem_.oracle->Evaluate(codes.first(count), costs_);
  for (std::size_t i = 0; i < count; ++i) {
    if (!status && costs_[i].verdict == cost::CodeVerdict::kRefused) {
      continue;  // not answered before the oracle failed
    }
    ++result_.samples;
    values[i] = ValueOf(costs_[i], problem_.objective, problem_.energy) *
                ExcessFactor(costs_[i], problem_.cycle_limit);
    if (costs_[i].legal()) {
      ++result_.legal;
      if (problem_.keep_front) {
        InsertIntoFront(result_.front, {codes[i], costs_[i]}, problem_.energy);
      }
    }
    if (values[i] < result_.value) {
      result_.value = values[i];
      result_.best = codes[i];
      result_.cost = costs_[i];
    }
    Note(result_.samples);
  }
  if (!status) {
    result_.stopped = status.error();
    done_ = true;
  }
  return count;
}

double Judge::Price(const mapping::DataflowCode& code) {
  double value = kInfinite;
  Price(std::span(&code, 1), std::span(&value, 1));
  return value;
}

void Judge::Note(std::int64_t samples) {
  if (next_checkpoint_ < kCheckpoints.size() && samples == kCheckpoints[next_checkpoint_]) {
    result_.trace.push_back({samples, result_.value, ThreadSeconds() - start_seconds_});
    ++next_checkpoint_;
  }
}

CodeResult Judge::Finish() {
  result_.cpu_seconds = ThreadSeconds() - start_seconds_;
  if (result_.trace.empty() || result_.trace.back().samples != result_.samples) {
    result_.trace.push_back({result_.samples, result_.value, result_.cpu_seconds});
  }
  done_ = true;
  return result_;
}

}  // namespace sluice::mapper::codes
