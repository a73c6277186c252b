/// \file
/// The loop-nest view of a mapping, for people: one line a level with the tiles it keeps, one line
/// a loop, never wider than 80 columns. Names that do not fit lose their middle; indentation stops
/// growing at half the width. The exact text forms are directives.h and io/yaml/mapping.h.
/// Tested by tests/unit/mapping_test.cpp.

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "mapping/mapping.h"
#include "mapping/workload.h"

namespace sluice::mapping {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kLongestName = 32;

/// At most `width` characters of a name: its beginning and its end.
std::string Shorten(const std::string& name, std::size_t width) {
  std::string shown = name;
  std::ranges::replace_if(shown, [](char c) { return c >= 0 && c < ' '; }, '?');
  if (shown.size() <= width) {
    return shown;
  }
  const std::size_t head = (width - 2) / 2;
  return shown.substr(0, head) + ".." + shown.substr(shown.size() - (width - 2 - head));
}

class Nest {
 public:
  Nest(const Workload& workload, const arch::Chain& chain, const Mapping& mapping)
      : workload_(workload), chain_(chain), mapping_(mapping) {}

  std::string Print() {
    for (std::size_t l = 0; l < mapping_.levels.size(); ++l) {
      PrintLevel(l);
      const LevelMapping& level = mapping_.levels[l];
      PrintLoops(level.temporal, "for", "");
      PrintLoops(level.spatial_x, "par", "  (X)");
      PrintLoops(level.spatial_y, "par", "  (Y)");
    }
    out_ += Indent() + Shorten(chain_.compute.name, kLongestName) + '\n';
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string Indent() const {
    return std::string(std::min(kWidth / 2, 2 * depth_), ' ');
  }

  void PrintLevel(std::size_t l) {
    const std::string name =
        l < chain_.levels.size() ? chain_.levels[l].memory.name : fmt::format("level {}", l);
    std::string line = Indent() + Shorten(name, kLongestName) + ' ';
    const std::string continuation(line.size() - 1, ' ');
    for (std::size_t t = 0; t < workload_.tensors.size(); ++t) {
      if ((mapping_.levels[l].keep >> t & 1U) == 0U) {
        continue;
      }
      const std::string tail = fmt::format(" {}]", TileWords(workload_, mapping_, l, t));
      const std::size_t room = kWidth - std::min(kWidth / 2, continuation.size()) - 2;
      const std::string tile =
          " [" +
          Shorten(workload_.tensor_names[t],
                  room > tail.size() + 8 ? std::min(kLongestName, room - tail.size()) : 8) +
          tail;
      if (line.size() + tile.size() > kWidth && line.size() > continuation.size() + 1) {
        out_ += line + '\n';
        line = continuation.substr(0, kWidth / 2);
      }
      line += tile;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out_ += line + '\n';
    ++depth_;
  }

  void PrintLoops(const LoopList& loops, std::string_view word, std::string_view suffix) {
    for (const Loop& loop : loops) {
      const bool known = loop.dim >= 0 && loop.dim < workload_.dims();
      const std::string dim =
          known ? workload_.dim_names[static_cast<std::size_t>(loop.dim)] : std::string("?");
      const std::string ragged =
          loop.last == loop.bound ? std::string() : fmt::format(" (last 0:{})", loop.last);
      const std::string line =
          fmt::format("{} {} in 0:{}{}{}", word, Shorten(dim, 16), loop.bound, ragged, suffix);
      const std::string indent = Indent();
      out_ += indent.substr(0, std::min(indent.size(), kWidth - line.size())) + line + '\n';
      ++depth_;
    }
  }

  const Workload& workload_;
  const arch::Chain& chain_;
  const Mapping& mapping_;
  std::size_t depth_ = 0;
  std::string out_;
};

}  // namespace

std::vector<std::string> TensorLabels(const Workload& workload) {
  constexpr std::size_t kShort = 10;
  if (std::ranges::all_of(workload.tensor_names,
                          [](const std::string& name) { return name.size() <= kShort; })) {
    return workload.tensor_names;
  }
  std::vector<std::string> labels;
  labels.reserve(workload.tensors.size());
  std::array<int, arch::kTensorClasses> seen{};
  for (const WorkloadTensor& tensor : workload.tensors) {
    const int count = ++seen[static_cast<std::size_t>(tensor.tensor_class)];
    labels.push_back(fmt::format("{}{}", arch::TensorClassName(tensor.tensor_class),
                                 count == 1 ? "" : std::to_string(count)));
  }
  return labels;
}

std::string PrintLoopNest(const Workload& workload, const arch::Chain& chain,
                          const Mapping& mapping) {
  return Nest(workload, chain, mapping).Print();
}

}  // namespace sluice::mapping
