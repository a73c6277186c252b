/// \file
/// Golden vectors of timeloop-model: the Timeloop v0.3 inputs are read as they are, evaluated under
/// the `timeloop` policy, and every counter must equal what Timeloop printed with extrapolation and
/// link transfers off (integers exactly, energies to 1e-9). tests/golden/timeloop/README.md has the
/// origin of the data.

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cost/evaluator.h"
#include "io/timeloop/reader.h"
#include "io/timeloop/stats.h"
#include "io/timeloop/writer.h"
#include "io/yaml/yaml.h"
#include "testing/same_case.h"

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

std::vector<Json> Vectors() {
  std::ifstream file(std::string(SLUICE_SOURCE_DIR) + "/tests/golden/timeloop/vectors.jsonl");
  std::vector<Json> vectors;
  for (std::string line; std::getline(file, line);) {
    vectors.push_back(Json::parse(line));
  }
  return vectors;
}

Result<io::TimeloopCase> Read(const Json& vector) {
  std::vector<io::YamlDocument> documents;
  for (const char* part : {"arch", "problem", "mapping", "ERT"}) {
    const std::string name = vector["id"].get<std::string>() + "." + part;
    SLUICE_TRY(io::YamlDocument document, io::YamlDocument::Parse(vector[part].dump(), name));
    documents.push_back(std::move(document));
  }
  return io::ReadTimeloop(documents);
}

cost::Policy PolicyOf(const Json& vector) {
  cost::Policy policy = cost::TimeloopPolicy();
  for (const auto& [name, value] : vector["env"].items()) {
    if (name == "TIMELOOP_ENABLE_FIRST_READ_ELISION") {
      policy.first_read_elision = value != "0";
    } else if (name == "TIMELOOP_ENABLE_UPDATED_RMW") {
      policy.parent_accumulates = value != "0";
    } else {
      ADD_FAILURE() << "unknown environment " << name;
    }
  }
  return policy;
}

/// Compares and reports the first difference of a vector only: the rest follows from it.
class Comparison {
 public:
  explicit Comparison(std::string id) : id_(std::move(id)) {}

  void Integer(const std::string& what, const Json& expected, std::int64_t got) {
    Check(what, expected, static_cast<double>(got), 0);
  }
  void Real(const std::string& what, const Json& expected, double got) {
    Check(what, expected, got, 1e-9);
  }
  [[nodiscard]] int compared() const { return compared_; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void Check(const std::string& what, const Json& expected, double got, double tolerance) {
    ++compared_;
    const auto wanted = expected.get<double>();
    if (!failed_ && !(std::abs(got - wanted) <= tolerance * std::abs(wanted))) {
      failed_ = true;
      ADD_FAILURE() << id_ << ": " << what << ": Timeloop " << expected << ", ours " << got;
    }
  }

  std::string id_;
  int compared_ = 0;
  bool failed_ = false;
};

void CompareLevels(const Json& vector, const io::TimeloopCase& sample,
                   const io::TimeloopStats& stats, Comparison& comparison) {
  for (std::size_t l = 0; l < sample.chain.levels.size(); ++l) {
    const io::TimeloopLevelStats& level = stats.levels[l];
    const std::string& name = sample.chain.levels[l].memory.name;
    Json expected = {{"tensors", Json::object()}};  // Timeloop omits levels that keep nothing
    for (const Json& candidate : vector["levels"]) {
      if (candidate["name"] == name) {
        expected = candidate;
      }
    }
    std::size_t kept = 0;
    for (std::size_t t = 0; t < sample.workload.tensors.size(); ++t) {
      const std::string& tensor_name = sample.workload.tensor_names[t];
      const io::TimeloopTensorStats& got = level.tensors[t];
      kept += got.kept ? 1U : 0U;
      if (!got.kept) {
        continue;
      }
      const std::string where = name + ", " + tensor_name + ", ";
      ASSERT_TRUE(expected["tensors"].contains(tensor_name)) << vector["id"] << where;
      const Json& tensor = expected["tensors"][tensor_name];
      comparison.Integer(where + "instances", tensor["utilized_instances_max"],
                         level.instances_max);
      comparison.Integer(where + "average instances", tensor["utilized_instances_avg"],
                         level.instances_avg);
      comparison.Integer(where + "fills", tensor["scalar_fills"], got.fills);
      comparison.Integer(where + "updates", tensor["scalar_updates"], got.updates);
      comparison.Integer(where + "reads", tensor["scalar_reads"], got.reads);
      comparison.Integer(where + "vector reads", tensor["vector_reads"], got.read_blocks);
      comparison.Integer(where + "vector fills", tensor["vector_fills"], got.fill_blocks);
      comparison.Integer(where + "vector updates", tensor["vector_updates"], got.update_blocks);
      comparison.Real(where + "energy", tensor["energy_total"], got.energy_pj);
    }
    EXPECT_EQ(expected["tensors"].size(), kept) << vector["id"] << " " << name;
  }
}

void CompareNetworks(const Json& vector, const io::TimeloopCase& sample, const cost::Cost& cost,
                     Comparison& comparison) {
  for (const Json& network : vector["networks"]) {
    const std::string name = network["name"].get<std::string>();
    for (std::size_t l = 0; l < sample.chain.levels.size(); ++l) {
      if (name.rfind(sample.chain.levels[l].memory.name + " <==>", 0) != 0) {
        continue;
      }
      for (std::size_t t = 0; t < sample.workload.tensors.size(); ++t) {
        const Json& expected = network["tensors"][sample.workload.tensor_names[t]];
        const cost::TensorTraffic& got = cost.level[l].tensors[t];
        const std::string where = name + ", " + sample.workload.tensor_names[t] + ", ";
        comparison.Integer(where + "ingresses", expected["ingresses"], got.network_words);
        comparison.Integer(where + "spatial reductions", expected["spatial_reductions"],
                           got.spatial_reductions);
        comparison.Real(where + "average hops", expected["avg_hops"],
                        got.hops / static_cast<double>(got.network_words));
        comparison.Real(where + "energy", expected["energy_total"], got.network_energy_pj);
      }
    }
  }
}

TEST(TimeloopGolden, EveryVectorWithAReferenceAgrees) {
  int references = 0;
  int agreeing = 0;
  int compared = 0;
  for (const Json& vector : Vectors()) {
    if (!vector.contains("total")) {
      continue;
    }
    ++references;
    auto sample = Read(vector);
    ASSERT_TRUE(sample) << vector["id"] << "\n" << sample.error().Render();
    auto evaluator = cost::Evaluator::Create(sample->workload, sample->chain, PolicyOf(vector));
    ASSERT_TRUE(evaluator) << evaluator.error().Render();
    const cost::Cost cost = evaluator->EvaluateFull(sample->mapping);
    const io::TimeloopStats stats = io::TimeloopView(cost, *evaluator, sample->mapping);
    Comparison comparison(vector["id"].get<std::string>());
    CompareLevels(vector, *sample, stats, comparison);
    CompareNetworks(vector, *sample, cost, comparison);
    const Json& arithmetic = vector["arithmetic"];
    comparison.Integer("computes", arithmetic["computes"], stats.computes);
    comparison.Integer("compute instances", arithmetic["utilized_instances"],
                       stats.compute_instances_max);
    comparison.Real("compute energy", arithmetic["energy_total"], stats.compute_energy_pj);
    comparison.Integer("cycles", vector["total"]["cycles"], stats.cycles);
    comparison.Real("energy", vector["total"]["energy"], stats.energy_pj);
    agreeing += comparison.failed() ? 0 : 1;
    compared += comparison.compared();
  }
  EXPECT_EQ(references, 150);
  EXPECT_EQ(agreeing, references);
  EXPECT_GT(compared, 10000);
}

TEST(TimeloopGolden, EveryVectorIsReadTheSameAfterWriting) {
  int vectors = 0;
  for (const Json& vector : Vectors()) {
    SCOPED_TRACE(vector["id"].get<std::string>());
    ++vectors;
    auto before = Read(vector);
    ASSERT_TRUE(before) << before.error().Render();
    auto text = io::WriteTimeloop(before->workload, before->chain, before->mapping);
    ASSERT_TRUE(text) << text.error().Render();
    EXPECT_TRUE(text->notes.empty()) << text->notes.front();
    std::vector<io::YamlDocument> documents;
    auto document = io::YamlDocument::Parse(text->Merged(), "written.yaml");
    ASSERT_TRUE(document) << document.error().Render();
    documents.push_back(std::move(*document));
    auto after = io::ReadTimeloop(documents);
    ASSERT_TRUE(after) << after.error().Render();
    testing::ExpectSameShape(before->workload, after->workload);
    testing::ExpectSameMachine(before->chain, after->chain);
    EXPECT_EQ(before->workload.tensor_names, after->workload.tensor_names);
    EXPECT_EQ(before->workload.dim_names, after->workload.dim_names);
    EXPECT_TRUE(before->mapping == after->mapping);
    auto old_evaluator =
        cost::Evaluator::Create(before->workload, before->chain, cost::TimeloopPolicy());
    auto new_evaluator =
        cost::Evaluator::Create(after->workload, after->chain, cost::TimeloopPolicy());
    ASSERT_TRUE(old_evaluator);
    ASSERT_TRUE(new_evaluator);
    const cost::Score old_score = old_evaluator->Evaluate(before->mapping);
    const cost::Score new_score = new_evaluator->Evaluate(after->mapping);
    EXPECT_EQ(old_score.energy_pj, new_score.energy_pj);
    EXPECT_EQ(old_score.cycles, new_score.cycles);
  }
  EXPECT_EQ(vectors, 151);
}

}  // namespace
}  // namespace sluice
