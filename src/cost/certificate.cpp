#include "cost/certificate.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/text.h"
#include "cost/compiled.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "mapping/constraints.h"
#include "mapping/validity.h"
#include "mapping/workload.h"

namespace sluice::cost {
namespace {

/// Collects numbers as text.
class KeyText {
 public:
  template <class... Numbers>
  void Add(std::string_view what, Numbers... numbers) {
    text_ += what;
    (Number(numbers), ...);
    text_ += '\n';
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void Number(double value) { text_ += " " + ShortestDouble(value); }
  void Number(std::int64_t value) { text_ += fmt::format(" {}", value); }
  void Number(std::uint32_t value) { text_ += fmt::format(" {}", value); }
  void Number(std::int32_t value) { text_ += fmt::format(" {}", value); }
  void Number(bool value) { text_ += value ? " 1" : " 0"; }
  std::string text_;
};

void AddTensor(KeyText& key, const CompiledTensor& tensor) {
  key.Add("tensor", tensor.axes, tensor.is_output, tensor.accumulates);
  for (int a = 0; a < tensor.axes; ++a) {
    for (const mapping::WorkloadTerm& term : tensor.axis[Index(a)]) {
      key.Add("term", a, term.dim, term.coefficient);
    }
  }
}

void AddLevel(KeyText& key, const CompiledLevel& level,
              const mapping::ValidityTable::Level& limits) {
  key.Add("level", level.block_words, level.read_bandwidth, level.write_bandwidth,
          level.network_bandwidth, level.read_pj, level.fill_pj, level.update_pj, level.leakage_pj);
  key.Add("network", level.hop_pj, level.router_pj, level.reduction_pj, level.fan_x, level.fan_y,
          level.multicast, level.reduction, level.forwarding);
  key.Add("limits", limits.usable_words, limits.must_keep, limits.may_keep, limits.may_unroll_x,
          limits.may_unroll_y);
}

void AddRules(KeyText& key, const mapping::Constraints::Level& rules, int dims) {
  for (const mapping::Constraints::Loops& loops : rules.loops) {
    for (int d = 0; d < dims; ++d) {
      key.Add("factor", loops.min[Index(d)], loops.max[Index(d)]);
    }
  }
  for (const std::uint8_t d : rules.innermost) {
    key.Add("innermost", static_cast<std::int32_t>(d));
  }
  for (const std::uint8_t d : rules.outermost) {
    key.Add("outermost", static_cast<std::int32_t>(d));
  }
  key.Add("keeps", rules.must_keep, rules.never_keep);
}

}  // namespace

std::string ProblemKey(const Evaluator& evaluator, const mapping::Constraints* constraints) {
  const Compiled& c = evaluator.compiled();
  KeyText key;
  key.Add("policy " + PolicyText(evaluator.policy()));
  key.Add("machine", c.cycles_per_point, c.compute_pj_per_point, c.compute_leakage_pj,
          c.compute_units);
  for (int d = 0; d < c.dims; ++d) {
    key.Add("dim", c.bound[Index(d)]);
  }
  for (int t = 0; t < c.tensors; ++t) {
    AddTensor(key, c.tensor[Index(t)]);
  }
  for (int l = 0; l < c.levels; ++l) {
    AddLevel(key, c.level[Index(l)], evaluator.validity().levels[Index(l)]);
    if (constraints != nullptr) {
      AddRules(key, constraints->levels[Index(l)], c.dims);
    }
  }
  return ContentHash(key.text());
}

}  // namespace sluice::cost
