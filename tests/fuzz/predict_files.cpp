/// Predictors and data sets are read from any bytes: refused with a diagnostic, or read such that
/// writing gives the same bytes. Checksums keep mutations out, so the first byte chooses whether
/// they are made right first.

#include "base/hash.h"
#include "fuzz/targets.h"
#include "predict/predictor.h"
#include "predict/training/dataset.h"

namespace sluice::fuzz {
namespace {

constexpr std::size_t kHashDigits = 32;

void TryPredictor(const std::string& bytes) {
  const auto predictor = predict::Predictor::Read(bytes, "fuzz");
  if (!predictor) {
    RequireGoodDiagnostic(predictor.error(), bytes, true);
    return;
  }
  Require(predictor->Write() == bytes, "a predictor is written differently");
}

void TryDataset(const std::string& bytes) {
  const auto parsed = predict::ParseDataset(bytes, "fuzz");
  if (!parsed) {
    RequireGoodDiagnostic(parsed.error(), bytes, true);
    return;
  }
  Require(parsed->good_bytes <= bytes.size(), "more was read than there is");
  std::string written = predict::DatasetHeader(parsed->dataset.options);
  for (const auto& group : parsed->dataset.groups) {
    written += predict::GroupRecord(group);
  }
  const auto again = predict::ParseDataset(written, "again");
  Require(again.has_value(), "not readable as written");
  Require(again->dataset.groups == parsed->dataset.groups, "reads back differently");
}

}  // namespace

void PredictFiles(std::string_view bytes) {
  if (bytes.empty()) {
    return;
  }
  std::string text(bytes.substr(1));
  if (bytes.front() == 'p' && text.size() >= kHashDigits) {
    text.resize(text.size() - kHashDigits);
    text += ContentHash(text);
  }
  TryPredictor(text);
  TryDataset(text);
}

}  // namespace sluice::fuzz
