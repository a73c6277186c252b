#pragma once
/// \file
/// ONNX in: a model becomes an ir::Network of static shapes. Only shapes are needed to plan, so
/// weights are never loaded: large payloads are dropped before parsing and external data is never
/// opened.
///
/// Opsets kOldestOnnxOpset to kNewestOnnxOpset of the default domain, through our own shape
/// functions; shape arithmetic is folded. What is and is not supported: docs/formats/onnx.md.
/// Tested by tests/unit/onnx_*_test.cpp and tests/differential/onnx_shapes_test.cpp.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "ir/network.h"

namespace sluice::io {

inline constexpr int kOldestOnnxOpset = 11;
inline constexpr int kNewestOnnxOpset = 23;

struct OnnxOptions {
  /// Extent of axis 0 of every graph input; 0 keeps what the model says.
  std::int64_t batch = 0;
  /// Values of symbolic dims, by their name in the model.
  std::map<std::string, std::int64_t> dims;
  /// Operators we do not know become opaque vector operators, with a warning, instead of errors.
  bool skip_unknown = false;
};

/// Imports the bytes of a .onnx file. `file_name` stands in errors and names the network. Errors:
/// the kOnnx* codes, kUnknownName for a value in `options.dims` that the model does not have,
/// kBadValue for values out of range. Bounded memory: at most a few hundred MiB above `bytes`.
Result<ir::Network> ImportOnnx(std::string_view bytes, const std::string& file_name,
                               const OnnxOptions& options);

/// The same from a file of at most 2 GiB.
Result<ir::Network> LoadOnnx(const std::string& path, const OnnxOptions& options);

}  // namespace sluice::io
