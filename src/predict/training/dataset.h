#pragma once
/// \file
/// Data sets: layers on machines, each with codes and what a cost model said about them, and the
/// compact binary file that holds them.
///
/// File: a header, then one record a group (layer and machine), each with its own checksum. Group i
/// depends on (options, i) alone, so a file that was cut short is continued with the group after
/// its last whole one and ends up with the bytes of an uninterrupted run.
/// Tested by tests/unit/predict_dataset_test.cpp, tests/fuzz/predict_files.cpp.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/rng.h"
#include "cost/maestro/hardware.h"
#include "mapper/codes/search.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"
#include "predict/features.h"

namespace sluice::predict {

struct Sample {
  mapping::DataflowCode code;
  std::array<float, kComponents> label{};  ///< natural logarithms of the components
  bool random = true;  ///< independent of all others; false: found by following the cost downwards
  friend bool operator==(const Sample&, const Sample&) = default;
};

struct Group {
  mapping::Layer layer;
  cost::maestro::Hardware hardware;
  std::vector<Sample> samples;
  friend bool operator==(const Group&, const Group&) = default;
};

struct DatasetOptions {
  std::uint64_t seed = 1;
  std::uint32_t groups = 4000;
  std::uint32_t codes = 96;  ///< priced in each
  mapper::codes::SpaceOptions space;
  bool compatible = false;  ///< labels of `maestro` instead of `maestro-exact`
  /// Of all layers; empty: each layer gets a random one.
  std::optional<cost::maestro::Hardware> machine;
  friend bool operator==(const DatasetOptions&, const DatasetOptions&) = default;
};
inline constexpr std::uint32_t kMaxGroups = 1'000'000;
inline constexpr std::uint32_t kMaxCodes = 10'000;
/// Errors: kBadValue.
Status ValidateDatasetOptions(const DatasetOptions& options);

/// Which groups serve for what: by layer, as a group is one.
enum class Split : std::uint8_t { kTrain, kValidation, kTest };
Split SplitOf(std::size_t group);

struct Dataset {
  DatasetOptions options;
  std::vector<Group> groups;
  [[nodiscard]] std::size_t samples() const;
};

std::string DatasetHeader(const DatasetOptions& options);
std::string GroupRecord(const Group& group);

struct ParsedDataset {
  Dataset dataset;
  std::size_t good_bytes = 0;  ///< the header and all whole records
  bool complete = false;       ///< every group, and nothing after them
};
/// Reads what is whole. Errors: kSyntax for a header that is none, kVersion, kBadValue.
Result<ParsedDataset> ParseDataset(std::string_view bytes, const std::string& name);
/// Errors: as above, of ReadFile, and kSyntax for a file that is incomplete or damaged.
Result<Dataset> ReadDataset(const std::string& path);

/// Group `index` of the data set that the options name. Deterministic.
Group SampleGroup(const DatasetOptions& options, std::size_t index);
/// Codes for a given layer and machine, half of them random, half following the cost. Requires:
/// ValidateLayer(layer), ValidateDatasetOptions(options).
Group LabelGroup(const mapping::Layer& layer, const cost::maestro::Hardware& hardware,
                 const DatasetOptions& options, Rng& rng);

struct DatasetProgress {
  std::size_t groups = 0;
  std::size_t of = 0;
};
struct DatasetRun {
  std::size_t groups = 0;   ///< in the file now
  std::size_t resumed = 0;  ///< of them there before
  std::size_t samples = 0;  ///< labelled in this run
  double seconds = 0;
  double cpu_seconds = 0;  ///< of all threads
  bool complete = false;   ///< false: stopped; run again to continue
};
/// Makes the file, or continues it, and writes the manifest `path`.json. `stop` may be null.
/// Errors: of the files; kPlanMismatch when the file holds another data set.
Result<DatasetRun> MakeDataset(const std::string& path, const DatasetOptions& options, int threads,
                               const std::atomic<bool>* stop,
                               const std::function<void(const DatasetProgress&)>& progress);
/// The same in memory, for training without a file. Incomplete when stopped.
Dataset SampleDataset(const DatasetOptions& options, int threads, const std::atomic<bool>* stop,
                      const std::function<void(const DatasetProgress&)>& progress);

}  // namespace sluice::predict
