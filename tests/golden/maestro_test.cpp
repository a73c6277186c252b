/// \file
/// Golden vectors of MAESTRO: the mapping files are read as they are, priced by the compatible
/// model and written as CSV; every column, and what only the screen shows, must equal what the tool
/// printed. The exact model must agree where the tool does no wrong, and never be impossible.
/// tests/golden/maestro/README.md has the origin of the data.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cost/maestro/compatible.h"
#include "cost/maestro/exact.h"
#include "io/maestro/csv.h"
#include "io/maestro/network.h"

namespace sluice {
namespace {

using cost::maestro::Hardware;
using cost::maestro::Report;
using cost::maestro::Verdict;
using Json = nlohmann::ordered_json;

struct Golden {
  std::vector<std::string> columns;
  std::vector<Json> vectors;
};

Golden Load() {
  std::ifstream file(std::string(SLUICE_SOURCE_DIR) + "/tests/golden/maestro/vectors.jsonl");
  Golden golden;
  std::string line;
  std::getline(file, line);
  golden.columns = Json::parse(line).get<std::vector<std::string>>();
  while (std::getline(file, line)) {
    golden.vectors.push_back(Json::parse(line));
  }
  return golden;
}

Hardware HardwareOf(const Json& vector) {
  const auto hw = vector["hw"].get<std::vector<std::int64_t>>();
  return {hw[0], hw[1], hw[2], hw[3], hw[4], hw[5], hw[6], hw[7]};
}

/// A CSV text as cells, blanks around them removed.
std::vector<std::vector<std::string>> Cells(const std::string& csv) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, ',');) {
      cell.erase(0, cell.find_first_not_of(' '));
      rows.back().push_back(cell);
    }
  }
  return rows;
}

/// Empty, or how a printed cell differs from the tool's.
std::string Difference(const Json& want, const std::string& got) {
  if (want.is_string() && want != "nan" && want != "inf") {
    return want == got ? "" : "text";
  }
  if (want.is_number_integer() && got.find_first_of(".en") == std::string::npos) {
    return std::to_string(want.get<std::int64_t>()) == got ? "" : "integer";
  }
  const double number = std::stod(got);
  if (want == "nan") {
    return std::isnan(number) ? "" : "nan";
  }
  const double target =
      want == "inf" ? std::numeric_limits<double>::infinity() : want.get<double>();
  return number == target || std::abs(number - target) <= 1e-5 * std::abs(target) ? "" : "real";
}

TEST(MaestroGolden, EveryColumnOfEveryVector) {
  const Golden golden = Load();
  ASSERT_GE(golden.vectors.size(), 144U);
  for (const Json& vector : golden.vectors) {
    SCOPED_TRACE(vector["id"].get<std::string>());
    const auto network = io::ReadMaestroNetwork(vector["mapping"].get<std::string>(), "golden.m");
    ASSERT_TRUE(network) << network.error().Render();
    const Hardware hardware = HardwareOf(vector);
    std::vector<io::MaestroRow> rows;
    for (const io::MaestroLayer& layer : network->layers) {
      const cost::maestro::CompatibleModel model(layer.layer, hardware);
      rows.push_back({layer.name, model.Evaluate(layer.dataflow)});
      ASSERT_EQ(rows.back().report.verdict, Verdict::kOk);
    }
    const auto cells = Cells(io::WriteMaestroCsv(network->name, rows, hardware, {.as_tool = true}));
    ASSERT_EQ(cells.size(), vector["csv"].size() + 1);
    ASSERT_EQ(cells[0].size(), golden.columns.size());
    for (std::size_t r = 0; r < vector["csv"].size(); ++r) {
      for (std::size_t c = 1; c < golden.columns.size(); ++c) {
        EXPECT_EQ(Difference(vector["csv"][r][c], cells[r + 1][c]), "")
            << golden.columns[c] << ": " << vector["csv"][r][c] << " became " << cells[r + 1][c];
      }
    }
    if (!vector.contains("l2_words")) {
      continue;
    }
    const Report& report = rows[0].report;
    for (std::size_t t = 0; t < report.tensors.size(); ++t) {
      EXPECT_EQ(report.tensors[t].l2_words, vector["l2_words"][t].get<std::int64_t>());
      EXPECT_EQ(report.tensors[t].l1_words, vector["l1_words"][t].get<std::int64_t>());
    }
    const cost::maestro::Energy energy = EnergyOf(report);
    const double screen = vector["energy_macs"].get<double>() * 0.00023;
    EXPECT_NEAR(energy.full() + energy.l2_output_reads, screen, 1e-5 * std::abs(screen));
  }
}

TEST(MaestroGolden, ColumnsHaveTheNamesOfTheTool) {
  const Golden golden = Load();
  const auto header = Cells(io::WriteMaestroCsv("", {}, {}, {}))[0];
  for (std::size_t c = 0; c < golden.columns.size(); ++c) {
    // The tool calls two columns "Compute Delay (Min)".
    EXPECT_EQ(header[c], golden.columns[c].substr(0, golden.columns[c].find(" #")));
  }
}

TEST(MaestroGolden, FilesAreWrittenAsTheyWereRead) {
  for (const Json& vector : Load().vectors) {
    const auto network = io::ReadMaestroNetwork(vector["mapping"].get<std::string>(), "golden.m");
    ASSERT_TRUE(network) << network.error().Render();
    const auto again = io::ReadMaestroNetwork(io::WriteMaestroNetwork(*network), "written.m");
    ASSERT_TRUE(again) << again.error().Render();
    EXPECT_EQ(*network, *again);
  }
}

bool HasTwoSpatialMaps(const mapping::Dataflow& dataflow) {
  for (const mapping::MapList& level : dataflow.levels) {
    if (std::count_if(level.begin(), level.end(),
                      [](const mapping::Map& map) { return map.spatial; }) == 2) {
      return true;
    }
  }
  return false;
}

TEST(MaestroGolden, TheExactModelIsNeverImpossible) {
  int priced = 0;
  for (const Json& vector : Load().vectors) {
    SCOPED_TRACE(vector["id"].get<std::string>());
    const auto network = io::ReadMaestroNetwork(vector["mapping"].get<std::string>(), "golden.m");
    ASSERT_TRUE(network);
    for (const io::MaestroLayer& layer : network->layers) {
      const cost::maestro::ExactModel model(layer.layer, HardwareOf(vector));
      const Report report = model.Evaluate(layer.dataflow);
      if (report.verdict == Verdict::kOk) {
        ++priced;
        EXPECT_TRUE(report.physical());
      } else {
        // Two maps in step over the same units (Y' and X' in G058) cover only their diagonal; the
        // tool counts the whole square.
        EXPECT_EQ(report.verdict, Verdict::kIncomplete) << VerdictText(report.verdict);
        EXPECT_TRUE(HasTwoSpatialMaps(layer.dataflow));
      }
    }
  }
  EXPECT_GE(priced, 140);
}

}  // namespace
}  // namespace sluice
