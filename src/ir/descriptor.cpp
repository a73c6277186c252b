/// \file
/// One-line operator descriptors: `conv K=64 C=64 P=56 Q=56 R=3 S=3 stride=2`.
///
/// A table names, per kind, the keys with their defaults; one function per family turns the numbers
/// into dims and affine accesses. The grammar and every kind are in docs/formats/operator.md.
/// All sizes are multiplied with overflow checks, because the text comes from a command line.
/// Tested by tests/unit/descriptor_test.cpp.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/text.h"
#include "ir/network.h"

namespace sluice::ir {
namespace {

constexpr std::int64_t kMaxValue = std::numeric_limits<std::int32_t>::max();

struct Word {
  std::string_view text;
  std::size_t begin = 0;  ///< offset in the descriptor
};

struct Key {
  std::string_view name;
  bool required = false;
};

struct Kind {
  std::string_view name;
  std::vector<Key> keys;
};

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kKinds = {
      {"conv",
       {{"N"},
        {"K", true},
        {"C", true},
        {"P", true},
        {"Q", true},
        {"R", true},
        {"S", true},
        {"groups"},
        {"stride"},
        {"stride_h"},
        {"stride_w"},
        {"dilation"},
        {"dilation_h"},
        {"dilation_w"}}},
      {"depthwise",
       {{"N"},
        {"C", true},
        {"P", true},
        {"Q", true},
        {"R", true},
        {"S", true},
        {"stride"},
        {"stride_h"},
        {"stride_w"},
        {"dilation"},
        {"dilation_h"},
        {"dilation_w"}}},
      {"conv1d",
       {{"N"},
        {"K", true},
        {"C", true},
        {"P", true},
        {"R", true},
        {"groups"},
        {"stride"},
        {"dilation"}}},
      {"gemm", {{"M", true}, {"N", true}, {"K", true}}},
      {"bmm", {{"B", true}, {"M", true}, {"N", true}, {"K", true}}},
  };
  return kKinds;
}

/// The descriptor under parse: where errors point to.
class Source {
 public:
  explicit Source(const std::string& text) : text_(text) {}

  [[nodiscard]] Diagnostic Error(ErrorCode code, std::string message, std::size_t begin,
                                 std::size_t length) const {
    // The excerpt is the line that holds `begin`: a descriptor may come from a file of several
    // lines.
    std::size_t line_begin = 0;
    int line = 1;
    for (std::size_t i = 0; i < begin && i < text_.size(); ++i) {
      if (text_[i] == '\n') {
        line_begin = i + 1;
        ++line;
      }
    }
    const std::size_t line_end = std::min(text_.find('\n', line_begin), text_.size());
    SourceSpan span;
    span.file = "--op";
    span.line = line;
    span.column = static_cast<int>(begin - line_begin) + 1;
    span.length = static_cast<int>(std::max<std::size_t>(1, length));
    span.excerpt = text_.substr(line_begin, line_end - line_begin);
    return Diagnostic(code, std::move(message)).At(std::move(span));
  }
  [[nodiscard]] Diagnostic Error(ErrorCode code, std::string message, const Word& at) const {
    return Error(code, std::move(message), at.begin, at.text.size());
  }

  [[nodiscard]] std::vector<Word> Words() const {
    constexpr std::string_view kBlank = " \t\r\n";
    std::vector<Word> words;
    const std::string_view all = text_;
    for (std::size_t begin = all.find_first_not_of(kBlank); begin != std::string_view::npos;) {
      const std::size_t end = std::min(all.find_first_of(kBlank, begin), all.size());
      words.push_back({all.substr(begin, end - begin), begin});
      begin = all.find_first_not_of(kBlank, end);
    }
    return words;
  }

 private:
  const std::string& text_;
};

/// A long word would make an error message useless.
std::string Shown(std::string_view text) {
  constexpr std::size_t kLimit = 40;
  return text.size() <= kLimit ? std::string(text) : std::string(text.substr(0, kLimit)) + "...";
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& names) {
  const std::string closest = word.size() > 64 ? std::string() : ClosestMatch(word, names);
  return closest.empty() ? fmt::format("one of: {}", fmt::join(names, ", "))
                         : fmt::format("did you mean `{}`?", closest);
}

struct Value {
  std::int64_t number = 1;
  Word word;  ///< `K=64`, for errors
};
using Values = std::map<std::string_view, Value>;

Result<std::int64_t> ParseNumber(const Source& source, std::string_view text, std::size_t begin) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool parsed = error == std::errc() && end == text.data() + text.size();
  if (!parsed || number < 1 || number > kMaxValue) {
    return Fail(source
                    .Error(ErrorCode::kBadValue,
                           text.empty() ? std::string("a number is missing after `=`")
                                        : fmt::format("`{}` is not a size", Shown(text)),
                           begin, text.size())
                    .WithHint(fmt::format("a whole number from 1 to {}", kMaxValue)));
  }
  return number;
}

Result<Values> ParseValues(const Source& source, const Kind& kind, const std::vector<Word>& words) {
  std::vector<std::string> names;
  names.reserve(kind.keys.size());
  for (const Key& key : kind.keys) {
    names.emplace_back(key.name);
  }
  Values values;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const Word& word = words[i];
    const std::size_t equals = word.text.find('=');
    if (equals == std::string_view::npos) {
      return Fail(source
                      .Error(ErrorCode::kSyntax,
                             fmt::format("`{}` is not of the form KEY=NUMBER", Shown(word.text)),
                             word)
                      .WithHint("for example `K=64`, without spaces around `=`"));
    }
    const Word name{word.text.substr(0, equals), word.begin};
    const auto key =
        std::ranges::find_if(kind.keys, [&](const Key& k) { return k.name == name.text; });
    if (key == kind.keys.end()) {
      return Fail(source
                      .Error(ErrorCode::kUnknownKey,
                             fmt::format("{} has no key `{}`", kind.name, Shown(name.text)), name)
                      .WithHint(DidYouMean(name.text, names)));
    }
    SLUICE_TRY(const std::int64_t number,
               ParseNumber(source, word.text.substr(equals + 1), word.begin + equals + 1));
    if (!values.emplace(key->name, Value{number, word}).second) {
      return Fail(source.Error(ErrorCode::kDuplicateKey,
                               fmt::format("key `{}` is given twice", name.text), name));
    }
  }
  for (const Key& key : kind.keys) {
    if (key.required && values.count(key.name) == 0) {
      return Fail(source
                      .Error(ErrorCode::kMissingKey,
                             fmt::format("{} needs `{}=...`", kind.name, key.name), words[0])
                      .WithHint(fmt::format("keys: {}", fmt::join(names, ", "))));
    }
  }
  return values;
}

std::int64_t Get(const Values& values, std::string_view key, std::int64_t fallback = 1) {
  const auto it = values.find(key);
  return it == values.end() ? fallback : it->second.number;
}

/// `stride` for both axes, or `stride_h` and `stride_w`; both spellings of one axis are an error.
Result<std::array<std::int64_t, 2>> PerAxis(const Source& source, const Values& values,
                                            std::string_view key, const std::string& key_h,
                                            const std::string& key_w) {
  const auto both = values.find(key);
  for (const std::string& single : {key_h, key_w}) {
    const auto it = values.find(single);
    if (both != values.end() && it != values.end()) {
      return Fail(source
                      .Error(ErrorCode::kDuplicateKey,
                             fmt::format("`{}` is already set by `{}`", single, key),
                             it->second.word)
                      .WithHint(fmt::format("give `{}`, or `{}` and `{}`", key, key_h, key_w)));
    }
  }
  const std::int64_t fallback = Get(values, key);
  return std::array<std::int64_t, 2>{Get(values, key_h, fallback), Get(values, key_w, fallback)};
}

/// Builds the one-operator network: tensors Input, Weight, Output.
class Builder {
 public:
  Builder(const std::string& text, std::string_view name, std::string kind) {
    network_.name = text;
    op_.name = std::string(name);
    op_.kind = std::move(kind);
    op_.body = {{WorkClass::kMac, 1}};
  }

  std::int32_t AddDim(std::string name, std::int64_t bound) {
    op_.dims.push_back({std::move(name), bound, false});
    return static_cast<std::int32_t>(op_.dims.size()) - 1;
  }

  void AddTensor(std::string name, TensorRole role, AccessMode mode, std::vector<AxisExpr> axes) {
    Tensor tensor;
    tensor.name = std::move(name);
    tensor.role = role;
    op_.accesses.push_back(
        {{static_cast<std::int32_t>(network_.tensors.size())}, mode, std::move(axes)});
    network_.tensors.push_back(std::move(tensor));
  }

  /// Fills in the shapes from the accesses; checks that sizes fit.
  Result<Network> Finish(const Source& source, const Word& at) && {
    for (std::size_t t = 0; t < op_.accesses.size(); ++t) {
      for (const AxisExpr& axis : op_.accesses[t].axes) {
        // Terms are below 2^31 * 2^31 and at most two per axis: no overflow.
        std::int64_t extent = 1;
        for (const Term& term : axis.terms) {
          extent += term.coefficient * (op_.dims[static_cast<std::size_t>(term.dim)].bound - 1);
        }
        network_.tensors[t].shape.push_back(extent);
      }
    }
    network_.operators.push_back(std::move(op_));
    // All else holds by construction.
    if (const Status fits = Validate(network_); !fits) {
      return Fail(
          source.Error(ErrorCode::kBadValue, fits.error().message, at).WithHint("smaller sizes"));
    }
    return std::move(network_);
  }

 private:
  Network network_;
  Operator op_;
};

AxisExpr Axis(std::vector<Term> terms) {
  AxisExpr axis;
  axis.terms = std::move(terms);
  return axis;
}

/// K and C are totals; within a group there are K/groups and C/groups of them.
Result<std::int64_t> PerGroup(const Source& source, const Values& values, std::string_view key,
                              std::int64_t groups) {
  const Value& value = values.at(key);
  if (value.number % groups != 0) {
    return Fail(source
                    .Error(ErrorCode::kBadValue,
                           fmt::format("{} = {} is not a multiple of groups = {}", key,
                                       value.number, groups),
                           value.word)
                    .WithHint("K and C count all groups together"));
  }
  return value.number / groups;
}

/// conv, depthwise (groups = C = K) and conv1d (no Q and S).
Result<Network> MakeConvolution(const Source& source, const std::string& text, const Values& values,
                                const Word& at) {
  const bool depthwise = at.text == "depthwise";
  const bool flat = at.text == "conv1d";
  const std::int64_t groups = depthwise ? Get(values, "C") : Get(values, "groups");
  std::int64_t k = 1;
  std::int64_t c = 1;
  if (!depthwise) {
    SLUICE_TRY(k, PerGroup(source, values, "K", groups));
    SLUICE_TRY(c, PerGroup(source, values, "C", groups));
  }
  SLUICE_TRY(const auto stride, PerAxis(source, values, "stride", "stride_h", "stride_w"));
  SLUICE_TRY(const auto dilation, PerAxis(source, values, "dilation", "dilation_h", "dilation_w"));
  Builder builder(text, at.text, "Conv");
  const std::int32_t n_dim = builder.AddDim("N", Get(values, "N"));
  const std::int32_t g_dim = builder.AddDim("G", groups);
  const std::int32_t k_dim = builder.AddDim("K", k);
  const std::int32_t c_dim = builder.AddDim("C", c);
  const std::int32_t p_dim = builder.AddDim("P", Get(values, "P"));
  const std::int32_t q_dim = flat ? -1 : builder.AddDim("Q", Get(values, "Q"));
  const std::int32_t r_dim = builder.AddDim("R", Get(values, "R"));
  const std::int32_t s_dim = flat ? -1 : builder.AddDim("S", Get(values, "S"));

  std::vector<AxisExpr> input = {Axis({{n_dim, 1}}), Axis({{g_dim, c}, {c_dim, 1}}),
                                 Axis({{p_dim, stride[0]}, {r_dim, dilation[0]}})};
  std::vector<AxisExpr> weight = {Axis({{g_dim, k}, {k_dim, 1}}), Axis({{c_dim, 1}}),
                                  Axis({{r_dim, 1}})};
  std::vector<AxisExpr> output = {Axis({{n_dim, 1}}), Axis({{g_dim, k}, {k_dim, 1}}),
                                  Axis({{p_dim, 1}})};
  if (!flat) {
    input.push_back(Axis({{q_dim, stride[1]}, {s_dim, dilation[1]}}));
    weight.push_back(Axis({{s_dim, 1}}));
    output.push_back(Axis({{q_dim, 1}}));
  }
  builder.AddTensor("Input", TensorRole::kInput, AccessMode::kRead, std::move(input));
  builder.AddTensor("Weight", TensorRole::kWeight, AccessMode::kRead, std::move(weight));
  builder.AddTensor("Output", TensorRole::kOutput, AccessMode::kAccumulate, std::move(output));
  return std::move(builder).Finish(source, at);
}

/// gemm and bmm: Output[.., m, n] += Input[.., m, k] * Weight[.., k, n]. In bmm both are
/// activations.
Result<Network> MakeProduct(const Source& source, const std::string& text, const Values& values,
                            const Word& at) {
  const bool batched = at.text == "bmm";
  Builder builder(text, at.text, "MatMul");
  std::vector<AxisExpr> batch;
  if (batched) {
    batch.push_back(Axis({{builder.AddDim("B", Get(values, "B")), 1}}));
  }
  const std::int32_t m = builder.AddDim("M", Get(values, "M"));
  const std::int32_t n = builder.AddDim("N", Get(values, "N"));
  const std::int32_t k = builder.AddDim("K", Get(values, "K"));
  const auto axes = [&](std::int32_t row, std::int32_t column) {
    std::vector<AxisExpr> result = batch;
    result.push_back(Axis({{row, 1}}));
    result.push_back(Axis({{column, 1}}));
    return result;
  };
  builder.AddTensor("Input", TensorRole::kInput, AccessMode::kRead, axes(m, k));
  builder.AddTensor("Weight", batched ? TensorRole::kInput : TensorRole::kWeight, AccessMode::kRead,
                    axes(k, n));
  builder.AddTensor("Output", TensorRole::kOutput, AccessMode::kAccumulate, axes(m, n));
  return std::move(builder).Finish(source, at);
}

}  // namespace

Result<Network> ParseOperatorDescriptor(const std::string& text) {
  const Source source(text);
  const std::vector<Word> words = source.Words();
  std::vector<std::string> names;
  for (const Kind& kind : Kinds()) {
    names.emplace_back(kind.name);
  }
  if (words.empty()) {
    return Fail(source.Error(ErrorCode::kSyntax, "the operator descriptor is empty", 0, 1)
                    .WithHint("for example `conv K=64 C=64 P=56 Q=56 R=3 S=3`"));
  }
  const auto kind =
      std::ranges::find_if(Kinds(), [&](const Kind& k) { return k.name == words[0].text; });
  if (kind == Kinds().end()) {
    return Fail(source
                    .Error(ErrorCode::kUnknownName,
                           fmt::format("unknown operator kind `{}`", Shown(words[0].text)),
                           words[0])
                    .WithHint(DidYouMean(words[0].text, names)));
  }
  SLUICE_TRY(const Values values, ParseValues(source, *kind, words));
  const bool product = kind->name == "gemm" || kind->name == "bmm";
  return product ? MakeProduct(source, text, values, words[0])
                 : MakeConvolution(source, text, values, words[0]);
}

}  // namespace sluice::ir
