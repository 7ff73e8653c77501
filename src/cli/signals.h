// Ctrl-C and its like end the program without leaving half a file.
#pragma once

namespace whisper_s4y {

/// On SIGINT, SIGTERM and SIGHUP unfinished output is removed and the exit code is 128 + the
/// signal's number.
void install_signal_handlers();

}  // namespace whisper_s4y
