// CMA-ES (Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv 1604.00772) with its default
// constants: rank-one and rank-mu updates, cumulative step size. The factor of the covariance is
// found by Jacobi rotations, which at some 25 coordinates cost less than the samples.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numeric>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "mapper/codes/judge.h"
#include "mapper/codes/normal.h"
#include "mapper/codes/search.h"
#include "mapper/codes/searches.h"
#include "mapper/codes/space.h"

namespace sluice::mapper::codes {
namespace {

using Point = std::vector<double>;
using Matrix = std::vector<Point>;

Matrix Identity(std::size_t n) {
  Matrix m(n, Point(n, 0));
  for (std::size_t i = 0; i < n; ++i) {
    m[i][i] = 1;
  }
  return m;
}

/// a = v * diagonal(result) * transposed(v), by cyclic Jacobi rotations.
Point Eigen(Matrix a, Matrix& v) {
  const std::size_t n = a.size();
  v = Identity(n);
  for (int sweep = 0; sweep < 12; ++sweep) {
    double off = 0;
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        off += std::abs(a[p][q]);
        if (std::abs(a[p][q]) < 1e-14) {
          continue;
        }
        const double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const double t = std::copysign(1 / (std::abs(theta) + std::sqrt(theta * theta + 1)), theta);
        const double c = 1 / std::sqrt(t * t + 1);
        const double s = t * c;
        for (std::size_t k = 0; k < n; ++k) {
          const double kp = a[k][p];
          a[k][p] = c * kp - s * a[k][q];
          a[k][q] = s * kp + c * a[k][q];
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double pk = a[p][k];
          a[p][k] = c * pk - s * a[q][k];
          a[q][k] = s * pk + c * a[q][k];
          const double vp = v[k][p];
          v[k][p] = c * vp - s * v[k][q];
          v[k][q] = s * vp + c * v[k][q];
        }
      }
    }
    if (off < 1e-10) {
      break;
    }
  }
  Point values(n);
  for (std::size_t i = 0; i < n; ++i) {
    values[i] = std::max(a[i][i], 1e-12);
  }
  return values;
}

class Cma {
 public:
  Cma(const Point& mean, Rng& rng)
      : n_(mean.size()),
        size_(4 + static_cast<std::size_t>(3 * std::log(static_cast<double>(n_)))),
        mean_(mean),
        rng_(rng) {
    covariance_ = Identity(n_);
    basis_ = Identity(n_);
    scale_.assign(n_, 1);
    path_step_.assign(n_, 0);
    path_shape_.assign(n_, 0);
    for (std::size_t i = 0; i < size_ / 2; ++i) {
      weights_.push_back(std::log(static_cast<double>(size_) / 2 + 0.5) -
                         std::log(static_cast<double>(i) + 1));
    }
    const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0);
    double squares = 0;
    for (double& w : weights_) {
      w /= sum;
      squares += w * w;
    }
    mass_ = 1 / squares;
  }

  std::vector<Point> Ask() {
    std::vector<Point> points(size_, mean_);
    steps_.assign(size_, Point(n_, 0));
    for (std::size_t k = 0; k < size_; ++k) {
      for (std::size_t j = 0; j < n_; ++j) {
        const double z = std::sqrt(scale_[j]) * Normal(rng_);
        for (std::size_t i = 0; i < n_; ++i) {
          steps_[k][i] += basis_[i][j] * z;
        }
      }
      for (std::size_t i = 0; i < n_; ++i) {
        points[k][i] = Reflect(points[k][i] + sigma_ * steps_[k][i]);
      }
    }
    return points;
  }

  void Tell(const std::vector<double>& values) {
    const double n = static_cast<double>(n_);
    const double c_step = (mass_ + 2) / (n + mass_ + 5);
    const double damping = 1 + 2 * std::max(0.0, std::sqrt((mass_ - 1) / (n + 1)) - 1) + c_step;
    const double c_path = (4 + mass_ / n) / (n + 4 + 2 * mass_ / n);
    const double c_one = 2 / ((n + 1.3) * (n + 1.3) + mass_);
    const double c_mu =
        std::min(1 - c_one, 2 * (mass_ - 2 + 1 / mass_) / ((n + 2) * (n + 2) + mass_));
    const double expected = std::sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
    std::vector<std::size_t> rank(size_);
    std::iota(rank.begin(), rank.end(), std::size_t{0});
    std::ranges::stable_sort(rank, {}, [&](std::size_t i) { return values[i]; });
    Point mean_step(n_, 0);
    for (std::size_t k = 0; k < weights_.size(); ++k) {
      for (std::size_t i = 0; i < n_; ++i) {
        mean_step[i] += weights_[k] * steps_[rank[k]][i];
      }
    }
    double length = 0;
    for (std::size_t j = 0; j < n_; ++j) {
      mean_[j] = Reflect(mean_[j] + sigma_ * mean_step[j]);
    }
    const Point white = Whiten(mean_step);
    for (std::size_t i = 0; i < n_; ++i) {
      path_step_[i] =
          (1 - c_step) * path_step_[i] + std::sqrt(c_step * (2 - c_step) * mass_) * white[i];
      path_shape_[i] =
          (1 - c_path) * path_shape_[i] + std::sqrt(c_path * (2 - c_path) * mass_) * mean_step[i];
      length += path_step_[i] * path_step_[i];
    }
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t j = 0; j < n_; ++j) {
        double sum = 0;
        for (std::size_t k = 0; k < weights_.size(); ++k) {
          sum += weights_[k] * steps_[rank[k]][i] * steps_[rank[k]][j];
        }
        covariance_[i][j] = (1 - c_one - c_mu) * covariance_[i][j] +
                            c_one * path_shape_[i] * path_shape_[j] + c_mu * sum;
      }
    }
    sigma_ = std::clamp(sigma_ * std::exp(c_step / damping * (std::sqrt(length) / expected - 1)),
                        0.01, 0.5);
    if (++generation_ % 5 == 0) {
      scale_ = Eigen(covariance_, basis_);
    }
  }

 private:
  /// The step as the standard normal numbers that make it.
  [[nodiscard]] Point Whiten(const Point& step) const {
    Point white(n_, 0);
    for (std::size_t j = 0; j < n_; ++j) {
      double along = 0;
      for (std::size_t i = 0; i < n_; ++i) {
        along += basis_[i][j] * step[i];
      }
      along /= std::sqrt(scale_[j]);
      for (std::size_t i = 0; i < n_; ++i) {
        white[i] += basis_[i][j] * along;
      }
    }
    return white;
  }

  std::size_t n_;
  std::size_t size_;
  Point mean_;
  Matrix covariance_;
  Matrix basis_;  ///< eigenvectors in columns
  Point scale_;   ///< eigenvalues
  Point path_step_;
  Point path_shape_;
  std::vector<Point> steps_;
  std::vector<double> weights_;
  double mass_ = 1;
  double sigma_ = 0.3;
  int generation_ = 0;
  Rng& rng_;
};

class CovarianceAdaptation final : public CodeSearch {
 public:
  [[nodiscard]] std::string_view name() const override { return "cma-es"; }
  [[nodiscard]] std::string_view description() const override {
    return "evolution strategy with covariance matrix adaptation";
  }
  [[nodiscard]] CodeResult Run(const CodeProblem& problem) const override {
    Judge judge(problem);
    const CodeSpace space(problem.oracle->layer(), problem.oracle->hardware(), problem.space);
    Rng rng(problem.seed);
    auto first = space.Repair(FirstCode(judge, space, rng));
    if (first.levels.size() != static_cast<std::size_t>(problem.space.levels)) {
      first = space.Random(rng);
    }
    Cma cma(space.ToPoint(first), rng);
    while (!judge.done()) {
      std::vector<mapping::DataflowCode> codes;
      for (const Point& point : cma.Ask()) {
        codes.push_back(space.FromPoint(point));
      }
      std::vector<double> values(codes.size());
      judge.Price(codes, values);
      cma.Tell(values);
    }
    return judge.Finish();
  }
};

}  // namespace

std::unique_ptr<CodeSearch> MakeCovarianceAdaptation() {
  return std::make_unique<CovarianceAdaptation>();
}

}  // namespace sluice::mapper::codes
