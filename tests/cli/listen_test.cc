#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <span>

#include "cli/run_program.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

TEST(Listen, SaysWhyThereIsNoMicrophone) {
  const ProgramResult result = run_program({"listen", "model.tflite", "no-such-device"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("Cannot open the sound device \"no-such-device\": "));
  EXPECT_THAT(result.out, IsEmpty());
}

TEST(Listen, RefusesImpossibleOptions) {
  for (const char* value : {"0", "x", "100"}) {
    EXPECT_EQ(run_program({"listen", "m.tflite", "-", "--update-interval", value}).exit_code, 2);
  }
  EXPECT_EQ(run_program({"listen", "m.tflite", "-", "--pcm-format", "u8"}).exit_code, 2);
}

/// The program with a terminal for its output, and a pipe for its sound that stays open.
class OnTerminal {
 public:
  OnTerminal(const std::vector<std::string>& arguments, const std::string& cache) {
    std::vector<std::string> words = {WHISPER_S4Y_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    int ends[2];
    screen_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (::pipe(ends) != 0 || ::grantpt(screen_) != 0 || ::unlockpt(screen_) != 0) {
      throw std::runtime_error("no terminal to be had");
    }
    const winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    ::ioctl(screen_, TIOCSWINSZ, &size);
    const std::string name = ::ptsname(screen_);
    child_ = ::fork();
    if (child_ == 0) {
      ::setsid();
      const int terminal = ::open(name.c_str(), O_RDWR);  // becomes the controlling one
      ::dup2(ends[0], STDIN_FILENO);
      ::dup2(terminal, STDOUT_FILENO);
      ::close(ends[1]);
      ::close(screen_);
      ::setenv("XDG_CACHE_HOME", cache.c_str(), 1);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(ends[0]);
    sound_ = ends[1];
  }
  ~OnTerminal() {
    ::close(sound_);
    ::close(screen_);
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;

  void speak(std::span<const float> samples) const {
    std::vector<int16_t> numbers;
    for (const float sample : samples) {
      numbers.push_back(static_cast<int16_t>(std::lround(sample * 32767)));
    }
    const char* bytes = reinterpret_cast<const char*>(numbers.data());
    for (size_t left = 2 * numbers.size(); left > 0;) {
      const ssize_t written = ::write(sound_, bytes, left);
      if (written < 0) throw std::runtime_error("the program hears nothing");
      bytes += written;
      left -= static_cast<size_t>(written);
    }
  }

  /// Everything on the screen so far, once `text` is in it; or after two minutes.
  const std::string& wait_for(std::string_view text) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (seen_.find(text) == std::string::npos && std::chrono::steady_clock::now() < end) {
      if (!read_some()) break;
    }
    return seen_;
  }

  /// Types Ctrl-C and waits for the end; gives the exit code.
  int interrupt() {
    const char ctrl_c = 3;
    if (::write(screen_, &ctrl_c, 1) != 1) return -1;
    while (read_some()) {
    }
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  [[nodiscard]] const std::string& seen() const { return seen_; }

 private:
  /// False when the program has gone.
  bool read_some() {
    pollfd ready{.fd = screen_, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 1000) == 0) return true;
    char bytes[512];
    const ssize_t got = ::read(screen_, bytes, sizeof bytes);
    if (got <= 0) return false;
    seen_.append(bytes, static_cast<size_t>(got));
    return true;
  }

  int screen_ = -1;
  int sound_ = -1;
  pid_t child_ = 0;
  std::string seen_;
};

TEST(Listen, RevisesTheLineAndFinishesItOnCtrlC) {
  const auto checkpoint = genuine_checkpoint("tiny.en/ct2");
  if (checkpoint.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  const TemporaryFolder folder;
  const std::string model = folder.file("tiny.en.tflite");
  ASSERT_EQ(run_program({"convert", checkpoint.string(), "-o", model, "--quantize", "int8", "-q"})
                .exit_code,
            0);
  OnTerminal program({"listen", model, "-", "-q", "--update-interval", "0.5"},
                     folder.file("cache"));
  // Two pieces of a sentence, and no pause that would end the utterance.
  const auto audio = load_audio(source_dir() / "examples" / "jfk.flac");
  const std::span<const float> sound(audio);
  program.speak(sound.first(kSampleRate * 3 / 2));
  EXPECT_THAT(program.wait_for("And so"), HasSubstr("\x1b[2m"));  // what may change is dim
  program.speak(sound.subspan(kSampleRate * 3 / 2, kSampleRate));
  // In place: the line is cleared, no other is begun.
  const std::string revised = program.wait_for("Americans");
  EXPECT_THAT(revised,
              MatchesRegex("(.|\n)*\r\x1b\\[K[^\n]*And so[^\n]*\r\x1b\\[K[^\n]*Americans.*"));
  EXPECT_EQ(revised.find('\n'), std::string::npos);

  EXPECT_EQ(program.interrupt(), 130);
  const std::string end = program.seen().substr(program.seen().rfind("\x1b[K"));
  EXPECT_THAT(end, MatchesRegex("\x1b\\[KAnd so my fellow Americans[^\x1b]*\r\n"));
}

}  // namespace
}  // namespace whisper_s4y
