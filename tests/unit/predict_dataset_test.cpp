/// \file
/// Data sets: round trips, damage, continuation of what was cut short, the same bytes for any
/// number of threads.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "base/file.h"
#include "mapping/dataflow/code.h"
#include "predict/training/dataset.h"

namespace sluice::predict {
namespace {

class DatasetTest : public ::testing::Test {
 protected:
  DatasetTest() {
    options_.groups = 70;
    options_.codes = 12;
    folder_ = std::filesystem::temp_directory_path() /
              ("sluice_dataset_" + std::to_string(::getpid()) + "_" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  ~DatasetTest() override { std::filesystem::remove_all(folder_); }
  DatasetTest(const DatasetTest&) = delete;
  DatasetTest& operator=(const DatasetTest&) = delete;

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  std::string Bytes(const std::string& path) const { return *ReadFile(path, 1 << 24); }

  DatasetOptions options_;
  std::filesystem::path folder_;
};

TEST_F(DatasetTest, RoundTripAndManifest) {
  const auto run = MakeDataset(Path("a"), options_, 1, nullptr, {});
  ASSERT_TRUE(run.has_value());
  EXPECT_TRUE(run->complete);
  EXPECT_EQ(run->groups, 70U);
  const auto dataset = ReadDataset(Path("a"));
  ASSERT_TRUE(dataset.has_value());
  EXPECT_EQ(dataset->options, options_);
  EXPECT_EQ(dataset->samples(), run->samples);
  for (std::size_t g = 0; g < dataset->groups.size(); ++g) {
    EXPECT_EQ(dataset->groups[g], SampleGroup(options_, g));
  }
  const std::string manifest = Bytes(Path("a.json"));
  EXPECT_NE(manifest.find("\"model\": \"maestro-exact\""), std::string::npos);
  EXPECT_NE(manifest.find("\"layers_done\": 70"), std::string::npos);
}

TEST_F(DatasetTest, OneMachineForAllLayers) {
  cost::maestro::Hardware machine;
  machine.pes = 77;
  machine.l1_words = 99;
  machine.noc_bandwidth = 5;
  options_.machine = machine;
  ASSERT_TRUE(MakeDataset(Path("one"), options_, 1, nullptr, {}).has_value());
  const auto dataset = ReadDataset(Path("one"));
  ASSERT_TRUE(dataset.has_value());
  EXPECT_EQ(dataset->options, options_);
  DatasetOptions any = options_;
  any.machine.reset();
  for (std::size_t g = 0; g < dataset->groups.size(); ++g) {
    EXPECT_EQ(dataset->groups[g].hardware, machine);
    EXPECT_EQ(dataset->groups[g].layer, SampleGroup(any, g).layer);
  }
  const auto other = MakeDataset(Path("one"), any, 1, nullptr, {});
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, ErrorCode::kPlanMismatch);
  options_.machine->pes = 0;
  EXPECT_FALSE(ValidateDatasetOptions(options_).has_value());
}

TEST_F(DatasetTest, SameBytesForAnyNumberOfThreads) {
  ASSERT_TRUE(MakeDataset(Path("one"), options_, 1, nullptr, {}).has_value());
  ASSERT_TRUE(MakeDataset(Path("four"), options_, 4, nullptr, {}).has_value());
  EXPECT_EQ(Bytes(Path("one")), Bytes(Path("four")));
}

TEST_F(DatasetTest, ContinuesWhereverItWasCut) {
  ASSERT_TRUE(MakeDataset(Path("whole"), options_, 1, nullptr, {}).has_value());
  const std::string whole = Bytes(Path("whole"));
  const std::size_t header = DatasetHeader(options_).size();
  for (const std::size_t size : {header, header + 1, whole.size() / 3, whole.size() - 1}) {
    std::ofstream(Path("cut"), std::ios::binary) << whole.substr(0, size);
    EXPECT_FALSE(ReadDataset(Path("cut")).has_value());
    const auto run = MakeDataset(Path("cut"), options_, 2, nullptr, {});
    ASSERT_TRUE(run.has_value());
    EXPECT_TRUE(run->complete);
    EXPECT_EQ(Bytes(Path("cut")), whole) << "cut at " << size;
  }
}

TEST_F(DatasetTest, StopsAtTheFlagAndKeepsWhatIsThere) {
  std::atomic<bool> stop = false;
  const auto run =
      MakeDataset(Path("a"), options_, 1, &stop, [&](const DatasetProgress&) { stop = true; });
  ASSERT_TRUE(run.has_value());
  EXPECT_FALSE(run->complete);
  EXPECT_GT(run->groups, 0U);
  EXPECT_LT(run->groups, 70U);
  const auto rest = MakeDataset(Path("a"), options_, 1, nullptr, {});
  ASSERT_TRUE(rest.has_value());
  EXPECT_EQ(rest->resumed, run->groups);
  EXPECT_TRUE(rest->complete);
}

TEST_F(DatasetTest, RefusesAnotherDataSetAndForeignFiles) {
  ASSERT_TRUE(MakeDataset(Path("a"), options_, 1, nullptr, {}).has_value());
  DatasetOptions other = options_;
  other.seed = 2;
  EXPECT_EQ(MakeDataset(Path("a"), other, 1, nullptr, {}).error().code, ErrorCode::kPlanMismatch);
  std::ofstream(Path("text")) << "no data set";
  EXPECT_EQ(ReadDataset(Path("text")).error().code, ErrorCode::kSyntax);
  EXPECT_EQ(MakeDataset(Path("text"), options_, 1, nullptr, {}).error().code, ErrorCode::kSyntax);
  EXPECT_EQ(Bytes(Path("text")), "no data set") << "a foreign file was overwritten";
  std::string bytes = Bytes(Path("a"));
  bytes[8] = 77;  // the version
  EXPECT_EQ(ParseDataset(bytes, "a").error().code, ErrorCode::kVersion);
}

TEST_F(DatasetTest, EveryFlippedByteIsNoticed) {
  options_.groups = 3;
  ASSERT_TRUE(MakeDataset(Path("a"), options_, 1, nullptr, {}).has_value());
  const std::string good = Bytes(Path("a"));
  for (std::size_t i = 0; i < good.size(); i += 7) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    const auto parsed = ParseDataset(bad, "bad");
    EXPECT_FALSE(parsed.has_value() && parsed->complete) << "byte " << i;
  }
}

TEST_F(DatasetTest, SplitsByLayer) {
  std::array<int, 3> count{};
  for (std::size_t g = 0; g < 100; ++g) {
    ++count[static_cast<std::size_t>(SplitOf(g))];
  }
  EXPECT_EQ(count, (std::array<int, 3>{90, 5, 5}));
}

}  // namespace
}  // namespace sluice::predict
