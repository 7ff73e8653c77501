#include "cli/console.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

/// Of the first time that writing failed; the stream remembers only that it did.
std::atomic<int> first_error = 0;

[[noreturn]] void fail_to_write(int error) {
  int none = 0;
  first_error.compare_exchange_strong(none, error);
  if (error == EPIPE) throw OutputClosed();
  fail(ErrorCode::io, "Cannot write to the standard output: {}.", std::strerror(error));
}

}  // namespace

void reserve_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest number is free, for those below are open by now. The wrong direction makes
    // reading and writing fail with EBADF.
    ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

void write_out(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail_to_write(errno);
}

void flush_out() {
  errno = 0;
  if (std::fflush(stdout) != 0) fail_to_write(errno);
  if (std::ferror(stdout) != 0) fail_to_write(first_error);
}

void write_err(std::string_view text) noexcept { std::fwrite(text.data(), 1, text.size(), stderr); }

}  // namespace whisper_s4y
