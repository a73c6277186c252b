/// \file
/// Less of the same: loop nests and directives of similar operators share most of their lines, and
/// two plans of one network share its operators. web/src/payload.ts undoes it.

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "report/payload.h"

namespace sluice::report {
namespace {

/// Numbers of lines, in the order in which they first occur.
class Lines {
 public:
  Json Split(const std::string& text) {
    Json numbers = Json::array();
    std::size_t begin = 0;
    while (begin <= text.size()) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      const auto [entry, is_new] =
          known_.emplace(text.substr(begin, end - begin), static_cast<int>(known_.size()));
      if (is_new) {
        list_.push_back(entry->first);
      }
      numbers.push_back(entry->second);
      begin = end + 1;
    }
    return numbers;
  }
  Json Take() { return std::move(list_); }

 private:
  std::map<std::string, int> known_;
  Json list_ = Json::array();
};

constexpr std::size_t kSolutionColumn = 2;

/// Whether the operators differ in nothing but which solution they use.
bool SameNetwork(const Json& a, const Json& b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t column = 0; column < a[i].size(); ++column) {
      if (column != kSolutionColumn && a[i][column] != b[i][column]) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

void Compact(Json& payload) {
  Lines lines;
  Json& reports = payload["reports"];
  for (Json& report : reports) {
    for (Json& solution : report["solutions"]) {
      for (const char* key : {"nest", "directives"}) {
        solution[key] = lines.Split(solution[key].get<std::string>());
      }
    }
  }
  if (reports.size() == 2 && SameNetwork(reports[0]["operators"], reports[1]["operators"])) {
    Json solutions = Json::array();
    for (const Json& row : reports[1]["operators"]) {
      solutions.push_back(row[kSolutionColumn]);
    }
    reports[1]["operators"] = std::move(solutions);
  }
  payload["lines"] = lines.Take();
}

}  // namespace sluice::report
