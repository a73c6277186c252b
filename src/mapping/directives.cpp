/// \file
/// Printer and parser of tensor-centric directives. Grammar: docs/formats/directives.md.
///
/// Both sides go through the loops inside-out, the order in which KAPLA writes them. The step of a
/// loop is the product of the trip counts of the loops of its dim inside it. So
///  - printing needs the steps only; a count is written for stacks (KAPLA's `repl`) and for an
///  outermost
///    loop that has more trips than its dim needs;
///  - parsing recovers a count as next step / step, the outermost as ceil(bound / step), and the
///  last
///    round of every loop as the mixed-radix digits of bound - 1 (the only solution, see
///    mapping.h).
/// Tile sizes carry no information: they are checked against the loops.

#include "mapping/directives.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/checked.h"
#include "base/diagnostic.h"
#include "base/text.h"
#include "mapping/directive_tokens.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapping {
namespace {

/// The box that one instance of `level` holds, in points per dim.
std::vector<std::int64_t> TileOf(const Workload& workload, const Mapping& mapping,
                                 std::size_t level) {
  const std::vector<std::int64_t> bounds(workload.bounds.begin(), workload.bounds.end());
  std::vector<std::int64_t> tile(bounds.size(), 1);
  for (std::size_t l = level; l < mapping.levels.size(); ++l) {
    const LevelMapping& at = mapping.levels[l];
    for (const LoopList* list : {&at.temporal, &at.spatial_x, &at.spatial_y}) {
      for (const Loop& loop : *list) {
        const auto d = static_cast<std::size_t>(loop.dim);
        if (d < tile.size()) {
          tile[d] = CheckedMul(tile[d], loop.bound).value_or(bounds[d]);
        }
      }
    }
  }
  for (std::size_t d = 0; d < tile.size(); ++d) {
    tile[d] = std::min(tile[d], bounds[d]);
  }
  return tile;
}

// ---- Printing -----------------------------------------------------------------------------------

class Printer {
 public:
  Printer(const Workload& workload, const arch::Chain& chain, const Mapping& mapping)
      : workload_(workload), chain_(chain), mapping_(mapping) {}

  Result<std::string> Print() {
    for (const Violation& violation : CheckMapping(workload_, chain_, mapping_)) {
      const bool broken = violation.code == ErrorCode::kMappingInvalid && violation.tensor < 0;
      if (broken || violation.code == ErrorCode::kMappingCoverage) {
        return Fail(violation.code, "no directives for this mapping: " + violation.message);
      }
    }
    step_.assign(workload_.bounds.size(), 1);
    const std::size_t levels = mapping_.levels.size();
    for (std::size_t block = 0; block < levels; ++block) {
      if (block == 0) {
        out_ += "compute:\n";
      } else {
        PrintTensors(levels - block);
      }
      const LevelMapping& level = mapping_.levels[levels - 1 - block];
      SLUICE_TRY_STATUS(PrintLoops(level.spatial_y, 'Y'));
      SLUICE_TRY_STATUS(PrintLoops(level.spatial_x, 'X'));
      SLUICE_TRY_STATUS(PrintLoops(level.temporal, '\0'));
    }
    return std::move(out_);
  }

 private:
  void PrintTensors(std::size_t level) {
    out_ += QuoteName(chain_.levels[level].memory.name) + ":\n";
    const std::vector<std::int64_t> tile = TileOf(workload_, mapping_, level);
    for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
      if ((mapping_.levels[level].keep >> t & 1U) == 0U) {
        continue;
      }
      std::string sizes;
      for (std::size_t d = 0; d < tile.size(); ++d) {
        if ((workload_.tensors[t].dims >> d & 1U) != 0U && tile[d] > 1) {
          sizes += fmt::format("{}{}={}", sizes.empty() ? "" : ", ",
                               QuoteName(workload_.dim_names[d]), tile[d]);
        }
      }
      out_ += fmt::format("  tensor{{{}}}({})\n", QuoteName(workload_.tensor_names[t]), sizes);
    }
  }

  /// `axis` is X or Y for stacks, 0 for updates.
  Status PrintLoops(const LoopList& loops, char axis) {
    for (std::size_t i = loops.size(); i-- > 0;) {
      const Loop& loop = loops[i];
      const auto d = static_cast<std::size_t>(loop.dim);
      const std::string move = fmt::format("{}+={}", QuoteName(workload_.dim_names[d]), step_[d]);
      const auto next = CheckedMul(step_[d], loop.bound);
      if (!next) {
        return Fail(ErrorCode::kMappingInvalid,
                    fmt::format("no directives for this mapping: the loops over {} are too long",
                                workload_.dim_names[d]));
      }
      if (axis != '\0') {
        out_ += fmt::format("  stack({}, {}, {})\n", move, loop.bound, axis);
      } else if (IsOutermost(loop) && loop.bound != CeilDiv(workload_.bounds[d], step_[d])) {
        out_ += fmt::format("  update({}, {})\n", move, loop.bound);
      } else {
        out_ += fmt::format("  update({})\n", move);
      }
      step_[d] = *next;
    }
    return {};
  }

  /// True for the outermost loop of its dim in the whole nest.
  [[nodiscard]] bool IsOutermost(const Loop& loop) const {
    for (const LevelMapping& level : mapping_.levels) {
      for (const LoopList* list : {&level.temporal, &level.spatial_x, &level.spatial_y}) {
        for (const Loop& other : *list) {
          if (other.dim == loop.dim) {
            return &other == &loop;
          }
        }
      }
    }
    return false;
  }

  const Workload& workload_;
  const arch::Chain& chain_;
  const Mapping& mapping_;
  std::vector<std::int64_t> step_;
  std::string out_;
};

// ---- Parsing ------------------------------------------------------------------------------------

enum class ListKind : std::uint8_t { kSpatialY, kSpatialX, kTemporal };  // in block order

struct LoopEntry {
  std::size_t level = 0;
  ListKind list = ListKind::kTemporal;
  int dim = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;  ///< 0 = implied
  Token at;
};

struct TensorEntry {
  std::size_t level = 0;
  std::size_t tensor = 0;
  Token at;
  std::vector<std::int64_t> sizes;  ///< per dim, 0 = not given
  std::vector<Token> size_at;
};

class Parser {
 public:
  Parser(const Workload& workload, const arch::Chain& chain, std::string_view text,
         const std::string& file)
      : workload_(workload), chain_(chain), lexer_(text, file) {}

  Result<Mapping> Parse() {
    SLUICE_TRY_STATUS(Advance());
    const std::size_t levels = chain_.levels.size();
    mapping_.levels.resize(levels);
    for (LevelMapping& level : mapping_.levels) {
      level.keep = 0;
    }
    mapping_.levels[0].keep = (1U << workload_.tensors.size()) - 1U;
    for (std::size_t block = 0; block < levels; ++block) {
      SLUICE_TRY_STATUS(ParseBlock(block));
    }
    if (token_.kind != TokenKind::kEnd) {
      return Fail(lexer_.Error(ErrorCode::kSyntax, "text after the last block", token_)
                      .WithHint(fmt::format("the blocks are: {}", fmt::join(BlockNames(), ", "))));
    }
    for (int d = 0; d < workload_.dims(); ++d) {
      SLUICE_TRY_STATUS(ResolveDim(d));
    }
    for (std::size_t i = loops_.size(); i-- > 0;) {  // outermost first
      const LoopEntry& entry = loops_[i];
      LevelMapping& level = mapping_.levels[entry.level];
      ListOf(level, entry.list).push_back(resolved_[i]);
    }
    for (const TensorEntry& entry : tensors_) {
      SLUICE_TRY_STATUS(CheckTensor(entry));
    }
    return mapping_;
  }

 private:
  static LoopList& ListOf(LevelMapping& level, ListKind kind) {
    return kind == ListKind::kTemporal
               ? level.temporal
               : (kind == ListKind::kSpatialX ? level.spatial_x : level.spatial_y);
  }

  [[nodiscard]] std::vector<std::string> BlockNames() const {
    std::vector<std::string> names = {"compute"};
    for (std::size_t l = chain_.levels.size(); l-- > 1;) {
      names.push_back(chain_.levels[l].memory.name);
    }
    return names;
  }

  Status Advance() {
    SLUICE_TRY(token_, lexer_.Next());
    return {};
  }

  [[nodiscard]] bool IsSymbol(std::string_view symbol) const {
    return token_.kind == TokenKind::kSymbol && token_.text == symbol;
  }

  Status Expect(std::string_view symbol) {
    if (!IsSymbol(symbol)) {
      return Fail(lexer_.Error(ErrorCode::kSyntax, fmt::format("expected `{}`", symbol), token_));
    }
    return Advance();
  }

  Result<Token> ExpectName(std::string_view what) {
    if (token_.kind != TokenKind::kName) {
      return Fail(lexer_.Error(ErrorCode::kSyntax, fmt::format("expected {}", what), token_));
    }
    Token name = token_;
    SLUICE_TRY_STATUS(Advance());
    return name;
  }

  Result<std::int64_t> ExpectNumber(std::int64_t largest) {
    if (token_.kind != TokenKind::kInteger) {
      return Fail(lexer_.Error(ErrorCode::kSyntax, "expected a number", token_));
    }
    if (token_.number < 1 || token_.number > largest) {
      return Fail(lexer_.Error(ErrorCode::kBadValue,
                               fmt::format("the number must be from 1 to {}", largest), token_));
    }
    const std::int64_t number = token_.number;
    SLUICE_TRY_STATUS(Advance());
    return number;
  }

  Result<int> Lookup(const Token& name, const std::vector<std::string>& names,
                     std::string_view what) {
    const auto it = std::ranges::find(names, name.text);
    if (it == names.end()) {
      const std::string closest =
          name.text.size() > 200 ? std::string() : ClosestMatch(name.text, names);
      return Fail(lexer_.Error(ErrorCode::kUnknownName, fmt::format("unknown {}", what), name)
                      .WithHint(closest.empty() ? fmt::format("one of: {}", fmt::join(names, ", "))
                                                : fmt::format("did you mean `{}`?", closest)));
    }
    return static_cast<int>(it - names.begin());
  }

  Status ParseBlock(std::size_t block) {
    const std::vector<std::string> names = BlockNames();
    if (token_.kind != TokenKind::kName || token_.text != names[block]) {
      return Fail(lexer_
                      .Error(ErrorCode::kSyntax,
                             fmt::format("expected the block `{}:`", QuoteName(names[block])),
                             token_)
                      .WithHint(fmt::format("every block is written, inside-out: {}",
                                            fmt::join(names, ", "))));
    }
    SLUICE_TRY_STATUS(Advance());
    SLUICE_TRY_STATUS(Expect(":"));
    const std::size_t level = chain_.levels.size() - block;  // of the tiles; its loops are outside
    ListKind reached = ListKind::kSpatialY;
    bool loops_begun = false;
    while (token_.kind == TokenKind::kName && !token_.quoted) {
      const Token word = token_;
      if (word.text == "tensor") {
        if (loops_begun || block == 0) {
          return Fail(lexer_.Error(ErrorCode::kSyntax,
                                   block == 0 ? "the compute unit holds no tensors"
                                              : "tensors come before stacks and updates",
                                   word));
        }
        SLUICE_TRY_STATUS(Advance());
        SLUICE_TRY_STATUS(ParseTensor(level, word));
      } else if (word.text == "stack" || word.text == "update") {
        loops_begun = true;
        SLUICE_TRY_STATUS(Advance());
        SLUICE_TRY_STATUS(ParseLoop(level - 1, word, &reached));
      } else {
        return {};  // the next block, checked by the caller
      }
    }
    return {};
  }

  Status ParseTensor(std::size_t level, const Token& word) {
    SLUICE_TRY_STATUS(Expect("{"));
    SLUICE_TRY(const Token name, ExpectName("a tensor name"));
    SLUICE_TRY(const int tensor, Lookup(name, workload_.tensor_names, "tensor"));
    SLUICE_TRY_STATUS(Expect("}"));
    TensorEntry entry;
    entry.level = level;
    entry.tensor = static_cast<std::size_t>(tensor);
    entry.at = word;
    entry.sizes.assign(workload_.bounds.size(), 0);
    entry.size_at.resize(workload_.bounds.size());
    std::uint32_t& keep = mapping_.levels[level].keep;
    if ((keep >> entry.tensor & 1U) != 0U) {
      return Fail(lexer_.Error(ErrorCode::kDuplicateKey, "the tensor is already held here", name));
    }
    keep |= 1U << entry.tensor;
    SLUICE_TRY_STATUS(Expect("("));
    while (!IsSymbol(")")) {
      SLUICE_TRY_STATUS(ParseSize(&entry));
      if (!IsSymbol(")")) {
        SLUICE_TRY_STATUS(Expect(","));
      }
    }
    tensors_.push_back(std::move(entry));
    return Advance();
  }

  Status ParseSize(TensorEntry* entry) {
    SLUICE_TRY(const Token dim_name, ExpectName("a dim"));
    if (dim_name.text == "shr" && !HasDim("shr")) {
      return Fail(lexer_.Error(ErrorCode::kSyntax,
                               "`shr` (buffer sharing) is not expressible in a mapping", dim_name));
    }
    SLUICE_TRY(const int dim, Lookup(dim_name, workload_.dim_names, "dim"));
    const auto d = static_cast<std::size_t>(dim);
    if ((workload_.tensors[entry->tensor].dims >> d & 1U) == 0U) {
      return Fail(lexer_.Error(ErrorCode::kUnknownKey,
                               fmt::format("tensor {} does not move with {}",
                                           workload_.tensor_names[entry->tensor], dim_name.text),
                               dim_name));
    }
    if (entry->sizes[d] != 0) {
      return Fail(lexer_.Error(ErrorCode::kDuplicateKey, "the dim is given twice", dim_name));
    }
    SLUICE_TRY_STATUS(Expect("="));
    entry->size_at[d] = token_;
    SLUICE_TRY(entry->sizes[d], ExpectNumber(workload_.bounds[d]));
    return {};
  }

  [[nodiscard]] bool HasDim(std::string_view name) const {
    return std::ranges::find(workload_.dim_names, name) != workload_.dim_names.end();
  }

  Status ParseLoop(std::size_t level, const Token& word, ListKind* reached) {
    const bool spatial = word.text == "stack";
    LoopEntry entry;
    entry.level = level;
    SLUICE_TRY_STATUS(Expect("("));
    if (spatial && token_.kind == TokenKind::kInteger) {
      return Fail(lexer_.Error(
          ErrorCode::kSyntax, "a stack without a dim (replication) is not expressible in a mapping",
          token_));
    }
    entry.at = token_;
    SLUICE_TRY(const Token dim, ExpectName("a dim"));
    SLUICE_TRY(entry.dim, Lookup(dim, workload_.dim_names, "dim"));
    SLUICE_TRY_STATUS(Expect("+="));
    SLUICE_TRY(entry.step, ExpectNumber(std::numeric_limits<std::int64_t>::max() - 1));
    if (spatial || IsSymbol(",")) {
      SLUICE_TRY_STATUS(Expect(","));
      if (token_.kind == TokenKind::kName) {
        return Fail(lexer_.Error(ErrorCode::kSyntax,
                                 "dims of a mapping advance one at a time; expected a count",
                                 token_));
      }
      SLUICE_TRY(entry.count, ExpectNumber(std::numeric_limits<std::int32_t>::max()));
    }
    entry.list = spatial ? ListKind::kSpatialX : ListKind::kTemporal;
    if (spatial && IsSymbol(",")) {
      SLUICE_TRY_STATUS(Advance());
      const Token axis = token_;
      SLUICE_TRY_STATUS(ExpectName("X or Y"));
      if (axis.text != "X" && axis.text != "Y") {
        return Fail(lexer_.Error(ErrorCode::kSyntax, "expected X or Y", axis));
      }
      entry.list = axis.text == "X" ? ListKind::kSpatialX : ListKind::kSpatialY;
    }
    if (entry.list < *reached) {
      return Fail(lexer_.Error(ErrorCode::kSyntax, "out of order", word)
                      .WithHint("a block lists stacks on Y, then stacks on X, then updates"));
    }
    *reached = entry.list;
    for (const LoopEntry& other : loops_) {
      if (other.level == entry.level && other.list == entry.list && other.dim == entry.dim) {
        return Fail(lexer_.Error(ErrorCode::kDuplicateKey,
                                 fmt::format("a second {} along {}", word.text, dim.text), dim));
      }
    }
    SLUICE_TRY_STATUS(Expect(")"));
    loops_.push_back(std::move(entry));
    resolved_.emplace_back();
    return {};
  }

  /// Gives every loop of the dim its trip counts.
  Status ResolveDim(int dim) {
    const auto d = static_cast<std::size_t>(dim);
    const std::int64_t bound = workload_.bounds[d];
    std::vector<std::size_t> nest;  // of this dim, inside-out
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      if (loops_[i].dim == dim) {
        nest.push_back(i);
      }
    }
    std::int64_t step = 1;
    std::int64_t index = bound - 1;
    for (std::size_t n = 0; n < nest.size(); ++n) {
      const LoopEntry& entry = loops_[nest[n]];
      if (entry.step != step) {
        return Fail(
            lexer_
                .Error(ErrorCode::kBadValue,
                       fmt::format("the step along {} is {}, but the loops inside span {} points",
                                   workload_.dim_names[d], entry.step, step),
                       entry.at)
                .WithHint(fmt::format("{}+={}", workload_.dim_names[d], step)));
      }
      std::int64_t count = entry.count;
      if (count == 0) {
        const bool outermost = n + 1 == nest.size();
        const std::int64_t next = outermost ? 0 : loops_[nest[n + 1]].step;
        if (!outermost && next % step != 0) {
          return Fail(lexer_.Error(
              ErrorCode::kBadValue,
              fmt::format("the step along {} is {}, not a multiple of the step {} inside",
                          workload_.dim_names[d], next, step),
              loops_[nest[n + 1]].at));
        }
        count = outermost ? CeilDiv(bound, step) : next / step;
      }
      const auto span = CheckedMul(step, count);
      if (!span || count > std::numeric_limits<std::int32_t>::max() || count < 1) {
        return Fail(lexer_.Error(
            ErrorCode::kBadValue,
            fmt::format("the loops over {} are too long", workload_.dim_names[d]), entry.at));
      }
      resolved_[nest[n]] = {dim, static_cast<std::int32_t>(count),
                            static_cast<std::int32_t>(index % count) + 1};
      index /= count;
      step = *span;
    }
    if (index != 0) {
      return Fail(lexer_
                      .Error(ErrorCode::kMappingCoverage,
                             fmt::format("dim {}: the stacks and updates cover {} of {} points",
                                         workload_.dim_names[d], step, bound),
                             nest.empty() ? token_ : loops_[nest.back()].at)
                      .WithHint(fmt::format("add `update({}+={})` to a block",
                                            QuoteName(workload_.dim_names[d]), step)));
    }
    return {};
  }

  Status CheckTensor(const TensorEntry& entry) {
    const std::vector<std::int64_t> tile = TileOf(workload_, mapping_, entry.level);
    for (std::size_t d = 0; d < tile.size(); ++d) {
      if ((workload_.tensors[entry.tensor].dims >> d & 1U) == 0U) {
        continue;
      }
      const std::int64_t size = std::max<std::int64_t>(1, entry.sizes[d]);
      if (size == tile[d]) {
        continue;
      }
      const bool given = entry.sizes[d] != 0;
      return Fail(
          lexer_
              .Error(given ? ErrorCode::kBadValue : ErrorCode::kMissingKey,
                     fmt::format("the loops inside {} span {} points of {}, the tensor has {}",
                                 chain_.levels[entry.level].memory.name, tile[d],
                                 workload_.dim_names[d], size),
                     given ? entry.size_at[d] : entry.at)
              .WithHint(fmt::format("{}={}", QuoteName(workload_.dim_names[d]), tile[d])));
    }
    return {};
  }

  const Workload& workload_;
  const arch::Chain& chain_;
  DirectiveLexer lexer_;
  Token token_;
  Mapping mapping_;
  std::vector<LoopEntry> loops_;  ///< inside-out
  std::vector<Loop> resolved_;    ///< parallel to loops_
  std::vector<TensorEntry> tensors_;
};

}  // namespace

Result<std::string> PrintDirectives(const Workload& workload, const arch::Chain& chain,
                                    const Mapping& mapping) {
  return Printer(workload, chain, mapping).Print();
}

Result<Mapping> ParseDirectives(const Workload& workload, const arch::Chain& chain,
                                std::string_view text, const std::string& file) {
  return Parser(workload, chain, text, file).Parse();
}

}  // namespace sluice::mapping
