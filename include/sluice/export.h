#pragma once
/// \file
/// The one export macro. Everything else in libsluice is hidden.

#if defined(_WIN32)
#define SLUICE_API
#else
/// Marks what the shared library exports.
#define SLUICE_API __attribute__((visibility("default")))
#endif
