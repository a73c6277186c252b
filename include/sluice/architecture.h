#pragma once
/// \file
/// Architectures: what a network is planned for.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sluice/error.h>
#include <sluice/export.h>

namespace sluice {

/// The way from the outermost memory to one kind of compute unit; every operator runs on one.
struct ChainInfo {
  std::vector<std::string> memories;   ///< outermost first
  std::string compute;                 ///< name of the compute unit
  std::int64_t compute_instances = 0;  ///< how many such units there are
};

/// A tree of memories, fan-outs and compute units. Immutable, so that threads may share one;
/// movable, not copyable. A moved-from architecture may only be destroyed or assigned to.
class SLUICE_API Architecture {
 public:
  /// Reads a YAML file: a path, or a name of ShippedArchitectures(). docs/formats/architecture.md
  /// defines the format. At most 16 MiB. Errors: kEnvironment for a file that cannot be read,
  /// kInput with line and column for everything else.
  static Expected<Architecture> Load(const std::string& architecture);
  /// The same from YAML text. `name` stands in errors and in plans.
  static Expected<Architecture> FromYaml(const std::string& yaml, const std::string& name);

  Architecture(Architecture&& other) noexcept;             ///< Moves.
  Architecture& operator=(Architecture&& other) noexcept;  ///< Moves.
  ~Architecture();                                         ///< Plans made for it stay valid.

  /// What the file calls it.
  [[nodiscard]] const std::string& name() const;
  /// Of the bytes it was read from; equal bytes have equal hashes.
  [[nodiscard]] const std::string& hash() const;
  /// Cycles per second.
  [[nodiscard]] double clock_hz() const;
  /// All chains, in the order of the file.
  [[nodiscard]] std::vector<ChainInfo> chains() const;
  /// As YAML that reads back to an equal architecture.
  [[nodiscard]] std::string ToYaml() const;
  /// The tree as text for people, at most 80 columns.
  [[nodiscard]] std::string Describe() const;

 private:
  friend struct Internals;
  struct Impl;
  explicit Architecture(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace sluice
