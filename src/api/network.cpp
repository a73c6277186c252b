// See sluice/network.h.

#include "ir/network.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/error.h>
#include <sluice/network.h>

#include "api/internals.h"
#include "base/diagnostic.h"
#include "base/hash.h"
#include "driver/catalog/catalog.h"
#include "driver/driver.h"
#include "driver/load/loaded.h"
#include "driver/requests.h"

namespace sluice {
namespace {

driver::ModelRequest RequestOf(const std::string& model, const NetworkOptions& options) {
  driver::ModelRequest request;
  request.model = model;
  request.batch = options.batch;
  request.dims = options.dims;
  request.skip_unknown = options.skip_unknown;
  return request;
}

}  // namespace

Expected<Network> Network::Load(const std::string& model, const NetworkOptions& options) {
  return Guarded<Network>([&]() -> Result<Network> {
    driver::ModelRequest request = RequestOf(model, options);
    SLUICE_TRY(driver::LoadedNetwork loaded,
               driver::LoadNetwork(driver::DefaultSearchPaths(), request));
    return Internals::Make(std::move(loaded), std::move(request));
  });
}

Expected<Network> Network::FromBytes(std::string_view bytes, const std::string& name,
                                     const NetworkOptions& options) {
  return Guarded<Network>([&]() -> Result<Network> {
    driver::ModelRequest request = RequestOf(name, options);
    SLUICE_TRY(driver::LoadedNetwork loaded, driver::ParseNetwork(bytes, name, request));
    return Internals::Make(std::move(loaded), std::move(request));
  });
}

Expected<Network> Network::FromOperator(const std::string& descriptor) {
  return Guarded<Network>([&]() -> Result<Network> {
    driver::LoadedNetwork loaded;
    loaded.path = descriptor;
    loaded.hash = ContentHash(descriptor);
    SLUICE_TRY(loaded.network, ir::ParseOperatorDescriptor(descriptor));
    return Internals::Make(std::move(loaded), {});
  });
}

Network::Network(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;
Network::~Network() = default;

const std::string& Network::name() const {
  return impl_->loaded.network.name;
}

const std::string& Network::hash() const {
  return impl_->loaded.hash;
}

std::vector<OperatorInfo> Network::operators() const {
  std::vector<OperatorInfo> infos;
  for (const ir::Operator& op : impl_->loaded.network.operators) {
    OperatorInfo info;
    info.name = op.name;
    info.kind = op.kind;
    for (const ir::Dim& dim : op.dims) {
      info.dims.emplace_back(dim.name, dim.bound);
    }
    info.macs = op.macs();
    info.view = op.is_view();
    infos.push_back(std::move(info));
  }
  return infos;
}

std::size_t Network::size() const {
  return impl_->loaded.network.operators.size();
}

std::int64_t Network::macs() const {
  return impl_->loaded.network.macs();
}

const std::vector<std::string>& Network::warnings() const {
  return impl_->loaded.network.warnings;
}

}  // namespace sluice
