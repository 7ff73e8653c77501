#include "cli/signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <initializer_list>

#include "common/unfinished_files.h"

namespace whisper_s4y {
namespace {

std::atomic<int> caught{0};
static_assert(std::atomic<int>::is_always_lock_free, "is set in a signal handler");

[[noreturn]] void end_cleanly(int signal) {
  remove_unfinished_files();
  ::_exit(128 + signal);
}

void remember(int signal) {
  if (caught.exchange(signal) != 0) end_cleanly(signal);
}

void install(void (*handler)(int), std::initializer_list<int> signals) {
  for (const int signal : signals) {
    struct sigaction old {};
    // What a parent set to be ignored (nohup) stays so.
    if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = handler;
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace

void install_signal_handlers() {
  install(end_cleanly, {SIGINT, SIGTERM, SIGHUP});
  // Writing past RLIMIT_FSIZE or into a pipe that nobody reads is an error of that write; a
  // standard error that nobody reads must not end the run.
  install(SIG_IGN, {SIGXFSZ, SIGPIPE});
}

void catch_first_signal() { install(remember, {SIGINT, SIGTERM}); }

int caught_signal() { return caught; }

void end_by_signal(int signal) {
  std::fflush(nullptr);
  end_cleanly(signal);
}

}  // namespace whisper_s4y
