#pragma once
/// \file
/// Networks: what is to be planned.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/error.h>
#include <sluice/export.h>

namespace sluice {

/// How to read a model.
struct NetworkOptions {
  std::int64_t batch = 0;  ///< size of axis 0 of every input; 0 = as in the model
  std::vector<std::pair<std::string, std::int64_t>> dims;  ///< values of symbolic dims, by name
  bool skip_unknown = false;  ///< unknown operators cost one vector operation per element
};

/// One operator, as the network describes it.
struct OperatorInfo {
  std::string name;                                        ///< unique within the network
  std::string kind;                                        ///< for example `Conv`
  std::vector<std::pair<std::string, std::int64_t>> dims;  ///< of the iteration space, with bounds
  std::int64_t macs = 0;                                   ///< multiply-accumulates
  bool view = false;  ///< renames bytes (reshape): no work, no traffic, never mapped
};

/// A network of operators with static shapes. Immutable, so that threads may share one; movable,
/// not copyable. A moved-from network may only be destroyed or assigned to.
class SLUICE_API Network {
 public:
  /// Reads an ONNX file: a path, or a name of ShippedModels(). Only shapes are read; weights may be
  /// missing. Linear in the size of the file, at most 2 GiB. Errors: kEnvironment for a file that
  /// cannot be read, kInput for everything else, naming the node.
  static Expected<Network> Load(const std::string& model, const NetworkOptions& options = {});
  /// The same from the bytes of an ONNX file. `name` stands in errors and in plans; Plan::Read can
  /// read such a plan back when `name` is the path of a file with these bytes.
  static Expected<Network> FromBytes(std::string_view bytes, const std::string& name,
                                     const NetworkOptions& options = {});
  /// One operator from a descriptor such as `conv K=64 C=64 P=56 Q=56 R=3 S=3 stride=2`,
  /// `gemm M=512 N=768 K=768`, `depthwise ...` or `bmm ...`. Errors: kInput, with a column.
  static Expected<Network> FromOperator(const std::string& descriptor);

  Network(Network&& other) noexcept;             ///< Moves.
  Network& operator=(Network&& other) noexcept;  ///< Moves.
  ~Network();                                    ///< Plans made from it stay valid.

  /// The name inside the model, or the name of the file.
  [[nodiscard]] const std::string& name() const;
  /// Of the bytes it was read from; equal bytes have equal hashes.
  [[nodiscard]] const std::string& hash() const;
  /// The operators in execution order, views included. O(size).
  [[nodiscard]] std::vector<OperatorInfo> operators() const;
  /// How many operators there are, views included.
  [[nodiscard]] std::size_t size() const;
  /// Multiply-accumulates of all operators.
  [[nodiscard]] std::int64_t macs() const;
  /// What a user should know, one sentence each; empty when there is nothing.
  [[nodiscard]] const std::vector<std::string>& warnings() const;

 private:
  friend struct Internals;
  struct Impl;
  explicit Network(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace sluice
