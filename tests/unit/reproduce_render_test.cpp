/// \file
/// How `sluice reproduce` prints: figures beside the published ones in 80 columns, every target
/// with its verdict, and the reason where one is missed.

#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "driver/reproduce/reproduce.h"

namespace sluice::driver {
namespace {

Reproduction Sample() {
  ReproducedTable table;
  table.title = "Three columns";
  table.columns = {"ln latency", "ln energy", "ln EDP"};
  ReproducedRow row;
  row.what = "MAESTRO, any tiles: annealing";
  row.samples = "100,000";
  row.published = {"13.43", "9.49", "23.26"};
  row.ours = {"13.420 (13.42-13.42)", "18.420 (18.42-18.42)", "22.143 (22.12-22.26)"};
  row.cpu_seconds = 0.529;
  table.rows.push_back(row);
  row.published.assign(3, std::string(kNone));
  row.samples = "1";
  row.cpu_seconds = 0;
  table.rows.push_back(row);
  Reproduction reproduction;
  reproduction.tables.push_back(table);
  reproduction.targets = {
      {"dcp, 10,000 samples, twelve layers, latency", 1.001, 1.002, Aiming::kAtMost, ""},
      {"the same with training over three networks", 1.821, 0.1, Aiming::kAtMost, "it takes long"},
      {"a tiny error", 1.767e-06, 0.1, Aiming::kAtMost, "nobody asks"}};
  return reproduction;
}

TEST(ReproduceRender, FitsEightyColumns) {
  std::istringstream lines(RenderReproduction(Sample()).Plain());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_LE(line.size(), 80U) << line;
  }
  EXPECT_GT(count, 10);
}

TEST(ReproduceRender, SaysWhatIsPublishedAndWhatIsMissed) {
  const std::string text = RenderReproduction(Sample()).Plain();
  EXPECT_NE(text.find("annealing, 100,000 samples, 0.529 CPU s"), std::string::npos) << text;
  EXPECT_NE(text.find("annealing, 1 sample\n"), std::string::npos) << text;
  const auto first = text.find("  published");
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_EQ(text.find("  published", first + 1), std::string::npos)
      << "nobody published the second";
  EXPECT_NE(text.find("MISSED 1721.0 %"), std::string::npos) << text;
  EXPECT_NE(text.find("it takes long"), std::string::npos) << text;
  EXPECT_EQ(text.find("nobody asks"), std::string::npos) << "reached: no reason is needed";
  EXPECT_NE(text.find("<0.0001"), std::string::npos) << text;
}

}  // namespace
}  // namespace sluice::driver
