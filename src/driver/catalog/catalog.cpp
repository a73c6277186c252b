// See catalog.h. Unreadable directories count as empty: `sluice doctor` reports them.

#include "driver/catalog/catalog.h"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/text.h"
#include "driver/build_info.h"

namespace sluice::driver {
namespace {

namespace fs = std::filesystem;

/// What differs between the two kinds of file.
struct Kind {
  std::string_view what;
  std::string_view folder;
  std::string_view extension;
  std::string_view verb;
};
constexpr Kind kArchitecture = {"architecture", "archs", ".yaml", "archs"};
constexpr Kind kModel = {"model", "models", ".onnx", "models"};
constexpr Kind kConstraints = {"file of constraints", "constraints", ".yaml", "constraints"};

std::vector<CatalogEntry> List(const SearchPaths& paths, const Kind& kind) {
  std::map<std::string, std::string> found;
  for (const std::string& root : paths.roots) {
    const fs::path folder = fs::path(root) / kind.folder;
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error)) {
      const fs::path& path = it->path();
      if (path.extension() == kind.extension && it->is_regular_file(error)) {
        fs::path name = path.lexically_relative(folder);
        name.replace_extension();
        found.emplace(name.generic_string(), path.lexically_normal().string());
      }
    }
  }
  std::vector<CatalogEntry> entries;
  entries.reserve(found.size());
  for (const auto& [name, path] : found) {
    entries.push_back({name, path});
  }
  return entries;
}

Result<std::string> Find(const SearchPaths& paths, const std::string& text, const Kind& kind) {
  std::error_code error;
  if (text.ends_with(kind.extension) || text.ends_with(".yml") || text.ends_with(".json") ||
      text.starts_with('/') || text.starts_with('.') || fs::is_regular_file(text, error)) {
    return text;
  }
  std::vector<std::string> names;
  for (const CatalogEntry& entry : List(paths, kind)) {
    if (entry.name == text) {
      return entry.path;
    }
    names.push_back(entry.name);
  }
  const std::string closest = ClosestMatch(text, names);
  return Fail(Diagnostic(ErrorCode::kUnknownName,
                         fmt::format("there is no {} called `{}`", kind.what, text))
                  .WithHint(closest.empty()
                                ? fmt::format("sluice {} lists the names; a path ends in {}",
                                              kind.verb, kind.extension)
                                : fmt::format("did you mean `{}`?", closest)));
}

/// The file that this code was loaded from: the program, or libsluice in somebody else's program.
fs::path OwnFile() {
  std::error_code error;
  Dl_info info{};
  if (dladdr(&kModel, &info) != 0 && info.dli_fname != nullptr) {
    const fs::path file(info.dli_fname);
    if (file.filename().string().find(".so") != std::string::npos) {
      return fs::canonical(file, error);
    }
  }
  return fs::read_symlink("/proc/self/exe", error);
}

/// `share/sluice` of the prefix that this code is installed in (bin/, lib/ or lib/<triplet>/ below
/// it), so that an installation may be moved. Empty when it is not installed.
std::string InstalledShare() {
  std::error_code error;
  fs::path prefix = OwnFile().parent_path();
  for (int up = 0; up < 2 && prefix.has_relative_path(); ++up) {
    prefix = prefix.parent_path();
    const fs::path share = prefix / "share" / "sluice";
    if (fs::is_directory(share / kArchitecture.folder, error)) {
      return share.string();
    }
  }
  return {};
}

}  // namespace

SearchPaths DefaultSearchPaths() {
  std::string share = InstalledShare();
  if (!share.empty()) {
    return {{".", std::move(share)}};
  }
  return {{".", SLUICE_SOURCE_DIRECTORY, SLUICE_SHARE_DIRECTORY}};
}

std::vector<CatalogEntry> ListArchitectures(const SearchPaths& paths) {
  return List(paths, kArchitecture);
}

std::vector<CatalogEntry> ListModels(const SearchPaths& paths) {
  return List(paths, kModel);
}

std::vector<CatalogEntry> ListConstraints(const SearchPaths& paths) {
  return List(paths, kConstraints);
}

Result<std::string> FindArchitecture(const SearchPaths& paths, const std::string& text) {
  return Find(paths, text, kArchitecture);
}

Result<std::string> FindModel(const SearchPaths& paths, const std::string& text) {
  return Find(paths, text, kModel);
}

Result<std::string> FindConstraints(const SearchPaths& paths, const std::string& text) {
  return Find(paths, text, kConstraints);
}

}  // namespace sluice::driver
