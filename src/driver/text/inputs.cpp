// What went in: networks, architectures, the shipped files, the state of the installation.

#include <cstddef>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "arch/architecture.h"
#include "base/text.h"
#include "driver/catalog/catalog.h"
#include "driver/catalog/mappers.h"
#include "driver/catalog/version.h"
#include "driver/driver.h"
#include "driver/explain/network_summary.h"
#include "driver/text/render.h"
#include "driver/text/table.h"
#include "ir/network.h"

namespace sluice::driver {
namespace {

/// Without dims of bound 1; cut at the end, --json has everything.
std::string DimsText(const ir::Operator& op) {
  std::string text;
  for (const ir::Dim& dim : op.dims) {
    if (dim.bound > 1) {
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", dim.name, dim.bound);
    }
  }
  constexpr std::size_t kWidth = 33;
  return text.size() <= kWidth ? text : text.substr(0, kWidth - 3) + "...";
}

}  // namespace

std::string RenderNetwork(const LoadedNetwork& loaded) {
  const ir::Network& network = loaded.network;
  const NetworkSummary summary = Summarize(network);
  std::string text = fmt::format("{} ({})\n\n", network.name, loaded.path);
  Table table({{"operator", Table::Align::kLeft, 20},
               {"kind", Table::Align::kLeft, 8},
               {"MACs", Table::Align::kRight},
               {"bytes", Table::Align::kRight},
               {"dims", Table::Align::kLeft}});
  for (std::size_t i = 0; i < network.operators.size(); ++i) {
    const ir::Operator& op = network.operators[i];
    table.Add({op.name, op.kind, HumanCount(static_cast<double>(op.macs())),
               HumanBytes(summary.operator_bytes[i]), op.is_view() ? "(view)" : DimsText(op)});
  }
  text += table.Render();
  text += fmt::format("\n  operators    {} ({} views)\n", network.operators.size(), summary.views);
  text += fmt::format("  MACs         {} ({})\n", HumanCount(static_cast<double>(network.macs())),
                      Grouped(network.macs()));
  text += fmt::format("  vector ops   {}\n", HumanCount(summary.vector_operations));
  text += fmt::format("  weights      {}\n", HumanBytes(summary.weight_bytes));
  text += fmt::format("  inputs       {}\n", HumanBytes(summary.input_bytes));
  text += fmt::format("  outputs      {}\n", HumanBytes(summary.output_bytes));
  for (const std::string& warning : network.warnings) {
    text += "  note: " + warning + "\n";
  }
  return text;
}

std::string RenderArchitecture(const LoadedArchitecture& loaded) {
  return arch::DrawTree(loaded.architecture);
}

std::string RenderCatalog(const std::vector<CatalogEntry>& entries) {
  Table table({{"name"}, {"file"}});
  for (const CatalogEntry& entry : entries) {
    table.Add({entry.name, entry.path});
  }
  return table.Render(0);
}

std::string RenderMappers() {
  Table table({{"name"}, {"method", Table::Align::kLeft, 200}});
  for (const MapperEntry& entry : ListMappers()) {
    table.Add({entry.name, entry.description});
  }
  return table.Render(0);
}

std::string RenderVersion() {
  const BuildInfo& info = GetBuildInfo();
  return fmt::format("sluice {}{}, {} build by {}\n", info.version,
                     info.commit.empty() ? "" : " (" + info.commit + ")", info.build_type,
                     info.compiler);
}

std::string RenderHealth(const std::vector<HealthCheck>& checks) {
  std::string text;
  for (const HealthCheck& check : checks) {
    text += fmt::format("{:<7} {:<16} {}\n", check.ok ? "ok" : "FAILED", check.name, check.detail);
  }
  return text;
}

}  // namespace sluice::driver
