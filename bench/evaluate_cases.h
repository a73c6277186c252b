// The evaluations that evaluate_bench.cpp times and count_evaluations.cpp counts: fixed mappings of
// a matrix product and a convolution on the three-level machine, in both policies, and one product
// with remainders.

#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "arch/architecture.h"
#include "cost/evaluator.h"
#include "cost/policy.h"
#include "io/yaml/arch/arch.h"
#include "ir/network.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::bench {

using mapping::Loop;
using mapping::Mapping;
using mapping::PerfectLoop;

inline int Dim(const cost::Evaluator& evaluator, std::string_view name) {
  const auto& names = evaluator.workload().dim_names;
  return static_cast<int>(std::find(names.begin(), names.end(), name) - names.begin());
}

inline Mapping GemmMapping(const cost::Evaluator& e) {
  const int m = Dim(e, "M");
  const int n = Dim(e, "N");
  const int k = Dim(e, "K");
  Mapping mapping;
  mapping.levels.resize(3);
  mapping.levels[0].temporal = {PerfectLoop(m, 4), PerfectLoop(n, 6), PerfectLoop(k, 8)};
  mapping.levels[1].temporal = {PerfectLoop(n, 8), PerfectLoop(m, 8), PerfectLoop(k, 12)};
  mapping.levels[1].spatial_x = {PerfectLoop(m, 16)};
  mapping.levels[1].spatial_y = {PerfectLoop(n, 16)};
  mapping.levels[2].temporal = {PerfectLoop(k, 8)};
  return mapping;
}

/// M = 500 = 3 * 128 + 7 * 16 + 4 and K = 700 = 7 * 96 + 3 * 8 + 4 end in smaller tiles.
inline Mapping RaggedGemmMapping(const cost::Evaluator& e) {
  const int m = Dim(e, "M");
  const int n = Dim(e, "N");
  const int k = Dim(e, "K");
  Mapping mapping = GemmMapping(e);
  mapping.levels[1].temporal = {PerfectLoop(n, 8), PerfectLoop(m, 8), Loop{k, 12, 4}};
  mapping.levels[1].spatial_x = {Loop{m, 16, 4}};
  mapping.levels[2].temporal = {Loop{k, 8, 4}};
  return mapping;
}

inline Mapping ConvMapping(const cost::Evaluator& e) {
  const int k = Dim(e, "K");
  const int c = Dim(e, "C");
  const int p = Dim(e, "P");
  const int q = Dim(e, "Q");
  const int r = Dim(e, "R");
  const int s = Dim(e, "S");
  Mapping mapping;
  mapping.levels.resize(3);
  mapping.levels[0].temporal = {PerfectLoop(p, 7), PerfectLoop(q, 7), PerfectLoop(k, 2)};
  mapping.levels[1].temporal = {PerfectLoop(k, 2), PerfectLoop(c, 4), PerfectLoop(p, 8),
                                PerfectLoop(q, 8), PerfectLoop(r, 3)};
  mapping.levels[1].spatial_x = {PerfectLoop(k, 16)};
  mapping.levels[1].spatial_y = {PerfectLoop(c, 16)};
  mapping.levels[2].temporal = {PerfectLoop(s, 3)};
  return mapping;
}

struct EvaluationCase {
  const char* name;
  const char* descriptor;
  cost::Policy (*policy)();
  Mapping (*mapping)(const cost::Evaluator&);
};

inline constexpr const char* kGemm = "gemm M=512 N=768 K=768";
inline constexpr const char* kConv = "conv K=64 C=64 P=56 Q=56 R=3 S=3";
inline constexpr std::array kEvaluationCases = {
    EvaluationCase{"gemm", kGemm, cost::PhysicalPolicy, GemmMapping},
    EvaluationCase{"gemm/timeloop", kGemm, cost::TimeloopPolicy, GemmMapping},
    EvaluationCase{"gemm/ragged", "gemm M=500 N=768 K=700", cost::PhysicalPolicy,
                   RaggedGemmMapping},
    EvaluationCase{"conv3x3", kConv, cost::PhysicalPolicy, ConvMapping},
    EvaluationCase{"conv3x3/timeloop", kConv, cost::TimeloopPolicy, ConvMapping},
};

inline cost::Evaluator MakeEvaluator(const EvaluationCase& one) {
  const auto architecture = io::LoadArchitecture(SLUICE_SOURCE_DIR "/archs/three-level.yaml");
  const auto network = ir::ParseOperatorDescriptor(one.descriptor);
  const auto workload = mapping::MakeWorkload(network->operators[0], *network);
  const auto chain = arch::ChainFor(*architecture, workload->body);
  return *cost::Evaluator::Create(*workload, *chain, one.policy());
}

}  // namespace sluice::bench
