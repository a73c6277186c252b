/// A network that is imported is valid, has sizes that fit, and every operator either becomes a
/// workload or is refused in words. The strict import and the one that makes unknown operators
/// opaque both run.

#include "fuzz/targets.h"
#include "io/onnx/onnx.h"

namespace sluice::fuzz {
namespace {

void Check(std::string_view bytes, const io::OnnxOptions& options) {
  const auto network = io::ImportOnnx(bytes, "fuzz.onnx", options);
  if (!network) {
    RequireGoodDiagnostic(network.error(), bytes, /*anywhere=*/true);
    return;
  }
  const Status valid = ir::Validate(*network);
  Require(valid.has_value(),
          "an invalid network was imported: " + (valid ? std::string() : valid.error().Render()));
  Require(ir::TotalBytes(*network) >= 0 && network->macs() >= 0, "sizes that do not fit");
  for (const ir::Operator& op : network->operators) {
    if (op.is_view()) {
      continue;
    }
    if (const auto workload = mapping::MakeWorkload(op, *network)) {
      Require(workload->points() >= op.points(), "points lost on the way to the workload");
    } else {
      RequireGoodDiagnostic(workload.error(), bytes, /*anywhere=*/true);
    }
  }
}

}  // namespace

void OnnxImport(std::string_view bytes) {
  Check(bytes, {});
  io::OnnxOptions lenient;
  lenient.batch = 3;
  lenient.skip_unknown = true;
  Check(bytes, lenient);
}

}  // namespace sluice::fuzz
