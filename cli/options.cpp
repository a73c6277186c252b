// The only user of CLI11 (3.5 s of compile time). CLI11's messages are good; what it lacks is a
// suggestion for a misspelt option, added here.

#include "cli/options.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/diagnostic.h"
#include "base/text.h"

namespace sluice::cli {

struct Options::Impl {
  CLI::App app;
  std::string verb;

  [[nodiscard]] std::vector<std::string> LongNames() const {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) {
        names.push_back("--" + name);
      }
    }
    return names;
  }
};

Options::Options(const std::string& verb, const std::string& summary, const std::string& examples)
    : impl_(std::make_unique<Impl>()) {
  impl_->verb = verb;
  impl_->app.name("sluice " + verb);
  impl_->app.description(summary);
  impl_->app.footer("\nExamples:\n" + examples);
  impl_->app.get_formatter()->column_width(34);
  impl_->app.option_defaults()->always_capture_default(false);
}

Options::~Options() = default;

void Options::Positional(const std::string& name, const std::string& help, std::string* target,
                         bool required) {
  impl_->app.add_option(name, *target, help)->required(required)->option_text(" ");
}

void Options::Positionals(const std::string& name, const std::string& help,
                          std::vector<std::string>* targets) {
  impl_->app.add_option(name, *targets, help)->option_text("...");
}

void Options::Flag(const std::string& names, const std::string& help, bool* target) {
  impl_->app.add_flag(names, *target, help);
}

void Options::Text(const std::string& names, const std::string& placeholder,
                   const std::string& help, std::string* target) {
  const std::string shown = target->empty() ? placeholder : placeholder + " [" + *target + "]";
  impl_->app.add_option(names, *target, help)->option_text(shown);
}

void Options::TextList(const std::string& names, const std::string& placeholder,
                       const std::string& help, std::vector<std::string>* targets) {
  impl_->app.add_option(names, *targets, help)
      ->option_text(placeholder + " ...")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
}

void Options::Integer(const std::string& names, const std::string& help, std::int64_t minimum,
                      std::int64_t maximum, std::int64_t* target) {
  const std::string shown = *target >= minimum ? "N [" + std::to_string(*target) + "]" : "N";
  impl_->app.add_option(names, *target, help)
      ->check(CLI::Range(minimum, maximum))
      ->option_text(shown);
}

void Options::Seconds(const std::string& names, const std::string& help, double* target) {
  impl_->app.add_option(names, *target, help)
      ->check([](const std::string& text) {
        char* end = nullptr;
        const double value = std::strtod(text.c_str(), &end);
        const bool good = end == text.c_str() + text.size() && value > 0 && value <= 1e9;
        return good ? std::string() : "`" + text + "` is not a number of seconds above 0";
      })
      ->option_text("SECONDS");
}

Result<bool> Options::Parse(std::span<const std::string> arguments) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  const std::string see = "see sluice " + impl_->verb + " --help";
  try {
    impl_->app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    return false;
  } catch (const CLI::ExtrasError& error) {
    const std::vector<std::string> extras = impl_->app.remaining();
    Diagnostic diagnostic(ErrorCode::kUsage, error.what());
    if (!extras.empty()) {
      const std::string& first = extras.front();
      diagnostic.message = first.starts_with('-') ? "there is no option `" + first + "`"
                                                  : "unexpected argument `" + first + "`";
      const std::string closest = ClosestMatch(first, impl_->LongNames());
      if (first.starts_with('-') && !closest.empty()) {
        return Fail(std::move(diagnostic).WithHint("did you mean `" + closest + "`?"));
      }
    }
    return Fail(std::move(diagnostic).WithHint(see));
  } catch (const CLI::ParseError& error) {
    return Fail(Diagnostic(ErrorCode::kUsage, error.what()).WithHint(see));
  }
  return true;
}

std::string Options::Help() const {
  return impl_->app.help();
}

}  // namespace sluice::cli
