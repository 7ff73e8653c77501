#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "cli/console.h"

namespace whisper_s4y {
namespace {

using std::chrono::steady_clock;

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kPlainLine = std::chrono::seconds(10);
constexpr size_t kBarWidth = 24;

size_t terminal_width() {
  struct winsize size {};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

std::string format_bytes(uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  for (const char* unit : {"kB", "MB", "GB"}) {
    value /= 1000;
    if (value < 999.95) return fmt::format("{:.1f} {}", value, unit);
  }
  return fmt::format("{:.1f} TB", value / 1000);
}

std::string format_duration(double seconds) {
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}:{:02} min", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02} h", whole / 3600, whole / 60 % 60, whole % 60);
}

Progress::Progress(std::string title, Unit unit, bool quiet)
    : title_(std::move(title)),
      unit_(unit),
      quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) == 1),
      last_(terminal_ ? steady_clock::time_point() : steady_clock::now()) {}

std::string Progress::describe(uint64_t done, uint64_t total) const {
  const auto amount = [this](uint64_t value) {
    switch (unit_) {
      case Unit::bytes:
        return format_bytes(value);
      case Unit::seconds:
        return format_duration(static_cast<double>(value));
      case Unit::recordings:
        break;
    }
    return fmt::format("{}", value);
  };
  if (total == 0) return amount(done);
  const uint64_t percent =
      static_cast<uint64_t>(100.0 * static_cast<double>(done) / static_cast<double>(total));
  return fmt::format("{:3} %  {} of {}", percent, amount(done), amount(total));
}

void Progress::update(uint64_t done, uint64_t total) {
  if (quiet_) return;
  const auto now = steady_clock::now();
  if (now - last_ <
      (terminal_ ? std::chrono::milliseconds(kRedraw) : std::chrono::milliseconds(kPlainLine))) {
    return;
  }
  last_ = now;
  if (total > 0) done = std::min(done, total);
  if (!terminal_) {
    print_err("{}: {}\n", title_, describe(done, total));
    return;
  }
  std::string line = title_ + "  ";
  if (total > 0) {
    const auto full =
        static_cast<size_t>(kBarWidth * static_cast<double>(done) / static_cast<double>(total));
    line += fmt::format("[{:{}}] ", std::string(full, '='), kBarWidth);
  }
  line += describe(done, total);
  // A line that wraps could not be taken back.
  line.resize(std::min(line.size(), terminal_width() - 1));
  print_err("\r\033[K{}", line);
  shown_ = true;
}

void Progress::clear() {
  if (!shown_) return;
  write_err("\r\033[K");
  shown_ = false;
}

}  // namespace whisper_s4y
