#include "cli/signals.h"

#include <unistd.h>

#include <csignal>

#include "common/unfinished_files.h"

namespace whisper_s4y {
namespace {

void end_cleanly(int signal) {
  remove_unfinished_files();
  ::_exit(128 + signal);
}

}  // namespace

void install_signal_handlers() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction old {};
    // What a parent set to be ignored (nohup) stays so.
    if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = end_cleanly;
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace whisper_s4y
