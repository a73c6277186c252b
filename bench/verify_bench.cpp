// The checker of certificates: CPU time for every distinct operator of a network that multiplies,
// and the size of the certificates. The exact mapper makes the claims; its time does not count.

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <set>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "arch/architecture.h"
#include "cost/certificate.h"
#include "cost/evaluator.h"
#include "io/certificate_json.h"
#include "io/onnx/onnx.h"
#include "io/yaml/arch/arch.h"
#include "ir/network.h"
#include "mapper/exact/certify.h"
#include "mapper/exact/exact.h"
#include "mapper/mapper.h"
#include "mapping/workload.h"
#include "verify/verify.h"

namespace {

using namespace sluice;

/// Seconds for a proof; what takes longer is not certified.
constexpr double kProofSeconds = 20;
constexpr double kCheckSeconds = 100;

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void Verify(benchmark::State& state, const char* model, const char* machine) {
  const arch::Architecture architecture =
      io::LoadArchitecture(std::string(SLUICE_SOURCE_DIR "/archs/") + machine + ".yaml").value();
  const ir::Network network =
      io::LoadOnnx(std::string(SLUICE_SOURCE_DIR "/models/") + model, {}).value();
  std::set<std::string> seen;
  std::vector<double> seconds;
  std::size_t bytes = 0;
  std::int64_t unproven = 0;
  std::int64_t verified = 0;
  std::int64_t rejected = 0;
  for (auto _ : state) {
    for (const ir::Operator& op : network.operators) {
      const bool multiplies = std::ranges::any_of(
          op.body, [](const ir::Work& work) { return work.work_class == ir::WorkClass::kMac; });
      const auto workload = mapping::MakeWorkload(op, network).value();
      if (!multiplies || !seen.insert(mapping::WorkloadKey(workload)).second) {
        continue;
      }
      const auto evaluator =
          cost::Evaluator::Create(workload, arch::ChainFor(architecture, op.body).value(),
                                  cost::PhysicalPolicy())
              .value();
      mapper::Problem problem;
      problem.evaluator = &evaluator;
      mapper::Budget budget;
      budget.seconds = kProofSeconds;
      const auto certificate = Certify(problem, mapper::ExactMapper().Solve(problem, budget));
      if (!certificate) {
        ++unproven;
        continue;
      }
      bytes = std::max(
          bytes, io::CertificateToJson({op.name, machine, "physical", "", *certificate}).size());
      const double before = CpuSeconds();
      const verify::Report report =
          verify::Check(evaluator, nullptr, *certificate, {kCheckSeconds, nullptr});
      seconds.push_back(CpuSeconds() - before);
      verified += report.verdict == verify::Verdict::kVerified ? 1 : 0;
      rejected += report.verdict == verify::Verdict::kRejected ? 1 : 0;
    }
  }
  std::ranges::sort(seconds);
  state.counters["operators"] = static_cast<double>(seconds.size());
  state.counters["unproven"] = static_cast<double>(unproven);
  state.counters["verified"] = static_cast<double>(verified);
  state.counters["rejected"] = static_cast<double>(rejected);
  state.counters["median_ms"] = 1e3 * seconds[seconds.size() / 2];
  state.counters["worst_ms"] = 1e3 * seconds.back();
  state.counters["most_bytes"] = static_cast<double>(bytes);
}

}  // namespace

int main(int argc, char** argv) {
  for (const char* model : {"resnet50.onnx", "mobilenet_v2.onnx", "bert_base_s128.onnx"}) {
    for (const char* machine : {"eyeriss", "nvdla-like", "three-level"}) {
      benchmark::RegisterBenchmark(("Verify/" + std::string(machine) + "/" + model).c_str(), Verify,
                                   model, machine)
          ->Iterations(1)
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
