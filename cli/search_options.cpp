// See search_options.h.

#include "cli/search_options.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "cli/cache_folder.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/verbs/verb.h"
#include "driver/catalog/catalog.h"
#include "driver/requests.h"

namespace sluice::cli {

void SearchOptions::Declare(Options& options) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  options.Text("--objective", "NAME", "what to minimise: energy, latency or edp",
               &defaults_.objective);
  options.Text("--policy", "NAME", "accounting rules: physical or timeloop", &defaults_.policy);
  options.Text("--mapper", "NAME", "search method; `sluice mappers` lists them", &defaults_.mapper);
  options.Integer("--seed", "same seed, same result", 0, kMax, &seed_);
  options.Integer("--threads", "0 = all cores; never changes the result", 0, 4096, &threads_);
  options.Integer("--budget-evaluations", "evaluations per operator; 0 = no limit", 0, kMax,
                  &defaults_.budget_evaluations);
  options.Seconds("--budget-seconds", "stop after this time with the best so far",
                  &defaults_.budget_seconds);
  options.Flag("--imperfect", "also try factors that do not divide a dim", &defaults_.imperfect);
  options.Text("--constraints", "NAME|FILE", "a YAML file, or a name of `sluice constraints`",
               &defaults_.constraints);
  options.Flag("--no-cache", "neither recall nor keep mappings", &no_cache_);
}

Result<driver::SearchRequest> SearchOptions::Request(const Context& context,
                                                     driver::ProgressFunction progress) const {
  driver::SearchRequest request = defaults_;
  request.seed = static_cast<std::uint64_t>(seed_);
  request.threads = static_cast<int>(threads_);
  request.stop = context.stop;
  request.progress = std::move(progress);
  request.warn = [](const std::string& warning) {
    PrintError("sluice: warning: " + warning + "\n");
  };
  if (!request.constraints.empty()) {
    SLUICE_TRY(request.constraints,
               driver::FindConstraints(driver::DefaultSearchPaths(), request.constraints));
  }
  if (!no_cache_) {
    request.cache_folder = CacheFolder();
  }
  return request;
}

void ModelOptions::Declare(Options& options) {
  options.Integer("--batch", "batch size; 0 = as in the model", 0, 1 << 20, &batch_);
  options.TextList("--dim", "NAME=VALUE", "value of a symbolic dim; repeatable", &dims_);
  options.Flag("--skip-unknown", "cost unknown operators as vector operations", &skip_unknown_);
}

Result<driver::ModelRequest> ModelOptions::Request(const std::string& model) const {
  driver::ModelRequest request;
  request.model = model;
  request.batch = batch_;
  request.skip_unknown = skip_unknown_;
  for (const std::string& text : dims_) {
    const std::size_t equals = text.find('=');
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    const bool has_value = equals != std::string::npos && equals > 0;
    const auto [stop, error] =
        has_value ? std::from_chars(text.data() + equals + 1, end, value)
                  : std::from_chars_result{text.data(), std::errc::invalid_argument};
    if (error != std::errc() || stop != end || value < 1) {
      return Fail(
          Diagnostic(ErrorCode::kUsage, fmt::format("--dim: cannot read `{}`", text))
              .WithHint("write a name, an equals sign and a size of at least 1, for example "
                        "--dim sequence=128"));
    }
    request.dims.emplace_back(text.substr(0, equals), value);
  }
  return request;
}

}  // namespace sluice::cli
