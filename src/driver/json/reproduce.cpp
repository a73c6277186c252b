// JSON of `sluice reproduce`: the tables as they are printed, value by value.

#include "driver/reproduce/reproduce.h"

#include <string>

#include <nlohmann/json.hpp>

namespace sluice::driver {

std::string JsonOfReproduction(const Reproduction& reproduction) {
  using Json = nlohmann::ordered_json;
  Json json;
  json["complete"] = reproduction.complete;
  json["cpu_seconds"] = reproduction.cpu_seconds;
  json["tables"] = Json::array();
  for (const ReproducedTable& table : reproduction.tables) {
    Json rows = Json::array();
    for (const ReproducedRow& row : table.rows) {
      rows.push_back({{"what", row.what},
                      {"samples", row.samples},
                      {"published", row.published},
                      {"ours", row.ours},
                      {"cpu_seconds", row.cpu_seconds}});
    }
    json["tables"].push_back({{"title", table.title},
                              {"notes", table.notes},
                              {"columns", table.columns},
                              {"rows", rows}});
  }
  json["targets"] = Json::array();
  for (const ReproducedTarget& target : reproduction.targets) {
    json["targets"].push_back({{"what", target.what},
                               {"ours", target.ours},
                               {"target", target.target},
                               {"at_least", target.aiming == Aiming::kAtLeast},
                               {"reached", target.reached()},
                               {"margin", target.margin()},
                               {"reason", target.reason}});
  }
  json["missing"] = reproduction.missing;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sluice::driver
