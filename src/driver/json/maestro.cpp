// JSON of `sluice evaluate --model maestro`. Field names are documented in docs/formats/maestro.md
// and are an interface: add, never rename.

#include "driver/maestro.h"

#include <cstddef>
#include <string>

#include <nlohmann/json.hpp>

#include "cost/maestro/hardware.h"
#include "cost/maestro/report.h"

namespace sluice::driver {
namespace {

using Json = nlohmann::ordered_json;

Json LayerJson(const MaestroEvaluation::Entry& entry, const cost::maestro::Hardware& hardware) {
  const cost::maestro::Report& report = entry.report;
  const cost::maestro::Energy energy = EnergyOf(report);
  const cost::maestro::Physical physical = PhysicalOf(report, hardware);
  Json json;
  json["layer"] = entry.layer;
  json["cycles"] = report.runtime;
  json["compute_bound_cycles"] = report.compute_bound;
  json["macs"] = report.macs;
  json["true_macs"] = report.true_macs;
  json["physical"] = report.physical();
  json["energy_nj"] = {{"l2", energy.l2},
                       {"l1", energy.l1},
                       {"mac", energy.mac},
                       {"full", energy.full()},
                       {"l2_output_reads", energy.l2_output_reads}};
  json["l1_words"] = report.l1_words();
  json["l2_words"] = report.l2_words();
  json["fits"] = report.l1_words() <= hardware.l1_words && report.l2_words() <= hardware.l2_words;
  json["average_pes"] = report.average_pes;
  json["noc_bandwidth"] = {{"peak", report.peak_bandwidth}, {"average", report.average_bandwidth}};
  json["offchip_bandwidth"] = report.offchip_bandwidth;
  json["area_um2"] = physical.area;
  json["power_mw"] = physical.power;
  for (std::size_t t = 0; t < report.tensors.size(); ++t) {
    const cost::maestro::TensorCounts& tensor = report.tensors[t];
    json["tensors"].push_back(
        // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): as many tensors as roles
        {{"tensor", TensorRoleName(static_cast<cost::maestro::TensorRole>(t))},
         {"l2_words", tensor.l2_words},
         {"l1_words", tensor.l1_words},
         {"l2_reads", tensor.l2_reads},
         {"l2_writes", tensor.l2_writes},
         {"l1_reads", tensor.l1_reads},
         {"l1_writes", tensor.l1_writes}});
  }
  return json;
}

}  // namespace

std::string JsonOfMaestro(const MaestroEvaluation& evaluation) {
  const cost::maestro::Hardware& hardware = evaluation.hardware;
  Json json;
  json["network"] = evaluation.network;
  json["model"] = evaluation.exact ? "maestro-exact" : "maestro";
  json["hardware"] = {{"pes", hardware.pes},
                      {"l1_words", hardware.l1_words},
                      {"l2_words", hardware.l2_words},
                      {"noc_bandwidth", hardware.noc_bandwidth},
                      {"offchip_bandwidth", hardware.offchip_bandwidth},
                      {"noc_hops", hardware.noc_hops},
                      {"hop_latency", hardware.hop_latency},
                      {"simd_lanes", hardware.simd_lanes}};
  json["layers"] = Json::array();
  for (const auto& entry : evaluation.layers) {
    json["layers"].push_back(LayerJson(entry, hardware));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sluice::driver
