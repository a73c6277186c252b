/// \file
/// The HTML file: the template of web/ with the data in its place, or the plain form. The data
/// stands inside a <script> element of type application/json, where the only danger is text that
/// ends the element; every `<` is therefore written as an escape, and the two line separators that
/// JSON allows and JavaScript does not are as well.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "report/payload.h"
#include "report/plain.h"
#include "report/report.h"
#include "report/template.h"

namespace sluice::report {
namespace {

/// U+2028 and U+2029 in UTF-8 are these two bytes and 0xA8 or 0xA9.
constexpr std::string_view kSeparatorStart = "\xE2\x80";

std::string EscapeForScript(std::string_view json) {
  std::string out;
  out.reserve(json.size() + json.size() / 64);
  for (std::size_t i = 0; i < json.size(); ++i) {
    const bool separator = json.substr(i, 2) == kSeparatorStart && i + 2 < json.size() &&
                           (json[i + 2] == '\xA8' || json[i + 2] == '\xA9');
    if (json[i] == '<') {
      out += "\\u003c";
    } else if (separator) {
      out += json[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += json[i];
    }
  }
  return out;
}

}  // namespace

bool InteractiveAvailable() {
  return !TemplatePieces().empty();
}

Result<std::string> Render(std::span<const Subject> subjects, Style style) {
  if (style == Style::kInteractive && !InteractiveAvailable()) {
    return Fail(Diagnostic(ErrorCode::kUsage,
                           "this build has no interactive report: it was made without Node.js")
                    .WithHint("ask for the plain report, or install Node.js 18 or newer with npm "
                              "and build again"));
  }
  if (style == Style::kPlain) {
    SLUICE_TRY(const Json payload, FullPayload(subjects));
    return PlainReport(payload, InteractiveAvailable()
                                    ? "This is the plain form, without charts."
                                    : "This build was made without Node.js, so this is "
                                      "the plain form, without charts.");
  }
  SLUICE_TRY(const std::string data, Payload(subjects));
  std::string html;
  for (const std::string_view piece : TemplatePieces()) {
    html += piece;
  }
  const std::size_t place = html.find(kDataPlaceholder);
  SLUICE_CHECK(place != std::string::npos, "the template has no place for the data");
  html.replace(place, kDataPlaceholder.size(), EscapeForScript(data));
  return html;
}

}  // namespace sluice::report
