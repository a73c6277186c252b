#pragma once
/// \file
/// Certificates as JSON, format version 2: docs/certificates.md documents every field. A file names
/// what it is about (operator, architecture, policy, constraints), so that `sluice verify` needs
/// nothing else. The reader is strict, like that of plans. Tested by
/// tests/unit/certificate_json_test.cpp and tests/fuzz/certificate_json.cpp.

#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "cost/certificate.h"

namespace sluice::io {

/// The value of the first key, `format`.
inline constexpr std::string_view kCertificateFormatName = "sluice-certificate";

struct CertificateFile {
  std::string descriptor;    ///< of the operator (docs/formats/operator.md)
  std::string architecture;  ///< path, or name of a shipped one
  std::string policy;
  std::string constraints;  ///< path; empty: none
  cost::Certificate certificate;
};

/// Ends with a newline. Doubles are written so that they read back to the same bits.
std::string CertificateToJson(const CertificateFile& file);

/// Inverts CertificateToJson. Whether the claims are true is for verify::Check to say. Errors:
/// kSyntax, kVersion, kUnknownKey, kMissingKey, kDuplicateKey, kWrongType, kBadValue.
Result<CertificateFile> CertificateFromJson(const std::string& text, const std::string& file_name);

}  // namespace sluice::io
