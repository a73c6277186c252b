#pragma once
/// \file
/// The architecture: a tree of memories, fan-outs and compute units, outermost first.
///
/// An operator runs on one *chain*: the path from the root memory to one compute unit that offers
/// its class of work. Everything downstream (mapping, cost, mappers) sees chains only. One element
/// of a tensor occupies one word of a memory, whatever the ONNX type: the machine's precision
/// rules. Energies are per access of one block (`block_words` words moved together). Tested by
/// tests/unit/architecture_test.cpp.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "ir/network.h"

namespace sluice::arch {

/// What a tensor is to the operator that touches it; memories select by it.
enum class TensorClass : std::uint8_t { kInput, kWeight, kOutput };
inline constexpr int kTensorClasses = 3;

/// Whether a memory keeps tensors of a class.
enum class Keep : std::uint8_t {
  kMay,    ///< free choice of the mapping (bypass is searched)
  kMust,   ///< always kept here
  kNever,  ///< always bypassed
};

struct Memory {
  std::string name;
  /// Words per instance; nullopt = unbounded (DRAM).
  std::optional<std::int64_t> capacity_words;
  int word_bits = 16;
  std::int64_t block_words = 1;  ///< words per access
  /// How many copies of every tile are held at once: 1, or 2 when double buffered. May be
  /// fractional (Timeloop's multiple_buffering). Usable capacity = capacity_words / buffering.
  double buffering = 1.0;
  /// Words per cycle per instance; nullopt = never binds.
  std::optional<double> read_bandwidth;
  std::optional<double> write_bandwidth;
  /// Picojoules per block access: reads, fills from the parent, updates from the child.
  double read_pj = 0;
  double fill_pj = 0;
  double update_pj = 0;
  double leakage_pj_per_cycle = 0;  ///< per instance
  std::array<Keep, kTensorClasses> keep = {Keep::kMay, Keep::kMay, Keep::kMay};
  friend bool operator==(const Memory&, const Memory&) = default;
};

/// `Timeloop`: XY route from the middle of the edge; see cost/README.md.
struct Network {
  bool multicast = true;              ///< one parent read serves identical tiles
  bool reduction = true;              ///< partial sums of equal tiles are added on the way up
  bool neighbour_forwarding = false;  ///< a child may take a word from the neighbour that held it
  double hop_pj = 0;                  ///< per word and hop
  double router_pj = 0;               ///< per word and router passed
  double reduction_pj = 0;            ///< per word added in the network
  std::optional<double> bandwidth;    ///< words per cycle into the fan-out; nullopt = never binds
  friend bool operator==(const Network&, const Network&) = default;
};

/// Copies of everything below, on a 1-D (y = 1) or 2-D grid.
struct FanOut {
  std::string name;
  std::int64_t x = 1;
  std::int64_t y = 1;
  Network network;
  /// Dims allowed on each axis by name; empty = any.
  std::vector<std::string> dims_x;
  std::vector<std::string> dims_y;
  [[nodiscard]] std::int64_t instances() const { return x * y; }
  friend bool operator==(const FanOut&, const FanOut&) = default;
};

/// Energy and rate of one class of work on a compute unit.
struct ComputeClass {
  ir::WorkClass work_class = ir::WorkClass::kMac;
  double pj_per_operation = 0;
  double operations_per_cycle = 1;
  friend bool operator==(const ComputeClass&, const ComputeClass&) = default;
};

struct Compute {
  std::string name;
  std::vector<ComputeClass> classes;
  double leakage_pj_per_cycle = 0;
  friend bool operator==(const Compute&, const Compute&) = default;
};

/// A memory with what hangs below it. The tree is stored as nodes by value.
struct Node {
  Memory memory;
  struct Branch {
    FanOut fan_out;  ///< 1 x 1 when the child hangs directly below
    std::vector<Node>
        memory_child;  ///< exactly one of memory_child / compute_child has one element
    std::vector<Compute> compute_child;
    friend bool operator==(const Branch&, const Branch&) = default;
  };
  std::vector<Branch> branches;  ///< at least one
  friend bool operator==(const Node&, const Node&) = default;
};

struct Architecture {
  std::string name;
  std::string description;
  double clock_hz = 1e9;
  Node root;
  friend bool operator==(const Architecture&, const Architecture&) = default;
};

/// One level of a chain: a memory and the fan-out below it.
struct Level {
  Memory memory;
  FanOut fan_out;
};

/// The path to one compute unit. `levels[0]` is the outermost memory (DRAM).
struct Chain {
  std::vector<Level> levels;
  Compute compute;
  /// Product of all fan-outs.
  [[nodiscard]] std::int64_t compute_instances() const;
  /// Instances of the memory at `level`: product of the fan-outs above it.
  [[nodiscard]] std::int64_t instances(std::size_t level) const;
  /// Outermost first.
  [[nodiscard]] std::vector<std::string> memory_names() const;
};

/// All chains, in tree order.
std::vector<Chain> Chains(const Architecture& architecture);
/// Of every chain in turn: a memory stands once for each chain it is on.
std::vector<std::string> MemoryNames(const std::vector<Chain>& chains);

/// The chain an operator with this body runs on: the first in tree order whose compute unit offers
/// every class of `body`. kMove needs no unit beside arithmetic; a body of nothing else runs on the
/// first chain that offers kMove, else on the first that offers kVector, else on the first. Errors:
/// kArchInvalid naming the classes that no unit offers together.
Result<Chain> ChainFor(const Architecture& architecture, const std::vector<ir::Work>& body);

/// Structural checks: at least one branch everywhere, positive sizes, finite non-negative energies,
/// products that fit, at most kMaxLevels levels, unique names, an outermost memory that keeps all.
/// Errors: kArchInvalid; the path is the one in the YAML form, `memory.below[0].memory.size`.
Status Validate(const Architecture& architecture);

inline constexpr int kMaxLevels = 8;   ///< memories on one chain
inline constexpr int kMaxChains = 64;  ///< compute units of one architecture
inline constexpr std::int64_t kMaxInstances = std::int64_t{1} << 30U;  ///< product of fan-outs
inline constexpr std::int64_t kMaxWords = std::int64_t{1} << 48U;      ///< of one memory

/// `mac`, `vector`, `transcendental`, `move`.
std::string_view WorkClassName(ir::WorkClass work_class);
/// `input`, `weight`, `output`.
std::string_view TensorClassName(TensorClass tensor_class);
/// `may`, `must`, `never`.
std::string_view KeepName(Keep keep);

/// An ASCII tree for `sluice show arch.yaml`, at most 80 columns.
std::string DrawTree(const Architecture& architecture);

}  // namespace sluice::arch
