/// A certificate that is read is written so that it reads back and is written the same again; a
/// refusal points into the text. Whatever its claims are, the checker ends with a verdict in time.

#include "io/certificate_json.h"

#include "cost/evaluator.h"
#include "fuzz/targets.h"
#include "verify/verify.h"

namespace sluice::fuzz {

void CertificateJson(std::string_view bytes) {
  const auto file = io::CertificateFromJson(std::string(bytes), "fuzz.json");
  if (!file) {
    RequireGoodDiagnostic(file.error(), bytes);
    return;
  }
  const std::string written = io::CertificateToJson(*file);
  const auto again = io::CertificateFromJson(written, "written.json");
  Require(again.has_value(),
          "not readable as written: " + (again ? std::string() : again.error().Render()));
  Require(io::CertificateToJson(*again) == written, "reads back differently:\n" + written);

  const Context& context = SmallConvolution();
  const auto evaluator =
      cost::Evaluator::Create(context.workload, context.chain, cost::PhysicalPolicy());
  Require(evaluator.has_value(), "the small convolution can be evaluated");
  cost::Certificate certificate = file->certificate;
  certificate.problem = cost::ProblemKey(*evaluator, nullptr);
  const verify::Report report = verify::Check(*evaluator, nullptr, certificate, {0.05, nullptr});
  Require(report.verdict == verify::Verdict::kVerified || !report.reason.empty(),
          "a verdict without a reason");
}

}  // namespace sluice::fuzz
