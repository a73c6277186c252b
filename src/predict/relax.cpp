#include "predict/relax.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"
#include "predict/features.h"
#include "predict/predictor.h"

namespace sluice::predict {
namespace {

using mapping::CodeDim;
using mapping::kCodeDims;

constexpr std::array<Component, 2> kBuffers = {Component::kInnerWords, Component::kOuterWords};
/// Of the hinges; steeper than any gain from a larger buffer.
constexpr double kHinge = 6;
constexpr double kChosen = 2;   ///< logit of a choice that was made
constexpr double kSpacing = 2;  ///< between the keys of neighbouring loops

double LogOf(std::int64_t number) {
  return std::log(static_cast<double>(std::max<std::int64_t>(number, 1)));
}

}  // namespace

double Target::Score(const Components& logs, const Components& spread) const {
  double score = 0;
  for (std::size_t c = 0; c < kComponents; ++c) {
    score += weight[c] * (logs[c] + spread[c]);
  }
  for (std::size_t b = 0; b < kBuffers.size(); ++b) {
    constexpr double kTolerance = 0.005;
    const double excess = logs[Index(kBuffers[b])] - limit[b] - kTolerance;
    score += excess > 0 ? 1 + kHinge * excess : 0;
  }
  return score;
}

Components Target::Slopes(const Components& logs) const {
  Components slopes = weight;
  for (std::size_t b = 0; b < kBuffers.size(); ++b) {
    if (logs[Index(kBuffers[b])] > limit[b]) {
      slopes[Index(kBuffers[b])] += kHinge;
    }
  }
  return slopes;
}

Relaxation::Relaxation(const mapper::codes::CodeSpace& space, const Context& context,
                       const Target& target)
    : space_(space),
      context_(context),
      target_(target),
      count_(VariableCount(space.options().levels)) {
  for (const CodeDim dim : space.parallel()) {
    allowed_ |= 1U << mapping::Index(dim);
  }
}

void Relaxation::Reset(std::span<const mapping::DataflowCode> codes) {
  variables_.assign(codes.size() * count_, 0);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::span to = std::span(variables_).subspan(i * count_, count_);
    for (std::size_t l = 0; l < codes[i].levels.size(); ++l) {
      const auto& level = codes[i].levels[l];
      to[ParallelAt(l, mapping::Index(level.parallel))] = kChosen;
      to[UnitsAt(l)] = LogOf(level.units);
      for (std::size_t p = 0; p < level.order.size(); ++p) {
        to[KeyAt(l, mapping::Index(level.order[p]))] = kSpacing * static_cast<double>(p);
      }
      for (std::size_t d = 0; d < kCodeDims; ++d) {
        to[TileAt(l, d)] = LogOf(level.tile[d]);
      }
    }
  }
  first_.assign(variables_.size(), 0);
  second_.assign(variables_.size(), 0);
  steps_ = 0;
}

void Relaxation::Clamp(std::span<double> variables) const {
  double room = LogOf(space_.pes());
  for (std::size_t l = 0; l < count_ / kVariablesPerLevel; ++l) {
    if (l > 0) {
      variables[UnitsAt(l)] = std::clamp(variables[UnitsAt(l)], 0.0, room);
      room -= variables[UnitsAt(l)];
    }
    for (std::size_t d = 0; d < kCodeDims; ++d) {
      const double parent = l == 0 ? LogOf(space_.extents()[d]) : variables[TileAt(l - 1, d)];
      double& tile = variables[TileAt(l, d)];
      const bool window = d >= mapping::Index(CodeDim::kR);
      tile = window && space_.options().whole_windows ? parent : std::clamp(tile, 0.0, parent);
    }
  }
}

void Relaxation::Step(const Predictor& predictor, std::size_t member) {
  const std::size_t codes = variables_.size() / count_;
  predictor.PredictRelaxed(context_, member, allowed_, variables_, work_, relaxed_);
  std::vector<double> slopes;
  slopes.reserve(codes * kComponents);
  for (const Components& logs : relaxed_.values) {
    const Components slope = target_.Slopes(logs);
    slopes.insert(slopes.end(), slope.begin(), slope.end());
  }
  predictor.GradientRelaxed(member, slopes, codes, work_, relaxed_);
  constexpr double kFirst = 0.8;
  constexpr double kSecond = 0.95;
  constexpr double kRate = 0.12;
  constexpr double kTiny = 1e-6;
  ++steps_;
  const double correction1 = 1 - std::pow(kFirst, steps_);
  const double correction2 = 1 - std::pow(kSecond, steps_);
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    const double g = relaxed_.gradients[i];
    first_[i] = kFirst * first_[i] + (1 - kFirst) * g;
    second_[i] = kSecond * second_[i] + (1 - kSecond) * g * g;
    variables_[i] -=
        kRate * first_[i] / correction1 / (std::sqrt(second_[i] / correction2) + kTiny);
  }
  for (std::size_t i = 0; i < codes; ++i) {
    Clamp(std::span(variables_).subspan(i * count_, count_));
  }
}

std::vector<mapping::DataflowCode> Relaxation::Codes() const {
  std::vector<mapping::DataflowCode> codes;
  for (std::size_t at = 0; at < variables_.size(); at += count_) {
    const std::span from = std::span(variables_).subspan(at, count_);
    mapping::DataflowCode code;
    for (std::size_t l = 0; l < count_ / kVariablesPerLevel; ++l) {
      mapping::LevelCode level;
      double top = -1e300;
      for (const CodeDim dim : space_.parallel()) {
        if (from[ParallelAt(l, mapping::Index(dim))] > top) {
          top = from[ParallelAt(l, mapping::Index(dim))];
          level.parallel = dim;
        }
      }
      level.units = l == 0 ? 0 : std::llround(std::exp(from[UnitsAt(l)]));
      std::ranges::stable_sort(level.order, {},
                               [&](CodeDim dim) { return from[KeyAt(l, mapping::Index(dim))]; });
      for (std::size_t d = 0; d < kCodeDims; ++d) {
        level.tile[d] = std::llround(std::exp(from[TileAt(l, d)]));
      }
      code.levels.push_back(level);
    }
    codes.push_back(space_.Repair(mapping::Canonical(space_.layer(), code)));
  }
  return codes;
}

}  // namespace sluice::predict
