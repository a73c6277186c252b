// The cache of results on disk: what it keys on, what it refuses, how it stays small, and that it
// changes nothing but time.

#include "mapper/cache/cache.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "arch/architecture.h"
#include "cost/evaluator.h"
#include "io/plan_json.h"
#include "io/yaml/arch/arch.h"
#include "io/yaml/constraints.h"
#include "ir/network.h"
#include "mapper/mapper.h"
#include "mapping/constraints.h"
#include "mapping/workload.h"
#include "planner/layerwise.h"

namespace sluice::mapper {
namespace {

namespace fs = std::filesystem;

/// A new folder that goes away with the test.
class Folder {
 public:
  Folder() {
    static std::atomic<int> number = 0;
    path_ = fs::temp_directory_path() /
            ("sluice_cache_test_" + std::to_string(::getpid()) + "_" + std::to_string(number++));
    fs::remove_all(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  [[nodiscard]] std::string name() const { return path_.string(); }
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> files;
    if (fs::exists(path_)) {
      for (const auto& entry : fs::directory_iterator(path_)) {
        files.push_back(entry.path());
      }
    }
    std::sort(files.begin(), files.end());
    return files;
  }

 private:
  fs::path path_;
};

/// Counts how often it is asked.
class CountingMapper : public Mapper {
 public:
  [[nodiscard]] std::string_view name() const override { return "counting"; }
  [[nodiscard]] std::string_view description() const override { return "counts"; }
  [[nodiscard]] Result Solve(const Problem& problem, const Budget& budget) const override {
    ++calls;
    Result result = FindMapper("annealing").value()->Solve(problem, budget);
    result.stopped = stopped.value_or(result.stopped);
    return result;
  }
  mutable std::atomic<int> calls = 0;
  std::optional<StopReason> stopped;
};

class Fixture : public ::testing::Test {
 protected:
  Fixture() : evaluator_(Make("gemm M=16 N=8 K=12", machine_)) {
    problem_.evaluator = &evaluator_;
    budget_.evaluations = 300;
  }
  static cost::Evaluator Make(const std::string& descriptor, const arch::Architecture& machine) {
    const ir::Network network = ir::ParseOperatorDescriptor(descriptor).value();
    const ir::Operator& op = network.operators.at(0);
    return cost::Evaluator::Create(mapping::MakeWorkload(op, network).value(),
                                   arch::ChainFor(machine, op.body).value(), cost::PhysicalPolicy())
        .value();
  }
  static std::string Slurp(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  static void Write(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }

  arch::Architecture machine_ =
      io::LoadArchitecture(SLUICE_SOURCE_DIR "/archs/three-level.yaml").value();
  cost::Evaluator evaluator_;
  Problem problem_;
  Budget budget_;
  CountingMapper mapper_;
};

using Cache = Fixture;

TEST_F(Cache, RecallsWhatWasSearched) {
  const Folder folder;
  Result first;
  {
    ResultCache cache(folder.name(), "build");
    first = cache.Solve(mapper_, problem_, budget_);
    EXPECT_EQ(cache.counts().misses, 1);
    EXPECT_EQ(cache.counts().stored, 1);
  }
  ResultCache cache(folder.name(), "build");
  const Result again = cache.Solve(mapper_, problem_, budget_);
  EXPECT_EQ(mapper_.calls, 1);
  EXPECT_EQ(cache.counts().hits, 1);
  EXPECT_EQ(again.best, first.best);
  EXPECT_EQ(again.score.energy_pj, first.score.energy_pj);
  EXPECT_EQ(again.score.cycles, first.score.cycles);
  EXPECT_EQ(again.bound, first.bound);
  EXPECT_EQ(again.evaluations, first.evaluations);
  EXPECT_EQ(again.candidates, first.candidates);
  EXPECT_EQ(again.stopped, first.stopped);
  EXPECT_TRUE(cache.TakeWarnings().empty());
  EXPECT_EQ(folder.files().size(), 1U);
}

TEST_F(Cache, EverythingThatMattersIsInTheKey) {
  std::set<std::string> keys;
  const auto add = [&](const char* what, const Problem& problem, std::int64_t evaluations = 300,
                       const char* mapper = "annealing", const char* build = "build") {
    EXPECT_TRUE(keys.insert(CacheKey(problem, evaluations, mapper, build)).second) << what;
  };
  add("as it is", problem_);
  add("evaluations", problem_, 301);
  add("mapper", problem_, 300, "random");
  add("build", problem_, 300, "annealing", "other");
  Problem changed = problem_;
  changed.seed = 2;
  add("seed", changed);
  changed = problem_;
  changed.imperfect = true;
  add("imperfect", changed);
  changed = problem_;
  changed.objective = cost::Objective::kEnergy;
  add("objective", changed);
  changed = problem_;
  mapping::Constraints constraints;
  constraints.levels.resize(evaluator_.chain().levels.size());
  changed.constraints = &constraints;
  add("constraints", changed);
  constraints.levels[1].loops[0].max[0] = 4;
  add("a limit", changed);
  constraints.levels[1].loops[0].max[0] = mapping::Constraints::kUnlimited;
  constraints.levels[1].innermost.push_back(1);
  add("an order", changed);
  constraints.levels[1].innermost.clear();
  constraints.levels[1].must_keep = 1;
  add("a keep", changed);

  const auto with_chain = [&](const char* what, const std::function<void(arch::Chain&)>& change) {
    arch::Chain chain = evaluator_.chain();
    change(chain);
    const auto other =
        cost::Evaluator::Create(evaluator_.workload(), chain, cost::PhysicalPolicy()).value();
    Problem problem = problem_;
    problem.evaluator = &other;
    add(what, problem);
  };
  with_chain("capacity", [](arch::Chain& c) { c.levels[1].memory.capacity_words = 1000; });
  with_chain("unbounded", [](arch::Chain& c) { c.levels[1].memory.capacity_words.reset(); });
  with_chain("energy", [](arch::Chain& c) { c.levels[1].memory.read_pj += 1; });
  with_chain("last digit", [](arch::Chain& c) { c.levels[2].memory.fill_pj += 1e-15; });
  with_chain("bandwidth", [](arch::Chain& c) { c.levels[1].memory.read_bandwidth = 3; });
  with_chain("keep", [](arch::Chain& c) { c.levels[1].memory.keep[0] = arch::Keep::kMay; });
  with_chain("buffering", [](arch::Chain& c) { c.levels[1].memory.buffering = 2; });
  with_chain("fan-out", [](arch::Chain& c) { c.levels[1].fan_out.x = 8; });
  with_chain("dims of X", [](arch::Chain& c) { c.levels[1].fan_out.dims_x = {"M"}; });
  with_chain("dims of Y", [](arch::Chain& c) { c.levels[1].fan_out.dims_y = {"M"}; });
  with_chain("multicast", [](arch::Chain& c) { c.levels[1].fan_out.network.multicast = false; });
  with_chain("rate", [](arch::Chain& c) { c.compute.classes[0].operations_per_cycle = 2; });

  const auto other = Make("gemm M=16 N=8 K=13", machine_);
  changed = problem_;
  changed.evaluator = &other;
  add("workload", changed);
  const auto timeloop =
      cost::Evaluator::Create(evaluator_.workload(), evaluator_.chain(), cost::TimeloopPolicy())
          .value();
  changed.evaluator = &timeloop;
  add("policy", changed);
}

// Two lists of dims that would read the same without lengths.
TEST_F(Cache, KeysAreUnambiguous) {
  arch::Chain a = evaluator_.chain();
  arch::Chain b = a;
  a.levels[1].fan_out.dims_x = {"M", "N"};
  b.levels[1].fan_out.dims_x = {"M\ndim_x 1:N"};
  const auto ea = cost::Evaluator::Create(evaluator_.workload(), a, cost::PhysicalPolicy()).value();
  const auto eb = cost::Evaluator::Create(evaluator_.workload(), b, cost::PhysicalPolicy()).value();
  Problem pa = problem_;
  Problem pb = problem_;
  pa.evaluator = &ea;
  pb.evaluator = &eb;
  EXPECT_NE(CacheKey(pa, 1, "m", "b"), CacheKey(pb, 1, "m", "b"));
}

TEST_F(Cache, StoresOnlyWhatComesOutTheSameAgain) {
  for (const auto& [reason, kept] : {std::pair{StopReason::kProven, true},
                                     {StopReason::kConverged, true},
                                     {StopReason::kEvaluations, true},
                                     {StopReason::kSeconds, false},
                                     {StopReason::kInterrupted, false}}) {
    const Folder folder;
    ResultCache cache(folder.name(), "build");
    mapper_.stopped = reason;
    cache.Solve(mapper_, problem_, budget_);
    EXPECT_EQ(folder.files().size(), kept ? 1U : 0U) << StopReasonName(reason);
  }
}

TEST_F(Cache, InfeasibleProblemsAreNotStored) {
  const Folder folder;
  arch::Chain chain = evaluator_.chain();
  chain.levels[2].memory.capacity_words = 1;
  const auto tight =
      cost::Evaluator::Create(evaluator_.workload(), chain, cost::PhysicalPolicy()).value();
  problem_.evaluator = &tight;
  ResultCache cache(folder.name(), "build");
  EXPECT_FALSE(cache.Solve(mapper_, problem_, budget_).best.has_value());
  EXPECT_TRUE(folder.files().empty());
}

// Any damage is found, told once and repaired.
TEST_F(Cache, DamageIsAMissWithAWarning) {
  const Folder folder;
  Result first;
  {
    ResultCache cache(folder.name(), "build");
    first = cache.Solve(mapper_, problem_, budget_);
  }
  const fs::path file = folder.files().at(0);
  const std::string good = Slurp(file);
  std::vector<std::string> damaged = {"",
                                      "sluice-mapping 2\n",
                                      good.substr(0, good.size() / 2),
                                      good.substr(0, good.size() - 1),
                                      good + " ",
                                      std::string(3000, '\0')};
  for (std::size_t at = 0; at < good.size(); at += 7) {
    std::string text = good;
    text[at] = static_cast<char>(text[at] ^ 1);
    damaged.push_back(text);
  }
  for (const std::string& text : damaged) {
    Write(file, text);
    ResultCache cache(folder.name(), "build");
    const Result again = cache.Solve(mapper_, problem_, budget_);
    ASSERT_EQ(again.best, first.best);
    ASSERT_EQ(cache.counts().damaged, 1) << text;
    ASSERT_EQ(cache.counts().hits, 0);
    const auto warnings = cache.TakeWarnings();
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_NE(warnings[0].message.find("cache"), std::string::npos);
    ASSERT_EQ(Slurp(file), good) << "repaired";
  }
}

// An entry whose checksum is right but whose claims are wrong: forged, or of a changed cost model.
TEST_F(Cache, ClaimsAreChecked) {
  const Result result = mapper_.Solve(problem_, budget_);
  const std::string key = CacheKey(problem_, 300, "counting", "build");
  ASSERT_TRUE(ReadCacheEntry(WriteCacheEntry(key, result), key, problem_).has_value());
  const auto refusal = [&](const Result& claimed, const std::string& as) {
    const auto read = ReadCacheEntry(WriteCacheEntry(as, claimed), key, problem_);
    return read ? std::string("accepted") : read.error().message;
  };
  EXPECT_EQ(refusal(result, key + "x"), "it belongs to another operator");
  Result cheaper = result;
  cheaper.score.energy_pj *= 0.999;
  EXPECT_EQ(refusal(cheaper, key), "its mapping costs something else");
  Result invalid = result;
  for (mapping::LevelMapping& level : invalid.best->levels) {
    level.temporal.clear();
  }
  EXPECT_EQ(refusal(invalid, key), "its mapping is not valid");
  Result wild = result;
  wild.best->levels[0].temporal.clear();
  wild.best->levels[0].temporal.push_back({1'000'000, 2, 2});
  EXPECT_EQ(refusal(wild, key), "its mapping is not valid");
  Result interrupted = result;
  interrupted.stopped = StopReason::kInterrupted;
  EXPECT_EQ(refusal(interrupted, key), "it is not complete");
  mapping::Constraints constraints;
  constraints.levels.resize(3);
  constraints.levels[0].loops[0].max.fill(1);
  constraints.levels[1].loops[0].max.fill(1);
  problem_.constraints = &constraints;
  EXPECT_EQ(refusal(result, key), "its mapping breaks the constraints");
}

TEST_F(Cache, TheOldestGoFirst) {
  const Folder folder;
  ResultCache filler(folder.name(), "build");
  const auto solve = [&](ResultCache& cache, std::uint64_t seed) {
    problem_.seed = seed;
    cache.Solve(mapper_, problem_, budget_);
  };
  std::vector<fs::path> by_seed;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const auto before = folder.files();
    solve(filler, seed);
    for (const fs::path& file : folder.files()) {
      if (std::find(before.begin(), before.end(), file) == before.end()) {
        by_seed.push_back(file);
        fs::last_write_time(file, fs::file_time_type::clock::now() -
                                      std::chrono::minutes(60 - static_cast<int>(seed)));
      }
    }
  }
  ASSERT_EQ(by_seed.size(), 6U);
  const std::int64_t all = InspectCache(folder.name()).bytes;
  ResultCache small(folder.name(), "build", all);
  solve(small, 1);  // used: now the newest
  EXPECT_EQ(small.counts().hits, 1);
  solve(small, 7);  // one too many
  EXPECT_GT(small.counts().evicted, 0);
  EXPECT_TRUE(fs::exists(by_seed[0])) << "used just now";
  EXPECT_FALSE(fs::exists(by_seed[1])) << "not used for longest";
  EXPECT_TRUE(fs::exists(by_seed[5]));
  EXPECT_LE(InspectCache(folder.name()).bytes, all);
}

TEST_F(Cache, ClearRemovesEntriesOnly) {
  const Folder folder;
  ResultCache cache(folder.name(), "build");
  cache.Solve(mapper_, problem_, budget_);
  Write(fs::path(folder.name()) / "notes.txt", "mine");
  EXPECT_EQ(InspectCache(folder.name()).entries, 1);
  const auto removed = ClearCache(folder.name());
  ASSERT_TRUE(removed.has_value());
  EXPECT_EQ(removed->entries, 1);
  EXPECT_EQ(InspectCache(folder.name()).entries, 0);
  EXPECT_EQ(folder.files().size(), 1U);
  EXPECT_EQ(ClearCache(folder.name() + "/absent")->entries, 0);
}

TEST_F(Cache, AFolderThatCannotBeMadeIsAWarning) {
  ResultCache cache("/proc/no/such/folder", "build");
  EXPECT_TRUE(cache.Solve(mapper_, problem_, budget_).best.has_value());
  const auto warnings = cache.TakeWarnings();
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0].code, ErrorCode::kFileUnwritable);
}

TEST_F(Cache, ManyThreadsAndProcessesMayShareAFolder) {
  const Folder folder;
  ResultCache a(folder.name(), "build");
  ResultCache b(folder.name(), "build", 3000);  // evicts all the time
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Problem problem = problem_;
        problem.seed = seed;
        Budget budget;
        budget.evaluations = 50;
        const Result result = (t % 2 == 0 ? a : b).Solve(mapper_, problem, budget);
        const Result direct = FindMapper("annealing").value()->Solve(problem, budget);
        wrong += result.best == direct.best ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(a.counts().damaged + b.counts().damaged, 0);
  for (const fs::path& file : folder.files()) {
    EXPECT_EQ(file.extension(), ".result");
  }
}

// A plan is the same to the last byte without a cache, into a cold and from a warm one, with one
// thread and several.
TEST_F(Cache, PlansDoNotDependOnCacheOrThreads) {
  const ir::Network network =
      ir::ParseOperatorDescriptor("conv K=16 C=8 P=14 Q=14 R=3 S=3").value();
  const Folder folder;
  const auto spec =
      io::LoadConstraints(SLUICE_SOURCE_DIR "/constraints/shidiannao-output-stationary.yaml")
          .value();
  for (const bool constrained : {false, true}) {
    std::set<std::string> plans;
    for (int run = 0; run < 4; ++run) {
      ResultCache cache(folder.name(), "build");
      planner::PlanOptions options;
      options.evaluations = 500;
      options.cache = run == 0 ? nullptr : &cache;
      options.threads = run == 3 ? 4 : 1;
      options.constraints = constrained ? &spec : nullptr;
      auto plan = planner::PlanLayerwise(network, machine_, options).value();
      plan.seconds = 0;
      plans.insert(io::PlanToJson(plan));
      if (run >= 2) {
        EXPECT_EQ(cache.counts().hits, 1);
      }
    }
    EXPECT_EQ(plans.size(), 1U);
  }
}

}  // namespace
}  // namespace sluice::mapper
