#include "predict/search/relax.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"
#include "predict/features.h"
#include "predict/predictor.h"
#include "predict/scalar_features.h"

namespace sluice::predict {
namespace {

using mapping::CodeDim;
using mapping::kCodeDims;

constexpr std::array<Component, 2> kBuffers = {Component::kInnerWords, Component::kOuterWords};
constexpr std::array<Component, 3> kSums = {Component::kLatency, Component::kOuterEnergy,
                                            Component::kFullEnergy};
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
    const double excess = logs[Index(kBuffers[b])] - limit[b];
    score += excess > tolerance[b] ? 1 + kHinge * excess : 0;
  }
  return score + kHinge * std::max(logs[Index(Component::kLatency)] - cycle_limit, 0.0);
}

bool Target::Sharpen(const Components& refused, const Components& logs) {
  bool sharper = false;
  for (std::size_t b = 0; b < kBuffers.size(); ++b) {
    const double over = refused[Index(kBuffers[b])] - limit[b];
    constexpr double kBelow = 1e-6;
    if (logs[Index(kBuffers[b])] > limit[b] + kBelow && over > 0 && over <= tolerance[b]) {
      tolerance[b] = std::max(over - kBelow, 0.0);
      sharper = true;
    }
  }
  return sharper;
}

Components Target::Slopes(const Components& part, double count, const Components& sum) const {
  Components slopes = weight;
  if (sum[Index(Component::kLatency)] > cycle_limit) {
    slopes[Index(Component::kLatency)] += kHinge;
  }
  for (const Component component : kSums) {
    const std::size_t c = Index(component);
    slopes[c] *= count * std::exp(part[c] - sum[c]);
  }
  for (std::size_t b = 0; b < kBuffers.size(); ++b) {
    if (part[Index(kBuffers[b])] > limit[b]) {
      slopes[Index(kBuffers[b])] += kHinge;
    }
  }
  return slopes;
}

Prediction Summed(std::span<const PredictedPart> parts, std::span<const Prediction> predictions) {
  if (parts.size() == 1 && parts[0].count == 1) {
    return predictions[0];
  }
  Prediction sum = predictions[0];
  for (const Component component : kSums) {
    const std::size_t c = Index(component);
    double total = 0;
    double uncertain = 0;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const double part = parts[p].count * std::exp(predictions[p].mean[c]);
      total += part;
      uncertain += part * predictions[p].spread[c];
    }
    // cppcheck-suppress invalidFunctionArg ; there is at least one part, and it costs something
    sum.mean[c] = std::log(total);
    sum.spread[c] = uncertain / total;
  }
  for (const Component component : kBuffers) {
    const std::size_t c = Index(component);
    for (const Prediction& one : predictions) {
      if (one.mean[c] > sum.mean[c]) {
        sum.mean[c] = one.mean[c];
        sum.spread[c] = one.spread[c];
      }
    }
  }
  return sum;
}

Relaxation::Relaxation(const mapper::codes::CodeSpace& space, std::span<const PredictedPart> parts,
                       const Target& target, Encoding encoding)
    : space_(space),
      parts_(parts),
      target_(target),
      encoding_(encoding),
      count_(VariableCount(space.options().levels)),
      work_(parts.size()),
      relaxed_(parts.size()) {}

void Relaxation::Reset(std::span<const mapping::DataflowCode> codes) {
  variables_.assign(codes.size() * count_, 0);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::span to = std::span(variables_).subspan(i * count_, count_);
    if (encoding_ == Encoding::kScalar) {
      ScalarVariables(codes[i], to);
      continue;
    }
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
    if (encoding_ == Encoding::kScalar) {
      double& parallel = variables[ParallelAt(l, 0)];
      parallel = std::clamp(parallel, 0.0, kCodeDims - 1.0);
    }
    for (std::size_t d = 0; d < kCodeDims; ++d) {
      const double parent = l == 0 ? LogOf(space_.extents()[d]) : variables[TileAt(l - 1, d)];
      double& tile = variables[TileAt(l, d)];
      const bool window = d >= mapping::Index(CodeDim::kR);
      tile = window && space_.options().whole_windows ? parent : std::clamp(tile, 0.0, parent);
    }
  }
}

std::vector<double> Relaxation::VariablesOf(const PredictedPart& part) const {
  std::vector<double> variables = variables_;
  const std::size_t levels = count_ / kVariablesPerLevel;
  for (std::size_t at = 0; at < variables.size(); at += count_) {
    for (std::size_t l = 0; l < levels; ++l) {
      for (std::size_t d = 0; d < kCodeDims; ++d) {
        double& tile = variables[at + TileAt(l, d)];
        tile = std::min(tile, part.context.log_extent[d]);
      }
    }
  }
  return variables;
}

std::vector<double> Relaxation::Gradient(const Predictor& predictor, std::size_t member) {
  const std::size_t codes = variables_.size() / count_;
  std::vector<std::vector<double>> seen(parts_.size());
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    seen[p] = VariablesOf(parts_[p]);
    predictor.PredictRelaxed(parts_[p].context, member, parts_[p].allowed, seen[p], work_[p],
                             relaxed_[p]);
  }
  std::vector<Components> sums(codes);
  std::vector<Prediction> ones(parts_.size());
  for (std::size_t i = 0; i < codes; ++i) {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      ones[p].mean = relaxed_[p].values[i];
    }
    sums[i] = Summed(parts_, ones).mean;
  }
  std::vector<double> gradient(variables_.size());
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    std::vector<double> slopes;
    slopes.reserve(codes * kComponents);
    for (std::size_t i = 0; i < codes; ++i) {
      const Components slope = target_.Slopes(relaxed_[p].values[i], parts_[p].count, sums[i]);
      slopes.insert(slopes.end(), slope.begin(), slope.end());
    }
    predictor.GradientRelaxed(member, slopes, codes, work_[p], relaxed_[p]);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      // What was cut to fit the layer does not move it.
      gradient[i] += seen[p][i] == variables_[i] ? relaxed_[p].gradients[i] : 0;
    }
  }
  return gradient;
}

void Relaxation::Step(const Predictor& predictor, std::size_t member) {
  const std::size_t codes = variables_.size() / count_;
  const std::vector<double> gradient = Gradient(predictor, member);
  constexpr double kFirst = 0.8;
  constexpr double kSecond = 0.95;
  constexpr double kRate = 0.12;
  constexpr double kTiny = 1e-6;
  ++steps_;
  const double correction1 = 1 - std::pow(kFirst, steps_);
  const double correction2 = 1 - std::pow(kSecond, steps_);
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    const double g = gradient[i];
    first_[i] = kFirst * first_[i] + (1 - kFirst) * g;
    second_[i] = kSecond * second_[i] + (1 - kSecond) * g * g;
    variables_[i] -=
        kRate * first_[i] / correction1 / (std::sqrt(second_[i] / correction2) + kTiny);
  }
  for (std::size_t i = 0; i < codes; ++i) {
    Clamp(std::span(variables_).subspan(i * count_, count_));
  }
}

/// The most likely dim, or the one with the nearest number.
CodeDim Relaxation::ParallelOf(std::span<const double> variables, std::size_t level) const {
  CodeDim best = space_.parallel().front();
  double top = -1e300;
  for (const CodeDim dim : space_.parallel()) {
    const std::size_t d = mapping::Index(dim);
    const double likely = encoding_ == Encoding::kScalar
                              ? -std::abs(variables[ParallelAt(level, 0)] - static_cast<double>(d))
                              : variables[ParallelAt(level, d)];
    if (likely > top) {
      top = likely;
      best = dim;
    }
  }
  return best;
}

std::vector<mapping::DataflowCode> Relaxation::Codes() const {
  std::vector<mapping::DataflowCode> codes;
  for (std::size_t at = 0; at < variables_.size(); at += count_) {
    const std::span from = std::span(variables_).subspan(at, count_);
    mapping::DataflowCode code;
    for (std::size_t l = 0; l < count_ / kVariablesPerLevel; ++l) {
      mapping::LevelCode level;
      level.parallel = ParallelOf(from, l);
      level.units = l == 0 ? 0 : std::llround(std::exp(from[UnitsAt(l)]));
      // Equal keys in the order of the dims. Not stable_sort: the shared library would export its
      // parts.
      std::ranges::sort(level.order, {}, [&](CodeDim dim) {
        return std::pair(from[KeyAt(l, mapping::Index(dim))], dim);
      });
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
