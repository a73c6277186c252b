// Model files. The checksum is looked at first, so that damage is called damage.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/rng.h"
#include "mapper/codes/search.h"
#include "predict/bytes.h"
#include "predict/features.h"
#include "predict/mlp.h"
#include "predict/predictor.h"

namespace sluice::predict {
namespace {

constexpr std::string_view kMagic = "SLUICEPM";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHashDigits = 32;
constexpr std::uint64_t kMaxMembers = 16;
constexpr std::uint64_t kMaxLayers = 8;
constexpr std::uint64_t kMaxWidth = 1024;
constexpr std::uint64_t kMaxText = 256;
constexpr std::int64_t kMaxFile = std::int64_t{64} << 20;

bool GetFloats(ByteReader& in, std::span<float> numbers) {
  for (float& number : numbers) {
    const auto value = in.Get<float>();
    if (!value || !std::isfinite(*value)) {
      return false;
    }
    number = *value;
  }
  return true;
}

std::optional<Mlp<float>> GetMember(ByteReader& in, std::size_t features) {
  const auto layers = in.GetNumber(kMaxLayers);
  if (!layers || *layers < 2) {
    return std::nullopt;
  }
  std::vector<int> sizes;
  std::size_t weights = 0;
  for (std::uint64_t l = 0; l < *layers; ++l) {
    const auto size = in.GetNumber(kMaxWidth);
    if (!size || *size == 0) {
      return std::nullopt;
    }
    if (!sizes.empty()) {
      weights += (static_cast<std::size_t>(sizes.back()) + 1) * *size;
    }
    sizes.push_back(static_cast<int>(*size));
  }
  if (static_cast<std::size_t>(sizes.front()) != features ||
      static_cast<std::size_t>(sizes.back()) != kComponents ||
      in.left() < weights * sizeof(float)) {
    return std::nullopt;
  }
  Mlp<float> member(sizes, Rng(0));
  return GetFloats(in, member.weights()) ? std::optional(std::move(member)) : std::nullopt;
}

struct Kind {
  mapper::codes::SpaceOptions space;
  Encoding encoding = Encoding::kDerived;
};

constexpr unsigned kDivisors = 1;
constexpr unsigned kWholeWindows = 2;
constexpr unsigned kScalarCodes = 4;

std::optional<Kind> GetKind(ByteReader& in) {
  const auto levels = in.Get<std::uint8_t>();
  const auto flags = in.Get<std::uint8_t>();
  if (!levels || !flags || *levels < 1 || *levels > kMaxPredictLevels ||
      *flags > (kDivisors | kWholeWindows | kScalarCodes)) {
    return std::nullopt;
  }
  Kind kind;
  kind.space.levels = *levels;
  kind.space.divisor_tiles = (*flags & kDivisors) != 0;
  kind.space.whole_windows = (*flags & kWholeWindows) != 0;
  kind.encoding = (*flags & kScalarCodes) != 0 ? Encoding::kScalar : Encoding::kDerived;
  return kind;
}

std::optional<Predictor> GetPredictor(ByteReader& in) {
  const auto kind = GetKind(in);
  ModelOrigin origin;
  const auto labels = in.GetText(kMaxText);
  const auto seed = in.Get<std::uint64_t>();
  const auto samples = in.Get<std::uint64_t>();
  if (!kind || !labels || !seed || !samples) {
    return std::nullopt;
  }
  origin = {std::string(*labels), *seed, *samples};
  const std::size_t features = FeatureCount(kind->space.levels, kind->encoding);
  std::vector<float> center(features);
  std::vector<float> scale(features);
  if (!GetFloats(in, center) || !GetFloats(in, scale)) {
    return std::nullopt;
  }
  const auto count = in.GetNumber(kMaxMembers);
  std::vector<Mlp<float>> members;
  for (std::uint64_t m = 0; count && m < *count; ++m) {
    auto member = GetMember(in, features);
    if (!member) {
      return std::nullopt;
    }
    members.push_back(std::move(*member));
  }
  if (members.empty() || in.left() != 0) {
    return std::nullopt;
  }
  return Predictor(kind->space, kind->encoding, std::move(center), std::move(scale),
                   std::move(members), std::move(origin));
}

}  // namespace

std::string Predictor::Write() const {
  ByteWriter out;
  out.bytes() = kMagic;
  out.Put(kVersion);
  out.Put(kFeatureVersion);
  out.Put(static_cast<std::uint8_t>(space_.levels));
  out.Put(static_cast<std::uint8_t>((space_.divisor_tiles ? kDivisors : 0) |
                                    (space_.whole_windows ? kWholeWindows : 0) |
                                    (encoding_ == Encoding::kScalar ? kScalarCodes : 0)));
  out.PutText(origin_.labels);
  out.Put(origin_.seed);
  out.Put(origin_.samples);
  for (const auto* numbers : {&center_, &scale_}) {
    for (const float number : *numbers) {
      out.Put(number);
    }
  }
  out.PutNumber(members_.size());
  for (const auto& member : members_) {
    out.PutNumber(member.sizes().size());
    for (const int size : member.sizes()) {
      out.PutNumber(static_cast<std::uint64_t>(size));
    }
    for (const float weight : member.weights()) {
      out.Put(weight);
    }
  }
  out.bytes() += ContentHash(out.bytes());
  return std::move(out.bytes());
}

Result<Predictor> Predictor::Read(std::string_view bytes, const std::string& name) {
  const auto bad = [&](ErrorCode code, std::string message, std::string hint) {
    return Fail(Diagnostic(code, "`" + name + "` " + std::move(message))
                    .WithHint(std::move(hint))
                    .At({.file = name, .excerpt = {}}));
  };
  if (!bytes.starts_with(kMagic)) {
    return bad(ErrorCode::kSyntax, "is no predictor", "sluice train makes one");
  }
  if (bytes.size() < kHashDigits || ContentHash(bytes.substr(0, bytes.size() - kHashDigits)) !=
                                        bytes.substr(bytes.size() - kHashDigits)) {
    return bad(ErrorCode::kSyntax, "is damaged: its checksum is wrong", "copy or train it again");
  }
  ByteReader in(bytes.substr(0, bytes.size() - kHashDigits));
  in.Take(kMagic.size());
  const auto version = in.Get<std::uint32_t>();
  const auto features = in.Get<std::uint32_t>();
  if (!version || !features || *version != kVersion || *features != kFeatureVersion) {
    return bad(ErrorCode::kVersion, "is a predictor of another version",
               fmt::format("this program uses format {} with features {}; train it again", kVersion,
                           kFeatureVersion));
  }
  auto predictor = GetPredictor(in);
  if (!predictor) {
    return bad(ErrorCode::kSyntax, "is damaged", "train it again");
  }
  return std::move(*predictor);
}

Result<Predictor> Predictor::Load(const std::string& path) {
  SLUICE_TRY(const std::string bytes, ReadFile(path, kMaxFile));
  return Read(bytes, path);
}

}  // namespace sluice::predict
