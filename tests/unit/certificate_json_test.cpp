// Certificates as JSON: what is written reads back, what is not exactly that is refused.

#include "io/certificate_json.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "base/diagnostic.h"
#include "cost/certificate.h"
#include "mapping/mapping.h"

namespace sluice::io {
namespace {

CertificateFile Sample() {
  CertificateFile file = {"gemm M=4 N=6 K=8", "eyeriss", "timeloop", "rules \"1\".yaml", {}};
  cost::Certificate& c = file.certificate;
  c.problem = "0123abcd";
  c.objective = cost::Objective::kLatency;
  c.score = {0.1 + 0.2, 12};
  c.bound = 1.0 / 3;
  c.evaluations = 99;
  c.candidates = 77;
  c.ruled_out = 55;
  c.mapping.levels.resize(2);
  c.mapping.levels[0].keep = 7;
  c.mapping.levels[0].temporal.push_back(mapping::PerfectLoop(2, 8));
  c.mapping.levels[0].spatial_x.push_back(mapping::PerfectLoop(0, 4));
  c.mapping.levels[1].keep = 2;
  c.mapping.levels[1].spatial_y.push_back(mapping::PerfectLoop(1, 6));
  return file;
}

TEST(CertificateJson, ReadsBackAsWritten) {
  const CertificateFile file = Sample();
  const auto again = CertificateFromJson(CertificateToJson(file), "c.json");
  ASSERT_TRUE(again) << again.error().Render();
  EXPECT_EQ(again->descriptor, file.descriptor);
  EXPECT_EQ(again->architecture, file.architecture);
  EXPECT_EQ(again->policy, file.policy);
  EXPECT_EQ(again->constraints, file.constraints);
  EXPECT_EQ(again->certificate.score.energy_pj, file.certificate.score.energy_pj);
  EXPECT_TRUE(again->certificate.mapping == file.certificate.mapping);
  EXPECT_EQ(again->certificate.ruled_out, 55);
  EXPECT_EQ(CertificateToJson(*again), CertificateToJson(file));
}

TEST(CertificateJson, RefusesEverythingElse) {
  const std::string text = CertificateToJson(Sample());
  struct Edit {
    std::string from;
    std::string to;
    ErrorCode code;
  };
  const std::array edits = {
      Edit{"sluice-certificate", "sluice-plan", ErrorCode::kVersion},
      Edit{"\"version\": 2", "\"version\": 1", ErrorCode::kVersion},
      Edit{"\"cycles\"", "\"cycle\"", ErrorCode::kUnknownKey},
      Edit{"  \"cycles\": 12.0,\n", "", ErrorCode::kMissingKey},
      Edit{"\"cycles\": 12.0", "\"cycles\": 12.0, \"cycles\": 12.0", ErrorCode::kDuplicateKey},
      Edit{"\"cycles\": 12.0", "\"cycles\": \"many\"", ErrorCode::kWrongType},
      Edit{"\"cycles\": 12.0", "\"cycles\": -1", ErrorCode::kBadValue},
      Edit{"\"latency\"", "\"speed\"", ErrorCode::kBadValue},
      Edit{"\"keep\":7", "\"keep\":64", ErrorCode::kBadValue},
      Edit{"[[2,8]]", "[[2,8,8]]", ErrorCode::kBadValue},
      Edit{"[[2,8]]", "[[12,8]]", ErrorCode::kBadValue},
      Edit{"[[2,8]]", "[[2,0]]", ErrorCode::kBadValue},
      Edit{"]\n}\n", "", ErrorCode::kSyntax},
  };
  for (const Edit& edit : edits) {
    std::string edited = text;
    const std::size_t at = edited.find(edit.from);
    ASSERT_NE(at, std::string::npos) << edit.from;
    edited.replace(at, edit.from.size(), edit.to);
    const auto file = CertificateFromJson(edited, "c.json");
    ASSERT_FALSE(file) << edit.to;
    EXPECT_EQ(file.error().code, edit.code) << file.error().Render();
  }
}

}  // namespace
}  // namespace sluice::io
