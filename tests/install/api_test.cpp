// The public API as another program sees it: linked against libsluice.so, nothing but public
// headers.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sluice/sluice.h>

namespace {

using sluice::Architecture;
using sluice::ErrorKind;
using sluice::Network;
using sluice::Plan;
using sluice::PlanOptions;

const std::string kSource = SLUICE_SOURCE_DIR;

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A file that is gone after the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& name) : path_(testing::TempDir() + name) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::remove(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Network AlexNet() {
  return Network::Load(kSource + "/models/alexnet.onnx").value();
}
Architecture Eyeriss() {
  return Architecture::Load(kSource + "/archs/eyeriss.yaml").value();
}
PlanOptions Fast() {
  PlanOptions options;
  options.evaluations = 200;
  return options;
}

/// The part of a plan file that is the same in every run.
std::string ReproduciblePart(const Plan& plan) {
  const std::string json = plan.ToJson();
  return json.substr(0, json.find("\"run\":"));
}

TEST(ApiNetwork, LoadsByPathNameAndBytes) {
  const Network by_path = AlexNet();
  const auto by_name = Network::Load("alexnet");
  ASSERT_TRUE(by_name) << by_name.error().text;
  const auto by_bytes = Network::FromBytes(ReadText(kSource + "/models/alexnet.onnx"), "bytes");
  ASSERT_TRUE(by_bytes) << by_bytes.error().text;
  EXPECT_EQ(by_path.hash(), by_name->hash());
  EXPECT_EQ(by_path.hash(), by_bytes->hash());
  EXPECT_EQ(by_path.macs(), by_bytes->macs());
  EXPECT_EQ(by_path.name(), "alexnet");
  EXPECT_EQ(by_path.operators().size(), by_path.size());
  std::int64_t macs = 0;
  for (const sluice::OperatorInfo& op : by_path.operators()) {
    EXPECT_FALSE(op.name.empty());
    EXPECT_FALSE(op.view && op.macs != 0) << op.name;
    macs += op.macs;
  }
  EXPECT_EQ(macs, by_path.macs());
}

TEST(ApiNetwork, BatchMultipliesTheWork) {
  sluice::NetworkOptions options;
  options.batch = 4;
  const auto batched = Network::Load("alexnet", options);
  ASSERT_TRUE(batched) << batched.error().text;
  EXPECT_EQ(batched->macs(), 4 * AlexNet().macs());
}

TEST(ApiNetwork, DescriptorBecomesOneOperator) {
  const auto network = Network::FromOperator("gemm M=8 N=16 K=32");
  ASSERT_TRUE(network) << network.error().text;
  ASSERT_EQ(network->size(), 1U);
  EXPECT_EQ(network->macs(), 8 * 16 * 32);
  const auto bad = Network::FromOperator("gemm M=8 N=16 Q=32");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().kind, ErrorKind::kInput);
  EXPECT_GT(bad.error().column, 0);
}

TEST(ApiNetwork, ErrorsSayWhatIsWrong) {
  const auto missing = Network::Load("/no/such/file.onnx");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kEnvironment);
  EXPECT_NE(missing.error().text.find("/no/such/file.onnx"), std::string::npos);
  const auto misspelt = Network::Load("alexnt");
  ASSERT_FALSE(misspelt);
  EXPECT_EQ(misspelt.error().kind, ErrorKind::kInput);
  EXPECT_EQ(misspelt.error().hint, "did you mean `alexnet`?");
  const auto garbage = Network::FromBytes("not ONNX at all", "garbage");
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().kind, ErrorKind::kInput);
  EXPECT_EQ(garbage.error().code[0], 'E');
}

TEST(ApiArchitecture, LoadsDescribesAndWrites) {
  const Architecture eyeriss = Eyeriss();
  EXPECT_GT(eyeriss.clock_hz(), 0);
  const std::vector<sluice::ChainInfo> chains = eyeriss.chains();
  ASSERT_FALSE(chains.empty());
  EXPECT_GE(chains[0].memories.size(), 2U);
  EXPECT_GT(chains[0].compute_instances, 1);
  const std::string description = eyeriss.Describe();
  for (const std::string& memory : chains[0].memories) {
    EXPECT_NE(description.find(memory), std::string::npos) << memory;
  }
  const auto again = Architecture::FromYaml(eyeriss.ToYaml(), "again");
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ(again->ToYaml(), eyeriss.ToYaml());
}

TEST(ApiArchitecture, ErrorsHavePositions) {
  const auto bad = Architecture::FromYaml("name: x\nclock: 1 GHz\nnonsense: 3\n", "mine.yaml");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().file, "mine.yaml");
  EXPECT_GT(bad.error().line, 0);
  EXPECT_GT(bad.error().column, 0);
  EXPECT_NE(bad.error().text.find("mine.yaml:"), std::string::npos);
}

TEST(ApiCatalog, NamesLoad) {
  const auto archs = sluice::ShippedArchitectures();
  EXPECT_GE(archs.size(), 10U);
  for (const sluice::CatalogEntry& entry : archs) {
    EXPECT_TRUE(Architecture::Load(entry.name)) << entry.name;
  }
  EXPECT_GE(sluice::ShippedModels().size(), 10U);
  EXPECT_FALSE(sluice::LibraryVersion().empty());
}

TEST(ApiPlan, TotalsAreTheSumOfTheOperators) {
  const auto plan = Plan::Make(AlexNet(), Eyeriss(), Fast());
  ASSERT_TRUE(plan) << plan.error().text;
  EXPECT_TRUE(plan->complete());
  const sluice::PlanTotals totals = plan->totals();
  double energy = 0;
  double cycles = 0;
  for (const sluice::PlannedOperator& op : plan->operators()) {
    energy += op.energy_pj;
    cycles += op.cycles;
    EXPECT_EQ(op.view, op.loop_nest.empty()) << op.name;
  }
  EXPECT_DOUBLE_EQ(totals.energy_pj, energy);
  EXPECT_DOUBLE_EQ(totals.cycles, cycles);
  EXPECT_EQ(totals.macs, AlexNet().macs());
  EXPECT_GE(totals.energy_pj, totals.bound_energy_pj);
  EXPECT_GE(totals.cycles, totals.bound_cycles);
  EXPECT_GT(totals.bound_energy_pj, 0);
  EXPECT_GT(totals.evaluations, 0);
  EXPECT_NE(plan->Summary(3).find("alexnet"), std::string::npos);
}

TEST(ApiPlan, InspectionAgreesWithThePlanAndWithEvaluatingTheMapping) {
  const Network network = AlexNet();
  const Architecture machine = Eyeriss();
  const auto plan = Plan::Make(network, machine, Fast());
  ASSERT_TRUE(plan) << plan.error().text;
  const auto operators = plan->operators();
  ASSERT_EQ(operators.size(), network.size());
  int inspected = 0;
  for (std::size_t i = 0; i < operators.size(); ++i) {
    const auto detail = plan->Evaluate(i);
    ASSERT_EQ(detail.ok(), !operators[i].view) << operators[i].name;
    if (!detail) {
      continue;
    }
    ++inspected;
    EXPECT_EQ(detail->energy_pj, operators[i].energy_pj);
    EXPECT_EQ(detail->cycles, operators[i].cycles);
    EXPECT_EQ(detail->binding, operators[i].binding);
    double sum = detail->compute_energy_pj + detail->leakage_pj;
    for (const sluice::TensorTraffic& traffic : detail->traffic) {
      sum += traffic.access_energy_pj + traffic.network_energy_pj;
    }
    EXPECT_NEAR(sum, detail->energy_pj, 1e-9 * detail->energy_pj);
    bool binding_is_listed = false;
    for (const sluice::ResourceCycles& resource : detail->resources) {
      EXPECT_LE(resource.cycles, detail->cycles);
      binding_is_listed |= resource.binds && resource.resource == detail->binding;
    }
    EXPECT_TRUE(binding_is_listed) << detail->binding;
    // The mapping text alone gives the same numbers.
    const auto again = sluice::EvaluateMapping(network, i, machine, detail->mapping_yaml);
    ASSERT_TRUE(again) << again.error().text;
    EXPECT_EQ(again->energy_pj, detail->energy_pj);
    EXPECT_EQ(again->cycles, detail->cycles);
    EXPECT_EQ(again->mapping_yaml, detail->mapping_yaml);
  }
  EXPECT_GT(inspected, 5);
}

TEST(ApiPlan, SameSeedSamePlanForAnyNumberOfThreads) {
  const Network network = AlexNet();
  const Architecture machine = Eyeriss();
  PlanOptions options = Fast();
  options.threads = 1;
  const auto one = Plan::Make(network, machine, options);
  options.threads = 4;
  const auto four = Plan::Make(network, machine, options);
  options.seed = 2;
  const auto other = Plan::Make(network, machine, options);
  ASSERT_TRUE(one && four && other);
  EXPECT_EQ(ReproduciblePart(*one), ReproduciblePart(*four));
  EXPECT_NE(ReproduciblePart(*one), ReproduciblePart(*other));
}

TEST(ApiPlan, SharedInputsMayBePlannedFromSeveralThreads) {
  const Network network = AlexNet();
  const Architecture machine = Eyeriss();
  std::string first;
  std::string second;
  std::thread worker(
      [&] { first = ReproduciblePart(Plan::Make(network, machine, Fast()).value()); });
  second = ReproduciblePart(Plan::Make(network, machine, Fast()).value());
  worker.join();
  EXPECT_EQ(first, second);
}

TEST(ApiPlan, ObeysConstraintsAndDoesNotDependOnTheCache) {
  const Network network = AlexNet();
  const Architecture machine = Eyeriss();
  PlanOptions options = Fast();
  const auto free = Plan::Make(network, machine, options);
  options.constraints = SLUICE_SOURCE_DIR "/constraints/eyeriss-row-stationary.yaml";
  const auto plain = Plan::Make(network, machine, options);
  options.cache_folder = ::testing::TempDir() + "sluice_api_cache";
  const auto cold = Plan::Make(network, machine, options);
  const auto warm = Plan::Make(network, machine, options);
  ASSERT_TRUE(free && plain && cold && warm) << plain.error().text;
  EXPECT_NE(ReproduciblePart(*free), ReproduciblePart(*plain));
  EXPECT_EQ(ReproduciblePart(*plain), ReproduciblePart(*cold));
  EXPECT_EQ(ReproduciblePart(*plain), ReproduciblePart(*warm));
  EXPECT_GT(std::filesystem::remove_all(options.cache_folder), 5U);
  options.constraints = "no/such/file.yaml";
  EXPECT_FALSE(Plan::Make(network, machine, options));
}

TEST(ApiPlan, ObjectiveChangesWhatIsMinimised) {
  const auto network = Network::FromOperator("gemm M=256 N=256 K=256");
  const Architecture machine = Eyeriss();
  PlanOptions options;
  options.evaluations = 5000;
  options.objective = sluice::Objective::kLatency;
  const auto fast = Plan::Make(*network, machine, options);
  options.objective = sluice::Objective::kEnergy;
  const auto frugal = Plan::Make(*network, machine, options);
  ASSERT_TRUE(fast && frugal);
  EXPECT_LE(fast->totals().cycles, frugal->totals().cycles);
  EXPECT_LE(frugal->totals().energy_pj, fast->totals().energy_pj);
}

TEST(ApiPlan, EveryMapperPlans) {
  ASSERT_FALSE(sluice::Mappers().empty());
  const auto network = Network::FromOperator("gemm M=16 N=16 K=16");
  for (const sluice::MapperInfo& mapper : sluice::Mappers()) {
    PlanOptions options = Fast();
    options.mapper = mapper.name;
    EXPECT_FALSE(mapper.description.empty());
    const auto plan = Plan::Make(*network, Eyeriss(), options);
    EXPECT_TRUE(plan) << mapper.name;
  }
}

TEST(ApiPlan, WrongOptionsAreErrors) {
  const auto network = Network::FromOperator("gemm M=16 N=16 K=16");
  const Architecture machine = Eyeriss();
  PlanOptions options;
  options.mapper = "anealing";
  auto plan = Plan::Make(*network, machine, options);
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().hint.find("annealing"), std::string::npos);
  options = {};
  options.policy = "nonsense";
  EXPECT_FALSE(Plan::Make(*network, machine, options));
  options = {};
  options.threads = -1;
  EXPECT_FALSE(Plan::Make(*network, machine, options));
  options = {};
  options.evaluations = -5;
  EXPECT_FALSE(Plan::Make(*network, machine, options));
  options = {};
  options.seconds = -0.5;
  EXPECT_FALSE(Plan::Make(*network, machine, options));
}

TEST(ApiPlan, ProgressIsReportedForEveryDistinctOperator) {
  PlanOptions options = Fast();
  std::int64_t calls = 0;
  std::int64_t total = 0;
  options.progress = [&](const sluice::Progress& progress) {
    ++calls;
    total = progress.total;
    EXPECT_LE(progress.done, progress.total);
    EXPECT_FALSE(progress.operator_name.empty());
  };
  ASSERT_TRUE(Plan::Make(AlexNet(), Eyeriss(), options));
  EXPECT_GT(calls, 3);
  EXPECT_EQ(calls, total);
}

TEST(ApiPlan, CancellationKeepsTheBestFoundSoFar) {
  std::atomic<bool> stop = true;
  PlanOptions options;
  options.stop = &stop;
  const auto plan = Plan::Make(AlexNet(), Eyeriss(), options);
  ASSERT_TRUE(plan) << plan.error().text;
  EXPECT_FALSE(plan->complete());
  EXPECT_GT(plan->totals().energy_pj, 0);
}

TEST(ApiPlan, ThrowingCallbackIsAnError) {
  PlanOptions options = Fast();
  int calls = 0;
  options.progress = [&calls](const sluice::Progress&) {
    ++calls;
    throw std::runtime_error("the dog ate it");
  };
  const auto plan = Plan::Make(AlexNet(), Eyeriss(), options);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::kInput);
  EXPECT_NE(plan.error().message.find("the dog ate it"), std::string::npos);
  EXPECT_EQ(calls, 1);
}

TEST(ApiPlan, OperatorThatDoesNotFitSaysWhatIsShort) {
  // One word of each tensor of a matrix product must be kept, and there is room for two.
  std::string yaml = ReadText(kSource + "/tests/cli/data/tiny.yaml");
  const std::size_t size = yaml.find("size: 3 words");
  ASSERT_NE(size, std::string::npos);
  yaml.replace(size, 13, "size: 2 words");
  const auto machine = Architecture::FromYaml(yaml, "tiny.yaml");
  ASSERT_TRUE(machine) << machine.error().text;
  const auto network = Network::FromOperator("gemm M=64 N=64 K=64");
  const auto plan = Plan::Make(*network, *machine, Fast());
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::kNoMapping);
  EXPECT_NE(plan.error().text.find("short"), std::string::npos) << plan.error().text;
}

TEST(ApiPlan, WrittenPlanReadsBack) {
  const auto plan = Plan::Make(AlexNet(), Eyeriss(), Fast());
  ASSERT_TRUE(plan);
  const TemporaryFile file("api_plan.json");
  ASSERT_TRUE(plan->WriteJson(file.path()));
  const auto read = Plan::Read(file.path());
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->ToJson(), plan->ToJson());

  // A number that the mappings do not have is found.
  std::string text = ReadText(file.path());
  const std::size_t at = text.find("\"energy_pj\": ");
  ASSERT_NE(at, std::string::npos);
  text.insert(at + 13, "9");
  std::ofstream(file.path()) << text;
  const auto forged = Plan::Read(file.path());
  ASSERT_FALSE(forged);
  EXPECT_EQ(forged.error().kind, ErrorKind::kInput);
}

TEST(ApiPlan, ReportIsOneHtmlFile) {
  const auto plan = Plan::Make(AlexNet(), Eyeriss(), Fast());
  ASSERT_TRUE(plan);
  const TemporaryFile file("api_report.html");
  const auto written = plan->WriteReport(file.path());
  ASSERT_TRUE(written) << written.error().text;
  const std::string html = ReadText(file.path());
  EXPECT_NE(html.find("<html"), std::string::npos);
  EXPECT_NE(html.find("alexnet"), std::string::npos);
  const auto impossible = plan->WriteReport("/no/such/folder/report.html");
  ASSERT_FALSE(impossible);
  EXPECT_EQ(impossible.error().kind, ErrorKind::kEnvironment);
  EXPECT_FALSE(plan->WriteJson("/no/such/folder/plan.json"));
}

TEST(ApiEvaluation, RefusesWhatItCannotScore) {
  const auto network = Network::FromOperator("gemm M=16 N=16 K=16");
  const Architecture machine = Eyeriss();
  EXPECT_FALSE(sluice::EvaluateMapping(*network, 1, machine, ""));
  EXPECT_FALSE(sluice::EvaluateMapping(*network, 0, machine, ""));
  EXPECT_FALSE(sluice::EvaluateMapping(*network, 0, machine, "version: 1\nlevels: []\n"));
  const auto plan = Plan::Make(*network, machine, Fast());
  ASSERT_TRUE(plan);
  const std::string mapping = plan->Evaluate(0)->mapping_yaml;
  EXPECT_TRUE(sluice::EvaluateMapping(*network, 0, machine, mapping));
  EXPECT_FALSE(sluice::EvaluateMapping(*network, 0, machine, mapping, "nonsense"));
  EXPECT_FALSE(plan->Evaluate(1));
  const auto other = Network::FromOperator("gemm M=32 N=16 K=16");
  const auto uncovered = sluice::EvaluateMapping(*other, 0, machine, mapping);
  ASSERT_FALSE(uncovered);
  EXPECT_EQ(uncovered.error().kind, ErrorKind::kInput);
}

TEST(ApiExpected, ReadingAValueThatIsNotThereThrowsItsReason) {
  const auto missing = Network::Load("alexnt");
  try {
    static_cast<void>(missing.value());
    FAIL() << "no exception";
  } catch (const std::logic_error& error) {
    EXPECT_NE(std::string(error.what()).find("alexnt"), std::string::npos);
  }
}

TEST(ApiValues, MovedObjectsTakeTheirContentWithThem) {
  Network first = AlexNet();
  const std::string hash = first.hash();
  Network second = std::move(first);
  EXPECT_EQ(second.hash(), hash);
  first = std::move(second);
  EXPECT_EQ(first.hash(), hash);
}

}  // namespace
