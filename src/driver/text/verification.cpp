// Verdicts as a table. See driver/verify.h.

#include <string>

#include <fmt/format.h>

#include "driver/text/page.h"
#include "driver/text/table.h"
#include "driver/verify.h"
#include "verify/verify.h"

namespace sluice::driver {
namespace {

std::string Word(const VerifiedOperator& op) {
  switch (op.report.verdict) {
    case verify::Verdict::kVerified:
      return op.optimal() ? "optimal" : fmt::format("within {}", Percent(op.value / op.bound - 1));
    case verify::Verdict::kRejected:
      return "REJECTED";
    case verify::Verdict::kUnfinished:
      return "not verified";
  }
  return "";
}

}  // namespace

Page RenderVerification(const Verification& verification) {
  Page page;
  page.Heading(fmt::format("On {}: {} verified, {} rejected, {} not verified",
                           verification.architecture_name,
                           verification.Count(verify::Verdict::kVerified),
                           verification.Count(verify::Verdict::kRejected),
                           verification.Count(verify::Verdict::kUnfinished)));
  Table table({{"operator", Table::Align::kLeft, 36},
               {"verdict", Table::Align::kLeft},
               {"choices", Table::Align::kRight},
               {"opened", Table::Align::kRight},
               {"s", Table::Align::kRight}});
  for (const VerifiedOperator& op : verification.operators) {
    table.Add(
        {op.name, Word(op), Grouped(op.report.choices), Grouped(op.report.opened),
         fmt::format("{:.2f}", op.report.seconds)},
        op.report.verdict == verify::Verdict::kRejected ? Emphasis::kStrong : Emphasis::kNone);
  }
  page.Add(table.Lines());
  for (const VerifiedOperator& op : verification.operators) {
    if (!op.report.reason.empty()) {
      page.Add(Wrapped("", fmt::format("{}: {}", Shorten(op.name, 36), op.report.reason), 2));
    }
  }
  return page;
}

}  // namespace sluice::driver
