// Names and paths of architectures and models, and telling files apart.

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "driver/catalog/catalog.h"
#include "driver/driver.h"

namespace sluice::driver {
namespace {

namespace fs = std::filesystem;

class CatalogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(::testing::TempDir()) / ("sluice-catalog-" + std::string(info->name()));
    fs::remove_all(root_);
    Touch("first/archs/alpha.yaml");
    Touch("first/archs/notes.txt");
    Touch("second/archs/alpha.yaml");
    Touch("second/archs/beta.yaml");
    Touch("second/models/net.onnx");
    Touch("second/models/old/net.onnx");
    paths_.roots = {(root_ / "first").string(), (root_ / "absent").string(),
                    (root_ / "second").string()};
  }
  void TearDown() override { fs::remove_all(root_); }

  void Touch(const std::string& path) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << "x\n";
  }
  [[nodiscard]] std::string Path(const std::string& path) const { return (root_ / path).string(); }

  fs::path root_;
  SearchPaths paths_;
};

TEST_F(CatalogTest, ListsByNameAndTheFirstRootWins) {
  const auto archs = ListArchitectures(paths_);
  ASSERT_EQ(archs.size(), 2U);
  EXPECT_EQ(archs[0].name, "alpha");
  EXPECT_EQ(archs[0].path, Path("first/archs/alpha.yaml"));
  EXPECT_EQ(archs[1].name, "beta");
  const auto models = ListModels(paths_);
  ASSERT_EQ(models.size(), 2U);
  EXPECT_EQ(models[0].name, "net");
  EXPECT_EQ(models[1].name, "old/net");
}

TEST_F(CatalogTest, FindsNamesAndLeavesPathsAlone) {
  EXPECT_EQ(FindArchitecture(paths_, "beta").value(), Path("second/archs/beta.yaml"));
  EXPECT_EQ(FindModel(paths_, "old/net").value(), Path("second/models/old/net.onnx"));
  EXPECT_EQ(FindArchitecture(paths_, "anywhere/mine.yaml").value(), "anywhere/mine.yaml");
  EXPECT_EQ(FindModel(paths_, "./net").value(), "./net");
}

TEST_F(CatalogTest, UnknownNamesSuggestTheClosest) {
  const auto found = FindArchitecture(paths_, "alpa");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kUnknownName);
  EXPECT_EQ(found.error().hint, "did you mean `alpha`?");
}

TEST_F(CatalogTest, TellsFilesApart) {
  EXPECT_EQ(DetectFile(paths_, "net").value().kind, FileKind::kModel);
  EXPECT_EQ(DetectFile(paths_, "beta").value().kind, FileKind::kArchitecture);
  EXPECT_EQ(DetectFile(paths_, "plan.json").value().kind, FileKind::kPlan);
  EXPECT_EQ(DetectFile(paths_, "x/y.yml").value().kind, FileKind::kArchitecture);
  EXPECT_EQ(DetectFile(paths_, Path("first/archs/notes.txt")).error().code, ErrorCode::kUsage);
  EXPECT_EQ(DetectFile(paths_, "nothing").error().code, ErrorCode::kUnknownName);
  Touch("first/models/beta.onnx");
  EXPECT_EQ(DetectFile(paths_, "beta").error().code, ErrorCode::kUsage);  // both kinds
}

}  // namespace
}  // namespace sluice::driver
