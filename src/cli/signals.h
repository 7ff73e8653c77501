// Ctrl-C and its like end the program without leaving half a file.
#pragma once

namespace whisper_s4y {

/// On SIGINT, SIGTERM and SIGHUP unfinished output is removed and the exit code is 128 + the
/// signal's number. SIGXFSZ and SIGPIPE are ignored: writing fails instead.
void install_signal_handlers();

/// From now on the first SIGINT or SIGTERM only becomes caught_signal(), so that a command can
/// finish what it has begun and call end_by_signal(). The next one ends the program as ever.
void catch_first_signal();
/// 0 until there is one.
[[nodiscard]] int caught_signal();

/// Ends the program as the signal would have, once what was printed is written.
[[noreturn]] void end_by_signal(int signal);

}  // namespace whisper_s4y
