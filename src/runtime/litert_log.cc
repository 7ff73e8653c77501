#include "runtime/litert_log.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <mutex>
#include <string_view>

namespace whisper_s4y::litert {
namespace {

constinit thread_local std::string* captured = nullptr;

/// fopencookie()'s write function. It runs in the thread that prints: the stream has no buffer.
ssize_t write_captured(void* /*cookie*/, const char* data, size_t size) {
  if (captured != nullptr) {
    captured->append(data, size);
    return static_cast<ssize_t>(size);
  }
  const char* rest = data;
  for (size_t left = size; left > 0;) {
    const ssize_t written = ::write(STDERR_FILENO, rest, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return 0;  // how fopencookie() wants an error told
    rest += written;
    left -= static_cast<size_t>(written);
  }
  return static_cast<ssize_t>(size);
}

FILE* capturing_stream() {
  // Never closed: another thread may have read `stderr` just before it was put back.
  static FILE* const stream = [] {
    FILE* opened = ::fopencookie(nullptr, "w", {nullptr, write_captured, nullptr, nullptr});
    if (opened != nullptr) std::setvbuf(opened, nullptr, _IONBF, 0);
    return opened;
  }();
  return stream;
}

std::mutex switch_mutex;
int captures = 0;
FILE* original = nullptr;

/// One line of LiteRT's log without severity and source position; empty unless it is an error.
std::string_view error_in(std::string_view line) {
  for (const std::string_view harmless : {"INFO: ", "WARNING: ", "VERBOSE: ", "DEBUG: "}) {
    if (line.starts_with(harmless)) return {};
  }
  if (line.starts_with("ERROR: ")) line.remove_prefix(7);
  if (line.starts_with('[')) {
    if (const size_t end = line.find("] "); end != std::string_view::npos) {
      line.remove_prefix(end + 2);
    }
  }
  while (line.ends_with('.') || line.ends_with(' ')) line.remove_suffix(1);
  return line;
}

}  // namespace

LogCapture::LogCapture() : outer_(captured) {
  captured = &text_;
  const std::scoped_lock lock(switch_mutex);
  if (captures++ == 0 && capturing_stream() != nullptr) {
    original = stderr;
    stderr = capturing_stream();
  }
}

LogCapture::~LogCapture() {
  {
    const std::scoped_lock lock(switch_mutex);
    if (--captures == 0 && original != nullptr) {
      stderr = original;
      original = nullptr;
    }
  }
  captured = outer_;
}

std::string LogCapture::errors() const {
  std::string errors;
  std::string_view last;
  for (std::string_view rest = text_; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::string_view error = error_in(line);
    if (error.empty() || error == last) continue;
    last = error;
    if (!errors.empty()) errors += "; ";
    errors += error;
  }
  return errors;
}

}  // namespace whisper_s4y::litert
