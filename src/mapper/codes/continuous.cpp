// Searches over the unit cube: (1+1)-ES, differential evolution, particle swarm. Points outside are
// clamped when they are read (CodeSpace::FromPoint) and reflected when they are kept.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "mapper/codes/judge.h"
#include "mapper/codes/normal.h"
#include "mapper/codes/search.h"
#include "mapper/codes/searches.h"
#include "mapper/codes/space.h"
#include "mapping/dataflow/code.h"

namespace sluice::mapper::codes {
namespace {

using Point = std::vector<double>;
constexpr double kInfinite = std::numeric_limits<double>::infinity();

Point RandomPoint(std::size_t size, Rng& rng) {
  Point point(size);
  std::ranges::generate(point, [&] { return rng.Uniform(); });
  return point;
}

/// What every search of this file has at hand.
struct Arena {
  explicit Arena(const CodeProblem& problem)
      : judge(problem),
        space(problem.oracle->layer(), problem.oracle->hardware(), problem.space),
        rng(problem.seed) {}

  std::vector<double> Price(const std::vector<Point>& points) {
    std::vector<mapping::DataflowCode> codes;
    codes.reserve(points.size());
    for (const Point& point : points) {
      codes.push_back(space.FromPoint(point));
    }
    std::vector<double> values(points.size());
    judge.Price(codes, values);
    return values;
  }
  /// `count` points: those of the starts, then random ones.
  std::vector<Point> Population(std::size_t count) {
    std::vector<Point> points;
    for (const auto& start : judge.problem().starts) {
      if (points.size() < count && space.Contains(start) &&
          start.levels.size() == static_cast<std::size_t>(space.options().levels)) {
        points.push_back(space.ToPoint(start));
      }
    }
    while (points.size() < count) {
      points.push_back(RandomPoint(space.coordinates(), rng));
    }
    return points;
  }
  std::size_t Draw(std::size_t count) { return rng.Below(static_cast<std::uint32_t>(count)); }

  Judge judge;
  CodeSpace space;
  Rng rng;
};

class EvolutionStrategy final : public CodeSearch {
 public:
  [[nodiscard]] std::string_view name() const override { return "es"; }
  [[nodiscard]] std::string_view description() const override {
    return "(1+1) evolution strategy with the one-fifth rule";
  }
  [[nodiscard]] CodeResult Run(const CodeProblem& problem) const override {
    Arena arena(problem);
    Point parent =
        arena.space.ToPoint(arena.space.Repair(FirstCode(arena.judge, arena.space, arena.rng)));
    double value = arena.judge.so_far().value;
    double step = 0.3;
    const double grow = std::exp(0.8 / std::sqrt(static_cast<double>(parent.size()) + 1));
    while (!arena.judge.done()) {
      Point child = parent;
      for (double& x : child) {
        x = Reflect(x + step * Normal(arena.rng));
      }
      const double next = arena.judge.Price(arena.space.FromPoint(child));
      // Ties are taken: most steps change no decision.
      step = std::clamp(next < value ? step * grow : step * std::pow(grow, -0.25), 0.01, 1.0);
      if (next <= value) {
        value = next;
        parent = std::move(child);
      }
    }
    return arena.judge.Finish();
  }
};

class DifferentialEvolution final : public CodeSearch {
 public:
  [[nodiscard]] std::string_view name() const override { return "de"; }
  [[nodiscard]] std::string_view description() const override {
    return "differential evolution, rand/1/bin";
  }
  [[nodiscard]] CodeResult Run(const CodeProblem& problem) const override {
    constexpr std::size_t kPopulation = 30;
    constexpr double kWeight = 0.7;
    constexpr double kCrossover = 0.7;
    Arena arena(problem);
    std::vector<Point> points = arena.Population(kPopulation);
    std::vector<double> values = arena.Price(points);
    while (!arena.judge.done()) {
      std::vector<Point> trials = points;
      for (Point& trial : trials) {
        const Point& a = points[arena.Draw(kPopulation)];
        const Point& b = points[arena.Draw(kPopulation)];
        const Point& c = points[arena.Draw(kPopulation)];
        const std::size_t sure = arena.Draw(trial.size());
        for (std::size_t i = 0; i < trial.size(); ++i) {
          if (i == sure || arena.rng.Uniform() < kCrossover) {
            trial[i] = Reflect(a[i] + kWeight * (b[i] - c[i]));
          }
        }
      }
      const std::vector<double> next = arena.Price(trials);
      for (std::size_t i = 0; i < points.size(); ++i) {
        if (next[i] <= values[i]) {
          values[i] = next[i];
          points[i] = std::move(trials[i]);
        }
      }
    }
    return arena.judge.Finish();
  }
};

class ParticleSwarm final : public CodeSearch {
 public:
  [[nodiscard]] std::string_view name() const override { return "pso"; }
  [[nodiscard]] std::string_view description() const override {
    return "particle swarm with constriction";
  }
  [[nodiscard]] CodeResult Run(const CodeProblem& problem) const override {
    constexpr std::size_t kParticles = 40;
    constexpr double kInertia = 0.7298;
    constexpr double kPull = 1.49618;
    Arena arena(problem);
    std::vector<Point> points = arena.Population(kParticles);
    std::vector<Point> speeds(kParticles, Point(arena.space.coordinates(), 0));
    std::vector<Point> best = points;
    std::vector<double> values(kParticles, kInfinite);
    while (!arena.judge.done()) {
      const std::vector<double> now = arena.Price(points);
      for (std::size_t p = 0; p < kParticles; ++p) {
        if (now[p] <= values[p]) {
          values[p] = now[p];
          best[p] = points[p];
        }
      }
      const Point& leader =
          best[static_cast<std::size_t>(std::ranges::min_element(values) - values.begin())];
      for (std::size_t p = 0; p < kParticles; ++p) {
        for (std::size_t i = 0; i < points[p].size(); ++i) {
          double& speed = speeds[p][i];
          double& x = points[p][i];
          speed = kInertia * speed + kPull * arena.rng.Uniform() * (best[p][i] - x) +
                  kPull * arena.rng.Uniform() * (leader[i] - x);
          speed = std::clamp(speed, -0.5, 0.5);
          x = Reflect(x + speed);
        }
      }
    }
    return arena.judge.Finish();
  }
};

}  // namespace

std::unique_ptr<CodeSearch> MakeEvolutionStrategy() {
  return std::make_unique<EvolutionStrategy>();
}
std::unique_ptr<CodeSearch> MakeDifferentialEvolution() {
  return std::make_unique<DifferentialEvolution>();
}
std::unique_ptr<CodeSearch> MakeParticleSwarm() {
  return std::make_unique<ParticleSwarm>();
}

}  // namespace sluice::mapper::codes
