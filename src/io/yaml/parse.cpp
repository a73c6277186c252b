/// \file
/// From text to YamlTree with yaml-cpp's event parser. Why events and not YAML::Node: the handler
/// sees every start of a collection before the parser recurses into it, so that a limit on depth
/// also bounds yaml-cpp's own stack; duplicate keys are seen; and each node keeps its mark.
///
/// yaml-cpp's scanner queues all tokens of a line until it knows whether the line is a key. The
/// text check therefore bounds the number of tokens first; memory stays below about 40 times the
/// file size.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/diagnostic.h"
#include "io/yaml/tree.h"
#include "io/yaml/yaml.h"

namespace sluice::io {

namespace {

using Kind = YamlNode::Kind;

constexpr std::size_t kMaxTokens = std::size_t{1} << 20U;
constexpr std::int64_t kMaxExpanded = std::int64_t{1} << 40U;
/// Aliases may add this many nodes, or as many as the document has itself.
constexpr std::int64_t kAliasBudget = 10000;

/// Thrown by the handler through yaml-cpp, caught in BuildYamlTree; never leaves this file.
struct Abort {
  Diagnostic diagnostic;
};

// ---- text checks
// ------------------------------------------------------------------------------------

/// Length of the UTF-8 sequence at `s`, 0 when malformed (overlong, surrogate, above U+10FFFF).
std::size_t Utf8Length(std::string_view s) {
  const auto byte = [&](std::size_t i) {
    return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U;
  };
  const unsigned a = byte(0);
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  if (a < 0x80U) {
    return 1;
  }
  if (a >= 0xC2U && a < 0xE0U) {
    return tail(1) ? 2 : 0;
  }
  if (a >= 0xE0U && a < 0xF0U) {
    const unsigned b = byte(1);
    const bool ok = tail(1) && tail(2) && !(a == 0xE0U && b < 0xA0U) && !(a == 0xEDU && b >= 0xA0U);
    return ok ? 3 : 0;
  }
  if (a >= 0xF0U && a < 0xF5U) {
    const unsigned b = byte(1);
    const bool ok =
        tail(1) && tail(2) && tail(3) && !(a == 0xF0U && b < 0x90U) && !(a == 0xF4U && b >= 0x90U);
    return ok ? 4 : 0;
  }
  return 0;
}

/// The value of a scalar. yaml-cpp makes a lone byte of the escapes `\N` and `\_` (U+0085, U+00A0).
std::string Mended(const std::string& value) {
  std::string text;
  text.reserve(value.size());
  for (std::size_t i = 0; i < value.size();) {
    const std::size_t length = Utf8Length(std::string_view(value).substr(i, 4));
    const std::size_t bytes = std::max<std::size_t>(length, 1);
    if (length == 0) {
      text += '\xC2';
    }
    text.append(value, i, bytes);
    i += bytes;
  }
  return text;
}

/// A rough tokenizer: knows quotes, comments and flow brackets, not block scalars. It only has to
/// bound what yaml-cpp will do, and to find tabs where they would confuse a reader of the real
/// error.
class TextCheck {
 public:
  explicit TextCheck(YamlTree& tree) : tree_(tree), text_(tree.text) {}

  Status Run() {
    if (static_cast<std::int64_t>(text_.size()) > kMaxYamlBytes) {
      return Fail(
          Diagnostic(ErrorCode::kFileTooLarge, fmt::format("the text has {} bytes; the limit is {}",
                                                           text_.size(), kMaxYamlBytes))
              .At({.file = tree_.file, .excerpt = {}}));
    }
    IndexLines();
    for (std::size_t i = 0; i < text_.size();) {
      const std::size_t length = Utf8Length(std::string_view(text_).substr(i, 4));
      const auto c = static_cast<unsigned char>(text_[i]);
      if (length == 0) {
        return FailAt(i, fmt::format("byte 0x{:02x} is not UTF-8 text", c),
                      "save the file as UTF-8");
      }
      if ((c < 0x20U && c != '\t' && c != '\n' && c != '\r') || c == 0x7FU) {
        return FailAt(i, fmt::format("control character 0x{:02x}", c),
                      "is this a text file? remove the character");
      }
      SLUICE_TRY_STATUS(Step(i, text_[i]));
      i += length;
    }
    return {};
  }

 private:
  enum class State : std::uint8_t { kPlain, kDouble, kSingle, kComment };

  void IndexLines() {
    tree_.line_begin.push_back(0);
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (text_[i] == '\n') {
        tree_.line_begin.push_back(static_cast<std::uint32_t>(i + 1U));
      }
    }
  }

  Status FailAt(std::size_t offset, std::string message, std::string hint,
                ErrorCode code = ErrorCode::kSyntax) {
    const auto next = std::ranges::upper_bound(tree_.line_begin, offset);
    const auto line = static_cast<int>(next - tree_.line_begin.begin()) - 1;
    const auto column = static_cast<int>(offset - tree_.line_begin[static_cast<std::size_t>(line)]);
    return Fail(Diagnostic(code, std::move(message))
                    .WithHint(std::move(hint))
                    .At(tree_.Span(line, column, 1)));
  }

  /// Whether a quote or bracket at the current place starts a token.
  [[nodiscard]] bool AtTokenStart() const {
    return previous_ == '\n' || previous_ == ' ' || previous_ == '\t' || previous_ == '[' ||
           previous_ == '{' || previous_ == ',' || previous_ == ':';
  }

  Status Plain(std::size_t i, char c) {
    if (c == '#' && (previous_ == '\n' || previous_ == ' ' || previous_ == '\t')) {
      state_ = State::kComment;
    } else if ((c == '"' || c == '\'') && AtTokenStart()) {
      state_ = c == '"' ? State::kDouble : State::kSingle;
      ++tokens_;
    } else if ((c == '[' || c == '{') && (depth_ > 0 || AtTokenStart())) {
      ++tokens_;
      if (++depth_ > kMaxYamlDepth) {
        return FailAt(i, fmt::format("nesting deeper than {} levels", kMaxYamlDepth),
                      "is this the file you meant?", ErrorCode::kTooDeep);
      }
    } else if ((c == ']' || c == '}') && depth_ > 0) {
      --depth_;
      ++tokens_;
    } else if (c == ',' || c == ':' || c == '-' || c == '?' || c == '\n') {
      ++tokens_;
    } else if (c == '\t' && depth_ == 0 && indentation_ && StartsContent(i)) {
      return FailAt(i, "a tab in the indentation", "indent with spaces");
    }
    return {};
  }

  Status Step(std::size_t i, char c) {
    if (c == '\n') {
      indentation_ = true;
    }
    switch (state_) {
      case State::kPlain:
        SLUICE_TRY_STATUS(Plain(i, c));
        break;
      case State::kDouble:
        if (c == '\\' && !escaped_) {
          escaped_ = true;
        } else {
          state_ = c == '"' && !escaped_ ? State::kPlain : state_;
          escaped_ = false;
        }
        break;
      case State::kSingle:
        state_ = c == '\'' ? State::kPlain : state_;
        break;
      case State::kComment:
        state_ = c == '\n' ? State::kPlain : state_;
        break;
    }
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
      indentation_ = false;
    }
    previous_ = c;
    if (tokens_ > kMaxTokens) {
      return FailAt(i, fmt::format("more than {} values", kMaxTokens),
                    "is this the file you meant?", ErrorCode::kFileTooLarge);
    }
    return {};
  }

  /// Whether the line continues with something other than blanks or a comment.
  [[nodiscard]] bool StartsContent(std::size_t i) const {
    const std::size_t next = text_.find_first_not_of(" \t\r", i);
    return next != std::string::npos && text_[next] != '\n' && text_[next] != '#';
  }

  YamlTree& tree_;
  const std::string& text_;
  State state_ = State::kPlain;
  char previous_ = '\n';
  bool escaped_ = false;
  bool indentation_ = true;
  int depth_ = 0;
  std::size_t tokens_ = 0;
};

// ---- events
// -----------------------------------------------------------------------------------------

class Builder : public YAML::EventHandler {
 public:
  explicit Builder(YamlTree& tree) : tree_(tree) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      Stop(ErrorCode::kSyntax, mark, "a second document starts here", "put it into its own file");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::uint32_t id = NewNode(Kind::kNull, mark, anchor);
    // An absent value has the mark of whatever follows, maybe lines later; its key is the better
    // place.
    if (!open_.empty() && tree_.nodes[open_.back().node].kind == Kind::kMap) {
      const std::vector<std::uint32_t>& siblings = tree_.nodes[open_.back().node].children;
      if (siblings.size() % 2 == 1) {
        const YamlNode& key = tree_.nodes[siblings.back()];
        tree_.nodes[id].line = key.line;
        tree_.nodes[id].column = key.column;
        tree_.nodes[id].length = key.length;
      }
    }
    Attach(id);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      Stop(ErrorCode::kSyntax, mark, "this alias has no anchor",
           "define the anchor before its use");
    }
    for (const Open& open : open_) {
      if (open.node == found->second) {
        Stop(ErrorCode::kTooDeep, mark, "this alias contains itself", "write the value out");
      }
    }
    const int depth = static_cast<int>(open_.size()) + tree_.nodes[found->second].height;
    if (depth > kMaxYamlDepth) {
      TooDeep(mark);
    }
    alias_nodes_ = std::min(kMaxExpanded, alias_nodes_ + tree_.nodes[found->second].expanded);
    alias_mark_ = alias_nodes_ > kAliasBudget && alias_mark_.is_null() ? mark : alias_mark_;
    Attach(found->second);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag, "tag:yaml.org,2002:str");
    const std::uint32_t id = NewNode(Kind::kScalar, mark, anchor);
    YamlNode& node = tree_.nodes[id];
    node.scalar = Mended(value);
    // yaml-cpp tags quoted and block scalars `!`.
    node.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    node.length = static_cast<std::int32_t>(
        std::clamp<std::size_t>(node.quoted ? QuotedLength(mark) : value.size(), 1U, 1000U));
    Attach(id);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    CheckTag(mark, tag, "tag:yaml.org,2002:seq");
    Start(Kind::kSequence, mark, anchor);
  }
  void OnSequenceEnd() override { Finish(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    CheckTag(mark, tag, "tag:yaml.org,2002:map");
    Start(Kind::kMap, mark, anchor);
  }
  void OnMapEnd() override {
    const std::uint32_t map = open_.back().node;
    CheckKeys(map);
    ApplyMerges(map);
    Finish();
  }

  /// After the last event: the alias budget, which depends on the size of the whole document.
  void CheckBudget() {
    const auto own = static_cast<std::int64_t>(tree_.nodes.size());
    if (alias_nodes_ > std::max(kAliasBudget, own)) {
      Stop(ErrorCode::kTooDeep, alias_mark_,
           fmt::format("the aliases expand to more than {} values", std::max(kAliasBudget, own)),
           "write the values out, or use fewer aliases");
    }
  }

 private:
  struct Open {
    std::uint32_t node;
  };

  [[noreturn]] void Stop(ErrorCode code, const YAML::Mark& mark, std::string message,
                         std::string hint) const {
    throw Abort{Diagnostic(code, std::move(message))
                    .WithHint(std::move(hint))
                    .At(tree_.Span(mark.line, mark.column, 1))};
  }
  [[noreturn]] void TooDeep(const YAML::Mark& mark) const {
    Stop(ErrorCode::kTooDeep, mark, fmt::format("nesting deeper than {} levels", kMaxYamlDepth),
         "is this the file you meant?");
  }

  void CheckTag(const YAML::Mark& mark, const std::string& tag, std::string_view standard) const {
    if (!tag.empty() && tag != "?" && tag != "!" && tag != standard) {
      Stop(ErrorCode::kSyntax, mark,
           fmt::format("the tag `{}` is not supported", tag.substr(0, 60)),
           "write the value without a tag");
    }
  }

  /// Bytes from the opening to the closing quote. yaml-cpp silently closes a quote that is still
  /// open at the end of the text: that is an error here.
  [[nodiscard]] std::size_t QuotedLength(const YAML::Mark& mark) const {
    const std::string& text = tree_.text;
    std::size_t begin = tree_.line_begin[static_cast<std::size_t>(mark.line)] +
                        static_cast<std::size_t>(mark.column);
    while (begin < text.size() && (text[begin] == '&' || text[begin] == '!')) {
      begin = text.find_first_of(" \t\r\n", begin);
      begin = std::min(text.size(), text.find_first_not_of(" \t\r\n", begin));
    }
    if (begin >= text.size() || (text[begin] != '"' && text[begin] != '\'')) {
      return 1;  // a block scalar
    }
    const char quote = text[begin];
    for (std::size_t i = begin + 1; i < text.size(); ++i) {
      if (text[i] == '\\' && quote == '"') {
        ++i;
      } else if (text[i] == quote) {
        if (quote == '\'' && i + 1 < text.size() && text[i + 1] == quote) {
          ++i;  // '' inside single quotes
          continue;
        }
        return i + 1 - begin;
      }
    }
    Stop(ErrorCode::kSyntax, mark, "the quotes are never closed", "close the quotes");
  }

  std::uint32_t NewNode(Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    const auto id = static_cast<std::uint32_t>(tree_.nodes.size());
    YamlNode& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.line = mark.line;
    node.column = mark.column;
    if (anchor != 0) {
      anchors_[anchor] = id;
    }
    return id;
  }

  void Start(Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= static_cast<std::size_t>(kMaxYamlDepth)) {
      TooDeep(mark);
    }
    open_.push_back({NewNode(kind, mark, anchor)});
  }

  void Finish() {
    const std::uint32_t id = open_.back().node;
    YamlNode& node = tree_.nodes[id];
    int height = 0;
    for (const std::uint32_t child : node.children) {
      const YamlNode& c = tree_.nodes[child];
      height = std::max<int>(height, c.height);
      node.expanded = std::min(kMaxExpanded, node.expanded + c.expanded);
    }
    node.height = static_cast<std::uint8_t>(std::min(height + 1, 255));
    open_.pop_back();
    Attach(id);
  }

  void Attach(std::uint32_t id) {
    if (open_.empty()) {
      tree_.root = id;
      return;
    }
    tree_.nodes[open_.back().node].children.push_back(id);
  }

  /// Keys are scalars and differ.
  void CheckKeys(std::uint32_t map) const {
    const std::vector<std::uint32_t>& children = tree_.nodes[map].children;
    std::unordered_map<std::string_view, std::uint32_t> seen;
    for (std::size_t i = 0; i < children.size(); i += 2) {
      const YamlNode& key = tree_.nodes[children[i]];
      if (key.kind != Kind::kScalar) {
        throw Abort{Diagnostic(ErrorCode::kSyntax, "a key must be text")
                        .WithHint("quote it if it is meant as text")
                        .At(tree_.Span(key))};
      }
      const auto [first, fresh] = seen.emplace(key.scalar, children[i]);
      if (!fresh) {
        throw Abort{
            Diagnostic(ErrorCode::kDuplicateKey,
                       fmt::format("the key `{}` appears twice", key.scalar.substr(0, 60)))
                .WithNote(fmt::format("first at line {}", tree_.nodes[first->second].line + 1))
                .WithHint("remove one of the two")
                .At(tree_.Span(key))};
      }
    }
  }

  /// `<<: *base` or `<<: [*a, *b]`: keys of the bases that the map has not.
  void ApplyMerges(std::uint32_t map) {
    std::vector<std::uint32_t>& children = tree_.nodes[map].children;
    for (std::size_t i = 0; i < children.size(); i += 2) {
      const YamlNode& key = tree_.nodes[children[i]];
      if (key.quoted || key.scalar != "<<") {
        continue;
      }
      const YamlNode& value = tree_.nodes[children[i + 1U]];
      std::vector<std::uint32_t> bases;
      if (value.kind == Kind::kSequence) {
        bases = value.children;
      } else {
        bases.push_back(children[i + 1U]);
      }
      for (const std::uint32_t base : bases) {
        if (tree_.nodes[base].kind != Kind::kMap) {
          throw Abort{Diagnostic(ErrorCode::kWrongType, "only a map can be merged with `<<`")
                          .WithHint("write `<<: *name` with the anchor of a map")
                          .At(tree_.Span(key))};
        }
      }
      children.erase(children.begin() + static_cast<std::ptrdiff_t>(i),
                     children.begin() + static_cast<std::ptrdiff_t>(i) + 2);
      std::unordered_map<std::string_view, bool> present;
      for (std::size_t k = 0; k < children.size(); k += 2) {
        present.emplace(tree_.nodes[children[k]].scalar, true);
      }
      for (const std::uint32_t base : bases) {
        const std::vector<std::uint32_t>& from = tree_.nodes[base].children;
        for (std::size_t k = 0; k + 1 < from.size(); k += 2) {
          if (present.emplace(tree_.nodes[from[k]].scalar, true).second) {
            children.push_back(from[k]);
            children.push_back(from[k + 1U]);
          }
        }
      }
      return;
    }
  }

  YamlTree& tree_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, std::uint32_t> anchors_;
  std::int64_t alias_nodes_ = 0;
  YAML::Mark alias_mark_ = YAML::Mark::null_mark();
  int documents_ = 0;
};

/// Hints for the terse texts of yaml-cpp.
std::string SyntaxHint(std::string_view message) {
  struct Row {
    std::string_view part;
    const char* hint;
  };
  static constexpr Row kRows[] = {
      {"end of map not found", "check the indentation, or close the map with }"},
      {"end of map flow not found", "close the map with }"},
      {"end of sequence flow not found", "close the list with ]"},
      {"end of sequence not found", "check the indentation, or close the list with ]"},
      {"illegal map value", "quote text that contains `: `"},
      {"illegal block entry", "start list items on their own lines, equally indented"},
      {"illegal map key", "quote text that starts with `?`"},
      {"illegal EOF in scalar", "close the quotes"},
      {"unknown escape", "use single quotes, or write \\\\ for a backslash"},
      {"undefined alias", "define the anchor before its use"},
      {"the referenced anchor is not defined", "define the anchor with & before its use"},
  };
  for (const Row& row : kRows) {
    if (message.find(row.part) != std::string_view::npos) {
      return row.hint;
    }
  }
  return {};
}

}  // namespace

Status CheckYamlText(YamlTree& tree) {
  return TextCheck(tree).Run();
}

Status BuildYamlTree(YamlTree& tree) {
  try {
    std::istringstream stream(tree.text);
    YAML::Parser parser(stream);
    Builder builder(tree);
    while (parser.HandleNextDocument(builder)) {
    }
    builder.CheckBudget();
  } catch (const Abort& abort) {
    return Fail(abort.diagnostic);
  } catch (const YAML::Exception& error) {
    SourceSpan span = tree.Span(error.mark.line, error.mark.column, 1);
    return Fail(Diagnostic(ErrorCode::kSyntax, error.msg)
                    .WithHint(SyntaxHint(error.msg))
                    .At(std::move(span)));
  }
  if (tree.nodes.empty()) {
    tree.nodes.emplace_back();
  }
  return {};
}

}  // namespace sluice::io
