/// \file
/// The report without a script, for builds without Node.js and for readers that run none. One page:
/// totals, energy by level and tensor, what binds the time, every operator with bars, then one
/// folded block per operator with loop nest, directives and traffic. Works from the payload alone,
/// so that it shows the very numbers that the interactive form shows.

#include "report/plain.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "report/payload.h"

namespace sluice::report {
namespace {

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark;--line:#ccd2d8;--muted:#5a6570;--bar:#0072b2}"
    "@media(prefers-color-scheme:dark){:root{--line:#3a424b;--muted:#9aa5b1;--bar:#56b4e9}}"
    "body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:1200px;padding:16px;"
    "overflow-wrap:anywhere}"
    "h1{font-size:22px}h2{font-size:17px;margin-top:28px}p.note,small{color:var(--muted)}"
    "table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}"
    "th,td{text-align:left;padding:3px 10px 3px 0;border-bottom:1px solid var(--line);"
    "vertical-align:top}"
    "td.n,th.n{text-align:right;white-space:nowrap}div.scroll{overflow-x:auto}"
    "pre{font-size:12.5px;overflow-x:auto;border:1px solid var(--line);padding:8px}"
    "summary{cursor:pointer;padding:3px 0}rect{fill:var(--bar)}";

std::string Text(const Json& json) {
  return EscapedMarkup(json.get<std::string>());
}

double Number(const Json& json) {
  return json.get<double>();
}

std::string Share(double part, double whole) {
  return whole > 0 ? fmt::format("{:.3g} %", 100 * part / whole) : "-";
}

/// A number with its exact value as the tooltip.
std::string Cell(const std::string& text, double exact) {
  return fmt::format("<td class=n title=\"{}\">{}</td>", ShortestDouble(exact),
                     EscapedMarkup(text));
}

std::string Bar(double share) {
  const double width = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) * 120 : 0;
  return fmt::format(
      "<td><svg width=120 height=12 role=img aria-label=\"{:.3g} %\"><rect y=1 height=10 "
      "width=\"{:.2f}\"/></svg></td>",
      width / 1.2, width);
}

std::string Header(const std::vector<std::string>& titles) {
  std::string out = "<div class=scroll><table><thead><tr>";
  for (const std::string& title : titles) {
    // A leading # marks a column of numbers.
    out += title.starts_with('#') ? "<th class=n>" + title.substr(1) : "<th>" + title;
  }
  return out + "</tr></thead><tbody>\n";
}
constexpr std::string_view kEnd = "</tbody></table></div>\n";

class Page {
 public:
  Page(const Json& report, std::string name) : report_(report), name_(std::move(name)) {}

  std::string Draw() {
    Totals();
    EnergyByLevel();
    Binding();
    Operators();
    Solutions();
    Machine();
    Provenance();
    return std::move(out_);
  }

 private:
  [[nodiscard]] const Json& plan() const { return report_["plan"]; }
  [[nodiscard]] const Json* SolutionOf(const Json& op) const {
    const int index = op[2].get<int>();
    return index < 0 ? nullptr : &report_["solutions"][static_cast<std::size_t>(index)];
  }
  [[nodiscard]] const Json& ChainOf(const Json& solution) const {
    return report_["chains"][solution["chain"].get<std::size_t>()];
  }
  [[nodiscard]] std::string LevelName(const Json& solution, const Json& level) const {
    return ChainOf(solution)["levels"][level.get<std::size_t>()]["name"].get<std::string>();
  }
  [[nodiscard]] std::string BindingOf(const Json& solution) const {
    const Json& binding = solution["binding"];
    return binding[1].get<int>() < 0
               ? ChainOf(solution)["compute"].get<std::string>()
               : LevelName(solution, binding[1]) + ' ' + binding[0].get<std::string>();
  }

  void Totals() {
    const double seconds = Number(plan()["cycles"]) / Number(report_["architecture"]["clock_hz"]);
    out_ += fmt::format("<h1>{}{} on {}</h1>\n", EscapedMarkup(name_), Text(plan()["network"]),
                        Text(plan()["architecture"]));
    if (!plan()["complete"].get<bool>()) {
      out_ += "<p>The search was interrupted: this is the best plan it had found.</p>\n";
    }
    for (const Json& warning : report_["warnings"]) {
      out_ += "<p class=note>" + Text(warning) + "</p>\n";
    }
    out_ += Header({"Total", "#value", "#lower bound"});
    const auto row = [this](std::string_view name, const std::string& text, double value,
                            const std::string& bound) {
      out_ += fmt::format("<tr><th>{}</th>{}<td class=n>{}</td></tr>\n", name, Cell(text, value),
                          bound);
    };
    row("Energy", HumanEnergy(Number(plan()["energy_pj"])), Number(plan()["energy_pj"]),
        HumanEnergy(Number(plan()["bound_energy_pj"])));
    row("Cycles", HumanCount(Number(plan()["cycles"])), Number(plan()["cycles"]),
        HumanCount(Number(plan()["bound_cycles"])));
    row("Time", fmt::format("{:.4g} ms", 1e3 * seconds), seconds, "");
    row("Utilisation", Share(Number(plan()["utilization"]), 1), Number(plan()["utilization"]), "");
    row("Multiply-accumulates", HumanCount(Number(plan()["macs"])), Number(plan()["macs"]), "");
    out_ += kEnd;
  }

  void EnergyByLevel() {
    // Levels in the order of the chains; then what belongs to no level.
    std::vector<std::string> order;
    std::map<std::string, std::map<std::string, double>> sums;
    const auto add = [&](const std::string& level, const std::string& tensor, double pj) {
      if (std::ranges::find(order, level) == order.end()) {
        order.push_back(level);
      }
      sums[level][tensor] += pj;
    };
    for (const Json& chain : report_["chains"]) {
      for (const Json& level : chain["levels"]) {
        add(level["name"].get<std::string>(), "", 0);
      }
    }
    for (const Json& op : report_["operators"]) {
      if (const Json* solution = SolutionOf(op)) {
        for (const Json& row : (*solution)["traffic"]) {
          const std::string tensor =
              (*solution)["tensors"][row[1].get<std::size_t>()][1].get<std::string>();
          add(LevelName(*solution, row[0]), tensor, Number(row[6]));
          add("networks", tensor, Number(row[10]));
        }
        add("compute", "", Number((*solution)["compute_energy_pj"]));
        add("leakage", "", Number((*solution)["leakage_pj"]));
      }
    }
    out_ += "<h2>Energy by level and tensor</h2>\n" +
            Header({"Level", "#input", "#weight", "#output", "#total", "#share", ""});
    const double whole = Number(plan()["energy_pj"]);
    for (const std::string& level : order) {
      double total = 0;
      for (const auto& [tensor, pj] : sums[level]) {
        total += pj;
      }
      out_ += "<tr><th>" + EscapedMarkup(level) + "</th>";
      for (const char* tensor : {"input", "weight", "output"}) {
        out_ += Cell(HumanEnergy(sums[level][tensor]), sums[level][tensor]);
      }
      out_ += Cell(HumanEnergy(total), total) + "<td class=n>" + Share(total, whole) + "</td>" +
              Bar(whole > 0 ? total / whole : 0) + "</tr>\n";
    }
    out_ += kEnd;
  }

  void Binding() {
    std::map<std::string, double> sums;
    for (const Json& op : report_["operators"]) {
      if (const Json* solution = SolutionOf(op)) {
        sums[BindingOf(*solution)] += Number((*solution)["cycles"]);
      }
    }
    std::vector<std::pair<std::string, double>> rows(sums.begin(), sums.end());
    std::ranges::sort(rows, [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    out_ += "<h2>What binds the time</h2>\n" + Header({"Resource", "#cycles", "#share", ""});
    const double whole = Number(plan()["cycles"]);
    for (const auto& [name, cycles] : rows) {
      out_ += "<tr><th>" + EscapedMarkup(name) + "</th>" + Cell(HumanCount(cycles), cycles) +
              "<td class=n>" + Share(cycles, whole) + "</td>" +
              Bar(whole > 0 ? cycles / whole : 0) + "</tr>\n";
    }
    out_ += kEnd;
  }

  void Operators() {
    out_ += "<h2>Operators</h2>\n" + Header({"#No", "Operator", "Kind", "#energy", "", "#cycles",
                                             "", "#utilisation", "bound by"});
    const double energy = Number(plan()["energy_pj"]);
    const double cycles = Number(plan()["cycles"]);
    int number = 0;
    for (const Json& op : report_["operators"]) {
      out_ += fmt::format("<tr><td class=n>{}</td><td>{}</td><td>{}</td>", number++, Text(op[0]),
                          Text(op[1]));
      if (const Json* found = SolutionOf(op)) {
        const Json& solution = *found;
        const double e = Number(solution["energy_pj"]);
        const double c = Number(solution["cycles"]);
        out_ += Cell(HumanEnergy(e), e) + Bar(energy > 0 ? e / energy : 0) +
                Cell(HumanCount(c), c) + Bar(cycles > 0 ? c / cycles : 0) +
                Cell(Share(Number(solution["utilization"]), 1), Number(solution["utilization"])) +
                "<td>" + EscapedMarkup(BindingOf(solution)) + "</td></tr>\n";
      } else {
        out_ += "<td colspan=6><small>view</small></td></tr>\n";
      }
    }
    out_ += kEnd;
  }

  void Solutions() {
    out_ += "<h2>Loop nests, directives, traffic</h2>\n";
    std::map<int, std::string> users;
    for (const Json& op : report_["operators"]) {
      const int index = op[2].get<int>();
      if (index >= 0) {
        std::string& text = users[index];
        text += (text.empty() ? "" : ", ") + op[0].get<std::string>();
      }
    }
    for (const auto& [index, names] : users) {
      const Json& solution = report_["solutions"][static_cast<std::size_t>(index)];
      out_ += "<details><summary>" + EscapedMarkup(names) + "</summary>\n<pre>" +
              Text(solution["nest"]) + "</pre>\n<pre>" + Text(solution["directives"]) + "</pre>\n" +
              Header({"Level", "Tensor", "#tile", "#reads", "#fills", "#updates", "#energy",
                      "#network"});
      for (const Json& row : solution["traffic"]) {
        out_ += "<tr><td>" + EscapedMarkup(LevelName(solution, row[0])) + "</td><td>" +
                Text(solution["tensors"][row[1].get<std::size_t>()][0]) + "</td>";
        for (const std::size_t column : {2U, 3U, 4U, 5U}) {
          out_ += Cell(HumanCount(Number(row[column])), Number(row[column]));
        }
        out_ += Cell(HumanEnergy(Number(row[6])), Number(row[6])) +
                Cell(HumanEnergy(Number(row[10])), Number(row[10])) + "</tr>\n";
      }
      out_ += std::string(kEnd) + "</details>\n";
    }
  }

  void Machine() {
    out_ += "<h2>Architecture</h2>\n<pre>" + Text(report_["architecture"]["drawing"]) + "</pre>\n";
  }

  void Provenance() {
    out_ += "<h2>Provenance</h2>\n<div class=scroll><table><tbody>\n";
    for (const auto& item : plan()["provenance"].items()) {
      const Json& value = item.value();
      out_ += "<tr><th>" + EscapedMarkup(item.key()) + "</th><td>" +
              (value.is_string() ? Text(value) : EscapedMarkup(JsonText(value))) + "</td></tr>\n";
    }
    out_ += kEnd;
  }

  const Json& report_;
  std::string name_;
  std::string out_;
};

/// Differences by operator, largest energy first.
std::string Differences(const Json& a, const Json& b) {
  struct Row {
    double a = 0;
    double b = 0;
  };
  std::map<std::string, Row> rows;
  const auto collect = [&rows](const Json& report, double Row::* side) {
    for (const Json& op : report["operators"]) {
      const int index = op[2].get<int>();
      rows[op[0].get<std::string>()].*side =
          index < 0 ? 0 : Number(report["solutions"][static_cast<std::size_t>(index)]["energy_pj"]);
    }
  };
  collect(a, &Row::a);
  collect(b, &Row::b);
  std::vector<std::pair<std::string, Row>> sorted(rows.begin(), rows.end());
  std::ranges::sort(sorted, [](const auto& x, const auto& y) {
    const double first = std::abs(x.second.b - x.second.a);
    const double second = std::abs(y.second.b - y.second.a);
    return first != second ? first > second : x.first < y.first;
  });
  std::string out = "<h1>A against B</h1>\n" + Header({"Total", "#A", "#B", "#B against A"});
  for (const auto& [key, human] :
       {std::pair{"energy_pj", &HumanEnergy}, std::pair{"cycles", &HumanCount}}) {
    const double x = Number(a["plan"][key]);
    const double y = Number(b["plan"][key]);
    out += fmt::format("<tr><th>{}</th>{}{}<td class=n>{}</td></tr>\n", key, Cell(human(x), x),
                       Cell(human(y), y), Share(y - x, x));
  }
  out += std::string(kEnd) + "<h2>Operators by difference in energy</h2>\n" +
         Header({"Operator", "#A", "#B", "#B - A"});
  for (const auto& [name, row] : sorted) {
    if (row.a != row.b) {
      const double delta = row.b - row.a;
      out += "<tr><td>" + EscapedMarkup(name) + "</td>" + Cell(HumanEnergy(row.a), row.a) +
             Cell(HumanEnergy(row.b), row.b) +
             Cell((delta < 0 ? "-" : "+") + HumanEnergy(std::abs(delta)), delta) + "</tr>\n";
    }
  }
  return out + std::string(kEnd);
}

}  // namespace

std::string PlainReport(const Json& payload, const std::string& reason) {
  const Json& reports = payload["reports"];
  std::string out =
      "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
      "<meta name=viewport content=\"width=device-width, initial-scale=1\">"
      "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src "
      "'unsafe-inline'\"><title>Sluice report</title><style>" +
      std::string(kStyle) + "</style></head><body>\n<p class=note>" + EscapedMarkup(reason) +
      "</p>\n";
  if (reports.size() == 2) {
    out += Differences(reports[0], reports[1]);
  }
  for (std::size_t i = 0; i < reports.size(); ++i) {
    out += Page(reports[i], reports.size() == 1 ? "" : i == 0 ? "A: " : "B: ").Draw();
  }
  return out + "</body></html>\n";
}

}  // namespace sluice::report
