// The strict reader: where errors point, and that hostile text costs neither stack nor memory.

#include "io/yaml/yaml.h"

#include <string>

#include <gtest/gtest.h>

namespace sluice::io {
namespace {

/// The error that `text` gives, or a failed test.
Diagnostic ErrorOf(const std::string& text) {
  auto document = YamlDocument::Parse(text, "t.yaml");
  if (document) {
    ADD_FAILURE() << "accepted: " << text.substr(0, 200);
    return {};
  }
  return document.error();
}

YamlDocument Parse(const std::string& text) {
  auto document = YamlDocument::Parse(text, "t.yaml");
  if (!document) {
    throw std::runtime_error(document.error().Render());
  }
  return std::move(*document);
}

struct Bad {
  const char* name;
  std::string text;
  ErrorCode code;
  int line;
  int column;
  const char* message;  ///< part of it
  const char* hint;     ///< part of it
};

class BadYaml : public testing::TestWithParam<Bad> {};

TEST_P(BadYaml, IsRefusedAtItsPlace) {
  const Bad& c = GetParam();
  const Diagnostic error = ErrorOf(c.text);
  EXPECT_EQ(error.code, c.code) << error.Render();
  EXPECT_EQ(error.span.line, c.line) << error.Render();
  EXPECT_EQ(error.span.column, c.column) << error.Render();
  EXPECT_NE(error.message.find(c.message), std::string::npos) << error.Render();
  EXPECT_NE(error.hint.find(c.hint), std::string::npos) << error.Render();
}

std::string Repeat(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

/// Each line a list of nine aliases to the line before.
std::string AliasBomb(int levels) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < levels; ++i) {
    const std::string previous = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + previous +
            Repeat(", " + previous, 8) + "]\n";
  }
  return text;
}

std::string Stairs(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) {
    text += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  }
  return text;
}

INSTANTIATE_TEST_SUITE_P(
    Yaml, BadYaml,
    testing::Values(
        Bad{"duplicate", "a: 1\nb: 2\na: 3\n", ErrorCode::kDuplicateKey, 3, 1, "`a` appears twice",
            "remove"},
        Bad{"duplicate_in_flow", "x: {k: 1, k: 2}\n", ErrorCode::kDuplicateKey, 1, 11, "`k`",
            "remove"},
        Bad{"duplicate_quoted", "{\"a\": 1, 'a': 2}", ErrorCode::kDuplicateKey, 1, 10, "`a`",
            "remove"},
        Bad{"tab", "a:\n\tb: 1\n", ErrorCode::kSyntax, 2, 1, "tab", "spaces"},
        Bad{"tab_after_spaces", "a:\n  \tb: 1\n", ErrorCode::kSyntax, 2, 3, "tab", "spaces"},
        Bad{"nul", std::string("a: \0b\n", 6), ErrorCode::kSyntax, 1, 4, "control character 0x00",
            "text file"},
        Bad{"escape_character", "a: \x1B[31m\n", ErrorCode::kSyntax, 1, 4, "0x1b", "text file"},
        Bad{"latin1", "a: \xE4\n", ErrorCode::kSyntax, 1, 4, "0xe4 is not UTF-8", "UTF-8"},
        Bad{"overlong", "a: \xC0\x80\n", ErrorCode::kSyntax, 1, 4, "not UTF-8", "UTF-8"},
        Bad{"surrogate", "a: \xED\xA0\x80\n", ErrorCode::kSyntax, 1, 4, "not UTF-8", "UTF-8"},
        Bad{"utf16", std::string("\xFF\xFE\x61\x00", 4), ErrorCode::kSyntax, 1, 1, "not UTF-8",
            "UTF-8"},
        Bad{"two_documents", "a: 1\n---\nb: 2\n", ErrorCode::kSyntax, 2, 1, "second document",
            "own file"},
        Bad{"custom_tag", "a: !include x\n", ErrorCode::kSyntax, 1, 4, "`!include`", "without"},
        Bad{"undefined_alias", "a: *b\n", ErrorCode::kSyntax, 1, 4, "anchor", "before its use"},
        Bad{"cyclic_alias", "a: &x\n  b: *x\n", ErrorCode::kTooDeep, 2, 6, "contains itself", ""},
        Bad{"alias_bomb", AliasBomb(12), ErrorCode::kTooDeep, 5, 10, "aliases expand", "fewer"},
        Bad{"flow_depth", Repeat("[", 100), ErrorCode::kTooDeep, 1, 65, "64 levels", ""},
        Bad{"flow_depth_bomb", Repeat("[", 1000000), ErrorCode::kTooDeep, 1, 65, "64 levels", ""},
        Bad{"map_depth_bomb", Repeat("{a: ", 100000), ErrorCode::kTooDeep, 1, 257, "64 levels", ""},
        Bad{"block_depth", Stairs(100), ErrorCode::kTooDeep, 65, 65, "64 levels", ""},
        Bad{"dash_depth", Repeat("- ", 100000), ErrorCode::kTooDeep, 1, 129, "64 levels", ""},
        Bad{"question_depth", Repeat("? ", 100000), ErrorCode::kTooDeep, 1, 129, "64 levels", ""},
        Bad{"too_many", "[" + Repeat("1,", 2000000) + "1]", ErrorCode::kFileTooLarge, 1, 2097153,
            "values", ""},
        Bad{"open_quote", "a: \"x\nb: 1\n", ErrorCode::kSyntax, 1, 4, "never closed", "close"},
        Bad{"open_single_quote", "a: 'it''s\n", ErrorCode::kSyntax, 1, 4, "never closed", "close"},
        Bad{"open_list", "a: [1, 2\nb: 3\n", ErrorCode::kSyntax, 2, 2, "flow", "]"},
        Bad{"open_map", "a: {b: 1\n", ErrorCode::kSyntax, 2, 1, "flow", "}"},
        Bad{"colon_in_text", "a: b: c\n", ErrorCode::kSyntax, 1, 5, "map value", "quote"},
        Bad{"map_as_key", "{a: 1}: 2\n", ErrorCode::kSyntax, 1, 1, "key must be text", "quote"},
        Bad{"merge_of_text", "a:\n  <<: 3\n", ErrorCode::kWrongType, 2, 3, "merged", "anchor"},
        Bad{"bad_directive", "%YAML 9.9\n---\na: 1\n", ErrorCode::kSyntax, 1, 1, "version", ""}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(Yaml, FilesAboveTheLimitAreRefused) {
  const Diagnostic error = ErrorOf(std::string(static_cast<std::size_t>(kMaxYamlBytes) + 1U, ' '));
  EXPECT_EQ(error.code, ErrorCode::kFileTooLarge);
}

TEST(Yaml, ErrorsShowTheSourceLine) {
  EXPECT_EQ(ErrorOf("a: 1\nb: 2\na: 3\n").Render(),
            "t.yaml:3:1: error E1203: the key `a` appears twice\n"
            "  a: 3\n"
            "  ^\n"
            "note: first at line 1\n"
            "hint: remove one of the two\n");
}

TEST(Yaml, ReadsJson) {
  const YamlDocument document =
      Parse("{\"name\": \"x\\/y\\u00e4\",\n\t\"list\": [1, -2.5e3, true, null, {}],\"n\":7}");
  const Cursor root = document.root();
  EXPECT_EQ(root.At("name")->AsString().value(), "x/y\xC3\xA4");
  EXPECT_EQ(root.At("n")->AsInt().value(), 7);
  const auto list = root.At("list")->Elements().value();
  ASSERT_EQ(list.size(), 5U);
  EXPECT_EQ(list[1].AsDouble().value(), -2500);
  EXPECT_TRUE(list[2].AsBool().value());
  EXPECT_TRUE(list[3].IsNull());
  EXPECT_TRUE(list[4].IsMap());
  EXPECT_EQ(list[1].path(), "list[1]");
}

TEST(Yaml, ReadsByteOrderMarksAndCarriageReturns) {
  const YamlDocument document = Parse(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: x\r\n");
  EXPECT_EQ(document.root().At("a")->AsInt().value(), 1);
  EXPECT_EQ(document.root().At("b")->AsString().value(), "x");
  EXPECT_EQ(document.root().At("a")->span().column, 4);
  EXPECT_EQ(document.root().At("b")->span().excerpt, "b: x");
}

TEST(Yaml, MergeKeysFillWhatIsAbsent) {
  const YamlDocument document = Parse(
      "base: &b {x: 1, y: 2}\nother: &o {y: 3, z: 4}\n"
      "one:\n  <<: *b\n  x: 9\nmany:\n  <<: [*o, *b]\n  w: 0\n");
  const Cursor one = *document.root().Find("one");
  EXPECT_EQ(one.At("x")->AsInt().value(), 9);
  EXPECT_EQ(one.At("y")->AsInt().value(), 2);
  EXPECT_FALSE(one.Find("<<"));
  const Cursor many = *document.root().Find("many");
  EXPECT_EQ(many.At("x")->AsInt().value(), 1);
  EXPECT_EQ(many.At("y")->AsInt().value(), 3);
  EXPECT_EQ(many.Items().size(), 4U);
}

TEST(Yaml, AliasesWithinTheBudgetAreFine) {
  const YamlDocument document = Parse(AliasBomb(3));
  EXPECT_EQ(document.root().At("a2")->Elements()->size(), 9U);
}

TEST(Yaml, EmptyTextIsANullRoot) {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n"}) {
    const YamlDocument document = Parse(text);
    EXPECT_TRUE(document.root().IsNull()) << text;
    const auto status = document.root().AllowKeys({"a"});
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().message.find("empty"), std::string::npos);
  }
}

TEST(Yaml, CursorsSurviveTheMoveOfTheirDocument) {
  YamlDocument document = Parse("a: {b: 5}\n");
  const Cursor b = document.root().At("a")->At("b").value();
  const YamlDocument moved = std::move(document);
  EXPECT_EQ(b.AsInt().value(), 5);
  EXPECT_EQ(b.path(), "a.b");
}

TEST(Yaml, UnknownKeysNameTheClosest) {
  const YamlDocument document = Parse("memory:\n  sise: 3\n");
  const auto status = document.root().At("memory")->AllowKeys({"name", "size", "word"});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().Render(),
            "t.yaml:2:3: error E1202: unknown key `sise`\n"
            "    sise: 3\n"
            "    ^~~~\n"
            "in memory\n"
            "hint: did you mean `size`?\n");
  EXPECT_NE(document.root().AllowKeys({"a", "b"}).error().hint.find("keys here are a, b"),
            std::string::npos);
}

TEST(Yaml, MissingKeysNameTheirMap) {
  const YamlDocument document = Parse("a:\n  b: 1\n");
  const auto missing = document.root().At("a")->At("c");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kMissingKey);
  EXPECT_EQ(missing.error().path, "a");
  EXPECT_EQ(missing.error().span.line, 2);
  EXPECT_EQ(document.root().At("a")->At("b")->At("c").error().code, ErrorCode::kWrongType);
}

struct BadScalar {
  const char* text;
  ErrorCode code;
  const char* part;  ///< of message or hint
};

void ExpectBad(const Diagnostic& error, const BadScalar& c) {
  EXPECT_EQ(error.code, c.code) << error.Render();
  EXPECT_NE((error.message + " " + error.hint).find(c.part), std::string::npos) << error.Render();
}

TEST(Yaml, IntegersAreStrict) {
  for (const BadScalar& c : {BadScalar{"1e6", ErrorCode::kWrongType, "write 1000000"},
                             BadScalar{"2.0", ErrorCode::kWrongType, "write 2"},
                             BadScalar{"2.5", ErrorCode::kWrongType, "not an integer"},
                             BadScalar{"0x10", ErrorCode::kWrongType, "not an integer"},
                             BadScalar{"1_000", ErrorCode::kWrongType, "not an integer"},
                             BadScalar{"\"5\"", ErrorCode::kWrongType, "remove the quotes"},
                             BadScalar{"five", ErrorCode::kWrongType, "not an integer"},
                             BadScalar{"9223372036854775808", ErrorCode::kBadValue, "64 bits"},
                             BadScalar{"", ErrorCode::kWrongType, "nothing"},
                             BadScalar{"[1]", ErrorCode::kWrongType, "a list"},
                             BadScalar{".inf", ErrorCode::kWrongType, "not an integer"}}) {
    const YamlDocument document = Parse(std::string("v: ") + c.text + "\n");
    const auto value = document.root().At("v")->AsInt();
    ASSERT_FALSE(value) << c.text;
    ExpectBad(value.error(), c);
    EXPECT_EQ(value.error().span.line, 1);
  }
  const YamlDocument document = Parse("v: -9223372036854775808\n");
  EXPECT_EQ(document.root().At("v")->AsInt().value(), INT64_MIN);
  EXPECT_EQ(document.root().At("v")->AsInt(1, 5).error().hint, "write an integer from 1 to 5");
}

TEST(Yaml, NumbersAreFinite) {
  for (const BadScalar& c : {BadScalar{".inf", ErrorCode::kWrongType, "not a number"},
                             BadScalar{"inf", ErrorCode::kBadValue, "finite"},
                             BadScalar{"nan", ErrorCode::kBadValue, "finite"},
                             BadScalar{"1e999", ErrorCode::kBadValue, "out of range"},
                             BadScalar{"1.5x", ErrorCode::kWrongType, "not a number"},
                             BadScalar{"'1.5'", ErrorCode::kWrongType, "remove the quotes"}}) {
    const YamlDocument document = Parse(std::string("v: ") + c.text + "\n");
    const auto value = document.root().At("v")->AsDouble();
    ASSERT_FALSE(value) << c.text;
    ExpectBad(value.error(), c);
  }
}

TEST(Yaml, FlagsAreTrueOrFalse) {
  const YamlDocument document = Parse("a: true\nb: False\nc: yes\nd: 1\ne: \"true\"\n");
  EXPECT_TRUE(document.root().At("a")->AsBool().value());
  EXPECT_FALSE(document.root().At("b")->AsBool().value());
  for (const char* key : {"c", "d", "e"}) {
    EXPECT_EQ(document.root().At(key)->AsBool().error().code, ErrorCode::kWrongType) << key;
  }
}

TEST(Yaml, QuantitiesPointAtTheirPlace) {
  const YamlDocument document = Parse("size:   108\nquoted: \"16 bit\"\n");
  const auto size = document.root().At("size")->AsQuantity(Unit::kBits);
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().Render(),
            "t.yaml:1:9: error E1207: `108` has no unit\n"
            "  size:   108\n"
            "          ^~~\n"
            "in size\n"
            "hint: write `108 KiB`; units are KiB, B, bit, MiB, GiB, TiB, kB, MB, GB, TB, kbit, "
            "Mbit\n");
  EXPECT_EQ(document.root().At("quoted")->AsQuantity(Unit::kBits).value(), 16);
}

TEST(Yaml, AbsentValuesPointAtTheirKey) {
  const YamlDocument document = Parse("a:\n\n\nb: 1\n");
  const auto value = document.root().At("a")->AsString();
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().span.line, 1);
}

TEST(Yaml, BlockAndQuotedTextIsRead) {
  const YamlDocument document =
      Parse("a: |\n  'tis\n  [not a list\nb: >\n  folded\n  text\nc: &x 'it''s'\nd: \"q\\\"\"\n");
  EXPECT_EQ(document.root().At("a")->AsString().value(), "'tis\n[not a list\n");
  EXPECT_EQ(document.root().At("b")->AsString().value(), "folded text\n");
  EXPECT_EQ(document.root().At("c")->AsString().value(), "it's");
  EXPECT_EQ(document.root().At("d")->AsString().value(), "q\"");
}

// Cuts and flips of a good text: any outcome but a crash, a hang or an exception is right.
TEST(Yaml, MutilatedTextNeverThrows) {
  const std::string good =
      "version: 1\nname: &n \"x: y\"\nlist: [1, {a: *n}, 'q']\nnested:\n  - a: |\n      block\n"
      "    b: {<<: {c: 1}}\n  - ? k\n    : v\n";
  ASSERT_TRUE(YamlDocument::Parse(good, "t"));
  for (std::size_t i = 0; i < good.size(); ++i) {
    (void)YamlDocument::Parse(good.substr(0, i), "t");
    (void)YamlDocument::Parse(good.substr(i), "t");
    for (const char c : {'\0', '\n', '\t', ' ', ':', '-', '[', '}',    '"', '\'', '&',
                         '*',  '!',  '%',  '|', '?', ',', '#', '\xFF', '@', '`'}) {
      std::string changed = good;
      changed[i] = c;
      (void)YamlDocument::Parse(changed, "t");
      (void)YamlDocument::Parse(good.substr(0, i) + c + good.substr(i), "t");
    }
  }
}

}  // namespace
}  // namespace sluice::io
