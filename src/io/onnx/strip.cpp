/// \file
/// A walk over the protobuf wire format that keeps the structure of a model and drops its weights,
/// so that a 2 GiB file needs no more memory than a graph without weights. It also is the gate for
/// hostile files: every nested length is checked against its parent before protobuf sees it (with
/// the byte position in the error), nesting is limited, and messages are counted, because two bytes
/// on the wire can become two hundred in memory.
///
/// Field numbers are those of onnx.proto; fields not listed in ChildOf are scalars and strings.
/// Tested by tests/unit/onnx_errors_test.cpp.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "io/onnx/graph.h"

namespace sluice::io::onnx_import {

namespace {

constexpr std::size_t kMaxPayload = std::size_t{8} * kMaxConstantElements;
constexpr std::size_t kMaxStripped = std::size_t{64} << 20;
constexpr std::int64_t kMaxMessages = 4'000'000;
constexpr std::int64_t kMaxNodes = 1'000'000;
constexpr int kMaxNesting = 64;

enum class Message : std::uint8_t {
  kScalar,  ///< bytes, strings, packed numbers: not descended into
  kModel,
  kGraph,
  kNode,
  kAttribute,
  kTensor,
  kSparse,
  kValueInfo,
  kType,
  kTensorType,
  kShape,
  kSmall,  ///< a message without interesting children
  kDropped,
};

Message ChildOf(Message parent, std::uint64_t field) {
  switch (parent) {
    case Message::kModel:
      switch (field) {
        case 7:
          return Message::kGraph;
        case 8:
          return Message::kSmall;  // opset_import
        default:
          return Message::kDropped;
      }
    case Message::kGraph:
      switch (field) {
        case 1:
          return Message::kNode;
        case 2:
          return Message::kScalar;
        case 5:
          return Message::kTensor;
        case 11:
        case 12:
        case 13:
          return Message::kValueInfo;
        case 15:
          return Message::kSparse;
        default:
          return Message::kDropped;  // documentation, quantisation annotations
      }
    case Message::kNode:
      return field == 5 ? Message::kAttribute : field == 6 ? Message::kDropped : Message::kScalar;
    case Message::kAttribute:
      switch (field) {
        case 5:
        case 10:
          return Message::kTensor;
        case 6:
        case 11:
          return Message::kGraph;
        case 13:
          return Message::kDropped;
        case 14:
        case 15:
          return Message::kType;
        case 22:
        case 23:
          return Message::kSparse;
        default:
          return Message::kScalar;
      }
    case Message::kTensor:
      return field == 12 || field == 13 ? Message::kDropped : Message::kScalar;
    case Message::kSparse:
      return field == 1 || field == 2 ? Message::kTensor : Message::kScalar;
    case Message::kValueInfo:
      return field == 2 ? Message::kType : field == 1 ? Message::kScalar : Message::kDropped;
    case Message::kType:
      // Sequences, maps and optionals are no tensors: without their type they have no shape.
      return field == 1 || field == 8 ? Message::kTensorType
             : field == 6             ? Message::kScalar
                                      : Message::kDropped;
    case Message::kTensorType:
      return field == 2 ? Message::kShape : Message::kScalar;
    case Message::kShape:
      return Message::kSmall;  // dims
    default:
      return Message::kScalar;
  }
}

/// float_data, int32_data, string_data, int64_data, raw_data, double_data, uint64_data
bool IsPayload(std::uint64_t field) {
  return field == 4 || field == 5 || field == 6 || field == 7 || field == 9 || field == 10 ||
         field == 11;
}

class Stripper {
 public:
  explicit Stripper(std::string_view bytes) : bytes_(bytes) {}

  Result<std::string> Run() {
    std::string out;
    SLUICE_TRY_STATUS(Walk(Message::kModel, bytes_.size(), 0, &out));
    return out;
  }

 private:
  [[nodiscard]] tl::unexpected<Diagnostic> Malformed(std::size_t at,
                                                     const std::string& what) const {
    return Fail(
        Diagnostic(ErrorCode::kOnnxMalformed,
                   fmt::format("not an ONNX model: at byte {} of {}, {}", at, bytes_.size(), what))
            .WithHint("check that the file is complete and is an ONNX protobuf"));
  }

  Result<std::uint64_t> Varint(std::size_t end) {
    std::uint64_t value = 0;
    const std::size_t start = at_;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ >= end) {
        return Malformed(start, "a number is cut off");
      }
      const auto byte = static_cast<std::uint8_t>(bytes_[at_++]);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if ((byte & 0x80U) == 0) {
        return value;
      }
    }
    return Malformed(start, "a number is longer than 64 bits");
  }

  static void PutVarint(std::uint64_t value, std::string* out) {
    while (value >= 0x80U) {
      out->push_back(static_cast<char>((value & 0x7FU) | 0x80U));
      value >>= 7U;
    }
    out->push_back(static_cast<char>(value));
  }

  Status Count(Message child) {
    if (++messages_ > kMaxMessages || (child == Message::kNode && ++nodes_ > kMaxNodes)) {
      return Fail(Diagnostic(ErrorCode::kFileTooLarge,
                             fmt::format("the model has more than {} nodes or {} parts", kMaxNodes,
                                         kMaxMessages))
                      .WithHint("split the model"));
    }
    return {};
  }

  /// One length-delimited field of `length` bytes starting at at_.
  Status Delimited(Message parent, std::uint64_t tag, std::size_t length, int depth,
                   std::string* out) {
    const std::uint64_t field = tag >> 3U;
    const Message child = ChildOf(parent, field);
    const bool weights = parent == Message::kTensor && IsPayload(field) && length > kMaxPayload;
    if (child == Message::kDropped || weights) {
      at_ += length;
      return {};
    }
    SLUICE_TRY_STATUS(Count(child));
    if (child == Message::kScalar || child == Message::kSmall) {
      PutVarint(tag, out);
      PutVarint(length, out);
      out->append(bytes_.substr(at_, length));
      at_ += length;
    } else {
      std::string inner;
      SLUICE_TRY_STATUS(Walk(child, at_ + length, depth + 1, &inner));
      PutVarint(tag, out);
      PutVarint(inner.size(), out);
      out->append(inner);
    }
    if (out->size() > kMaxStripped) {
      return Fail(
          ErrorCode::kFileTooLarge,
          fmt::format("the model without its weights is larger than {} MiB", kMaxStripped >> 20U));
    }
    return {};
  }

  /// Past the payload of a field that is one number; `start` is where the field begins.
  Status Number(std::uint64_t tag, std::size_t start, std::size_t end) {
    std::size_t length = 0;
    switch (tag & 7U) {
      case 0: {
        SLUICE_TRY(const std::uint64_t ignored, Varint(end));
        static_cast<void>(ignored);
        break;
      }
      case 1:
        length = 8;
        break;
      case 5:
        length = 4;
        break;
      default:
        return Malformed(start, fmt::format("wire type {} does not exist", tag & 7U));
    }
    if (tag >> 3U == 0 || length > end - at_) {
      return Malformed(start, "a field is cut off or has number 0");
    }
    at_ += length;
    return {};
  }

  /// The fields of one message, up to `end`.
  Status Walk(Message message, std::size_t end, int depth, std::string* out) {
    if (depth > kMaxNesting) {
      return Malformed(at_, fmt::format("messages nest deeper than {}", kMaxNesting));
    }
    while (at_ < end) {
      const std::size_t start = at_;
      SLUICE_TRY(const std::uint64_t tag, Varint(end));
      const std::uint64_t field = tag >> 3U;
      if ((tag & 7U) == 2) {
        SLUICE_TRY(const std::uint64_t size, Varint(end));
        if (size > end - at_) {
          return Malformed(at_, fmt::format("field {} wants {} bytes but only {} are left", field,
                                            size, end - at_));
        }
        SLUICE_TRY_STATUS(Delimited(message, tag, static_cast<std::size_t>(size), depth, out));
        continue;
      }
      SLUICE_TRY_STATUS(Number(tag, start, end));
      // One-by-one numbers of a tensor's payload: keep no more than a constant may have.
      const bool weights = message == Message::kTensor && IsPayload(field);
      if (!weights || ++numbers_ <= kMaxConstantElements) {
        out->append(bytes_.substr(start, at_ - start));
      }
    }
    if (message == Message::kTensor) {
      numbers_ = 0;
    }
    return {};
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  std::int64_t messages_ = 0;
  std::int64_t nodes_ = 0;
  std::int64_t numbers_ = 0;
};

}  // namespace

Result<std::string> StripModel(std::string_view bytes) {
  if (bytes.empty()) {
    return Fail(Diagnostic(ErrorCode::kOnnxMalformed, "not an ONNX model: the file is empty"));
  }
  return Stripper(bytes).Run();
}

}  // namespace sluice::io::onnx_import
