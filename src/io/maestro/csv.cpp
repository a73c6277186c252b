#include "io/maestro/csv.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "cost/maestro/hardware.h"
#include "cost/maestro/report.h"

namespace sluice::io {
namespace {

using cost::maestro::DelayStats;
using cost::maestro::Report;
using cost::maestro::TensorRole;

/// The spaces and the second "Compute Delay (Min)", which is the maximum, are the tool's.
constexpr std::string_view kHeader =
    "Neural Network Name, Layer Number, NumPEs, Runtime (Cycles), "
    "Activity count-based Energy (nJ), Throughput (MACs/Cycle), "
    "Throughput Per Energy (GMACs/s*J), Area, Power, NoC BW Req (Elements/cycle), Avg BW Req, "
    "Peak BW Req, Vector Width, Offchip BW Req (Elements/cycle),  L2 SRAM Size Req (Bytes), "
    "L1 SRAM Size Req (Bytes), Multicasting Factor (Weight), Multicasting Factor (Input), "
    "Num Total Input Pixels, Num Total Weight Pixels, Ops/J, Num MACs, PE power, L1 power, "
    "L2 power, NOC power, input l1 read, input l1 write, input l2 read, input l2 write, "
    "input reuse factor,filter l1 read, filter l1 write, filter l2 read, filter l2 write, "
    "filter reuse factor,output l1 read, output l1 write, output l2 read, output l2 write, "
    "output reuse factor,Ingress Delay (Min), Ingress Delay (Max), Ingress Delay (Avg), "
    "Egress Delay (Min), Egress Delay (Max),  Egress Delay (Avg),Compute Delay (Min), "
    "Compute Delay (Min), Compute Delay (Avg),Avg number of utilized PEs, Arithmetic Intensity\n";

std::string Real(double value) {
  return fmt::format("{:.6g}", value);
}

double Ratio(std::int64_t a, std::int64_t b) {
  return static_cast<double>(a) / static_cast<double>(b);
}

std::string Delays(const DelayStats& stats) {
  return fmt::format("{}, {}, {}", stats.min, stats.max, stats.average);
}

std::string Line(const std::string& network, const MaestroRow& row,
                 const cost::maestro::Hardware& hardware, double energy) {
  const Report& report = row.report;
  const cost::maestro::Physical physical = PhysicalOf(report, hardware);
  const auto macs = static_cast<double>(report.macs);
  const auto& input = report.tensor(TensorRole::kInput);
  const auto& weight = report.tensor(TensorRole::kWeight);
  std::string line =
      fmt::format("{},{},{},{},{}", network, row.layer, hardware.pes, report.runtime, Real(energy));
  const auto add = [&line](const std::string& text) { line += ',' + text; };
  add(Real(Ratio(report.macs, report.runtime)));
  add(Real(Ratio(report.macs, report.runtime) / energy * 1e9));
  add(Real(physical.area));
  add(Real(physical.power));
  add(std::to_string(report.peak_bandwidth));
  add(Real(report.average_bandwidth));
  add(std::to_string(report.peak_bandwidth));
  add(std::to_string(hardware.simd_lanes));
  add(std::to_string(report.offchip_bandwidth));
  add(std::to_string(report.l2_words()));
  add(std::to_string(report.l1_words()));
  add(Real(Ratio(weight.l1_writes, weight.l2_reads)));
  add(Real(Ratio(input.l1_writes, input.l2_reads)));
  add(std::to_string(input.l2_writes));
  add(std::to_string(weight.l2_writes));
  add(Real(macs / energy * 1e9));
  add(std::to_string(report.macs));
  for (const double power :
       {physical.pe_power, physical.l1_power, physical.l2_power, physical.noc_power}) {
    add(Real(power));
  }
  line += ',';
  for (const auto& tensor : report.tensors) {
    line += fmt::format("{}, {}, {}, {}, {}, ", tensor.l1_reads, tensor.l1_writes, tensor.l2_reads,
                        tensor.l2_writes, Real(Ratio(tensor.l1_reads, tensor.l1_writes)));
  }
  return line + fmt::format("{}, {}, {}, {}, {}\n", Delays(report.ingress), Delays(report.egress),
                            Delays(report.compute), Real(report.average_pes),
                            Real(report.arithmetic_intensity));
}

}  // namespace

std::string WriteMaestroCsv(const std::string& network, std::span<const MaestroRow> rows,
                            const cost::maestro::Hardware& hardware,
                            const MaestroCsvOptions& options) {
  std::string text(kHeader);
  double stale = 0;  // L1 energy of the layer before
  for (const MaestroRow& row : rows) {
    if (row.report.verdict != cost::maestro::Verdict::kOk) {
      continue;
    }
    const cost::maestro::Energy energy = EnergyOf(row.report);
    const double written = energy.l2 + (row.report.csv_has_l1 ? energy.l1 : stale);
    text += Line(network, row, hardware, options.as_tool ? written : energy.full());
    stale = energy.l1;
  }
  return text;
}

}  // namespace sluice::io
