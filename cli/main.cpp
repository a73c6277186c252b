// The command line: finds the verb, parses its options, runs it, and turns every outcome into a
// message and an exit code (docs/cli.md). The only place where InternalError is caught.

#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/text.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs/verb.h"

namespace sluice::cli {
namespace {

std::vector<std::unique_ptr<Verb>> AllVerbs() {
  std::vector<std::unique_ptr<Verb>> verbs;
  verbs.push_back(MakePlanVerb());
  verbs.push_back(MakeMapVerb());
  verbs.push_back(MakeEvaluateVerb());
  verbs.push_back(MakeExplainVerb());
  verbs.push_back(MakeVerifyVerb());
  verbs.push_back(MakeReportVerb());
  verbs.push_back(MakeShowVerb());
  verbs.push_back(MakeArchsVerb());
  verbs.push_back(MakeModelsVerb());
  verbs.push_back(MakeConstraintsVerb());
  verbs.push_back(MakeMappersVerb());
  verbs.push_back(MakeCompareVerb());
  verbs.push_back(MakePriceVerb());
  verbs.push_back(MakeReproduceVerb());
  verbs.push_back(MakeDatasetVerb());
  verbs.push_back(MakeTrainVerb());
  verbs.push_back(MakeCacheVerb());
  verbs.push_back(MakeDoctorVerb());
  verbs.push_back(MakeVersionVerb());
  return verbs;
}

std::string Overview(const std::vector<std::unique_ptr<Verb>>& verbs) {
  std::string text =
      "Sluice plans how a neural network runs on an accelerator and says what it costs.\n\n"
      "Usage: sluice VERB [OPTIONS]\n\nVerbs:\n";
  for (const auto& verb : verbs) {
    text += fmt::format("  {:<12} {}\n", verb->name(), verb->summary());
  }
  text +=
      "\nA first plan:\n"
      "  sluice plan resnet50 --arch eyeriss -o plan.json\n"
      "  sluice explain plan.json\n"
      "\nsluice VERB --help shows the options of a verb and examples.\n"
      "Exit codes: 0 done, 1 no valid mapping, 2 bad input or usage, 130 interrupted.\n";
  return text;
}

int ExitCodeOf(const Diagnostic& diagnostic) {
  switch (diagnostic.code) {
    case ErrorCode::kNoValidMapping:
    case ErrorCode::kMappingCapacity:
      return kExitNoMapping;
    default:
      return kExitBadInput;
  }
}

/// Quoted so that the recorded command can be pasted into a shell.
std::string CommandLine(std::span<const std::string> arguments) {
  std::string text = "sluice";
  for (const std::string& argument : arguments) {
    const bool plain = !argument.empty() &&
                       argument.find_first_of(" \t\n'\"\\$`*?[]{}()<>|&;#~!") == std::string::npos;
    if (plain) {
      text += " " + argument;
      continue;
    }
    text += " '";
    for (const char c : argument) {
      text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    text += "'";
  }
  return text;
}

Diagnostic UnknownVerb(const std::string& word, const std::vector<std::unique_ptr<Verb>>& verbs) {
  std::vector<std::string> names;
  names.reserve(verbs.size());
  for (const auto& verb : verbs) {
    names.emplace_back(verb->name());
  }
  const std::string closest = ClosestMatch(word, names);
  return Diagnostic(ErrorCode::kUsage, fmt::format("there is no verb `{}`", word))
      .WithHint(closest.empty() ? "sluice --help lists the verbs"
                                : "did you mean `sluice " + closest + "`?");
}

/// `sluice help plan` is `sluice plan --help`, `sluice --version` is `sluice version`.
std::vector<std::string> LongForm(std::span<const std::string> arguments) {
  std::vector<std::string> words(arguments.begin(), arguments.end());
  if (words[0] == "help") {
    return {words[1], "--help"};
  }
  if (words[0] == "--version") {
    words[0] = "version";
  }
  return words;
}

Result<int> RunVerb(Verb& verb, const std::vector<std::string>& words) {
  Options options(std::string(verb.name()), std::string(verb.summary()),
                  std::string(verb.examples()));
  verb.Declare(options);
  SLUICE_TRY(const bool run, options.Parse(std::span(words).subspan(1)));
  if (!run) {
    SLUICE_TRY_STATUS(Print(options.Help()));
    return kExitOk;
  }
  return verb.Run({CommandLine(words), CatchInterrupt(), StderrIsTerminal()});
}

Result<int> RunCommand(std::span<const std::string> arguments) {
  const auto verbs = AllVerbs();
  const bool overview = arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" ||
                        arguments[0] == "help";
  if (overview && arguments.size() < 2) {
    SLUICE_TRY_STATUS(Print(Overview(verbs)));
    return arguments.empty() ? kExitBadInput : kExitOk;
  }
  const std::vector<std::string> words = LongForm(arguments);
  for (const auto& verb : verbs) {
    if (verb->name() == words[0]) {
      return RunVerb(*verb, words);
    }
  }
  return Fail(UnknownVerb(words[0], verbs));
}

int Main(std::span<const std::string> arguments) {
  try {
    const Result<int> code = RunCommand(arguments);
    if (code) {
      return *code;
    }
    PrintError(code.error().Render());
    return ExitCodeOf(code.error());
  } catch (const std::bad_alloc&) {
    PrintError("sluice: error: out of memory\n");
    return kExitBadInput;
  } catch (const std::exception& error) {
    // InternalError, or an exception of a library that should have become a Diagnostic: a bug
    // either way.
    PrintError(
        fmt::format("sluice: internal error: {}\n"
                    "This is a bug in Sluice, not a mistake of yours. Please report it with the\n"
                    "command line, the input files and the output of `sluice version`:\n  {}\n",
                    error.what(), CommandLine(arguments)));
    return kExitInternalError;
  }
}

}  // namespace
}  // namespace sluice::cli

int main(int argc, char** argv) {
  const std::span all(argv, static_cast<std::size_t>(argc));
  std::vector<std::string> arguments;
  for (const char* argument : all.subspan(all.empty() ? 0 : 1)) {
    arguments.emplace_back(argument);
  }
  return sluice::cli::Main(arguments);
}
