#include "predict/training/train.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "base/cpu_time.h"
#include "base/diagnostic.h"
#include "base/rng.h"
#include "mapping/dataflow/code.h"
#include "predict/features.h"
#include "predict/mlp.h"
#include "predict/predictor.h"
#include "predict/training/dataset.h"

namespace sluice::predict {
namespace {

/// Features and what the estimate misses, side by side.
struct Table {
  std::size_t width = 0;
  std::vector<float> features;
  std::vector<float> targets;
  [[nodiscard]] std::size_t rows() const { return targets.size() / kComponents; }
};

void Append(Table& table, const Context& context, Encoding encoding,
            const mapping::DataflowCode& code, const Components& log_components) {
  const std::size_t at = table.features.size();
  table.features.resize(at + table.width);
  Components estimate{};
  Features(context, code, std::span(table.features).subspan(at), estimate, encoding);
  for (std::size_t c = 0; c < kComponents; ++c) {
    table.targets.push_back(
        static_cast<float>(log_components[c] - context.log_bounds()[c] - estimate[c]));
  }
}

Components Widen(const std::array<float, kComponents>& label) {
  Components wide{};
  std::ranges::copy(label, wide.begin());
  return wide;
}

Table MakeTable(const Dataset& dataset, Split split, Encoding encoding) {
  Table table;
  table.width = FeatureCount(dataset.options.space.levels, encoding);
  for (std::size_t g = 0; g < dataset.groups.size(); ++g) {
    if (SplitOf(g) != split) {
      continue;
    }
    const Group& group = dataset.groups[g];
    const Context context(group.layer, group.hardware);
    for (const Sample& sample : group.samples) {
      if (sample.random || encoding == Encoding::kDerived) {
        Append(table, context, encoding, sample.code, Widen(sample.label));
      }
    }
  }
  return table;
}

struct Tables {
  Table train;
  Table validation;
};

struct Standard {
  std::vector<float> center;
  std::vector<float> scale;
};

Standard StandardOf(const Table& table) {
  std::vector<double> sum(table.width);
  std::vector<double> square(table.width);
  for (std::size_t i = 0; i < table.features.size(); ++i) {
    const double x = table.features[i];
    sum[i % table.width] += x;
    square[i % table.width] += x * x;
  }
  Standard result;
  const auto rows = static_cast<double>(table.rows());
  for (std::size_t f = 0; f < table.width; ++f) {
    const double mean = sum[f] / rows;
    const double deviation = std::sqrt(std::max(square[f] / rows - mean * mean, 0.0));
    constexpr double kConstant = 1e-4;
    result.center.push_back(static_cast<float>(mean));
    result.scale.push_back(static_cast<float>(deviation < kConstant ? 1.0 : 1 / deviation));
  }
  return result;
}

void Apply(const Standard& standard, Table& table) {
  constexpr float kFar = 8;
  for (std::size_t i = 0; i < table.features.size(); ++i) {
    const std::size_t f = i % table.width;
    table.features[i] =
        std::clamp((table.features[i] - standard.center[f]) * standard.scale[f], -kFar, kFar);
  }
}

/// Networks that have no estimate to correct start with the mean as their answer: biases are last.
void StartAtMean(const Table& table, Mlp<float>& network) {
  const auto biases = network.weights().last(kComponents);
  Components sum{};
  for (std::size_t i = 0; i < table.targets.size(); ++i) {
    sum[i % kComponents] += static_cast<double>(table.targets[i]);
  }
  for (std::size_t c = 0; c < kComponents; ++c) {
    biases[c] = static_cast<float>(sum[c] / static_cast<double>(table.rows()));
  }
}

/// Sum of losses over a batch and its derivatives, over `samples`.
double Huber(std::span<const float> values, std::span<const float> targets, std::size_t samples,
             std::span<float> slopes) {
  constexpr float kBend = 0.05F;
  const float share = 1.0F / static_cast<float>(samples);
  double loss = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float error = values[i] - targets[i];
    const float size = std::abs(error);
    loss += size <= kBend ? 0.5 * error * error : kBend * (size - 0.5 * kBend);
    slopes[i] = std::clamp(error, -kBend, kBend) * share;
  }
  return loss;
}

/// One network and what its training needs from step to step.
class Trainer {
 public:
  Trainer(Mlp<float>& network, double decay)
      : network_(network),
        adam_(network.weights().size()),
        gradient_(network.weights().size()),
        decay_(decay) {}

  double Step(const Table& table, std::span<const std::uint32_t> rows, double rate) {
    batch_.resize(rows.size() * table.width);
    targets_.resize(rows.size() * kComponents);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t row = rows[i];
      std::copy_n(table.features.data() + row * table.width, table.width,
                  batch_.data() + i * table.width);
      std::copy_n(table.targets.data() + row * kComponents, kComponents,
                  targets_.data() + i * kComponents);
    }
    slopes_.resize(targets_.size());
    const auto values = network_.Forward(batch_, rows.size(), trace_);
    const double loss = Huber(values, targets_, rows.size(), slopes_);
    network_.Backward(batch_, slopes_, rows.size(), trace_, gradient_, {});
    adam_.Step(network_.weights(), gradient_, rate, decay_);
    return loss;
  }

  double Loss(const Table& table) {
    constexpr std::size_t kBatch = 512;
    double loss = 0;
    for (std::size_t at = 0; at < table.rows(); at += kBatch) {
      const std::size_t count = std::min(kBatch, table.rows() - at);
      const auto values = network_.Forward(
          std::span(table.features).subspan(at * table.width, count * table.width), count, trace_);
      slopes_.resize(count * kComponents);
      loss += Huber(values, std::span(table.targets).subspan(at * kComponents, count * kComponents),
                    count, slopes_);
    }
    return loss / static_cast<double>(table.rows());
  }

 private:
  Mlp<float>& network_;
  Adam<float> adam_;
  std::vector<float> gradient_;
  std::vector<float> batch_;
  std::vector<float> targets_;
  std::vector<float> slopes_;
  Mlp<float>::Trace trace_;
  double decay_;
};

bool Stopped(const TrainOptions& options) {
  return options.stop != nullptr && options.stop->load();
}

/// Trains one member; false when stopped.
bool TrainMember(Mlp<float>& network, int member, const Tables& tables, const TrainOptions& options,
                 double start, std::vector<CurvePoint>& curves) {
  Rng rng = Rng(options.seed).Split(static_cast<std::uint64_t>(member) + 1);
  Trainer trainer(network, options.decay);
  std::vector<std::uint32_t> order(tables.train.rows());
  std::iota(order.begin(), order.end(), 0U);
  std::vector<float> best(network.weights().begin(), network.weights().end());
  double best_loss = std::numeric_limits<double>::infinity();
  int waited = 0;
  for (int epoch = 1; epoch <= options.epochs && waited < options.patience; ++epoch) {
    for (std::size_t i = order.size() - 1; i > 0; --i) {
      std::swap(order[i], order[rng.Below(static_cast<std::uint32_t>(i + 1))]);
    }
    double loss = 0;
    for (std::size_t at = 0; at < order.size(); at += options.batch) {
      if (Stopped(options)) {
        std::ranges::copy(best, network.weights().begin());
        return false;
      }
      const double passed =
          (epoch - 1 + static_cast<double>(at) / static_cast<double>(order.size())) /
          options.epochs;
      constexpr double kLast = 0.01;
      const double rate =
          options.rate * (kLast + (1 - kLast) * 0.5 * (1 + std::cos(std::numbers::pi * passed)));
      loss += trainer.Step(tables.train,
                           std::span(order).subspan(at, std::min(options.batch, order.size() - at)),
                           rate);
    }
    const CurvePoint point{member, epoch, loss / static_cast<double>(order.size()),
                           trainer.Loss(tables.validation), ThreadSeconds() - start};
    curves.push_back(point);
    ++waited;
    if (point.validation_loss < best_loss) {
      best_loss = point.validation_loss;
      best.assign(network.weights().begin(), network.weights().end());
      waited = 0;
    }
    if (options.progress) {
      options.progress(point);
    }
  }
  std::ranges::copy(best, network.weights().begin());
  return true;
}

}  // namespace

Status ValidateTrainOptions(const TrainOptions& options) {
  constexpr int kMaxMembers = 16;
  constexpr int kMaxWidth = 1024;
  constexpr std::size_t kMaxLayers = 6;
  const bool layers =
      !options.hidden.empty() && options.hidden.size() <= kMaxLayers &&
      std::ranges::all_of(options.hidden, [](int w) { return w >= 1 && w <= kMaxWidth; });
  if (!layers || options.members < 1 || options.members > kMaxMembers || options.epochs < 1 ||
      options.patience < 1 || options.batch < 1 || !(options.rate > 0) || options.decay < 0) {
    return Fail(Diagnostic(ErrorCode::kBadValue, "impossible training options")
                    .WithHint("1 to 16 members of 1 to 6 hidden layers of 1 to 1024 units"));
  }
  return {};
}

Result<TrainOutcome> Train(const Dataset& dataset, const TrainOptions& options) {
  SLUICE_TRY_STATUS(ValidateTrainOptions(options));
  const double start = ThreadSeconds();
  Tables tables = {.train = MakeTable(dataset, Split::kTrain, options.encoding),
                   .validation = MakeTable(dataset, Split::kValidation, options.encoding)};
  if (tables.train.rows() == 0 || tables.validation.rows() == 0) {
    return Fail(Diagnostic(ErrorCode::kBadValue, "too few layers to train and to validate")
                    .WithHint("one layer in 20 validates; make a data set of at least 20 layers"));
  }
  const Standard standard = StandardOf(tables.train);
  Apply(standard, tables.train);
  Apply(standard, tables.validation);
  std::vector<int> sizes = {static_cast<int>(tables.train.width)};
  sizes.insert(sizes.end(), options.hidden.begin(), options.hidden.end());
  sizes.push_back(static_cast<int>(kComponents));
  std::vector<Mlp<float>> members;
  std::vector<CurvePoint> curves;
  bool complete = true;
  for (int m = 0; m < options.members && complete; ++m) {
    members.emplace_back(sizes, Rng(options.seed).Split(1000 + static_cast<std::uint64_t>(m)));
    if (options.encoding == Encoding::kScalar) {
      StartAtMean(tables.train, members.back());
    }
    complete = TrainMember(members.back(), m, tables, options, start, curves);
  }
  ModelOrigin origin;
  origin.labels = dataset.options.compatible ? "maestro" : "maestro-exact";
  origin.seed = options.seed;
  origin.samples = tables.train.rows();
  const double seconds = ThreadSeconds() - start;
  return TrainOutcome{Predictor(dataset.options.space, options.encoding, standard.center,
                                standard.scale, std::move(members), std::move(origin)),
                      std::move(curves), seconds, complete};
}

Predictor FineTune(const Predictor& predictor, const Context& context, std::span<const Known> known,
                   int steps, double rate) {
  Predictor result = predictor;
  if (known.empty()) {
    return result;
  }
  Table table;
  table.width = FeatureCount(predictor.space().levels, predictor.encoding());
  for (const Known& one : known) {
    const std::size_t at = table.features.size();
    table.features.resize(at + table.width);
    Components estimate{};
    predictor.Standardised(context, one.code, std::span(table.features).subspan(at), estimate);
    for (std::size_t c = 0; c < kComponents; ++c) {
      table.targets.push_back(
          static_cast<float>(one.log_components[c] - context.log_bounds()[c] - estimate[c]));
    }
  }
  constexpr std::size_t kBatch = 128;
  for (auto& member : result.members()) {
    Trainer trainer(member, 0);
    Rng rng(known.size());
    std::vector<std::uint32_t> rows(std::min(kBatch, table.rows()));
    for (int step = 0; step < steps; ++step) {
      for (std::uint32_t& row : rows) {
        row = rng.Below(static_cast<std::uint32_t>(table.rows()));
      }
      trainer.Step(table, rows, rate * (1 - static_cast<double>(step) / steps));
    }
  }
  return result;
}

}  // namespace sluice::predict
