#pragma once
/// \file
/// The reference cost model: closed-form exact counting over a loop nest (with ragged tiles,
/// gaps, forwarding). One Evaluator per (workload, chain, policy);
/// Evaluate allocates nothing and is const, so threads may share it.
///
/// Counting rule. For a tensor at a level, consider the temporal loops above the level. Each "move"
/// (one of them steps, all inner ones reset) shifts the tile by a vector that depends only on the
/// loop; the new words are the box minus its overlap with the old one. Summing over loops gives the
/// words delivered to one instance; multiplying by the number of distinct tile offsets in the
/// fan-outs gives what the parent reads. See evaluator.cpp for the derivation and each policy's
/// rule.

#include <cstdint>
#include <optional>
#include <string>

#include "cost/compiled.h"
#include "cost/cost.h"
#include "mapping/validity.h"

namespace sluice::cost {

class Evaluator {
 public:
  /// Errors: kArchInvalid when the chain's compute unit does not run the workload's body;
  /// kOnnxOverflow when counts could exceed 2^62; kArchInvalid also when cycles could.
  static Result<Evaluator> Create(const mapping::Workload& workload, const arch::Chain& chain,
                                  const Policy& policy);

  /// Whether `mapping` is valid: same verdict as mapping::CheckMapping, without explanations.
  [[nodiscard]] bool IsValid(const mapping::Mapping& mapping) const;
  /// Energy and cycles only. Requires a covering mapping (capacity is not checked). O(levels x
  /// loops).
  [[nodiscard]] Score Evaluate(const mapping::Mapping& mapping) const;
  /// Everything. Same score, bit for bit.
  [[nodiscard]] Cost EvaluateFull(const mapping::Mapping& mapping) const;

  /// The flattened problem, for engines that build on the same counts (bounds, exact search).
  [[nodiscard]] const Compiled& compiled() const { return compiled_; }
  [[nodiscard]] const mapping::ValidityTable& validity() const { return validity_; }
  [[nodiscard]] const mapping::Workload& workload() const { return workload_; }
  [[nodiscard]] const arch::Chain& chain() const { return chain_; }
  [[nodiscard]] const Policy& policy() const { return policy_; }

 private:
  Evaluator(const mapping::Workload& workload, const arch::Chain& chain, const Policy& policy);
  /// `with_hops`: count distances even when they cost nothing.
  void Count(const mapping::Mapping& mapping, bool with_hops, Work& work) const;
  [[nodiscard]] Score Summarize(const Work& work, Cost* cost) const;

  mapping::Workload workload_;
  arch::Chain chain_;
  Policy policy_;
  Compiled compiled_;
  mapping::ValidityTable validity_;
};

/// A lower bound on the score of any valid mapping: compulsory traffic at the outermost level, one
/// read per operand and operation at the innermost, peak rate and bandwidth roofs.
Score LowerBound(const Evaluator& evaluator);

}  // namespace sluice::cost
