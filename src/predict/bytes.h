#pragma once
/// \file
/// Internal: little-endian records of the model and data set files. Readers never trust a count:
/// whatever is missing is an empty optional, and nothing is reserved before its bytes are there.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::predict {

static_assert(std::endian::native == std::endian::little, "files are written as memory is");

class ByteWriter {
 public:
  template <class T>
  void Put(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    bytes_.append(raw, sizeof(T));
  }
  /// Seven bits a byte.
  void PutNumber(std::uint64_t value) {
    for (; value >= 0x80U; value >>= 7U) {
      bytes_.push_back(static_cast<char>(value | 0x80U));
    }
    bytes_.push_back(static_cast<char>(value));
  }
  void PutText(std::string_view text) {
    PutNumber(text.size());
    bytes_.append(text);
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  std::optional<T> Get() {
    T value;
    if (bytes_.size() < sizeof(T)) {
      return std::nullopt;
    }
    bytes_.copy(reinterpret_cast<char*>(&value), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    return value;
  }
  /// At most `limit`.
  std::optional<std::uint64_t> GetNumber(std::uint64_t limit) {
    std::uint64_t value = 0;
    constexpr unsigned kBits = 63;
    for (unsigned shift = 0; shift < kBits && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if ((byte & 0x80U) == 0) {
        return value <= limit ? std::optional(value) : std::nullopt;
      }
    }
    return std::nullopt;
  }
  std::optional<std::string_view> Take(std::size_t count) {
    if (bytes_.size() < count) {
      return std::nullopt;
    }
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::optional<std::string_view> GetText(std::uint64_t limit) {
    const auto size = GetNumber(limit);
    return size ? Take(*size) : std::nullopt;
  }
  [[nodiscard]] std::size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

}  // namespace sluice::predict
