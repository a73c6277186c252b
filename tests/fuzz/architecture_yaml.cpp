/// An architecture that is read is valid, can be drawn and cut into chains, and is written so that
/// it reads back the same; a refusal points into the text.

#include "fuzz/targets.h"
#include "io/yaml/arch/arch.h"

namespace sluice::fuzz {
namespace {

Result<arch::Architecture> Read(const std::string& text) {
  SLUICE_TRY(const io::YamlDocument document, io::YamlDocument::Parse(text, "fuzz.yaml"));
  return io::ReadArchitecture(document);
}

}  // namespace

void ArchitectureYaml(std::string_view bytes) {
  const auto architecture = Read(std::string(bytes));
  if (!architecture) {
    RequireGoodDiagnostic(architecture.error(), bytes);
    return;
  }
  Require(arch::Validate(*architecture).has_value(), "an invalid architecture was read");
  Require(!arch::DrawTree(*architecture).empty(), "nothing drawn");
  Require(!arch::Chains(*architecture).empty(), "an architecture without chains");
  const std::string written = io::WriteArchitectureYaml(*architecture);
  const auto again = Read(written);
  Require(again.has_value(), "not readable as written:\n" + written);
  Require(*again == *architecture, "reads back differently:\n" + written);
}

}  // namespace sluice::fuzz
