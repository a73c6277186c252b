#pragma once
/// \file
/// Fuzz targets: each takes any bytes, feeds them to one reader (or one engine) of the library and
/// checks what must hold whatever the bytes are. A broken promise throws std::logic_error; crashes,
/// sanitizer reports, time-outs and memory beyond the limit are left to whoever runs the target.
///
/// Two drivers share them: libFuzzer (libfuzzer_entry.cpp, tools/fuzz.sh) explores, and the default
/// tests replay the corpora (replay_test.cpp) under any compiler. docs/fuzzing.md has the rest.

#include <string>
#include <string_view>

#include "arch/architecture.h"
#include "base/diagnostic.h"
#include "mapping/workload.h"

namespace sluice::fuzz {

void ArchitectureYaml(std::string_view bytes);
void CertificateJson(std::string_view bytes);
void ConstraintsYaml(std::string_view bytes);
void Descriptor(std::string_view bytes);
void Directives(std::string_view bytes);
void EvaluateVsWalker(std::string_view bytes);
void MaestroFiles(std::string_view bytes);
void MappingYaml(std::string_view bytes);
void OnnxImport(std::string_view bytes);
void PlanJson(std::string_view bytes);
void PredictFiles(std::string_view bytes);
void TimeloopYaml(std::string_view bytes);

/// Throws std::logic_error(what) unless `condition`.
void Require(bool condition, const std::string& what);

/// What every Diagnostic promises: a known code, a message, a place inside `text` (or none, if
/// `anywhere`), and a rendering.
void RequireGoodDiagnostic(const Diagnostic& diagnostic, std::string_view text,
                           bool anywhere = false);

/// The operator and machine that mappings and directives talk about: a strided convolution with
/// seven dims on three memories with a 4 x 4 and a 2 x 1 fan-out. One tensor's name needs quotes.
struct Context {
  mapping::Workload workload;
  arch::Chain chain;
};
const Context& SmallConvolution();

}  // namespace sluice::fuzz
