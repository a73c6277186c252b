// Files into values: models, architectures, plans, and guessing which of them a file is.

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/file.h"
#include "driver/catalog/catalog.h"
#include "driver/driver.h"
#include "driver/load/loaded.h"
#include "driver/requests.h"
#include "io/plan_json.h"
#include "planner/plan.h"

namespace sluice::driver {
namespace {

constexpr std::int64_t kMaxModelBytes = std::int64_t{2} << 30U;
constexpr std::int64_t kMaxTextBytes = std::int64_t{16} << 20U;
constexpr std::int64_t kMaxPlanBytes = std::int64_t{256} << 20U;

}  // namespace

Result<LoadedNetwork> LoadNetwork(const SearchPaths& paths, const ModelRequest& request) {
  SLUICE_TRY(const std::string path, FindModel(paths, request.model));
  SLUICE_TRY(const std::string bytes, ReadFile(path, kMaxModelBytes));
  return ParseNetwork(bytes, path, request);
}

Result<LoadedArchitecture> LoadArchitecture(const SearchPaths& paths, const std::string& name) {
  SLUICE_TRY(const std::string path, FindArchitecture(paths, name));
  SLUICE_TRY(std::string text, ReadFile(path, kMaxTextBytes));
  return ParseArchitecture(std::move(text), path);
}

Result<planner::Plan> ReadPlan(const std::string& path) {
  SLUICE_TRY(const std::string text, ReadFile(path, kMaxPlanBytes));
  return io::PlanFromJson(text, path);
}

Status WritePlan(const std::string& path, const planner::Plan& plan) {
  return WriteFileAtomic(path, io::PlanToJson(plan));
}

Result<FoundFile> DetectFile(const SearchPaths& paths, const std::string& text) {
  const auto model = FindModel(paths, text);
  const auto architecture = FindArchitecture(paths, text);
  if (!model && !architecture) {
    return Fail(Diagnostic(ErrorCode::kUnknownName,
                           fmt::format("there is no file, model or architecture called `{}`", text))
                    .WithHint("sluice models and sluice archs list the shipped names"));
  }
  // A shipped name resolves to a path of its own kind; a path comes back from both unchanged.
  if (model && !architecture) {
    return FoundFile{FileKind::kModel, *model};
  }
  if (architecture && !model) {
    return FoundFile{FileKind::kArchitecture, *architecture};
  }
  if (*model != *architecture) {
    return Fail(
        Diagnostic(ErrorCode::kUsage, fmt::format("`{}` is both a model and an architecture", text))
            .WithHint(fmt::format("write {} or {}", *model, *architecture)));
  }
  const std::string extension = std::filesystem::path(text).extension().string();
  if (extension == ".onnx") {
    return FoundFile{FileKind::kModel, text};
  }
  if (extension == ".yaml" || extension == ".yml") {
    return FoundFile{FileKind::kArchitecture, text};
  }
  if (extension == ".json") {
    return FoundFile{FileKind::kPlan, text};
  }
  return Fail(Diagnostic(ErrorCode::kUsage, fmt::format("cannot tell what `{}` holds", text))
                  .WithHint("models end in .onnx, architectures in .yaml, plans in .json"));
}

}  // namespace sluice::driver
