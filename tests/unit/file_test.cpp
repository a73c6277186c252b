// Reads are bounded, writes are atomic, failures leave nothing behind and say why.

#include "base/file.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "sluice_file_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { fs::remove_all(dir_); }

  [[nodiscard]] std::string Path(const std::string& name) const { return (dir_ / name).string(); }
  [[nodiscard]] int Files() const {
    return static_cast<int>(std::distance(fs::directory_iterator(dir_), fs::directory_iterator()));
  }

  fs::path dir_;
};

TEST_F(FileTest, WritesAndReadsAnyBytes) {
  std::string bytes;
  for (int i = 0; i < 1000000; ++i) {
    bytes += static_cast<char>(i * 7 + i / 256);
  }
  ASSERT_TRUE(WriteFileAtomic(Path("a"), bytes));
  EXPECT_EQ(ReadFile(Path("a"), 1000000).value(), bytes);
  EXPECT_EQ(Files(), 1);
  ASSERT_TRUE(WriteFileAtomic(Path("a"), ""));
  EXPECT_EQ(ReadFile(Path("a"), 0).value(), "");
}

TEST_F(FileTest, ReadIsBounded) {
  ASSERT_TRUE(WriteFileAtomic(Path("a"), "12345"));
  EXPECT_TRUE(ReadFile(Path("a"), 5));
  EXPECT_EQ(ReadFile(Path("a"), 4).error().code, ErrorCode::kFileTooLarge);
  // Endless, and without a size to ask for.
  EXPECT_EQ(ReadFile("/dev/zero", 1 << 20).error().code, ErrorCode::kFileTooLarge);
}

TEST_F(FileTest, UnreadableFilesSayWhy) {
  const auto missing = ReadFile(Path("missing"), 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kFileUnreadable);
  EXPECT_NE(missing.error().message.find("No such file"), std::string::npos);
  EXPECT_EQ(missing.error().span.file, Path("missing"));
  EXPECT_FALSE(missing.error().hint.empty());

  const auto directory = ReadFile(dir_.string(), 10);
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().code, ErrorCode::kFileUnreadable);
  EXPECT_NE(directory.error().message.find("Is a directory"), std::string::npos);
}

TEST_F(FileTest, ForbiddenFilesSayWhy) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root may read everything";
  }
  ASSERT_TRUE(WriteFileAtomic(Path("a"), "x"));
  ASSERT_EQ(::chmod(Path("a").c_str(), 0), 0);
  const auto text = ReadFile(Path("a"), 10);
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message.find("Permission denied"), std::string::npos);
}

TEST_F(FileTest, FailedWritesLeaveNothing) {
  const auto no_directory = WriteFileAtomic(Path("none/a"), "x");
  ASSERT_FALSE(no_directory);
  EXPECT_EQ(no_directory.error().code, ErrorCode::kFileUnwritable);
  EXPECT_NE(no_directory.error().hint.find("create the directory"), std::string::npos);
  EXPECT_EQ(WriteFileAtomic(dir_.string(), "x").error().code, ErrorCode::kFileUnwritable);
  EXPECT_EQ(Files(), 0);
}

TEST_F(FileTest, SaysBeforehandWhatCanNotBeWritten) {
  EXPECT_EQ(CheckWritable(Path("none/a")).error().code, ErrorCode::kFileUnwritable);
  EXPECT_EQ(CheckWritable(dir_.string()).error().code, ErrorCode::kFileUnwritable);
  EXPECT_TRUE(CheckWritable("/dev/null"));
  EXPECT_TRUE(CheckWritable(Path("a")));
  EXPECT_TRUE(std::filesystem::is_empty(dir_)) << "a check leaves nothing";
  ASSERT_TRUE(WriteFileAtomic(Path("a"), "old"));
  EXPECT_TRUE(CheckWritable(Path("a")));
  EXPECT_EQ(*ReadFile(Path("a"), 10), "old");
}

TEST_F(FileTest, FullDeviceIsReported) {
  const auto full = WriteFileAtomic("/dev/full", "x");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kFileUnwritable);
  EXPECT_NE(full.error().message.find("No space left"), std::string::npos);
  EXPECT_NE(full.error().hint.find("space"), std::string::npos);
}

// A limit on the file size makes write(2) fail half way, as a full disk does.
TEST_F(FileTest, InterruptedWriteKeepsTheOldContentAndNoTemporary) {
  ASSERT_TRUE(WriteFileAtomic(Path("a"), "old"));
  rlimit old = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto status = WriteFileAtomic(Path("a"), std::string(1 << 20, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kFileUnwritable);
  EXPECT_EQ(ReadFile(Path("a"), 10).value(), "old");
  EXPECT_EQ(Files(), 1);
}

TEST_F(FileTest, KeepsModeAndLinks) {
  ASSERT_TRUE(WriteFileAtomic(Path("target"), "1"));
  ASSERT_EQ(::chmod(Path("target").c_str(), 0600), 0);
  fs::create_symlink("target", Path("link"));
  ASSERT_TRUE(WriteFileAtomic(Path("link"), "2"));
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(ReadFile(Path("target"), 10).value(), "2");
  struct stat info = {};
  ASSERT_EQ(::stat(Path("target").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

}  // namespace
}  // namespace sluice
