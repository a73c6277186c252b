#pragma once
/// \file
/// What a search over dataflow codes may ask: the cost of a batch of codes for one layer on one
/// machine. Behind the interface stands whatever knows: the `maestro` models, the reference model
/// on any architecture, later a program of the user's.
///
/// One virtual call a batch, never one a code. Samples and processor time are counted here, so that
/// all searches are billed alike. An oracle is used by one thread; several oracles may run at once.
/// Tested by tests/unit/oracle_test.cpp.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/diagnostic.h"
#include "cost/maestro/hardware.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"
#include "mapping/dataflow/nest.h"

namespace sluice::cost {

/// Why a code is no solution.
enum class CodeVerdict : std::uint8_t {
  kLegal,
  kRefused,        ///< not canonical, or the model has no cost for it
  kTooLargeInner,  ///< does not fit the innermost memory (L1)
  kTooLargeOuter,  ///< does not fit a memory further out (L2)
  kImpossible,     ///< priced below what physics allows, where the oracle was asked to check
};
std::string_view CodeVerdictName(CodeVerdict verdict);

inline constexpr std::size_t kOracleLevels = 8;

/// Components, so that a predictor can learn them one by one. Every field of a code that was priced
/// (all but kRefused) is set; energies are picojoules.
struct CodeCost {
  CodeVerdict verdict = CodeVerdict::kRefused;
  bool physical = false;  ///< all operations, and no faster than the compute bound
  double cycles = 0;
  double energy_outer_pj = 0;  ///< without the innermost memory and the operations: MAESTRO's CSV
  double energy_full_pj = 0;   ///< everything
  std::array<double, kOracleLevels> level_pj{};  ///< per memory, outermost first
  double compute_pj = 0;
  std::int64_t inner_words = 0;  ///< needed in the innermost memory, double buffers included
  std::int64_t outer_words = 0;  ///< in the memory above it (MAESTRO's L2)
  double compute_bound = 0;      ///< cycles that nothing on this machine can beat
  [[nodiscard]] bool legal() const { return verdict == CodeVerdict::kLegal; }
};

struct OracleCounters {
  std::int64_t samples = 0;
  std::int64_t batches = 0;
  double cpu_seconds = 0;  ///< of the calling thread
};

/// A layer that a code is priced on, and how often.
struct PricedLayer {
  mapping::Layer layer;
  double count = 1;
};

class CostOracle {
 public:
  CostOracle(const CostOracle&) = delete;
  CostOracle& operator=(const CostOracle&) = delete;
  virtual ~CostOracle() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Memories that level_pj speaks of.
  [[nodiscard]] virtual std::size_t levels() const = 0;

  /// costs[i] is the cost of codes[i]; the same code always costs the same. Errors: those of the
  /// oracle itself (a program that died); no code is an error. Requires: equal sizes.
  Status Evaluate(std::span<const mapping::DataflowCode> codes, std::span<CodeCost> costs);

  [[nodiscard]] const mapping::Layer& layer() const { return layer_; }
  /// The limits a search should know: of a machine that is no MAESTRO machine, their equivalents.
  [[nodiscard]] const maestro::Hardware& hardware() const { return hardware_; }
  /// What a cost is the sum of: the layer, or all those that share a code (mapper/codes/shared.h).
  [[nodiscard]] virtual std::span<const PricedLayer> parts() const { return {&own_, 1}; }
  /// What a code becomes on such a layer.
  [[nodiscard]] virtual mapping::DataflowCode PartCode(std::size_t /*part*/,
                                                       const mapping::DataflowCode& code) const {
    return code;
  }
  /// Where codes are priced as mappings of a machine: how they become those. Null elsewhere.
  [[nodiscard]] virtual const mapping::CodeMapper* code_mapper() const { return nullptr; }
  [[nodiscard]] const OracleCounters& counters() const { return counters_; }

 protected:
  CostOracle(const mapping::Layer& layer, const maestro::Hardware& hardware)
      : layer_(layer), hardware_(hardware), own_{layer, 1} {}

 private:
  virtual Status Price(std::span<const mapping::DataflowCode> codes, std::span<CodeCost> costs) = 0;

  mapping::Layer layer_;
  maestro::Hardware hardware_;
  PricedLayer own_;
  OracleCounters counters_;
};

}  // namespace sluice::cost
