/// \file
/// The texts of the cache: keys and entries (cache.h).
///
/// Every struct whose fields matter is taken apart by a structured binding of all its fields: a new
/// field does not compile until the key has it.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "base/hash.h"
#include "base/text.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "mapper/cache/cache.h"
#include "mapper/mapper.h"
#include "mapping/constraints.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapper {
namespace {

constexpr int kEntryFormat = 1;

/// Collects `name value` lines. Texts carry their length, so that no two lists give one key.
class KeyText {
 public:
  void Add(std::string_view name, std::string_view value) {
    text_ += fmt::format("{} {}:{}\n", name, value.size(), value);
  }
  void Number(std::string_view name, std::int64_t value) {
    text_ += fmt::format("{} {}\n", name, value);
  }
  void Real(std::string_view name, double value) {
    text_ += fmt::format("{} {}\n", name, ShortestDouble(value));
  }
  template <class T>
  void Optional(std::string_view name, const std::optional<T>& value) {
    text_ += value ? fmt::format("{} {}\n", name, *value) : fmt::format("{} none\n", name);
  }
  [[nodiscard]] std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

void AddMemory(KeyText& key, const arch::Memory& memory) {
  const auto& [name, capacity, word_bits, block, buffering, read_bandwidth, write_bandwidth, read,
               fill, update, leakage, keep] = memory;
  key.Add("memory", name);
  key.Optional("capacity", capacity);
  key.Number("word_bits", word_bits);
  key.Number("block", block);
  key.Real("buffering", buffering);
  key.Optional("read_bandwidth", read_bandwidth);
  key.Optional("write_bandwidth", write_bandwidth);
  key.Real("read", read);
  key.Real("fill", fill);
  key.Real("update", update);
  key.Real("leakage", leakage);
  for (const arch::Keep k : keep) {
    key.Number("keep", static_cast<int>(k));
  }
}

void AddFanOut(KeyText& key, const arch::FanOut& fan_out) {
  const auto& [name, x, y, network, dims_x, dims_y] = fan_out;
  key.Add("fan_out", name);
  key.Number("x", x);
  key.Number("y", y);
  const auto& [multicast, reduction, forwarding, hop, router, reduction_pj, bandwidth] = network;
  key.Number("multicast", multicast ? 1 : 0);
  key.Number("reduction", reduction ? 1 : 0);
  key.Number("forwarding", forwarding ? 1 : 0);
  key.Real("hop", hop);
  key.Real("router", router);
  key.Real("reduction_pj", reduction_pj);
  key.Optional("bandwidth", bandwidth);
  for (const std::string& dim : dims_x) {
    key.Add("dim_x", dim);
  }
  for (const std::string& dim : dims_y) {
    key.Add("dim_y", dim);
  }
}

void AddChain(KeyText& key, const arch::Chain& chain) {
  const auto& [levels, compute] = chain;
  for (const arch::Level& level : levels) {
    const auto& [memory, fan_out] = level;
    AddMemory(key, memory);
    AddFanOut(key, fan_out);
  }
  const auto& [name, classes, leakage] = compute;
  key.Add("compute", name);
  key.Real("leakage", leakage);
  for (const arch::ComputeClass& offered : classes) {
    const auto& [work_class, energy, rate] = offered;
    key.Number("class", static_cast<int>(work_class));
    key.Real("energy", energy);
    key.Real("rate", rate);
  }
}

void AddConstraints(KeyText& key, const mapping::Constraints& constraints, std::size_t dims) {
  for (const mapping::Constraints::Level& level : constraints.levels) {
    const auto& [loops, innermost, outermost, must_keep, never_keep] = level;
    for (const mapping::Constraints::Loops& list : loops) {
      for (std::size_t d = 0; d < dims; ++d) {
        key.Number("min", list.min[d]);
        key.Number("max", list.max[d]);
      }
    }
    for (const std::uint8_t d : innermost) {
      key.Number("innermost", d);
    }
    for (const std::uint8_t d : outermost) {
      key.Number("outermost", d);
    }
    key.Number("must", must_keep);
    key.Number("never", never_keep);
  }
}

std::string LoopsText(const mapping::LoopList& loops) {
  std::string text;
  for (const mapping::Loop& loop : loops) {
    text += fmt::format(" {} {} {}", loop.dim, loop.bound, loop.last);
  }
  return fmt::format(" {}{}", loops.size(), text);
}

/// Reads the words of an entry. After a failure everything is a failure.
class EntryReader {
 public:
  explicit EntryReader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool good() const { return good_; }
  void Require(bool condition) { good_ = good_ && condition; }

  std::string_view Word() {
    const std::size_t begin = text_.find_first_not_of(" \n");
    if (begin == std::string_view::npos) {
      good_ = false;
      return {};
    }
    text_.remove_prefix(begin);
    const std::string_view word = text_.substr(0, text_.find_first_of(" \n"));
    text_.remove_prefix(word.size());
    return word;
  }
  void Expect(std::string_view wanted) { Require(Word() == wanted); }
  template <class Number>
  Number Value() {
    Number value{};
    const std::string_view word = Word();
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    Require(error == std::errc() && stop == word.data() + word.size() && !word.empty());
    return good_ ? value : Number{};
  }
  /// `bytes` characters after the end of the line.
  std::string_view Raw(std::size_t bytes) {
    Require(text_.size() > bytes && text_.front() == '\n');
    if (!good_) {
      return {};
    }
    const std::string_view raw = text_.substr(1, bytes);
    text_.remove_prefix(1 + bytes);
    return raw;
  }
  [[nodiscard]] std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
  bool good_ = true;
};

void ReadLoops(EntryReader& reader, mapping::LoopList& loops) {
  const auto count = reader.Value<std::size_t>();
  reader.Require(count <= loops.capacity());
  for (std::size_t i = 0; i < count && reader.good(); ++i) {
    mapping::Loop loop;
    loop.dim = reader.Value<std::int32_t>();
    loop.bound = reader.Value<std::int32_t>();
    loop.last = reader.Value<std::int32_t>();
    loops.push_back(loop);
  }
}

std::optional<StopReason> ReadStopReason(std::string_view name) {
  for (const StopReason reason :
       {StopReason::kConverged, StopReason::kEvaluations, StopReason::kProven}) {
    if (StopReasonName(reason) == name) {
      return reason;
    }
  }
  return std::nullopt;
}

Result ReadResult(EntryReader& reader, std::size_t levels) {
  Result result;
  reader.Expect("stopped");
  const auto stopped = ReadStopReason(reader.Word());
  reader.Require(stopped.has_value());
  result.stopped = stopped.value_or(StopReason::kConverged);
  reader.Expect("evaluations");
  result.evaluations = reader.Value<std::int64_t>();
  reader.Expect("candidates");
  result.candidates = reader.Value<std::int64_t>();
  reader.Expect("bound");
  result.bound = reader.Value<double>();
  reader.Expect("energy");
  result.score.energy_pj = reader.Value<double>();
  reader.Expect("cycles");
  result.score.cycles = reader.Value<double>();
  mapping::Mapping mapping;
  for (std::size_t l = 0; l < levels && reader.good(); ++l) {
    mapping::LevelMapping level;
    reader.Expect("level");
    level.keep = reader.Value<std::uint32_t>();
    ReadLoops(reader, level.temporal);
    ReadLoops(reader, level.spatial_x);
    ReadLoops(reader, level.spatial_y);
    mapping.levels.push_back(level);
  }
  reader.Expect("end");
  result.best = mapping;
  return result;
}

}  // namespace

std::string CacheKey(const Problem& problem, std::int64_t evaluations, std::string_view mapper,
                     std::string_view build) {
  const auto& [evaluator, objective, seed, imperfect, constraints] = problem;
  KeyText key;
  key.Add("build", build);
  key.Add("mapper", mapper);
  key.Add("objective", cost::ObjectiveName(objective));
  key.Add("policy", cost::PolicyText(evaluator->policy()));
  key.Add("seed", std::to_string(seed));
  key.Number("imperfect", imperfect ? 1 : 0);
  key.Number("evaluations", evaluations);
  const mapping::Workload& workload = evaluator->workload();
  key.Add("workload", mapping::WorkloadKey(workload));
  key.Number("whole", workload.whole);
  AddChain(key, evaluator->chain());
  key.Number("constrained", constraints != nullptr ? 1 : 0);
  if (constraints != nullptr) {
    AddConstraints(key, *constraints, workload.bounds.size());
  }
  return key.Take();
}

std::string WriteCacheEntry(const std::string& key, const Result& result) {
  std::string body = fmt::format(
      "key {}\n{}\nstopped {}\nevaluations {}\ncandidates {}\nbound {}\nenergy {}\ncycles {}\n",
      key.size(), key, StopReasonName(result.stopped), result.evaluations, result.candidates,
      ShortestDouble(result.bound), ShortestDouble(result.score.energy_pj),
      ShortestDouble(result.score.cycles));
  SLUICE_CHECK(result.best.has_value(), "only mappings are stored");
  for (const mapping::LevelMapping& level : result.best->levels) {
    body += fmt::format("level {}{}{}{}\n", level.keep, LoopsText(level.temporal),
                        LoopsText(level.spatial_x), LoopsText(level.spatial_y));
  }
  body += "end\n";
  return fmt::format("sluice-mapping {}\nchecksum {}\n{}", kEntryFormat, ContentHash(body), body);
}

sluice::Result<Result> ReadCacheEntry(std::string_view bytes, const std::string& key,
                                      const Problem& problem) {
  EntryReader reader(bytes);
  reader.Expect("sluice-mapping");
  reader.Require(reader.Value<int>() == kEntryFormat);
  reader.Expect("checksum");
  const std::string_view checksum = reader.Word();
  const std::string_view body =
      reader.good() && !reader.rest().empty() ? reader.rest().substr(1) : std::string_view();
  if (!reader.good() || ContentHash(body) != checksum) {
    return Fail(ErrorCode::kSyntax, "its checksum is wrong");
  }
  reader.Expect("key");
  const auto key_bytes = reader.Value<std::size_t>();
  if (reader.Raw(key_bytes) != key) {
    return Fail(ErrorCode::kBadValue, "it belongs to another operator");
  }
  const cost::Evaluator& evaluator = *problem.evaluator;
  Result result = ReadResult(reader, evaluator.chain().levels.size());
  if (!reader.good()) {
    return Fail(ErrorCode::kSyntax, "it is not complete");
  }
  const mapping::Mapping mapping = result.best.value_or(mapping::Mapping());
  if (!evaluator.IsValid(mapping)) {
    return Fail(ErrorCode::kBadValue, "its mapping is not valid");
  }
  if (problem.constraints != nullptr &&
      !Satisfies(*problem.constraints, evaluator.workload(), mapping)) {
    return Fail(ErrorCode::kBadValue, "its mapping breaks the constraints");
  }
  const cost::Score score = evaluator.Evaluate(mapping);
  if (score.energy_pj != result.score.energy_pj || score.cycles != result.score.cycles) {
    return Fail(ErrorCode::kBadValue, "its mapping costs something else");
  }
  return result;
}

}  // namespace sluice::mapper
