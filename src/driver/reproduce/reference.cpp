#include "driver/reproduce/reference.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "cost/cost.h"
#include "cost/evaluator.h"
#include "cost/oracle/reference_oracle.h"
#include "cost/policy.h"
#include "driver/catalog/catalog.h"
#include "driver/compare/compare.h"
#include "driver/driver.h"
#include "driver/reproduce/reproduce.h"
#include "driver/requests.h"
#include "driver/text/table.h"
#include "ir/network.h"
#include "mapper/codes/search.h"
#include "mapper/exact/exact.h"
#include "mapper/mapper.h"
#include "mapping/dataflow/nest.h"
#include "mapping/workload.h"

namespace sluice::driver {
namespace {

constexpr double kNanojoules = 1e-3;
constexpr std::int64_t kQuickProof = 1'000'000;  ///< evaluations of the exact mapper
constexpr std::int64_t kFullProof = 20'000'000;

/// An operator and its network, which names its tensors.
struct Product {
  std::string name;
  mapping::Workload workload;
  std::vector<ir::Work> body;
};

/// Adds the products of two tensors that are not there yet.
Status AddProducts(const ir::Network& network, std::vector<std::string>& known,
                   std::vector<Product>& products) {
  for (const ir::Operator& op : network.operators) {
    if (op.is_view()) {
      continue;
    }
    SLUICE_TRY(mapping::Workload workload, mapping::MakeWorkload(op, network));
    std::string key = mapping::WorkloadKey(workload);
    if (mapping::BindLayer(workload) && std::ranges::find(known, key) == known.end()) {
      known.push_back(std::move(key));
      products.push_back({op.name, std::move(workload), op.body});
    }
  }
  return {};
}

Result<std::vector<Product>> Products(bool full) {
  std::vector<std::string> known;
  std::vector<Product> products;
  if (full) {
    for (const char* model : {"resnet50", "bert_base_s128"}) {
      ModelRequest request;
      request.model = model;
      SLUICE_TRY(const LoadedNetwork loaded, LoadNetwork(DefaultSearchPaths(), request));
      SLUICE_TRY_STATUS(AddProducts(loaded.network, known, products));
    }
    return products;
  }
  for (const char* descriptor :
       {"conv K=64 C=64 P=56 Q=56 R=3 S=3", "conv K=256 C=1024 P=14 Q=14 R=1 S=1",
        "conv K=128 C=128 P=28 Q=28 R=3 S=3 stride=2", "gemm M=128 N=768 K=768"}) {
    SLUICE_TRY(const ir::Network network, ir::ParseOperatorDescriptor(descriptor));
    SLUICE_TRY_STATUS(AddProducts(network, known, products));
  }
  return products;
}

/// What the exact mapper has to say, in nanojoules times cycles.
struct Verdict {
  double best = 0;
  double bound = 0;
  bool proven = false;
};

Result<Verdict> Judge(const Product& product, const arch::Chain& chain,
                      const ReproduceOptions& options) {
  SLUICE_TRY(const cost::Evaluator evaluator,
             cost::Evaluator::Create(product.workload, chain, cost::PhysicalPolicy()));
  mapper::Problem problem;
  problem.evaluator = &evaluator;
  mapper::Budget budget;
  budget.evaluations = options.full ? kFullProof : kQuickProof;
  budget.stop = options.stop;
  const mapper::Result result = mapper::ExactMapper().Solve(problem, budget);
  if (!result.best) {
    return Fail(ErrorCode::kNoValidMapping, product.name + " has no mapping");
  }
  return Verdict{kNanojoules * result.score.edp(), kNanojoules * result.bound,
                 result.stopped == mapper::StopReason::kProven};
}

CodeSubject SubjectOf(const Product& product, const arch::Chain& chain) {
  CodeSubject subject;
  subject.name = product.name;
  subject.make_oracle = [workload = product.workload, chain] {
    return cost::MakeReferenceOracle(workload, chain, cost::PhysicalPolicy());
  };
  return subject;
}

/// One machine with all products.
struct Machine {
  std::string name;
  std::vector<CodeSubject> subjects;
  std::vector<Verdict> verdicts;
};

Result<Machine> Prepare(const std::string& name, const std::vector<Product>& products,
                        const ReproduceOptions& options) {
  SLUICE_TRY(const LoadedArchitecture loaded, LoadArchitecture(DefaultSearchPaths(), name));
  Machine machine;
  machine.name = name;
  for (const Product& product : products) {
    SLUICE_TRY(const arch::Chain chain, arch::ChainFor(loaded.architecture, product.body));
    SLUICE_TRY(machine.verdicts.emplace_back(), Judge(product, chain, options));
    machine.subjects.push_back(SubjectOf(product, chain));
  }
  return machine;
}

CompareOptions OptionsFor(const std::string& search, const ReproduceOptions& options) {
  CompareOptions compare;
  compare.searches = {search};
  compare.budgets = {300, 1000};
  compare.energy = mapper::codes::EnergyKind::kFull;
  compare.space.levels = search == "dcp" ? 4 : 3;  // as `map` and `plan` do
  compare.space.whole_windows = false;
  compare.seeds = options.full ? 3 : 1;
  compare.first_seed = options.seed;
  compare.threads = options.threads;
  compare.stop = options.stop;
  compare.progress = options.progress;
  return compare;
}

std::vector<double> OverBest(const Machine& machine, const Comparison& comparison,
                             std::size_t budget) {
  std::vector<double> over_best;
  for (const CompareRun& run : comparison.runs) {
    if (run.budget == budget) {
      over_best.push_back(run.result.value / machine.verdicts[run.layer].best);
    }
  }
  return over_best;
}

double MedianOf(const std::vector<double>& values) {
  return values.empty() ? std::numeric_limits<double>::infinity() : QuartilesOf(values).median;
}

/// Within this of the optimum counts as found.
constexpr double kAimed = 1.02;

ReproducedRow RowOf(const Machine& machine, const Comparison& comparison, std::size_t budget) {
  const std::vector<double> over_best = OverBest(machine, comparison, budget);
  std::vector<double> over_bound;
  for (const CompareRun& run : comparison.runs) {
    if (run.budget == budget) {
      over_bound.push_back(run.result.value / machine.verdicts[run.layer].bound);
    }
  }
  ReproducedRow row;
  row.what = fmt::format("{}: {}", machine.name, comparison.options.searches[0]);
  row.samples = Grouped(comparison.options.budgets[budget]);
  row.published.assign(3, std::string(kNone));
  if (over_best.empty()) {
    row.ours = row.published;
    return row;
  }
  row.ours = {fmt::format("{:.3f}", QuartilesOf(over_best).median),
              fmt::format("{:.3f}", std::ranges::max(over_best)),
              fmt::format("{:.3f}", QuartilesOf(over_bound).median)};
  row.cpu_seconds = comparison.cells[0][budget].cpu_seconds;
  return row;
}

}  // namespace

Result<ReferenceTable> MeasureAgainstExact(const ReproduceOptions& options) {
  SLUICE_TRY(const std::vector<Product> products, Products(options.full));
  ReferenceTable result;
  ReproducedTable& table = result.table;
  table.title =
      fmt::format("Reference model, EDP over the exact mapper's, {} layers", products.size());
  table.columns = {"median", "worst", "median over bound"};
  table.notes = {
      fmt::format("codes of 3 levels (dcp: 4), dividing tiles, windows cut; full "
                  "energy; {} seed{} from {}",
                  options.full ? 3 : 1, options.full ? "s" : "", options.seed),
      "dcp predicts by the rules that make mappings of codes, which are close to this model: it "
      "needs few samples, and the time of 30 times as many"};
  for (const char* name : {"eyeriss", "simba", "nvdla-like"}) {
    SLUICE_TRY(const Machine machine, Prepare(name, products, options));
    table.notes.push_back(fmt::format(
        "{}: {} of {} optima are proven; else the exact mapper's best", name,
        std::ranges::count(machine.verdicts, true, &Verdict::proven), machine.verdicts.size()));
    for (const char* search : {"dcp", "annealing", "genetic"}) {
      SLUICE_TRY(const Comparison comparison,
                 Compare(machine.subjects, OptionsFor(search, options)));
      if (comparison.failed) {
        return Fail(*comparison.failed);
      }
      result.complete = result.complete && comparison.complete;
      for (const CompareRun& run : comparison.runs) {
        result.cpu_seconds += run.result.cpu_seconds;
      }
      for (std::size_t b = 0; b < comparison.options.budgets.size(); ++b) {
        table.rows.push_back(RowOf(machine, comparison, b));
      }
      if (std::string_view(search) == "dcp") {
        result.targets.push_back(
            {fmt::format("{}: dcp over exact, {} samples", name, table.rows.back().samples),
             MedianOf(OverBest(machine, comparison, comparison.options.budgets.size() - 1)), kAimed,
             Aiming::kAtMost, std::string()});
      }
    }
  }
  return result;
}

}  // namespace sluice::driver
