/// Replays the corpora of the fuzzers, and every reproducer in corpus/, under any compiler: what a
/// campaign reached once stays reached, and what it found stays fixed. Each text is also tried cut
/// short, at eight places.

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fuzz/targets.h"

namespace sluice::fuzz {
namespace {

struct Target {
  std::string_view name;  ///< of the fuzzer and of its folder in corpus/
  void (*run)(std::string_view);
};

constexpr std::array<Target, 12> kTargets = {{
    {"architecture_yaml", ArchitectureYaml},
    {"certificate_json", CertificateJson},
    {"constraints_yaml", ConstraintsYaml},
    {"descriptor", Descriptor},
    {"directives", Directives},
    {"evaluate_vs_walker", EvaluateVsWalker},
    {"maestro_files", MaestroFiles},
    {"mapping_yaml", MappingYaml},
    {"onnx_import", OnnxImport},
    {"plan_json", PlanJson},
    {"predict_files", PredictFiles},
    {"timeloop_yaml", TimeloopYaml},
}};

std::vector<std::filesystem::path> Corpus(std::string_view target) {
  const auto folder = std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/fuzz/corpus" / target;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string Bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class Replay : public ::testing::TestWithParam<Target> {};

TEST_P(Replay, CorpusKeepsThePromises) {
  const auto files = Corpus(GetParam().name);
  ASSERT_GE(files.size(), 5U);
  for (const auto& file : files) {
    const std::string bytes = Bytes(file);
    EXPECT_NO_THROW(GetParam().run(bytes)) << file;
  }
}

TEST_P(Replay, CutShort) {
  for (const auto& file : Corpus(GetParam().name)) {
    const std::string bytes = Bytes(file);
    for (std::size_t part = 0; part < 8; ++part) {
      const std::string cut = bytes.substr(0, bytes.size() * part / 8);
      EXPECT_NO_THROW(GetParam().run(cut)) << file << " cut to " << cut.size() << " bytes";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Replay, ::testing::ValuesIn(kTargets),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace sluice::fuzz
