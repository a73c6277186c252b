#pragma once
/// \file
/// `sluice verify`: are the optima claimed by a certificate or by a plan really optimal? Wires the
/// readers to verify::Check, which shares no code with the search. Tested by
/// tests/cli/verify_test.py.

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "driver/catalog/catalog.h"
#include "driver/driver.h"
#include "driver/requests.h"
#include "driver/text/page.h"
#include "verify/verify.h"  // IWYU pragma: export

namespace sluice::driver {

struct VerifyRequest {
  std::string file;          ///< a certificate or a plan
  std::string architecture;  ///< instead of the one that the file names; empty: that one
  double seconds = 60;       ///< for each distinct operator
  const std::atomic<bool>* stop = nullptr;
};

struct VerifiedOperator {
  std::string name;
  int uses = 1;
  std::string objective;
  double value = 0;  ///< claimed objective of the mapping
  double bound = 0;  ///< claimed: no mapping is below
  verify::Report report;
  [[nodiscard]] bool optimal() const { return bound >= value * (1 - 2e-9); }
};

struct Verification {
  std::string architecture_name;
  std::vector<VerifiedOperator> operators;
  [[nodiscard]] int Count(verify::Verdict verdict) const;
};

/// Errors: those of the readers; kPlanMismatch for a plan whose figures are not those of its
/// mappings, or whose files have changed.
Result<Verification> VerifyFile(const SearchPaths& paths, const VerifyRequest& request);

/// The certificate of an operator just mapped, written to `path`; returns its size in bytes.
/// `descriptor`, `architecture` and `constraints`: as given to MapOperator. Errors: kUsage when
/// the search proved nothing.
Result<std::int64_t> WriteCertificate(const std::string& path, const MapOutcome& outcome,
                                      const std::string& descriptor,
                                      const std::string& architecture);

Page RenderVerification(const Verification& verification);
std::string JsonOfVerification(const Verification& verification);

}  // namespace sluice::driver
