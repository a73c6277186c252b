/// A network that is read is written so that it reads back the same and has a verdict from both
/// models, the exact one never an impossible result; hardware likewise. A refusal points into the
/// text.

#include <algorithm>

#include "cost/maestro/compatible.h"
#include "cost/maestro/exact.h"
#include "fuzz/targets.h"
#include "io/maestro/csv.h"
#include "io/maestro/hardware.h"
#include "io/maestro/network.h"
#include "mapping/dataflow/code.h"

namespace sluice::fuzz {
namespace {

void Price(const io::MaestroNetwork& network) {
  cost::maestro::Hardware hardware;
  hardware.pes = 64;
  hardware.noc_bandwidth = 16;
  constexpr std::size_t kLayers = 2;  // pricing is bounded, but not free
  std::vector<io::MaestroRow> rows;
  for (std::size_t i = 0; i < std::min(kLayers, network.layers.size()); ++i) {
    const io::MaestroLayer& layer = network.layers[i];
    const auto tool =
        cost::maestro::CompatibleModel(layer.layer, hardware).Evaluate(layer.dataflow);
    rows.push_back({layer.name, tool});
    const auto exact = cost::maestro::ExactModel(layer.layer, hardware).Evaluate(layer.dataflow);
    Require(exact.verdict != cost::maestro::Verdict::kOk || exact.physical(),
            "the exact model is impossible");
    if (const auto code = mapping::Encode(layer.layer, layer.dataflow)) {
      Require(mapping::Decode(layer.layer, *code) == layer.dataflow, "a code is another dataflow");
    }
  }
  Require(!io::WriteMaestroCsv(network.name, rows, hardware, {.as_tool = true}).empty(), "no CSV");
}

}  // namespace

void MaestroFiles(std::string_view bytes) {
  if (const auto hardware = io::ReadMaestroHardware(bytes, "fuzz.m")) {
    const std::string written = io::WriteMaestroHardware(*hardware);
    const auto again = io::ReadMaestroHardware(written, "written.m");
    Require(again.has_value() && *again == *hardware, "hardware reads back differently");
  } else {
    RequireGoodDiagnostic(hardware.error(), bytes);
  }
  const auto network = io::ReadMaestroNetwork(bytes, "fuzz.m");
  if (!network) {
    RequireGoodDiagnostic(network.error(), bytes);
    return;
  }
  const std::string written = io::WriteMaestroNetwork(*network);
  const auto again = io::ReadMaestroNetwork(written, "written.m");
  Require(again.has_value(), "not readable as written:\n" + written);
  Require(*again == *network, "reads back differently:\n" + written);
  Price(*network);
}

}  // namespace sluice::fuzz
