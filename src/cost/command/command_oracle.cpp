#include "cost/command/command_oracle.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "base/diagnostic.h"
#include "base/file.h"
#include "base/text.h"
#include "cost/command/process.h"
#include "cost/maestro/hardware.h"
#include "cost/oracle/oracle.h"
#include "mapping/dataflow/code.h"
#include "mapping/dataflow/dataflow.h"

namespace sluice::cost {
namespace {

using mapping::DataflowCode;

constexpr std::string_view kGreeting = "sluice-cost 1";
constexpr std::int64_t kMaxLabelBytes = std::int64_t{1} << 30U;

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(" \t", at)) != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

std::optional<double> Number(std::string_view word) {
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || !std::isfinite(value) ||
      value <= 0) {
    return std::nullopt;
  }
  return value;
}

/// `CYCLES ENERGY_NJ [FULL_NJ]`, or `illegal`.
tl::expected<CodeCost, std::string> ParseAnswer(std::string_view text, double bound) {
  const auto words = Words(text);
  CodeCost cost;
  cost.compute_bound = bound;
  if (!words.empty() && words[0] == "illegal") {
    cost.verdict = CodeVerdict::kTooLargeOuter;
    return cost;
  }
  if (words.size() != 2 && words.size() != 3) {
    return tl::unexpected(
        fmt::format("`{}` is not `CYCLES ENERGY_NJ [FULL_NJ]` or `illegal`", text));
  }
  std::array<double, 3> values{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto value = Number(words[i]);
    if (!value) {
      return tl::unexpected(fmt::format("`{}` is no positive number", words[i]));
    }
    values[i] = *value;
  }
  constexpr double kPicojoules = 1e3;
  cost.verdict = CodeVerdict::kLegal;
  cost.cycles = values[0];
  cost.energy_outer_pj = values[1] * kPicojoules;
  cost.energy_full_pj = words.size() == 3 ? values[2] * kPicojoules : cost.energy_outer_pj;
  cost.level_pj[0] = cost.energy_outer_pj;
  cost.compute_pj = std::max(cost.energy_full_pj - cost.energy_outer_pj, 0.0);
  cost.physical = cost.cycles >= bound;
  return cost;
}

std::string AnswerText(const CodeCost& cost) {
  if (!cost.legal()) {
    return "illegal";
  }
  return fmt::format("{} {} {}", ShortestDouble(cost.cycles),
                     ShortestDouble(cost.energy_outer_pj * 1e-3),
                     ShortestDouble(cost.energy_full_pj * 1e-3));
}

std::string NumbersText(const DataflowCode& code) {
  return fmt::format("{}", fmt::join(ToNumbers(code), " "));
}

std::string LayerText(const mapping::Layer& layer) {
  std::string text = fmt::format("layer {}", LayerTypeName(layer.type));
  for (std::size_t d = 0; d < layer.size.size(); ++d) {
    if (layer.size[d] > 0) {
      text += fmt::format(" {}={}", LayerDimName(static_cast<mapping::LayerDim>(d)), layer.size[d]);
    }
  }
  return text + fmt::format(" stride_y={} stride_x={}", layer.stride_y, layer.stride_x);
}

std::string HardwareText(const maestro::Hardware& hardware) {
  return fmt::format(
      "hardware pes={} l1_words={} l2_words={} noc_bandwidth={} offchip_bandwidth={} noc_hops={} "
      "hop_latency={} simd_lanes={}",
      hardware.pes, hardware.l1_words, hardware.l2_words, hardware.noc_bandwidth,
      hardware.offchip_bandwidth, hardware.noc_hops, hardware.hop_latency, hardware.simd_lanes);
}

/// Answers on disk: the layer and the machine, then `NUMBERS = ANSWER` lines, appended.
class Labels {
 public:
  ~Labels() {
    if (file_ >= 0) {
      close(file_);
    }
  }
  Labels() = default;
  Labels(const Labels&) = delete;
  Labels& operator=(const Labels&) = delete;

  Status Open(const std::string& path, const std::string& head, double bound) {
    if (std::error_code error; std::filesystem::exists(path, error)) {
      SLUICE_TRY(const std::string text, ReadFile(path, kMaxLabelBytes));
      SLUICE_TRY_STATUS(Read(text, path, head, bound));
    }
    constexpr int kMode = 0666;
    file_ = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kMode);
    if (file_ < 0) {
      return Fail(ErrorCode::kFileUnwritable, fmt::format("cannot write {}", path));
    }
    path_ = path;
    if (whole_ >= 0 && ftruncate(file_, whole_) != 0) {
      return Fail(ErrorCode::kFileUnwritable, fmt::format("cannot write {}", path));
    }
    return known_.empty() && fresh_ ? Append(head + "\n") : Status{};
  }
  [[nodiscard]] const CodeCost* Find(const std::string& numbers) const {
    const auto found = known_.find(numbers);
    return found == known_.end() ? nullptr : &found->second;
  }
  Status Add(const std::string& numbers, const CodeCost& cost) {
    known_.emplace(numbers, cost);
    return file_ < 0 ? Status{} : Append(numbers + " = " + AnswerText(cost) + "\n");
  }

 private:
  Status Read(std::string_view text, const std::string& path, const std::string& head,
              double bound) {
    fresh_ = text.empty();
    if (!fresh_ && text.substr(0, head.size() + 1) != head + "\n") {
      return Fail(Diagnostic(ErrorCode::kPlanMismatch,
                             fmt::format("{} holds no labels of this layer and machine", path))
                      .WithHint("one file for each layer, machine and program"));
    }
    int number = static_cast<int>(std::ranges::count(head, '\n')) + 2;
    whole_ =
        static_cast<std::int64_t>(text.rfind('\n') + 1);  // without a line cut short by a crash
    text.remove_prefix(std::min(text.size(), head.size() + 1));
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      if (end == std::string_view::npos) {
        break;
      }
      const std::string_view line = text.substr(0, end);
      const std::size_t sign = line.find(" = ");
      const auto cost = sign == std::string_view::npos ? tl::unexpected(std::string("no ` = `"))
                                                       : ParseAnswer(line.substr(sign + 3), bound);
      if (!cost) {
        Diagnostic diagnostic(ErrorCode::kSyntax, "a label that cannot be read: " + cost.error());
        return Fail(std::move(diagnostic)
                        .At({.file = path, .line = number, .excerpt = std::string(line)})
                        .WithHint("remove the line, or the file to start anew"));
      }
      known_.emplace(line.substr(0, sign), *cost);
      text.remove_prefix(end + 1);
      ++number;
    }
    return {};
  }
  Status Append(const std::string& line) {
    std::string_view rest = line;
    while (!rest.empty()) {
      const ssize_t written = write(file_, rest.data(), rest.size());
      if (written <= 0) {
        return Fail(ErrorCode::kFileUnwritable, fmt::format("cannot write {}", path_));
      }
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

  std::unordered_map<std::string, CodeCost> known_;
  std::string path_;
  int file_ = -1;
  std::int64_t whole_ = -1;  ///< bytes of whole lines; negative: a new file
  bool fresh_ = true;
};

class CommandOracle final : public CostOracle {
 public:
  CommandOracle(const mapping::Layer& layer, const maestro::Hardware& hardware, std::string command,
                CommandOptions options)
      : CostOracle(layer, hardware),
        command_(std::move(command)),
        options_(std::move(options)),
        head_(fmt::format("{}\n{}\n{}", kGreeting, LayerText(layer), HardwareText(hardware))),
        bound_(
            std::ceil(static_cast<double>(layer.macs()) / static_cast<double>(hardware.peak()))) {}

  [[nodiscard]] std::string_view name() const override { return "command"; }
  [[nodiscard]] std::size_t levels() const override { return 2; }

  Status Open() {
    if (!options_.labels.empty()) {
      SLUICE_TRY_STATUS(labels_.Open(options_.labels, head_, bound_));
    }
    return Insist([this] { return Greet(); }, "the greeting");
  }

 private:
  using Attempt = tl::expected<void, std::string>;

  Status Price(std::span<const DataflowCode> codes, std::span<CodeCost> costs) override {
    std::vector<std::size_t> open;
    std::vector<std::string> texts(codes.size());
    for (std::size_t i = 0; i < codes.size(); ++i) {
      texts[i] = NumbersText(codes[i]);
      if (const CodeCost* known = labels_.Find(texts[i])) {
        costs[i] = *known;
      } else {
        open.push_back(i);
      }
    }
    std::size_t next = 0;
    while (next < open.size()) {
      const std::size_t end =
          std::min(open.size(), next + static_cast<std::size_t>(options_.batch));
      const auto status = Insist(
          [&]() -> Attempt {
            if (!process_) {
              if (auto greeted = Greet(); !greeted) {
                return greeted;
              }
            }
            return Ask(std::span(open).first(end), next, texts, costs);
          },
          next < open.size() ? texts[open[next]] : std::string());
      if (!status) {
        return status;
      }
    }
    return {};
  }

  /// Repeats a failed attempt with a new process, as long as there is progress or patience.
  template <class Function>
  Status Insist(const Function& attempt, const std::string& asked) {
    int failures = 0;
    std::int64_t answered = answered_;
    while (true) {
      const Attempt done = attempt();
      if (done) {
        return {};
      }
      process_.reset();
      if (auto fatal = std::exchange(fatal_, std::nullopt)) {
        return Fail(std::move(*fatal));
      }
      failures = answered_ > answered ? 1 : failures + 1;
      answered = answered_;
      if (failures > options_.retries) {
        return Fail(Diagnostic(ErrorCode::kProgram,
                               fmt::format("the program `{}` {}", command_, done.error()))
                        .WithNote(fmt::format("{} failures in a row, the first open question: {}",
                                              failures, asked))
                        .WithNote(fmt::format("{} codes were answered before", answered_))
                        .WithHint("docs/formats/cost-command.md says what it should answer; "
                                  "--cost-labels FILE keeps answers for the next run"));
      }
    }
  }

  Attempt Greet() {
    auto started = LineProcess::Start(command_);
    if (!started) {
      return tl::unexpected("cannot be started: " + started.error().message);
    }
    process_ = std::move(*started);
    process_->Write(head_ + "\n");
    const auto line = process_->ReadLine(options_.timeout_seconds);
    if (!line) {
      return tl::unexpected(line.error());
    }
    if (*line != "ready") {
      return tl::unexpected(fmt::format("answered `{}` to the greeting, not `ready`", *line));
    }
    return {};
  }

  /// Asks for open[next ..]; moves `next` past every answer.
  Attempt Ask(std::span<const std::size_t> open, std::size_t& next,
              const std::vector<std::string>& texts, std::span<CodeCost> costs) {
    std::string request = fmt::format("price {}\n", open.size() - next);
    for (std::size_t i = next; i < open.size(); ++i) {
      request += texts[open[i]] + "\n";
    }
    process_->Write(request);
    while (next < open.size()) {
      const auto line = process_->ReadLine(options_.timeout_seconds);
      if (!line) {
        return tl::unexpected(line.error());
      }
      if (*line == "done") {
        return tl::unexpected(
            fmt::format("left {} codes of a request without an answer", open.size() - next));
      }
      const auto cost = ParseAnswer(*line, bound_);
      if (!cost) {
        return tl::unexpected("answered nonsense: " + cost.error());
      }
      costs[open[next]] = *cost;
      if (auto kept = labels_.Add(texts[open[next]], *cost); !kept) {
        fatal_ = kept.error();
        return tl::unexpected(std::string("fatal"));
      }
      ++answered_;
      ++next;
    }
    const auto last = process_->ReadLine(options_.timeout_seconds);
    if (!last) {
      process_.reset();  // all is answered; the next request gets a new process
      return {};
    }
    if (*last != "done") {
      // Some line was not the answer it was taken for; which one, nobody knows.
      fatal_ = Diagnostic(ErrorCode::kProgram,
                          fmt::format("the program `{}` wrote more answers than there were codes: "
                                      "`{}`",
                                      command_, *last))
                   .WithHint(
                       "one line a code, then `done`; the answers of this request are "
                       "doubtful, also in --cost-labels");
      return tl::unexpected(std::string("fatal"));
    }
    return {};
  }

  std::string command_;
  CommandOptions options_;
  std::string head_;
  double bound_;
  Labels labels_;
  std::unique_ptr<LineProcess> process_;
  std::int64_t answered_ = 0;
  std::optional<Diagnostic> fatal_;  ///< what no new process can mend
};

}  // namespace

Result<std::unique_ptr<CostOracle>> MakeCommandOracle(const mapping::Layer& layer,
                                                      const maestro::Hardware& hardware,
                                                      const std::string& command,
                                                      const CommandOptions& options) {
  SLUICE_TRY_STATUS(ValidateLayer(layer));
  if (command.find_first_not_of(" \t") == std::string::npos) {
    return Fail(Diagnostic(ErrorCode::kUsage, "the cost command is empty")
                    .WithHint("--cost-command \"./my-model --fast\""));
  }
  if (options.batch < 1 || !(options.timeout_seconds > 0) || options.retries < 0 ||
      hardware.pes < 1 || hardware.simd_lanes < 1) {
    return Fail(ErrorCode::kUsage, "a batch and a time-out above 0, and a machine with PEs");
  }
  auto oracle = std::make_unique<CommandOracle>(layer, hardware, command, options);
  SLUICE_TRY_STATUS(oracle->Open());
  return std::unique_ptr<CostOracle>(std::move(oracle));
}

}  // namespace sluice::cost
