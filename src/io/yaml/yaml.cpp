#include "io/yaml/yaml.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/file.h"
#include "base/text.h"
#include "io/yaml/tree.h"
#include "io/yaml/units.h"

namespace sluice::io {

namespace {

using Kind = YamlNode::Kind;

/// User text inside a message, cut to a sensible length.
std::string Shown(const std::string& text) {
  constexpr std::size_t kLongest = 60;
  return text.substr(0, kLongest) + (text.size() > kLongest ? "..." : "");
}

std::string Child(const std::string& path, std::string_view key) {
  const std::string name(key.substr(0, 60));
  return path.empty() ? name : path + "." + name;
}

}  // namespace

SourceSpan YamlTree::Span(int line, int column, int length) const {
  SourceSpan span;
  span.file = file;
  if (line < 0 || line_begin.empty()) {
    return span;
  }
  const std::size_t index = std::min(static_cast<std::size_t>(line), line_begin.size() - 1U);
  const std::size_t begin = line_begin[index];
  std::size_t end = text.find('\n', begin);
  end = end == std::string::npos ? text.size() : end;
  if (end > begin && text[end - 1U] == '\r') {
    --end;
  }
  span.line = static_cast<int>(index) + 1;
  // yaml-cpp counts the character that it misses behind the end of a text as well.
  span.column = std::clamp(column, 0, static_cast<int>(end - begin)) + 1;
  span.length = std::max(length, 1);
  span.excerpt = text.substr(begin, end - begin);
  constexpr std::size_t kLongest = 4096;
  // Of a line of megabytes (minified JSON) only the beginning is shown, if the place is in it.
  if (span.excerpt.size() > kLongest) {
    if (static_cast<std::size_t>(span.column) < kLongest / 2) {
      span.excerpt.resize(kLongest);
    } else {
      span.excerpt.clear();
    }
  }
  return span;
}

bool Cursor::IsMap() const {
  return tree_->nodes[node_].kind == Kind::kMap;
}
bool Cursor::IsSequence() const {
  return tree_->nodes[node_].kind == Kind::kSequence;
}
bool Cursor::IsScalar() const {
  return tree_->nodes[node_].kind == Kind::kScalar;
}
bool Cursor::IsNull() const {
  return tree_->nodes[node_].kind == Kind::kNull;
}
bool Cursor::IsQuoted() const {
  return tree_->nodes[node_].quoted;
}

std::string_view Cursor::KindName() const {
  switch (tree_->nodes[node_].kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kScalar:
      return "text";
    case Kind::kSequence:
      return "a list";
    case Kind::kMap:
      return "a map";
  }
  return "";
}

SourceSpan Cursor::span() const {
  return tree_->Span(tree_->nodes[node_]);
}

Diagnostic Cursor::Error(ErrorCode code, std::string message, std::string hint) const {
  return Diagnostic(code, std::move(message)).WithHint(std::move(hint)).WithPath(path_).At(span());
}

Diagnostic Cursor::WrongType(std::string_view wanted) const {
  const YamlNode& node = tree_->nodes[node_];
  if (node.kind == Kind::kScalar) {
    return Error(ErrorCode::kWrongType, fmt::format("`{}` is not {}", Shown(node.scalar), wanted));
  }
  if (path_.empty() && node.kind == Kind::kNull) {
    return Error(ErrorCode::kWrongType, fmt::format("the document is empty, not {}", wanted));
  }
  const std::string what = path_.empty() ? "the document" : fmt::format("`{}`", path_);
  return Error(ErrorCode::kWrongType, fmt::format("{} is {}, not {}", what, KindName(), wanted));
}

std::optional<Cursor> Cursor::Find(std::string_view key) const {
  const YamlNode& node = tree_->nodes[node_];
  if (node.kind != Kind::kMap) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    if (tree_->nodes[node.children[i]].scalar == key) {
      return Cursor(tree_, node.children[i + 1], Child(path_, key));
    }
  }
  return std::nullopt;
}

Cursor Cursor::KeyOf(std::string_view key) const {
  const YamlNode& node = tree_->nodes[node_];
  for (std::size_t i = 0; node.kind == Kind::kMap && i + 1 < node.children.size(); i += 2) {
    if (tree_->nodes[node.children[i]].scalar == key) {
      return {tree_, node.children[i], Child(path_, key)};
    }
  }
  return *this;
}

Result<Cursor> Cursor::At(std::string_view key) const {
  if (!IsMap()) {
    return Fail(WrongType("a map"));
  }
  if (auto found = Find(key)) {
    return std::move(*found);
  }
  return Fail(Error(ErrorCode::kMissingKey, fmt::format("the key `{}` is missing", key),
                    fmt::format("add `{}: ...` here", key)));
}

Status Cursor::AllowKeys(std::initializer_list<std::string_view> allowed) const {
  const std::vector<std::string> keys(allowed.begin(), allowed.end());
  return AllowKeys(std::span<const std::string>(keys));
}

Status Cursor::AllowKeys(std::span<const std::string> allowed) const {
  if (!IsMap()) {
    return Fail(WrongType("a map"));
  }
  const YamlNode& node = tree_->nodes[node_];
  for (std::size_t i = 0; i < node.children.size(); i += 2) {
    const std::string& key = tree_->nodes[node.children[i]].scalar;
    if (std::ranges::find(allowed, key) != allowed.end()) {
      continue;
    }
    const std::string closest = ClosestMatch(key, allowed);
    std::string hint;
    if (!closest.empty()) {
      hint = fmt::format("did you mean `{}`?", closest);
    } else {
      hint = "the keys here are ";
      for (std::size_t k = 0; k < allowed.size(); ++k) {
        hint += (k == 0 ? "" : ", ") + allowed[k];
      }
    }
    const Cursor at(tree_, node.children[i], path_);
    return Fail(at.Error(ErrorCode::kUnknownKey, fmt::format("unknown key `{}`", Shown(key)),
                         std::move(hint)));
  }
  return {};
}

std::vector<std::pair<std::string, Cursor>> Cursor::Items() const {
  std::vector<std::pair<std::string, Cursor>> items;
  const YamlNode& node = tree_->nodes[node_];
  if (node.kind != Kind::kMap) {
    return items;
  }
  items.reserve(node.children.size() / 2);
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    const std::string& key = tree_->nodes[node.children[i]].scalar;
    items.emplace_back(key, Cursor(tree_, node.children[i + 1], Child(path_, key)));
  }
  return items;
}

Result<std::vector<Cursor>> Cursor::Elements() const {
  if (!IsSequence()) {
    return Fail(WrongType("a list"));
  }
  std::vector<Cursor> elements;
  const YamlNode& node = tree_->nodes[node_];
  elements.reserve(node.children.size());
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    elements.push_back(Cursor(tree_, node.children[i], fmt::format("{}[{}]", path_, i)));
  }
  return elements;
}

Result<std::string> Cursor::AsString() const {
  if (!IsScalar()) {
    return Fail(WrongType("text"));
  }
  return tree_->nodes[node_].scalar;
}

Result<std::int64_t> Cursor::AsInt() const {
  const YamlNode& node = tree_->nodes[node_];
  if (node.kind != Kind::kScalar) {
    return Fail(WrongType("an integer"));
  }
  if (node.quoted) {
    return Fail(Error(ErrorCode::kWrongType,
                      fmt::format("\"{}\" is text, not an integer", Shown(node.scalar)),
                      "remove the quotes"));
  }
  std::int64_t value = 0;
  const char* begin = node.scalar.data();
  const char* end = begin + node.scalar.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error == std::errc::result_out_of_range) {
    return Fail(
        Error(ErrorCode::kBadValue, fmt::format("`{}` does not fit 64 bits", Shown(node.scalar))));
  }
  if (error != std::errc() || stop != end) {
    double real = 0;
    const auto [real_stop, real_error] = std::from_chars(begin, end, real);
    const bool whole = real_error == std::errc() && real_stop == end && std::floor(real) == real &&
                       std::fabs(real) < 1e15;
    return Fail(Error(ErrorCode::kWrongType,
                      fmt::format("`{}` is not an integer", Shown(node.scalar)),
                      whole ? fmt::format("write {:.0f}", real) : ""));
  }
  return value;
}

Result<std::int64_t> Cursor::AsInt(std::int64_t minimum, std::int64_t maximum) const {
  SLUICE_TRY(const std::int64_t value, AsInt());
  if (value < minimum || value > maximum) {
    return Fail(Error(ErrorCode::kBadValue, fmt::format("{} is out of range", value),
                      fmt::format("write an integer from {} to {}", minimum, maximum)));
  }
  return value;
}

Result<double> Cursor::AsDouble() const {
  const YamlNode& node = tree_->nodes[node_];
  if (node.kind != Kind::kScalar) {
    return Fail(WrongType("a number"));
  }
  if (node.quoted) {
    return Fail(Error(ErrorCode::kWrongType,
                      fmt::format("\"{}\" is text, not a number", Shown(node.scalar)),
                      "remove the quotes"));
  }
  double value = 0;
  const char* begin = node.scalar.data();
  const char* end = begin + node.scalar.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error == std::errc::result_out_of_range) {
    return Fail(
        Error(ErrorCode::kBadValue, fmt::format("`{}` is out of range", Shown(node.scalar))));
  }
  if (error != std::errc() || stop != end) {
    return Fail(WrongType("a number"));
  }
  if (!std::isfinite(value)) {
    return Fail(Error(ErrorCode::kBadValue,
                      fmt::format("`{}` is not a finite number", Shown(node.scalar))));
  }
  return value;
}

Result<bool> Cursor::AsBool() const {
  const YamlNode& node = tree_->nodes[node_];
  if (node.kind == Kind::kScalar && !node.quoted) {
    const std::string& s = node.scalar;
    if (s == "true" || s == "True" || s == "TRUE") {
      return true;
    }
    if (s == "false" || s == "False" || s == "FALSE") {
      return false;
    }
  }
  Diagnostic error = WrongType("true or false");
  error.hint = "write true or false, without quotes";
  return Fail(std::move(error));
}

Result<Quantity> Cursor::AsQuantity(std::span<const Unit> allowed) const {
  const YamlNode& node = tree_->nodes[node_];
  if (node.kind != Kind::kScalar) {
    return Fail(WrongType("a quantity with a unit"));
  }
  auto quantity = ParseQuantity(node.scalar, allowed);
  if (!quantity) {
    return Fail(std::move(quantity).error().WithPath(path_).At(span()));
  }
  return quantity;
}

Result<Quantity> Cursor::AsQuantity(std::initializer_list<Unit> allowed) const {
  return AsQuantity(std::span<const Unit>(allowed.begin(), allowed.size()));
}

Result<double> Cursor::AsQuantity(Unit unit) const {
  SLUICE_TRY(const Quantity quantity, AsQuantity({unit}));
  return quantity.value;
}

YamlDocument::YamlDocument(std::unique_ptr<YamlTree> tree) : tree_(std::move(tree)) {}
YamlDocument::~YamlDocument() = default;
YamlDocument::YamlDocument(YamlDocument&&) noexcept = default;
YamlDocument& YamlDocument::operator=(YamlDocument&&) noexcept = default;

Result<YamlDocument> YamlDocument::Parse(std::string text, std::string file_name) {
  auto tree = std::make_unique<YamlTree>();
  tree->text = std::move(text);
  if (tree->text.starts_with("\xEF\xBB\xBF")) {
    tree->text.erase(0, 3);  // a byte order mark would shift the columns of the first line
  }
  tree->file = std::move(file_name);
  SLUICE_TRY_STATUS(CheckYamlText(*tree));
  SLUICE_TRY_STATUS(BuildYamlTree(*tree));
  return YamlDocument(std::move(tree));
}

Result<YamlDocument> YamlDocument::Load(const std::string& path) {
  SLUICE_TRY(std::string text, ReadFile(path, kMaxYamlBytes));
  return Parse(std::move(text), path);
}

Cursor YamlDocument::root() const {
  return {tree_.get(), tree_->root, ""};
}
const std::string& YamlDocument::text() const {
  return tree_->text;
}
const std::string& YamlDocument::file_name() const {
  return tree_->file;
}

}  // namespace sluice::io
