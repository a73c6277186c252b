// See sluice/architecture.h.

#include "arch/architecture.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sluice/architecture.h>
#include <sluice/error.h>

#include "api/internals.h"
#include "base/diagnostic.h"
#include "driver/catalog/catalog.h"
#include "driver/driver.h"
#include "driver/load/loaded.h"
#include "driver/text/render.h"
#include "io/yaml/arch/arch.h"

namespace sluice {

Expected<Architecture> Architecture::Load(const std::string& architecture) {
  return Guarded<Architecture>([&]() -> Result<Architecture> {
    SLUICE_TRY(driver::LoadedArchitecture loaded,
               driver::LoadArchitecture(driver::DefaultSearchPaths(), architecture));
    return Internals::Make(std::move(loaded));
  });
}

Expected<Architecture> Architecture::FromYaml(const std::string& yaml, const std::string& name) {
  return Guarded<Architecture>([&]() -> Result<Architecture> {
    SLUICE_TRY(driver::LoadedArchitecture loaded, driver::ParseArchitecture(yaml, name));
    return Internals::Make(std::move(loaded));
  });
}

Architecture::Architecture(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Architecture::Architecture(Architecture&&) noexcept = default;
Architecture& Architecture::operator=(Architecture&&) noexcept = default;
Architecture::~Architecture() = default;

const std::string& Architecture::name() const {
  return impl_->loaded.architecture.name;
}

const std::string& Architecture::hash() const {
  return impl_->loaded.hash;
}

double Architecture::clock_hz() const {
  return impl_->loaded.architecture.clock_hz;
}

std::vector<ChainInfo> Architecture::chains() const {
  std::vector<ChainInfo> infos;
  for (const arch::Chain& chain : arch::Chains(impl_->loaded.architecture)) {
    ChainInfo info;
    info.memories = chain.memory_names();
    info.compute = chain.compute.name;
    info.compute_instances = chain.compute_instances();
    infos.push_back(std::move(info));
  }
  return infos;
}

std::string Architecture::ToYaml() const {
  return io::WriteArchitectureYaml(impl_->loaded.architecture);
}

std::string Architecture::Describe() const {
  return driver::RenderArchitecture(impl_->loaded);
}

}  // namespace sluice
