// The architecture format: what is read, how mistakes are shown, that the schema and the
// documentation are those of the format table, and that every shipped machine is whole.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "io/yaml/arch/arch.h"
#include "io/yaml/arch/arch_format.h"

namespace sluice::io {
namespace {

namespace fs = std::filesystem;

std::string SourcePath(const std::string& name) {
  return (fs::path(SLUICE_SOURCE_DIR) / name).string();
}

std::string Slurp(const std::string& name) {
  auto text = ReadFile(SourcePath(name), 1 << 20);
  EXPECT_TRUE(text) << text.error().Render();
  return text.value_or("");
}

Result<arch::Architecture> Read(const std::string& text) {
  SLUICE_TRY(const YamlDocument document, YamlDocument::Parse(text, "t.yaml"));
  return ReadArchitecture(document);
}

// Line numbers in the tables below are lines of this text.
constexpr const char* kGood = R"(version: 1
name: small
clock: 500 MHz
memory:
  name: DRAM
  size: unbounded
  word: 16 bit
  block: 64 bit
  read_bandwidth: 6.4 GB/s
  energy: {read: 20 pJ/bit}
  below:
    - memory:
        name: buffer
        size: 64 KiB
        buffering: 2
        read_bandwidth: 16 words/cycle
        write_bandwidth: 16 B/cycle
        energy: {read: 4 pJ/word, fill: 5 pJ}
        leakage: 0.5 mW
        keep: {weight: never}
        below:
          - fan_out:
              name: PEs
              x: 4
              y: 3
              dims_x: [K]
              network: {reduction: false, hop_energy: 0.1 pJ/bit, bandwidth: 8 words/cycle}
            memory:
              name: registers
              size: 8 words
              word: 8 bit
              energy: {read: 0.1 pJ}
              keep: must
              below:
                - compute:
                    name: MAC
                    classes:
                      - {class: mac, energy: 1 pJ}
          - fan_out: {x: 2}
            compute:
              name: vector
              classes:
                - {class: vector, energy: 1 pJ, rate: 2 op/cycle}
              leakage: 3 pJ/cycle
)";

TEST(ArchYaml, ReadsEveryAttributeInTheUnitsOfTheModel) {
  const auto read = Read(kGood);
  ASSERT_TRUE(read) << read.error().Render();
  EXPECT_EQ(read->name, "small");
  EXPECT_EQ(read->clock_hz, 5e8);
  const arch::Memory& dram = read->root.memory;
  EXPECT_FALSE(dram.capacity_words);
  EXPECT_EQ(dram.block_words, 4);
  EXPECT_DOUBLE_EQ(dram.read_bandwidth.value(), 6.4);  // 6.4e9 B/s at 500 MHz and 2 B a word
  EXPECT_FALSE(dram.write_bandwidth);
  EXPECT_DOUBLE_EQ(dram.read_pj, 20.0 * 64);
  EXPECT_DOUBLE_EQ(dram.fill_pj, dram.read_pj);
  EXPECT_DOUBLE_EQ(dram.update_pj, dram.read_pj);
  EXPECT_TRUE(std::ranges::all_of(dram.keep, [](auto k) { return k == arch::Keep::kMust; }));
  const arch::Node& buffer = read->root.branches.at(0).memory_child.at(0);
  EXPECT_EQ(buffer.memory.capacity_words, 32768);
  EXPECT_EQ(buffer.memory.word_bits, 16);  // as above
  EXPECT_EQ(buffer.memory.block_words, 1);
  EXPECT_EQ(buffer.memory.buffering, 2);
  EXPECT_DOUBLE_EQ(buffer.memory.read_bandwidth.value(), 16);
  EXPECT_DOUBLE_EQ(buffer.memory.write_bandwidth.value(), 8);
  EXPECT_DOUBLE_EQ(buffer.memory.read_pj, 4);
  EXPECT_DOUBLE_EQ(buffer.memory.fill_pj, 5);
  EXPECT_DOUBLE_EQ(buffer.memory.update_pj, 5);
  EXPECT_DOUBLE_EQ(buffer.memory.leakage_pj_per_cycle, 1);  // 0.5 mW for 2 ns
  EXPECT_EQ(buffer.memory.keep[0], arch::Keep::kMay);
  EXPECT_EQ(buffer.memory.keep[1], arch::Keep::kNever);
  const arch::FanOut& pes = buffer.branches.at(0).fan_out;
  EXPECT_EQ(pes.instances(), 12);
  EXPECT_EQ(pes.dims_x, std::vector<std::string>{"K"});
  EXPECT_TRUE(pes.network.multicast);
  EXPECT_FALSE(pes.network.reduction);
  EXPECT_DOUBLE_EQ(pes.network.hop_pj, 1.6);
  EXPECT_DOUBLE_EQ(pes.network.bandwidth.value(), 8);
  const arch::Node& registers = buffer.branches.at(0).memory_child.at(0);
  EXPECT_EQ(registers.memory.word_bits, 8);
  EXPECT_EQ(registers.memory.capacity_words, 8);
  EXPECT_EQ(registers.memory.keep[2], arch::Keep::kMust);
  const arch::Compute& vector = buffer.branches.at(1).compute_child.at(0);
  EXPECT_EQ(vector.classes.at(0).work_class, ir::WorkClass::kVector);
  EXPECT_DOUBLE_EQ(vector.classes.at(0).operations_per_cycle, 2);
  EXPECT_DOUBLE_EQ(vector.leakage_pj_per_cycle, 3);
}

/// One line of kGood replaced.
struct Bad {
  const char* name;
  int line;                 ///< of kGood, from 1
  const char* replacement;  ///< for this line; may hold several
  ErrorCode code;
  int at_line;
  int at_column;
  const char* message;  ///< part of it
  const char* hint;     ///< part of it
};

std::string Replaced(int line, const std::string& replacement) {
  const std::string good = kGood;
  std::size_t begin = 0;
  for (int i = 1; i < line; ++i) {
    begin = good.find('\n', begin) + 1;
  }
  return good.substr(0, begin) + replacement + good.substr(good.find('\n', begin));
}

class BadArchitecture : public testing::TestWithParam<Bad> {};

TEST_P(BadArchitecture, IsRefusedAtItsPlace) {
  const Bad& c = GetParam();
  const auto read = Read(Replaced(c.line, c.replacement));
  ASSERT_FALSE(read);
  const Diagnostic& error = read.error();
  EXPECT_EQ(error.code, c.code) << error.Render();
  EXPECT_EQ(error.span.line, c.at_line) << error.Render();
  EXPECT_EQ(error.span.column, c.at_column) << error.Render();
  EXPECT_NE(error.message.find(c.message), std::string::npos) << error.Render();
  EXPECT_NE(error.hint.find(c.hint), std::string::npos) << error.Render();
}

INSTANTIATE_TEST_SUITE_P(
    Architecture, BadArchitecture,
    testing::Values(
        Bad{"version_missing", 1, "description: x", ErrorCode::kMissingKey, 1, 1, "`version`",
            "version: 1"},
        Bad{"version_unknown", 1, "version: 2", ErrorCode::kVersion, 1, 10, "version 2",
            "version 1"},
        Bad{"version_text", 1, "version: one", ErrorCode::kWrongType, 1, 10, "integer", ""},
        Bad{"unknown_key", 2, "name: small\nclok: 1 GHz", ErrorCode::kUnknownKey, 3, 1, "`clok`",
            "`clock`"},
        Bad{"unknown_memory_key", 14, "        sise: 64 KiB", ErrorCode::kUnknownKey, 14, 9,
            "`sise`", "did you mean `size`?"},
        Bad{"name_missing", 2, "description: x", ErrorCode::kMissingKey, 1, 1, "`name`", "Name"},
        Bad{"name_empty", 2, "name: ''", ErrorCode::kBadValue, 2, 7, "empty", ""},
        Bad{"name_list", 2, "name: [a]", ErrorCode::kWrongType, 2, 7, "a list", ""},
        Bad{"clock_without_unit", 3, "clock: 500", ErrorCode::kBadUnit, 3, 8, "`500` has no unit",
            "500 MHz"},
        Bad{"clock_wrong_unit", 3, "clock: 500 MiB", ErrorCode::kBadUnit, 3, 8, "is a size", "MHz"},
        Bad{"clock_zero", 3, "clock: 0 Hz", ErrorCode::kBadValue, 3, 8, "above 0", "200 MHz"},
        Bad{"clock_negative", 3, "clock: -5 MHz", ErrorCode::kBadValue, 3, 8, "negative", ""},
        Bad{"size_without_unit", 14, "        size: 64", ErrorCode::kBadUnit, 14, 15,
            "`64` has no unit", "64 KiB"},
        Bad{"size_zero", 14, "        size: 0 KiB", ErrorCode::kArchInvalid, 14, 15, "0 words", ""},
        Bad{"size_ambiguous", 14, "        size: 64 KB", ErrorCode::kBadUnit, 14, 15, "ambiguous",
            "kB for 1000"},
        Bad{"size_text", 14, "        size: big", ErrorCode::kBadValue, 14, 15, "finite number",
            "unbounded"},
        Bad{"size_fraction_of_word", 14, "        size: 3 B", ErrorCode::kBadValue, 14, 15,
            "16-bit words", "`1 words` or `2 words`"},
        Bad{"size_overflow", 14, "        size: 1e18 B", ErrorCode::kBadValue, 14, 15, "too large",
            ""},
        Bad{"size_huge", 14, "        size: 1000 TB", ErrorCode::kArchInvalid, 14, 15,
            "not between", ""},
        Bad{"size_missing", 14, "        block: 1 word", ErrorCode::kMissingKey, 13, 9, "`size`",
            "unbounded"},
        Bad{"word_missing", 7, "  keep: must", ErrorCode::kMissingKey, 5, 3, "`word`", "16 bit"},
        Bad{"word_zero", 7, "  word: 0 bit", ErrorCode::kBadValue, 7, 9, "between 1 and", ""},
        Bad{"block_zero", 8, "  block: 0 words", ErrorCode::kArchInvalid, 8, 10, "0 words", ""},
        Bad{"buffering", 15, "        buffering: 0.5", ErrorCode::kArchInvalid, 15, 20,
            "0.5 copies", "double"},
        Bad{"buffering_nan", 15, "        buffering: nan", ErrorCode::kBadValue, 15, 20, "finite",
            ""},
        Bad{"bandwidth_unit", 16, "        read_bandwidth: 16 words", ErrorCode::kBadUnit, 16, 25,
            "number of words", "words/cycle"},
        Bad{"bandwidth_zero", 16, "        read_bandwidth: 0 B/cycle", ErrorCode::kArchInvalid, 16,
            25, "bandwidth 0", "leave the key out"},
        Bad{"energy_missing", 18, "        block: 1 word", ErrorCode::kMissingKey, 13, 9,
            "`energy`", ""},
        Bad{"energy_read_missing", 18, "        energy: {fill: 1 pJ}", ErrorCode::kMissingKey, 18,
            17, "`read`", ""},
        Bad{"energy_typo", 18, "        energy: {read: 1 pJ, updates: 2 pJ}",
            ErrorCode::kUnknownKey, 18, 30, "`updates`", "`update`"},
        Bad{"energy_number", 18, "        energy: 4", ErrorCode::kWrongType, 18, 17, "a map", ""},
        Bad{"energy_infinite", 18, "        energy: {read: inf pJ}", ErrorCode::kBadValue, 18, 24,
            "finite", "pJ"},
        Bad{"leakage_unit", 19, "        leakage: 0.5", ErrorCode::kBadUnit, 19, 18, "no unit",
            "mW"},
        Bad{"keep_rule", 20, "        keep: {weight: no}", ErrorCode::kBadValue, 20, 24, "`no`",
            "must, may or never"},
        Bad{"keep_class", 20, "        keep: {weights: never}", ErrorCode::kUnknownKey, 20, 16,
            "`weights`", "`weight`"},
        Bad{"root_keep", 8, "  keep: {weight: never}", ErrorCode::kArchInvalid, 8, 9, "outermost",
            "keep: must"},
        Bad{"fan_out_zero", 24, "              x: 0", ErrorCode::kBadValue, 24, 18, "0 is out",
            "from 1"},
        Bad{"fan_out_negative", 24, "              x: -4", ErrorCode::kBadValue, 24, 18, "-4",
            "from 1"},
        Bad{"fan_out_product", 24, "              x: 1000000000", ErrorCode::kArchInvalid, 23, 15,
            "instances", ""},
        Bad{"fan_out_fraction", 24, "              x: 4.0", ErrorCode::kWrongType, 24, 18,
            "integer", "write 4"},
        Bad{"fan_out_without_x", 24, "              dims_y: [C]", ErrorCode::kMissingKey, 23, 15,
            "`x`", ""},
        Bad{"fan_out_name_twice", 23, "              name: buffer", ErrorCode::kArchInvalid, 23, 21,
            "`buffer` is used twice", "own name"},
        Bad{"network_flag", 27, "              network: {multicast: yes}", ErrorCode::kWrongType,
            27, 36, "true or false", "without quotes"},
        Bad{"fan_out_list", 39, "          - fan_out: [{x: 2}, {x: 2}]", ErrorCode::kArchInvalid,
            39, 22, "two fan-outs without a memory", "merge them"},
        Bad{"fan_out_in_fan_out", 39, "          - fan_out: {x: 2, fan_out: {x: 3}}",
            ErrorCode::kArchInvalid, 39, 38, "two fan-outs", "put a memory between"},
        Bad{"fan_out_below_fan_out", 39,
            "          - fan_out: {x: 2}\n            below:\n              - fan_out: {x: 3}",
            ErrorCode::kArchInvalid, 41, 26, "two fan-outs", "merge them"},
        Bad{"compute_in_fan_out", 39, "          - fan_out: {x: 2, compute: {name: a}}",
            ErrorCode::kUnknownKey, 39, 29, "inside a fan-out", "beside"},
        Bad{"branch_without_child", 39, "          - fan_out: {x: 2}\n          -",
            ErrorCode::kMissingKey, 39, 13, "neither", "compute"},
        Bad{"class_unknown", 43, "                - {class: vektor, energy: 1 pJ}",
            ErrorCode::kBadValue, 43, 27, "`vektor`", "`vector`"},
        Bad{"class_twice", 43,
            "                - {class: vector, energy: 1 pJ}\n"
            "                - {class: vector, energy: 1 pJ}",
            ErrorCode::kArchInvalid, 44, 27, "twice", ""},
        Bad{"rate_without_unit", 43, "                - {class: vector, energy: 1 pJ, rate: 2}",
            ErrorCode::kBadUnit, 43, 55, "no unit", "op/cycle"},
        Bad{"compute_name_twice", 41, "              name: MAC", ErrorCode::kArchInvalid, 41, 21,
            "`MAC` is used twice", ""},
        Bad{"below_map", 11, "  below: {}\n  description:", ErrorCode::kUnknownKey, 12, 3,
            "`description`", ""},
        Bad{"duplicate", 3, "clock: 500 MHz\nclock: 1 GHz", ErrorCode::kDuplicateKey, 4, 1,
            "`clock`", "remove"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(ArchYaml, RendersLikeACompiler) {
  EXPECT_EQ(Read(Replaced(14, "        size: 64")).error().Render(),
            "t.yaml:14:15: error E1207: `64` has no unit\n"
            "          size: 64\n"
            "                ^~\n"
            "in memory.below[0].memory.size\n"
            "hint: write `64 KiB`; units are KiB, B, bit, MiB, GiB, TiB, kB, MB, GB, TB, kbit, "
            "Mbit, words, word\n");
}

TEST(ArchYaml, EmptyAndForeignTextsAreRefused) {
  for (const char* text : {"", "[]", "3", "{}", "memory: {}", "version: 1", "null"}) {
    const auto read = Read(text);
    ASSERT_FALSE(read) << text;
    EXPECT_FALSE(read.error().message.empty());
  }
  EXPECT_EQ(LoadArchitecture("/nonexistent.yaml").error().code, ErrorCode::kFileUnreadable);
}

TEST(ArchYaml, TruncatedTextIsRefusedOrRead) {
  const std::string good = kGood;
  for (std::size_t i = 0; i < good.size(); ++i) {
    const auto read = Read(good.substr(0, i));
    if (read) {
      EXPECT_TRUE(arch::Validate(*read));
    }
  }
}

TEST(ArchYaml, WrittenTextReadsBackEqual) {
  const auto read = Read(kGood);
  ASSERT_TRUE(read);
  const auto again = Read(WriteArchitectureYaml(*read));
  ASSERT_TRUE(again) << again.error().Render();
  EXPECT_EQ(*again, *read);
}

/// Whether `key` occurs as a key anywhere in `at`.
void CollectKeys(const Cursor& at, std::set<std::string>& keys) {
  for (const auto& [key, value] : at.Items()) {
    keys.insert(key);
    CollectKeys(value, keys);
  }
  if (const auto elements = at.Elements()) {
    for (const Cursor& element : *elements) {
      CollectKeys(element, keys);
    }
  }
}

TEST(ArchFormat, WriterUsesEveryKeyOfTheTable) {
  auto full = Read(kGood);
  ASSERT_TRUE(full);
  full->description = "x";
  full->root.branches[0].memory_child[0].branches[0].fan_out.dims_y = {"C"};
  const auto document = YamlDocument::Parse(WriteArchitectureYaml(*full), "t.yaml");
  ASSERT_TRUE(document);
  std::set<std::string> keys;
  CollectKeys(document->root(), keys);
  for (const SectionSpec& section : ArchitectureFormat()) {
    for (const KeySpec& key : section.keys) {
      EXPECT_TRUE(keys.contains(std::string(key.key))) << section.name << "." << key.key;
    }
  }
}

// SLUICE_UPDATE=1 in the environment rewrites the shipped schema instead of comparing.
TEST(ArchFormat, ShippedSchemaIsTheGeneratedOne) {
  const std::string name = "archs/sluice-architecture.schema.json";
  if (std::getenv("SLUICE_UPDATE") != nullptr) {
    ASSERT_TRUE(WriteFileAtomic(SourcePath(name), ArchitectureSchema()));
  }
  EXPECT_EQ(Slurp(name), ArchitectureSchema()) << "rerun with SLUICE_UPDATE=1";
}

TEST(ArchFormat, SchemaNamesEverySectionAndKey) {
  const auto schema = YamlDocument::Parse(ArchitectureSchema(), "schema.json");
  ASSERT_TRUE(schema) << schema.error().Render();
  for (const SectionSpec& section : ArchitectureFormat()) {
    const bool root = section.name == "architecture";
    const Cursor at = root ? schema->root() : schema->root().At("$defs")->At(section.name).value();
    EXPECT_FALSE(at.At("additionalProperties")->AsBool().value());
    for (const KeySpec& key : section.keys) {
      EXPECT_TRUE(at.At("properties")->Find(key.key)) << section.name << "." << key.key;
    }
  }
}

TEST(ArchFormat, DocumentationHasTheTables) {
  const std::string text = Slurp("docs/formats/architecture.md");
  for (const SectionSpec& section : ArchitectureFormat()) {
    EXPECT_NE(text.find(FormatTable(section)), std::string::npos) << FormatTable(section);
  }
}

TEST(ArchFormat, ExampleOfTheDocumentationIsValid) {
  const std::string text = Slurp("docs/formats/architecture.md");
  const std::size_t begin = text.find("```yaml\n") + 8;
  const auto read = Read(text.substr(begin, text.find("```", begin) - begin));
  ASSERT_TRUE(read) << read.error().Render();
  EXPECT_EQ(arch::Chains(*read).size(), 2U);
}

std::vector<std::string> ShippedMachines() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(SourcePath("archs"))) {
    if (entry.path().extension() == ".yaml") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::ranges::sort(names);
  return names;
}

TEST(ShippedMachines, AreTheTwelve) {
  EXPECT_EQ(ShippedMachines(),
            (std::vector<std::string>{"ascend-like", "eyeriss", "gamma-edge", "goya-like",
                                      "ipu-like", "kapla-16x16", "kapla-edge", "nvdla-like",
                                      "simba", "stcp920", "three-level", "tpu-like"}));
}

TEST(ShippedMachines, LoadAndRunEveryClassOfWork) {
  for (const std::string& name : ShippedMachines()) {
    const auto machine = LoadArchitecture(SourcePath("archs/" + name + ".yaml"));
    ASSERT_TRUE(machine) << machine.error().Render();
    EXPECT_EQ(machine->name, name);
    EXPECT_FALSE(machine->description.empty()) << name;
    for (const ir::WorkClass c : {ir::WorkClass::kMac, ir::WorkClass::kVector,
                                  ir::WorkClass::kTranscendental, ir::WorkClass::kMove}) {
      const auto chain = arch::ChainFor(*machine, {{c, 1}});
      ASSERT_TRUE(chain) << name;
      EXPECT_TRUE(std::ranges::any_of(chain->compute.classes,
                                      [&](const auto& k) { return k.work_class == c; }))
          << name << " offers no " << arch::WorkClassName(c);
    }
    // The matrix unit comes first, and mixed bodies (a multiply-add and its activation) run as
    // well.
    EXPECT_EQ(arch::ChainFor(*machine, {{ir::WorkClass::kMac, 1}})->compute.name,
              arch::Chains(*machine).front().compute.name);
    EXPECT_TRUE(arch::ChainFor(*machine, {{ir::WorkClass::kMac, 1},
                                          {ir::WorkClass::kVector, 1},
                                          {ir::WorkClass::kTranscendental, 1}}))
        << name;
    const auto again = Read(WriteArchitectureYaml(*machine));
    ASSERT_TRUE(again) << again.error().Render();
    EXPECT_EQ(*again, *machine) << name;
  }
}

// Every line with a number cites a source or a rule in a comment, on the line or, for continued
// facts, directly above.
TEST(ShippedMachines, EveryNumberHasASource) {
  const std::set<std::string> exempt = {"version", "name", "description"};
  for (const std::string& name : ShippedMachines()) {
    const std::string text = Slurp("archs/" + name + ".yaml");
    int number = 0;
    bool previous_cited = false;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      const std::string line = text.substr(begin, end - begin);
      begin = end + 1;
      ++number;
      const std::size_t comment = line.find('#');
      const std::string content = line.substr(0, comment);
      const std::size_t first = content.find_first_not_of(" -");
      const std::string key =
          first == std::string::npos ? "" : content.substr(first, content.find(':') - first);
      const bool numeric = content.find_first_of("0123456789") != std::string::npos;
      const bool cited = comment != std::string::npos;
      if (numeric && !exempt.contains(key)) {
        EXPECT_TRUE(cited || (previous_cited && key == "y"))
            << name << ":" << number << " " << line;
      }
      previous_cited = cited;
    }
  }
}

TEST(ShippedMachines, HaveTheShapesTheyAreKnownFor) {
  const auto load = [](const std::string& name) {
    return LoadArchitecture(SourcePath("archs/" + name + ".yaml")).value();
  };
  const auto matrix = [&](const std::string& name) { return arch::Chains(load(name)).front(); };
  EXPECT_EQ(matrix("eyeriss").compute_instances(), 168);
  EXPECT_EQ(matrix("eyeriss").levels[1].memory.capacity_words, 55296);
  EXPECT_EQ(matrix("simba").compute_instances(), 1024);
  EXPECT_EQ(matrix("simba").levels.size(), 5U);
  EXPECT_EQ(matrix("tpu-like").compute_instances(), 65536);
  EXPECT_EQ(matrix("nvdla-like").compute_instances(), 2048);
  EXPECT_EQ(matrix("kapla-16x16").compute_instances(), 256 * 64);
  EXPECT_EQ(matrix("kapla-edge").compute_instances(), 256);
  EXPECT_EQ(matrix("gamma-edge").compute_instances(), 168);
  EXPECT_EQ(matrix("gamma-edge").levels[1].memory.capacity_words, 108000);
  EXPECT_EQ(matrix("gamma-edge").levels[2].memory.capacity_words, 512);
  EXPECT_EQ(matrix("stcp920").compute_instances(), 4 * 8 * 2048);
  EXPECT_EQ(matrix("ascend-like").compute_instances(), 8 * 4096);
  EXPECT_EQ(matrix("ipu-like").levels[0].fan_out.instances(), 2 * 1216);
  EXPECT_EQ(matrix("ipu-like").levels[1].memory.capacity_words, 131072);

  const arch::Chain three = matrix("three-level");
  ASSERT_EQ(three.levels.size(), 3U);
  EXPECT_EQ(three.levels[0].memory.read_pj, 128);
  EXPECT_EQ(three.levels[1].memory.capacity_words, 55296);
  EXPECT_EQ(three.levels[1].memory.update_pj, 17.57);
  EXPECT_EQ(three.levels[1].memory.read_bandwidth, 16);
  EXPECT_EQ(three.levels[1].memory.write_bandwidth, 16);
  EXPECT_EQ(three.levels[1].fan_out.x, 16);
  EXPECT_EQ(three.levels[1].fan_out.y, 16);
  EXPECT_EQ(three.levels[2].memory.capacity_words, 48);
  EXPECT_EQ(three.levels[2].memory.read_pj, 0.45);
  EXPECT_EQ(three.compute.classes.at(0).pj_per_operation, 0.5);
  for (const arch::Level& level : three.levels) {
    EXPECT_TRUE(
        std::ranges::all_of(level.memory.keep, [](auto k) { return k == arch::Keep::kMust; }));
    EXPECT_EQ(level.memory.block_words, 1);
  }
}

}  // namespace
}  // namespace sluice::io
