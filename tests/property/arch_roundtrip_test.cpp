// Any valid architecture, written as YAML, reads back to an equal one, and validation agrees with
// the reader on what is valid.

#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "io/yaml/arch/arch.h"

namespace sluice::io {
namespace {

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : rng_(seed) {}

  arch::Architecture Make() {
    arch::Architecture a;
    a.name = Name();
    a.description = rng_.Below(2) == 0 ? "" : Text();
    a.clock_hz = std::ldexp(1.0 + rng_.Uniform(), static_cast<int>(rng_.Between(1, 40)));
    a.root = MakeNode(1);
    a.root.memory.keep.fill(arch::Keep::kMust);
    return a;
  }

 private:
  /// Unique, and now and then hard to quote.
  std::string Name() {
    static constexpr const char* kStems[] = {
        "mem", "a b", "null", "true", "3",  "\"q\"", "x:y",  "\xC3\xA4", "- d",
        "#",   "&a",  "{",    "~",    "\\", "it's",  "a\tb", "!tag",     "registers"};
    return std::string(kStems[rng_.Below(std::size(kStems))]) + std::to_string(counter_++);
  }
  std::string Text() {
    std::string text;
    for (std::uint32_t i = 1 + rng_.Below(30); i > 0; --i) {
      text += static_cast<char>(1 + rng_.Below(127));
    }
    return text;
  }
  double Energy() {
    return rng_.Below(4) == 0 ? 0.0
                              : std::ldexp(rng_.Uniform(), static_cast<int>(rng_.Between(-40, 40)));
  }
  std::optional<double> Bandwidth() {
    if (rng_.Below(2) == 0) {
      return std::nullopt;
    }
    return std::ldexp(1.0 + rng_.Uniform(), static_cast<int>(rng_.Between(-10, 20)));
  }
  std::vector<std::string> Dims() {
    std::vector<std::string> dims;
    for (std::uint32_t i = rng_.Below(3); i > 0; --i) {
      dims.push_back(Name());
    }
    return dims;
  }

  arch::Memory MakeMemory() {
    arch::Memory m;
    m.name = Name();
    m.word_bits = static_cast<int>(rng_.Between(1, rng_.Below(2) == 0 ? 64 : 4096));
    m.block_words = rng_.Between(1, 64);
    m.buffering = rng_.Below(2) == 0 ? 1.0 : 1.0 + rng_.Uniform();
    if (rng_.Below(4) != 0) {
      m.capacity_words = rng_.Between(2, std::int64_t{1} << rng_.Between(2, 48));
    }
    m.read_bandwidth = Bandwidth();
    m.write_bandwidth = Bandwidth();
    m.read_pj = Energy();
    m.fill_pj = Energy();
    m.update_pj = Energy();
    m.leakage_pj_per_cycle = Energy();
    for (arch::Keep& keep : m.keep) {
      keep = static_cast<arch::Keep>(rng_.Below(3));
    }
    return m;
  }

  arch::Compute MakeCompute() {
    arch::Compute c;
    c.name = Name();
    for (std::uint32_t i = 0, bits = 1 + rng_.Below(15); i < 4; ++i) {
      if ((bits >> i & 1U) != 0U) {
        c.classes.push_back({static_cast<ir::WorkClass>(i), Energy(), 0.125 + rng_.Uniform()});
      }
    }
    c.leakage_pj_per_cycle = Energy();
    return c;
  }

  arch::Node MakeNode(int depth) {
    arch::Node node{MakeMemory(), {}};
    for (std::uint32_t i = 1 + rng_.Below(depth < 3 ? 3 : 1); i > 0; --i) {
      arch::Node::Branch branch;
      if (rng_.Below(2) == 0) {
        branch.fan_out.name = rng_.Below(2) == 0 ? "" : Name();
        branch.fan_out.x = rng_.Between(1, 8);
        branch.fan_out.y = rng_.Between(1, 4);
        branch.fan_out.network = {.multicast = rng_.Below(2) == 0,
                                  .reduction = rng_.Below(2) == 0,
                                  .neighbour_forwarding = rng_.Below(2) == 0,
                                  .hop_pj = Energy(),
                                  .router_pj = Energy(),
                                  .reduction_pj = Energy(),
                                  .bandwidth = Bandwidth()};
        branch.fan_out.dims_x = Dims();
        branch.fan_out.dims_y = Dims();
      }
      if (depth < 5 && rng_.Below(2) == 0) {
        branch.memory_child.push_back(MakeNode(depth + 1));
      } else {
        branch.compute_child.push_back(MakeCompute());
      }
      node.branches.push_back(std::move(branch));
    }
    return node;
  }

  Rng rng_;
  int counter_ = 0;
};

TEST(ArchRoundTrip, WrittenArchitecturesReadBackEqual) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const arch::Architecture made = Generator(seed).Make();
    const auto valid = arch::Validate(made);
    ASSERT_TRUE(valid) << "seed " << seed << ": " << valid.error().Render();
    const std::string text = WriteArchitectureYaml(made);
    auto document = YamlDocument::Parse(text, "written");
    ASSERT_TRUE(document) << "seed " << seed << "\n" << text << document.error().Render();
    const auto read = ReadArchitecture(*document);
    ASSERT_TRUE(read) << "seed " << seed << "\n" << text << read.error().Render();
    ASSERT_EQ(*read, made) << "seed " << seed << "\n" << text;
    ASSERT_EQ(WriteArchitectureYaml(*read), text);
    for (const arch::Chain& chain : arch::Chains(made)) {
      ASSERT_GE(chain.compute_instances(), 1);
    }
    ASSERT_FALSE(arch::DrawTree(made).empty());
  }
}

}  // namespace
}  // namespace sluice::io
