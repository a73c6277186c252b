#pragma once
/// \file
/// Between the public API (include/sluice) and the modules: what stands behind the pointers, and
/// the one place where a Diagnostic or an exception becomes an Error. Tested by
/// tests/install/api_test.cpp.

#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include <sluice/sluice.h>

#include "base/diagnostic.h"
#include "driver/driver.h"

namespace sluice {

struct Network::Impl {
  driver::LoadedNetwork loaded;
  driver::ModelRequest request;
};

struct Architecture::Impl {
  driver::LoadedArchitecture loaded;
};

struct Plan::Impl {
  driver::PlanOutcome outcome;
};

/// The only friend of the public classes.
struct Internals {
  static const driver::LoadedNetwork& Get(const Network& network) { return network.impl_->loaded; }
  static const driver::ModelRequest& Request(const Network& network) {
    return network.impl_->request;
  }
  static const driver::LoadedArchitecture& Get(const Architecture& architecture) {
    return architecture.impl_->loaded;
  }
  static Network Make(driver::LoadedNetwork loaded, driver::ModelRequest request) {
    return Network(std::make_unique<const Network::Impl>(
        Network::Impl{std::move(loaded), std::move(request)}));
  }
  static Architecture Make(driver::LoadedArchitecture loaded) {
    return Architecture(
        std::make_unique<const Architecture::Impl>(Architecture::Impl{std::move(loaded)}));
  }
  static Plan Make(driver::PlanOutcome outcome) {
    return Plan(std::make_unique<const Plan::Impl>(Plan::Impl{std::move(outcome)}));
  }
};

Error ToError(const Diagnostic& diagnostic);
/// For exceptions that crossed the modules: InternalError and whatever a library threw.
Error BugError(const std::string& what);
Error OutOfMemoryError();

/// Runs `body`, which returns a Result<T>, and lets neither a Diagnostic nor an exception out.
template <class T, class Body>
Expected<T> Guarded(Body body) {
  try {
    if constexpr (std::is_void_v<T>) {
      const Status status = body();
      return status ? Expected<void>() : Expected<void>(ToError(status.error()));
    } else {
      Result<T> result = body();
      return result ? Expected<T>(std::move(*result)) : Expected<T>(ToError(result.error()));
    }
  } catch (const std::bad_alloc&) {
    return OutOfMemoryError();
  } catch (const std::exception& exception) {
    return BugError(exception.what());
  }
}

/// The public form of an evaluation.
Evaluation ToPublic(const driver::Evaluation& evaluation);

}  // namespace sluice
