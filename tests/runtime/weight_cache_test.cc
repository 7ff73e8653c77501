#include "runtime/weight_cache.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "runtime/litert_model.h"
#include "runtime/test_model.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  return files;
}

/// Whether this process has the file mapped.
bool is_mapped(const fs::path& path) {
  return content_of("/proc/self/maps").find(path.string()) != std::string::npos;
}

/// y of signature "dense" for x = 1: 2 * (last index) * scale + 1.
float last_output(LiteRtModel& model) {
  LiteRtSignature& dense = model.signature("dense");
  AlignedBuffer x(dense.input("x"));
  AlignedBuffer y(dense.output("y"));
  dense.bind_input("x", x);
  dense.bind_output("y", y);
  for (float& value : x.as<float>()) value = 1.0F;
  dense.run();
  return y.as<float>()[63];
}

const std::vector<std::string> kBoth = {"dense", "dense3"};

class WeightCacheTest : public ::testing::Test {
 protected:
  void SetUp() override { write_test_model(model_path_); }

  RuntimeOptions options() {
    return {.threads = 1, .cache_dir = cache_, .on_warning = [this](const std::string& warning) {
              warnings_.push_back(warning);
            }};
  }
  /// Loads, runs and returns whether the cache was found.
  bool run() {
    LiteRtModel model(model_path_, options(), kBoth);
    EXPECT_FLOAT_EQ(last_output(model), 65.0F);
    return model.cache_was_used();
  }

  TemporaryFolder folder_;
  fs::path model_path_ = folder_ / "model.tflite";
  fs::path cache_ = folder_ / "cache" / "deep";
  std::vector<std::string> warnings_;
};

TEST_F(WeightCacheTest, IsMadeByTheFirstRunAndUsedByTheSecond) {
  EXPECT_FALSE(run());
  ASSERT_THAT(files_in(cache_), SizeIs(1));
  LiteRtModel model(model_path_, options(), kBoth);
  EXPECT_TRUE(model.cache_was_used());
  // LiteRT accepted it: it maps the file.
  EXPECT_TRUE(is_mapped(files_in(cache_)[0]));
  EXPECT_FLOAT_EQ(last_output(model), 65.0F);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(WeightCacheTest, IsMappedFromTheFirstRunOn) {
  LiteRtModel model(model_path_, options(), kBoth);
  EXPECT_FALSE(model.cache_was_used());
  ASSERT_THAT(files_in(cache_), SizeIs(1));
  EXPECT_TRUE(is_mapped(files_in(cache_)[0]));
}

TEST_F(WeightCacheTest, DoesNotDependOnTheNumberOfThreads) {
  EXPECT_FALSE(run());
  RuntimeOptions two = options();
  two.threads = 2;
  EXPECT_TRUE(LiteRtModel(model_path_, two, kBoth).cache_was_used());
}

TEST_F(WeightCacheTest, ServesSignaturesLoadedLater) {
  LiteRtModel model(model_path_, options(), {"dense3"});
  model.load({"dense"});
  EXPECT_FLOAT_EQ(last_output(model), 65.0F);
  EXPECT_THAT(files_in(cache_), SizeIs(1));
}

TEST_F(WeightCacheTest, IsNotSharedByModelsOfOtherWeights) {
  EXPECT_FALSE(run());
  write_test_model(folder_ / "other.tflite", 2.0F);
  LiteRtModel other(folder_ / "other.tflite", options(), kBoth);
  EXPECT_FALSE(other.cache_was_used());
  EXPECT_FLOAT_EQ(last_output(other), 129.0F);
  EXPECT_THAT(files_in(cache_), SizeIs(2));
}

TEST_F(WeightCacheTest, IsFoundAfterTheModelMoved) {
  EXPECT_FALSE(run());
  fs::rename(model_path_, folder_ / "moved.tflite");
  model_path_ = folder_ / "moved.tflite";
  EXPECT_TRUE(run());
}

TEST_F(WeightCacheTest, StaysInMemoryWhenSwitchedOff) {
  RuntimeOptions off = options();
  off.use_cache = false;
  LiteRtModel model(model_path_, off, kBoth);
  EXPECT_FLOAT_EQ(last_output(model), 65.0F);
  EXPECT_FALSE(fs::exists(cache_));
}

TEST_F(WeightCacheTest, DamagedFilesAreMadeAnew) {
  EXPECT_FALSE(run());
  const fs::path file = files_in(cache_)[0];
  const std::string good = content_of(file);
  std::vector<std::string> damaged = {"",
                                      "x",
                                      good.substr(0, 100),
                                      good.substr(0, good.size() / 2),
                                      good.substr(0, good.size() - 1),
                                      good + "x",
                                      std::string(good.size(), '\0')};
  for (const size_t place : {size_t{0}, size_t{9}, size_t{24}, size_t{70}, size_t{100}, size_t{200},
                             good.size() / 2, good.size() - 1}) {
    damaged.push_back(good);
    damaged.back()[place] = static_cast<char>(damaged.back()[place] ^ 0x40);
  }
  for (size_t i = 0; i < damaged.size(); ++i) {
    SCOPED_TRACE(i);
    warnings_.clear();
    write_file(file, damaged[i]);
    EXPECT_FALSE(run());
    EXPECT_THAT(warnings_, ElementsAre(HasSubstr("is damaged and is made anew.")));
    EXPECT_EQ(content_of(file), good);
  }
  EXPECT_TRUE(run());
}

TEST_F(WeightCacheTest, AFolderThatCannotBeWrittenIsAWarning) {
  // A regular file where the folder should be stops the superuser too.
  fs::create_directories(cache_.parent_path());
  write_file(cache_, "no folder");
  EXPECT_FALSE(run());
  EXPECT_THAT(warnings_,
              ElementsAre(HasSubstr("cannot open"), HasSubstr("cannot create the folder")));
}

TEST_F(WeightCacheTest, AReadOnlyFolderIsAWarning) {
  if (::geteuid() == 0) GTEST_SKIP() << "The superuser may write to every folder.";
  fs::create_directories(cache_);
  fs::permissions(cache_, fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_FALSE(run());
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("Cannot create")));
  fs::permissions(cache_, fs::perms::owner_all);
}

TEST_F(WeightCacheTest, AReadOnlyFileIsUsed) {
  EXPECT_FALSE(run());
  fs::permissions(files_in(cache_)[0], fs::perms::owner_read);
  EXPECT_TRUE(run());
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(WeightCacheTest, NoHomeIsAWarning) {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::optional<std::string> old_cache = cache ? std::optional(cache) : std::nullopt;
  const std::optional<std::string> old_home = home ? std::optional(home) : std::nullopt;
  ::unsetenv("XDG_CACHE_HOME");
  ::unsetenv("HOME");
  cache_.clear();
  EXPECT_FALSE(run());
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("neither XDG_CACHE_HOME nor HOME")));
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(default_cache_folder(), "");
  ::setenv("HOME", "/somewhere", 1);
  EXPECT_EQ(default_cache_folder(), "/somewhere/.cache/whisper-s4y");
  ::setenv("XDG_CACHE_HOME", "/elsewhere", 1);
  EXPECT_EQ(default_cache_folder(), "/elsewhere/whisper-s4y");
  old_cache ? ::setenv("XDG_CACHE_HOME", old_cache->c_str(), 1) : ::unsetenv("XDG_CACHE_HOME");
  old_home ? ::setenv("HOME", old_home->c_str(), 1) : ::unsetenv("HOME");
}

/// Runs `action` in a new process; its exit status.
template <typename Action>
int status_of_child(Action action) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(action());
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

TEST_F(WeightCacheTest, ALimitOnFileSizesIsAWarning) {
  // LiteRT itself would end the process when it cannot write.
  const int status = status_of_child([this] {
    const struct rlimit limit { 4096, 4096 };
    ::setrlimit(RLIMIT_FSIZE, &limit);
    return !run() && warnings_.size() == 1 &&
                   warnings_[0].find("limit of 4096 bytes on file sizes") != std::string::npos
               ? 0
               : 1;
  });
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(fs::exists(cache_));
}

TEST_F(WeightCacheTest, ProcessesDoNotDisturbEachOther) {
  for (int round = 0; round < 5; ++round) {
    fs::remove_all(cache_);
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        int failures = 0;
        try {
          for (int k = 0; k < 5; ++k) {
            LiteRtModel model(model_path_, options(), kBoth);
            if (last_output(model) != 65.0F) ++failures;
          }
        } catch (const Error&) {
          failures = 100;
        }
        ::_exit(failures + static_cast<int>(warnings_.size()));
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = -1;
      ::waitpid(child, &status, 0);
      EXPECT_EQ(status, 0);
    }
    EXPECT_THAT(files_in(cache_), SizeIs(1));
  }
  EXPECT_TRUE(run());
}

TEST_F(WeightCacheTest, LeavesNoDescriptorOpen) {
  EXPECT_FALSE(run());
  const auto open_descriptors = [] { return files_in("/proc/self/fd").size(); };
  const size_t before = open_descriptors();
  EXPECT_TRUE(run());
  RuntimeOptions off = options();
  off.use_cache = false;
  { LiteRtModel model(model_path_, off, kBoth); }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace whisper_s4y
