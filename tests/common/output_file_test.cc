#include "common/output_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "common/fail.h"
#include "support/errors.h"
#include "support/files.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OutputFileTest : public ::testing::Test {
 protected:
  static void write(const fs::path& path, std::string_view text) {
    OutputFile file(path);
    file.write(text);
    file.commit();
  }
  static mode_t permissions(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_mode & 07777;
  }

  TemporaryFolder folder_;
};

TEST_F(OutputFileTest, AppearsWhenItIsComplete) {
  {
    OutputFile file(folder_ / "out");
    file.write("one ");
    file.write("two");
    EXPECT_EQ(file.position(), 7U);
    file.write_at(0, std::as_bytes(std::span("ONE", 3)));
    EXPECT_FALSE(fs::exists(folder_ / "out"));
    file.commit();
  }
  EXPECT_EQ(read_file(folder_ / "out"), "ONE two");
  EXPECT_THAT(folder_.names(), ElementsAre("out"));
}

TEST_F(OutputFileTest, WithoutCommitTheFormerFileStays) {
  write_file(folder_ / "out", "former");
  { OutputFile(folder_ / "out").write("half of"); }
  EXPECT_EQ(read_file(folder_ / "out"), "former");
  EXPECT_THAT(folder_.names(), ElementsAre("out"));
}

TEST_F(OutputFileTest, AFailedCheckLeavesTheFormerFile) {
  write_file(folder_ / "out", "former");
  {
    OutputFile file(folder_ / "out");
    file.write("wrong");
    EXPECT_EQ(message_of([&] {
                file.commit([](int descriptor) {
                  std::array<char, 8> text{};
                  const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
                  fail("Found {}.", std::string_view(text.data(), static_cast<size_t>(size)));
                });
              }),
              "Found wrong.");
  }
  EXPECT_EQ(read_file(folder_ / "out"), "former");
  EXPECT_THAT(folder_.names(), ElementsAre("out"));
}

TEST_F(OutputFileTest, WritesThroughLinks) {
  fs::create_directories(folder_ / "far");
  write_file(folder_ / "far/target", "former");
  fs::create_symlink("far/target", folder_ / "second");
  fs::create_symlink(folder_ / "second", folder_ / "first");
  write(folder_ / "first", "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "first"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "second"));
  EXPECT_EQ(read_file(folder_ / "far/target"), "new");
  EXPECT_THAT(folder_.names(), ElementsAre("far", "first", "second"));
}

TEST_F(OutputFileTest, WritesThroughALinkToNothingYet) {
  fs::create_symlink("target", folder_ / "link");
  write(folder_ / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_file(folder_ / "target"), "new");
}

TEST_F(OutputFileTest, ALinkToItselfIsAnError) {
  fs::create_symlink("loop", folder_ / "loop");
  EXPECT_THAT(message_of([&] { OutputFile file(folder_ / "loop"); }),
              AllOf(HasSubstr("loop"), HasSubstr("40 symbolic links")));
}

TEST_F(OutputFileTest, NewFilesGetTheProcessesPermissions) {
  const mode_t former = ::umask(027);
  write(folder_ / "new", "x");
  ::umask(former);
  EXPECT_EQ(permissions(folder_ / "new"), 0640U);
}

TEST_F(OutputFileTest, AReplacedFileHandsOnItsPermissions) {
  write_file(folder_ / "out", "former");
  ASSERT_EQ(::chmod((folder_ / "out").c_str(), 0600), 0);
  write(folder_ / "out", "new");
  EXPECT_EQ(permissions(folder_ / "out"), 0600U);
  EXPECT_EQ(read_file(folder_ / "out"), "new");
}

TEST_F(OutputFileTest, TakesTheLongestNames) {
  const std::string name(255, 'x');
  write(folder_ / name, "new");
  EXPECT_EQ(read_file(folder_ / name), "new");
}

TEST_F(OutputFileTest, RefusesWhatIsNoFile) {
  EXPECT_THAT(message_of([&] { OutputFile file(folder_.path()); }), HasSubstr("it is a folder"));
  EXPECT_THAT(message_of([] { OutputFile file("/dev/null"); }), HasSubstr("not a regular file"));
  EXPECT_THAT(message_of([] { OutputFile file(""); }), HasSubstr("not the name of a file"));
  EXPECT_THAT(message_of([&] { OutputFile file(folder_ / "no/such/folder"); }),
              HasSubstr("No such file or directory"));
}

TEST_F(OutputFileTest, ErrorsLeakNoDescriptor) {
  const int before = ::dup(0);
  ::close(before);
  for (int i = 0; i < 10; ++i) {
    EXPECT_THROW(OutputFile(folder_ / "no/such/folder"), Error);
    EXPECT_THROW(OutputFile(folder_.path()), Error);
    OutputFile file(folder_ / "out");
    file.write("x");
    EXPECT_THROW(file.commit([](int) { fail("No."); }), Error);
  }
  const int after = ::dup(0);
  ::close(after);
  EXPECT_EQ(after, before);
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(OutputFileTest, AFullDiskIsOneSentence) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1 << 16, 1 << 16};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string message = message_of([&] {
      OutputFile file(folder_ / "out");
      file.write(std::string(1 << 17, 'x'));
      file.commit();
    });
    ::_exit(message == "Cannot write " + folder_.file("out") + ": File too large." ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(OutputFileTest, LeavesSignalsAndUmaskAlone) {
  const auto handler_of = [](int signal) {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    return action.sa_handler;
  };
  const auto former = handler_of(SIGXFSZ);
  write(folder_ / "out", "x");
  EXPECT_EQ(handler_of(SIGXFSZ), former);
}

TEST_F(OutputFileTest, WritesToAnOpenFileOfTheCaller) {
  const int fd = ::open((folder_ / "out").c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_GE(fd, 0);
  {
    OutputFile file(fd, "a name");
    file.write("text");
    file.commit();
  }
  EXPECT_EQ(::close(fd), 0);  // was left open
  EXPECT_EQ(read_file(folder_ / "out"), "text");
}

}  // namespace
}  // namespace whisper_s4y
